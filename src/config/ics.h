// Holidays from iCalendar files (RFC 5545). An event closes the local days that it covers: whole days are
// meant, a meeting closes nothing and is reported. What cannot be read as it is meant is an error, never a
// guess. Fed by: config_calendars.cc. Thread: pure functions.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/calendars.h"

namespace mlalert {

struct IcsProblem {
  bool is_error = true;
  int line = 0;  // 1-based, in the .ics file
  std::string message, hint;
};

struct IcsHolidays {
  std::set<LocalDay> days;
  std::vector<IcsProblem> problems;  // of an event with an error no day is taken
};

// `time_zone`: of the calendar, whose local days they are; times without a zone are meant in it.
IcsHolidays ParseIcsHolidays(std::string_view text, const std::string& time_zone);

}  // namespace mlalert
