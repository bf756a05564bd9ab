#include "net/http_transfer.h"

#include <algorithm>
#include <fmt/format.h>
#include <random>
#include <utility>

#include "net/credentials.h"

namespace mlalert {

namespace {

const HttpOptions& DefaultOptions() {
  static const HttpOptions options = std::make_shared<const HttpClientConfig>();
  return options;
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string RandomUuid() {
  std::random_device random;
  const auto word = [&] { return static_cast<uint32_t>(random()); };
  const uint32_t middle = word();
  const uint32_t last = word();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:04x}{:08x}", word(), middle >> 16, middle & 0xfff,
                     0x8000 | (last >> 16 & 0x3fff), last & 0xffff, word());
}

// Says nothing about who is calling, so it may follow to any host.
bool IsHarmlessHeader(std::string_view name) {
  return SameHeaderName(name, "Content-Type") || SameHeaderName(name, "Accept") ||
         SameHeaderName(name, "Accept-Language");
}

// `location` read against `base`, as a browser would. Code kInvalid.
Result<Url> ResolveLocation(const Url& base, const std::string& location) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> handle(Curl().url(), Curl().url_cleanup);
  char* absolute = nullptr;
  const bool ok = handle != nullptr &&
                  Curl().url_set(handle.get(), CURLUPART_URL, base.ToWire().c_str(), 0) == CURLUE_OK &&
                  Curl().url_set(handle.get(), CURLUPART_URL, location.c_str(),
                                 CURLU_URLENCODE | CURLU_PATH_AS_IS) == CURLUE_OK &&
                  Curl().url_get(handle.get(), CURLUPART_URL, &absolute, 0) == CURLUE_OK;
  const std::unique_ptr<char, void (*)(void*)> owner(absolute, Curl().free);
  if (!ok) {
    return Fail(ErrorCode::kInvalid, "redirect to an invalid URL");
  }
  Result<Url> url = ParseUrl(absolute);
  if (!url) {
    return Fail(std::move(url.error()).Context("redirect"));
  }
  return url;
}

}  // namespace

HttpTransfer::HttpTransfer(CURL* easy, TransferShared& shared, HttpCall call, bool fresh_connection)
    : easy_(easy),
      shared_(shared),
      call_(std::move(call)),
      options_(call_.options ? call_.options : DefaultOptions()),
      fresh_connection_(fresh_connection) {}

Transfer::Next HttpTransfer::Begin(MonoTime now) {
  if (Status ready = Prepare(now); !ready) {
    return Failed(Failure::kOther, ready.error().message);
  }
  return Start(hop_ == Hop::kToken ? SetUpToken(now) : SetUpRequest(now));
}

Transfer::Next HttpTransfer::Follow(HttpResult answer, MonoTime now) {
  if (Status ready = Prepare(now); !ready) {
    return Failed(Failure::kOther, ready.error().message);
  }
  requests_ = 1;
  result_ = std::move(answer);
  return RequestDone(now);
}

Status HttpTransfer::Prepare(MonoTime now) {
  started_ = std::min(started_, now);
  timeout_ = call_.timeout > Duration(0) ? std::min(call_.timeout, kCallTimeoutMax) : kCallTimeoutDefault;
  deadline_ = started_ + timeout_;
  MLALERT_TRY(CheckCall());
  return PrepareRequest(now);
}

Status HttpTransfer::CheckCall() {
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (call_.method.empty() || call_.method.size() > 16 ||
      !std::all_of(call_.method.begin(), call_.method.end(), upper)) {
    call_.method = "?";
    return Fail(ErrorCode::kInvalid, "invalid method");
  }
  MLALERT_ASSIGN(url_, ParseUrl(call_.url));
  return {};
}

// Collects the header lines and decides whether a token must be fetched first.
Status HttpTransfer::PrepareRequest(MonoTime now) {
  headers_ = std::move(call_.headers);
  if (!HasHeader(headers_, "Authorization")) {
    std::string authorization;
    if (options_->oauth2) {
      MLALERT_ASSIGN(const std::string secret, OAuth2Secret(*options_->oauth2));
      token_key_ = OAuthTokens::Key(*options_->oauth2, secret);
      const std::string* token = shared_.tokens.Find(token_key_, now);
      if (token == nullptr) {
        hop_ = Hop::kToken;
        token_credentials_in_body_ = shared_.tokens.CredentialsInBody(token_key_);
      } else {
        authorization = *token;
      }
    } else {
      MLALERT_ASSIGN(authorization, AuthorizationValue(*options_, url_));
    }
    if (!authorization.empty()) {
      headers_.emplace_back("Authorization", std::move(authorization));
    }
  }
  MLALERT_ASSIGN(HttpHeaders configured, ConfiguredHeaders(*options_));
  std::move(configured.begin(), configured.end(), std::back_inserter(headers_));
  for (const auto& [name, value] : headers_) {
    if (!IsHeaderName(name)) {
      return Fail(ErrorCode::kInvalid, "invalid header name");
    }
    if (!IsHeaderValue(value)) {
      return Fail(ErrorCode::kInvalid, fmt::format("invalid value of header {}", name));
    }
  }
  return {};
}

Status HttpTransfer::SetUpToken(MonoTime now) {
  hop_ = Hop::kToken;
  const OAuth2& oauth2 = *options_->oauth2;
  MLALERT_ASSIGN(token_url_, ParseUrl(oauth2.token_url));
  MLALERT_ASSIGN(const std::string secret, OAuth2Secret(oauth2));
  OAuthTokenRequest request;
  if (UsesAssertion(oauth2)) {
    MLALERT_ASSIGN(request, MakeAssertionRequest(oauth2, secret, shared_.clock->Now(), RandomUuid()));
  } else {
    request = MakeTokenRequest(oauth2, secret, token_credentials_in_body_);
  }
  token_body_ = std::move(request.body);
  Curl().easy_reset(easy_);
  CurlOptions options(easy_);
  SetMethodAndBody(options, "POST", token_body_);
  header_list_ = {};
  AddHeaderLine("Content-Type", "application/x-www-form-urlencoded");
  AddHeaderLine("Accept", "application/json");
  if (!request.authorization.empty()) {
    AddHeaderLine("Authorization", request.authorization);
  }
  body_bytes_max_ = kTokenAnswerBytesMax;
  return SetUpHop(options, token_url_, oauth2.tls, oauth2.proxy, now);
}

Status HttpTransfer::SetUpRequest(MonoTime now) {
  hop_ = Hop::kRequest;
  ++requests_;
  Curl().easy_reset(easy_);
  CurlOptions options(easy_);
  SetMethodAndBody(options, call_.method, call_.body);
  header_list_ = {};
  for (const auto& [name, value] : headers_) {
    AddHeaderLine(name, value);
  }
  if (!HasHeader(headers_, "Content-Type")) {
    // libcurl would claim a body to be a form.
    header_list_.Add("Content-Type:");
  }
  body_bytes_max_ = call_.response_bytes_max;
  return SetUpHop(options, url_, options_->tls, options_->proxy, now);
}

void HttpTransfer::SetMethodAndBody(CurlOptions& options, const std::string& method,
                                    const std::string& body) {
  const bool takes_body = method == "POST" || method == "PUT" || method == "PATCH";
  if (takes_body || !body.empty()) {
    options.Set(CURLOPT_POST, 1L);
    options.Set(CURLOPT_POSTFIELDS, body.c_str());
    options.Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    options.SetString(CURLOPT_CUSTOMREQUEST, method);
  } else if (method == "HEAD") {
    options.Set(CURLOPT_NOBODY, 1L);
  } else if (method != "GET") {
    options.SetString(CURLOPT_CUSTOMREQUEST, method);
  }
}

void HttpTransfer::AddHeaderLine(const std::string& name, const std::string& value) {
  // libcurl's notation: "Name:" would remove the header, "Name;" sends it empty.
  header_list_.Add(value.empty() ? name + ";" : name + ": " + value);
}

Status HttpTransfer::SetUpHop(CurlOptions& options, const Url& url, const TlsConfig& tls,
                              const ProxyConfig& proxy, MonoTime now) {
  connect_to_ = {};
  proxy_header_list_ = {};
  Url wire = url;
  if (url.scheme == "https" && !tls.server_name.empty()) {
    // libcurl takes the expected name from the URL: the URL gets that name, and is connected to where it
    // pointed before.
    wire.host = tls.server_name;
    wire.port = url.EffectivePort();
    Url destination = url;
    destination.port = url.EffectivePort();
    connect_to_.Add("::" + destination.HostPort());
    options.Set(CURLOPT_CONNECT_TO, connect_to_.get());
    if (!HasHeader(headers_, "Host")) {
      header_list_.Add("Host: " + url.HostPort());
    }
  }
  header_list_.Add("Expect:");
  ApplySocketOptions(options, deadline_ - now);
  options.SetString(CURLOPT_URL, wire.ToWire());
  options.Set(CURLOPT_PATH_AS_IS, 1L);
  options.Set(CURLOPT_PROTOCOLS_STR, "http,https");
  options.Set(CURLOPT_FOLLOWLOCATION, 0L);
  options.Set(CURLOPT_HTTPHEADER, header_list_.get());
  options.SetString(CURLOPT_USERAGENT, shared_.user_agent);
  options.Set(CURLOPT_ACCEPT_ENCODING, "gzip");
  options.Set(CURLOPT_HTTP_VERSION,
              static_cast<long>(options_->enable_http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  options.Set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  options.Set(CURLOPT_FRESH_CONNECT, fresh_connection_ ? 1L : 0L);
  error_buffer_[0] = '\0';
  options.Set(CURLOPT_ERRORBUFFER, &error_buffer_[0]);
  options.Set(CURLOPT_WRITEFUNCTION, &OnBody);
  options.Set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  options.Set(CURLOPT_HEADERFUNCTION, &OnHeader);
  options.Set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  MLALERT_TRY(ApplyTls(options, tls));
  MLALERT_ASSIGN(proxied_, ApplyProxy(options, proxy, url, proxy_header_list_));
  if (options.code() != CURLE_OK) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("cannot set up the call: {}", Curl().easy_strerror(options.code())));
  }
  header_bytes_ = 0;
  result_ = {};
  return {};
}

Transfer::Next HttpTransfer::Start(const Status& set_up) {
  return set_up ? Next::kPerform : Failed(Failure::kOther, set_up.error().message);
}

Transfer::Next HttpTransfer::HopDone(CURLcode code, MonoTime now) {
  if (too_large_) {
    return Failed(Failure::kTooLarge, fmt::format("answer is larger than {} bytes", body_bytes_max_));
  }
  if (header_bytes_ > kAnswerHeaderBytesMax || result_.headers.size() > kAnswerHeadersMax) {
    return Failed(Failure::kTooLarge, "headers of the answer are too large");
  }
  if (code != CURLE_OK) {
    const Url& target = hop_ == Hop::kToken ? token_url_ : url_;
    const CurlFailure why = ExplainCurlFailure(easy_, code, error_buffer_, target, proxied_, timeout_);
    return Failed(why.failure, why.text);
  }
  return hop_ == Hop::kToken ? TokenDone(now) : RequestDone(now);
}

Transfer::Next HttpTransfer::TokenDone(MonoTime now) {
  Result<OAuthToken> token = ParseTokenAnswer(result_.status, result_.body, now);
  if (!token) {
    const bool refused =
        (result_.status == 400 || result_.status == 401) && !UsesAssertion(*options_->oauth2);
    if (refused && !token_credentials_in_body_ && !token_retried_) {
      token_retried_ = true;
      token_credentials_in_body_ = true;
      return Start(SetUpToken(now));
    }
    return Failed(Failure::kOther, token.error().message);
  }
  headers_.emplace_back("Authorization", token->authorization);
  shared_.tokens.Put(token_key_, std::move(*token), token_credentials_in_body_);
  return Start(SetUpRequest(now));
}

Transfer::Next HttpTransfer::RequestDone(MonoTime now) {
  if (result_.status == 401 && !token_key_.empty()) {
    shared_.tokens.Drop(token_key_);
  }
  const std::string* location = result_.Header("location");
  if (options_->follow_redirects && IsRedirect(result_.status) && location != nullptr && !location->empty()) {
    return Redirect(std::string(*location), now);
  }
  return Next::kFinished;
}

Transfer::Next HttpTransfer::Redirect(const std::string& location, MonoTime now) {
  if (requests_ >= kRequestsPerCallMax) {
    return Failed(Failure::kOther, fmt::format("stopped after {} redirects", kRequestsPerCallMax));
  }
  Result<Url> next = ResolveLocation(url_, location);
  if (!next) {
    return Failed(Failure::kOther, next.error().message);
  }
  // As Go: only 307 and 308 keep the method and the body.
  if (result_.status < 307 && call_.method != "GET" && call_.method != "HEAD") {
    call_.method = "GET";
    call_.body.clear();
    std::erase_if(headers_, [](const auto& header) { return Lower(header.first).starts_with("content-"); });
  }
  if (!MayShareCredentials(url_, *next)) {
    std::erase_if(headers_, [](const auto& header) { return !IsHarmlessHeader(header.first); });
  }
  std::erase_if(headers_, [](const auto& header) { return SameHeaderName(header.first, "Host"); });
  url_ = std::move(*next);
  return Start(SetUpRequest(now));
}

void HttpTransfer::Abort(Failure failure, std::string_view reason) {
  Failed(failure, reason);
}

Transfer::Next HttpTransfer::Failed(Failure failure, std::string_view text) {
  result_.failure = failure;
  if (hop_ == Hop::kToken) {
    // The target itself has said nothing.
    result_ = {};
    result_.failure = failure;
    result_.error = ErrorText(fmt::format("oauth2: cannot fetch token: {}", text));
  } else {
    result_.error = ErrorText(text);
  }
  return Next::kFinished;
}

std::string HttpTransfer::ErrorText(std::string_view text) const {
  return CallErrorText(hop_ == Hop::kToken ? "POST" : call_.method, text);
}

HttpResult HttpTransfer::TakeResult(MonoTime now) {
  FinishHttpResult(result_, started_, now, *shared_.clock);
  return std::move(result_);
}

size_t HttpTransfer::OnBody(char* data, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const size_t bytes = size * count;
  std::string& body = transfer.result_.body;
  if (bytes > transfer.body_bytes_max_ - body.size()) {
    transfer.too_large_ = true;
    return 0;
  }
  body.append(data, bytes);
  return bytes;
}

size_t HttpTransfer::OnHeader(char* data, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const size_t bytes = size * count;
  transfer.header_bytes_ += bytes;
  return transfer.TakeHeaderLine(std::string_view(data, bytes)) ? bytes : 0;
}

bool HttpTransfer::TakeHeaderLine(std::string_view line) {
  if (header_bytes_ > kAnswerHeaderBytesMax || result_.headers.size() > kAnswerHeadersMax) {
    return false;
  }
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) {
    line.remove_suffix(1);
  }
  if (line.starts_with("HTTP/")) {
    // A new block: interim answers (1xx) come before the final one.
    result_.headers.clear();
    long status = 0;
    Curl().easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    result_.status = static_cast<int>(status);
    return true;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return true;
  }
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) {
    value.remove_prefix(1);
  }
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) {
    value.remove_suffix(1);
  }
  result_.headers.emplace_back(Lower(line.substr(0, colon)), std::string(value));
  return true;
}

}  // namespace mlalert
