// The checked configuration: one immutable tree of typed structs, a superset of alertmanager.yml.
// Made by config_loader.cc; shared by every module that needs a setting; replaced as a whole on reload.
// Thread: immutable after load.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/http_client_config.h"
#include "base/secret.h"
#include "base/time.h"
#include "model/incident.h"
#include "model/matcher.h"
#include "model/time_interval.h"

namespace mlalert {

using HttpConfigPtr = std::shared_ptr<const HttpClientConfig>;

// Keys of a receiver that hold text with template actions stay text here; notify/ parses and renders them.
struct WebhookConfig {
  bool send_resolved = true;
  Secret url;
  std::string url_file;
  uint64_t max_alerts = 0;  // 0: all
  Duration timeout{};       // 0: none beyond the flush deadline
  HttpConfigPtr http_config;
};

struct SlackField {
  std::string title, value;
  std::optional<bool> short_field;
};
struct SlackConfirmation {
  std::string text, title, ok_text, dismiss_text;
};
struct SlackAction {
  std::string type, text, url, style, name, value;
  std::optional<SlackConfirmation> confirm;
};
struct SlackConfig {
  bool send_resolved = false;
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
  Duration timeout{};
  HttpConfigPtr http_config;
};

struct PagerdutyLink {
  std::string href, text;
};
struct PagerdutyImage {
  std::string src, alt, href;
};
struct PagerdutyConfig {
  bool send_resolved = true;
  Secret routing_key;
  std::string routing_key_file;
  Secret service_key;
  std::string service_key_file;
  std::string url;
  std::string client, client_url, description, source, severity, class_name, component, group;
  std::map<std::string, std::string>
      details;  // flat text values; nested trees come with the full receiver set
  std::vector<PagerdutyImage> images;
  std::vector<PagerdutyLink> links;
  Duration timeout{};
  HttpConfigPtr http_config;
};

struct Receiver {
  std::string name;
  std::map<std::string, std::string> labels;
  std::vector<WebhookConfig> webhook_configs;
  std::vector<SlackConfig> slack_configs;
  std::vector<PagerdutyConfig> pagerduty_configs;
};

// A node of the routing tree with everything inherited already filled in.
struct Route {
  std::string receiver;
  Matchers matchers;  // sorted for display and keys
  std::vector<std::string> group_by;
  bool group_by_all = false;  // group_by: ['...']
  bool continue_matching = false;
  Duration group_wait = std::chrono::seconds(30);
  Duration group_interval = std::chrono::minutes(5);
  Duration repeat_interval = std::chrono::hours(4);
  std::vector<std::string> mute_time_intervals;
  std::vector<std::string> active_time_intervals;
  std::map<std::string, std::string> labels;
  std::vector<Route> routes;
};

struct InhibitRule {
  std::string name;
  Matchers source_matchers;
  Matchers target_matchers;
  std::vector<std::string> equal;
};

struct GlobalConfig {
  Duration resolve_timeout = std::chrono::minutes(5);
  HttpConfigPtr http_config;
  std::string pagerduty_url = "https://events.pagerduty.com/v2/enqueue";
  Secret slack_api_url;
  std::string slack_api_url_file;
  Secret slack_app_token;
  std::string slack_app_token_file;
  std::string slack_app_url = "https://slack.com/api/chat.postMessage";
};

// --- what mlalert adds to alertmanager.yml ---

struct DatasourceConfig {
  std::string name = "default";
  std::string url;  // without userinfo, which moves into http_config
  Duration timeout = std::chrono::seconds(30);
  std::map<std::string, std::string> headers;
  HttpConfigPtr http_config;
};

struct EvaluationConfig {
  Duration interval = std::chrono::minutes(1);
  Duration query_offset{};
  int concurrency = 4;
  Duration resend_delay = std::chrono::minutes(1);
  // What a firing alert does when the series it was computed from are gone.
  enum class NoData : uint8_t { kHold, kResolve };
  NoData no_data = NoData::kHold;
};

struct IncidentsConfig {
  std::vector<std::string> identity;  // empty: all labels
  Duration reopen_window = std::chrono::minutes(30);
};

struct HistoryConfig {
  Duration retention = std::chrono::hours(24 * 400);
};

struct ModelConfig {
  std::string name, team, dashboard_url, runbook_url;
  std::map<std::string, std::string> contacts;  // l1, l2, l3
};

struct Config {
  std::string file;
  std::string text_hash;           // SHA-256 of the file as read
  uint64_t alertmanager_hash = 0;  // first 6 bytes of the MD5 of the file, little endian: the metric's value
  GlobalConfig global;
  Route route;
  std::vector<Receiver> receivers;
  std::vector<InhibitRule> inhibit_rules;
  std::vector<NamedTimeInterval> time_intervals;
  std::vector<std::string> templates;  // globs, made absolute

  std::vector<DatasourceConfig> datasources;
  std::vector<std::string> rule_files;  // globs, made absolute
  EvaluationConfig evaluation;
  IncidentsConfig incidents;
  std::vector<IncidentPolicy> incident_policies;
  HistoryConfig history;
  std::vector<ModelConfig> models;

  const Receiver* FindReceiver(std::string_view name) const;
  const ModelConfig* FindModel(std::string_view name) const;
  // The first policy whose matchers match; null when none does (then the alert behaves as under
  // Alertmanager).
  const IncidentPolicy* FindPolicy(const LabelSet& labels) const;
};

using ConfigPtr = std::shared_ptr<const Config>;

}  // namespace mlalert
