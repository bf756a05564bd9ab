#include "api/http_server.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "api/http_dispatcher.h"
#include "api/http_listener.h"
#include "api/http_session.h"

namespace mlalert {

namespace {

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
  std::vector<std::unique_ptr<HttpListener>> listeners;
  std::vector<std::thread> accepting;
  std::vector<int> ports;

  Impl(HttpServerOptions options, HttpRouter router)
      : context{.options = std::move(options), .router = std::move(router), .counters = {}},
        dispatcher(context) {}

  // Every address, or the inherited sockets.
  Status Listen() {
    const HttpServerOptions& options = context.options;
    for (int fd : options.listening_fds) {
      MLALERT_ASSIGN(int port, listeners.emplace_back(std::make_unique<HttpListener>())->Adopt(fd));
      ports.push_back(port);
    }
    if (!listeners.empty()) {
      return {};
    }
    std::vector<std::pair<std::string, int>> addresses = {{options.host, options.port}};
    addresses.insert(addresses.end(), options.more_addresses.begin(), options.more_addresses.end());
    for (const auto& [host, wanted] : addresses) {
      MLALERT_ASSIGN(int port, listeners.emplace_back(std::make_unique<HttpListener>())->Bind(host, wanted));
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
      impl->accepting.emplace_back([listener = each.get(), &dispatcher = impl->dispatcher] {
        listener->Run([&dispatcher](int fd) { dispatcher.Accept(fd); });
      });
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
