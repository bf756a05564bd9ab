#include "notify/plain_message.h"

#include <algorithm>

namespace mlalert {
namespace {

// As a template that prints `text`.
std::string Literal(const std::string& text) {
  std::string out;
  size_t from = 0;
  for (size_t at = text.find("{{"); at != std::string::npos; at = text.find("{{", from)) {
    out += text.substr(from, at - from) + "{{\"{{\"}}";
    from = at + 2;
  }
  return out + text.substr(from);
}

// Strings of a webhook's payload are templates too.
Json LiteralTree(const Json& tree) {  // NOLINT(misc-no-recursion)
  if (tree.is_string()) {
    return Literal(tree.AsString());
  }
  if (tree.is_array()) {
    Json out = Json::MakeArray();
    for (const Json& item : tree.AsArray()) {
      out.Push(LiteralTree(item));
    }
    return out;
  }
  if (tree.is_object()) {
    Json out = Json::MakeObject();
    for (const auto& [key, value] : tree.AsObject()) {
      out.Set(Literal(key), LiteralTree(value));
    }
    return out;
  }
  return tree;
}

void SayPlainly(Receiver& r, const PlainMessage& message) {
  const std::string subject = Literal(message.subject);
  const std::string text = Literal(message.text);
  const std::string markdown = Literal(message.markdown);
  for (EmailConfig& c : r.email_configs) {
    c.headers["Subject"] = subject;
    c.html = Literal(message.html);
    c.text = text;
    c.threading = EmailThreading::kOff;
  }
  for (SlackConfig& c : r.slack_configs) {
    c.title = subject;
    c.fallback = subject;
    c.text = Literal(message.mrkdwn);
    c.mrkdwn_in = {"text"};
    c.color = c.title_link = c.pretext = c.message_text = c.footer = c.image_url = c.thumb_url =
        c.callback_id = "";
    c.fields.clear();
    c.actions.clear();
    c.update_message = false;
  }
  for (DiscordConfig& c : r.discord_configs) {
    c.title = subject;
    c.message = markdown;
    c.content = "";
  }
  for (TelegramConfig& c : r.telegram_configs) {
    c.message = text;
    c.parse_mode = "";
  }
  for (WebexConfig& c : r.webex_configs) {
    c.message = markdown;
  }
  for (MsteamsConfig& c : r.msteams_configs) {
    c.title = c.summary = subject;
    c.text = markdown;
  }
  for (MsteamsV2Config& c : r.msteamsv2_configs) {
    c.title = subject;
    c.text = markdown;
  }
  for (MattermostConfig& c : r.mattermost_configs) {
    c.text = markdown;
    c.attachments.clear();
    c.attachment = {};
    c.attachment.title = subject;
    c.attachment.fallback = subject;
    c.priority.reset();
  }
  for (RocketchatConfig& c : r.rocketchat_configs) {
    c.title = subject;
    c.text = markdown;
    c.title_link = c.image_url = c.thumb_url = "";
    c.fields.clear();
    c.actions.clear();
  }
  for (WebhookConfig& c : r.webhook_configs) {
    Json payload = Json::MakeObject();
    payload.Set("version", "mlalert-review-1").Set("title", subject).Set("text", text);
    if (auto parsed = ParseJson(message.json)) {
      payload.Set("review", LiteralTree(*parsed));
    }
    c.payload = std::move(payload);
  }
}

}  // namespace

std::vector<IntegrationRef> PlainIntegrations(const Receiver& receiver) {
  std::vector<IntegrationRef> out;
  for (IntegrationRef integration : IntegrationsOf(receiver)) {
    switch (integration.kind) {
      case IntegrationKind::kEmail:
      case IntegrationKind::kSlack:
      case IntegrationKind::kDiscord:
      case IntegrationKind::kTelegram:
      case IntegrationKind::kWebex:
      case IntegrationKind::kMsteams:
      case IntegrationKind::kMsteamsV2:
      case IntegrationKind::kMattermost:
      case IntegrationKind::kRocketchat:
      case IntegrationKind::kWebhook:
        out.push_back(integration);
        break;
      default:
        break;
    }
  }
  return out;
}

NotificationAttempt MakePlainAttempt(const ConfigPtr& config, const std::string& receiver,
                                     IntegrationRef integration, const PlainMessage& message, int64_t id,
                                     Timestamp now, Timestamp deadline) {
  auto copy = std::make_shared<Config>(*config);
  auto ours = std::find_if(copy->receivers.begin(), copy->receivers.end(),
                           [&](const Receiver& one) { return one.name == receiver; });
  SayPlainly(*ours, message);
  copy->templates.clear();
  auto n = std::make_shared<Notification>();
  n->id = id;
  n->group_key = "{}:{review=\"" + message.subject + "\"}";
  n->receiver = &*ours;
  n->integration = integration;
  n->reason = NotifyReason::kFirst;
  n->flushed_at = now;
  n->deadline = deadline;
  n->config = std::move(copy);
  return {std::move(n), 1};
}

}  // namespace mlalert
