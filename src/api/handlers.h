// The handlers of each part of the API, for api.cc to register. Each captures the context by reference.
// Thread: the functions that add routes run before the server starts.
#pragma once

#include "api/api.h"

namespace mlalert {

void AddAlertsV2(HttpRouter& router, ApiContext& context);       // /api/v2/alerts
void AddAlertGroupsV2(HttpRouter& router, ApiContext& context);  // /api/v2/alerts/groups
void AddSilencesV2(HttpRouter& router, ApiContext& context);     // /api/v2/silences, /api/v2/silence/{id}
void AddStatusV2(HttpRouter& router, ApiContext& context);       // /api/v2/status, /api/v2/receivers
void AddWebhook(HttpRouter& router, ApiContext& context);        // /api/v1/webhook/alertmanager
void AddIncidents(HttpRouter& router, ApiContext& context);      // /api/mlalert/v1/incidents
void AddFeedback(HttpRouter& router, ApiContext& context);       // /api/mlalert/v1/incidents/{id}/feedback
void AddChanges(HttpRouter& router, ApiContext& context);        // /api/mlalert/v1/changes
void AddReview(HttpRouter& router, ApiContext& context);         // /api/mlalert/v1/review, reviews
void AddRulesV1(HttpRouter& router, ApiContext& context);        // /api/v1/rules, alerts, status/buildinfo
void AddQueryV1(HttpRouter& router, ApiContext& context);        // /api/v1/query, labels, series
void AddRulesOwn(HttpRouter& router, ApiContext& context);       // /api/mlalert/v1/rules
void AddRemovedV1(HttpRouter& router);                           // what Alertmanager's API v1 was: 410
void AddManagement(HttpRouter& router, ApiContext& context);     // /-/*, /metrics

// Common headers and CORS of /api/v2. True when it has answered.
bool BeforeV2(const HttpRequest& request, HttpResponse& response);
// 503 for everything under /api/ until the state is restored: an alert taken before would open a second
// incident of the same trouble. True when it has answered.
bool AnswerUnready(const ApiContext& context, const HttpRequest& request, HttpResponse& response);
// Unknown paths and methods, in the shape of the part of the API they were meant for.
void AnswerUnrouted(const ApiContext& context, const HttpRequest& request, HttpResponse& response);

}  // namespace mlalert
