#include "mute/time_intervals.h"

#include <algorithm>
#include <date/tz.h>
#include <optional>

#include "config/local_time.h"

namespace mlalert {
namespace {

// As far as an edge is looked for.
constexpr std::chrono::hours kEdgeHorizon{24 * 400};

// What a spec looks at, in the local time of its zone.
struct LocalTime {
  int minute_of_day = 0;
  int weekday = 0;  // 0 = Sunday
  int day = 0;
  int days_in_month = 0;
  int month = 0;
  int year = 0;
};

LocalTime ToLocal(Timestamp now, const date::time_zone* zone) {
  using std::chrono::floor;
  auto utc = floor<std::chrono::seconds>(now);
  std::chrono::seconds offset{0};
  if (zone != nullptr) {
    offset = zone->get_info(utc).offset;
  }
  // Civil arithmetic on the shifted instant: the length of the day does not matter.
  auto shifted = utc + offset;
  auto midnight = floor<std::chrono::days>(shifted);
  std::chrono::year_month_day date(midnight);
  LocalTime out;
  out.minute_of_day = static_cast<int>(floor<std::chrono::minutes>(shifted - midnight).count());
  out.weekday = static_cast<int>(std::chrono::weekday(midnight).c_encoding());
  out.day = static_cast<int>(static_cast<unsigned>(date.day()));
  auto last = std::chrono::year_month_day_last(date.year(), std::chrono::month_day_last(date.month()));
  out.days_in_month = static_cast<int>(static_cast<unsigned>(last.day()));
  out.month = static_cast<int>(static_cast<unsigned>(date.month()));
  out.year = static_cast<int>(date.year());
  return out;
}

// An absent list is no constraint; an empty one contains nothing.
bool AnyContains(const std::optional<std::vector<IntRange>>& ranges, int value) {
  return !ranges || std::any_of(ranges->begin(), ranges->end(), [&](const IntRange& range) {
    return range.begin <= value && value <= range.end;
  });
}

bool DayOfMonthMatches(const IntRange& range, const LocalTime& local) {
  const int days = local.days_in_month;
  auto from_start = [&](int day) { return day < 0 ? days + day + 1 : day; };
  int begin = from_start(range.begin);
  if (begin > days) {
    return false;  // 30:31 in February is no day, not its last one
  }
  begin = std::clamp(begin, -days, days);
  int end = std::clamp(from_start(range.end), -days, days);
  return begin <= local.day && local.day <= end;
}

}  // namespace

TimeIntervals::TimeIntervals(std::span<const NamedTimeInterval> intervals) {
  for (const NamedTimeInterval& interval : intervals) {
    std::vector<Spec>& specs = by_name_[interval.name];
    for (const TimeIntervalSpec& spec : interval.specs) {
      specs.push_back({spec, FindTimeZone(spec.location)});
    }
  }
}

bool TimeIntervals::Contains(const Spec& spec, Timestamp now) {
  const TimeIntervalSpec& want = spec.spec;
  const LocalTime local = ToLocal(now, spec.zone);
  auto in_times = [&](const IntRange& range) {
    return range.begin <= local.minute_of_day && local.minute_of_day < range.end;
  };
  if (want.times && std::none_of(want.times->begin(), want.times->end(), in_times)) {
    return false;
  }
  auto in_days = [&](const IntRange& range) { return DayOfMonthMatches(range, local); };
  if (want.days_of_month && std::none_of(want.days_of_month->begin(), want.days_of_month->end(), in_days)) {
    return false;
  }
  return AnyContains(want.weekdays, local.weekday) && AnyContains(want.months, local.month) &&
         AnyContains(want.years, local.year);
}

bool TimeIntervals::Contains(std::string_view name, Timestamp now) const {
  return CountContaining(std::string(name), now) > 0;
}

size_t TimeIntervals::CountContaining(const std::string& name, Timestamp now) const {
  auto it = by_name_.find(name);
  return it == by_name_.end()
             ? 0
             : static_cast<size_t>(std::count_if(it->second.begin(), it->second.end(),
                                                 [&](const Spec& spec) { return Contains(spec, now); }));
}

// A spec begins and ends only where a local day does, where one of its times does, or where the clock of its
// zone is changed: the first such instant after `t`.
Timestamp TimeIntervals::NextCandidate(const Spec& spec, Timestamp t) {
  using std::chrono::floor;
  const auto utc = floor<std::chrono::seconds>(t);
  std::chrono::seconds offset{0};
  Timestamp next = kNever;
  if (spec.zone != nullptr) {
    const date::sys_info info = spec.zone->get_info(utc);
    offset = info.offset;
    // Such instants reach beyond what we count in microseconds.
    if (info.end < utc + kEdgeHorizon) {
      next = info.end;
    }
  }
  const auto local = utc + offset;
  const auto midnight = floor<std::chrono::days>(local);
  auto consider = [&](int minute) {
    const auto at = midnight + std::chrono::minutes(minute) - offset;
    if (at > t) {
      next = std::min(next, Timestamp(at));
    }
  };
  constexpr int kDay = 24 * 60;
  consider(kDay);
  if (spec.spec.times) {
    for (const IntRange& range : *spec.spec.times) {
      consider(range.begin);
      consider(range.end);
    }
  }
  return next;
}

Timestamp TimeIntervals::NextEdgeOf(const std::string& name, Timestamp now) const {
  auto it = by_name_.find(name);
  const Timestamp horizon = After(now, kEdgeHorizon);
  if (it == by_name_.end() || it->second.empty()) {
    return horizon;
  }
  auto contains = [&](Timestamp t) {
    return std::any_of(it->second.begin(), it->second.end(),
                       [&](const Spec& spec) { return Contains(spec, t); });
  };
  const bool inside = contains(now);
  for (Timestamp t = now;;) {
    Timestamp next = kNever;
    for (const Spec& spec : it->second) {
      next = std::min(next, NextCandidate(spec, t));
    }
    if (next >= horizon) {
      return horizon;
    }
    if (contains(next) != inside) {
      return next;
    }
    t = next;
  }
}

Timestamp TimeIntervals::NextEdge(std::span<const std::string> names, Timestamp now) const {
  Timestamp next = kNever;
  for (const std::string& name : names) {
    next = std::min(next, NextEdgeOf(name, now));
  }
  return next;
}

std::vector<std::string> TimeIntervals::Active(std::span<const std::string> names, Timestamp now) const {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    out.insert(out.end(), CountContaining(name, now), name);
  }
  return out;
}

}  // namespace mlalert
