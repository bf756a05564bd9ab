// What business hours hold back: it is told when they open, or stands in a digest, and is not forgotten
// before.
#include <algorithm>

#include "config/calendars.h"
#include "engine/engine.h"
#include "incidents/business_hours.h"
#include "model/incident_hours.h"

namespace mlalert {

// Under a policy the end of something that was told is owed, and so is the digest: it is not forgotten while
// it is muted, flaps, or waits for business hours.
bool Engine::KeepsUntold(const Group& group, const GroupMember& member, bool muted, Timestamp now) {
  const IncidentEntry* entry = incidents_.table().Find(member.alert()->incident_id);
  if (entry == nullptr || entry->incident.policy == nullptr) {
    return false;
  }
  const Incident& incident = entry->incident;
  if (IsSet(incident.care->flapping_since)) {
    return true;
  }
  if (muted && IsToldHere(group, member.alert()->alert.fingerprint())) {
    return true;
  }
  const IncidentHours* hours = incident.policy->hours.get();
  return hours != nullptr && hours->outside == IncidentHours::Outside::kDigest && !member.moved &&
         (!IsSet(incident.last_told_at) || incident.last_told_at < incident.last_fired_at) &&
         HeldByHours(incident, config_->calendars.get(), now) != nullptr;
}

// Does a receiver of this group know the alert as firing?
bool Engine::IsToldHere(const Group& group, uint64_t fingerprint) const {
  const std::string prefix = group.key + '\x1f';
  for (auto it = nflog_.lower_bound(prefix); it != nflog_.end() && it->first.starts_with(prefix); ++it) {
    if (std::binary_search(it->second.firing.begin(), it->second.firing.end(), fingerprint)) {
      return true;
    }
  }
  return false;
}

// When what cleared outside business hours is told in a digest, if its policy says so.
Timestamp Engine::DigestDueAt(const Incident& incident) const {
  if (incident.policy == nullptr || incident.policy->hours == nullptr || config_->calendars == nullptr ||
      incident.policy->hours->outside != IncidentHours::Outside::kDigest) {
    return kNever;
  }
  const Calendar* calendar = config_->calendars->Find(incident.policy->hours->calendar);
  return calendar != nullptr ? calendar->NextOpen(incident.resolved_at) : kNever;
}

// It cleared before anybody was told, and stands in a digest that may not have been told yet.
bool Engine::OwesDigest(const AlertEntry& alert) const {
  const IncidentEntry* entry = incidents_.table().Find(alert.incident_id);
  return !alert.firing && entry != nullptr && entry->incident.state == IncidentState::kResolved &&
         entry->incident.last_told_at < entry->incident.last_fired_at &&
         DigestDueAt(entry->incident) != kNever;
}

// What business hours hold back is looked at again when they begin.
void Engine::LookWhenOpen(Group& group, const IncidentEntry* entry, Timestamp now) {
  const Calendar* calendar =
      entry != nullptr ? HeldByHours(entry->incident, config_->calendars.get(), now) : nullptr;
  if (calendar != nullptr && !calendar->IsOpen(now)) {
    LookAgain(group, calendar->NextOpen(now));
  }
}

void Engine::LookAgain(Group& group, Timestamp at) {
  if (at != kNever && group.look_at != at) {
    group.look_at = at;
    timers_.Add(at, {TimerKind::kGroupLook, group.id});
  }
}

}  // namespace mlalert
