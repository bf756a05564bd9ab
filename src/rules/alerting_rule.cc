#include "rules/alerting_rule.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace mlalert {

namespace {

struct LabelSetHash {
  size_t operator()(const LabelSet& labels) const { return labels.fingerprint(); }
};

// NaN equals itself here.
bool SameValue(double a, double b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

template <class Labels>
std::span<const tmpl::LabelPair> ToPairs(const Labels& labels, std::vector<tmpl::LabelPair>& out) {
  out.clear();
  for (const Label label : labels) {
    out.emplace_back(label.name, label.value);
  }
  return out;
}

}  // namespace

std::string_view ToString(InstanceState state) {
  switch (state) {
    case InstanceState::kPending:
      return "pending";
    case InstanceState::kFiring:
      return "firing";
    default:
      return "inactive";
  }
}

std::string_view ToString(RuleHealth health) {
  switch (health) {
    case RuleHealth::kOk:
      return "ok";
    case RuleHealth::kError:
      return "err";
    default:
      return "unknown";
  }
}

std::string_view ToString(RuleFailure failure) {
  switch (failure) {
    case RuleFailure::kDatasource:
      return "datasource";
    case RuleFailure::kQuery:
      return "query";
    default:
      return "result";
  }
}

bool RuleMachine::BySample::operator()(const SampleKey& key, const AlertInstance* instance) const {
  if (key.hash != instance->sample_hash || key.labels.size() != instance->sample_labels.size()) {
    return false;
  }
  for (size_t i = 0; i < key.labels.size(); ++i) {
    if (!(key.labels[i] == instance->sample_labels[i])) {
      return false;
    }
  }
  return true;
}

RuleMachine::RuleMachine(std::shared_ptr<const CompiledRule> rule, RulePlace place, RuleTimes times)
    : rule_(std::move(rule)), place_(std::move(place)), times_(std::move(times)) {
  if (times_.externals) {
    external_labels_.assign(times_.externals->labels.begin(), times_.externals->labels.end());
  }
  if (times_.no_data) {
    watch_ = NoDataWatch(*rule_, place_.group, *times_.no_data, times_.resend_delay, times_.interval);
  }
  if (rule_->annotations_vary == Varies::kConstant) {
    std::vector<Label> labels;
    for (const auto& text : rule_->annotations) {
      labels.push_back({text.name, text.literal});
    }
    literal_annotations_ = LabelSet::FromSorted(labels);
  }
}

Status RuleMachine::Evaluate(const QueryAnswer& answer, Timestamp ts, RuleEffects& fx) {
  Abandon();
  ++evaluation_;
  MLALERT_TRY(FindTargets(answer, ts));
  watch_.Begin(!answer.samples().empty(), answer.partial, ts, fx);
  for (size_t i = 0; i < targets_.size(); ++i) {
    Target& target = targets_[i];
    if (target.instance != nullptr && target.instance->state != InstanceState::kInactive) {
      Refresh(target, answer, answer.samples()[i]);
    } else {
      Begin(target, answer, answer.samples()[i], ts);
    }
  }
  // What else they depend on may be different when somebody looks, and what resolves keeps its last text.
  if (rule_->annotations_vary == Varies::kAlways) {
    for (auto& instance : instances_) {
      if (instance->seen == evaluation_) {
        Annotations(*instance, ts);
      }
    }
  }
  int64_t active = 0;
  for (auto& instance : instances_) {
    if (!Step(*instance, answer.partial, ts, fx)) {
      Remove(*instance, fx);
      instance.reset();
    } else if (instance->state != InstanceState::kInactive && !instance->in_doubt) {
      ++active;
    }
  }
  std::erase(instances_, nullptr);
  if (times_.limit > 0 && active > times_.limit) {
    DropAll(fx);
    return Fail(ErrorCode::kLimit, fmt::format("exceeded limit of {} with {} alerts", times_.limit, active));
  }
  for (auto& instance : instances_) {
    if (!instance->in_doubt) {
      Finish(*instance, ts, fx);
    }
  }
  return {};
}

Status RuleMachine::FindTargets(const QueryAnswer& answer, Timestamp ts) {
  const bool by_sample = rule_->labels_vary <= Varies::kWithLabels;
  std::unordered_set<LabelSet, LabelSetHash> fresh;
  targets_.clear();
  targets_.reserve(answer.samples().size());
  for (const QuerySample& sample : answer.samples()) {
    Target& target = targets_.emplace_back();
    const std::span<const Label> labels = answer.labels(sample);
    if (by_sample) {
      const auto known = by_sample_.find(SampleKey{labels, sample.hash});
      if (known != by_sample_.end()) {
        target.instance = *known;
        target.by_sample = true;
      }
    }
    if (target.instance == nullptr) {
      target.labels = BuildLabels(labels, sample.value, answer.partial, ts);
      const auto known = by_labels_.find(target.labels);
      target.instance = known == by_labels_.end() ? nullptr : *known;
    }
    const bool unique = target.instance != nullptr
                            ? std::exchange(target.instance->seen, evaluation_) != evaluation_
                            : fresh.insert(target.labels).second;
    if (!unique) {
      return Fail(ErrorCode::kInvalid,
                  "vector contains metrics with the same labelset after applying alert labels");
    }
  }
  return {};
}

RuleTemplateData RuleMachine::TemplateData(double value, bool partial, Timestamp now) const {
  RuleTemplateData data;
  data.value = value;
  data.now = now;
  data.expr = rule_->rule->expr;
  data.active_at = now;
  data.hold = rule_->rule->hold;
  data.interval = times_.interval;
  data.is_partial = partial;
  data.query = &queries_.function();
  data.external_labels = external_labels_;
  data.external_url = times_.externals ? std::string_view(times_.externals->url) : std::string_view();
  return data;
}

std::vector<std::string> RuleMachine::TemplateQuestions(const QueryAnswer& answer, Timestamp ts) {
  if (rule_->labels_vary != Varies::kAlways && rule_->annotations_vary != Varies::kAlways) {
    return {};
  }
  for (const QuerySample& sample : answer.samples()) {
    RuleTemplateData data = TemplateData(sample.value, answer.partial, ts);
    data.labels = ToPairs(answer.labels(sample), pair_scratch_);
    for (const auto* texts : {&rule_->labels, &rule_->annotations}) {
      for (const auto& text : *texts) {
        if (text.varies == Varies::kAlways) {
          text.text->Expand(data);
        }
      }
    }
  }
  return queries_.TakeWanted();
}

LabelSet RuleMachine::BuildLabels(std::span<const Label> sample, double value, bool partial, Timestamp ts) {
  ++label_runs_;
  RuleTemplateData data = TemplateData(value, partial, ts);
  if (rule_->labels_vary != Varies::kConstant) {
    data.labels = ToPairs(sample, pair_scratch_);
  }
  // The rule's own labels win over those of the series, and the name over both.
  std::vector<Label> own;
  value_scratch_.clear();
  value_scratch_.reserve(rule_->labels.size());
  bool named = false;
  const Label name{"alertname", rule_->rule->name};
  for (const auto& text : rule_->labels) {
    if (!named && name.name < text.name) {
      own.push_back(name);
      named = true;
    }
    if (text.varies == Varies::kConstant) {
      own.push_back({text.name, text.literal});
    } else {
      own.push_back({text.name, value_scratch_.emplace_back(text.text->Expand(data))});
    }
  }
  if (!named) {
    own.push_back(name);
  }
  label_scratch_.clear();
  auto next = own.begin();
  const auto put = [this](const Label& label) {
    if (!label.value.empty()) {
      label_scratch_.push_back(label);
    }
  };
  for (const Label& label : sample) {
    while (next != own.end() && next->name < label.name) {
      put(*next++);
    }
    const bool overridden = next != own.end() && next->name == label.name;
    if (!overridden && label.name != "__name__") {
      put(label);
    }
  }
  while (next != own.end()) {
    put(*next++);
  }
  return LabelSet::FromSorted(label_scratch_);
}

void RuleMachine::Refresh(const Target& target, const QueryAnswer& answer, const QuerySample& sample) {
  AlertInstance& instance = *target.instance;
  const bool same_sample =
      target.by_sample || (instance.sample_hash == sample.hash &&
                           BySample{}(SampleKey{answer.labels(sample), sample.hash}, &instance));
  if (!same_sample) {
    Unindex(instance);
    instance.sample_labels = LabelSet::FromSorted(answer.labels(sample));
    instance.sample_hash = sample.hash;
    Index(instance);
  }
  const bool same_value = SameValue(instance.value, sample.value);
  instance.value = sample.value;
  instance.partial = answer.partial;
  const Varies varies = rule_->annotations_vary;
  if (varies == Varies::kAlways || (varies >= Varies::kWithLabels && !same_sample) ||
      (varies >= Varies::kWithValue && !same_value)) {
    instance.annotations_stale = true;
  }
}

void RuleMachine::Begin(Target& target, const QueryAnswer& answer, const QuerySample& sample, Timestamp ts) {
  LabelSet labels = target.instance != nullptr ? target.instance->labels : std::move(target.labels);
  AlertInstance* instance = target.instance;
  if (instance != nullptr) {
    // Resolved a while ago and back: nothing of the old life counts.
    Unindex(*instance);
    *instance = AlertInstance{};
  } else {
    instance = instances_.emplace_back(std::make_unique<AlertInstance>()).get();
  }
  instance->labels = std::move(labels);
  instance->sample_labels = LabelSet::FromSorted(answer.labels(sample));
  instance->sample_hash = sample.hash;
  instance->value = sample.value;
  instance->partial = answer.partial;
  instance->active_at = ts;
  instance->seen = evaluation_;
  instance->changed = true;
  Index(*instance);
}

bool RuleMachine::Step(AlertInstance& instance, bool partial, Timestamp ts, RuleEffects& fx) {
  if (instance.seen == evaluation_) {
    StepPresent(instance, ts, fx);
    return true;
  }
  if (instance.state == InstanceState::kPending) {
    return false;
  }
  if (instance.state == InstanceState::kInactive) {
    return ts - instance.resolved_at <= kResolvedRetention;
  }
  // A part of the data that did not answer proves nothing.
  if (partial) {
    if (HeldTooLong(instance, PolicyOf(instance).hold_max, ts)) {
      GiveUp(instance, ts, fx);
    }
    return true;
  }
  instance.unknown_since = kUnset;
  // Whether it was false or unknown when it went, what counts is whether it is known now.
  const bool was_blind = IsSet(instance.no_data_since);
  if (!(was_blind && CanDoubt(instance)) && Keeps(instance, ts)) {
    return true;
  }
  if (CanDoubt(instance)) {
    instance.in_doubt = true;
    if (doubtful_.size() < kPresenceSubjectsMax) {
      doubtful_.push_back(&instance);
    }
    return true;
  }
  Resolve(instance, ts);
  return true;
}

void RuleMachine::StepPresent(AlertInstance& instance, Timestamp ts, RuleEffects& fx) {
  if (IsSet(instance.keep_firing_since)) {
    instance.keep_firing_since = kUnset;
    instance.changed = true;
  }
  if (IsSet(instance.no_data_since)) {
    SetNoData(instance, kUnset, ts, fx);
  }
  instance.unknown_since = kUnset;
  const bool held_long_enough = ts - instance.active_at >= rule_->rule->hold;
  if (instance.state == InstanceState::kPending && held_long_enough) {
    instance.state = InstanceState::kFiring;
    instance.fired_at = ts;
    instance.changed = true;
  } else if (instance.state == InstanceState::kFiring && !held_long_enough) {
    // A reload made `for` longer.
    instance.state = InstanceState::kPending;
    instance.fired_at = kUnset;
    instance.last_sent_at = kUnset;
    instance.presence.reset();
    instance.changed = true;
  }
  if (instance.state == InstanceState::kFiring && !rule_->required.empty() && !Knows(instance) &&
      unlearned_.size() < kPresenceSubjectsMax && PolicyOf(instance).action != NoDataAction::kResolve) {
    unlearned_.push_back(&instance);
  }
}

bool RuleMachine::Keeps(AlertInstance& instance, Timestamp ts) {
  const Duration keep = rule_->rule->keep_firing_for;
  if (keep <= Duration::zero()) {
    return false;
  }
  if (!IsSet(instance.keep_firing_since)) {
    instance.keep_firing_since = ts;
    instance.changed = true;
  }
  return ts - instance.keep_firing_since < keep;
}

void RuleMachine::Resolve(AlertInstance& instance, Timestamp ts) {
  instance.state = InstanceState::kInactive;
  instance.resolved_at = ts;
  instance.resolve_unsent = true;
  instance.no_data_since = kUnset;
  instance.changed = true;
}

bool RuleMachine::Knows(const AlertInstance& instance) const {
  return instance.presence && instance.presence->expr_hash == rule_->expr_hash;
}

bool RuleMachine::CanDoubt(AlertInstance& instance) const {
  return Knows(instance) && !instance.presence->entries.empty() &&
         PolicyOf(instance).action != NoDataAction::kResolve;
}

const NoDataPolicy& RuleMachine::PolicyOf(AlertInstance& instance) const {
  static const NoDataPolicy kForEver{.hold_max = Duration::zero()};
  if (instance.policy == nullptr) {
    instance.policy = times_.no_data ? &FindNoDataPolicy(*times_.no_data, instance.labels) : &kForEver;
  }
  return *instance.policy;
}

bool RuleMachine::HeldTooLong(AlertInstance& instance, Duration hold_max, Timestamp ts) {
  if (!IsSet(instance.unknown_since) || ts < instance.unknown_since) {
    instance.unknown_since = ts;
  }
  return hold_max > Duration::zero() && ts - instance.unknown_since >= hold_max;
}

void RuleMachine::Finish(AlertInstance& instance, Timestamp ts, RuleEffects& fx) {
  if (instance.state != InstanceState::kPending) {
    const bool due = instance.resolve_unsent || !IsSet(instance.last_sent_at) ||
                     instance.last_sent_at + times_.resend_delay < ts;
    if (due) {
      Send(instance, ts, fx);
    }
  }
  if (std::exchange(instance.changed, false)) {
    fx.records.push_back(Record(instance));
  }
}

void RuleMachine::Send(AlertInstance& instance, Timestamp ts, RuleEffects& fx) {
  instance.last_sent_at = ts;
  instance.valid_until = ts + 4 * std::max(times_.interval, times_.resend_delay);
  instance.resolve_unsent = false;
  const bool resolved = instance.state == InstanceState::kInactive;
  fx.alerts.push_back({instance.labels, Annotations(instance, ts), rule_->generator_url, instance.fired_at,
                       resolved ? instance.resolved_at : instance.valid_until});
}

size_t RuleMachine::Hold(Timestamp ts, RuleEffects& fx) {
  const size_t before = fx.alerts.size();
  for (auto& instance : instances_) {
    // Past the cap it is no longer refreshed, and ends when its time is up, as under Prometheus; the rule
    // goes on from where it was once it can be evaluated again.
    const bool expired =
        instance->state == InstanceState::kFiring && HeldTooLong(*instance, times_.hold_max, ts);
    if (!expired) {
      Finish(*instance, ts, fx);
    }
  }
  watch_.Refresh(ts, fx);
  return fx.alerts.size() - before;
}

const LabelSet& RuleMachine::Annotations(AlertInstance& instance, Timestamp now) {
  if (!std::exchange(instance.annotations_stale, false)) {
    return instance.annotations;
  }
  if (rule_->annotations_vary == Varies::kConstant) {
    instance.annotations = literal_annotations_;
    return instance.annotations;
  }
  RuleTemplateData data = TemplateData(instance.value, instance.partial, now);
  data.active_at = instance.active_at;
  data.alert_id = instance.labels.fingerprint();
  data.labels = ToPairs(instance.sample_labels, pair_scratch_);
  value_scratch_.clear();
  value_scratch_.reserve(rule_->annotations.size());
  label_scratch_.clear();
  for (const auto& text : rule_->annotations) {
    if (text.varies == Varies::kConstant) {
      label_scratch_.push_back({text.name, text.literal});
    } else {
      label_scratch_.push_back({text.name, value_scratch_.emplace_back(text.text->Expand(data))});
    }
  }
  // Shown between two evaluations, a template may ask what is not known now: what was said last still stands.
  bool keep = !queries_.TakeWanted().empty() && !instance.annotations.empty();
  if (!keep) {
    instance.annotations = LabelSet::FromSorted(label_scratch_);
  }
  return instance.annotations;
}

void RuleMachine::Index(AlertInstance& instance) {
  by_labels_.insert(&instance);
  if (rule_->labels_vary <= Varies::kWithLabels) {
    by_sample_.insert(&instance);
  }
}

void RuleMachine::Unindex(AlertInstance& instance) {
  const auto by_labels = by_labels_.find(&instance);
  if (by_labels != by_labels_.end() && *by_labels == &instance) {
    by_labels_.erase(by_labels);
  }
  const auto by_sample = by_sample_.find(&instance);
  if (by_sample != by_sample_.end() && *by_sample == &instance) {
    by_sample_.erase(by_sample);
  }
}

void RuleMachine::Remove(AlertInstance& instance, RuleEffects& fx) {
  Unindex(instance);
  fx.records.push_back(DeleteRecord(instance));
}

void RuleMachine::DropAll(RuleEffects& fx) {
  Abandon();
  for (auto& instance : instances_) {
    fx.records.push_back(DeleteRecord(*instance));
  }
  by_labels_.clear();
  by_sample_.clear();
  instances_.clear();
}

}  // namespace mlalert
