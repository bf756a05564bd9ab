#include "config/ics_rule.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <fmt/format.h>

namespace mlalert {
namespace {

using std::chrono::sys_days;

// Calendars are laid out over these years.
constexpr int kYearsFrom = 2020;
constexpr int kYearsTo = 2060;
constexpr std::array<std::string_view, 7> kWeekdays = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};

std::vector<std::string_view> Split(std::string_view text, char mark) {
  std::vector<std::string_view> out;
  while (true) {
    const size_t end = text.find(mark);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return out;
    }
    text.remove_prefix(end + 1);
  }
}

// A whole number from -limit to limit that is not 0.
bool ReadNumber(std::string_view text, int limit, int& out) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out != 0 && out >= -limit &&
         out <= limit;
}

bool ReadNumbers(std::string_view text, int limit, std::vector<int>& out) {
  for (std::string_view item : Split(text, ',')) {
    int number = 0;
    if (!ReadNumber(item, limit, number)) {
      return false;
    }
    out.push_back(number);
  }
  return true;
}

// "MO", "4TH", "-1MO"
bool ReadWeekdays(std::string_view text, std::vector<IcsRule::Weekday>& out) {
  for (std::string_view item : Split(text, ',')) {
    if (item.size() < 2) {
      return false;
    }
    const auto* const it = std::find(kWeekdays.begin(), kWeekdays.end(), item.substr(item.size() - 2));
    IcsRule::Weekday weekday;
    if (it == kWeekdays.end() ||
        (item.size() > 2 && !ReadNumber(item.substr(0, item.size() - 2), 5, weekday.nth))) {
      return false;
    }
    weekday.day = static_cast<unsigned>(it - kWeekdays.begin());
    out.push_back(weekday);
  }
  return true;
}

bool DayMatches(const IcsRule& rule, const std::chrono::year_month_day& first,
                const std::chrono::year_month_day& date, int last) {
  const int day = static_cast<int>(static_cast<unsigned>(date.day()));
  if (rule.month_days.empty() && rule.weekdays.empty()) {
    return date.day() == first.day();
  }
  const bool in_month = rule.month_days.empty() ||
                        std::any_of(rule.month_days.begin(), rule.month_days.end(),
                                    [&](int want) { return day == (want < 0 ? last + 1 + want : want); });
  const unsigned weekday = std::chrono::weekday(sys_days(date)).c_encoding();
  return in_month &&
         (rule.weekdays.empty() ||
          std::any_of(rule.weekdays.begin(), rule.weekdays.end(), [&](const IcsRule::Weekday& want) {
            return want.day == weekday &&
                   (want.nth == 0 || want.nth == (day - 1) / 7 + 1 || -want.nth == (last - day) / 7 + 1);
          }));
}

}  // namespace

Result<IcsRule> ParseIcsRule(std::string_view value) {
  IcsRule rule;
  bool yearly = false;
  auto refuse = [&](std::string_view what) {
    return Fail(
        Error{ErrorCode::kInvalid,
              fmt::format("RRULE:{}: {} is not supported", value.substr(0, 80), what.substr(0, 40)),
              {},
              "events that repeat every year on a date (FREQ=YEARLY, BYMONTH, BYMONTHDAY) or on a weekday "
              "of a month (BYMONTH=11;BYDAY=4TH) are; list others one by one"});
  };
  for (std::string_view part : Split(value, ';')) {
    if (part.empty()) {
      continue;
    }
    const size_t equals = std::min(part.find('='), part.size());
    const std::string_view name = part.substr(0, equals);
    const std::string_view text = part.substr(std::min(equals + 1, part.size()));
    bool good = true;
    if (name == "FREQ") {
      good = yearly = text == "YEARLY";
    } else if (name == "INTERVAL") {
      good = ReadNumber(text, 1000, rule.interval) && rule.interval > 0;
    } else if (name == "COUNT") {
      good = ReadNumber(text, 1'000'000, rule.count) && rule.count > 0;
    } else if (name == "UNTIL") {
      rule.until = text;
      good = !text.empty();
    } else if (name == "BYMONTH") {
      good = ReadNumbers(text, 12, rule.months) &&
             std::all_of(rule.months.begin(), rule.months.end(), [](int month) { return month > 0; });
    } else if (name == "BYMONTHDAY") {
      good = ReadNumbers(text, 31, rule.month_days);
    } else if (name == "BYDAY") {
      good = ReadWeekdays(text, rule.weekdays);
    } else {
      good = name == "WKST";  // counts for weeks only
    }
    if (!good) {
      return refuse(part);
    }
  }
  if (!yearly) {
    return refuse("a rule without FREQ=YEARLY");
  }
  if (!rule.weekdays.empty() && rule.months.empty()) {
    return refuse("BYDAY without BYMONTH");
  }
  if (!rule.until.empty() && rule.count != INT_MAX) {
    return refuse("UNTIL together with COUNT");
  }
  return rule;
}

std::vector<LocalDay> IcsRuleDays(const IcsRule& rule, LocalDay first_day, LocalDay last_day) {
  const std::chrono::year_month_day first{sys_days(std::chrono::days(first_day))};
  // Days of every month when nothing names the months.
  auto month_matches = [&](int month) {
    return rule.months.empty()
               ? !rule.month_days.empty() || month == static_cast<int>(unsigned(first.month()))
               : std::find(rule.months.begin(), rule.months.end(), month) != rule.months.end();
  };
  std::vector<LocalDay> out = {first_day};
  int left = rule.count - 1;
  int year = static_cast<int>(first.year());
  if (rule.count == INT_MAX && year < kYearsFrom) {
    year += (kYearsFrom - year) / rule.interval * rule.interval;
  }
  for (; year <= kYearsTo; year += rule.interval) {
    for (int month = 1; month <= 12; ++month) {
      if (!month_matches(month)) {
        continue;
      }
      const auto this_month = std::chrono::year(year) / month;
      const int last = static_cast<int>(unsigned((this_month / std::chrono::last).day()));
      for (int day = 1; day <= last; ++day) {
        const std::chrono::year_month_day date = this_month / day;
        const auto at = static_cast<LocalDay>(sys_days(date).time_since_epoch().count());
        if (at <= first_day || !DayMatches(rule, first, date, last)) {
          continue;
        }
        if (left <= 0 || at > last_day) {
          return out;
        }
        --left;
        if (year >= kYearsFrom) {
          out.push_back(at);
        }
      }
    }
  }
  return out;
}

}  // namespace mlalert
