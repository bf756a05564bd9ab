#include "mute/inhibitor.h"

#include <utility>

namespace mlalert {
namespace {

// The values of the equal labels, each with its length in front: no two lists of values give one key.
std::string KeyOf(const std::vector<std::string>& equal, const LabelSet& labels) {
  std::string key;
  for (const std::string& name : equal) {
    std::string_view value = labels.Get(name);
    key += std::to_string(value.size());
    key += ':';
    key += value;
  }
  return key;
}

}  // namespace

Inhibitor::Inhibitor(ConfigPtr config) {
  SetConfig(std::move(config));
}

void Inhibitor::SetConfig(ConfigPtr config) {
  config_ = std::move(config);
  rules_.clear();
  indexed_.clear();
  for (const InhibitRule& rule : config_->inhibit_rules) {
    rules_.push_back({&rule, {}});
  }
}

void Inhibitor::Update(const AlertEntry& alert) {
  if (rules_.empty()) {
    return;
  }
  const uint64_t fingerprint = alert.alert.fingerprint();
  auto indexed = indexed_.find(fingerprint);
  if (indexed != indexed_.end()) {
    if (alert.firing && indexed->second == alert.effective) {
      return;
    }
    Remove(fingerprint);
  }
  if (!alert.firing) {
    return;
  }
  bool is_source = false;
  for (Rule& rule : rules_) {
    if (!MatchesAll(rule.rule->source_matchers, alert.effective)) {
      continue;
    }
    is_source = true;
    Bucket& bucket = rule.buckets[KeyOf(rule.rule->equal, alert.effective)];
    const bool two_sided = MatchesAll(rule.rule->target_matchers, alert.effective);
    (two_sided ? bucket.two_sided : bucket.plain)[fingerprint] = &alert;
  }
  if (is_source) {
    ++version_;
    indexed_.emplace(fingerprint, alert.effective);
  }
}

void Inhibitor::Remove(uint64_t fingerprint) {
  auto indexed = indexed_.find(fingerprint);
  if (indexed == indexed_.end()) {
    return;
  }
  for (Rule& rule : rules_) {
    auto bucket = rule.buckets.find(KeyOf(rule.rule->equal, indexed->second));
    if (bucket == rule.buckets.end()) {
      continue;
    }
    bucket->second.plain.erase(fingerprint);
    bucket->second.two_sided.erase(fingerprint);
    if (bucket->second.plain.empty() && bucket->second.two_sided.empty()) {
      rule.buckets.erase(bucket);
    }
  }
  indexed_.erase(indexed);
  ++version_;
}

const AlertEntry* Inhibitor::FirstFiring(const Sources& sources, Timestamp now) {
  // Resolved ones are here only between their end and the timer that notices it.
  for (const auto& [fingerprint, alert] : sources) {
    if (alert->firing && !alert->alert.ResolvedAt(now)) {
      return alert;
    }
  }
  return nullptr;
}

std::optional<uint64_t> Inhibitor::InhibitedBy(const LabelSet& labels, Timestamp now,
                                               const InhibitRule** which) const {
  for (const Rule& rule : rules_) {
    if (rule.buckets.empty() || !MatchesAll(rule.rule->target_matchers, labels)) {
      continue;
    }
    auto bucket = rule.buckets.find(KeyOf(rule.rule->equal, labels));
    if (bucket == rule.buckets.end()) {
      continue;
    }
    const AlertEntry* source = FirstFiring(bucket->second.plain, now);
    if (!bucket->second.two_sided.empty() && !MatchesAll(rule.rule->source_matchers, labels)) {
      const AlertEntry* other = FirstFiring(bucket->second.two_sided, now);
      if (source == nullptr ||
          (other != nullptr && other->alert.fingerprint() < source->alert.fingerprint())) {
        source = other;
      }
    }
    if (source != nullptr) {
      if (which != nullptr) {
        *which = rule.rule;
      }
      return source->alert.fingerprint();
    }
  }
  return std::nullopt;
}

}  // namespace mlalert
