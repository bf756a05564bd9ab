// The alerts that are known: one entry per label set, found by fingerprint.
// Fed by the engine with decoded alerts; entries are pointer-stable, other modules keep pointers to them.
// Owns: entries. Limits: none of its own; an entry lives until it is resolved and no group holds it.
// Thread: engine only (under the gate). Time: passed in.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/compact_vector.h"
#include "base/pointer_index.h"
#include "base/slot_list.h"
#include "intake/decoded_alert.h"
#include "model/alert.h"
#include "model/incident.h"

namespace mlalert {

// One group that holds an alert, and where in its member list.
struct GroupSlot {
  uint32_t group = 0;
  uint32_t member = 0;
};

struct AlertEntry {
  Alert alert;
  // Labels with the effective severity laid over; shares alert.labels while nothing is raised.
  LabelSet effective;
  Timestamp received_at = kUnset;   // first reached us in this episode
  Timestamp expiry_timer = kUnset;  // due time of the one queued expiry timer
  IncidentId incident_id = 0;
  int64_t episode_id = 0;           // its newest episode, where the journal keeps it; 0: it never fired
  CompactVector<GroupSlot> groups;  // kept by the dispatcher; few
  uint32_t incident_slot = 0;       // while it fires: its place among its incident's firing alerts
  uint32_t list_slot = 0;           // the store's
  bool firing = false;              // its episode is open
  bool ended = false;               // the engine's: it is in the list of those that may be forgotten
  ResolveReason end_reason = ResolveReason::kNone;  // of its episode
};

enum class UpsertOutcome : uint8_t {
  kRefreshed,      // firing before and after; at most times and annotations changed
  kFired,          // a new alert, or one that fires again
  kResolved,       // was firing, is not now
  kStillResolved,  // known, resolved before and after
  kNewResolved,    // unknown and already resolved: it can only be listed beside others
  kLimited,        // new, but its alertname has as many alerts as it may: refused
  kCollision,      // another label set has this fingerprint: refused
};

struct UpsertResult {
  UpsertOutcome outcome = UpsertOutcome::kRefreshed;
  AlertEntry* entry = nullptr;  // null when refused
};

// Distinct label sets per alertname, as Alertmanager's --alerts.per-alertname-limit. An alert in excess takes
// the place of one whose end has passed, or is refused.
struct AlertLimits {
  size_t per_alertname_max = 0;  // 0: none
};

class AlertStore {
 public:
  explicit AlertStore(AlertLimits limits = {}) : limits_(limits) {}
  AlertStore(AlertStore&& other) noexcept;
  AlertStore& operator=(AlertStore&&) = delete;
  ~AlertStore();

  // Applies Alertmanager's merge rule. A refresh of an unchanged alert allocates nothing.
  UpsertResult Upsert(const DecodedAlert& incoming, Timestamp now);

  // Starts to load from memory what Upsert of these will look at. A large store does not fit into the cache,
  // and waiting for one alert after the other is half the cost of a refresh.
  void Prefetch(std::span<const DecodedAlert> batch) const;
  // The same for Find, of kPrefetchBatch at most.
  void Prefetch(std::span<const uint64_t> fingerprints) const;

  // Puts back an entry after a restart. The caller sets incident and episode.
  AlertEntry* Restore(Alert alert);

  AlertEntry* Find(uint64_t fingerprint) const { return entries_.Find(fingerprint); }
  void Erase(uint64_t fingerprint);
  size_t size() const { return entries_.size(); }

  // A slice of all entries, for visitors that must let others in between (base/slot_list.h).
  template <class F>
  size_t VisitSlice(size_t from, size_t limit, F&& f) const {
    return list_.Visit(from, limit, f);
  }

  // In no particular order: callers sort what reaches output.
  template <class F>
  void ForEach(F&& f) {
    list_.Visit(list_.size(), list_.size(), f);
  }
  template <class F>
  void ForEach(F&& f) const {
    list_.Visit(list_.size(), list_.size(), [&](const AlertEntry& entry) { f(entry); });
  }

 private:
  struct ByFingerprint {
    uint64_t operator()(const AlertEntry& entry) const { return entry.alert.fingerprint(); }
  };

  AlertEntry* Insert(uint64_t fingerprint, Alert alert);
  template <class F>
  void PrefetchEntries(std::span<const uint64_t> fingerprints, F&& rest) const;
  bool Admit(const DecodedAlert& incoming, Timestamp now);

  AlertLimits limits_;
  PointerIndex<AlertEntry, ByFingerprint> entries_;
  // By alertname, the fingerprints that count; only with a limit.
  std::unordered_map<std::string, std::unordered_set<uint64_t>> by_name_;
  SlotList<AlertEntry> list_;  // and owner
};

}  // namespace mlalert
