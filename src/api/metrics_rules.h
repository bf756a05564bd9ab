// The part of /metrics that is about rules: our own names, and beside them those that Prometheus' dashboards
// and alerts about rules expect. Called by: metrics_collector.cc. Thread: any.
#pragma once

#include "api/metric_family_builder.h"

namespace mlalert {

struct ApiContext;

// Alerts shown as series of ALERTS and ALERTS_FOR_STATE; the rest is counted.
inline constexpr size_t kAlertSeriesMax = 1000;

// Rules, groups, data sources, other Alertmanagers, health.
void CollectRules(const ApiContext& context, FamilyList& out);

}  // namespace mlalert
