#include "dispatch/dispatcher.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <utility>

#include "alerts/alert_order.h"
#include "dispatch/members.h"

namespace mlalert {
namespace {

uint64_t IndexKey(uint32_t route, const LabelSet& labels) {
  return labels.fingerprint() ^ (uint64_t{route} * 0x9E3779B97F4A7C15ULL);
}

std::string GroupKey(const RouteNode& node, const LabelSet& labels) {
  return fmt::format("{}:{}", node.key, labels.ToString());
}

}  // namespace

Dispatcher::Dispatcher(ConfigPtr config) : routes_(std::move(config)) {}

std::vector<OwedNews> Dispatcher::SetConfig(ConfigPtr config) {
  std::vector<OwedNews> pending;
  reloading_ = true;
  std::map<GroupId, std::unique_ptr<Group>> chains;
  for (auto& [id, group] : groups_) {
    if (IsChain(*group)) {
      continue;
    }
    if (group->journalled) {
      RestoreGroup({RouteIdOf(*group), group->key, group->created_at, group->labels});
    }
    OwedNews news{group->key, ReceiverOf(*group), {}};
    for (auto& member : group->members) {
      erase_if(member.alert()->groups, [id = group->id](const GroupSlot& slot) { return slot.group == id; });
      if (!member.alert()->firing && group->journalled) {
        news.alerts.push_back(member.alert());
      }
    }
    pending.push_back(std::move(news));
  }
  for (auto& [id, group] : groups_) {
    if (IsChain(*group)) {
      chains.emplace(id, std::move(group));
    }
  }
  groups_ = std::move(chains);
  by_id_.clear();
  index_.clear();
  asleep_ = {};
  timers_ = {};
  for (auto& [id, group] : groups_) {
    by_id_.Insert(*group);
    group->early_flush = kUnset;
    group->settled_until = kUnset;
    if (IsSet(group->asleep_from)) {
      group->next_flush = std::exchange(group->asleep_from, kUnset);
    }
    timers_.emplace(Timer{group->next_flush, id});
  }
  routes_ = RouteTree(std::move(config));
  return pending;
}

void Dispatcher::RestoreGroup(const GroupRecord& record) {
  known_[{record.group_key, record.route_id}] = record;
}

const std::string& Dispatcher::ReceiverOf(const Group& group) const {
  return group.orphan != nullptr ? group.orphan->receiver : routes_.node(group.route).route->receiver;
}

std::string Dispatcher::RouteIdOf(const Group& group) const {
  if (group.orphan != nullptr) {
    return group.orphan->chain ? ChainRouteId(group.orphan->receiver) : std::string();
  }
  return routes_.node(group.route).id;
}

void Dispatcher::SettleKnownGroups(const std::vector<OwedNews>& owed, Timestamp now,
                                   std::vector<Record>& records) {
  GroupsByKey by_key;
  for (auto& [id, group] : groups_) {
    by_key.emplace(group->key, group.get());
  }
  for (const OwedNews& news : owed) {
    if (news.alerts.empty()) {
      continue;
    }
    Group& group = FindOwing(news, by_key, now, records);
    for (AlertEntry* alert : news.alerts) {
      if (FindMember(group, *alert) == nullptr) {
        AddMember(group, *alert, true);
      }
    }
  }
  for (const auto& [key, record] : known_) {
    records.emplace_back(GroupDelete{record.route_id, record.group_key});
  }
  known_.clear();
  reloading_ = false;
}

// The group that told the receiver: one that lives, one that is known from before, or an orphan.
Group& Dispatcher::FindOwing(const OwedNews& owed, GroupsByKey& by_key, Timestamp now,
                             std::vector<Record>& records) {
  LabelSet labels;
  auto [begin, end] = by_key.equal_range(owed.group_key);
  for (auto it = begin; it != end; ++it) {
    Group& group = *it->second;
    labels = group.labels;
    if (ReceiverOf(group) == owed.receiver) {
      return group;
    }
  }
  for (auto it = known_.lower_bound({owed.group_key, ""});
       it != known_.end() && it->first.first == owed.group_key; ++it) {
    labels = it->second.labels;
    std::optional<uint32_t> route = routes_.FindById(it->second.route_id);
    if (route && routes_.node(*route).route->receiver == owed.receiver) {
      Group& group = Create(*route, labels, owed.group_key);
      index_.emplace(IndexKey(*route, group.labels), group.id);
      by_key.emplace(group.key, &group);
      if (reloading_) {
        SpeakAtOnce(group, now, records);
      } else {
        group.journalled = true;
        Resume(group, it->second.created_at, now);
      }
      known_.erase(it);
      return group;
    }
  }
  // Its group died unheard, for it was muted: its route still has a say.
  for (uint32_t route : routes_.Match(owed.alerts.front()->effective)) {
    const RouteNode& node = routes_.node(route);
    LabelSet by = RouteTree::GroupLabels(*node.route, owed.alerts.front()->effective);
    if (node.route->receiver == owed.receiver && GroupKey(node, by) == owed.group_key) {
      Group& group = Create(route, std::move(by), owed.group_key);
      index_.emplace(IndexKey(route, group.labels), group.id);
      by_key.emplace(group.key, &group);
      SpeakAtOnce(group, now, records);
      return group;
    }
  }
  Group& group = Create(0, labels, owed.group_key);
  group.orphan = std::make_unique<const Orphan>(Orphan{owed.receiver});
  by_key.emplace(group.key, &group);
  Resume(group, now, now);
  FlushEarly(group.id, now);
  group.journalled = true;
  known_.erase({group.key, ""});
  records.emplace_back(GroupRecord{"", group.key, group.created_at, group.labels});
  return group;
}

Group& Dispatcher::Create(uint32_t route, LabelSet labels, std::string key) {
  auto group = std::make_unique<Group>();
  group->id = next_id_++;
  group->route = route;
  group->labels = std::move(labels);
  group->key = std::move(key);
  Group& ref = *group;
  groups_.emplace(ref.id, std::move(group));
  by_id_.Insert(ref);
  return ref;
}

// A group that counts as having waited.
void Dispatcher::SpeakAtOnce(Group& group, Timestamp now, std::vector<Record>& records) {
  const RouteNode& node = routes_.node(group.route);
  group.created_at = now - node.route->group_wait;
  group.next_flush = now;
  group.journalled = true;
  timers_.emplace(Timer{now, group.id});
  records.emplace_back(GroupRecord{node.id, group.key, group.created_at, group.labels});
}

// A group from before: its flushes stay in phase.
void Dispatcher::Resume(Group& group, Timestamp created_at, Timestamp now) {
  const Route& route = *routes_.node(group.route).route;
  group.created_at = created_at;
  group.next_flush = After(created_at, route.group_wait);
  if (group.next_flush < now) {
    // The first regular flush that has not passed.
    group.next_flush += ((now - group.next_flush) / route.group_interval + 1) * route.group_interval;
    // Something may have been owed when the old process ended: look at once, the log knows what was said.
    group.early_flush = now;
    timers_.emplace(Timer{now, group.id});
  }
  timers_.emplace(Timer{group.next_flush, group.id});
}

// What is known of a group of this route and key. Route ids hold positions: a route that was put in front of
// this one changes its id, but not the key.
std::optional<GroupRecord> Dispatcher::TakeKnown(const RouteNode& node, const std::string& key,
                                                 std::vector<Record>& records) {
  auto it = known_.find({key, node.id});
  if (it == known_.end()) {
    it = known_.lower_bound({key, ""});
    while (it != known_.end() && it->first.first == key && routes_.FindById(it->second.route_id)) {
      ++it;
    }
    if (it == known_.end() || it->first.first != key) {
      return std::nullopt;
    }
    records.emplace_back(GroupDelete{it->second.route_id, key});
    records.emplace_back(GroupRecord{node.id, key, it->second.created_at, it->second.labels});
  }
  GroupRecord record = std::move(it->second);
  known_.erase(it);
  return record;
}

Group& Dispatcher::FindOrCreate(uint32_t route, const AlertEntry& alert, Timestamp now,
                                std::vector<Record>& records) {
  const RouteNode& node = routes_.node(route);
  LabelSet labels = RouteTree::GroupLabels(*node.route, alert.effective);
  uint64_t index_key = IndexKey(route, labels);
  // Nearly always the first one is it: the end of the range, another place in memory, need not be looked for.
  for (auto it = index_.find(index_key); it != index_.end() && it->first == index_key; ++it) {
    Group& group = *Find(it->second);
    if (group.route == route && group.labels == labels) {
      return group;
    }
  }
  std::string key = GroupKey(node, labels);
  Group& group = Create(route, std::move(labels), std::move(key));
  index_.emplace(index_key, group.id);
  if (std::optional<GroupRecord> known = TakeKnown(node, group.key, records); known && !reloading_) {
    group.journalled = true;
    Resume(group, known->created_at, now);
    return group;
  }
  const Duration wait = node.route->group_wait;
  // An alert that is older than the wait has waited already. The group then counts as created that much
  // earlier, so that its flushes keep their phase over a restart.
  const bool late = alert.alert.starts_at < now - wait;
  group.created_at = late ? now - wait : now;
  group.next_flush = After(group.created_at, wait);
  timers_.emplace(Timer{group.next_flush, group.id});
  return group;
}

void Dispatcher::AddMember(Group& group, AlertEntry& alert, bool moved) {
  Unsettle(group);
  group.in_order = false;
  alert.groups.push_back({group.id, static_cast<uint32_t>(group.members.size())});
  group.members.emplace_back(&alert, moved);
}

void Dispatcher::Assign(AlertEntry& alert, Timestamp now, bool hasten, std::vector<Record>& records) {
  std::vector<GroupId> wanted;
  for (uint32_t route : routes_.Match(alert.effective)) {
    Group& group = FindOrCreate(route, alert, now, records);
    wanted.push_back(group.id);
    if (alert.firing && !group.journalled) {
      group.journalled = true;
      records.emplace_back(GroupRecord{RouteIdOf(group), group.key, group.created_at, group.labels});
    }
    if (GroupMember* member = FindMember(group, alert)) {
      member->moved = false;
    } else {
      AddMember(group, alert, false);
    }
  }
  for (const GroupSlot& slot : alert.groups) {
    Group& group = *Find(slot.group);
    group.in_order = false;  // its labels may have changed
    if (std::find(wanted.begin(), wanted.end(), slot.group) == wanted.end()) {
      // There it has nothing to say but its end: no reason to look.
      group.members[slot.member].moved = true;
      continue;
    }
    Unsettle(group);
    if (hasten) {
      FlushEarly(group, now);
    }
  }
}

void Dispatcher::Order(Group& group) {
  const bool moved = SortAlerts(
      group.members, [](const GroupMember& member) -> const LabelSet& { return member.alert()->effective; });
  for (uint32_t i = 0; moved && i < group.members.size(); ++i) {
    for (GroupSlot& slot : group.members[i].alert()->groups) {
      slot.member = slot.group == group.id ? i : slot.member;
    }
  }
  group.in_order = true;
}

void Dispatcher::Hasten(const AlertEntry& alert, Timestamp now) {
  for (const GroupSlot& slot : alert.groups) {
    FlushEarly(slot.group, now);
  }
}

Group* Dispatcher::FinishFlush(Group& group, bool ok, Timestamp now, std::vector<Record>& records) {
  if (IsSet(group.page_at)) {
    for (GroupMember& member : group.members) {
      // What did not leave is asked for still.
      member.asked = member.asked || (member.telling && !ok);
      member.telling = false;
    }
  }
  if (ok) {
    std::vector<IncidentId> left;
    for (auto& [alert, updated_at] : group.resolved_snapshot) {
      if (alert->alert.updated_at == updated_at && !alert->firing) {
        RemoveMember(group, *alert);
        if (IsChain(group)) {
          left.push_back(alert->incident_id);
        }
      }
    }
    LeaveChain(group, std::move(left), records);
  }
  group.resolved_snapshot.clear();
  group.failed = false;
  if (group.members.empty()) {
    Destroy(group, records);
    return nullptr;
  }
  if (group.flush_again) {
    group.flush_again = false;
    if (IsSet(group.missed_tick)) {
      // The interval is counted from the flush that was late, as upstream's timer does.
      group.next_flush = After(now, routes_.node(group.route).route->group_interval);
      timers_.emplace(Timer{group.next_flush, group.id});
    }
    FlushEarly(group.id, now);
  }
  return &group;
}

void Dispatcher::Destroy(Group& group, std::vector<Record>& records) {
  if (IsChain(group)) {
    chains_.erase({group.key, group.orphan->receiver});
  } else if (group.journalled) {
    records.emplace_back(GroupDelete{RouteIdOf(group), group.key});
  }
  Wake(group);
  by_id_.Erase(group);
  auto [begin, end] = index_.equal_range(IndexKey(group.route, group.labels));
  for (auto it = begin; it != end; ++it) {
    if (it->second == group.id) {
      index_.erase(it);
      break;
    }
  }
  groups_.erase(group.id);
}

}  // namespace mlalert
