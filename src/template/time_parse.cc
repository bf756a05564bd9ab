// time.Parse: text to a time by Go's reference layout.
#include <array>
#include <charconv>
#include <fmt/format.h>

#include "template/go_time.h"
#include "template/layout.h"
#include "template/quote.h"

namespace mlalert::tmpl {
namespace {

struct Parsed {
  Civil civil;
  bool pm = false;
  bool am = false;
  bool out_of_range = false;
};

// Takes `min` to `max` digits.
bool TakeNumber(std::string_view& s, size_t min, size_t max, int& value) {
  size_t n = 0;
  while (n < max && n < s.size() && s[n] >= '0' && s[n] <= '9') {
    ++n;
  }
  if (n < min) {
    return false;
  }
  std::from_chars(s.data(), s.data() + n, value);
  s.remove_prefix(n);
  return true;
}

bool StartsWithFold(std::string_view s, std::string_view word) {
  if (s.size() < word.size()) {
    return false;
  }
  for (size_t i = 0; i < word.size(); ++i) {
    if ((s[i] | 0x20) != (word[i] | 0x20)) {
      return false;
    }
  }
  return true;
}

// The number of the name at the front: months from 1, weekdays from 0; -1 when there is none.
template <class NameOf>
int TakeName(std::string_view& s, int first, int last, bool abbreviated, NameOf name_of) {
  for (int i = first; i <= last; ++i) {
    std::string_view name = name_of(i);
    name = abbreviated ? name.substr(0, 3) : name;
    if (StartsWithFold(s, name)) {
      s.remove_prefix(name.size());
      return i;
    }
  }
  return -1;
}

bool TakeOffset(std::string_view& s, const LayoutPiece& piece, Civil& c) {
  if (piece.text[0] == 'Z' && !s.empty() && s[0] == 'Z') {
    s.remove_prefix(1);
    c.offset_seconds = 0;
    return true;
  }
  if (s.empty() || (s[0] != '+' && s[0] != '-')) {
    return false;
  }
  int sign = s[0] == '-' ? -1 : 1;
  s.remove_prefix(1);
  int hours = 0;
  int minutes = 0;
  if (!TakeNumber(s, 2, 2, hours)) {
    return false;
  }
  if (piece.text.size() > 3) {
    if (piece.text.find(':') != std::string_view::npos) {
      if (s.empty() || s[0] != ':') {
        return false;
      }
      s.remove_prefix(1);
    }
    if (!TakeNumber(s, 2, 2, minutes)) {
      return false;
    }
  }
  c.offset_seconds = sign * (hours * 3600 + minutes * 60);
  return hours <= 24 && minutes < 60;
}

bool TakeFraction(std::string_view& s, size_t digits, bool exact, int64_t& ns) {
  if (s.empty() || (s[0] != '.' && s[0] != ',')) {
    return !exact;
  }
  int64_t scale = 100000000;
  size_t i = 1;
  for (ns = 0; i < s.size() && s[i] >= '0' && s[i] <= '9' && (!exact || i <= digits); ++i, scale /= 10) {
    ns += (s[i] - '0') * scale;
  }
  if (exact && i != digits + 1) {
    return false;
  }
  s.remove_prefix(i);
  return true;
}

bool TakeZoneName(std::string_view& s, Civil& c) {
  size_t n = 0;
  while (n < s.size() && n < 5 && s[n] >= 'A' && s[n] <= 'Z') {
    ++n;
  }
  c.zone_name = std::string(s.substr(0, n));
  s.remove_prefix(n);
  return n >= 3;
}

bool TakeElement(std::string_view& s, const LayoutPiece& piece, Parsed& p) {
  Civil& c = p.civil;
  auto range = [&](int value, int low, int high) {
    p.out_of_range = p.out_of_range || value < low || value > high;
  };
  switch (piece.token) {
    case LayoutToken::kNone:
      return true;
    case LayoutToken::kLongMonth:
    case LayoutToken::kMonth:
      c.month = TakeName(s, 1, 12, piece.token == LayoutToken::kMonth, MonthName);
      return c.month > 0;
    case LayoutToken::kLongWeekday:
    case LayoutToken::kWeekday:
      return TakeName(s, 0, 6, piece.token == LayoutToken::kWeekday, WeekdayName) >= 0;
    case LayoutToken::kNumMonth:
    case LayoutToken::kZeroMonth:
      return TakeNumber(s, piece.text.size(), 2, c.month) && (range(c.month, 1, 12), true);
    case LayoutToken::kUnderDay:
      if (!s.empty() && s[0] == ' ') {
        s.remove_prefix(1);
      }
      [[fallthrough]];
    case LayoutToken::kDay:
      return TakeNumber(s, 1, 2, c.day);
    case LayoutToken::kZeroDay:
      return TakeNumber(s, 2, 2, c.day);
    case LayoutToken::kUnderYearDay:
    case LayoutToken::kZeroYearDay:
      return false;  // a year's day alone names no month: not supported
    case LayoutToken::kHour:
      return TakeNumber(s, 2, 2, c.hour) && (range(c.hour, 0, 23), true);
    case LayoutToken::kHour12:
      return TakeNumber(s, 1, 2, c.hour) && (range(c.hour, 0, 12), true);
    case LayoutToken::kZeroHour12:
      return TakeNumber(s, 2, 2, c.hour) && (range(c.hour, 0, 12), true);
    case LayoutToken::kMinute:
    case LayoutToken::kZeroMinute:
      return TakeNumber(s, piece.text.size(), 2, c.minute) && (range(c.minute, 0, 59), true);
    case LayoutToken::kSecond:
    case LayoutToken::kZeroSecond:
      if (!TakeNumber(s, piece.text.size(), 2, c.second)) {
        return false;
      }
      range(c.second, 0, 59);
      // A fraction behind the seconds is taken even when the layout has none.
      if (NextLayoutPiece(piece.rest).token != LayoutToken::kFraction0 &&
          NextLayoutPiece(piece.rest).token != LayoutToken::kFraction9 && s.size() > 1 && s[0] == '.' &&
          s[1] >= '0' && s[1] <= '9') {
        return TakeFraction(s, 9, false, c.nanosecond);
      }
      return true;
    case LayoutToken::kLongYear:
      return TakeNumber(s, 4, 4, c.year);
    case LayoutToken::kYear:
      return TakeNumber(s, 2, 2, c.year) && (c.year += c.year >= 69 ? 1900 : 2000, true);
    case LayoutToken::kPM:
    case LayoutToken::kpm:
      p.pm = StartsWithFold(s, "pm");
      p.am = StartsWithFold(s, "am");
      s.remove_prefix(p.pm || p.am ? 2 : 0);
      return p.pm || p.am;
    case LayoutToken::kZone:
      return TakeZoneName(s, c);
    case LayoutToken::kFraction0:
      return TakeFraction(s, piece.digits, true, c.nanosecond);
    case LayoutToken::kFraction9:
      return TakeFraction(s, piece.digits, false, c.nanosecond);
    default:
      return TakeOffset(s, piece, c);
  }
}

}  // namespace

Result<Time> ParseLayout(std::string_view layout, std::string_view text) {
  auto fail = [&](std::string_view why) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("parsing time {} as {}: {}", QuoteGo(text), QuoteGo(layout), why));
  };
  Parsed p;
  std::string_view rest = text;
  for (std::string_view remaining = layout; !remaining.empty();) {
    LayoutPiece piece = NextLayoutPiece(remaining);
    if (rest.substr(0, piece.literal.size()) != piece.literal) {
      return fail(fmt::format("cannot parse {} as {}", QuoteGo(rest), QuoteGo(piece.literal)));
    }
    rest.remove_prefix(piece.literal.size());
    std::string_view before = rest;
    if (!TakeElement(rest, piece, p)) {
      return fail(fmt::format("cannot parse {} as {}", QuoteGo(before), QuoteGo(piece.text)));
    }
    remaining = piece.rest;
  }
  if (!rest.empty()) {
    return fail(fmt::format("extra text: {}", QuoteGo(rest)));
  }
  Civil& c = p.civil;
  if (p.pm && c.hour < 12) {
    c.hour += 12;
  } else if (p.am && c.hour == 12) {
    c.hour = 0;
  }
  std::chrono::year_month_day ymd{std::chrono::year(c.year),
                                  std::chrono::month(static_cast<unsigned>(c.month)),
                                  std::chrono::day(static_cast<unsigned>(c.day))};
  if (p.out_of_range || !ymd.ok() || c.year < 1678 || c.year > 2261) {
    return fail("out of range");
  }
  auto seconds = std::chrono::sys_days(ymd) + std::chrono::hours(c.hour) + std::chrono::minutes(c.minute) +
                 std::chrono::seconds(c.second - c.offset_seconds);
  Time t;
  t.at = Timestamp(seconds) + Duration(c.nanosecond);
  t.offset_minutes = static_cast<int>(c.offset_seconds / 60);
  return t;
}

}  // namespace mlalert::tmpl
