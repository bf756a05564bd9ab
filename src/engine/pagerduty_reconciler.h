// Asks PagerDuty every few minutes what has become of the incidents that it was told of: webhooks are lost
// while mlalert cannot be reached, and after three lost ones PagerDuty sends none for a day. What differs is
// treated as if the webhook had come now. Fed by: the engine (keys that PagerDuty knows as firing). Owns: a
// thread, one lane of the transport, which is shut down before this is destroyed. Thread: public methods from
// any. Limits: kKeysMax a round.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "config/config.h"
#include "engine/gate.h"
#include "intake/pagerduty_event.h"
#include "net/transport.h"
#include "notify/file_access.h"

namespace mlalert {

class PagerdutyReconciler {
 public:
  PagerdutyReconciler(Transport& transport, Gate& gate);
  ~PagerdutyReconciler();
  PagerdutyReconciler(const PagerdutyReconciler&) = delete;
  PagerdutyReconciler& operator=(const PagerdutyReconciler&) = delete;

  // From the next look on, which comes soon.
  void SetConfig(ConfigPtr config);
  void Start();
  void Stop();

 private:
  void Loop();
  void Ask(const ConfigPtr& config);
  void OnAnswer(const ConfigPtr& config, const HttpResult& result);
  void EndRound(const HttpResult& result);
  void Complain(std::string problem);

  Transport& transport_;
  Gate& gate_;
  LaneId lane_{};
  FileAccess files_;
  std::string asked_up_to_;  // more than a round's: the next one goes on here; the loop's
  std::mutex mutex_;         // protects what follows
  std::condition_variable wake_;
  ConfigPtr config_;
  bool asked_since_config_ = false;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point not_before_{};  // PagerDuty said when to come back
  std::string problem_;                                 // as logged last
  std::thread thread_;
};

}  // namespace mlalert
