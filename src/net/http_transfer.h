// One HttpCall on one easy handle, from the first byte to its HttpResult: fetching an OAuth token when one is
// needed, the request, and the redirects after it, each a "hop" of its own under one deadline. Redirects are
// ours and not libcurl's, because libcurl only drops Authorization when the host changes, and we drop every
// configured credential and every header of the caller, as Go does and Prometheus since 3.13.
// Driven by: net/http_transport. Owns: what the handle points into, so it must outlive the handle's stay in
// the multi. Thread: the transport's only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "net/curl_handle.h"
#include "net/http_answer_reader.h"
#include "net/oauth2.h"
#include "net/transfer.h"
#include "net/transport.h"
#include "net/url.h"

namespace mlalert {

// As Go: the tenth request of one call is the last.
inline constexpr int kRequestsPerCallMax = 10;

// What all transfers of one transport share.
struct TransferShared {
  std::string user_agent;
  Clock* clock = nullptr;
  OAuthTokens tokens;
};

class HttpTransfer final : public Transfer {
 public:
  // `easy` and `shared` must outlive this. With `fresh_connection` no idle connection is used.
  HttpTransfer(CURL* easy, TransferShared& shared, HttpCall call, bool fresh_connection);
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  // Before Begin(): the call and its deadline began earlier, by other means.
  void SetStarted(MonoTime started) { started_ = started; }
  Next Begin(MonoTime now) override;
  // Instead of Begin(): the request was made and `answer` is what came, a redirect to be followed.
  Next Follow(HttpResult answer, MonoTime now);
  Next HopDone(CURLcode code, MonoTime now) override;
  void Abort(Failure failure, std::string_view reason) override;
  HttpResult TakeResult(MonoTime now) override;
  CURL* handle() const override { return easy_; }

 private:
  enum class Hop : uint8_t { kToken, kRequest };

  Status Prepare(MonoTime now);
  Status CheckCall();
  Status PrepareRequest(MonoTime now);
  Status SetUpToken(MonoTime now);
  Status SetUpRequest(MonoTime now);
  // What both kinds of hop have in common.
  Status SetUpHop(CurlOptions& options, const Url& url, const TlsConfig& tls, const ProxyConfig& proxy,
                  MonoTime now);
  void SetMethodAndBody(CurlOptions& options, const std::string& method, const std::string& body);
  void AddHeaderLine(const std::string& name, const std::string& value);

  Next TokenDone(MonoTime now);
  Next RequestDone(MonoTime now);
  Next Redirect(const std::string& location, MonoTime now);
  Next Start(const Status& set_up);
  Next Failed(Failure failure, std::string_view text);
  std::string ErrorText(std::string_view text) const;

  static size_t OnBody(char* data, size_t size, size_t count, void* self);
  static size_t OnHeader(char* data, size_t size, size_t count, void* self);
  bool TakeHeaderLine(std::string_view line);

  CURL* easy_;
  TransferShared& shared_;
  HttpCall call_;
  // The call's, or the defaults.
  HttpOptions options_;
  bool fresh_connection_;

  Hop hop_ = Hop::kRequest;
  Url url_;
  Url token_url_;
  std::string token_key_;
  std::string token_body_;
  bool token_credentials_in_body_ = false;
  bool token_retried_ = false;
  // All header lines of the request hop, credentials included; fewer after a redirect to another host.
  HttpHeaders headers_;
  int requests_ = 0;

  MonoTime started_ = MonoTime::max();
  MonoTime deadline_{};
  Duration timeout_{0};

  CurlList header_list_;
  CurlList proxy_header_list_;
  CurlList connect_to_;
  char error_buffer_[CURL_ERROR_SIZE] = {};

  size_t body_bytes_max_ = 0;
  size_t header_bytes_ = 0;
  bool too_large_ = false;
  bool proxied_ = false;
  HttpResult result_;
};

}  // namespace mlalert
