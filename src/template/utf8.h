// Decoding and encoding of UTF-8, Go's way: a bad byte is one character U+FFFD of width 1.
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mlalert::tmpl {

inline constexpr char32_t kRuneError = 0xFFFD;

struct Rune {
  char32_t code = 0;
  uint32_t width = 0;  // bytes read; 0 at the end of the text
  bool valid = true;   // false: the byte is not UTF-8, code is kRuneError
};

Rune DecodeRune(std::string_view text, size_t pos);
// Surrogates and numbers above U+10FFFF are written as U+FFFD.
void AppendRune(std::string& out, char32_t code);
size_t RuneCount(std::string_view text);
// The byte length of the first `count` characters.
size_t RunePrefix(std::string_view text, size_t count);

// Simple (one to one) case mappings.
char32_t UpperRune(char32_t code);
char32_t LowerRune(char32_t code);
std::string ToUpper(std::string_view text);
std::string ToLower(std::string_view text);
// Upper-cases the first letter of each word; the rest is lowered unless `keep_rest`. Words end where
// Unicode's word rules end them: "o'neil" is one word, "hello-world" two, "foo_bar" one.
std::string TitleCase(std::string_view text, bool keep_rest);

// As Go's unicode.IsPrint; exact for Latin, Greek and Cyrillic, and for the blocks in use a close
// approximation.
bool IsPrintable(char32_t code);

}  // namespace mlalert::tmpl
