// The part of RuleMachine that carries its state over: into records, out of them, across reloads, into views.
#include <algorithm>
#include <fmt/format.h>

#include "base/hash.h"
#include "base/json.h"
#include "rules/alerting_rule.h"
#include "rules/rule_slots.h"

namespace mlalert {

namespace {

constexpr double kUnixMillisMax = 9e12;  // the year 2255

// Stored times are whole milliseconds; slots seldom are.
Timestamp Snap(Timestamp t, Timestamp grid, Duration interval) {
  if (!IsSet(t) || interval <= Duration::zero()) {
    return t;
  }
  const Timestamp slot = SlotAtOrBefore(t - Duration(1), grid, interval) + interval;
  return ToUnixMillis(slot) == ToUnixMillis(t) && FromUnixMillis(ToUnixMillis(t)) == t ? slot : t;
}

void Move(Timestamp& t, Duration delta) {
  if (IsSet(t)) {
    t += delta;
  }
}

std::string DataOf(const AlertInstance& instance, const CompiledRule& rule) {
  Json data = Json::MakeObject();
  data.Set("rule", Hex16(rule.labels_hash));
  if (!instance.presence.empty()) {
    data.Set("expr", Hex16(rule.expr_hash));
    data.Set("present", PresenceMemory::FromText(instance.presence).ToJson());
  }
  if (IsSet(instance.no_data_since)) {
    data.Set("no_data_since", ToUnixMillis(instance.no_data_since));
  }
  return data.Dump();
}

void ReadData(const std::string& text, const CompiledRule& rule, AlertInstance& instance) {
  const Result<Json> data = ParseJson(text);
  if (!data) {
    return;
  }
  const Json* present = data->Find("present");
  if (present != nullptr && data->GetString("expr") == Hex16(rule.expr_hash)) {
    if (const auto memory = PresenceMemory::FromJson(*present)) {
      instance.presence = memory->ToText();
    }
  }
  const Json* since = data->Find("no_data_since");
  const double ms = since == nullptr ? 0 : since->AsDouble();
  if (ms > 0 && ms < kUnixMillisMax) {
    instance.no_data_since = FromUnixMillis(static_cast<int64_t>(ms));
  }
}

}  // namespace

RuleStateRecord RuleMachine::Record(const AlertInstance& instance) const {
  RuleStateRecord out;
  out.file = place_.file.view();
  out.group = place_.group.view();
  out.rule = rule_->rule->name;
  out.ordinal = place_.ordinal;
  out.labels = instance.labels;
  out.sample_labels = SampleOf(instance);
  out.annotations = instance.annotations;
  out.state = ToString(instance.state);
  out.value = instance.value;
  out.active_at = instance.active_at;
  out.fired_at = instance.fired_at;
  out.resolved_at = instance.resolved_at;
  out.keep_firing_since = instance.keep_firing_since;
  out.last_sent_at = instance.last_sent_at;
  out.data = DataOf(instance, *rule_);
  return out;
}

RuleStateDelete RuleMachine::DeleteRecord(const AlertInstance& instance) const {
  return {std::string(place_.file.view()), std::string(place_.group.view()), rule_->rule->name,
          place_.ordinal, instance.labels};
}

// A record may be older than the rule: what it says of the sample counts, also where the labels cannot say
// it.
void RuleMachine::RestoreSample(AlertInstance& instance, const LabelSet& sample) const {
  std::vector<Label> labels;
  for (const Label label : sample) {
    labels.push_back(label);
  }
  SetSample(instance, labels, HashLabels(sample));
  if (instance.sample_in_labels && !IsSampleOf(instance, labels, instance.sample_hash)) {
    instance.sample_in_labels = false;
    instance.sample_labels = sample;
  }
}

void RuleMachine::Restore(const std::vector<RuleStateRecord>& records, Timestamp grid, Timestamp now,
                          RuleEffects& fx) {
  for (const RuleStateRecord& record : records) {
    auto instance = std::make_unique<AlertInstance>();
    instance->labels = record.labels;
    if (record.labels.empty() || FindByLabels(record.labels) != nullptr || !IsSet(record.active_at)) {
      continue;
    }
    RestoreSample(*instance, record.sample_labels);
    instance->annotations = record.annotations;
    instance->state = record.state == "firing"     ? InstanceState::kFiring
                      : record.state == "inactive" ? InstanceState::kInactive
                                                   : InstanceState::kPending;
    instance->value = record.value;
    instance->active_at = Snap(record.active_at, grid, times_->interval);
    instance->fired_at = Snap(record.fired_at, grid, times_->interval);
    instance->resolved_at = Snap(record.resolved_at, grid, times_->interval);
    instance->keep_firing_since = Snap(record.keep_firing_since, grid, times_->interval);
    instance->last_sent_at = Snap(record.last_sent_at, grid, times_->interval);
    ReadData(record.data, *rule_, *instance);
    instance->no_data_since = Snap(instance->no_data_since, grid, times_->interval);
    if (instance->state != InstanceState::kPending && !IsSet(instance->fired_at)) {
      instance->fired_at = instance->active_at;
    }
    if (instance->state == InstanceState::kInactive && !IsSet(instance->resolved_at)) {
      instance->resolved_at = now;
    }
    AlertInstance& kept = *instances_.emplace_back(std::move(instance));
    Index(kept);
    if (kept.state != InstanceState::kPending) {
      Send(kept, now, fx);
    }
  }
}

void RuleMachine::Retire(Timestamp now, RuleEffects& fx) {
  for (auto& instance : instances_) {
    if (instance->state == InstanceState::kFiring) {
      Resolve(*instance, now);
      Send(*instance, now, fx);
    }
  }
  if (watch_) {
    watch_->Retire(now, fx);
  }
  DropAll(fx);
}

void RuleMachine::Adopt(RuleMachine& old) {
  old.Abandon();
  if (watch_ && old.watch_) {
    watch_->Adopt(*old.watch_);
  }
  instances_ = std::move(old.instances_);
  indexes_ = std::move(old.indexes_);
  evaluation_ = old.evaluation_;
  label_runs_ = old.label_runs_;
  old.instances_.clear();
  for (auto& instance : instances_) {
    instance->annotations_stale = true;
    instance->policy = nullptr;
    if (rule_->expr_hash != old.rule_->expr_hash) {
      instance->presence = SharedText();  // other selectors
    }
  }
}

void RuleMachine::Shift(Duration delta) {
  for (auto& instance : instances_) {
    for (Timestamp* t :
         {&instance->active_at, &instance->fired_at, &instance->resolved_at, &instance->keep_firing_since,
          &instance->last_sent_at, &instance->no_data_since, &instance->unknown_since}) {
      Move(*t, delta);
    }
    instance->changed = true;
  }
  if (watch_) {
    watch_->Shift(delta);
  }
}

void RuleMachine::ShiftWaits(Duration delta) {
  for (auto& instance : instances_) {
    if (instance->state == InstanceState::kPending) {
      Move(instance->active_at, delta);
    }
    for (Timestamp* t : {&instance->keep_firing_since, &instance->no_data_since, &instance->unknown_since}) {
      Move(*t, delta);
    }
    instance->changed = true;
  }
  if (watch_) {
    watch_->Shift(delta);
  }
}

InstanceState RuleMachine::state() const {
  InstanceState highest = InstanceState::kInactive;
  for (const auto& instance : instances_) {
    highest = std::max(highest, instance->state);
  }
  return highest;
}

std::vector<RuleAlertView> RuleMachine::View(Timestamp now) {
  std::vector<RuleAlertView> out;
  for (auto& instance : instances_) {
    if (instance->state != InstanceState::kInactive) {
      out.push_back({instance->labels, Annotations(*instance, now), instance->state, instance->value,
                     instance->active_at, instance->fired_at, instance->keep_firing_since,
                     instance->no_data_since});
    }
  }
  return out;
}

}  // namespace mlalert
