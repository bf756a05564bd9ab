// The middle of a session: from a complete head to the handler's answer. The ends, receiving and sending, are
// in http_session.cc.
#include <algorithm>
#include <cstring>
#include <exception>

#include "api/http_error.h"
#include "api/http_session.h"

namespace mlalert {

namespace {

using Steady = std::chrono::steady_clock;

constexpr size_t kBodyRoom = size_t{64} << 10;  // larger bodies get room as they arrive, not as they announce

bool HasDotSegment(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);
    size_t slash = path.find('/');
    std::string_view segment = path.substr(0, slash);
    if (segment == "." || segment == "..") {
      return true;
    }
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash);
  }
  return false;
}

std::string CollapseSlashes(std::string_view path) {
  std::string out;
  for (char c : path) {
    if (c != '/' || out.empty() || out.back() != '/') {
      out += c;
    }
  }
  return out;
}

}  // namespace

bool HttpSession::HasBody() const {
  return exchange_->head.chunked || exchange_->head.content_length > 0;
}

std::optional<HttpFault> HttpSession::ParseRequest() {
  HttpExchange& x = *exchange_;
  x.in_parsed = x.scanner.end();
  std::string_view head(x.in.data() + x.scanner.begin(), x.scanner.end() - x.scanner.begin());
  if (auto fault = ParseHttpHead(head, x.head, x.request.headers)) {
    return fault;
  }
  HttpRequest& request = x.request;
  request.method = x.head.method;
  request.remote_addr = remote_addr_;
  request.raw_path = x.head.path;
  request.raw_query = x.head.query;
  const std::string& prefix = context_.options.route_prefix;
  if (!prefix.empty()) {
    x.outside_prefix =
        !(x.head.path.starts_with(prefix) && x.head.path.substr(prefix.size()).starts_with('/'));
    request.raw_path.remove_prefix(x.outside_prefix ? 0 : prefix.size());
  }
  if (!PercentDecode(request.raw_path, false, request.path) || HasDotSegment(request.path)) {
    return HttpFault{400, HttpRefusal::kMalformed, "invalid path"};
  }
  if (!ParseHttpQuery(request.raw_query, request.query)) {
    return HttpFault{400, HttpRefusal::kMalformed, "invalid query"};
  }
  return std::nullopt;
}

void HttpSession::BeginRequest(HttpWorker& worker) {
  fresh_ = false;
  body_complete_ = false;
  if (auto fault = ParseRequest()) {
    Fail(worker, *fault);
    return;
  }
  request_complete_ = Steady::now();
  if (AnswerBeforeBody()) {
    // What follows on the wire is a body nobody reads; it must not be taken for a request.
    linger_ = HasBody();
    exchange_->close_after = HasBody();
    Finish(worker);
    return;
  }
  if (auto fault = BeginBody()) {
    Fail(worker, *fault);
    return;
  }
  phase_ = Phase::kBody;
  phase_begin_ = request_complete_;
}

bool HttpSession::AnswerBeforeBody() {
  HttpExchange& x = *exchange_;
  if (const auto& before = context_.options.hooks.before) {
    try {
      if (before(x.request, x.response)) {
        return true;
      }
    } catch (const std::exception& e) {
      OnException(e.what());
      return true;
    } catch (...) {
      OnException("unknown exception");
      return true;
    }
  }
  if (x.outside_prefix) {
    AnswerOutsidePrefix();
    return true;
  }
  HttpRouter::Match match = context_.router.Find(x.request.method, x.request.raw_path, x.request.path_params);
  if (match.route == nullptr) {
    AnswerUnrouted(match.allow);
    return true;
  }
  x.route = match.route;
  x.request.route = match.route->pattern;
  x.body_max = limits_.body_bytes_max;
  if (match.route->options.body_bytes_max > 0) {
    x.body_max = std::min(x.body_max, match.route->options.body_bytes_max);
  }
  return false;
}

void HttpSession::AnswerOutsidePrefix() {
  HttpExchange& x = *exchange_;
  const std::string& prefix = context_.options.route_prefix;
  if (x.head.path == "/" || x.head.path == prefix) {
    bool root = x.head.path == "/";
    SetRedirect(x.response, root ? 302 : 301, x.request.method, root ? prefix : prefix + "/");
  } else {
    SetErrorText(x.response, 404, "404 page not found");
  }
}

void HttpSession::AnswerUnrouted(const std::string& allow) {
  HttpExchange& x = *exchange_;
  bool options = x.request.method == "OPTIONS";
  if (!allow.empty()) {
    x.response.SetHeader("Allow", allow + ", OPTIONS");
  }
  if (options && (!allow.empty() || x.request.raw_path == "*")) {
    x.response.status = 204;
  } else if (!allow.empty()) {
    SetErrorText(x.response, 405, "Method Not Allowed");
  } else if (x.request.raw_path.find("//") != std::string_view::npos) {
    // As Go's mux: clients that join URLs carelessly find the way.
    std::string location = CollapseSlashes(context_.options.route_prefix + std::string(x.request.raw_path));
    if (!x.request.raw_query.empty()) {
      location.append("?").append(x.request.raw_query);
    }
    SetRedirect(x.response, 301, x.request.method, location);
    return;
  } else {
    SetErrorText(x.response, 404, "404 page not found");
  }
  if (const HttpHandler& unrouted = context_.options.hooks.unrouted) {
    RunHandler(unrouted);
  }
}

std::optional<HttpFault> HttpSession::BeginBody() {
  HttpExchange& x = *exchange_;
  if (!HasBody()) {
    body_complete_ = true;
    return std::nullopt;
  }
  if (x.head.content_length > x.body_max) {
    return HttpFault{413, HttpRefusal::kBodyTooLarge, "request body too large"};
  }
  x.request.body.swap(x.body_room);
  std::string_view here(x.in.data() + x.in_parsed, x.in_size - x.in_parsed);
  if (x.head.chunked) {
    x.request.body.clear();
    std::string_view rest;
    if (auto fault = TakeChunks(here, rest)) {
      return fault;
    }
    x.in_parsed = x.in_size - rest.size();
  } else {
    if (!GrowBody()) {
      return HttpFault{503, HttpRefusal::kOutOfBuffer, "too many request bodies at once"};
    }
    // GrowBody made room for kBodyRoom at least, but a pipelining client may have sent more than that
    // already.
    here = here.substr(0, std::min<size_t>(x.head.content_length, x.request.body.size()));
    std::memcpy(x.request.body.data(), here.data(), here.size());
    x.in_parsed += here.size();
    x.body_size = here.size();
    body_complete_ = x.body_size == x.head.content_length;
  }
  if (x.head.expect_continue && !body_complete_) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    // The send buffer is empty here, so this succeeds or the peer is gone; then receiving fails.
    (void)stream_.Send(kContinue, {});
  }
  return std::nullopt;
}

bool HttpSession::GrowBody() {
  HttpExchange& x = *exchange_;
  std::string& body = x.request.body;
  if (x.body_size > 0 && x.body_size < body.size()) {
    return true;
  }
  size_t arrived = x.in_size - x.in_parsed;
  size_t want = std::max({kBodyRoom, 2 * x.body_size, arrived, body.size()});
  want = std::min<size_t>(want, x.head.content_length);
  if (!Charge(want)) {
    return false;
  }
  if (body.size() < want) {
    body.resize(want);
  }
  return true;
}

std::optional<HttpFault> HttpSession::TakeChunks(std::string_view bytes, std::string_view& rest) {
  HttpExchange& x = *exchange_;
  size_t consumed = 0;
  ChunkedDecoder::State state = x.chunks.Feed(bytes, x.request.body, x.body_max, consumed);
  x.body_size = x.request.body.size();
  rest = bytes.substr(consumed);
  switch (state) {
    case ChunkedDecoder::State::kMalformed:
      return HttpFault{400, HttpRefusal::kMalformed, "malformed chunked body"};
    case ChunkedDecoder::State::kTooLarge:
      return HttpFault{413, HttpRefusal::kBodyTooLarge, "request body too large"};
    case ChunkedDecoder::State::kDone:
      body_complete_ = true;
      break;
    case ChunkedDecoder::State::kMore:
      break;
  }
  if (!Charge(x.body_size)) {
    return HttpFault{503, HttpRefusal::kOutOfBuffer, "too many request bodies at once"};
  }
  return std::nullopt;
}

std::optional<HttpFault> HttpSession::DecodeBody() {
  HttpExchange& x = *exchange_;
  std::string& body = x.request.body;
  body.resize(x.body_size);
  if (x.head.gzip_body && x.body_size > 0) {
    std::string plain;
    switch (Gunzip(body, x.body_max, plain)) {
      case GunzipResult::kMalformed:
        return HttpFault{400, HttpRefusal::kMalformed, "malformed gzip body"};
      case GunzipResult::kTooLarge:
        return HttpFault{413, HttpRefusal::kBodyTooLarge, "request body too large after decompression"};
      case GunzipResult::kOk:
        body.swap(plain);
        break;
    }
  }
  size_t size = body.size();
  body.append(kHttpBodyPadding, '\0');
  body.resize(size);
  return std::nullopt;
}

void HttpSession::CompleteRequest(HttpWorker& worker) {
  request_complete_ = Steady::now();
  if (auto fault = DecodeBody()) {
    Fail(worker, *fault);
    return;
  }
  if (exchange_->head.method == "GET") {
    RunGet();
  } else {
    RunHandler(exchange_->route->handler);
  }
  const Duration timeout = context_.options.timeout;
  if (timeout > Duration::zero() && Steady::now() - request_complete_ > timeout) {
    exchange_->response = HttpResponse();
    exchange_->response.status = 503;
    exchange_->response.content_type = "text/plain; charset=utf-8";
    exchange_->response.body = "Exceeded configured timeout of " + FormatGoDuration(timeout) + ".\n";
  }
  Finish(worker);
}

void HttpSession::RunGet() {
  HttpCounters& counters = context_.counters;
  const int limit = context_.options.get_concurrency;
  const int others = counters.gets_in_flight.fetch_add(1, std::memory_order_relaxed);
  if (limit > 0 && others >= limit) {
    counters.gets_refused.fetch_add(1, std::memory_order_relaxed);
    SetErrorText(
        exchange_->response, 503,
        "Limit of concurrent GET requests reached (" + std::to_string(limit) + "), try again later.\n");
  } else {
    RunHandler(exchange_->route->handler);
  }
  counters.gets_in_flight.fetch_sub(1, std::memory_order_relaxed);
}

void HttpSession::RunHandler(const HttpHandler& handler) {
  try {
    handler(exchange_->request, exchange_->response);
  } catch (const std::exception& e) {
    OnException(e.what());
  } catch (...) {
    OnException("unknown exception");
  }
}

void HttpSession::OnException(std::string_view what) {
  context_.counters.exceptions.fetch_add(1, std::memory_order_relaxed);
  if (const auto& hook = context_.options.hooks.on_exception) {
    hook(exchange_->request, what);
  }
  exchange_->response = HttpResponse();
  SetErrorText(exchange_->response, 500, "Internal Server Error");
}

}  // namespace mlalert
