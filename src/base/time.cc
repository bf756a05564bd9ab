#include "base/time.h"

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <limits>

namespace mlalert {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct Unit {
  std::string_view name;
  int64_t millis;
};
// Falling order, as the grammar demands. "m" and "ms" are told apart by longest match of letters.
constexpr std::array<Unit, 7> kUnits{{{"y", 365LL * 86400000},
                                      {"w", 7LL * 86400000},
                                      {"d", 86400000},
                                      {"h", 3600000},
                                      {"m", 60000},
                                      {"s", 1000},
                                      {"ms", 1}}};

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

tl::unexpected<Error> BadDuration(std::string_view text) {
  return Fail(ErrorCode::kInvalid, fmt::format("not a valid duration string: \"{}\"", text));
}

}  // namespace

Result<Duration> ParseDuration(std::string_view text) {
  if (text.empty()) {
    return Fail(ErrorCode::kInvalid, "empty duration string");
  }
  if (text == "0") {
    return Duration::zero();
  }
  constexpr int64_t kMaxMillis = std::numeric_limits<int64_t>::max() / 1000000;
  int64_t total = 0;
  size_t next_unit = 0;
  size_t i = 0;
  while (i < text.size()) {
    size_t digits = i;
    while (digits < text.size() && IsDigit(text[digits])) {
      ++digits;
    }
    if (digits == i) {
      return BadDuration(text);
    }
    int64_t number = 0;
    auto parsed = std::from_chars(text.data() + i, text.data() + digits, number);
    if (parsed.ec != std::errc()) {
      return Fail(ErrorCode::kInvalid, "duration out of range");
    }
    size_t end = digits;
    while (end < text.size() && !IsDigit(text[end])) {
      ++end;
    }
    std::string_view unit = text.substr(digits, end - digits);
    if (unit.empty()) {
      return BadDuration(text);
    }
    size_t u = 0;
    while (u < kUnits.size() && kUnits[u].name != unit) {
      ++u;
    }
    if (u == kUnits.size()) {
      return Fail(ErrorCode::kInvalid, fmt::format("unknown unit \"{}\" in duration \"{}\"", unit, text));
    }
    if (u < next_unit) {
      return BadDuration(text);
    }
    next_unit = u + 1;
    if (number > (kMaxMillis - total) / kUnits[u].millis) {
      return Fail(ErrorCode::kInvalid, "duration out of range");
    }
    total += number * kUnits[u].millis;
    i = end;
  }
  return Duration(milliseconds(total));
}

std::string FormatDuration(Duration d) {
  int64_t ms = std::chrono::duration_cast<milliseconds>(d).count();
  if (ms == 0) {
    return "0s";
  }
  std::string out;
  if (ms < 0) {
    out = "-";
    ms = -ms;
  }
  for (size_t u = 0; u < kUnits.size(); ++u) {
    const auto& unit = kUnits[u];
    bool exact_only = u < 2;
    if (exact_only && ms % unit.millis != 0) {
      continue;
    }
    int64_t count = ms / unit.millis;
    if (count > 0) {
      out += fmt::format("{}{}", count, unit.name);
      ms -= count * unit.millis;
    }
  }
  return out;
}

std::string FormatGoDuration(Duration d) {
  int64_t ns = d.count();
  if (ns == 0) {
    return "0s";
  }
  bool negative = ns < 0;
  uint64_t u = negative ? -static_cast<uint64_t>(ns) : static_cast<uint64_t>(ns);
  auto trimmed = [](uint64_t whole, uint64_t fraction, int width, std::string_view unit) {
    if (fraction == 0) {
      return fmt::format("{}{}", whole, unit);
    }
    std::string digits = fmt::format("{:0{}}", fraction, width);
    while (digits.back() == '0') {
      digits.pop_back();
    }
    return fmt::format("{}.{}{}", whole, digits, unit);
  };
  std::string out;
  if (u < 1000) {
    out = fmt::format("{}ns", u);
  } else if (u < 1000000) {
    out = trimmed(u / 1000, u % 1000, 3, "µs");
  } else if (u < 1000000000) {
    out = trimmed(u / 1000000, u % 1000000, 6, "ms");
  } else {
    uint64_t whole = u / 1000000000;
    uint64_t h = whole / 3600;
    uint64_t m = whole / 60 % 60;
    if (h > 0) {
      out = fmt::format("{}h{}m", h, m);
    } else if (m > 0) {
      out = fmt::format("{}m", m);
    }
    out += trimmed(whole % 60, u % 1000000000, 9, "s");
  }
  return negative ? "-" + out : out;
}

namespace {

// Reads `count` digits; false when there are not that many.
bool ReadDigits(std::string_view text, size_t& pos, int count, int& value) {
  value = 0;
  for (int i = 0; i < count; ++i, ++pos) {
    if (pos >= text.size() || !IsDigit(text[pos])) {
      return false;
    }
    value = value * 10 + (text[pos] - '0');
  }
  return true;
}

bool ReadChar(std::string_view text, size_t& pos, char c) {
  if (pos >= text.size() || text[pos] != c) {
    return false;
  }
  ++pos;
  return true;
}

bool ReadZone(std::string_view text, size_t& pos, int& offset) {
  offset = 0;
  if (pos == text.size()) {
    return true;
  }
  if (text[pos] == 'Z' || text[pos] == 'z') {
    ++pos;
    return pos == text.size();
  }
  if (text[pos] != '+' && text[pos] != '-') {
    return false;
  }
  int sign = text[pos] == '-' ? -1 : 1;
  ++pos;
  int h = 0;
  int m = 0;
  if (!ReadDigits(text, pos, 2, h) || !ReadChar(text, pos, ':') || !ReadDigits(text, pos, 2, m)) {
    return false;
  }
  offset = sign * (h * 60 + m);
  return pos == text.size() && h < 24 && m < 60;
}

struct Civil {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

Civil ToCivil(Timestamp t, int offset_minutes, int64_t& fraction_ns) {
  auto local = t + minutes(offset_minutes);
  auto whole = std::chrono::floor<seconds>(local);
  fraction_ns = (local - whole).count();
  auto day = std::chrono::floor<days>(whole);
  std::chrono::year_month_day ymd(day);
  int64_t rest = (whole - day).count();
  return {static_cast<int>(ymd.year()),
          static_cast<int>(static_cast<unsigned>(ymd.month())),
          static_cast<int>(static_cast<unsigned>(ymd.day())),
          static_cast<int>(rest / 3600),
          static_cast<int>(rest / 60 % 60),
          static_cast<int>(rest % 60)};
}

std::string ZoneText(int offset_minutes) {
  if (offset_minutes == 0) {
    return "Z";
  }
  int a = offset_minutes < 0 ? -offset_minutes : offset_minutes;
  return fmt::format("{}{:02}:{:02}", offset_minutes < 0 ? '-' : '+', a / 60, a % 60);
}

}  // namespace

Result<Timestamp> ParseRfc3339(std::string_view text, int* offset_minutes) {
  auto bad = [&] {
    return Fail(ErrorCode::kInvalid, fmt::format("\"{}\" is not an RFC 3339 time", text.substr(0, 64)));
  };
  size_t pos = 0;
  Civil c;
  if (!ReadDigits(text, pos, 4, c.year) || !ReadChar(text, pos, '-') || !ReadDigits(text, pos, 2, c.month) ||
      !ReadChar(text, pos, '-') || !ReadDigits(text, pos, 2, c.day)) {
    return bad();
  }
  int64_t fraction_ns = 0;
  int offset = 0;
  if (pos < text.size()) {
    if (text[pos] != 'T' && text[pos] != 't' && text[pos] != ' ') {
      return bad();
    }
    ++pos;
    if (!ReadDigits(text, pos, 2, c.hour) || !ReadChar(text, pos, ':') ||
        !ReadDigits(text, pos, 2, c.minute)) {
      return bad();
    }
    if (pos < text.size() && text[pos] == ':') {
      ++pos;
      if (!ReadDigits(text, pos, 2, c.second)) {
        return bad();
      }
      if (pos < text.size() && (text[pos] == '.' || text[pos] == ',')) {
        ++pos;
        size_t start = pos;
        int64_t scale = 100000000;
        while (pos < text.size() && IsDigit(text[pos])) {
          fraction_ns += (text[pos] - '0') * scale;
          scale /= 10;
          ++pos;
        }
        if (pos == start) {
          return bad();
        }
      }
    }
    if (!ReadZone(text, pos, offset)) {
      return bad();
    }
  }
  using namespace std::chrono;  // NOLINT(google-build-using-namespace): calendar literals only
  year_month_day ymd{year(c.year), month(static_cast<unsigned>(c.month)), day(static_cast<unsigned>(c.day))};
  if (!ymd.ok() || c.hour > 23 || c.minute > 59 || c.second > 59) {
    return bad();
  }
  if (offset_minutes != nullptr) {
    *offset_minutes = offset;
  }
  if (c.year == 1 && c.month == 1 && c.day == 1) {
    return kUnset;  // Go's zero time: clients send it for "not set".
  }
  if (c.year < 1678 || c.year > 2261) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("\"{}\" is outside the years 1678 to 2261", text.substr(0, 64)));
  }
  auto whole = sys_days(ymd) + hours(c.hour) + minutes(c.minute) + seconds(c.second) - minutes(offset);
  return Timestamp(whole) + nanoseconds(fraction_ns);
}

std::string FormatRfc3339Nano(Timestamp t, int offset_minutes) {
  if (!IsSet(t)) {
    return "0001-01-01T00:00:00Z";
  }
  int64_t ns = 0;
  Civil c = ToCivil(t, offset_minutes, ns);
  std::string out =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second);
  if (ns != 0) {
    std::string digits = fmt::format("{:09}", ns);
    while (digits.back() == '0') {
      digits.pop_back();
    }
    out += "." + digits;
  }
  return out + ZoneText(offset_minutes);
}

std::string FormatRfc3339Millis(Timestamp t, int offset_minutes) {
  if (!IsSet(t)) {
    return "0001-01-01T00:00:00.000Z";
  }
  int64_t ns = 0;
  Civil c = ToCivil(t, offset_minutes, ns);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}{}", c.year, c.month, c.day, c.hour, c.minute,
                     c.second, ns / 1000000, ZoneText(offset_minutes));
}

Timestamp SystemClock::Now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

}  // namespace mlalert
