// Elements in a plain list that can be visited in slices while others come and go in between: the visit goes
// from the end to the beginning, and whoever leaves is replaced by the last one. So an element that is there
// from the first slice to the last is seen at least once (twice when it moved: the visitor drops repeats),
// and one slice costs what it visits, however long the list is. Fed by: alerts/ and incidents/ with their
// entries. Owns: nothing. Thread: that of its owner.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mlalert {

// T has a member `uint32_t list_slot` that belongs to the list.
template <class T>
class SlotList {
 public:
  static constexpr size_t kEnd = SIZE_MAX;

  void Add(T& element) {
    element.list_slot = static_cast<uint32_t>(elements_.size());
    elements_.push_back(&element);
  }
  void Remove(const T& element) {
    const uint32_t slot = element.list_slot;
    elements_[slot] = elements_.back();
    elements_[slot]->list_slot = slot;
    elements_.pop_back();
  }
  size_t size() const { return elements_.size(); }

  // Calls f(element) for at most `limit` elements below `from` (at first kEnd). Gives the `from` of the next
  // slice; 0: that was all.
  template <class F>
  size_t Visit(size_t from, size_t limit, F&& f) const {
    size_t at = std::min(from, elements_.size());
    const size_t end = at - std::min(limit, at);
    while (at > end) {
      f(*elements_[--at]);
    }
    return at;
  }

 private:
  std::vector<T*> elements_;
};

}  // namespace mlalert
