#include "net/http_transport.h"

#include <algorithm>
#include <pthread.h>
#include <set>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "net/curl_handle.h"
#include "net/http_transfer.h"
#include "net/plain_transfer.h"
#include "net/smtp_transfer.h"

namespace mlalert {

namespace {

constexpr int kPollMs = 60'000;
constexpr std::chrono::seconds kPruneEvery{5};

HttpResult Refusal(Failure failure, std::string text) {
  HttpResult result;
  result.failure = failure;
  result.error = std::move(text);
  return result;
}

// The daemon handles signals on its own thread, and OpenSSL writes without MSG_NOSIGNAL.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

class HttpTransport::Driver {
 public:
  static std::unique_ptr<Driver> Create(Clock& clock, HttpTransportOptions options) {
    auto driver = std::unique_ptr<Driver>(new Driver(clock, std::move(options)));
    return driver->woken_ ? std::move(driver) : nullptr;
  }
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  void Wake() {
    const uint64_t one = 1;
    // Fails only when as many wake-ups as there are numbers are waiting to be seen.
    static_cast<void>(::write(woken_.fd(), &one, sizeof(one)) == sizeof(one));
  }

  void Run(HttpTransport& transport) {
    for (;;) {
      bool busy = false;
      // Without a transfer of its own libcurl has nothing to do.
      if (performing_ > 0) {
        int running = 0;
        Curl().multi_perform(handles_.multi(), &running);
        busy = Reap(transport);
      }
      Work work = transport.TakeWork();
      busy = busy || !work.completions.empty() || !work.cancellations.empty();
      for (Startable& start : work.starts) {
        StartCall(transport, std::move(start));
      }
      for (const Cancellation& cancellation : work.cancellations) {
        CancelCalls(transport, cancellation);
      }
      for (Completion& completion : work.completions) {
        completion.done(std::move(completion.result));
      }
      if (work.stopping) {
        break;
      }
      // A `done` and the end of a call may have made a lane ready again.
      Wait(transport, busy || added_ || transport.HasWork());
      added_ = false;
    }
    while (!in_flight_.empty()) {
      CancelCall(transport, in_flight_.begin());
    }
  }

 private:
  struct InFlight {
    uint64_t seq = 0;
    LaneId lane{};
    Done done;
    Duration queued{0};
    // Before `transfer`, which points into it. Null: the transfer has none, or its own.
    CurlEasy easy;
    std::unique_ptr<Transfer> transfer;
    bool performing = false;  // the multi has the handle
  };
  using InFlightMap = std::map<uint64_t, InFlight>;

  // Until something happens, or not at all when `busy`. Moves the conversations on whose sockets are ready.
  void Wait(HttpTransport& transport, bool busy) {
    MonoTime now = std::chrono::steady_clock::now();
    MonoTime wake = now + std::chrono::milliseconds(busy ? 0 : kPollMs);
    waiting_.assign(conversing_.begin(), conversing_.end());
    sockets_.clear();
    for (const uint64_t seq : waiting_) {
      const Transfer& transfer = *in_flight_.at(seq).transfer;
      wake = std::min(wake, transfer.deadline());
      sockets_.push_back(transfer.WaitsFor());
    }
    sockets_.push_back({woken_.fd(), POLLIN, 0});
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(wake - now);
    Poll(static_cast<int>(std::max<int64_t>(ms.count(), 0)));
    if (sockets_.back().revents != 0) {
      uint64_t count = 0;
      static_cast<void>(::read(woken_.fd(), &count, sizeof(count)) == sizeof(count));
    }
    now = std::chrono::steady_clock::now();
    for (size_t i = 0; i < waiting_.size(); ++i) {
      const auto it = in_flight_.find(waiting_[i]);
      if (it != in_flight_.end() && (sockets_[i].revents != 0 || it->second.transfer->deadline() <= now)) {
        Continue(transport, it, it->second.transfer->Converse(now), now);
      }
    }
    if (now - pruned_at_ >= kPruneEvery) {
      pruned_at_ = now;
      plain_.connections.Prune(now);
    }
  }

  // Waits for sockets_ and for those of libcurl, where it has any.
  void Poll(int ms) {
    if (performing_ == 0) {
      ::poll(sockets_.data(), sockets_.size(), ms);
      return;
    }
    curl_sockets_.clear();
    for (const pollfd& socket : sockets_) {
      curl_sockets_.push_back({socket.fd, socket.events, 0});
    }
    Curl().multi_poll(handles_.multi(), curl_sockets_.data(), static_cast<unsigned>(curl_sockets_.size()), ms,
                      nullptr);
    for (size_t i = 0; i < sockets_.size(); ++i) {
      sockets_[i].revents = curl_sockets_[i].revents;
    }
  }

  Driver(Clock& clock, HttpTransportOptions options)
      : woken_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        shared_{.user_agent = std::move(options.user_agent), .clock = nullptr, .tokens = {}},
        plain_(shared_.user_agent, handles_) {
    shared_.clock = &clock;
  }

  void StartCall(HttpTransport& transport, Startable start) {
    const MonoTime now = std::chrono::steady_clock::now();
    InFlight flight;
    flight.seq = start.queued.seq;
    flight.lane = start.lane;
    flight.done = std::move(start.queued.done);
    flight.queued = now - start.queued.since;
    HttpCall& call = start.queued.call;
    if (call.smtp) {
      std::string why;
      flight.easy = handles_.Take(why);
      if (flight.easy == nullptr) {
        transport.CallEnded(flight.lane, Failure::kOther);
        flight.done(Refusal(Failure::kOther, why));
        return;
      }
      flight.transfer = std::make_unique<SmtpTransfer>(flight.easy.get(), std::move(call));
    } else {
      // What is not for it (TLS, proxies, OAuth) it leaves to libcurl.
      flight.transfer =
          std::make_unique<PlainTransfer>(shared_, plain_, std::move(call), start.fresh_connection);
    }
    const auto it = in_flight_.emplace(flight.seq, std::move(flight)).first;
    Continue(transport, it, it->second.transfer->Begin(now), now);
  }

  void Continue(HttpTransport& transport, InFlightMap::iterator it, Transfer::Next next, MonoTime now) {
    InFlight& flight = it->second;
    if (next == Transfer::Next::kConverse) {
      conversing_.insert(it->first);
      return;
    }
    if (next == Transfer::Next::kPerform) {
      conversing_.erase(it->first);
      CURL* const easy = flight.transfer->handle();
      Curl().easy_setopt(easy, CURLOPT_PRIVATE, static_cast<void*>(&flight));
      if (Curl().multi_add_handle(handles_.multi(), easy) == CURLM_OK) {
        flight.performing = true;
        ++performing_;
        added_ = true;
        return;
      }
      flight.transfer->Abort(Failure::kOther, "out of memory");
    }
    Finish(transport, it, now);
  }

  bool Reap(HttpTransport& transport) {
    bool any = false;
    int left = 0;
    while (const CURLMsg* message = Curl().multi_info_read(handles_.multi(), &left)) {
      if (message->msg != CURLMSG_DONE) {
        continue;
      }
      // Removing the handle frees the message.
      CURL* const easy = message->easy_handle;
      const CURLcode code = message->data.result;
      void* pointer = nullptr;
      Curl().easy_getinfo(easy, CURLINFO_PRIVATE, &pointer);
      const auto it = in_flight_.find(static_cast<InFlight*>(pointer)->seq);
      InFlight& flight = it->second;
      const bool stays = flight.transfer->StaysConnected();
      if (stays) {
        StopPerforming(flight);
      } else {
        Remove(flight);
      }
      const MonoTime now = std::chrono::steady_clock::now();
      const Transfer::Next next = flight.transfer->HopDone(code, now);
      if (stays && !flight.transfer->StaysConnected()) {
        Curl().multi_remove_handle(handles_.multi(), easy);
      }
      Continue(transport, it, next, now);
      any = true;
    }
    return any;
  }

  void StopPerforming(InFlight& flight) { performing_ -= std::exchange(flight.performing, false) ? 1 : 0; }

  // For one that stays connected this also closes the connection.
  void Remove(InFlight& flight) {
    StopPerforming(flight);
    if (CURL* const easy = flight.transfer->handle()) {
      Curl().multi_remove_handle(handles_.multi(), easy);
    }
  }

  void CancelCalls(HttpTransport& transport, const Cancellation& cancellation) {
    for (auto it = in_flight_.begin(); it != in_flight_.end() && it->first < cancellation.seq_end;) {
      const auto next = std::next(it);
      if (it->second.lane == cancellation.lane) {
        CancelCall(transport, it);
      }
      it = next;
    }
  }

  void CancelCall(HttpTransport& transport, InFlightMap::iterator it) {
    Remove(it->second);
    it->second.transfer->Abort(Failure::kCancelled, "call cancelled");
    Finish(transport, it, std::chrono::steady_clock::now());
  }

  void Finish(HttpTransport& transport, InFlightMap::iterator it, MonoTime now) {
    InFlight flight = std::move(it->second);
    if (flight.transfer->StaysConnected()) {
      Remove(flight);
    }
    conversing_.erase(it->first);
    in_flight_.erase(it);
    HttpResult result = flight.transfer->TakeResult(now);
    result.queued = flight.queued;
    flight.transfer.reset();
    if (flight.easy != nullptr) {
      handles_.GiveBack(std::move(flight.easy));
    }
    transport.CallEnded(flight.lane, result.failure);
    flight.done(std::move(result));
  }

  Socket woken_;  // an eventfd
  CurlHandles handles_;
  TransferShared shared_;
  PlainShared plain_;
  InFlightMap in_flight_;
  // Of in_flight_, those that speak by themselves.
  std::set<uint64_t> conversing_;
  size_t performing_ = 0;  // of in_flight_, those that libcurl moves on
  bool added_ = false;     // libcurl has not looked at some of them yet
  MonoTime pruned_at_{};
  // Reused.
  std::vector<uint64_t> waiting_;
  std::vector<pollfd> sockets_;
  std::vector<curl_waitfd> curl_sockets_;
};

Result<std::unique_ptr<HttpTransport>> HttpTransport::Start(Clock& clock, HttpTransportOptions options) {
  std::unique_ptr<Driver> driver = Driver::Create(clock, std::move(options));
  if (!driver) {
    return Fail(ErrorCode::kInternal, "too many open files");
  }
  return std::unique_ptr<HttpTransport>(new HttpTransport(std::move(driver)));
}

HttpTransport::HttpTransport(std::unique_ptr<Driver> driver) : driver_(std::move(driver)) {
  const SignalsBlocked blocked;
  thread_ = std::thread([this] { driver_->Run(*this); });
}

HttpTransport::~HttpTransport() {
  Shutdown();
}

LaneId HttpTransport::OpenLane(LaneOptions options) {
  const std::lock_guard lock(mutex_);
  const LaneId id{lane_next_++};
  Lane& lane = lanes_[id];
  lane.stats.name = options.name;
  lane.options = std::move(options);
  // None at all would never end a call.
  lane.options.calls_in_flight_max = std::max<size_t>(lane.options.calls_in_flight_max, 1);
  return id;
}

void HttpTransport::Send(LaneId id, HttpCall call, Done done) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (inbox_.stopping) {
      return;
    }
    const auto it = lanes_.find(id);
    if (it == lanes_.end() || it->second.closed) {
      inbox_.completions.push_back({std::move(done), Refusal(Failure::kCancelled, "lane is closed")});
    } else if (Lane& lane = it->second; lane.stats.in_flight + lane.queue.size() >=
                                        lane.options.calls_in_flight_max + lane.options.queue_max) {
      ++lane.stats.refused_total;
      ++lane.stats.results_total[static_cast<size_t>(Failure::kQueueFull)];
      inbox_.completions.push_back(
          {std::move(done), Refusal(Failure::kQueueFull, "queue of the lane is full")});
    } else {
      ++lane.stats.sent_total;
      lane.queue.push_back({seq_next_++, std::move(call), std::move(done), std::chrono::steady_clock::now()});
      MarkReady(id, lane);
    }
    // One wake-up serves everything that arrives before the thread looks; from a `done` it looks by itself.
    wake = !std::exchange(inbox_.woken, true) && std::this_thread::get_id() != thread_.get_id();
  }
  if (wake) {
    driver_->Wake();
  }
}

void HttpTransport::CancelLane(LaneId id) {
  {
    const std::lock_guard lock(mutex_);
    const auto it = lanes_.find(id);
    if (it == lanes_.end() || inbox_.stopping) {
      return;
    }
    CancelQueue(id, it->second);
  }
  driver_->Wake();
}

void HttpTransport::CloseLane(LaneId id) {
  {
    const std::lock_guard lock(mutex_);
    const auto it = lanes_.find(id);
    if (it == lanes_.end() || inbox_.stopping) {
      return;
    }
    it->second.closed = true;
    CancelQueue(id, it->second);
    EraseIfIdle(id);
  }
  driver_->Wake();
}

void HttpTransport::Shutdown() {
  std::call_once(shut_down_, [this] {
    {
      const std::lock_guard lock(mutex_);
      for (auto& [id, lane] : lanes_) {
        CancelQueue(id, lane);
      }
      inbox_.stopping = true;
    }
    driver_->Wake();
    thread_.join();
  });
}

std::vector<LaneStats> HttpTransport::Stats() const {
  const std::lock_guard lock(mutex_);
  std::vector<LaneStats> out;
  out.reserve(lanes_.size());
  for (const auto& [id, lane] : lanes_) {
    out.push_back(lane.stats);
    out.back().queued = lane.queue.size();
  }
  return out;
}

HttpTransport::Work HttpTransport::TakeWork() {
  const std::lock_guard lock(mutex_);
  Work work;
  inbox_.woken = false;
  for (const LaneId id : std::exchange(inbox_.ready, {})) {
    const auto it = lanes_.find(id);
    if (it == lanes_.end()) {
      continue;
    }
    Lane& lane = it->second;
    lane.ready = false;
    while (!lane.queue.empty() && lane.stats.in_flight < lane.options.calls_in_flight_max) {
      ++lane.stats.in_flight;
      work.starts.push_back({id, std::move(lane.queue.front()), lane.distrust_connections});
      lane.queue.pop_front();
    }
  }
  work.completions = std::exchange(inbox_.completions, {});
  work.cancellations = std::exchange(inbox_.cancellations, {});
  work.stopping = inbox_.stopping;
  return work;
}

bool HttpTransport::HasWork() const {
  const std::lock_guard lock(mutex_);
  return !inbox_.ready.empty() || !inbox_.completions.empty() || !inbox_.cancellations.empty() ||
         inbox_.stopping;
}

void HttpTransport::CallEnded(LaneId id, Failure failure) {
  const std::lock_guard lock(mutex_);
  const auto it = lanes_.find(id);
  if (it == lanes_.end()) {
    return;
  }
  Lane& lane = it->second;
  --lane.stats.in_flight;
  ++lane.stats.results_total[static_cast<size_t>(failure)];
  if (failure == Failure::kTimeout || failure == Failure::kReset) {
    lane.distrust_connections = true;
  } else if (failure == Failure::kNone) {
    lane.distrust_connections = false;
  }
  MarkReady(id, lane);
  EraseIfIdle(id);
}

void HttpTransport::MarkReady(LaneId id, Lane& lane) {
  if (!lane.ready && !lane.queue.empty() && lane.stats.in_flight < lane.options.calls_in_flight_max) {
    lane.ready = true;
    inbox_.ready.push_back(id);
  }
}

void HttpTransport::CancelQueue(LaneId id, Lane& lane) {
  const MonoTime now = std::chrono::steady_clock::now();
  for (Queued& queued : std::exchange(lane.queue, {})) {
    ++lane.stats.results_total[static_cast<size_t>(Failure::kCancelled)];
    Completion completion{std::move(queued.done), Refusal(Failure::kCancelled, "call cancelled")};
    completion.result.queued = now - queued.since;
    inbox_.completions.push_back(std::move(completion));
  }
  inbox_.cancellations.push_back({id, seq_next_});
}

void HttpTransport::EraseIfIdle(LaneId id) {
  const auto it = lanes_.find(id);
  if (it->second.closed && it->second.stats.in_flight == 0 && it->second.queue.empty()) {
    lanes_.erase(it);
  }
}

}  // namespace mlalert
