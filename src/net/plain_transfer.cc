#include "net/plain_transfer.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <sys/socket.h>
#include <utility>

namespace mlalert {

namespace {

constexpr size_t kReadBytes = size_t{64} << 10;

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

PlainTransfer::PlainTransfer(TransferShared& shared, PlainShared& plain, HttpCall call, bool fresh_connection)
    : shared_(shared),
      plain_(plain),
      call_(std::move(call)),
      fresh_connection_(fresh_connection),
      timeout_(call_.timeout > Duration(0) ? std::min(call_.timeout, kCallTimeoutMax) : kCallTimeoutDefault) {
}

PlainTransfer::~PlainTransfer() {
  curl_.reset();
  if (easy_ != nullptr) {
    plain_.handles.GiveBack(std::move(easy_));
  }
}

Transfer::Next PlainTransfer::Begin(MonoTime now) {
  started_ = now;
  deadline_ = started_ + timeout_;
  request_ = plain_.requests.Get(call_);
  if (request_ == nullptr || (call_.repeatable && plain_.connections.IsOdd(request_->origin, now))) {
    return LeaveToCurl(now);
  }
  if (fresh_connection_) {
    plain_.connections.Drop(request_->origin);
  } else {
    socket_ = plain_.connections.Take(request_->origin, now);
  }
  kept_ = static_cast<bool>(socket_);
  return kept_ ? SendRequest(now) : Connect(now);
}

Transfer::Next PlainTransfer::Connect(MonoTime now) {
  kept_ = false;
  dialer_ = std::make_unique<Dialer>(request_->url.host, request_->url.EffectivePort());
  return OnDialed(dialer_->Begin(now), now);
}

Transfer::Next PlainTransfer::OnDialed(Dialer::State state, MonoTime now) {
  switch (state) {
    case Dialer::State::kWaiting:
      if (now < deadline_) {
        return Next::kConverse;
      }
      return Failed(Failure::kTimeout,
                    fmt::format("deadline of {} exceeded {}", FormatGoDuration(timeout_), dialer_->Phase()));
    case Dialer::State::kFailed:
      return Failed(dialer_->failure(), std::string(dialer_->error()));
    case Dialer::State::kConnected:
      break;
  }
  socket_ = dialer_->Take();
  dialer_.reset();
  return SendRequest(now);
}

Transfer::Next PlainTransfer::HopDone(CURLcode code, MonoTime now) {
  return curl_->HopDone(code, now);
}

Transfer::Next PlainTransfer::SendRequest(MonoTime now) {
  sent_ = 0;
  reader_.emplace(call_.response_bytes_max,
                  call_.repeatable ? HttpAnswerReader::Mode::kStrict : HttpAnswerReader::Mode::kLenient);
  const bool has_body = call_.method == "POST";
  output_.clear();
  output_.reserve(request_->head.size() + call_.body.size() + 40);
  output_ += request_->head;
  if (has_body) {
    fmt::format_to(std::back_inserter(output_), "Content-Length: {}\r\n", call_.body.size());
  }
  output_ += "\r\n";
  output_ += call_.body;
  // The answer cannot be there yet.
  return SendSome(now).value_or(Next::kConverse);
}

std::optional<Transfer::Next> PlainTransfer::SendSome(MonoTime now) {
  while (sent_ < output_.size()) {
    const ssize_t sent =
        ::send(socket_.fd(), output_.data() + sent_, output_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      sent_ += static_cast<size_t>(sent);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      break;
    } else if (errno != EINTR) {
      const int error = errno;
      if (kept_) {
        return Lost(error, now);
      }
      // The server may have said why before it went away.
      sent_ = output_.size();
      break;
    }
  }
  return std::nullopt;
}

Transfer::Next PlainTransfer::Converse(MonoTime now) {
  if (dialer_) {
    return OnDialed(dialer_->Continue(now), now);
  }
  if (sent_ < output_.size()) {
    if (const std::optional<Next> next = SendSome(now)) {
      return *next;
    }
  }
  const Next next = Receive(now);
  if (next == Next::kConverse && now >= deadline_) {
    return Failed(Failure::kTimeout, fmt::format("deadline of {} exceeded {}", FormatGoDuration(timeout_),
                                                 reader_->started() ? "while reading the answer"
                                                                    : "while waiting for the answer"));
  }
  return next;
}

Transfer::Next PlainTransfer::Receive(MonoTime now) {
  plain_.buffer.resize(kReadBytes);
  for (;;) {
    const ssize_t received = ::recv(socket_.fd(), plain_.buffer.data(), plain_.buffer.size(), MSG_DONTWAIT);
    if (received < 0 && errno == EINTR) {
      continue;
    }
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      return Next::kConverse;
    }
    if (received == 0 && reader_->End() == HttpAnswerReader::State::kDone) {
      return Answered(now);
    }
    if (received <= 0) {
      return Lost(received == 0 ? 0 : errno, now);
    }
    const auto size = static_cast<size_t>(received);
    switch (reader_->Feed(std::string_view(plain_.buffer.data(), size))) {
      case HttpAnswerReader::State::kMore:
        break;
      case HttpAnswerReader::State::kDone:
        return Answered(now);
      case HttpAnswerReader::State::kOdd:
        if (call_.repeatable) {
          return LeaveToCurl(now);
        }
        return Failed(Failure::kOther,
                      reader_->bad_coding() ? "answer could not be decompressed" : "answer is not HTTP");
      case HttpAnswerReader::State::kHeadTooLarge:
        return Failed(Failure::kTooLarge, "headers of the answer are too large");
      case HttpAnswerReader::State::kBodyTooLarge:
        return Failed(Failure::kTooLarge,
                      fmt::format("answer is larger than {} bytes", call_.response_bytes_max));
    }
    // Others want to be served too, and what there is has most likely been read.
    return Next::kConverse;
  }
}

Transfer::Next PlainTransfer::Answered(MonoTime now) {
  const bool follows = call_.options == nullptr || call_.options->follow_redirects;
  const bool redirect = follows && IsRedirect(reader_->status());
  if (redirect && call_.repeatable) {
    return LeaveToCurl(now);
  }
  result_.status = reader_->status();
  result_.headers = std::move(reader_->headers());
  result_.body = std::move(reader_->body());
  if (reader_->keeps_alive() && sent_ == output_.size()) {
    plain_.connections.Put(request_->origin, std::move(socket_), now);
  }
  if (const std::string* location = redirect ? result_.Header("location") : nullptr;
      location != nullptr && !location->empty()) {
    socket_ = Socket();
    HttpResult answer = std::move(result_);
    return HandOver() ? curl_->Follow(std::move(answer), now) : Next::kFinished;
  }
  return Next::kFinished;
}

Transfer::Next PlainTransfer::Lost(int error, MonoTime now) {
  socket_ = Socket();
  if (kept_ && !reader_->started()) {
    // The server had closed it, or nobody is there any more; the others kept for it are no better.
    plain_.connections.Drop(request_->origin);
    return Connect(now);
  }
  switch (error) {
    case 0:
      return Failed(Failure::kReset, "connection closed before the answer was complete");
    case ECONNRESET:
      return Failed(Failure::kReset, "connection reset by peer");
    default:
      return Failed(Failure::kReset, fmt::format("connection lost (errno {})", error));
  }
}

Transfer::Next PlainTransfer::LeaveToCurl(MonoTime now) {
  if (request_ != nullptr && reader_) {
    plain_.connections.MarkOdd(request_->origin, now);
  }
  socket_ = Socket();
  return HandOver() ? curl_->Begin(now) : Next::kFinished;
}

bool PlainTransfer::HandOver() {
  std::string why;
  easy_ = plain_.handles.Take(why);
  if (easy_ == nullptr) {
    Failed(Failure::kOther, why);
    return false;
  }
  curl_ = std::make_unique<HttpTransfer>(easy_.get(), shared_, std::move(call_), fresh_connection_);
  curl_->SetStarted(started_);
  return true;
}

pollfd PlainTransfer::WaitsFor() const {
  if (dialer_) {
    return {dialer_->fd(), POLLIN, 0};
  }
  const bool sending = sent_ < output_.size();
  const auto events = static_cast<short>(POLLIN | (sending ? POLLOUT : 0));
  return {socket_.fd(), events, 0};
}

void PlainTransfer::Abort(Failure failure, std::string_view reason) {
  if (curl_) {
    curl_->Abort(failure, reason);
  } else {
    Failed(failure, reason);
  }
}

Transfer::Next PlainTransfer::Failed(Failure failure, std::string_view text) {
  socket_ = Socket();
  dialer_.reset();
  result_ = {};
  if (reader_) {
    result_.status = reader_->status();
    result_.headers = std::move(reader_->headers());
  }
  result_.failure = failure;
  result_.error = CallErrorText(call_.method, text);
  return Next::kFinished;
}

HttpResult PlainTransfer::TakeResult(MonoTime now) {
  if (curl_) {
    return curl_->TakeResult(now);
  }
  FinishHttpResult(result_, started_, now, *shared_.clock);
  return std::move(result_);
}

}  // namespace mlalert
