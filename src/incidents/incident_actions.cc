// What people do: the half of the incident machine that is driven by hand.
#include <algorithm>
#include <fmt/format.h>
#include <memory>

#include "base/json.h"
#include "incidents/chain.h"
#include "incidents/incident_machine.h"
#include "incidents/ladder.h"

namespace mlalert {
namespace {

// Systems that keep an acknowledgement of their own and report it back to us. What they say about an incident
// that is acknowledged already is the echo of what we told them.
bool Echoes(const Actor& actor) {
  return actor.via == "pagerduty";
}

tl::unexpected<Error> AlreadyResolved(const Incident& incident) {
  return Fail(ErrorCode::kConflict, fmt::format("incident {} is already resolved", incident.id));
}

}  // namespace

std::string_view ToString(ActionKind kind) {
  switch (kind) {
    case ActionKind::kAcknowledge:
      return "acknowledge";
    case ActionKind::kUnacknowledge:
      return "unacknowledge";
    case ActionKind::kSnooze:
      return "snooze";
    case ActionKind::kComment:
      return "comment";
    case ActionKind::kAssign:
      return "assign";
    case ActionKind::kRaise:
      return "raise";
    case ActionKind::kLower:
      return "lower";
    case ActionKind::kResolve:
      return "resolve";
    case ActionKind::kReopen:
      return "reopen";
  }
  return "";
}

Result<IncidentMachine::Change> IncidentMachine::Act(const IncidentAction& action, Timestamp now) {
  Change change;
  change.entry = table_.Find(action.incident_id);
  if (change.entry == nullptr) {
    return Fail(ErrorCode::kNotFound, fmt::format("no open incident has the id {}", action.incident_id));
  }
  const Incident& incident = change.entry->incident;
  if (action.generation &&
      (*action.generation < incident.opened_generation || *action.generation > incident.generation)) {
    return Fail(Error{ErrorCode::kConflict,
                      fmt::format("incident {} has opened anew since this was offered", incident.id),
                      {},
                      "look at what it is now, and act on that"});
  }
  using Apply = Status (IncidentMachine::*)(Change&, const IncidentAction&, Timestamp);
  static constexpr Apply kApply[] = {
      &IncidentMachine::Acknowledge, &IncidentMachine::Unacknowledge, &IncidentMachine::Snooze,
      &IncidentMachine::Comment,     &IncidentMachine::Assign,        &IncidentMachine::Raise,
      &IncidentMachine::Lower,       &IncidentMachine::ResolveByHand, &IncidentMachine::ReopenByHand};
  MLALERT_TRY((this->*kApply[static_cast<size_t>(action.kind)])(change, action, now));
  return change;
}

Status IncidentMachine::Acknowledge(Change& change, const IncidentAction& action, Timestamp now) {
  Incident& incident = change.entry->incident;
  if (incident.state == IncidentState::kResolved) {
    return AlreadyResolved(incident);
  }
  if (IsSet(action.until) && action.until <= now) {
    return Fail(ErrorCode::kInvalid, "the expiry of an acknowledgement must lie in the future");
  }
  if (const Acknowledgement* ack = incident.care->ack.get(); ack != nullptr && !IsSnoozed(incident)) {
    const bool same = ack->by == action.actor.name &&
                      (action.reason.empty() || action.reason == ack->comment) &&
                      (!IsSet(action.until) || action.until == ack->expires_at);
    if (same || Echoes(action.actor)) {
      return {};
    }
  }
  change.changed = true;
  change.speak_now = true;
  change.stop_queued = true;
  if (incident.care->ack != nullptr) {
    EndAcknowledgement(change, now, "replaced");
  } else {
    StopClocks(incident, now);
  }
  Responded(incident, now);
  incident.care.Set(&IncidentCare::snoozed_until, kUnset);
  Acknowledgement ack;
  ack.at = now;
  ack.by = action.actor.name;
  ack.comment = action.reason;
  ack.origin = action.origin;
  ack.expires_at = action.until;
  if (!IsSet(ack.expires_at) && incident.policy != nullptr &&
      incident.policy->ack_expires > Duration::zero()) {
    ack.expires_at = After(now, incident.policy->ack_expires);
  }
  incident.care.Set(&IncidentCare::ack, std::make_shared<const Acknowledgement>(ack));
  incident.state = IncidentState::kAcknowledged;
  ++incident.generation;

  EventRecord event = ActionEvent(incident, now, "acknowledged", action);
  Json data = Json::MakeObject();
  data.Set("via", action.actor.via);
  if (IsSet(ack.expires_at)) {
    data.Set("expires_at", ToUnixMillis(ack.expires_at));
  }
  event.data = data.Dump();
  change.events.push_back(std::move(event));
  change.acknowledgements.push_back(
      {incident.id, now, action.actor.name, action.actor.via, action.reason, ack.expires_at, kUnset, ""});
  return {};
}

Status IncidentMachine::Unacknowledge(Change& change, const IncidentAction& action, Timestamp now) {
  Incident& incident = change.entry->incident;
  if (incident.state == IncidentState::kResolved) {
    return AlreadyResolved(incident);
  }
  const bool snoozed = IsSnoozed(incident);
  if (incident.care->ack == nullptr && !snoozed) {
    return {};
  }
  const bool acknowledged = incident.care->ack != nullptr;
  EndAcknowledgement(change, now, "unacknowledged");
  Wake(change, now);
  if (snoozed) {
    change.events.push_back(ActionEvent(incident, now, "snooze_ended", action));
  }
  if (acknowledged) {
    change.events.push_back(ActionEvent(incident, now, "unacknowledged", action));
  }
  return {};
}

Status IncidentMachine::Snooze(Change& change, const IncidentAction& action, Timestamp now) {
  Incident& incident = change.entry->incident;
  if (incident.state == IncidentState::kResolved) {
    return AlreadyResolved(incident);
  }
  if (!IsSet(action.until) || action.until <= now) {
    return Fail(ErrorCode::kInvalid, "a snooze must end in the future");
  }
  if (action.until - now > kSnoozeMax) {
    return Fail(Error{ErrorCode::kInvalid,
                      "a snooze lasts at most a week",
                      {},
                      "for longer: acknowledge it, or silence the alert"});
  }
  if (incident.care->snoozed_until == action.until) {
    return {};
  }
  StopClocks(incident, now);
  Responded(incident, now);
  const Timestamp before = incident.care->snoozed_until;
  incident.care.Set(&IncidentCare::snoozed_until, action.until);
  incident.care.Set(&IncidentCare::snoozed_by, action.actor.name);
  ++incident.generation;
  change.changed = true;
  change.stop_queued = true;
  EventRecord event = ActionEvent(incident, now, "snoozed", action);
  event.from_value = IsSet(before) ? FormatRfc3339Millis(before) : "";
  event.to_value = FormatRfc3339Millis(action.until);
  change.events.push_back(std::move(event));
  return {};
}

Status IncidentMachine::Comment(Change& change, const IncidentAction& action, Timestamp now) {
  if (action.reason.empty()) {
    return Fail(ErrorCode::kInvalid, "the comment is empty");
  }
  change.changed = true;
  change.events.push_back(ActionEvent(change.entry->incident, now, "commented", action));
  return {};
}

Status IncidentMachine::Assign(Change& change, const IncidentAction& action, Timestamp now) {
  Incident& incident = change.entry->incident;
  const std::string before = incident.care->assignee;
  if (before == action.assignee) {
    return {};
  }
  incident.care.Set(&IncidentCare::assignee, action.assignee);
  if (!action.assignee.empty() && incident.state != IncidentState::kResolved) {
    Responded(incident, now);
  }
  ++incident.generation;
  change.changed = true;
  EventRecord event = ActionEvent(incident, now, "assigned", action);
  event.from_value = before;
  event.to_value = action.assignee;
  change.events.push_back(std::move(event));
  return {};
}

Status IncidentMachine::Raise(Change& change, const IncidentAction& action, Timestamp now) {
  Incident& incident = change.entry->incident;
  if (incident.state == IncidentState::kResolved) {
    return AlreadyResolved(incident);
  }
  if (action.severity == Severity::kNone) {
    return Fail(ErrorCode::kInvalid, "raise it to P0, P1, P2 or P3");
  }
  if (action.severity < incident.severity) {
    return Fail(Error{ErrorCode::kConflict,
                      fmt::format("incident {} is {} already", incident.id, ToString(incident.severity)),
                      {},
                      "lowering it is another action"});
  }
  if (action.severity == incident.severity) {
    return {};
  }
  incident.raised = action.severity;
  ApplySeverity(change, now, "human", "", &action);
  return {};
}

Status IncidentMachine::Lower(Change& change, const IncidentAction& action, Timestamp now) {
  Incident& incident = change.entry->incident;
  if (incident.state == IncidentState::kResolved) {
    return AlreadyResolved(incident);
  }
  if (action.severity == Severity::kNone) {
    return Fail(ErrorCode::kInvalid, "lower it to P1, P2 or P3");
  }
  if (action.severity > incident.severity) {
    return Fail(
        Error{ErrorCode::kConflict,
              fmt::format("incident {} is {}, which is less severe than {}", incident.id,
                          incident.severity == Severity::kNone ? std::string_view("without a severity")
                                                               : ToString(incident.severity),
                          ToString(action.severity)),
              {},
              "raising it is another action"});
  }
  if (action.severity == incident.severity) {
    return {};
  }
  const Severity before = incident.severity;
  LowerTo(incident, action.severity, now, HoursOf(incident));
  Responded(incident, now);
  ++incident.generation;
  change.changed = true;
  change.severity_changed = true;
  change.stop_queued = true;
  EventRecord event = ActionEvent(incident, now, "lowered", action);
  event.from_value = ToString(before);
  event.to_value = ToString(incident.severity);
  change.events.push_back(std::move(event));
  return {};
}

Status IncidentMachine::ResolveByHand(Change& change, const IncidentAction& action, Timestamp now) {
  Incident& incident = change.entry->incident;
  if (incident.state == IncidentState::kResolved) {
    return {};
  }
  if (IsSet(action.until) && action.until <= now) {
    return Fail(ErrorCode::kInvalid, "the hold of a resolved incident must end in the future");
  }
  if (incident.state == IncidentState::kAcknowledged) {
    EndAcknowledgement(change, now, "resolved");
  }
  StopClocks(incident, now);
  Responded(incident, now);
  incident.care.Set(&IncidentCare::snoozed_until, kUnset);
  incident.care.Set(&IncidentCare::muted_since, kUnset);
  incident.state = IncidentState::kResolved;
  incident.resolved_at = now;
  incident.resolve_reason = ResolveReason::kManual;
  incident.care.Set(&IncidentCare::held_until,
                    IsSet(action.until) ? action.until : After(now, config_->incidents.resolve_hold));
  incident.care.Set(&IncidentCare::resolved_by, action.actor.name);
  ++incident.generation;
  change.changed = true;
  change.speak_now = true;
  change.stop_queued = true;
  EventRecord event = ActionEvent(incident, now, "resolved", action);
  Json data = Json::MakeObject();
  data.Set("cause", "manual").Set("held_until", ToUnixMillis(incident.care->held_until));
  event.data = data.Dump();
  change.events.push_back(std::move(event));
  return {};
}

Status IncidentMachine::ReopenByHand(Change& change, const IncidentAction& action, Timestamp now) {
  Incident& incident = change.entry->incident;
  if (incident.state != IncidentState::kResolved) {
    return {};
  }
  if (!IsHeldResolved(incident) || change.entry->firing.empty()) {
    return Fail(Error{ErrorCode::kConflict,
                      fmt::format("nothing of incident {} fires any more", incident.id),
                      {},
                      "it opens by itself when it fires again"});
  }
  // Whoever heard that it is over hears that it is not: no cooldown.
  incident.last_told_at = kUnset;
  OpenAnew(change, now);
  change.events.push_back(ActionEvent(incident, now, "reopened", action));
  return {};
}

}  // namespace mlalert
