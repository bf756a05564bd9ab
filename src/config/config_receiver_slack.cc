// slack_configs.
#include <array>
#include <fmt/format.h>

#include "config/config_receivers.h"

namespace mlalert {
namespace {

constexpr std::string_view kPostMessage = "https://slack.com/api/chat.postMessage";

constexpr const char* kUpdateNeedsToken =
    "update_message can only be used with bot tokens. api_url must be set to "
    "https://slack.com/api/chat.postMessage";

void ReadTexts(YamlMap& map, SlackConfig& out) {
  struct Text {
    std::string_view key;
    std::string SlackConfig::*field;
    std::string_view fallback;
  };
  static constexpr std::array<Text, 15> kTexts{{
      {"channel", &SlackConfig::channel, ""},
      {"username", &SlackConfig::username, R"({{ template "slack.default.username" . }})"},
      {"color", &SlackConfig::color, R"({{ template "slack.default.color" . }})"},
      {"title", &SlackConfig::title, R"({{ template "slack.default.title" . }})"},
      {"title_link", &SlackConfig::title_link, R"({{ template "slack.default.titlelink" . }})"},
      {"pretext", &SlackConfig::pretext, R"({{ template "slack.default.pretext" . }})"},
      {"text", &SlackConfig::text, R"({{ template "slack.default.text" . }})"},
      {"message_text", &SlackConfig::message_text, ""},
      {"fallback", &SlackConfig::fallback, R"({{ template "slack.default.fallback" . }})"},
      {"callback_id", &SlackConfig::callback_id, R"({{ template "slack.default.callbackid" . }})"},
      {"footer", &SlackConfig::footer, R"({{ template "slack.default.footer" . }})"},
      {"icon_emoji", &SlackConfig::icon_emoji, R"({{ template "slack.default.iconemoji" . }})"},
      {"icon_url", &SlackConfig::icon_url, R"({{ template "slack.default.iconurl" . }})"},
      {"image_url", &SlackConfig::image_url, ""},
      {"thumb_url", &SlackConfig::thumb_url, ""},
  }};
  for (const Text& text : kTexts) {
    ReadText(map, text.key, out.*text.field, text.fallback);
  }
}

void ReadConfirmation(const YamlValue& value, SlackConfirmation& out) {
  YamlMap confirm(value, "config.plain");
  confirm.Read("text", out.text);
  confirm.Read("title", out.title);
  confirm.Read("ok_text", out.ok_text);
  confirm.Read("dismiss_text", out.dismiss_text);
  confirm.Finish();
  if (!confirm.Failed() && out.text.empty()) {
    value.Error("missing text in Slack confirmation configuration");
  }
}

void ReadActions(YamlMap& map, SlackConfig& out) {
  auto list = map.Take("actions");
  if (!list) {
    return;
  }
  for (const YamlValue& item : list->Items("[]*config.SlackAction")) {
    if (item.IsNull()) {
      continue;  // upstream accepts it, and falls over it when it sends
    }
    YamlMap fields(item, "config.plain");
    SlackAction action;
    fields.Read("type", action.type);
    fields.Read("text", action.text);
    fields.Read("url", action.url);
    fields.Read("style", action.style);
    fields.Read("name", action.name);
    fields.Read("value", action.value);
    if (auto value = fields.TakeSet("confirm")) {
      ReadConfirmation(*value, action.confirm.emplace());
    }
    fields.Finish();
    if (fields.Failed()) {
      continue;
    }
    if (action.type.empty() || action.text.empty()) {
      item.Error(
          fmt::format("missing {} in Slack action configuration", action.type.empty() ? "type" : "text"));
    } else if (action.url.empty() && action.name.empty()) {
      item.Error("missing name or url in Slack action configuration");
    } else if (!action.url.empty()) {
      action.name.clear();
      action.value.clear();
      action.confirm.reset();
    }
    out.actions.push_back(std::move(action));
  }
}

// Which of webhook URL and app token is used, with the global ones behind the receiver's own.
void ResolveTarget(const YamlMap& map, const GlobalConfig& global, const HttpConfigPtr& own_http,
                   bool api_url_given, SlackConfig& out) {
  const YamlValue& at = map.value();
  bool own_url = api_url_given || !out.api_url_file.empty();
  bool own_authorization = own_http != nullptr && own_http->authorization.has_value();
  if (out.app_token.empty() && out.app_token_file.empty() && !own_authorization && !own_url) {
    out.app_token = global.slack_app_token;
    out.app_token_file = global.slack_app_token_file;
  }
  bool use_token = !out.app_token.empty() || !out.app_token_file.empty();
  if (!own_url) {
    out.api_url = global.slack_api_url;
    out.api_url_file = global.slack_api_url_file;
  }
  if (out.api_url.empty() && out.api_url_file.empty() && !use_token) {
    at.Error(out.update_message ? kUpdateNeedsToken
                                : "no Slack API URL nor App token set either inline or in a file");
    return;
  }
  if (!use_token) {
    return;
  }
  if (out.http_config->authorization) {
    at.Error("http authorization can't be set when using Slack App tokens");
    return;
  }
  auto with_token = std::make_shared<HttpClientConfig>(*out.http_config);
  with_token->authorization = Authorization{"Bearer", out.app_token, out.app_token_file};
  with_token->basic_auth.reset();
  with_token->oauth2.reset();
  out.http_config = std::move(with_token);
  out.api_url = Secret(out.app_url);
  out.api_url_file.clear();
}

}  // namespace

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, SlackConfig& out) {
  YamlMap map(value, "config.plain");
  HttpConfigPtr own_http = ReadCommon(map, context, out);
  bool api_url_given = map.TakeSet("api_url").has_value();
  ReadSecretUrl(map, "api_url", out.api_url);
  map.Read("api_url_file", out.api_url_file);
  map.Read("app_token", out.app_token);
  map.Read("app_token_file", out.app_token_file);
  out.app_url = context.global.slack_app_url;
  ReadUrl(map, "app_url", out.app_url);
  ReadTexts(map, out);
  ReadFields(map, "[]*config.SlackField", "Slack", out.fields);
  map.Read("short_fields", out.short_fields);
  map.Read("link_names", out.link_names);
  map.Read("mrkdwn_in", out.mrkdwn_in);
  if (out.mrkdwn_in.empty()) {
    out.mrkdwn_in = {"fallback", "pretext", "text"};
  }
  ReadActions(map, out);
  map.Read("update_message", out.update_message);
  map.Read("buttons", out.buttons);
  map.ReadGoDuration("timeout", out.timeout);
  map.Finish();
  if (map.Failed()) {
    return;
  }
  bool own_token = !out.app_token.empty() || !out.app_token_file.empty();
  if (!CheckExclusive(map, "api_url", api_url_given, "api_url_file", !out.api_url_file.empty()) ||
      !CheckExclusive(map, "app_token", !out.app_token.empty(), "app_token_file",
                      !out.app_token_file.empty())) {
    return;
  }
  if (own_token && (api_url_given || !out.api_url_file.empty())) {
    value.Error("at most one of api_url/api_url_file & app_token/app_token_file must be configured");
    return;
  }
  ResolveTarget(map, context.global, own_http, api_url_given, out);
  bool use_token = !out.app_token.empty() || !out.app_token_file.empty();
  if (!map.Failed() && out.update_message && !use_token && out.api_url.Reveal() != kPostMessage) {
    map.At("update_message").Error(kUpdateNeedsToken);
  }
}

}  // namespace mlalert
