// http_config: authentication, TLS, proxy and headers of outgoing calls.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "config/config_sections.h"
#include "config/file_io.h"
#include "config/url_check.h"

namespace mlalert {
namespace {

constexpr std::string_view kRefUnsupported =
    "references to a secret manager are not supported; use the value or its _file";

class HttpConfigReader {
 public:
  explicit HttpConfigReader(const std::string& directory) : directory_(directory) {}

  HttpClientConfig Read(const YamlValue& value) const {
    HttpClientConfig out;
    YamlMap map(value, "config.plain");
    ReadAuthentication(map, out);
    if (auto tls = map.TakeSet("tls_config")) {
      out.tls = ReadTls(*tls);
    }
    map.Read("follow_redirects", out.follow_redirects);
    map.Read("enable_http2", out.enable_http2);
    ReadProxy(map, out.proxy);
    ReadHeaders(map, out);
    map.Finish();
    return out;
  }

  TlsConfig ReadTls(const YamlValue& value) const {
    TlsConfig out;
    YamlMap map(value, "config.plain");
    map.Read("ca", out.ca);
    map.Read("cert", out.cert);
    map.Read("key", out.key);
    ReadFile(map, "ca_file", out.ca_file);
    ReadFile(map, "cert_file", out.cert_file);
    ReadFile(map, "key_file", out.key_file);
    RefuseRefs(map, {"ca_ref", "cert_ref", "key_ref"});
    map.Read("server_name", out.server_name);
    map.Read("insecure_skip_verify", out.insecure_skip_verify);
    out.min_version = ReadTlsVersion(map, "min_version");
    out.max_version = ReadTlsVersion(map, "max_version");
    map.Finish();
    bool cert = !out.cert.empty() || !out.cert_file.empty();
    bool key = !out.key.empty() || !out.key_file.empty();
    if (!out.ca.empty() && !out.ca_file.empty()) {
      map.At("ca_file").Error("at most one of ca, ca_file & ca_ref must be configured");
    }
    if (!out.cert.empty() && !out.cert_file.empty()) {
      map.At("cert_file").Error("at most one of cert, cert_file & cert_ref must be configured");
    }
    if (!out.key.empty() && !out.key_file.empty()) {
      map.At("key_file").Error("at most one of key and key_file must be configured");
    }
    if (cert && !key) {
      value.Error(
          "exactly one of key or key_file must be configured when a client certificate is configured");
    }
    if (key && !cert) {
      value.Error("exactly one of cert or cert_file must be configured when a client key is configured");
    }
    if (out.max_version != TlsVersion::kDefault && out.max_version < out.min_version) {
      map.At("max_version")
          .Error(
              "tls_config.max_version must be greater than or equal to tls_config.min_version if both are "
              "specified");
    }
    return out;
  }

 private:
  // Paths in http_config are relative to the config file.
  void ReadFile(YamlMap& map, std::string_view key, std::string& out) const {
    std::string path;
    if (map.Read(key, path)) {
      out = JoinDirectory(directory_, path);
    }
  }

  static void RefuseRefs(YamlMap& map, std::initializer_list<std::string_view> keys) {
    for (std::string_view key : keys) {
      std::string ref;
      if (map.Read(key, ref) && !ref.empty()) {
        map.At(key).Error(fmt::format("{} is not supported", key), std::string(kRefUnsupported));
      }
    }
  }

  static TlsVersion ReadTlsVersion(YamlMap& map, std::string_view key) {
    static constexpr std::array<std::string_view, 4> kNames{"TLS10", "TLS11", "TLS12", "TLS13"};
    std::string text;
    if (!map.Read(key, text) || text.empty()) {
      return TlsVersion::kDefault;
    }
    auto it = std::find(kNames.begin(), kNames.end(), text);
    if (it == kNames.end()) {
      map.At(key).Error(fmt::format("unknown TLS version: {}", text), "one of TLS10, TLS11, TLS12, TLS13");
      return TlsVersion::kDefault;
    }
    return static_cast<TlsVersion>(it - kNames.begin() + 1);
  }

  void ReadAuthentication(YamlMap& map, HttpClientConfig& out) const {
    Secret bearer;
    std::string bearer_file;
    map.Read("bearer_token", bearer);
    ReadFile(map, "bearer_token_file", bearer_file);
    bool has_bearer = !bearer.empty() || !bearer_file.empty();
    if (auto value = map.TakeSet("basic_auth")) {
      out.basic_auth = ReadBasicAuth(*value);
    }
    if (auto value = map.TakeSet("authorization")) {
      out.authorization = ReadAuthorization(*value);
    }
    if (auto value = map.TakeSet("oauth2")) {
      out.oauth2 = ReadOAuth2(*value);
    }
    const YamlValue& at = map.value();
    if (!bearer.empty() && !bearer_file.empty()) {
      at.Error("at most one of bearer_token & bearer_token_file must be configured");
    } else if ((out.basic_auth || out.oauth2) && has_bearer) {
      at.Error("at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured");
    } else if (out.authorization && has_bearer) {
      at.Error("authorization is not compatible with bearer_token & bearer_token_file");
    } else if ((out.basic_auth && out.oauth2) || (out.authorization && (out.basic_auth || out.oauth2))) {
      at.Error("at most one of basic_auth, oauth2 & authorization must be configured");
    } else if (has_bearer) {
      out.authorization = Authorization{"Bearer", std::move(bearer), std::move(bearer_file)};
    }
  }

  BasicAuth ReadBasicAuth(const YamlValue& value) const {
    BasicAuth out;
    YamlMap map(value, "config.plain");
    map.Read("username", out.username);
    map.Read("password", out.password);
    ReadFile(map, "username_file", out.username_file);
    ReadFile(map, "password_file", out.password_file);
    RefuseRefs(map, {"username_ref", "password_ref"});
    map.Finish();
    if (!out.username.empty() && !out.username_file.empty()) {
      map.At("username_file")
          .Error("at most one of basic_auth username, username_file & username_ref must be configured");
    }
    if (!out.password.empty() && !out.password_file.empty()) {
      map.At("password_file")
          .Error("at most one of basic_auth password, password_file & password_ref must be configured");
    }
    return out;
  }

  Authorization ReadAuthorization(const YamlValue& value) const {
    Authorization out;
    YamlMap map(value, "config.plain");
    std::string type;
    map.Read("type", type);
    map.Read("credentials", out.credentials);
    ReadFile(map, "credentials_file", out.credentials_file);
    RefuseRefs(map, {"credentials_ref"});
    map.Finish();
    size_t first = type.find_first_not_of(" \t");
    type = first == std::string::npos ? "" : type.substr(first, type.find_last_not_of(" \t") - first + 1);
    if (!type.empty()) {
      out.type = type;
    }
    std::transform(type.begin(), type.end(), type.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (type == "basic") {
      map.At("type").Error("authorization type cannot be set to \"basic\", use \"basic_auth\" instead");
    }
    if (!out.credentials.empty() && !out.credentials_file.empty()) {
      map.At("credentials_file")
          .Error("at most one of authorization credentials & credentials_file must be configured");
    }
    return out;
  }

  OAuth2 ReadOAuth2(const YamlValue& value) const {
    OAuth2 out;
    YamlMap map(value, "config.plain");
    map.Read("client_id", out.client_id);
    map.Read("client_secret", out.client_secret);
    ReadFile(map, "client_secret_file", out.client_secret_file);
    RefuseRefs(map, {"client_secret_ref"});
    std::string grant_type;
    if (map.Read("grant_type", grant_type) && !grant_type.empty() && grant_type != "client_credentials") {
      map.At("grant_type")
          .Error(fmt::format("grant_type {} is not supported", Quoted(grant_type)), "use client_credentials");
    }
    for (std::string_view key :
         {"client_certificate_key_id", "client_certificate_key", "client_certificate_key_file",
          "client_certificate_key_ref", "signature_algorithm", "iss", "audience", "claims"}) {
      if (map.TakeSet(key)) {
        map.At(key).Error(fmt::format("{} is not supported: only grant_type client_credentials is", key));
      }
    }
    map.Read("scopes", out.scopes);
    map.Read("token_url", out.token_url);
    std::map<std::string, std::string> params;
    map.Read("endpoint_params", params);
    out.endpoint_params.assign(params.begin(), params.end());
    if (auto tls = map.TakeSet("tls_config")) {
      out.tls = ReadTls(*tls);
    }
    ReadProxy(map, out.proxy);
    map.Finish();
    if (out.client_id.empty()) {
      value.Error("oauth2 client_id must be configured");
    }
    if (out.token_url.empty()) {
      value.Error("oauth2 token_url must be configured");
    } else if (auto parts = CheckHttpUrl(out.token_url); !parts) {
      map.At("token_url").Error(parts.error().message);
    }
    if (!out.client_secret.empty() && !out.client_secret_file.empty()) {
      value.Error(
          "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be configured "
          "using "
          "grant-type=client_credentials");
    }
    return out;
  }

  static void ReadProxy(YamlMap& map, ProxyConfig& out) {
    map.Read("proxy_url", out.url);
    map.Read("no_proxy", out.no_proxy);
    map.Read("proxy_from_environment", out.from_environment);
    auto header = map.TakeSet("proxy_connect_header");
    if (header && header->node().kind != YamlNode::Kind::kMap) {
      header->WrongType("config.ProxyHeader");
    } else if (header) {
      for (const auto& entry : header->node().entries) {
        YamlValue list =
            header->Child(*entry.value, entry.key_pos, fmt::format("{}.{}", header->path(), entry.key));
        std::vector<Secret> values;
        for (const YamlValue& item : list.Items("[]config.Secret")) {
          item.Read(values.emplace_back());
        }
        out.connect_header.emplace_back(entry.key, std::move(values));
      }
    }
    const YamlValue& at = map.value();
    if (!out.connect_header.empty() && out.url.empty() && !out.from_environment) {
      at.Error(
          "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be "
          "configured");
    }
    if (out.from_environment && !out.url.empty()) {
      at.Error("if proxy_from_environment is configured, proxy_url must not be configured");
    }
    if (out.from_environment && !out.no_proxy.empty()) {
      at.Error("if proxy_from_environment is configured, no_proxy must not be configured");
    }
    if (!out.no_proxy.empty() && out.url.empty() && !out.from_environment) {
      at.Error("if no_proxy is configured, proxy_url must also be configured");
    }
  }

  static bool IsReservedHeader(std::string_view name) {
    static constexpr std::array<std::string_view, 15> kReserved{"Authorization",       "Host",
                                                                "Content-Encoding",    "Content-Length",
                                                                "Content-Type",        "User-Agent",
                                                                "Connection",          "Keep-Alive",
                                                                "Proxy-Authenticate",  "Proxy-Authorization",
                                                                "Www-Authenticate",    "Accept-Encoding",
                                                                "X-Amz-Date",          "X-Amz-Security-Token",
                                                                "X-Amz-Content-Sha256"};
    return name.starts_with("X-Prometheus-") ||
           std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
  }

  void ReadHeaders(YamlMap& map, HttpClientConfig& out) const {
    auto value = map.TakeSet("http_headers");
    if (!value) {
      return;
    }
    if (value->node().kind != YamlNode::Kind::kMap) {
      value->WrongType("config.Headers");
      return;
    }
    for (const auto& entry : value->node().entries) {
      YamlValue at =
          value->Child(*entry.value, entry.key_pos, fmt::format("{}.{}", value->path(), entry.key));
      std::string name = CanonicalHeader(entry.key);
      if (IsReservedHeader(name)) {
        at.Error(fmt::format("setting header {} is not allowed", Quoted(name)));
      }
      HttpHeaderConfig header;
      header.name = entry.key;
      YamlMap fields(at, "config.Header");
      fields.Read("values", header.values);
      fields.Read("files", header.files);
      if (auto secrets = fields.Take("secrets")) {
        for (const YamlValue& item : secrets->Items("[]config.Secret")) {
          item.Read(header.secrets.emplace_back());
        }
      }
      fields.Finish();
      for (auto& file : header.files) {
        file = JoinDirectory(directory_, file);
      }
      out.http_headers.push_back(std::move(header));
    }
  }

  const std::string& directory_;
};

}  // namespace

HttpConfigPtr ReadHttpConfig(const YamlValue& value, const std::string& directory) {
  return std::make_shared<const HttpClientConfig>(HttpConfigReader(directory).Read(value));
}

TlsConfig ReadTlsConfig(const YamlValue& value) {
  const std::string directory;
  return HttpConfigReader(directory).ReadTls(value);
}

}  // namespace mlalert
