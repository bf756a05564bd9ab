// The HTTP server: listens, enforces the limits of http_options.h and calls the router's handlers on its
// workers. cpp-httplib listens and accepts; from there on the connection is ours (http_dispatcher.h,
// http_session.h), because the library's own loop gives one thread to each connection and has few limits. Fed
// by: cli/ at start.   Owns: all threads and sockets of the server. Thread: Start and Stop from one thread;
// the others from any. Handlers run on the workers, several at a time.
#pragma once

#include <memory>
#include <vector>

#include "api/http_options.h"
#include "api/http_router.h"
#include "base/result.h"

namespace mlalert {

class HttpServer {
 public:
  // Listens when it returns. Errors: kInvalid (options), kUnavailable (address in use, not ours, no
  // permission).
  static Result<std::unique_ptr<HttpServer>> Start(HttpServerOptions options, HttpRouter router);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Of the first address; and of all of them.
  int port() const;
  std::vector<int> ports() const;
  const HttpCounters& counters() const;
  // Refuses new connections, closes idle ones, lets requests in flight finish for limits.stop_timeout.
  // Idempotent. Must not be called from a handler.
  void Stop();

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace mlalert
