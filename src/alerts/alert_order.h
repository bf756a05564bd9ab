// Alertmanager's order of alerts in notifications and API answers: job, instance, then the label-set order.
// Used by: dispatch/, engine/. Thread: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "model/label_set.h"

namespace mlalert {

bool AlertBefore(const LabelSet& a, const LabelSet& b);

// The places in `labels` in that order; of equal ones the first stays first. Empty: they stand in it.
std::vector<uint32_t> AlertOrder(std::span<const LabelSet* const> labels);

// Sorts what has labels: labels_of(T) gives a reference that stays valid. Each is moved once at most; false:
// they stood in order.
template <class T, class LabelsOf>
bool SortAlerts(std::vector<T>& alerts, LabelsOf&& labels_of) {
  std::vector<const LabelSet*> labels;
  labels.reserve(alerts.size());
  for (const T& alert : alerts) {
    labels.push_back(&labels_of(alert));
  }
  const std::vector<uint32_t> order = AlertOrder(labels);
  if (order.empty()) {
    return false;
  }
  std::vector<T> sorted;
  sorted.reserve(alerts.size());
  for (uint32_t i : order) {
    sorted.push_back(std::move(alerts[i]));
  }
  alerts = std::move(sorted);
  return true;
}

}  // namespace mlalert
