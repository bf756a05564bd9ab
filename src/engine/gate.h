// The only lock around the engine, and the shell that drives it: requests enter one at a time, a timer thread
// runs what is due, records go to the journal in the order of the state changes, and a notification leaves
// only after the records of its step are committed (or at once while the journal cannot write: a page beats a
// row). Owns: the engine, the timer thread. Borrows: journal, clock. Thread: all methods may be called from
// any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/time.h"
#include "engine/engine.h"
#include "storage/journal.h"

namespace mlalert {

class Gate {
 public:
  using Send = std::function<void(NotificationAttempt)>;

  // `send` is called without the lock; it must not block.
  Gate(Engine engine, Journal& journal, Clock& clock, Send send);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // Puts the restored state in and starts the timer thread.
  void Start(RestoredState state);
  // Ends the timer thread; nothing is sent after it returns. Not from inside `send`. The journal may still
  // report commits, so it must be closed before the gate is destroyed.
  void Stop();

  // Runs f(engine, now, effects) under the lock and hands the effects on. Returns the sequence number that
  // must be committed before the caller may say that it is safe.
  template <class F>
  uint64_t Enter(F&& f) {
    std::unique_lock<std::mutex> lock = Lock();
    Effects fx;
    f(engine_, clock_.Now(), fx);
    return Drain(std::move(fx), lock);
  }

  // Read only: no effects. Keep it short; copy handles and render outside.
  template <class F>
  auto Read(F&& f) {
    std::unique_lock<std::mutex> lock = Lock();
    return f(engine_);
  }

  // Calls f(engine) until it says false, and lets everybody who waits in between: for readers of everything.
  template <class F>
  void ReadInSlices(F&& f) {
    ReadInSlices(f, [] {});
  }
  // `after` runs after each slice, outside the gate: what need not hold others up.
  template <class F, class After>
  void ReadInSlices(F&& f, After&& after) {
    for (bool more = true; more;) {
      more = Read(f);
      after();
      if (more) {
        LetOthersIn();
      }
    }
  }

  Status WaitCommitted(uint64_t seq, Duration timeout) { return journal_.WaitCommitted(seq, timeout); }
  Journal& journal() { return journal_; }
  Clock& clock() { return clock_; }

 private:
  std::unique_lock<std::mutex> Lock() {
    waiting_.fetch_add(1, std::memory_order_relaxed);
    std::unique_lock<std::mutex> lock(mutex_);
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    return lock;
  }
  void LetOthersIn() const;
  uint64_t Drain(Effects fx, std::unique_lock<std::mutex>& lock);
  uint64_t AppendOrRemember(std::vector<Record> records);
  void RepairJournal();
  void ReportStorage(Timestamp now, std::unique_lock<std::mutex>& lock);
  void ReleaseUpTo(uint64_t seq);
  void TimerLoop();

  std::atomic<int> waiting_{0};  // for mutex_: it is not fair, a reader in slices would take it again at once

  Engine engine_;
  Journal& journal_;
  Clock& clock_;
  Send send_;

  std::mutex mutex_;  // protects engine_, wake_, stopping_, needs_snapshot_ and the order of Append
  std::condition_variable wake_;
  Timestamp waiting_for_ = kUnset;  // what the timer thread sleeps for
  bool stopping_ = false;
  bool needs_snapshot_ = false;
  std::optional<bool> storage_reported_;  // what the engine was told of the journal last
  std::vector<Record> refused_deletes_;   // a snapshot says what is there, not what is gone
  std::thread timer_;

  std::mutex outgoing_mutex_;  // protects outgoing_ and sending_; taken after mutex_, never before it
  std::deque<std::pair<uint64_t, NotificationAttempt>> outgoing_;
  int sending_ = 0;  // calls of send_ under way
  std::condition_variable sent_;
};

}  // namespace mlalert
