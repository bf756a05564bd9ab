// Sends the alerts of rules to other Alertmanagers, as Prometheus' notifier does: external labels,
// relabeling, one bounded queue per Alertmanager, batches, one attempt per batch (the evaluator repeats what
// fires). A target that hangs delays no other, and nobody waits for any. Fed by: engine/rule_runner with
// every alert that it hands to the engine. Owns: the queues, one transport lane per target. Borrows: the
// transport, which is shut down before this is destroyed. Thread: every method from any thread; none blocks
// on the network but Drain(). Limits: kForwardQueueMax, kForwardBatchMax.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "engine/forward_stats.h"
#include "net/transport.h"
#include "rules/rule_effects.h"

namespace mlalert {

// Prometheus' defaults.
inline constexpr size_t kForwardQueueMax = 10000;
inline constexpr size_t kForwardBatchMax = 256;

class AlertForwarder {
 public:
  explicit AlertForwarder(Transport& transport) : transport_(transport) {}

  // At start and at every reload. A target that stays keeps its queue.
  void SetConfig(const Config& config);
  void Send(std::span<const RuleAlert> alerts);
  // Waits until all queues are empty; false when that takes longer. What is left is lost.
  bool Drain(Duration timeout);
  ForwardStats Stats() const;

 private:
  struct Target {
    ForwardTargetStats stats;
    LaneId lane{};
    size_t source = 0;                                     // index into config_.alertmanagers
    std::deque<std::shared_ptr<const std::string>> queue;  // one alert each, as JSON
    size_t in_flight = 0;                                  // alerts of the batch under way
    bool failing = false;                                  // the last batch was not accepted
  };

  void Enqueue(Target& target, const std::vector<std::shared_ptr<const std::string>>& alerts);
  void SendNext(Target& target);
  void OnResult(const std::string& url, size_t count, const HttpResult& result);

  Transport& transport_;
  mutable std::mutex mutex_;  // protects what follows
  std::condition_variable idle_;
  AlertingConfig config_;
  std::map<std::string, std::string> external_labels_;
  std::map<std::string, std::unique_ptr<Target>> targets_;  // by URL
  std::vector<std::string> dropped_targets_;                // by relabeling
};

// One alert in the form of POST /api/v2/alerts, byte for byte as Prometheus writes it.
std::string ForwardedAlertJson(const LabelMap& labels, const RuleAlert& alert);

}  // namespace mlalert
