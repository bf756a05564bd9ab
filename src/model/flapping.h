// When an incident counts as flapping. Plain data, frozen into incidents with their policy. Thread: plain
// value.
#pragma once

#include "base/time.h"

namespace mlalert {

struct FlappingLimits {
  int transitions = 10;  // fires and resolves within `window`
  Duration window = std::chrono::minutes(30);
};

}  // namespace mlalert
