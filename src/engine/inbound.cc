// The part of the engine that other systems speak to: PagerDuty's webhooks, and what must be known again.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "base/json.h"
#include "engine/engine.h"
#include "notify/payload.h"

namespace mlalert {
namespace {

constexpr std::string_view kVia = "pagerduty";
// Clocks differ by minutes. What is said to come later than that happened now: else nothing of today would
// count beside it.
constexpr Duration kPagerdutyAheadMax = std::chrono::minutes(5);
// How long it is known which of PagerDuty's incidents is which of ours.
constexpr Duration kRemoteLife = std::chrono::hours(24 * 30);
// Which opening of our incidents was resolved there.
constexpr const char* kResolvedThere = "pagerduty_resolved";

PagerdutyReply Ignored(std::string_view why) {
  return {"ignored", why, {}};
}

bool IsState(std::string_view verb) {
  return verb == "acknowledged" || verb == "unacknowledged" || verb == "resolved" || verb == "reopened";
}

// What changes nothing here, but belongs into the incident's history.
bool IsNoteworthy(std::string_view verb) {
  return verb == "reassigned" || verb == "delegated" || verb == "escalated" || verb == "priority_updated" ||
         verb == "reopened" || verb == "resolved" || verb.starts_with("responder.");
}

// This opening of it, by a person whom we trusted.
bool WasResolvedThere(const InboundMemory& memory, const Incident& incident, Timestamp now) {
  const std::string* opening = memory.Find(kResolvedThere, std::to_string(incident.id), now);
  return opening != nullptr && *opening == std::to_string(incident.opened_generation);
}

}  // namespace

bool Engine::FirstSight(const std::string& source, const std::string& key, Duration life, Timestamp now,
                        Effects& fx) {
  if (inbound_.Find(source, key, now) != nullptr) {
    return false;
  }
  inbound_.Note(source, key, "", life, now, fx.records);
  return true;
}

std::optional<std::string> Engine::Remembered(const std::string& source, const std::string& key,
                                              Timestamp now) const {
  const std::string* value = inbound_.Find(source, key, now);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

void Engine::Remember(const std::string& source, const std::string& key, std::string value, Duration life,
                      Timestamp now, Effects& fx) {
  inbound_.Note(source, key, std::move(value), life, now, fx.records);
}

// The incidents that PagerDuty was told of under `dedup_key`. `origin`: the integration that told it, when
// there is only one: two services may have been given the same key. A walk over the log: a webhook is a rare
// thing.
// `over`: of those that it was told are over, rather.
std::vector<IncidentId> Engine::ToldToPagerduty(const std::string& dedup_key, bool over,
                                                PagerdutyOrigin& origin) {
  std::vector<IncidentId> out;
  size_t entries = 0;
  for (const auto& [log_key, entry] : nflog_) {
    if (entry.integration != ToString(IntegrationKind::kPagerduty) ||
        PagerdutyKey(entry.group_key, entry.data) != dedup_key) {
      continue;
    }
    ++entries;
    origin.integration = IntegrationName(entry.receiver, entry.integration, entry.index);
    origin.told_of_acknowledgement = origin.told_of_acknowledgement || !entry.acknowledged.empty();
    for (uint64_t fingerprint : over ? entry.resolved : entry.firing) {
      const AlertEntry* alert = alerts_.Find(fingerprint);
      if (alert != nullptr && alert->incident_id != 0 &&
          std::find(out.begin(), out.end(), alert->incident_id) == out.end()) {
        out.push_back(alert->incident_id);
      }
    }
  }
  if (entries != 1) {
    origin.integration.clear();
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Those of the incidents that PagerDuty was told are over and that it may open again: resolved by hand, and
// firing on. What was resolved there comes back; where nothing was, what was resolved here before
// `occurred_at`.
std::vector<IncidentId> Engine::ReopenedThere(const std::string& dedup_key, Timestamp occurred_at,
                                              PagerdutyOrigin& origin, Timestamp now) {
  std::vector<IncidentId> there;
  std::vector<IncidentId> here;
  for (IncidentId id : ToldToPagerduty(dedup_key, true, origin)) {
    const IncidentEntry* entry = incidents_.table().Find(id);
    if (entry == nullptr || !IsHeldResolved(entry->incident) || entry->firing.empty()) {
      continue;
    }
    if (WasResolvedThere(inbound_, entry->incident, now)) {
      there.push_back(id);
    } else if (!IsSet(occurred_at) || occurred_at >= entry->incident.resolved_at) {
      here.push_back(id);
    }
  }
  return there.empty() ? here : there;
}

std::vector<std::string> Engine::PagerdutyKeys(size_t limit, std::string& after) const {
  std::vector<std::string> keys;
  auto it = nflog_.lower_bound(after);
  for (; it != nflog_.end() && keys.size() < limit; ++it) {
    const NflogEntry& entry = it->second;
    if (!entry.firing.empty() && entry.integration == ToString(IntegrationKind::kPagerduty)) {
      keys.push_back(PagerdutyKey(entry.group_key, entry.data));
    }
  }
  after = it != nflog_.end() ? it->first : std::string();
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

PagerdutyReply Engine::OnPagerduty(const PagerdutyEvent& event, const std::string& webhook_id,
                                   bool trust_remote_resolve, Timestamp now, Effects& fx) {
  ObserveClock(now);
  const std::string_view verb = event.IncidentVerb();
  if (verb.empty()) {
    return Ignored("not about an incident");
  }
  if (IsSet(event.occurred_at) && now - event.occurred_at > kPagerdutyAgeMax) {
    return Ignored("it happened too long ago");
  }
  if (IsSet(event.occurred_at) && event.occurred_at - now > kPagerdutyAheadMax) {
    PagerdutyEvent present = event;
    present.occurred_at = now;
    return OnPagerduty(present, webhook_id, trust_remote_resolve, now, fx);
  }
  if (!webhook_id.empty() && !FirstSight("pagerduty", "webhook/" + webhook_id, kInboundLife, now, fx)) {
    return Ignored("seen before");
  }
  if (!event.id.empty() && !FirstSight("pagerduty", "event/" + event.id, kInboundLife, now, fx)) {
    return Ignored("seen before");
  }
  std::string dedup_key = event.dedup_key;
  if (!event.incident_id.empty()) {
    const std::string* known = inbound_.Find("pagerduty_incident", event.incident_id, now);
    if (dedup_key.empty()) {
      dedup_key = known != nullptr ? *known : "";
    } else if (known == nullptr || *known != dedup_key) {
      inbound_.Note("pagerduty_incident", event.incident_id, dedup_key, kRemoteLife, now, fx.records);
    }
  }
  if (dedup_key.empty()) {
    return Ignored("it names no incident of ours");
  }
  if (IsState(verb) && IsSet(event.occurred_at)) {
    // Deliveries overtake each other: the newest word counts.
    const std::string* newest = inbound_.Find("pagerduty_order", dedup_key, now);
    int64_t newest_ms = 0;
    if (newest != nullptr) {
      std::from_chars(newest->data(), newest->data() + newest->size(), newest_ms);
    }
    const int64_t occurred_ms = ToUnixMillis(event.occurred_at);
    if (occurred_ms < newest_ms) {
      return Ignored("something newer is known");
    }
    inbound_.Note("pagerduty_order", dedup_key, std::to_string(occurred_ms), kInboundLife, now, fx.records);
  }
  if (verb == "triggered") {
    return {"noted", {}, {}};
  }
  PagerdutyOrigin origin;
  std::vector<IncidentId> incidents = ToldToPagerduty(dedup_key, false, origin);
  if (verb == "reopened" && event.by_person) {
    const std::vector<IncidentId> over = ReopenedThere(dedup_key, event.occurred_at, origin, now);
    incidents.insert(incidents.end(), over.begin(), over.end());
  }
  if (incidents.empty()) {
    return Ignored("no incident that is not resolved has this key");
  }
  PagerdutyReply reply;
  reply.why = "nothing to change";
  for (IncidentId id : incidents) {
    const std::string_view result = ActForPagerduty(id, event, origin, trust_remote_resolve, now, fx);
    if (!result.empty()) {
      reply.result = result;
      reply.why = {};
      reply.incidents.push_back(id);
    }
  }
  return reply;
}

// What it did; empty: nothing.
std::string_view Engine::ActForPagerduty(IncidentId id, const PagerdutyEvent& event,
                                         const PagerdutyOrigin& origin, bool trust_remote_resolve,
                                         Timestamp now, Effects& fx) {
  const IncidentEntry* entry = incidents_.table().Find(id);
  if (entry == nullptr) {
    return {};
  }
  const std::string_view verb = event.IncidentVerb();
  IncidentAction action;
  action.incident_id = id;
  action.actor = {event.agent.empty() ? "PagerDuty" : event.agent, std::string(kVia), event.agent_id};
  action.origin = origin.integration;
  auto act = [&](ActionKind kind, std::string reason) {
    action.kind = kind;
    action.reason = std::move(reason);
    auto result = Act(action, now, fx);
    return result.has_value() && result->changed;
  };
  // It speaks of an opening that is over.
  const IncidentCare& care = *entry->incident.care;
  bool outdated = IsSet(event.occurred_at) && event.occurred_at < entry->incident.last_fired_at;
  if (event.polled) {
    // The last word counts, and ours may be newer than what PagerDuty's state dates from.
    outdated = outdated || event.occurred_at <= care.woken_at ||
               (care.ack != nullptr && event.occurred_at <= care.ack->at);
  }
  if (verb == "annotated") {
    return !event.text.empty() && act(ActionKind::kComment, event.text) ? "commented" : "";
  }
  if (verb == "acknowledged" && !outdated) {
    // Nobody did it: our own event did, and somebody may have taken it back here meanwhile.
    const bool echo = event.agent.empty() && origin.told_of_acknowledgement;
    return !echo && act(ActionKind::kAcknowledge, "acknowledged in PagerDuty") ? "acknowledged" : "";
  }
  if (verb == "reopened" && entry->incident.state == IncidentState::kResolved) {
    // Deliveries may lag behind; what was resolved here after that stays so.
    const bool before = IsSet(event.occurred_at) && event.occurred_at < entry->incident.resolved_at &&
                        !WasResolvedThere(inbound_, entry->incident, now);
    if (!event.by_person || before || outdated) {
      return {};
    }
    return act(ActionKind::kReopen, "reopened in PagerDuty") ? "reopened" : "";
  }
  const bool acknowledged = entry->incident.state == IncidentState::kAcknowledged;
  if ((verb == "unacknowledged" || verb == "reopened") && acknowledged && !outdated) {
    return act(ActionKind::kUnacknowledge, fmt::format("{} in PagerDuty", verb)) ? "unacknowledged" : "";
  }
  if (verb == "resolved" && event.by_person && !outdated &&
      entry->incident.state != IncidentState::kResolved) {
    if (trust_remote_resolve) {
      if (!act(ActionKind::kResolve, "resolved in PagerDuty")) {
        return {};
      }
      inbound_.Note(kResolvedThere, std::to_string(id), std::to_string(entry->incident.opened_generation),
                    kRemoteLife, now, fx.records);
      return "resolved";
    }
    const char* note = "resolved in PagerDuty, while the condition is still true";
    if (act(ActionKind::kAcknowledge, note)) {
      return "acknowledged";
    }
    return act(ActionKind::kComment, note) ? "commented" : "";
  }
  // A resolve by nobody is the echo of ours.
  if (!IsNoteworthy(verb) || (verb == "resolved" && event.agent.empty())) {
    return {};
  }
  EventRecord record = IncidentEvent(entry->incident, now, fmt::format("pagerduty_{}", verb));
  record.actor_kind = event.by_person ? "human" : "source";
  record.actor = action.actor.name;
  record.via = kVia;
  record.address = event.agent_id;
  record.to_value = event.text;
  fx.records.emplace_back(std::move(record));
  return "noted";
}

}  // namespace mlalert
