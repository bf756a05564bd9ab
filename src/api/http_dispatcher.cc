#include "api/http_dispatcher.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace mlalert {

namespace {

using Steady = std::chrono::steady_clock;

// Slots beyond connections_max, so that a connection too many can still read its 503 before the close.
constexpr size_t kRefusalSlots = 64;
constexpr uint64_t kWakeId = UINT64_MAX;

uint64_t EventId(size_t index, uint32_t generation) {
  return (static_cast<uint64_t>(generation) << 32) | index;
}

std::string PeerAddress(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  char text[INET6_ADDRSTRLEN] = "";
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return {};
  }
  if (address.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(&address)->sin_addr, text, sizeof text);
  } else if (address.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6*>(&address)->sin6_addr, text, sizeof text);
  }
  std::string_view view = text;
  // An IPv4 client of a dual-stack socket is still an IPv4 client to whoever reads the log.
  if (view.starts_with("::ffff:") && view.find('.') != std::string_view::npos) {
    view.remove_prefix(7);
  }
  return std::string(view);
}

bool PrepareSocket(int fd) {
  int on = 1;
  // Head and body leave in one segment, and the last one must not wait for an acknowledgement.
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return ::fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

}  // namespace

HttpDispatcher::HttpDispatcher(HttpContext& context)
    : context_(context),
      connections_max_(context.options.limits.connections_max),
      slots_(new Slot[connections_max_ + kRefusalSlots]),
      slots_size_(connections_max_ + kRefusalSlots) {
  free_.reserve(slots_size_);
  for (size_t i = slots_size_; i-- > 0;) {
    free_.push_back(i);
  }
}

HttpDispatcher::~HttpDispatcher() {
  Stop(Duration::zero());
  if (epoll_fd_ >= 0) {
    ::close(epoll_fd_);
  }
  if (wake_fd_ >= 0) {
    ::close(wake_fd_);
  }
}

Status HttpDispatcher::Start() {
  epoll_fd_ = ::epoll_create1(EPOLL_CLOEXEC);
  wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeId;
  if (epoll_fd_ < 0 || wake_fd_ < 0 || ::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event) != 0) {
    return Fail(ErrorCode::kUnavailable, std::string("cannot create epoll: ") + std::strerror(errno));
  }
  next_deadline_ticks_ = HttpTime::max().time_since_epoch().count();
  try {
    for (int i = 0; i < std::max(1, context_.options.workers); ++i) {
      workers_.emplace_back([this] { WorkerLoop(); });
    }
    deadline_thread_ = std::thread([this] { DeadlineLoop(); });
  } catch (const std::system_error& e) {
    return Fail(ErrorCode::kUnavailable, std::string("cannot start HTTP threads: ") + e.what());
  }
  return {};
}

void HttpDispatcher::WorkerLoop() {
  HttpWorker worker;
  for (;;) {
    epoll_event event{};
    if (::epoll_wait(epoll_fd_, &event, 1, -1) <= 0) {
      continue;  // a signal
    }
    if (event.data.u64 == kWakeId) {
      return;
    }
    size_t index = 0;
    if (ClaimEvent(event.data.u64, index)) {
      Drive(index, [&](HttpSession& session) { return session.Advance(worker); });
    }
  }
}

template <class Turn>
void HttpDispatcher::Drive(size_t index, Turn turn) {
  HttpSession::Wait wait;
  try {
    wait = turn(*slots_[index].session);
  } catch (...) {
    // Out of memory, or a hook that throws: this connection ends, the server does not.
    context_.counters.exceptions.fetch_add(1, std::memory_order_relaxed);
    wait = {};
  }
  Settle(index, wait);
}

void HttpDispatcher::Settle(size_t index, const HttpSession::Wait& wait) {
  Slot& slot = slots_[index];
  bool waiting = false;
  if (wait.want != HttpSession::Want::kClose) {
    std::lock_guard lock(slot.mutex);
    if (!aborting_.load() && !(wait.idle && context_.stopping.load())) {
      // Registering under the mutex: nobody can close the descriptor in between, and an event finds us
      // waiting.
      epoll_event event{};
      event.events = EPOLLONESHOT;
      // A writable socket is ready at once: that is how kTurn queues behind the others.
      event.events |= wait.want == HttpSession::Want::kRead ? EPOLLIN : EPOLLOUT;
      event.data.u64 = EventId(index, slot.generation);
      int op = slot.registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
      slot.registered = true;
      slot.wait = wait;
      waiting = ::epoll_ctl(epoll_fd_, op, slot.session->fd(), &event) == 0;
      slot.state = waiting ? State::kWaiting : State::kBusy;
    }
  }
  if (waiting) {
    NoteDeadline(wait.deadline);
  } else {
    Release(index);
  }
}

bool HttpDispatcher::ClaimEvent(uint64_t id, size_t& index) {
  index = static_cast<size_t>(id & UINT32_MAX);
  Slot& slot = slots_[index];
  std::lock_guard lock(slot.mutex);
  if (slot.state != State::kWaiting || slot.generation != static_cast<uint32_t>(id >> 32)) {
    return false;
  }
  slot.state = State::kBusy;
  return true;
}

void HttpDispatcher::Release(size_t index) {
  Slot& slot = slots_[index];
  slot.session.reset();  // closes the descriptor, which also removes it from epoll
  {
    std::lock_guard lock(slot.mutex);
    slot.registered = false;
    slot.state = State::kFree;
    ++slot.generation;
  }
  std::lock_guard lock(free_mutex_);
  free_.push_back(index);
  context_.counters.connections_open.store(slots_size_ - free_.size(), std::memory_order_relaxed);
  if (free_.size() == slots_size_) {
    all_free_.notify_all();
  }
}

bool HttpDispatcher::TakeFreeSlot(size_t& index) {
  std::lock_guard lock(free_mutex_);
  if (free_.empty()) {
    return false;
  }
  index = free_.back();
  free_.pop_back();
  context_.counters.connections_open.store(slots_size_ - free_.size(), std::memory_order_relaxed);
  return true;
}

void HttpDispatcher::Accept(int fd) noexcept {
  std::lock_guard one_at_a_time(accept_mutex_);
  context_.counters.connections_accepted.fetch_add(1, std::memory_order_relaxed);
  size_t index = 0;
  if (context_.stopping.load() || !PrepareSocket(fd)) {
    ::close(fd);
    return;
  }
  // Only we take slots, so the number of open connections cannot grow behind our back.
  bool full =
      context_.counters.connections_open.load(std::memory_order_relaxed) >= connections_max_ && !EvictIdle();
  if (!TakeFreeSlot(index)) {
    context_.counters.refused[static_cast<size_t>(HttpRefusal::kTooManyConnections)].fetch_add(1);
    ::close(fd);
    return;
  }
  Slot& slot = slots_[index];
  {
    std::lock_guard lock(slot.mutex);
    slot.state = State::kBusy;
  }
  try {
    slot.session = std::make_unique<HttpSession>(context_, fd, PeerAddress(fd), Steady::now());
  } catch (...) {
    ::close(fd);
    Release(index);
    return;
  }
  Drive(index, [&](HttpSession& session) {
    return full ? session.Refuse(accept_worker_, {503, HttpRefusal::kTooManyConnections,
                                                  "too many connections, try again later"})
                : session.FirstWait();
  });
}

bool HttpDispatcher::EvictIdle() {
  HttpTime oldest = Steady::now() - context_.options.limits.idle_evictable_after;
  size_t victim = slots_size_;
  for (size_t i = 0; i < slots_size_; ++i) {
    std::lock_guard lock(slots_[i].mutex);
    if (slots_[i].state == State::kWaiting && slots_[i].wait.idle &&
        slots_[i].session->idle_since() <= oldest) {
      oldest = slots_[i].session->idle_since();
      victim = i;
    }
  }
  if (victim == slots_size_) {
    return false;
  }
  {
    std::lock_guard lock(slots_[victim].mutex);
    if (slots_[victim].state != State::kWaiting || !slots_[victim].wait.idle) {
      return false;  // it has just become busy
    }
    slots_[victim].state = State::kBusy;
  }
  context_.counters.connections_evicted.fetch_add(1, std::memory_order_relaxed);
  Release(victim);
  return true;
}

void HttpDispatcher::NoteDeadline(HttpTime deadline) {
  if (deadline.time_since_epoch().count() >= next_deadline_ticks_.load()) {
    return;
  }
  std::lock_guard lock(deadline_mutex_);
  if (deadline < next_deadline_) {
    next_deadline_ = deadline;
    next_deadline_ticks_ = deadline.time_since_epoch().count();
    deadline_changed_.notify_one();
  }
}

void HttpDispatcher::DeadlineLoop() {
  HttpWorker worker;
  std::unique_lock lock(deadline_mutex_);
  while (!deadline_stop_) {
    if (next_deadline_ == HttpTime::max()) {
      deadline_changed_.wait(lock);
      continue;
    }
    if (Steady::now() < next_deadline_) {
      deadline_changed_.wait_until(lock, next_deadline_);
      continue;
    }
    // "None" while we scan: whoever starts to wait behind our back then reports, however late its deadline
    // is.
    next_deadline_ = HttpTime::max();
    next_deadline_ticks_ = HttpTime::max().time_since_epoch().count();
    lock.unlock();
    HttpTime earliest = ExpireDue(worker);
    lock.lock();
    if (earliest < next_deadline_) {
      next_deadline_ = earliest;
      next_deadline_ticks_ = earliest.time_since_epoch().count();
    }
  }
}

HttpTime HttpDispatcher::ExpireDue(HttpWorker& worker) {
  HttpTime now = Steady::now();
  HttpTime earliest = HttpTime::max();
  for (size_t i = 0; i < slots_size_; ++i) {
    {
      std::lock_guard lock(slots_[i].mutex);
      if (slots_[i].state != State::kWaiting) {
        continue;
      }
      if (slots_[i].wait.deadline > now) {
        earliest = std::min(earliest, slots_[i].wait.deadline);
        continue;
      }
      slots_[i].state = State::kBusy;
    }
    Drive(i, [&](HttpSession& session) { return session.Expire(worker); });
  }
  return earliest;
}

void HttpDispatcher::CloseWaiting(bool idle_only) {
  for (size_t i = 0; i < slots_size_; ++i) {
    {
      std::lock_guard lock(slots_[i].mutex);
      if (slots_[i].state != State::kWaiting || (idle_only && !slots_[i].wait.idle)) {
        continue;
      }
      slots_[i].state = State::kBusy;
    }
    Release(i);
  }
}

void HttpDispatcher::Stop(Duration grace) {
  context_.stopping = true;
  CloseWaiting(true);
  {
    std::unique_lock lock(free_mutex_);
    all_free_.wait_for(lock, grace, [this] { return free_.size() == slots_size_; });
  }
  aborting_ = true;
  CloseWaiting(false);
  if (wake_fd_ >= 0) {
    // Never read, so every worker finds it. It cannot fail: the counter is far from its maximum.
    (void)::eventfd_write(wake_fd_, 1);
  }
  {
    std::lock_guard lock(deadline_mutex_);
    deadline_stop_ = true;
    deadline_changed_.notify_all();
  }
  for (std::thread& worker : workers_) {
    worker.join();
  }
  workers_.clear();
  if (deadline_thread_.joinable()) {
    deadline_thread_.join();
  }
}

}  // namespace mlalert
