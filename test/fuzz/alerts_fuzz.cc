// The body of POST /api/v2/alerts. What comes out is what the store relies on: sorted unique labels without
// empty values, the right fingerprint, a start not after the end.
#include <chrono>
#include <string>
#include <string_view>

#include "fuzz.h"
#include "intake/alert_decoder.h"

using namespace mlalert;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static IngestBatch batch;  // reused, as a worker does
  batch.Clear();
  std::string body(FuzzText(data, size));
  const Timestamp now = Timestamp{} + std::chrono::hours(24 * 365 * 56);
  DecodeFailure failure;
  if (!DecodeAlerts(body, {.now = now, .resolve_timeout = std::chrono::minutes(5)}, batch, failure)) {
    FUZZ_CHECK(failure.http_status >= 400 && !failure.message.empty());
    return 0;
  }
  for (const DecodedAlert& alert : batch.alerts) {
    FUZZ_CHECK(!alert.labels.empty());
    for (size_t i = 0; i < alert.labels.size(); ++i) {
      FUZZ_CHECK(!std::string_view(alert.labels[i].value).empty());
      FUZZ_CHECK(i == 0 || alert.labels[i - 1].name < alert.labels[i].name);
    }
    FUZZ_CHECK(alert.fingerprint == LabelSet::FromSorted(alert.labels).fingerprint());
    FUZZ_CHECK(IsSet(alert.starts_at) && IsSet(alert.ends_at) && alert.starts_at <= alert.ends_at);
  }
  return 0;
}
