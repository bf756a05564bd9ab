#include "config/ics_event.h"

#include <algorithm>
#include <chrono>
#include <climits>
#include <fmt/format.h>
#include <utility>

#include "config/config_sections.h"
#include "config/ics_rule.h"
#include "config/local_time.h"

namespace mlalert {
namespace {

constexpr int64_t kDay = 86400;
constexpr int64_t kEventDaysMax = 366;
// Some calendars write a whole day as one that ends at 23:59.
constexpr std::chrono::seconds kSlack(60);
// Shorter than any day, that of the change of clocks as well.
constexpr int64_t kSurelyNoDay = 22 * 3600;

// What DTSTART and its relatives say.
struct IcsTime {
  bool whole_day = true;
  int64_t local = 0;  // seconds since 1970-01-01T00:00:00 on the clock of `zone`
  std::string zone;
  bool known_zone = true;
};

int64_t FloorDay(int64_t seconds) {
  return seconds / kDay - (seconds % kDay < 0 ? 1 : 0);
}

tl::unexpected<Error> FailAt(const IcsProperty& property, std::string message, std::string hint = {}) {
  Error error{ErrorCode::kInvalid, std::move(message), {}, std::move(hint)};
  error.where.line = property.line;
  return Fail(std::move(error));
}

int Digits(std::string_view text, size_t at, size_t count) {
  int out = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') {
      return -1;
    }
    out = out * 10 + (text[i] - '0');
  }
  return out;
}

// The zone that a TZID names, which may stand behind a prefix: /mozilla.org/20050126_1/Europe/Berlin
std::string ZoneOf(std::string_view id) {
  while (!id.empty()) {
    std::string name(id);
    if (TimeZoneExists(name) && name != "Local") {
      return name;
    }
    const size_t slash = id.find('/');
    id.remove_prefix(slash == std::string_view::npos ? id.size() : slash + 1);
  }
  return {};
}

// "20261225", "20261225T090000" or "20261225T090000Z"
Result<IcsTime> ParseTime(const IcsProperty& property, std::string_view value,
                          const std::string& calendar_zone) {
  auto it = property.parameters.find("VALUE");
  const std::string type = it != property.parameters.end() ? it->second : std::string();
  if (!type.empty() && type != "DATE" && type != "DATE-TIME") {
    return FailAt(property, fmt::format("{};VALUE={} is not supported", property.name, type.substr(0, 40)),
                  "give dates, such as 20261225");
  }
  auto bad = [&] {
    return FailAt(property, fmt::format("{}: {} is not a date", property.name, Quoted(value.substr(0, 40))),
                  "20261225, 20261225T090000 or 20261225T090000Z");
  };
  const int year = Digits(value, 0, 4);
  const auto date = std::chrono::year(year) / Digits(value, 4, 2) / Digits(value, 6, 2);
  if (year < 1 || Digits(value, 4, 4) < 0 || !date.ok()) {
    return bad();
  }
  IcsTime out;
  out.zone = calendar_zone;
  out.local = std::chrono::sys_days(date).time_since_epoch().count() * kDay;
  if (value.size() == 8) {
    return type == "DATE-TIME" ? Result<IcsTime>(bad()) : out;
  }
  const bool utc = value.ends_with('Z');
  const int hour = Digits(value, 9, 2);
  const int minute = Digits(value, 11, 2);
  const int second = Digits(value, 13, 2);
  if (value.size() != (utc ? 16U : 15U) || value[8] != 'T' || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || second < 0 || second > 60 || type == "DATE") {
    return bad();
  }
  out.whole_day = false;
  out.local += hour * 3600 + minute * 60 + second;
  if (utc) {
    out.zone = "UTC";
  } else if (auto tzid = property.parameters.find("TZID"); tzid != property.parameters.end()) {
    out.zone = ZoneOf(tzid->second);
    out.known_zone = !out.zone.empty();
    out.zone = out.known_zone ? out.zone : calendar_zone;
  }
  return out;
}

int64_t InZone(const IcsTime& time, const std::string& zone) {
  return time.zone == zone
             ? time.local
             : ToLocalSeconds(FromLocalSeconds(time.local, FindTimeZone(time.zone)), FindTimeZone(zone));
}

// "P1D", "P2W", "PT9H30M": seconds; -1: it is none.
int64_t DurationSeconds(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  if (text.size() < 3 || text[0] != 'P') {
    return -1;
  }
  text.remove_prefix(1);
  int64_t out = 0;
  bool in_time = false;
  while (!text.empty()) {
    if (text[0] == 'T' && !in_time) {
      in_time = true;
      text.remove_prefix(1);
    }
    const size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    const std::string_view units = in_time ? "HMS" : "WD";
    const size_t unit = count < text.size() ? units.find(text[count]) : std::string_view::npos;
    if (count == 0 || count > 7 || unit == std::string_view::npos) {
      return -1;
    }
    static constexpr int64_t kTime[] = {3600, 60, 1};
    static constexpr int64_t kDays[] = {7 * kDay, kDay};
    out += Digits(text, 0, count) * (in_time ? kTime[unit] : kDays[unit]);
    text.remove_prefix(count + 1);
  }
  return out;
}

// Seconds on the clock of `start`.
Result<int64_t> Length(const IcsEvent& event, const IcsTime& start, bool& known_zone) {
  const IcsProperty* end = event.Find("DTEND");
  const IcsProperty* duration = event.Find("DURATION");
  int64_t length = start.whole_day ? kDay : 0;
  if (end != nullptr) {
    MLALERT_ASSIGN(IcsTime time, ParseTime(*end, end->value, start.zone));
    if (time.whole_day != start.whole_day) {
      return FailAt(*end, "DTSTART and DTEND are not of one kind", "both dates or both times");
    }
    known_zone = known_zone && time.known_zone;
    length = InZone(time, start.zone) - start.local;
    if (length < 0) {
      return FailAt(*end, fmt::format("{} ends before it begins", event.Title()),
                    "DTEND is the day after the last one");
    }
  } else if (duration != nullptr) {
    length = DurationSeconds(duration->value);
    if (length < 0 || (start.whole_day && length % kDay != 0)) {
      return FailAt(*duration,
                    fmt::format("DURATION: {} is not supported", Quoted(duration->value.substr(0, 40))),
                    start.whole_day ? "whole days: P1D or P2W" : "such as P1D or PT8H30M");
    }
  }
  // A whole day that ends on itself is one day.
  length = start.whole_day ? std::max(length, kDay) : length;
  if (length > kEventDaysMax * kDay) {
    return FailAt(end != nullptr ? *end : *duration, fmt::format("{} is longer than a year", event.Title()),
                  "DTEND is the day after the last one");
  }
  return length;
}

// Where on the clock of `start` the occurrence begins that RDATE, EXDATE or RECURRENCE-ID name.
int64_t StartNamedBy(const IcsTime& time, const IcsTime& start, const std::string& calendar_zone) {
  if (start.whole_day) {
    const bool utc = !time.whole_day && time.zone == "UTC";
    return FloorDay(utc ? InZone(time, calendar_zone) : time.local) * kDay;
  }
  return time.whole_day ? time.local + (start.local - FloorDay(start.local) * kDay)
                        : InZone(time, start.zone);
}

Status CollectStarts(const IcsProperty& list, const IcsTime& start, const std::string& calendar_zone,
                     std::set<int64_t>& out) {
  for (std::string_view rest = list.value; !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    MLALERT_ASSIGN(IcsTime time, ParseTime(list, rest.substr(0, comma), calendar_zone));
    out.insert(StartNamedBy(time, start, calendar_zone));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return {};
}

Result<std::set<int64_t>> StartsByRule(const IcsProperty& property, const IcsTime& start) {
  auto rule = ParseIcsRule(property.value);
  if (!rule) {
    rule.error().where.line = property.line;
    return Fail(std::move(rule.error()));
  }
  const auto first = static_cast<LocalDay>(FloorDay(start.local));
  const int64_t time_of_day = start.local - first * kDay;
  int64_t last = INT_MAX;
  if (!rule->until.empty()) {
    IcsProperty bare = property;
    bare.parameters.clear();
    MLALERT_ASSIGN(IcsTime until, ParseTime(bare, rule->until, start.zone));
    last = start.whole_day || until.whole_day ? FloorDay(until.local)
                                              : FloorDay(InZone(until, start.zone) - time_of_day);
  }
  std::set<int64_t> out;
  for (LocalDay day : IcsRuleDays(*rule, first, static_cast<LocalDay>(last))) {
    out.insert(day * kDay + time_of_day);
  }
  return out;
}

// All days from `start` on, for `length`, of which nothing is missing.
bool AddCovered(const IcsTime& start, int64_t begin_local, int64_t length,
                const date::time_zone* calendar_zone, std::set<LocalDay>& out) {
  if (start.whole_day) {
    for (int64_t day = FloorDay(begin_local); day < FloorDay(begin_local + length); ++day) {
      out.insert(static_cast<LocalDay>(day));
    }
    return true;
  }
  const date::time_zone* zone = FindTimeZone(start.zone);
  const Timestamp begin = FromLocalSeconds(begin_local, zone);
  const Timestamp end = FromLocalSeconds(begin_local + length, zone) + kSlack;
  bool any = false;
  for (int64_t day = FloorDay(ToLocalSeconds(begin, calendar_zone));; ++day) {
    const Timestamp day_ends = FromLocalSeconds((day + 1) * kDay, calendar_zone);
    if (day_ends > end) {
      return any;
    }
    if (FromLocalSeconds(day * kDay, calendar_zone) >= begin) {
      out.insert(static_cast<LocalDay>(day));
      any = true;
    }
  }
}

}  // namespace

const IcsProperty* IcsEvent::Find(std::string_view name) const {
  auto it = std::find_if(properties.begin(), properties.end(),
                         [&](const IcsProperty& property) { return property.name == name; });
  return it != properties.end() ? &*it : nullptr;
}

std::string IcsEvent::Get(std::string_view name) const {
  const IcsProperty* property = Find(name);
  return property != nullptr ? property->value : std::string();
}

std::string IcsEvent::Title() const {
  const std::string text = Find("SUMMARY") != nullptr ? Get("SUMMARY") : Get("UID");
  return text.empty() ? "the event" : fmt::format("event {}", Quoted(text.substr(0, 60)));
}

Result<bool> AddIcsDays(const IcsEvent& event, const std::string& time_zone,
                        const std::vector<IcsProperty>& replaced, std::set<LocalDay>& out) {
  const IcsProperty* dtstart = event.Find("DTSTART");
  if (dtstart == nullptr) {
    IcsProperty at;
    at.line = event.line;
    return FailAt(at, fmt::format("{} has no DTSTART", event.Title()),
                  "the day on which it begins: DTSTART;VALUE=DATE:20261225");
  }
  MLALERT_ASSIGN(IcsTime start, ParseTime(*dtstart, dtstart->value, time_zone));
  bool known_zone = start.known_zone;
  MLALERT_ASSIGN(int64_t length, Length(event, start, known_zone));
  if (!start.whole_day && length < kSurelyNoDay) {
    return false;  // a meeting, however it repeats
  }
  if (!known_zone) {
    return FailAt(*dtstart, fmt::format("{}: its TZID is not the name of a time zone", event.Title()),
                  "a whole day needs none (DTSTART;VALUE=DATE:20261225); names are such as Europe/Berlin");
  }
  std::set<int64_t> starts = {start.local};
  std::set<int64_t> without;
  bool has_rule = false;
  for (const IcsProperty& property : event.properties) {
    if (property.name == "RRULE") {
      if (std::exchange(has_rule, true)) {
        return FailAt(property, "a second RRULE is not supported", "make it an event of its own");
      }
      MLALERT_ASSIGN(starts, StartsByRule(property, start));
    } else if (property.name == "EXDATE") {
      MLALERT_TRY(CollectStarts(property, start, time_zone, without));
    } else if (property.name == "EXRULE") {
      return FailAt(property, "EXRULE is not supported", "list the days in EXDATE");
    }
  }
  for (const IcsProperty& property : event.properties) {
    if (property.name == "RDATE") {
      MLALERT_TRY(CollectStarts(property, start, time_zone, starts));
    }
  }
  for (const IcsProperty& property : replaced) {
    MLALERT_TRY(CollectStarts(property, start, time_zone, without));
  }
  bool occurs = false;
  bool covers = false;
  const date::time_zone* zone = FindTimeZone(time_zone);
  for (int64_t begin : starts) {
    if (!without.contains(begin)) {
      occurs = true;
      covers = AddCovered(start, begin, length, zone, out) || covers;
    }
  }
  return covers || !occurs;
}

}  // namespace mlalert
