// The HTTP surface: which path is answered by which handler, and what handlers may ask of the process.
// Handlers decode and render outside the gate, enter it once, and speak JSON built by base/json. Compatible
// paths (/api/v2, /api/v1, /-/*) answer as Alertmanager and Prometheus do, errors included.
// Fed by: http_server.h, with requests that are within all limits. Owns: nothing. Thread: handlers run on the
// server's workers, several at a time; the context is constant once the server runs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/http_options.h"
#include "api/http_router.h"
#include "api/metrics.h"
#include "api/web_guard.h"
#include "base/time.h"
#include "config/config.h"
#include "engine/forward_stats.h"
#include "engine/gate.h"
#include "engine/heartbeat.h"
#include "model/matcher_parse.h"
#include "net/http_transport.h"
#include "notify/deliverer.h"
#include "notify/file_access.h"
#include "review/weekly_review.h"
#include "rules/rule_view.h"
#include "storage/history.h"

namespace mlalert {

// What /api/v2/status says of the cluster: this node alone, ready.
struct ClusterView {
  bool enabled = false;
  std::string name;
  std::string address;  // ip:port
};

// Must outlive the server. Everything behind a std::function may be called from any worker; members marked
// optional may stay empty.
struct ApiContext {
  Gate& gate;
  Clock& clock;
  Metrics& metrics;
  // The configuration in force. Asked once per ingest request: it must not wait for the gate. Optional.
  std::function<ConfigPtr()> config{};

  // Of the rule evaluator: RuleRunner::Groups, History, Datasources, Stats. Optional.
  std::function<std::vector<RuleGroupView>()> rule_groups{};
  std::function<std::optional<RuleHistory>(uint64_t rule_id)> rule_history{};
  std::function<std::vector<DatasourceView>()> datasources{};
  std::function<RuleManagerStats()> rule_stats{};
  // AlertForwarder::Stats and Heartbeat::Stats. Optional.
  std::function<ForwardStats()> forwards{};
  std::function<HeartbeatStats()> heartbeat{};
  // HttpTransport::Stats and Deliverer::Stats. Optional.
  std::function<std::vector<LaneStats>()> lanes{};
  std::function<DeliveryStats()> deliveries{};
  // Of the HTTP server itself, once it runs. Optional; may give null.
  std::function<const HttpCounters*()> http{};
  // Opened by the caller on first use; null while there is no file. Optional.
  std::function<History*()> history{};
  // The file itself, for reviews; empty: there is none.
  std::string database{};
  // Candidate changes of noisy rules, with their proof. Optional.
  decltype(ReviewRequest::propose) propose{};

  // Reads the configuration again. The error is shown to whoever may POST to /-/reload: no secrets.
  std::function<Status()> reload{};
  // Why the process cannot do its work yet. Optional: then it is ready.
  std::function<Status()> ready{};

  Timestamp started_at = kUnset;
  std::string external_url{};
  std::string route_prefix{};  // "" or "/prefix"
  // --enable-feature: how filters are read, and which label names are taken.
  MatcherMode matcher_mode = MatcherMode::kFallback;
  bool log_silences = false;
  size_t alerts_per_name_max = 0;  // --alerts.per-alertname-limit
  ClusterView cluster{};
  // Of the door, when there is a --web.config.file. Optional.
  std::function<WebGuardStats()> web_guard{};
  // What signs links and buttons when the config has no key; empty: then there are none.
  std::string link_key{};
  FileAccess files = RealFiles();
  // One call to the outside, after the request has been answered. Optional.
  std::function<void(HttpCall, Transport::Done)> call{};
  // What GET /api/v2/status shows as config.original: YAML without secrets. Optional: then ConfigToYaml().
  std::function<std::string()> config_yaml{};
};

// All routes. `context` is referred to by the handlers.
HttpRouter BuildRouter(ApiContext& context);

// Common headers and CORS of /api/v2, answers for unknown paths and methods, request metrics. The caller adds
// authentication in front of `before` and logging to on_exception.
HttpHooks BuildHooks(ApiContext& context);

}  // namespace mlalert
