// ISO weeks, and what of an hour is business, evening or night where people live. Thread: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "storage/quality_source.h"

namespace mlalert {

// A zone of the tz database; "" and "UTC" are UTC.
class TimeZone {
 public:
  TimeZone() = default;
  static Result<TimeZone> Find(const std::string& name);

  const std::string& name() const { return name_; }
  // Local wall clock as if it were UTC.
  Timestamp ToLocal(Timestamp t) const;
  // The instant of a local wall clock time; the earlier one of two, the end of the gap when it does not
  // exist.
  Timestamp FromLocal(Timestamp local) const;

 private:
  std::string name_ = "UTC";
  const void* zone_ = nullptr;  // date::time_zone, which lives as long as the process
};

struct Week {
  std::string name;  // 2026-W47
  Span span;         // Monday 00:00 to Monday 00:00, in the zone
};
// "2026-W47", "2026W47".
Result<Week> ParseWeek(std::string_view text, const TimeZone& zone);
Week WeekOf(Timestamp t, const TimeZone& zone);
// The whole week before the one that `t` lies in.
Week LastWeek(Timestamp t, const TimeZone& zone);

// Business: Monday to Friday 08-18. Off: Monday to Friday 18-22, weekends 08-22. Sleep: 22-08.
enum class Bucket : uint8_t { kBusiness, kOff, kSleep };
inline constexpr size_t kBuckets = 3;
std::string_view ToString(Bucket bucket);
Bucket BucketOf(Timestamp t, const TimeZone& zone);
// How much of [from, until) is business time.
Duration BusinessTime(Timestamp from, Timestamp until, const TimeZone& zone);
// 18:00 of the first business day after the day of `t`.
Timestamp EndOfNextBusinessDay(Timestamp t, const TimeZone& zone);
// The first instant at which `length` of business time has passed since `t`.
Timestamp AfterBusinessTime(Timestamp t, Duration length, const TimeZone& zone);

}  // namespace mlalert
