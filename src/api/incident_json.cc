#include "api/incident_json.h"

#include "base/hash.h"
#include "config/calendars.h"
#include "incidents/ladder.h"
#include "model/incident_chain.h"
#include "model/response_state.h"

namespace mlalert {
namespace {

Json Time(Timestamp time) {
  return IsSet(time) && time != kNever ? Json(FormatRfc3339Millis(time)) : Json();
}

Json SeverityOrNull(Severity severity) {
  return severity == Severity::kNone ? Json() : Json(ToString(severity));
}

Json TextOrNull(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

Json LabelsToJson(const LabelSet& labels) {
  // Set() looks for the name first; labels are unique already, and there may be 512.
  Json::Object object;
  object.reserve(labels.size());
  for (Label label : labels) {
    object.emplace_back(std::string(label.name), Json(label.value));
  }
  return Json(std::move(object));
}

Json TextsJson(const std::vector<std::string>& texts) {
  Json list = Json::MakeArray();
  for (const std::string& text : texts) {
    list.Push(Json(text));
  }
  return list;
}

Json ChainJson(const IncidentChain& chain) {
  Json steps = Json::MakeArray();
  for (const ChainStep& step : chain.steps) {
    Json severities = Json::MakeArray();
    for (Severity severity : step.severities) {
      severities.Push(Json(ToString(severity)));
    }
    Json matchers = Json::MakeArray();
    for (const Matcher& matcher : step.matchers) {
      matchers.Push(Json(matcher.ToString()));
    }
    Json one = Json::MakeObject();
    one.Set("after", FormatDuration(step.after)).Set("receivers", TextsJson(step.receivers));
    one.Set("severities", std::move(severities)).Set("matchers", std::move(matchers));
    steps.Push(std::move(one));
  }
  Json json = Json::MakeObject();
  json.Set("steps", std::move(steps));
  json.Set("repeat_times", chain.repeat_times);
  json.Set("repeat_every", chain.repeat_times > 0 ? Json(FormatDuration(chain.repeat_every)) : Json());
  json.Set("fallback", TextsJson(chain.fallback));
  return json;
}

// Was somebody there in time?
Json ResponseJson(const Incident& incident, Timestamp now) {
  const ResponseState state = ResponseStateOf(incident, now);
  if (state == ResponseState::kNone) {
    return {};
  }
  Json json = Json::MakeObject();
  json.Set("state", ToString(state));
  json.Set("due_at", Time(incident.response_due_at));
  json.Set("responded_at", Time(incident.care->response_at));
  json.Set("breached_at", Time(ResponseBreachedAt(incident)));
  return json;
}

Json PolicyJson(const IncidentPolicy& policy) {
  Json ladder = Json::MakeArray();
  for (const LadderStep& step : policy.ladder) {
    Json one = Json::MakeObject();
    one.Set("after", FormatDuration(step.after)).Set("severity", ToString(step.severity));
    ladder.Push(std::move(one));
  }
  Json json = Json::MakeObject();
  json.Set("name", policy.name);
  json.Set("cooldown", FormatDuration(policy.cooldown));
  json.Set("acknowledge_expires",
           policy.ack_expires > Duration::zero() ? Json(FormatDuration(policy.ack_expires)) : Json());
  json.Set("quiet_before_first_step", policy.quiet_before_first_step);
  json.Set("ladder", std::move(ladder));
  json.Set("clock", policy.business_clock ? "business" : "wall");
  json.Set("calendar", TextOrNull(policy.calendar));
  json.Set("wake", policy.wake);
  json.Set("chain", policy.chain != nullptr ? ChainJson(*policy.chain) : Json());
  return json;
}

Json AckJson(const Acknowledgement& ack) {
  Json json = Json::MakeObject();
  json.Set("actor", ack.by);
  json.Set("comment", ack.comment);
  json.Set("at", Time(ack.at));
  json.Set("expires_at", Time(ack.expires_at));
  return json;
}

// Cooldowns that are over are of no interest to anybody.
Json CooldownJson(const Incident& incident, Timestamp now) {
  Timestamp until = CooldownUntil(incident);
  return IsSet(until) && until > now ? Time(until) : Json();
}

}  // namespace

Json IncidentToJson(const Incident& incident, Timestamp now, const Calendars* calendars) {
  Json json = Json::MakeObject();
  json.Set("id", incident.id);
  json.Set("state", ToString(incident.state));
  json.Set("severity", SeverityOrNull(incident.severity));
  json.Set("base_severity", SeverityOrNull(incident.base));
  json.Set("ladder_severity", SeverityOrNull(incident.ladder));
  json.Set("raised_severity", SeverityOrNull(incident.raised));
  json.Set("lowered", incident.overruled != Severity::kNone && incident.severity < incident.base);
  for (const char* name : {"alertname", "model", "pipeline", "team"}) {
    std::string_view value = incident.labels.Get(name);
    json.Set(name, value.empty() ? Json() : Json(value));
  }
  json.Set("opened_at", Time(incident.opened_at));
  json.Set("last_fired_at", Time(incident.last_fired_at));
  json.Set("resolved_at", Time(incident.resolved_at));
  json.Set("resolve_reason", incident.resolve_reason == ResolveReason::kNone
                                 ? Json()
                                 : Json(ToString(incident.resolve_reason)));
  std::optional<NextRaise> raise = NextRaiseOf(incident, LadderHoursOf(incident, calendars));
  json.Set("next_severity_at", raise ? Time(raise->at) : Json());
  json.Set("cooldown_until", CooldownJson(incident, now));
  json.Set("quiet", incident.state != IncidentState::kResolved && IsQuiet(incident));
  json.Set("acknowledgement", incident.care->ack != nullptr ? AckJson(*incident.care->ack) : Json());
  const IncidentCare& care = *incident.care;
  json.Set("assignee", TextOrNull(care.assignee));
  json.Set("snoozed_until", Time(incident.care->snoozed_until));
  json.Set("snoozed_by", IsSnoozed(incident) ? TextOrNull(care.snoozed_by) : Json());
  json.Set("resolved_by", IsHeldResolved(incident) ? TextOrNull(care.resolved_by) : Json());
  json.Set("held_until", IsHeldResolved(incident) ? Time(incident.care->held_until) : Json());
  json.Set("muted_since", Time(incident.care->muted_since));
  json.Set("parent_id", incident.care->parent != 0 ? Json(incident.care->parent) : Json());
  json.Set("flapping", IsSet(incident.care->flapping_since));
  json.Set("response", ResponseJson(incident, now));
  json.Set("last_notified_at", Time(incident.last_told_at));
  json.Set("episodes_count", static_cast<int64_t>(incident.episode_count));
  json.Set("reopen_count", static_cast<int64_t>(incident.reopen_count));
  json.Set("generation", incident.generation);
  json.Set("key", LabelsToJson(incident.key));
  json.Set("labels", LabelsToJson(incident.labels));
  json.Set("annotations", LabelsToJson(incident.annotations));
  json.Set("policy", incident.policy != nullptr ? PolicyJson(*incident.policy) : Json());
  return json;
}

Json LadderToJson(const Incident& incident, Timestamp now, const Calendars* calendars) {
  const LadderHours hours = LadderHoursOf(incident, calendars);
  Json steps = Json::MakeArray();
  if (incident.policy != nullptr) {
    const auto& ladder = incident.policy->ladder;
    for (size_t i = 0; i < ladder.size(); ++i) {
      const Timestamp at = RungAt(incident, i, hours).at;
      Json step = Json::MakeObject();
      step.Set("after", FormatDuration(ladder[i].after));
      step.Set("severity", ToString(ladder[i].severity));
      step.Set("reached", i < incident.ladder_step);
      step.Set("at", Time(i < incident.ladder_step && IsSet(at) && at < incident.clock_since ? kUnset : at));
      steps.Push(std::move(step));
    }
  }
  std::optional<NextRaise> raise = NextRaiseOf(incident, hours);
  Json json = Json::MakeObject();
  json.Set("clock_seconds", ToSeconds(LadderClock(incident, now, hours)));
  json.Set("clock_running",
           IsSet(incident.clock_since) && (hours.clock == nullptr || hours.clock->IsOpen(now)));
  json.Set("next_severity", raise ? Json(ToString(raise->severity)) : Json());
  json.Set("next_severity_at", raise ? Time(raise->at) : Json());
  json.Set("steps", std::move(steps));
  json.Set("cooldown_until", CooldownJson(incident, now));
  json.Set("quiet", incident.state != IncidentState::kResolved && IsQuiet(incident));
  json.Set("acknowledgement_expires_at",
           incident.care->ack != nullptr ? Time(incident.care->ack->expires_at) : Json());
  return json;
}

Json PlanToJson(const std::vector<PlanStep>& plan) {
  Json list = Json::MakeArray();
  for (const PlanStep& step : plan) {
    const bool of_chain = step.kind == PlanStep::Kind::kEscalate || step.kind == PlanStep::Kind::kFallback;
    Json one = Json::MakeObject();
    one.Set("at", Time(step.at));
    one.Set("kind", ToString(step.kind));
    one.Set("severity", SeverityOrNull(step.severity));
    one.Set("receivers", TextsJson(step.receivers));
    one.Set("targets", TextsJson(step.targets));
    one.Set("paused", step.paused);
    one.Set("why", TextOrNull(step.why));
    const bool numbered = step.kind != PlanStep::Kind::kNotify;
    one.Set("step", numbered ? Json(static_cast<int64_t>(step.number)) : Json());
    one.Set("round", of_chain ? Json(static_cast<int64_t>(step.round)) : Json());
    list.Push(std::move(one));
  }
  return list;
}

Json EpisodeToJson(const EpisodeRecord& episode) {
  Json json = Json::MakeObject();
  json.Set("id", episode.id);
  json.Set("fingerprint", Hex16(episode.fingerprint));
  json.Set("source", ToString(episode.source));
  json.Set("severity", SeverityOrNull(episode.severity));
  json.Set("started_at", Time(episode.started_at));
  json.Set("received_at", Time(episode.received_at));
  json.Set("ended_at", Time(episode.ended_at));
  json.Set("end_reason",
           episode.end_reason == ResolveReason::kNone ? Json() : Json(ToString(episode.end_reason)));
  json.Set("labels", LabelsToJson(episode.labels));
  json.Set("annotations", LabelsToJson(episode.annotations));
  return json;
}

Json EventToJson(const HistoryEvent& row) {
  const EventRecord& event = row.event;
  Json json = Json::MakeObject();
  json.Set("id", row.id);
  json.Set("at", Time(event.at));
  json.Set("type", event.type);
  json.Set("actor_kind", event.actor_kind);
  json.Set("actor", event.actor);
  json.Set("via", TextOrNull(event.via));
  json.Set("address", TextOrNull(event.address));
  json.Set("generation", event.generation != 0 ? Json(event.generation) : Json());
  json.Set("reason", event.reason);
  json.Set("from", event.from_value);
  json.Set("to", event.to_value);
  json.Set("fingerprint", event.fingerprint != 0 ? Json(Hex16(event.fingerprint)) : Json());
  Json data;
  if (!event.data.empty()) {
    // Written by us as an object; what cannot be read is shown as text rather than hidden.
    auto parsed = ParseJson(event.data);
    data = parsed ? std::move(*parsed) : Json(event.data);
  }
  json.Set("data", std::move(data));
  return json;
}

Json NotificationToJson(const NotificationRecord& notification) {
  Json json = Json::MakeObject();
  json.Set("id", notification.id);
  json.Set("at", Time(notification.at));
  json.Set("receiver", notification.receiver);
  json.Set("integration", notification.integration);
  json.Set("index", static_cast<int64_t>(notification.index));
  json.Set("reason", notification.reason);
  json.Set("attempt", static_cast<int64_t>(notification.attempt));
  json.Set("outcome", notification.outcome);
  json.Set("http_status", notification.http_status != 0 ? Json(notification.http_status) : Json());
  json.Set("latency_ms", notification.latency_ms);
  json.Set("error", notification.error);
  json.Set("severity", SeverityOrNull(notification.severity));
  json.Set("firing", static_cast<int64_t>(notification.firing));
  json.Set("resolved", static_cast<int64_t>(notification.resolved));
  json.Set("group_key", notification.group_key);
  return json;
}

Json AcknowledgementToJson(const AcknowledgementRecord& ack) {
  Json json = Json::MakeObject();
  json.Set("at", Time(ack.at));
  json.Set("actor", ack.actor);
  json.Set("via", ack.via);
  json.Set("comment", ack.comment);
  json.Set("expires_at", Time(ack.expires_at));
  json.Set("ended_at", Time(ack.ended_at));
  json.Set("end_reason", ack.end_reason.empty() ? Json() : Json(ack.end_reason));
  return json;
}

Json FeedbackToJson(const FeedbackRecord& feedback) {
  Json json = Json::MakeObject();
  json.Set("at", Time(feedback.at));
  json.Set("actor", feedback.actor);
  json.Set("via", feedback.via);
  json.Set("verdict", feedback.verdict);
  json.Set("resolution", feedback.resolution.empty() ? Json() : Json(feedback.resolution));
  json.Set("comment", feedback.comment);
  json.Set("link", feedback.link.empty() ? Json() : Json(feedback.link));
  return json;
}

Json ChangeToJson(const ChangeRecord& change) {
  auto text = [](const std::string& value) { return value.empty() ? Json() : Json(value); };
  Json json = Json::MakeObject();
  json.Set("id", change.id);
  json.Set("external_id", text(change.external_id));
  json.Set("at", Time(change.at));
  json.Set("kind", change.kind);
  json.Set("model", text(change.model));
  json.Set("pipeline", text(change.pipeline));
  json.Set("entity", text(change.entity));
  json.Set("env", text(change.env));
  json.Set("incident_id", change.incident_id != 0 ? Json(change.incident_id) : Json());
  json.Set("from", text(change.from_version));
  json.Set("to", text(change.to_version));
  json.Set("actor", change.actor);
  json.Set("automatic", change.automatic);
  json.Set("url", text(change.url));
  json.Set("comment", text(change.comment));
  return json;
}

Json LinkedChangeToJson(const LinkedChange& linked) {
  Json json = ChangeToJson(linked.change);
  json.Set("relation", linked.before ? "before" : "during");
  json.Set("seconds_after_opening", ToSeconds(linked.after_opening));
  return json;
}

Json MuteToJson(const MuteRecord& mute) {
  Json json = Json::MakeObject();
  json.Set("kind", mute.kind);
  json.Set("by", mute.muted_by);
  json.Set("receiver", mute.receiver.empty() ? Json() : Json(mute.receiver));
  json.Set("fingerprint", Hex16(mute.fingerprint));
  json.Set("started_at", Time(mute.started_at));
  json.Set("ended_at", Time(mute.ended_at));
  json.Set("end_reason", mute.end_reason.empty() ? Json() : Json(mute.end_reason));
  return json;
}

namespace {

template <class T, class Render>
Json ListOf(const std::vector<T>& rows, Render render) {
  Json list = Json::MakeArray();
  for (const T& row : rows) {
    list.Push(render(row));
  }
  return list;
}

}  // namespace

void AddDetail(Json& json, const IncidentDetail& detail, Timestamp now, const Calendars* calendars) {
  json.Set("ladder", LadderToJson(detail.incident, now, calendars));
  json.Set("action_level", detail.action_level.empty() ? Json() : Json(detail.action_level));
  json.Set("episodes", ListOf(detail.episodes, EpisodeToJson));
  json.Set("events", ListOf(detail.events, EventToJson));
  json.Set("notifications", ListOf(detail.notifications, NotificationToJson));
  json.Set("acknowledgements", ListOf(detail.acknowledgements, AcknowledgementToJson));
  json.Set("feedback", ListOf(detail.feedback, FeedbackToJson));
  json.Set("changes", ListOf(detail.changes, LinkedChangeToJson));
  json.Set("mutes", ListOf(detail.mutes, MuteToJson));
}

}  // namespace mlalert
