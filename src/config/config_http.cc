// http_config: authentication, TLS, proxy and headers of outgoing calls.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "config/config_sections.h"
#include "config/file_io.h"
#include "config/url_check.h"
#include "config/yaml_json.h"

namespace mlalert {
namespace {

constexpr std::string_view kJwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

size_t CountSet(std::initializer_list<bool> given) {
  return static_cast<size_t>(std::count(given.begin(), given.end(), true));
}

// Go's url.Parse takes nearly everything; what it refuses, in its words.
std::string_view UrlSyntaxError(std::string_view text) {
  if (std::any_of(text.begin(), text.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
    return "net/url: invalid control character in URL";
  }
  if (text.starts_with(':')) {
    return "missing protocol scheme";
  }
  size_t colon = text.find(':');
  bool letter = !text.empty() && ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z'));
  if (!letter && colon != std::string_view::npos &&
      colon < std::min(text.find_first_of("/?#"), text.size())) {
    return "first path segment in URL cannot contain colon";
  }
  if (text.starts_with("http://") || text.starts_with("https://")) {
    auto parts = CheckHttpUrl(text);
    static constexpr std::string_view kNoHost = "missing host for URL";
    return parts || parts.error().message == kNoHost ? std::string_view() : "invalid URL";
  }
  return {};
}

class HttpConfigReader {
 public:
  explicit HttpConfigReader(const std::string& directory) : directory_(directory) {}

  HttpClientConfig Read(const YamlValue& value, std::span<const std::string_view> other_keys = {}) const {
    HttpClientConfig out;
    YamlMap map(value, "config.plain");
    for (std::string_view key : other_keys) {
      map.Ignore(key);
    }
    Bearer bearer;
    ReadAuthentication(map, out, bearer);
    if (auto tls = map.TakeSet("tls_config")) {
      out.tls = ReadTls(*tls);
    }
    map.Read("follow_redirects", out.follow_redirects);
    map.Read("enable_http2", out.enable_http2);
    ReadProxy(map, out.proxy);
    ReadHeaders(map, "http_headers", out);
    map.Finish();
    if (map.Failed()) {
      return out;
    }
    if (std::string_view wrong = CheckAuthentication(out, bearer); !wrong.empty()) {
      value.Error(std::string(wrong));
      return out;
    }
    if (bearer.given()) {
      out.authorization = Authorization{"Bearer", std::move(bearer.token), std::move(bearer.file)};
    }
    CheckProxy(value, out.proxy);
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
    ReadRef(map, "ca_ref", out.ca_ref);
    ReadRef(map, "cert_ref", out.cert_ref);
    ReadRef(map, "key_ref", out.key_ref);
    map.Read("server_name", out.server_name);
    map.Read("insecure_skip_verify", out.insecure_skip_verify);
    out.min_version = ReadTlsVersion(map, "min_version");
    out.max_version = ReadTlsVersion(map, "max_version");
    map.Finish();
    if (map.Failed()) {
      return out;
    }
    size_t certs = CountSet({!out.cert.empty(), !out.cert_file.empty(), !out.cert_ref.empty()});
    size_t keys = CountSet({!out.key.empty(), !out.key_file.empty(), !out.key_ref.empty()});
    if (CountSet({!out.ca.empty(), !out.ca_file.empty(), !out.ca_ref.empty()}) > 1) {
      value.Error("at most one of ca, ca_file & ca_ref must be configured");
    } else if (certs > 1) {
      value.Error("at most one of cert, cert_file & cert_ref must be configured");
    } else if (keys > 1) {
      value.Error("at most one of key and key_file must be configured");
    } else if (certs > 0 && keys == 0) {
      value.Error(
          "exactly one of key or key_file must be configured when a client certificate is configured");
    } else if (keys > 0 && certs == 0) {
      value.Error("exactly one of cert or cert_file must be configured when a client key is configured");
    } else if (out.max_version != TlsVersion::kDefault && out.max_version < out.min_version) {
      // Upstream says so when it builds the client, not when it checks the file.
      map.At("max_version")
          .Warn(
              "tls_config.max_version must be greater than or equal to tls_config.min_version if both are "
              "specified: no call will succeed");
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

  static void ReadRef(YamlMap& map, std::string_view key, std::string& out) {
    if (map.Read(key, out) && !out.empty()) {
      map.At(key).Warn(
          fmt::format("{} asks a secret manager, and there is none: `serve` refuses this file", key),
          "use the value or its _file");
    }
  }

  static TlsVersion ReadTlsVersion(YamlMap& map, std::string_view key) {
    static constexpr std::array<std::string_view, 4> kNames{"TLS10", "TLS11", "TLS12", "TLS13"};
    auto value = map.TakeSet(key);
    std::string text;
    if (!value || !value->Read(text)) {
      return TlsVersion::kDefault;
    }
    auto it = std::find(kNames.begin(), kNames.end(), text);
    if (it == kNames.end()) {
      map.At(key).Error(fmt::format("unknown TLS version: {}", text), "one of TLS10, TLS11, TLS12, TLS13");
      return TlsVersion::kDefault;
    }
    return static_cast<TlsVersion>(it - kNames.begin() + 1);
  }

  struct Bearer {
    Secret token;
    std::string file;
    bool given() const { return !token.empty() || !file.empty(); }
  };

  void ReadAuthentication(YamlMap& map, HttpClientConfig& out, Bearer& bearer) const {
    map.Read("bearer_token", bearer.token);
    ReadFile(map, "bearer_token_file", bearer.file);
    if (auto value = map.TakeSet("basic_auth")) {
      out.basic_auth = ReadBasicAuth(*value);
    }
    if (auto value = map.TakeSet("authorization")) {
      out.authorization = ReadAuthorization(*value);
    }
    if (auto value = map.TakeSet("oauth2")) {
      out.oauth2 = ReadOAuth2(*value);
    }
  }

  // Upstream's order; the first complaint is the only one. Empty when there is none.
  static std::string_view CheckAuthentication(const HttpClientConfig& c, const Bearer& bearer) {
    if (!bearer.token.empty() && !bearer.file.empty()) {
      return "at most one of bearer_token & bearer_token_file must be configured";
    }
    if ((c.basic_auth || c.oauth2) && bearer.given()) {
      return "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured";
    }
    if (c.basic_auth) {
      const BasicAuth& auth = *c.basic_auth;
      if (CountSet({!auth.username.empty(), !auth.username_file.empty(), !auth.username_ref.empty()}) > 1) {
        return "at most one of basic_auth username, username_file & username_ref must be configured";
      }
      if (CountSet({!auth.password.empty(), !auth.password_file.empty(), !auth.password_ref.empty()}) > 1) {
        return "at most one of basic_auth password, password_file & password_ref must be configured";
      }
    }
    if (c.authorization) {
      const Authorization& auth = *c.authorization;
      if (bearer.given()) {
        return "authorization is not compatible with bearer_token & bearer_token_file";
      }
      if (CountSet({!auth.credentials.empty(), !auth.credentials_file.empty(),
                    !auth.credentials_ref.empty()}) > 1) {
        return "at most one of authorization credentials & credentials_file must be configured";
      }
      if (auth.type.size() == 5 && CanonicalHeader(auth.type) == "Basic") {
        return "authorization type cannot be set to \"basic\", use \"basic_auth\" instead";
      }
      if (c.basic_auth || c.oauth2) {
        return "at most one of basic_auth, oauth2 & authorization must be configured";
      }
    }
    return c.oauth2 ? CheckOAuth2(c) : std::string_view();
  }

  static std::string_view CheckOAuth2(const HttpClientConfig& c) {
    const OAuth2& o = *c.oauth2;
    if (c.basic_auth) {
      return "at most one of basic_auth, oauth2 & authorization must be configured";
    }
    if (o.client_id.empty()) {
      return "oauth2 client_id must be configured";
    }
    if (o.token_url.empty()) {
      return "oauth2 token_url must be configured";
    }
    if (o.grant_type == kJwtBearer) {
      if (CountSet({!o.client_certificate_key.empty(), !o.client_certificate_key_file.empty(),
                    !o.client_certificate_key_ref.empty()}) > 1) {
        return "at most one of oauth2 client_certificate_key, client_certificate_key_file & "
               "client_certificate_key_ref must be configured using "
               "grant-type=urn:ietf:params:oauth:grant-type:jwt-bearer";
      }
      static constexpr std::array<std::string_view, 4> kAlgorithms{"", "RS256", "RS384", "RS512"};
      if (std::find(kAlgorithms.begin(), kAlgorithms.end(), o.signature_algorithm) == kAlgorithms.end()) {
        return "valid signature algorithms are RS256, RS384 and RS512";
      }
      return {};
    }
    if (CountSet({!o.client_secret.empty(), !o.client_secret_file.empty(), !o.client_secret_ref.empty()}) >
        1) {
      return "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be configured "
             "using grant-type=client_credentials";
    }
    return {};
  }

  BasicAuth ReadBasicAuth(const YamlValue& value) const {
    BasicAuth out;
    YamlMap map(value, "config.plain");
    map.Read("username", out.username);
    ReadFile(map, "username_file", out.username_file);
    ReadRef(map, "username_ref", out.username_ref);
    map.Read("password", out.password);
    ReadFile(map, "password_file", out.password_file);
    ReadRef(map, "password_ref", out.password_ref);
    map.Finish();
    return out;
  }

  Authorization ReadAuthorization(const YamlValue& value) const {
    Authorization out;
    YamlMap map(value, "config.Authorization");
    std::string type;
    map.Read("type", type);
    map.Read("credentials", out.credentials);
    ReadFile(map, "credentials_file", out.credentials_file);
    ReadRef(map, "credentials_ref", out.credentials_ref);
    map.Finish();
    size_t first = type.find_first_not_of(" \t\r\n");
    if (first != std::string::npos) {
      out.type = type.substr(first, type.find_last_not_of(" \t\r\n") - first + 1);
    }
    return out;
  }

  OAuth2 ReadOAuth2(const YamlValue& value) const {
    OAuth2 out;
    YamlMap map(value, "config.plain");
    map.Read("client_id", out.client_id);
    map.Read("client_secret", out.client_secret);
    ReadFile(map, "client_secret_file", out.client_secret_file);
    ReadRef(map, "client_secret_ref", out.client_secret_ref);
    map.Read("client_certificate_key_id", out.client_certificate_key_id);
    map.Read("client_certificate_key", out.client_certificate_key);
    ReadFile(map, "client_certificate_key_file", out.client_certificate_key_file);
    ReadRef(map, "client_certificate_key_ref", out.client_certificate_key_ref);
    map.Read("grant_type", out.grant_type);
    map.Read("signature_algorithm", out.signature_algorithm);
    map.Read("iss", out.iss);
    map.Read("audience", out.audience);
    ReadClaims(map, out);
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
    if (!map.Failed()) {
      CheckProxy(value, out.proxy);
      WarnAboutOAuth2(map, out);
    }
    return out;
  }

  // Accepted as upstream accepts it, and no token will come of it.
  static void WarnAboutOAuth2(const YamlMap& map, const OAuth2& out) {
    if (out.grant_type == kJwtBearer) {
      if (out.client_certificate_key.empty() && out.client_certificate_key_file.empty() &&
          out.client_certificate_key_ref.empty()) {
        map.At("grant_type")
            .Warn("grant_type jwt-bearer without a client_certificate_key: no token will be fetched");
      }
    } else if (!out.grant_type.empty() && out.grant_type != "client_credentials") {
      map.At("grant_type")
          .Warn(fmt::format("unknown grant_type {}: client_credentials is used", Quoted(out.grant_type)));
    }
    if (auto parts = CheckHttpUrl(out.token_url); !out.token_url.empty() && !parts) {
      map.At("token_url").Warn(fmt::format("{}: no token will be fetched", parts.error().message));
    }
  }

  static void ReadClaims(YamlMap& map, OAuth2& out) {
    auto value = map.TakeSet("claims");
    if (!value) {
      return;
    }
    if (value->node().kind != YamlNode::Kind::kMap) {
      value->WrongType("map[string]interface {}");
      return;
    }
    for (const auto& entry : value->node().entries) {
      out.claims.emplace_back(entry.key, YamlToJson(*entry.value).Dump());
    }
  }

  static void ReadProxy(YamlMap& map, ProxyConfig& out) {
    if (map.Read("proxy_url", out.url)) {
      if (std::string_view wrong = UrlSyntaxError(out.url); !wrong.empty()) {
        map.At("proxy_url").Error(fmt::format("parse proxy_url: {}", wrong));
      }
    }
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
  }

  static void CheckProxy(const YamlValue& at, const ProxyConfig& out) {
    if (!out.connect_header.empty() && out.url.empty() && !out.from_environment) {
      at.Error(
          "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be "
          "configured");
    } else if (out.from_environment && !out.url.empty()) {
      at.Error("if proxy_from_environment is configured, proxy_url must not be configured");
    } else if (out.from_environment && !out.no_proxy.empty()) {
      at.Error("if proxy_from_environment is configured, no_proxy must not be configured");
    } else if (!out.no_proxy.empty() && out.url.empty() && !out.from_environment) {
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

 public:
  void ReadHeaders(YamlMap& map, std::string_view key, HttpClientConfig& out) const {
    auto value = map.TakeSet(key);
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

 private:
  const std::string& directory_;
};

}  // namespace

HttpConfigPtr ReadHttpConfig(const YamlValue& value, const std::string& directory) {
  return std::make_shared<const HttpClientConfig>(HttpConfigReader(directory).Read(value));
}

HttpConfigPtr ReadInlineHttpConfig(const YamlValue& value, const std::string& directory,
                                   std::span<const std::string_view> own_keys) {
  return std::make_shared<const HttpClientConfig>(HttpConfigReader(directory).Read(value, own_keys));
}

void ReadHttpHeaders(YamlMap& map, std::string_view key) {
  const std::string directory;
  HttpClientConfig unused;
  HttpConfigReader(directory).ReadHeaders(map, key, unused);
}

TlsConfig ReadTlsConfig(const YamlValue& value) {
  const std::string directory;
  return HttpConfigReader(directory).ReadTls(value);
}

}  // namespace mlalert
