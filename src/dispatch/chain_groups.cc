// Pages of chains: groups outside of the routing tree, for receivers that steps of chains name. They group as
// the routing tree does: one for each of its groups and receiver, and whatever joins one stays in it. Each
// incident in one has a row of its own ("{}/chain/17:" and the key of the group in the routing tree), which
// keeps when it was last asked for; so a restart knows who is in it and whether that was told. Before, each
// incident had a group of its own, whose key was that of its row with the incident's labels behind it; such
// rows go on as they were.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "dispatch/dispatcher.h"
#include "dispatch/members.h"

namespace mlalert {
namespace {

constexpr std::string_view kRoutePrefix = "chain/";
constexpr std::string_view kKeyPrefix = "{}/chain/";

// Of one incident, as it was before: an id follows.
bool IsOfOneIncident(std::string_view key) {
  return key.size() > kKeyPrefix.size() && key[kKeyPrefix.size()] >= '0' && key[kKeyPrefix.size()] <= '9';
}

std::string RowKey(const Group& group, IncidentId incident) {
  if (IsOfOneIncident(group.key)) {
    return group.key;
  }
  std::string key(kKeyPrefix);
  key += std::to_string(incident);
  key += ':';
  return key.append(group.key, kKeyPrefix.size());
}

}  // namespace

bool Dispatcher::IsChain(const GroupRecord& record) {
  return record.route_id.starts_with(kRoutePrefix);
}

std::string Dispatcher::ReceiverOfChain(const GroupRecord& record) {
  return record.route_id.substr(kRoutePrefix.size());
}

std::string Dispatcher::ChainRouteId(const std::string& receiver) {
  return std::string(kRoutePrefix) + receiver;
}

IncidentId Dispatcher::IncidentOfChain(const GroupRecord& record) {
  IncidentId id = 0;
  if (record.group_key.starts_with(kKeyPrefix)) {
    const char* begin = record.group_key.data() + kKeyPrefix.size();
    std::from_chars(begin, record.group_key.data() + record.group_key.size(), id);
  }
  return id;
}

std::string Dispatcher::GroupOfChain(const GroupRecord& record) {
  const size_t colon = record.group_key.find(':');
  const std::string_view rest =
      colon != std::string::npos ? std::string_view(record.group_key).substr(colon + 1) : std::string_view();
  // A key of the routing tree begins with its root; labels do not.
  if (rest.starts_with("{}:") || rest.starts_with("{}/")) {
    return fmt::format("{}{}", kKeyPrefix, rest);
  }
  return record.group_key;
}

Group& Dispatcher::ChainGroup(const std::string& key, const std::string& receiver, const LabelSet& labels,
                              Timestamp now) {
  if (auto it = chains_.find({key, receiver}); it != chains_.end()) {
    return *Find(it->second);
  }
  Group& group = Create(0, labels, key);
  group.orphan = std::make_unique<const Orphan>(Orphan{receiver, true});
  group.created_at = now;
  group.next_flush = After(now, routes_.node(0).route->group_interval);
  timers_.emplace(Timer{group.next_flush, group.id});
  chains_.emplace(std::pair{key, receiver}, group.id);
  return group;
}

// The one that told `receiver` of this incident before; else that of the group which tells its first alert.
Group& Dispatcher::ChainGroupOf(const std::string& receiver, std::span<AlertEntry* const> alerts,
                                Timestamp now) {
  const Group* routed = nullptr;
  for (const AlertEntry* alert : alerts) {
    for (const GroupSlot& slot : alert->groups) {
      Group& group = *Find(slot.group);
      if (IsChain(group) && group.orphan->receiver == receiver) {
        return group;
      }
      if (routed == nullptr && group.orphan == nullptr && !group.members[slot.member].moved) {
        routed = &group;
      }
    }
  }
  return ChainGroup(fmt::format("{}{}", kKeyPrefix, routed != nullptr ? routed->key : "{}:{}"), receiver,
                    routed != nullptr ? routed->labels : LabelSet(), now);
}

void Dispatcher::Page(const std::string& receiver, IncidentId incident, std::span<AlertEntry* const> alerts,
                      Timestamp now, std::vector<Record>& records) {
  Group& group = ChainGroupOf(receiver, alerts, now);
  for (AlertEntry* alert : alerts) {
    GroupMember* member = FindMember(group, *alert);
    if (member == nullptr) {
      AddMember(group, *alert, true);
      member = &group.members.back();
    }
    member->asked = true;
  }
  group.page_at = now;
  records.emplace_back(GroupRecord{ChainRouteId(receiver), RowKey(group, incident), now, group.labels});
  FlushEarly(group, now);
}

void Dispatcher::RestoreChain(const GroupRecord& record, std::span<AlertEntry* const> alerts, bool heard,
                              Timestamp now) {
  Group& group = ChainGroup(GroupOfChain(record), ReceiverOfChain(record), record.labels, now);
  group.created_at = std::min(group.created_at, record.created_at);
  for (AlertEntry* alert : alerts) {
    GroupMember* member = FindMember(group, *alert);
    if (member == nullptr) {
      AddMember(group, *alert, true);
      member = &group.members.back();
    }
    member->asked = !heard;
  }
  group.page_at = std::max(group.page_at, record.created_at);
  FlushEarly(group, now);
}

void Dispatcher::SettleChains(const std::vector<GroupRecord>& rows, std::vector<Record>& records) const {
  std::set<std::pair<GroupId, IncidentId>> members;
  for (const auto& [key, id] : chains_) {
    for (const GroupMember& member : Find(id)->members) {
      members.emplace(id, member.alert()->incident_id);
    }
  }
  for (const GroupRecord& row : rows) {
    if (!IsChain(row)) {
      continue;
    }
    auto chain = chains_.find({GroupOfChain(row), ReceiverOfChain(row)});
    if (chain == chains_.end() || !members.contains({chain->second, IncidentOfChain(row)})) {
      records.emplace_back(GroupDelete{row.route_id, row.group_key});
    }
  }
}

void Dispatcher::SnapshotChain(const Group& group, std::vector<Record>& records) const {
  std::vector<std::pair<IncidentId, bool>> incidents;
  incidents.reserve(group.members.size());
  for (const GroupMember& member : group.members) {
    incidents.emplace_back(member.alert()->incident_id, !member.asked && !member.telling);
  }
  std::sort(incidents.begin(), incidents.end());
  IncidentId last = 0;
  for (const auto& [incident, told] : incidents) {
    if (incident != std::exchange(last, incident)) {
      // What was told long ago need not be known to the second.
      records.emplace_back(GroupRecord{RouteIdOf(group), RowKey(group, incident),
                                       told ? group.created_at : group.page_at, group.labels});
    }
  }
}

// Alerts of these incidents have left the group: those of which none is left lose their row.
void Dispatcher::LeaveChain(const Group& group, std::vector<IncidentId> incidents,
                            std::vector<Record>& records) const {
  if (incidents.empty()) {
    return;
  }
  std::sort(incidents.begin(), incidents.end());
  incidents.erase(std::unique(incidents.begin(), incidents.end()), incidents.end());
  std::vector<IncidentId> stay;
  for (const GroupMember& member : group.members) {
    if (std::binary_search(incidents.begin(), incidents.end(), member.alert()->incident_id)) {
      stay.push_back(member.alert()->incident_id);
    }
  }
  std::sort(stay.begin(), stay.end());
  for (IncidentId incident : incidents) {
    if (!std::binary_search(stay.begin(), stay.end(), incident)) {
      records.emplace_back(GroupDelete{RouteIdOf(group), RowKey(group, incident)});
    }
  }
}

}  // namespace mlalert
