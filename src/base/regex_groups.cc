#include "base/regex_groups.h"

#include <algorithm>
#include <fmt/format.h>
#include <re2/re2.h>

#include "base/regex.h"

namespace mlalert {
namespace {

bool IsWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view Group(const re2::RE2& re, const std::vector<std::string_view>& groups,
                       std::string_view name) {
  size_t index = 0;
  const bool number =
      std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }) && name.size() < 8;
  if (number) {
    for (char c : name) {
      index = index * 10 + static_cast<size_t>(c - '0');
    }
  } else {
    const auto at = re.NamedCapturingGroups().find(std::string(name));
    index = at == re.NamedCapturingGroups().end() ? groups.size() : static_cast<size_t>(at->second);
  }
  return index < groups.size() ? groups[index] : std::string_view();
}

}  // namespace

Result<std::shared_ptr<const re2::RE2>> CompileWithGroups(std::string_view pattern) {
  // For the words of the error.
  if (auto checked = Regex::CompileAnchored(pattern); !checked) {
    return Fail(checked.error());
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  return std::make_shared<const re2::RE2>(fmt::format("^(?s:{})$", pattern), options);
}

bool MatchGroups(const re2::RE2& re, std::string_view text, std::vector<std::string_view>& groups) {
  std::vector<re2::StringPiece> pieces(static_cast<size_t>(re.NumberOfCapturingGroups()) + 1);
  if (!re.Match(re2::StringPiece(text.data(), text.size()), 0, text.size(), re2::RE2::ANCHOR_BOTH,
                pieces.data(), static_cast<int>(pieces.size()))) {
    return false;
  }
  groups.clear();
  for (const re2::StringPiece& piece : pieces) {
    groups.emplace_back(piece.data(), piece.size());
  }
  return true;
}

std::string ExpandGroups(const re2::RE2& re, const std::vector<std::string_view>& groups,
                         std::string_view replacement) {
  std::string out;
  for (size_t at = 0; at < replacement.size();) {
    if (replacement[at] != '$') {
      out += replacement[at++];
      continue;
    }
    if (replacement.substr(at).starts_with("$$")) {
      out += '$';
      at += 2;
      continue;
    }
    const bool braces = replacement.substr(at).starts_with("${");
    const size_t begin = at + (braces ? 2 : 1);
    size_t end = begin;
    while (end < replacement.size() && IsWord(replacement[end])) {
      ++end;
    }
    const bool closed = !braces || (end < replacement.size() && replacement[end] == '}');
    if (end == begin || !closed) {
      out += replacement[at++];
      continue;
    }
    out += Group(re, groups, replacement.substr(begin, end - begin));
    at = braces ? end + 1 : end;
  }
  return out;
}

}  // namespace mlalert
