// Escaping of values for each context of a HTML document, byte for byte as Go's html/template does it.
// Read by: html_escape, which appends these functions to pipelines. Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "template/func_map.h"

namespace mlalert::tmpl {

// Stands in place of a value that cannot be made safe where it is.
inline constexpr std::string_view kUnsafeValue = "ZgotmplZ";

// The functions that make values safe, under Go's names ("_html_template_htmlescaper", ...). Not callable
// from a template's text.
const FuncMap& HtmlEscaperFunctions();

// Text content of a snippet of HTML: `<b>Hi</b>` is `Hi`.
std::string StripTags(std::string_view html);

// -- strings in scripts, styles and URLs (html_text_script.cc)
enum class JsText : uint8_t { kString, kTemplateLiteral, kRegexp };
std::string EscapeJsText(std::string_view s, JsText kind);
// A value as a JavaScript expression: JSON, with spaces where it could run into a word.
std::string JsExpression(const Value& v, size_t limit);
std::string EscapeCss(std::string_view s);
std::string FilterCssValue(std::string_view s);
// No scheme, or http, https, mailto.
bool IsSafeUrl(std::string_view s);
// `normalize` keeps what has a meaning in URLs, and escapes that are there already.
std::string EscapeUrl(std::string_view s, bool normalize);
std::string FilterSrcset(std::string_view s);

}  // namespace mlalert::tmpl
