#include "template/go_time.h"

#include <array>
#include <date/tz.h>
#include <fmt/format.h>

#include "template/layout.h"

namespace mlalert::tmpl {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"January",   "February", "March",    "April",
                                                   "May",       "June",     "July",     "August",
                                                   "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kWeekdays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};

std::string Fraction(int64_t ns, size_t digits, bool trim, char separator) {
  std::string text = fmt::format("{:09}", ns).substr(0, digits);
  if (trim) {
    text.resize(text.find_last_not_of('0') + 1);
    if (text.empty()) {
      return text;
    }
  }
  return separator + text;
}

std::string Offset(int64_t seconds, LayoutToken token) {
  bool zulu = token == LayoutToken::kZ07 || token == LayoutToken::kZ0700 || token == LayoutToken::kZ07Colon00;
  if (zulu && seconds == 0) {
    return "Z";
  }
  char sign = seconds < 0 ? '-' : '+';
  int64_t minutes = (seconds < 0 ? -seconds : seconds) / 60;
  if (token == LayoutToken::kNum07 || token == LayoutToken::kZ07) {
    return fmt::format("{}{:02}", sign, minutes / 60);
  }
  bool colon = token == LayoutToken::kNum07Colon00 || token == LayoutToken::kZ07Colon00;
  return fmt::format("{}{:02}{}{:02}", sign, minutes / 60, colon ? ":" : "", minutes % 60);
}

void AppendToken(std::string& out, const LayoutPiece& piece, const Civil& c) {
  auto append = [&](std::string_view format, int n) {
    fmt::format_to(std::back_inserter(out), fmt::runtime(format), n);
  };
  int hour12 = c.hour % 12 == 0 ? 12 : c.hour % 12;
  switch (piece.token) {
    case LayoutToken::kNone:
      return;
    case LayoutToken::kLongMonth:
      out += MonthName(c.month);
      return;
    case LayoutToken::kMonth:
      out += MonthName(c.month).substr(0, 3);
      return;
    case LayoutToken::kNumMonth:
      return append("{}", c.month);
    case LayoutToken::kZeroMonth:
      return append("{:02}", c.month);
    case LayoutToken::kLongWeekday:
      out += WeekdayName(c.weekday);
      return;
    case LayoutToken::kWeekday:
      out += WeekdayName(c.weekday).substr(0, 3);
      return;
    case LayoutToken::kDay:
      return append("{}", c.day);
    case LayoutToken::kUnderDay:
      return append("{:2}", c.day);
    case LayoutToken::kZeroDay:
      return append("{:02}", c.day);
    case LayoutToken::kUnderYearDay:
      return append("{:3}", c.year_day);
    case LayoutToken::kZeroYearDay:
      return append("{:03}", c.year_day);
    case LayoutToken::kHour:
      return append("{:02}", c.hour);
    case LayoutToken::kHour12:
      return append("{}", hour12);
    case LayoutToken::kZeroHour12:
      return append("{:02}", hour12);
    case LayoutToken::kMinute:
      return append("{}", c.minute);
    case LayoutToken::kZeroMinute:
      return append("{:02}", c.minute);
    case LayoutToken::kSecond:
      return append("{}", c.second);
    case LayoutToken::kZeroSecond:
      return append("{:02}", c.second);
    case LayoutToken::kLongYear:
      return append("{:04}", c.year);
    case LayoutToken::kYear:
      return append("{:02}", c.year % 100);
    case LayoutToken::kPM:
      out += c.hour >= 12 ? "PM" : "AM";
      return;
    case LayoutToken::kpm:
      out += c.hour >= 12 ? "pm" : "am";
      return;
    case LayoutToken::kZone:
      out += c.zone_name;
      return;
    case LayoutToken::kFraction0:
    case LayoutToken::kFraction9:
      out += Fraction(c.nanosecond, piece.digits, piece.token == LayoutToken::kFraction9, piece.separator);
      return;
    case LayoutToken::kZ07:
    case LayoutToken::kZ0700:
    case LayoutToken::kZ07Colon00:
    case LayoutToken::kNum07:
    case LayoutToken::kNum0700:
    case LayoutToken::kNum07Colon00:
      out += Offset(c.offset_seconds, piece.token);
      return;
  }
}

}  // namespace

std::string_view MonthName(int64_t month) {
  return month >= 1 && month <= 12 ? kMonths[static_cast<size_t>(month - 1)] : std::string_view();
}

std::string_view WeekdayName(int64_t weekday) {
  return weekday >= 0 && weekday <= 6 ? kWeekdays[static_cast<size_t>(weekday)] : std::string_view();
}

Civil ToCivil(const Time& t) {
  using std::chrono::days;
  using std::chrono::seconds;
  Civil c;
  std::chrono::sys_seconds at{};
  if (IsSet(t.at)) {
    at = std::chrono::floor<seconds>(t.at);
    c.nanosecond = (t.at - at).count();
  } else {
    at = std::chrono::sys_days(std::chrono::year(1) / 1 / 1);
  }
  if (t.zone != nullptr) {
    auto info = t.zone->get_info(date::sys_seconds(at.time_since_epoch()));
    c.offset_seconds = info.offset.count();
    c.zone_name = info.abbrev;
  } else if (t.offset_minutes == 0) {
    c.zone_name = "UTC";
  } else {
    c.offset_seconds = int64_t{t.offset_minutes} * 60;
    c.zone_name = Offset(c.offset_seconds, LayoutToken::kNum0700);
  }
  auto local = at + seconds(c.offset_seconds);
  auto day = std::chrono::floor<days>(local);
  std::chrono::year_month_day ymd(day);
  int64_t rest = (local - day).count();
  c.year = static_cast<int>(ymd.year());
  c.month = static_cast<int>(static_cast<unsigned>(ymd.month()));
  c.day = static_cast<int>(static_cast<unsigned>(ymd.day()));
  c.hour = static_cast<int>(rest / 3600);
  c.minute = static_cast<int>(rest / 60 % 60);
  c.second = static_cast<int>(rest % 60);
  c.weekday = static_cast<int>(std::chrono::weekday(day).c_encoding());
  c.year_day = static_cast<int>((day - std::chrono::sys_days(ymd.year() / 1 / 1)).count()) + 1;
  return c;
}

std::string FormatLayout(const Time& t, std::string_view layout) {
  // Two of these stand in every alert of a webhook.
  if (layout == kRfc3339NanoLayout && t.zone == nullptr) {
    return FormatRfc3339Nano(t.at, t.offset_minutes);
  }
  const Civil civil = ToCivil(t);
  std::string out;
  while (!layout.empty()) {
    LayoutPiece piece = NextLayoutPiece(layout);
    out += piece.literal;
    AppendToken(out, piece, civil);
    layout = piece.rest;
  }
  return out;
}

std::string PrintTime(const Time& t) {
  return FormatLayout(t, "2006-01-02 15:04:05.999999999 -0700 MST");
}

Result<Time> InZone(Time t, std::string_view zone_name) {
  t.zone = nullptr;
  t.offset_minutes = 0;
  if (zone_name.empty() || zone_name == "UTC") {
    return t;
  }
  // The zone database reports unknown names by exception.
  try {
    t.zone = zone_name == "Local" ? date::current_zone() : date::locate_zone(std::string(zone_name));
  } catch (const std::exception&) {
    return Fail(ErrorCode::kInvalid, fmt::format("unknown time zone {}", zone_name.substr(0, 128)));
  }
  return t;
}

}  // namespace mlalert::tmpl
