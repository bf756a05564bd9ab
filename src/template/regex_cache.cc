#include "template/regex_cache.h"

#include <charconv>
#include <fmt/format.h>
#include <re2/re2.h>
#include <vector>

#include "template/utf8.h"

namespace mlalert::tmpl {
namespace {

// One compilation costs as much as this many steps of a template.
constexpr int64_t kCompileSteps = 5000;

// RE2 and Go name the same mistakes a little differently; users search for Go's words.
std::string GoErrorText(const re2::RE2& re, std::string_view pattern) {
  std::string_view what;
  std::string_view where = re.error_arg();
  switch (re.error_code()) {
    case re2::RE2::ErrorMissingParen:
      what = "missing closing )";
      where = pattern;
      break;
    case re2::RE2::ErrorUnexpectedParen:
      what = "unexpected )";
      where = pattern;
      break;
    case re2::RE2::ErrorMissingBracket:
      what = "missing closing ]";
      break;
    case re2::RE2::ErrorRepeatArgument:
      what = "missing argument to repetition operator";
      break;
    case re2::RE2::ErrorRepeatOp:
      what = "invalid nested repetition operator";
      break;
    case re2::RE2::ErrorRepeatSize:
      what = "invalid repeat count";
      break;
    case re2::RE2::ErrorBadEscape:
      what = "invalid escape sequence";
      break;
    case re2::RE2::ErrorTrailingBackslash:
      what = "trailing backslash at end of expression";
      where = "";
      break;
    case re2::RE2::ErrorBadCharClass:
    case re2::RE2::ErrorBadCharRange:
      what = "invalid character class range";
      break;
    case re2::RE2::ErrorBadPerlOp:
      what = "invalid or unsupported Perl syntax";
      break;
    case re2::RE2::ErrorBadUTF8:
      what = "invalid UTF-8";
      break;
    case re2::RE2::ErrorBadNamedCapture:
      what = "invalid named capture";
      break;
    case re2::RE2::ErrorPatternTooLarge:
      what = "expression too large";
      where = pattern;
      break;
    default:
      what = re.error();
  }
  return fmt::format("error parsing regexp: {}: `{}`", what, where);
}

bool IsWord(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The group a $name stands for; -1: none, which expands to nothing.
int GroupOf(const re2::RE2& re, std::string_view name) {
  int number = -1;
  auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
  if (parsed.ec == std::errc() && parsed.ptr == name.data() + name.size()) {
    return number >= 0 && number <= re.NumberOfCapturingGroups() ? number : -1;
  }
  const auto& names = re.NamedCapturingGroups();
  auto it = names.find(std::string(name));
  return it == names.end() ? -1 : it->second;
}

// The replacement cut into literal text and group numbers, once per call.
struct Piece {
  std::string_view literal;
  int group = -1;
};

std::vector<Piece> ParseReplacement(const re2::RE2& re, std::string_view text) {
  std::vector<Piece> pieces;
  size_t start = 0;
  size_t i = 0;
  while (i < text.size()) {
    if (text[i] != '$') {
      ++i;
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == '$') {
      pieces.push_back({text.substr(start, i + 1 - start), -1});
      start = i = i + 2;
      continue;
    }
    bool braces = i + 1 < text.size() && text[i + 1] == '{';
    size_t name = i + (braces ? 2 : 1);
    size_t end = name;
    while (end < text.size() && IsWord(text[end])) {
      ++end;
    }
    if (end == name || (braces && (end >= text.size() || text[end] != '}'))) {
      ++i;  // a lone $ is itself
      continue;
    }
    pieces.push_back({text.substr(start, i - start), GroupOf(re, text.substr(name, end - name))});
    start = i = end + (braces ? 1 : 0);
  }
  pieces.push_back({text.substr(start), -1});
  return pieces;
}

}  // namespace

Result<std::shared_ptr<const re2::RE2>> RegexCache::Get(std::string_view pattern, ExecContext& context) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (auto it = compiled_.find(pattern); it != compiled_.end()) {
      return it->second;
    }
  }
  context.Charge(kCompileSteps);
  if (pattern.size() > kMaxPatternBytes) {
    return Fail(ErrorCode::kLimit, "error parsing regexp: expression too large");
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto re = std::make_shared<const re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!re->ok()) {
    return Fail(ErrorCode::kInvalid, GoErrorText(*re, pattern));
  }
  std::lock_guard<std::mutex> lock(mutex_);
  if (compiled_.size() >= kMaxEntries) {
    compiled_.clear();
  }
  compiled_.emplace(std::string(pattern), re);
  return re;
}

bool Matches(const re2::RE2& re, std::string_view text) {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), re);
}

Result<std::string> ReplaceAll(const re2::RE2& re, std::string_view text, std::string_view replacement,
                               size_t limit) {
  const std::vector<Piece> pieces = ParseReplacement(re, replacement);
  const int groups = re.NumberOfCapturingGroups() + 1;
  std::vector<re2::StringPiece> found(static_cast<size_t>(groups));
  re2::StringPiece input(text.data(), text.size());
  std::string out;
  size_t copied = 0;
  size_t search = 0;
  while (search <= text.size()) {
    if (!re.Match(input, search, text.size(), re2::RE2::UNANCHORED, found.data(), groups)) {
      break;
    }
    auto begin = static_cast<size_t>(found[0].data() - text.data());
    size_t end = begin + found[0].size();
    out.append(text.substr(copied, begin - copied));
    // An empty match right behind the previous match does not count.
    if (end > copied || begin == 0) {
      for (const Piece& piece : pieces) {
        out.append(piece.literal);
        if (piece.group >= 0) {
          const re2::StringPiece& group = found[static_cast<size_t>(piece.group)];
          out.append(group.data() == nullptr ? "" : group.data(), group.size());
        }
      }
    }
    copied = end;
    size_t width = DecodeRune(text, search).width;
    if (search + width > end) {
      search += width == 0 ? 1 : width;
    } else if (search + 1 > end) {
      ++search;
    } else {
      search = end;
    }
    if (out.size() > limit) {
      return Fail(ErrorCode::kLimit, fmt::format("result is longer than {} bytes", limit));
    }
  }
  out.append(text.substr(copied));
  return out;
}

}  // namespace mlalert::tmpl
