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
};

}  // namespace mlalert
