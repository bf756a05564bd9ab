// Go's %q for strings and code points: error texts and printed expressions quote as Prometheus does.
// Pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mlalert::promql {

inline constexpr int32_t kEofRune = -1;
inline constexpr int32_t kBadRune = 0xFFFD;

// Decodes the first code point of `text`, which must not be empty. Bytes that are not UTF-8 give kBadRune,
// width 1.
int32_t DecodeRune(std::string_view text, size_t* width);
void AppendUtf8(int32_t rune, std::string& out);

// strconv.Quote: double quotes, escapes for what cannot be printed and for bytes that are not UTF-8.
std::string GoQuote(std::string_view text);
// %q of a rune: 'x'. The end of input prints as the replacement character, as in Go.
std::string GoQuoteRune(int32_t rune);
// %#U of a rune: U+0027 '''.
std::string GoUnicode(int32_t rune);
// %.10q: at most ten code points, quoted.
std::string GoQuoteCut(std::string_view text, int runes);

}  // namespace mlalert::promql
