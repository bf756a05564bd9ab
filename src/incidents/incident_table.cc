#include "incidents/incident_table.h"

#include <algorithm>

namespace mlalert {

void IncidentEntry::AddFiring(AlertEntry& alert) {
  alert.incident_slot = static_cast<uint32_t>(firing.size());
  firing.push_back(&alert);
}

void IncidentEntry::RemoveFiring(const AlertEntry& alert) {
  const size_t slot = alert.incident_slot;
  if (slot >= firing.size() || firing[slot] != &alert) {
    return;
  }
  firing[slot] = firing.back();
  firing[slot]->incident_slot = static_cast<uint32_t>(slot);
  firing.pop_back();
}

IncidentEntry* IncidentTable::FindByKey(const LabelSet& key) {
  IncidentEntry* newest = nullptr;
  auto [begin, end] = by_key_.equal_range(key.fingerprint());
  for (auto it = begin; it != end; ++it) {
    IncidentEntry* entry = Find(it->second);
    if (entry->incident.key == key && (newest == nullptr || entry->incident.id > newest->incident.id)) {
      newest = entry;
    }
  }
  return newest;
}

IncidentEntry* IncidentTable::Find(IncidentId id) {
  auto it = by_id_.find(id);
  return it != by_id_.end() ? it->second.get() : nullptr;
}

const IncidentEntry* IncidentTable::Find(IncidentId id) const {
  auto it = by_id_.find(id);
  return it != by_id_.end() ? it->second.get() : nullptr;
}

IncidentEntry* IncidentTable::Insert(Incident incident) {
  IncidentId id = incident.id;
  Erase(id);
  by_key_.emplace(incident.key.fingerprint(), id);
  auto entry = std::make_unique<IncidentEntry>();
  entry->incident = std::move(incident);
  IncidentEntry* raw = entry.get();
  by_id_.emplace(id, std::move(entry));
  list_.Add(*raw);
  return raw;
}

void IncidentTable::Erase(IncidentId id) {
  auto found = by_id_.find(id);
  if (found == by_id_.end()) {
    return;
  }
  auto [begin, end] = by_key_.equal_range(found->second->incident.key.fingerprint());
  for (auto it = begin; it != end; ++it) {
    if (it->second == id) {
      by_key_.erase(it);
      break;
    }
  }
  list_.Remove(*found->second);
  by_id_.erase(found);
}

std::vector<IncidentEntry*> IncidentTable::Sorted() {
  std::vector<IncidentEntry*> out;
  out.reserve(by_id_.size());
  for (auto& [id, entry] : by_id_) {
    out.push_back(entry.get());
  }
  std::sort(out.begin(), out.end(),
            [](const IncidentEntry* a, const IncidentEntry* b) { return a->incident.id < b->incident.id; });
  return out;
}

}  // namespace mlalert
