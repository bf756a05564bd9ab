// Why does somebody hear of an incident, or not? What is decided for it now, receiver by receiver, in the
// order of the pipeline. For people who look at it; the past is in the events (`decided`). Thread: under the
// gate.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"

namespace mlalert {

struct WhyStep {
  // policy | severity | state | chain | silence | inhibition | route | interval | business_hours | storm |
  // flapping | cooldown | rate_limit | dedup
  std::string what;
  std::string receiver;  // empty: for all of them
  std::string text;
  bool holds_back = false;  // this is what keeps it quiet
  std::string where{};      // "file:line" of the config; empty: nothing there says so
};

// What keeps a firing alert from a receiver.
struct HeldBack {
  std::string text;  // empty: nothing does
  int line = 0;      // of the config; 0: nothing there says so
};

}  // namespace mlalert
