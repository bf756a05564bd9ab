// A group that had nothing to say has nothing to say at its next tick either, unless something has happened
// or a time has come: then its members are not looked at. Most of the 288 ticks of a day are such ones.
// Whoever changes what a flush looks at says so: Unsettle() for what belongs to one incident or alert,
// quiet_epoch_ for what may concern any. When in doubt a group is not settled: looking costs time, not
// looking costs a page.
#include <algorithm>

#include "engine/engine.h"
#include "model/incident_hours.h"

namespace mlalert {

bool Engine::IsSettled(const Group& group, Timestamp now) const {
  return IsSet(group.settled_until) && now < group.settled_until && group.settled_epoch == QuietEpoch();
}

// After a flush in which every decision was to say nothing and nobody was muted.
void Engine::Settle(Group& group, Timestamp now) {
  const Route& route = *dispatcher_.routes().node(group.route).route;
  const bool by_the_clock =
      !route.mute_time_intervals.empty() || !route.active_time_intervals.empty() || config_->calm != nullptr;
  if (by_the_clock || config_->FindReceiver(dispatcher_.ReceiverOf(group)) == nullptr) {
    return;
  }
  Timestamp until = kNever;
  for (const GroupMember& member : group.members) {
    const IncidentEntry* entry = incidents_.table().Find(member.alert->incident_id);
    if (entry == nullptr || !member.alert->firing) {
      return;
    }
    const Incident& incident = entry->incident;
    if (incident.policy != nullptr && incident.policy->hours != nullptr) {
      return;
    }
    if (const Timestamp cooldown = CooldownUntil(incident); IsSet(cooldown) && cooldown > now) {
      until = std::min(until, cooldown);
    }
  }
  const std::string prefix = group.key + '\x1f';
  for (auto it = nflog_.lower_bound(prefix); it != nflog_.end() && it->first.starts_with(prefix); ++it) {
    if (it->second.foreign) {
      return;
    }
    // The tick after it repeats. One that has passed was no reason to speak, and time will not make it one.
    if (const Timestamp repeat = After(it->second.timestamp, route.repeat_interval); repeat >= now) {
      until = std::min(until, repeat);
    }
  }
  group.settled_until = until;
  group.settled_epoch = QuietEpoch();
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
