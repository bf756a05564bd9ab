// Go's time.Time and time.Duration as templates see them: layouts, printing, methods.
// Thread: pure functions; the zone database is read-only after its first use.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "template/value.h"

namespace mlalert::tmpl {

inline constexpr std::string_view kRfc3339NanoLayout = "2006-01-02T15:04:05.999999999Z07:00";

// Time.Format with Go's reference layout ("2006-01-02 15:04:05").
std::string FormatLayout(const Time& t, std::string_view layout);
// What {{ $time }} prints: 2006-01-02 15:04:05.999999999 -0700 MST.
std::string PrintTime(const Time& t);
// time.Parse; the layout's elements must all be there. Error: `parsing time "x" as "y": cannot parse ...`.
Result<Time> ParseLayout(std::string_view layout, std::string_view text);
// The zone of that name ("UTC", "Local" and "" too). Error: "unknown time zone X/Y".
Result<Time> InZone(Time t, std::string_view zone_name);

std::string_view MonthName(int64_t month);      // 1 is January; "" outside 1..12
std::string_view WeekdayName(int64_t weekday);  // 0 is Sunday; "" outside 0..6

// Methods that values of kinds kTime, kDuration and kInt (months, weekdays) have; null: no such method.
const Signature* FindValueMethod(const Value& v, std::string_view name);
Result<Value> CallValueMethod(const Value& v, std::string_view name, std::span<const Value> args);

}  // namespace mlalert::tmpl
