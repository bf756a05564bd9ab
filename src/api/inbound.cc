#include "api/inbound.h"

#include <algorithm>
#include <fmt/format.h>

#include "notify/file_access.h"

namespace mlalert {

Result<ActionLinks> LinksOf(const ApiContext& context, const Config& config) {
  ActionLinks links;
  MLALERT_ASSIGN(links.key, LinkKeyOf(config.inbound, context.link_key, context.files));
  if (links.key.empty()) {
    return Fail(ErrorCode::kUnavailable, "there is no key to sign links with");
  }
  links.base_url = PublicUrlOf(config.inbound, context.external_url);
  links.expires_at = context.clock.Now() + config.inbound.links.expires;
  return links;
}

namespace {

// What was said of an earlier opening is worth as much.
void GiveFeedback(Engine& engine, TokenAction verdict, IncidentId id, const std::vector<Incident>& past,
                  const Actor& actor, const std::string& comment, Timestamp now, Effects& fx, ActedOn& out) {
  const Incident* incident = engine.FindIncident(id);
  if (incident == nullptr) {
    auto it = std::find_if(past.begin(), past.end(), [&](const Incident& one) { return one.id == id; });
    if (it == past.end()) {
      out.refused.push_back(fmt::format("incident {} is not known any more", id));
      return;
    }
    incident = &*it;
  }
  FeedbackRecord feedback;
  feedback.incident_id = id;
  feedback.actor = actor.name;
  feedback.via = actor.via;
  feedback.verdict = ToString(verdict);
  feedback.comment = comment;
  engine.RecordFeedback(std::move(feedback), actor.address, now, fx);
  ++out.changed;
  out.incidents.push_back(*incident);
}

}  // namespace

ActedOn ActOnTargets(Engine& engine, TokenAction action, const std::vector<TokenTarget>& targets,
                     const std::vector<Incident>& past, const Actor& actor, const std::string& comment,
                     const std::string& origin, Timestamp now, Effects& fx) {
  ActedOn out;
  for (const TokenTarget& target : targets) {
    IncidentAction act;
    act.incident_id = target.id;
    act.generation = target.generation;
    act.actor = actor;
    act.reason = comment;
    act.origin = origin;
    switch (action) {
      case TokenAction::kAcknowledge:
      case TokenAction::kCall:
        act.kind = ActionKind::kAcknowledge;
        break;
      case TokenAction::kSnooze:
        act.kind = ActionKind::kSnooze;
        act.until = now + kSnoozeByClick;
        break;
      case TokenAction::kResolve:
        act.kind = ActionKind::kResolve;
        break;
      case TokenAction::kActed:
      case TokenAction::kNotActionable:
      case TokenAction::kFalseAlarm:
      case TokenAction::kPoorDetails:
        GiveFeedback(engine, action, target.id, past, actor, comment, now, fx, out);
        continue;
    }
    auto result = engine.Act(act, now, fx);
    if (!result) {
      out.refused.push_back(result.error().message);
      continue;
    }
    out.changed += result->changed ? 1 : 0;
    out.incidents.push_back(std::move(result->incident));
  }
  return out;
}

std::vector<Incident> PastOf(ApiContext& context, TokenAction action,
                             const std::vector<TokenTarget>& targets) {
  std::vector<Incident> out;
  History* history = IsFeedback(action) && context.history ? context.history() : nullptr;
  if (history == nullptr) {
    return out;
  }
  for (const TokenTarget& target : targets) {
    const bool live =
        context.gate.Read([&](Engine& engine) { return engine.FindIncident(target.id) != nullptr; });
    if (live) {
      continue;
    }
    if (auto stored = history->FindIncident(target.id)) {
      out.push_back(std::move(*stored));
    }
  }
  return out;
}

std::string_view DoneText(TokenAction action) {
  switch (action) {
    case TokenAction::kAcknowledge:
    case TokenAction::kCall:
      return "Acknowledged";
    case TokenAction::kSnooze:
      return "Snoozed for 1 hour";
    case TokenAction::kResolve:
      return "Resolved";
    case TokenAction::kActed:
      return "Noted as acted on";
    case TokenAction::kNotActionable:
      return "Noted as not actionable";
    case TokenAction::kFalseAlarm:
      return "Noted as a false alarm";
    case TokenAction::kPoorDetails:
      return "Noted as poor in details";
  }
  return "Done";
}

std::string TitleOf(const Incident& incident) {
  std::string_view name = incident.labels.Get("alertname");
  std::string_view model = incident.labels.Get("model");
  std::string out(name.empty() ? std::string_view("incident") : name);
  if (!model.empty()) {
    out += fmt::format(" ({})", model);
  }
  return out;
}

std::string StateText(const Incident& incident) {
  switch (incident.state) {
    case IncidentState::kAcknowledged:
      return fmt::format("acknowledged by {}",
                         incident.care->ack != nullptr ? incident.care->ack->by : "somebody");
    case IncidentState::kResolved:
      return "resolved";
    case IncidentState::kOpen:
      break;
  }
  return IsSnoozed(incident) ? fmt::format("snoozed by {}", incident.care->snoozed_by) : std::string("open");
}

}  // namespace mlalert
