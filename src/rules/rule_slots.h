// When a group is evaluated: at instants one interval apart, at an offset that spreads groups over the
// interval and that Prometheus would choose too. Pure.
#pragma once

#include <string_view>

#include "base/time.h"

namespace mlalert {

// In [0, interval). `interval` > 0.
Duration SlotOffset(std::string_view file, std::string_view group, Duration interval);

// The last slot at or before `t`; slots are at `grid` plus multiples of `interval`.
Timestamp SlotAtOrBefore(Timestamp t, Timestamp grid, Duration interval);

}  // namespace mlalert
