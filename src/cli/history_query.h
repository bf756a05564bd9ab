// Questions to the history file that span pages and tables: more rows than one page holds, and events or
// notifications chosen by what their incidents are. Answers are the API's JSON, so that scripts read both
// alike. Fed by: history_command.cc. Owns: nothing. Thread: one.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "storage/history.h"

namespace mlalert {

struct HistorySelection {
  Timestamp since = kUnset;
  Timestamp until = kUnset;
  std::string model;
  std::string alertname;
  std::vector<Severity> severities;
  size_t limit = 100;
};

// A list of objects, newest first; `more`: older ones were left out.
struct HistoryRows {
  Json rows = Json::MakeArray();
  bool more = false;
};

// Incidents that opened in the time; severities: the effective one. `now`: see IncidentToJson.
Result<HistoryRows> SelectIncidents(History& history, const HistorySelection& selection, Timestamp now);
// Events in the time, of incidents that are as selected. Rows also hold incident_id, alertname, model,
// pipeline.
Result<HistoryRows> SelectEvents(History& history, const HistorySelection& selection);
// Attempts to notify in the time, about incidents that are as selected; severities: that of the notification.
// Rows also hold the list `incidents`.
Result<HistoryRows> SelectNotifications(History& history, const HistorySelection& selection);
// As GET /api/mlalert/v1/incidents/ID answers. kNotFound.
Result<Json> SelectIncident(History& history, IncidentId id, Timestamp now);

}  // namespace mlalert
