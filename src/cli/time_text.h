// Times and durations as the command line reads and prints them: UTC to the second, durations in two units.
// Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace mlalert {

// 2026-11-23T15:04:05Z; empty for kUnset.
std::string TimeText(Timestamp t);
// "2d4h", "3h12m", "12m5s", "5s"; below a second "0s". Negative ones count as zero: clocks differ.
std::string SpanText(Duration d);
// "24h" counts back from `now`; else RFC 3339, or a date (its midnight, UTC). Error: kInvalid.
Result<Timestamp> ParseTimeFlag(std::string_view text, Timestamp now);

}  // namespace mlalert
