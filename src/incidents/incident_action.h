// What people do with an incident: one input of the engine, whatever the door. Every action is an event with
// actor, reason, time and generation; an action that finds the incident as it wants it changes nothing, so
// that echoes between systems do not loop. Thread: plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "model/actor.h"
#include "model/incident.h"

namespace mlalert {

enum class ActionKind : uint8_t {
  kAcknowledge,
  kUnacknowledge,  // also ends a snooze
  kSnooze,
  kComment,
  kAssign,
  kRaise,
  kLower,
  kResolve,
  kReopen,  // what was resolved by hand and fires on
};
// "acknowledge" ...
std::string_view ToString(ActionKind kind);

struct IncidentAction {
  ActionKind kind = ActionKind::kAcknowledge;
  IncidentId incident_id = 0;
  Actor actor;
  std::string reason;  // or the comment itself
  // As of when the link or button was made; refused when the incident has opened anew since. Unset: whatever
  // it is now.
  std::optional<int64_t> generation;
  // kAcknowledge: when it expires (kUnset: what the policy says). kSnooze: its end. kResolve: how long it
  // stays resolved while its alerts fire on (kUnset: incidents.resolve_hold).
  Timestamp until = kUnset;
  Severity severity = Severity::kNone;  // kRaise, kLower
  std::string assignee;                 // kAssign; empty: nobody
  // The integration of a receiver where it was done, as IntegrationName() writes it: it is not told of it
  // again.
  std::string origin{};
};

inline constexpr Duration kSnoozeMax = std::chrono::hours(24 * 7);

struct ActionResult {
  Incident incident;     // after the action
  bool changed = false;  // false: it was so already
};

}  // namespace mlalert
