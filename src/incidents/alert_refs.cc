#include "incidents/alert_refs.h"

#include <algorithm>

namespace mlalert {

void AlertRefs::Add(AlertEntry& alert) {
  alert.incident_slot = size_;
  if (capacity_ == 0 && size_ == 0) {
    one_ = &alert;
    size_ = 1;
    return;
  }
  if (size_ >= std::max(capacity_, 1U)) {
    const uint32_t capacity = std::max(4U, capacity_ * 2);
    auto** grown = new AlertEntry*[capacity];
    std::copy(begin(), end(), grown);
    Free();
    many_ = grown;
    capacity_ = capacity;
  }
  many_[size_++] = &alert;
}

void AlertRefs::Remove(const AlertEntry& alert) {
  const size_t slot = alert.incident_slot;
  if (slot >= size_ || begin()[slot] != &alert) {
    return;
  }
  --size_;
  if (capacity_ != 0) {
    many_[slot] = many_[size_];
    many_[slot]->incident_slot = static_cast<uint32_t>(slot);
  }
  if (size_ == 0) {
    Free();
    one_ = nullptr;
    capacity_ = 0;
  }
}

void AlertRefs::Free() {
  if (capacity_ != 0) {
    delete[] many_;
  }
}

}  // namespace mlalert
