// What is not there: unknown paths and methods, and Alertmanager's removed API v1.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <fmt/format.h>
#include <thread>

#include "api/handlers.h"
#include "api/http_error.h"
#include "api/own_error.h"

namespace mlalert {
namespace {

constexpr std::string_view kV2 = "/api/v2/";
constexpr std::string_view kOwn = "/api/mlalert/";

bool IsUnder(std::string_view path, std::string_view folder) {
  return path.substr(0, folder.size()) == folder;
}

// "POST, GET" as Go prints a list of strings in these messages: "POST,GET".
std::string WithoutSpaces(std::string_view list) {
  std::string out;
  for (char c : list) {
    if (c != ' ') {
      out += c;
    }
  }
  return out;
}

// Those that the CORS library of upstream allows when nothing is configured.
bool AreSimpleHeaders(std::string_view list) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    std::string_view name = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    while (name.starts_with(' ')) {
      name.remove_prefix(1);
    }
    while (name.ends_with(' ')) {
      name.remove_suffix(1);
    }
    const bool simple = EqualsIgnoreCase(name, "accept") || EqualsIgnoreCase(name, "content-type") ||
                        EqualsIgnoreCase(name, "x-requested-with") || EqualsIgnoreCase(name, "origin");
    if (!simple) {
      return false;
    }
  }
  return true;
}

void DropNosniff(HttpResponse& response) {
  std::erase_if(response.headers,
                [](const auto& header) { return header.first == "X-Content-Type-Options"; });
}

void AnswerGone(HttpRequest&, HttpResponse& response) {
  response.status = 410;
  response.content_type = "application/json";
  response.body =
      R"({"status":"deprecated","error":"The Alertmanager v1 API was deprecated in version 0.16.0 and is )"
      R"(removed as of version 0.27.0 - please use the equivalent route in the v2 API"})"
      "\n";
}

}  // namespace

bool BeforeV2(const HttpRequest& request, HttpResponse& response) {
  if (!IsUnder(request.path, kV2)) {
    return false;
  }
  response.SetHeader("Cache-Control", "no-store");
  response.SetHeader("Vary", "Origin");
  const std::string_view wanted = request.Header("Access-Control-Request-Method");
  const bool preflight = request.method == "OPTIONS" && !wanted.empty();
  if (!preflight) {
    if (request.HasHeader("Origin")) {
      response.SetHeader("Access-Control-Allow-Origin", "*");
    }
    return false;
  }
  response.status = 204;
  response.SetHeader("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  const std::string_view headers = request.Header("Access-Control-Request-Headers");
  const bool simple = wanted == "GET" || wanted == "POST" || wanted == "HEAD";
  if (request.HasHeader("Origin") && simple && AreSimpleHeaders(headers)) {
    response.SetHeader("Access-Control-Allow-Origin", "*");
    response.SetHeader("Access-Control-Allow-Methods", wanted);
    if (!headers.empty()) {
      response.SetHeader("Access-Control-Allow-Headers", headers);
    }
  }
  return true;
}

namespace {

// At a start the state is back within milliseconds, as a rule. Rather a late answer than a refusal: a
// Prometheus sends what was refused again after a minute, a script never. Only some workers wait, so that the
// others tell that we are alive.
Status WaitUntilReady(const ApiContext& context) {
  constexpr auto kWaitMax = std::chrono::seconds(1);
  constexpr auto kStep = std::chrono::milliseconds(5);
  constexpr int kWaitersMax = 4;
  static std::atomic<int> waiters{0};
  Status ready = context.ready();
  if (ready) {
    return ready;
  }
  const bool may_wait = waiters.fetch_add(1) < kWaitersMax;
  const auto end = std::chrono::steady_clock::now() + kWaitMax;
  while (may_wait && !ready && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kStep);
    ready = context.ready();
  }
  waiters.fetch_sub(1);
  return ready;
}

}  // namespace

bool AnswerUnready(const ApiContext& context, const HttpRequest& request, HttpResponse& response) {
  if (!context.ready || !IsUnder(request.path, "/api/")) {
    return false;
  }
  Status ready = WaitUntilReady(context);
  if (ready) {
    return false;
  }
  std::string message = "not ready: " + ready.error().message;
  if (IsUnder(request.path, kV2)) {
    SetErrorString(response, 503, message);
  } else {
    SetOwnError(response, 503, message, "try again in a moment");
  }
  return true;
}

void AnswerUnrouted(const ApiContext& context, const HttpRequest& request, HttpResponse& response) {
  bool wrong_method = response.status == 405 || response.status == 204;
  const bool own = IsUnder(request.path, kOwn);
  constexpr std::string_view kOptions = ", OPTIONS";
  std::string allow(response.Header("Allow"));
  if (allow.ends_with(kOptions) && (IsUnder(request.path, kV2) || (own && response.status == 405))) {
    // Alertmanager does not count OPTIONS among them, nor do we.
    allow.resize(allow.size() - kOptions.size());
    response.SetHeader("Allow", allow);
  }
  if (IsUnder(request.path, kV2)) {
    // Go's plain errors carry it, go-openapi's do not.
    DropNosniff(response);
    if (wrong_method) {
      SetErrorObject(
          response, 405,
          fmt::format("method {} is not allowed, but [{}] are", request.method, WithoutSpaces(allow)));
    } else {
      SetErrorObject(response, 404, fmt::format("path {} was not found", request.raw_path));
    }
  } else if (request.path == "/api/v2") {
    DropNosniff(response);
    SetRedirect(response, 301, request.method, context.route_prefix + "/api/v2/");
  } else if (own && response.status != 204) {
    SetOwnError(response, response.status,
                wrong_method ? "this path does not take that method" : "no such path",
                wrong_method ? fmt::format("allowed: {}", response.Header("Allow")) : std::string());
  }
}

void AddRemovedV1(HttpRouter& router) {
  for (std::string_view path :
       {"/api/v1/status", "/api/v1/receivers", "/api/v1/silences", "/api/v1/silence/{id}"}) {
    router.Get(path, AnswerGone);
  }
  router.Post("/api/v1/alerts", AnswerGone);
  router.Post("/api/v1/silences", AnswerGone);
  router.Delete("/api/v1/silence/{id}", AnswerGone);
}

}  // namespace mlalert
