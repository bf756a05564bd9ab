#include "api/api.h"

#include "api/handlers.h"
#include "api/inbound.h"

namespace mlalert {

HttpRouter BuildRouter(ApiContext& context) {
  HttpRouter router;
  AddAlertsV2(router, context);
  AddAlertGroupsV2(router, context);
  AddSilencesV2(router, context);
  AddWebhook(router, context);
  AddStatusV2(router, context);
  AddIncidents(router, context);
  AddFeedback(router, context);
  AddChanges(router, context);
  AddActionLinks(router, context);
  AddSlackHook(router, context);
  AddPagerdutyHook(router, context);
  AddTwilioHooks(router, context);
  AddReview(router, context);
  AddRulesV1(router, context);
  AddQueryV1(router, context);
  AddRulesOwn(router, context);
  AddManagement(router, context);
  AddRemovedV1(router);
  return router;
}

HttpHooks BuildHooks(ApiContext& context) {
  HttpHooks hooks;
  hooks.before = [&context](const HttpRequest& request, HttpResponse& response) {
    return BeforeV2(request, response) || AnswerUnready(context, request, response);
  };
  hooks.unrouted = [&context](const HttpRequest& request, HttpResponse& response) {
    AnswerUnrouted(context, request, response);
  };
  hooks.after = [&context](const HttpRequest& request, const HttpResponse& response, Duration elapsed) {
    context.metrics.CountRequest(request, response, elapsed);
  };
  return hooks;
}

}  // namespace mlalert
