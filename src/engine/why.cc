#include "engine/why.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/json.h"
#include "config/calendars.h"
#include "config/calm_config.h"
#include "engine/engine.h"
#include "engine/storm.h"
#include "incidents/business_hours.h"
#include "incidents/ladder.h"
#include "model/incident_chain.h"

namespace mlalert {
namespace {

// As Muter::Recurring names them.
constexpr std::string_view kRecurring = "recurring:";

std::string At(Timestamp t) {
  return FormatRfc3339Millis(t);
}

std::string Place(const Config& config, int line) {
  return line > 0 ? fmt::format("{}:{}", config.file, line) : std::string();
}

void AddState(const Incident& incident, const Config& config, Timestamp now, std::vector<WhyStep>& out) {
  // Frozen when the incident opened: the lines are those of the file as it was then.
  const PolicyLines lines = incident.policy != nullptr ? incident.policy->lines : PolicyLines{};
  out.push_back({"policy", "",
                 incident.policy != nullptr
                     ? fmt::format("policy {} (frozen when it opened, {})", incident.policy->name,
                                   At(incident.opened_at))
                     : std::string("no policy matches: it behaves as under Alertmanager"),
                 false, Place(config, lines.policy)});
  if (incident.severity != Severity::kNone) {
    std::string text(ToString(incident.severity));
    for (const auto& [severity, from] :
         {std::pair{incident.base, "its labels"}, std::pair{incident.ladder, "its age"},
          std::pair{incident.raised, "somebody"}}) {
      if (severity != Severity::kNone) {
        text += fmt::format(", {} from {}", ToString(severity), from);
      }
    }
    out.push_back({"severity", "", text, false,
                   incident.ladder != Severity::kNone ? Place(config, lines.ladder) : std::string()});
  }
  if (IsHeldResolved(incident)) {
    out.push_back(
        {"state", "",
         fmt::format("resolved by {} at {}: while it fires on it stays so until {}",
                     incident.care->resolved_by, At(incident.resolved_at), At(incident.care->held_until)),
         true});
  } else if (incident.state == IncidentState::kResolved) {
    out.push_back(
        {"state", "",
         fmt::format("resolved at {} ({})", At(incident.resolved_at), ToString(incident.resolve_reason)),
         true});
  }
  if (IsSnoozed(incident)) {
    out.push_back(
        {"state", "",
         fmt::format("snoozed by {} until {}", incident.care->snoozed_by, At(incident.care->snoozed_until)),
         true});
  }
  if (incident.care->ack != nullptr) {
    const Timestamp until = incident.care->ack->expires_at;
    out.push_back(
        {"state", "",
         fmt::format("acknowledged by {} at {}{}", incident.care->ack->by, At(incident.care->ack->at),
                     IsSet(until) && until != kNever ? " until " + At(until) : ""),
         true});
  }
  if (incident.state != IncidentState::kResolved && IsQuiet(incident)) {
    out.push_back({"state", "",
                   fmt::format("quiet before the first step of its ladder{}",
                               IsSet(incident.next_severity_at) && incident.next_severity_at != kNever
                                   ? " at " + At(incident.next_severity_at)
                                   : ""),
                   true, Place(config, lines.ladder)});
  }
  if (const Calendar* calendar = HeldByHours(incident, config.calendars.get(), now)) {
    const Timestamp opens = calendar->NextOpen(now);
    out.push_back(
        {"business_hours", "",
         IsDroppedBy(*calendar, incident)
             ? fmt::format("dropped: it began while {} was closed, and is told when it becomes more severe",
                           calendar->name())
             : fmt::format("{} is closed until {}", calendar->name(),
                           opens == kNever ? "for ever" : At(opens)),
         true, Place(config, lines.hours)});
  }
  if (IsSet(incident.care->flapping_since)) {
    out.push_back({"flapping", "",
                   fmt::format("it flaps since {}: told once", At(incident.care->flapping_since)), true,
                   Place(config, lines.flapping)});
  }
  if (const Timestamp until = CooldownUntil(incident);
      IsSet(until) && until > now && !StandsForStorm(incident)) {
    const bool raised = incident.severity > incident.told_severity;
    out.push_back({"cooldown", "",
                   raised ? fmt::format("cooldown until {}, which a raise passes", At(until))
                          : fmt::format("cooldown until {}: somebody was told at {}", At(until),
                                        At(incident.last_told_at)),
                   !raised && incident.last_told_at < incident.last_fired_at,
                   Place(config, lines.cooldown != 0 ? lines.cooldown : lines.policy)});
  }
}

}  // namespace

std::string Engine::PlaceOf(int line) const {
  return Place(*config_, line);
}

std::vector<WhyStep> Engine::Why(IncidentId id, const std::string& receiver, Timestamp now) {
  std::vector<WhyStep> out;
  IncidentEntry* entry = incidents_.table().Find(id);
  if (entry == nullptr) {
    return out;
  }
  const Incident& incident = entry->incident;
  AddState(incident, *config_, now, out);
  if (IsInStorm(incident)) {
    out.push_back({"storm", "",
                   fmt::format("incident {} stands for it until the storm is over", incident.care->parent),
                   true, PlaceOf(config_->calm != nullptr ? config_->calm->storm.line : 0)});
  }
  if (IsSet(incident.chain_next_at)) {
    const bool ends = incident.chain_step >= incident.policy->chain->steps.size();
    out.push_back({"chain", "",
                   ends ? fmt::format("the chain comes to its end at {}", At(incident.chain_next_at))
                        : fmt::format("step {} of the chain is due at {}", incident.chain_step + 1,
                                      At(incident.chain_next_at)),
                   false,
                   PlaceOf(ends ? incident.policy->lines.chain
                                : incident.policy->chain->steps[incident.chain_step].line)});
  }
  if (incident.policy != nullptr && incident.policy->chain != nullptr && IsSet(incident.care->muted_since)) {
    const std::vector<ChainStep>& steps = incident.policy->chain->steps;
    out.push_back({"chain", "", "it stands while all of its alerts are silenced or inhibited", false,
                   PlaceOf(incident.chain_step < steps.size() ? steps[incident.chain_step].line
                                                              : incident.policy->lines.chain)});
  }
  constexpr size_t kAlertsShown = 5;
  for (size_t i = 0; i < entry->firing.size() && i < kAlertsShown; ++i) {
    const AlertEntry& alert = *entry->firing[i];
    const AlertMute mute = muter_.MuteOf(alert, now);
    for (const std::string& silence : mute.silenced_by) {
      int line = 0;
      if (config_->calm != nullptr && silence.starts_with(kRecurring)) {
        for (const RecurringSilence& recurring : config_->calm->silences) {
          line = silence.substr(kRecurring.size()) == recurring.name ? recurring.line : line;
        }
      }
      out.push_back({"silence", "", fmt::format("silenced by {}", silence), true, PlaceOf(line)});
    }
    if (mute.inhibited_by) {
      const InhibitRule* rule = nullptr;
      (void)muter_.inhibitor().InhibitedBy(alert.effective, now, &rule);
      const AlertEntry* source = alerts_.Find(*mute.inhibited_by);
      out.push_back({"inhibition", "",
                     fmt::format("inhibited by {}", source != nullptr ? source->alert.labels.ToString()
                                                                      : std::string("another alert")),
                     true, PlaceOf(rule != nullptr ? rule->line : 0)});
    }
    for (const GroupSlot& slot : alert.groups) {
      if (Group* group = dispatcher_.Find(slot.group)) {
        ExplainGroup(*group, slot.member, receiver, now, out);
      }
    }
  }
  return out;
}

void Engine::ExplainGroup(Group& group, uint32_t member, const std::string& receiver, Timestamp now,
                          std::vector<WhyStep>& out) {
  const AlertEntry& alert = *group.members[member].alert();
  const RouteMute route = muter_.MuteOf(*dispatcher_.routes().node(group.route).route, now);
  const std::vector<Addressee> addressees = AddresseesOf(group, now);
  const std::string& means = dispatcher_.ReceiverOf(group);
  if (addressees.empty() && (receiver.empty() || receiver == means)) {
    out.push_back({"route", means, fmt::format("nobody is on call in {}", means), true,
                   PlaceOf(dispatcher_.routes().node(group.route).route->line)});
  }
  for (const Addressee& addressee : addressees) {
    const std::string& name = addressee.receiver->name;
    if (!receiver.empty() && receiver != name && receiver != means) {
      continue;
    }
    const bool chain = group.orphan != nullptr && group.orphan->chain;
    out.push_back(
        {"route", name,
         chain ? std::string("told by the chain")
               : fmt::format("{} of route {}, group {}, looks again at {}", means,
                             dispatcher_.RouteIdOf(group), group.labels.ToString(), At(group.next_flush)),
         false, PlaceOf(chain ? 0 : dispatcher_.routes().node(group.route).route->line)});
    if (addressee.former) {
      out.push_back({"route", name, "not on call any more: owed the end, no more", true});
    }
    if (group.members[member].moved && !chain) {
      out.push_back(
          {"route", name, "it has moved to another route with its severity: owed the end, no more", true});
    }
    if (route.reason != MuteReason::kNone) {
      int interval_line = 0;
      for (const NamedTimeInterval& interval : config_->time_intervals) {
        interval_line =
            interval_line == 0 && interval.name == route.names.front() ? interval.line : interval_line;
      }
      out.push_back({"interval", name,
                     fmt::format("{} {}", ToString(route.reason), fmt::join(route.names, ", ")), true,
                     PlaceOf(interval_line)});
    }
    for (IntegrationRef integration : IntegrationsOf(*addressee.receiver)) {
      const std::string key =
          NflogKey(group.key, name, std::string(ToString(integration.kind)), integration.index);
      const auto logged = nflog_.find(key);
      const std::string who = fmt::format("{}[{}]", ToString(integration.kind), integration.index);
      if (in_flight_by_log_key_.contains(key)) {
        out.push_back({"dedup", name, fmt::format("{}: a message is on its way", who), false});
      } else if (logged == nflog_.end()) {
        out.push_back({"dedup", name, fmt::format("{}: never told", who), false});
      } else {
        const bool knows = std::binary_search(logged->second.firing.begin(), logged->second.firing.end(),
                                              alert.alert.fingerprint());
        const Duration repeat = dispatcher_.routes().node(group.route).route->repeat_interval;
        out.push_back(
            {"dedup", name,
             knows ? fmt::format("{}: knows that it fires, told at {}{}", who, At(logged->second.timestamp),
                                 chain ? "" : ", repeated after " + FormatDuration(repeat))
                   : fmt::format("{}: last told of this group at {}, does not know that it fires", who,
                                 At(logged->second.timestamp)),
             knows, PlaceOf(chain ? 0 : dispatcher_.routes().node(group.route).route->line)});
      }
    }
    if (config_->calm != nullptr && config_->calm->rate_limits.contains(name) && IsSet(group.look_at)) {
      out.push_back({"rate_limit", name, fmt::format("delayed until {}", At(group.look_at)), true,
                     PlaceOf(config_->calm->rate_limits.find(name)->second.line)});
    }
  }
}

// What took it, and where that leads: the trace of the first decisions.
void Engine::NoteWhereItGoes(const Incident& incident, const AlertEntry& alert, EventRecord& opening) const {
  if (incident.policy == nullptr) {
    return;
  }
  Json receivers = Json::MakeArray();
  int line = 0;
  for (uint32_t route : dispatcher_.routes().Match(alert.effective)) {
    const Route& found = *dispatcher_.routes().node(route).route;
    receivers.Push(found.receiver);
    line = line == 0 ? found.line : line;
  }
  Json data = Json::MakeObject();
  data.Set("policy", incident.policy->name).Set("policy_config", PlaceOf(incident.policy->lines.policy));
  data.Set("receivers", std::move(receivers)).Set("config", PlaceOf(line));
  opening.data = data.Dump();
}

// Held back, and why: an event when that changes; then true.
bool Engine::NoteDecision(const Incident& incident, const std::string& receiver, const HeldBack& verdict,
                          Timestamp now, Effects& fx) {
  if (verdict.text.empty() && decisions_.empty()) {
    return false;
  }
  const std::pair key{incident.id, uint64_t{std::hash<std::string_view>{}(receiver)}};
  if (verdict.text.empty()) {
    decisions_.erase(key);
    return false;
  }
  const uint64_t hash = std::hash<std::string_view>{}(verdict.text);
  if (auto [it, fresh] = decisions_.emplace(key, hash); !fresh && std::exchange(it->second, hash) == hash) {
    return false;
  }
  EventRecord event = IncidentEvent(incident, now, "decided");
  event.to_value = receiver;
  event.reason = verdict.text;
  if (verdict.line > 0) {
    event.data = Json::MakeObject().Set("config", PlaceOf(verdict.line)).Dump();
  }
  fx.records.emplace_back(std::move(event));
  return true;
}

}  // namespace mlalert
