#include "rules/no_data_watch.h"

#include <algorithm>
#include <fmt/format.h>

#include "promql/printer.h"

namespace mlalert {

namespace {

// The labels that do not depend on a series.
LabelSet ConstantLabels(const CompiledRule& rule, std::vector<std::pair<std::string, std::string>> more) {
  std::vector<std::pair<std::string, std::string>> labels;
  for (const CompiledRule::Text& text : rule.labels) {
    if (text.varies == Varies::kConstant && !text.literal.empty()) {
      labels.emplace_back(text.name, text.literal);
    }
  }
  labels.insert(labels.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return LabelSet::From(std::move(labels));
}

}  // namespace

const NoDataPolicy& FindNoDataPolicy(const std::vector<NoDataPolicy>& policies, const LabelSet& labels) {
  static const NoDataPolicy kDefault;
  const auto found = std::find_if(policies.begin(), policies.end(),
                                  [&](const NoDataPolicy& p) { return MatchesAll(p.matchers, labels); });
  return found == policies.end() ? kDefault : *found;
}

NoDataWatch::NoDataWatch(const CompiledRule& rule, std::string_view group,
                         const std::vector<NoDataPolicy>& policies, Duration resend_delay, Duration interval)
    : rule_(rule.rule->name), ask_every_(std::max(interval, kNoDataAskEvery)) {
  const NoDataPolicy& policy =
      FindNoDataPolicy(policies, ConstantLabels(rule, {{"alertname", rule.rule->name}}));
  if (policy.action != NoDataAction::kAlert || rule.required.empty()) {
    return;
  }
  policy_ = &policy;
  for (const promql::RequiredSelector& required : rule.required) {
    selectors_.push_back(promql::Print(*required.selector));
  }
  // It must outlast a restart, after which it takes `after` to be raised again.
  alert_ = SelfAlert(ConstantLabels(rule, {{"alertname", "RuleNoData"},
                                           {"rule", rule.rule->name},
                                           {"group", std::string(group)},
                                           {"severity", policy.severity}}),
                     rule.generator_url, resend_delay, std::max(interval, policy.after));
}

void NoDataWatch::Begin(bool has_samples, bool partial, Timestamp ts, RuleEffects& fx) {
  due_ = false;
  asking_ = false;
  if (policy_ == nullptr) {
    return;
  }
  alert_.Refresh(ts, fx);
  if (has_samples) {
    since_ = kUnset;
    alert_.Resolve(ts, fx);
    return;
  }
  due_ = !partial && (!IsSet(asked_at_) || ts - asked_at_ >= ask_every_ || ts < asked_at_);
  if (due_) {
    asked_at_ = ts;
  }
}

std::vector<uint32_t> NoDataWatch::Selectors() {
  std::vector<uint32_t> out;
  if (!due_) {
    return out;
  }
  due_ = false;
  asking_ = true;
  failed_ = false;
  missing_.clear();
  for (uint32_t i = 0; i < selectors_.size(); ++i) {
    out.push_back(i);
  }
  return out;
}

void NoDataWatch::OnAnswer(uint32_t selector, const QueryAnswer& answer) {
  // What the server refuses to count can prove nothing.
  if (answer.error == AnswerError::kRule) {
    return;
  }
  if (!answer.ok() || answer.partial) {
    failed_ = true;
  } else if (answer.samples().empty()) {
    missing_.push_back(selector);
  }
}

void NoDataWatch::Settle(Timestamp ts, RuleEffects& fx) {
  if (!asking_) {
    return;
  }
  asking_ = false;
  if (missing_.empty()) {
    if (!failed_) {
      since_ = kUnset;
      alert_.Resolve(ts, fx);
    }
    return;
  }
  if (!IsSet(since_) || ts < since_) {
    since_ = ts;
  }
  if (ts - since_ < policy_->after) {
    return;
  }
  std::vector<std::string> names;
  for (const uint32_t selector : missing_) {
    names.push_back(selectors_[selector]);
  }
  alert_.Fire(
      LabelSet::From(
          {{"summary", fmt::format("alerting rule {} has no data", rule_)},
           {"description", fmt::format("No series match {} since {}. The rule cannot fire, and what it had "
                                       "firing is held.",
                                       fmt::join(names, " and "), FormatRfc3339Millis(since_))}}),
      ts, fx);
}

void NoDataWatch::Adopt(NoDataWatch& old) {
  if (policy_ == nullptr || old.policy_ == nullptr || old.selectors_ != selectors_) {
    return;
  }
  asked_at_ = old.asked_at_;
  since_ = old.since_;
  alert_.Continue(old.alert_);
}

void NoDataWatch::Shift(Duration delta) {
  for (Timestamp* t : {&asked_at_, &since_}) {
    if (IsSet(*t)) {
      *t += delta;
    }
  }
}

}  // namespace mlalert
