#include "cli/api_client.h"

#include <fmt/format.h>
#include <future>

#include "net/http_transport.h"

namespace mlalert {
namespace {

constexpr size_t kErrorTextMax = 500;

// What the server says went wrong, in any of the shapes of its APIs: {"error":..,"hint":..}, {"message":..},
// a bare JSON string. Empty when the body is something else (a proxy's HTML page).
Error ServerText(const std::string& body) {
  Error out{ErrorCode::kUnavailable, {}, {}, {}};
  auto json = ParseJson(body);
  if (!json) {
    return out;
  }
  for (const std::string* text :
       {&json->GetString("error"), &json->GetString("message"), &json->AsString()}) {
    if (out.message.empty()) {
      out.message = text->substr(0, kErrorTextMax);
    }
  }
  out.hint = json->GetString("hint").substr(0, kErrorTextMax);
  return out;
}

// The transport's text without what it says about the method and the hidden URL: `Get "<redacted>": `.
std::string_view Reason(std::string_view error) {
  constexpr std::string_view kHidden = "\"<redacted>\": ";
  size_t at = error.find(kHidden);
  return at == std::string_view::npos ? error : error.substr(at + kHidden.size());
}

ErrorCode CodeOfStatus(int status) {
  switch (status) {
    case 400:
    case 422:
      return ErrorCode::kInvalid;
    case 404:
      return ErrorCode::kNotFound;
    case 409:
      return ErrorCode::kConflict;
    case 413:
      return ErrorCode::kLimit;
    case 504:
      return ErrorCode::kDeadline;
    default:
      return ErrorCode::kUnavailable;
  }
}

}  // namespace

ApiClient::ApiClient(Url base, Duration timeout, std::unique_ptr<Clock> clock,
                     std::unique_ptr<Transport> transport)
    : base_(std::move(base)), timeout_(timeout), clock_(std::move(clock)), transport_(std::move(transport)) {
  lane_ = transport_->OpenLane({.name = "api"});
}

Result<ApiClient> ApiClient::Open(const ApiClientOptions& options) {
  auto base = ParseUrl(options.url);
  if (!base) {
    return Fail(Error{ErrorCode::kInvalid,
                      "--url: " + base.error().message,
                      {},
                      fmt::format("write it as {}", kDefaultApiUrl)});
  }
  if (!base->query.empty() || !base->fragment.empty()) {
    return Fail(Error{ErrorCode::kInvalid,
                      "--url: no query and no fragment may be in it",
                      {},
                      fmt::format("write it as {}", kDefaultApiUrl)});
  }
  auto clock = std::make_unique<SystemClock>();
  MLALERT_ASSIGN(auto transport, HttpTransport::Start(*clock));
  return ApiClient(std::move(*base), options.timeout, std::move(clock), std::move(transport));
}

Result<Json> ApiClient::Get(std::string_view path, const Query& query) {
  return Call({.method = "GET"}, path, query);
}

Result<Json> ApiClient::Post(std::string_view path, const Json& body) {
  HttpCall call;
  call.method = "POST";
  call.headers = {{"Content-Type", "application/json"}};
  call.body = body.Dump();
  return Call(std::move(call), path, {});
}

Result<Json> ApiClient::Call(HttpCall call, std::string_view path, const Query& query) {
  Url url = JoinPath(base_, path);
  url.query = EncodeForm(query);
  call.url = url.ToString();
  call.headers.emplace_back("Accept", "application/json");
  call.timeout = timeout_;
  call.response_bytes_max = kApiAnswerBytesMax;
  // Shared, so that a result that comes after we gave up has somewhere to go.
  auto promise = std::make_shared<std::promise<HttpResult>>();
  auto answer = promise->get_future();
  transport_->Send(lane_, std::move(call),
                   [promise](HttpResult result) { promise->set_value(std::move(result)); });
  HttpResult result = answer.get();
  if (!result.ok()) {
    return Fail(Unreachable(result));
  }
  if (result.status < 200 || result.status > 299) {
    return Fail(Refused(result));
  }
  auto json = ParseJson(result.body, {.depth_max = 64, .bytes_max = kApiAnswerBytesMax});
  if (!json || !(json->is_object() || json->is_array())) {
    return Fail(Error{ErrorCode::kUnavailable,
                      fmt::format("the answer of {} is not that of an mlalert", base_.Redacted()),
                      {},
                      "is something else listening there? --url or MLALERT_URL says where mlalert is"});
  }
  return std::move(*json);
}

Error ApiClient::Unreachable(const HttpResult& result) const {
  if (result.failure == Failure::kTimeout) {
    return {ErrorCode::kDeadline,
            fmt::format("no answer from mlalert at {} within {}", base_.Redacted(), FormatDuration(timeout_)),
            {},
            "--timeout gives it longer"};
  }
  std::string hint;
  if (result.failure == Failure::kConnect || result.failure == Failure::kDns) {
    hint = "is it running? start it with `mlalert serve`, or say where it is with --url or MLALERT_URL";
  } else if (result.failure == Failure::kTooLarge) {
    hint = "ask for less with --limit";
  }
  return {ErrorCode::kUnavailable,
          fmt::format("cannot ask mlalert at {}: {}", base_.Redacted(), Reason(result.error)),
          {},
          std::move(hint)};
}

Error ApiClient::Refused(const HttpResult& result) const {
  Error said = ServerText(result.body);
  Error out{CodeOfStatus(result.status), said.message, {}, said.hint};
  if (result.status == 401 || result.status == 403) {
    out.message = fmt::format("{} refuses access ({}){}{}", base_.Redacted(), result.status,
                              said.message.empty() ? "" : ": ", said.message);
    out.hint = "put the user into the URL: MLALERT_URL=http://USER:PASSWORD@HOST:PORT";
    return out;
  }
  if (said.message.empty()) {
    // Nothing of ours: a proxy, or another program.
    out.code = ErrorCode::kUnavailable;
    out.message = fmt::format("{} answered {} without saying why", base_.Redacted(), result.status);
    out.hint = "is that an mlalert, and is its --web.route-prefix part of the URL?";
  } else if (result.status >= 500 || out.code == ErrorCode::kUnavailable) {
    out.message = fmt::format("{} answered {}: {}", base_.Redacted(), result.status, said.message);
  }
  return out;
}

}  // namespace mlalert
