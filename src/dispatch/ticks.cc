// When a group's turn comes: at its ticks, and out of turn when something must be said at once. A group that
// has settled (engine/settled.cc) leaves the queue until its time comes or something unsettles it: its phase
// is kept, so it looks at the very tick at which it would have looked otherwise.
#include <algorithm>

#include "dispatch/dispatcher.h"

namespace mlalert {
namespace {

// The first tick after `from` in the phase of `tick`.
Timestamp TickAfter(Timestamp tick, Duration interval, Timestamp from) {
  if (tick == kNever || tick > from) {
    return tick;
  }
  return After(tick + (from - tick) / interval * interval, interval);
}

}  // namespace

void Dispatcher::OnClockSetBack(Timestamp now) {
  start_ = std::min(start_, now);
  passed_ = std::min(passed_, now);
  for (auto& [id, group] : groups_) {
    Unsettle(*group);
    const Route& route = *routes_.node(group->route).route;
    if (group->next_flush - now > std::max(route.group_wait, route.group_interval)) {
      group->next_flush = After(now, route.group_interval);
      timers_.emplace(Timer{group->next_flush, id});
    }
    if (IsSet(group->early_flush) && group->early_flush > now) {
      group->early_flush = kUnset;
      FlushEarly(*group, now);
    }
  }
}

Timestamp Dispatcher::NextLook(const Group& group, Timestamp from) const {
  from = std::max(from, start_);
  const Timestamp phase = IsSet(group.asleep_from) ? group.asleep_from : group.next_flush;
  const Timestamp tick =
      TickAfter(phase, routes_.node(group.route).route->group_interval, from - Duration(1));
  return IsSet(group.early_flush) && group.early_flush >= from ? std::min(tick, group.early_flush) : tick;
}

void Dispatcher::FlushEarly(Group& group, Timestamp now) {
  Unsettle(group);
  if (group.next_flush > now && (!IsSet(group.early_flush) || group.early_flush > now)) {
    group.early_flush = now;
    timers_.emplace(Timer{now, group.id});
  }
}

void Dispatcher::Unsettle(const AlertEntry& alert) {
  for (const GroupSlot& slot : alert.groups) {
    if (Group* group = Find(slot.group)) {
      Unsettle(*group);
    }
  }
}

void Dispatcher::Unsettle(Group& group) {
  group.settled_until = kUnset;
  group.may_settle = false;
  if (IsSet(group.asleep_from)) {
    const Timestamp tick = group.asleep_from;
    Wake(group);
    group.next_flush = TickAfter(tick, routes_.node(group.route).route->group_interval, passed_);
    timers_.emplace(Timer{group.next_flush, group.id});
  }
}

void Dispatcher::Rouse(size_t limit) {
  rousing_ = asleep_.Visit(rousing_, limit, [&](Group& group) { Unsettle(group); });
}

// At a tick. The next one that counts is the first at which it is not settled any more.
void Dispatcher::Sleep(Group& group) {
  group.asleep_from = group.next_flush;
  asleep_.Add(group);
  group.next_flush = group.settled_until == kNever
                         ? kNever
                         : TickAfter(group.asleep_from, routes_.node(group.route).route->group_interval,
                                     group.settled_until - Duration(1));
  if (group.next_flush != kNever) {
    timers_.emplace(Timer{group.next_flush, group.id});
  }
}

void Dispatcher::Wake(Group& group) {
  if (IsSet(group.asleep_from)) {
    group.asleep_from = kUnset;
    asleep_.Remove(group);
  }
}

Group* Dispatcher::PopDue(Timestamp now, uint64_t epoch) {
  if (now < start_) {
    return nullptr;
  }
  while (!timers_.empty() && timers_.top().at <= now) {
    const auto [due, id] = timers_.top();
    timers_.pop();
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
      Wake(*group);
      Duration interval = routes_.node(group->route).route->group_interval;
      // Never catch up: after a pause the next flush is the next in phase. A delayed start begins the phase.
      const Timestamp from = std::max(due, start_);
      Timestamp next = After(from, interval);
      if (next <= now) {
        next = from + ((now - from) / interval + 1) * interval;
      }
      group->next_flush = next;
      if (!early && group->in_flight == 0 && IsSet(group->settled_until) && now < group->settled_until &&
          group->settled_epoch == epoch) {
        Sleep(*group);
        continue;
      }
      timers_.emplace(Timer{next, id});
      if (group->in_flight > 0 && !IsSet(group->missed_tick)) {
        group->missed_tick = due;
      }
    }
    return group;
  }
  return nullptr;
}

}  // namespace mlalert
