// Groups alerts by route and decides when a group is due.
// Fed by the engine with alerts that are new or whose effective labels changed (refreshes never arrive here).
// Hands on: group ids that are due. Owns: groups and their timers; borrows alert entries.
// Thread: engine only. Time: passed in.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "alerts/alert_store.h"
#include "base/pointer_index.h"
#include "base/slot_list.h"
#include "base/timer_queue.h"
#include "dispatch/route_tree.h"
#include "model/record.h"

namespace mlalert {

using GroupId = uint32_t;

// A hundred thousand alerts may be in five groups each: one word.
class GroupMember {
 public:
  explicit GroupMember(AlertEntry* alert, bool is_moved = false)
      : address_((reinterpret_cast<uintptr_t>(alert) / alignof(AlertEntry)) & (UINT64_MAX >> 3)),
        moved(is_moved),
        asked(false),
        telling(false) {}
  AlertEntry* alert() const { return reinterpret_cast<AlertEntry*>(address_ * alignof(AlertEntry)); }

 private:
  uint64_t address_ : 61;

 public:
  // The alert's effective labels lead elsewhere now. Receivers of this group that were told of it are still
  // owed its resolve; they hear nothing else of it, unless a step of a chain asks for it.
  bool moved : 1;
  // A step of the chain of its incident wants it told (again): not yet, and in the message under way.
  bool asked : 1;
  bool telling : 1;
};
static_assert(sizeof(GroupMember) == sizeof(uint64_t) && alignof(AlertEntry) == 8);

// Stands for a route that is gone since a reload, while its receiver is still owed news; or for none: a
// receiver that steps of chains tell (dispatch/chain_groups.cc).
struct Orphan {
  std::string receiver;
  bool chain = false;
};

struct Group {
  GroupId id = 0;
  uint32_t route = 0;                    // index in the route tree; of an orphan the root, for its intervals
  std::unique_ptr<const Orphan> orphan;  // set: alerts never join, its members have all moved
  LabelSet labels;
  std::string key;  // Alertmanager's group key: route key ":" labels
  Timestamp created_at = kUnset;
  Timestamp next_flush = kUnset;  // regular: created_at + group_wait + k * group_interval; asleep: may be far
  Timestamp early_flush = kUnset;  // out of turn, when something must be said at once
  std::vector<GroupMember> members;
  // A step of a chain wants its receivers told who were not told since, of the members that are asked for.
  Timestamp page_at = kUnset;
  Timestamp look_at = kUnset;  // out of turn, when something it holds back may be said: the engine's timer
  // The last flush had nothing to say, and by time alone that stays so until then (engine/settled.cc).
  // kUnset: look at it.
  Timestamp settled_until = kUnset;
  uint64_t settled_epoch = 0;
  // As of the last flush: what it said was all that it has to say, unless something happens.
  bool may_settle = false;
  bool in_order = false;  // members stand as notifications list them
  // Its ticks until then are passed over without a timer (dispatch/ticks.cc): one of them, for the phase.
  Timestamp asleep_from = kUnset;
  uint32_t list_slot = 0;   // of those that sleep
  bool journalled = false;  // what only resolved alerts made, and nobody was told of, is not worth a row

  // Time intervals that kept the last flush from speaking: the marker of Alertmanager's group listing.
  std::vector<std::string> muted_by;

  // The flush under way, if any.
  uint32_t in_flight = 0;  // notifications not answered yet
  bool failed = false;
  bool flush_again = false;                                          // a tick passed meanwhile
  Timestamp missed_tick = kUnset;                                    // that one, if it was a regular one
  std::vector<std::pair<AlertEntry*, Timestamp>> resolved_snapshot;  // with updated_at as of the flush
};

// Alerts that the notification log says `receiver` was told of under `group_key`.
struct OwedNews {
  std::string group_key;
  std::string receiver;
  std::vector<AlertEntry*> alerts;
};

class Dispatcher {
 public:
  explicit Dispatcher(ConfigPtr config);

  // No group is flushed before this.
  void SetStart(Timestamp start) { start_ = start; }

  // Replaces the routing tree and forgets all groups. The caller then assigns every alert again and settles;
  // as upstream, a group begins anew with the first of its alerts: at once when that has waited group_wait
  // already. Returns the resolved alerts that each group still had to speak of: the caller settles them as
  // owed.
  std::vector<OwedNews> SetConfig(ConfigPtr config);
  // A group known from before a restart: when it comes back under the same route and labels it keeps its
  // creation time, so its flushes stay in phase.
  void RestoreGroup(const GroupRecord& record);
  // After all alerts are assigned: each alert of `owed` is made a moved member of the group that told of it.
  // A known group that did not come back by itself comes back for that; when even its route is gone (or tells
  // another receiver now) an orphan takes its place. Known groups that nobody needs are deleted from the
  // journal.
  void SettleKnownGroups(const std::vector<OwedNews>& owed, Timestamp now, std::vector<Record>& records);

  // The wall clock was set back: no group may wait longer than its own interval.
  void OnClockSetBack(Timestamp now);

  // Puts the alert into the groups that its effective labels lead to; marks the others as moved. `hasten`:
  // those that it leads to must speak at once.
  void Assign(AlertEntry& alert, Timestamp now, bool hasten, std::vector<Record>& records);
  // Makes all groups that hold the alert look again at once.
  void Hasten(const AlertEntry& alert, Timestamp now);

  // When the group looks next at or after `from` if nothing happens: its next tick, or a turn before it.
  Timestamp NextLook(const Group& group, Timestamp from) const;

  void FlushEarly(GroupId id, Timestamp now) {
    if (Group* group = Find(id)) {
      FlushEarly(*group, now);
    }
  }
  void FlushEarly(Group& group, Timestamp now);
  // Something about this alert has changed: its groups have to look again at their next tick.
  void Unsettle(const AlertEntry& alert);
  void Unsettle(Group& group);
  // Something has changed that may concern any of them: those that sleep now are to be unsettled, at most
  // `limit` in one call of Rouse(), so that nobody waits for a hundred thousand.
  void BeginToRouse() { rousing_ = asleep_.size(); }
  bool IsRousing() const { return rousing_ > 0; }
  bool AnyAsleep() const { return asleep_.size() > 0; }
  void Rouse(size_t limit);

  // A step of a chain tells `receiver` of these alerts of `incident`, outside of the routing tree: one group
  // per group of the routing tree and receiver, so that a hundred incidents of one model are one page. It
  // lives on: its receiver is owed what becomes of them. A row for each incident in it keeps when it was last
  // asked for.
  void Page(const std::string& receiver, IncidentId incident, std::span<AlertEntry* const> alerts,
            Timestamp now, std::vector<Record>& records);
  static bool IsChain(const GroupRecord& record);
  static IncidentId IncidentOfChain(const GroupRecord& record);
  static std::string ReceiverOfChain(const GroupRecord& record);
  // Key of the group that such a row belongs to.
  static std::string GroupOfChain(const GroupRecord& record);
  // The incident in its group as it was before a restart. `heard`: what was asked for then was told.
  void RestoreChain(const GroupRecord& record, std::span<AlertEntry* const> alerts, bool heard,
                    Timestamp now);
  // After all alerts are assigned: rows of incidents that nobody is owed anything of are deleted.
  void SettleChains(const std::vector<GroupRecord>& rows, std::vector<Record>& records) const;
  // The rows of a group of the chain, one for each of its incidents.
  void SnapshotChain(const Group& group, std::vector<Record>& records) const;
  static bool IsChain(const Group& group) { return group.orphan != nullptr && group.orphan->chain; }

  Timestamp NextDue() const { return timers_.empty() ? kNever : std::max(timers_.top().at, start_); }
  // The next group whose turn it is, with its timer advanced; null when none is due. Groups that settled
  // under `epoch` fall asleep instead.
  Group* PopDue(Timestamp now, uint64_t epoch);
  // Members in the order of notifications, so that these need not be sorted one by one. Sorting a larger
  // group would hold others up; what is told of it is sorted all the same.
  static constexpr size_t kOrderedMax = 1000;
  static void Order(Group& group);
  // Everything that was due by `now` has had its turn.
  void Passed(Timestamp now) { passed_ = std::max(passed_, now); }
  Group* Find(GroupId id) const { return by_id_.Find(id); }

  // The flush of `group` has ended. On success resolved alerts that did not change since leave the group; an
  // empty group is destroyed and null is returned.
  Group* FinishFlush(Group& group, bool ok, Timestamp now, std::vector<Record>& records);

  const RouteTree& routes() const { return routes_; }
  // Of the journal; empty for an orphan.
  std::string RouteIdOf(const Group& group) const;
  const std::string& ReceiverOf(const Group& group) const;
  size_t group_count() const { return groups_.size(); }
  // By id.
  const std::map<GroupId, std::unique_ptr<Group>>& groups() const { return groups_; }

 private:
  Group& FindOrCreate(uint32_t route, const AlertEntry& alert, Timestamp now, std::vector<Record>& records);
  Group& Create(uint32_t route, LabelSet labels, std::string key);
  std::optional<GroupRecord> TakeKnown(const RouteNode& node, const std::string& key,
                                       std::vector<Record>& records);
  void SpeakAtOnce(Group& group, Timestamp now, std::vector<Record>& records);
  void Resume(Group& group, Timestamp created_at, Timestamp now);
  using GroupsByKey = std::unordered_multimap<std::string_view, Group*>;
  Group& FindOwing(const OwedNews& owed, GroupsByKey& by_key, Timestamp now, std::vector<Record>& records);
  void Destroy(Group& group, std::vector<Record>& records);
  void AddMember(Group& group, AlertEntry& alert, bool moved);
  Group& ChainGroup(const std::string& key, const std::string& receiver, const LabelSet& labels,
                    Timestamp now);
  Group& ChainGroupOf(const std::string& receiver, std::span<AlertEntry* const> alerts, Timestamp now);
  static std::string ChainRouteId(const std::string& receiver);
  void LeaveChain(const Group& group, std::vector<IncidentId> incidents, std::vector<Record>& records) const;
  void Sleep(Group& group);
  void Wake(Group& group);

  struct ById {
    uint64_t operator()(const Group& group) const { return group.id; }
  };

  RouteTree routes_;
  GroupId next_id_ = 1;
  std::map<GroupId, std::unique_ptr<Group>> groups_;
  PointerIndex<Group, ById> by_id_;
  SlotList<Group> asleep_;
  size_t rousing_ = 0;         // of those that sleep, the first so many are to be roused
  Timestamp passed_ = kUnset;  // no tick before or at it is ahead
  // route index and fingerprint of the group labels; a group's labels are compared on use
  std::unordered_multimap<uint64_t, GroupId> index_;
  std::map<std::pair<std::string, std::string>, GroupRecord> known_;  // by group key, route id
  std::map<std::pair<std::string, std::string>, GroupId> chains_;     // by group key, receiver
  bool reloading_ = false;                                            // known_ is from before a reload
  // Of one instant the oldest group first. Nothing is cancelled: what does not fit the group any more is
  // ignored.
  using Timer = Turn<GroupId>;
  MinHeap<Timer> timers_;
  Timestamp start_ = kUnset;
};

}  // namespace mlalert
