// The engine's part in the chain: a step is due, who is on call, which of them the routes tell already.
#include <algorithm>
#include <fmt/format.h>

#include "base/json.h"
#include "config/schedules.h"
#include "engine/engine.h"
#include "incidents/chain.h"

namespace mlalert {
std::vector<std::string> ReceiversNow(const Config& config, const std::string& name, Timestamp now) {
  if (config.FindReceiver(name) != nullptr) {
    return {name};
  }
  const Schedule* schedule = config.schedules != nullptr ? config.schedules->Find(name) : nullptr;
  return schedule != nullptr ? schedule->OnCall(now) : std::vector<std::string>{};
}

// The group of the routing tree that tells `receiver` of this alert, and the place of the alert in it; null
// when none does.
Group* Engine::RoutedGroup(const AlertEntry& alert, const std::string& receiver, Timestamp now,
                           GroupMember** member) {
  for (const GroupSlot& slot : alert.groups) {
    Group* group = dispatcher_.Find(slot.group);
    if (group == nullptr || group->orphan != nullptr) {
      continue;
    }
    const std::string& name = dispatcher_.ReceiverOf(*group);
    bool tells = name == receiver;
    if (!tells && config_->schedules != nullptr && config_->FindReceiver(name) == nullptr) {
      const std::vector<std::string> names = ReceiversNow(*config_, name, now);
      tells = std::find(names.begin(), names.end(), receiver) != names.end();
    }
    if (tells && !group->members[slot.member].moved) {
      *member = &group->members[slot.member];
      return group;
    }
  }
  return nullptr;
}

// When `receiver` was last told through this group that something fires; kUnset: never.
Timestamp Engine::LastTold(const Group& group, const std::string& receiver) const {
  Timestamp last = kUnset;
  const std::string prefix = fmt::format("{}\x1f{}\x1f", group.key, receiver);
  for (auto it = nflog_.lower_bound(prefix); it != nflog_.end() && it->first.starts_with(prefix); ++it) {
    if (!it->second.firing.empty()) {
      last = std::max(last, it->second.timestamp);
    }
  }
  return last;
}

// By the routes already: then their group speaks again, where it has not just done so. False: not by them.
bool Engine::PageByRoutes(const IncidentEntry& entry, const std::string& receiver, Timestamp now) {
  bool routed = false;
  for (AlertEntry* alert : entry.firing) {
    GroupMember* member = nullptr;
    Group* group = RoutedGroup(*alert, receiver, now, &member);
    if (group == nullptr) {
      continue;
    }
    routed = true;
    // Asked already at this instant, for another incident, or told long enough ago.
    bool ask = group->page_at == now;
    if (!ask) {
      const Timestamp last = LastTold(*group, receiver);
      ask = IsSet(last) && last + kJustTold < now;
    }
    if (ask) {
      member->asked = true;
      group->page_at = now;
      dispatcher_.FlushEarly(*group, now);
    }
  }
  return routed;
}

// The receivers that hear of it now. A receiver that the routes tell is not told twice.
std::vector<std::string> Engine::Page(IncidentEntry& entry, const std::vector<std::string>& names,
                                      Timestamp now, Effects& fx) {
  std::vector<std::string> told;
  for (const std::string& name : names) {
    for (std::string& receiver : ReceiversNow(*config_, name, now)) {
      if (std::find(told.begin(), told.end(), receiver) != told.end()) {
        continue;
      }
      if (!PageByRoutes(entry, receiver, now)) {
        dispatcher_.Page(receiver, entry.incident.id, entry.firing.span(), now, fx.records);
      }
      told.push_back(std::move(receiver));
    }
  }
  return told;
}

void Engine::Escalate(IncidentEntry& entry, const std::vector<size_t>& steps, bool exhausted, Timestamp now,
                      Effects& fx) {
  const std::shared_ptr<const IncidentChain> chain = entry.incident.policy->chain;
  auto applies = [&](const ChainStep& step) {
    return std::any_of(entry.firing.begin(), entry.firing.end(), [&](const AlertEntry* alert) {
      return StepApplies(step, alert->effective, entry.incident.severity);
    });
  };
  for (size_t number : steps) {
    const ChainStep& step = chain->steps[number];
    if (!applies(step)) {
      continue;
    }
    const std::vector<std::string> told = Page(entry, step.receivers, now, fx);
    EventRecord event = IncidentEvent(entry.incident, now, "escalated");
    if (step_text_.text.empty() || step_text_.step != number || step_text_.after != step.after) {
      step_text_ = {number, step.after,
                    fmt::format("step {} of the chain, after {}", number + 1, FormatDuration(step.after))};
    }
    event.reason = step_text_.text;
    event.to_value = fmt::format("{}", fmt::join(told, ", "));
    if (!told.empty()) {
      fx.records.emplace_back(std::move(event));
      continue;
    }
    NobodyReached(entry, fmt::format("nobody is on call in {}", fmt::join(step.receivers, ", ")), now, fx);
  }
  // A chain that has nothing to do with this severity has not come to an end either.
  if (exhausted && std::any_of(chain->steps.begin(), chain->steps.end(), applies)) {
    EventRecord event = IncidentEvent(entry.incident, now, "chain_exhausted");
    event.reason = "every step was taken and nobody acted";
    event.to_value = fmt::format("{}", fmt::join(Page(entry, chain->fallback, now, fx), ", "));
    fx.records.emplace_back(std::move(event));
  }
}

// After a restart: the step that was taken last may not have been heard yet by those whom the routes had told
// before. Groups of the chain itself know by their own row.
void Engine::ResumePages(IncidentEntry& entry, Timestamp now) {
  const std::optional<TakenStep> last = WaitsForSomebody(entry) && !IsSet(entry.incident.care->muted_since)
                                            ? LastChainStep(entry.incident)
                                            : std::nullopt;
  if (!last) {
    return;
  }
  const IncidentChain& chain = *entry.incident.policy->chain;
  std::vector<std::string> names = chain.steps[last->step].receivers;
  if (IsChainExhausted(entry.incident)) {
    names.insert(names.end(), chain.fallback.begin(), chain.fallback.end());
  }
  for (AlertEntry* alert : entry.firing) {
    if (!StepApplies(chain.steps[last->step], alert->effective, entry.incident.severity)) {
      continue;
    }
    for (const std::string& name : names) {
      for (const std::string& receiver : ReceiversNow(*config_, name, now)) {
        GroupMember* member = nullptr;
        Group* group = RoutedGroup(*alert, receiver, now, &member);
        const Timestamp told = group != nullptr ? LastTold(*group, receiver) : kUnset;
        if (IsSet(told) && told + kJustTold < last->at) {
          member->asked = true;
          group->page_at = std::max(group->page_at, last->at);
          dispatcher_.FlushEarly(*group, now);
        }
      }
    }
  }
}

// Has every integration of the receiver of such a row been told of something since?
bool Engine::HeardSince(const GroupRecord& chain) const {
  const std::string name = Dispatcher::ReceiverOfChain(chain);
  const Receiver* receiver = config_->FindReceiver(name);
  if (receiver == nullptr) {
    return true;  // nobody is left to tell
  }
  const std::vector<IntegrationRef> integrations = IntegrationsOf(*receiver);
  const std::string key = Dispatcher::GroupOfChain(chain);
  return std::all_of(integrations.begin(), integrations.end(), [&](IntegrationRef integration) {
    auto it = nflog_.find(NflogKey(key, name, std::string(ToString(integration.kind)), integration.index));
    return it != nflog_.end() && it->second.timestamp >= chain.created_at;
  });
}

void Engine::NobodyReached(IncidentEntry& entry, std::string why, Timestamp now, Effects& fx) {
  if (entry.incident.policy != nullptr && entry.incident.policy->chain != nullptr) {
    const std::vector<std::string> told = Page(entry, entry.incident.policy->chain->fallback, now, fx);
    if (!told.empty()) {
      why += fmt::format("; told instead: {}", fmt::join(told, ", "));
    }
  }
  Apply(incidents_.OnNobodyReached(entry, std::move(why), now), now, fx);
}

Status Engine::NotHeard(IncidentId id, const std::string& receiver, const std::string& why, Timestamp now,
                        Effects& fx) {
  IncidentEntry* entry = incidents_.table().Find(id);
  if (entry == nullptr) {
    return Fail(ErrorCode::kNotFound, fmt::format("no open incident has the id {}", id));
  }
  if (WaitsForSomebody(*entry)) {
    NobodyReached(*entry, fmt::format("the call to {} was not heard: {}", receiver, why), now, fx);
  }
  return {};
}

}  // namespace mlalert
