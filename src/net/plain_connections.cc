#include "net/plain_connections.h"

#include <cerrno>
#include <sys/socket.h>
#include <utility>

namespace mlalert {

namespace {

// Bytes that nobody asked for count as closed: they would be taken for the next answer.
bool IsQuiet(const Socket& socket) {
  char byte = 0;
  return ::recv(socket.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace

Socket PlainConnections::Take(const std::string& origin, MonoTime now) {
  const auto it = idle_.find(origin);
  if (it == idle_.end()) {
    return {};
  }
  Socket found;
  while (!found && !it->second.empty()) {
    Idle idle = std::move(it->second.back());
    it->second.pop_back();
    --count_;
    if (now - idle.since < kIdleSocketAgeMax && IsQuiet(idle.socket)) {
      found = std::move(idle.socket);
    }
  }
  return found;
}

void PlainConnections::Put(const std::string& origin, Socket socket, MonoTime now) {
  if (count_ < kIdleSocketsMax) {
    idle_[origin].push_back({std::move(socket), now});
    ++count_;
  }
}

void PlainConnections::Drop(const std::string& origin) {
  const auto it = idle_.find(origin);
  if (it != idle_.end()) {
    count_ -= it->second.size();
    idle_.erase(it);
  }
}

void PlainConnections::Prune(MonoTime now) {
  for (auto it = idle_.begin(); it != idle_.end();) {
    count_ -= std::erase_if(it->second, [&](const Idle& idle) {
      return now - idle.since >= kIdleSocketAgeMax || !IsQuiet(idle.socket);
    });
    it = it->second.empty() ? idle_.erase(it) : std::next(it);
  }
}

void PlainConnections::MarkOdd(const std::string& origin, MonoTime now) {
  if (odd_until_.size() >= kOddServersMax) {
    odd_until_.clear();
  }
  odd_until_[origin] = now + kOddServerFor;
}

bool PlainConnections::IsOdd(const std::string& origin, MonoTime now) {
  if (odd_until_.empty()) {
    return false;
  }
  const auto it = odd_until_.find(origin);
  if (it == odd_until_.end()) {
    return false;
  }
  if (now < it->second) {
    return true;
  }
  odd_until_.erase(it);
  return false;
}

}  // namespace mlalert
