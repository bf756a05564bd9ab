// What will happen to an incident if nobody does anything: when it is told for the first time, the raises of
// its ladder and the steps of its chain, which begins anew with each raise, with their times and receivers.
// For people who look at it; computed on demand. Thread: under the gate, or on copies with a route tree of
// one's own.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "dispatch/route_tree.h"
#include "model/incident.h"

namespace mlalert {

struct PlanStep {
  // kNotify: the routes tell it, for the first time in this episode.
  enum class Kind : uint8_t { kRaise, kEscalate, kFallback, kNotify };
  Kind kind = Kind::kRaise;
  Timestamp at = kUnset;  // kUnset: it waits for somebody to act
  Severity severity = Severity::kNone;
  std::vector<std::string> receivers;  // concrete ones, as of `at`
  std::vector<std::string> targets;    // as the config names them
  bool paused = false;
  std::string why;      // it is paused, or later than its age says; empty: nothing holds it
  uint32_t number = 0;  // of the rung or step, from 1; 0: it has none
  uint32_t round = 0;   // of the chain
};

// "notify", "raise", "escalate", "fallback".
std::string_view ToString(PlanStep::Kind kind);

inline constexpr size_t kPlanStepsMax = 50;

// What keeps all of it from going on.
struct Pause {
  std::string why;             // empty: nothing does
  Timestamp ends_at = kUnset;  // by itself
};
// When a group that would tell of it looks.
struct PlanLook {
  Timestamp at = kUnset;  // kUnset: not in sight
  std::string why;        // it waits for that
};
struct PlanHolds {
  Pause mutes;        // when all of it is silenced or inhibited
  Pause chain;        // nobody may be told: its ladder goes on, its chain waits
  std::string storm;  // it is part of one, which hides it without an end in sight
  // The first time at or after `from` at which the routes would tell it; `at_tick`: not out of turn. Not set:
  // they have told it in this episode, or will not.
  std::function<PlanLook(Timestamp from, bool at_tick)> first_look;
};

// In the order of time. Nothing for what is resolved.
std::vector<PlanStep> PlanOf(const Incident& incident, const Config& config, const RouteTree& routes,
                             const PlanHolds& holds, Timestamp now);

}  // namespace mlalert
