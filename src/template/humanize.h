// The number functions that rule and notification templates share.
// Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "template/value.h"

namespace mlalert::tmpl {

// Any number, a duration (in seconds), or text as Go's ParseFloat reads it.
// Errors: "can't convert bool to float", `strconv.ParseFloat: parsing "x": invalid syntax`.
Result<double> ToFloat(const Value& v);

std::string Humanize(double v);            // 1234567 -> 1.235M
std::string Humanize1024(double v);        // 1048576 -> 1Mi
std::string HumanizeDuration(double v);    // 3661 -> 1h 1m 1s
std::string HumanizePercentage(double v);  // 0.5 -> 50%
// Seconds since the epoch, cut to milliseconds. Error: "... cannot be represented as a nanoseconds timestamp
// ...".
Result<Time> ToTime(double v);

}  // namespace mlalert::tmpl
