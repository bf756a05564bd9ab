#include <boost/test/unit_test.hpp>

#include "config_case.h"

using namespace mlalert;           // NOLINT(google-build-using-namespace)
using namespace mlalert::testing;  // NOLINT(google-build-using-namespace)
using std::chrono::milliseconds;

namespace {

// A config whose only receiver has this section.
std::string WithReceiver(std::string_view section, std::string_view more = "") {
  return "route: {receiver: r}\nreceivers:\n- name: r\n  " + std::string(section) + "\n" + std::string(more);
}

void ExpectErrors(std::initializer_list<BadCase> cases) {
  for (const BadCase& c : cases) {
    ExpectError(WithReceiver(c.text), c.message);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_receivers)

BOOST_AUTO_TEST_CASE(names_are_required_and_unique) {
  ExpectError("route: {receiver: r}\nreceivers: [{name: r}, {}]\n", "missing name in receiver");
  ExpectError("route: {receiver: r}\nreceivers: [{name: r}, {name: r}]\n",
              R"(notification config name "r" is not unique)");
}

BOOST_AUTO_TEST_CASE(labels_carry_the_name) {
  ConfigPtr c = MustLoad(WithReceiver("labels: {team: x}"));
  BOOST_TEST(c->receivers[0].labels.size() == 2U);
  ExpectError(WithReceiver("labels: {name: x}"),
              R"(receiver label "name" must match receiver name "r", got "x")");
}

BOOST_AUTO_TEST_CASE(a_key_that_is_no_kind_is_unknown) {
  ExpectClean(WithReceiver("email_configs: []"));
  ExpectError(WithReceiver("mail_configs: []"), "field mail_configs not found in type config.plain");
}

BOOST_AUTO_TEST_CASE(own_http_config_replaces_the_global_one_as_a_whole) {
  ConfigPtr c = MustLoad(
      "global: {http_config: {follow_redirects: false, proxy_url: 'http://p'}}\nroute: {receiver: "
      "r}\nreceivers: [{name: r, webhook_configs: "
      "[{url: 'http://a'}, {url: 'http://b', http_config: {enable_http2: false}}]}]\n");
  const auto& hooks = c->receivers[0].webhook_configs;
  BOOST_TEST(!hooks[0].http_config->follow_redirects);
  BOOST_TEST(hooks[1].http_config->follow_redirects);
  BOOST_TEST(!hooks[1].http_config->enable_http2);
  BOOST_TEST(hooks[1].http_config->proxy.url.empty());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(config_webhook)

BOOST_AUTO_TEST_CASE(reads_all_keys) {
  ConfigPtr c =
      MustLoad(WithReceiver("webhook_configs: [{send_resolved: false, url: 'http://a/{{ .Receiver }}', "
                            "max_alerts: 7, timeout: 1.5s}]"));
  const WebhookConfig& hook = c->receivers[0].webhook_configs[0];
  BOOST_TEST(!hook.send_resolved);
  BOOST_TEST(hook.url.Reveal() == "http://a/{{ .Receiver }}");
  BOOST_TEST(hook.max_alerts == 7U);
  BOOST_TEST((hook.timeout == milliseconds(1500)));
}

BOOST_AUTO_TEST_CASE(a_bare_timeout_is_nanoseconds) {
  ConfigPtr c = MustLoad(WithReceiver("webhook_configs: [{url_file: /f, timeout: 5000000}]"));
  BOOST_TEST((c->receivers[0].webhook_configs[0].timeout == milliseconds(5)));
}

BOOST_AUTO_TEST_CASE(refuses_in_alertmanagers_words) {
  ExpectErrors({
      {"webhook_configs: [{}]", "one of url or url_file must be configured"},
      {"webhook_configs: [~]", "missing webhook config"},
      {"webhook_configs: [{url: 'http://a', url_file: f}]",
       "at most one of url & url_file must be configured"},
      {"webhook_configs: [{url: 'http://a/{{'}]", "invalid template syntax: template: :1: unclosed action"},
      {"webhook_configs: [{url: 'ftp://a'}]", R"(invalid URL: unsupported scheme "ftp" for URL)"},
      {"webhook_configs: [{url: 'http://'}]", "invalid URL: missing host for URL"},
      {"webhook_configs: [{url: 'http://a', timeout: 1d}]", "cannot unmarshal !!str `1d` into time.Duration"},
      {"webhook_configs: [{url: 'http://a', max_alerts: -1}]", "cannot unmarshal !!int `-1` into uint64"},
      {"webhook_configs: [{url: 'http://a', max_alerts: x}]", "cannot unmarshal !!str `x` into uint64"},
      {"webhook_configs: [{url: 'http://a', foo: x}]", "field foo not found in type webhook.plain"},
      {"webhook_configs: {}", "cannot unmarshal !!map into []*webhook.WebhookConfig"},
  });
}

BOOST_AUTO_TEST_CASE(a_masked_copy_loads_with_a_warning) {
  Diagnostics d = Check(WithReceiver("webhook_configs: [{url: <secret>}]"));
  BOOST_TEST(d.ok(), d.ToText());
  BOOST_TEST(d.warning_count() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(config_slack)

BOOST_AUTO_TEST_CASE(has_alertmanagers_defaults) {
  ConfigPtr c =
      MustLoad(WithReceiver("slack_configs: [{channel: '#x'}]", "global: {slack_api_url: 'https://s/x'}\n"));
  const SlackConfig& slack = c->receivers[0].slack_configs[0];
  BOOST_TEST(!slack.send_resolved);
  BOOST_TEST(slack.api_url.Reveal() == "https://s/x");
  BOOST_TEST(slack.app_url == "https://slack.com/api/chat.postMessage");
  BOOST_TEST(slack.title == R"({{ template "slack.default.title" . }})");
  BOOST_TEST(slack.callback_id == R"({{ template "slack.default.callbackid" . }})");
  BOOST_TEST(slack.message_text.empty());
  BOOST_TEST(slack.mrkdwn_in.size() == 3U);
}

BOOST_AUTO_TEST_CASE(reads_fields_and_actions) {
  ConfigPtr c = MustLoad(WithReceiver(R"(slack_configs:
  - api_url: https://s/x
    fields: [{title: t, value: v}, {title: t, value: v, short: false}]
    actions:
    - {type: button, text: go, url: 'http://x', name: dropped, confirm: {text: sure}}
    - {type: button, text: go, name: n, value: v, confirm: {text: sure, ok_text: y}}
    mrkdwn_in: [text])"));
  const SlackConfig& slack = c->receivers[0].slack_configs[0];
  BOOST_TEST(!slack.fields[0].short_field.has_value());
  BOOST_TEST(slack.fields[1].short_field.value() == false);
  BOOST_TEST(slack.actions[0].name.empty());
  BOOST_TEST(!slack.actions[0].confirm.has_value());
  BOOST_TEST(slack.actions[1].confirm->ok_text == "y");
  BOOST_TEST(slack.mrkdwn_in.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_token_posts_to_the_app_url_with_a_bearer_header) {
  ConfigPtr c = MustLoad(WithReceiver("slack_configs: [{app_token: tok, channel: c, update_message: true}]"));
  const SlackConfig& slack = c->receivers[0].slack_configs[0];
  BOOST_TEST(slack.api_url.Reveal() == "https://slack.com/api/chat.postMessage");
  BOOST_TEST(slack.http_config->authorization->credentials.Reveal() == "tok");
  BOOST_TEST(!c->global.http_config->authorization.has_value());
}

BOOST_AUTO_TEST_CASE(the_global_token_serves_only_who_has_nothing_of_his_own) {
  ConfigPtr c = MustLoad(WithReceiver("slack_configs: [{channel: c}, {api_url: 'https://s/own'}]",
                                      "global: {slack_app_token: tok}\n"));
  const auto& slack = c->receivers[0].slack_configs;
  BOOST_TEST(slack[0].app_token.Reveal() == "tok");
  BOOST_TEST(slack[1].app_token.empty());
  BOOST_TEST(slack[1].api_url.Reveal() == "https://s/own");
}

BOOST_AUTO_TEST_CASE(refuses_in_alertmanagers_words) {
  ExpectErrors({
      {"slack_configs: [{}]", "no Slack API URL nor App token set either inline or in a file"},
      {"slack_configs: [~]", "no Slack API URL nor App token set either inline or in a file"},
      {"slack_configs: [{api_url: 'http://a', api_url_file: f}]",
       "at most one of api_url & api_url_file must be configured"},
      {"slack_configs: [{app_token: a, app_token_file: f}]",
       "at most one of app_token & app_token_file must be configured"},
      {"slack_configs: [{app_token: a, api_url: 'http://a'}]",
       "at most one of api_url/api_url_file & app_token/app_token_file must be configured"},
      {"slack_configs: [{app_token: a, http_config: {authorization: {credentials: x}}}]",
       "http authorization can't be set when using Slack App tokens"},
      {"slack_configs: [{api_url: 'http://a', update_message: true}]",
       "update_message can only be used with bot tokens. api_url must be set to "
       "https://slack.com/api/chat.postMessage"},
      {"slack_configs: [{update_message: true}]",
       "update_message can only be used with bot tokens. api_url must be set to "
       "https://slack.com/api/chat.postMessage"},
      {"slack_configs: [{api_url: 'http://a', fields: [{value: x}]}]",
       "missing title in Slack field configuration"},
      {"slack_configs: [{api_url: 'http://a', fields: [{title: x}]}]",
       "missing value in Slack field configuration"},
      {"slack_configs: [{api_url: 'http://a', actions: [{text: x}]}]",
       "missing type in Slack action configuration"},
      {"slack_configs: [{api_url: 'http://a', actions: [{type: x}]}]",
       "missing text in Slack action configuration"},
      {"slack_configs: [{api_url: 'http://a', actions: [{type: x, text: y}]}]",
       "missing name or url in Slack action configuration"},
      {"slack_configs: [{api_url: 'http://a', actions: [{type: x, text: y, name: n, confirm: {title: t}}]}]",
       "missing text in Slack confirmation configuration"},
      {"slack_configs: [{api_url: 'http://a', chanel: x}]", "field chanel not found in type config.plain"},
  });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(config_pagerduty)

BOOST_AUTO_TEST_CASE(has_alertmanagers_defaults) {
  ConfigPtr c = MustLoad(WithReceiver("pagerduty_configs: [{routing_key: k}]"));
  const PagerdutyConfig& pd = c->receivers[0].pagerduty_configs[0];
  BOOST_TEST(pd.send_resolved);
  BOOST_TEST(pd.url == "https://events.pagerduty.com/v2/enqueue");
  BOOST_TEST(pd.source == pd.client);
  BOOST_TEST(pd.severity == "error");
  BOOST_TEST(pd.details.at("num_firing").AsString() == "{{ .Alerts.Firing | len }}");
  BOOST_TEST(pd.details.size() == 4U);
}

BOOST_AUTO_TEST_CASE(reads_all_keys) {
  ConfigPtr c = MustLoad(WithReceiver(R"(pagerduty_configs:
  - service_key: k
    routing_key_file: /f
    url: http://pd/x
    client: c
    client_url: u
    description: d
    source: s
    severity: '{{ .CommonLabels.severity }}'
    class: cl
    component: co
    group: g
    details: {firing: mine, count: 3, none: ~}
    images: [{src: s, alt: a, href: h}]
    links: [{href: h, text: t}]
    timeout: 3s
    send_resolved: no)"));
  const PagerdutyConfig& pd = c->receivers[0].pagerduty_configs[0];
  BOOST_TEST(!pd.send_resolved);
  BOOST_TEST(pd.service_key.Reveal() == "k");
  BOOST_TEST(pd.class_name == "cl");
  BOOST_TEST(pd.details.at("firing").AsString() == "mine");
  BOOST_TEST(pd.details.at("count").Dump() == "3");
  BOOST_TEST(pd.details.at("none").AsString() == "");
  BOOST_TEST(pd.details.size() == 6U);
  BOOST_TEST(pd.images[0].href == "h");
  BOOST_TEST(pd.links[0].text == "t");
}

BOOST_AUTO_TEST_CASE(refuses_in_alertmanagers_words) {
  ExpectErrors({
      {"pagerduty_configs: [{}]", "missing service or routing key in PagerDuty config"},
      {"pagerduty_configs: [~]", "missing pagerduty config"},
      {"pagerduty_configs: [{routing_key: a, routing_key_file: f}]",
       "at most one of routing_key & routing_key_file must be configured"},
      {"pagerduty_configs: [{service_key: a, service_key_file: f}]",
       "at most one of service_key & service_key_file must be configured"},
      {"pagerduty_configs: [{routing_key: a, url: x}]", R"(unsupported scheme "" for URL)"},
      {"pagerduty_configs: [{routing_key: a, images: [{source: x}]}]",
       "field source not found in type pagerduty.PagerdutyImage"},
  });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(config_secrets)

// Every way we know to get a secret wrong; none may show it.
BOOST_AUTO_TEST_CASE(secrets_never_show_in_complaints) {
  for (const std::string& text : {
           WithReceiver("webhook_configs: [{url: hunter2, foo: 1}]"),
           WithReceiver("webhook_configs: [{url: 'hunter2://x'}]"),
           WithReceiver("webhook_configs: [{url: ftp://x/hunter2}]"),
           WithReceiver("webhook_configs: [{url: 'http://h:hunter2/'}]"),
           WithReceiver("webhook_configs: [{url: 'http://x/{{ hunter2 }}'}]"),
           WithReceiver("webhook_configs: [{url: {a: hunter2}}]"),
           WithReceiver("webhook_configs: [{urll: 'http://hunter2'}]"),
           WithReceiver("slack_configs: [{api_url: [hunter2]}]"),
           WithReceiver("slack_configs:\n  - api_url: hunter2\n    chanel: x"),
           WithReceiver("pagerduty_configs: [{routing_key: hunter2, routing_key_file: f}]"),
           WithReceiver("pagerduty_configs: [{routing_key: hunter2, routing_key: hunter2}]"),
           WithReceiver("pagerduty_configs: [{roting_key: hunter2}]"),
           WithReceiver("pagerduty_configs: [{routing_key: \"hun\\\n  ter2 hunter2\", clas: x}]"),
           WithReceiver("pasword: hunter2"),
           WithReceiver("webhook_configs: [{url: 'http://a', http_config: {basic_auth: {username: u, "
                        "password: hunter2, x: y}}}]"),
           WithReceiver("webhook_configs: [{url: 'http://a', http_config: {authorization: {credentials: "
                        "hunter2, type: basic}}}]"),
           WithReceiver(
               "webhook_configs: [{url: 'http://a', http_config: {tls_config: {key: hunter2}, a: b}}]"),
           WithReceiver("webhook_configs: [{url: 'http://a', http_config: {proxy_url: 'http://u:hunter2@p', "
                        "no_proxi: a}}]"),
           WithReceiver("webhook_configs: [{url: 'http://a', http_config: {http_headers: {Host: {secrets: "
                        "[hunter2]}}}}]"),
           WithReceiver(
               "webhook_configs: [{url: 'http://a', http_config: {proxy_connect_header: {a: [hunter2]}}}]"),
           WithReceiver("pagerduty_configs: [{routing_key: \"hunter2}]"),
           WithReceiver("pagerduty_configs:\n  - routing_key: |\n      hunter2\n      hunter2\n    foo: x"),
           WithReceiver("pagerduty_configs: [{routing_key: \"hunter2\\q\"}]"),
           Minimal("datasources: [{url: 'http://u:hunter2@h', foo: 1}]\n"),
           Minimal("datasources: [{url: 'http://u:hunter2@h h'}]\n"),
           Minimal("datasources: [{url: 'http://h', headers: {Authorization: hunter2}, foo: 1}]\n"),
           Minimal("datasources: [{url: 'http://h', headers: [hunter2]}]\n"),
           Minimal("global: {slack_api_url: hunter2}\n"),
           Minimal("global: {smtp_auth_password: hunter2, smtp_auth_password_file: f}\n"),
           Minimal("global: {mattermost_webhook_url: hunter2, x: y}\n"),
           Minimal("x: &a {password: hunter2}\ny: *a\n"),
       }) {
    Diagnostics d = Check(text);
    BOOST_TEST(!d.ok(), text);
    BOOST_TEST(d.ToText().find("hunter2") == std::string::npos, text << "\ngave\n" << d.ToText());
    BOOST_TEST(d.ToJson().Dump().find("hunter2") == std::string::npos);
  }
}

BOOST_AUTO_TEST_SUITE_END()
