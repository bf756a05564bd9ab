// Transport over libcurl and, for what is simple, over sockets of its own: one thread, any number of lanes.
// Used by: the shell, which builds one and hands it down as Transport.
// Owns: the thread, idle connections (shared by all lanes: a connection is only reused for the same host
// under the same TLS settings; those of repeatable calls apart from the others), OAuth tokens, and every call
// until its `done` has run. Thread: public methods from any; the thread runs with all signals blocked. Time:
// steady clock for deadlines. Limits: LaneOptions for calls (LaneStats::refused_total), kIdleConnectionsMax
// (net/curl_handle.h).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "net/transport.h"

namespace mlalert {

struct HttpTransportOptions {
  std::string user_agent = "mlalert/" MLALERT_VERSION;
};

// A snapshot, for metrics. `results_total` counts by Failure; kNone is an answer of any status.
struct LaneStats {
  std::string name;
  size_t in_flight = 0;
  size_t queued = 0;
  uint64_t sent_total = 0;
  uint64_t refused_total = 0;
  std::array<uint64_t, kFailureKinds> results_total{};
};

class HttpTransport final : public Transport {
 public:
  // `clock` serves Retry-After dates only and must outlive the transport. Error: kInternal, too many open
  // files.
  static Result<std::unique_ptr<HttpTransport>> Start(Clock& clock, HttpTransportOptions options = {});
  ~HttpTransport() override;
  HttpTransport(const HttpTransport&) = delete;
  HttpTransport& operator=(const HttpTransport&) = delete;

  LaneId OpenLane(LaneOptions options) override;
  void Send(LaneId lane, HttpCall call, Done done) override;
  void CancelLane(LaneId lane) override;
  void CloseLane(LaneId lane) override;
  void Shutdown() override;

  // Open lanes in the order they were opened.
  std::vector<LaneStats> Stats() const;

 private:
  using MonoTime = std::chrono::steady_clock::time_point;

  // All state of calls; only the thread touches it. Kept out of this header so that no curl.h leaks from
  // here.
  class Driver;

  struct Queued {
    uint64_t seq = 0;
    HttpCall call;
    Done done;
    MonoTime since;
  };
  struct Lane {
    LaneOptions options;
    LaneStats stats;
    std::deque<Queued> queue;
    bool closed = false;
    // Already in Inbox::ready.
    bool ready = false;
    // The last call timed out or was reset: the connection it used may be dead without looking so.
    bool distrust_connections = false;
  };
  struct Startable {
    LaneId lane{};
    Queued queued;
    bool fresh_connection = false;
  };
  struct Completion {
    Done done;
    HttpResult result;
  };
  struct Cancellation {
    LaneId lane{};
    // Calls from this number on were sent after the cancellation.
    uint64_t seq_end = 0;
  };
  // What other threads have left for the transport's thread.
  struct Inbox {
    std::vector<LaneId> ready;
    std::vector<Completion> completions;
    std::vector<Cancellation> cancellations;
    bool woken = false;
    bool stopping = false;
  };
  struct Work {
    std::vector<Startable> starts;
    std::vector<Completion> completions;
    std::vector<Cancellation> cancellations;
    bool stopping = false;
  };

  explicit HttpTransport(std::unique_ptr<Driver> driver);

  // Called by Driver on the thread.
  Work TakeWork();
  bool HasWork() const;
  // Frees the slot of a call that has ended and counts its result; runs before its `done`.
  void CallEnded(LaneId lane, Failure failure);

  // With mutex_ held.
  void MarkReady(LaneId id, Lane& lane);
  void CancelQueue(LaneId id, Lane& lane);
  void EraseIfIdle(LaneId id);

  std::unique_ptr<Driver> driver_;
  mutable std::mutex mutex_;
  std::map<LaneId, Lane> lanes_;
  Inbox inbox_;
  uint32_t lane_next_ = 1;
  uint64_t seq_next_ = 1;
  std::once_flag shut_down_;
  std::thread thread_;
};

}  // namespace mlalert
