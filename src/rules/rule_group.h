// One rule group at work: its slots, and its rules asked one after the other with the slot's time.
// Used by: rules/rule_manager, which gives it a place among the data source's queries in flight. Owns: the
// group's rules and their state, the iteration in progress, one alert per rule name that cannot be evaluated.
// Thread: that of the manager.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/config.h"
#include "config/rule_file.h"
#include "net/retry.h"
#include "rules/alerting_rule.h"
#include "rules/datasource.h"
#include "rules/evaluation_log.h"
#include "rules/rule_view.h"
#include "rules/self_alert.h"

namespace mlalert {

// A rule that could not be evaluated this often and for this long raises RuleEvaluationFailing. Longer than a
// data source takes to count as unreachable, so that an outage is one alert and not one per rule.
inline constexpr uint64_t kRuleFailuresMax = 3;
inline constexpr Duration kRuleFailingAfter = std::chrono::minutes(2);

struct GroupSetup {
  std::shared_ptr<Datasource> datasource;  // null: never evaluated
  EvaluationConfig evaluation;
  std::string graph_url;     // what generator URLs begin with
  std::string external_url;  // of templates
  RandomUnit random;
  RuleManagerStats* stats = nullptr;
  std::shared_ptr<RuleWorkspace> workspace;  // null: each rule has its own
};

class GroupRunner {
 public:
  GroupRunner(RuleGroup group, GroupSetup setup, Timestamp now);

  const std::string& file() const { return file_; }
  const std::string& name() const { return name_; }
  Duration interval() const { return interval_; }
  const std::shared_ptr<Datasource>& datasource() const { return setup_.datasource; }
  bool SameAs(const RuleGroup& group, const GroupSetup& setup) const;

  // Takes over alerts, health and slot of the same group before a reload; `old` is left with what is gone.
  void Adopt(GroupRunner& old);
  // Whatever it still has ends now.
  void Retire(Timestamp now, RuleEffects& fx);
  // Takes those records of the group that belong to one of its rules; the others are returned.
  std::vector<RuleStateRecord> Restore(std::vector<RuleStateRecord> records, Timestamp now, RuleEffects& fx);

  // Starts what is due. A group that wants to ask puts itself in Datasource::waiting.
  void RunDue(Timestamp now, RuleEffects& fx);
  Timestamp NextDue() const;
  // The wall clock has jumped ahead by `delta`: time that nobody lived through completes no `for`.
  void OnClockAhead(Duration delta);
  // Its turn has come.
  HttpCall TakeCall(Timestamp now);
  void OnAnswer(QueryAnswer answer, Timestamp now, RuleEffects& fx);

  // Why its rules are not evaluated in time; empty: they are.
  std::string Problem(Timestamp now) const;
  // The newest evaluation that has begun is more than three intervals old.
  bool IsLate(Timestamp now) const;
  RuleGroupView View(Timestamp now);
  // Nothing when no rule of the group has this id.
  std::optional<RuleHistory> History(uint64_t id, Timestamp now);
  size_t rule_count() const { return rules_.size(); }
  size_t instance_count() const;
  uint64_t label_runs() const;

 private:
  struct Rule {
    std::unique_ptr<RuleMachine> machine;
    RuleHealth health = RuleHealth::kUnknown;
    bool source_failed = false;  // the last failure was the data source's
    std::string last_error;
    std::vector<std::string> warnings;
    Duration evaluation_time{};
    Timestamp last_evaluation = kUnset;
    Timestamp failing_since = kUnset;
    uint64_t failures_in_a_row = 0;
    uint64_t last_samples = 0;
    bool partial = false;
    uint64_t id = 0;
    EvaluationLog log;
  };

  Rule& current() { return rules_[(first_ + done_) % rules_.size()]; }
  void StartIteration(Timestamp now);
  void StartRule(Timestamp now);
  void Ask();
  bool TryAgain(const QueryAnswer& answer, Timestamp now);
  void OnRuleAnswer(QueryAnswer answer, Timestamp now, RuleEffects& fx);
  // Asks what the templates of `pending_answer_` want to know; evaluates when they know all.
  void AskForTemplates(Timestamp now, RuleEffects& fx);
  void Evaluate(const QueryAnswer& answer, Timestamp now, RuleEffects& fx);
  void AskNextQuestion(Timestamp now, RuleEffects& fx);
  void FailRule(Rule& rule, const std::string& error, RuleFailure reason, Timestamp now, RuleEffects& fx);
  void SkipRest(const std::string& error, Timestamp now, RuleEffects& fx);
  void FinishRule(Timestamp now, RuleEffects& fx);
  void LogEvaluation(Rule& rule);
  static RuleView ViewOf(Rule& rule, Timestamp now);
  void FinishIteration(Timestamp now, RuleEffects& fx);
  void HoldAll(Timestamp now, RuleEffects& fx);
  void FollowClock(Timestamp now);
  void UpdateFailingAlerts(Timestamp now, RuleEffects& fx);
  const Rule* FindFailing(const std::string& name, Timestamp now) const;

  GroupSetup setup_;
  std::string file_;
  std::string name_;
  Duration interval_{};
  Duration query_offset_{};
  int limit_ = 0;
  std::vector<RecordingRule> recording_rules_;
  GroupExtras extras_;
  std::vector<Rule> rules_;
  std::map<std::string, SelfAlert> failing_alerts_;  // by rule name

  Timestamp grid_;       // slots are at this time plus multiples of the interval
  Timestamp next_slot_;  // not yet evaluated
  Timestamp hold_at_ = kNever;
  uint64_t iterations_ = 0;
  uint64_t iterations_missed_ = 0;
  uint64_t evaluations_ = 0;
  uint64_t failures_ = 0;
  uint64_t completed_ = 0;
  Duration duration_total_{};
  Duration last_duration_{};
  Timestamp last_started_ = kUnset;

  // The iteration in progress.
  bool running_ = false;
  Timestamp ts_ = kUnset;
  size_t first_ = 0;  // rule it begins with: behind the one that last found the data source unreachable
  size_t done_ = 0;
  Timestamp rule_started_ = kUnset;
  std::vector<RuleMachine::Question> questions_;   // to be asked, last first
  std::optional<RuleMachine::Question> question_;  // being asked
  std::optional<QueryAnswer> pending_answer_;      // waits for the queries of its templates
  std::vector<std::string> template_queries_;      // to be asked, last first
  std::optional<std::string> template_query_;      // being asked
  int template_rounds_ = 0;
  int attempts_ = 0;
  bool asked_by_get_ = false;
  size_t asked_url_ = 0;
  Timestamp asked_at_ = kUnset;  // first attempt
  Timestamp deadline_ = kUnset;
  Timestamp retry_at_ = kUnset;
  std::optional<Backoff> backoff_;
};

}  // namespace mlalert
