// What a request brought in: alerts that passed validation, the messages about those that did not, and the
// storage their views point into. Made by a decoder on an HTTP worker, read by the engine under the gate.
// Thread: one owner at a time. Reuse one batch per worker: its buffers keep their capacity.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "intake/decoded_alert.h"

namespace mlalert {

struct IngestBatch {
  std::vector<DecodedAlert> alerts;
  // One message per refused alert, in order (Alertmanager's texts). The valid alerts of the batch count all
  // the same.
  std::vector<std::string> errors;
  // Counted before validation, as alertmanager_alerts_received_total is.
  uint32_t received_firing = 0;
  uint32_t received_resolved = 0;

  // Backing store of the spans and of texts that are not in the request body.
  std::vector<Label> labels;
  std::deque<std::string> texts;

  void Clear();
};

// Alertmanager's defaults and checks of one alert (api/v2 and types.Alert.Validate): missing startsAt,
// missing endsAt, order of the two, label and annotation names. Empty: valid. Sets times, `timeout` and the
// fingerprint.
std::string FinishAlert(DecodedAlert& alert, Timestamp now, Duration resolve_timeout,
                        bool classic_names = false);

// Sorts by name, keeps the last of equal names, and drops empty values when `drop_empty`.
// Returns the number of labels left.
size_t NormaliseLabels(Label* labels, size_t count, bool drop_empty);

}  // namespace mlalert
