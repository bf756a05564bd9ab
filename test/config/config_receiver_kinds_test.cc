// Every receiver kind: defaults, globals behind them, and upstream's words for what is wrong.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>

#include "config_case.h"
#include "support/source_dir.h"

using namespace mlalert;           // NOLINT(google-build-using-namespace)
using namespace mlalert::testing;  // NOLINT(google-build-using-namespace)

namespace {

std::string OneOf(std::string_view kind, std::string_view section, std::string_view global = "") {
  std::string out = "route: {receiver: r}\n";
  if (!global.empty()) {
    out += "global: {" + std::string(global) + "}\n";
  }
  return out + "receivers:\n- name: r\n  " + std::string(kind) + "_configs: [" + std::string(section) + "]\n";
}

struct KindCase {
  std::string_view kind, section, message, global = "";
};

}  // namespace

BOOST_AUTO_TEST_SUITE(receiver_kinds)

BOOST_AUTO_TEST_CASE(a_file_with_every_kind_loads) {
  std::ifstream in(SourceDir() + "/test/config/corpus/all-receivers.yml");
  std::ostringstream text;
  text << in.rdbuf();
  ConfigPtr config = MustLoad(text.str());
  const Receiver& r = config->receivers.at(0);
  BOOST_TEST(IntegrationsOf(r).size() == 19U);  // two webhooks, slacks and telegrams; no pushover, no sns
  BOOST_TEST(r.opsgenie_configs[0].api_url == "http://127.0.0.1:19199/og/");
  BOOST_TEST(r.opsgenie_configs[0].responders.size() == 2U);
  BOOST_TEST(r.telegram_configs[0].chat_id == -100);
  BOOST_TEST(r.telegram_configs[0].parse_mode == "HTML");
  BOOST_TEST((r.email_configs[0].threading == EmailThreading::kDaily));
  BOOST_TEST(r.email_configs[0].smarthost_port == "19198");
  BOOST_TEST(!r.email_configs[0].require_tls);
  BOOST_TEST(r.email_configs[0].headers.at("Reply-To") == "z@z");
  BOOST_TEST(r.email_configs[0].headers.at("Subject") == kEmailDefaultSubject);
  BOOST_TEST(!r.wechat_configs[0].message.empty());
  BOOST_TEST(r.mattermost_configs[0].priority->requested_ack);
  BOOST_TEST(r.jira_configs[0].fields.at("components").Dump() == R"({"name":"M"})");
}

BOOST_AUTO_TEST_CASE(free_trees_keep_types_and_lose_keys_that_are_no_texts) {
  ConfigPtr config = MustLoad(OneOf(
      "webhook",
      R"({url: 'http://a', payload: {n: 1, k: [1, true, yes, '1', 1.50, 2024-01-01, null, 0x10], m: {1: a, x: b}}})"));
  BOOST_TEST(config->receivers[0].webhook_configs[0].payload.Dump() ==
             R"({"k":[1,true,true,"1",1.5,"2024-01-01",null,16],"m":{"x":"b"}})");
  config = MustLoad(OneOf(
      "pagerduty", R"({routing_key: k, details: {a: {b: ['{{ .Status }}', 2]}, n: x, num_firing: over}})"));
  const auto& details = config->receivers[0].pagerduty_configs[0].details;
  BOOST_TEST(details.at("a").Dump() == R"({"b":["{{ .Status }}",2]})");
  BOOST_TEST(details.at("n").AsString() == "x");  // the topmost keys are texts
  BOOST_TEST(details.at("num_firing").AsString() == "over");
  BOOST_TEST(details.at("firing").AsString() == "{{ .Alerts.Firing | toJson }}");
}

BOOST_AUTO_TEST_CASE(globals_stand_behind_the_receivers_own) {
  ConfigPtr config = MustLoad(
      OneOf("email", "{to: a@b}",
            "smtp_smarthost: '[::1]:25', smtp_from: f@g, smtp_auth_password: p, smtp_require_tls: no"));
  const EmailConfig& email = config->receivers[0].email_configs[0];
  BOOST_TEST(email.smarthost_host == "::1");
  BOOST_TEST(email.from == "f@g");
  BOOST_TEST(email.auth_password.Reveal() == "p");
  BOOST_TEST(!email.require_tls);
  BOOST_TEST(email.hello == "localhost");
  BOOST_TEST(!email.send_resolved);
  // A key and its file are one pair: the receiver's file hides the global key.
  config = MustLoad(OneOf("opsgenie", "{api_key_file: /f}", "opsgenie_api_key: g"));
  BOOST_TEST(config->receivers[0].opsgenie_configs[0].api_key.empty());
  config = MustLoad(OneOf("victorops", "{api_key_file: /f, routing_key: r}", "victorops_api_key: g"));
  BOOST_TEST(config->receivers[0].victorops_configs[0].api_key.empty());
  config = MustLoad(OneOf("rocketchat", "{token_file: /f}", "rocketchat_token: g, rocketchat_token_id: i"));
  BOOST_TEST(config->receivers[0].rocketchat_configs[0].token.empty());
  BOOST_TEST(config->receivers[0].rocketchat_configs[0].token_id.Reveal() == "i");
  config = MustLoad(OneOf("jira", "{project: p, issue_type: t, summary: {template: x, enable_update: false}}",
                          "jira_api_url: 'https://j'"));
  const JiraConfig& jira = config->receivers[0].jira_configs[0];
  BOOST_TEST(jira.api_url == "https://j");
  BOOST_TEST(jira.summary.text == "x");
  BOOST_TEST(!jira.summary.enable_update);
  BOOST_TEST(jira.description.text == R"({{ template "jira.default.description" . }})");
  BOOST_TEST(jira.description.enable_update);
  config = MustLoad(OneOf("msteamsv2", "{webhook_url: 'http://a', http_config: {follow_redirects: false}}",
                          "http_config: {proxy_url: 'http://p:1', enable_http2: false}"));
  const HttpClientConfig& http = *config->receivers[0].msteamsv2_configs[0].http_config;
  BOOST_TEST(http.proxy.url == "http://p:1");
  BOOST_TEST(http.enable_http2);  // nothing but the proxy
  config = MustLoad(OneOf("pushover", "{user_key: u, token: t}"));
  BOOST_TEST((config->receivers[0].pushover_configs[0].retry == std::chrono::minutes(1)));
  MustLoad(OneOf("sns", "{topic_arn: a, target_arn: b, phone_number: c}"));  // upstream's chain of two !=
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_in_upstreams_words) {
  const std::vector<KindCase> cases{
      {"webhook", "{}", "one of url or url_file must be configured"},
      {"webhook", "{url: ''}", "one of url or url_file must be configured"},
      {"webhook", "{url: 'http://a', url_file: b}", "at most one of url & url_file must be configured"},
      {"webhook", "null", "missing webhook config"},
      {"webhook", "[]", "cannot unmarshal !!seq into webhook.plain"},
      {"email", "null", "missing email config"},
      {"email", "{}", "missing to address in email config"},
      {"email", "{to: a}", "no global SMTP smarthost set"},
      {"email", "{to: a, smarthost: 'a:1'}", "no global SMTP from set"},
      {"email", "{to: a, smarthost: a}", "address a: missing port in address"},
      {"email", "{to: a, smarthost: 'a:'}", "address \"a:\": port cannot be empty"},
      {"email", "{to: a, headers: {subject: a, SUBJECT: b}}", "duplicate header \"Subject\" in email config"},
      {"email", "{to: a, threading: {enabled: true}}",
       "threading.thread_by_date must be either 'none' or 'daily'"},
      {"email", "{to: a, headers: {references: x}, threading: {enabled: true, thread_by_date: none}}",
       "conflicting configuration: threading.enabled conflicts with custom References header"},
      {"pagerduty", "{}", "missing service or routing key in PagerDuty config"},
      {"pagerduty", "{routing_key: a, routing_key_file: b}",
       "at most one of routing_key & routing_key_file must be configured"},
      {"opsgenie", "null", "no global OpsGenie API Key set either inline or in a file"},
      {"opsgenie", "{api_key: a, responders: [{type: team}]}",
       "opsGenieConfig responder {   team} has to have at least one of id, username or name specified"},
      {"opsgenie", "{api_key: a, responders: [{id: x, type: Foo}]}",
       "opsGenieConfig responder {x   foo} type does not match valid options "
       "^(team|teams|user|escalation|schedule)$"},
      {"telegram", "{bot_token: a}", "missing chat_id or chat_id_file on telegram_config"},
      {"telegram", "{chat_id: 1}", "missing bot_token or bot_token_file on telegram_config"},
      {"telegram", "{bot_token: a, chat_id: 1, parse_mode: html}",
       "unknown parse_mode on telegram_config, must be Markdown, MarkdownV2, HTML or empty string"},
      {"telegram", "{bot_token: a, chat_id: x}", "cannot unmarshal !!str `x` into int64"},
      {"discord", "{}", "one of webhook_url or webhook_url_file must be configured"},
      {"msteams", "{webhook_url: 'http://a', webhook_url_file: b}",
       "at most one of webhook_url & webhook_url_file must be configured"},
      {"msteamsv2", "{webhook_url: 'http://a', summary: b}",
       "field summary not found in type msteamsv2.plain"},
      {"mattermost", "{}", "missing webhook_url or webhook_url_file on mattermost_config"},
      {"mattermost", "{webhook_url: 'http://a', fields: [{title: a}]}",
       "missing value in Mattermost field configuration"},
      {"webex", "{}", "missing room_id on webex_config"},
      {"webex", "{room_id: a}", "missing webex_configs.http_config.authorization"},
      {"wechat", "null", "no global Wechat Api Secret set either inline or in a file"},
      {"wechat", "{api_secret: a}", "no global Wechat CorpID set"},
      {"wechat", "{api_secret: a, corp_id: b, message_type: x}",
       "weChat message type \"x\" does not match valid options ^(text|markdown)$"},
      {"victorops", "{api_key: a}", "missing Routing key in VictorOps config"},
      {"victorops", "{routing_key: a}", "no global VictorOps API Key set"},
      {"victorops", "{api_key: a, routing_key: b, custom_fields: {entity_state: x}}",
       "victorOps config contains custom field entity_state which cannot be used as it conflicts with the "
       "fixed/static fields"},
      {"pushover", "{}", "one of user_key or user_key_file must be configured"},
      {"pushover", "{user_key: a}", "one of token or token_file must be configured"},
      {"pushover", "{user_key: a, token: b, html: true, monospace: true}",
       "at most one of monospace & html must be configured"},
      {"pushover", "{user_key: a, token: b, retry: 1d}", "time: unknown unit \"d\" in duration \"1d\""},
      {"sns", "{topic_arn: a, target_arn: b}",
       "must provide either a Target ARN, Topic ARN, or Phone Number for SNS config"},
      {"sns", "{topic_arn: a, sigv4: {access_key: x}}",
       "must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the SigV4 config"},
      {"jira", "{}", "missing project in jira_config"},
      {"jira", "{project: a}", "missing issue_type in jira_config"},
      {"jira", "{project: a, issue_type: b}", "no global Jira Cloud URL set"},
      {"jira", "{project: a, issue_type: b, api_type: c}",
       "unknown api_type on jira_config, must be auto, cloud or datacenter"},
      {"rocketchat", "null", "no global Rocketchat TokenID set either inline or in a file"},
      {"rocketchat", "{token_id: a}", "no global Rocketchat Token set either inline or in a file"},
      {"incidentio", "{}", "one of url or url_file must be configured"},
      {"incidentio", "{url: 'http://a', http_config: {}}",
       "at least one of alert_source_token, alert_source_token_file or http_config.authorization must be "
       "configured"},
      {"incidentio",
       "{url: 'http://a', alert_source_token: t, http_config: {authorization: {credentials: x}}}",
       "cannot specify alert_source_token or alert_source_token_file when using http_config.authorization"},
      {"slack", "null", "no Slack API URL nor App token set either inline or in a file"},
      {"slack", "{api_url: 'http://a', app_token: b}",
       "at most one of api_url/api_url_file & app_token/app_token_file must be configured"},
      {"slack", "{update_message: true, api_url_file: x}",
       "update_message can only be used with bot tokens. api_url must be set to "
       "https://slack.com/api/chat.postMessage"},
  };
  for (const KindCase& c : cases) {
    std::string text = OneOf(c.kind, c.section, c.global);
    ExpectError(text, c.message);
    // One mistake is one error: upstream asks nothing about a section that it could not read.
    BOOST_TEST(Check(text).error_count() == 1U, text << Check(text).ToText());
  }
}

BOOST_AUTO_TEST_CASE(a_global_key_and_its_file_exclude_each_other) {
  for (std::string_view key : {"slack_app_token", "opsgenie_api_key", "victorops_api_key",
                               "telegram_bot_token", "smtp_auth_password", "rocketchat_token",
                               "rocketchat_token_id", "smtp_auth_secret", "wechat_api_secret"}) {
    std::string k(key);
    ExpectError(Minimal("global: {" + k + ": a, " + k + "_file: b}\n"),
                "at most one of " + k + " & " + k + "_file must be configured");
  }
  ExpectError(
      Minimal("global: {slack_app_token: a, slack_api_url_file: b}\n"),
      "at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be "
      "configured");
}

BOOST_AUTO_TEST_SUITE_END()
