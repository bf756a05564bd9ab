// Resolves a host and connects to it over TCP, without waiting: a state machine whose one descriptor tells
// when to call it again. Names are looked up by a thread of their own, because getaddrinfo waits; addresses
// are tried in the resolver's order, the next one as soon as the last has failed or 250 ms have passed, and
// the first that answers wins (RFC 8305). Used by: net/plain_transfer. Owns: the sockets under way. Thread:
// one caller at a time. Time: the monotonic clock, passed in.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <vector>

#include "net/socket.h"
#include "net/transport.h"

namespace mlalert {

class Dialer {
 public:
  using MonoTime = std::chrono::steady_clock::time_point;
  enum class State : uint8_t { kWaiting, kConnected, kFailed };

  // A name, or an IP address without brackets.
  Dialer(std::string host, uint16_t port);
  ~Dialer();
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  State Begin(MonoTime now);
  // When the descriptor is readable, or `wake_at` has come.
  State Continue(MonoTime now);
  int fd() const { return events_.fd(); }
  MonoTime wake_at() const { return wake_at_; }
  // "while connecting" or "while resolving the host name": for who gives up on it.
  const char* Phase() const;

  // After kConnected.
  Socket Take() { return std::move(connected_); }
  // After kFailed.
  Failure failure() const { return failure_; }
  const std::string& error() const { return error_; }

 private:
  struct Lookup;  // shared with the thread that looks up
  struct Address {
    sockaddr_storage bytes;
    socklen_t size;
  };

  // Without waiting; false: it is a name.
  bool ReadAddress();
  void Add(const void* address, socklen_t size);
  State TakeAddresses(MonoTime now);
  // Starts with the next address that lets itself be tried.
  State TryNext(MonoTime now);
  State Reap(MonoTime now);
  bool Watch(int fd, uint32_t events);
  State Fail(Failure failure, std::string error);

  std::string host_;
  uint16_t port_;
  Socket events_;  // epoll: one descriptor for all that is under way
  std::shared_ptr<Lookup> lookup_;
  std::vector<Address> addresses_;
  size_t next_ = 0;
  std::vector<Socket> trying_;
  MonoTime wake_at_ = MonoTime::max();
  int last_error_ = 0;
  Socket connected_;
  Failure failure_ = Failure::kNone;
  std::string error_;
};

}  // namespace mlalert
