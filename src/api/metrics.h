// What /metrics shows. Two kinds: counters of events that only this process sees (kept here, cached, a few
// nanoseconds each), and numbers that other modules keep, read at scrape time (metrics_collector.cc). Labels
// have few values known beforehand: never a label of an alert.
// Fed by: the handlers of api/ and whoever loads the configuration. Owns: the registry. Thread: any.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/http_types.h"
#include "base/time.h"
#include "model/alert.h"

namespace mlalert {

struct ApiContext;

// Why ingest refused something.
enum class IngestRefusal : uint8_t {
  kAlert,      // one alert of a request failed validation; the others counted
  kBody,       // the body is not what the endpoint takes: nothing of it counted
  kMediaType,  // 415
  kJournal,    // webhook only: applied, but not durable in time (503)
};
inline constexpr size_t kIngestRefusals = 4;
std::string_view ToString(IngestRefusal reason);

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void CountReceived(AlertSource source, uint32_t firing, uint32_t resolved);
  void CountRefused(AlertSource source, IngestRefusal reason, uint32_t count = 1);
  void CountTruncated(uint64_t alerts);
  // A webhook of PagerDuty with a good signature that could not be read.
  void CountUnreadableWebhook();

  void CountRequest(const HttpRequest& request, const HttpResponse& response, Duration elapsed);

  // The configuration was read: at start and at each reload.
  void SetReload(bool ok, Timestamp at);

  // Prometheus text format, version 0.0.4.
  std::string Render(const ApiContext& context) const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace mlalert
