#include "api/metrics.h"

#include <array>
#include <atomic>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "api/api.h"
#include "api/metric_family_builder.h"
#include "api/metrics_collector.h"

namespace mlalert {
namespace {

using prometheus::Counter;
using prometheus::Family;

const prometheus::Histogram::BucketBoundaries kRequestSeconds = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
// Prometheus' default buckets, and Alertmanager's for sizes.
const prometheus::Histogram::BucketBoundaries kDefaultSeconds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                                 0.5,   1,    2.5,   5,    10};
const prometheus::Histogram::BucketBoundaries kSizes = {100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
constexpr std::array kSources = {AlertSource::kApi, AlertSource::kWebhook};
constexpr std::array kRefusals = {IngestRefusal::kAlert, IngestRefusal::kBody, IngestRefusal::kMediaType,
                                  IngestRefusal::kJournal};
static_assert(kRefusals.size() == kIngestRefusals);

size_t IndexOf(AlertSource source) {
  return source == AlertSource::kWebhook ? 1 : 0;
}

Family<Counter>& CounterFamily(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

// Alertmanager's word for a route. What it does not have is ours alone.
std::string AlertmanagerHandler(std::string_view route) {
  return route == "/api/v2/silence/{id}" ? "/api/v2/silence/{silenceID}" : std::string(route);
}

std::string Lower(std::string text) {
  for (char& c : text) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  return text;
}

// Methods that a client made up must not become series.
std::string MethodLabel(std::string_view method) {
  for (std::string_view known : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"}) {
    if (method == known) {
      return std::string(known);
    }
  }
  return "other";
}

}  // namespace

std::string_view ToString(IngestRefusal reason) {
  switch (reason) {
    case IngestRefusal::kAlert:
      return "alert";
    case IngestRefusal::kBody:
      return "body";
    case IngestRefusal::kMediaType:
      return "media_type";
    case IngestRefusal::kJournal:
      return "journal";
  }
  return "body";
}

struct Metrics::Families {
  prometheus::Registry registry;

  struct OfSource {
    Counter* firing = nullptr;
    Counter* resolved = nullptr;
    std::array<Counter*, kIngestRefusals> refused{};
  };
  std::array<OfSource, 2> sources;
  Counter* truncated = nullptr;
  Counter* unreadable_webhooks = nullptr;
  Counter* received_firing_v2 = nullptr;
  Counter* received_resolved_v2 = nullptr;
  Counter* invalid_v2 = nullptr;
  Family<prometheus::Histogram>* request_seconds = nullptr;
  Family<prometheus::Histogram>* request_seconds_v2 = nullptr;
  Family<prometheus::Histogram>* response_bytes = nullptr;
  // Alertmanager's name first, ours second: the same number.
  std::array<prometheus::Gauge*, 2> reload_successful{};
  std::array<prometheus::Gauge*, 2> reload_success_time{};
  Counter* reloads_failed = nullptr;

  Families();
};

Metrics::Families::Families() {
  auto& received = CounterFamily(registry, "mlalert_alerts_received_total",
                                 "Alerts received, before validation and merge.");
  auto& refused = CounterFamily(registry, "mlalert_ingest_refused_total",
                                "Alerts (reason alert) and requests (other reasons) that were refused.");
  for (AlertSource source : kSources) {
    std::string name(ToString(source));
    OfSource& of = sources[IndexOf(source)];
    of.firing = &received.Add({{"source", name}, {"status", "firing"}});
    of.resolved = &received.Add({{"source", name}, {"status", "resolved"}});
    for (IngestRefusal reason : kRefusals) {
      of.refused[static_cast<size_t>(reason)] =
          &refused.Add({{"source", name}, {"reason", std::string(ToString(reason))}});
    }
  }
  truncated = &CounterFamily(registry, "mlalert_webhook_truncated_alerts_total",
                             "Alerts that a sending Alertmanager left out of a webhook (max_alerts).")
                   .Add({});
  unreadable_webhooks = &CounterFamily(registry, "mlalert_pagerduty_webhooks_unreadable_total",
                                       "Webhooks of PagerDuty with a good signature that could not be read.")
                             .Add({});
  auto& received_v2 =
      CounterFamily(registry, "alertmanager_alerts_received_total", "The total number of received alerts.");
  received_firing_v2 = &received_v2.Add({{"status", "firing"}, {"version", "v2"}});
  received_resolved_v2 = &received_v2.Add({{"status", "resolved"}, {"version", "v2"}});
  invalid_v2 = &CounterFamily(registry, "alertmanager_alerts_invalid_total",
                              "The total number of received alerts that were invalid.")
                    .Add({{"version", "v2"}});
  request_seconds = &prometheus::BuildHistogram()
                         .Name("mlalert_http_request_duration_seconds")
                         .Help("Time from the complete request to its answer, by route.")
                         .Register(registry);
  request_seconds_v2 = &prometheus::BuildHistogram()
                            .Name("alertmanager_http_request_duration_seconds")
                            .Help("Histogram of latencies for HTTP requests.")
                            .Register(registry);
  response_bytes = &prometheus::BuildHistogram()
                        .Name("alertmanager_http_response_size_bytes")
                        .Help("Histogram of response size for HTTP requests.")
                        .Register(registry);
  auto gauge = [&](const char* name, const char* help) {
    return &prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
  };
  reload_successful = {gauge("alertmanager_config_last_reload_successful",
                             "Whether the last configuration reload attempt was successful."),
                       gauge("mlalert_config_last_reload_successful",
                             "1 when the configuration was read without error the last time, else 0.")};
  reload_success_time = {gauge("alertmanager_config_last_reload_success_timestamp_seconds",
                               "Timestamp of the last successful configuration reload."),
                         gauge("mlalert_config_last_reload_success_timestamp_seconds",
                               "When the configuration in force was read, Unix time.")};
  reloads_failed = &CounterFamily(registry, "mlalert_config_reload_failures_total",
                                  "Times a configuration was refused and the old one kept.")
                        .Add({});
}

Metrics::Metrics() : families_(std::make_unique<Families>()) {}
Metrics::~Metrics() = default;

void Metrics::CountReceived(AlertSource source, uint32_t firing, uint32_t resolved) {
  Families::OfSource& of = families_->sources[IndexOf(source)];
  of.firing->Increment(firing);
  of.resolved->Increment(resolved);
  if (source == AlertSource::kApi) {
    families_->received_firing_v2->Increment(firing);
    families_->received_resolved_v2->Increment(resolved);
  }
}

void Metrics::CountRefused(AlertSource source, IngestRefusal reason, uint32_t count) {
  families_->sources[IndexOf(source)].refused[static_cast<size_t>(reason)]->Increment(count);
  if (source == AlertSource::kApi && reason == IngestRefusal::kAlert) {
    families_->invalid_v2->Increment(count);
  }
}

void Metrics::CountUnreadableWebhook() {
  families_->unreadable_webhooks->Increment();
}

void Metrics::CountTruncated(uint64_t alerts) {
  families_->truncated->Increment(static_cast<double>(alerts));
}

void Metrics::CountRequest(const HttpRequest& request, const HttpResponse& response, Duration elapsed) {
  std::string route = request.route.empty() ? "other" : std::string(request.route);
  families_->request_seconds
      ->Add({{"handler", route}, {"method", MethodLabel(request.method)}}, kRequestSeconds)
      .Observe(ToSeconds(elapsed));
  if (request.route.empty()) {
    return;
  }
  const std::string handler = AlertmanagerHandler(request.route);
  const std::string method = Lower(MethodLabel(request.method));
  families_->request_seconds_v2
      ->Add({{"code", std::to_string(response.status)}, {"handler", handler}, {"method", method}},
            kDefaultSeconds)
      .Observe(ToSeconds(elapsed));
  if (!request.route.starts_with("/api/v2/")) {
    families_->response_bytes->Add({{"handler", handler}, {"method", method}}, kSizes)
        .Observe(static_cast<double>(response.body.size()));
  }
}

void Metrics::SetReload(bool ok, Timestamp at) {
  for (size_t i = 0; i < families_->reload_successful.size(); ++i) {
    families_->reload_successful[i]->Set(ok ? 1 : 0);
    if (ok) {
      families_->reload_success_time[i]->Set(ToSeconds(at.time_since_epoch()));
    }
  }
  if (!ok) {
    families_->reloads_failed->Increment();
  }
}

std::string Metrics::Render(const ApiContext& context) const {
  std::vector<prometheus::MetricFamily> all = families_->registry.Collect();
  const double taken = families_->received_firing_v2->Value() + families_->received_resolved_v2->Value() -
                       families_->invalid_v2->Value();
  FamilyList handed_on;
  handed_on
      .Counter("alertmanager_alerts_subscriber_channel_writes_total",
               "Alerts handed on to routing and inhibition: here all that were valid.")
      .Add(taken, {{"subscriber", "dispatcher"}})
      .Add(taken, {{"subscriber", "inhibitor"}});
  for (auto&& more : {CollectSources(context), CollectProcess(context.started_at), handed_on.Take()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return prometheus::TextSerializer().Serialize(all);
}

}  // namespace mlalert
