#include "promql/literals.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fmt/format.h>
#include <limits>

#include "promql/go_text.h"

namespace mlalert::promql {
namespace {

char LowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

tl::unexpected<Error> BadNumber(std::string_view text, std::string_view why) {
  return Fail(ErrorCode::kInvalid,
              fmt::format("error parsing number: strconv.ParseFloat: parsing {}: {}", GoQuote(text), why));
}

// Go reads an integer first, by its prefix, and falls back to a decimal float.
bool ParseInteger(std::string_view digits, double* out) {
  int base = 10;
  if (digits.size() > 1 && digits[0] == '0') {
    bool hex = digits[1] == 'x';
    base = hex ? 16 : 8;
    digits.remove_prefix(hex ? 2 : 1);
  }
  int64_t value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return false;
  }
  *out = static_cast<double>(value);
  return true;
}

uint32_t ReadDigits(std::string_view text, size_t count, int base) {
  uint32_t value = 0;
  std::from_chars(text.data(), text.data() + std::min(count, text.size()), value, base);
  return value;
}

}  // namespace

Result<double> ParseNumber(std::string_view text) {
  std::string plain;
  for (char c : text) {
    if (c != '_') {
      plain += LowerAscii(c);
    }
  }
  if (plain == "inf") {
    return std::numeric_limits<double>::infinity();
  }
  if (plain == "nan") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  double value = 0;
  if (ParseInteger(plain, &value)) {
    return value;
  }
  auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  if (end != plain.data() + plain.size() || error == std::errc::invalid_argument) {
    return BadNumber(text, "invalid syntax");
  }
  if (error == std::errc::result_out_of_range) {
    // from_chars does not tell too large from too small; Go takes the latter as 0.
    value = std::strtod(plain.c_str(), nullptr);
    if (std::isinf(value)) {
      return BadNumber(text, "value out of range");
    }
  }
  return value;
}

std::string Unquote(std::string_view token) {
  if (token.size() < 2) {
    return {};
  }
  bool raw = token.front() == '`';
  std::string_view body = token.substr(1, token.size() - 2);
  std::string out;
  for (size_t i = 0; i < body.size(); ++i) {
    if (body[i] != '\\' || raw) {
      out += body[i];
      continue;
    }
    char c = ++i < body.size() ? body[i] : '\\';
    constexpr std::string_view kNames = "abfnrtv";
    constexpr std::string_view kValues = "\a\b\f\n\r\t\v";
    if (size_t known = kNames.find(c); known != std::string_view::npos) {
      out += kValues[known];
    } else if (c >= '0' && c <= '7') {
      out += static_cast<char>(ReadDigits(body.substr(i), 3, 8));
      i += 2;
    } else if (c == 'x') {
      out += static_cast<char>(ReadDigits(body.substr(i + 1), 2, 16));
      i += 2;
    } else if (c == 'u' || c == 'U') {
      size_t digits = c == 'u' ? 4 : 8;
      AppendUtf8(static_cast<int32_t>(ReadDigits(body.substr(i + 1), digits, 16)), out);
      i += digits;
    } else {
      out += c;
    }
  }
  return out;
}

Result<Duration> SecondsToDuration(double seconds) {
  constexpr double kMaxSeconds = 9223372036.0;
  if (!(std::fabs(seconds) <= kMaxSeconds)) {
    return Fail(ErrorCode::kInvalid, "duration out of range");
  }
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

}  // namespace mlalert::promql
