// By when somebody ought to have acted on an incident, by its severity. Thread: immutable after load.
#pragma once

#include <array>
#include <string>

#include "base/time.h"
#include "model/severity.h"

namespace mlalert {

struct ResponseTarget {
  // kZero and not next_business_day: no target.
  Duration within{};
  bool next_business_day = false;
  friend bool operator==(const ResponseTarget&, const ResponseTarget&) = default;
};

struct ResponseTargets {
  // By Severity. As shipped: P0 15 min, P1 1 h, P2 4 h, P3 the next business day.
  std::array<ResponseTarget, 5> by_severity = {{{},
                                                {{}, true},
                                                {std::chrono::hours(4), false},
                                                {std::chrono::hours(1), false},
                                                {std::chrono::minutes(15), false}}};
  // Of business days. Empty: Monday to Friday in UTC.
  std::string calendar;
};

class Calendars;

// kUnset: there is no target for this severity.
Timestamp ResponseDueAt(const ResponseTargets& targets, const Calendars* calendars, Severity severity,
                        Timestamp from);

}  // namespace mlalert
