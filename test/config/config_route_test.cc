#include <boost/test/unit_test.hpp>

#include "config_case.h"

using namespace mlalert;           // NOLINT(google-build-using-namespace)
using namespace mlalert::testing;  // NOLINT(google-build-using-namespace)
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

std::string WithRoute(std::string_view route, std::string_view more = "") {
  return "route: " + std::string(route) + "\nreceivers: [{name: r}, {name: s}]\n" + std::string(more);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_whole)

BOOST_AUTO_TEST_CASE(the_smallest_config_has_alertmanagers_defaults) {
  ConfigPtr c = MustLoad(kMinimal);
  BOOST_TEST(c->global.resolve_timeout.count() == Duration(minutes(5)).count());
  BOOST_TEST(c->global.pagerduty_url == "https://events.pagerduty.com/v2/enqueue");
  BOOST_TEST((c->global.http_config != nullptr && c->global.http_config->follow_redirects));
  BOOST_TEST((c->route.group_wait == seconds(30) && c->route.group_interval == minutes(5)));
  BOOST_TEST((c->route.repeat_interval == hours(4)));
  BOOST_TEST(c->route.group_by.empty());
  BOOST_TEST(c->incident_policies.empty());
  BOOST_TEST(c->receivers[0].labels.at("name") == "r");
}

BOOST_AUTO_TEST_CASE(hashes_are_of_the_text_as_read) {
  ConfigPtr c = MustLoad(kMinimal);
  BOOST_TEST(c->text_hash.size() == 64U);
  // md5sum of the text begins ad7ebe4b73cf; the value is little endian.
  BOOST_TEST(c->alertmanager_hash == 0xcf734bbe7eadU);
}

BOOST_AUTO_TEST_CASE(no_route_is_an_error_that_tells_empty_from_missing) {
  ExpectError("", "no route provided in config");
  ExpectError("# nothing\n", "no route provided in config");
  ExpectError("receivers: []\n", "no routes provided");
  ExpectError("route:\nreceivers: []\n", "no routes provided");
  ExpectError("[]", "cannot unmarshal !!seq into config.plain");
  ExpectError("text", "cannot unmarshal !!str `text` into config.plain");
}

BOOST_AUTO_TEST_CASE(unknown_and_duplicate_keys_have_place_and_hint) {
  Diagnostics d = Check("route: {receiver: r}\nrecievers: []\n");
  const Diagnostic& unknown = d.items()[1];
  BOOST_TEST(unknown.message == "field recievers not found in type config.plain");
  BOOST_TEST(unknown.where.ToString() == "mlalert.yml:2:1");
  BOOST_TEST(unknown.hint == "did you mean \"receivers\"?");
  ExpectError(Minimal("route: {receiver: r}\n"), "field route already set in type config.plain");
}

BOOST_AUTO_TEST_CASE(all_errors_of_a_file_are_reported) {
  Diagnostics d = Check(
      "global: {resolve_timeout: 5}\nroute: {receiver: x, group_wait: 1x}\nfoo: 1\nreceivers: [{nam: r}]\n");
  BOOST_TEST(d.error_count() == 6U, d.ToText());
}

BOOST_AUTO_TEST_CASE(paths_are_taken_from_the_files_directory) {
  ConfigPtr c = MustLoad(Minimal("templates: [t/*.tmpl, /abs/x.tmpl]\nrule_files: [../rules/*.yml]\n"));
  BOOST_TEST(c->templates[0] == "/etc/mlalert/t/*.tmpl");
  BOOST_TEST(c->templates[1] == "/abs/x.tmpl");
  BOOST_TEST(c->rule_files[0].glob == "/etc/rules/*.yml");
}

BOOST_AUTO_TEST_CASE(sections_without_effect_are_checked_and_named) {
  ExpectWarning(Minimal("tracing: {endpoint: x, headers: {A: {values: [b]}}, timeout: 5s}\n"),
                "tracing is checked and not exported: mlalert sends no spans");
  ExpectError(Minimal("tracing: {}\n"), "tracing endpoint must be set");
  ExpectError(Minimal("tracing: {endpoint: x, client_type: udp}\n"),
              "expected tracing client type to be to be http or grpc, but got udp");
  ExpectError(Minimal("tracing: {endpoint: x, compression: zstd}\n"),
              "invalid compression type zstd provided, valid options: gzip");
  ExpectWarning(Minimal("event_recorder: {stdout_outputs: [{}]}\n"),
                "event_recorder is checked and not acted upon: history.md tells what mlalert records");
  ExpectError(Minimal("event_recorder: {outputs: []}\n"),
              "field outputs not found in type eventrecorder.Config");
}

BOOST_AUTO_TEST_CASE(nulls_in_lists_are_what_they_are_upstream) {
  ExpectClean("route: {receiver: r}\nreceivers: [{name: r}, null]\n");
  ExpectError("route: {receiver: r}\nreceivers: [{name: r}, null, null]\n",
              R"(notification config name "" is not unique)");
  ExpectError("route: {receiver: r, routes: [null]}\nreceivers: [{name: r}]\n", "a route cannot be null");
  ExpectClean(Minimal("inhibit_rules: [null]\ntime_intervals: [null]\n"));
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_is_a_diagnostic) {
  ConfigPtr c;
  Diagnostics d = LoadConfigFile("/nonexistent/mlalert.yml", c);
  BOOST_TEST(!d.ok());
  BOOST_TEST(d.items()[0].message == "open /nonexistent/mlalert.yml: No such file or directory");
  BOOST_TEST(!LoadConfigFile("/", c).ok());
  BOOST_TEST(c == nullptr);
}

BOOST_AUTO_TEST_CASE(anchors_and_merges_work) {
  ConfigPtr c = MustLoad(
      "route: {receiver: r, routes: [&x {matchers: ['a=b'], group_by: [a]}, {<<: *x, receiver: s}]}\n"
      "receivers: [{name: r}, {name: s}]\n");
  BOOST_TEST(c->route.routes[1].receiver == "s");
  BOOST_TEST(ToString(c->route.routes[1].matchers) == R"({a="b"})");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(config_global)

BOOST_AUTO_TEST_CASE(null_is_as_absent) {
  ConfigPtr c = MustLoad(Minimal("global:\n"));
  BOOST_TEST((c->global.resolve_timeout == minutes(5)));
}

BOOST_AUTO_TEST_CASE(takes_every_key_of_alertmanager) {
  ExpectClean(Minimal(R"(global:
  resolve_timeout: 0
  http_config: {follow_redirects: false}
  smtp_from: a@b
  smtp_hello: h
  smtp_smarthost: mail:25
  smtp_auth_username: u
  smtp_auth_password: p
  smtp_auth_secret: s
  smtp_auth_identity: i
  smtp_require_tls: no
  smtp_tls_config: {insecure_skip_verify: true}
  smtp_force_implicit_tls: true
  slack_api_url: https://s/x
  slack_app_url: https://s/app
  pagerduty_url: https://p/x
  opsgenie_api_url: https://o/
  opsgenie_api_key: k
  wechat_api_url: https://w/
  wechat_api_secret: s
  wechat_api_corp_id: c
  victorops_api_url: https://v/
  victorops_api_key: k
  telegram_api_url: https://t
  telegram_bot_token_file: /t
  webex_api_url: https://x/
  jira_api_url: https://j/
  rocketchat_api_url: https://r/
  rocketchat_token: t
  rocketchat_token_id: t
  mattermost_webhook_url: https://m/x
)"));
}

BOOST_AUTO_TEST_CASE(refuses_in_alertmanagers_words) {
  for (const BadCase& c : {
           BadCase{"{resolve_timeout: 5}", R"(not a valid duration string: "5")"},
           {"{resolve_timeout: 1x}", R"(unknown unit "x" in duration "1x")"},
           {"{resolve_timeout: ''}", "empty duration string"},
           {"{smtp_smarthost: a}", "address a: missing port in address"},
           {"{smtp_smarthost: 'a:'}", R"(address "a:": port cannot be empty)"},
           {"{pagerduty_url: ''}", R"(unsupported scheme "" for URL)"},
           {"{pagerduty_url: 'ftp://x'}", R"(unsupported scheme "ftp" for URL)"},
           {"{pagerduty_url: 'http://'}", "missing host for URL"},
           {"{slack_api_url: 'http://a/b', slack_api_url_file: f}",
            "at most one of slack_api_url & slack_api_url_file must be configured"},
           {"{slack_app_token: t, slack_app_token_file: f}",
            "at most one of slack_app_token & slack_app_token_file must be configured"},
           {"{opsgenie_api_key: t, opsgenie_api_key_file: f}",
            "at most one of opsgenie_api_key & opsgenie_api_key_file must be configured"},
           {"{mattermost_webhook_url: 'http://m', mattermost_webhook_url_file: f}",
            "at most one of mattermost_webhook_url & mattermost_webhook_url_file must be configured"},
           {"{slack_app_token: t, slack_api_url_file: f}",
            "at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be "
            "configured"},
           {"{smtp_require_tls: maybe}", "cannot unmarshal !!str `maybe` into bool"},
           {"{foo: 1}", "field foo not found in type config.plain"},
       }) {
    ExpectError(Minimal("global: " + c.text + "\n"), c.message);
  }
}

BOOST_AUTO_TEST_CASE(token_and_url_may_be_one_place) {
  ExpectClean(
      Minimal("global: {slack_app_token: t, slack_api_url: 'https://slack.com/api/chat.postMessage'}\n"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(config_route)

BOOST_AUTO_TEST_CASE(children_inherit_what_they_do_not_set) {
  ConfigPtr c = MustLoad(WithRoute(R"(
  receiver: r
  group_by: [a, b]
  group_wait: 1s
  group_interval: 2m
  repeat_interval: 3h
  labels: {x: "1", y: "2"}
  routes:
  - matchers: ['a="b"']
    continue: yes
    group_by: []
    labels: {y: "3"}
    routes:
    - {receiver: s, group_by: ['...']}
  - group_wait: 0s)"));
  const Route& first = c->route.routes[0];
  BOOST_TEST(first.receiver == "r");
  BOOST_TEST(first.group_by.empty());
  BOOST_TEST(!first.group_by_all);
  BOOST_TEST(first.continue_matching);
  BOOST_TEST((first.group_wait == seconds(1) && first.group_interval == minutes(2) &&
              first.repeat_interval == hours(3)));
  BOOST_TEST(first.labels.at("x") == "1");
  BOOST_TEST(first.labels.at("y") == "3");
  const Route& leaf = first.routes[0];
  BOOST_TEST(leaf.receiver == "s");
  BOOST_TEST(leaf.group_by_all);
  BOOST_TEST(leaf.group_by.empty());
  BOOST_TEST(leaf.matchers.empty());
  BOOST_TEST(!leaf.continue_matching);
  BOOST_TEST(leaf.labels.at("y") == "3");
  const Route& second = c->route.routes[1];
  BOOST_TEST((second.group_wait == Duration::zero()));
  BOOST_TEST(second.group_by.size() == 2U);
  BOOST_TEST(second.labels.at("y") == "2");
}

BOOST_AUTO_TEST_CASE(a_named_list_resets_group_by_all) {
  ConfigPtr c = MustLoad(WithRoute("{receiver: r, group_by: ['...'], routes: [{group_by: [a]}, {}]}"));
  BOOST_TEST(!c->route.routes[0].group_by_all);
  BOOST_TEST(c->route.routes[1].group_by_all);
}

BOOST_AUTO_TEST_CASE(old_and_new_matchers_become_one_sorted_list) {
  ConfigPtr c = MustLoad(WithRoute(
      R"({receiver: r, routes: [{match: {team: b, a: 1, z: null}, match_re: {env: p.*}, matchers: ['c!=d']}]})"));
  BOOST_TEST(ToString(c->route.routes[0].matchers) == R"({a="1",c!="d",env=~"^(?:p.*)$",team="b",z=""})");
}

BOOST_AUTO_TEST_CASE(time_intervals_are_not_inherited) {
  ConfigPtr c = MustLoad(WithRoute(
      "{receiver: r, routes: [{mute_time_intervals: [t], active_time_intervals: [t], routes: [{}]}]}",
      "time_intervals: [{name: t}]\n"));
  BOOST_TEST(c->route.routes[0].mute_time_intervals[0] == "t");
  BOOST_TEST(c->route.routes[0].routes[0].mute_time_intervals.empty());
  BOOST_TEST(c->route.routes[0].routes[0].active_time_intervals.empty());
}

BOOST_AUTO_TEST_CASE(refuses_in_alertmanagers_words) {
  for (const BadCase& c : {
           BadCase{"{}", "root route must specify a default receiver"},
           {"{receiver: r, match: {a: b}}", "root route must not have any matchers"},
           {"{receiver: r, match_re: {a: b}}", "root route must not have any matchers"},
           {"{receiver: r, matchers: [a=b]}", "root route must not have any matchers"},
           {"{receiver: r, mute_time_intervals: [x]}", "root route must not have any mute time intervals"},
           {"{receiver: r, active_time_intervals: [x]}",
            "root route must not have any active time intervals"},
           {"{receiver: r, continue: true}", "cannot have continue in root route"},
           {"{receiver: x}", R"(undefined receiver "x" used in route)"},
           {"{receiver: r, routes: [{routes: [{receiver: x}]}]}", R"(undefined receiver "x" used in route)"},
           {"{receiver: r, routes: [{mute_time_intervals: [x]}]}",
            R"(undefined time interval "x" used in route)"},
           {"{receiver: r, routes: [{active_time_intervals: [x]}]}",
            R"(undefined time interval "x" used in route)"},
           {"{receiver: r, group_interval: 0s}", "group_interval cannot be zero"},
           {"{receiver: r, repeat_interval: 0}", "repeat_interval cannot be zero"},
           {"{receiver: r, group_by: [a, a]}", R"(duplicated label "a" in group_by)"},
           {"{receiver: r, group_by: ['...', a]}",
            "cannot have wildcard group_by (`...`) and other labels at the same time"},
           {"{receiver: r, group_by: ['']}", R"(invalid label name "" in group_by list)"},
           {"{receiver: r, group_by: a}", "cannot unmarshal !!str `a` into []string"},
           {"{receiver: r, routes: [{match: {0a: b}}]}", R"(invalid label name "0a")"},
           {"{receiver: r, routes: [{match_re: {a-b: b}}]}", R"(invalid label name "a-b")"},
           {"{receiver: r, routes: [{match_re: {a: ~}}]}", R"(invalid regexp value for "a")"},
           {"{receiver: r, routes: [{match_re: {a: (}}]}",
            "error parsing regexp: missing closing ): `^(?:()$`"},
           {"{receiver: r, labels: {'': b}}", R"(invalid label name "" in route labels)"},
           {"{receiver: r, group_wait: 1m1h}", R"(not a valid duration string: "1m1h")"},
           {"{receiver: r, group_wait: [1]}", "cannot unmarshal !!seq into string"},
           {"{receiver: r, continue: 1}", "cannot unmarshal !!int `1` into bool"},
           {"{receiver: r, routes: {}}", "cannot unmarshal !!map into []*config.Route"},
           {"{receiver: r, routes: [{matchers: ['a=~[']}]}",
            "error parsing regexp: missing closing ]: `[)$`"},
           {"{receiver: r, routes: [{matchers: ['b c']}]}", "bad matcher format: b c"},
           {"{receiver: r, routes: [{matchers: 'a=b'}]}", "cannot unmarshal !!str `a=b` into []string"},
       }) {
    ExpectError(WithRoute(c.text), c.message);
  }
}

BOOST_AUTO_TEST_CASE(misspelt_references_get_a_hint) {
  ConfigPtr config;
  Diagnostics d =
      LoadConfigText("route: {receiver: defualt}\nreceivers: [{name: default}]\n", "a.yml", config);
  BOOST_TEST(d.items()[0].hint == "did you mean \"default\"?");
  BOOST_TEST(d.items()[0].where.ToString() == "a.yml:1:9");
  BOOST_TEST(d.items()[0].path == "route.receiver");
}

BOOST_AUTO_TEST_CASE(matcher_disagreement_is_a_warning) {
  Diagnostics d = Check(WithRoute("{receiver: r, routes: [{matchers: ['a=b c'], receiver: s}]}"));
  BOOST_TEST(d.ok());
  BOOST_TEST(d.warning_count() == 1U);
}

BOOST_AUTO_TEST_CASE(classic_mode_wants_classic_label_names) {
  std::string text = WithRoute("{receiver: r, group_by: [a.b], routes: [{receiver: s}]}");
  ConfigPtr config;
  BOOST_TEST(LoadConfigText(text, "a.yml", config).ok());
  Diagnostics d = LoadConfigText(text, "a.yml", config, {.matcher_mode = MatcherMode::kClassic});
  BOOST_TEST(Has(d, DiagnosticLevel::kError, R"(invalid label name "a.b" in group_by list)"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(config_inhibit)

BOOST_AUTO_TEST_CASE(reads_old_and_new_matchers) {
  ConfigPtr c = MustLoad(Minimal(R"(inhibit_rules:
- name: n
  source_match: {severity: critical}
  source_match_re: {env: p.*}
  target_matchers: ['severity=warning', 'a=b']
  equal: [alertname, cluster]
- ~
)"));
  BOOST_REQUIRE(c->inhibit_rules.size() == 2U);
  BOOST_TEST(ToString(c->inhibit_rules[0].source_matchers) == R"({env=~"^(?:p.*)$",severity="critical"})");
  BOOST_TEST(ToString(c->inhibit_rules[0].target_matchers) == R"({a="b",severity="warning"})");
  BOOST_TEST(c->inhibit_rules[0].equal.size() == 2U);
  BOOST_TEST(c->inhibit_rules[1].source_matchers.empty());
}

BOOST_AUTO_TEST_CASE(refuses_in_alertmanagers_words) {
  ExpectError(Minimal("inhibit_rules: [{source_match: {a-b: c}}]\n"), R"(invalid label name "a-b")");
  ExpectError(Minimal("inhibit_rules: [{equal: ['']}]\n"), R"(invalid label name "" in equal list)");
  ExpectError(Minimal("inhibit_rules: [{sources: []}]\n"), "field sources not found in type config.plain");
  ExpectError(Minimal("inhibit_rules: {}\n"), "cannot unmarshal !!map into []config.InhibitRule");
}

BOOST_AUTO_TEST_SUITE_END()
