// Values inside scripts, styles and URLs.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "template/html_text.h"
#include "template/html_transition.h"
#include "template/json_encode.h"
#include "template/print.h"
#include "template/utf8.h"

namespace mlalert::tmpl {
namespace {

constexpr std::string_view kNone{};

// HTML's special characters are escaped too, so that the text may stand in an attribute.
std::string_view JsReplacement(char32_t c, JsText kind) {
  switch (c) {
    case 0:
      return "\\u0000";
    case '\t':
      return "\\t";
    case '\n':
      return "\\n";
    case '\v':
      return "\\u000b";
    case '\f':
      return "\\f";
    case '\r':
      return "\\r";
    case '"':
      return "\\u0022";
    case '&':
      return "\\u0026";
    case '\'':
      return "\\u0027";
    case '+':
      return "\\u002b";
    case '/':
      return "\\/";
    case '<':
      return "\\u003c";
    case '>':
      return "\\u003e";
    case '\\':
      return "\\\\";
    case 0x2028:
      return "\\u2028";
    case 0x2029:
      return "\\u2029";
    case '`':
      return kind == JsText::kRegexp ? kNone : "\\u0060";
    case '$':
      return kind == JsText::kRegexp ? "\\$" : kind == JsText::kTemplateLiteral ? "\\u0024" : kNone;
    case '{':
      return kind == JsText::kRegexp ? "\\{" : kind == JsText::kTemplateLiteral ? "\\u007b" : kNone;
    case '}':
      return kind == JsText::kRegexp ? "\\}" : kind == JsText::kTemplateLiteral ? "\\u007d" : kNone;
    default:
      break;
  }
  if (kind != JsText::kRegexp) {
    return kNone;
  }
  switch (c) {
    case '(':
      return "\\(";
    case ')':
      return "\\)";
    case '*':
      return "\\*";
    case '-':
      return "\\-";
    case '.':
      return "\\.";
    case '?':
      return "\\?";
    case '[':
      return "\\[";
    case ']':
      return "\\]";
    case '^':
      return "\\^";
    case '|':
      return "\\|";
    default:
      return kNone;
  }
}

std::string_view CssReplacement(char c) {
  switch (c) {
    case 0:
      return "\\0";
    case '\t':
      return "\\9";
    case '\n':
      return "\\a";
    case '\f':
      return "\\c";
    case '\r':
      return "\\d";
    case '"':
      return "\\22";
    case '&':
      return "\\26";
    case '\'':
      return "\\27";
    case '(':
      return "\\28";
    case ')':
      return "\\29";
    case '+':
      return "\\2b";
    case '/':
      return "\\2f";
    case ':':
      return "\\3a";
    case ';':
      return "\\3b";
    case '<':
      return "\\3c";
    case '>':
      return "\\3e";
    case '\\':
      return "\\\\";
    case '{':
      return "\\7b";
    case '}':
      return "\\7d";
    default:
      return kNone;
  }
}

bool IsHtmlSpace(char c) {
  return kHtmlSpaces.find(c) != std::string_view::npos;
}

bool IsAlphaNum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Text inside a JavaScript comment that cannot end it, nor the script.
std::string CommentText(std::string_view s) {
  std::string out;
  for (size_t i = 0; i < s.size(); ++i) {
    std::string_view rest = s.substr(i);
    if (rest.starts_with("*/")) {
      out += "* ";
    } else if (rest.starts_with("</script") || rest.starts_with("<!--")) {
      out += "\\x3C";
    } else {
      out.push_back(s[i]);
    }
  }
  return out;
}

std::string JsonError(const Value& v) {
  if (v.kind() == Kind::kFloat) {
    std::string shown;
    AppendValue(shown, v);
    return "json: unsupported value: " + shown;
  }
  return "json: unsupported type: " + v.TypeName();
}

// One address of a srcset and its size ("2x", "100w").
std::string FilterSrcsetElement(std::string_view s) {
  size_t start = std::min(s.find_first_not_of(kHtmlSpaces), s.size());
  size_t end = std::min(s.find_first_of(kHtmlSpaces, start), s.size());
  std::string_view url = s.substr(start, end - start);
  std::string_view rest = s.substr(end);
  bool plain = std::all_of(rest.begin(), rest.end(), [](char c) { return IsHtmlSpace(c) || IsAlphaNum(c); });
  if (!plain || !IsSafeUrl(url)) {
    return fmt::format("#{}", kUnsafeValue);
  }
  return fmt::format("{}{}{}", s.substr(0, start), EscapeUrl(url, true), rest);
}

}  // namespace

std::string EscapeJsText(std::string_view s, JsText kind) {
  std::string out;
  out.reserve(s.size() + s.size() / 8);
  for (size_t i = 0; i < s.size();) {
    Rune r = DecodeRune(s, i);
    std::string_view repl = JsReplacement(r.code, kind);
    out += repl.empty() ? s.substr(i, r.width) : repl;
    i += r.width;
  }
  // An empty expression would be a comment: //.
  return kind == JsText::kRegexp && out.empty() ? "(?:)" : out;
}

std::string JsExpression(const Value& v, size_t limit) {
  std::string json;
  bool encoded = false;
  // What prints itself and has no JSON of its own is a string here.
  if (v.PrintsItself()) {
    std::string shown;
    AppendValue(shown, v, limit);
    encoded = AppendJsonValue(json, Value::String(std::move(shown)), limit);
  } else {
    encoded = AppendJsonValue(json, v, limit);
  }
  if (!encoded) {
    return fmt::format(" /* {} */null ", CommentText(JsonError(v)));
  }
  if (json.empty()) {
    return " null ";
  }
  auto is_part = [](char c) { return IsJsNamePart(static_cast<unsigned char>(c)); };
  if (is_part(json.front()) || is_part(json.back())) {
    return " " + json + " ";
  }
  return json;
}

std::string EscapeCss(std::string_view s) {
  std::string out;
  for (size_t i = 0; i < s.size(); ++i) {
    std::string_view repl = CssReplacement(s[i]);
    if (repl.empty()) {
      out.push_back(s[i]);
      continue;
    }
    out += repl;
    // What follows must not look like a part of the number.
    bool at_end = i + 1 == s.size();
    if (repl != "\\\\" && (at_end || IsHexDigit(s[i + 1]) || IsHtmlSpace(s[i + 1]))) {
      out.push_back(' ');
    }
  }
  return out;
}

std::string FilterCssValue(std::string_view s) {
  std::string decoded = DecodeCss(s);
  std::string id;
  for (size_t i = 0; i < decoded.size(); ++i) {
    char c = decoded[i];
    if (std::string_view("\0\"'()/;@[\\]`{}<>", 16).find(c) != std::string_view::npos ||
        (c == '-' && i > 0 && decoded[i - 1] == '-')) {
      return std::string(kUnsafeValue);
    }
    if (c != '-' && static_cast<unsigned char>(c) < 0x80 && IsCssNameChar(static_cast<unsigned char>(c))) {
      id.push_back(c);
    }
  }
  id = AsciiLower(id);
  bool scripted = id.find("expression") != std::string::npos || id.find("mozbinding") != std::string::npos;
  return scripted ? std::string(kUnsafeValue) : decoded;
}

bool IsSafeUrl(std::string_view s) {
  size_t colon = s.find(':');
  if (colon == std::string_view::npos || s.substr(0, colon).find('/') != std::string_view::npos) {
    return true;
  }
  std::string scheme = ToLower(s.substr(0, colon));
  return scheme == "http" || scheme == "https" || scheme == "mailto";
}

std::string EscapeUrl(std::string_view s, bool normalize) {
  std::string out;
  out.reserve(s.size() + 16);
  for (size_t i = 0; i < s.size(); ++i) {
    char c = s[i];
    bool keep = IsAlphaNum(c) || std::string_view("-._~").find(c) != std::string_view::npos;
    if (!keep && normalize) {
      keep = c == '%' ? i + 2 < s.size() && IsHexDigit(s[i + 1]) && IsHexDigit(s[i + 2])
                      : std::string_view("!#$&*+,/:;=?@[]").find(c) != std::string_view::npos;
    }
    if (keep) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string FilterSrcset(std::string_view s) {
  std::string out;
  for (;;) {
    size_t comma = s.find(',');
    out += FilterSrcsetElement(s.substr(0, comma));
    if (comma == std::string_view::npos) {
      return out;
    }
    out.push_back(',');
    s.remove_prefix(comma + 1);
  }
}

}  // namespace mlalert::tmpl
