#include "rules/alerting_rule.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

namespace mlalert {

namespace {

struct LabelSetHash {
  size_t operator()(const LabelSet& labels) const { return labels.fingerprint(); }
};

// PresenceMemory without entries, as text.
constexpr std::string_view kKnowsOfNone = "[]";

// NaN equals itself here.
bool SameValue(double a, double b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
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

RuleMachine::RuleMachine(std::shared_ptr<const CompiledRule> rule, RulePlace place,
                         std::shared_ptr<const RuleTimes> times, std::shared_ptr<RuleWorkspace> workspace)
    : rule_(std::move(rule)),
      place_(std::move(place)),
      times_(std::move(times)),
      workspace_(workspace ? std::move(workspace) : std::make_shared<RuleWorkspace>()) {
  if (times_->no_data) {
    watch_ =
        NoDataWatch::Make(*rule_, place_.group, *times_->no_data, times_->resend_delay, times_->interval);
  }
  if (std::max(rule_->labels_vary, rule_->annotations_vary) == Varies::kAlways) {
    queries_ = std::make_unique<TemplateQueries>();
  }
  if (rule_->annotations_vary == Varies::kConstant) {
    literal_annotations_ = ExpandAnnotations({});
  }
}

// The sample's labels are part of the alert's, unless the rule replaces one of them: kept once then.
void RuleMachine::SetSample(AlertInstance& instance, std::span<const Label> labels, uint64_t hash) const {
  instance.sample_hash = hash;
  instance.sample_in_labels = std::none_of(labels.begin(), labels.end(), [&](const Label& label) {
    return label.name == "__name__" || label.value.empty() || rule_->Sets(label.name);
  });
  instance.sample_labels = instance.sample_in_labels ? LabelSet() : LabelSet::FromSorted(labels);
}

LabelSet RuleMachine::SampleOf(const AlertInstance& instance) const {
  if (!instance.sample_in_labels) {
    return instance.sample_labels;
  }
  std::vector<Label> labels;
  for (const Label label : instance.labels) {
    if (!rule_->Sets(label.name)) {
      labels.push_back(label);
    }
  }
  return LabelSet::FromSorted(labels);
}

bool RuleMachine::IsSampleOf(const AlertInstance& instance, std::span<const Label> labels,
                             uint64_t hash) const {
  if (instance.sample_hash != hash) {
    return false;
  }
  size_t at = 0;
  for (const Label label : instance.sample_in_labels ? instance.labels : instance.sample_labels) {
    if (instance.sample_in_labels && rule_->Sets(label.name)) {
      continue;
    }
    if (at == labels.size() || !(labels[at++] == label)) {
      return false;
    }
  }
  return at == labels.size();
}

AlertInstance* RuleMachine::FindByLabels(const LabelSet& labels) const {
  const auto same = [&](const AlertInstance& instance) { return instance.labels == labels; };
  if (indexes_ != nullptr) {
    return indexes_->by_labels.Find(labels.fingerprint(), same);
  }
  const auto at = std::find_if(instances_.begin(), instances_.end(),
                               [&](const auto& instance) { return instance && same(*instance); });
  return at == instances_.end() ? nullptr : at->get();
}

AlertInstance* RuleMachine::FindBySample(std::span<const Label> labels, uint64_t hash) const {
  const auto same = [&](const AlertInstance& instance) { return IsSampleOf(instance, labels, hash); };
  if (indexes_ != nullptr) {
    return indexes_->by_sample.Find(hash, same);
  }
  const auto at = std::find_if(instances_.begin(), instances_.end(),
                               [&](const auto& instance) { return instance && same(*instance); });
  return at == instances_.end() ? nullptr : at->get();
}

RuleMachine::Doubts& RuleMachine::doubts() {
  if (doubts_ == nullptr) {
    doubts_ = std::make_unique<Doubts>();
  }
  return *doubts_;
}

const SharedText& RuleMachine::GeneratorUrl() {
  if (generator_url_.empty()) {
    generator_url_ = rule_->GeneratorUrl();
  }
  return generator_url_;
}

Status RuleMachine::Evaluate(const QueryAnswer& answer, Timestamp ts, RuleEffects& fx) {
  Abandon();
  ++evaluation_;
  MLALERT_TRY(FindTargets(answer, ts));
  if (watch_) {
    watch_->Begin(!answer.samples().empty(), answer.partial, ts, fx);
  }
  for (size_t i = 0; i < workspace_->targets.size(); ++i) {
    Target& target = workspace_->targets[i];
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
  if (times_->limit > 0 && active > times_->limit) {
    DropAll(fx);
    return Fail(ErrorCode::kLimit, fmt::format("exceeded limit of {} with {} alerts", times_->limit, active));
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
  std::vector<Target>& targets = workspace_->targets;
  targets.clear();
  targets.reserve(answer.samples().size());
  for (const QuerySample& sample : answer.samples()) {
    Target& target = targets.emplace_back();
    const std::span<const Label> labels = answer.labels(sample);
    if (by_sample) {
      target.instance = FindBySample(labels, sample.hash);
      target.by_sample = target.instance != nullptr;
    }
    if (target.instance == nullptr) {
      target.labels = BuildLabels(labels, sample.value, answer.partial, ts);
      target.instance = FindByLabels(target.labels);
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
  data.interval = times_->interval;
  data.is_partial = partial;
  data.query = queries_ ? &queries_->function() : nullptr;
  if (times_->externals) {
    data.external_labels = times_->externals->pairs;
    data.external_url = times_->externals->url;
  }
  return data;
}

std::vector<std::string> RuleMachine::TemplateQuestions(const QueryAnswer& answer, Timestamp ts) {
  if (queries_ == nullptr) {
    return {};
  }
  for (const QuerySample& sample : answer.samples()) {
    RuleTemplateData data = TemplateData(sample.value, answer.partial, ts);
    data.labels = ToPairs(answer.labels(sample), workspace_->pairs);
    for (const LabelSet* texts : {&rule_->rule->raw_labels, &rule_->rule->raw_annotations}) {
      for (const Label text : *texts) {
        workspace_->templates.Expand(rule_->rule->name, text.value, data);
      }
    }
  }
  return queries_->TakeWanted();
}

void RuleMachine::BeginTemplateQueries() {
  if (queries_) {
    queries_->Begin();
  }
}

void RuleMachine::OnTemplateAnswer(const std::string& query, const QueryAnswer& answer) {
  if (queries_) {
    queries_->OnAnswer(query, answer);
  }
}

LabelSet RuleMachine::BuildLabels(std::span<const Label> sample, double value, bool partial, Timestamp ts) {
  ++label_runs_;
  RuleTemplateData data = TemplateData(value, partial, ts);
  if (rule_->labels_vary != Varies::kConstant) {
    data.labels = ToPairs(sample, workspace_->pairs);
  }
  // The rule's own labels win over those of the series, and the name over both.
  std::vector<Label> own;
  std::vector<std::string>& values = workspace_->values;
  values.clear();
  values.reserve(rule_->rule->raw_labels.size());
  bool named = false;
  const Label name{"alertname", rule_->rule->name};
  for (const Label text : rule_->rule->raw_labels) {
    if (text.name == name.name) {
      continue;
    }
    if (!named && name.name < text.name) {
      own.push_back(name);
      named = true;
    }
    own.push_back(
        {text.name, values.emplace_back(workspace_->templates.Expand(rule_->rule->name, text.value, data))});
  }
  if (!named) {
    own.push_back(name);
  }
  std::vector<Label>& labels = workspace_->labels;
  labels.clear();
  auto next = own.begin();
  const auto put = [&labels](const Label& label) {
    if (!label.value.empty()) {
      labels.push_back(label);
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
  return LabelSet::FromSorted(labels);
}

void RuleMachine::Refresh(const Target& target, const QueryAnswer& answer, const QuerySample& sample) {
  AlertInstance& instance = *target.instance;
  const bool same_sample = target.by_sample || IsSampleOf(instance, answer.labels(sample), sample.hash);
  if (!same_sample) {
    Unindex(instance);
    SetSample(instance, answer.labels(sample), sample.hash);
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
  SetSample(*instance, answer.labels(sample), sample.hash);
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
    if (doubts().doubtful.size() < kPresenceSubjectsMax) {
      doubts().doubtful.push_back(&instance);
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
    instance.presence = SharedText();
    instance.changed = true;
  }
  if (instance.state == InstanceState::kFiring && rule_->needs_series && instance.presence.empty() &&
      PolicyOf(instance).action != NoDataAction::kResolve &&
      doubts().unlearned.size() < kPresenceSubjectsMax) {
    doubts().unlearned.push_back(&instance);
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

bool RuleMachine::CanDoubt(AlertInstance& instance) const {
  return !instance.presence.empty() && instance.presence != kKnowsOfNone &&
         PolicyOf(instance).action != NoDataAction::kResolve;
}

const NoDataPolicy& RuleMachine::PolicyOf(AlertInstance& instance) const {
  static const NoDataPolicy kForEver{.hold_max = Duration::zero()};
  if (instance.policy == nullptr) {
    instance.policy = times_->no_data ? &FindNoDataPolicy(*times_->no_data, instance.labels) : &kForEver;
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
                     instance.last_sent_at + times_->resend_delay < ts;
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
  instance.valid_until = ts + 4 * std::max(times_->interval, times_->resend_delay);
  instance.resolve_unsent = false;
  const bool resolved = instance.state == InstanceState::kInactive;
  fx.alerts.push_back({instance.labels, Annotations(instance, ts), GeneratorUrl(), instance.fired_at,
                       resolved ? instance.resolved_at : instance.valid_until});
}

size_t RuleMachine::Hold(Timestamp ts, RuleEffects& fx) {
  const size_t before = fx.alerts.size();
  for (auto& instance : instances_) {
    // Past the cap it is no longer refreshed, and ends when its time is up, as under Prometheus; the rule
    // goes on from where it was once it can be evaluated again.
    const bool expired =
        instance->state == InstanceState::kFiring && HeldTooLong(*instance, times_->hold_max, ts);
    if (!expired) {
      Finish(*instance, ts, fx);
    }
  }
  if (watch_) {
    watch_->Refresh(ts, fx);
  }
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
  workspace_->pairs.clear();
  for (const Label label : instance.sample_in_labels ? instance.labels : instance.sample_labels) {
    if (!instance.sample_in_labels || !rule_->Sets(label.name)) {
      workspace_->pairs.emplace_back(label.name, label.value);
    }
  }
  data.labels = workspace_->pairs;
  LabelSet expanded = ExpandAnnotations(data);
  // Shown between two evaluations, a template may ask what is not known now: what was said last still stands.
  const bool keep = queries_ && !queries_->TakeWanted().empty() && !instance.annotations.empty();
  if (!keep) {
    instance.annotations = std::move(expanded);
  }
  return instance.annotations;
}

LabelSet RuleMachine::ExpandAnnotations(const RuleTemplateData& data) const {
  std::vector<std::string>& values = workspace_->values;
  values.clear();
  values.reserve(rule_->rule->raw_annotations.size());
  workspace_->labels.clear();
  for (const Label text : rule_->rule->raw_annotations) {
    values.push_back(workspace_->templates.Expand(rule_->rule->name, text.value, data));
    workspace_->labels.push_back({text.name, values.back()});
  }
  return LabelSet::FromSorted(workspace_->labels);
}

// After it has its place in instances_.
void RuleMachine::Index(AlertInstance& instance) {
  if (indexes_ != nullptr) {
    AddTo(*indexes_, instance);
  } else if (instances_.size() > kIndexedFrom) {
    indexes_ = std::make_unique<Indexes>();
    for (auto& each : instances_) {
      AddTo(*indexes_, *each);
    }
  }
}

void RuleMachine::AddTo(Indexes& indexes, AlertInstance& instance) const {
  indexes.by_labels.Insert(instance);
  if (rule_->labels_vary <= Varies::kWithLabels) {
    indexes.by_sample.Insert(instance);
  }
}

void RuleMachine::Unindex(AlertInstance& instance) {
  if (indexes_ != nullptr) {
    indexes_->by_labels.Erase(instance);
    indexes_->by_sample.Erase(instance);
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
  indexes_.reset();
  instances_.clear();
}

}  // namespace mlalert
