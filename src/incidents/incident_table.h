// Incidents in memory: every one that is not resolved, and resolved ones while they can still be reopened or
// a cooldown of theirs runs. At most one that is not resolved per key. An incident costs about 280 bytes
// here, its timer included (bench/incidents). Owns: incidents. Thread: engine only.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/id_table.h"
#include "base/pointer_index.h"
#include "base/slot_list.h"
#include "base/timer_queue.h"
#include "incidents/alert_refs.h"
#include "model/incident.h"

namespace mlalert {

struct IncidentEntry {
  Incident incident;
  AlertRefs firing;              // its alerts that fire now
  Timestamp timer_due = kNever;  // of the queued timer that counts; kUnset: in hand
  uint32_t list_slot = 0;        // the table's
  // The engine's: an alert still belonged to it then; it is in the list of those that may be forgotten.
  uint32_t gc_round : 30 = 0;
  uint32_t ended : 1 = 0;
  uint32_t chain_held : 1 = 0;  // a step of its chain waits, and that was said
};

class IncidentTable {
 public:
  IncidentTable() = default;
  IncidentTable(IncidentTable&& other) noexcept;
  IncidentTable& operator=(IncidentTable&&) = delete;
  ~IncidentTable();

  // The newest incident of this key, whatever its state; null when none is in memory.
  IncidentEntry* FindByKey(const LabelSet& key);
  IncidentEntry* Find(IncidentId id);
  const IncidentEntry* Find(IncidentId id) const;

  // How many incidents of this key are not resolved: more than one is a bug.
  size_t CountOpen(const LabelSet& key) const;
  // Starts to load from memory what Find will give (base/prefetch.h).
  void Prefetch(IncidentId id) const;

  // `incident.id` and `incident.key` are set.
  IncidentEntry* Insert(Incident incident);
  void Erase(IncidentId id);

  size_t size() const { return list_.size(); }

  // Something of it may be due at `due`; only earlier than what it waits for already. Nothing is cancelled:
  // who is popped looks at its own state.
  void Arm(IncidentEntry& entry, Timestamp due);
  // kNever: nobody waits.
  Timestamp NextDue() const { return timers_.empty() ? kNever : timers_.top().at; }
  // The next one whose time has come, by time and id; null when none is due. It is in hand until Release.
  IncidentEntry* PopDue(Timestamp now);
  // It waits for `due` now. Meanwhile Arm does nothing: what it leads to at once needs no way through the
  // queue.
  void Release(IncidentEntry& entry, Timestamp due);
  static bool IsInHand(const IncidentEntry& entry) { return !IsSet(entry.timer_due); }
  size_t timer_count() const { return timers_.size(); }

  // A slice of all entries, for visitors that must let others in between (base/slot_list.h).
  template <class F>
  size_t VisitSlice(size_t from, size_t limit, F&& f) const {
    return list_.Visit(from, limit, f);
  }
  // By id, ascending.
  std::vector<IncidentEntry*> Sorted();

 private:
  struct ByKey {
    uint64_t operator()(const IncidentEntry& entry) const { return entry.incident.key.fingerprint(); }
  };
  IdTable<IncidentEntry> by_id_;
  PointerIndex<IncidentEntry, ByKey> by_key_;
  SlotList<IncidentEntry> list_;
  MinHeap<Turn<IncidentId>> timers_;
};

}  // namespace mlalert
