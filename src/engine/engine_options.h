// What the flags of `serve` decide about the engine, with Alertmanager's defaults. Thread: plain value.
#pragma once

#include "alerts/alert_store.h"
#include "base/time.h"
#include "mute/silences.h"

namespace mlalert {

struct EngineOptions {
  // --data.retention: the longest life of a notification log entry. That of expired silences is in
  // `silences`.
  Duration data_retention = std::chrono::hours(120);
  // --data.maintenance-interval: how often what has expired is dropped.
  Duration data_maintenance_interval = std::chrono::minutes(15);
  // --alerts.gc-interval: how often resolved alerts are dropped. Until then a repeated resolve finds them.
  Duration alert_gc_interval = std::chrono::minutes(30);
  // --dispatch.start-delay: no group is flushed earlier than this after the start.
  Duration start_delay{};
  // --alerts.per-alertname-limit
  AlertLimits alerts;
  // --silences.max-silences, --silences.max-silence-size-bytes; matcher mode
  SilenceLimits silences;
};

}  // namespace mlalert
