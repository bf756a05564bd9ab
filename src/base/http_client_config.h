// Prometheus' http_config as a typed value: how an outgoing call authenticates, encrypts, passes a proxy,
// redirects. Filled by: config/ (which also checks the combinations). Applied by: net/http_transfer.
// Immutable once shared. Every `*_file` is read anew for each call, so that rotated credentials work without
// a reload. Data only, and only base/ below it. Thread: plain values, shared as pointer to const.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/secret.h"

namespace mlalert {

enum class TlsVersion : uint8_t { kDefault, kTls10, kTls11, kTls12, kTls13 };

// Inline text (`ca`, `cert`, `key`) and file are alternatives; the inline one wins when both are set. PEM.
struct TlsConfig {
  std::string ca;
  std::string ca_file;
  std::string cert;
  std::string cert_file;
  Secret key;
  std::string key_file;
  std::string ca_ref{}, cert_ref{}, key_ref{};
  // Name expected in the certificate and sent as SNI, in place of the URL's host.
  std::string server_name;
  bool insecure_skip_verify = false;
  // The default lower bound is TLS 1.2, the default upper bound the newest there is.
  TlsVersion min_version = TlsVersion::kDefault;
  TlsVersion max_version = TlsVersion::kDefault;

  friend bool operator==(const TlsConfig&, const TlsConfig&) = default;
};

struct ProxyConfig {
  // http, https, socks5 or socks5h, possibly with user:password. Empty: no proxy. Print it through
  // MaskUserinfo().
  std::string url;
  // Comma separated: "*", domain (and its subdomains), .domain (subdomains only), IP, CIDR, each with
  // optional :port.
  std::string no_proxy;
  // HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the process, as Go reads them; `url` must then be empty.
  bool from_environment = false;
  // Headers of the CONNECT request.
  std::vector<std::pair<std::string, std::vector<Secret>>> connect_header;

  friend bool operator==(const ProxyConfig&, const ProxyConfig&) = default;
};

struct BasicAuth {
  std::string username;
  std::string username_file;
  Secret password;
  std::string password_file;
  std::string username_ref{};  // of a secret manager, which nobody has: see config/config_http.cc
  std::string password_ref{};

  friend bool operator==(const BasicAuth&, const BasicAuth&) = default;
};

// Also what bearer_token and bearer_token_file become.
struct Authorization {
  std::string type = "Bearer";
  Secret credentials;
  std::string credentials_file;
  std::string credentials_ref{};

  friend bool operator==(const Authorization&, const Authorization&) = default;
};

// Grant type client_credentials with a secret, or jwt-bearer with a key that signs an assertion.
struct OAuth2 {
  std::string client_id;
  Secret client_secret;
  std::string client_secret_file;
  std::string client_secret_ref{};
  std::string grant_type{};  // empty: client_credentials
  // Of jwt-bearer only.
  std::string client_certificate_key_id{};
  Secret client_certificate_key{};
  std::string client_certificate_key_file{};
  std::string client_certificate_key_ref{};
  std::string signature_algorithm{};                          // RS256, RS384, RS512
  std::string iss{};                                          // empty: client_id
  std::string audience{};                                     // empty: token_url
  std::vector<std::pair<std::string, std::string>> claims{};  // values as JSON text
  std::vector<std::string> scopes;
  std::string token_url;
  std::vector<std::pair<std::string, std::string>> endpoint_params;
  TlsConfig tls;
  ProxyConfig proxy;

  friend bool operator==(const OAuth2&, const OAuth2&) = default;
};

// One key of http_headers: every value, secret and file content becomes a header line of its own.
struct HttpHeaderConfig {
  std::string name;
  std::vector<std::string> values;
  std::vector<Secret> secrets;
  std::vector<std::string> files;

  friend bool operator==(const HttpHeaderConfig&, const HttpHeaderConfig&) = default;
};

struct HttpClientConfig {
  // At most one of the three.
  std::optional<BasicAuth> basic_auth;
  std::optional<Authorization> authorization;
  std::optional<OAuth2> oauth2;

  TlsConfig tls;
  ProxyConfig proxy;
  std::vector<HttpHeaderConfig> http_headers;
  bool follow_redirects = true;
  bool enable_http2 = true;

  friend bool operator==(const HttpClientConfig&, const HttpClientConfig&) = default;
};

}  // namespace mlalert
