// A journal in memory, for tests: keeps what was appended, commits at once or when told, can be made to fail.
// Thread: one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "storage/journal.h"

namespace mlalert::testing {

class MemoryJournal final : public Journal {
 public:
  // false: nothing is committed before Commit().
  explicit MemoryJournal(bool commit_at_once = true) : commit_at_once_(commit_at_once) {}

  uint64_t Append(std::vector<Record> records) override {
    if (state_ == JournalState::kOverflow) {
      refused_ += records.size();
      return kRefusedSeq;
    }
    std::move(records.begin(), records.end(), std::back_inserter(records_));
    if (commit_at_once_ && state_ == JournalState::kHealthy) {
      Commit();
    }
    return base_ + records_.size();
  }
  uint64_t CommittedSeq() const override { return committed_; }
  Status WaitCommitted(uint64_t seq, Duration) override {
    if (seq <= committed_) {
      return {};
    }
    if (state_ != JournalState::kHealthy) {
      return Fail(ErrorCode::kUnavailable, "journal: " + error_);
    }
    return Fail(ErrorCode::kDeadline, "journal: not committed in time");
  }
  void OnCommitted(std::function<void(uint64_t)> callback) override { on_committed_ = std::move(callback); }
  JournalState State() const override { return state_; }
  JournalStats Stats() const override {
    JournalStats stats;
    stats.state = state_;
    stats.error = error_;
    stats.appended_records = base_ + records_.size();
    stats.committed_records = committed_;
    stats.queued_records = base_ + records_.size() - committed_;
    stats.refused_records = refused_;
    return stats;
  }

  void Commit() {
    if (committed_ == base_ + records_.size()) {
      return;
    }
    committed_ = base_ + records_.size();
    if (on_committed_) {
      on_committed_(committed_);
    }
  }
  // What a crash leaves.
  std::vector<Record> Survivors() const {
    return {records_.begin(), records_.begin() + static_cast<ptrdiff_t>(committed_ - base_)};
  }
  void SetState(JournalState state, std::string error = "disk is full") {
    state_ = state;
    error_ = state == JournalState::kHealthy ? "" : std::move(error);
    if (state == JournalState::kHealthy && commit_at_once_) {
      Commit();
    }
  }

  const std::vector<Record>& records() const { return records_; }
  // All records of one kind, in order.
  template <class T>
  std::vector<T> Of() const {
    std::vector<T> out;
    for (const Record& record : records_) {
      if (const T* value = std::get_if<T>(&record)) {
        out.push_back(*value);
      }
    }
    return out;
  }
  // Forgets the records so far, which count as committed; sequence numbers go on.
  void Clear() {
    base_ += records_.size();
    records_.clear();
    committed_ = base_;
  }

 private:
  bool commit_at_once_;
  std::vector<Record> records_;
  uint64_t base_ = 0;  // records before the last Clear()
  uint64_t committed_ = 0;
  uint64_t refused_ = 0;
  JournalState state_ = JournalState::kHealthy;
  std::string error_;
  std::function<void(uint64_t)> on_committed_;
};

}  // namespace mlalert::testing
