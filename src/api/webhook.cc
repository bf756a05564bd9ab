// POST /api/v1/webhook/alertmanager: an Alertmanager that has us as a receiver. It says each thing once and
// trusts a 2xx, so 200 means that what it said survives a crash.
#include <algorithm>
#include <fmt/format.h>

#include "api/durable.h"
#include "api/handlers.h"
#include "api/negotiation.h"
#include "api/own_error.h"
#include "intake/webhook_decoder.h"

namespace mlalert {
namespace {

void PostWebhook(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  Metrics& metrics = context.metrics;
  if (!CheckJsonBody(request, response)) {
    metrics.CountRefused(AlertSource::kWebhook, IngestRefusal::kMediaType);
    return;
  }
  thread_local IngestBatch batch;
  auto info = DecodeWebhook(request.body, context.clock.Now(), batch);
  if (!info) {
    metrics.CountRefused(AlertSource::kWebhook, IngestRefusal::kBody);
    SetOwnError(response, info.error());
    return;
  }
  metrics.CountReceived(AlertSource::kWebhook, batch.received_firing, batch.received_resolved);
  metrics.CountTruncated(info->truncated_alerts);
  uint64_t seq = context.gate.Enter(
      [&](Engine& engine, Timestamp now, Effects& fx) { engine.Ingest(batch.alerts, now, fx); });
  Status durable = WaitDurable(context.gate, seq);
  if (!durable) {
    metrics.CountRefused(AlertSource::kWebhook, IngestRefusal::kJournal);
    SetOwnError(response, 503, "the alerts are taken, but not yet safe on disk: " + durable.error().message,
                "send the same notification again");
    return;
  }
  if (!batch.errors.empty()) {
    metrics.CountRefused(AlertSource::kWebhook, IngestRefusal::kAlert,
                         static_cast<uint32_t>(batch.errors.size()));
    SetOwnError(response, 400, fmt::format("{}", fmt::join(batch.errors, "\n")),
                "the valid alerts of the request were taken");
    return;
  }
  Json json = Json::MakeObject();
  json.Set("alerts", static_cast<int64_t>(batch.alerts.size()));
  SetJson(response, json);
}

}  // namespace

void AddWebhook(HttpRouter& router, ApiContext& context) {
  router.Post("/api/v1/webhook/alertmanager", [&context](HttpRequest& request, HttpResponse& response) {
    PostWebhook(context, request, response);
  });
}

}  // namespace mlalert
