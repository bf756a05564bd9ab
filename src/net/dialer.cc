#include "net/dialer.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <mutex>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

namespace mlalert {

namespace {

constexpr std::chrono::milliseconds kNextAddressAfter{250};
constexpr size_t kAddressesMax = 16;

struct AddressListDeleter {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, AddressListDeleter>;

AddressList Resolve(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  return AddressList(failed == 0 ? list : nullptr);
}

}  // namespace

struct Dialer::Lookup {
  Socket done{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::mutex mutex;
  AddressList answer;  // null: nothing found

  // Outlives the dialer when the resolver hangs: nobody waits for it then.
  static void Run(const std::shared_ptr<Lookup>& lookup, const std::string& host, uint16_t port) {
    AddressList answer = Resolve(host, port);
    const std::lock_guard lock(lookup->mutex);
    lookup->answer = std::move(answer);
    const uint64_t one = 1;
    static_cast<void>(::write(lookup->done.fd(), &one, sizeof(one)) == sizeof(one));
  }
};

Dialer::Dialer(std::string host, uint16_t port)
    : host_(std::move(host)), port_(port), events_(::epoll_create1(EPOLL_CLOEXEC)) {}

Dialer::~Dialer() = default;

Dialer::State Dialer::Begin(MonoTime now) {
  if (!events_) {
    return Fail(Failure::kOther, "too many open files");
  }
  if (ReadAddress()) {
    return TryNext(now);
  }
  lookup_ = std::make_shared<Lookup>();
  if (!lookup_->done || !Watch(lookup_->done.fd(), EPOLLIN)) {
    return Fail(Failure::kOther, "too many open files");
  }
  try {
    std::thread(&Lookup::Run, lookup_, host_, port_).detach();
  } catch (const std::system_error&) {
    return Fail(Failure::kOther, "no thread for looking up the host name");
  }
  return State::kWaiting;
}

bool Dialer::ReadAddress() {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port_);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port_);
  if (::inet_pton(AF_INET, host_.c_str(), &v4.sin_addr) == 1) {
    Add(&v4, sizeof(v4));
  } else if (::inet_pton(AF_INET6, host_.c_str(), &v6.sin6_addr) == 1) {
    Add(&v6, sizeof(v6));
  }
  return !addresses_.empty();
}

void Dialer::Add(const void* address, socklen_t size) {
  Address& added = addresses_.emplace_back();
  added.size = size;
  std::memcpy(&added.bytes, address, size);
}

Dialer::State Dialer::Continue(MonoTime now) {
  if (lookup_ != nullptr) {
    return TakeAddresses(now);
  }
  const State state = Reap(now);
  if (state == State::kWaiting && now >= wake_at_) {
    return TryNext(now);
  }
  return state;
}

Dialer::State Dialer::TakeAddresses(MonoTime now) {
  uint64_t count = 0;
  if (::read(lookup_->done.fd(), &count, sizeof(count)) != sizeof(count)) {
    return State::kWaiting;
  }
  {
    const std::lock_guard lock(lookup_->mutex);
    for (const addrinfo* at = lookup_->answer.get(); at != nullptr && addresses_.size() < kAddressesMax;
         at = at->ai_next) {
      Add(at->ai_addr, at->ai_addrlen);
    }
  }
  ::epoll_ctl(events_.fd(), EPOLL_CTL_DEL, lookup_->done.fd(), nullptr);
  lookup_.reset();
  if (addresses_.empty()) {
    return Fail(Failure::kDns, fmt::format("lookup {}: host name could not be resolved", host_));
  }
  return TryNext(now);
}

Dialer::State Dialer::TryNext(MonoTime now) {
  while (next_ < addresses_.size()) {
    const Address& address = addresses_[next_++];
    Socket socket(::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
    if (!socket) {
      last_error_ = errno;
      continue;
    }
    ConfigureSocket(socket.fd());
    const auto* to = reinterpret_cast<const sockaddr*>(&address.bytes);
    if (::connect(socket.fd(), to, address.size) == 0) {
      connected_ = std::move(socket);
      trying_.clear();
      return State::kConnected;
    }
    if (errno != EINPROGRESS || !Watch(socket.fd(), EPOLLOUT)) {
      last_error_ = errno;
      continue;
    }
    trying_.push_back(std::move(socket));
    wake_at_ = next_ < addresses_.size() ? now + kNextAddressAfter : MonoTime::max();
    return State::kWaiting;
  }
  wake_at_ = MonoTime::max();
  if (!trying_.empty()) {
    return State::kWaiting;
  }
  return Fail(Failure::kConnect, last_error_ == EMFILE || last_error_ == ENFILE
                                     ? "too many open files"
                                     : fmt::format("connect to {} port {}: {}", host_, port_,
                                                   ConnectionErrorText(last_error_, "no connection")));
}

Dialer::State Dialer::Reap(MonoTime now) {
  epoll_event ready[kAddressesMax];
  const int count = ::epoll_wait(events_.fd(), ready, static_cast<int>(kAddressesMax), 0);
  bool failed = false;
  for (int i = 0; i < count; ++i) {
    const auto socket = std::find_if(trying_.begin(), trying_.end(),
                                     [&](const Socket& s) { return s.fd() == ready[i].data.fd; });
    if (socket == trying_.end()) {
      continue;
    }
    int error = 0;
    socklen_t size = sizeof(error);
    ::getsockopt(socket->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) {
      connected_ = std::move(*socket);
      trying_.clear();
      return State::kConnected;
    }
    last_error_ = error;
    trying_.erase(socket);
    failed = true;
  }
  return failed ? TryNext(now) : State::kWaiting;
}

bool Dialer::Watch(int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  return ::epoll_ctl(events_.fd(), EPOLL_CTL_ADD, fd, &event) == 0;
}

const char* Dialer::Phase() const {
  return lookup_ != nullptr ? "while resolving the host name" : "while connecting";
}

Dialer::State Dialer::Fail(Failure failure, std::string error) {
  failure_ = failure;
  error_ = std::move(error);
  return State::kFailed;
}

}  // namespace mlalert
