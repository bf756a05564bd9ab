// Reads literal template text as HTML, JavaScript, CSS and URLs, and tells the context behind it. Go's
// html/template decides: the same text must be escaped the same way by both.
// Read by: html_escape, and html_text to strip tags. Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "template/html_context.h"

namespace mlalert::tmpl {

// Reads some of `text` (not empty) from the front and changes `c`; returns how many bytes. 0 only when the
// state changed.
size_t ReadText(HtmlContext& c, std::string_view text);
// As ReadText, but within one state: no end of an attribute or of a special element ends it.
size_t ReadState(HtmlContext& c, std::string_view text);

// The characters that end an attribute's value.
std::string_view DelimEnds(HtmlDelim delim);

// What an attribute's value means; kUnsafe may change how others are read.
enum class AttrMeaning : uint8_t { kPlain, kCss, kHtml, kJs, kUrl, kSrcset, kUnsafe };
// `name` in lower case.
AttrMeaning MeaningOfAttr(std::string_view name);

// -- scripts and styles (html_script.cc), called by ReadState
size_t ReadJs(HtmlContext& c, std::string_view text);
size_t ReadJsLiteral(HtmlContext& c, std::string_view text);
size_t ReadJsTemplate(HtmlContext& c, std::string_view text);
size_t ReadCss(HtmlContext& c, std::string_view text);
size_t ReadCssText(HtmlContext& c, std::string_view text);
size_t ReadBlockComment(HtmlContext& c, std::string_view text);
size_t ReadLineComment(HtmlContext& c, std::string_view text);
size_t ReadUrl(HtmlContext& c, std::string_view text);

bool IsJsNamePart(char32_t c);
bool IsHexDigit(char c);
bool IsCssNameChar(char32_t c);
// Backslash escapes of CSS resolved.
std::string DecodeCss(std::string_view text);
std::string AsciiLower(std::string_view text);
inline constexpr std::string_view kHtmlSpaces = " \t\n\f\r";

}  // namespace mlalert::tmpl
