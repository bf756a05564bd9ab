// A client that sends bytes as they are: what no well-behaved HTTP library would let a test do.
// Every wait ends after kPatience, so a broken server fails a test instead of hanging it.
#pragma once

#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

#include "api/http_types.h"

namespace mlalert::testing {

inline constexpr int kPatienceMs = 10'000;

struct RawReply {
  int status = 0;  // 0: the connection ended before a whole response
  std::string head;
  std::string body;

  std::string Header(std::string_view name) const {
    size_t begin = head.find("\r\n");
    while (begin != std::string::npos && begin + 2 < head.size()) {
      begin += 2;
      size_t end = head.find("\r\n", begin);
      std::string_view line = std::string_view(head).substr(begin, end - begin);
      size_t colon = line.find(": ");
      if (colon != std::string_view::npos && EqualsIgnoreCase(line.substr(0, colon), name)) {
        return std::string(line.substr(colon + 2));
      }
      begin = end;
    }
    return {};
  }
};

class RawClient {
 public:
  explicit RawClient(int port, int receive_buffer = 0) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1;  // pieces go out as they are sent
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() { ::close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }
  int fd() const { return fd_; }

  // False when the server has closed.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      if (!Ready(POLLOUT, kPatienceMs)) {
        return false;
      }
      ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n <= 0) {
        if (n < 0 && errno == EAGAIN) {
          continue;
        }
        return false;
      }
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }

  bool Readable(int milliseconds) { return !buffer_.empty() || Ready(POLLIN, milliseconds); }

  // One response. Responses to HEAD have a length and no body.
  RawReply Read(bool head_only = false) {
    RawReply reply;
    size_t end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!Fill()) {
        return reply;
      }
    }
    reply.head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    int status = std::atoi(reply.head.c_str() + 9);
    std::string text = reply.Header("Content-Length");
    size_t length = text.empty() || head_only ? 0 : std::stoul(text);
    while (buffer_.size() < length) {
      if (!Fill()) {
        return reply;
      }
    }
    reply.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    reply.status = status;
    return reply;
  }

  RawReply Ask(std::string_view bytes) {
    Send(bytes);
    return Read();
  }

  // True when the server closes without another byte.
  bool Closed() {
    if (!buffer_.empty()) {
      return false;
    }
    char c = 0;
    return Ready(POLLIN, kPatienceMs) && ::recv(fd_, &c, 1, 0) <= 0;
  }

 private:
  bool Ready(short events, int milliseconds) {
    pollfd waiting{fd_, events, 0};
    return ::poll(&waiting, 1, milliseconds) > 0;
  }

  bool Fill() {
    char chunk[16384];
    if (!Ready(POLLIN, kPatienceMs)) {
      return false;
    }
    ssize_t n = ::recv(fd_, chunk, sizeof chunk, 0);
    if (n <= 0) {
      return false;
    }
    buffer_.append(chunk, static_cast<size_t>(n));
    return true;
  }

  int fd_;
  bool connected_ = false;
  std::string buffer_;
};

}  // namespace mlalert::testing
