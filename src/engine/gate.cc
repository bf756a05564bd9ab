#include "engine/gate.h"

#include <algorithm>
#include <chrono>

#include "base/log.h"

namespace mlalert {
namespace {

// Timers run in slices of this many, so that requests get in between.
constexpr size_t kTimersPerSlice = 200;
// The wall clock may be stepped while we sleep: look again at least this often.
constexpr Duration kNapMax = std::chrono::milliseconds(500);

}  // namespace

Gate::Gate(Engine engine, Journal& journal, Clock& clock, Send send)
    : engine_(std::move(engine)), journal_(journal), clock_(clock), send_(std::move(send)) {
  journal_.OnCommitted([this](uint64_t seq) { ReleaseUpTo(seq); });
}

Gate::~Gate() {
  Stop();
}

void Gate::Start(RestoredState state) {
  Enter([&](Engine& engine, Timestamp now, Effects& fx) { engine.Restore(std::move(state), now, fx); });
  timer_ = std::thread([this] { TimerLoop(); });
}

void Gate::Stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (timer_.joinable()) {
    timer_.join();
  }
  std::lock_guard<std::mutex> lock(outgoing_mutex_);
  outgoing_.clear();
}

uint64_t Gate::Drain(Effects fx, std::unique_lock<std::mutex>& lock) {
  uint64_t seq = 0;
  if (!fx.records.empty()) {
    seq = journal_.Append(std::move(fx.records));
    needs_snapshot_ = needs_snapshot_ || seq == kRefusedSeq;
  }
  bool stopping = stopping_;
  if (!fx.attempts.empty() && !stopping) {
    uint64_t after = seq == kRefusedSeq ? 0 : journal_.Append({});
    std::lock_guard<std::mutex> outgoing(outgoing_mutex_);
    for (auto& attempt : fx.attempts) {
      outgoing_.emplace_back(after, std::move(attempt));
    }
  }
  bool wake = engine_.NextDue() < waiting_for_;
  lock.unlock();
  if (wake) {
    wake_.notify_one();
  }
  if (!fx.attempts.empty() && !stopping) {
    ReleaseUpTo(journal_.State() == JournalState::kHealthy ? journal_.CommittedSeq() : kRefusedSeq);
  }
  return seq;
}

void Gate::ReleaseUpTo(uint64_t seq) {
  for (;;) {
    NotificationAttempt attempt;
    {
      std::lock_guard<std::mutex> lock(outgoing_mutex_);
      if (outgoing_.empty() || outgoing_.front().first > seq) {
        return;
      }
      attempt = std::move(outgoing_.front().second);
      outgoing_.pop_front();
    }
    send_(std::move(attempt));
  }
}

void Gate::TimerLoop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    Timestamp now = clock_.Now();
    Timestamp due = engine_.NextDue();
    if (due > now) {
      waiting_for_ = due;
      wake_.wait_for(lock, std::min(due - now, kNapMax));
      waiting_for_ = kUnset;
      if (stopping_) {
        return;
      }
    } else {
      Effects fx;
      engine_.RunDue(now, fx, kTimersPerSlice);
      Drain(std::move(fx), lock);
      lock.lock();
    }
    JournalState state = journal_.State();
    if (state != JournalState::kHealthy) {
      lock.unlock();
      ReleaseUpTo(kRefusedSeq);
      lock.lock();
    } else if (needs_snapshot_) {
      // Rows were refused while the queue was full: write the whole state anew.
      needs_snapshot_ = journal_.Append(engine_.Snapshot()) == kRefusedSeq;
    }
  }
}

}  // namespace mlalert
