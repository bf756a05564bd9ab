#include "engine/gate.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <variant>

#include "base/log.h"

namespace mlalert {
namespace {

// Timers run in slices of this many, so that requests get in between.
constexpr size_t kTimersPerSlice = 200;
// The wall clock may be stepped while we sleep: look again at least this often.
constexpr Duration kNapMax = std::chrono::milliseconds(500);

bool IsDelete(const Record& record) {
  return std::holds_alternative<AlertDelete>(record) || std::holds_alternative<NflogDelete>(record) ||
         std::holds_alternative<GroupDelete>(record) || std::holds_alternative<RuleStateDelete>(record) ||
         std::holds_alternative<SilenceDelete>(record);
}

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

void Gate::LetOthersIn() const {
  // Whoever waited when the slice ended gets its turn: the mutex would be ours again before a sleeper is
  // awake, on a busy machine many times over. A steady stream of others must not stop us for ever.
  constexpr int kYields = 50;
  constexpr auto kNap = std::chrono::microseconds(50);
  constexpr auto kPatience = std::chrono::milliseconds(2);
  const auto end = std::chrono::steady_clock::now() + kPatience;
  for (int i = 0; waiting_.load(std::memory_order_relaxed) > 0; ++i) {
    if (i < kYields) {
      std::this_thread::yield();
    } else if (std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(kNap);
    } else {
      return;
    }
  }
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
  std::unique_lock<std::mutex> lock(outgoing_mutex_);
  outgoing_.clear();
  sent_.wait(lock, [this] { return sending_ == 0; });
}

uint64_t Gate::AppendOrRemember(std::vector<Record> records) {
  std::vector<Record> deletes;
  if (journal_.State() != JournalState::kHealthy) {
    std::copy_if(records.begin(), records.end(), std::back_inserter(deletes), IsDelete);
  }
  const uint64_t seq = journal_.Append(std::move(records));
  if (seq == kRefusedSeq) {
    needs_snapshot_ = true;
    std::move(deletes.begin(), deletes.end(), std::back_inserter(refused_deletes_));
  }
  return seq;
}

// Rows were refused while the queue was full: write the whole state anew, after removing what is gone.
void Gate::RepairJournal() {
  std::vector<Record> records = refused_deletes_;
  std::vector<Record> state = engine_.Snapshot();
  std::move(state.begin(), state.end(), std::back_inserter(records));
  if (journal_.Append(std::move(records)) != kRefusedSeq) {
    needs_snapshot_ = false;
    refused_deletes_ = {};
  }
}

uint64_t Gate::Drain(Effects fx, std::unique_lock<std::mutex>& lock) {
  uint64_t seq = 0;
  if (!fx.records.empty()) {
    seq = AppendOrRemember(std::move(fx.records));
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
  for (const std::string& err : fx.given_up) {
    LogError("Notify for alerts failed", {{"component", "dispatcher"}, {"err", err}});
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
      ++sending_;
    }
    send_(std::move(attempt));
    std::lock_guard<std::mutex> lock(outgoing_mutex_);
    if (--sending_ == 0) {
      sent_.notify_all();
    }
  }
}

// A database that cannot be written is an alert of its own, which is told from memory.
void Gate::ReportStorage(Timestamp now, std::unique_lock<std::mutex>& lock) {
  const bool degraded = journal_.State() != JournalState::kHealthy;
  if (storage_reported_ == degraded) {
    return;
  }
  storage_reported_ = degraded;
  Effects fx;
  engine_.ReportStorage(degraded, "", now, fx);
  if (!fx.empty()) {
    Drain(std::move(fx), lock);
    lock.lock();
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
    ReportStorage(now, lock);
    JournalState state = journal_.State();
    if (state != JournalState::kHealthy) {
      lock.unlock();
      ReleaseUpTo(kRefusedSeq);
      lock.lock();
    } else if (needs_snapshot_) {
      RepairJournal();
    }
  }
}

}  // namespace mlalert
