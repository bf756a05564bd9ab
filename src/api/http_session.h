// One connection's life as a state machine over a non-blocking socket: read head, read body, run handler,
// send, again. It never waits: Advance does what can be done now and says what to wait for, so that a slow or
// idle client costs a file descriptor and no thread. Requests of one connection are served one after the
// other (pipelining in order). An answer given before the body was read closes the connection: the rest must
// not become a request. Fed by: http_server.cc, which waits on behalf of all sessions. Owns: the socket.
// Borrows an HttpWorker for the time of a call. Thread: one at a time; the server hands a session from worker
// to worker.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/http_exchange.h"
#include "api/http_options.h"
#include "api/http_parse.h"
#include "api/http_router.h"
#include "api/http_stream.h"
#include "api/http_types.h"

namespace mlalert {

using HttpTime = std::chrono::steady_clock::time_point;

// Shared by all sessions of a server; constant but for the atomics.
struct HttpContext {
  HttpServerOptions options;
  HttpRouter router;
  HttpCounters counters;
  std::atomic<bool> stopping{false};
};

class HttpSession {
 public:
  enum class Want : uint8_t {
    kRead,
    kWrite,
    kTurn,   // there is more to do at once: call again when others had their turn
    kClose,  // destroy the session
  };
  struct Wait {
    Want want = Want::kClose;
    HttpTime deadline{};  // then call Expire()
    bool idle = false;    // between requests: may be closed without harm
  };

  // `fd` must be non-blocking; the session closes it. With options.tls the first thing is a handshake.
  HttpSession(HttpContext& context, int fd, std::string remote_addr, HttpTime now);
  ~HttpSession();
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  int fd() const { return stream_.fd(); }
  HttpTime idle_since() const { return idle_since_; }
  // The wait of a session that has not been advanced yet.
  Wait FirstWait() const;
  Wait Advance(HttpWorker& worker);
  Wait Expire(HttpWorker& worker);
  // Answers without reading (503 for one connection too many).
  Wait Refuse(HttpWorker& worker, const HttpFault& fault);

 private:
  enum class Phase : uint8_t { kHandshake, kHead, kBody, kSend, kLinger };
  // nullopt: go on in the (changed) phase.
  using Step = std::optional<Wait>;

  Step Handshake();
  Step ReadHead(HttpWorker& worker);
  Step ReadBody(HttpWorker& worker);
  Step Send();
  Step Linger(HttpWorker& worker);
  Wait Run(HttpWorker& worker);

  std::optional<HttpFault> ParseRequest();
  void BeginRequest(HttpWorker& worker);
  bool AnswerBeforeBody();
  void AnswerOutsidePrefix();
  void AnswerUnrouted(const std::string& allow);
  std::optional<HttpFault> BeginBody();
  bool GrowBody();
  // Takes bytes of a chunked body; `rest` receives what lies behind it when it is complete.
  std::optional<HttpFault> TakeChunks(std::string_view bytes, std::string_view& rest);
  std::optional<HttpFault> DecodeBody();
  void CompleteRequest(HttpWorker& worker);
  // GETs are limited in number.
  void RunGet();
  void RunHandler(const HttpHandler& handler);
  void OnException(std::string_view what);

  void Fail(HttpWorker& worker, const HttpFault& fault);
  void Finish(HttpWorker& worker);
  void NextRequest();
  void Recycle(HttpWorker& worker);

  bool HasBody() const;
  bool Charge(size_t bytes);
  void Discharge();
  HttpTime BodyDeadline() const;
  // What the stream was blocked on while it received.
  Want ReadWant() const { return stream_.wants_write() ? Want::kWrite : Want::kRead; }

  HttpContext& context_;
  const HttpLimits& limits_;
  HttpStream stream_;
  Phase phase_ = Phase::kHead;
  bool body_complete_ = false;
  bool linger_ = false;  // bytes of the client may be unread: drain before the close
  bool fresh_ = true;    // no request yet
  int turn_ = 0;         // requests served in this call of Advance
  HttpTime idle_since_;
  HttpTime phase_begin_;  // of head, body, sending or lingering
  HttpTime request_complete_;
  std::unique_ptr<HttpExchange> exchange_;
  std::string remote_addr_;
};

}  // namespace mlalert
