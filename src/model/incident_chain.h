// Whom to tell while nobody acts: the chain of a policy. Plain data, frozen into incidents with their policy.
// Thread: plain value.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "model/matcher.h"
#include "model/severity.h"

namespace mlalert {

struct ChainStep {
  int line = 0;                        // of the config file
  Duration after{};                    // on the chain's clock, which stands while somebody has it in hand
  std::vector<std::string> receivers;  // or schedules
  Matchers matchers;                   // on effective labels; empty: always
  std::vector<Severity> severities;    // empty: all
};

struct IncidentChain {
  std::vector<ChainStep> steps;  // rising `after`
  // After the last step it begins again `repeat_every` later, so many times, at step `repeat_from`.
  int repeat_times = 0;
  Duration repeat_every = std::chrono::minutes(30);
  size_t repeat_from = 0;
  // Told when a step reaches nobody, and when the chain has come to its end.
  std::vector<std::string> fallback;
};

inline constexpr size_t kChainStepsMax = 32;
inline constexpr int kChainRepeatsMax = 100;

}  // namespace mlalert
