#include "net/socket.h"

#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mlalert {

namespace {

constexpr unsigned kUnacknowledgedMsMax = 20'000;
constexpr int kKeepIdleSeconds = 30;
constexpr int kKeepIntervalSeconds = 10;

template <class T>
void SetOption(int fd, int level, int name, T value) {
  ::setsockopt(fd, level, name, &value, sizeof(value));
}

}  // namespace

Socket::~Socket() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

void ConfigureSocket(int fd) {
  SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kUnacknowledgedMsMax);
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepIdleSeconds);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepIntervalSeconds);
}

std::string_view ConnectionErrorText(int error, std::string_view fallback) {
  switch (error) {
    case ECONNREFUSED:
      return "connection refused";
    case ENETUNREACH:
      return "network is unreachable";
    case EHOSTUNREACH:
      return "no route to host";
    case ECONNRESET:
      return "connection reset by peer";
    case EPIPE:
      return "broken pipe";
    default:
      return fallback;
  }
}

}  // namespace mlalert
