// The nouns of acting on alerts: the policy that governs an incident and the incident itself.
// Policies come from config/ and are frozen (copied) into an incident when it opens; incidents/ moves the
// states; storage/ writes them as they are. Plain data, no behaviour. Thread: plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cow.h"
#include "base/result.h"
#include "base/time.h"
#include "model/label_set.h"
#include "model/matcher.h"
#include "model/severity.h"

namespace mlalert {

using IncidentId = int64_t;

struct IncidentChain;   // model/incident_chain.h
struct IncidentHours;   // model/incident_hours.h
struct FlappingLimits;  // model/flapping.h

// One rung of progressive severity: once the ladder clock reads `after`, severity is at least `severity`.
struct LadderStep {
  Duration after{};
  Severity severity = Severity::kNone;
  friend bool operator==(const LadderStep&, const LadderStep&) = default;
};

// Where the parts of a policy stand in the config file; 0: not said.
struct PolicyLines {
  int policy = 0;
  int cooldown = 0;
  int ladder = 0;
  int chain = 0;
  int hours = 0;
  int flapping = 0;
  int acknowledge = 0;
};

struct IncidentPolicy {
  std::string name;
  PolicyLines lines;
  Matchers matchers;
  // No new notification about the same incident sooner than this after the last one; never hides a raise.
  Duration cooldown{};
  // Rising `after`, never lowering severity; the config loader checks both and caps at P1.
  std::vector<LadderStep> ladder;
  // Nobody is told before the first rung.
  bool quiet_before_first_step = false;
  // Zero: an acknowledgement stays until somebody takes it back or the incident resolves.
  Duration ack_expires{};
  // The ladder counts only the hours of `calendar`.
  bool business_clock = false;
  // Name of a calendar of the config in force; empty: none.
  std::string calendar;
  // Age alone may wake people: a raise to P1 does not wait until the calendar opens.
  bool wake = false;
  // Null: none.
  std::shared_ptr<const IncidentChain> chain;
  std::shared_ptr<const IncidentHours> hours;
  std::shared_ptr<const FlappingLimits> flapping;
};

// What of a policy an incident keeps for life (matchers have done their work). JSON object.
std::string PolicyToJson(const IncidentPolicy& policy);
Result<IncidentPolicy> PolicyFromJson(std::string_view json);

enum class IncidentState : uint8_t { kOpen, kAcknowledged, kResolved };
std::string_view ToString(IncidentState state);

// kCondition: the sender said so; kTimeout: the sender went silent until endsAt passed; kManual: somebody
// said that it is over.
enum class ResolveReason : uint8_t { kNone, kCondition, kTimeout, kManual };
// "" | condition | timeout | manual
std::string_view ToString(ResolveReason reason);
ResolveReason ResolveReasonFromString(std::string_view text);

// Who took the incident, and until when.
struct Acknowledgement {
  Timestamp at = kUnset;
  std::string by;
  std::string comment;
  Timestamp expires_at = kUnset;
  std::string
      origin{};  // the integration that knows already; forgotten over a restart, when it hears it again
};

// What most incidents never have: kept apart, so that a hundred thousand of them that nobody touched stay
// small.
struct IncidentCare {
  std::string assignee;
  std::string snoozed_by;
  std::string resolved_by;

  // Set while state is kAcknowledged.
  std::shared_ptr<const Acknowledgement> ack;
  Timestamp snoozed_until = kUnset;  // nobody is told and nothing climbs before
  Timestamp muted_since = kUnset;    // all its alerts are silenced: nothing climbs
  // Resolved by hand: while its alerts go on firing it does not open again before this. Once they have
  // cleared: when that was.
  Timestamp held_until = kUnset;
  // An acknowledgement or a snooze ended then without a resolve: who was told is told again.
  Timestamp woken_at = kUnset;
  // A raise that age has earned, but that would wake people: it waits since then for the calendar to open.
  Timestamp raise_held_since = kUnset;
  Timestamp response_at = kUnset;  // when somebody acted, in this episode

  IncidentId parent = 0;  // the storm that it belongs to
  Timestamp flapping_since = kUnset;
  // When it fired and resolved lately, oldest first; null under a policy that does not look at it.
  std::shared_ptr<const std::vector<Timestamp>> edges;
};

struct Incident {
  IncidentId id = 0;
  LabelSet key;     // identity labels; at most one incident that is not resolved per key
  LabelSet labels;  // of the alert that opened it
  LabelSet annotations;
  // Frozen when the incident opens; shared by all incidents opened under the same config. Null: no policy,
  // the alert behaves as under Alertmanager.
  std::shared_ptr<const IncidentPolicy> policy;
  Cow<IncidentCare> care;

  IncidentState state = IncidentState::kOpen;
  ResolveReason resolve_reason = ResolveReason::kNone;
  Severity base = Severity::kNone;    // highest severity label of its alerts in this episode
  Severity ladder = Severity::kNone;  // what age alone has raised it to
  Severity raised = Severity::kNone;  // by a human
  // Somebody lowered it: severity labels up to this one are overruled in this episode.
  Severity overruled = Severity::kNone;
  // Effective severity; falls only when somebody lowers it.
  Severity severity = Severity::kNone;
  // As of the last notification that told somebody that it fires.
  Severity told_severity = Severity::kNone;

  uint16_t ladder_step = 0;  // rungs already reached
  uint16_t chain_step = 0;   // steps of the chain done in this round
  uint16_t chain_round = 0;
  // Nobody acted by response_due_at.
  bool response_breached = false;

  int32_t reopen_count = 0;
  int32_t episode_count = 0;

  Timestamp opened_at = kUnset;
  Timestamp last_fired_at = kUnset;  // start of the newest episode
  Timestamp resolved_at = kUnset;
  // Last notification that told somebody that it fires: what cooldown compares with.
  Timestamp last_told_at = kUnset;

  // Ladder clock: `clock_elapsed` up to `clock_since`; it runs while clock_since is set.
  Duration clock_elapsed{};
  Timestamp clock_since = kUnset;
  Timestamp next_severity_at = kUnset;  // first instant of the next rung; kUnset: none ahead

  // Whom to tell while nobody acts. Steps count from chain_started_at; kUnset: the chain stands.
  Timestamp chain_started_at = kUnset;
  Timestamp chain_next_at = kUnset;

  // Somebody ought to have acted by then.
  Timestamp response_due_at = kUnset;

  int64_t generation = 0;  // raised by every transition; links and buttons carry the one they were made at
  int64_t opened_generation = 0;  // as of its last opening: what was made before cannot act on it
};
static_assert(sizeof(Incident) <= 192,
              "100,000 of them stand in memory: what is seldom set goes into IncidentCare");

inline bool IsSnoozed(const Incident& incident) {
  return IsSet(incident.care->snoozed_until);
}
// Resolved by hand while its alerts fire on.
inline bool IsHeldResolved(const Incident& incident) {
  return incident.state == IncidentState::kResolved && incident.resolve_reason == ResolveReason::kManual;
}
inline Timestamp ResponseBreachedAt(const Incident& incident) {
  return incident.response_breached ? incident.response_due_at : kUnset;
}

// When the present cooldown ends; kUnset when there is none.
Timestamp CooldownUntil(const Incident& incident);

}  // namespace mlalert
