// evaluation, no_data_policies, heartbeat and alerting.
#include "config_case.h"

using namespace mlalert;           // NOLINT(google-build-using-namespace)
using namespace mlalert::testing;  // NOLINT(google-build-using-namespace)
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

BOOST_AUTO_TEST_SUITE(config_evaluation)

BOOST_AUTO_TEST_CASE(without_policies_everything_is_held_for_a_day) {
  const ConfigPtr c = MustLoad(kMinimal);
  BOOST_REQUIRE(c->evaluation.no_data_policies.size() == 1U);
  BOOST_TEST((c->evaluation.no_data_policies[0].action == NoDataAction::kHold));
  BOOST_TEST((c->evaluation.no_data_policies[0].hold_max == hours(24)));
  BOOST_TEST((c->evaluation.hold_max == hours(24)));
}

BOOST_AUTO_TEST_CASE(policies_end_with_the_default) {
  const ConfigPtr c = MustLoad(Minimal(R"(
evaluation: {no_data: resolve, hold_max: 2h, watchdog: true, external_labels: {dc: a}}
no_data_policies:
- {matchers: ['severity="P1"'], action: alert, after: 3m, severity: P3}
- {matchers: ['severity="P2"'], action: hold, hold_max: 0s}
)"));
  const auto& policies = c->evaluation.no_data_policies;
  BOOST_REQUIRE(policies.size() == 3U);
  BOOST_TEST((policies[0].action == NoDataAction::kAlert));
  BOOST_TEST((policies[0].hold_max == hours(2)));
  BOOST_TEST((policies[0].after == minutes(3)));
  BOOST_TEST(policies[0].severity == "P3");
  BOOST_TEST((policies[1].hold_max == Duration::zero()));
  BOOST_TEST((policies[2].action == NoDataAction::kResolve));
  BOOST_TEST(policies[2].matchers.empty());
  BOOST_TEST(c->evaluation.watchdog);
  BOOST_TEST(c->evaluation.external_labels.at("dc") == "a");
}

BOOST_AUTO_TEST_CASE(policies_that_cannot_be_meant) {
  ExpectError(Minimal("no_data_policies: [{matchers: [a=b]}]"), "missing action in no_data_policies");
  ExpectError(Minimal("no_data_policies: [{action: keep}]"),
              R"(action is "keep", must be hold or alert or resolve)");
  ExpectError(Minimal("no_data_policies: [{action: hold, severity: bad}]"), R"(unknown severity "bad")");
  ExpectError(Minimal("no_data_policies: [{action: hold, mathcers: []}]"),
              "field mathcers not found in type no_data_policies");
  ExpectWarning(Minimal("no_data_policies: [{action: hold}, {action: resolve}]"),
                "this policy never applies: one before it has no matchers and takes every alert");
}

BOOST_AUTO_TEST_CASE(a_heartbeat_is_a_secret_url) {
  const ConfigPtr c =
      MustLoad(Minimal("heartbeat: {url: 'https://hc.example/uuid', interval: 30s, method: POST}"));
  BOOST_TEST(c->heartbeat.url.Reveal() == "https://hc.example/uuid");
  BOOST_TEST((c->heartbeat.interval == seconds(30)));
  BOOST_TEST(c->heartbeat.use_post);
  ExpectError(Minimal("heartbeat: {interval: 1m}"), "missing url in heartbeat");
  ExpectError(Minimal("heartbeat: {url: 'http://a/', interval: 0s}"), "interval must be more than 0");
  Diagnostics bad = Check(Minimal("heartbeat: {url: 'http://a/hunter2', intreval: 1m}"));
  BOOST_TEST(bad.ToText().find("hunter2") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(alertmanagers_as_in_prometheus_yml) {
  const ConfigPtr c = MustLoad(Minimal(R"(
alerting:
  alert_relabel_configs:
  - {regex: replica, action: labeldrop}
  alertmanagers:
  - scheme: https
    path_prefix: /am
    timeout: 5s
    api_version: v2
    basic_auth: {username: u, password: p}
    tls_config: {insecure_skip_verify: true}
    static_configs:
    - targets: ['a:9093', 'b:9093']
      labels: {zone: x}
    relabel_configs:
    - {source_labels: [zone], regex: y, action: drop}
    alert_relabel_configs:
    - {source_labels: [severity], target_label: sev, replacement: 'is-$1'}
  - static_configs: [{targets: ['c:9093']}]
)"));
  BOOST_TEST(c->alerting.alert_relabel_configs.size() == 1U);
  BOOST_REQUIRE(c->alerting.alertmanagers.size() == 2U);
  const AlertmanagerConfig& first = c->alerting.alertmanagers[0];
  BOOST_TEST(first.scheme == "https");
  BOOST_TEST(first.path_prefix == "/am");
  BOOST_TEST((first.timeout == seconds(5)));
  BOOST_TEST(first.http_config->basic_auth->username == "u");
  BOOST_TEST(first.http_config->tls.insecure_skip_verify);
  BOOST_REQUIRE(first.targets.size() == 2U);
  BOOST_TEST(first.targets[1].address == "b:9093");
  BOOST_TEST(first.targets[1].labels.at("zone") == "x");
  BOOST_TEST((c->alerting.alertmanagers[1].timeout == seconds(10)));
}

BOOST_AUTO_TEST_CASE(alertmanagers_that_cannot_be_meant) {
  const auto with = [](std::string_view more) {
    return Minimal("alerting: {alertmanagers: [{" + std::string(more) + "}]}");
  };
  const auto relabel = [](std::string_view more) {
    return Minimal("alerting: {alert_relabel_configs: [{" + std::string(more) + "}]}");
  };
  ExpectError(with("scheme: ftp"), R"(scheme is "ftp", must be http or https)");
  ExpectError(with("api_version: v1"), "expected Alertmanager api version to be one of [v2] but got v1");
  ExpectError(with("dns_sd_configs: []"),
              "dns_sd_configs is not supported: mlalert does not discover Alertmanagers");
  ExpectError(with("targets: []"), "field targets not found in type config.plain");
  ExpectError(with("static_configs: [{targets: ['http://a:1/x']}]"),
              R"("http://a:1/x" is not a valid hostname)");
  ExpectError(with("static_configs: [{targets: ['u:p@a:1']}]"), R"("u:p@a:1" is not a valid hostname)");
  ExpectError(relabel("action: nope"), R"(unknown relabel action "nope")");
  ExpectError(relabel("regex: '('"), "error parsing regexp: missing closing ): `^(?:()$`");
  ExpectError(relabel("action: hashmod, target_label: a"),
              "relabel configuration for hashmod requires non-zero modulus");
  ExpectError(relabel("source_labels: [a]"),
              "relabel configuration for replace action requires 'target_label' value");
  ExpectError(relabel("target_label: 'a-b$', action: replace"),
              R"("a-b$" is invalid 'target_label' for replace action)");
  ExpectError(relabel("action: labeldrop, regex: a, source_labels: [b]"),
              "labeldrop action requires only 'regex', and no other fields");
  ExpectError(relabel("action: labelmap, replacement: '$1-'"),
              R"("$1-" is invalid 'replacement' for labelmap action)");
  ExpectError(relabel("action: keepequal, source_labels: [a], target_label: b, regex: x"),
              "keepequal action requires only 'source_labels' and `target_label`, and no other fields");
  ExpectError(relabel("modulos: 1"), "field modulos not found in type relabel.plain");
}

BOOST_AUTO_TEST_SUITE_END()
