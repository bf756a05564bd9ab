// Holidays from an iCalendar file: as much of RFC 5545 as calendars of holidays use.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <map>

#include "config/calendars.h"

namespace mlalert {
namespace {

constexpr size_t kIcsDaysMax = 20000;
constexpr int kEventDaysMax = 366;
// Yearly events are repeated over these years, as calendars are laid out.
constexpr int kYearsFrom = 2020;
constexpr int kYearsTo = 2060;

// Long lines are folded: a line that begins with a blank goes on with the one before.
std::vector<std::string> Unfold(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (!lines.empty() && (line.starts_with(' ') || line.starts_with('\t'))) {
      lines.back().append(line.substr(1));
    } else {
      lines.emplace_back(line);
    }
  }
  return lines;
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

Result<LocalDay> DayFrom(int year, int month, int day, std::string_view text) {
  const auto date = std::chrono::year(year) / month / day;
  if (year < 1 || month < 1 || day < 1 || !date.ok()) {
    return Fail(ErrorCode::kInvalid, fmt::format("\"{}\" is not a date", text.substr(0, 40)));
  }
  return static_cast<LocalDay>(std::chrono::sys_days(date).time_since_epoch().count());
}

// "20261225" or "20261225T090000Z"
Result<LocalDay> IcsDay(std::string_view value) {
  return DayFrom(Digits(value, 0, 4), Digits(value, 4, 2), Digits(value, 6, 2), value);
}

struct Event {
  std::map<std::string, std::string, std::less<>>
      fields;  // the value of each property, its parameters cut off
  std::string_view Get(std::string_view name) const {
    auto it = fields.find(name);
    return it != fields.end() ? std::string_view(it->second) : std::string_view();
  }
};

Result<int> LengthInDays(const Event& event, LocalDay start) {
  if (std::string_view end = event.Get("DTEND"); !end.empty()) {
    MLALERT_ASSIGN(LocalDay last, IcsDay(end));
    // The end of whole days is the day after; an end with a time lies within its day.
    const int days =
        last - start +
        (end.find('T') != std::string_view::npos && end.find("T000000") == std::string_view::npos ? 1 : 0);
    return std::max(days, 1);
  }
  std::string_view duration = event.Get("DURATION");
  if (duration.size() > 2 && duration.starts_with("P") &&
      (duration.ends_with("D") || duration.ends_with("W"))) {
    const int count = Digits(duration, 1, duration.size() - 2);
    return std::max(count * (duration.ends_with("W") ? 7 : 1), 1);
  }
  return 1;
}

Status AddEvent(const Event& event, std::set<LocalDay>& out) {
  if (event.Get("STATUS") == "CANCELLED") {
    return {};
  }
  if (event.Get("DTSTART").empty()) {
    return Fail(ErrorCode::kInvalid, "an event has no DTSTART");
  }
  MLALERT_ASSIGN(LocalDay start, IcsDay(event.Get("DTSTART")));
  MLALERT_ASSIGN(int days, LengthInDays(event, start));
  if (days > kEventDaysMax) {
    return Fail(ErrorCode::kInvalid, fmt::format("an event of {} days", days));
  }
  std::vector<LocalDay> starts = {start};
  if (std::string_view rule = event.Get("RRULE"); !rule.empty()) {
    const bool yearly = rule.find("FREQ=YEARLY") != std::string_view::npos;
    // BYDAY and the like move the day from year to year: such files list their dates, or we say that we
    // cannot.
    if (!yearly || rule.find("BYDAY") != std::string_view::npos ||
        rule.find("INTERVAL") != std::string_view::npos || rule.find("BYYEARDAY") != std::string_view::npos ||
        rule.find("BYWEEKNO") != std::string_view::npos) {
      return Fail(Error{ErrorCode::kInvalid,
                        fmt::format("RRULE:{} is not supported", rule.substr(0, 80)),
                        {},
                        "events that repeat on the same date every year are; list others one by one"});
    }
    LocalDay until = INT32_MAX;
    if (size_t at = rule.find("UNTIL="); at != std::string_view::npos) {
      MLALERT_ASSIGN(until, IcsDay(rule.substr(at + 6)));
    }
    int left = INT32_MAX;
    if (size_t at = rule.find("COUNT="); at != std::string_view::npos) {
      left = std::atoi(std::string(rule.substr(at + 6, 9)).c_str());
    }
    const std::chrono::year_month_day first{std::chrono::sys_days(std::chrono::days(start))};
    starts.clear();
    for (int year = static_cast<int>(first.year()); year <= kYearsTo && left > 0; ++year) {
      const auto date = std::chrono::year(year) / first.month() / first.day();
      if (!date.ok()) {
        continue;  // 29 February
      }
      --left;
      const auto day = static_cast<LocalDay>(std::chrono::sys_days(date).time_since_epoch().count());
      if (day <= until && year >= kYearsFrom) {
        starts.push_back(day);
      }
    }
  }
  for (LocalDay day : starts) {
    for (int i = 0; i < days; ++i) {
      out.insert(day + i);
    }
  }
  return out.size() > kIcsDaysMax ? Fail(ErrorCode::kLimit, "more than 20000 days") : Status{};
}

}  // namespace

Result<LocalDay> ParseLocalDay(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') {
    return Fail(ErrorCode::kInvalid, fmt::format("\"{}\" is not a date", text.substr(0, 40)));
  }
  return DayFrom(Digits(text, 0, 4), Digits(text, 5, 2), Digits(text, 8, 2), text);
}

Result<std::set<LocalDay>> ParseIcsDays(std::string_view text) {
  std::set<LocalDay> out;
  Event event;
  bool inside = false;
  bool is_calendar = false;
  int nested = 0;  // alarms within an event
  for (const std::string& line : Unfold(text)) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) {
      continue;
    }
    const std::string name = line.substr(0, std::min(line.find(';'), colon));
    const std::string value = line.substr(colon + 1);
    if (name == "BEGIN") {
      is_calendar = is_calendar || value == "VCALENDAR";
      nested += inside ? 1 : 0;
      if (value == "VEVENT") {
        inside = true;
        event = {};
      }
    } else if (name == "END" && nested > 0) {
      --nested;
    } else if (name == "END" && value == "VEVENT" && inside) {
      inside = false;
      MLALERT_TRY(AddEvent(event, out));
    } else if (inside && nested == 0) {
      event.fields[name] = value;
    }
  }
  if (!is_calendar) {
    return Fail(ErrorCode::kInvalid, "this is no iCalendar file: it has no BEGIN:VCALENDAR");
  }
  return out;
}

}  // namespace mlalert
