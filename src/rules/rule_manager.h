// Evaluates alerting rules: decides what to ask when, and turns the answers into alerts. Passive: state,
// input and the time in, effects out; it owns no thread, clock or socket. Fed by: the shell, which sleeps
// until NextDue(), sends the queries over a Transport lane per data source, decodes each answer outside its
// lock (rules/query_result.h) and brings it back. Hands on: rules/rule_effects.h. Owns: groups and their
// slots, the state of every alert instance, the health of rules and data sources. Thread: one caller at a
// time.
//
//   RunDue(now, fx) --queries--> Transport --HttpResult--> DecodeQueryAnswer() --> OnQueryAnswer(id, answer,
//   now, fx)
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "config/config.h"
#include "config/rule_file.h"
#include "model/record.h"
#include "rules/query_result.h"
#include "rules/rule_effects.h"
#include "rules/rule_view.h"
#include "rules/self_alert.h"

namespace mlalert {

class Datasource;
class GroupRunner;
struct GroupSetup;
struct RuleWorkspace;

struct RuleManagerOptions {
  // Where alerts' generatorURL points; without trailing slash. Empty: the data source's URL.
  std::string external_url;
  // What $externalURL is in templates; without trailing slash.
  std::string template_url{};
  // Returns a number in [0, 1): spreads retries.
  std::function<double()> random;
};

class RuleManager {
 public:
  explicit RuleManager(RuleManagerOptions options);
  ~RuleManager();
  RuleManager(const RuleManager&) = delete;
  RuleManager& operator=(const RuleManager&) = delete;

  // At start and at every reload. Groups that did not change go on untouched. In those that did, a rule with
  // the same name and labels as before keeps its alerts; what it was just asking is forgotten and asked again
  // in the next slot. Alerts of rules that are gone resolve at once. Evaluates nothing when `config` has no
  // data source.
  void SetRules(std::vector<RuleGroup> groups, const Config& config, Timestamp now, RuleEffects& fx);

  // Once, after the first SetRules() and before the first RunDue(). Clocks of `for` and keep_firing_for go on
  // as if nothing had happened; what fired fires, and is sent at once, so that nothing downstream runs out of
  // time before the first slot. Alerts of rules that are gone resolve at once.
  void Restore(std::vector<RuleStateRecord> records, Timestamp now, RuleEffects& fx);

  // Starts what is due: slots, retries, refreshes of alerts that are held.
  void RunDue(Timestamp now, RuleEffects& fx);
  // When RunDue() has to be called again, unless an answer comes first. kNever: no rules. Wall clock: sleep
  // in pieces of a few seconds, or a clock that steps goes unnoticed.
  Timestamp NextDue() const;

  // The wall clock has jumped ahead of the time that has passed: it was set, or the machine slept. To be
  // called before the next RunDue().
  void OnClockAhead(Duration delta);

  // The answer to one QueryRequest, exactly one for each. Ids of queries that a reload has made pointless are
  // accepted and ignored. Returns when what it has changed is due; what else there is has not become due
  // earlier.
  Timestamp OnQueryAnswer(QueryId id, QueryAnswer answer, Timestamp now, RuleEffects& fx);
  // The same with decoding, for callers that need no lock.
  void OnQueryResult(QueryId id, HttpResult result, Timestamp now, RuleEffects& fx);

  // Groups by file, then name.
  std::vector<RuleGroupView> Snapshot(Timestamp now);
  // Nothing when there is no rule of this id.
  std::optional<RuleHistory> History(uint64_t rule_id, Timestamp now);
  std::vector<DatasourceView> Datasources() const;
  // Why rules are not evaluated as they should be; empty: they are.
  std::string Problem(Timestamp now) const;
  // Groups whose evaluations are more than three intervals late.
  uint64_t LateGroups(Timestamp now) const;
  RuleManagerStats Stats() const;

 private:
  using GroupKey = std::pair<std::string, std::string>;  // file, name

  struct InFlight {
    GroupRunner* group = nullptr;  // null: a reload has dropped it
    std::shared_ptr<Datasource> datasource;
  };

  // Returns those that are no longer configured.
  std::vector<std::shared_ptr<Datasource>> SetDatasources(const Config& config);
  void SetWatchdog(const EvaluationConfig& evaluation, Timestamp now, RuleEffects& fx);
  GroupSetup SetupOf(const RuleGroup& group);
  void Dispatch(Timestamp now, RuleEffects& fx);
  void Forget(const GroupRunner& group);

  RuleManagerOptions options_;
  std::shared_ptr<RuleWorkspace> workspace_;
  EvaluationConfig evaluation_;
  std::vector<std::shared_ptr<Datasource>> datasources_;  // in the order of the configuration
  std::map<GroupKey, std::unique_ptr<GroupRunner>> groups_;
  std::unordered_map<QueryId, InFlight> in_flight_;
  QueryId next_query_id_ = 1;
  RuleManagerStats stats_;
  SelfAlert watchdog_;
  bool watchdog_wanted_ = false;
};

}  // namespace mlalert
