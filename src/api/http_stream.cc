#include "api/http_stream.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>

namespace mlalert {
namespace {

bool WouldBlock() {
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

int Clamp(size_t size) {
  return static_cast<int>(std::min<size_t>(size, INT_MAX));
}

}  // namespace

HttpStream::~HttpStream() {
  ssl_.reset();
  ::close(fd_);
}

bool HttpStream::StartTls(std::shared_ptr<const TlsContext> context) {
  context_ = std::move(context);
  ssl_ = context_->Accept(fd_);
  return ssl_ != nullptr;
}

// Turns a result of OpenSSL into ours.
ssize_t HttpStream::Outcome(int result, bool* clean_end) {
  const int why = SSL_get_error(ssl_.get(), result);
  wants_write_ = why == SSL_ERROR_WANT_WRITE;
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
    return kBlocked;
  }
  if (clean_end != nullptr) {
    *clean_end = why == SSL_ERROR_ZERO_RETURN;
  }
  established_ = false;  // nothing may be sent on it any more, not even the goodbye
  return kBroken;
}

ssize_t HttpStream::Handshake() {
  ERR_clear_error();
  const int result = SSL_accept(ssl_.get());
  if (result == 1) {
    established_ = true;
    return 1;
  }
  const ssize_t outcome = Outcome(result, nullptr);
  if (outcome == kBroken) {
    const int reason = ERR_GET_REASON(ERR_peek_last_error());
    if (reason == SSL_R_HTTP_REQUEST) {
      static constexpr std::string_view kPlain =
          "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
      (void)::send(fd_, kPlain.data(), kPlain.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    ERR_clear_error();
    // Closing a socket with unread bytes resets it, and takes the alert or the answer away from the client.
    constexpr int kReadsMax = 16;
    ::shutdown(fd_, SHUT_WR);
    char rest[4096];
    for (int i = 0; i < kReadsMax; ++i) {
      if (::recv(fd_, rest, sizeof(rest), MSG_DONTWAIT) <= 0) {
        break;
      }
    }
  }
  return outcome;
}

ssize_t HttpStream::Receive(char* to, size_t room) {
  if (ssl_ != nullptr) {
    ERR_clear_error();
    const int n = SSL_read(ssl_.get(), to, Clamp(room));
    if (n > 0) {
      return n;
    }
    bool clean_end = false;
    const ssize_t outcome = Outcome(n, &clean_end);
    if (clean_end) {
      established_ = true;  // the peer only ended its side
      return 0;
    }
    return outcome;
  }
  wants_write_ = false;
  for (;;) {
    const ssize_t n = ::recv(fd_, to, room, 0);
    if (n >= 0) {
      return n;
    }
    if (errno != EINTR) {
      return WouldBlock() ? kBlocked : kBroken;
    }
  }
}

ssize_t HttpStream::Send(std::string_view first, std::string_view second) {
  if (ssl_ != nullptr) {
    std::string_view part = first.empty() ? second : first;
    ERR_clear_error();
    const int n = SSL_write(ssl_.get(), part.data(), Clamp(part.size()));
    return n > 0 ? n : Outcome(n, nullptr);
  }
  wants_write_ = true;
  iovec parts[2];
  size_t count = 0;
  for (std::string_view part : {first, second}) {
    if (!part.empty()) {
      parts[count++] = {const_cast<char*>(part.data()), part.size()};
    }
  }
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = count;
  for (;;) {
    const ssize_t n = ::sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      return n;
    }
    if (errno != EINTR) {
      return WouldBlock() ? kBlocked : kBroken;
    }
  }
}

void HttpStream::EndSending() {
  if (ssl_ != nullptr && established_) {
    ERR_clear_error();
    (void)SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  ::shutdown(fd_, SHUT_WR);
}

}  // namespace mlalert
