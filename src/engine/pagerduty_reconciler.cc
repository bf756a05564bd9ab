#include "engine/pagerduty_reconciler.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "base/log.h"
#include "notify/payload.h"

namespace mlalert {
namespace {

constexpr size_t kKeysMax = 300;  // a round; PagerDuty takes 960 requests a minute
constexpr size_t kQueueMax = 512;
// After the start, and after a reload.
constexpr Duration kFirstLook = std::chrono::seconds(5);
// Of a call; a round is over before the next one begins.
constexpr Duration kTimeoutMax = std::chrono::seconds(10);
constexpr Duration kRetryAfterMaxHere = std::chrono::hours(1);

}  // namespace

PagerdutyReconciler::PagerdutyReconciler(Transport& transport, Gate& gate)
    : transport_(transport), gate_(gate), files_(RealFiles()) {
  lane_ = transport_.OpenLane({.name = "pagerduty_rest", .calls_in_flight_max = 2, .queue_max = kQueueMax});
}

PagerdutyReconciler::~PagerdutyReconciler() {
  Stop();
}

void PagerdutyReconciler::SetConfig(ConfigPtr config) {
  std::lock_guard<std::mutex> lock(mutex_);
  config_ = std::move(config);
  asked_since_config_ = false;
  wake_.notify_one();
}

void PagerdutyReconciler::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void PagerdutyReconciler::Stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void PagerdutyReconciler::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    const ConfigPtr config = config_;
    const auto& pagerduty = config->inbound.pagerduty;
    const bool wanted = !pagerduty.api_token.empty() || !pagerduty.api_token_file.empty();
    const Duration wait = !wanted               ? Duration(std::chrono::hours(1))
                          : asked_since_config_ ? pagerduty.reconcile_interval
                                                : std::min(kFirstLook, pagerduty.reconcile_interval);
    const auto changed = [&] { return stopping_ || config_ != config; };
    if (wake_.wait_for(lock, wait, changed) || wake_.wait_until(lock, not_before_, changed) || !wanted) {
      continue;
    }
    asked_since_config_ = true;
    lock.unlock();
    Ask(config);
    lock.lock();
  }
}

void PagerdutyReconciler::Ask(const ConfigPtr& config) {
  const auto& pagerduty = config->inbound.pagerduty;
  auto token = ReadSecret(pagerduty.api_token, pagerduty.api_token_file, "api_token_file", files_);
  if (!token || token->empty()) {
    Complain(token ? "the token is empty" : token.error().message);
    return;
  }
  const std::vector<std::string> keys =
      gate_.Read([this](Engine& engine) { return engine.PagerdutyKeys(kKeysMax, asked_up_to_); });
  for (const std::string& key : keys) {
    HttpCall call;
    // A key is hexadecimal, and `#2`.
    std::string escaped = key;
    if (const size_t mark = escaped.find('#'); mark != std::string::npos) {
      escaped.replace(mark, 1, "%23");
    }
    call.url = fmt::format(
        "{}/incidents?incident_key={}&statuses%5B%5D=triggered&statuses%5B%5D=acknowledged"
        "&statuses%5B%5D=resolved&sort_by=created_at%3Adesc&limit=1",
        pagerduty.api_url, escaped);
    call.headers = {{"Authorization", "Token token=" + *token},
                    {"Accept", "application/vnd.pagerduty+json;version=2"}};
    call.timeout = std::min(kTimeoutMax, pagerduty.reconcile_interval);
    call.repeatable = true;
    transport_.Send(lane_, std::move(call),
                    [this, config](const HttpResult& result) { OnAnswer(config, result); });
  }
}

void PagerdutyReconciler::OnAnswer(const ConfigPtr& config, const HttpResult& result) {
  if (result.failure == Failure::kCancelled) {
    return;
  }
  if (!result.ok() || result.status / 100 != 2) {
    Complain(result.ok() ? fmt::format("it answers {}", result.status) : result.error);
    EndRound(result);
    return;
  }
  auto events = DecodePagerdutyIncidents(result.body);
  if (!events) {
    Complain(events.error().message);
    return;
  }
  Complain("");
  for (const PagerdutyEvent& event : *events) {
    PagerdutyReply reply;
    gate_.Enter([&](Engine& engine, Timestamp now, Effects& fx) {
      reply = engine.OnPagerduty(event, "", config->inbound.pagerduty.trust_remote_resolve, now, fx);
    });
    if (reply.result != "ignored" && reply.result != "noted") {
      LogInfo("PagerDuty says what no webhook has told",
              {{"incident", event.incident_id}, {"status", event.type}, {"result", reply.result}});
    }
  }
}

// What is wrong with PagerDuty, with the token or with how often it is asked is so for the other incidents of
// this round as well. A refusal (400, 404) is about one.
void PagerdutyReconciler::EndRound(const HttpResult& result) {
  if (result.ok() && (result.status == 400 || result.status == 404)) {
    return;
  }
  if (result.retry_after) {
    std::lock_guard<std::mutex> lock(mutex_);
    not_before_ = std::chrono::steady_clock::now() + std::min(*result.retry_after, kRetryAfterMaxHere);
  }
  transport_.CancelLane(lane_);
}

// Once, and when it is over.
void PagerdutyReconciler::Complain(std::string problem) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (problem == problem_) {
    return;
  }
  problem_ = std::move(problem);
  if (problem_.empty()) {
    LogInfo("PagerDuty can be asked again");
  } else {
    LogWarn("PagerDuty cannot be asked what has become of its incidents: only webhooks tell",
            {{"err", problem_}});
  }
}

}  // namespace mlalert
