// The members of a group, and the alerts that know their place in it: an alert is in few groups, a group may
// hold a hundred thousand alerts. Used by the dispatcher alone. Thread: engine only.
#pragma once

#include <algorithm>
#include <cstdint>

#include "dispatch/dispatcher.h"

namespace mlalert {

inline GroupMember* FindMember(Group& group, const AlertEntry& alert) {
  auto it = std::find_if(alert.groups.begin(), alert.groups.end(),
                         [&](const GroupSlot& slot) { return slot.group == group.id; });
  return it != alert.groups.end() ? &group.members[it->member] : nullptr;
}

inline void RemoveMember(Group& group, AlertEntry& alert) {
  auto slot_of = [&](AlertEntry& a) {
    return std::find_if(a.groups.begin(), a.groups.end(),
                        [&](const GroupSlot& s) { return s.group == group.id; });
  };
  auto slot = slot_of(alert);
  const uint32_t place = slot->member;
  alert.groups.erase(slot);
  if (place + 1 != group.members.size()) {
    group.members[place] = group.members.back();
    slot_of(*group.members[place].alert())->member = place;
  }
  group.members.pop_back();
  group.in_order = false;
}

}  // namespace mlalert
