// A histogram of durations with fixed bounds, cheap enough for every evaluation. Read by: /metrics.
// Thread: a plain value.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/time.h"

namespace mlalert {

struct DurationHistogram {
  // In seconds.
  static constexpr std::array<double, 12> kBounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                     0.5,   1,    2.5,   5,    10,  30};

  std::array<uint64_t, kBounds.size() + 1> counts{};  // the last one: longer
  Duration sum{};

  void Observe(Duration took) {
    took = std::max(took, Duration::zero());
    const auto at = std::lower_bound(kBounds.begin(), kBounds.end(), ToSeconds(took));
    ++counts[static_cast<size_t>(at - kBounds.begin())];
    sum += took;
  }
};

}  // namespace mlalert
