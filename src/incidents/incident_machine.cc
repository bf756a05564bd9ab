#include "incidents/incident_machine.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/json.h"
#include "incidents/ladder.h"

namespace mlalert {
namespace {

EventRecord MakeEvent(const Incident& incident, Timestamp now, std::string type) {
  EventRecord event;
  event.at = now;
  event.incident_id = incident.id;
  event.type = std::move(type);
  event.actor_kind = "system";
  return event;
}

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
  incident.state = IncidentState::kOpen;
  incident.last_fired_at = now;
  incident.resolved_at = kUnset;
  incident.resolve_reason = ResolveReason::kNone;
  // A new episode: severity starts again from the alert, but age is carried on, or a flapping alert never
  // climbs.
  incident.base = Severity::kNone;
  incident.raised = Severity::kNone;
  incident.severity = Severity::kNone;
  ++incident.reopen_count;
}

IncidentMachine::Change IncidentMachine::OnFired(AlertEntry& alert, Timestamp now) {
  LabelSet key = KeyOf(alert.alert.labels);
  Change change;
  change.changed = true;
  IncidentEntry* entry = table_.FindByKey(key);
  bool joins = entry != nullptr && entry->incident.state != IncidentState::kResolved;
  bool reopens =
      entry != nullptr && !joins && now - entry->incident.resolved_at <= config_->incidents.reopen_window;
  if (!joins && !reopens) {
    const IncidentEntry* previous = entry;
    entry = Open(alert, std::move(key), now);
    // A cooldown outlives the incident that started it, or a rule that flaps slowly would page each time.
    if (previous != nullptr && CooldownUntil(previous->incident) > now) {
      entry->incident.last_told_at = previous->incident.last_told_at;
      entry->incident.told_severity = previous->incident.told_severity;
    }
    change.events.push_back(MakeEvent(entry->incident, now, "opened"));
  } else if (reopens) {
    Reopen(*entry, now);
    change.events.push_back(MakeEvent(entry->incident, now, "reopened"));
  }
  Incident& incident = entry->incident;
  change.entry = entry;
  ++incident.episode_count;
  ++incident.generation;
  entry->AddFiring(alert);
  alert.incident_id = incident.id;

  Severity severity = SeverityFromLabel(alert.alert.labels.Get("severity"));
  if (severity > incident.base) {
    incident.base = severity;
  }
  if (!joins) {
    // Nothing is raised by opening: the alert has the severity it came with.
    incident.severity = std::max(incident.base, incident.ladder);
    StartLadderClock(incident, now);
    change.severity_raised = incident.severity > severity;
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
  change.entry->RemoveFiring(alert);
  if (change.entry->firing.empty() && change.entry->incident.state != IncidentState::kResolved) {
    Close(change, reason, now);
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
  if (incident.state == IncidentState::kAcknowledged) {
    EndAcknowledgement(change, now, "resolved");
  }
  StopLadderClock(incident, now);
  incident.state = IncidentState::kResolved;
  incident.resolved_at = now;
  incident.resolve_reason = reason;
  ++incident.generation;
  EventRecord event = MakeEvent(incident, now, "incident_resolved");
  event.reason = ToString(reason);
  change.events.push_back(std::move(event));
}

void IncidentMachine::ApplySeverity(Change& change, Timestamp now, std::string_view reason,
                                    std::string_view data) {
  Incident& incident = change.entry->incident;
  Severity before = incident.severity;
  incident.severity = EffectiveSeverity(incident);
  if (incident.severity == before) {
    return;
  }
  ++incident.generation;
  change.changed = true;
  change.severity_raised = true;
  // Without a policy an alert waits for its group's tick, as under Alertmanager.
  change.speak_now = incident.policy != nullptr;
  EventRecord event = MakeEvent(incident, now, "severity_raised");
  event.reason = reason;
  event.from_value = ToString(before);
  event.to_value = ToString(incident.severity);
  event.data = data;
  change.events.push_back(std::move(event));
  if (incident.state == IncidentState::kAcknowledged && reason == "source") {
    // Who acknowledged the lesser trouble has not seen this one.
    EndAcknowledgement(change, now, "severity_raised");
    incident.state = IncidentState::kOpen;
    StartLadderClock(incident, now);
  }
}

IncidentMachine::Change IncidentMachine::OnTimer(IncidentEntry& entry, Timestamp now) {
  Change change;
  change.entry = &entry;
  Incident& incident = entry.incident;
  if (incident.state == IncidentState::kAcknowledged && incident.ack != nullptr &&
      IsSet(incident.ack->expires_at) && incident.ack->expires_at <= now) {
    EventRecord event = MakeEvent(incident, now, "ack_expired");
    event.reason = fmt::format("acknowledgement by {} expired", incident.ack->by);
    change.events.push_back(std::move(event));
    // It ended when it ended, even when the process was down then: the ladder clock has run since.
    const Timestamp expired_at = incident.ack->expires_at;
    EndAcknowledgement(change, expired_at, "expired");
    incident.state = IncidentState::kOpen;
    ++incident.generation;
    change.changed = true;
    StartLadderClock(incident, expired_at);
  }
  if (incident.state != IncidentState::kOpen) {
    return change;
  }
  bool was_quiet = IsQuiet(incident);
  uint32_t first_rung = incident.ladder_step;
  LadderResult climbed = ClimbLadder(incident, now);
  if (climbed.reached == 0) {
    return change;
  }
  change.changed = true;
  // Rungs passed while nobody looked (the process was down) are logged, not told one by one.
  for (uint32_t i = 0; i + 1 < climbed.reached; ++i) {
    EventRecord skipped = MakeEvent(incident, now, "severity_skipped");
    skipped.reason = "skipped_while_down";
    skipped.to_value = ToString(incident.policy->ladder[first_rung + i].severity);
    change.events.push_back(std::move(skipped));
  }
  Json data = Json::MakeObject();
  data.Set("due_at", ToUnixMillis(climbed.due_at)).Set("done_at", ToUnixMillis(now));
  data.Set("clock_seconds", ToSeconds(LadderClock(incident, now)));
  ApplySeverity(change, now, "age", data.Dump());
  if (was_quiet) {
    change.speak_now = true;
  }
  return change;
}

Result<IncidentMachine::Change> IncidentMachine::Acknowledge(IncidentId id, const AckRequest& request,
                                                             Timestamp now) {
  IncidentEntry* entry = table_.Find(id);
  if (entry == nullptr) {
    return Fail(ErrorCode::kNotFound, fmt::format("no open incident has the id {}", id));
  }
  Incident& incident = entry->incident;
  if (incident.state == IncidentState::kResolved) {
    return Fail(ErrorCode::kConflict, fmt::format("incident {} is already resolved", id));
  }
  if (IsSet(request.expires_at) && request.expires_at <= now) {
    return Fail(ErrorCode::kInvalid, "the expiry of an acknowledgement must lie in the future");
  }
  Change change;
  change.entry = entry;
  change.changed = true;
  change.speak_now = true;
  if (incident.state == IncidentState::kAcknowledged) {
    EndAcknowledgement(change, now, "replaced");
  } else {
    StopLadderClock(incident, now);
  }
  Acknowledgement ack;
  ack.at = now;
  ack.by = request.actor;
  ack.comment = request.comment;
  ack.expires_at = request.expires_at;
  if (!IsSet(ack.expires_at) && incident.policy != nullptr &&
      incident.policy->ack_expires > Duration::zero()) {
    ack.expires_at = After(now, incident.policy->ack_expires);
  }
  incident.ack = std::make_shared<const Acknowledgement>(ack);
  incident.state = IncidentState::kAcknowledged;
  ++incident.generation;

  EventRecord event = MakeEvent(incident, now, "acknowledged");
  event.actor_kind = "human";
  event.actor = request.actor;
  event.reason = request.comment;
  Json data = Json::MakeObject();
  data.Set("via", request.via);
  event.data = data.Dump();
  change.events.push_back(std::move(event));
  change.acknowledgements.push_back(
      {incident.id, now, request.actor, request.via, request.comment, ack.expires_at, kUnset, ""});
  return change;
}

Result<IncidentMachine::Change> IncidentMachine::Unacknowledge(IncidentId id, const std::string& actor,
                                                               const std::string& comment, Timestamp now) {
  IncidentEntry* entry = table_.Find(id);
  if (entry == nullptr) {
    return Fail(ErrorCode::kNotFound, fmt::format("no open incident has the id {}", id));
  }
  Incident& incident = entry->incident;
  if (incident.state != IncidentState::kAcknowledged) {
    return Fail(ErrorCode::kConflict, fmt::format("incident {} is not acknowledged", id));
  }
  Change change;
  change.entry = entry;
  change.changed = true;
  EndAcknowledgement(change, now, "unacknowledged");
  incident.state = IncidentState::kOpen;
  ++incident.generation;
  StartLadderClock(incident, now);
  EventRecord event = MakeEvent(incident, now, "unacknowledged");
  event.actor_kind = "human";
  event.actor = actor;
  event.reason = comment;
  change.events.push_back(std::move(event));
  return change;
}

void IncidentMachine::EndAcknowledgement(Change& change, Timestamp now, std::string_view end_reason) {
  Incident& incident = change.entry->incident;
  if (incident.ack == nullptr) {
    return;
  }
  const Acknowledgement& ack = *incident.ack;
  change.acknowledgements.push_back(
      {incident.id, ack.at, ack.by, "", ack.comment, ack.expires_at, now, std::string(end_reason)});
  incident.ack = nullptr;
}

void IncidentMachine::OnTold(IncidentEntry& entry, Timestamp at, Severity severity) {
  Incident& incident = entry.incident;
  bool first_in_episode = incident.last_told_at < incident.last_fired_at;
  incident.last_told_at = std::max(incident.last_told_at, at);
  incident.told_severity = first_in_episode ? severity : std::max(incident.told_severity, severity);
}

Timestamp IncidentMachine::NextDue(const Incident& incident) {
  Timestamp due = kNever;
  if (IsSet(incident.next_severity_at)) {
    due = std::min(due, incident.next_severity_at);
  }
  if (incident.state == IncidentState::kAcknowledged && incident.ack != nullptr &&
      IsSet(incident.ack->expires_at)) {
    due = std::min(due, incident.ack->expires_at);
  }
  return due;
}

Timestamp IncidentMachine::KeepUntil(const Incident& incident) const {
  Timestamp until = After(incident.resolved_at, config_->incidents.reopen_window);
  Timestamp cooldown = CooldownUntil(incident);
  return IsSet(cooldown) ? std::max(until, cooldown) : until;
}

IncidentEntry* IncidentMachine::Restore(Incident incident) {
  next_id_ = std::max(next_id_, incident.id + 1);
  return table_.Insert(std::move(incident));
}

}  // namespace mlalert
