#include "cli/demo_sink.h"

namespace mlalert {
namespace {

constexpr size_t kBodiesMax = 1000;

}  // namespace

Result<std::unique_ptr<DemoSink>> DemoSink::Start(OnBody on_body) {
  std::unique_ptr<DemoSink> sink(new DemoSink(std::move(on_body)));
  DemoSink* raw = sink.get();
  HttpRouter router;
  for (std::string kind : {"slack", "pagerduty", "webhook"}) {
    router.Post("/" + kind, [raw, kind](HttpRequest& request, HttpResponse& response) {
      raw->Take(kind, request, response);
    });
  }
  router.Get("/bodies", [raw](HttpRequest&, HttpResponse& response) {
    response.content_type = "application/json; charset=utf-8";
    std::lock_guard<std::mutex> lock(raw->mutex_);
    response.body = "[";
    for (const auto& [kind, body] : raw->bodies_) {
      response.body += response.body.size() > 1 ? ",\n" : "\n";
      response.body += "{\"receiver\":\"" + kind + "\",\"body\":" + body + "}";
    }
    response.body += "\n]\n";
  });
  HttpServerOptions options;
  options.port = 0;
  options.workers = 2;
  MLALERT_ASSIGN(sink->server_, HttpServer::Start(std::move(options), std::move(router)));
  return sink;
}

void DemoSink::Take(const std::string& kind, HttpRequest& request, HttpResponse& response) {
  auto body = ParseJson(request.body);
  if (!body) {
    response.status = 400;
    response.body = body.error().ToString();
    return;
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (bodies_.size() == kBodiesMax) {
      bodies_.erase(bodies_.begin());
    }
    bodies_.emplace_back(kind, request.body);
  }
  if (kind == "slack") {
    response.body = "ok";
  } else if (kind == "pagerduty") {
    response.status = 202;
    response.content_type = "application/json";
    response.body = R"({"status":"success","message":"Event processed"})";
  }
  on_body_(kind, *body);
}

}  // namespace mlalert
