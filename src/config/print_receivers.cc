// A receiver as it is printed: upstream's key order for each kind.
#include <type_traits>

#include "config/print_section.h"

namespace mlalert {
namespace {

constexpr std::string_view kNoTime = "0s";

template <class T>
void Common(const T& c, PrintSection& out) {
  out.Put("send_resolved", c.send_resolved);
  if (c.http_config == nullptr) {
    return;
  }
  HttpClientConfig http = *c.http_config;
  if constexpr (std::is_same_v<T, SlackConfig>) {
    // What the loader made of an app token (header, address) is left out: upstream prints it, and then cannot
    // load what it printed.
    if (!c.app_token.empty() || !c.app_token_file.empty()) {
      http.authorization.reset();
    }
  }
  out.Put("http_config", PrintHttpConfig(http, out.reader()));
}

Json PrintFields(const std::vector<SlackField>& fields, PrintFor reader) {
  Json out = Json::MakeArray();
  for (const SlackField& field : fields) {
    PrintSection item(reader);
    item.Text("title", field.title);
    item.Text("value", field.value);
    if (field.short_field) {
      item.Put("short", *field.short_field);
    }
    out.Push(item.Take());
  }
  return out;
}

void Print(const WebhookConfig& c, PrintSection& out) {
  if (out.reader() == PrintFor::kOldClients && !c.url.empty()) {
    out.Put("url", "http://secret.invalid/");  // 0.25 has no secret URLs here, and wants one that it can read
  } else {
    out.Hidden("url", c.url);
  }
  out.Recent("url_file", c.url_file, "");
  out.Put("max_alerts", c.max_alerts);
  out.Recent("timeout", FormatGoDuration(c.timeout), kNoTime);
  if (!c.payload.is_null()) {
    out.Put("payload", c.payload);
  }
}

void Print(const IncidentioConfig& c, PrintSection& out) {
  out.Put("url", c.url.empty() ? Json() : Json(c.url.Reveal()));
  out.Put("url_file", c.url_file);
  out.Hidden("alert_source_token", c.alert_source_token);
  out.Text("alert_source_token_file", c.alert_source_token_file);
  out.Put("max_alerts", c.max_alerts);
  out.Put("timeout", FormatGoDuration(c.timeout));
}

void Print(const DiscordConfig& c, PrintSection& out) {
  out.Hidden("webhook_url", c.webhook_url);
  out.Text("webhook_url_file", c.webhook_url_file);
  out.Text("content", c.content);
  out.Text("title", c.title);
  out.Text("message", c.message);
  out.Text("username", c.username);
  out.Text("avatar_url", c.avatar_url);
}

void Print(const MsteamsConfig& c, PrintSection& out) {
  out.Hidden("webhook_url", c.webhook_url);
  out.Text("webhook_url_file", c.webhook_url_file);
  out.Text("title", c.title);
  out.Text("summary", c.summary);
  out.Text("text", c.text);
}

void Print(const MsteamsV2Config& c, PrintSection& out) {
  out.Hidden("webhook_url", c.webhook_url);
  out.Text("webhook_url_file", c.webhook_url_file);
  out.Text("title", c.title);
  out.Text("text", c.text);
}

Json PrintActions(const std::vector<SlackAction>& actions, PrintFor reader) {
  Json out = Json::MakeArray();
  for (const SlackAction& action : actions) {
    PrintSection item(reader);
    item.Text("type", action.type);
    item.Text("text", action.text);
    item.Text("url", action.url);
    item.Text("style", action.style);
    item.Text("name", action.name);
    item.Text("value", action.value);
    if (action.confirm) {
      PrintSection confirm(reader);
      confirm.Text("text", action.confirm->text);
      confirm.Text("title", action.confirm->title);
      confirm.Text("ok_text", action.confirm->ok_text);
      confirm.Text("dismiss_text", action.confirm->dismiss_text);
      item.Put("confirm", confirm.Take());
    }
    out.Push(item.Take());
  }
  return out;
}

void Print(const SlackConfig& c, PrintSection& out) {
  bool token = !c.app_token.empty() || !c.app_token_file.empty();
  if (!token) {
    out.Hidden("api_url", c.api_url);
    out.Text("api_url_file", c.api_url_file);
  }
  out.Hidden("app_token", c.app_token);
  out.Text("app_token_file", c.app_token_file);
  out.Recent("app_url", c.app_url, GlobalConfig{}.slack_app_url);
  out.Text("channel", c.channel);
  out.Text("username", c.username);
  out.Text("color", c.color);
  out.Text("title", c.title);
  out.Text("title_link", c.title_link);
  out.Text("pretext", c.pretext);
  out.Text("text", c.text);
  out.Text("message_text", c.message_text);
  out.List("fields", PrintFields(c.fields, out.reader()));
  out.Put("short_fields", c.short_fields);
  out.Text("footer", c.footer);
  out.Text("fallback", c.fallback);
  out.Text("callback_id", c.callback_id);
  out.Text("icon_emoji", c.icon_emoji);
  out.Text("icon_url", c.icon_url);
  out.Text("image_url", c.image_url);
  out.Text("thumb_url", c.thumb_url);
  out.Put("link_names", c.link_names);
  if (c.mrkdwn_in != std::vector<std::string>{"fallback", "pretext", "text"}) {
    out.Texts("mrkdwn_in", c.mrkdwn_in);  // upstream fills its default in when it sends
  }
  out.List("actions", PrintActions(c.actions, out.reader()));
  out.Recent("update_message", c.update_message, false);
  out.Recent("timeout", FormatGoDuration(c.timeout), kNoTime);
}

void PrintAttachment(const MattermostAttachment& a, PrintSection& out) {
  out.Text("fallback", a.fallback);
  out.Text("color", a.color);
  out.Text("pretext", a.pretext);
}

void PrintAttachmentRest(const MattermostAttachment& a, PrintSection& out) {
  out.Text("author_name", a.author_name);
  out.Text("author_link", a.author_link);
  out.Text("author_icon", a.author_icon);
  out.Text("title", a.title);
  out.Text("title_link", a.title_link);
  out.List("fields", PrintFields(a.fields, out.reader()));
  out.Text("thumb_url", a.thumb_url);
  out.Text("footer", a.footer);
  out.Text("footer_icon", a.footer_icon);
  out.Text("image_url", a.image_url);
}

void Print(const MattermostConfig& c, PrintSection& out) {
  out.Hidden("webhook_url", c.webhook_url);
  out.Text("webhook_url_file", c.webhook_url_file);
  out.Text("channel", c.channel);
  out.Text("username", c.username);
  out.Text("text", c.text);
  PrintAttachment(c.attachment, out);
  PrintAttachmentRest(c.attachment, out);
  out.Text("icon_url", c.icon_url);
  out.Text("icon_emoji", c.icon_emoji);
  Json attachments = Json::MakeArray();
  for (const MattermostAttachment& attachment : c.attachments) {
    PrintSection item(out.reader());
    PrintAttachment(attachment, item);
    item.Text("text", attachment.text);
    PrintAttachmentRest(attachment, item);
    attachments.Push(item.Take());
  }
  out.List("attachments", std::move(attachments));
  out.Text("type", c.type);
  if (!c.props_card.empty()) {
    out.Put("props", Json::MakeObject().Set("card", c.props_card));
  }
  if (c.priority) {
    PrintSection priority(out.reader());
    priority.Text("priority", c.priority->priority);
    priority.Flag("requested_ack", c.priority->requested_ack);
    priority.Flag("persistent_notifications", c.priority->persistent_notifications);
    out.Put("priority", priority.Take());
  }
}

void Print(const RocketchatConfig& c, PrintSection& out) {
  out.Text("api_url", c.api_url);
  out.Hidden("token_id", c.token_id);
  out.Text("token_id_file", c.token_id_file);
  out.Hidden("token", c.token);
  out.Text("token_file", c.token_file);
  out.Text("channel", c.channel);
  out.Text("color", c.color);
  out.Text("title", c.title);
  out.Text("title_link", c.title_link);
  out.Text("text", c.text);
  Json fields = Json::MakeArray();
  for (const SlackField& field : c.fields) {  // all keys always: upstream's struct has no omitempty here
    PrintSection item(out.reader());
    item.Put("short", field.short_field ? Json(*field.short_field) : Json());
    item.Put("title", field.title);
    item.Put("value", field.value);
    fields.Push(item.Take());
  }
  out.List("fields", std::move(fields));
  out.Put("short_fields", c.short_fields);
  out.Text("emoji", c.emoji);
  out.Text("icon_url", c.icon_url);
  out.Text("image_url", c.image_url);
  out.Text("thumb_url", c.thumb_url);
  out.Put("link_names", c.link_names);
  Json actions = Json::MakeArray();
  for (const RocketchatAction& action : c.actions) {
    PrintSection item(out.reader());
    item.Put("type", action.type);
    item.Put("text", action.text);
    item.Put("url", action.url);
    item.Put("imageurl", action.image_url);
    item.Put("iswebview", action.is_webview);
    item.Put("webviewheightratio", action.webview_height_ratio);
    item.Put("msg", action.msg);
    item.Put("msginchatwindow", action.msg_in_chat_window);
    item.Put("msgprocessingtype", action.msg_processing_type);
    actions.Push(item.Take());
  }
  out.List("actions", std::move(actions));
}

void Print(const TelegramConfig& c, PrintSection& out) {
  out.Put("api_url", c.api_url);
  out.Hidden("bot_token", c.bot_token);
  out.Text("bot_token_file", c.bot_token_file);
  if (c.chat_id != 0) {
    out.Put("chat_id", c.chat_id);
  }
  out.Text("chat_id_file", c.chat_id_file);
  if (c.message_thread_id != 0) {
    out.Put("message_thread_id", c.message_thread_id);
  }
  out.Text("message", c.message);
  out.Flag("disable_notifications", c.disable_notifications);
  out.Text("parse_mode", c.parse_mode);
}

void Print(const WebexConfig& c, PrintSection& out) {
  out.Text("api_url", c.api_url);
  out.Text("message", c.message);
  out.Put("room_id", c.room_id);
}

void Print(const WechatConfig& c, PrintSection& out) {
  out.Hidden("api_secret", c.api_secret);
  out.Text("api_secret_file", c.api_secret_file);
  out.Text("corp_id", c.corp_id);
  out.Text("message", c.message);
  out.Text("api_url", c.api_url);
  out.Text("to_user", c.to_user);
  out.Text("to_party", c.to_party);
  out.Text("to_tag", c.to_tag);
  out.Text("agent_id", c.agent_id);
  out.Text("message_type", c.message_type);
}

void Print(const PagerdutyConfig& c, PrintSection& out) {
  static constexpr std::string_view kDefaultSource = R"({{ template "pagerduty.default.client" . }})";
  out.Hidden("service_key", c.service_key);
  out.Text("service_key_file", c.service_key_file);
  out.Hidden("routing_key", c.routing_key);
  out.Text("routing_key_file", c.routing_key_file);
  out.Text("url", c.url);
  out.Text("client", c.client);
  out.Text("client_url", c.client_url);
  out.Text("description", c.description);
  Json details = Json::MakeObject();
  for (const auto& [key, tree] : c.details) {
    details.Set(key, tree);
  }
  out.Object("details", std::move(details));
  Json images = Json::MakeArray();
  for (const PagerdutyImage& image : c.images) {
    PrintSection item(out.reader());
    item.Text("src", image.src);
    item.Text("alt", image.alt);
    item.Text("href", image.href);
    images.Push(item.Take());
  }
  out.List("images", std::move(images));
  Json links = Json::MakeArray();
  for (const PagerdutyLink& link : c.links) {
    PrintSection item(out.reader());
    item.Text("href", link.href);
    item.Text("text", link.text);
    links.Push(item.Take());
  }
  out.List("links", std::move(links));
  if (!c.source.empty()) {
    out.Recent("source", c.source, kDefaultSource);
  }
  if (c.severity != "error") {  // upstream fills its default in when it sends
    out.Text("severity", c.severity);
  }
  out.Text("class", c.class_name);
  out.Text("component", c.component);
  out.Text("group", c.group);
  out.Recent("timeout", FormatGoDuration(c.timeout), kNoTime);
}

void Print(const OpsgenieConfig& c, PrintSection& out) {
  out.Hidden("api_key", c.api_key);
  out.Text("api_key_file", c.api_key_file);
  out.Text("api_url", c.api_url);
  out.Text("message", c.message);
  out.Text("description", c.description);
  out.Text("source", c.source);
  out.Map("details", c.details);
  out.Text("entity", c.entity);
  Json responders = Json::MakeArray();
  for (const OpsgenieResponder& responder : c.responders) {
    PrintSection item(out.reader());
    item.Text("id", responder.id);
    item.Text("name", responder.name);
    item.Text("username", responder.username);
    item.Text("type", responder.type);
    responders.Push(item.Take());
  }
  out.List("responders", std::move(responders));
  out.Text("actions", c.actions);
  out.Text("tags", c.tags);
  out.Text("note", c.note);
  out.Text("priority", c.priority);
  out.Flag("update_alerts", c.update_alerts);
}

void Print(const VictoropsConfig& c, PrintSection& out) {
  out.Hidden("api_key", c.api_key);
  out.Text("api_key_file", c.api_key_file);
  out.Put("api_url", c.api_url);
  out.Put("routing_key", c.routing_key);
  out.Put("message_type", c.message_type);
  out.Put("state_message", c.state_message);
  out.Put("entity_display_name", c.entity_display_name);
  out.Put("monitoring_tool", c.monitoring_tool);
  out.Map("custom_fields", c.custom_fields);
}

void Print(const PushoverConfig& c, PrintSection& out) {
  out.Hidden("user_key", c.user_key);
  out.Text("user_key_file", c.user_key_file);
  out.Hidden("token", c.token);
  out.Text("token_file", c.token_file);
  out.Text("title", c.title);
  out.Text("message", c.message);
  out.Text("url", c.url);
  out.Text("url_title", c.url_title);
  out.Text("device", c.device);
  out.Text("sound", c.sound);
  out.Text("priority", c.priority);
  for (auto [key, duration] :
       {std::pair("retry", c.retry), std::pair("expire", c.expire), std::pair("ttl", c.ttl)}) {
    if (duration != Duration::zero()) {
      out.Put(key, FormatGoDuration(duration));
    }
  }
  out.Flag("html", c.html);
  out.Flag("monospace", c.monospace);
}

void Print(const SnsConfig& c, PrintSection& out) {
  out.Text("api_url", c.api_url);
  PrintSection sigv4(out.reader());
  sigv4.Text("region", c.sigv4.region);
  sigv4.Text("access_key", c.sigv4.access_key);
  sigv4.Hidden("secret_key", c.sigv4.secret_key);
  sigv4.Text("profile", c.sigv4.profile);
  sigv4.Text("role_arn", c.sigv4.role_arn);
  sigv4.Text("external_id", c.sigv4.external_id);
  out.Put("sigv4", sigv4.Take());
  out.Text("topic_arn", c.topic_arn);
  out.Text("phone_number", c.phone_number);
  out.Text("target_arn", c.target_arn);
  out.Text("subject", c.subject);
  out.Text("message", c.message);
  out.Map("attributes", c.attributes);
  out.Flag("use_aws_http_client", c.use_aws_http_client);
}

void Print(const EmailConfig& c, PrintSection& out) {
  out.Text("to", c.to);
  out.Text("from", c.from);
  out.Text("hello", c.hello);
  out.Text("smarthost", JoinHostPort(c.smarthost_host, c.smarthost_port));
  out.Text("auth_username", c.auth_username);
  out.Hidden("auth_password", c.auth_password);
  out.Text("auth_password_file", c.auth_password_file);
  out.Hidden("auth_secret", c.auth_secret);
  out.Text("auth_secret_file", c.auth_secret_file);
  out.Text("auth_identity", c.auth_identity);
  std::map<std::string, std::string> own;  // the three that the loader adds are upstream's at send time
  for (const auto& [name, text] : c.headers) {
    bool added = (name == "Subject" && text == kEmailDefaultSubject) || (name == "To" && text == c.to) ||
                 (name == "From" && text == c.from);
    if (!added) {
      own.emplace(name, text);
    }
  }
  out.Map("headers", own);
  out.Text("html", c.html);
  out.Text("text", c.text);
  out.Put("require_tls", c.require_tls);
  out.Put("tls_config", PrintTlsConfig(c.tls_config, out.reader()));
  if (c.force_implicit_tls) {
    out.Put("force_implicit_tls", *c.force_implicit_tls);
  }
  if (c.threading != EmailThreading::kOff) {
    out.Put("threading",
            Json::MakeObject()
                .Set("enabled", true)
                .Set("thread_by_date", c.threading == EmailThreading::kDaily ? "daily" : "none"));
  }
}

Json PrintJiraText(const JiraText& text, PrintFor reader) {
  PrintSection out(reader);
  out.Text("template", text.text);
  if (!text.enable_update) {
    out.Put("enable_update", false);
  }
  return out.Take();
}

void Print(const JiraConfig& c, PrintSection& out) {
  out.Text("api_url", c.api_url);
  out.Text("api_type", c.api_type);
  out.Text("project", c.project);
  out.Object("summary", PrintJiraText(c.summary, out.reader()));
  out.Object("description", PrintJiraText(c.description, out.reader()));
  out.Texts("labels", c.labels);
  out.Text("priority", c.priority);
  out.Text("issue_type", c.issue_type);
  out.Text("reopen_transition", c.reopen_transition);
  out.Text("resolve_transition", c.resolve_transition);
  out.Text("wont_fix_resolution", c.wont_fix_resolution);
  if (c.reopen_duration != Duration::zero()) {
    out.Put("reopen_duration", FormatDuration(c.reopen_duration));
  }
  Json fields = Json::MakeObject();
  for (const auto& [key, tree] : c.fields) {
    fields.Set(key, tree);
  }
  out.Object("fields", std::move(fields));
}

template <class T>
void PrintList(std::string_view key, const std::vector<T>& configs, PrintSection& out) {
  Json list = Json::MakeArray();
  for (const T& config : configs) {
    PrintSection item(out.reader());
    Common(config, item);
    Print(config, item);
    list.Push(item.Take());
  }
  out.List(key, std::move(list));
}

}  // namespace

Json PrintReceiver(const Receiver& r, PrintFor reader) {
  PrintSection out(reader);
  out.Put("name", r.name);
  Json labels = Json::MakeObject();
  for (const auto& [name, value] : r.labels) {
    labels.Set(name, value);
  }
  out.Recent("labels", labels, Json::MakeObject().Set("name", r.name));
  PrintList("discord_configs", r.discord_configs, out);
  PrintList("email_configs", r.email_configs, out);
  PrintList("incidentio_configs", r.incidentio_configs, out);
  PrintList("pagerduty_configs", r.pagerduty_configs, out);
  PrintList("slack_configs", r.slack_configs, out);
  PrintList("webhook_configs", r.webhook_configs, out);
  PrintList("opsgenie_configs", r.opsgenie_configs, out);
  PrintList("wechat_configs", r.wechat_configs, out);
  PrintList("pushover_configs", r.pushover_configs, out);
  PrintList("victorops_configs", r.victorops_configs, out);
  PrintList("sns_configs", r.sns_configs, out);
  PrintList("telegram_configs", r.telegram_configs, out);
  PrintList("webex_configs", r.webex_configs, out);
  PrintList("msteams_configs", r.msteams_configs, out);
  PrintList("msteamsv2_configs", r.msteamsv2_configs, out);
  PrintList("jira_configs", r.jira_configs, out);
  PrintList("rocketchat_configs", r.rocketchat_configs, out);
  PrintList("mattermost_configs", r.mattermost_configs, out);
  return out.Take();
}

}  // namespace mlalert
