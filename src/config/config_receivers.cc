// receivers.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "config/config_sections.h"

namespace mlalert {
namespace {

constexpr std::array<std::string_view, 15> kOtherKinds{
    "discord_configs",  "email_configs",      "incidentio_configs", "opsgenie_configs",
    "wechat_configs",   "pushover_configs",   "victorops_configs",  "sns_configs",
    "telegram_configs", "webex_configs",      "msteams_configs",    "msteamsv2_configs",
    "jira_configs",     "rocketchat_configs", "mattermost_configs"};

constexpr std::string_view kSlackPostMessage = "https://slack.com/api/chat.postMessage";

class ReceiverReader {
 public:
  ReceiverReader(const LoadContext& context, const GlobalConfig& global)
      : context_(context), global_(global) {}

  Receiver Read(const YamlValue& value) const {
    Receiver out;
    YamlMap map(value, "config.plain");
    map.Read("name", out.name);
    if (out.name.empty()) {
      value.Error("missing name in receiver");
    }
    ReadLabels(map, out);
    if (auto list = map.Take("webhook_configs")) {
      for (const YamlValue& item : list->Items("[]*webhook.WebhookConfig")) {
        if (item.IsNull()) {
          item.Error("missing webhook config");
        } else {
          ReadWebhook(item, out.webhook_configs.emplace_back());
        }
      }
    }
    if (auto list = map.Take("slack_configs")) {
      for (const YamlValue& item : list->Items("[]*config.SlackConfig")) {
        ReadSlack(item, out.slack_configs.emplace_back());
      }
    }
    if (auto list = map.Take("pagerduty_configs")) {
      for (const YamlValue& item : list->Items("[]*pagerduty.PagerdutyConfig")) {
        if (item.IsNull()) {
          item.Error("missing pagerduty config");
        } else {
          ReadPagerduty(item, out.pagerduty_configs.emplace_back());
        }
      }
    }
    for (std::string_view kind : kOtherKinds) {
      auto list = map.TakeSet(kind);
      if (list && !list->node().items.empty()) {
        map.At(kind).Error(fmt::format("receiver kind {} is not supported yet", kind),
                           "webhook_configs, slack_configs and pagerduty_configs are");
      } else if (list) {
        list->Items("[]*config.plain");
      }
    }
    map.Finish();
    return out;
  }

 private:
  static void ReadLabels(YamlMap& map, Receiver& out) {
    map.Read("labels", out.labels);
    auto [name, fresh] = out.labels.emplace("name", out.name);
    if (!fresh && name->second != out.name) {
      map.At("labels").Error(fmt::format("receiver label \"name\" must match receiver name {}, got {}",
                                         Quoted(out.name), Quoted(name->second)));
    }
  }

  // A receiver's own http_config replaces the global one as a whole.
  HttpConfigPtr OwnHttpConfig(YamlMap& map) const {
    auto value = map.TakeSet("http_config");
    return value ? ReadHttpConfig(*value, context_.directory) : nullptr;
  }

  void ReadWebhook(const YamlValue& value, WebhookConfig& out) const {
    YamlMap map(value, "webhook.plain");
    map.Read("send_resolved", out.send_resolved);
    HttpConfigPtr own = OwnHttpConfig(map);
    out.http_config = own != nullptr ? own : global_.http_config;
    bool url_given = map.TakeSet("url").has_value();
    ReadSecretUrl(map, "url", out.url, true);
    map.Read("url_file", out.url_file);
    map.Read("max_alerts", out.max_alerts);
    map.ReadGoDuration("timeout", out.timeout);
    if (map.TakeSet("payload")) {
      map.At("payload").Error(
          "payload is not supported yet: the webhook sends Alertmanager's version 4 body");
    }
    map.Finish();
    if (!url_given && out.url_file.empty()) {
      value.Error("one of url or url_file must be configured");
    }
    CheckPair(map, "url", url_given, "url_file", !out.url_file.empty());
  }

  void ReadSlack(const YamlValue& value, SlackConfig& out) const;
  void ReadSlackTexts(YamlMap& map, SlackConfig& out) const;
  void ReadSlackFields(YamlMap& map, SlackConfig& out) const;
  void ReadSlackActions(YamlMap& map, SlackConfig& out) const;
  void ResolveSlackTarget(const YamlMap& map, HttpConfigPtr own_http, bool api_url_given,
                          SlackConfig& out) const;
  void ReadPagerduty(const YamlValue& value, PagerdutyConfig& out) const;
  void ReadPagerdutyDetails(YamlMap& map, PagerdutyConfig& out) const;

  const LoadContext& context_;
  const GlobalConfig& global_;
};

void ReceiverReader::ReadSlack(const YamlValue& value, SlackConfig& out) const {
  YamlMap map(value, "config.plain");
  map.Read("send_resolved", out.send_resolved);
  HttpConfigPtr own_http = OwnHttpConfig(map);
  bool api_url_given = map.TakeSet("api_url").has_value();
  ReadSecretUrl(map, "api_url", out.api_url);
  map.Read("api_url_file", out.api_url_file);
  map.Read("app_token", out.app_token);
  map.Read("app_token_file", out.app_token_file);
  out.app_url = global_.slack_app_url;
  ReadUrl(map, "app_url", out.app_url);
  ReadSlackTexts(map, out);
  ReadSlackFields(map, out);
  ReadSlackActions(map, out);
  map.Read("short_fields", out.short_fields);
  map.Read("link_names", out.link_names);
  out.mrkdwn_in = {"fallback", "pretext", "text"};
  if (auto list = map.TakeSet("mrkdwn_in"); list && list->Read(out.mrkdwn_in) && out.mrkdwn_in.empty()) {
    out.mrkdwn_in = {"fallback", "pretext", "text"};
  }
  map.Read("update_message", out.update_message);
  map.ReadGoDuration("timeout", out.timeout);
  map.Finish();
  ResolveSlackTarget(map, std::move(own_http), api_url_given, out);
}

void ReceiverReader::ReadSlackTexts(YamlMap& map, SlackConfig& out) const {
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
    out.*text.field = text.fallback;
    map.Read(text.key, out.*text.field);
  }
}

void ReceiverReader::ReadSlackFields(YamlMap& map, SlackConfig& out) const {
  auto list = map.Take("fields");
  if (!list) {
    return;
  }
  for (const YamlValue& item : list->Items("[]*config.SlackField")) {
    YamlMap fields(item, "config.plain");
    SlackField field;
    fields.Read("title", field.title);
    fields.Read("value", field.value);
    bool is_short = false;
    if (auto value = fields.TakeSet("short"); value && value->Read(is_short)) {
      field.short_field = is_short;
    }
    fields.Finish();
    if (field.title.empty() || field.value.empty()) {
      item.Error(
          fmt::format("missing {} in Slack field configuration", field.title.empty() ? "title" : "value"));
    }
    out.fields.push_back(std::move(field));
  }
}

void ReceiverReader::ReadSlackActions(YamlMap& map, SlackConfig& out) const {
  auto list = map.Take("actions");
  if (!list) {
    return;
  }
  for (const YamlValue& item : list->Items("[]*config.SlackAction")) {
    YamlMap fields(item, "config.plain");
    SlackAction action;
    fields.Read("type", action.type);
    fields.Read("text", action.text);
    fields.Read("url", action.url);
    fields.Read("style", action.style);
    fields.Read("name", action.name);
    fields.Read("value", action.value);
    if (auto value = fields.TakeSet("confirm")) {
      YamlMap confirm(*value, "config.plain");
      SlackConfirmation& out_confirm = action.confirm.emplace();
      confirm.Read("text", out_confirm.text);
      confirm.Read("title", out_confirm.title);
      confirm.Read("ok_text", out_confirm.ok_text);
      confirm.Read("dismiss_text", out_confirm.dismiss_text);
      confirm.Finish();
      if (out_confirm.text.empty()) {
        value->Error("missing text in Slack confirmation configuration");
      }
    }
    fields.Finish();
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
void ReceiverReader::ResolveSlackTarget(const YamlMap& map, HttpConfigPtr own_http, bool api_url_given,
                                        SlackConfig& out) const {
  const YamlValue& at = map.value();
  bool own_url = api_url_given || !out.api_url_file.empty();
  bool own_token = !out.app_token.empty() || !out.app_token_file.empty();
  CheckPair(map, "api_url", api_url_given, "api_url_file", !out.api_url_file.empty());
  CheckPair(map, "app_token", !out.app_token.empty(), "app_token_file", !out.app_token_file.empty());
  if (own_url && own_token) {
    at.Error("at most one of api_url/api_url_file & app_token/app_token_file must be configured");
  }
  bool own_authorization = own_http != nullptr && own_http->authorization.has_value();
  if (!own_url && !own_token && !own_authorization) {
    out.app_token = global_.slack_app_token;
    out.app_token_file = global_.slack_app_token_file;
  }
  bool use_token = !out.app_token.empty() || !out.app_token_file.empty();
  out.http_config = own_http != nullptr ? own_http : global_.http_config;
  if (use_token) {
    if (own_authorization) {
      at.Error("http authorization can't be set when using Slack App tokens");
    }
    auto with_token = std::make_shared<HttpClientConfig>(*out.http_config);
    with_token->authorization = Authorization{"Bearer", out.app_token, out.app_token_file};
    with_token->basic_auth.reset();
    with_token->oauth2.reset();
    out.http_config = std::move(with_token);
    out.api_url = Secret(out.app_url);
  } else if (!own_url) {
    out.api_url = global_.slack_api_url;
    out.api_url_file = global_.slack_api_url_file;
    if (out.api_url.empty() && out.api_url_file.empty()) {
      at.Error("no Slack API URL nor App token set either inline or in a file");
    }
  }
  if (out.update_message && !use_token && out.api_url.Reveal() != kSlackPostMessage) {
    map.At("update_message")
        .Error(
            "update_message can only be used with bot tokens. api_url must be set to "
            "https://slack.com/api/chat.postMessage");
  }
}

void ReceiverReader::ReadPagerduty(const YamlValue& value, PagerdutyConfig& out) const {
  YamlMap map(value, "pagerduty.plain");
  map.Read("send_resolved", out.send_resolved);
  HttpConfigPtr own = OwnHttpConfig(map);
  out.http_config = own != nullptr ? own : global_.http_config;
  map.Read("routing_key", out.routing_key);
  map.Read("routing_key_file", out.routing_key_file);
  map.Read("service_key", out.service_key);
  map.Read("service_key_file", out.service_key_file);
  out.url = global_.pagerduty_url;
  ReadUrl(map, "url", out.url);
  out.client = R"({{ template "pagerduty.default.client" . }})";
  out.client_url = R"({{ template "pagerduty.default.clientURL" . }})";
  out.description = R"({{ template "pagerduty.default.description" .}})";
  out.severity = "error";
  map.Read("client", out.client);
  map.Read("client_url", out.client_url);
  map.Read("description", out.description);
  map.Read("source", out.source);
  map.Read("severity", out.severity);
  map.Read("class", out.class_name);
  map.Read("component", out.component);
  map.Read("group", out.group);
  if (out.source.empty()) {
    out.source = out.client;
  }
  ReadPagerdutyDetails(map, out);
  if (auto list = map.Take("images")) {
    for (const YamlValue& item : list->Items("[]pagerduty.PagerdutyImage")) {
      YamlMap fields(item, "pagerduty.plain");
      PagerdutyImage& image = out.images.emplace_back();
      fields.Read("src", image.src);
      fields.Read("alt", image.alt);
      fields.Read("href", image.href);
      fields.Finish();
    }
  }
  if (auto list = map.Take("links")) {
    for (const YamlValue& item : list->Items("[]pagerduty.PagerdutyLink")) {
      YamlMap fields(item, "pagerduty.plain");
      PagerdutyLink& link = out.links.emplace_back();
      fields.Read("href", link.href);
      fields.Read("text", link.text);
      fields.Finish();
    }
  }
  map.ReadGoDuration("timeout", out.timeout);
  map.Finish();
  bool no_key = out.routing_key.empty() && out.routing_key_file.empty() && out.service_key.empty() &&
                out.service_key_file.empty();
  if (no_key) {
    value.Error("missing service or routing key in PagerDuty config");
  }
  CheckPair(map, "routing_key", !out.routing_key.empty(), "routing_key_file", !out.routing_key_file.empty());
  CheckPair(map, "service_key", !out.service_key.empty(), "service_key_file", !out.service_key_file.empty());
}

void ReceiverReader::ReadPagerdutyDetails(YamlMap& map, PagerdutyConfig& out) const {
  auto details = map.TakeSet("details");
  if (details && details->node().kind != YamlNode::Kind::kMap) {
    details->WrongType("map[string]interface {}");
  } else if (details) {
    for (const auto& entry : details->node().entries) {
      YamlValue item =
          details->Child(*entry.value, entry.key_pos, fmt::format("{}.{}", details->path(), entry.key));
      if (!item.IsScalar() && !item.IsNull()) {
        item.Error("lists and maps in details are not supported yet", "write the value as one text");
        continue;
      }
      std::string text;
      item.Read(text);
      out.details[entry.key] = std::move(text);
    }
  }
  out.details.emplace("firing", "{{ .Alerts.Firing | toJson }}");
  out.details.emplace("resolved", "{{ .Alerts.Resolved | toJson }}");
  out.details.emplace("num_firing", "{{ .Alerts.Firing | len }}");
  out.details.emplace("num_resolved", "{{ .Alerts.Resolved | len }}");
}

}  // namespace

void ReadReceivers(const YamlValue& value, const LoadContext& context, const GlobalConfig& global,
                   std::vector<Receiver>& out) {
  ReceiverReader reader(context, global);
  std::set<std::string> names;
  for (const YamlValue& item : value.Items("[]config.Receiver")) {
    Receiver receiver = reader.Read(item);
    if (!receiver.name.empty() && !names.insert(receiver.name).second) {
      YamlMap(item, "config.plain")
          .At("name")
          .Error(fmt::format("notification config name {} is not unique", Quoted(receiver.name)));
    }
    out.push_back(std::move(receiver));
  }
}

}  // namespace mlalert
