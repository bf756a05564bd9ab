// An alert as Alertmanager models it: a label set that is firing or resolved. Identity is the label set
// alone. Thread: plain value; the label sets inside are shared and immutable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/shared_text.h"
#include "base/time.h"
#include "model/label_set.h"

namespace mlalert {

// Which door the alert came through.
enum class AlertSource : uint8_t { kRules, kApi, kWebhook };
std::string_view ToString(AlertSource source);

struct Alert {
  LabelSet labels;
  LabelSet annotations;
  SharedText generator_url;
  Timestamp starts_at = kUnset;
  Timestamp ends_at = kUnset;
  Timestamp updated_at = kUnset;
  // Zone offsets as received: Alertmanager prints times in the zone they came in.
  int16_t starts_offset_minutes = 0;
  int16_t ends_offset_minutes = 0;
  // ends_at was not sent but set to receive time + resolve_timeout.
  bool timeout = false;
  AlertSource source = AlertSource::kApi;

  uint64_t fingerprint() const { return labels.fingerprint(); }
  std::string_view name() const { return labels.Get("alertname"); }
  bool ResolvedAt(Timestamp now) const { return IsSet(ends_at) && ends_at <= now; }
};

// Merges an incoming alert into the stored one of the same labels (Alertmanager types.Alert.Merge and the
// provider's overlap test). `now` decides what counts as resolved.
Alert MergeAlert(const Alert& stored, const Alert& incoming, Timestamp now);

}  // namespace mlalert
