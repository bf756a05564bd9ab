// The webhook payload (version 4) of an Alertmanager in front of us.
#include <chrono>

#include "fuzz.h"
#include "intake/webhook_decoder.h"

using namespace mlalert;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static IngestBatch batch;
  batch.Clear();
  const Timestamp now = Timestamp{} + std::chrono::hours(24 * 365 * 56);
  if (auto info = DecodeWebhook(FuzzText(data, size), now, batch); info) {
    for (const DecodedAlert& alert : batch.alerts) {
      FUZZ_CHECK(!alert.labels.empty());
      FUZZ_CHECK(alert.fingerprint == LabelSet::FromSorted(alert.labels).fingerprint());
    }
  }
  return 0;
}
