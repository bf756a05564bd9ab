// The part of RuleMachine that asks whether an absent alert is over or merely unseen.
#include <algorithm>
#include <fmt/format.h>

#include "rules/alerting_rule.h"

namespace mlalert {

std::vector<PresenceSubject> RuleMachine::Subjects(uint32_t selector) const {
  std::vector<PresenceSubject> out;
  for (const AlertInstance* instance : doubts_->doubtful) {
    if (const PresenceMemory::Entry* known = Remembered(*instance).Find(selector)) {
      out.push_back({SampleOf(*instance), known});
    }
  }
  for (const AlertInstance* instance : doubts_->unlearned) {
    out.push_back({SampleOf(*instance), nullptr});
  }
  return out;
}

// Questions() has read it.
const PresenceMemory& RuleMachine::Remembered(const AlertInstance& instance) const {
  return doubts_->remembered.at(instance.presence.data());
}

std::vector<RuleMachine::Question> RuleMachine::Questions() {
  std::vector<Question> out;
  const std::vector<uint32_t> watched = watch_ ? watch_->Selectors() : std::vector<uint32_t>();
  if (watched.empty() && doubts_ == nullptr) {
    return out;
  }
  RequiredSeries required = rule_->Required();
  for (const uint32_t selector : watched) {
    out.push_back({selector, true, true, BarePresenceQuestion(required.selectors[selector])});
  }
  if (doubts_ == nullptr) {
    return out;
  }
  doubts_->blind.assign(doubts_->doubtful.size(), false);
  doubts_->learned.assign(doubts_->unlearned.size(), PresenceMemory{});
  for (const AlertInstance* instance : doubts_->doubtful) {
    const auto [at, is_new] = doubts_->remembered.try_emplace(instance->presence.data());
    if (is_new) {
      at->second = PresenceMemory::FromText(instance->presence);
    }
  }
  doubts_->required = std::move(required);
  for (uint32_t i = 0; i < doubts_->required.selectors.size(); ++i) {
    const std::vector<PresenceSubject> subjects = Subjects(i);
    if (!subjects.empty()) {
      out.push_back({i, false, false, PresenceQuestion(doubts_->required.selectors[i], subjects)});
    }
  }
  return out;
}

std::optional<RuleMachine::Question> RuleMachine::OnPresence(const Question& question,
                                                             const QueryAnswer& answer) {
  if (question.watch) {
    watch_->OnAnswer(question.selector, answer);
    return std::nullopt;
  }
  // What the server refuses to count can prove nothing, now or later: the selector drops out.
  if (answer.error == AnswerError::kRule) {
    return std::nullopt;
  }
  if (doubts_ == nullptr) {
    return std::nullopt;
  }
  Doubts& d = *doubts_;
  if (!answer.ok() || answer.partial) {
    d.failed = true;
    return std::nullopt;
  }
  PresenceAnswer present(answer);
  for (size_t i = 0; i < d.doubtful.size() && !question.bare; ++i) {
    const AlertInstance& instance = *d.doubtful[i];
    const PresenceMemory::Entry* known = Remembered(instance).Find(question.selector);
    if (known != nullptr && !present.Has(SampleOf(instance), known->labels)) {
      d.blind[i] = true;
    }
  }
  bool some_missing = false;
  for (size_t i = 0; i < d.unlearned.size(); ++i) {
    PresenceMemory& memory = d.learned[i];
    if (memory.Find(question.selector) != nullptr) {
      continue;
    }
    const LabelSet sample = question.bare ? LabelSet() : SampleOf(*d.unlearned[i]);
    if (question.bare) {
      if (!present.empty()) {
        memory.entries.push_back({question.selector, {}});
      }
    } else if (auto names = present.FindNames(sample)) {
      memory.entries.push_back({question.selector, std::move(*names)});
    } else {
      some_missing = some_missing || !sample.empty();
    }
  }
  if (!some_missing) {
    return std::nullopt;
  }
  return Question{question.selector, true, false,
                  BarePresenceQuestion(d.required.selectors[question.selector])};
}

size_t RuleMachine::Settle(Timestamp ts, RuleEffects& fx) {
  size_t held = 0;
  if (watch_) {
    watch_->Settle(ts, fx);
  }
  if (doubts_ == nullptr) {
    return held;
  }
  const std::unique_ptr<Doubts> d = std::move(doubts_);
  if (!d->failed) {
    const PresenceMemory* last = nullptr;
    SharedText text;
    for (size_t i = 0; i < d->unlearned.size(); ++i) {
      AlertInstance& instance = *d->unlearned[i];
      if (last == nullptr || !(*last == d->learned[i])) {
        last = &d->learned[i];
        text = last->ToText();
      }
      instance.presence = text;
      instance.changed = true;
      Finish(instance, ts, fx);
    }
  }
  for (size_t i = 0; i < d->doubtful.size(); ++i) {
    AlertInstance& instance = *d->doubtful[i];
    const bool was_blind = IsSet(instance.no_data_since);
    if (d->blind[i]) {
      ++held;
      if (!was_blind) {
        SetNoData(instance, ts, ts, fx);
      } else if (const Duration cap = PolicyOf(instance).hold_max;
                 cap > Duration::zero() && ts - instance.no_data_since >= cap) {
        GiveUp(instance, ts, fx);
      }
    } else if (!d->failed) {
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
  if (doubts_ == nullptr) {
    return;
  }
  for (auto& instance : instances_) {
    instance->in_doubt = false;
  }
  doubts_.reset();
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
