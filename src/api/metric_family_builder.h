// Short ways to make prometheus::MetricFamily values at scrape time. Thread: plain values.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "prometheus/client_metric.h"
#include "prometheus/metric_family.h"

#include "base/time.h"

namespace mlalert {

using MetricLabels = std::vector<std::pair<std::string_view, std::string_view>>;

class FamilyList {
 public:
  // Begins a family; the adders below go to the one begun last.
  FamilyList& Counter(std::string_view name, std::string_view help) {
    return Begin(name, help, prometheus::MetricType::Counter);
  }
  FamilyList& Gauge(std::string_view name, std::string_view help) {
    return Begin(name, help, prometheus::MetricType::Gauge);
  }
  // A summary without quantiles: count and sum.
  FamilyList& Summary(std::string_view name, std::string_view help) {
    return Begin(name, help, prometheus::MetricType::Summary);
  }

  template <class T>
  FamilyList& Add(T value, const MetricLabels& labels = {}) {
    prometheus::ClientMetric& metric = AddMetric(labels);
    metric.counter.value = static_cast<double>(value);
    metric.gauge.value = static_cast<double>(value);
    return *this;
  }
  FamilyList& AddSummary(uint64_t count, Duration sum, const MetricLabels& labels = {}) {
    prometheus::ClientMetric& metric = AddMetric(labels);
    metric.summary.sample_count = count;
    metric.summary.sample_sum = ToSeconds(sum);
    return *this;
  }

  FamilyList& Histogram(std::string_view name, std::string_view help) {
    return Begin(name, help, prometheus::MetricType::Histogram);
  }
  // `counts[i]` of at most `bounds[i]` seconds; the last one of more.
  FamilyList& AddHistogram(const std::vector<double>& bounds, const std::vector<uint64_t>& counts,
                           Duration sum, const MetricLabels& labels = {}) {
    prometheus::ClientMetric& metric = AddMetric(labels);
    uint64_t total = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      total += counts[i];
      metric.histogram.bucket.push_back(
          {total, i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity()});
    }
    metric.histogram.sample_count = total;
    metric.histogram.sample_sum = ToSeconds(sum);
    return *this;
  }

  std::vector<prometheus::MetricFamily> Take() { return std::move(families_); }

 private:
  FamilyList& Begin(std::string_view name, std::string_view help, prometheus::MetricType type) {
    families_.push_back({std::string(name), std::string(help), type, {}});
    return *this;
  }
  prometheus::ClientMetric& AddMetric(const MetricLabels& labels) {
    prometheus::ClientMetric& metric = families_.back().metric.emplace_back();
    for (const auto& [name, value] : labels) {
      metric.label.push_back({std::string(name), std::string(value)});
    }
    return metric;
  }

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace mlalert
