#include "engine/rule_runner.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "rules/query_result.h"

namespace mlalert {
namespace {

// The wall clock may be stepped while we sleep: look again at least this often.
constexpr Duration kNapMax = std::chrono::milliseconds(500);

constexpr size_t kCallsInFlightMax = 1024;

// Less is a clock that is being put right, or a busy machine.
constexpr Duration kClockAheadMin = std::chrono::seconds(30);

// What an operator wants to find in the log as well as in the history.
void LogEvents(const std::vector<Record>& records) {
  for (const Record& record : records) {
    const auto* event = std::get_if<EventRecord>(&record);
    if (event == nullptr) {
      continue;
    }
    if (event->type == "datasource_unreachable") {
      LogError("A data source cannot be asked: what fires is held, nothing new can be seen",
               {{"datasource", event->to_value}, {"err", event->reason}});
    } else if (event->type == "datasource_recovered") {
      LogInfo("A data source answers again", {{"datasource", event->to_value}});
    } else if (event->type == "rule_failing") {
      LogWarn("A rule cannot be evaluated", {{"rule", event->to_value}, {"err", event->reason}});
    } else if (event->type == "rule_recovered") {
      LogInfo("A rule can be evaluated again", {{"rule", event->to_value}});
    } else if (event->type == "hold_expired") {
      LogWarn("An alert is no longer held", {{"rule", event->to_value}, {"err", event->reason}});
    }
  }
}

}  // namespace

RuleRunner::RuleRunner(RuleManagerOptions options, Gate& gate, Transport& transport, Clock& clock)
    : gate_(gate), transport_(transport), clock_(clock), manager_(std::move(options)) {}

RuleRunner::~RuleRunner() {
  Stop();
}

void RuleRunner::Start(std::vector<RuleGroup> groups, const Config& config,
                       std::vector<RuleStateRecord> restored) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    RuleEffects fx;
    Timestamp now = clock_.Now();
    manager_.SetRules(std::move(groups), config, now, fx);
    manager_.Restore(std::move(restored), now, fx);
    Drain(std::move(fx));
  }
  thread_ = std::thread([this] { Loop(); });
}

void RuleRunner::SetRules(std::vector<RuleGroup> groups, const Config& config) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    RuleEffects fx;
    manager_.SetRules(std::move(groups), config, clock_.Now(), fx);
    Drain(std::move(fx));
    if (manager_.NextDue() < waiting_for_) {
      wake_.notify_one();
    }
  }
}

void RuleRunner::Stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) {
      return;
    }
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void RuleRunner::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    Timestamp now = clock_.Now();
    FollowClock(now);
    Timestamp due = manager_.NextDue();
    if (due > now) {
      waiting_for_ = due;
      wake_.wait_for(lock, due == kNever ? kNapMax : std::min(due - now, kNapMax));
      waiting_for_ = kUnset;
      continue;
    }
    RuleEffects fx;
    manager_.RunDue(now, fx);
    Drain(std::move(fx));
  }
}

void RuleRunner::FollowClock(Timestamp now) {
  const auto steady = std::chrono::steady_clock::now();
  if (IsSet(last_wall_)) {
    const Duration ahead = (now - last_wall_) - (steady - last_steady_);
    if (ahead >= kClockAheadMin) {
      LogWarn("The clock has jumped ahead: time that nobody lived through does not count for rules",
              {{"seconds", ToSeconds(ahead)}});
      manager_.OnClockAhead(ahead);
    }
  }
  last_wall_ = now;
  last_steady_ = steady;
}

void RuleRunner::OnResult(QueryId id, HttpResult result) {
  // A large answer takes long to decode: not under the lock.
  QueryAnswer answer = DecodeQueryAnswer(std::move(result));
  std::lock_guard<std::mutex> lock(mutex_);
  if (stopping_) {
    return;
  }
  RuleEffects fx;
  const Timestamp due = manager_.OnQueryAnswer(id, std::move(answer), clock_.Now(), fx);
  Drain(std::move(fx));
  if (due < waiting_for_) {
    wake_.notify_one();
  }
}

void RuleRunner::Drain(RuleEffects fx) {
  if (!fx.records.empty()) {
    LogEvents(fx.records);
    gate_.journal().Append(std::move(fx.records));
  }
  if (!fx.alerts.empty()) {
    std::vector<Label> labels;
    std::vector<DecodedAlert> decoded = ToDecoded(fx.alerts, labels);
    gate_.Enter(
        [&](Engine& engine, Timestamp now, Effects& effects) { engine.Ingest(decoded, now, effects); });
    if (forward_) {
      forward_(fx.alerts);
    }
  }
  for (QueryRequest& query : fx.queries) {
    LaneId lane = LaneOf(query.datasource);
    transport_.Send(lane, std::move(query.call),
                    [this, id = query.id](HttpResult result) { OnResult(id, std::move(result)); });
  }
}

LaneId RuleRunner::LaneOf(const std::string& datasource) {
  auto it = lanes_.find(datasource);
  if (it == lanes_.end()) {
    LaneOptions options;
    options.name = "datasource/" + datasource;
    // The manager bounds what is in flight, by the data source's concurrency; the lane must never hold a
    // query back.
    options.calls_in_flight_max = kCallsInFlightMax;
    options.queue_max = 100000;
    it = lanes_.emplace(datasource, transport_.OpenLane(options)).first;
  }
  return it->second;
}

std::vector<RuleGroupView> RuleRunner::Groups() {
  std::lock_guard<std::mutex> lock(mutex_);
  return manager_.Snapshot(clock_.Now());
}

std::optional<RuleHistory> RuleRunner::History(uint64_t rule_id) {
  std::lock_guard<std::mutex> lock(mutex_);
  return manager_.History(rule_id, clock_.Now());
}

std::vector<DatasourceView> RuleRunner::Datasources() {
  std::lock_guard<std::mutex> lock(mutex_);
  return manager_.Datasources();
}

std::string RuleRunner::Problem() {
  std::lock_guard<std::mutex> lock(mutex_);
  return manager_.Problem(clock_.Now());
}

uint64_t RuleRunner::LateGroups() {
  std::lock_guard<std::mutex> lock(mutex_);
  return manager_.LateGroups(clock_.Now());
}

RuleManagerStats RuleRunner::Stats() {
  std::lock_guard<std::mutex> lock(mutex_);
  return manager_.Stats();
}

}  // namespace mlalert
