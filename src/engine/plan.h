// What will happen to an incident if nobody does anything: the raises of its ladder and the steps of its
// chain, which begins anew with each raise, with their times and receivers. For people who look at it;
// computed on demand. Thread: under the gate, or on copies with a route tree of one's own.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "dispatch/route_tree.h"
#include "model/incident.h"

namespace mlalert {

struct PlanStep {
  enum class Kind : uint8_t { kRaise, kEscalate, kFallback };
  Kind kind = Kind::kRaise;
  Timestamp at = kUnset;  // kUnset: it waits for somebody to act
  Severity severity = Severity::kNone;
  std::vector<std::string> receivers;  // concrete ones, as of `at`
  std::vector<std::string> targets;    // as the config names them
  bool paused = false;
  std::string why;      // it is paused, or later than its age says; empty: nothing holds it
  uint32_t number = 0;  // of the rung or step, from 1
  uint32_t round = 0;   // of the chain
};

inline constexpr size_t kPlanStepsMax = 50;

// What keeps all of it from going on.
struct Pause {
  std::string why;             // empty: nothing does
  Timestamp ends_at = kUnset;  // by itself
};
struct PlanHolds {
  Pause silences;  // when it is silenced
  Pause chain;     // nobody may be told: its ladder goes on, its chain waits
};

// In the order of time. Nothing for what is resolved.
std::vector<PlanStep> PlanOf(const Incident& incident, const Config& config, const RouteTree& routes,
                             const PlanHolds& holds, Timestamp now);

}  // namespace mlalert
