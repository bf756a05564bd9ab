// The API without sockets: real router and hooks over a real engine behind a gate, a clock that stands still
// until it is moved, a journal in memory. No timer thread: timers run when Advance() is called.
#pragma once

#include <boost/test/unit_test.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "api/api.h"
#include "api/http_error.h"
#include "api/http_parse.h"
#include "config/config_loader.h"
#include "support/builders.h"
#include "support/memory_journal.h"

namespace mlalert::testing {

class ManualClock final : public Clock {
 public:
  Timestamp Now() override { return now; }
  Timestamp now = FromUnixMillis(1767225600000);  // 2026-01-01T00:00:00Z
};

inline constexpr const char* kApiConfig = R"(
route:
  receiver: team
  routes:
  - matchers: ['severity="P0"']
    receiver: pager
    continue: true
  - matchers: ['severity="P0"']
    receiver: team
receivers:
- name: team
  labels: {owner: ml}
  webhook_configs: [{url: 'http://user:hunter2@127.0.0.1:1/secret-path'}]
- name: pager
  webhook_configs: [{url: 'http://127.0.0.1:1/'}]
- name: unused
incidents: {identity: [alertname, model]}
incident_policies:
- name: climb
  matchers: ['severity=~"P2|P3"']
  cooldown: 30m
  ladder: {steps: [{after: 15m, severity: P3}, {after: 30m, severity: P2}, {after: 1h, severity: P1}], quiet_before_first_step: true}
  acknowledge: {expires: 4h}
)";

inline ConfigPtr LoadApiConfig(const std::string& yaml) {
  ConfigPtr config;
  Diagnostics diagnostics = LoadConfigText(yaml, "test.yml", config);
  if (config == nullptr) {
    throw std::runtime_error(diagnostics.ToText());
  }
  return config;
}

class ApiFixture {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  explicit ApiFixture(Journal* other_journal = nullptr, const std::string& yaml = kApiConfig)
      : config(LoadApiConfig(yaml)),
        gate(Engine(config, [] { return 0.5; }), other_journal != nullptr ? *other_journal : journal, clock,
             [this](NotificationAttempt attempt) { sent.push_back(std::move(attempt)); }),
        context{gate, clock, metrics} {
    gate.Enter([](Engine& engine, Timestamp now, Effects& fx) { engine.Restore({}, now, fx); });
    context.config = [this] { return config; };
    context.started_at = clock.now;
    context.cluster = {true, "me", "127.0.0.1:9094"};
    router = BuildRouter(context);
    hooks = BuildHooks(context);
  }

  // As http_session.cc does it.
  HttpResponse Call(const std::string& method, const std::string& target, std::string body = "",
                    Headers headers = {}) {
    if (!body.empty() && headers.empty()) {
      headers.emplace_back("Content-Type", "application/json");
    }
    HttpRequest request;
    HttpResponse response;
    size_t question = target.find('?');
    std::string raw_path = target.substr(0, question);
    std::string raw_query = question == std::string::npos ? "" : target.substr(question + 1);
    request.method = method;
    request.raw_path = raw_path;
    request.raw_query = raw_query;
    BOOST_REQUIRE(PercentDecode(raw_path, false, request.path));
    BOOST_REQUIRE(ParseHttpQuery(raw_query, request.query));
    for (const auto& [name, value] : headers) {
      request.headers.push_back({name, value});
    }
    HttpRouter::Match match = router.Find(method, raw_path, request.path_params);
    request.body = std::move(body);
    if (hooks.before(request, response)) {
      return response;
    }
    if (match.route != nullptr) {
      request.route = match.route->pattern;
      match.route->handler(request, response);
    } else {
      Unrouted(match.allow, request, response);
    }
    hooks.after(request, response, std::chrono::milliseconds(1));
    return response;
  }
  HttpResponse Get(const std::string& target, Headers headers = {}) {
    return Call("GET", target, "", std::move(headers));
  }
  HttpResponse Post(const std::string& target, std::string body, Headers headers = {}) {
    return Call("POST", target, std::move(body), std::move(headers));
  }

  // Runs what is due; every receiver answers well.
  void Advance(Duration by) {
    clock.now += by;
    do {
      std::vector<NotificationAttempt> attempts = std::exchange(sent, {});
      gate.Enter([&](Engine& engine, Timestamp now, Effects& fx) {
        for (const NotificationAttempt& attempt : attempts) {
          engine.OnOutcome(
              {attempt.notification->id, attempt.number, DeliveryVerdict::kSent, 200, {}, "", {}, {}}, now,
              fx);
        }
        while (!engine.RunDue(now, fx)) {
        }
      });
    } while (!sent.empty());
  }

  // Fires one alert that does not end by itself; the incident it opened.
  IncidentId Fire(const LabelSet& labels, const LabelSet& annotations = {}) {
    AlertInput input(labels, clock.now, kNever, annotations);
    DecodedAlert alert = input.Get();
    IncidentId id = 0;
    gate.Enter([&](Engine& engine, Timestamp now, Effects& fx) {
      engine.Ingest({&alert, 1}, now, fx);
      for (const AlertView& view : engine.ListAlerts()) {
        id = view.alert.labels == labels ? view.incident_id : id;
      }
    });
    return id;
  }
  void Resolve(const LabelSet& labels) {
    AlertInput input(labels, clock.now, clock.now);
    DecodedAlert alert = input.Get();
    gate.Enter([&](Engine& engine, Timestamp now, Effects& fx) { engine.Ingest({&alert, 1}, now, fx); });
  }

  // The value of one series of /metrics, as text; empty when it is not there.
  std::string Metric(const std::string& series) {
    std::string text = "\n" + Get("/metrics").body;
    size_t at = text.find("\n" + series + " ");
    if (at == std::string::npos) {
      return "";
    }
    at += series.size() + 2;
    return text.substr(at, text.find('\n', at) - at);
  }

  ManualClock clock;
  MemoryJournal journal;
  ConfigPtr config;
  std::vector<NotificationAttempt> sent;
  Gate gate;
  Metrics metrics;
  ApiContext context;
  HttpRouter router;
  HttpHooks hooks;

 private:
  void Unrouted(const std::string& allow, HttpRequest& request, HttpResponse& response) {
    bool options = request.method == "OPTIONS";
    if (!allow.empty()) {
      response.SetHeader("Allow", options ? allow + ", OPTIONS" : allow);
    }
    if (options && !allow.empty()) {
      response.status = 204;
    } else {
      SetErrorText(response, allow.empty() ? 404 : 405,
                   allow.empty() ? "404 page not found" : "Method Not Allowed");
    }
    hooks.unrouted(request, response);
  }
};

// The body as JSON; a body that is not JSON fails the test.
inline Json BodyOf(const HttpResponse& response) {
  auto json = ParseJson(response.body);
  BOOST_REQUIRE_MESSAGE(json, "not JSON: " + response.body);
  return *json;
}

}  // namespace mlalert::testing
