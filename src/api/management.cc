// /-/healthy, /-/ready, /-/reload and /metrics.
#include "api/handlers.h"
#include "api/http_error.h"

namespace mlalert {
namespace {

void SetText(HttpResponse& response, std::string_view text) {
  response.content_type = "text/plain; charset=utf-8";
  response.body = text;
}

void PostReload(ApiContext& context, HttpResponse& response) {
  Status reloaded =
      context.reload ? context.reload() : Fail(ErrorCode::kUnavailable, "reloading is not possible here");
  if (!reloaded) {
    SetErrorText(response, 500, "failed to reload config: " + reloaded.error().ToString());
  }
}

}  // namespace

void AddManagement(HttpRouter& router, ApiContext& context) {
  router.Get("/-/healthy", [](HttpRequest&, HttpResponse& response) { SetText(response, "OK"); });
  router.Get("/-/ready", [&context](HttpRequest&, HttpResponse& response) {
    Status ready = context.ready ? context.ready() : Status();
    if (ready) {
      SetText(response, "OK");
    } else {
      SetErrorText(response, 503, "not ready: " + ready.error().message);
    }
  });
  router.Post("/-/reload",
              [&context](HttpRequest&, HttpResponse& response) { PostReload(context, response); });
  router.Get("/metrics", [&context](HttpRequest&, HttpResponse& response) {
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = context.metrics.Render(context);
  });
}

}  // namespace mlalert
