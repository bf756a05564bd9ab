#include "incidents/incident_table.h"

#include <algorithm>

#include "base/prefetch.h"

namespace mlalert {

IncidentTable::IncidentTable(IncidentTable&& other) noexcept
    : by_id_(std::move(other.by_id_)),
      by_key_(std::exchange(other.by_key_, {})),
      list_(std::exchange(other.list_, {})),
      timers_(std::exchange(other.timers_, {})) {}

IncidentTable::~IncidentTable() {
  list_.Visit(SlotList<IncidentEntry>::kEnd, list_.size(), [](IncidentEntry& entry) { delete &entry; });
}

IncidentEntry* IncidentTable::FindByKey(const LabelSet& key) {
  IncidentEntry* newest = nullptr;
  by_key_.ForEach(key.fingerprint(), [&](IncidentEntry& entry) {
    if (entry.incident.key == key && (newest == nullptr || entry.incident.id > newest->incident.id)) {
      newest = &entry;
    }
  });
  return newest;
}

IncidentEntry* IncidentTable::Find(IncidentId id) {
  return by_id_.Find(static_cast<uint64_t>(id));
}

const IncidentEntry* IncidentTable::Find(IncidentId id) const {
  return by_id_.Find(static_cast<uint64_t>(id));
}

void IncidentTable::Prefetch(IncidentId id) const {
  if (const IncidentEntry* entry = Find(id)) {
    mlalert::Prefetch(*entry);
  }
}

size_t IncidentTable::CountOpen(const LabelSet& key) const {
  size_t count = 0;
  by_key_.ForEach(key.fingerprint(), [&](const IncidentEntry& entry) {
    count += entry.incident.key == key && entry.incident.state != IncidentState::kResolved ? 1 : 0;
  });
  return count;
}

IncidentEntry* IncidentTable::Insert(Incident incident) {
  Erase(incident.id);
  auto* entry = new IncidentEntry;
  entry->incident = std::move(incident);
  by_id_.Set(static_cast<uint64_t>(entry->incident.id), *entry);
  by_key_.Insert(*entry);
  list_.Add(*entry);
  return entry;
}

void IncidentTable::Erase(IncidentId id) {
  IncidentEntry* entry = Find(id);
  if (entry == nullptr) {
    return;
  }
  by_id_.Erase(static_cast<uint64_t>(id));
  by_key_.Erase(*entry);
  list_.Remove(*entry);
  delete entry;
}

void IncidentTable::Arm(IncidentEntry& entry, Timestamp due) {
  if (due < entry.timer_due) {
    entry.timer_due = due;
    timers_.emplace(Turn<IncidentId>{due, entry.incident.id});
  }
}

IncidentEntry* IncidentTable::PopDue(Timestamp now) {
  while (!timers_.empty() && timers_.top().at <= now) {
    IncidentEntry* entry = Find(timers_.top().id);
    timers_.pop();
    if (entry != nullptr && entry->timer_due <= now) {
      entry->timer_due = kUnset;
      if (!entry->firing.empty()) {
        mlalert::Prefetch(*entry->firing[0]);
      }
      if (!timers_.empty()) {
        Prefetch(timers_.top().id);
      }
      return entry;
    }
  }
  return nullptr;
}

void IncidentTable::Release(IncidentEntry& entry, Timestamp due) {
  entry.timer_due = kNever;
  Arm(entry, due);
}

std::vector<IncidentEntry*> IncidentTable::Sorted() {
  std::vector<IncidentEntry*> out;
  out.reserve(size());
  list_.Visit(SlotList<IncidentEntry>::kEnd, list_.size(),
              [&](IncidentEntry& entry) { out.push_back(&entry); });
  std::sort(out.begin(), out.end(),
            [](const IncidentEntry* a, const IncidentEntry* b) { return a->incident.id < b->incident.id; });
  return out;
}

}  // namespace mlalert
