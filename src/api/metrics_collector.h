// Reads the numbers that other modules keep (engine, journal, rules, deliveries, lanes, HTTP server, process)
// and turns them into metric families, at scrape time. Short entries of the gate: a scrape holds no sender
// up. Thread: any.
#pragma once

#include <array>
#include <vector>

#include "prometheus/metric_family.h"

#include "base/time.h"
#include "config/config.h"
#include "engine/engine_stats.h"
#include "model/incident.h"
#include "model/response_state.h"
#include "mute/muter.h"

namespace mlalert {

struct ApiContext;

inline constexpr std::array kMetricSeverities = {Severity::kP0, Severity::kP1, Severity::kP2, Severity::kP3,
                                                 Severity::kNone};
inline constexpr std::array kMetricIncidentStates = {IncidentState::kOpen, IncidentState::kAcknowledged};

// What the gate is entered for.
struct EngineView {
  EngineStats stats;
  ConfigPtr config;
  AlertCounts alerts;
  SilenceStats silences;
  std::array<uint64_t, 5> suppressed{};  // by MuteReason
  std::array<std::array<size_t, kMetricSeverities.size()>, kMetricIncidentStates.size()> incidents{};
  std::array<size_t, kResponseStates.size()> responses{};  // of these
  Duration escalation_lag{};
};

std::vector<prometheus::MetricFamily> CollectSources(const ApiContext& context);
// Memory, processor time, descriptors and start of this process, under the names that every client library
// uses. What the system does not tell is left out.
std::vector<prometheus::MetricFamily> CollectProcess(Timestamp started_at);

}  // namespace mlalert
