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

#include "base/secret.h"
#include "base/time.h"
#include "config/alerting.h"
#include "config/evaluation.h"
#include "config/inbound_config.h"
#include "config/receivers.h"
#include "model/incident.h"
#include "model/matcher.h"
#include "model/time_interval.h"

namespace mlalert {

// A node of the routing tree with everything inherited already filled in.
struct Route {
  int line = 0;  // of the config file
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
  int line = 0;
  std::string name;
  Matchers source_matchers;
  Matchers target_matchers;
  std::vector<std::string> equal;
};

struct HostPort {
  std::string host, port;  // both empty: not set
  bool empty() const { return host.empty() && port.empty(); }
};

// Defaults of the receivers. A key and its `*_file` are one pair: at most one of the two is set.
struct GlobalConfig {
  Duration resolve_timeout = std::chrono::minutes(5);
  HttpConfigPtr http_config;
  std::string jira_api_url;
  std::string smtp_from;
  std::string smtp_hello = "localhost";
  HostPort smtp_smarthost;
  std::string smtp_auth_username;
  Secret smtp_auth_password;
  std::string smtp_auth_password_file;
  Secret smtp_auth_secret;
  std::string smtp_auth_secret_file;
  std::string smtp_auth_identity;
  bool smtp_require_tls = true;
  TlsConfig smtp_tls_config;
  std::optional<bool> smtp_force_implicit_tls;
  Secret slack_api_url;
  std::string slack_api_url_file;
  Secret slack_app_token;
  std::string slack_app_token_file;
  std::string slack_app_url = "https://slack.com/api/chat.postMessage";
  std::string pagerduty_url = "https://events.pagerduty.com/v2/enqueue";
  std::string opsgenie_api_url = "https://api.opsgenie.com/";
  Secret opsgenie_api_key;
  std::string opsgenie_api_key_file;
  std::string wechat_api_url = "https://qyapi.weixin.qq.com/cgi-bin/";
  Secret wechat_api_secret;
  std::string wechat_api_secret_file;
  std::string wechat_api_corp_id;
  std::string victorops_api_url = "https://alert.victorops.com/integrations/generic/20131114/alert/";
  Secret victorops_api_key;
  std::string victorops_api_key_file;
  std::string telegram_api_url = "https://api.telegram.org";
  Secret telegram_bot_token;
  std::string telegram_bot_token_file;
  std::string webex_api_url = "https://webexapis.com/v1/messages";
  std::string rocketchat_api_url = "https://open.rocket.chat/";
  Secret rocketchat_token;
  std::string rocketchat_token_file;
  Secret rocketchat_token_id;
  std::string rocketchat_token_id_file;
  Secret mattermost_webhook_url;
  std::string mattermost_webhook_url_file;
};

// --- what mlalert adds to alertmanager.yml ---

struct DatasourceConfig {
  std::string name = "default";
  std::string url;  // without userinfo, which moves into http_config
  std::vector<std::string>
      failover_urls;  // the same data elsewhere: asked in turn while `url` does not answer
  Duration timeout = std::chrono::seconds(30);
  int concurrency = 0;  // queries in flight; 0: evaluation.concurrency
  bool use_get = false;
  std::vector<std::pair<std::string, std::string>> params;  // of every query, e.g. nocache or dedup
  std::map<std::string, std::string> headers;               // e.g. X-Scope-OrgID
  // kMetricsql: what is not PromQL may still be a query; only the server can tell.
  enum class Dialect : uint8_t { kPromql, kMetricsql };
  Dialect dialect = Dialect::kPromql;
  HttpConfigPtr http_config;
};

// One pattern of rule_files, and who is asked for the rules of the files that it matches.
struct RuleFiles {
  std::string glob;        // absolute
  std::string datasource;  // empty: the first one
};

struct IncidentsConfig {
  std::vector<std::string> identity;  // empty: all labels
  Duration reopen_window = std::chrono::minutes(30);
  // What was resolved by hand and fires on opens again after this at the latest.
  Duration resolve_hold = std::chrono::hours(24);
};

struct HistoryConfig {
  Duration retention = std::chrono::hours(24 * 400);
};

struct ReviewTeam {
  std::string name;  // value of the label `team`
  std::vector<std::string> receivers;
  std::string time_zone;
};

// The weekly review: frozen when a week ends, sent to these receivers once.
struct ReviewConfig {
  std::vector<std::string> receivers;
  std::string time_zone = "UTC";
  Duration deliver_after = std::chrono::hours(9);  // Monday 09:00
  std::vector<ReviewTeam> teams;
};

struct ModelConfig {
  std::string name, team, dashboard_url, runbook_url;
  std::map<std::string, std::string> contacts;  // l1, l2, l3
};

class Calendars;         // config/calendars.h
class Schedules;         // config/schedules.h
struct ResponseTargets;  // config/response_targets.h
struct CalmConfig;       // config/calm_config.h

struct Config {
  std::string file;
  std::string text_hash;           // SHA-256 of the file as read
  uint64_t alertmanager_hash = 0;  // first 6 bytes of the MD5 of the file, little endian: the metric's value
  // The config in force as YAML with everything filled in and secrets masked (config_print.h): as the newest
  // Alertmanager prints it, and without what amtool 0.25 does not know and nobody has set.
  std::string printed;
  std::string printed_for_old_clients;
  GlobalConfig global;
  Route route;
  std::vector<Receiver> receivers;
  std::vector<InhibitRule> inhibit_rules;
  std::vector<NamedTimeInterval> time_intervals;
  std::vector<std::string> templates;  // globs, made absolute

  std::vector<DatasourceConfig> datasources;
  std::vector<RuleFiles> rule_files;
  EvaluationConfig evaluation;
  AlertingConfig alerting;
  HeartbeatConfig heartbeat;
  IncidentsConfig incidents;
  InboundConfig inbound;
  std::vector<IncidentPolicy> incident_policies;
  HistoryConfig history;
  ReviewConfig review;
  std::vector<ModelConfig> models;
  // Null: the config has none.
  std::shared_ptr<const Calendars> calendars;
  std::shared_ptr<const Schedules> schedules;
  std::shared_ptr<const ResponseTargets> response_targets;
  std::shared_ptr<const CalmConfig> calm;

  const Receiver* FindReceiver(std::string_view name) const;
  // Null: no such data source.
  const DatasourceConfig* FindDatasource(std::string_view name) const;
  const ModelConfig* FindModel(std::string_view name) const;
  // The first policy whose matchers match; null when none does (then the alert behaves as under
  // Alertmanager).
  const IncidentPolicy* FindPolicy(const LabelSet& labels) const;
};

using ConfigPtr = std::shared_ptr<const Config>;

}  // namespace mlalert
