#include "notify/receiver_texts.h"

#include <fmt/format.h>
#include <utility>
#include <vector>

#include "base/json.h"

namespace mlalert {
namespace {

// The texts of one struct, under the key it stands at.
class Texts {
 public:
  using Visit = std::function<void(const ReceiverText&)>;

  Texts(const Visit& visit, std::string where) : visit_(visit), where_(std::move(where)) {}

  Texts At(std::string_view key) const { return {visit_, fmt::format("{}.{}", where_, key)}; }
  Texts At(std::string_view key, size_t index) const {
    return {visit_, fmt::format("{}.{}[{}]", where_, key, index)};
  }

  void Text(std::string_view key, const std::string& text) const { Say(key, text, false, false); }
  void Html(std::string_view key, const std::string& text) const { Say(key, text, false, true); }
  void Hidden(std::string_view key, const Secret& text) const { Say(key, text.Reveal(), true, false); }
  void Map(std::string_view key, const std::map<std::string, std::string>& texts) const {
    for (const auto& [name, text] : texts) {
      At(key).Text(name, text);
    }
  }
  void Tree(std::string_view key, const Json& tree) const {
    if (tree.is_string()) {
      Text(key, tree.AsString());
    }
    for (size_t i = 0; i < tree.AsArray().size(); ++i) {
      Tree(fmt::format("{}[{}]", key, i), tree.AsArray()[i]);
    }
    for (const auto& [name, value] : tree.AsObject()) {
      At(key).Text(name, name);
      At(key).Tree(name, value);
    }
  }

 private:
  void Say(std::string_view key, std::string_view text, bool secret, bool html) const {
    std::string where = fmt::format("{}.{}", where_, key);
    visit_({.text = text, .where = where, .secret = secret, .html = html});
  }

  const Visit& visit_;
  std::string where_;
};

void Visit(const WebhookConfig& c, const Texts& at) {
  at.Hidden("url", c.url);
  at.Tree("payload", c.payload);
}

void Visit(const EmailConfig& c, const Texts& at) {
  at.Text("to", c.to);
  at.Text("from", c.from);
  at.Map("headers", c.headers);
  at.Html("html", c.html);
  at.Text("text", c.text);
}

void Visit(const PagerdutyConfig& c, const Texts& at) {
  at.Hidden("routing_key", c.routing_key);
  at.Hidden("service_key", c.service_key);
  at.Text("client", c.client);
  at.Text("client_url", c.client_url);
  at.Text("description", c.description);
  at.Text("source", c.source);
  at.Text("severity", c.severity);
  at.Text("class", c.class_name);
  at.Text("component", c.component);
  at.Text("group", c.group);
  for (const auto& [key, value] : c.details) {
    at.At("details").Tree(key, value);
  }
  for (size_t i = 0; i < c.images.size(); ++i) {
    at.At("images", i).Text("src", c.images[i].src);
    at.At("images", i).Text("alt", c.images[i].alt);
    at.At("images", i).Text("href", c.images[i].href);
  }
  for (size_t i = 0; i < c.links.size(); ++i) {
    at.At("links", i).Text("href", c.links[i].href);
    at.At("links", i).Text("text", c.links[i].text);
  }
}

void Visit(const OpsgenieConfig& c, const Texts& at) {
  at.Hidden("api_key", c.api_key);
  at.Text("message", c.message);
  at.Text("description", c.description);
  at.Text("source", c.source);
  at.Text("entity", c.entity);
  at.Text("actions", c.actions);
  at.Text("tags", c.tags);
  at.Text("note", c.note);
  at.Text("priority", c.priority);
  at.Map("details", c.details);
  for (size_t i = 0; i < c.responders.size(); ++i) {
    Texts responder = at.At("responders", i);
    responder.Text("id", c.responders[i].id);
    responder.Text("name", c.responders[i].name);
    responder.Text("username", c.responders[i].username);
    responder.Text("type", c.responders[i].type);
  }
}

void Visit(const WechatConfig& c, const Texts& at) {
  at.Hidden("api_secret", c.api_secret);
  at.Text("corp_id", c.corp_id);
  at.Text("message", c.message);
  at.Text("to_user", c.to_user);
  at.Text("to_party", c.to_party);
  at.Text("to_tag", c.to_tag);
  at.Text("agent_id", c.agent_id);
}

void VisitFields(const std::vector<SlackField>& fields, const Texts& at) {
  for (size_t i = 0; i < fields.size(); ++i) {
    at.At("fields", i).Text("title", fields[i].title);
    at.At("fields", i).Text("value", fields[i].value);
  }
}

void Visit(const SlackConfig& c, const Texts& at) {
  at.Text("channel", c.channel);
  at.Text("username", c.username);
  at.Text("color", c.color);
  at.Text("title", c.title);
  at.Text("title_link", c.title_link);
  at.Text("pretext", c.pretext);
  at.Text("text", c.text);
  at.Text("message_text", c.message_text);
  at.Text("fallback", c.fallback);
  at.Text("callback_id", c.callback_id);
  at.Text("footer", c.footer);
  at.Text("icon_emoji", c.icon_emoji);
  at.Text("icon_url", c.icon_url);
  at.Text("image_url", c.image_url);
  at.Text("thumb_url", c.thumb_url);
  VisitFields(c.fields, at);
  for (size_t i = 0; i < c.actions.size(); ++i) {
    const SlackAction& action = c.actions[i];
    Texts texts = at.At("actions", i);
    texts.Text("type", action.type);
    texts.Text("text", action.text);
    texts.Text("url", action.url);
    texts.Text("style", action.style);
    texts.Text("name", action.name);
    texts.Text("value", action.value);
    if (action.confirm) {
      Texts confirm = texts.At("confirm");
      confirm.Text("text", action.confirm->text);
      confirm.Text("title", action.confirm->title);
      confirm.Text("ok_text", action.confirm->ok_text);
      confirm.Text("dismiss_text", action.confirm->dismiss_text);
    }
  }
}

void Visit(const VictoropsConfig& c, const Texts& at) {
  at.Text("routing_key", c.routing_key);
  at.Text("message_type", c.message_type);
  at.Text("state_message", c.state_message);
  at.Text("entity_display_name", c.entity_display_name);
  at.Text("monitoring_tool", c.monitoring_tool);
  at.Map("custom_fields", c.custom_fields);
}

void Visit(const PushoverConfig& c, const Texts& at) {
  at.Hidden("user_key", c.user_key);
  at.Hidden("token", c.token);
  at.Text("title", c.title);
  c.html ? at.Html("message", c.message) : at.Text("message", c.message);
  at.Text("url", c.url);
  at.Text("url_title", c.url_title);
  at.Text("device", c.device);
  at.Text("sound", c.sound);
  at.Text("priority", c.priority);
}

void Visit(const SnsConfig& c, const Texts& at) {
  at.Text("api_url", c.api_url);
  at.Text("topic_arn", c.topic_arn);
  at.Text("phone_number", c.phone_number);
  at.Text("target_arn", c.target_arn);
  at.Text("subject", c.subject);
  at.Text("message", c.message);
  for (const auto& [name, text] : c.attributes) {
    at.At("attributes").Text(name, name);
    at.At("attributes").Text(name, text);
  }
}

void Visit(const TelegramConfig& c, const Texts& at) {
  c.parse_mode == "HTML" ? at.Html("message", c.message) : at.Text("message", c.message);
}

void Visit(const DiscordConfig& c, const Texts& at) {
  at.Text("content", c.content);
  at.Text("title", c.title);
  at.Text("message", c.message);
}

void Visit(const WebexConfig& c, const Texts& at) {
  at.Text("message", c.message);
  at.Text("room_id", c.room_id);
}

void Visit(const MsteamsConfig& c, const Texts& at) {
  at.Text("title", c.title);
  at.Text("summary", c.summary);
  at.Text("text", c.text);
}

void Visit(const MsteamsV2Config& c, const Texts& at) {
  at.Text("title", c.title);
  at.Text("text", c.text);
}

void Visit(const JiraConfig& c, const Texts& at) {
  at.Text("project", c.project);
  at.Text("issue_type", c.issue_type);
  at.Text("summary", c.summary.text);
  at.Text("description", c.description.text);
  for (size_t i = 0; i < c.labels.size(); ++i) {
    at.Text(fmt::format("labels[{}]", i), c.labels[i]);
  }
  at.Text("priority", c.priority);
  for (const auto& [key, value] : c.fields) {
    at.At("fields").Tree(key, value);
  }
}

void Visit(const RocketchatConfig& c, const Texts& at) {
  at.Text("channel", c.channel);
  at.Text("color", c.color);
  at.Text("title", c.title);
  at.Text("title_link", c.title_link);
  at.Text("text", c.text);
  at.Text("emoji", c.emoji);
  at.Text("icon_url", c.icon_url);
  at.Text("image_url", c.image_url);
  at.Text("thumb_url", c.thumb_url);
  VisitFields(c.fields, at);
  for (size_t i = 0; i < c.actions.size(); ++i) {
    at.At("actions", i).Text("text", c.actions[i].text);
    at.At("actions", i).Text("url", c.actions[i].url);
    at.At("actions", i).Text("msg", c.actions[i].msg);
  }
}

void Visit(const IncidentioConfig&, const Texts&) {}

void VisitAttachment(const MattermostAttachment& a, const Texts& at) {
  at.Text("fallback", a.fallback);
  at.Text("color", a.color);
  at.Text("pretext", a.pretext);
  at.Text("text", a.text);
  at.Text("author_name", a.author_name);
  at.Text("author_link", a.author_link);
  at.Text("author_icon", a.author_icon);
  at.Text("title", a.title);
  at.Text("title_link", a.title_link);
  VisitFields(a.fields, at);
  at.Text("thumb_url", a.thumb_url);
  at.Text("footer", a.footer);
  at.Text("footer_icon", a.footer_icon);
  at.Text("image_url", a.image_url);
}

void Visit(const MattermostConfig& c, const Texts& at) {
  at.Text("channel", c.channel);
  at.Text("username", c.username);
  at.Text("text", c.text);
  at.Text("icon_url", c.icon_url);
  at.Text("icon_emoji", c.icon_emoji);
  at.Text("type", c.type);
  VisitAttachment(c.attachment, at);
  for (size_t i = 0; i < c.attachments.size(); ++i) {
    VisitAttachment(c.attachments[i], at.At("attachments", i));
  }
  at.At("props").Text("card", c.props_card);
  if (c.priority) {
    at.At("priority").Text("priority", c.priority->priority);
  }
}

void Visit(const TwilioConfig& c, const Texts& at) {
  at.Text("message", c.message);
}

}  // namespace

void VisitTexts(const Receiver& receiver, const std::function<void(const ReceiverText&)>& visit) {
  auto list = [&](std::string_view key, const auto& configs) {
    for (size_t i = 0; i < configs.size(); ++i) {
      Visit(configs[i], Texts(visit, fmt::format("{}[{}]", key, i)));
    }
  };
  list("webhook_configs", receiver.webhook_configs);
  list("email_configs", receiver.email_configs);
  list("pagerduty_configs", receiver.pagerduty_configs);
  list("opsgenie_configs", receiver.opsgenie_configs);
  list("wechat_configs", receiver.wechat_configs);
  list("slack_configs", receiver.slack_configs);
  list("victorops_configs", receiver.victorops_configs);
  list("pushover_configs", receiver.pushover_configs);
  list("sns_configs", receiver.sns_configs);
  list("telegram_configs", receiver.telegram_configs);
  list("discord_configs", receiver.discord_configs);
  list("webex_configs", receiver.webex_configs);
  list("msteams_configs", receiver.msteams_configs);
  list("msteamsv2_configs", receiver.msteamsv2_configs);
  list("jira_configs", receiver.jira_configs);
  list("rocketchat_configs", receiver.rocketchat_configs);
  list("incidentio_configs", receiver.incidentio_configs);
  list("mattermost_configs", receiver.mattermost_configs);
  list("twilio_configs", receiver.twilio_configs);
}

}  // namespace mlalert
