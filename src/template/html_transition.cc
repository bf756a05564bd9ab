#include "template/html_transition.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "template/html_entities.h"
#include "template/quote.h"
#include "template/utf8.h"

namespace mlalert::tmpl {
namespace {

constexpr size_t kQuotedRunesMax = 32;

bool IsAlpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool IsAlphaNum(char c) {
  return IsAlpha(c) || (c >= '0' && c <= '9');
}

size_t SkipSpace(std::string_view s, size_t i = 0) {
  return std::min(s.find_first_not_of(kHtmlSpaces, i), s.size());
}

HtmlElement ElementNamed(std::string_view lower) {
  static constexpr std::array<std::pair<std::string_view, HtmlElement>, 5> kElements{
      {{"script", HtmlElement::kScript},
       {"style", HtmlElement::kStyle},
       {"textarea", HtmlElement::kTextarea},
       {"title", HtmlElement::kTitle},
       {"meta", HtmlElement::kMeta}}};
  for (const auto& [name, element] : kElements) {
    if (lower == name) {
      return element;
    }
  }
  return HtmlElement::kNone;
}

std::string_view EndMarker(HtmlElement element) {
  switch (element) {
    case HtmlElement::kScript:
      return "script";
    case HtmlElement::kStyle:
      return "style";
    case HtmlElement::kTextarea:
      return "textarea";
    case HtmlElement::kTitle:
      return "title";
    default:
      return "";
  }
}

HtmlState ContentState(HtmlElement element) {
  switch (element) {
    case HtmlElement::kScript:
      return HtmlState::kJs;
    case HtmlElement::kStyle:
      return HtmlState::kCss;
    case HtmlElement::kTextarea:
    case HtmlElement::kTitle:
      return HtmlState::kRcdata;
    default:
      return HtmlState::kText;
  }
}

// The end of the tag name that starts at `i`; `i` when none does. "x-y" and "x:y" are names, "x-" is "x".
size_t TagNameEnd(std::string_view s, size_t i) {
  if (i == s.size() || !IsAlpha(s[i])) {
    return i;
  }
  size_t j = i + 1;
  while (j < s.size()) {
    if (IsAlphaNum(s[j])) {
      ++j;
    } else if ((s[j] == ':' || s[j] == '-') && j + 1 < s.size() && IsAlphaNum(s[j + 1])) {
      j += 2;
    } else {
      break;
    }
  }
  return j;
}

size_t ReadHtmlText(HtmlContext& c, std::string_view s) {
  for (size_t from = 0;;) {
    size_t i = s.find('<', from);
    if (i == std::string_view::npos || i + 1 == s.size()) {
      return s.size();
    }
    if (s.substr(i, 4) == "<!--") {
      c = {.state = HtmlState::kHtmlComment};
      return i + 4;
    }
    ++i;
    bool closing = s[i] == '/';
    if (closing && ++i == s.size()) {
      return s.size();
    }
    size_t end = TagNameEnd(s, i);
    if (end != i) {
      c = {.state = HtmlState::kTag};
      c.element = closing ? HtmlElement::kNone : ElementNamed(AsciiLower(s.substr(i, end - i)));
      return end;
    }
    from = end;
  }
}

// The end of the attribute name at `i`, or npos with `c` failed.
size_t AttrNameEnd(HtmlContext& c, std::string_view s, size_t i) {
  size_t end = std::min(s.find_first_of(" \t\n\f\r=>'\"<", i), s.size());
  if (end < s.size() && (s[end] == '\'' || s[end] == '"' || s[end] == '<')) {
    c = FailedContext(fmt::format("{} in attribute name: {}", QuoteGo(s.substr(end, 1)),
                                  QuoteGo(s.substr(0, RunePrefix(s, kQuotedRunesMax)))));
    return std::string_view::npos;
  }
  return end;
}

HtmlAttr AttrNamed(HtmlElement element, std::string_view lower) {
  if (element == HtmlElement::kScript && lower == "type") {
    return HtmlAttr::kScriptType;
  }
  if (element == HtmlElement::kMeta && lower == "content") {
    return HtmlAttr::kMetaContent;
  }
  switch (MeaningOfAttr(lower)) {
    case AttrMeaning::kUrl:
      return HtmlAttr::kUrl;
    case AttrMeaning::kCss:
      return HtmlAttr::kStyle;
    case AttrMeaning::kJs:
      return HtmlAttr::kScript;
    case AttrMeaning::kSrcset:
      return HtmlAttr::kSrcset;
    default:
      return HtmlAttr::kNone;
  }
}

size_t ReadTag(HtmlContext& c, std::string_view s) {
  size_t i = SkipSpace(s);
  if (i == s.size()) {
    return i;
  }
  if (s[i] == '>') {
    HtmlElement element = c.element == HtmlElement::kMeta ? HtmlElement::kNone : c.element;
    c = {.state = ContentState(element), .element = element};
    return i + 1;
  }
  size_t end = AttrNameEnd(c, s, i);
  if (end == std::string_view::npos) {
    return s.size();
  }
  if (end == i) {
    c = FailedContext(
        fmt::format("expected space, attr name, or end of tag, but got {}", QuoteGo(s.substr(i))));
    return s.size();
  }
  HtmlAttr attr = AttrNamed(c.element, AsciiLower(s.substr(i, end - i)));
  c = {.state = end == s.size() ? HtmlState::kAttrName : HtmlState::kAfterName,
       .attr = attr,
       .element = c.element};
  return end;
}

size_t ReadAttrName(HtmlContext& c, std::string_view s) {
  size_t end = AttrNameEnd(c, s, 0);
  if (end == std::string_view::npos) {
    return s.size();
  }
  if (end != s.size()) {
    c.state = HtmlState::kAfterName;
  }
  return end;
}

size_t ReadAfterName(HtmlContext& c, std::string_view s) {
  size_t i = SkipSpace(s);
  if (i == s.size()) {
    return i;
  }
  if (s[i] != '=') {
    // An attribute without a value, or the end of the tag.
    c.state = HtmlState::kTag;
    return i;
  }
  c.state = HtmlState::kBeforeValue;
  return i + 1;
}

size_t ReadBeforeValue(HtmlContext& c, std::string_view s) {
  size_t i = SkipSpace(s);
  if (i == s.size()) {
    return i;
  }
  c.delim = HtmlDelim::kSpaceOrTagEnd;
  if (s[i] == '\'' || s[i] == '"') {
    c.delim = s[i] == '"' ? HtmlDelim::kDoubleQuote : HtmlDelim::kSingleQuote;
    ++i;
  }
  c.state = ValueStartState(c.attr);
  return i;
}

size_t ReadHtmlComment(HtmlContext& c, std::string_view s) {
  size_t end = s.find("-->");
  if (end == std::string_view::npos) {
    return s.size();
  }
  c = {};
  return end + 3;
}

// Where "</script" and the like stand, followed by what ends a tag's name; npos when nowhere.
size_t FindEndTag(std::string_view s, std::string_view name) {
  for (size_t i = s.find("</"); i != std::string_view::npos; i = s.find("</", i)) {
    size_t begin = i + 2;
    size_t after = begin + name.size();
    bool named = after <= s.size() && AsciiLower(s.substr(begin, name.size())) == name;
    if (named && after < s.size() && std::string_view("> \t\n\f/").find(s[after]) != std::string_view::npos) {
      return i;
    }
    i = named ? after : begin;
  }
  return std::string_view::npos;
}

// How much of `s` belongs to the special element's content.
size_t SpecialContentSize(const HtmlContext& c, std::string_view s) {
  if (c.element == HtmlElement::kNone || EndMarker(c.element).empty()) {
    return s.size();
  }
  // Inside a script's strings an end tag is text: it gets escaped.
  if (c.element == HtmlElement::kScript && (IsInScriptLiteral(c.state) || IsComment(c.state))) {
    return s.size();
  }
  return std::min(FindEndTag(s, EndMarker(c.element)), s.size());
}

size_t ReadRcdata(HtmlContext& c, std::string_view s) {
  size_t size = SpecialContentSize(c, s);
  if (size < s.size()) {
    c = {};
  }
  return size;
}

size_t ReadMetaContent(HtmlContext& c, std::string_view s) {
  for (size_t i = 0; i + 3 < s.size(); ++i) {
    if (AsciiLower(s.substr(i, 3)) == "url") {
      size_t j = SkipSpace(s, i + 3);
      if (j < s.size() && s[j] == '=') {
        c.state = HtmlState::kMetaContentUrl;
        return j + 1;
      }
    }
  }
  return s.size();
}

size_t ReadMetaContentUrl(HtmlContext& c, std::string_view s) {
  size_t end = s.find(';');
  if (end == std::string_view::npos) {
    return s.size();
  }
  c.state = HtmlState::kMetaContent;
  return end + 1;
}

// The media types of <script type="..."> whose content is JavaScript (or JSON, which is a part of it).
bool IsJsType(std::string_view type) {
  static constexpr std::array<std::string_view, 19> kTypes{"application/ecmascript",
                                                           "application/javascript",
                                                           "application/json",
                                                           "application/ld+json",
                                                           "application/x-ecmascript",
                                                           "application/x-javascript",
                                                           "module",
                                                           "text/ecmascript",
                                                           "text/javascript",
                                                           "text/javascript1.0",
                                                           "text/javascript1.1",
                                                           "text/javascript1.2",
                                                           "text/javascript1.3",
                                                           "text/javascript1.4",
                                                           "text/javascript1.5",
                                                           "text/jscript",
                                                           "text/livescript",
                                                           "text/x-ecmascript",
                                                           "text/x-javascript"};
  std::string lower = AsciiLower(type.substr(0, type.find(';')));
  size_t begin = lower.find_first_not_of(" \t\n\v\f\r");
  if (begin == std::string::npos) {
    return false;
  }
  std::string_view name =
      std::string_view(lower).substr(begin, lower.find_last_not_of(" \t\n\v\f\r") - begin + 1);
  return std::find(kTypes.begin(), kTypes.end(), name) != kTypes.end();
}

// Inside an attribute's value.
size_t ReadValue(HtmlContext& c, std::string_view s) {
  size_t end = std::min(s.find_first_of(DelimEnds(c.delim)), s.size());
  if (c.delim == HtmlDelim::kSpaceOrTagEnd) {
    // Parsers do not agree on these.
    size_t bad = s.substr(0, end).find_first_of("\"'<=`");
    if (bad != std::string_view::npos) {
      c = FailedContext(
          fmt::format("{} in unquoted attr: {}", QuoteGo(s.substr(bad, 1)), QuoteGo(s.substr(0, end))));
      return s.size();
    }
  }
  if (end == s.size()) {
    // The value goes on behind the next action. Entities are part of what scripts and styles see.
    std::string decoded = UnescapeEntities(s);
    for (std::string_view rest = decoded; !rest.empty();) {
      rest.remove_prefix(ReadState(c, rest));
    }
    return s.size();
  }
  HtmlElement element = c.element;
  if (c.state == HtmlState::kAttr && c.element == HtmlElement::kScript && c.attr == HtmlAttr::kScriptType &&
      !IsJsType(s.substr(0, end))) {
    element = HtmlElement::kNone;
  }
  if (c.delim != HtmlDelim::kSpaceOrTagEnd) {
    ++end;
  }
  c = {.state = HtmlState::kTag, .element = element};
  return end;
}

}  // namespace

std::string AsciiLower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

std::string_view DelimEnds(HtmlDelim delim) {
  switch (delim) {
    case HtmlDelim::kDoubleQuote:
      return "\"";
    case HtmlDelim::kSingleQuote:
      return "'";
    case HtmlDelim::kSpaceOrTagEnd:
      return " \t\n\f\r>";
    default:
      return "";
  }
}

size_t ReadText(HtmlContext& c, std::string_view text) {
  if (c.delim != HtmlDelim::kNone) {
    return ReadValue(c, text);
  }
  size_t size = SpecialContentSize(c, text);
  if (size == 0) {
    c = {};
    return 0;
  }
  return ReadState(c, text.substr(0, size));
}

size_t ReadState(HtmlContext& c, std::string_view text) {
  switch (c.state) {
    case HtmlState::kText:
      return ReadHtmlText(c, text);
    case HtmlState::kTag:
      return ReadTag(c, text);
    case HtmlState::kAttrName:
      return ReadAttrName(c, text);
    case HtmlState::kAfterName:
      return ReadAfterName(c, text);
    case HtmlState::kBeforeValue:
      return ReadBeforeValue(c, text);
    case HtmlState::kHtmlComment:
      return ReadHtmlComment(c, text);
    case HtmlState::kRcdata:
      return ReadRcdata(c, text);
    case HtmlState::kUrl:
    case HtmlState::kSrcset:
      return ReadUrl(c, text);
    case HtmlState::kJs:
      return ReadJs(c, text);
    case HtmlState::kJsDoubleQuoted:
    case HtmlState::kJsSingleQuoted:
    case HtmlState::kJsRegexp:
      return ReadJsLiteral(c, text);
    case HtmlState::kJsTemplateLiteral:
      return ReadJsTemplate(c, text);
    case HtmlState::kJsBlockComment:
    case HtmlState::kCssBlockComment:
      return ReadBlockComment(c, text);
    case HtmlState::kJsLineComment:
    case HtmlState::kJsHtmlOpenComment:
    case HtmlState::kJsHtmlCloseComment:
    case HtmlState::kCssLineComment:
      return ReadLineComment(c, text);
    case HtmlState::kCss:
      return ReadCss(c, text);
    case HtmlState::kCssDoubleQuoted:
    case HtmlState::kCssSingleQuoted:
    case HtmlState::kCssDoubleQuotedUrl:
    case HtmlState::kCssSingleQuotedUrl:
    case HtmlState::kCssUrl:
      return ReadCssText(c, text);
    case HtmlState::kMetaContent:
      return ReadMetaContent(c, text);
    case HtmlState::kMetaContentUrl:
      return ReadMetaContentUrl(c, text);
    case HtmlState::kAttr:
    case HtmlState::kError:
    case HtmlState::kDead:
      break;
  }
  return text.size();
}

}  // namespace mlalert::tmpl
