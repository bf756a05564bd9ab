// A group that had nothing to say has nothing to say at its next tick either, unless something has happened
// or a time has come: then its members are not looked at. Most of the 288 ticks of a day are such ones.
// Whoever changes what a flush looks at says so: Unsettle() for what belongs to one incident or alert,
// quiet_epoch_ for what may concern any. When in doubt a group is not settled: looking costs time, not
// looking costs a page.
#include <algorithm>
#include <fmt/format.h>
#include <string>

#include "engine/engine.h"
#include "model/incident_hours.h"

namespace mlalert {

bool Engine::IsSettled(const Group& group, Timestamp now) const {
  return IsSet(group.settled_until) && now < group.settled_until && group.settled_epoch == QuietEpoch();
}

// All of it may speak and fires, and time alone makes nobody of it speak but by a repeat or the end of a
// cooldown. `flushed_` is of this group.
bool Engine::MaySettle(const Group& group) const {
  const Route& route = *dispatcher_.routes().node(group.route).route;
  if (flushed_.size() != group.members.size() || group.failed || !route.mute_time_intervals.empty() ||
      !route.active_time_intervals.empty() || config_->calm != nullptr ||
      config_->FindReceiver(dispatcher_.ReceiverOf(group)) == nullptr) {
    return false;
  }
  for (size_t i = 0; i < group.members.size(); ++i) {
    const IncidentEntry* entry = flushed_[i];
    if (entry == nullptr || !group.members[i].alert()->firing ||
        (entry->incident.policy != nullptr && entry->incident.policy->hours != nullptr)) {
      return false;
    }
  }
  return true;
}

// After a flush in which every decision was to say nothing, or all that was said has arrived.
void Engine::Settle(Group& group, Timestamp now) {
  const Route& route = *dispatcher_.routes().node(group.route).route;
  const std::string& receiver = dispatcher_.ReceiverOf(group);
  Timestamp until = kNever;
  size_t told_all = 0;  // integrations that know of every member
  const std::string prefix = fmt::format("{}\x1f{}\x1f", group.key, receiver);
  for (auto it = nflog_.lower_bound(prefix); it != nflog_.end() && it->first.starts_with(prefix); ++it) {
    if (it->second.foreign) {
      return;
    }
    told_all += it->second.firing.size() == group.members.size() ? 1 : 0;
    // The tick after it repeats. One that has passed was no reason to speak, and time will not make it one.
    if (const Timestamp repeat = After(it->second.timestamp, route.repeat_interval + Duration(1));
        repeat > now) {
      until = std::min(until, repeat);
    }
  }
  if (told_all < IntegrationsOf(*config_->FindReceiver(receiver)).size()) {
    // Who was not told may be when its cooldown ends.
    for (const GroupMember& member : group.members) {
      const IncidentEntry* entry = incidents_.table().Find(member.alert()->incident_id);
      const Timestamp cooldown = entry != nullptr ? CooldownUntil(entry->incident) : kUnset;
      until = IsSet(cooldown) && cooldown > now ? std::min(until, cooldown) : until;
    }
  }
  group.settled_until = until;
}

// Something may have changed for all groups: those that sleep look again at their next tick. True when there
// is more to do, so that others are let in between.
bool Engine::RouseSettled() {
  constexpr size_t kGroupsPerSlice = 2000;
  if (roused_epoch_ != QuietEpoch()) {
    roused_epoch_ = QuietEpoch();
    dispatcher_.BeginToRouse();
  }
  if (dispatcher_.IsRousing()) {
    dispatcher_.Rouse(kGroupsPerSlice);
  }
  return dispatcher_.IsRousing();
}

void Engine::Unsettle(const IncidentEntry& entry) {
  // Those of a storm share their groups: each is looked up once in a row, not once for each alert.
  const AlertEntry* last = nullptr;
  for (const AlertEntry* alert : entry.firing) {
    const bool same = last != nullptr && last->groups.size() == 1 && alert->groups.size() == 1 &&
                      last->groups.front().group == alert->groups.front().group;
    if (!same) {
      dispatcher_.Unsettle(*alert);
    }
    last = alert;
  }
}

}  // namespace mlalert
