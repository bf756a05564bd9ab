// global.
#include <array>
#include <fmt/format.h>

#include "config/config_sections.h"

namespace mlalert {
namespace {

// "address a: missing port in address", as Go's net.SplitHostPort.
void CheckHostPort(const YamlValue& value, const std::string& text) {
  size_t colon = text.rfind(':');
  bool bracketed = text.starts_with('[');
  bool port_missing = colon == std::string::npos || (bracketed && text.ends_with(']'));
  if (port_missing) {
    value.Error(fmt::format("address {}: missing port in address", text));
  } else if (!bracketed && text.find(':') != colon) {
    value.Error(fmt::format("address {}: too many colons in address", text));
  } else if (colon + 1 == text.size()) {
    value.Error(fmt::format("address {}: port cannot be empty", Quoted(text)));
  }
}

// Keys of global for receivers that are not built yet: checked for type, not kept.
void CheckForeignGlobals(YamlMap& map) {
  std::string text;
  Secret secret;
  bool flag = false;
  for (std::string_view key :
       {"smtp_from", "smtp_hello", "smtp_auth_username", "smtp_auth_identity", "wechat_api_corp_id"}) {
    map.Read(key, text);
  }
  text.clear();
  if (map.Read("smtp_smarthost", text) && !text.empty()) {
    CheckHostPort(map.At("smtp_smarthost"), text);
  }
  map.Read("smtp_require_tls", flag);
  if (map.TakeSet("smtp_force_implicit_tls")) {
    map.Read("smtp_force_implicit_tls", flag);
  }
  if (auto tls = map.TakeSet("smtp_tls_config")) {
    CheckTlsConfig(*tls);
  }
  for (std::string_view key : {"opsgenie_api_url", "wechat_api_url", "victorops_api_url", "telegram_api_url",
                               "webex_api_url", "jira_api_url", "rocketchat_api_url"}) {
    ReadUrl(map, key, text);
  }
  struct Pair {
    std::string_view value, file;
  };
  static constexpr std::array<Pair, 9> kPairs{{{"opsgenie_api_key", "opsgenie_api_key_file"},
                                               {"victorops_api_key", "victorops_api_key_file"},
                                               {"telegram_bot_token", "telegram_bot_token_file"},
                                               {"smtp_auth_password", "smtp_auth_password_file"},
                                               {"rocketchat_token", "rocketchat_token_file"},
                                               {"rocketchat_token_id", "rocketchat_token_id_file"},
                                               {"smtp_auth_secret", "smtp_auth_secret_file"},
                                               {"wechat_api_secret", "wechat_api_secret_file"},
                                               {"mattermost_webhook_url", "mattermost_webhook_url_file"}}};
  for (const Pair& pair : kPairs) {
    Secret value;
    std::string file;
    if (pair.value == "mattermost_webhook_url") {
      ReadSecretUrl(map, pair.value, value);
    } else {
      map.Read(pair.value, value);
    }
    map.Read(pair.file, file);
    CheckPair(map, pair.value, !value.empty(), pair.file, !file.empty());
  }
}

}  // namespace

void ReadGlobal(YamlMap& root, const LoadContext& context, GlobalConfig& out) {
  out.http_config = std::make_shared<const HttpClientConfig>();
  auto value = root.TakeSet("global");
  if (!value) {
    return;
  }
  YamlMap map(*value, "config.plain");
  map.Read("resolve_timeout", out.resolve_timeout);
  if (auto http = map.TakeSet("http_config")) {
    out.http_config = ReadHttpConfig(*http, context.directory);
  }
  ReadUrl(map, "pagerduty_url", out.pagerduty_url);
  ReadSecretUrl(map, "slack_api_url", out.slack_api_url);
  map.Read("slack_api_url_file", out.slack_api_url_file);
  map.Read("slack_app_token", out.slack_app_token);
  map.Read("slack_app_token_file", out.slack_app_token_file);
  ReadUrl(map, "slack_app_url", out.slack_app_url);
  CheckPair(map, "slack_app_token", !out.slack_app_token.empty(), "slack_app_token_file",
            !out.slack_app_token_file.empty());
  CheckPair(map, "slack_api_url", !out.slack_api_url.empty(), "slack_api_url_file",
            !out.slack_api_url_file.empty());
  bool token = !out.slack_app_token.empty() || !out.slack_app_token_file.empty();
  bool url = !out.slack_api_url.empty() || !out.slack_api_url_file.empty();
  if (token && url && out.slack_api_url.Reveal() != out.slack_app_url) {
    value->Error(
        "at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be "
        "configured");
  }
  CheckForeignGlobals(map);
  map.Finish();
}

}  // namespace mlalert
