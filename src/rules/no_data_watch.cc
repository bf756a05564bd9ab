#include "rules/no_data_watch.h"

#include <algorithm>
#include <fmt/format.h>

#include "promql/printer.h"
#include "rules/rule_templates.h"

namespace mlalert {

namespace {

// The labels that do not depend on a series.
LabelSet ConstantLabels(const CompiledRule& rule, std::vector<std::pair<std::string, std::string>> more) {
  std::vector<std::pair<std::string, std::string>> labels;
  RuleTemplates templates;
  for (const Label label : rule.rule->raw_labels) {
    if (label.name == "alertname" || VariesWith(label.value) != Varies::kConstant) {
      continue;
    }
    std::string text = templates.Expand(rule.rule->name, label.value, {});
    if (!text.empty()) {
      labels.emplace_back(label.name, std::move(text));
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

std::unique_ptr<NoDataWatch> NoDataWatch::Make(const CompiledRule& rule, std::string_view group,
                                               const std::vector<NoDataPolicy>& policies,
                                               Duration resend_delay, Duration interval) {
  if (!rule.needs_series || std::none_of(policies.begin(), policies.end(), [](const NoDataPolicy& policy) {
        return policy.action == NoDataAction::kAlert;
      })) {
    return nullptr;
  }
  const NoDataPolicy& policy =
      FindNoDataPolicy(policies, ConstantLabels(rule, {{"alertname", rule.rule->name}}));
  if (policy.action != NoDataAction::kAlert) {
    return nullptr;
  }
  std::unique_ptr<NoDataWatch> out(new NoDataWatch(policy));
  out->rule_ = rule.rule->name;
  out->ask_every_ = std::max(interval, kNoDataAskEvery);
  for (const promql::RequiredSelector& required : rule.Required().selectors) {
    out->selectors_.push_back(promql::Print(*required.selector));
  }
  // It must outlast a restart, after which it takes `after` to be raised again.
  out->alert_ = SelfAlert(ConstantLabels(rule, {{"alertname", "RuleNoData"},
                                                {"rule", rule.rule->name},
                                                {"group", std::string(group)},
                                                {"severity", policy.severity}}),
                          rule.GeneratorUrl(), resend_delay, std::max(interval, policy.after));
  return out;
}

void NoDataWatch::Begin(bool has_samples, bool partial, Timestamp ts, RuleEffects& fx) {
  due_ = false;
  asking_ = false;
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
  if (old.selectors_ != selectors_) {
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
