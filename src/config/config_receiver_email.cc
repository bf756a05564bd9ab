// email_configs.
#include <fmt/format.h>

#include "config/config_receivers.h"

namespace mlalert {
namespace {

void ReadThreading(const YamlValue& value, bool& enabled, std::string& by_date) {
  YamlMap map(value, "config.ThreadingConfig");
  map.Read("enabled", enabled);
  map.Read("thread_by_date", by_date);
  map.Finish();
}

// Header names without regard to case; false when one stands there twice.
bool CanonicalHeaders(const YamlMap& map, const std::map<std::string, std::string>& written,
                      std::map<std::string, std::string>& out) {
  for (const auto& [name, text] : written) {
    std::string canonical = CanonicalHeader(name);
    if (!out.emplace(canonical, text).second) {
      map.At("headers").Error(fmt::format("duplicate header {} in email config", Quoted(canonical)));
      return false;
    }
  }
  return true;
}

bool CheckThreading(const YamlMap& map, const std::string& by_date, EmailConfig& out) {
  const YamlValue at = map.At("threading");
  for (std::string_view header : {"References", "In-Reply-To"}) {
    if (out.headers.contains(std::string(header))) {
      at.Error(fmt::format("conflicting configuration: threading.enabled conflicts with custom {} header",
                           header));
      return false;
    }
  }
  if (by_date != "none" && by_date != "daily") {
    at.Error("threading.thread_by_date must be either 'none' or 'daily'");
    return false;
  }
  out.threading = by_date == "daily" ? EmailThreading::kDaily : EmailThreading::kNone;
  return true;
}

void OrGlobal(std::string& own, const std::string& global) {
  if (own.empty()) {
    own = global;
  }
}

}  // namespace

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, EmailConfig& out) {
  const GlobalConfig& global = context.global;
  YamlMap map(value, "config.plain");
  map.Read("send_resolved", out.send_resolved);
  map.Read("to", out.to);
  map.Read("from", out.from);
  map.Read("hello", out.hello);
  HostPort smarthost;
  ReadHostPort(map, "smarthost", smarthost);
  map.Read("auth_username", out.auth_username);
  map.Read("auth_password", out.auth_password);
  map.Read("auth_password_file", out.auth_password_file);
  map.Read("auth_secret", out.auth_secret);
  map.Read("auth_secret_file", out.auth_secret_file);
  map.Read("auth_identity", out.auth_identity);
  std::map<std::string, std::string> headers;
  map.Read("headers", headers);
  ReadText(map, "html", out.html, R"({{ template "email.default.html" . }})");
  ReadText(map, "text", out.text);
  std::optional<bool> require_tls;
  map.Read("require_tls", require_tls);
  out.tls_config = global.smtp_tls_config;
  if (auto tls = map.TakeSet("tls_config")) {
    out.tls_config = ReadTlsConfig(*tls);
  }
  map.Read("force_implicit_tls", out.force_implicit_tls);
  bool threading = false;
  std::string by_date;
  if (auto section = map.TakeSet("threading")) {
    ReadThreading(*section, threading, by_date);
  }
  map.Finish();
  if (map.Failed()) {
    return;
  }
  if (out.to.empty()) {
    value.Error("missing to address in email config");
    return;
  }
  if (!CanonicalHeaders(map, headers, out.headers) || (threading && !CheckThreading(map, by_date, out))) {
    return;
  }
  if (smarthost.empty()) {
    smarthost = global.smtp_smarthost;
  }
  OrGlobal(out.from, global.smtp_from);
  if (smarthost.empty()) {
    value.Error("no global SMTP smarthost set");
  } else if (out.from.empty()) {
    value.Error("no global SMTP from set");
  }
  out.smarthost_host = smarthost.host;
  out.smarthost_port = smarthost.port;
  OrGlobal(out.hello, global.smtp_hello);
  OrGlobal(out.auth_username, global.smtp_auth_username);
  FallBack(out.auth_password, out.auth_password_file, global.smtp_auth_password,
           global.smtp_auth_password_file);
  FallBack(out.auth_secret, out.auth_secret_file, global.smtp_auth_secret, global.smtp_auth_secret_file);
  OrGlobal(out.auth_identity, global.smtp_auth_identity);
  out.require_tls = require_tls.value_or(global.smtp_require_tls);
  if (!out.force_implicit_tls) {
    out.force_implicit_tls = global.smtp_force_implicit_tls;
  }
  out.headers.emplace("Subject", kEmailDefaultSubject);
  out.headers.emplace("To", out.to);
  out.headers.emplace("From", out.from);
}

}  // namespace mlalert
