// http_config and tls_config as they are printed.
#include "config/print_section.h"
#include "config/url_check.h"

namespace mlalert {
namespace {

// http://user:secret@host as http://user:xxxxx@host.
std::string Redacted(const std::string& url) {
  size_t authority = url.find("//");
  size_t from = authority == std::string::npos ? 0 : authority + 2;
  size_t end = std::min(url.find_first_of("/?#", from), url.size());
  size_t at = url.rfind('@', end);
  size_t colon = url.find(':', from);
  if (at == std::string::npos || at < from || colon == std::string::npos || colon > at) {
    return url;
  }
  return url.substr(0, colon + 1) + "xxxxx" + url.substr(at);
}

void PrintProxy(const ProxyConfig& proxy, PrintSection& out) {
  out.Text("proxy_url", Redacted(proxy.url));
  out.Text("no_proxy", proxy.no_proxy);
  out.Flag("proxy_from_environment", proxy.from_environment);
  Json headers = Json::MakeObject();
  for (const auto& [name, values] : proxy.connect_header) {
    Json list = Json::MakeArray();
    for (const Secret& value : values) {
      list.Push(value.Masked());
    }
    headers.Set(name, std::move(list));
  }
  out.Object("proxy_connect_header", std::move(headers));
}

std::string_view TlsName(TlsVersion version) {
  switch (version) {
    case TlsVersion::kTls10:
      return "TLS10";
    case TlsVersion::kTls11:
      return "TLS11";
    case TlsVersion::kTls12:
      return "TLS12";
    case TlsVersion::kTls13:
      return "TLS13";
    case TlsVersion::kDefault:
      break;
  }
  return {};
}

Json PrintBasicAuth(const BasicAuth& auth, PrintFor reader) {
  PrintSection out(reader);
  out.Put("username", auth.username);
  out.Text("username_file", auth.username_file);
  out.Text("username_ref", auth.username_ref);
  out.Hidden("password", auth.password);
  out.Text("password_file", auth.password_file);
  out.Text("password_ref", auth.password_ref);
  return out.Take();
}

Json PrintAuthorization(const Authorization& auth, PrintFor reader) {
  PrintSection out(reader);
  out.Text("type", auth.type);
  out.Hidden("credentials", auth.credentials);
  out.Text("credentials_file", auth.credentials_file);
  out.Text("credentials_ref", auth.credentials_ref);
  return out.Take();
}

Json PrintOAuth2(const OAuth2& oauth2, PrintFor reader) {
  PrintSection out(reader);
  out.Put("client_id", oauth2.client_id);
  out.Hidden("client_secret", oauth2.client_secret);
  out.Text("client_secret_file", oauth2.client_secret_file);
  out.Text("client_secret_ref", oauth2.client_secret_ref);
  out.Text("client_certificate_key_id", oauth2.client_certificate_key_id);
  out.Hidden("client_certificate_key", oauth2.client_certificate_key);
  out.Text("client_certificate_key_file", oauth2.client_certificate_key_file);
  out.Text("client_certificate_key_ref", oauth2.client_certificate_key_ref);
  out.Text("grant_type", oauth2.grant_type);
  out.Text("signature_algorithm", oauth2.signature_algorithm);
  out.Text("iss", oauth2.iss);
  out.Text("audience", oauth2.audience);
  Json claims = Json::MakeObject();
  for (const auto& [name, json] : oauth2.claims) {
    claims.Set(name, ParseJson(json).value_or(Json()));
  }
  out.Object("claims", std::move(claims));
  out.Texts("scopes", oauth2.scopes);
  out.Put("token_url", oauth2.token_url);
  out.Map("endpoint_params", {oauth2.endpoint_params.begin(), oauth2.endpoint_params.end()});
  if (!(oauth2.tls == TlsConfig{})) {
    out.Put("tls_config", PrintTlsConfig(oauth2.tls, reader));
  }
  PrintProxy(oauth2.proxy, out);
  return out.Take();
}

Json PrintHeaders(const std::vector<HttpHeaderConfig>& headers, PrintFor reader) {
  Json out = Json::MakeObject();
  for (const HttpHeaderConfig& header : headers) {
    PrintSection fields(reader);
    fields.Texts("values", header.values);
    Json secrets = Json::MakeArray();
    for (const Secret& secret : header.secrets) {
      secrets.Push(secret.Masked());
    }
    fields.List("secrets", std::move(secrets));
    fields.Texts("files", header.files);
    out.Set(header.name, fields.Take());
  }
  return out;
}

}  // namespace

Json PrintTlsConfig(const TlsConfig& config, PrintFor reader) {
  PrintSection out(reader);
  out.Text("ca", config.ca);
  out.Text("cert", config.cert);
  out.Hidden("key", config.key);
  out.Text("ca_file", config.ca_file);
  out.Text("cert_file", config.cert_file);
  out.Text("key_file", config.key_file);
  out.Text("ca_ref", config.ca_ref);
  out.Text("cert_ref", config.cert_ref);
  out.Text("key_ref", config.key_ref);
  out.Text("server_name", config.server_name);
  out.Put("insecure_skip_verify", config.insecure_skip_verify);
  out.Text("min_version", std::string(TlsName(config.min_version)));
  out.Text("max_version", std::string(TlsName(config.max_version)));
  return out.Take();
}

Json PrintHttpConfig(const HttpClientConfig& config, PrintFor reader) {
  PrintSection out(reader);
  if (config.basic_auth) {
    out.Put("basic_auth", PrintBasicAuth(*config.basic_auth, reader));
  }
  if (config.authorization) {
    out.Put("authorization", PrintAuthorization(*config.authorization, reader));
  }
  if (config.oauth2) {
    out.Put("oauth2", PrintOAuth2(*config.oauth2, reader));
  }
  if (!(config.tls == TlsConfig{})) {
    out.Put("tls_config", PrintTlsConfig(config.tls, reader));
  }
  out.Put("follow_redirects", config.follow_redirects);
  out.Put("enable_http2", config.enable_http2);
  PrintProxy(config.proxy, out);
  out.Object("http_headers", PrintHeaders(config.http_headers, reader));
  return out.Take();
}

std::string JoinHostPort(const std::string& host, const std::string& port) {
  if (host.empty() && port.empty()) {
    return {};
  }
  return host.find(':') == std::string::npos ? host + ":" + port : "[" + host + "]:" + port;
}

Json PrintGlobal(const GlobalConfig& g, PrintFor reader) {
  PrintSection out(reader);
  out.Put("resolve_timeout", FormatDuration(g.resolve_timeout));
  out.Put("http_config", PrintHttpConfig(*g.http_config, reader));
  out.Text("jira_api_url", g.jira_api_url);
  out.Text("smtp_from", g.smtp_from);
  out.Text("smtp_hello", g.smtp_hello);
  out.Text("smtp_smarthost", JoinHostPort(g.smtp_smarthost.host, g.smtp_smarthost.port));
  out.Text("smtp_auth_username", g.smtp_auth_username);
  out.Hidden("smtp_auth_password", g.smtp_auth_password);
  out.Text("smtp_auth_password_file", g.smtp_auth_password_file);
  out.Hidden("smtp_auth_secret", g.smtp_auth_secret);
  out.Text("smtp_auth_secret_file", g.smtp_auth_secret_file);
  out.Text("smtp_auth_identity", g.smtp_auth_identity);
  out.Put("smtp_require_tls", g.smtp_require_tls);
  Json tls = PrintTlsConfig(g.smtp_tls_config, reader);
  out.Recent("smtp_tls_config", tls, PrintTlsConfig({}, reader));
  if (g.smtp_force_implicit_tls) {
    out.Put("smtp_force_implicit_tls", *g.smtp_force_implicit_tls);
  }
  out.Hidden("slack_api_url", g.slack_api_url);
  out.Text("slack_api_url_file", g.slack_api_url_file);
  out.Hidden("slack_app_token", g.slack_app_token);
  out.Text("slack_app_token_file", g.slack_app_token_file);
  const GlobalConfig defaults;
  out.Recent("slack_app_url", g.slack_app_url, defaults.slack_app_url);
  out.Text("pagerduty_url", g.pagerduty_url);
  out.Text("opsgenie_api_url", g.opsgenie_api_url);
  out.Hidden("opsgenie_api_key", g.opsgenie_api_key);
  out.Text("opsgenie_api_key_file", g.opsgenie_api_key_file);
  out.Text("wechat_api_url", g.wechat_api_url);
  out.Hidden("wechat_api_secret", g.wechat_api_secret);
  out.Text("wechat_api_secret_file", g.wechat_api_secret_file);
  out.Text("wechat_api_corp_id", g.wechat_api_corp_id);
  out.Text("victorops_api_url", g.victorops_api_url);
  out.Hidden("victorops_api_key", g.victorops_api_key);
  out.Text("victorops_api_key_file", g.victorops_api_key_file);
  out.Text("telegram_api_url", g.telegram_api_url);
  out.Hidden("telegram_bot_token", g.telegram_bot_token);
  out.Text("telegram_bot_token_file", g.telegram_bot_token_file);
  out.Text("webex_api_url", g.webex_api_url);
  out.Recent("rocketchat_api_url", g.rocketchat_api_url, defaults.rocketchat_api_url);
  out.Hidden("rocketchat_token", g.rocketchat_token);
  out.Text("rocketchat_token_file", g.rocketchat_token_file);
  out.Hidden("rocketchat_token_id", g.rocketchat_token_id);
  out.Text("rocketchat_token_id_file", g.rocketchat_token_id_file);
  out.Hidden("mattermost_webhook_url", g.mattermost_webhook_url);
  out.Text("mattermost_webhook_url_file", g.mattermost_webhook_url_file);
  return out.Take();
}

}  // namespace mlalert
