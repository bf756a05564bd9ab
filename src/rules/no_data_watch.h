// Which policy applies when series are gone, and the alert of rules that nobody can hear: RuleNoData, raised
// under the policy `alert` when a rule answers nothing and series that it reads do not exist. Used by:
// rules/alerting_rule. Asks seldom, and only while the answer is empty. Owns: the alert. Thread: that of the
// manager.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "config/evaluation.h"
#include "rules/compiled_rule.h"
#include "rules/query_result.h"
#include "rules/self_alert.h"

namespace mlalert {

// A rule is asked about not more often than this, nor than its interval.
inline constexpr Duration kNoDataAskEvery = std::chrono::minutes(1);

// The first that matches; the list ends with one that matches everything.
const NoDataPolicy& FindNoDataPolicy(const std::vector<NoDataPolicy>& policies, const LabelSet& labels);

class NoDataWatch {
 public:
  // Null: the rule is not under the policy `alert`, or needs no series. `policies` must outlive it.
  static std::unique_ptr<NoDataWatch> Make(const CompiledRule& rule, std::string_view group,
                                           const std::vector<NoDataPolicy>& policies, Duration resend_delay,
                                           Duration interval);

  // An evaluation has its answer.
  void Begin(bool has_samples, bool partial, Timestamp ts, RuleEffects& fx);
  // What to ask now: indices into CompiledRule::Required(). Empty in steady state.
  std::vector<uint32_t> Selectors();
  void OnAnswer(uint32_t selector, const QueryAnswer& answer);
  // After the last answer.
  void Settle(Timestamp ts, RuleEffects& fx);

  void Refresh(Timestamp ts, RuleEffects& fx) { alert_.Refresh(ts, fx); }
  void Retire(Timestamp now, RuleEffects& fx) { alert_.Resolve(now, fx); }
  // Goes on from the watch of the same rule before a reload.
  void Adopt(NoDataWatch& old);
  void Shift(Duration delta);
  bool firing() const { return alert_.firing(); }

 private:
  explicit NoDataWatch(const NoDataPolicy& policy) : policy_(&policy) {}

  const NoDataPolicy* policy_;
  std::string rule_;
  std::vector<std::string> selectors_;  // as text
  Duration ask_every_{};
  SelfAlert alert_;

  bool due_ = false;  // this evaluation asks
  bool asking_ = false;
  bool failed_ = false;  // an answer told nothing
  std::vector<uint32_t> missing_;
  Timestamp asked_at_ = kUnset;
  Timestamp since_ = kUnset;  // without data
};

}  // namespace mlalert
