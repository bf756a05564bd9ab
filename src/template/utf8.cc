#include "template/utf8.h"

#include <algorithm>

#include "template/case_table.h"

namespace mlalert::tmpl {
namespace {

bool IsContinuation(std::string_view text, size_t pos) {
  return pos < text.size() && (static_cast<unsigned char>(text[pos]) & 0xC0) == 0x80;
}

template <size_t N>
char32_t MapCase(const CaseRange (&table)[N], char32_t code) {
  const CaseRange* end = table + N;
  const CaseRange* it =
      std::lower_bound(table, end, code, [](const CaseRange& r, char32_t c) { return r.last < c; });
  if (it == end || code < it->first || (code - it->first) % it->step != 0) {
    return code;
  }
  return static_cast<char32_t>(static_cast<int32_t>(code) + it->delta);
}

// What may stand inside a word between two letters without ending it.
bool IsMid(char32_t c) {
  return c == '\'' || c == '.' || c == ':' || c == 0xB7 || c == 0x2018 || c == 0x2019 || c == 0x2024 ||
         c == 0x2027;
}

bool IsCased(char32_t c) {
  return UpperRune(c) != c || LowerRune(c) != c || c == 0xDF;
}

bool EndsWord(char32_t c) {
  if (c < 0x80) {
    bool inside = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    return !inside && !IsMid(c);
  }
  if (IsMid(c)) {
    return false;
  }
  return (c <= 0xBF && c != 0xAA && c != 0xB5 && c != 0xBA) || c == 0xD7 || c == 0xF7 ||
         (c >= 0x2000 && c <= 0x2BFF) || (c >= 0x3000 && c <= 0x3020);
}

template <class Map>
std::string MapRunes(std::string_view text, Map map) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    Rune r = DecodeRune(text, i);
    AppendRune(out, map(r.code));
    i += r.width;
  }
  return out;
}

}  // namespace

Rune DecodeRune(std::string_view text, size_t pos) {
  if (pos >= text.size()) {
    return {};
  }
  auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[pos + i])); };
  char32_t b = byte(0);
  if (b < 0x80) {
    return {b, 1, true};
  }
  const Rune bad{kRuneError, 1, false};
  if (b < 0xC2 || b > 0xF4 || !IsContinuation(text, pos + 1)) {
    return bad;
  }
  if (b < 0xE0) {
    return {(b & 0x1F) << 6 | (byte(1) & 0x3F), 2, true};
  }
  if (!IsContinuation(text, pos + 2)) {
    return bad;
  }
  if (b < 0xF0) {
    char32_t code = (b & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    return code < 0x800 || (code >= 0xD800 && code <= 0xDFFF) ? bad : Rune{code, 3, true};
  }
  if (!IsContinuation(text, pos + 3)) {
    return bad;
  }
  char32_t code = (b & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
  return code < 0x10000 || code > 0x10FFFF ? bad : Rune{code, 4, true};
}

void AppendRune(std::string& out, char32_t code) {
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
    code = kRuneError;
  }
  auto put = [&](char32_t b) { out.push_back(static_cast<char>(static_cast<unsigned char>(b))); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

size_t RuneCount(std::string_view text) {
  size_t count = 0;
  for (size_t i = 0; i < text.size(); i += DecodeRune(text, i).width) {
    ++count;
  }
  return count;
}

size_t RunePrefix(std::string_view text, size_t count) {
  size_t i = 0;
  while (count-- > 0 && i < text.size()) {
    i += DecodeRune(text, i).width;
  }
  return i;
}

char32_t UpperRune(char32_t code) {
  if (code < 0x80) {
    return code >= 'a' && code <= 'z' ? code - 32 : code;
  }
  return MapCase(kUpperRanges, code);
}

char32_t LowerRune(char32_t code) {
  if (code < 0x80) {
    return code >= 'A' && code <= 'Z' ? code + 32 : code;
  }
  return MapCase(kLowerRanges, code);
}

std::string ToUpper(std::string_view text) {
  return MapRunes(text, UpperRune);
}

std::string ToLower(std::string_view text) {
  return MapRunes(text, LowerRune);
}

namespace {

// Title case differs from upper case only for letters that are drawn as two.
char32_t TitleRune(char32_t c) {
  for (char32_t title : {0x01C5, 0x01C8, 0x01CB, 0x01F2}) {
    if (c >= title - 1 && c <= title + 1) {
      return title;
    }
  }
  return UpperRune(c);
}

}  // namespace

std::string TitleCase(std::string_view text, bool keep_rest) {
  bool in_word = false;
  bool after_mid = false;
  return MapRunes(text, [&](char32_t c) {
    bool mid = IsMid(c);
    if (mid && after_mid) {
      in_word = false;
    }
    after_mid = mid;
    if (IsCased(c)) {
      char32_t mapped = in_word ? (keep_rest ? c : LowerRune(c)) : TitleRune(c);
      in_word = true;
      return mapped;
    }
    if (EndsWord(c)) {
      in_word = false;
    }
    return c;
  });
}

bool IsPrintable(char32_t c) {
  if (c < 0x80) {
    return c >= 0x20 && c < 0x7F;
  }
  if (c <= 0xA0 || c == 0xAD || c > 0x10FFFF) {
    return false;
  }
  struct Gap {
    char32_t first, last;
  };
  // Spaces, format controls, surrogates, private use, noncharacters and planes without characters.
  static constexpr Gap kGaps[] = {
      {0x061C, 0x061C}, {0x06DD, 0x06DD},   {0x1680, 0x1680},   {0x180E, 0x180E},
      {0x2000, 0x200F}, {0x2028, 0x202F},   {0x205F, 0x206F},   {0x3000, 0x3000},
      {0xD800, 0xF8FF}, {0xFDD0, 0xFDEF},   {0xFEFF, 0xFEFF},   {0xFFF0, 0xFFFB},
      {0xFFFE, 0xFFFF}, {0x1FFFE, 0x1FFFF}, {0x323B0, 0xE00FF}, {0xE01F0, 0x10FFFF}};
  return std::none_of(std::begin(kGaps), std::end(kGaps),
                      [&](const Gap& g) { return c >= g.first && c <= g.last; });
}

}  // namespace mlalert::tmpl
