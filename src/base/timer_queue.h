// Due times in order: a heap of {due, seq, key}, and what stands in a heap where an id is the key (Turn).
// `seq` breaks ties, so that simulations repeat exactly. Nothing is cancelled: the owner looks at its own
// state when a timer fires and ignores stale ones. Thread: owner's.
#pragma once

#include <cstdint>

#include "base/min_heap.h"
#include "base/time.h"

namespace mlalert {

// Somebody's turn at `at`; of one instant the lower id first.
template <class Id>
struct Turn {
  Timestamp at;
  Id id;
  // Without branches, which nobody can foretell.
  friend bool operator<(const Turn& a, const Turn& b) {
    return static_cast<bool>(static_cast<int>(a.at < b.at) |
                             (static_cast<int>(a.at == b.at) & static_cast<int>(a.id < b.id)));
  }
};

template <class Key>
class TimerQueue {
 public:
  void Add(Timestamp due, Key key) { heap_.emplace(Item{due, next_seq_++, key}); }

  // kNever when empty.
  Timestamp NextDue() const { return heap_.empty() ? kNever : heap_.top().due; }

  // Takes the earliest timer that is due; false when none is.
  bool PopDue(Timestamp now, Timestamp& due, Key& key) {
    if (heap_.empty() || heap_.top().due > now) {
      return false;
    }
    due = heap_.top().due;
    key = heap_.top().key;
    heap_.pop();
    return true;
  }

  size_t size() const { return heap_.size(); }

 private:
  struct Item {
    Timestamp due;
    uint64_t seq;
    Key key;
    friend bool operator<(const Item& a, const Item& b) {
      return a.due != b.due ? a.due < b.due : a.seq < b.seq;
    }
  };

  MinHeap<Item> heap_;
  uint64_t next_seq_ = 0;
};

}  // namespace mlalert
