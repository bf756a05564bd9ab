// What comes first, first: a heap with four children a node, so that going down a heap of a hundred thousand
// timers touches half as much memory as std::priority_queue does. Of equal elements any comes first. Used by:
// timers of base/, dispatch/, incidents/, engine/. Thread: its owner's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace mlalert {

template <class T>
class MinHeap {
 public:
  bool empty() const { return items_.empty(); }
  size_t size() const { return items_.size(); }
  // The least; not of an empty heap.
  const T& top() const { return items_.front(); }

  template <class... Args>
  void emplace(Args&&... args) {
    items_.emplace_back(std::forward<Args>(args)...);
    T item = std::move(items_.back());
    Rise(items_.size() - 1, std::move(item));
  }

  void pop() {
    T item = std::move(items_.back());
    items_.pop_back();
    if (items_.empty()) {
      return;
    }
    // The last one belongs near the bottom again: the gap goes all the way down, and it rises from there.
    size_t gap = 0;
    for (size_t first = 1; first < items_.size(); first = gap * kChildren + 1) {
      const size_t end = std::min(first + kChildren, items_.size());
      size_t least = first;
      for (size_t child = first + 1; child < end; ++child) {
        least = items_[child] < items_[least] ? child : least;
      }
      items_[gap] = std::move(items_[least]);
      gap = least;
    }
    Rise(gap, std::move(item));
  }

 private:
  static constexpr size_t kChildren = 4;

  void Rise(size_t at, T item) {
    while (at > 0 && item < items_[(at - 1) / kChildren]) {
      items_[at] = std::move(items_[(at - 1) / kChildren]);
      at = (at - 1) / kChildren;
    }
    items_[at] = std::move(item);
  }

  std::vector<T> items_;
};

}  // namespace mlalert
