// The shell around the rule evaluator: a thread that sleeps until something is due, queries over one
// transport lane per data source, answers decoded outside the lock and evaluated on the transport's thread,
// which asks the next query at once; alerts go through the gate, state to the journal. Owns: the rule manager
// and its lock, the thread, the lanes. Borrows: gate, journal (through the gate), transport, clock. Thread:
// all methods may be called from any thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "engine/gate.h"
#include "net/transport.h"
#include "rules/rule_manager.h"

namespace mlalert {

class RuleRunner {
 public:
  // `transport` is for queries alone: an evaluation must not hold up what else a transport carries. It is
  // shut down before the runner is destroyed.
  RuleRunner(RuleManagerOptions options, Gate& gate, Transport& transport, Clock& clock);
  ~RuleRunner();
  RuleRunner(const RuleRunner&) = delete;
  RuleRunner& operator=(const RuleRunner&) = delete;

  // Called with every alert that goes to the engine, under the lock: it must not block. Before Start().
  void SetForward(std::function<void(std::span<const RuleAlert>)> forward) { forward_ = std::move(forward); }
  // Takes the first rules and what was stored of their state, and starts to evaluate.
  void Start(std::vector<RuleGroup> groups, const Config& config, std::vector<RuleStateRecord> restored);
  // At a reload.
  void SetRules(std::vector<RuleGroup> groups, const Config& config);
  // Ends the thread and forgets queries under way. Firing alerts stay firing: a stop resolves nothing.
  void Stop();

  std::vector<RuleGroupView> Groups();
  std::optional<RuleHistory> History(uint64_t rule_id);
  std::vector<DatasourceView> Datasources();
  std::string Problem();
  uint64_t LateGroups();
  RuleManagerStats Stats();

 private:
  void Loop();
  void FollowClock(Timestamp now);
  void OnResult(QueryId id, HttpResult result);
  // Records, then alerts, then queries, as the manager asks. Called with the lock held; alerts of two steps
  // must not overtake each other.
  void Drain(RuleEffects fx);
  LaneId LaneOf(const std::string& datasource);

  Gate& gate_;
  Transport& transport_;
  Clock& clock_;
  std::function<void(std::span<const RuleAlert>)> forward_;  // may be empty

  std::mutex mutex_;  // protects what follows; taken before the gate's lock, never inside it
  RuleManager manager_;
  std::map<std::string, LaneId> lanes_;
  std::condition_variable wake_;
  Timestamp waiting_for_ = kUnset;  // what the thread sleeps for
  Timestamp last_wall_ = kUnset;    // both clocks, read together
  std::chrono::steady_clock::time_point last_steady_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mlalert
