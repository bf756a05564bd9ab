// The contexts inside scripts, styles and URLs.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "template/html_transition.h"
#include "template/quote.h"
#include "template/utf8.h"

namespace mlalert::tmpl {
namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr size_t kQuotedRunesMax = 32;
constexpr std::string_view kLineSeparator = "\xE2\x80\xA8";
constexpr std::string_view kParagraphSeparator = "\xE2\x80\xA9";

bool IsJsSpace(char32_t c) {
  return (c >= '\t' && c <= '\r') || c == ' ' || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

// The last character and where it begins.
std::pair<Rune, size_t> LastRune(std::string_view s) {
  size_t begin = s.size() - 1;
  while (begin > 0 && s.size() - begin < 4 && (static_cast<unsigned char>(s[begin]) & 0xC0) == 0x80) {
    --begin;
  }
  Rune last = DecodeRune(s, begin);
  return begin + last.width == s.size() ? std::pair(last, begin)
                                        : std::pair(Rune{kRuneError, 1, false}, s.size() - 1);
}

// Trailing JavaScript white space removed.
std::string_view TrimJsSpace(std::string_view s) {
  while (!s.empty()) {
    auto [last, begin] = LastRune(s);
    if (!IsJsSpace(last.code)) {
      break;
    }
    s = s.substr(0, begin);
  }
  return s;
}

bool PrecedesRegexp(std::string_view word) {
  static constexpr std::array<std::string_view, 14> kWords{
      "break", "case",       "continue", "delete", "do",  "else",   "finally",
      "in",    "instanceof", "return",   "throw",  "try", "typeof", "void"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

// What a slash means behind these tokens. A heuristic with one token of memory: "}" is taken for a block's
// end, ")" for an expression's.
JsSlash SlashAfter(std::string_view s, JsSlash before) {
  s = TrimJsSpace(s);
  if (s.empty()) {
    return before;
  }
  char last = s.back();
  if (last == '+' || last == '-') {
    // x++ / 2 divides; x + /re/ does not.
    size_t run = s.size() - (s.find_last_not_of(last) + 1);
    return run % 2 == 1 ? JsSlash::kRegexp : JsSlash::kDivision;
  }
  if (last == '.') {
    bool number = s.size() > 1 && s[s.size() - 2] >= '0' && s[s.size() - 2] <= '9';
    return number ? JsSlash::kDivision : JsSlash::kRegexp;
  }
  if (std::string_view(",<>=*%&|^?!~([:;{}").find(last) != kNone) {
    return JsSlash::kRegexp;
  }
  size_t begin = s.size();
  while (begin > 0 && IsJsNamePart(static_cast<unsigned char>(s[begin - 1]))) {
    --begin;
  }
  return PrecedesRegexp(s.substr(begin)) ? JsSlash::kRegexp : JsSlash::kDivision;
}

// A line comment here; the first character of its mark was read.
size_t Enter(HtmlContext& c, HtmlState state, size_t end) {
  c.state = state;
  return end;
}

size_t ReadJsSlash(HtmlContext& c, std::string_view s, size_t i) {
  if (s.substr(i, 2) == "//") {
    return Enter(c, HtmlState::kJsLineComment, i + 2);
  }
  if (s.substr(i, 2) == "/*") {
    return Enter(c, HtmlState::kJsBlockComment, i + 2);
  }
  if (c.slash == JsSlash::kRegexp) {
    return Enter(c, HtmlState::kJsRegexp, i + 1);
  }
  if (c.slash == JsSlash::kDivision) {
    c.slash = JsSlash::kRegexp;
    return i + 1;
  }
  std::string_view rest = s.substr(i);
  c = FailedContext(fmt::format("'/' could start a division or regexp: {}",
                                QuoteGo(rest.substr(0, RunePrefix(rest, kQuotedRunesMax)))));
  return s.size();
}

HtmlContext PartialEscape(std::string_view what, std::string_view s) {
  return FailedContext(fmt::format("unfinished escape sequence in {} string: {}", what, QuoteGo(s)));
}

// Behind "url(", its spaces and its quote.
size_t EnterCssUrl(HtmlContext& c, std::string_view s, size_t i) {
  size_t j = std::min(s.find_first_not_of("\t\n\f\r ", i + 1), s.size());
  if (j < s.size() && (s[j] == '"' || s[j] == '\'')) {
    c.state = s[j] == '"' ? HtmlState::kCssDoubleQuotedUrl : HtmlState::kCssSingleQuotedUrl;
    return j + 1;
  }
  c.state = HtmlState::kCssUrl;
  return j;
}

// `s` ends with the keyword "url", and not with a longer name.
bool EndsWithUrl(std::string_view s) {
  if (s.size() < 3 || AsciiLower(s.substr(s.size() - 3)) != "url") {
    return false;
  }
  s.remove_suffix(3);
  if (s.empty()) {
    return true;
  }
  return !IsCssNameChar(LastRune(s).first.code);
}

std::string_view CssTextEnds(HtmlState state) {
  switch (state) {
    case HtmlState::kCssDoubleQuoted:
    case HtmlState::kCssDoubleQuotedUrl:
      return "\\\"";
    case HtmlState::kCssSingleQuoted:
    case HtmlState::kCssSingleQuotedUrl:
      return "\\'";
    default:
      return "\\\t\n\f\r )";
  }
}

}  // namespace

bool IsJsNamePart(char32_t c) {
  return c == '$' || c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool IsHexDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool IsCssNameChar(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         (c >= 0x80 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) || (c >= 0x10000 && c <= 0x10FFFF);
}

size_t ReadUrl(HtmlContext& c, std::string_view s) {
  if (s.find_first_of("#?") != kNone) {
    c.url_part = UrlPart::kQueryOrFragment;
  } else if (c.url_part == UrlPart::kNone && s.find_first_not_of(kHtmlSpaces) != kNone) {
    c.url_part = UrlPart::kPreQuery;
  }
  return s.size();
}

size_t ReadJs(HtmlContext& c, std::string_view s) {
  size_t i = s.find_first_of("\"`'/{}<-#");
  c.slash = SlashAfter(s.substr(0, i), c.slash);
  if (i == kNone) {
    return s.size();
  }
  switch (s[i]) {
    case '"':
      c.slash = JsSlash::kRegexp;
      return Enter(c, HtmlState::kJsDoubleQuoted, i + 1);
    case '\'':
      c.slash = JsSlash::kRegexp;
      return Enter(c, HtmlState::kJsSingleQuoted, i + 1);
    case '`':
      c.slash = JsSlash::kRegexp;
      return Enter(c, HtmlState::kJsTemplateLiteral, i + 1);
    case '/':
      return ReadJsSlash(c, s, i);
    case '<':
      return s.substr(i, 4) == "<!--" ? Enter(c, HtmlState::kJsHtmlOpenComment, i + 4) : i + 1;
    case '-':
      return s.substr(i, 3) == "-->" ? Enter(c, HtmlState::kJsHtmlCloseComment, i + 3) : i + 1;
    case '#':
      return s.substr(i, 2) == "#!" ? Enter(c, HtmlState::kJsLineComment, i + 2) : i + 1;
    default:
      break;
  }
  // Braces count only inside ${...}, whose end they may be.
  if (!c.brace_depths.empty()) {
    int& depth = c.brace_depths.back();
    depth += s[i] == '{' ? 1 : -1;
    if (depth < 0) {
      c.brace_depths.pop_back();
      c.state = HtmlState::kJsTemplateLiteral;
    }
  }
  return i + 1;
}

size_t ReadJsTemplate(HtmlContext& c, std::string_view s) {
  for (size_t i = s.find_first_of("`\\$"); i != kNone; i = s.find_first_of("`\\$", i + 1)) {
    if (s[i] == '`') {
      return Enter(c, HtmlState::kJs, i + 1);
    }
    if (s[i] == '\\') {
      if (++i == s.size()) {
        c = PartialEscape("JS", s);
        return s.size();
      }
    } else if (i + 1 < s.size() && s[i + 1] == '{') {
      c.brace_depths.push_back(0);
      return Enter(c, HtmlState::kJs, i + 2);
    }
  }
  return s.size();
}

size_t ReadJsLiteral(HtmlContext& c, std::string_view s) {
  std::string_view specials = c.state == HtmlState::kJsDoubleQuoted   ? "\\\""
                              : c.state == HtmlState::kJsSingleQuoted ? "\\'"
                                                                      : "\\/[]";
  bool in_set = false;
  for (size_t i = s.find_first_of(specials); i != kNone; i = s.find_first_of(specials, i + 1)) {
    if (s[i] == '\\') {
      if (++i == s.size()) {
        c = PartialEscape("JS", s);
        return s.size();
      }
    } else if (s[i] == '[') {
      in_set = true;
    } else if (s[i] == ']') {
      in_set = false;
    } else if (s[i] == '/' && i > 0 && i + 7 <= s.size() && AsciiLower(s.substr(i - 1, 8)) == "</script") {
      // Not the expression's end: it gets escaped.
      ++i;
    } else if (!in_set) {
      c.slash = JsSlash::kDivision;
      return Enter(c, HtmlState::kJs, i + 1);
    }
  }
  if (in_set) {
    c = FailedContext(fmt::format("unfinished JS regexp charset: {}", QuoteGo(s)));
  }
  return s.size();
}

size_t ReadBlockComment(HtmlContext& c, std::string_view s) {
  size_t end = s.find("*/");
  if (end == kNone) {
    return s.size();
  }
  c.state = c.state == HtmlState::kJsBlockComment ? HtmlState::kJs : HtmlState::kCss;
  return end + 2;
}

size_t ReadLineComment(HtmlContext& c, std::string_view s) {
  bool css = c.state == HtmlState::kCssLineComment;
  size_t end = s.find_first_of(css ? "\n\f\r" : "\n\r");
  if (!css) {
    end = std::min({end, s.find(kLineSeparator), s.find(kParagraphSeparator)});
  }
  if (end == kNone) {
    return s.size();
  }
  // The line's end is not part of the comment.
  c.state = css ? HtmlState::kCss : HtmlState::kJs;
  return end;
}

size_t ReadCss(HtmlContext& c, std::string_view s) {
  // Strings are taken for URLs: what is safe there is safe in font names and content too.
  for (size_t i = s.find_first_of("(\"'/"); i != kNone; i = s.find_first_of("(\"'/", i + 1)) {
    std::string_view before = s.substr(0, i);
    switch (s[i]) {
      case '(':
        if (EndsWithUrl(before.substr(0, before.find_last_not_of("\t\n\f\r ") + 1))) {
          return EnterCssUrl(c, s, i);
        }
        break;
      case '/':
        if (s.substr(i, 2) == "//") {
          return Enter(c, HtmlState::kCssLineComment, i + 2);
        }
        if (s.substr(i, 2) == "/*") {
          return Enter(c, HtmlState::kCssBlockComment, i + 2);
        }
        break;
      case '"':
        return Enter(c, HtmlState::kCssDoubleQuoted, i + 1);
      default:
        return Enter(c, HtmlState::kCssSingleQuoted, i + 1);
    }
  }
  return s.size();
}

size_t ReadCssText(HtmlContext& c, std::string_view s) {
  std::string_view ends = CssTextEnds(c.state);
  for (size_t from = 0;;) {
    size_t i = s.find_first_of(ends, from);
    if (i == kNone) {
      std::string rest = DecodeCss(s.substr(from));
      // An escape at the end decodes to less than it was read from.
      ReadUrl(c, rest);
      return from + std::min(rest.size(), s.size() - from);
    }
    if (s[i] != '\\') {
      c.state = HtmlState::kCss;
      return i + 1;
    }
    if (++i == s.size()) {
      c = PartialEscape("CSS", s);
      return s.size();
    }
    ReadUrl(c, DecodeCss(s.substr(0, i + 1)));
    from = i + 1;
  }
}

std::string DecodeCss(std::string_view s) {
  std::string out;
  while (!s.empty()) {
    size_t slash = std::min(s.find('\\'), s.size());
    out += s.substr(0, slash);
    s.remove_prefix(slash);
    if (s.size() < 2) {
      break;
    }
    s.remove_prefix(1);
    if (!IsHexDigit(s[0])) {
      size_t width = DecodeRune(s, 0).width;
      out += s.substr(0, width);
      s.remove_prefix(width);
      continue;
    }
    char32_t code = 0;
    size_t digits = 0;
    while (digits < s.size() && digits < 6 && IsHexDigit(s[digits])) {
      char d = s[digits++];
      code = code * 16 + static_cast<char32_t>(d <= '9' ? d - '0' : (d | 0x20) - 'a' + 10);
    }
    if (code > 0x10FFFF) {
      code /= 16;
      --digits;
    }
    AppendRune(out, code);
    s.remove_prefix(digits);
    // One white space may end the number.
    if (s.substr(0, 2) == "\r\n") {
      s.remove_prefix(2);
    } else if (!s.empty() && kHtmlSpaces.find(s[0]) != kNone) {
      s.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace mlalert::tmpl
