// Business hours of a policy: is this incident kept quiet now? Thread: pure.
#pragma once

#include "base/time.h"
#include "config/calendars.h"
#include "model/incident.h"

namespace mlalert {

// The calendar that keeps it quiet now; null: none does. `calendars` may be null.
const Calendar* HeldByHours(const Incident& incident, const Calendars* calendars, Timestamp now);

// Of what `calendar` holds: it is not told when that opens either.
bool IsDroppedBy(const Calendar& calendar, const Incident& incident);

}  // namespace mlalert
