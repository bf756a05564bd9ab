#include "promql/go_text.h"

#include <array>
#include <fmt/format.h>

namespace mlalert::promql {
namespace {

struct RuneRange {
  int32_t first;
  int32_t last;
};
// Above ASCII: controls, spaces other than U+0020, format characters, surrogates, private use. Unassigned
// code points are taken as printable; Go would escape them.
constexpr std::array<RuneRange, 18> kNotPrintable{{{0x7F, 0xA0},
                                                   {0xAD, 0xAD},
                                                   {0x600, 0x605},
                                                   {0x61C, 0x61C},
                                                   {0x6DD, 0x6DD},
                                                   {0x70F, 0x70F},
                                                   {0x1680, 0x1680},
                                                   {0x180E, 0x180E},
                                                   {0x2000, 0x200F},
                                                   {0x2028, 0x202F},
                                                   {0x205F, 0x206F},
                                                   {0x3000, 0x3000},
                                                   {0xD800, 0xF8FF},
                                                   {0xFEFF, 0xFEFF},
                                                   {0xFFF0, 0xFFFB},
                                                   {0xFFFE, 0xFFFF},
                                                   {0xE0000, 0xE00FF},
                                                   {0xF0000, 0x10FFFF}}};

bool IsPrintable(int32_t rune) {
  if (rune < 0x20) {
    return false;
  }
  for (const auto& range : kNotPrintable) {
    if (rune >= range.first && rune <= range.last) {
      return false;
    }
  }
  return true;
}

void AppendEscaped(int32_t rune, char quote, std::string& out) {
  if (rune == quote || rune == '\\') {
    out += '\\';
    out += static_cast<char>(rune);
    return;
  }
  if (IsPrintable(rune)) {
    AppendUtf8(rune, out);
    return;
  }
  constexpr std::string_view kLetters = "abtnvfr";  // \a is 7, and so on up to \r, 13
  if (rune >= 7 && rune <= 13) {
    out += '\\';
    out += kLetters[static_cast<size_t>(rune - 7)];
  } else if (rune < 0x20 || rune == 0x7F) {
    out += fmt::format("\\x{:02x}", rune);
  } else if (rune < 0x10000) {
    out += fmt::format("\\u{:04x}", rune);
  } else {
    out += fmt::format("\\U{:08x}", rune);
  }
}

}  // namespace

int32_t DecodeRune(std::string_view text, size_t* width) {
  auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  unsigned first = byte(0);
  *width = 1;
  if (first < 0x80) {
    return static_cast<int32_t>(first);
  }
  size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) {
    return kBadRune;
  }
  unsigned rune = first & (0xFFU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return kBadRune;
    }
    rune = (rune << 6U) | (byte(i) & 0x3FU);
  }
  bool overlong = (length == 3 && rune < 0x800) || (length == 4 && rune < 0x10000);
  if (overlong || rune > 0x10FFFF || (rune >= 0xD800 && rune < 0xE000)) {
    return kBadRune;
  }
  *width = length;
  return static_cast<int32_t>(rune);
}

void AppendUtf8(int32_t rune, std::string& out) {
  auto r = static_cast<uint32_t>(rune);
  auto put = [&out](uint32_t byte) { out += static_cast<char>(byte); };
  if (r < 0x80) {
    put(r);
  } else if (r < 0x800) {
    put(0xC0U | r >> 6U);
    put(0x80U | (r & 0x3FU));
  } else if (r < 0x10000) {
    put(0xE0U | r >> 12U);
    put(0x80U | (r >> 6U & 0x3FU));
    put(0x80U | (r & 0x3FU));
  } else {
    put(0xF0U | r >> 18U);
    put(0x80U | (r >> 12U & 0x3FU));
    put(0x80U | (r >> 6U & 0x3FU));
    put(0x80U | (r & 0x3FU));
  }
}

std::string GoQuote(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    size_t width = 0;
    int32_t rune = DecodeRune(text, &width);
    if (rune == kBadRune && width == 1) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else {
      AppendEscaped(rune, '"', out);
    }
    text.remove_prefix(width);
  }
  out += '"';
  return out;
}

std::string GoQuoteRune(int32_t rune) {
  std::string out = "'";
  AppendEscaped(rune < 0 ? kBadRune : rune, '\'', out);
  out += '\'';
  return out;
}

std::string GoUnicode(int32_t rune) {
  std::string out = fmt::format("U+{:04X}", rune);
  if (IsPrintable(rune)) {
    out += " '";
    AppendUtf8(rune, out);
    out += '\'';
  }
  return out;
}

std::string GoQuoteCut(std::string_view text, int runes) {
  size_t bytes = 0;
  for (int i = 0; i < runes && bytes < text.size(); ++i) {
    size_t width = 0;
    DecodeRune(text.substr(bytes), &width);
    bytes += width;
  }
  return GoQuote(text.substr(0, bytes));
}

}  // namespace mlalert::promql
