// /-/healthy, /-/ready, /-/reload, /metrics, and a page at the root for whoever opens the address in a
// browser.
#include "api/handlers.h"
#include "api/http_error.h"

namespace mlalert {
namespace {

void SetOk(const HttpRequest& request, HttpResponse& response) {
  if (request.method != "HEAD") {
    response.content_type = "text/plain; charset=utf-8";
    response.body = "OK";
  }
}

void PostReload(ApiContext& context, HttpResponse& response) {
  Status reloaded =
      context.reload ? context.reload() : Fail(ErrorCode::kUnavailable, "reloading is not possible here");
  if (!reloaded) {
    SetErrorText(response, 500, "failed to reload config: " + reloaded.error().ToString());
  }
}

// Until there is a UI. Links are relative: there may be a prefix in front.
constexpr std::string_view kIndex = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>mlalert</title></head>
<body><h1>mlalert</h1>
<ul>
<li><a href="api/mlalert/v1/incidents">incidents</a></li>
<li><a href="api/v2/alerts">alerts</a>, <a href="api/v2/alerts/groups">groups</a>, <a href="api/v2/silences">silences</a></li>
<li><a href="api/v2/status">status</a>, <a href="metrics">metrics</a></li>
</ul>
<p>On the command line: <code>mlalert incidents</code>, <code>amtool</code>.</p>
</body></html>
)";

void GetIndex(HttpRequest&, HttpResponse& response) {
  response.content_type = "text/html; charset=utf-8";
  response.SetHeader("Cache-Control", "no-cache, no-store, must-revalidate");
  response.body = kIndex;
}

}  // namespace

void AddManagement(HttpRouter& router, ApiContext& context) {
  router.Get("/", GetIndex, {.head = false});
  router.Get("/-/healthy", [](HttpRequest& request, HttpResponse& response) { SetOk(request, response); });
  router.Get("/-/ready", [&context](HttpRequest& request, HttpResponse& response) {
    Status ready = context.ready ? context.ready() : Status();
    if (ready) {
      SetOk(request, response);
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
