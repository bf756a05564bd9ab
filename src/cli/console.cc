#include "cli/console.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <iostream>
#include <unistd.h>

namespace mlalert {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

template <size_t N>
bool In(const std::array<Range, N>& ranges, uint32_t code) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Range& range) { return code >= range.first && code <= range.last; });
}

// What moves the cursor, changes the direction of writing or cannot be seen: C0, DEL and C1, soft hyphen,
// zero-width and bidirectional marks, line and paragraph separators, byte order mark, interlinear marks,
// tags.
constexpr std::array<Range, 12> kUnprintable{{{0x00, 0x1f},
                                              {0x7f, 0x9f},
                                              {0xad, 0xad},
                                              {0x61c, 0x61c},
                                              {0x180e, 0x180e},
                                              {0x200b, 0x200f},
                                              {0x2028, 0x202e},
                                              {0x2060, 0x206f},
                                              {0xfeff, 0xfeff},
                                              {0xfff9, 0xfffb},
                                              {0x1d173, 0x1d17a},
                                              {0xe0000, 0xe007f}}};

// The usual combining blocks and variation selectors.
constexpr std::array<Range, 9> kCombining{{{0x300, 0x36f},
                                           {0x483, 0x489},
                                           {0x591, 0x5bd},
                                           {0x610, 0x61a},
                                           {0x64b, 0x65f},
                                           {0x1ab0, 0x1aff},
                                           {0x1dc0, 0x1dff},
                                           {0x20d0, 0x20ff},
                                           {0xfe00, 0xfe0f}}};

// East Asian Wide and Fullwidth, and the emoji blocks that terminals draw in two cells.
constexpr std::array<Range, 11> kWide{{{0x1100, 0x115f},
                                       {0x2e80, 0x303e},
                                       {0x3041, 0xa4cf},
                                       {0xa960, 0xa97f},
                                       {0xac00, 0xd7a3},
                                       {0xf900, 0xfaff},
                                       {0xfe30, 0xfe6f},
                                       {0xff00, 0xff60},
                                       {0xffe0, 0xffe6},
                                       {0x1f300, 0x1faff},
                                       {0x20000, 0x3fffd}}};

size_t Cells(const Utf8Char& c) {
  if (!c.valid) {
    return 1;
  }
  return In(kCombining, c.code) ? 0 : In(kWide, c.code) ? 2 : 1;
}

std::string Escape(std::string_view text, std::string_view keep) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    Utf8Char c = FirstChar(text);
    std::string_view raw = text.substr(0, c.size);
    text.remove_prefix(c.size);
    if (!c.valid) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(raw.front()));
    } else if (!In(kUnprintable, c.code) || (c.size == 1 && keep.find(raw) != std::string_view::npos)) {
      out += raw;
    } else if (c.code == '\n' || c.code == '\t' || c.code == '\r') {
      out += c.code == '\n' ? "\\n" : c.code == '\t' ? "\\t" : "\\r";
    } else if (c.code < 0x80) {
      out += fmt::format("\\x{:02x}", c.code);
    } else {
      out += fmt::format("\\u{{{:04x}}}", c.code);
    }
  }
  return out;
}

}  // namespace

Console StandardConsole() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  bool color = isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0') &&
               (term == nullptr || std::string_view(term) != "dumb");
  return {std::cout, std::cerr, color};
}

int ReportError(Console& console, const Error& error) {
  console.out.flush();
  Error bare = error;
  bare.hint.clear();
  console.err << "mlalert: " << Printable(bare.ToString()) << '\n';
  if (!error.hint.empty()) {
    console.err << "  hint: " << Printable(error.hint) << '\n';
  }
  return ExitCode(error.code);
}

Utf8Char FirstChar(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  auto byte = [&](size_t i) -> uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  uint32_t first = byte(0);
  if (first < 0x80) {
    return {first, 1, true};
  }
  size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  constexpr std::array<uint32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  uint32_t code = first & (size == 4 ? 0x07U : size == 3 ? 0x0fU : 0x1fU);
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) {
      return {first, 1, false};
    }
    code = (code << 6) | (byte(i) & 0x3fU);
  }
  bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (first < 0xc2 || first > 0xf4 || code < kSmallest[size] || code > 0x10ffff || surrogate) {
    return {first, 1, false};
  }
  return {code, size, true};
}

std::string Printable(std::string_view text) {
  return Escape(text, "");
}

std::string PrintableLines(std::string_view text) {
  return Escape(text, "\n\t");
}

void PrintJson(std::ostream& out, const Json& json) {
  std::string text = json.DumpIndented();
  std::string_view rest = text;
  // Outside of strings JSON has ASCII only, so every such character stands inside one, where an escape may.
  while (!rest.empty()) {
    Utf8Char c = FirstChar(rest);
    std::string_view raw = rest.substr(0, c.size);
    rest.remove_prefix(c.size);
    if (!c.valid || c.code == '\n' || !In(kUnprintable, c.code)) {
      out << raw;
    } else if (c.code > 0xffff) {
      uint32_t above = c.code - 0x10000;
      out << fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + (above >> 10), 0xdc00 + (above & 0x3ff));
    } else {
      out << fmt::format("\\u{:04x}", c.code);
    }
  }
  out << '\n';
}

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    Utf8Char c = FirstChar(text);
    width += Cells(c);
    text.remove_prefix(c.size);
  }
  return width;
}

std::string Shorten(std::string_view text, size_t width) {
  constexpr std::string_view kMark = "...";
  if (DisplayWidth(text) <= width) {
    return std::string(text);
  }
  if (width <= kMark.size()) {
    return std::string(kMark.substr(0, width));
  }
  size_t room = width - kMark.size();
  std::string out;
  while (true) {
    Utf8Char c = FirstChar(text);
    if (Cells(c) > room) {
      return out += kMark;
    }
    room -= Cells(c);
    out += text.substr(0, c.size);
    text.remove_prefix(c.size);
  }
}

}  // namespace mlalert
