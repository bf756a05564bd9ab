// One Prometheus-compatible server as the evaluator sees it: how to ask it, how many questions at a time, and
// whether it answers at all.
// Used by: rules/rule_group (calls, verdicts), rules/rule_manager (places, queue). Owns: health and its one
// alert. Thread: that of the manager. Time: wall clock, an argument.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "config/config.h"
#include "config/rule_file.h"
#include "net/transport.h"
#include "rules/query_result.h"
#include "rules/rule_effects.h"
#include "rules/self_alert.h"

namespace mlalert {

class GroupRunner;

// Calls for one question within one slot, the first included.
inline constexpr int kQueryAttemptsMax = 3;
// A source counts as unreachable when every query has failed for this long: the shortest interval of its
// groups, within these bounds. So a restart of a few seconds pages nobody.
inline constexpr Duration kUnreachableAfterMin = std::chrono::seconds(15);
inline constexpr Duration kUnreachableAfterMax = std::chrono::minutes(1);

// For how long another URL of the source is asked before the first one is tried again.
inline constexpr Duration kFailbackAfter = std::chrono::minutes(5);

// The fields of an instant query as a form, without the time, which is appended last.
std::string PrepareQuery(std::string_view query, Duration timeout);

class Datasource {
 public:
  Datasource(DatasourceConfig config, const EvaluationConfig& evaluation);

  const DatasourceConfig& config() const { return config_; }
  // Everything but concurrency is the same.
  bool SameAs(const DatasourceConfig& other) const;
  void SetEvaluation(const EvaluationConfig& evaluation);

  // `prepared` from PrepareQuery(); `at` is sent to the millisecond.
  HttpCall BuildCall(std::string_view prepared, Timestamp at, Duration timeout,
                     const GroupExtras& extras = {}) const;
  // Which of its URLs is asked now: the first, or, while that one does not answer, another.
  size_t active_url() const { return active_; }
  // A query that went to `url` was not answered: the next one is asked. What else was under way there changes
  // nothing.
  void OnUnanswered(size_t url, Timestamp now);
  // Goes back to the first URL when another one has served for kFailbackAfter.
  void ChooseUrl(Timestamp now);
  // After 405: GET from now on.
  void FallBackToGet() { get_ = true; }
  bool uses_get() const { return get_; }

  // Any answer, also a refusal of the query: it is alive.
  // After a restart: an alert about this source may still fire; the first answer ends it.
  void ExpectLeftover() { may_have_leftover_ = true; }
  void OnAnswered(Timestamp now, RuleEffects& fx);
  // All attempts of one query failed.
  void OnFailed(const std::string& error, Timestamp now, RuleEffects& fx);
  bool unreachable() const { return alert_.firing(); }

  // Sends the alert again before it runs out.
  void Refresh(Timestamp now, RuleEffects& fx) { alert_.Refresh(now, fx); }
  Timestamp NextRefresh() const { return alert_.NextRefresh(); }
  // The source is no longer configured.
  void Retire(Timestamp now, RuleEffects& fx) { alert_.Resolve(now, fx); }

  bool HasRoom() const { return in_flight < concurrency_; }
  size_t in_flight = 0;
  Duration shortest_interval = kUnreachableAfterMax;  // of its groups
  // Groups that want to ask, first come first served.
  std::deque<GroupRunner*> waiting;

  Timestamp failing_since() const { return failing_since_; }
  uint64_t failures_in_a_row() const { return failures_in_a_row_; }
  const std::string& last_error() const { return last_error_; }

 private:
  // Its own parameters and headers where the group has no word of its own.
  std::string ParamsFor(const GroupExtras& extras) const;
  static HttpHeaders HeadersFor(const HttpHeaders& own, const GroupExtras& extras);

  DatasourceConfig config_;
  size_t concurrency_ = 1;
  std::vector<std::string> urls_;  // of the query endpoints; the first is preferred
  size_t active_ = 0;
  Timestamp switched_at_ = kUnset;
  std::string params_;  // of every query, as the beginning of its form
  HttpHeaders headers_post_;
  HttpHeaders headers_get_;
  bool get_ = false;

  Timestamp failing_since_ = kUnset;
  uint64_t failures_in_a_row_ = 0;
  std::string last_error_;
  SelfAlert alert_;
  bool may_have_leftover_ = false;
};

}  // namespace mlalert
