// Dates and waits as HTTP writes them.
// Used by: net/http_transfer (Retry-After of every answer). Pure: the time of arrival is an argument.
#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace mlalert {

// A server that asks for more is asked again after this long all the same.
inline constexpr Duration kRetryAfterMax = std::chrono::hours(24);

// The three forms of RFC 9110: IMF-fixdate, RFC 850, asctime. Error: kInvalid.
Result<Timestamp> ParseHttpDate(std::string_view text);

// Retry-After: seconds, or a date, which is read against the answer's own Date header (`date`, may be empty)
// because the two clocks need not agree; without one against `now`. Nothing when it cannot be understood; 0
// when it lies in the past.
std::optional<Duration> ParseRetryAfter(std::string_view value, std::string_view date, Timestamp now);

}  // namespace mlalert
