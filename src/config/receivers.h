// The typed sections of a receiver: one struct for each of Alertmanager's 18 kinds and for twilio, which is
// ours, keys named as in the file. Made by the config loader, defaults and globals already filled in; read by
// notify/. Texts that may hold template actions stay text here; notify/ parses and renders them. A key and
// its `*_file` are one pair: at most one of the two is set. Thread: immutable after load.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/http_client_config.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/time.h"

namespace mlalert {

using HttpConfigPtr = std::shared_ptr<const HttpClientConfig>;

// What every kind has.
struct IntegrationConfig {
  bool send_resolved = true;
  HttpConfigPtr http_config;  // the receiver's own or the global one; null for email
  Duration timeout{};         // of one attempt; 0: none beyond the flush deadline
};

struct WebhookConfig : IntegrationConfig {
  Secret url;  // may be a template
  std::string url_file;
  uint64_t max_alerts = 0;  // 0: all
  Json payload;             // null: Alertmanager's version 4 body. Keys and strings are templates
};

// One of `fields` of Slack, Rocket.Chat and Mattermost.
struct SlackField {
  std::string title, value;
  std::optional<bool> short_field;  // unset: short_fields
};
struct SlackConfirmation {
  std::string text, title, ok_text, dismiss_text;
};
struct SlackAction {
  std::string type, text, url, style, name, value;
  std::optional<SlackConfirmation> confirm;
};
struct SlackConfig : IntegrationConfig {
  SlackConfig() { send_resolved = false; }
  Secret api_url;
  std::string api_url_file;
  Secret app_token;
  std::string app_token_file;
  std::string app_url;
  std::string channel, username, color, title, title_link, pretext, text, message_text, fallback, callback_id,
      footer, icon_emoji, icon_url, image_url, thumb_url;
  std::vector<SlackField> fields;
  std::vector<SlackAction> actions;
  bool short_fields = false;
  bool link_names = false;
  std::vector<std::string> mrkdwn_in;
  bool update_message = false;
  bool buttons = false;  // ours: acknowledge, snooze, resolve, not actionable
};

struct PagerdutyLink {
  std::string href, text;
};
struct PagerdutyImage {
  std::string src, alt, href;
};
struct PagerdutyConfig : IntegrationConfig {
  Secret routing_key;
  std::string routing_key_file;
  Secret service_key;  // set: Events API v1
  std::string service_key_file;
  std::string url;
  std::string client, client_url, description, source, severity, class_name, component, group;
  std::map<std::string, Json> details;  // any tree; strings are templates
  std::vector<PagerdutyImage> images;
  std::vector<PagerdutyLink> links;
};

inline constexpr std::string_view kEmailDefaultSubject = R"({{ template "email.default.subject" . }})";
enum class EmailThreading : uint8_t { kOff, kNone, kDaily };  // kNone: one thread for ever
struct EmailConfig : IntegrationConfig {
  EmailConfig() { send_resolved = false; }
  std::string to, from;  // address lists, templates
  std::string hello, smarthost_host, smarthost_port;
  std::string auth_username, auth_identity;
  Secret auth_password;
  std::string auth_password_file;
  Secret auth_secret;
  std::string auth_secret_file;                // read as it is, not trimmed
  std::map<std::string, std::string> headers;  // canonical names; Subject, To and From are always there
  std::string html, text;
  bool require_tls = true;
  std::optional<bool> force_implicit_tls;  // unset: on port 465
  TlsConfig tls_config;
  EmailThreading threading = EmailThreading::kOff;
};

struct OpsgenieResponder {
  std::string id, name, username, type;
};
struct OpsgenieConfig : IntegrationConfig {
  Secret api_key;
  std::string api_key_file;
  std::string api_url;  // ends with a slash
  std::string message, description, source, entity, actions, tags, note, priority;
  std::map<std::string, std::string> details;
  std::vector<OpsgenieResponder> responders;
  bool update_alerts = false;
};

struct TelegramConfig : IntegrationConfig {
  std::string api_url;
  Secret bot_token;
  std::string bot_token_file;
  int64_t chat_id = 0;
  std::string chat_id_file;
  int64_t message_thread_id = 0;
  std::string message;
  bool disable_notifications = false;
  std::string parse_mode;  // HTML, Markdown, MarkdownV2 or empty
};

struct DiscordConfig : IntegrationConfig {
  Secret webhook_url;
  std::string webhook_url_file;
  std::string content, title, message;
  std::string username, avatar_url;  // not templates
};
struct MsteamsConfig : IntegrationConfig {
  Secret webhook_url;
  std::string webhook_url_file;
  std::string title, summary, text;
};
struct MsteamsV2Config : IntegrationConfig {
  Secret webhook_url;
  std::string webhook_url_file;
  std::string title, text;
};

struct MattermostAttachment {
  std::string fallback, color, pretext, text, author_name, author_link, author_icon, title, title_link,
      thumb_url, footer, footer_icon, image_url;
  std::vector<SlackField> fields;
};
struct MattermostConfig : IntegrationConfig {
  Secret webhook_url;
  std::string webhook_url_file;
  std::string channel, username, text, icon_url, icon_emoji, type;
  MattermostAttachment
      attachment;  // the top-level keys; used where `attachments` is empty. Its text is `text`
  std::vector<MattermostAttachment> attachments;
  std::string props_card;
  struct Priority {
    std::string priority;
    bool requested_ack = false;
    bool persistent_notifications = false;
  };
  std::optional<Priority> priority;
};

struct WebexConfig : IntegrationConfig {
  std::string api_url, message, room_id;
};

struct WechatConfig : IntegrationConfig {
  WechatConfig() { send_resolved = false; }
  Secret api_secret;  // a template
  std::string api_secret_file;
  std::string api_url;  // ends with a slash
  std::string corp_id, message, to_user, to_party, to_tag, agent_id, message_type;
};

struct VictoropsConfig : IntegrationConfig {
  Secret api_key;
  std::string api_key_file;
  std::string api_url;  // ends with a slash
  std::string routing_key, message_type, state_message, entity_display_name, monitoring_tool;
  std::map<std::string, std::string> custom_fields;
};

struct PushoverConfig : IntegrationConfig {
  Secret user_key;
  std::string user_key_file;  // trimmed
  Secret token;
  std::string token_file;  // trimmed
  std::string title, message, url, url_title, device, sound, priority;
  Duration retry = std::chrono::minutes(1);
  Duration expire = std::chrono::hours(1);
  Duration ttl{};
  bool html = false;
  bool monospace = false;
};

struct SnsSigV4 {
  std::string region, access_key, profile, role_arn, external_id;
  Secret secret_key;
};
struct SnsConfig : IntegrationConfig {
  std::string api_url, topic_arn, phone_number, target_arn, subject, message;
  SnsSigV4 sigv4;
  std::map<std::string, std::string> attributes;
  bool use_aws_http_client = false;
};

struct JiraText {
  std::string text;  // a template
  bool enable_update = true;
};
struct JiraConfig : IntegrationConfig {
  std::string api_url, api_type, project, issue_type, priority;
  JiraText summary, description;
  std::vector<std::string> labels;
  std::string reopen_transition, resolve_transition, wont_fix_resolution;
  Duration reopen_duration{};
  std::map<std::string, Json> fields;  // any tree; strings are templates
};

// Written in the file without underscores (`imageurl`), as upstream's untagged struct reads it.
struct RocketchatAction {
  std::string type, text, url, image_url, webview_height_ratio, msg, msg_processing_type;
  bool is_webview = false;
  bool msg_in_chat_window = false;
};
struct RocketchatConfig : IntegrationConfig {
  RocketchatConfig() { send_resolved = false; }
  std::string api_url;
  Secret token;
  std::string token_file;
  Secret token_id;
  std::string token_id_file;
  std::string channel, color, title, title_link, text, emoji, icon_url, image_url, thumb_url;
  std::vector<SlackField> fields;
  std::vector<RocketchatAction> actions;
  bool short_fields = false;
  bool link_names = false;
};

struct IncidentioConfig : IntegrationConfig {
  Secret url;
  std::string url_file;
  Secret alert_source_token;
  std::string alert_source_token_file;
  uint64_t max_alerts = 0;  // 0: all
};

enum class TwilioMethod : uint8_t { kCall, kSms };
struct TwilioConfig : IntegrationConfig {
  TwilioConfig() { send_resolved = false; }
  std::string api_url;  // no trailing slash
  std::string account_sid;
  Secret auth_token;
  std::string auth_token_file;
  std::string from;                // a number; for SMS also a sender's name or a messaging service
  bool messaging_service = false;  // what `from` is
  std::vector<std::string> to;     // calls go to one after the other until somebody presses a key
  TwilioMethod method = TwilioMethod::kCall;
  std::string language, voice, message;
  Duration ring_timeout = std::chrono::seconds(30);
  bool machine_detection = false;
};

struct Receiver {
  std::string name;
  std::map<std::string, std::string> labels;  // `name` is always there
  std::vector<DiscordConfig> discord_configs;
  std::vector<EmailConfig> email_configs;
  std::vector<IncidentioConfig> incidentio_configs;
  std::vector<PagerdutyConfig> pagerduty_configs;
  std::vector<SlackConfig> slack_configs;
  std::vector<WebhookConfig> webhook_configs;
  std::vector<OpsgenieConfig> opsgenie_configs;
  std::vector<WechatConfig> wechat_configs;
  std::vector<PushoverConfig> pushover_configs;
  std::vector<VictoropsConfig> victorops_configs;
  std::vector<SnsConfig> sns_configs;
  std::vector<TelegramConfig> telegram_configs;
  std::vector<WebexConfig> webex_configs;
  std::vector<MsteamsConfig> msteams_configs;
  std::vector<MsteamsV2Config> msteamsv2_configs;
  std::vector<JiraConfig> jira_configs;
  std::vector<RocketchatConfig> rocketchat_configs;
  std::vector<MattermostConfig> mattermost_configs;
  std::vector<TwilioConfig> twilio_configs;
};

// In the order in which Alertmanager builds the integrations of a receiver; ours after them.
enum class IntegrationKind : uint8_t {
  kWebhook,
  kEmail,
  kPagerduty,
  kOpsgenie,
  kWechat,
  kSlack,
  kVictorops,
  kPushover,
  kSns,
  kTelegram,
  kDiscord,
  kWebex,
  kMsteams,
  kMsteamsV2,
  kJira,
  kRocketchat,
  kIncidentio,
  kMattermost,
  kTwilio,
};
inline constexpr size_t kIntegrationKinds = 19;
inline constexpr auto kAllIntegrationKinds = [] {
  std::array<IntegrationKind, kIntegrationKinds> all{};
  for (size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<IntegrationKind>(i);
  }
  return all;
}();
// "webhook", "msteamsv2" ...: the names in the notification log, metrics and errors.
std::string_view ToString(IntegrationKind kind);

struct IntegrationRef {
  IntegrationKind kind = IntegrationKind::kWebhook;
  uint32_t index = 0;  // in its own list of the receiver
};
std::vector<IntegrationRef> IntegrationsOf(const Receiver& receiver);
const IntegrationConfig& IntegrationOf(const Receiver& receiver, IntegrationRef integration);

}  // namespace mlalert
