// The nouns of acting on alerts: the policy that governs an incident and the incident itself.
// Policies come from config/ and are frozen (copied) into an incident when it opens; incidents/ moves the
// states; storage/ writes them as they are. Plain data, no behaviour. Thread: plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/label_set.h"
#include "model/matcher.h"
#include "model/severity.h"

namespace mlalert {

using IncidentId = int64_t;

// One rung of progressive severity: once the ladder clock reads `after`, severity is at least `severity`.
struct LadderStep {
  Duration after{};
  Severity severity = Severity::kNone;
  friend bool operator==(const LadderStep&, const LadderStep&) = default;
};

struct IncidentPolicy {
  std::string name;
  Matchers matchers;
  // No new notification about the same incident sooner than this after the last one; never hides a raise.
  Duration cooldown{};
  // Rising `after`, never lowering severity; the config loader checks both and caps at P1.
  std::vector<LadderStep> ladder;
  // Nobody is told before the first rung.
  bool quiet_before_first_step = false;
  // Zero: an acknowledgement stays until somebody takes it back or the incident resolves.
  Duration ack_expires{};
};

// What of a policy an incident keeps for life (matchers have done their work). JSON object.
std::string PolicyToJson(const IncidentPolicy& policy);
Result<IncidentPolicy> PolicyFromJson(std::string_view json);

enum class IncidentState : uint8_t { kOpen, kAcknowledged, kResolved };
std::string_view ToString(IncidentState state);

// kCondition: the sender said so; kTimeout: the sender went silent until endsAt passed.
enum class ResolveReason : uint8_t { kNone, kCondition, kTimeout };
// "" | condition | timeout
std::string_view ToString(ResolveReason reason);
ResolveReason ResolveReasonFromString(std::string_view text);

// Who took the incident, and until when.
struct Acknowledgement {
  Timestamp at = kUnset;
  std::string by;
  std::string comment;
  Timestamp expires_at = kUnset;
};

struct Incident {
  IncidentId id = 0;
  LabelSet key;     // identity labels; at most one incident that is not resolved per key
  LabelSet labels;  // of the alert that opened it
  LabelSet annotations;
  IncidentState state = IncidentState::kOpen;
  // Frozen when the incident opens; shared by all incidents opened under the same config. Null: no policy,
  // the alert behaves as under Alertmanager.
  std::shared_ptr<const IncidentPolicy> policy;

  Severity base = Severity::kNone;    // highest severity label of its alerts in this episode
  Severity ladder = Severity::kNone;  // what age alone has raised it to
  Severity raised = Severity::kNone;  // by a human
  // Effective severity; never falls while the incident is not resolved.
  Severity severity = Severity::kNone;

  Timestamp opened_at = kUnset;
  Timestamp last_fired_at = kUnset;  // start of the newest episode
  Timestamp resolved_at = kUnset;
  ResolveReason resolve_reason = ResolveReason::kNone;

  // Ladder clock: `clock_elapsed` up to `clock_since`; it runs while clock_since is set.
  Duration clock_elapsed{};
  Timestamp clock_since = kUnset;
  Timestamp next_severity_at = kUnset;  // first instant of the next rung; kUnset: none ahead
  uint32_t ladder_step = 0;             // rungs already reached

  // Set while state is kAcknowledged.
  std::shared_ptr<const Acknowledgement> ack;

  // Last notification that told somebody it fires, and at which severity: what cooldown compares with.
  Timestamp last_told_at = kUnset;
  Severity told_severity = Severity::kNone;

  int64_t generation = 0;  // raised by every transition; stale timers and links carry an older one
  int32_t reopen_count = 0;
  int32_t episode_count = 0;
};

// When the present cooldown ends; kUnset when there is none.
Timestamp CooldownUntil(const Incident& incident);

}  // namespace mlalert
