#include "dispatch/dispatcher.h"

#include <algorithm>

#include <fmt/format.h>

namespace mlalert {
namespace {

uint64_t IndexKey(uint32_t route, const LabelSet& labels) {
  return labels.fingerprint() ^ (uint64_t{route} * 0x9E3779B97F4A7C15ULL);
}

GroupMember* FindMember(Group& group, const AlertEntry& alert) {
  auto it = std::find_if(group.members.begin(), group.members.end(),
                         [&](const GroupMember& m) { return m.alert == &alert; });
  return it != group.members.end() ? &*it : nullptr;
}

void RemoveId(std::vector<uint32_t>& ids, uint32_t id) {
  ids.erase(std::remove(ids.begin(), ids.end(), id), ids.end());
}

}  // namespace

Dispatcher::Dispatcher(ConfigPtr config) : routes_(std::move(config)) {}

void Dispatcher::SetConfig(ConfigPtr config) {
  for (auto& [id, group] : groups_) {
    RestoreGroup({routes_.node(group->route).id, group->key, group->created_at, group->labels});
    for (auto& member : group->members) {
      RemoveId(member.alert->groups, id);
    }
  }
  groups_.clear();
  index_.clear();
  timers_ = {};
  routes_ = RouteTree(std::move(config));
}

void Dispatcher::RestoreGroup(const GroupRecord& record) {
  known_[{record.route_id, record.group_key}] = record;
}

void Dispatcher::SettleKnownGroups(const std::function<std::vector<AlertEntry*>(const std::string&)>& owed,
                                   Timestamp now, std::vector<Record>& records) {
  auto known = std::move(known_);
  known_.clear();
  for (auto& [key, record] : known) {
    std::vector<AlertEntry*> alerts = owed(record.group_key);
    std::optional<uint32_t> route = routes_.FindById(record.route_id);
    if (alerts.empty() || !route) {
      records.emplace_back(GroupDelete{record.route_id, record.group_key});
      continue;
    }
    auto group = std::make_unique<Group>();
    group->id = next_id_++;
    group->route = *route;
    group->labels = record.labels;
    group->key = record.group_key;
    group->created_at = record.created_at;
    group->next_flush = now + routes_.node(*route).route->group_interval;
    timers_.Add(group->next_flush, group->id);
    for (AlertEntry* alert : alerts) {
      group->members.push_back({alert, true});
      alert->groups.push_back(group->id);
    }
    index_.emplace(IndexKey(*route, group->labels), group->id);
    groups_.emplace(group->id, std::move(group));
  }
}

Group& Dispatcher::FindOrCreate(uint32_t route, const AlertEntry& alert, Timestamp now,
                                std::vector<Record>& records) {
  const RouteNode& node = routes_.node(route);
  LabelSet labels = RouteTree::GroupLabels(*node.route, alert.effective);
  uint64_t index_key = IndexKey(route, labels);
  auto [begin, end] = index_.equal_range(index_key);
  for (auto it = begin; it != end; ++it) {
    Group& group = *groups_.at(it->second);
    if (group.route == route && group.labels == labels) {
      return group;
    }
  }
  auto group = std::make_unique<Group>();
  group->id = next_id_++;
  group->route = route;
  group->key = fmt::format("{}:{}", node.key, labels.ToString());
  group->labels = std::move(labels);
  group->created_at = now;
  const Duration wait = node.route->group_wait;
  auto known = known_.find({node.id, group->key});
  if (known != known_.end()) {
    group->created_at = known->second.created_at;
    known_.erase(known);
    // The first regular flush that has not passed.
    Timestamp first = group->created_at + wait;
    Duration interval = node.route->group_interval;
    group->next_flush = first;
    if (first < now) {
      group->next_flush = first + ((now - first) / interval + 1) * interval;
      // Something may have been owed when the old process ended: look at once, the log knows what was said.
      group->early_flush = now;
    }
  } else {
    records.emplace_back(GroupRecord{node.id, group->key, now, group->labels});
    bool late = alert.alert.starts_at + wait < now;
    group->next_flush = late ? now : now + wait;
  }
  timers_.Add(group->next_flush, group->id);
  if (IsSet(group->early_flush)) {
    timers_.Add(group->early_flush, group->id);
  }
  Group& ref = *group;
  index_.emplace(index_key, ref.id);
  groups_.emplace(ref.id, std::move(group));
  return ref;
}

void Dispatcher::Assign(AlertEntry& alert, Timestamp now, bool hasten, std::vector<Record>& records) {
  std::vector<GroupId> wanted;
  for (uint32_t route : routes_.Match(alert.effective)) {
    Group& group = FindOrCreate(route, alert, now, records);
    wanted.push_back(group.id);
    if (GroupMember* member = FindMember(group, alert)) {
      member->moved = false;
    } else {
      group.members.push_back({&alert, false});
      alert.groups.push_back(group.id);
    }
  }
  for (GroupId id : alert.groups) {
    if (std::find(wanted.begin(), wanted.end(), id) == wanted.end()) {
      FindMember(*groups_.at(id), alert)->moved = true;
    }
  }
  if (hasten) {
    Hasten(alert, now);
  }
}

void Dispatcher::Hasten(const AlertEntry& alert, Timestamp now) {
  for (GroupId id : alert.groups) {
    FlushEarly(id, now);
  }
}

void Dispatcher::FlushEarly(GroupId id, Timestamp now) {
  Group* group = Find(id);
  if (group != nullptr && group->next_flush > now && (!IsSet(group->early_flush) || group->early_flush > now)) {
    group->early_flush = now;
    timers_.Add(now, id);
  }
}

Group* Dispatcher::PopDue(Timestamp now) {
  Timestamp due;
  GroupId id = 0;
  while (timers_.PopDue(now, due, id)) {
    Group* group = Find(id);
    if (group == nullptr) {
      continue;
    }
    bool regular = due == group->next_flush;
    bool early = IsSet(group->early_flush) && due == group->early_flush;
    if (!regular && !early) {
      continue;  // a timer that was overtaken
    }
    if (early) {
      group->early_flush = kUnset;
    }
    if (regular) {
      Duration interval = routes_.node(group->route).route->group_interval;
      // Never catch up: after a pause the next flush is the next in phase.
      Timestamp next = due + interval;
      if (next <= now) {
        next = due + ((now - due) / interval + 1) * interval;
      }
      group->next_flush = next;
      timers_.Add(next, id);
    }
    return group;
  }
  return nullptr;
}

Group* Dispatcher::Find(GroupId id) {
  auto it = groups_.find(id);
  return it != groups_.end() ? it->second.get() : nullptr;
}

Group* Dispatcher::FinishFlush(Group& group, bool ok, Timestamp now, std::vector<Record>& records) {
  if (ok) {
    for (auto& [alert, updated_at] : group.resolved_snapshot) {
      if (alert->alert.updated_at == updated_at && alert->alert.ResolvedAt(now)) {
        std::erase_if(group.members, [&, a = alert](const GroupMember& m) { return m.alert == a; });
        RemoveId(alert->groups, group.id);
      }
    }
  }
  group.resolved_snapshot.clear();
  group.failed = false;
  if (group.members.empty()) {
    Destroy(group, records);
    return nullptr;
  }
  if (group.flush_again) {
    group.flush_again = false;
    FlushEarly(group.id, now);
  }
  return &group;
}

void Dispatcher::Destroy(Group& group, std::vector<Record>& records) {
  records.emplace_back(GroupDelete{routes_.node(group.route).id, group.key});
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
