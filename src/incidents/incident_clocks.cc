// What of an incident goes by the clock: when ladder and chain run and stand, by when somebody ought to act,
// whether it flaps; and when the next of it is due.
#include <algorithm>
#include <fmt/format.h>

#include "config/calendars.h"
#include "config/response_targets.h"
#include "incidents/business_hours.h"
#include "incidents/chain.h"
#include "incidents/incident_machine.h"
#include "incidents/ladder.h"
#include "model/flapping.h"

namespace mlalert {

void IncidentMachine::StartClocks(Incident& incident, Timestamp at) const {
  if (IsSet(incident.care->muted_since)) {
    StopChain(incident);
    return;  // they start when it is not muted any more, the chain with its first step
  }
  StartLadderClock(incident, at, HoursOf(incident));
  if (!IsQuiet(incident)) {
    StartChain(incident, at);
    ExpectResponse(incident, at);
  }
}

// It fires, or fires again.
void IncidentMachine::GoOn(Change& change, Severity before, Timestamp over_since, Timestamp now) {
  Incident& incident = change.entry->incident;
  const bool flaps = IsSet(incident.care->flapping_since);
  if (!flaps || incident.severity > before) {
    // Who acknowledged or snoozed the lesser trouble has not seen this one.
    EndAcknowledgement(change, now, "severity_raised");
    incident.state = IncidentState::kOpen;
    incident.care.Set(&IncidentCare::snoozed_until, kUnset);
    StartClocks(incident, now);
  } else if (incident.state == IncidentState::kOpen && !IsSnoozed(incident)) {
    ResumeClocks(incident, over_since, now);
  }
}

void IncidentMachine::ResumeClocks(Incident& incident, Timestamp since, Timestamp now) const {
  StartLadderClock(incident, now, HoursOf(incident));
  if (!IsQuiet(incident)) {
    ResumeChain(incident, since, now);
    ExpectResponse(incident, now);
  }
}

void IncidentMachine::StopClocks(Incident& incident, Timestamp at) const {
  StopLadderClock(incident, at, HoursOf(incident));
  StopChain(incident);
}

// A target that runs already stays, unless the new severity asks for an earlier answer.
void IncidentMachine::ExpectResponse(Incident& incident, Timestamp at) const {
  if (config_->response_targets == nullptr || IsSet(incident.care->response_at) ||
      incident.response_breached) {
    return;
  }
  // What waits for business hours is told when they begin.
  Timestamp from = at;
  if (const Calendar* calendar = HeldByHours(incident, config_->calendars.get(), at)) {
    if (IsDroppedBy(*calendar, incident)) {
      return;
    }
    from = calendar->NextOpen(at);
  }
  const Timestamp due = from != kNever ? ResponseDueAt(*config_->response_targets, config_->calendars.get(),
                                                       incident.severity, from)
                                       : kUnset;
  if (IsSet(due) && (!IsSet(incident.response_due_at) || due < incident.response_due_at)) {
    incident.response_due_at = due;
  }
}

void IncidentMachine::Responded(Incident& incident, Timestamp now) {
  if (!IsSet(incident.care->response_at)) {
    incident.care.Set(&IncidentCare::response_at, now);
  }
}

void IncidentMachine::CheckResponse(Change& change, Timestamp now) {
  Incident& incident = change.entry->incident;
  if (!IsSet(incident.response_due_at) || incident.response_due_at > now ||
      IsSet(incident.care->response_at) || incident.response_breached) {
    return;
  }
  incident.response_breached = true;
  change.changed = true;
  EventRecord event = IncidentEvent(incident, now, "response_breached");
  event.reason = fmt::format("nobody acted on {} by {}", ToString(incident.severity),
                             FormatRfc3339Millis(incident.response_due_at));
  change.events.push_back(std::move(event));
}

void IncidentMachine::AdvanceChain(Change& change, Timestamp now) {
  Incident& incident = change.entry->incident;
  while (auto step = TakeChainStep(incident, now)) {
    change.changed = true;
    change.chain_steps.push_back(*step);
  }
  change.chain_exhausted = TakeChainEnd(incident, now);
  change.changed = change.changed || change.chain_exhausted;
}

void IncidentMachine::CountEdge(Change& change, Timestamp now) {
  Incident& incident = change.entry->incident;
  if (incident.policy == nullptr || incident.policy->flapping == nullptr) {
    return;
  }
  const FlappingLimits& limits = *incident.policy->flapping;
  std::vector<Timestamp> edges =
      incident.care->edges != nullptr ? *incident.care->edges : std::vector<Timestamp>{};
  edges.push_back(now);
  std::erase_if(edges, [&](Timestamp edge) { return edge + limits.window < now; });
  const size_t count = edges.size();
  incident.care.Set(&IncidentCare::edges, std::make_shared<const std::vector<Timestamp>>(std::move(edges)));
  if (count >= static_cast<size_t>(limits.transitions) && !IsSet(incident.care->flapping_since)) {
    incident.care.Set(&IncidentCare::flapping_since, now);
    change.speak_now = true;
    EventRecord event = IncidentEvent(incident, now, "flapping_started");
    event.reason = fmt::format("{} changes in {}", count, FormatDuration(limits.window));
    change.events.push_back(std::move(event));
  }
}

// It calms down when fewer than half of the changes that made it flap are left in the window.
Timestamp IncidentMachine::FlappingEndsAt(const Incident& incident) {
  if (!IsSet(incident.care->flapping_since) || incident.policy == nullptr ||
      incident.policy->flapping == nullptr || incident.care->edges == nullptr) {
    return kUnset;
  }
  const FlappingLimits& limits = *incident.policy->flapping;
  const size_t low = static_cast<size_t>(limits.transitions) / 2;
  const std::vector<Timestamp>& edges = *incident.care->edges;
  return edges.size() < low ? incident.care->flapping_since : edges[edges.size() - low] + limits.window;
}

void IncidentMachine::CheckFlapping(Change& change, Timestamp now) {
  Incident& incident = change.entry->incident;
  const Timestamp ends_at = FlappingEndsAt(incident);
  if (!IsSet(ends_at) || ends_at > now) {
    return;
  }
  incident.care.Set(&IncidentCare::flapping_since, kUnset);
  change.changed = true;
  change.speak_now = true;
  if (incident.state != IncidentState::kAcknowledged) {
    // The list begins anew with the end itself: that is how the message knows what ended. Those who heard
    // that it flaps hear that it does not any more.
    incident.care.Set(&IncidentCare::edges,
                      std::make_shared<const std::vector<Timestamp>>(std::vector<Timestamp>{now}));
    incident.care.Set(&IncidentCare::woken_at, now);
    if (incident.state == IncidentState::kResolved) {
      EndCare(change, now);
    }
  }
  change.events.push_back(IncidentEvent(incident, now, "flapping_ended"));
}

Timestamp IncidentMachine::NextDue(const IncidentEntry& entry) const {
  const Incident& incident = entry.incident;
  const IncidentCare& care = *incident.care;
  Timestamp due = kNever;
  auto consider = [&](Timestamp at) { due = IsSet(at) ? std::min(due, at) : due; };
  if (IsSet(care.flapping_since)) {
    consider(FlappingEndsAt(incident));
  }
  if (incident.state == IncidentState::kResolved) {
    if (IsHeldResolved(incident) && !entry.firing.empty()) {
      consider(care.held_until);
    }
    return due;
  }
  consider(incident.next_severity_at);
  if (incident.next_severity_at != kUnset && !IsSet(care.raise_held_since) && incident.policy != nullptr &&
      !incident.policy->calendar.empty()) {
    consider(RungAt(incident, incident.ladder_step, HoursOf(incident)).earned);
  }
  consider(incident.chain_next_at);
  if (incident.state == IncidentState::kOpen && !IsSnoozed(incident) && !IsSet(care.response_at) &&
      !incident.response_breached) {
    consider(incident.response_due_at);
  }
  consider(care.snoozed_until);
  if (care.ack != nullptr) {
    consider(care.ack->expires_at);
  }
  return due;
}

Timestamp IncidentMachine::KeepUntil(const Incident& incident) const {
  Timestamp until =
      After(std::max(incident.resolved_at, incident.care->held_until), config_->incidents.reopen_window);
  if (Timestamp ends_at = FlappingEndsAt(incident); IsSet(ends_at)) {
    until = std::max(until, ends_at);
  }
  Timestamp cooldown = CooldownUntil(incident);
  return IsSet(cooldown) ? std::max(until, cooldown) : until;
}

}  // namespace mlalert
