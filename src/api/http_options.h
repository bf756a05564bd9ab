// Everything the HTTP server can be told, and everything it counts.
// Fed by: cli/ from flags. Read by: http_server.cc, http_session.cc, and /metrics.
// Thread: options are constant once the server runs; counters are atomics, readable at any time.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/http_parse.h"
#include "api/http_types.h"
#include "api/tls_context.h"
#include "base/time.h"

namespace mlalert {

struct HttpLimits {
  HttpHeadLimits head{};
  size_t body_bytes_max = size_t{32} << 20;  // as sent, and again after decoding
  // Bodies still being received, all connections together: 1,000 clients with 32 MiB each must not fit in
  // memory.
  size_t buffered_bytes_max = size_t{256} << 20;
  size_t connections_max = 1000;

  // Deadlines are absolute: a byte now and then does not extend them.
  Duration head_timeout = std::chrono::seconds(10);
  Duration body_timeout = std::chrono::seconds(30);   // plus one second per rate_bytes_min received
  Duration write_timeout = std::chrono::seconds(30);  // plus one second per rate_bytes_min to send
  size_t rate_bytes_min = size_t{64} << 10;           // bytes per second a slow client must keep up
  // Longer than the 5 minutes after which Go's client closes, so that a request never meets our close.
  Duration idle_timeout = std::chrono::seconds(310);
  // When connections_max is reached, a connection that has been idle this long makes room for a new one.
  Duration idle_evictable_after = std::chrono::seconds(5);
  // After an early refusal we read and drop for so long, or a reset could destroy our answer on its way.
  Duration linger_timeout = std::chrono::seconds(2);
  Duration stop_timeout = std::chrono::seconds(10);

  size_t gzip_bytes_min = 1024;
};

struct HttpHooks {
  // Called when the head is there, before the body is read and before routing: authentication, CORS, common
  // headers. Returns true when it has answered; headers it sets stay on the response otherwise.
  std::function<bool(HttpRequest&, HttpResponse&)> before{};
  // No route: called with status 404, 405 (Allow is set) or 204 (OPTIONS, Allow is set) and a plain body
  // filled in; may rewrite all of it.
  HttpHandler unrouted{};
  // After every answer, refusals by the server included (then fields of the request may be empty). `elapsed`:
  // from the complete request to the answer, sending not included.
  std::function<void(const HttpRequest&, const HttpResponse&, Duration elapsed)> after{};
  // An exception left a handler or a hook; the client gets a 500 without details.
  std::function<void(const HttpRequest&, std::string_view what)> on_exception{};
};

struct HttpServerOptions {
  std::string host = "127.0.0.1";  // address or name; empty = all addresses, IPv6 and IPv4
  int port = 9093;                 // 0 = any free port, see HttpServer::port()
  std::vector<std::pair<std::string, int>> more_addresses{};
  std::vector<int> listening_fds{};  // sockets that listen already, in place of all addresses; taken over
  int workers = 8;
  int get_concurrency = 0;     // GET handlers at once, more get 503; 0: no limit
  Duration timeout{};          // a handler that took longer is answered with 503; zero: no limit
  std::string route_prefix{};  // "" or "/prefix"; one trailing '/' is cut
  HttpLimits limits{};
  HttpHooks hooks{};
  // Set: connections begin with a TLS handshake, under the context that this gives. Called by workers; null
  // ends the connection.
  std::function<std::shared_ptr<const TlsContext>()> tls{};
};

struct HttpCounters {
  std::atomic<uint64_t> requests{0};  // answered, refusals included
  // [2] = 2xx ... [5] = 5xx; [0] is unused.
  std::array<std::atomic<uint64_t>, 6> by_class{};
  std::array<std::atomic<uint64_t>, kHttpRefusals> refused{};  // index: HttpRefusal
  std::atomic<uint64_t> exceptions{0};
  std::atomic<uint64_t> tls_handshakes_failed{0};
  std::atomic<uint64_t> gets_refused{0};
  std::atomic<int> gets_in_flight{0};  // gauge
  std::atomic<uint64_t> connections_accepted{0};
  std::atomic<uint64_t> connections_evicted{0};  // idle, closed to make room
  std::atomic<uint64_t> connections_open{0};     // gauge
  std::atomic<uint64_t> buffered_bytes{0};       // gauge: bodies being received

  uint64_t Refused(HttpRefusal reason) const {
    return refused[static_cast<size_t>(reason)].load(std::memory_order_relaxed);
  }
};

}  // namespace mlalert
