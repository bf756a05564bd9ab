// An alert on its way in: views into the request body (or into a rule's label sets), already validated and
// with default times set. The engine compares it with what it has and copies only what is new. Thread: lives
// as long as the buffer it points into; made by one worker, read under the gate.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/time.h"
#include "model/alert.h"
#include "model/label_set.h"

namespace mlalert {

struct DecodedAlert {
  std::span<const Label> labels;       // sorted by name, unique, no empty values
  std::span<const Label> annotations;  // sorted by name, unique
  std::string_view generator_url;
  Timestamp starts_at = kUnset;
  Timestamp ends_at = kUnset;
  int16_t starts_offset_minutes = 0;
  int16_t ends_offset_minutes = 0;
  bool timeout = false;
  AlertSource source = AlertSource::kApi;
  uint64_t fingerprint = 0;  // FNV-1a of labels, as LabelSet::fingerprint()
  // The same as sets, where the sender has them: the store shares them then instead of copying.
  const LabelSet* label_set = nullptr;
  const LabelSet* annotation_set = nullptr;
};

}  // namespace mlalert
