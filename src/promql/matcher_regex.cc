#include "promql/matcher_regex.h"

#include <fmt/format.h>

#include "base/regex.h"

namespace mlalert::promql {
namespace {

// Past the character class that starts at pattern[at] == '['.
size_t SkipClass(std::string_view pattern, size_t at) {
  ++at;
  if (at < pattern.size() && pattern[at] == '^') {
    ++at;
  }
  // A bracket right at the start is a member.
  for (size_t first = at; at < pattern.size(); ++at) {
    if (pattern[at] == '\\') {
      ++at;
    } else if (pattern.substr(at, 2) == "[:") {
      size_t end = pattern.find(":]", at + 2);
      at = end == std::string_view::npos ? at : end + 1;
    } else if (pattern[at] == ']' && at != first) {
      return at + 1;
    }
  }
  return at;
}

// "a)|(b" is sound only between the parentheses that anchoring puts around it, and would escape from them.
bool ClosesMoreThanItOpens(std::string_view pattern) {
  int open = 0;
  for (size_t i = 0; i < pattern.size();) {
    char c = pattern[i];
    if (pattern.substr(i, 2) == "\\Q") {
      size_t end = pattern.find("\\E", i + 2);
      i = end == std::string_view::npos ? pattern.size() : end + 2;
    } else if (c == '\\') {
      i += 2;
    } else if (c == '[') {
      i = SkipClass(pattern, i);
    } else {
      open += c == '(' ? 1 : c == ')' ? -1 : 0;
      if (open < 0) {
        return true;
      }
      ++i;
    }
  }
  return false;
}

}  // namespace

Status CheckMatcherRegex(std::string_view pattern) {
  MLALERT_TRY(Regex::CompileAnchored(pattern));
  if (ClosesMoreThanItOpens(pattern)) {
    return Fail(ErrorCode::kInvalid, fmt::format("error parsing regexp: unexpected ): `{}`", pattern));
  }
  return {};
}

}  // namespace mlalert::promql
