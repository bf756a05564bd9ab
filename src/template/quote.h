// Go's string literals and the escapes that Go's standard library offers to templates.
// Thread: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mlalert::tmpl {

// strconv.Quote: "a\tb". `ascii_only` escapes everything above ASCII, as %+q does.
std::string QuoteGo(std::string_view text, bool ascii_only = false);
// 'x', as %q prints an integer.
std::string QuoteRune(char32_t code, bool ascii_only = false);
// strconv.Unquote of "interpreted" or `raw` literals; nullopt: bad syntax.
std::optional<std::string> UnquoteGo(std::string_view literal);
// The character of a 'c' literal. nullopt: bad syntax, or `malformed` when more than one character stands
// there.
std::optional<char32_t> UnquoteRune(std::string_view literal, bool& malformed);

std::string EscapeHtml(std::string_view text);   // template.HTMLEscapeString
std::string EscapeJs(std::string_view text);     // template.JSEscapeString
std::string EscapeQuery(std::string_view text);  // url.QueryEscape: space is +
std::string EscapePath(std::string_view text);   // url.PathEscape: space is %20, $&+=:@ stay
// url.QueryUnescape; error: `invalid URL escape "%zz"`.
Result<std::string> UnescapeQuery(std::string_view text);

// Base64 with the URL-safe alphabet and padding.
std::string EncodeBase64Url(std::string_view bytes);
// Error: "illegal base64 data at input byte N".
Result<std::string> DecodeBase64Url(std::string_view text);

}  // namespace mlalert::tmpl
