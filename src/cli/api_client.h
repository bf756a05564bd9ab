// Asks a running mlalert over HTTP, one call at a time: JSON in, JSON out, every way to fail as an Error that
// says which server, what it answered and what to do about it.
// Used by: the subcommands that talk to the daemon. Owns: a transport with its thread. Thread: one.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "net/transport.h"
#include "net/url.h"

namespace mlalert {

inline constexpr const char* kDefaultApiUrl = "http://127.0.0.1:9093";
inline constexpr size_t kApiAnswerBytesMax = size_t{64} << 20;

struct ApiClientOptions {
  // A route prefix may be part of it; userinfo becomes basic auth.
  std::string url = kDefaultApiUrl;
  Duration timeout = std::chrono::seconds(15);
};

class ApiClient {
 public:
  using Query = std::vector<std::pair<std::string, std::string>>;

  // kInvalid: the URL is none.
  static Result<ApiClient> Open(const ApiClientOptions& options);

  // `path` begins with '/' and is escaped already. Errors: what the server said, as kInvalid (400, 422),
  // kNotFound (404), kConflict (409), kLimit (413), kDeadline (504 or no answer in time), else kUnavailable.
  Result<Json> Get(std::string_view path, const Query& query = {});
  Result<Json> Post(std::string_view path, const Json& body);

 private:
  ApiClient(Url base, Duration timeout, std::unique_ptr<Clock> clock, std::unique_ptr<Transport> transport);

  Result<Json> Call(HttpCall call, std::string_view path, const Query& query);
  Error Unreachable(const HttpResult& result) const;
  Error Refused(const HttpResult& result) const;

  Url base_;
  Duration timeout_;
  std::unique_ptr<Clock> clock_;  // outlives transport_
  std::unique_ptr<Transport> transport_;
  LaneId lane_{};
};

}  // namespace mlalert
