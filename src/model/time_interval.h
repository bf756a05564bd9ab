// Named time intervals as Alertmanager's time_intervals: pure data; evaluated by mute/time_intervals.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace mlalert {

// Inclusive on both ends, in the unit of the list it stands in.
struct IntRange {
  int begin = 0;
  int end = 0;
  friend bool operator==(const IntRange&, const IntRange&) = default;
};

// A present list with no element contains nothing; an absent list is no constraint.
struct TimeIntervalSpec {
  std::optional<std::vector<IntRange>> times;          // minutes of the local day, [begin, end)
  std::optional<std::vector<IntRange>> weekdays;       // 0 = Sunday
  std::optional<std::vector<IntRange>> days_of_month;  // 1..31 or -1..-31
  std::optional<std::vector<IntRange>> months;
  std::optional<std::vector<IntRange>> years;
  std::string location;  // IANA name; empty: UTC
};

struct NamedTimeInterval {
  int line = 0;  // of the config file
  std::string name;
  std::vector<TimeIntervalSpec> specs;
};

}  // namespace mlalert
