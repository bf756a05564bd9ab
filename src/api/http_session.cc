#include "api/http_session.h"

#include <algorithm>
#include <cstring>

#include "api/http_error.h"

namespace mlalert {

namespace {

using Steady = std::chrono::steady_clock;

constexpr size_t kHeadRoom = size_t{16} << 10;  // first receive: a head and the start of a body
constexpr int kRequestsPerTurn = 16;            // a pipelining client must let others in between
constexpr int kDrainsPerTurn = 16;
constexpr size_t kTlsJoinBytes = size_t{12} << 10;  // what fits into a TLS record together with a head

}  // namespace

HttpSession::HttpSession(HttpContext& context, int fd, std::string remote_addr, HttpTime now)
    : context_(context),
      limits_(context.options.limits),
      stream_(fd),
      idle_since_(now),
      phase_begin_(now),
      request_complete_(now),
      remote_addr_(std::move(remote_addr)) {
  if (context.options.tls) {
    phase_ = Phase::kHandshake;
  }
}

HttpSession::~HttpSession() {
  Discharge();
}

HttpSession::Wait HttpSession::FirstWait() const {
  return {Want::kRead, idle_since_ + limits_.head_timeout, true};
}

HttpSession::Wait HttpSession::Advance(HttpWorker& worker) {
  turn_ = 0;
  return Run(worker);
}

HttpSession::Wait HttpSession::Run(HttpWorker& worker) {
  for (;;) {
    Step step;
    switch (phase_) {
      case Phase::kHandshake:
        step = Handshake();
        break;
      case Phase::kHead:
        step = ReadHead(worker);
        break;
      case Phase::kBody:
        step = ReadBody(worker);
        break;
      case Phase::kSend:
        step = Send();
        break;
      case Phase::kLinger:
        step = Linger(worker);
        break;
    }
    if (step) {
      return *step;
    }
  }
}

HttpSession::Wait HttpSession::Expire(HttpWorker& worker) {
  turn_ = 0;
  switch (phase_) {
    case Phase::kHandshake:
      context_.counters.tls_handshakes_failed.fetch_add(1, std::memory_order_relaxed);
      return {};
    case Phase::kHead:
      if (!exchange_ || exchange_->in_size == 0) {
        return {};
      }
      Fail(worker, {408, HttpRefusal::kHeadTimeout, "request header took too long"});
      return Run(worker);
    case Phase::kBody:
      Fail(worker, {408, HttpRefusal::kBodyTimeout, "request body took too long"});
      return Run(worker);
    case Phase::kSend:
      context_.counters.refused[static_cast<size_t>(HttpRefusal::kWriteTimeout)].fetch_add(1);
      return {};
    case Phase::kLinger:
      return {};
  }
  return {};
}

HttpSession::Wait HttpSession::Refuse(HttpWorker& worker, const HttpFault& fault) {
  if (phase_ == Phase::kHandshake) {
    context_.counters.refused[static_cast<size_t>(fault.reason)].fetch_add(1, std::memory_order_relaxed);
    return {};  // a handshake only to say no would cost more than it tells
  }
  exchange_ = worker.Take();
  Fail(worker, fault);
  return Run(worker);
}

HttpSession::Step HttpSession::Handshake() {
  if (!stream_.is_tls()) {
    // As late as here, by a worker: making a context of changed files takes its time.
    std::shared_ptr<const TlsContext> tls = context_.options.tls();
    if (tls == nullptr || !stream_.StartTls(std::move(tls))) {
      return Wait{};
    }
  }
  const ssize_t n = stream_.Handshake();
  if (n > 0) {
    phase_ = Phase::kHead;
    idle_since_ = phase_begin_ = Steady::now();
    return std::nullopt;
  }
  if (n == HttpStream::kBlocked) {
    return Wait{ReadWant(), phase_begin_ + limits_.head_timeout, false};
  }
  context_.counters.tls_handshakes_failed.fetch_add(1, std::memory_order_relaxed);
  return Wait{};
}

HttpSession::Step HttpSession::ReadHead(HttpWorker& worker) {
  if (!exchange_) {
    exchange_ = worker.Take();
  }
  HttpExchange& x = *exchange_;
  for (;;) {
    if (x.in_size > 0) {
      HttpHeadScanner::State state = x.scanner.Scan({x.in.data(), x.in_size}, limits_.head);
      if (state == HttpHeadScanner::State::kComplete) {
        BeginRequest(worker);
        return std::nullopt;
      }
      if (state == HttpHeadScanner::State::kFault) {
        Fail(worker, x.scanner.fault());
        return std::nullopt;
      }
    }
    if (x.in_size == x.in.size()) {
      // The scanner refuses a head before this doubling gets large.
      x.in.resize(std::max(kHeadRoom, 2 * x.in.size()));
    }
    ssize_t n = stream_.Receive(x.in.data() + x.in_size, x.in.size() - x.in_size);
    if (n > 0) {
      if (x.in_size == 0 && !fresh_) {
        phase_begin_ = Steady::now();
      }
      x.in_size += static_cast<size_t>(n);
      continue;
    }
    if (n != HttpStream::kBlocked) {
      return Wait{};
    }
    if (x.in_size > 0) {
      return Wait{ReadWant(), phase_begin_ + limits_.head_timeout, false};
    }
    Recycle(worker);
    if (context_.stopping.load()) {
      return Wait{};
    }
    return Wait{ReadWant(), idle_since_ + (fresh_ ? limits_.head_timeout : limits_.idle_timeout), true};
  }
}

HttpSession::Step HttpSession::ReadBody(HttpWorker& worker) {
  HttpExchange& x = *exchange_;
  while (!body_complete_) {
    ssize_t n = 0;
    std::optional<HttpFault> fault;
    if (x.head.chunked) {
      n = stream_.Receive(worker.scratch(), HttpWorker::kScratchBytes);
      if (n > 0) {
        std::string_view rest;
        fault = TakeChunks({worker.scratch(), static_cast<size_t>(n)}, rest);
        x.carry = rest;
      }
    } else if (!GrowBody()) {
      fault = HttpFault{503, HttpRefusal::kOutOfBuffer, "too many request bodies at once"};
    } else {
      size_t end = std::min<size_t>(x.request.body.size(), x.head.content_length);
      n = stream_.Receive(x.request.body.data() + x.body_size, end - x.body_size);
      x.body_size += n > 0 ? static_cast<size_t>(n) : 0;
      body_complete_ = x.body_size == x.head.content_length;
    }
    if (fault) {
      Fail(worker, *fault);
      return std::nullopt;
    }
    if (n == 0 || n == HttpStream::kBroken) {
      return Wait{};
    }
    if (n < 0) {
      return Wait{ReadWant(), BodyDeadline(), false};
    }
  }
  CompleteRequest(worker);
  return std::nullopt;
}

HttpSession::Step HttpSession::Send() {
  HttpExchange& x = *exchange_;
  std::string_view body = x.send_body ? std::string_view(x.response.body) : std::string_view();
  size_t total = x.out_head.size() + body.size();
  while (x.sent < total) {
    const size_t head_sent = std::min(x.sent, x.out_head.size());
    ssize_t n = stream_.Send(std::string_view(x.out_head).substr(head_sent), body.substr(x.sent - head_sent));
    if (n >= 0) {
      x.sent += static_cast<size_t>(n);
    } else if (n == HttpStream::kBlocked) {
      return Wait{stream_.wants_write() ? Want::kWrite : Want::kRead,
                  phase_begin_ + limits_.write_timeout + std::chrono::seconds(total / limits_.rate_bytes_min),
                  false};
    } else {
      return Wait{};
    }
  }
  if (x.close_after) {
    if (!linger_ && x.in_size == x.in_parsed && x.carry.empty()) {
      if (stream_.is_tls()) {
        stream_.EndSending();  // the peer tells an end from a cut
      }
      return Wait{};
    }
    stream_.EndSending();
    phase_ = Phase::kLinger;
    phase_begin_ = Steady::now();
    Discharge();
    return std::nullopt;
  }
  NextRequest();
  if (x.in_size > 0 && ++turn_ >= kRequestsPerTurn) {
    return Wait{Want::kTurn, phase_begin_ + limits_.head_timeout, false};
  }
  return std::nullopt;
}

HttpSession::Step HttpSession::Linger(HttpWorker& worker) {
  if (exchange_) {
    Recycle(worker);
  }
  HttpTime deadline = phase_begin_ + limits_.linger_timeout;
  for (int i = 0; i < kDrainsPerTurn; ++i) {
    ssize_t n = stream_.Receive(worker.scratch(), HttpWorker::kScratchBytes);
    if (n == HttpStream::kBlocked) {
      return Wait{ReadWant(), deadline, false};
    }
    if (n <= 0) {
      return Wait{};
    }
  }
  return Wait{Steady::now() < deadline ? Want::kTurn : Want::kClose, deadline, false};
}

// --- from answer to wire ---

void HttpSession::Fail(HttpWorker& worker, const HttpFault& fault) {
  HttpExchange& x = *exchange_;
  context_.counters.refused[static_cast<size_t>(fault.reason)].fetch_add(1, std::memory_order_relaxed);
  x.request.body.clear();  // half a body, or none: not for hooks to see
  SetErrorText(x.response, fault.status, fault.text);
  if (fault.status == 503) {
    x.response.SetHeader("Retry-After", "1");
  } else if (fault.status == 415) {
    x.response.SetHeader("Accept-Encoding", "gzip");
  }
  x.close_after = true;
  linger_ = true;
  request_complete_ = Steady::now();
  Finish(worker);
}

void HttpSession::Finish(HttpWorker& worker) {
  HttpExchange& x = *exchange_;
  HttpCounters& counters = context_.counters;
  int status = x.response.status;
  x.close_after |= !x.head.keep_alive || context_.stopping.load(std::memory_order_relaxed);
  x.send_body = status >= 200 && status != 204 && status != 304 && x.head.method != "HEAD";
  EncodeResponse(x, worker, limits_.gzip_bytes_min);
  if (stream_.is_tls() && x.send_body && x.response.body.size() <= kTlsJoinBytes) {
    x.out_head += x.response.body;  // one record, not two
    x.send_body = false;
  }
  counters.requests.fetch_add(1, std::memory_order_relaxed);
  counters.by_class[static_cast<size_t>(std::clamp(status / 100, 0, 5))].fetch_add(1,
                                                                                   std::memory_order_relaxed);
  HttpTime now = Steady::now();
  if (const auto& after = context_.options.hooks.after) {
    try {
      after(x.request, x.response, now - request_complete_);
    } catch (...) {
      counters.exceptions.fetch_add(1, std::memory_order_relaxed);
    }
  }
  phase_ = Phase::kSend;
  phase_begin_ = now;
}

void HttpSession::NextRequest() {
  HttpExchange& x = *exchange_;
  Discharge();
  // What is left is the beginning of the next request: behind the body in `in`, or cut off a chunked body.
  size_t rest = x.in_size - x.in_parsed;
  std::memmove(x.in.data(), x.in.data() + x.in_parsed, rest);
  if (!x.carry.empty()) {
    rest = x.carry.size();
    x.in.resize(std::max(x.in.size(), rest));
    std::memcpy(x.in.data(), x.carry.data(), rest);
  }
  x.Reset();
  x.in_size = rest;
  phase_ = Phase::kHead;
  idle_since_ = phase_begin_ = Steady::now();
}

void HttpSession::Recycle(HttpWorker& worker) {
  Discharge();
  exchange_->Reset();
  exchange_->in_size = 0;
  worker.GiveBack(std::move(exchange_));
}

// --- accounting ---

bool HttpSession::Charge(size_t bytes) {
  HttpExchange& x = *exchange_;
  std::atomic<uint64_t>& total = context_.counters.buffered_bytes;
  if (bytes <= x.charged) {
    return true;
  }
  size_t more = bytes - x.charged;
  if (total.fetch_add(more, std::memory_order_relaxed) + more > limits_.buffered_bytes_max) {
    total.fetch_sub(more, std::memory_order_relaxed);
    return false;
  }
  x.charged = bytes;
  return true;
}

void HttpSession::Discharge() {
  if (exchange_ && exchange_->charged > 0) {
    context_.counters.buffered_bytes.fetch_sub(exchange_->charged, std::memory_order_relaxed);
    exchange_->charged = 0;
  }
}

HttpTime HttpSession::BodyDeadline() const {
  return phase_begin_ + limits_.body_timeout +
         std::chrono::seconds(exchange_->body_size / limits_.rate_bytes_min);
}

}  // namespace mlalert
