#include "incidents/business_hours.h"

#include "model/incident_hours.h"

namespace mlalert {

const Calendar* HeldByHours(const Incident& incident, const Calendars* calendars, Timestamp now) {
  if (incident.policy == nullptr || incident.policy->hours == nullptr || calendars == nullptr) {
    return nullptr;
  }
  const IncidentHours& hours = *incident.policy->hours;
  const Calendar* calendar = calendars->Find(hours.calendar);
  if (calendar == nullptr || incident.severity >= hours.always_from) {
    return nullptr;
  }
  const bool dropped = hours.outside == IncidentHours::Outside::kDrop && incident.severity <= incident.base &&
                       !calendar->IsOpen(incident.last_fired_at);
  return dropped || !calendar->IsOpen(now) ? calendar : nullptr;
}

}  // namespace mlalert
