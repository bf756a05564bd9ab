// Carries out notification attempts: renders, sends, judges the answer, reports the outcome.
// Fed by: the shell with the engine's attempts and configs. Hands on: one NotificationOutcome per attempt, to
// be given back to the engine. Owns: two worker threads and one lane per receiver integration, so that a
// receiver that hangs delays no other. Never retries: when to try again is the engine's decision. Thread:
// public methods from any thread, none of them blocks on the network or on rendering; `done` runs on a worker
// thread (on the destructor's thread for what is left over) and may call Deliver(). Limits: kLaneCallsMax,
// kLaneQueueMax (counted as DeliveryCounters::overflow).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "config/config.h"
#include "net/transport.h"
#include "notify/file_access.h"
#include "notify/notification.h"

namespace mlalert {

// Calls to one integration of one receiver that may be under way at once.
inline constexpr size_t kLaneCallsMax = 16;
// Attempts that may wait behind them; one more is answered at once with kRetry.
inline constexpr size_t kLaneQueueMax = size_t{1} << 18;

// Why an attempt was not successful; Alertmanager's `reason` label.
enum class FailureReason : uint8_t {
  kOther,
  kClientError,
  kAuthError,
  kRateLimited,
  kServerError,
  kContextCanceled,
  kContextDeadlineExceeded,
};
inline constexpr size_t kFailureReasons = 7;
// "other", "clientError", "authError", "rateLimited", "serverError", "contextCanceled",
// "contextDeadlineExceeded".
std::string_view ToString(FailureReason reason);

// Of one integration kind, since the start.
struct DeliveryCounters {
  uint64_t attempts = 0;
  uint64_t sent = 0;
  // Not successful; the engine may try again (retry) or not (failed). Indexed by FailureReason.
  std::array<uint64_t, kFailureReasons> retry{};
  std::array<uint64_t, kFailureReasons> failed{};
  // Refused because the lane's queue was full; also in `retry`.
  uint64_t overflow = 0;
  // Of attempts that got an answer or ran into their deadline.
  Duration latency_total{};
  // How many of these took at most kLatencyBounds[i]; the last one: longer.
  std::array<uint64_t, 6> latencies{};
};
// Alertmanager's.
inline constexpr std::array<Duration, 5> kLatencyBounds = {std::chrono::seconds(1), std::chrono::seconds(5),
                                                           std::chrono::seconds(10), std::chrono::seconds(15),
                                                           std::chrono::seconds(20)};

struct DeliveryStats {
  std::array<DeliveryCounters, kIntegrationKinds> by_kind;  // indexed by IntegrationKind
  size_t lanes = 0;
  size_t queued = 0;
  size_t in_flight = 0;
};

class Deliverer {
 public:
  struct Options {
    std::string version = MLALERT_VERSION;  // for the User-Agent
    std::string external_url;               // no trailing slash
    // An incident's page is this plus its id; empty: external_url + "/ui/incidents/".
    std::string incident_url_prefix;
    FileAccess files = RealFiles();
    // What links are signed with when the config has no key.
    std::string link_key;
    size_t workers = 2;
    size_t lane_calls_max = kLaneCallsMax;
    size_t lane_queue_max = kLaneQueueMax;
  };
  using Done = std::function<void(NotificationOutcome)>;

  // `transport` and `clock` must outlive the deliverer; shut the transport down after it.
  Deliverer(Transport& transport, Clock& clock, Options options, Done done);
  // Waits for no receiver: what is queued or under way is answered with kRetry, "shutting down".
  ~Deliverer();
  Deliverer(const Deliverer&) = delete;
  Deliverer& operator=(const Deliverer&) = delete;

  // Loads the template files and parses every text of every receiver. An error (a template file that cannot
  // be read or parsed) keeps the old config. Attempts made under an older config are rendered with that one's
  // templates.
  Status SetConfig(ConfigPtr config);
  // Texts of receivers of the current config that are not valid templates. As under Alertmanager they do not
  // keep the config from loading, but each notification that needs one fails: log them loudly. Holds no
  // secret.
  std::vector<Error> TemplateWarnings() const;

  // Never blocks and never calls `done` itself.
  void Deliver(NotificationAttempt attempt);
  // For an orderly end: takes no new attempt (they are answered with kRetry) and waits until all others are
  // answered, at most `time`. True when none is left.
  bool Drain(Duration time);

  DeliveryStats Stats() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace mlalert
