#include "api/http_listener.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace mlalert {

namespace {

constexpr int kBacklog = 1024;
// Out of descriptors or memory: it passes.
constexpr auto kAcceptRetry = std::chrono::milliseconds(10);

int PortOf(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return -1;
  }
  return address.ss_family == AF_INET    ? ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port)
         : address.ss_family == AF_INET6 ? ntohs(reinterpret_cast<sockaddr_in6*>(&address)->sin6_port)
                                         : 0;
}

// Another process that shares the socket may take a connection between our poll and our accept.
bool MakeNonBlocking(int fd) {
  return ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK) == 0;
}

}  // namespace

HttpListener::~HttpListener() {
  for (const int fd : {fd_, wake_fd_}) {
    if (fd >= 0) {
      ::close(fd);
    }
  }
}

bool HttpListener::BindTo(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) {
    errno = 0;
    return false;
  }
  int why = 0;
  for (const addrinfo* at = found; at != nullptr && fd_ < 0; at = at->ai_next) {
    const int fd = ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol);
    // Not SO_REUSEPORT: a second daemon on our port would silently take half of the alerts.
    const int on = 1;
    const int off = 0;
    if (fd >= 0) {
      (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
      if (at->ai_family == AF_INET6) {
        (void)::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
      }
    }
    if (fd >= 0 && ::bind(fd, at->ai_addr, at->ai_addrlen) == 0 && ::listen(fd, kBacklog) == 0) {
      fd_ = fd;
      break;
    }
    why = errno;
    if (fd >= 0) {
      ::close(fd);
    }
  }
  ::freeaddrinfo(found);
  errno = why;
  return fd_ >= 0;
}

Result<int> HttpListener::Bind(const std::string& host, int port) {
  std::vector<std::string> hosts = {host};
  if (host.empty()) {
    hosts = {"::", "0.0.0.0"};  // the second for kernels without IPv6
  }
  wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  for (const std::string& name : hosts) {
    if (wake_fd_ >= 0 && BindTo(name, std::to_string(port))) {
      return PortOf(fd_);
    }
    if (errno == EADDRINUSE) {
      break;
    }
  }
  const std::string why = errno != 0 ? std::strerror(errno) : "unknown host";
  const bool brackets = host.find(':') != std::string::npos;
  return Fail(ErrorCode::kUnavailable,
              fmt::format("cannot listen on {}:{}: {}", brackets ? "[" + host + "]" : host, port, why));
}

Result<int> HttpListener::Adopt(int fd) {
  wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int port = PortOf(fd);
  if (wake_fd_ < 0 || port < 0 || !MakeNonBlocking(fd)) {
    return Fail(ErrorCode::kUnavailable,
                std::string("cannot use an inherited socket: ") + std::strerror(errno));
  }
  (void)::fcntl(fd, F_SETFD, FD_CLOEXEC);
  fd_ = fd;
  return port;
}

void HttpListener::Run(const std::function<void(int)>& accepted) {
  std::array<pollfd, 2> wait{pollfd{fd_, POLLIN, 0}, pollfd{wake_fd_, POLLIN, 0}};
  while (!closing_) {
    if (::poll(wait.data(), wait.size(), -1) <= 0 || wait[0].revents == 0) {
      continue;
    }
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) {
      accepted(fd);
    } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
      std::this_thread::sleep_for(kAcceptRetry);
    }
  }
  // From here on nobody may connect to us; what is inherited goes on collecting for whoever comes next.
  ::close(std::exchange(fd_, -1));
}

void HttpListener::Close() {
  closing_ = true;
  const uint64_t one = 1;
  (void)!::write(wake_fd_, &one, sizeof one);
}

}  // namespace mlalert
