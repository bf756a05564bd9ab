// Decodes the webhook payload, version "4", of an Alertmanager that has us as a webhook receiver.
// Only alerts that the payload lists are touched: one that is missing (truncatedAlerts, another group) says
// nothing. Fed by api/webhook. Thread: any; pure.
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "intake/ingest_batch.h"

namespace mlalert {

// A firing alert from a webhook has no end, and the Alertmanager repeats it only every repeat_interval (4 h
// by default): it is held this long after the last word about it.
inline constexpr Duration kWebhookHold = std::chrono::hours(24);

struct WebhookInfo {
  uint64_t truncated_alerts = 0;
};

// Per-alert validation errors go to batch.errors, as for the API. Fails when the payload is not what version
// 4 is.
Result<WebhookInfo> DecodeWebhook(std::string_view body, Timestamp now, IngestBatch& batch);

}  // namespace mlalert
