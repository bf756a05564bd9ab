#include "template/number.h"

#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>

#include "template/quote.h"

namespace mlalert::tmpl {
namespace {

// Room for %.*f of the largest double with the largest precision we pass on.
constexpr int kMaxPrecision = 1100;
constexpr size_t kBufferBytes = 1500;

// From "d.ddde+XX" to digits and exponent, then laid out as %g wants them.
void AppendShortestG(std::string& out, double v, bool upper) {
  char buffer[64];
  auto end = std::to_chars(buffer, buffer + sizeof(buffer), v, std::chars_format::scientific).ptr;
  std::string_view text(buffer, static_cast<size_t>(end - buffer));
  size_t e = text.find('e');
  int exponent = 0;
  const char* exp_begin = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(exp_begin, end, exponent);
  if (exponent < -4 || exponent >= 6) {
    size_t start = out.size();
    out.append(text);
    if (upper) {
      out[start + e] = 'E';
    }
    return;
  }
  end = std::to_chars(buffer, buffer + sizeof(buffer), v, std::chars_format::fixed).ptr;
  out.append(buffer, end);
}

bool EqualsFold(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) {
    return false;
  }
  for (size_t i = 0; i < a.size(); ++i) {
    char c = a[i] >= 'A' && a[i] <= 'Z' ? static_cast<char>(a[i] + 32) : a[i];
    if (c != lower[i]) {
      return false;
    }
  }
  return true;
}

bool IsDigit(char c, int base) {
  if (base <= 10) {
    return c >= '0' && c < '0' + base;
  }
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Removes underscores; false when one does not stand between digits (or after a base prefix).
bool StripUnderscores(std::string_view text, int base, bool after_prefix, std::string& out) {
  bool can = after_prefix;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '_') {
      if (!can || i + 1 >= text.size() || !IsDigit(text[i + 1], base)) {
        return false;
      }
      can = false;
      continue;
    }
    can = IsDigit(c, base);
    out.push_back(c);
  }
  return true;
}

// Optional sign, digits with an optional point, optional exponent: what from_chars would take, but all of it.
bool IsDecimalFloat(std::string_view s) {
  size_t i = 0;
  size_t digits = 0;
  for (; i < s.size() && IsDigit(s[i], 10); ++i) {
    ++digits;
  }
  if (i < s.size() && s[i] == '.') {
    for (++i; i < s.size() && IsDigit(s[i], 10); ++i) {
      ++digits;
    }
  }
  if (digits == 0) {
    return false;
  }
  if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
    ++i;
    if (i < s.size() && (s[i] == '+' || s[i] == '-')) {
      ++i;
    }
    size_t start = i;
    while (i < s.size() && IsDigit(s[i], 10)) {
      ++i;
    }
    if (i == start) {
      return false;
    }
  }
  return i == s.size();
}

enum class FloatParse { kOk, kSyntax, kRange };

FloatParse ParseUnsignedFloat(const std::string& s, double& v) {
  if (!IsDecimalFloat(s)) {
    return FloatParse::kSyntax;
  }
  auto r = std::from_chars(s.data(), s.data() + s.size(), v);
  if (r.ec == std::errc::result_out_of_range) {
    // Underflow is zero in Go; from_chars leaves v alone in both cases.
    size_t e = s.find_first_of("eE");
    bool tiny = e != std::string::npos && e + 1 < s.size() && s[e + 1] == '-';
    v = tiny ? 0.0 : std::numeric_limits<double>::infinity();
    return tiny ? FloatParse::kOk : FloatParse::kRange;
  }
  return FloatParse::kOk;
}

// Integer with an optional base prefix; nullopt when it is not one. `overflow` when it does not fit 64 bits.
std::optional<uint64_t> ParseUnsignedInt(std::string_view s, bool& overflow) {
  int base = 10;
  bool prefixed = false;
  if (s.size() > 1 && s[0] == '0') {
    char p = s[1];
    base = p == 'x' || p == 'X' ? 16 : p == 'o' || p == 'O' ? 8 : p == 'b' || p == 'B' ? 2 : 0;
    prefixed = base != 0;
    if (prefixed) {
      s.remove_prefix(2);
    } else {
      base = 8;
    }
  }
  std::string digits;
  if (s.empty() || !StripUnderscores(s, base, prefixed, digits) || digits.empty()) {
    return std::nullopt;
  }
  uint64_t value = 0;
  auto r = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (r.ptr != digits.data() + digits.size()) {
    return std::nullopt;
  }
  if (r.ec == std::errc::result_out_of_range) {
    overflow = true;
    return std::nullopt;
  }
  return value;
}

}  // namespace

void AppendFloat(std::string& out, double v, char format, int precision) {
  if (std::isnan(v)) {
    out += "NaN";
    return;
  }
  if (std::isinf(v)) {
    out += v > 0 ? "+Inf" : "-Inf";
    return;
  }
  bool upper = format >= 'A' && format <= 'Z';
  char lower = upper ? static_cast<char>(format + 32) : format;
  if (lower == 'g' && precision < 0) {
    AppendShortestG(out, v, upper);
    return;
  }
  std::chars_format style = lower == 'e'   ? std::chars_format::scientific
                            : lower == 'f' ? std::chars_format::fixed
                            : lower == 'x' ? std::chars_format::hex
                                           : std::chars_format::general;
  char buffer[kBufferBytes];
  char* limit = buffer + sizeof(buffer);
  int digits = precision > kMaxPrecision ? kMaxPrecision : precision;
  char* end = precision < 0
                  ? std::to_chars(buffer, limit, v, style).ptr
                  : std::to_chars(buffer, limit, v, style, lower == 'g' && digits == 0 ? 1 : digits).ptr;
  std::string text(buffer, end);
  if (lower == 'x') {
    // Go writes 0x1.8p+01: prefix, and at least two digits of exponent.
    size_t p = text.find('p');
    if (p != std::string::npos && text.size() - p == 3) {
      text.insert(p + 2, "0");
    }
    text.insert(text[0] == '-' ? 1 : 0, "0x");
  }
  if (upper) {
    for (char& c : text) {
      c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    }
  }
  out += text;
}

std::string FormatFloat(double v) {
  std::string out;
  AppendFloat(out, v, 'g', -1);
  return out;
}

std::string Format4g(double v) {
  std::string out;
  AppendFloat(out, v, 'g', 4);
  return out;
}

Result<double> ParseGoFloat(std::string_view text) {
  auto fail = [&](std::string_view why) {
    return Fail(ErrorCode::kInvalid, fmt::format("strconv.ParseFloat: parsing {}: {}", QuoteGo(text), why));
  };
  std::string_view s = text;
  bool negative = !s.empty() && s[0] == '-';
  if (!s.empty() && (s[0] == '+' || s[0] == '-')) {
    s.remove_prefix(1);
  }
  double sign = negative ? -1.0 : 1.0;
  if (EqualsFold(s, "inf") || EqualsFold(s, "infinity")) {
    return sign * std::numeric_limits<double>::infinity();
  }
  if (EqualsFold(s, "nan")) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  std::string digits;
  double v = 0;
  if (!StripUnderscores(s, 10, false, digits)) {
    return fail("invalid syntax");
  }
  switch (ParseUnsignedFloat(digits, v)) {
    case FloatParse::kSyntax:
      return fail("invalid syntax");
    case FloatParse::kRange:
      return fail("value out of range");
    case FloatParse::kOk:
      break;
  }
  return sign * v;
}

namespace {

// The unsigned float, decimal or hexadecimal, of a literal.
std::optional<double> LiteralFloat(std::string_view s) {
  std::string digits;
  if (s.size() > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
    if (!StripUnderscores(s.substr(2), 16, true, digits) || digits.find_first_of("pP") == std::string::npos) {
      return std::nullopt;
    }
    double v = 0;
    auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), v, std::chars_format::hex);
    bool whole = error == std::errc() && end == digits.data() + digits.size();
    return whole ? std::optional(v) : std::nullopt;
  }
  double v = 0;
  bool good = StripUnderscores(s, 10, false, digits) && ParseUnsignedFloat(digits, v) == FloatParse::kOk;
  return good ? std::optional(v) : std::nullopt;
}

void SetReal(Literal& out, double v, bool prints_float) {
  out.is_float = true;
  out.prints_float = prints_float;
  out.real = v;
  constexpr double kTwo63 = 9223372036854775808.0;
  if (v >= -kTwo63 && v < kTwo63 && std::trunc(v) == v) {
    out.is_int = true;
    out.integer = static_cast<int64_t>(v);
  }
}

// "2i", "1+2i". Go takes the text apart at the last sign that is not an exponent's.
std::optional<Literal> ParseComplex(std::string_view text) {
  std::string_view s = text.substr(0, text.size() - 1);
  size_t split = std::string_view::npos;
  for (size_t i = 1; i < s.size(); ++i) {
    bool exponent = s[i - 1] == 'e' || s[i - 1] == 'E' || s[i - 1] == 'p' || s[i - 1] == 'P';
    split = (s[i] == '+' || s[i] == '-') && !exponent ? i : split;
  }
  auto part = [](std::string_view p) -> std::optional<double> {
    bool negative = !p.empty() && p[0] == '-';
    p.remove_prefix(!p.empty() && (p[0] == '+' || p[0] == '-') ? 1 : 0);
    auto v = LiteralFloat(p);
    return v ? std::optional(negative ? -*v : *v) : std::nullopt;
  };
  auto real = split == std::string_view::npos ? std::optional(0.0) : part(s.substr(0, split));
  auto imaginary = part(split == std::string_view::npos ? s : s.substr(split));
  if (!real || !imaginary) {
    return std::nullopt;
  }
  Literal out;
  out.real = *real;
  out.imaginary = *imaginary;
  out.is_complex = *imaginary != 0;
  if (!out.is_complex) {
    SetReal(out, *real, false);
    out.prints_float = !out.is_int;
  }
  return out;
}

}  // namespace

std::optional<Literal> ParseLiteral(std::string_view text, bool& overflow) {
  overflow = false;
  if (text.ends_with('i')) {
    return ParseComplex(text);
  }
  Literal out;
  std::string_view s = text;
  bool negative = !s.empty() && s[0] == '-';
  if (!s.empty() && (s[0] == '+' || s[0] == '-')) {
    s.remove_prefix(1);
  }
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  if (auto u = ParseUnsignedInt(s, overflow)) {
    if (*u > kMax + (negative ? 1 : 0)) {
      // Without a sign it is an unsigned number, which has no value of its own in a template.
      if (text != s) {
        overflow = true;
        return std::nullopt;
      }
      out.is_float = out.too_large = true;
      out.real = static_cast<double>(*u);
      return out;
    }
    out.is_int = out.is_float = true;
    out.integer = static_cast<int64_t>(negative ? 0 - *u : *u);
    out.real = static_cast<double>(out.integer);
    return out;
  }
  if (overflow) {
    return std::nullopt;
  }
  auto v = LiteralFloat(s);
  if (!v) {
    return std::nullopt;
  }
  if (s.find_first_of(".eEpP") == std::string_view::npos) {
    // 08: no octal number, but a float that looks like an integer.
    overflow = true;
    return std::nullopt;
  }
  SetReal(out, negative ? -*v : *v, true);
  return out;
}

}  // namespace mlalert::tmpl
