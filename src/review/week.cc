#include "review/week.h"

#include <algorithm>
#include <charconv>
#include <date/tz.h>
#include <fmt/format.h>

namespace mlalert {
namespace {

using std::chrono::days;
using std::chrono::hours;

constexpr hours kDayBegins{8};
constexpr hours kBusinessEnds{18};
constexpr hours kDayEnds{22};

const date::time_zone* ZoneOf(const void* zone) {
  return static_cast<const date::time_zone*>(zone);
}

std::chrono::sys_days DayOf(Timestamp local) {
  return std::chrono::floor<days>(local);
}
bool IsWorkday(std::chrono::sys_days day) {
  const unsigned weekday = std::chrono::weekday(day).iso_encoding();
  return weekday <= 5;
}

// Days from Monday of the week of `day`.
std::chrono::sys_days MondayOf(std::chrono::sys_days day) {
  return day - days(std::chrono::weekday(day).iso_encoding() - 1);
}

Week WeekOfMonday(std::chrono::sys_days monday, const TimeZone& zone) {
  const std::chrono::year_month_day thursday(monday + days(3));
  const auto first = std::chrono::sys_days(thursday.year() / std::chrono::January / 1);
  const auto number = (monday + days(3) - first).count() / 7 + 1;
  Week week;
  week.name = fmt::format("{:04}-W{:02}", static_cast<int>(thursday.year()), number);
  week.span.from = zone.FromLocal(Timestamp(monday));
  week.span.until = zone.FromLocal(Timestamp(monday + days(7)));
  return week;
}

}  // namespace

Result<TimeZone> TimeZone::Find(const std::string& name) {
  TimeZone out;
  if (name.empty() || name == "UTC") {
    return out;
  }
  try {
    out.zone_ = date::locate_zone(name);
    out.name_ = name;
    return out;
  } catch (const std::exception&) {
    return Fail(Error{ErrorCode::kInvalid,
                      fmt::format("unknown time zone \"{}\"", name.substr(0, 64)),
                      {},
                      "a name such as Europe/Paris"});
  }
}

Timestamp TimeZone::ToLocal(Timestamp t) const {
  return zone_ == nullptr ? t
                          : t + ZoneOf(zone_)->get_info(std::chrono::floor<std::chrono::seconds>(t)).offset;
}

Timestamp TimeZone::FromLocal(Timestamp local) const {
  if (zone_ == nullptr) {
    return local;
  }
  // The offset before a change is the one of the earlier of two instants, and gives the end of a gap.
  const auto info = ZoneOf(zone_)->get_info(
      date::local_seconds(std::chrono::floor<std::chrono::seconds>(local).time_since_epoch()));
  const Timestamp out = local - info.first.offset;
  return info.result == date::local_info::nonexistent ? Timestamp(info.second.begin) : out;
}

Result<Week> ParseWeek(std::string_view text, const TimeZone& zone) {
  int year = 0;
  int number = 0;
  const char* end = text.data() + text.size();
  auto bad = [&] {
    return Fail(Error{ErrorCode::kInvalid,
                      fmt::format("\"{}\" is not a week", text.substr(0, 64)),
                      {},
                      "ISO 8601: 2026-W47"});
  };
  auto [year_end, year_error] = std::from_chars(text.data(), end, year);
  if (year_error != std::errc() || year_end != text.data() + 4 || year < 1970 || year > 2200) {
    return bad();
  }
  const char* at = year_end;
  at += at != end && *at == '-' ? 1 : 0;
  if (at == end || (*at != 'W' && *at != 'w') || end - at != 3) {
    return bad();
  }
  auto [number_end, number_error] = std::from_chars(at + 1, end, number);
  if (number_error != std::errc() || number_end != end || number < 1) {
    return bad();
  }
  // January 4th is always in week 1.
  const auto first = MondayOf(std::chrono::sys_days(std::chrono::year(year) / std::chrono::January / 4));
  Week week = WeekOfMonday(first + days(7 * (number - 1)), zone);
  if (week.name != fmt::format("{:04}-W{:02}", year, number)) {
    return Fail(ErrorCode::kInvalid, fmt::format("{} has no week {}", year, number));
  }
  return week;
}

Week WeekOf(Timestamp t, const TimeZone& zone) {
  return WeekOfMonday(MondayOf(DayOf(zone.ToLocal(t))), zone);
}

Week LastWeek(Timestamp t, const TimeZone& zone) {
  return WeekOfMonday(MondayOf(DayOf(zone.ToLocal(t))) - days(7), zone);
}

std::string_view ToString(Bucket bucket) {
  switch (bucket) {
    case Bucket::kBusiness:
      return "business";
    case Bucket::kOff:
      return "off";
    case Bucket::kSleep:
      return "sleep";
  }
  return "";
}

Bucket BucketOf(Timestamp t, const TimeZone& zone) {
  const Timestamp local = zone.ToLocal(t);
  const auto day = DayOf(local);
  const Duration into = local - day;
  if (into < kDayBegins || into >= kDayEnds) {
    return Bucket::kSleep;
  }
  return IsWorkday(day) && into < kBusinessEnds ? Bucket::kBusiness : Bucket::kOff;
}

Duration BusinessTime(Timestamp from, Timestamp until, const TimeZone& zone) {
  Duration total{};
  if (until <= from) {
    return total;
  }
  const auto last = DayOf(zone.ToLocal(until));
  for (auto day = DayOf(zone.ToLocal(from)); day <= last; day += days(1)) {
    if (IsWorkday(day)) {
      const Timestamp begin = std::max(from, zone.FromLocal(Timestamp(day) + kDayBegins));
      const Timestamp end = std::min(until, zone.FromLocal(Timestamp(day) + kBusinessEnds));
      total += std::max(end - begin, Duration::zero());
    }
  }
  return total;
}

Timestamp EndOfNextBusinessDay(Timestamp t, const TimeZone& zone) {
  auto day = DayOf(zone.ToLocal(t)) + days(1);
  while (!IsWorkday(day)) {
    day += days(1);
  }
  return zone.FromLocal(Timestamp(day) + kBusinessEnds);
}

Timestamp AfterBusinessTime(Timestamp t, Duration length, const TimeZone& zone) {
  for (auto day = DayOf(zone.ToLocal(t));; day += days(1)) {
    if (!IsWorkday(day)) {
      continue;
    }
    const Timestamp begin = std::max(t, zone.FromLocal(Timestamp(day) + kDayBegins));
    const Timestamp end = zone.FromLocal(Timestamp(day) + kBusinessEnds);
    if (end > begin) {
      if (end - begin >= length) {
        return begin + length;
      }
      length -= end - begin;
    }
  }
}

}  // namespace mlalert
