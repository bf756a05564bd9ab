// Groups alerts by route and decides when a group is due.
// Fed by the engine with alerts that are new or whose effective labels changed (refreshes never arrive here).
// Hands on: group ids that are due. Owns: groups and their timers; borrows alert entries.
// Thread: engine only. Time: passed in.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "alerts/alert_store.h"
#include "base/timer_queue.h"
#include "dispatch/route_tree.h"
#include "model/record.h"

namespace mlalert {

using GroupId = uint32_t;

struct GroupMember {
  AlertEntry* alert = nullptr;
  // The alert's effective labels lead elsewhere now. Receivers of this group that were told of it are still owed
  // its resolve; they hear nothing else of it.
  bool moved = false;
};

struct Group {
  GroupId id = 0;
  uint32_t route = 0;  // index in the route tree
  LabelSet labels;
  std::string key;     // Alertmanager's group key: route key ":" labels
  Timestamp created_at = kUnset;
  Timestamp next_flush = kUnset;  // regular: created_at + group_wait + k * group_interval
  Timestamp early_flush = kUnset;  // out of turn, when something must be said at once
  std::vector<GroupMember> members;

  // The flush under way, if any.
  uint32_t in_flight = 0;  // notifications not answered yet
  bool failed = false;
  bool flush_again = false;  // a tick passed meanwhile
  std::vector<std::pair<AlertEntry*, Timestamp>> resolved_snapshot;  // with updated_at as of the flush
};

class Dispatcher {
 public:
  explicit Dispatcher(ConfigPtr config);

  // Replaces the routing tree and forgets all groups. The caller then assigns every alert again and settles; groups
  // that come back under the same route and labels keep their creation time, so their flushes stay in phase.
  void SetConfig(ConfigPtr config);
  // A group known from before a restart: the same phase rule.
  void RestoreGroup(const GroupRecord& record);
  // After all alerts are assigned: a known group that did not come back but whose receivers are owed news of an alert
  // (`owed`: alerts that the notification log says were told under this group key) comes back with those alerts as
  // moved members; the others are deleted from the journal.
  void SettleKnownGroups(const std::function<std::vector<AlertEntry*>(const std::string& group_key)>& owed,
                         Timestamp now, std::vector<Record>& records);

  // Puts the alert into the groups that its effective labels lead to; marks the others as moved. `hasten`: those
  // groups must speak at once.
  void Assign(AlertEntry& alert, Timestamp now, bool hasten, std::vector<Record>& records);
  // Makes all groups that hold the alert look again at once.
  void Hasten(const AlertEntry& alert, Timestamp now);

  void FlushEarly(GroupId id, Timestamp now);

  Timestamp NextDue() const { return timers_.NextDue(); }
  // The next group whose turn it is, with its timer advanced; null when none is due.
  Group* PopDue(Timestamp now);
  Group* Find(GroupId id);

  // The flush of `group` has ended. On success resolved alerts that did not change since leave the group; an empty
  // group is destroyed and null is returned.
  Group* FinishFlush(Group& group, bool ok, Timestamp now, std::vector<Record>& records);

  const RouteTree& routes() const { return routes_; }
  size_t group_count() const { return groups_.size(); }
  // By id.
  const std::map<GroupId, std::unique_ptr<Group>>& groups() const { return groups_; }

 private:
  Group& FindOrCreate(uint32_t route, const AlertEntry& alert, Timestamp now, std::vector<Record>& records);
  void Destroy(Group& group, std::vector<Record>& records);

  RouteTree routes_;
  GroupId next_id_ = 1;
  std::map<GroupId, std::unique_ptr<Group>> groups_;
  // route index and fingerprint of the group labels; a group's labels are compared on use
  std::unordered_multimap<uint64_t, GroupId> index_;
  std::map<std::pair<std::string, std::string>, GroupRecord> known_;
  TimerQueue<GroupId> timers_;
};

}  // namespace mlalert
