// What is known about the other Alertmanagers, for metrics and /api/v1/alertmanagers. Made by:
// engine/alert_forwarder. Thread: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

namespace mlalert {

struct ForwardTargetStats {
  std::string url;
  uint64_t sent = 0;     // alerts, of batches that were accepted or not
  uint64_t errors = 0;   // alerts of batches that were not accepted
  uint64_t dropped = 0;  // these, and those for which the queue had no room
  size_t queued = 0;
  uint64_t batches = 0;
  Duration latency_total{};
  std::string last_error;  // empty when the last batch was accepted
};

struct ForwardStats {
  std::vector<ForwardTargetStats> targets;  // by URL
  std::vector<std::string> dropped_urls;    // by relabel_configs
  size_t queue_capacity = 0;
};

}  // namespace mlalert
