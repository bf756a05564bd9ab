#include "template/html_entities.h"

#include <algorithm>
#include <array>
#include <utility>

#include "template/utf8.h"

namespace mlalert::tmpl {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 49> kNamed{
    {{"AMP", "&"},       {"DiacriticalGrave", "`"},
     {"GT", ">"},        {"Hat", "^"},
     {"LT", "<"},        {"NewLine", "\n"},
     {"QUOT", "\""},     {"Tab", "\t"},
     {"UnderBar", "_"},  {"VerticalLine", "|"},
     {"amp", "&"},       {"apos", "'"},
     {"ast", "*"},       {"bsol", "\\"},
     {"colon", ":"},     {"comma", ","},
     {"commat", "@"},    {"dollar", "$"},
     {"equals", "="},    {"excl", "!"},
     {"fjlig", "fj"},    {"grave", "`"},
     {"gt", ">"},        {"lbrace", "{"},
     {"lbrack", "["},    {"lcub", "{"},
     {"lowbar", "_"},    {"lpar", "("},
     {"lsqb", "["},      {"lt", "<"},
     {"midast", "*"},    {"nbsp", "\xC2\xA0"},
     {"num", "#"},       {"percnt", "%"},
     {"period", "."},    {"plus", "+"},
     {"quest", "?"},     {"quot", "\""},
     {"rbrace", "}"},    {"rbrack", "]"},
     {"rcub", "}"},      {"rpar", ")"},
     {"rsqb", "]"},      {"semi", ";"},
     {"sol", "/"},       {"verbar", "|"},
     {"vert", "|"},      {"copy", "\xC2\xA9"},
     {"reg", "\xC2\xAE"}}};
// These need no semicolon.
constexpr std::array<std::string_view, 11> kLegacy{"AMP", "GT", "LT",   "QUOT", "amp", "copy",
                                                   "gt",  "lt", "nbsp", "quot", "reg"};

// The characters that browsers read &#128; to &#159; as.
constexpr std::array<char16_t, 32> kWindows1252{
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int DigitValue(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : 99;
}

// `s` begins with "&#". Returns the bytes read, 0 when it is no reference.
size_t Numeric(std::string_view s, std::string& out) {
  size_t i = 2;
  int base = 10;
  if (i < s.size() && (s[i] == 'x' || s[i] == 'X')) {
    base = 16;
    ++i;
  }
  size_t first = i;
  uint32_t code = 0;
  for (; i < s.size() && DigitValue(s[i]) < base; ++i) {
    code = std::min<uint32_t>(code * static_cast<uint32_t>(base) + static_cast<uint32_t>(DigitValue(s[i])),
                              0x110000);
  }
  if (i == first) {
    return 0;
  }
  i += i < s.size() && s[i] == ';' ? 1 : 0;
  if (code >= 0x80 && code <= 0x9F) {
    code = kWindows1252[code - 0x80];
  }
  AppendRune(out, code == 0 ? kRuneError : static_cast<char32_t>(code));
  return i;
}

std::string_view Meaning(std::string_view name) {
  auto it = std::find_if(kNamed.begin(), kNamed.end(), [&](const auto& e) { return e.first == name; });
  return it == kNamed.end() ? std::string_view() : it->second;
}

// `s` begins with "&" and a letter.
size_t Named(std::string_view s, std::string& out) {
  size_t end = 1;
  while (end < s.size() && IsNameChar(s[end])) {
    ++end;
  }
  std::string_view name = s.substr(1, end - 1);
  if (end < s.size() && s[end] == ';') {
    if (std::string_view meaning = Meaning(name); !meaning.empty()) {
      out += meaning;
      return end + 1;
    }
  }
  for (std::string_view legacy : kLegacy) {
    if (name.starts_with(legacy)) {
      out += Meaning(legacy);
      return 1 + legacy.size();
    }
  }
  return 0;
}

}  // namespace

std::string UnescapeEntities(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    size_t read = 0;
    if (text[i] == '&') {
      std::string_view rest = text.substr(i);
      read = rest.substr(0, 2) == "&#" ? Numeric(rest, out) : Named(rest, out);
    }
    if (read == 0) {
      out.push_back(text[i]);
      read = 1;
    }
    i += read;
  }
  return out;
}

}  // namespace mlalert::tmpl
