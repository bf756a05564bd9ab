#include "net/curl_handle.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "net/credentials.h"
#include "net/proxy_bypass.h"
#include "net/socket.h"

namespace mlalert {

namespace {

// Kept for the next calls; more are freed when a burst is over.
constexpr size_t kSpareHandlesMax = 64;

int OnSocket(void*, curl_socket_t socket, curlsocktype) {
  const int flags = ::fcntl(socket, F_GETFD);
  ::fcntl(socket, F_SETFD, flags | FD_CLOEXEC);
  ConfigureSocket(socket);
  return CURL_SOCKOPT_OK;
}

long LongInfo(CURL* easy, CURLINFO info) {
  long value = 0;
  Curl().easy_getinfo(easy, info, &value);
  return value;
}

bool Happened(CURL* easy, CURLINFO info) {
  curl_off_t micros = 0;
  Curl().easy_getinfo(easy, info, &micros);
  return micros > 0;
}

// Only where a system call has just failed: the number stays from older transfers of the handle otherwise.
std::string OsError(CURL* easy, const char* fallback) {
  const long number = LongInfo(easy, CURLINFO_OS_ERRNO);
  switch (number) {
    case 0:
    case EINPROGRESS:
      return fallback;
    default:
      return std::string(
          ConnectionErrorText(static_cast<int>(number), fmt::format("{} (errno {})", fallback, number)));
  }
}

// Which part of the call the deadline met: the difference between "the network eats packets" and "the server
// thinks".
const char* Phase(CURL* easy, const Url& target) {
  if (Happened(easy, CURLINFO_STARTTRANSFER_TIME_T)) {
    return "while reading the answer";
  }
  if (Happened(easy, CURLINFO_PRETRANSFER_TIME_T)) {
    return "while waiting for the answer";
  }
  if (Happened(easy, CURLINFO_CONNECT_TIME_T)) {
    return target.scheme == "https" ? "during the TLS handshake" : "while waiting for the proxy";
  }
  return Happened(easy, CURLINFO_NAMELOOKUP_TIME_T) ? "while connecting" : "while resolving the host name";
}

long SslVersion(const TlsConfig& tls) {
  long version = CURL_SSLVERSION_TLSv1_2;
  switch (tls.min_version) {
    case TlsVersion::kDefault:
    case TlsVersion::kTls12:
      break;
    case TlsVersion::kTls10:
      version = CURL_SSLVERSION_TLSv1_0;
      break;
    case TlsVersion::kTls11:
      version = CURL_SSLVERSION_TLSv1_1;
      break;
    case TlsVersion::kTls13:
      version = CURL_SSLVERSION_TLSv1_3;
      break;
  }
  switch (tls.max_version) {
    case TlsVersion::kDefault:
      break;
    case TlsVersion::kTls10:
      return version | static_cast<long>(CURL_SSLVERSION_MAX_TLSv1_0);
    case TlsVersion::kTls11:
      return version | static_cast<long>(CURL_SSLVERSION_MAX_TLSv1_1);
    case TlsVersion::kTls12:
      return version | static_cast<long>(CURL_SSLVERSION_MAX_TLSv1_2);
    case TlsVersion::kTls13:
      return version | static_cast<long>(CURL_SSLVERSION_MAX_TLSv1_3);
  }
  return version;
}

CurlFailure ExplainReset(CURL* easy, CURLcode code) {
  const long tunnel_status = LongInfo(easy, CURLINFO_HTTP_CONNECTCODE);
  if (tunnel_status >= 300) {
    return {Failure::kConnect, fmt::format("proxy refused the tunnel with status {}", tunnel_status)};
  }
  if (code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE) {
    return {Failure::kReset, "connection closed before the answer was complete"};
  }
  return {Failure::kReset, OsError(easy, "connection reset by peer")};
}

}  // namespace

CurlEasy CurlHandles::Take(std::string& why) {
  if (!LoadCurl(&why)) {
    return nullptr;
  }
  if (multi_ == nullptr) {
    multi_.reset(Curl().multi_init());
    if (multi_ != nullptr) {
      Curl().multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, kIdleConnectionsMax);
    }
  }
  CurlEasy easy;
  if (!spare_.empty()) {
    easy = std::move(spare_.back());
    spare_.pop_back();
  } else if (multi_ != nullptr) {
    easy.reset(Curl().easy_init());
  }
  if (easy == nullptr) {
    why = "out of memory";
  }
  return easy;
}

void CurlHandles::GiveBack(CurlEasy easy) {
  if (spare_.size() < kSpareHandlesMax) {
    Curl().easy_reset(easy.get());
    spare_.push_back(std::move(easy));
  }
}

CurlFailure ExplainCurlFailure(CURL* easy, CURLcode code, std::string_view tls_text, const Url& target,
                               bool proxied, Duration timeout) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {Failure::kDns, fmt::format("lookup {}: host name could not be resolved", target.host)};
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {Failure::kDns, "host name of the proxy could not be resolved"};
    case CURLE_COULDNT_CONNECT:
      if (proxied) {
        return {Failure::kConnect, fmt::format("connect to the proxy: {}", OsError(easy, "no connection"))};
      }
      return {Failure::kConnect, fmt::format("connect to {} port {}: {}", target.host, target.EffectivePort(),
                                             OsError(easy, "no connection"))};
    case CURLE_PROXY:
      return {Failure::kConnect, "proxy handshake failed"};
    case CURLE_OPERATION_TIMEDOUT:
      return {Failure::kTimeout,
              fmt::format("deadline of {} exceeded {}", FormatGoDuration(timeout), Phase(easy, target))};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_USE_SSL_FAILED:
      return {
          Failure::kTls,
          fmt::format("tls: {}", tls_text.empty() ? std::string_view(Curl().easy_strerror(code)) : tls_text)};
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return ExplainReset(easy, code);
    case CURLE_BAD_CONTENT_ENCODING:
      return {Failure::kOther, "answer could not be decompressed"};
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return {Failure::kOther, "answer is not HTTP"};
    default:
      return {Failure::kOther, Curl().easy_strerror(code)};
  }
}

void ApplySocketOptions(CurlOptions& options, Duration left) {
  const auto left_ms =
      std::chrono::ceil<std::chrono::milliseconds>(std::max<Duration>(left, std::chrono::milliseconds(1)))
          .count();
  options.Set(CURLOPT_TIMEOUT_MS, static_cast<long>(left_ms));
  options.Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(left_ms));
  options.Set(CURLOPT_NOSIGNAL, 1L);
  // A resolver thread that hangs is left behind to end by itself; waiting for it would stop every lane.
  options.Set(CURLOPT_QUICK_EXIT, 1L);
  options.Set(CURLOPT_TCP_KEEPALIVE, 1L);
  options.Set(CURLOPT_TCP_KEEPIDLE, 30L);
  options.Set(CURLOPT_TCP_KEEPINTVL, 10L);
  options.Set(CURLOPT_SOCKOPTFUNCTION, &OnSocket);
}

Status ApplyTls(CurlOptions& options, const TlsConfig& tls) {
  MLALERT_ASSIGN(const TlsMaterial material, LoadTlsMaterial(tls));
  if (!material.ca.empty()) {
    options.SetBlob(CURLOPT_CAINFO_BLOB, material.ca);
    options.SetBlob(CURLOPT_PROXY_CAINFO_BLOB, material.ca);
    // Debian compiles a CA directory in, which would stay trusted beside the configured CA.
    options.Set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    options.Set(CURLOPT_PROXY_CAPATH, static_cast<const char*>(nullptr));
  }
  if (!material.cert.empty()) {
    options.SetBlob(CURLOPT_SSLCERT_BLOB, material.cert);
    options.SetBlob(CURLOPT_SSLKEY_BLOB, material.key);
  }
  if (tls.insecure_skip_verify) {
    options.Set(CURLOPT_SSL_VERIFYPEER, 0L);
    options.Set(CURLOPT_SSL_VERIFYHOST, 0L);
    options.Set(CURLOPT_PROXY_SSL_VERIFYPEER, 0L);
    options.Set(CURLOPT_PROXY_SSL_VERIFYHOST, 0L);
  }
  options.Set(CURLOPT_SSLVERSION, SslVersion(tls));
  return {};
}

namespace {

std::string Variable(const char* upper, const char* lower) {
  const char* value = std::getenv(upper);
  value = value == nullptr || *value == '\0' ? std::getenv(lower) : value;
  return value == nullptr ? "" : value;
}

// As Go's httpproxy.FromEnvironment.
ProxyConfig EnvironmentProxy(const Url& target) {
  ProxyConfig out;
  out.url = target.scheme == "https" ? Variable("HTTPS_PROXY", "https_proxy")
                                     : Variable("HTTP_PROXY", "http_proxy");
  if (!out.url.empty() && out.url.find("://") == std::string::npos) {
    out.url = "http://" + out.url;
  }
  // The comma makes it a list: with one, this machine is never asked through a proxy.
  out.no_proxy = Variable("NO_PROXY", "no_proxy") + ",";
  return out;
}

}  // namespace

Result<bool> ApplyProxy(CurlOptions& options, const ProxyConfig& proxy, const Url& target,
                        CurlList& connect_headers) {
  const ProxyConfig& used = proxy.from_environment ? EnvironmentProxy(target) : proxy;
  const bool proxied =
      !used.url.empty() && !BypassesProxy(used.no_proxy, target.host, target.EffectivePort());
  // Set even when empty: unset means "ask the environment" to libcurl, by rules that are not Go's.
  options.SetString(CURLOPT_PROXY, proxied ? used.url : std::string());
  options.Set(CURLOPT_NOPROXY, "");
  // libcurl would add them to a request that goes through a proxy without a tunnel, too.
  const bool tunnel = target.scheme == "https";
  for (const auto& [name, values] : proxy.connect_header) {
    for (const Secret& value : values) {
      if (!IsHeaderName(name) || !IsHeaderValue(value.Reveal())) {
        return Fail(ErrorCode::kInvalid, "invalid proxy_connect_header");
      }
      if (tunnel) {
        connect_headers.Add(name + ": " + value.Reveal());
      }
    }
  }
  options.Set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
  options.Set(CURLOPT_PROXYHEADER, connect_headers.get());
  return proxied;
}

}  // namespace mlalert
