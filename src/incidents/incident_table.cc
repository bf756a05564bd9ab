#include "incidents/incident_table.h"

#include <algorithm>

namespace mlalert {

IncidentTable::IncidentTable(IncidentTable&& other) noexcept
    : by_id_(std::exchange(other.by_id_, {})),
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

IncidentEntry* IncidentTable::Insert(Incident incident) {
  Erase(incident.id);
  auto* entry = new IncidentEntry;
  entry->incident = std::move(incident);
  by_id_.Insert(*entry);
  by_key_.Insert(*entry);
  list_.Add(*entry);
  return entry;
}

void IncidentTable::Erase(IncidentId id) {
  IncidentEntry* entry = Find(id);
  if (entry == nullptr) {
    return;
  }
  by_id_.Erase(*entry);
  by_key_.Erase(*entry);
  list_.Remove(*entry);
  delete entry;
}

void IncidentTable::Arm(IncidentEntry& entry, Timestamp due) {
  if (due < entry.timer_due) {
    entry.timer_due = due;
    timers_.emplace(due, entry.incident.id);
  }
}

IncidentEntry* IncidentTable::PopDue(Timestamp now) {
  while (!timers_.empty() && timers_.top().first <= now) {
    IncidentEntry* entry = Find(timers_.top().second);
    timers_.pop();
    if (entry != nullptr && entry->timer_due <= now) {
      entry->timer_due = kNever;
      return entry;
    }
  }
  return nullptr;
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
