#include "base/regex.h"

#include <fmt/format.h>
#include <re2/re2.h>

namespace mlalert {
namespace {

// RE2 and Go name the same errors a little differently; users search for Go's words.
std::string GoErrorText(const re2::RE2& re, const std::string& anchored) {
  switch (re.error_code()) {
    case re2::RE2::ErrorMissingParen:
      return fmt::format("error parsing regexp: missing closing ): `{}`", anchored);
    case re2::RE2::ErrorUnexpectedParen:
      return fmt::format("error parsing regexp: unexpected ): `{}`", anchored);
    case re2::RE2::ErrorMissingBracket:
      return fmt::format("error parsing regexp: missing closing ]: `{}`", re.error_arg());
    case re2::RE2::ErrorRepeatArgument:
      return fmt::format("error parsing regexp: missing argument to repetition operator: `{}`",
                         re.error_arg());
    case re2::RE2::ErrorRepeatOp:
      return fmt::format("error parsing regexp: invalid nested repetition operator: `{}`", re.error_arg());
    case re2::RE2::ErrorRepeatSize:
      return fmt::format("error parsing regexp: invalid repeat count: `{}`", re.error_arg());
    case re2::RE2::ErrorBadEscape:
      return fmt::format("error parsing regexp: invalid escape sequence: `{}`", re.error_arg());
    case re2::RE2::ErrorTrailingBackslash:
      return "error parsing regexp: trailing backslash at end of expression: ``";
    case re2::RE2::ErrorBadCharClass:
    case re2::RE2::ErrorBadCharRange:
      return fmt::format("error parsing regexp: invalid character class range: `{}`", re.error_arg());
    case re2::RE2::ErrorBadUTF8:
      return "error parsing regexp: invalid UTF-8";
    case re2::RE2::ErrorBadNamedCapture:
      return fmt::format("error parsing regexp: invalid named capture: `{}`", re.error_arg());
    case re2::RE2::ErrorPatternTooLarge:
      return "error parsing regexp: expression too large";
    default:
      return fmt::format("error parsing regexp: {}: `{}`", re.error(), re.error_arg());
  }
}

}  // namespace

Result<Regex> Regex::CompileAnchored(std::string_view pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  std::string anchored = fmt::format("^(?:{})$", pattern);
  auto program = std::make_shared<const re2::RE2>(anchored, options);
  if (!program->ok()) {
    return Fail(ErrorCode::kInvalid, GoErrorText(*program, anchored));
  }
  Regex out;
  out.pattern_ = std::string(pattern);
  out.program_ = std::move(program);
  return out;
}

bool Regex::FullMatch(std::string_view text) const {
  return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *program_);
}

}  // namespace mlalert
