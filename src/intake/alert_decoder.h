// Decodes the body of POST /api/v2/alerts: a JSON array of postable alerts, parsed in place without building
// a tree. This is the hot path of ingest: one pass over the bytes, no allocation per alert once the batch is
// warm. Fed by api/alerts_v2. Thread: any; pure.
#pragma once

#include <string>

#include "base/time.h"
#include "intake/ingest_batch.h"

namespace mlalert {

inline constexpr size_t kAlertLabelsMax = 512;  // labels or annotations of one alert
inline constexpr int kAlertJsonDepthMax = 32;

// Why the whole request is refused. `code` is the swagger validation code of Alertmanager's API, or the
// status.
struct DecodeFailure {
  int http_status = 400;
  int code = 400;
  std::string message;
};

struct DecodeOptions {
  Timestamp now;
  Duration resolve_timeout;
  AlertSource source = AlertSource::kApi;
  bool classic_names = false;  // label names must be classic ones: --enable-feature=classic-mode
};

// `body` is overwritten (strings are unescaped in place) and must outlive the batch; the byte after it must
// be writable or NUL (std::string is fine). True: `batch` is filled, which may include per-alert errors.
bool DecodeAlerts(std::string& body, const DecodeOptions& options, IngestBatch& batch,
                  DecodeFailure& failure);

}  // namespace mlalert
