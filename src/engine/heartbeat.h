// Looks after mlalert's own health, and calls a URL outside while all of it is well: when the calls stop,
// somebody else notices. Fed by: a function that looks at the parts. Owns: a thread, the verdict, one lane of
// the transport, which is shut down before this is destroyed. Thread: public methods from any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "config/evaluation.h"
#include "engine/health.h"
#include "net/transport.h"

namespace mlalert {

struct HeartbeatStats {
  HealthReport health;
  bool configured = false;
  uint64_t calls = 0;
  uint64_t failed_calls = 0;  // no answer, or one that is not 2xx
  uint64_t withheld = 0;      // calls that were due while something was not well
  Timestamp last_success = kUnset;
};

class Heartbeat {
 public:
  // `look` is called on the thread of this; what blocks it stops the heartbeat, which is the point.
  Heartbeat(Transport& transport, Clock& clock, std::function<HealthReport(Timestamp)> look);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  void SetConfig(const HeartbeatConfig& config);
  void Start();
  void Stop();
  HeartbeatStats Stats() const;

 private:
  using MonoTime = std::chrono::steady_clock::time_point;

  void Loop();
  void LookOnce(std::unique_lock<std::mutex>& lock);
  void Call();
  void OnResult(const HttpResult& result);

  Transport& transport_;
  Clock& clock_;
  std::function<HealthReport(Timestamp)> look_;
  mutable std::mutex mutex_;  // protects what follows
  std::condition_variable wake_;
  HeartbeatConfig config_;
  LaneId lane_{};
  MonoTime next_call_{};
  bool under_way_ = false;
  bool call_failed_ = false;
  bool stopping_ = false;
  HeartbeatStats stats_;
  std::thread thread_;
};

}  // namespace mlalert
