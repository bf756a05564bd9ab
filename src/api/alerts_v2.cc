// POST and GET /api/v2/alerts. POST is the hot path of the process: a Prometheus posts every firing alert
// again every minute or two, and nearly all of them change nothing.
#include <algorithm>
#include <fmt/format.h>

#include "api/alert_json.h"
#include "api/alert_listing.h"
#include "api/handlers.h"
#include "api/http_error.h"
#include "api/matcher_filter.h"
#include "api/negotiation.h"
#include "base/log.h"
#include "intake/alert_decoder.h"

namespace mlalert {
namespace {

Duration ResolveTimeout(ApiContext& context) {
  ConfigPtr config = context.config ? context.config() : nullptr;
  if (config == nullptr) {
    config = context.gate.Read([](const Engine& engine) { return engine.shared_config(); });
  }
  return config->global.resolve_timeout;
}

void PostAlerts(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  if (!CheckJsonBodyV2(request, response)) {
    context.metrics.CountRefused(AlertSource::kApi, IngestRefusal::kMediaType);
    return;
  }
  thread_local IngestBatch batch;
  DecodeOptions options;
  options.now = context.clock.Now();
  options.resolve_timeout = ResolveTimeout(context);
  options.classic_names = context.matcher_mode == MatcherMode::kClassic;
  DecodeFailure failure;
  if (!DecodeAlerts(request.body, options, batch, failure)) {
    context.metrics.CountRefused(AlertSource::kApi, IngestRefusal::kBody);
    SetErrorObject(response, failure.http_status, failure.message, failure.code);
    return;
  }
  context.metrics.CountReceived(AlertSource::kApi, batch.received_firing, batch.received_resolved);
  if (!batch.alerts.empty()) {
    IngestResult result;
    context.gate.Enter(
        [&](Engine& engine, Timestamp now, Effects& fx) { result = engine.Ingest(batch.alerts, now, fx); });
    if (result.limited > 0) {
      LogWarn("alert limited: its alertname has as many alerts as --alerts.per-alertname-limit allows",
              {{"alerts", result.limited}});
    }
  }
  if (!batch.errors.empty()) {
    context.metrics.CountRefused(AlertSource::kApi, IngestRefusal::kAlert,
                                 static_cast<uint32_t>(batch.errors.size()));
    SetErrorString(response, 400, fmt::format("{}", fmt::join(batch.errors, "\n")));
  }
}

// --- GET ---

// Receivers only; the alerts themselves were chosen when they were taken.
bool Shows(const AlertQuery& query, const Config& config, const AlertView& view) {
  auto any_receiver = [&](auto&& test) {
    return std::any_of(view.receivers.begin(), view.receivers.end(), test);
  };
  // Each condition may be met by another receiver.
  return (!query.receiver ||
          any_receiver([&](const std::string& name) { return query.receiver->FullMatch(name); })) &&
         (query.receiver_matchers.empty() || any_receiver([&](const std::string& name) {
            return PassesFilters(query.receiver_matchers, ReceiverLabels(config, name));
          }));
}

void GetAlerts(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  if (!CheckAcceptsJsonV2(request, response)) {
    return;
  }
  auto query = ParseAlertQuery(request, context.matcher_mode);
  if (!query) {
    SetErrorString(response, 400, query.error().message);
    return;
  }
  const Timestamp now = context.clock.Now();
  AlertListing listing = TakeAlerts(context.gate, *query, now);
  std::vector<AlertView>& views = listing.alerts;
  std::erase_if(views, [&](const AlertView& view) { return !Shows(*query, *listing.config, view); });
  response.content_type = "application/json";
  std::string& out = response.body;
  out.reserve(views.size() * 640 + 3);
  out += '[';
  Breather breathe;
  for (size_t i = 0; i < views.size(); ++i) {
    breathe(i);
    if (i > 0) {
      out += ',';
    }
    AppendAlertJson(out, views[i]);
  }
  out += "]\n";
}

}  // namespace

void AddAlertsV2(HttpRouter& router, ApiContext& context) {
  router.Post("/api/v2/alerts", [&context](HttpRequest& request, HttpResponse& response) {
    PostAlerts(context, request, response);
  });
  router.Get(
      "/api/v2/alerts",
      [&context](HttpRequest& request, HttpResponse& response) { GetAlerts(context, request, response); },
      {.head = false});
}

}  // namespace mlalert
