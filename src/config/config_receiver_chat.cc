// Receivers that write into a chat through an API with a key: mattermost, rocketchat, telegram, webex,
// wechat.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "config/config_receivers.h"

namespace mlalert {
namespace {

constexpr std::string_view kMattermostFields = "[]*mattermost.MattermostField";

// What a message and each of its attachments have.
void ReadAttachment(YamlMap& map, MattermostAttachment& out) {
  map.Read("fallback", out.fallback);
  map.Read("color", out.color);
  map.Read("pretext", out.pretext);
  map.Read("text", out.text);
  map.Read("author_name", out.author_name);
  map.Read("author_link", out.author_link);
  map.Read("author_icon", out.author_icon);
  map.Read("title", out.title);
  map.Read("title_link", out.title_link);
  ReadFields(map, kMattermostFields, "Mattermost", out.fields);
  map.Read("thumb_url", out.thumb_url);
  map.Read("footer", out.footer);
  map.Read("footer_icon", out.footer_icon);
  map.Read("image_url", out.image_url);
}

void ReadAttachments(YamlMap& map, MattermostConfig& out) {
  auto list = map.Take("attachments");
  if (!list) {
    return;
  }
  for (const YamlValue& item : list->Items("[]*mattermost.MattermostAttachment")) {
    if (item.IsNull()) {
      continue;  // upstream accepts it, and falls over it when it sends
    }
    YamlMap fields(item, "mattermost.MattermostAttachment");
    ReadAttachment(fields, out.attachments.emplace_back());
    fields.Finish();
  }
}

void ReadPriority(const YamlValue& value, MattermostConfig::Priority& out) {
  YamlMap map(value, "mattermost.MattermostPriority");
  map.Read("priority", out.priority);
  map.Read("requested_ack", out.requested_ack);
  map.Read("persistent_notifications", out.persistent_notifications);
  map.Finish();
}

void ReadRocketchatFields(YamlMap& map, std::vector<SlackField>& out) {
  auto list = map.Take("fields");
  if (!list) {
    return;
  }
  for (const YamlValue& item : list->Items("[]*rocketchat.RocketchatAttachmentField")) {
    if (item.IsNull()) {
      continue;
    }
    YamlMap fields(item, "rocketchat.RocketchatAttachmentField");
    SlackField& field = out.emplace_back();
    fields.Read("short", field.short_field);
    fields.Read("title", field.title);
    fields.Read("value", field.value);
    fields.Finish();
  }
}

void ReadRocketchatActions(YamlMap& map, std::vector<RocketchatAction>& out) {
  auto list = map.Take("actions");
  if (!list) {
    return;
  }
  for (const YamlValue& item : list->Items("[]*rocketchat.RocketchatAttachmentAction")) {
    if (item.IsNull()) {
      continue;
    }
    YamlMap fields(item, "rocketchat.RocketchatAttachmentAction");
    RocketchatAction& action = out.emplace_back();
    fields.Read("type", action.type);
    fields.Read("text", action.text);
    fields.Read("url", action.url);
    fields.Read("imageurl", action.image_url);
    fields.Read("iswebview", action.is_webview);
    fields.Read("webviewheightratio", action.webview_height_ratio);
    fields.Read("msg", action.msg);
    fields.Read("msginchatwindow", action.msg_in_chat_window);
    fields.Read("msgprocessingtype", action.msg_processing_type);
    fields.Finish();
  }
}

}  // namespace

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, MattermostConfig& out) {
  const GlobalConfig& global = context.global;
  YamlMap map(value, "mattermost.plain");
  ReadCommon(map, context, out);
  SecretUrlPair pair = ReadWebhookUrl(map, out.webhook_url, out.webhook_url_file);
  map.Read("channel", out.channel);
  ReadText(map, "username", out.username, R"({{ template "mattermost.default.username" . }})");
  out.attachment.color = R"({{ template "mattermost.default.color" . }})";
  out.attachment.text = R"({{ template "mattermost.default.text" . }})";
  out.attachment.title = R"({{ template "mattermost.default.title" . }})";
  out.attachment.title_link = R"({{ template "mattermost.default.titlelink" . }})";
  out.attachment.fallback = R"({{ template "mattermost.default.fallback" . }})";
  ReadAttachment(map, out.attachment);
  out.text = out.attachment.text;
  map.Read("icon_url", out.icon_url);
  map.Read("icon_emoji", out.icon_emoji);
  ReadAttachments(map, out);
  map.Read("type", out.type);
  if (auto props = map.TakeSet("props")) {
    YamlMap fields(*props, "mattermost.MattermostProps");
    fields.Read("card", out.props_card);
    fields.Finish();
  }
  if (auto priority = map.TakeSet("priority")) {
    out.priority = MattermostConfig::Priority{};  // clang 14 has no emplace() for a nested type with defaults
    ReadPriority(*priority, *out.priority);
  }
  map.Finish();
  if (map.Failed() || !CheckExclusive(map, "webhook_url", pair.url_given, "webhook_url_file",
                                      !out.webhook_url_file.empty())) {
    return;
  }
  FallBack(out.webhook_url, out.webhook_url_file, global.mattermost_webhook_url,
           global.mattermost_webhook_url_file);
  if (out.webhook_url.empty() && out.webhook_url_file.empty()) {
    value.Error("missing webhook_url or webhook_url_file on mattermost_config");
  }
}

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, RocketchatConfig& out) {
  const GlobalConfig& global = context.global;
  YamlMap map(value, "rocketchat.plain");
  ReadCommon(map, context, out);
  out.api_url = global.rocketchat_api_url;
  ReadUrl(map, "api_url", out.api_url);
  bool token_id_given = map.TakeSet("token_id").has_value();
  map.Read("token_id", out.token_id);
  map.Read("token_id_file", out.token_id_file);
  bool token_given = map.TakeSet("token").has_value();
  map.Read("token", out.token);
  map.Read("token_file", out.token_file);
  map.Read("channel", out.channel);
  ReadText(map, "color", out.color, R"({{ if eq .Status "firing" }}red{{ else }}green{{ end }})");
  ReadText(map, "title", out.title, R"({{ template "rocketchat.default.title" . }})");
  ReadText(map, "title_link", out.title_link, R"({{ template "rocketchat.default.titlelink" . }})");
  ReadText(map, "text", out.text, R"({{ template "rocketchat.default.text" . }})");
  ReadRocketchatFields(map, out.fields);
  map.Read("short_fields", out.short_fields);
  ReadText(map, "emoji", out.emoji, R"({{ template "rocketchat.default.emoji" . }})");
  ReadText(map, "icon_url", out.icon_url, R"({{ template "rocketchat.default.iconurl" . }})");
  map.Read("image_url", out.image_url);
  map.Read("thumb_url", out.thumb_url);
  map.Read("link_names", out.link_names);
  ReadRocketchatActions(map, out.actions);
  map.Finish();
  if (map.Failed() || !CheckExclusive(map, "token", token_given, "token_file", !out.token_file.empty()) ||
      !CheckExclusive(map, "token_id", token_id_given, "token_id_file", !out.token_id_file.empty())) {
    return;
  }
  if (!token_id_given) {
    FallBack(out.token_id, out.token_id_file, global.rocketchat_token_id, global.rocketchat_token_id_file);
  }
  if (!token_given) {
    FallBack(out.token, out.token_file, global.rocketchat_token, global.rocketchat_token_file);
  }
  if (!token_id_given && out.token_id.empty() && out.token_id_file.empty()) {
    value.Error("no global Rocketchat TokenID set either inline or in a file");
  } else if (!token_given && out.token.empty() && out.token_file.empty()) {
    value.Error("no global Rocketchat Token set either inline or in a file");
  }
}

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, TelegramConfig& out) {
  static constexpr std::array<std::string_view, 4> kParseModes{"", "Markdown", "MarkdownV2", "HTML"};
  const GlobalConfig& global = context.global;
  YamlMap map(value, "telegram.plain");
  ReadCommon(map, context, out);
  out.api_url = global.telegram_api_url;
  ReadUrl(map, "api_url", out.api_url);
  map.Read("bot_token", out.bot_token);
  map.Read("bot_token_file", out.bot_token_file);
  map.Read("chat_id", out.chat_id);
  map.Read("chat_id_file", out.chat_id_file);
  map.Read("message_thread_id", out.message_thread_id);
  ReadText(map, "message", out.message, R"({{ template "telegram.default.message" . }})");
  map.Read("disable_notifications", out.disable_notifications);
  ReadText(map, "parse_mode", out.parse_mode, "HTML");
  map.Finish();
  if (map.Failed() || !CheckExclusive(map, "bot_token", !out.bot_token.empty(), "bot_token_file",
                                      !out.bot_token_file.empty())) {
    return;
  }
  if (out.chat_id == 0 && out.chat_id_file.empty()) {
    value.Error("missing chat_id or chat_id_file on telegram_config");
    return;
  }
  if (!CheckExclusive(map, "chat_id", out.chat_id != 0, "chat_id_file", !out.chat_id_file.empty())) {
    return;
  }
  if (std::find(kParseModes.begin(), kParseModes.end(), out.parse_mode) == kParseModes.end()) {
    map.At("parse_mode")
        .Error("unknown parse_mode on telegram_config, must be Markdown, MarkdownV2, HTML or empty string");
    return;
  }
  FallBack(out.bot_token, out.bot_token_file, global.telegram_bot_token, global.telegram_bot_token_file);
  if (out.bot_token.empty() && out.bot_token_file.empty()) {
    value.Error("missing bot_token or bot_token_file on telegram_config");
  }
}

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, WebexConfig& out) {
  YamlMap map(value, "config.plain");
  HttpConfigPtr own_http = ReadCommon(map, context, out);
  out.api_url = context.global.webex_api_url;
  ReadUrl(map, "api_url", out.api_url);
  ReadText(map, "message", out.message, R"({{ template "webex.default.message" . }})");
  map.Read("room_id", out.room_id);
  map.Finish();
  if (map.Failed()) {
    return;
  }
  if (out.room_id.empty()) {
    value.Error("missing room_id on webex_config");
  } else if (own_http == nullptr || !own_http->authorization) {
    value.Error("missing webex_configs.http_config.authorization");
  }
}

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, WechatConfig& out) {
  const GlobalConfig& global = context.global;
  YamlMap map(value, "config.plain");
  ReadCommon(map, context, out);
  map.Read("api_secret", out.api_secret);
  map.Read("api_secret_file", out.api_secret_file);
  map.Read("corp_id", out.corp_id);
  ReadText(map, "message", out.message, R"({{ template "wechat.default.message" . }})");
  out.api_url = global.wechat_api_url;
  ReadUrl(map, "api_url", out.api_url);
  ReadText(map, "to_user", out.to_user, R"({{ template "wechat.default.to_user" . }})");
  ReadText(map, "to_party", out.to_party, R"({{ template "wechat.default.to_party" . }})");
  ReadText(map, "to_tag", out.to_tag, R"({{ template "wechat.default.to_tag" . }})");
  ReadText(map, "agent_id", out.agent_id, R"({{ template "wechat.default.agent_id" . }})");
  map.Read("message_type", out.message_type);
  map.Finish();
  if (map.Failed()) {
    return;
  }
  if (out.message_type.empty()) {
    out.message_type = "text";
  }
  if (out.message_type != "text" && out.message_type != "markdown") {
    map.At("message_type")
        .Error(fmt::format("weChat message type {} does not match valid options ^(text|markdown)$",
                           Quoted(out.message_type)));
    return;
  }
  if (!CheckExclusive(map, "api_secret", !out.api_secret.empty(), "api_secret_file",
                      !out.api_secret_file.empty())) {
    return;
  }
  FallBack(out.api_secret, out.api_secret_file, global.wechat_api_secret, global.wechat_api_secret_file);
  if (out.corp_id.empty()) {
    out.corp_id = global.wechat_api_corp_id;
  }
  if (out.api_secret.empty() && out.api_secret_file.empty()) {
    value.Error("no global Wechat Api Secret set either inline or in a file");
  } else if (out.corp_id.empty()) {
    value.Error("no global Wechat CorpID set");
  }
  out.api_url = WithTrailingSlash(out.api_url);
}

}  // namespace mlalert
