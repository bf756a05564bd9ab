// The bytes of one connection, plain or through TLS: never waits, says instead what to wait for.
// Fed by: http_session.cc. Owns: the socket and the TLS state on it. Thread: one at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <sys/types.h>

#include "api/tls_context.h"

namespace mlalert {

class HttpStream {
 public:
  // Results below zero. 0 is the end of the stream, more is a number of bytes.
  static constexpr ssize_t kBlocked = -1;  // wait for what wants_write() says
  static constexpr ssize_t kBroken = -2;

  // `fd` is non-blocking; it is closed with the stream.
  explicit HttpStream(int fd) : fd_(fd) {}
  ~HttpStream();
  HttpStream(const HttpStream&) = delete;
  HttpStream& operator=(const HttpStream&) = delete;

  int fd() const { return fd_; }
  bool is_tls() const { return ssl_ != nullptr; }

  // From now on everything goes through TLS. False: out of memory.
  bool StartTls(std::shared_ptr<const TlsContext> context);
  // 1: done. A client that speaks plain HTTP is told so, as Go's server does.
  ssize_t Handshake();

  ssize_t Receive(char* to, size_t room);
  // Both parts, the first one first; how many bytes of them went out.
  ssize_t Send(std::string_view first, std::string_view second);
  // No more from us; the peer may still send.
  void EndSending();
  // Of the last kBlocked: the socket must become writable, not readable.
  bool wants_write() const { return wants_write_; }

 private:
  ssize_t Outcome(int result, bool* clean_end);

  const int fd_;
  bool wants_write_ = false;
  bool established_ = false;
  std::shared_ptr<const TlsContext> context_;  // outlives ssl_
  SslPtr ssl_;
};

}  // namespace mlalert
