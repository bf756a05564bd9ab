// POST /api/mlalert/v1/incidents/{id}/{ack,unack,snooze,comment,assign,raise,lower,resolve}: what people do,
// over HTTP. Other doors (chat buttons, pagers, links) use PerformAction with an actor of their own. Thread:
// any worker.
#pragma once

#include "api/api.h"
#include "api/http_router.h"
#include "incidents/incident_action.h"

namespace mlalert {

// The {id} of the path.
Result<IncidentId> IncidentIdOf(const HttpRequest& request);

// Carries the action out and waits until it is on disk. Errors: as of IncidentMachine::Act (an incident that
// only history knows is kConflict: it is resolved); kUnavailable: done, but not yet safe on disk.
Result<ActionResult> PerformAction(ApiContext& context, const IncidentAction& action);

void AddIncidentActions(HttpRouter& router, ApiContext& context);

}  // namespace mlalert
