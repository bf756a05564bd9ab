#include "config/web_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <utility>

#include "config/file_io.h"
#include "config/yaml_reader.h"
#include "model/label_set.h"

namespace mlalert {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr std::array kCiphers = {
    Pair{"TLS_AES_128_GCM_SHA256", ""},
    Pair{"TLS_AES_256_GCM_SHA384", ""},
    Pair{"TLS_CHACHA20_POLY1305_SHA256", ""},
    Pair{"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"},
    Pair{"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"},
    Pair{"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"},
    Pair{"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"},
    Pair{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    Pair{"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    Pair{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
    Pair{"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
    Pair{"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"},
    Pair{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    Pair{"TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"},
    Pair{"TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA"},
    Pair{"TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"},
    Pair{"TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"},
};

constexpr std::array<std::string_view, 5> kCurves{"CurveP256", "CurveP384", "CurveP521", "X25519",
                                                  "X25519MLKEM768"};

// What a header may be; empty: anything.
struct KnownHeader {
  std::string_view name;
  std::array<std::string_view, 2> values;
};
constexpr std::array kHeaders = {
    KnownHeader{"Strict-Transport-Security", {}},
    KnownHeader{"X-Content-Type-Options", {"nosniff", ""}},
    KnownHeader{"X-Frame-Options", {"deny", "sameorigin"}},
    KnownHeader{"X-XSS-Protection", {}},
    KnownHeader{"Content-Security-Policy", {}},
};

void ReadVersion(YamlMap& map, std::string_view key, TlsVersion& out) {
  static constexpr std::array<std::string_view, 4> kNames{"TLS10", "TLS11", "TLS12", "TLS13"};
  std::string text;
  if (!map.Read(key, text)) {
    return;
  }
  auto it = std::find(kNames.begin(), kNames.end(), text);
  if (it == kNames.end()) {
    map.At(key).Error(fmt::format("unknown TLS version: {}", text), "one of TLS10, TLS11, TLS12, TLS13");
    return;
  }
  out = static_cast<TlsVersion>(it - kNames.begin() + 1);
}

void ReadClientAuth(YamlMap& map, std::string_view text, ClientAuth& out) {
  static constexpr std::array kNames = {
      std::pair{std::string_view("NoClientCert"), ClientAuth::kNone},
      std::pair{std::string_view("RequestClientCert"), ClientAuth::kRequest},
      std::pair{std::string_view("RequireAnyClientCert"), ClientAuth::kRequireAny},
      std::pair{std::string_view("RequireClientCert"), ClientAuth::kRequireAny},
      std::pair{std::string_view("VerifyClientCertIfGiven"), ClientAuth::kVerifyIfGiven},
      std::pair{std::string_view("RequireAndVerifyClientCert"), ClientAuth::kRequireAndVerify},
  };
  if (text.empty()) {
    return;
  }
  for (const auto& [name, value] : kNames) {
    if (name == text) {
      out = value;
      return;
    }
  }
  std::vector<std::string_view> known;
  for (const auto& [name, value] : kNames) {
    known.push_back(name);
  }
  map.At("client_auth_type").Error(fmt::format("Invalid ClientAuth: {}", text), DidYouMean(text, known));
}

std::optional<WebTlsConfig> ReadTls(const YamlValue& value, const std::string& directory) {
  WebTlsConfig out;
  YamlMap map(value, "web.TLSConfig");
  std::string client_auth;
  map.Read("cert", out.cert);
  map.Read("key", out.key);
  map.Read("client_ca", out.client_ca);
  map.Read("cert_file", out.cert_file);
  map.Read("key_file", out.key_file);
  map.Read("client_ca_file", out.client_ca_file);
  map.Read("client_auth_type", client_auth);
  ReadVersion(map, "min_version", out.min_version);
  ReadVersion(map, "max_version", out.max_version);
  if (map.Read("cipher_suites", out.cipher_suites)) {
    for (const std::string& name : out.cipher_suites) {
      if (!OpenSslCipherName(name)) {
        map.At("cipher_suites").Error("unknown cipher: " + name);
      }
    }
  }
  if (map.Read("curve_preferences", out.curves)) {
    for (const std::string& name : out.curves) {
      if (std::find(kCurves.begin(), kCurves.end(), name) == kCurves.end()) {
        map.At("curve_preferences").Error("unknown curve: " + name);
      }
    }
  }
  map.Read("prefer_server_cipher_suites", out.prefer_server_cipher_suites);
  out.checks_sans = map.Read("client_allowed_sans", out.client_allowed_sans);
  map.Finish();
  for (std::string* path : {&out.cert_file, &out.key_file, &out.client_ca_file}) {
    *path = JoinDirectory(directory, *path);
  }
  const bool cert = !out.cert.empty() || !out.cert_file.empty();
  const bool key = !out.key.empty() || !out.key_file.empty();
  const bool client_ca = !out.client_ca.empty() || !out.client_ca_file.empty();
  if (!cert && !key && !client_ca && client_auth.empty()) {
    return std::nullopt;  // no TLS: upstream's rule
  }
  ReadClientAuth(map, client_auth, out.client_auth);
  if (!cert) {
    value.Error("missing one of cert or cert_file");
  } else if (!key) {
    value.Error("missing one of key or key_file");
  } else if (client_ca && (client_auth.empty() || client_auth == "NoClientCert")) {
    value.Error("Client CA's have been configured without a Client Auth Policy",
                "set client_auth_type, e.g. RequireAndVerifyClientCert");
  }
  return out;
}

void ReadHttp(const YamlValue& value, WebConfig& out) {
  YamlMap map(value, "web.HTTPConfig");
  map.Read("http2", out.http2);
  map.Read("headers", out.headers);
  map.Finish();
  for (const auto& [name, text] : out.headers) {
    auto known = std::find_if(kHeaders.begin(), kHeaders.end(),
                              [&name = name](const KnownHeader& header) { return header.name == name; });
    if (known == kHeaders.end()) {
      map.At("headers").Error(fmt::format("HTTP header {} can not be configured", GoQuote(name)));
    } else if (!known->values[0].empty() && text != known->values[0] && text != known->values[1]) {
      std::string expected = GoQuote(known->values[0]);
      if (!known->values[1].empty()) {
        expected += " " + GoQuote(known->values[1]);
      }
      map.At("headers").Error(fmt::format("invalid value for {}. Expected one of: [{}], but got: {}", name,
                                          expected, GoQuote(text)));
    }
  }
}

// What golang.org/x/crypto/bcrypt says of a hash; empty when it is one.
std::string BcryptProblem(std::string_view hash) {
  constexpr size_t kHashBytesMin = 59;
  if (hash.size() < kHashBytesMin) {
    return "crypto/bcrypt: hashedSecret too short to be a bcrypted password";
  }
  if (hash[0] != '$') {
    return "crypto/bcrypt: bcrypt hashes must start with '$', but hashedSecret started with another "
           "character";
  }
  if (hash[1] > '2') {
    return fmt::format(
        "crypto/bcrypt: bcrypt algorithm version '{}' requested is newer than current version '2'", hash[1]);
  }
  const size_t at = hash[2] == '$' ? 3 : 4;
  int cost = 0;
  auto [end, error] = std::from_chars(hash.data() + at, hash.data() + at + 2, cost);
  if (error != std::errc() || end != hash.data() + at + 2 || hash[1] != '2') {
    return "crypto/bcrypt: the hash has no valid cost";
  }
  if (cost < 4 || cost > 31) {
    return fmt::format("crypto/bcrypt: cost {} is outside allowed inclusive range 4..31", cost);
  }
  return {};
}

void ReadUsers(YamlMap& root, WebConfig& out) {
  std::map<std::string, std::string> users;
  if (!root.Read("basic_auth_users", users)) {
    return;
  }
  for (auto& [name, hash] : users) {
    if (std::string problem = BcryptProblem(hash); !problem.empty()) {
      // At the key: the line of the value would show a password that somebody forgot to hash.
      root.At("basic_auth_users")
          .Error(problem, fmt::format("user {}: make a hash with `htpasswd -nBC 10 \"\"`", GoQuote(name)));
    }
    out.users.emplace(name, Secret(std::move(hash)));
  }
}

void ReadRateLimit(const YamlValue& value, WebConfig& out) {
  YamlMap map(value, "web.RateLimiterConfig");
  map.Read("burst", out.rate_burst);
  map.ReadGoDuration("interval", out.rate_interval);
  map.Finish();
}

}  // namespace

std::optional<std::string_view> OpenSslCipherName(std::string_view go_name) {
  for (const auto& [go, openssl] : kCiphers) {
    if (go == go_name) {
      return openssl;
    }
  }
  return std::nullopt;
}

Diagnostics LoadWebConfigText(std::string_view text, const std::string& file, WebConfig& out) {
  out = {};
  Diagnostics diagnostics;
  SourceText source(file, text.substr(0, kYamlBytesMax + 1));
  YamlNodePtr tree =
      ParseYaml(text, source, diagnostics, {.duplicate_key = "field {key} already set in type web.Config"});
  if (tree == nullptr) {
    return diagnostics;
  }
  YamlMap root(YamlValue(*tree, source, diagnostics), "web.Config");
  if (auto tls = root.TakeSet("tls_server_config")) {
    out.tls = ReadTls(*tls, DirectoryOf(file));
  }
  if (auto http = root.TakeSet("http_server_config")) {
    ReadHttp(*http, out);
  }
  ReadUsers(root, out);
  if (auto limit = root.TakeSet("rate_limit")) {
    ReadRateLimit(*limit, out);
  }
  root.Finish();
  diagnostics.Sort();
  return diagnostics;
}

Diagnostics LoadWebConfigFile(const std::string& path, WebConfig& out) {
  auto text = ReadSmallFile(path, kWebConfigBytesMax);
  if (!text) {
    Diagnostics diagnostics;
    Diagnostic problem;
    problem.where.file = path;
    problem.message = text.error().message;
    diagnostics.Add(std::move(problem));
    return diagnostics;
  }
  return LoadWebConfigText(*text, path, out);
}

}  // namespace mlalert
