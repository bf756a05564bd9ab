// The part of RuleMachine that asks whether an absent alert is over or merely unseen.
#include <algorithm>
#include <fmt/format.h>

#include "rules/alerting_rule.h"

namespace mlalert {

std::vector<PresenceSubject> RuleMachine::Subjects(uint32_t selector) const {
  std::vector<PresenceSubject> out;
  for (const AlertInstance* instance : doubtful_) {
    if (const PresenceMemory::Entry* known = instance->presence->Find(selector)) {
      out.push_back({instance->sample_labels, known});
    }
  }
  for (const AlertInstance* instance : unlearned_) {
    out.push_back({instance->sample_labels, nullptr});
  }
  return out;
}

std::vector<RuleMachine::Question> RuleMachine::Questions() {
  blind_.assign(doubtful_.size(), false);
  learned_.assign(unlearned_.size(), PresenceMemory{rule_->expr_hash, {}});
  presence_failed_ = false;
  std::vector<Question> out;
  for (const uint32_t selector : watch_.Selectors()) {
    out.push_back({selector, true, true, BarePresenceQuestion(rule_->required[selector])});
  }
  if (doubtful_.empty() && unlearned_.empty()) {
    return out;
  }
  for (uint32_t i = 0; i < rule_->required.size(); ++i) {
    const std::vector<PresenceSubject> subjects = Subjects(i);
    if (!subjects.empty()) {
      out.push_back({i, false, false, PresenceQuestion(rule_->required[i], subjects)});
    }
  }
  return out;
}

std::optional<RuleMachine::Question> RuleMachine::OnPresence(const Question& question,
                                                             const QueryAnswer& answer) {
  if (question.watch) {
    watch_.OnAnswer(question.selector, answer);
    return std::nullopt;
  }
  // What the server refuses to count can prove nothing, now or later: the selector drops out.
  if (answer.error == AnswerError::kRule) {
    return std::nullopt;
  }
  if (!answer.ok() || answer.partial) {
    presence_failed_ = true;
    return std::nullopt;
  }
  PresenceAnswer present(answer);
  for (size_t i = 0; i < doubtful_.size() && !question.bare; ++i) {
    const AlertInstance& instance = *doubtful_[i];
    const PresenceMemory::Entry* known = instance.presence->Find(question.selector);
    if (known != nullptr && !present.Has(instance.sample_labels, known->labels)) {
      blind_[i] = true;
    }
  }
  bool some_missing = false;
  for (size_t i = 0; i < unlearned_.size(); ++i) {
    PresenceMemory& memory = learned_[i];
    if (memory.Find(question.selector) != nullptr) {
      continue;
    }
    if (question.bare) {
      if (!present.empty()) {
        memory.entries.push_back({question.selector, {}});
      }
    } else if (auto names = present.FindNames(unlearned_[i]->sample_labels)) {
      memory.entries.push_back({question.selector, std::move(*names)});
    } else {
      some_missing = some_missing || !unlearned_[i]->sample_labels.empty();
    }
  }
  if (!some_missing) {
    return std::nullopt;
  }
  return Question{question.selector, true, false, BarePresenceQuestion(rule_->required[question.selector])};
}

size_t RuleMachine::Settle(Timestamp ts, RuleEffects& fx) {
  size_t held = 0;
  watch_.Settle(ts, fx);
  if (doubtful_.empty() && unlearned_.empty()) {
    return held;
  }
  if (!presence_failed_) {
    std::shared_ptr<const PresenceMemory> last;
    for (size_t i = 0; i < unlearned_.size(); ++i) {
      if (last == nullptr || !(*last == learned_[i])) {
        last = std::make_shared<const PresenceMemory>(std::move(learned_[i]));
      }
      unlearned_[i]->presence = last;
      unlearned_[i]->changed = true;
      Finish(*unlearned_[i], ts, fx);
    }
  }
  for (size_t i = 0; i < doubtful_.size(); ++i) {
    AlertInstance& instance = *doubtful_[i];
    const bool was_blind = IsSet(instance.no_data_since);
    if (blind_[i]) {
      ++held;
      if (!was_blind) {
        SetNoData(instance, ts, ts, fx);
      } else if (const Duration cap = PolicyOf(instance).hold_max;
                 cap > Duration::zero() && ts - instance.no_data_since >= cap) {
        GiveUp(instance, ts, fx);
      }
    } else if (!presence_failed_) {
      if (was_blind) {
        SetNoData(instance, kUnset, ts, fx);
      }
      if (!Keeps(instance, ts)) {
        Resolve(instance, ts);
      }
    }
    Finish(instance, ts, fx);
  }
  // Those beyond the limit were not asked about; they are refreshed and wait.
  for (auto& instance : instances_) {
    if (std::exchange(instance->in_doubt, false)) {
      Finish(*instance, ts, fx);
    }
  }
  doubtful_.clear();
  unlearned_.clear();
  learned_ = {};
  return held;
}

void RuleMachine::GiveUp(AlertInstance& instance, Timestamp ts, RuleEffects& fx) {
  EventRecord event;
  event.at = ts;
  event.fingerprint = instance.labels.fingerprint();
  event.type = "hold_expired";
  event.actor_kind = "system";
  event.actor = "rules";
  event.reason = fmt::format("nothing has been known about it for {}; it is no longer held",
                             FormatDuration(PolicyOf(instance).hold_max));
  event.to_value = rule_->rule->name;
  fx.records.push_back(std::move(event));
  Resolve(instance, ts);
}

void RuleMachine::Abandon() {
  for (AlertInstance* instance : doubtful_) {
    instance->in_doubt = false;
  }
  if (doubtful_.size() >= kPresenceSubjectsMax) {
    for (auto& instance : instances_) {
      instance->in_doubt = false;
    }
  }
  doubtful_.clear();
  unlearned_.clear();
}

void RuleMachine::SetNoData(AlertInstance& instance, Timestamp since, Timestamp ts, RuleEffects& fx) {
  instance.no_data_since = since;
  instance.changed = true;
  EventRecord event;
  event.at = ts;
  event.fingerprint = instance.labels.fingerprint();
  event.type = IsSet(since) ? "no_data" : "data_returned";
  event.actor_kind = "system";
  event.actor = "rules";
  event.reason =
      IsSet(since) ? "the series it was computed from are gone; it is held" : "its series are back";
  event.to_value = rule_->rule->name;
  fx.records.push_back(std::move(event));
}

}  // namespace mlalert
