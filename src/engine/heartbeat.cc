#include "engine/heartbeat.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/log.h"

namespace mlalert {
namespace {

constexpr Duration kLookEvery = std::chrono::seconds(2);

}  // namespace

Heartbeat::Heartbeat(Transport& transport, Clock& clock, std::function<HealthReport(Timestamp)> look)
    : transport_(transport), clock_(clock), look_(std::move(look)) {
  lane_ = transport_.OpenLane({.name = "heartbeat", .calls_in_flight_max = 1, .queue_max = 1});
}

Heartbeat::~Heartbeat() {
  Stop();
}

void Heartbeat::SetConfig(const HeartbeatConfig& config) {
  std::lock_guard<std::mutex> lock(mutex_);
  config_ = config;
  stats_.configured = !config_.url.empty();
  next_call_ = {};
  wake_.notify_one();
}

void Heartbeat::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void Heartbeat::Stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Heartbeat::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    LookOnce(lock);
    if (!stopping_) {
      wake_.wait_for(lock, std::min<Duration>(kLookEvery, config_.interval));
    }
  }
}

void Heartbeat::LookOnce(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  HealthReport report = look_(clock_.Now());
  lock.lock();
  const bool was_ok = stats_.health.ok();
  stats_.health = std::move(report);
  const bool ok = stats_.health.ok();
  if (was_ok && !ok) {
    LogWarn(stats_.configured ? "Not all is well: the heartbeat is withheld" : "Not all is well",
            {{"err", stats_.health.Text()}});
  } else if (!was_ok && ok) {
    LogInfo("All is well again");
  }
  const MonoTime now = std::chrono::steady_clock::now();
  if (!stats_.configured || now < next_call_ || under_way_ || stopping_) {
    return;
  }
  next_call_ = now + config_.interval;
  if (ok) {
    Call();
  } else {
    ++stats_.withheld;
  }
}

void Heartbeat::Call() {
  HttpCall call;
  call.method = config_.use_post ? "POST" : "GET";
  call.url = config_.url.Reveal();
  call.timeout = config_.timeout;
  call.options = config_.http_config;
  under_way_ = true;
  ++stats_.calls;
  transport_.Send(lane_, std::move(call), [this](const HttpResult& result) { OnResult(result); });
}

HeartbeatStats Heartbeat::Stats() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return stats_;
}

void Heartbeat::OnResult(const HttpResult& result) {
  std::lock_guard<std::mutex> lock(mutex_);
  under_way_ = false;
  const bool good = result.status / 100 == 2;
  if (good) {
    stats_.last_success = clock_.Now();
  } else if (result.failure != Failure::kCancelled) {
    ++stats_.failed_calls;
  }
  if (good == call_failed_) {
    call_failed_ = !good;
    if (good) {
      LogInfo("The heartbeat is taken again");
    } else {
      LogWarn("The heartbeat URL does not answer well",
              {{"err", result.status != 0 ? fmt::format("status {}", result.status) : result.error}});
    }
  }
}

}  // namespace mlalert
