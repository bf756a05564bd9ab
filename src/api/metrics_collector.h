// Reads the numbers that other modules keep (engine, journal, rules, deliveries, lanes, HTTP server, process)
// and turns them into metric families, at scrape time. One short entry of the gate per scrape. Thread: any.
#pragma once

#include <vector>

#include "prometheus/metric_family.h"

#include "base/time.h"

namespace mlalert {

struct ApiContext;

std::vector<prometheus::MetricFamily> CollectSources(const ApiContext& context);
// Memory, processor time, descriptors and start of this process, under the names that every client library
// uses. What the system does not tell is left out.
std::vector<prometheus::MetricFamily> CollectProcess(Timestamp started_at);

}  // namespace mlalert
