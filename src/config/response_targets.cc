#include "config/response_targets.h"

#include "config/calendars.h"

namespace mlalert {
namespace {

const Calendar& WorkingDays() {
  static const Calendar* const kWeekdays = [] {
    CalendarConfig config;
    config.name = "monday to friday";
    config.intervals.emplace_back().weekdays = std::vector<IntRange>{{1, 5}};
    return new Calendar(std::move(config));
  }();
  return *kWeekdays;
}

}  // namespace

Timestamp ResponseDueAt(const ResponseTargets& targets, const Calendars* calendars, Severity severity,
                        Timestamp from) {
  const ResponseTarget& target = targets.by_severity[static_cast<size_t>(severity)];
  if (target.next_business_day) {
    const Calendar* calendar = calendars != nullptr ? calendars->Find(targets.calendar) : nullptr;
    const Timestamp end = (calendar != nullptr ? *calendar : WorkingDays()).EndOfNextBusinessDay(from);
    return end == kNever ? kUnset : end;
  }
  return target.within > Duration::zero() ? After(from, target.within) : kUnset;
}

}  // namespace mlalert
