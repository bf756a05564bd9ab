#include "alerts/alert_store.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mlalert {
namespace {

bool SameLabels(const LabelSet& stored, std::span<const Label> incoming) {
  if (stored.size() != incoming.size()) {
    return false;
  }
  for (size_t i = 0; i < incoming.size(); ++i) {
    if (!(stored[i] == incoming[i])) {
      return false;
    }
  }
  return true;
}

Alert Materialise(const DecodedAlert& in, Timestamp now, const LabelSet* labels,
                  const LabelSet* annotations) {
  Alert alert;
  labels = labels != nullptr ? labels : in.label_set;
  annotations = annotations != nullptr ? annotations : in.annotation_set;
  alert.labels = labels != nullptr ? *labels : LabelSet::FromSorted(in.labels);
  alert.annotations = annotations != nullptr ? *annotations : LabelSet::FromSorted(in.annotations);
  alert.generator_url = in.generator_url;
  alert.starts_at = in.starts_at;
  alert.ends_at = in.ends_at;
  alert.updated_at = now;
  alert.starts_offset_minutes = in.starts_offset_minutes;
  alert.ends_offset_minutes = in.ends_offset_minutes;
  alert.timeout = in.timeout;
  alert.source = in.source;
  return alert;
}

}  // namespace

AlertStore::AlertStore(AlertStore&& other) noexcept
    : limits_(other.limits_),
      entries_(std::move(other.entries_)),
      by_name_(std::move(other.by_name_)),
      list_(std::exchange(other.list_, {})) {}

AlertStore::~AlertStore() {
  list_.Visit(list_.size(), list_.size(), [](AlertEntry& entry) { delete &entry; });
}

UpsertResult AlertStore::Upsert(const DecodedAlert& in, Timestamp now) {
  bool incoming_resolved = in.ends_at <= now;
  AlertEntry* const known = Find(in.fingerprint);
  if (known == nullptr) {
    if (!Admit(in, now)) {
      return {UpsertOutcome::kLimited, nullptr};
    }
    return {incoming_resolved ? UpsertOutcome::kNewResolved : UpsertOutcome::kFired,
            Insert(in.fingerprint, Materialise(in, now, nullptr, nullptr))};
  }
  AlertEntry& entry = *known;
  Alert& stored = entry.alert;
  if (!SameLabels(stored.labels, in.labels)) {
    return {UpsertOutcome::kCollision, nullptr};
  }
  bool same_content =
      SameLabels(stored.annotations, in.annotations) && stored.generator_url == in.generator_url;
  // The usual repeat: same start, later end, same text. Only times move.
  if (same_content && entry.firing && !incoming_resolved && in.starts_at == stored.starts_at &&
      in.ends_at >= stored.ends_at) {
    stored.ends_at = in.ends_at;
    stored.ends_offset_minutes = in.ends_offset_minutes;
    stored.updated_at = now;
    stored.timeout = in.timeout;
    return {UpsertOutcome::kRefreshed, &entry};
  }
  stored = MergeAlert(
      stored, Materialise(in, now, &stored.labels, same_content ? &stored.annotations : nullptr), now);
  bool resolved = stored.ResolvedAt(now);
  if (entry.firing) {
    return {resolved ? UpsertOutcome::kResolved : UpsertOutcome::kRefreshed, &entry};
  }
  return {resolved ? UpsertOutcome::kStillResolved : UpsertOutcome::kFired, &entry};
}

// Whose end has passed longest gives way; it stays in the store, it only does not count any more.
bool AlertStore::Admit(const DecodedAlert& in, Timestamp now) {
  if (limits_.per_alertname_max == 0) {
    return true;
  }
  auto name = std::find_if(in.labels.begin(), in.labels.end(),
                           [](const Label& label) { return label.name == "alertname"; });
  std::unordered_set<uint64_t>& counted =
      by_name_[name != in.labels.end() ? std::string(name->value) : std::string()];
  if (counted.size() >= limits_.per_alertname_max) {
    const AlertEntry* oldest = nullptr;
    for (uint64_t fingerprint : counted) {
      const AlertEntry* entry = Find(fingerprint);
      if (oldest == nullptr || entry->alert.ends_at < oldest->alert.ends_at) {
        oldest = entry;
      }
    }
    if (oldest->alert.ends_at > now) {
      return false;
    }
    counted.erase(oldest->alert.fingerprint());
  }
  counted.insert(in.fingerprint);
  return true;
}

void AlertStore::Erase(uint64_t fingerprint) {
  AlertEntry* const entry = Find(fingerprint);
  if (entry == nullptr) {
    return;
  }
  if (auto counted = by_name_.find(std::string(entry->alert.name())); counted != by_name_.end()) {
    counted->second.erase(fingerprint);
    if (counted->second.empty()) {
      by_name_.erase(counted);
    }
  }
  entries_.Erase(*entry);
  list_.Remove(*entry);
  delete entry;
}

void AlertStore::Prefetch(std::span<const DecodedAlert> batch) const {
  ForBatches(batch, [&](std::span<const DecodedAlert> alerts) {
    std::array<uint64_t, kPrefetchBatch> fingerprints;
    std::transform(alerts.begin(), alerts.end(), fingerprints.begin(),
                   [](const DecodedAlert& alert) { return alert.fingerprint; });
    PrefetchEntries(std::span(fingerprints).first(alerts.size()), [](const Alert& stored) {
      stored.labels.Prefetch();
      stored.annotations.Prefetch();
      __builtin_prefetch(stored.generator_url.data());
    });
  });
}

void AlertStore::Prefetch(std::span<const uint64_t> fingerprints) const {
  PrefetchEntries(fingerprints, [](const Alert& stored) { stored.labels.Prefetch(1); });
}

template <class F>
void AlertStore::PrefetchEntries(std::span<const uint64_t> fingerprints, F&& rest) const {
  std::array<const AlertEntry*, kPrefetchBatch> found;
  fingerprints = fingerprints.first(std::min(fingerprints.size(), found.size()));
  for (size_t i = 0; i < fingerprints.size(); ++i) {
    found[i] = entries_.Guess(fingerprints[i]);
    if (found[i] != nullptr) {
      mlalert::Prefetch(*found[i]);
    }
  }
  for (size_t i = 0; i < fingerprints.size(); ++i) {
    if (found[i] != nullptr) {
      rest(found[i]->alert);
    }
  }
}

AlertEntry* AlertStore::Restore(Alert alert) {
  const uint64_t fingerprint = alert.fingerprint();
  Erase(fingerprint);
  return Insert(fingerprint, std::move(alert));
}

AlertEntry* AlertStore::Insert(uint64_t fingerprint, Alert alert) {
  auto* const raw = new AlertEntry;
  raw->alert = std::move(alert);
  raw->effective = raw->alert.labels;
  list_.Add(*raw);
  if (limits_.per_alertname_max > 0) {
    by_name_[std::string(raw->alert.name())].insert(fingerprint);
  }
  entries_.Insert(*raw);
  return raw;
}

}  // namespace mlalert
