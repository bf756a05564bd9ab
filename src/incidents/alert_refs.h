// The alerts of an incident that fire now: nearly always one, at times a hundred thousand. One costs no
// memory of its own. Owns: the list, not the alerts. Thread: engine only.
#pragma once

#include <cstdint>
#include <span>

#include "alerts/alert_store.h"

namespace mlalert {

class AlertRefs {
 public:
  AlertRefs() = default;
  AlertRefs(const AlertRefs&) = delete;
  AlertRefs& operator=(const AlertRefs&) = delete;
  ~AlertRefs() { Free(); }

  // In constant time, both: an alert knows its place (AlertEntry::incident_slot).
  void Add(AlertEntry& alert);
  void Remove(const AlertEntry& alert);

  AlertEntry* const* begin() const { return capacity_ == 0 ? &one_ : many_; }
  AlertEntry* const* end() const { return begin() + size_; }
  AlertEntry* operator[](size_t i) const { return begin()[i]; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<AlertEntry* const> span() const { return {begin(), size_}; }

 private:
  void Free();

  union {
    AlertEntry* one_ = nullptr;  // while capacity_ is 0
    AlertEntry** many_;
  };
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;
};

}  // namespace mlalert
