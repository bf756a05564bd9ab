// Alertmanager's own metrics, name by name, with the numbers of ours that mean the same: its dashboards, its
// alerts and karma read them. What cannot happen here (gossip) stands at 0. Fed by: metrics_collector.cc.
// Thread: any; plain values.
#pragma once

#include "api/api.h"
#include "api/metric_family_builder.h"
#include "api/metrics_collector.h"

namespace mlalert {

void AddAlertmanagerMetrics(const ApiContext& context, const EngineView& engine, FamilyList& out);

}  // namespace mlalert
