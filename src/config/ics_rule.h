// RRULE of an iCalendar event: those that holidays have, on dates or weekdays of months of every year. All
// others are refused. Thread: pure functions.
#pragma once

#include <climits>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/calendars.h"

namespace mlalert {

struct IcsRule {
  struct Weekday {
    int nth = 0;       // within its month; negative: from the end; 0: all of them
    unsigned day = 0;  // 0: Sunday
  };
  int interval = 1;
  int count = INT_MAX;
  std::string until;            // empty: for ever
  std::vector<int> months;      // empty: that of the first occurrence
  std::vector<int> month_days;  // negative: from the end
  std::vector<Weekday> weekdays;
};

Result<IcsRule> ParseIcsRule(std::string_view value);
// The first occurrence and those after it up to `last`, as far as calendars are laid out.
std::vector<LocalDay> IcsRuleDays(const IcsRule& rule, LocalDay first, LocalDay last);

}  // namespace mlalert
