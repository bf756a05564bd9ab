#include "notify/deliverer.h"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <exception>
#include <fmt/format.h>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>
#include <unistd.h>
#include <utility>

#include "notify/payload.h"

namespace mlalert {
namespace {

// Configs whose templates are kept for attempts that were made under them.
constexpr size_t kConfigsKept = 4;

using LaneKey = std::tuple<std::string, IntegrationKind, uint32_t>;

FailureReason ReasonOf(const HttpResult& result, DeliveryVerdict verdict) {
  switch (result.status) {
    case 401:
    case 403:
      return FailureReason::kAuthError;
    case 429:
      return FailureReason::kRateLimited;
    default:
      break;
  }
  if (result.status / 100 == 4) {
    return FailureReason::kClientError;
  }
  if (result.status / 100 == 5) {
    return FailureReason::kServerError;
  }
  if (result.status / 100 == 2) {  // the body said no
    return verdict == DeliveryVerdict::kFailed ? FailureReason::kClientError : FailureReason::kOther;
  }
  if (result.failure == Failure::kTimeout) {
    return FailureReason::kContextDeadlineExceeded;
  }
  return result.failure == Failure::kCancelled ? FailureReason::kContextCanceled : FailureReason::kOther;
}

std::string Hostname() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0' ? name : "localhost";
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

NotificationOutcome Unsent(const NotificationAttempt& attempt, DeliveryVerdict verdict, std::string error) {
  NotificationOutcome out;
  out.notification_id = attempt.notification->id;
  out.attempt = attempt.number;
  out.verdict = verdict;
  out.error = std::move(error);
  return out;
}

}  // namespace

std::string_view ToString(FailureReason reason) {
  constexpr std::array<std::string_view, kFailureReasons> kNames = {"other",
                                                                    "clientError",
                                                                    "authError",
                                                                    "rateLimited",
                                                                    "serverError",
                                                                    "contextCanceled",
                                                                    "contextDeadlineExceeded"};
  return kNames[static_cast<size_t>(reason)];
}

// Shared with the transport's callbacks, which may come after the deliverer is gone.
class Deliverer::State : public std::enable_shared_from_this<State> {
 public:
  State(Transport& transport, Clock& clock, Options options, Done done)
      : transport_(transport),
        clock_(clock),
        options_(std::move(options)),
        user_agent_("mlalert/" + options_.version),
        done_(std::move(done)) {
    if (options_.incident_url_prefix.empty()) {
      options_.incident_url_prefix = options_.external_url + "/ui/incidents/";
    }
  }

  void Start() {
    for (size_t i = 0; i < std::max<size_t>(options_.workers, 1); ++i) {
      threads_.emplace_back([this] { Work(); });
    }
  }

  void Stop();
  Status SetConfig(ConfigPtr config);
  std::vector<Error> TemplateWarnings();
  void Deliver(NotificationAttempt attempt);
  bool Drain(Duration time);
  DeliveryStats Stats();

 private:
  using Lock = std::unique_lock<std::mutex>;
  using TemplatesPtr = std::shared_ptr<const NotifyTemplates>;

  struct Lane {
    LaneId id{};
    std::deque<NotificationAttempt> queue;
    size_t in_flight = 0;  // from leaving the queue until its place is free again
    bool ready = false;    // in ready_
    bool wanted = true;    // by the current config
  };
  using Lanes = std::map<LaneKey, Lane>;

  // A call that the transport has.
  struct Flight {
    NotificationAttempt attempt;
    PreparedCall prepared;
    LaneKey lane;
    // The integration's `timeout`, when that is what bounds the attempt.
    Duration own_timeout{};
    Timestamp deadline = kNever;
  };
  struct Answer {
    uint64_t flight = 0;
    HttpResult result;
  };
  struct Refusal {
    NotificationAttempt attempt;
    std::string error;
    bool overflow = false;
  };

  void Work();
  void Begin(Lock& lock, const LaneKey& key);
  void Send(Lock& lock, const LaneKey& key, NotificationAttempt attempt);
  void Launch(Lock& lock, Flight flight);
  void Judge(Lock& lock, const Answer& answer);
  Result<PreparedCall> Build(Lock& lock, const Notification& n);
  Result<TemplatesPtr> TemplatesOf(Lock& lock, const ConfigPtr& config);
  // Counts and hands on; the lock is free while `done_` runs.
  void Report(Lock& lock, IntegrationKind kind, NotificationOutcome outcome, FailureReason reason);
  void FreePlace(const LaneKey& key);
  void MakeReady(const LaneKey& key, Lane& lane);
  void CloseIfUnused(Lanes::iterator it);
  Lane& LaneFor(const LaneKey& key);

  Transport& transport_;
  Clock& clock_;
  Options options_;
  const std::string user_agent_;
  const std::string hostname_ = Hostname();
  const ReceiverCachesPtr caches_ = std::make_shared<ReceiverCaches>();
  const Done done_;
  std::vector<std::thread> threads_;

  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable idle_;
  bool draining_ = false;
  bool stopping_ = false;
  std::vector<TemplatesPtr> templates_;  // the current config's last
  Lanes lanes_;
  std::deque<LaneKey> ready_;  // lanes with something to send and a free place, in turn
  std::deque<Answer> answers_;
  std::deque<Refusal> refusals_;
  std::map<uint64_t, Flight> flights_;
  uint64_t next_flight_ = 1;
  size_t unanswered_ = 0;
  std::array<DeliveryCounters, kIntegrationKinds> counters_;
};

void Deliverer::State::Stop() {
  {
    Lock lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
  Lock lock(mutex_);
  // What a receiver has already answered counts.
  while (!answers_.empty()) {
    Answer answer = std::move(answers_.front());
    answers_.pop_front();
    Judge(lock, answer);
  }
  std::vector<NotificationAttempt> left;
  for (Refusal& refusal : refusals_) {
    left.push_back(std::move(refusal.attempt));
  }
  for (auto& [id, flight] : flights_) {
    left.push_back(std::move(flight.attempt));
  }
  for (auto& [key, lane] : lanes_) {
    left.insert(left.end(), lane.queue.begin(), lane.queue.end());
    lane.queue.clear();
    transport_.CloseLane(lane.id);
  }
  refusals_.clear();
  flights_.clear();
  lanes_.clear();
  auto report = [&](const NotificationAttempt& attempt) {
    Report(lock, attempt.notification->integration.kind,
           Unsent(attempt, DeliveryVerdict::kRetry, "shutting down"), FailureReason::kContextCanceled);
  };
  std::for_each(left.begin(), left.end(), report);
  // What `done` asked for meanwhile.
  while (!refusals_.empty()) {
    NotificationAttempt attempt = std::move(refusals_.front().attempt);
    refusals_.pop_front();
    report(attempt);
  }
}

Status Deliverer::State::SetConfig(ConfigPtr config) {
  MLALERT_ASSIGN(TemplatesPtr templates, NotifyTemplates::Load(config, options_.files));
  Lock lock(mutex_);
  std::erase_if(templates_, [&](const TemplatesPtr& known) { return &known->config() == config.get(); });
  templates_.push_back(std::move(templates));
  if (templates_.size() > kConfigsKept) {
    templates_.erase(templates_.begin());
  }
  for (auto& [key, lane] : lanes_) {
    lane.wanted = false;
  }
  for (const Receiver& receiver : config->receivers) {
    for (IntegrationRef integration : IntegrationsOf(receiver)) {
      LaneFor({receiver.name, integration.kind, integration.index}).wanted = true;
    }
  }
  for (auto it = lanes_.begin(); it != lanes_.end();) {
    CloseIfUnused(it++);
  }
  return {};
}

std::vector<Error> Deliverer::State::TemplateWarnings() {
  Lock lock(mutex_);
  return templates_.empty() ? std::vector<Error>() : templates_.back()->warnings();
}

void Deliverer::State::Deliver(NotificationAttempt attempt) {
  const Notification& n = *attempt.notification;
  {
    Lock lock(mutex_);
    ++unanswered_;
    ++counters_[static_cast<size_t>(n.integration.kind)].attempts;
    LaneKey key{n.receiver->name, n.integration.kind, n.integration.index};
    if (draining_ || stopping_) {
      refusals_.push_back({std::move(attempt), "shutting down", false});
    } else if (Lane& lane = LaneFor(key); lane.queue.size() >= options_.lane_queue_max) {
      refusals_.push_back({std::move(attempt), "delivery queue is full", true});
    } else {
      // A P0 does not wait behind lesser news. All else keeps its order.
      auto place = lane.queue.end();
      if (n.MaxSeverity() == Severity::kP0) {
        place = std::find_if(lane.queue.begin(), lane.queue.end(), [](const NotificationAttempt& queued) {
          return queued.notification->MaxSeverity() != Severity::kP0;
        });
      }
      lane.queue.insert(place, std::move(attempt));
      MakeReady(key, lane);
    }
  }
  work_.notify_one();
}

bool Deliverer::State::Drain(Duration time) {
  Lock lock(mutex_);
  draining_ = true;
  return idle_.wait_for(lock, time, [&] { return unanswered_ == 0; });
}

DeliveryStats Deliverer::State::Stats() {
  Lock lock(mutex_);
  DeliveryStats out;
  out.by_kind = counters_;
  out.lanes = lanes_.size();
  for (const auto& [key, lane] : lanes_) {
    out.queued += lane.queue.size();
    out.in_flight += lane.in_flight;
  }
  return out;
}

void Deliverer::State::Work() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals belong to the main thread
  Lock lock(mutex_);
  while (true) {
    work_.wait(lock, [&] { return stopping_ || !answers_.empty() || !refusals_.empty() || !ready_.empty(); });
    if (stopping_) {
      return;
    }
    if (!answers_.empty()) {
      Answer answer = std::move(answers_.front());
      answers_.pop_front();
      Judge(lock, answer);
    } else if (!refusals_.empty()) {
      Refusal refusal = std::move(refusals_.front());
      refusals_.pop_front();
      IntegrationKind kind = refusal.attempt.notification->integration.kind;
      counters_[static_cast<size_t>(kind)].overflow += refusal.overflow ? 1 : 0;
      Report(lock, kind, Unsent(refusal.attempt, DeliveryVerdict::kRetry, std::move(refusal.error)),
             refusal.overflow ? FailureReason::kOther : FailureReason::kContextCanceled);
    } else {
      LaneKey key = std::move(ready_.front());
      ready_.pop_front();
      Begin(lock, key);
    }
  }
}

// Takes the next attempt of a ready lane.
void Deliverer::State::Begin(Lock& lock, const LaneKey& key) {
  Lane& lane = lanes_.at(key);
  lane.ready = false;
  NotificationAttempt attempt = std::move(lane.queue.front());
  lane.queue.pop_front();
  ++lane.in_flight;
  MakeReady(key, lane);
  Send(lock, key, std::move(attempt));
}

void Deliverer::State::Send(Lock& lock, const LaneKey& key, NotificationAttempt attempt) {
  const Notification& n = *attempt.notification;
  auto give_up = [&](DeliveryVerdict verdict, std::string error, FailureReason reason) {
    FreePlace(key);
    Report(lock, n.integration.kind, Unsent(attempt, verdict, std::move(error)), reason);
  };
  Result<PreparedCall> prepared = Build(lock, n);
  if (n.stopped->load(std::memory_order_acquire)) {
    give_up(DeliveryVerdict::kCancelled, "somebody acted before it could be delivered",
            FailureReason::kContextCanceled);
    return;
  }
  if (!prepared) {
    ErrorCode code = prepared.error().code;
    bool passing = code == ErrorCode::kIo || code == ErrorCode::kNotFound;
    give_up(passing ? DeliveryVerdict::kRetry : DeliveryVerdict::kFailed, prepared.error().ToString(),
            FailureReason::kOther);
    return;
  }
  // After rendering, which takes time too.
  Duration left = n.deadline == kNever ? Duration::max() : n.deadline - clock_.Now();
  if (left <= Duration::zero()) {
    give_up(DeliveryVerdict::kRetry, "the deadline passed before the attempt began",
            FailureReason::kContextDeadlineExceeded);
    return;
  }
  Duration own = IntegrationOf(*n.receiver, n.integration).timeout;
  bool own_bounds = own > Duration::zero() && own < left;
  Timestamp deadline = own_bounds ? clock_.Now() + own : n.deadline;
  Launch(lock, Flight{std::move(attempt), std::move(*prepared), key, own_bounds ? own : Duration::zero(),
                      deadline});
}

// The first call of an attempt, or a later one: the time is that of the whole attempt.
void Deliverer::State::Launch(Lock& lock, Flight flight) {
  HttpCall call = std::move(flight.prepared.call);
  call.timeout = flight.deadline - clock_.Now();
  uint64_t id = next_flight_++;
  LaneId lane = lanes_.at(flight.lane).id;
  flights_.emplace(id, std::move(flight));
  lock.unlock();
  transport_.Send(lane, std::move(call), [weak = weak_from_this(), id](HttpResult result) {
    if (auto state = weak.lock()) {
      {
        Lock answer_lock(state->mutex_);
        state->answers_.push_back({id, std::move(result)});
      }
      state->work_.notify_one();
    }
  });
  lock.lock();
}

void Deliverer::State::Judge(Lock& lock, const Answer& answer) {
  auto node = flights_.extract(answer.flight);
  if (node.empty()) {
    return;
  }
  Flight flight = std::move(node.mapped());
  lock.unlock();
  const Notification& n = *flight.attempt.notification;
  NextStep next = JudgeAnswer(n, flight.prepared, answer.result);
  lock.lock();
  if (next.call && !stopping_ && clock_.Now() < flight.deadline) {
    flight.prepared = std::move(*next.call);
    Launch(lock, std::move(flight));
    return;
  }
  FreePlace(flight.lane);
  NotificationOutcome outcome = std::move(next.outcome);
  if (next.call) {
    outcome = Unsent(flight.attempt, DeliveryVerdict::kRetry,
                     "the deadline passed between two calls of the attempt");
  }
  outcome.attempt = flight.attempt.number;
  if (answer.result.failure == Failure::kTimeout && flight.own_timeout > Duration::zero() &&
      outcome.verdict == DeliveryVerdict::kRetry) {
    outcome.error += fmt::format(": configured {} timeout reached ({})", ToString(n.integration.kind),
                                 FormatGoDuration(flight.own_timeout));
  }
  FailureReason reason = ReasonOf(answer.result, outcome.verdict);
  Report(lock, n.integration.kind, std::move(outcome), reason);
}

Result<PreparedCall> Deliverer::State::Build(Lock& lock, const Notification& n) {
  MLALERT_ASSIGN(TemplatesPtr templates, TemplatesOf(lock, n.config));
  lock.unlock();
  Result<PreparedCall> out = Fail(ErrorCode::kInternal, "rendering failed");
  try {
    const InboundConfig& inbound = n.config->inbound;
    auto links = std::make_shared<ActionLinks>();
    // A key that cannot be read: a message without links is better than none.
    links->key = LinkKeyOf(inbound, options_.link_key, options_.files).value_or("");
    links->base_url = PublicUrlOf(inbound, options_.external_url);
    links->expires_at = clock_.Now() + inbound.links.expires;
    out = BuildPayload(n, {.templates = *templates,
                           .files = options_.files,
                           .external_url = options_.external_url,
                           .incident_url_prefix = options_.incident_url_prefix,
                           .user_agent = user_agent_,
                           .now = clock_.Now(),
                           .caches = caches_,
                           .hostname = hostname_,
                           .environment = Environment,
                           .links = std::move(links)});
  } catch (const std::exception& e) {  // out of memory, above all
    out = Fail(ErrorCode::kInternal, fmt::format("rendering failed: {}", e.what()));
  }
  templates.reset();
  lock.lock();
  return out;
}

Result<Deliverer::State::TemplatesPtr> Deliverer::State::TemplatesOf(Lock& lock, const ConfigPtr& config) {
  for (const TemplatesPtr& known : templates_) {
    if (&known->config() == config.get()) {
      return known;
    }
  }
  // Of a config that is long gone, or never came through SetConfig.
  lock.unlock();
  auto loaded = NotifyTemplates::Load(config, options_.files);
  lock.lock();
  if (loaded && templates_.size() < kConfigsKept) {
    templates_.insert(templates_.begin(), *loaded);
  }
  return loaded;
}

void Deliverer::State::Report(Lock& lock, IntegrationKind kind, NotificationOutcome outcome,
                              FailureReason reason) {
  DeliveryCounters& counters = counters_[static_cast<size_t>(kind)];
  counters.latency_total += outcome.latency;
  ++counters.latencies[static_cast<size_t>(
      std::lower_bound(kLatencyBounds.begin(), kLatencyBounds.end(), outcome.latency) -
      kLatencyBounds.begin())];
  switch (outcome.verdict) {
    case DeliveryVerdict::kSent:
      ++counters.sent;
      break;
    case DeliveryVerdict::kRetry:
      ++counters.retry[static_cast<size_t>(reason)];
      break;
    case DeliveryVerdict::kFailed:
    case DeliveryVerdict::kCancelled:  // the engine's word, never a delivery's
      ++counters.failed[static_cast<size_t>(reason)];
      break;
  }
  lock.unlock();
  done_(std::move(outcome));
  lock.lock();
  if (--unanswered_ == 0) {
    idle_.notify_all();
  }
}

void Deliverer::State::FreePlace(const LaneKey& key) {
  auto it = lanes_.find(key);
  if (it == lanes_.end()) {
    return;
  }
  --it->second.in_flight;
  MakeReady(key, it->second);
  CloseIfUnused(it);
}

// Wakes a worker as well: the caller may go on to something long.
void Deliverer::State::MakeReady(const LaneKey& key, Lane& lane) {
  if (!lane.ready && !lane.queue.empty() && lane.in_flight < options_.lane_calls_max) {
    lane.ready = true;
    ready_.push_back(key);
    work_.notify_one();
  }
}

void Deliverer::State::CloseIfUnused(Lanes::iterator it) {
  const Lane& lane = it->second;
  if (!lane.wanted && lane.queue.empty() && lane.in_flight == 0) {
    transport_.CloseLane(lane.id);
    lanes_.erase(it);
  }
}

Deliverer::State::Lane& Deliverer::State::LaneFor(const LaneKey& key) {
  auto [it, fresh] = lanes_.try_emplace(key);
  if (fresh) {
    const auto& [receiver, kind, index] = key;
    // The queue is ours: a call that waits in the transport could not be dropped at its deadline.
    it->second.id = transport_.OpenLane({.name = fmt::format("{}/{}[{}]", receiver, ToString(kind), index),
                                         .calls_in_flight_max = options_.lane_calls_max,
                                         .queue_max = options_.lane_calls_max});
  }
  return it->second;
}

Deliverer::Deliverer(Transport& transport, Clock& clock, Options options, Done done)
    : state_(std::make_shared<State>(transport, clock, std::move(options), std::move(done))) {
  state_->Start();
}

Deliverer::~Deliverer() {
  state_->Stop();
}

Status Deliverer::SetConfig(ConfigPtr config) {
  return state_->SetConfig(std::move(config));
}

std::vector<Error> Deliverer::TemplateWarnings() const {
  return state_->TemplateWarnings();
}

void Deliverer::Deliver(NotificationAttempt attempt) {
  state_->Deliver(std::move(attempt));
}

bool Deliverer::Drain(Duration time) {
  return state_->Drain(time);
}

DeliveryStats Deliverer::Stats() const {
  return state_->Stats();
}

}  // namespace mlalert
