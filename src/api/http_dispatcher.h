// Waits on behalf of all connections and hands the ready ones to a few workers (epoll, one-shot). An idle or
// slow connection occupies a slot in a table, never a thread, so any number of them cannot starve the others.
// Fed by: http_server.cc with accepted sockets.   Owns: sessions, worker threads, the deadline thread.
// Thread: a session is touched only by whoever took it from kWaiting to kBusy, under its slot's mutex: a
// worker on an event, the deadline thread, the accepting thread for eviction, the stopping thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "api/http_session.h"
#include "base/result.h"
#include "base/time.h"

namespace mlalert {

class HttpDispatcher {
 public:
  explicit HttpDispatcher(HttpContext& context);
  ~HttpDispatcher();
  HttpDispatcher(const HttpDispatcher&) = delete;
  HttpDispatcher& operator=(const HttpDispatcher&) = delete;

  // Starts the threads. Errors: kUnavailable when the system refuses descriptors or threads.
  Status Start();
  // Takes over a connected socket. Called by the accepting threads; never throws, never blocks.
  void Accept(int fd) noexcept;
  // After the last Accept: closes idle connections, lets requests finish for up to `grace`, closes the rest,
  // joins. A handler that is still running is waited for without bound.
  void Stop(Duration grace);

 private:
  enum class State : uint8_t { kFree, kWaiting, kBusy };
  struct Slot {
    std::mutex mutex;
    State state = State::kFree;            // guarded by mutex
    uint32_t generation = 0;               // guarded by mutex; tells a stale event from a current one
    HttpSession::Wait wait{};              // guarded by mutex; meaningful when kWaiting
    std::unique_ptr<HttpSession> session;  // its owner's; readable under mutex when kWaiting
    bool registered = false;               // with epoll; its owner's
  };

  void WorkerLoop();
  void DeadlineLoop();
  // Gives a session its turn and puts it back to waiting.
  template <class Turn>
  void Drive(size_t index, Turn turn);
  void Settle(size_t index, const HttpSession::Wait& wait);
  bool ClaimEvent(uint64_t id, size_t& index);
  void Release(size_t index);
  bool TakeFreeSlot(size_t& index);
  // Closes the connection that has been idle longest, if that is long enough.
  bool EvictIdle();
  void NoteDeadline(HttpTime deadline);
  HttpTime ExpireDue(HttpWorker& worker);
  // Closes all waiting connections, or the idle ones only.
  void CloseWaiting(bool idle_only);

  HttpContext& context_;
  const size_t connections_max_;
  std::unique_ptr<Slot[]> slots_;
  const size_t slots_size_;
  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  std::atomic<bool> aborting_{false};
  std::mutex accept_mutex_;   // one accepting thread per address
  HttpWorker accept_worker_;  // guarded by accept_mutex_

  std::mutex free_mutex_;
  std::condition_variable all_free_;
  std::vector<size_t> free_;  // guarded by free_mutex_

  std::mutex deadline_mutex_;
  std::condition_variable deadline_changed_;
  HttpTime next_deadline_ = HttpTime::max();     // guarded by deadline_mutex_
  std::atomic<int64_t> next_deadline_ticks_{0};  // the same, for a look without the lock
  bool deadline_stop_ = false;                   // guarded by deadline_mutex_

  std::vector<std::thread> workers_;
  std::thread deadline_thread_;
};

}  // namespace mlalert
