// global.
#include <array>
#include <fmt/format.h>

#include "config/config_sections.h"

namespace mlalert {
namespace {

struct Pair {
  std::string_view key, file;
  Secret GlobalConfig::*secret;
  std::string GlobalConfig::*path;
};
// In the order in which upstream complains.
constexpr std::array<Pair, 11> kPairs{{
    {"slack_app_token", "slack_app_token_file", &GlobalConfig::slack_app_token,
     &GlobalConfig::slack_app_token_file},
    {"slack_api_url", "slack_api_url_file", &GlobalConfig::slack_api_url, &GlobalConfig::slack_api_url_file},
    {"opsgenie_api_key", "opsgenie_api_key_file", &GlobalConfig::opsgenie_api_key,
     &GlobalConfig::opsgenie_api_key_file},
    {"victorops_api_key", "victorops_api_key_file", &GlobalConfig::victorops_api_key,
     &GlobalConfig::victorops_api_key_file},
    {"telegram_bot_token", "telegram_bot_token_file", &GlobalConfig::telegram_bot_token,
     &GlobalConfig::telegram_bot_token_file},
    {"smtp_auth_password", "smtp_auth_password_file", &GlobalConfig::smtp_auth_password,
     &GlobalConfig::smtp_auth_password_file},
    {"rocketchat_token", "rocketchat_token_file", &GlobalConfig::rocketchat_token,
     &GlobalConfig::rocketchat_token_file},
    {"rocketchat_token_id", "rocketchat_token_id_file", &GlobalConfig::rocketchat_token_id,
     &GlobalConfig::rocketchat_token_id_file},
    {"smtp_auth_secret", "smtp_auth_secret_file", &GlobalConfig::smtp_auth_secret,
     &GlobalConfig::smtp_auth_secret_file},
    {"wechat_api_secret", "wechat_api_secret_file", &GlobalConfig::wechat_api_secret,
     &GlobalConfig::wechat_api_secret_file},
    {"mattermost_webhook_url", "mattermost_webhook_url_file", &GlobalConfig::mattermost_webhook_url,
     &GlobalConfig::mattermost_webhook_url_file},
}};

void ReadPairs(YamlMap& map, GlobalConfig& out) {
  for (const Pair& pair : kPairs) {
    if (pair.key == "slack_api_url" || pair.key == "mattermost_webhook_url") {
      ReadSecretUrl(map, pair.key, out.*pair.secret);
    } else {
      map.Read(pair.key, out.*pair.secret);
    }
    map.Read(pair.file, out.*pair.path);
  }
}

void ReadSmtp(YamlMap& map, GlobalConfig& out) {
  map.Read("smtp_from", out.smtp_from);
  map.Read("smtp_hello", out.smtp_hello);
  ReadHostPort(map, "smtp_smarthost", out.smtp_smarthost);
  map.Read("smtp_auth_username", out.smtp_auth_username);
  map.Read("smtp_auth_identity", out.smtp_auth_identity);
  map.Read("smtp_require_tls", out.smtp_require_tls);
  if (auto tls = map.TakeSet("smtp_tls_config")) {
    out.smtp_tls_config = ReadTlsConfig(*tls);
  }
  map.Read("smtp_force_implicit_tls", out.smtp_force_implicit_tls);
}

// A token needs the Web API, a webhook URL is another way to Slack. Both together pass where the "webhook" is
// the Web API itself: so people wrote it before there was app_token.
void CheckSlack(const YamlValue& at, const GlobalConfig& global) {
  bool token = !global.slack_app_token.empty() || !global.slack_app_token_file.empty();
  bool url = !global.slack_api_url.empty() || !global.slack_api_url_file.empty();
  if (token && url && global.slack_api_url.Reveal() != global.slack_app_url) {
    at.Error(
        "at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be "
        "configured");
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
  ReadUrl(map, "jira_api_url", out.jira_api_url);
  ReadSmtp(map, out);
  ReadUrl(map, "slack_app_url", out.slack_app_url);
  ReadUrl(map, "pagerduty_url", out.pagerduty_url);
  ReadUrl(map, "opsgenie_api_url", out.opsgenie_api_url);
  ReadUrl(map, "wechat_api_url", out.wechat_api_url);
  map.Read("wechat_api_corp_id", out.wechat_api_corp_id);
  ReadUrl(map, "victorops_api_url", out.victorops_api_url);
  ReadUrl(map, "telegram_api_url", out.telegram_api_url);
  ReadUrl(map, "webex_api_url", out.webex_api_url);
  ReadUrl(map, "rocketchat_api_url", out.rocketchat_api_url);
  ReadPairs(map, out);
  map.Finish();
  if (map.Failed()) {
    return;
  }
  for (const Pair& pair : kPairs) {
    CheckPair(map, pair.key, !(out.*pair.secret).empty(), pair.file, !(out.*pair.path).empty());
    if (pair.key == "slack_api_url") {
      CheckSlack(*value, out);
    }
    if (map.Failed()) {
      return;
    }
  }
}

}  // namespace mlalert
