// The seam to the outside world: one HTTP call in, one result out, later.
// Used by: rules/ (instant queries), notify/ (webhook, Slack, PagerDuty ...). Implemented by:
// net/http_transport, and by scripted fakes in tests and simulation. Lanes keep destinations apart: each has
// its own bounded queue and its own number of calls in flight, so that a destination that hangs delays nobody
// else. Thread: every method may be called from any thread; `done` runs on the transport's own thread and
// must be cheap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/http_client_config.h"
#include "base/time.h"

namespace mlalert {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;
using HttpOptions = std::shared_ptr<const HttpClientConfig>;
struct SmtpMail;

inline constexpr size_t kResponseBytesMaxDefault = size_t{1} << 20;
// Used when a call brings no timeout: a call without any deadline would hold its lane for ever.
inline constexpr Duration kCallTimeoutDefault = std::chrono::seconds(30);

struct HttpCall {
  std::string method = "GET";
  // http or https. Userinfo becomes basic auth when nothing else authenticates the call.
  std::string url{};
  // Sent as given. A header named here wins over the same header from `options`, where Prometheus' rules say
  // so.
  HttpHeaders headers{};
  std::string body{};
  // Total, from the start of the first connection to the last byte, over all redirects; time in the queue
  // excluded.
  Duration timeout = kCallTimeoutDefault;
  // Of the body after decompression.
  size_t response_bytes_max = kResponseBytesMaxDefault;
  // Null means defaults.
  HttpOptions options{};
  // Set: the call is one SMTP exchange, and only `timeout` above counts. Accepted by the server is status
  // 250; every refusal is a failure with status 0 and the server's words in `error`.
  std::shared_ptr<const SmtpMail> smtp{};
  // Sending it twice does no harm, as with a query: an answer that plain HTTP's shorter way
  // (net/plain_transfer) does not understand is asked for again through libcurl.
  bool repeatable = false;
};

enum class Failure : uint8_t {
  kNone,
  kConnect,    // refused, unreachable, proxy refused the tunnel
  kDns,        // name not found, or nobody to ask
  kTls,        // certificate or handshake
  kTimeout,    // the call's deadline
  kTooLarge,   // body or headers beyond the limit; reading stopped
  kReset,      // connection ended before the answer did
  kCancelled,  // CancelLane, CloseLane or Shutdown
  kQueueFull,  // refused by the lane before it was tried
  kOther,      // the call cannot be made (URL, header, credential file), or the answer cannot be understood
};
inline constexpr size_t kFailureKinds = 10;

std::string_view FailureName(Failure failure);

struct HttpResult {
  // As received, also when the rest of the answer failed: a webhook that said 200 and then broke has been
  // told. 0: no answer.
  int status = 0;
  Failure failure = Failure::kNone;
  // Of the last answer, names in lower case.
  HttpHeaders headers{};
  std::string body{};
  // Empty when failure is kNone. Never holds the URL's userinfo, path or query, nor a credential; host names
  // do occur.
  std::string error{};
  // From the start of the call to its end, and before that in the lane's queue.
  Duration latency{0};
  Duration queued{0};
  // From the Retry-After header, counted from the arrival of the answer; never negative, at most
  // kRetryAfterMax.
  std::optional<Duration> retry_after{};

  bool ok() const { return failure == Failure::kNone; }
  // First value of a header; null when absent. `name` in lower case.
  const std::string* Header(std::string_view name) const;
};

enum class LaneId : uint32_t {};

struct LaneOptions {
  // For metrics: the receiver or data source.
  std::string name{};
  size_t calls_in_flight_max = 4;
  // Calls waiting behind those in flight; one more is refused with kQueueFull.
  size_t queue_max = 256;
};

class Transport {
 public:
  using Done = std::function<void(HttpResult)>;

  virtual ~Transport() = default;

  virtual LaneId OpenLane(LaneOptions options) = 0;
  // `done` is called exactly once, never from inside Send(), and must not throw. Unknown or closed lane:
  // kCancelled. After Shutdown() the call is dropped and `done` never runs.
  virtual void Send(LaneId lane, HttpCall call, Done done) = 0;
  // Ends every call sent to the lane so far with kCancelled, soon. Calls sent later are not affected.
  virtual void CancelLane(LaneId lane) = 0;
  // CancelLane, and the lane takes no more calls.
  virtual void CloseLane(LaneId lane) = 0;
  // Ends every call with kCancelled. No `done` runs after it has returned. Never call it from a `done`.
  virtual void Shutdown() = 0;
};

}  // namespace mlalert
