// The demo's receivers: an HTTP server on 127.0.0.1 that takes Slack, PagerDuty and webhook posts, prints
// each as a person would read it, and keeps the exact bodies: GET /bodies lists them. Thread: handlers run on
// the server's workers.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/http_server.h"
#include "base/json.h"

namespace mlalert {

class DemoSink {
 public:
  // Called with kind (slack, pagerduty, webhook) and the parsed body, on a worker thread.
  using OnBody = std::function<void(const std::string& kind, const Json& body)>;

  static Result<std::unique_ptr<DemoSink>> Start(OnBody on_body);
  int port() const { return server_->port(); }

 private:
  explicit DemoSink(OnBody on_body) : on_body_(std::move(on_body)) {}
  void Take(const std::string& kind, HttpRequest& request, HttpResponse& response);

  OnBody on_body_;
  std::mutex mutex_;
  std::vector<std::pair<std::string, std::string>> bodies_;  // kind, body; the last kBodiesMax
  std::unique_ptr<HttpServer> server_;
};

}  // namespace mlalert
