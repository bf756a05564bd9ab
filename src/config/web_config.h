// The file of --web.config.file: TLS, basic authentication and headers of our own HTTP server, in the format
// of Prometheus' exporter-toolkit (all of its keys, its error texts). Fed by: cli/ at start, api/web_guard
// whenever the file changes, `mlalert check`. Thread: plain values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/http_client_config.h"
#include "base/secret.h"
#include "base/time.h"
#include "config/diagnostics.h"

namespace mlalert {

enum class ClientAuth : uint8_t { kNone, kRequest, kRequireAny, kVerifyIfGiven, kRequireAndVerify };

// Inline text or file; the file wins, as upstream. Paths are as seen from the process.
struct WebTlsConfig {
  std::string cert;
  std::string cert_file;
  Secret key;
  std::string key_file;
  std::string client_ca;
  std::string client_ca_file;
  ClientAuth client_auth = ClientAuth::kNone;
  std::vector<std::string> client_allowed_sans;
  bool checks_sans = false;  // the list was given
  TlsVersion min_version = TlsVersion::kTls12;
  TlsVersion max_version = TlsVersion::kTls13;
  std::vector<std::string> cipher_suites;  // Go's names, all known to OpenSslCipherName
  std::vector<std::string> curves;         // Go's names
  bool prefer_server_cipher_suites = true;
};

struct WebConfig {
  std::optional<WebTlsConfig> tls;
  bool http2 = true;
  std::map<std::string, std::string> headers;
  std::map<std::string, Secret> users;  // to bcrypt hashes
  int rate_burst = 0;
  Duration rate_interval{};  // zero: no limit
};

inline constexpr size_t kWebConfigBytesMax = size_t{1} << 20;

// `out` is complete when the diagnostics are ok. Certificates are not looked at (api/tls_context does).
Diagnostics LoadWebConfigText(std::string_view text, const std::string& file, WebConfig& out);
Diagnostics LoadWebConfigFile(const std::string& path, WebConfig& out);

// OpenSSL's name for a cipher suite of TLS 1.2 and before; empty for those of TLS 1.3, which are always on.
// Nothing: unknown.
std::optional<std::string_view> OpenSslCipherName(std::string_view go_name);

}  // namespace mlalert
