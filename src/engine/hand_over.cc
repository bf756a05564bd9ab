// Hand-overs: who comes on call while nobody acts hears of what the chain has told those before him. Looked
// at when a schedule changes, when the config does, after a restart and a silence. (Routes look at each of
// their ticks.)
#include <algorithm>
#include <fmt/format.h>

#include "config/schedules.h"
#include "engine/engine.h"
#include "incidents/chain.h"

namespace mlalert {

void Engine::ArmHandOver(Timestamp now) {
  hand_over_at_ = kNever;
  if (config_->schedules == nullptr) {
    return;
  }
  for (const Schedule& schedule : config_->schedules->all()) {
    hand_over_at_ = std::min(hand_over_at_, schedule.NextChange(now));
  }
  if (hand_over_at_ != kNever) {
    timers_.Add(hand_over_at_, {TimerKind::kHandOver, 0});
  }
}

// By a step of its chain, or by the routes.
bool Engine::IsToldAlready(const IncidentEntry& entry, const std::string& receiver, Timestamp now) {
  return std::any_of(entry.firing.begin(), entry.firing.end(), [&](const AlertEntry* alert) {
    GroupMember* member = nullptr;
    return RoutedGroup(*alert, receiver, now, &member) != nullptr ||
           std::any_of(alert->groups.begin(), alert->groups.end(), [&](const GroupSlot& slot) {
             const Group* group = dispatcher_.Find(slot.group);
             return group != nullptr && Dispatcher::IsChain(*group) && group->orphan->receiver == receiver;
           });
  });
}

void Engine::HandOver(Timestamp now, Effects& fx) {
  ArmHandOver(now);
  if (config_->schedules == nullptr) {
    return;
  }
  for (IncidentEntry* entry : incidents_.table().Sorted()) {
    HandOver(*entry, now, fx);
  }
}

void Engine::HandOver(IncidentEntry& entry, Timestamp now, Effects& fx) {
  // What is silenced is looked at when that ends.
  if (config_->schedules == nullptr || !WaitsForSomebody(entry) || IsSet(entry.incident.care->muted_since)) {
    return;
  }
  const std::optional<TakenStep> last = LastChainStep(entry.incident);
  for (size_t number = 0; last && number <= last->step; ++number) {
    HandOverStep(entry, number, now, fx);
  }
}

void Engine::HandOverStep(IncidentEntry& entry, size_t number, Timestamp now, Effects& fx) {
  const std::shared_ptr<const IncidentChain> chain = entry.incident.policy->chain;
  const ChainStep& step = chain->steps[number];
  if (std::none_of(entry.firing.begin(), entry.firing.end(), [&](const AlertEntry* alert) {
        return StepApplies(step, alert->effective, entry.incident.severity);
      })) {
    return;
  }
  for (const std::string& name : step.receivers) {
    const Schedule* schedule = config_->schedules->Find(name);
    if (schedule == nullptr) {
      continue;
    }
    for (const std::string& receiver : schedule->OnCall(now)) {
      if (config_->FindReceiver(receiver) == nullptr || IsToldAlready(entry, receiver, now)) {
        continue;
      }
      dispatcher_.Page(receiver, entry.incident.id, entry.firing.span(), now, fx.records);
      EventRecord event = IncidentEvent(entry.incident, now, "escalated");
      event.reason = fmt::format("step {} of the chain: on call in {} since the hand-over", number + 1, name);
      event.to_value = receiver;
      fx.records.emplace_back(std::move(event));
    }
  }
}

}  // namespace mlalert
