// Incidents, their timeline, events and notifications as tables, from the JSON of our API
// (docs/openapi.yaml). The daemon's answers and what `history` reads from the file come in the same shape, so
// they look the same. A field that is missing or of another type prints as "-": the server may be of another
// version. Thread: pure functions over the given streams.
#pragma once

#include "cli/console.h"

#include "base/json.h"
#include "base/time.h"

namespace mlalert {

// `now`: for ages and "in 12m".
void PrintIncidents(Console& console, const Json& incidents, Timestamp now);
// One incident with everything about it, events and notifications merged by time.
void PrintIncident(Console& console, const Json& detail, Timestamp now);
// Rows of events need incident_id, alertname and model besides what the API gives.
// The answer of /why: what is decided now, and the timeline that led there.
void PrintWhy(Console& console, const Json& why);
void PrintEvents(Console& console, const Json& events);
// Rows of notifications need a list `incidents`.
void PrintNotifications(Console& console, const Json& notifications);

// A time of the API; kUnset when it is null, missing or no time.
Timestamp TimeField(const Json& object, std::string_view key);
// "MLLatencySpike fraud-detector-v2": alertname and model, or pipeline. Printable.
std::string IncidentTitle(const Json& incident);

}  // namespace mlalert
