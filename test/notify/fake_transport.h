// A transport that keeps the calls until the test answers them, and a sink that collects outcomes.
// Calls may be answered from the test's thread or, with AnswerAll, at once from a thread of its own.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "net/transport.h"
#include "notify/notification.h"

namespace mlalert::testing {

// Long enough for a slow machine: a wait that ends by it is a failure.
inline constexpr auto kPatience = std::chrono::seconds(20);

class FakeTransport final : public Transport {
 public:
  struct Pending {
    std::string lane;
    HttpCall call;
    Done done;
  };

  ~FakeTransport() override { StopAnswering(); }

  LaneId OpenLane(LaneOptions options) override {
    std::lock_guard lock(mutex_);
    names_.push_back(options.name);
    return static_cast<LaneId>(names_.size() - 1);
  }
  void Send(LaneId lane, HttpCall call, Done done) override {
    {
      std::lock_guard lock(mutex_);
      pending_.push_back({names_.at(static_cast<size_t>(lane)), std::move(call), std::move(done)});
      ++sent_;
    }
    changed_.notify_all();
  }
  void CancelLane(LaneId) override {}
  void CloseLane(LaneId lane) override {
    std::lock_guard lock(mutex_);
    closed_.push_back(names_.at(static_cast<size_t>(lane)));
  }
  void Shutdown() override {}

  // Takes the oldest call of the lane; an empty lane name when none came.
  Pending Take(const std::string& lane) {
    std::unique_lock lock(mutex_);
    Pending out;
    changed_.wait_for(lock, kPatience, [&] {
      for (auto it = pending_.begin(); it != pending_.end(); ++it) {
        if (it->lane == lane) {
          out = std::move(*it);
          pending_.erase(it);
          return true;
        }
      }
      return false;
    });
    return out;
  }

  // From now on every call is answered with `result`, but for those of the lane `except`.
  void AnswerAll(HttpResult result, std::string except = {}) {
    answering_ = std::thread([this, result = std::move(result), except = std::move(except)] {
      std::unique_lock lock(mutex_);
      while (true) {
        auto next = pending_.end();
        changed_.wait(lock, [&] {
          next = std::find_if(pending_.begin(), pending_.end(),
                              [&](const Pending& p) { return p.lane != except; });
          return stop_ || next != pending_.end();
        });
        if (stop_) {
          return;
        }
        Done done = std::move(next->done);
        pending_.erase(next);
        lock.unlock();
        done(result);
        lock.lock();
      }
    });
  }
  void StopAnswering() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    if (answering_.joinable()) {
      answering_.join();
    }
  }

  std::vector<std::string> closed() {
    std::lock_guard lock(mutex_);
    return closed_;
  }
  std::vector<std::string> opened() {
    std::lock_guard lock(mutex_);
    return names_;
  }
  size_t sent() {
    std::lock_guard lock(mutex_);
    return sent_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> names_, closed_;
  std::deque<Pending> pending_;
  std::thread answering_;
  bool stop_ = false;
  size_t sent_ = 0;
};

class Outcomes {
 public:
  void Add(NotificationOutcome outcome) {
    {
      std::lock_guard lock(mutex_);
      ++times_[{outcome.notification_id, outcome.attempt}];
      all_.push_back(std::move(outcome));
    }
    changed_.notify_all();
  }
  // The first `count` outcomes in order of arrival; fewer when they do not come.
  std::vector<NotificationOutcome> Wait(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return all_.size() >= count; });
    return all_;
  }
  size_t count() {
    std::lock_guard lock(mutex_);
    return all_.size();
  }
  bool EachOnce() {
    std::lock_guard lock(mutex_);
    for (const auto& [key, times] : times_) {
      if (times != 1) {
        return false;
      }
    }
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<NotificationOutcome> all_;
  std::map<std::pair<int64_t, uint32_t>, int> times_;
};

}  // namespace mlalert::testing
