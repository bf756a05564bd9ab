#include "incidents/business_hours.h"

#include "model/incident_hours.h"

namespace mlalert {

bool IsDroppedBy(const Calendar& calendar, const Incident& incident) {
  // More severe than it came: by age, by a person, or by its source.
  const bool rose = incident.severity > SeverityFromLabel(incident.labels.Get("severity"));
  return incident.policy->hours->outside == IncidentHours::Outside::kDrop && !rose &&
         !calendar.IsOpen(incident.last_fired_at);
}

const Calendar* HeldByHours(const Incident& incident, const Calendars* calendars, Timestamp now) {
  if (incident.policy == nullptr || incident.policy->hours == nullptr || calendars == nullptr) {
    return nullptr;
  }
  const IncidentHours& hours = *incident.policy->hours;
  const Calendar* calendar = calendars->Find(hours.calendar);
  if (calendar == nullptr || incident.severity >= hours.always_from) {
    return nullptr;
  }
  return IsDroppedBy(*calendar, incident) || !calendar->IsOpen(now) ? calendar : nullptr;
}

}  // namespace mlalert
