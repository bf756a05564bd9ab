#include "net/retrying_sender.h"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "net/retry.h"

namespace mlalert {
namespace {

constexpr int kTooManyRequests[] = {429};
// Waiting for another try at once; more end with the answer that they have.
constexpr size_t kWaitingMax = 256;

}  // namespace

// Shared with the transport's callbacks, which may come after the sender is gone.
class RetryingSender::State : public std::enable_shared_from_this<State> {
 public:
  State(Transport& transport, LaneId lane, Options options)
      : transport_(transport), lane_(lane), options_(options) {}

  struct Task {
    HttpCall call;
    Transport::Done done;
    int attempt = 1;
  };

  void Attempt(Task task) {
    HttpCall call = task.call;
    auto kept = std::make_shared<Task>(std::move(task));
    transport_.Send(lane_, std::move(call), [weak = weak_from_this(), kept](HttpResult result) {
      if (auto state = weak.lock()) {
        state->OnResult(std::move(*kept), std::move(result));
      }
    });
  }

  void Stop() {
    std::thread thread;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopped_ = true;
      waiting_.clear();
      thread = std::move(thread_);
    }
    wake_.notify_all();
    if (thread.joinable()) {
      thread.join();
    }
  }

 private:
  using Steady = std::chrono::steady_clock;

  void OnResult(Task task, HttpResult result) {
    const Duration wait = result.retry_after.value_or(options_.wait * task.attempt);
    const bool again = Judge(result, kTooManyRequests) == Verdict::kRetry &&
                       task.attempt < options_.attempts_max && wait <= options_.wait_max;
    std::unique_lock<std::mutex> lock(mutex_);
    if (stopped_) {
      return;
    }
    if (!again || waiting_.size() >= kWaitingMax) {
      lock.unlock();
      task.done(std::move(result));
      return;
    }
    ++task.attempt;
    waiting_.emplace(Steady::now() + wait, std::move(task));
    if (!thread_.joinable()) {
      thread_ = std::thread([this] { Loop(); });
    }
    lock.unlock();
    wake_.notify_all();
  }

  void Loop() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals belong to the main thread
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stopped_) {
      if (waiting_.empty()) {
        wake_.wait(lock);
        continue;
      }
      const Steady::time_point due = waiting_.begin()->first;
      if (due > Steady::now()) {
        wake_.wait_until(lock, due);
        continue;
      }
      Task task = std::move(waiting_.extract(waiting_.begin()).mapped());
      lock.unlock();
      Attempt(std::move(task));
      lock.lock();
    }
  }

  Transport& transport_;
  const LaneId lane_;
  const Options options_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ = false;
  std::multimap<Steady::time_point, Task> waiting_;
  std::thread thread_;
};

RetryingSender::RetryingSender(Transport& transport, LaneId lane, Options options)
    : state_(std::make_shared<State>(transport, lane, options)) {}

RetryingSender::~RetryingSender() {
  state_->Stop();
}

void RetryingSender::Send(HttpCall call, Transport::Done done) {
  state_->Attempt({std::move(call), std::move(done)});
}

}  // namespace mlalert
