#include "api/http_server.h"

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <httplib.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "api/http_dispatcher.h"
#include "api/http_session.h"

namespace mlalert {

namespace {

// The library listens with 5, which makes bursts of connecting clients wait for a retransmit.
constexpr int kBacklog = 1024;
constexpr auto kAcceptRetry = std::chrono::milliseconds(10);

// Accepting only registers the connection, so the accepting thread does it itself.
class InlineQueue final : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> task) override { task(); }
  void shutdown() override {}
};

class Listener final : public httplib::Server {
 public:
  explicit Listener(HttpDispatcher& dispatcher) : dispatcher_(dispatcher) {
    new_task_queue = [] { return new InlineQueue; };
    set_tcp_nodelay(true);
    // The default is SO_REUSEPORT: a second daemon on our port would silently take half of the alerts.
    set_socket_options([](socket_t sock) {
      int on = 1;
      (void)::setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
  }
  ~Listener() override {
    if (own_fd_ >= 0) {
      ::close(own_fd_);
    }
  }

  // Returns the port.
  mlalert::Result<int> Bind(const std::string& host, int port) {
    std::vector<std::string> hosts = {host};
    if (host.empty()) {
      hosts = {"::", "0.0.0.0"};  // the second for kernels without IPv6
    }
    for (const std::string& name : hosts) {
      errno = 0;
      int bound = port == 0 ? bind_to_any_port(name) : bind_to_port(name, port) ? port : -1;
      if (bound > 0) {
        own_fd_ = ::fcntl(svr_sock_, F_DUPFD_CLOEXEC, 0);
        if (own_fd_ >= 0 && ::listen(svr_sock_, kBacklog) == 0) {
          return bound;
        }
      }
      if (errno == EADDRINUSE) {
        break;
      }
    }
    std::string why = errno != 0 ? std::strerror(errno) : "unknown host";
    return Fail(ErrorCode::kUnavailable, "cannot listen on " +
                                             (host.find(':') != std::string::npos ? "[" + host + "]" : host) +
                                             ":" + std::to_string(port) + ": " + why);
  }

  // A socket that somebody else made and that listens. Returns the port, 0 for one that has none.
  mlalert::Result<int> Adopt(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    own_fd_ = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own_fd_ < 0 || ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      return Fail(ErrorCode::kUnavailable,
                  std::string("cannot use an inherited socket: ") + std::strerror(errno));
    }
    (void)::fcntl(fd, F_SETFD, FD_CLOEXEC);
    svr_sock_ = fd;
    return address.ss_family == AF_INET    ? ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port)
           : address.ss_family == AF_INET6 ? ntohs(reinterpret_cast<sockaddr_in6*>(&address)->sin6_port)
                                           : 0;
  }

  // Accepts until Close().
  void Run() {
    while (!closing_) {
      listen_after_bind();
      if (closing_) {
        return;
      }
      // The library gives up (and closes its descriptor) on any failure of accept() other than EMFILE, such
      // as ENFILE or ENOBUFS. Those pass: go on with a copy of the listening socket.
      std::this_thread::sleep_for(kAcceptRetry);
      svr_sock_ = ::fcntl(own_fd_, F_DUPFD_CLOEXEC, 0);
    }
  }

  void Close() {
    closing_ = true;
    // Wakes accept() with an error. The library's stop() would close the descriptor under the accepting
    // thread.
    ::shutdown(own_fd_, SHUT_RDWR);
  }

 private:
  bool process_and_close_socket(socket_t sock) override {
    dispatcher_.Accept(sock);
    return true;
  }

  HttpDispatcher& dispatcher_;
  std::atomic<bool> closing_{false};
  int own_fd_ = -1;
};

Status CheckOptions(HttpServerOptions& options) {
  std::string& prefix = options.route_prefix;
  while (prefix.ends_with('/')) {
    prefix.pop_back();
  }
  if (!prefix.empty() && !prefix.starts_with('/')) {
    prefix.insert(0, "/");
  }
  std::vector<int> ports = {options.port};
  for (const auto& [host, port] : options.more_addresses) {
    ports.push_back(port);
  }
  if (std::any_of(ports.begin(), ports.end(), [](int port) { return port < 0 || port > 65535; })) {
    return Fail(ErrorCode::kInvalid, "port must be between 0 and 65535");
  }
  if (options.workers < 1 || options.limits.connections_max < 1 || options.limits.rate_bytes_min < 1) {
    return Fail(ErrorCode::kInvalid, "workers, connections_max and rate_bytes_min must be at least 1");
  }
  return {};
}

}  // namespace

struct HttpServer::Impl {
  HttpContext context;
  HttpDispatcher dispatcher;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::thread> accepting;
  std::vector<int> ports;

  Impl(HttpServerOptions options, HttpRouter router)
      : context{.options = std::move(options), .router = std::move(router), .counters = {}},
        dispatcher(context) {}

  // Every address, or the inherited sockets.
  Status Listen() {
    const HttpServerOptions& options = context.options;
    for (int fd : options.listening_fds) {
      MLALERT_ASSIGN(int port, listeners.emplace_back(std::make_unique<Listener>(dispatcher))->Adopt(fd));
      ports.push_back(port);
    }
    if (!listeners.empty()) {
      return {};
    }
    std::vector<std::pair<std::string, int>> addresses = {{options.host, options.port}};
    addresses.insert(addresses.end(), options.more_addresses.begin(), options.more_addresses.end());
    for (const auto& [host, wanted] : addresses) {
      MLALERT_ASSIGN(int port,
                     listeners.emplace_back(std::make_unique<Listener>(dispatcher))->Bind(host, wanted));
      ports.push_back(port);
    }
    return {};
  }
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() {
  Stop();
}

Result<std::unique_ptr<HttpServer>> HttpServer::Start(HttpServerOptions options, HttpRouter router) {
  MLALERT_TRY(CheckOptions(options));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(router));
  MLALERT_TRY(impl->Listen());
  MLALERT_TRY(impl->dispatcher.Start());
  try {
    for (const auto& each : impl->listeners) {
      impl->accepting.emplace_back([listener = each.get()] { listener->Run(); });
    }
  } catch (const std::system_error& e) {
    for (const auto& listener : impl->listeners) {
      listener->Close();
    }
    for (std::thread& thread : impl->accepting) {
      thread.join();
    }
    return Fail(ErrorCode::kUnavailable, std::string("cannot start HTTP threads: ") + e.what());
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

int HttpServer::port() const {
  return impl_->ports.front();
}

std::vector<int> HttpServer::ports() const {
  return impl_->ports;
}

const HttpCounters& HttpServer::counters() const {
  return impl_->context.counters;
}

void HttpServer::Stop() {
  if (impl_->accepting.empty()) {
    return;
  }
  impl_->context.stopping = true;
  for (const auto& listener : impl_->listeners) {
    listener->Close();
  }
  for (std::thread& thread : impl_->accepting) {
    thread.join();
  }
  impl_->accepting.clear();
  impl_->dispatcher.Stop(impl_->context.options.limits.stop_timeout);
}

}  // namespace mlalert
