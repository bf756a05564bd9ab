#include "intake/ingest_batch.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/hash.h"
#include "model/label_set.h"

namespace mlalert {

void IngestBatch::Clear() {
  alerts.clear();
  errors.clear();
  labels.clear();
  texts.clear();
  received_firing = 0;
  received_resolved = 0;
}

size_t NormaliseLabels(Label* labels, size_t count, bool drop_empty) {
  auto by_name = [](const Label& a, const Label& b) { return a.name < b.name; };
  // Go's encoder sorts map keys, so the usual sender needs no sort.
  if (!std::is_sorted(labels, labels + count, by_name)) {
    std::stable_sort(labels, labels + count, by_name);
  }
  size_t kept = 0;
  for (size_t i = 0; i < count; ++i) {
    bool last_of_name = i + 1 == count || labels[i + 1].name != labels[i].name;
    if (last_of_name && !(drop_empty && labels[i].value.empty())) {
      labels[kept++] = labels[i];
    }
  }
  return kept;
}

std::string FinishAlert(DecodedAlert& alert, Timestamp now, Duration resolve_timeout, bool classic_names) {
  if (!IsSet(alert.starts_at)) {
    alert.starts_at = IsSet(alert.ends_at) ? alert.ends_at : now;
    alert.starts_offset_minutes = alert.ends_offset_minutes;
  }
  if (!IsSet(alert.ends_at)) {
    alert.ends_at = now + resolve_timeout;
    alert.ends_offset_minutes = 0;
    alert.timeout = true;
  }
  if (alert.ends_at < alert.starts_at) {
    return "start time must be before end time";
  }
  if (alert.labels.empty()) {
    return "at least one label pair required";
  }
  auto bad_name = [&](const Label& label) {
    return label.name.empty() || (classic_names && !IsClassicLabelName(label.name));
  };
  uint64_t hash = kFnvOffset;
  for (const Label& label : alert.labels) {
    if (bad_name(label)) {
      return fmt::format("invalid label set: invalid name {}", GoQuote(label.name));
    }
    hash = FnvAdd(FnvAdd(hash, label.name), static_cast<unsigned char>(0xFF));
    hash = FnvAdd(FnvAdd(hash, label.value), static_cast<unsigned char>(0xFF));
  }
  alert.fingerprint = hash;
  for (const Label& label : alert.annotations) {
    if (bad_name(label)) {
      return fmt::format("invalid annotations: invalid name {}", GoQuote(label.name));
    }
  }
  return {};
}

}  // namespace mlalert
