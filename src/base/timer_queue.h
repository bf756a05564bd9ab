// Due times in order: a binary heap of {due, seq, key}. `seq` breaks ties, so that simulations repeat
// exactly. Nothing is cancelled: the owner looks at its own state when a timer fires and ignores stale ones.
// Thread: owner's.
#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "base/time.h"

namespace mlalert {

template <class Key>
class TimerQueue {
 public:
  void Add(Timestamp due, Key key) { heap_.push(Item{due, next_seq_++, key}); }

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
    bool operator<(const Item& other) const {  // std::priority_queue puts the greatest on top
      return due != other.due ? due > other.due : seq > other.seq;
    }
  };

  std::priority_queue<Item> heap_;
  uint64_t next_seq_ = 0;
};

}  // namespace mlalert
