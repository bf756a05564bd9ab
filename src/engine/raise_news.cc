// Who was told of an incident hears that it became more severe, also after it has moved to another route,
// where that disturbs nobody: in the thread below the message that he got.
#include <algorithm>

#include "base/json.h"
#include "engine/engine.h"

namespace mlalert {
namespace {

bool HasThreads(const Receiver& receiver) {
  return !receiver.slack_configs.empty();
}

}  // namespace

bool RaisesGoToThreads(const Config& config) {
  return std::any_of(config.receivers.begin(), config.receivers.end(), HasThreads);
}

// The groups that it has left look at once whether they owe the news.
void Engine::HastenThreads(const IncidentEntry& entry, Timestamp now) {
  if (!raises_go_to_threads_) {
    return;
  }
  for (const AlertEntry* alert : entry.firing) {
    for (const GroupSlot& slot : alert->groups) {
      Group& group = *dispatcher_.Find(slot.group);
      const Receiver* receiver = config_->FindReceiver(dispatcher_.ReceiverOf(group));
      if (group.members[slot.member].moved && (receiver == nullptr || HasThreads(*receiver))) {
        dispatcher_.FlushEarly(group, now);
      }
    }
  }
}

// `told`: what this integration was told last; null: nothing.
bool Engine::OwesRaiseNews(const std::vector<GroupMember>& members, const NflogEntry* told,
                           IntegrationRef integration) {
  if (integration.kind != IntegrationKind::kSlack || told == nullptr || told->data.empty() ||
      std::none_of(members.begin(), members.end(), [](const GroupMember& member) { return member.moved; })) {
    return false;
  }
  auto data = ParseJson(told->data);
  if (!data || data->GetString("threadTs").empty() || data->Find("severity") == nullptr) {
    return false;
  }
  const Severity said = SeverityFromLabel(data->GetString("severity"));
  return std::any_of(members.begin(), members.end(), [&](const GroupMember& member) {
    const AlertEntry& alert = *member.alert();
    const IncidentEntry* entry = incidents_.table().Find(alert.incident_id);
    return member.moved && alert.firing && entry != nullptr && entry->incident.policy != nullptr &&
           entry->incident.severity > said && WaitsForSomebody(*entry) && !IsInStorm(entry->incident) &&
           std::binary_search(told->firing.begin(), told->firing.end(), alert.alert.fingerprint());
  });
}

}  // namespace mlalert
