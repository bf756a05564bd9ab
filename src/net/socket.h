// A file descriptor of ours. Used by: net/. Closes when it goes. Thread: its owner's.
#pragma once

#include <string_view>
#include <utility>

namespace mlalert {

class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket();
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  explicit operator bool() const { return fd_ >= 0; }
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

// What every outgoing connection is set to: no delay, keep-alive, and given up by the kernel when sent data
// stays unacknowledged: a peer that vanished would leave it looking alive.
void ConfigureSocket(int fd);

// errno of a failed connection in the words that users know; `fallback` where there are none.
std::string_view ConnectionErrorText(int error, std::string_view fallback);

}  // namespace mlalert
