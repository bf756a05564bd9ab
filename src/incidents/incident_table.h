// Incidents in memory: every one that is not resolved, and resolved ones while they can still be reopened or
// a cooldown of theirs runs. At most one that is not resolved per key. Owns: incidents. Thread: engine only.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "alerts/alert_store.h"
#include "base/slot_list.h"
#include "model/incident.h"

namespace mlalert {

struct IncidentEntry {
  Incident incident;
  std::vector<AlertEntry*> firing;  // its alerts that fire now
  Timestamp timer_due = kNever;     // of the queued timer that counts
  uint32_t list_slot = 0;           // the table's

  // In constant time: thousands of alerts may share one incident.
  void AddFiring(AlertEntry& alert);
  void RemoveFiring(const AlertEntry& alert);
};

class IncidentTable {
 public:
  // The newest incident of this key, whatever its state; null when none is in memory.
  IncidentEntry* FindByKey(const LabelSet& key);
  IncidentEntry* Find(IncidentId id);
  const IncidentEntry* Find(IncidentId id) const;

  // `incident.id` and `incident.key` are set. Replaces a resolved one of the same key in the key index.
  IncidentEntry* Insert(Incident incident);
  void Erase(IncidentId id);

  size_t size() const { return by_id_.size(); }

  // A slice of all entries, for visitors that must let others in between (base/slot_list.h).
  template <class F>
  size_t VisitSlice(size_t from, size_t limit, F&& f) const {
    return list_.Visit(from, limit, f);
  }
  // In no particular order.
  template <class F>
  void ForEach(F&& f) const {
    for (const auto& [id, entry] : by_id_) {
      f(static_cast<const IncidentEntry&>(*entry));
    }
  }
  // By id, ascending.
  std::vector<IncidentEntry*> Sorted();

 private:
  std::unordered_map<IncidentId, std::unique_ptr<IncidentEntry>> by_id_;
  SlotList<IncidentEntry> list_;
  std::unordered_multimap<uint64_t, IncidentId> by_key_;  // fingerprint of key
};

}  // namespace mlalert
