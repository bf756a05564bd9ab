// Receivers that are one URL and little more: webhook, incidentio, discord, msteams, msteamsv2.
#include <fmt/format.h>

#include "config/config_receivers.h"
#include "config/yaml_json.h"

namespace mlalert {

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, WebhookConfig& out) {
  YamlMap map(value, "webhook.plain");
  ReadCommon(map, context, out);
  ReadSecretUrl(map, "url", out.url, true);
  map.Read("url_file", out.url_file);
  map.Read("max_alerts", out.max_alerts);
  map.ReadGoDuration("timeout", out.timeout);
  if (auto payload = map.TakeSet("payload")) {
    out.payload = YamlToJson(payload->node());
  }
  map.Finish();
  if (map.Failed()) {
    return;
  }
  if (out.url.empty() && out.url_file.empty()) {
    value.Error("one of url or url_file must be configured");
    return;
  }
  CheckPair(map, "url", !out.url.empty(), "url_file", !out.url_file.empty());
}

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, IncidentioConfig& out) {
  YamlMap map(value, "incidentio.plain");
  // The only kind whose files in http_config upstream leaves alone.
  HttpConfigPtr own_http = ReadCommon(map, context, out, false);
  std::string url;
  bool url_given = map.TakeSet("url").has_value();
  if (ReadUrl(map, "url", url)) {
    out.url = Secret(std::move(url));
  }
  map.Read("url_file", out.url_file);
  map.Read("alert_source_token", out.alert_source_token);
  map.Read("alert_source_token_file", out.alert_source_token_file);
  map.Read("max_alerts", out.max_alerts);
  map.ReadGoDuration("timeout", out.timeout);
  map.Finish();
  if (map.Failed()) {
    return;
  }
  bool token = !out.alert_source_token.empty() || !out.alert_source_token_file.empty();
  if (!url_given && out.url_file.empty()) {
    value.Error("one of url or url_file must be configured");
  } else if (!CheckExclusive(map, "url", url_given, "url_file", !out.url_file.empty()) ||
             !CheckExclusive(map, "alert_source_token", !out.alert_source_token.empty(),
                             "alert_source_token_file", !out.alert_source_token_file.empty())) {
    return;
  } else if (own_http != nullptr && own_http->authorization && token) {
    value.Error(
        "cannot specify alert_source_token or alert_source_token_file when using http_config.authorization");
  } else if (own_http != nullptr && !own_http->authorization && !token) {
    value.Error(
        "at least one of alert_source_token, alert_source_token_file or http_config.authorization must be "
        "configured");
  }
}

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, DiscordConfig& out) {
  YamlMap map(value, "discord.plain");
  ReadCommon(map, context, out);
  SecretUrlPair pair = ReadWebhookUrl(map, out.webhook_url, out.webhook_url_file);
  ReadText(map, "content", out.content);
  ReadText(map, "title", out.title, R"({{ template "discord.default.title" . }})");
  ReadText(map, "message", out.message, R"({{ template "discord.default.message" . }})");
  ReadText(map, "username", out.username);
  ReadText(map, "avatar_url", out.avatar_url);
  map.Finish();
  if (!map.Failed()) {
    CheckWebhookUrl(map, pair, out.webhook_url_file);
  }
}

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, MsteamsConfig& out) {
  YamlMap map(value, "msteams.plain");
  ReadCommon(map, context, out);
  SecretUrlPair pair = ReadWebhookUrl(map, out.webhook_url, out.webhook_url_file);
  ReadText(map, "title", out.title, R"({{ template "msteams.default.title" . }})");
  ReadText(map, "summary", out.summary, R"({{ template "msteams.default.summary" . }})");
  ReadText(map, "text", out.text, R"({{ template "msteams.default.text" . }})");
  map.Finish();
  if (!map.Failed()) {
    CheckWebhookUrl(map, pair, out.webhook_url_file);
  }
}

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, MsteamsV2Config& out) {
  YamlMap map(value, "msteamsv2.plain");
  HttpConfigPtr own_http = ReadCommon(map, context, out);
  SecretUrlPair pair = ReadWebhookUrl(map, out.webhook_url, out.webhook_url_file);
  ReadText(map, "title", out.title, R"({{ template "msteamsv2.default.title" . }})");
  ReadText(map, "text", out.text, R"({{ template "msteamsv2.default.text" . }})");
  map.Finish();
  if (map.Failed() || !CheckWebhookUrl(map, pair, out.webhook_url_file)) {
    return;
  }
  // The one exception from "its own http_config replaces the global one".
  if (own_http != nullptr && own_http->proxy.url.empty() && !context.global.http_config->proxy.url.empty()) {
    auto with_proxy = std::make_shared<HttpClientConfig>(*own_http);
    with_proxy->proxy.url = context.global.http_config->proxy.url;
    out.http_config = std::move(with_proxy);
  }
}

}  // namespace mlalert
