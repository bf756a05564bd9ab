// What the rules API shows: groups, rules and their alerts, copied out of the evaluator at one instant.
// Made by: RuleManager::Snapshot(). Read by: api/ without the lock. Thread: plain values; rules are shared
// and immutable.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/rule_file.h"
#include "model/label_set.h"
#include "rules/duration_histogram.h"
#include "rules/evaluation_log.h"

namespace mlalert {

enum class InstanceState : uint8_t { kInactive, kPending, kFiring };
// inactive | pending | firing
std::string_view ToString(InstanceState state);

enum class RuleHealth : uint8_t { kUnknown, kOk, kError };
// unknown | ok | err
std::string_view ToString(RuleHealth health);

// Pending or firing.
struct RuleAlertView {
  LabelSet labels;
  LabelSet annotations;
  InstanceState state = InstanceState::kPending;
  double value = 0;
  Timestamp active_at = kUnset;
  Timestamp fired_at = kUnset;
  Timestamp keep_firing_since = kUnset;  // set while only keep_firing_for keeps it
  Timestamp no_data_since = kUnset;      // set while it is held because its series are gone
};

struct RuleView {
  // Names the rule in our own API: a hash of file, group, name, labels and place among equal ones, so that it
  // survives restarts and edits of everything else.
  uint64_t id = 0;
  std::shared_ptr<const AlertingRule> rule;
  RuleHealth health = RuleHealth::kUnknown;
  std::string last_error;             // empty when healthy
  std::vector<std::string> warnings;  // of the last answer, infos included
  bool partial = false;               // parts of the data did not answer
  InstanceState state =
      InstanceState::kInactive;  // highest among the alerts; meaningless while health is unknown
  Duration evaluation_time{};
  Timestamp last_evaluation = kUnset;  // wall clock at its start
  Timestamp failing_since = kUnset;
  uint64_t failures_in_a_row = 0;
  uint64_t last_samples = 0;
  std::vector<RuleAlertView> alerts;  // in order of appearance
};

struct RuleGroupView {
  std::string file;
  std::string name;
  std::string datasource;
  Duration interval{};
  int limit = 0;
  Duration evaluation_time{};          // of the last complete iteration
  Timestamp last_evaluation = kUnset;  // wall clock at its start
  uint64_t iterations = 0;             // missed ones included
  uint64_t iterations_missed = 0;
  uint64_t evaluations = 0;  // of rules, failed ones included
  uint64_t evaluation_failures = 0;
  uint64_t completed = 0;     // iterations that have ended
  Duration duration_total{};  // of these
  Duration last_rule_duration_sum{};
  uint64_t last_samples = 0;    // of the last iteration, all rules together
  std::vector<RuleView> rules;  // in file order
  std::vector<RecordingRule> recording_rules;
};

// One rule with its past.
struct RuleHistory {
  RuleView rule;
  std::string file;
  std::string group;
  std::string datasource;
  struct Evaluation : RuleEvaluation {
    std::string curl;  // asks the same again; without secrets
  };
  std::vector<Evaluation> evaluations;  // newest first
};

struct DatasourceView {
  std::string name;
  bool unreachable = false;
  Timestamp failing_since = kUnset;  // first failure since the last success
  uint64_t failures_in_a_row = 0;
  std::string last_error;
  size_t queries_in_flight = 0;
  size_t groups_waiting = 0;  // for a free place among evaluation.concurrency
};

// Why a rule could not be evaluated.
enum class RuleFailure : uint8_t {
  kDatasource,  // nobody answered
  kQuery,       // the query was refused, or its result is of no use
  kResult,      // equal labels, or more alerts than `limit`
};
inline constexpr size_t kRuleFailures = 3;
// datasource | query | result
std::string_view ToString(RuleFailure failure);

// Counters since start, for metrics.
struct RuleManagerStats {
  uint64_t evaluations = 0;          // rules evaluated, failed ones included
  uint64_t evaluation_failures = 0;  // of those
  std::array<uint64_t, kRuleFailures> failures_by_reason{};
  DurationHistogram evaluation_seconds;  // from the first query of a rule to its verdict
  DurationHistogram lag_seconds;         // from a group's slot to the begin of its iteration
  uint64_t warnings = 0;                 // answers that came with one
  uint64_t iterations = 0;               // of groups, missed ones included
  uint64_t iterations_missed = 0;
  uint64_t clock_resets = 0;  // the wall clock stepped: back by more than one interval, or ahead
  uint64_t queries = 0;       // calls made, retries included
  uint64_t query_retries = 0;
  uint64_t presence_queries = 0;
  uint64_t holds_no_data = 0;  // evaluations that kept an alert firing because its series were gone
  uint64_t holds_error = 0;    // alerts refreshed although their rule could not be evaluated
  uint64_t partial_answers = 0;
  uint64_t samples = 0;
  uint64_t label_template_runs = 0;  // label sets built; an unchanged series costs none
  size_t groups = 0;
  size_t rules = 0;
  size_t instances = 0;
};

}  // namespace mlalert
