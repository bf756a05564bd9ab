#include "incidents/incident_machine.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/json.h"
#include "config/calendars.h"
#include "incidents/chain.h"
#include "incidents/ladder.h"

namespace mlalert {

EventRecord IncidentEvent(const Incident& incident, Timestamp now, std::string type) {
  EventRecord event;
  event.at = now;
  event.incident_id = incident.id;
  event.type = std::move(type);
  event.actor_kind = "system";
  event.generation = incident.generation;
  return event;
}

EventRecord ActionEvent(const Incident& incident, Timestamp now, std::string type,
                        const IncidentAction& action) {
  EventRecord event = IncidentEvent(incident, now, std::move(type));
  event.actor_kind = "human";
  event.actor = action.actor.name;
  event.via = action.actor.via;
  event.address = action.actor.address;
  event.reason = action.reason;
  return event;
}

namespace {

// Policies are shared by the incidents opened under one config.
std::shared_ptr<const IncidentPolicy> Freeze(const ConfigPtr& config, const LabelSet& labels) {
  const IncidentPolicy* policy = config->FindPolicy(labels);
  return policy != nullptr ? std::shared_ptr<const IncidentPolicy>(config, policy) : nullptr;
}

}  // namespace

LabelSet IncidentMachine::KeyOf(const LabelSet& labels) const {
  const auto& identity = config_->incidents.identity;
  return identity.empty() ? labels : labels.Project(identity);
}

IncidentEntry* IncidentMachine::Open(const AlertEntry& alert, LabelSet key, Timestamp now) {
  Incident incident;
  incident.id = next_id_++;
  incident.key = std::move(key);
  incident.labels = alert.alert.labels;
  incident.annotations = alert.alert.annotations;
  incident.policy = Freeze(config_, alert.alert.labels);
  incident.opened_at = now;
  incident.last_fired_at = now;
  return table_.Insert(std::move(incident));
}

void IncidentMachine::Reopen(IncidentEntry& entry, Timestamp now) {
  Incident& incident = entry.incident;
  // While it flaps it is one incident: who has it in hand has it still.
  incident.state = incident.care->ack != nullptr ? IncidentState::kAcknowledged : IncidentState::kOpen;
  incident.last_fired_at = now;
  incident.resolved_at = kUnset;
  incident.resolve_reason = ResolveReason::kNone;
  // A new episode: severity starts again from the alert, but age is carried on, or a flapping alert never
  // climbs.
  incident.base = Severity::kNone;
  incident.raised = Severity::kNone;
  incident.overruled = Severity::kNone;
  incident.severity = Severity::kNone;
  incident.care.Set(&IncidentCare::held_until, kUnset);
  incident.care.Set(&IncidentCare::woken_at, kUnset);
  incident.care.Set(&IncidentCare::muted_since, kUnset);
  incident.response_due_at = kUnset;
  incident.care.Set(&IncidentCare::response_at, kUnset);
  incident.response_breached = false;
  ++incident.reopen_count;
}

IncidentMachine::Change IncidentMachine::OnFired(AlertEntry& alert, Timestamp now) {
  LabelSet key = KeyOf(alert.alert.labels);
  Change change;
  change.changed = true;
  IncidentEntry* entry = table_.FindByKey(key);
  bool joins = entry != nullptr && entry->incident.state != IncidentState::kResolved;
  // What was resolved by hand is not over before its alerts have cleared.
  bool reopens = entry != nullptr && !joins &&
                 (!entry->firing.empty() ||
                  now - std::max(entry->incident.resolved_at, entry->incident.care->held_until) <=
                      config_->incidents.reopen_window);
  if (!joins && !reopens) {
    const IncidentEntry* previous = entry;
    entry = Open(alert, std::move(key), now);
    // A cooldown outlives the incident that started it, or a rule that flaps slowly would page each time.
    if (previous != nullptr && CooldownUntil(previous->incident) > now) {
      entry->incident.last_told_at = previous->incident.last_told_at;
      entry->incident.told_severity = previous->incident.told_severity;
    }
  }
  const Severity before = reopens ? entry->incident.severity : Severity::kNone;
  const Timestamp over_since = reopens ? entry->incident.resolved_at : kUnset;
  if (reopens) {
    Reopen(*entry, now);
  }
  Incident& incident = entry->incident;
  change.entry = entry;
  ++incident.episode_count;
  ++incident.generation;
  if (!joins) {
    incident.opened_generation = incident.generation;
    change.events.push_back(IncidentEvent(incident, now, reopens ? "reopened" : "opened"));
    CountEdge(change, now);
  }
  entry->firing.Add(alert);
  alert.incident_id = incident.id;

  Severity severity = SeverityFromLabel(alert.alert.labels.Get("severity"));
  if (severity > incident.base) {
    incident.base = severity;
  }
  if (!joins) {
    // Nothing is raised by opening: the alert has the severity it came with.
    incident.severity = std::max(incident.base, incident.ladder);
    change.severity_changed = change.raised = incident.severity > severity;
    if (reopens && entry->firing.size() > 1) {
      // Others fired on while it was resolved by hand: they speak again as well.
      for (const AlertEntry* other : entry->firing) {
        incident.base = std::max(incident.base, SeverityFromLabel(other->alert.labels.Get("severity")));
      }
      incident.severity = std::max(incident.base, incident.ladder);
      change.severity_changed = true;
      change.speak_now = true;
    }
    GoOn(change, before, over_since, now);
  } else {
    ApplySeverity(change, now, "source", "");
  }
  return change;
}

IncidentMachine::Change IncidentMachine::OnResolved(AlertEntry& alert, ResolveReason reason, Timestamp now) {
  Change change;
  change.entry = table_.Find(alert.incident_id);
  if (change.entry == nullptr) {
    return change;
  }
  change.entry->firing.Remove(alert);
  if (!change.entry->firing.empty()) {
    return change;
  }
  if (change.entry->incident.state != IncidentState::kResolved) {
    Close(change, reason, now);
  } else if (IsHeldResolved(change.entry->incident)) {
    // From here on a fire is an edge again.
    change.entry->incident.care.Set(&IncidentCare::held_until, now);
    change.changed = true;
    EventRecord event = IncidentEvent(change.entry->incident, now, "cleared");
    event.reason = ToString(reason);
    change.events.push_back(std::move(event));
  }
  return change;
}

IncidentMachine::Change IncidentMachine::CloseIfNothingFires(IncidentEntry& entry, Timestamp now) {
  Change change;
  change.entry = &entry;
  if (entry.firing.empty() && entry.incident.state != IncidentState::kResolved) {
    Close(change, ResolveReason::kTimeout, now);
  }
  return change;
}

void IncidentMachine::Close(Change& change, ResolveReason reason, Timestamp now) {
  Incident& incident = change.entry->incident;
  change.changed = true;
  incident.care.Set(&IncidentCare::muted_since, kUnset);
  incident.state = IncidentState::kResolved;
  incident.resolved_at = now;
  incident.resolve_reason = reason;
  ++incident.generation;
  EventRecord event = IncidentEvent(incident, now, "resolved");
  event.reason = ToString(reason);
  change.events.push_back(std::move(event));
  CountEdge(change, now);
  if (IsSet(incident.care->flapping_since)) {
    StopLadderClock(incident, now, HoursOf(incident));
    incident.chain_next_at = kUnset;  // it goes on where it stands when it fires again
  } else {
    EndCare(change, now);
  }
}

// It is over: nobody has it in hand any more, and nothing of it is ahead.
void IncidentMachine::EndCare(Change& change, Timestamp now) {
  Incident& incident = change.entry->incident;
  EndAcknowledgement(change, now, "resolved");
  incident.care.Set(&IncidentCare::snoozed_until, kUnset);
  StopClocks(incident, now);
}

void IncidentMachine::ApplySeverity(Change& change, Timestamp now, std::string_view reason,
                                    std::string_view data, const IncidentAction* action) {
  Incident& incident = change.entry->incident;
  Severity before = incident.severity;
  incident.severity = EffectiveSeverity(incident);
  if (incident.severity == before) {
    return;
  }
  ++incident.generation;
  change.changed = true;
  change.severity_changed = true;
  change.raised = true;
  // Without a policy an alert waits for its group's tick, as under Alertmanager.
  change.speak_now = incident.policy != nullptr || action != nullptr;
  EventRecord event = action != nullptr ? ActionEvent(incident, now, "raised", *action)
                                        : IncidentEvent(incident, now, "raised");
  if (action == nullptr) {
    event.reason = reason;
  }
  event.from_value = ToString(before);
  event.to_value = ToString(incident.severity);
  event.data = data;
  change.events.push_back(std::move(event));
  if (incident.state == IncidentState::kResolved) {
    return;
  }
  if (reason != "age") {
    // Who acknowledged or snoozed the lesser trouble has not seen this one.
    if (incident.state == IncidentState::kAcknowledged) {
      EndAcknowledgement(change, now, "severity_raised");
      incident.state = IncidentState::kOpen;
    }
    incident.care.Set(&IncidentCare::snoozed_until, kUnset);
    if (action != nullptr) {
      Responded(incident, now);
    } else if (IsSet(incident.care->response_at)) {
      incident.care.Set(&IncidentCare::response_at, kUnset);
      incident.response_breached = false;
      incident.response_due_at = kUnset;
    }
  }
  // From the first step, for those who care about this severity.
  StartClocks(incident, now);
}

void IncidentMachine::Wake(Change& change, Timestamp since) {
  Incident& incident = change.entry->incident;
  incident.state = IncidentState::kOpen;
  incident.care.Set(&IncidentCare::snoozed_until, kUnset);
  incident.care.Set(&IncidentCare::woken_at, since);
  ++incident.generation;
  change.changed = true;
  change.speak_now = true;
  StartClocks(incident, since);
}

void IncidentMachine::ExpireAcknowledgement(Change& change, Timestamp now) {
  Incident& incident = change.entry->incident;
  // It ended when it ended, even when the process was down then: the ladder clock has run since.
  const Timestamp expired_at = incident.care->ack->expires_at;
  const std::string by = incident.care->ack->by;
  EndAcknowledgement(change, expired_at, "expired");
  if (IsSnoozed(incident)) {
    incident.state = IncidentState::kOpen;
    ++incident.generation;
    change.changed = true;
  } else {
    Wake(change, expired_at);
  }
  EventRecord event = IncidentEvent(incident, now, "acknowledgement_expired");
  event.reason = fmt::format("acknowledgement by {} expired", by);
  change.events.push_back(std::move(event));
}

void IncidentMachine::OpenAnew(Change& change, Timestamp now) {
  IncidentEntry& entry = *change.entry;
  Incident& incident = entry.incident;
  Reopen(entry, now);
  ++incident.generation;
  incident.opened_generation = incident.generation;
  for (const AlertEntry* alert : entry.firing) {
    incident.base = std::max(incident.base, SeverityFromLabel(alert->alert.labels.Get("severity")));
  }
  incident.severity = std::max(incident.base, incident.ladder);
  StartClocks(incident, now);
  change.changed = true;
  change.severity_changed = true;
  change.speak_now = true;
}

// The time for which it was resolved by hand is over, and its alerts fire still.
void IncidentMachine::EndHold(Change& change, Timestamp now) {
  OpenAnew(change, now);
  EventRecord event = IncidentEvent(change.entry->incident, now, "reopened");
  event.reason = "it fires still, and the time for which it was resolved by hand is over";
  change.events.push_back(std::move(event));
}

IncidentMachine::Change IncidentMachine::OnTimer(IncidentEntry& entry, Timestamp now) {
  Change change;
  change.entry = &entry;
  Incident& incident = entry.incident;
  CheckFlapping(change, now);
  if (incident.state == IncidentState::kResolved) {
    if (IsHeldResolved(incident) && !entry.firing.empty() && IsSet(incident.care->held_until) &&
        incident.care->held_until <= now) {
      EndHold(change, now);
    }
    return change;
  }
  if (incident.care->ack != nullptr && IsSet(incident.care->ack->expires_at) &&
      incident.care->ack->expires_at <= now) {
    ExpireAcknowledgement(change, now);
  }
  if (IsSnoozed(incident) && incident.care->snoozed_until <= now) {
    const Timestamp ended_at = incident.care->snoozed_until;
    if (incident.care->ack != nullptr) {
      EndAcknowledgement(change, ended_at, "snooze_ended");
    }
    Wake(change, ended_at);
    change.events.push_back(IncidentEvent(incident, now, "snooze_ended"));
  }
  if (incident.state == IncidentState::kOpen && !IsSnoozed(incident)) {
    change.looks_same = !change.changed;
    Climb(change, now);
    if (!change.changed) {
      AdvanceChain(change, now);  // else the raise is told first
    }
    CheckResponse(change, now);
  }
  return change;
}

void IncidentMachine::Climb(Change& change, Timestamp now) {
  Incident& incident = change.entry->incident;
  bool was_quiet = IsQuiet(incident);
  uint32_t first_rung = incident.ladder_step;
  const LadderHours hours = HoursOf(incident);
  LadderResult climbed = ClimbLadder(incident, now, hours);
  if (climbed.reached == 0) {
    const RungTime next = RungAt(incident, incident.ladder_step, hours);
    if (IsSet(next.earned) && next.earned <= now && next.at > now &&
        !IsSet(incident.care->raise_held_since)) {
      incident.care.Set(&IncidentCare::raise_held_since, next.earned);
      change.changed = true;
      EventRecord held = IncidentEvent(incident, now, "raise_held");
      held.to_value = ToString(incident.policy->ladder[incident.ladder_step].severity);
      held.reason = fmt::format("it would wake somebody: {} opens {}", incident.policy->calendar,
                                next.at == kNever ? "never" : FormatRfc3339Millis(next.at));
      change.events.push_back(std::move(held));
    }
    return;
  }
  change.changed = true;
  // Rungs passed while nobody looked (the process was down) are logged, not told one by one.
  for (uint32_t i = 0; i + 1 < climbed.reached; ++i) {
    EventRecord skipped = IncidentEvent(incident, now, "raise_skipped");
    skipped.reason = "skipped_while_down";
    skipped.to_value = ToString(incident.policy->ladder[first_rung + i].severity);
    change.events.push_back(std::move(skipped));
  }
  if (EffectiveSeverity(incident) != incident.severity) {
    std::string data = fmt::format(R"({{"due_at":{},"done_at":{},"clock_seconds":)",
                                   ToUnixMillis(climbed.due_at), ToUnixMillis(now));
    AppendJsonNumber(data, ToSeconds(LadderClock(incident, now, hours)));
    ApplySeverity(change, now, "age", data + '}');
  }
  if (was_quiet) {
    change.speak_now = true;
    if (!IsSet(incident.chain_started_at)) {
      StartClocks(incident, now);
    }
  }
}

IncidentMachine::Change IncidentMachine::OnMuted(IncidentEntry& entry, bool muted, bool decided,
                                                 Timestamp now) {
  Change change;
  change.entry = &entry;
  Incident& incident = entry.incident;
  if (incident.state == IncidentState::kResolved || muted == IsSet(incident.care->muted_since)) {
    return change;
  }
  change.changed = true;
  ++incident.generation;
  if (muted) {
    StopLadderClock(incident, now, HoursOf(incident));
    incident.chain_next_at = kUnset;
    incident.care.Set(&IncidentCare::muted_since, now);
    if (decided) {
      Responded(incident, now);
    } else if (!incident.response_breached && !IsSet(incident.care->response_at)) {
      incident.response_due_at = kUnset;  // nobody can be expected to act on what nobody is told
    }
  } else {
    const Timestamp since = incident.care->muted_since;
    incident.care.Set(&IncidentCare::muted_since, kUnset);
    if (incident.state == IncidentState::kOpen && !IsSnoozed(incident)) {
      ResumeClocks(incident, since, now);
    }
  }
  change.events.push_back(IncidentEvent(incident, now, muted ? "muted" : "unmuted"));
  return change;
}

IncidentMachine::Change IncidentMachine::OnNobodyReached(IncidentEntry& entry, std::string reason,
                                                         Timestamp now) {
  Change change;
  change.entry = &entry;
  change.changed = true;
  EventRecord event = IncidentEvent(entry.incident, now, "nobody_reached");
  event.reason = std::move(reason);
  change.events.push_back(std::move(event));
  HastenChain(entry.incident, now);
  return change;
}

void IncidentMachine::Reschedule(IncidentEntry& entry) {
  if (IsSet(entry.incident.clock_since)) {
    entry.incident.next_severity_at = NextRungAt(entry.incident, HoursOf(entry.incident));
  }
}

void IncidentMachine::EndAcknowledgement(Change& change, Timestamp now, std::string_view end_reason) {
  Incident& incident = change.entry->incident;
  if (incident.care->ack == nullptr) {
    return;
  }
  const Acknowledgement& ack = *incident.care->ack;
  change.acknowledgements.push_back(
      {incident.id, ack.at, ack.by, "", ack.comment, ack.expires_at, now, std::string(end_reason)});
  incident.care.Set(&IncidentCare::ack, nullptr);
}

void IncidentMachine::OnTold(IncidentEntry& entry, Timestamp at, Severity severity) {
  Incident& incident = entry.incident;
  bool first_in_episode = incident.last_told_at < incident.last_fired_at;
  incident.last_told_at = std::max(incident.last_told_at, at);
  incident.told_severity = first_in_episode ? severity : std::max(incident.told_severity, severity);
}

IncidentEntry* IncidentMachine::Restore(Incident incident) {
  next_id_ = std::max(next_id_, incident.id + 1);
  return table_.Insert(std::move(incident));
}

}  // namespace mlalert
