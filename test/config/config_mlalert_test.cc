#include <boost/test/unit_test.hpp>

#include "config_case.h"

using namespace mlalert;           // NOLINT(google-build-using-namespace)
using namespace mlalert::testing;  // NOLINT(google-build-using-namespace)
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr std::string_view kPaging =
    "route: {receiver: r, routes: [{matchers: ['severity=~\"P0|P1\"'], receiver: pager}]}\n"
    "receivers: [{name: r}, {name: pager, pagerduty_configs: [{routing_key: k}]}]\n";

std::string Paging(std::string_view more) {
  return std::string(kPaging) + std::string(more);
}

std::string Policy(std::string_view body) {
  return Paging("incident_policies: [{name: p, " + std::string(body) + "}]\n");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_mlalert)

BOOST_AUTO_TEST_CASE(reads_every_section) {
  ConfigPtr c = MustLoad(Paging(R"(
datasources:
- {name: main, url: 'http://user:p%40ss@prom:9090/x', timeout: 5s, headers: {X-Scope-OrgID: ml}}
- {url: 'https://other'}
rule_files: [a.yml]
evaluation: {interval: 30s, query_offset: 5s, concurrency: 8, resend_delay: 2m, no_data: resolve}
incidents: {identity: [alertname, model], reopen_window: 10m}
incident_policies:
- name: page
  matchers: ['severity=~"P0|P1"']
  cooldown: 15m
  acknowledge: {expires: 4h}
- name: climb
  matchers: ['severity=~"P2|P3"']
  ladder: {steps: [{after: 15m, severity: P3}, {after: 30m, severity: p2}, {after: 60m, severity: P1}], clock: wall, quiet_before_first_step: true}
history: {retention: 30d}
models:
- {name: fraud, team: ml, dashboard_url: 'https://d/x', contacts: {l1: "@a", l3: "@c"}}
)"));
  const DatasourceConfig& main = c->datasources[0];
  BOOST_TEST(main.url == "http://prom:9090/x");
  BOOST_TEST(main.http_config->basic_auth->username == "user");
  BOOST_TEST(main.http_config->basic_auth->password.Reveal() == "p@ss");
  BOOST_TEST((main.timeout == seconds(5)));
  BOOST_TEST(main.headers.at("X-Scope-OrgID") == "ml");
  BOOST_TEST(c->datasources[1].name == "default");
  BOOST_TEST((c->datasources[1].timeout == seconds(30)));
  BOOST_TEST((c->evaluation.interval == seconds(30) && c->evaluation.resend_delay == minutes(2)));
  BOOST_TEST(c->evaluation.concurrency == 8);
  BOOST_TEST((c->evaluation.no_data_policies.back().action == NoDataAction::kResolve));
  BOOST_TEST(c->incidents.identity.size() == 2U);
  BOOST_TEST((c->incidents.reopen_window == minutes(10)));
  const IncidentPolicy& page = c->incident_policies[0];
  BOOST_TEST((page.cooldown == minutes(15) && page.ack_expires == hours(4)));
  BOOST_TEST(page.ladder.empty());
  const IncidentPolicy& climb = c->incident_policies[1];
  BOOST_TEST((climb.cooldown == minutes(30)));
  BOOST_TEST(climb.quiet_before_first_step);
  BOOST_TEST(climb.ladder.size() == 3U);
  BOOST_TEST((climb.ladder[1] == LadderStep{minutes(30), Severity::kP2}));
  BOOST_TEST((c->history.retention == hours(24 * 30)));
  BOOST_TEST(c->FindModel("fraud")->contacts.at("l3") == "@c");
  BOOST_TEST(c->FindPolicy(LabelSet::From({{"severity", "P3"}}))->name == "climb");
}

BOOST_AUTO_TEST_CASE(reads_data_sources_and_who_asks_which) {
  ConfigPtr c = MustLoad(Paging(R"(
datasources:
- {url: 'http://a'}
- name: vm
  url: 'http://vm-1:8428/prometheus'
  failover_urls: ['http://vm-2:8428/prometheus']
  concurrency: 16
  method: GET
  params: {nocache: 1, extra_label: ['team=a', 'env=b']}
  dialect: metricsql
rule_files: [a.yml, {files: [vm/*.yml, /abs.yml], datasource: vm}]
evaluation: {datasource_label: source}
)"));
  const DatasourceConfig& vm = *c->FindDatasource("vm");
  BOOST_TEST(vm.failover_urls.at(0) == "http://vm-2:8428/prometheus");
  BOOST_TEST(vm.concurrency == 16);
  BOOST_TEST(vm.use_get);
  BOOST_TEST(vm.params.size() == 3U);
  BOOST_TEST((vm.dialect == DatasourceConfig::Dialect::kMetricsql));
  BOOST_TEST(c->rule_files.size() == 3U);
  BOOST_TEST(c->rule_files[0].datasource == "");
  BOOST_TEST(c->rule_files[1].glob == "/etc/mlalert/vm/*.yml");
  BOOST_TEST(c->rule_files[1].datasource == "vm");
  BOOST_TEST(c->rule_files[2].glob == "/abs.yml");
  BOOST_TEST(c->evaluation.datasource_label == "source");
}

BOOST_AUTO_TEST_CASE(refuses_what_cannot_work) {
  for (const BadCase& c : {
           BadCase{"datasources: [{name: a, url: 'ftp://x'}]", R"(unsupported scheme "ftp" for URL)"},
           {"datasources: [{name: a}]", "missing url in datasource"},
           {"datasources: [{url: 'http://a'}, {url: 'http://b'}]",
            R"(datasource name "default" is not unique)"},
           {"datasources: [{url: 'http://a', timeout: 0s}]", "timeout must be more than 0"},
           {"datasources: [{url: 'http://u@a', http_config: {bearer_token: t}}]",
            "the URL holds a user name and http_config another authentication: keep one"},
           {"datasources: {url: x}", "cannot unmarshal !!map into a list of datasources"},
           {"datasources: [{url: 'http://a', failover_urls: ['http://u:p@b']}]",
            "a failover URL holds a user name"},
           {"datasources: [{url: 'http://a', concurrency: 0}]", "concurrency must be from 1 to 256"},
           {"datasources: [{url: 'http://a', method: PUT}]", R"(method is "PUT", must be POST or GET)"},
           {"datasources: [{url: 'http://a', dialect: sql}]",
            R"(dialect is "sql", must be promql or metricsql)"},
           {"datasources: [{url: 'http://a', params: {query: x}}]",
            R"(params cannot hold "query": mlalert sets it for every query)"},
           {"datasources: [{url: 'http://a'}]\nrule_files: [{files: [a.yml], datasource: b}]",
            R"(undefined data source "b" used in rule_files)"},
           {"datasources: [{url: 'http://a'}]\nrule_files: [{datasource: default}]",
            "missing files in rule files"},
           {"evaluation: {interval: 0s}", "interval must be more than 0"},
           {"evaluation: {concurrency: 0}", "concurrency must be from 1 to 256"},
           {"evaluation: {concurrency: 257}", "concurrency must be from 1 to 256"},
           {"evaluation: {no_data: holt}", R"(no_data is "holt", must be hold or alert or resolve)"},
           {"incidents: {identity: [a, a]}", R"(duplicated label "a" in identity)"},
           {"incidents: {identity: ['']}", R"(invalid label name "" in identity)"},
           {"incidents: {identity: [severity]}",
            "severity cannot be part of the identity: an incident keeps its identity while its severity "
            "rises"},
           {"incident_policies: [{}]", "missing name in incident policy"},
           {"incident_policies: [{name: a, matchers: [x=y]}, {name: a}]",
            R"(incident policy name "a" is not unique)"},
           {"incident_policies: [{name: a, matchers: ['b c']}]", "bad matcher format: b c"},
           {"incident_policies: [{name: a, chain: []}]", "a chain needs at least one step"},
           {"history: {retention: 0s}", "retention must be more than 0"},
           {"models: [{}]", "missing name in model"},
           {"models: [{name: a}, {name: a}]", R"(model name "a" is not unique)"},
           {"models: [{name: a, contacts: {l4: x}}]", R"(unknown contact level "l4")"},
           {"models: [{name: a, dashboard_url: x}]", R"(unsupported scheme "" for URL)"},
           {"review: {receivers: [nobody-here]}", "undefined receiver \"nobody-here\" used in review"},
           {"chain: []", "chain is not supported yet"},
       }) {
    ExpectError(Paging(c.text + "\n"), c.message);
  }
}

// What is written in another shape is one error, which says how it is written.
BOOST_AUTO_TEST_CASE(a_wrong_shape_is_said_once_and_with_a_hint) {
  constexpr std::string_view kList = "a list is expected here: [a, b], or one line with a dash for each";
  const struct {
    std::string policy;
    std::string message;
    std::string_view hint;
  } cases[] = {{"chain: [{after: 0m, receivers: r}]", "cannot unmarshal !!str `r` into []string", kList},
               {"chain: {steps: [{after: 0m, receivers: r}], fallback: [r]}",
                "cannot unmarshal !!str `r` into []string", kList},
               {"chain: {steps: [{after: 0m, receivers: [r]}], fallback: r}",
                "cannot unmarshal !!str `r` into []string", kList},
               {"ladder: [{after: 15m, severity: P2}]", "cannot unmarshal !!seq into ladder",
                "the steps stand under a key of their own: {steps: [{after: 15m, severity: P3}, ...]}"},
               {"chain: [{after: 0m}]", "a chain step needs at least one receiver", "receivers: [name, ...]"},
               {"chain: [{after: x, receivers: [r]}]", R"(not a valid duration string: "x")", ""}};
  for (const auto& c : cases) {
    const Diagnostics found = Check(Policy(c.policy));
    BOOST_TEST_CONTEXT(c.policy << "\n" << found.ToText()) {
      BOOST_TEST(found.error_count() == 1U);
      for (const Diagnostic& one : found.items()) {
        if (one.level == DiagnosticLevel::kError) {
          BOOST_TEST(one.message == c.message);
          BOOST_TEST((c.hint.empty() || one.hint == c.hint), one.hint);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_recurring_silence_of_everything_is_refused) {
  const std::string night =
      "time_intervals: [{name: night, time_intervals: [{times: [{start_time: '01:00', end_time: "
      "'05:00'}]}]}]\n";
  auto with = [&](const std::string& matchers) {
    return Paging(night + "recurring_silences: [{name: a, matchers: [" + matchers +
                  "], time_intervals: [night]}]\n");
  };
  for (const char* all : {"'a=~\".*\"'", "'a=\"\"'", "'a=~\".*\"', 'b=~\"x?\"'"}) {
    ExpectError(with(all), "at least one matcher must not match the empty string");
  }
  for (const char* some : {"'a=~\".+\"'", "'a=~\".*\"', b=x", "'a!=\"\"'"}) {
    ExpectClean(with(some));
  }
  // One error for one mistake.
  BOOST_TEST(Check(with("'b c'")).error_count() == 1U);
}

BOOST_AUTO_TEST_CASE(targets_in_the_wrong_order_are_warned_of) {
  ExpectWarning(Paging("response_targets: {P1: 4h, P2: 1h}\n"),
                "the response target of P2 (1h) is shorter than that of P1 (4h)");
  ExpectWarning(Paging("response_targets: {P0: 2h}\n"),
                "the response target of P1 (1h) is shorter than that of P0 (2h)");
  ExpectWarning(Paging("response_targets: {P1: next_business_day}\n"),
                "the response target of P2 (4h) is shorter than that of P1 (next_business_day)");
  for (const char* good : {"{P0: 5m, P1: 5m, P2: 5m, P3: 5m}", "{P1: none}", "{P2: none}", "{P2: 72h}",
                           "{P0: none}", "{P2: next_business_day, P3: 72h}"}) {
    ExpectClean(Paging(std::string("response_targets: ") + good + "\n"));
  }
}

BOOST_AUTO_TEST_CASE(a_storm_that_begins_anew_at_once_is_warned_of) {
  constexpr std::string_view kAnew =
      "a storm that was quiet for 1m and is over begins anew with the next incident: those of the last 5m "
      "count";
  ExpectWarning(Paging("storm: {incidents: 20, quiet: 1m}\n"), kAnew);
  ExpectWarning(Paging("storm: {incidents: 20, within: 5m, quiet: 1m}\n"), kAnew);
  ExpectClean(Paging("storm: {incidents: 20, within: 5m, quiet: 5m}\n"));
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_that_expires_after_nothing_never_does) {
  BOOST_TEST(
      (MustLoad(Policy("acknowledge: {expires: 0s}"))->incident_policies[0].ack_expires == Duration::zero()));
}

BOOST_AUTO_TEST_CASE(ladders_rise_and_end_below_p0) {
  for (const BadCase& c : {
           BadCase{"ladder: {steps: []}", "a ladder needs at least one step"},
           {"ladder: {}", "a ladder needs at least one step"},
           {"ladder: {steps: [{after: 0s, severity: P3}]}", "a ladder step must come after more than 0"},
           {"ladder: {steps: [{severity: P3}]}", "missing after in ladder step"},
           {"ladder: {steps: [{after: 1m}]}", "missing severity in ladder step"},
           {"ladder: {steps: [{after: 1m, severity: P4}]}", R"(severity "P4" is not one of P3, P2, P1)"},
           {"ladder: {steps: [{after: 1m, severity: critical}]}",
            R"(severity "critical" is not one of P3, P2, P1)"},
           {"ladder: {steps: [{after: 1m, severity: P0}]}", "P0 is never reached by waiting"},
           {"ladder: {steps: [{after: 2m, severity: P3}, {after: 2m, severity: P2}]}",
            "ladder steps must rise in time: 2m is not after 2m"},
           {"ladder: {steps: [{after: 2m, severity: P2}, {after: 3m, severity: P2}]}",
            "ladder steps must rise in severity: P2 is not above P2"},
           {"ladder: {steps: [{after: 2m, severity: P3}], clock: business}",
            "clock: business needs a calendar"},
           {"ladder: {steps: [{after: 2m, severity: P3}], clock: x}",
            R"(clock is "x", must be wall or business)"},
           {"ladder: {steps: [{after: 2m, severity: P3}], calendar: x}", R"(undefined calendar "x")"},
           {"ladder: {step: []}", "field step not found in type ladder"},
       }) {
    ExpectError(Policy(c.text), c.message);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(config_lint)

BOOST_AUTO_TEST_CASE(warns_when_the_worst_pages_nobody) {
  constexpr std::string_view kNoPager = "alerts of severity P0 and P1 reach no receiver that pages";
  ExpectWarning(Minimal("rule_files: [a.yml]\n"), kNoPager);
  ExpectWarning(Minimal("datasources: [{url: 'http://a'}]\n"), kNoPager);
  ExpectWarning(Minimal("incident_policies: [{name: a}]\n"), kNoPager);
  ExpectClean(Minimal(""));
  ExpectClean(Paging("rule_files: [a.yml]\n"));
}

BOOST_AUTO_TEST_CASE(says_which_of_the_two_is_quiet) {
  ExpectWarning(
      "route: {receiver: r, routes: [{matchers: [severity=P0], receiver: pager}]}\n"
      "receivers: [{name: r}, {name: pager, pagerduty_configs: [{routing_key: k}]}]\nrule_files: [a.yml]\n",
      "alerts of severity P1 reach no receiver that pages");
}

BOOST_AUTO_TEST_CASE(a_route_that_shadows_the_pager_is_seen) {
  ExpectWarning(
      "route: {receiver: r, routes: [{receiver: r, matchers: ['severity!=\"\"']}, {matchers: "
      "['severity=~\"P0|P1\"'], receiver: pager}]}\n"
      "receivers: [{name: r}, {name: pager, pagerduty_configs: [{routing_key: k}]}]\nrule_files: [a.yml]\n",
      "alerts of severity P0 and P1 reach no receiver that pages");
  ExpectClean(
      "route: {receiver: r, routes: [{receiver: r, matchers: ['severity!=\"\"'], continue: true}, {matchers: "
      "['severity=~\"P0|P1\"'], "
      "receiver: pager}]}\nreceivers: [{name: r}, {name: pager, pagerduty_configs: [{routing_key: "
      "k}]}]\nrule_files: [a.yml]\n");
}

BOOST_AUTO_TEST_CASE(a_child_route_that_takes_the_worst_away_from_the_pager_is_seen) {
  constexpr std::string_view kReceivers =
      "receivers: [{name: chat}, {name: pager, pagerduty_configs: [{routing_key: k}]}]\nrule_files: "
      "[a.yml]\n";
  ExpectWarning(
      "route: {receiver: pager, routes: [{matchers: ['team=\"x\"'], receiver: chat}]}\n" +
          std::string(kReceivers),
      R"(alerts of severity P0 that match this route, e.g. {alertname="x", severity="P0", team="x"}, reach no receiver that pages)");
  ExpectClean(
      "route: {receiver: pager, routes: [{matchers: ['team=\"x\"', 'severity=\"P3\"'], receiver: chat}]}\n" +
      std::string(kReceivers));
  ExpectClean(
      "route: {receiver: pager, routes: [{matchers: ['team=\"x\"'], receiver: chat, continue: true}, "
      "{receiver: "
      "pager}]}\n" +
      std::string(kReceivers));
}

BOOST_AUTO_TEST_CASE(a_pager_that_sleeps_is_seen) {
  ExpectWarning(
      "route: {receiver: chat, routes: [{matchers: ['severity=~\"P0|P1\"'], receiver: pager, "
      "mute_time_intervals: "
      "[night]}]}\n"
      "time_intervals: [{name: night, time_intervals: [{times: [{start_time: '00:00', end_time: "
      "'08:00'}]}]}]\n"
      "receivers: [{name: chat}, {name: pager, pagerduty_configs: [{routing_key: k}]}]\nrule_files: "
      "[a.yml]\n",
      "alerts of severity P0 page nobody while this route is muted by its time intervals");
}

BOOST_AUTO_TEST_CASE(paging_only_what_has_a_model_is_enough) {
  ExpectClean(
      "route: {receiver: r, routes: [{matchers: ['severity=~\"critical|high\"', 'model!=\"\"'], receiver: "
      "pager}]}\n"
      "receivers: [{name: r}, {name: pager, pagerduty_configs: [{routing_key: k}]}]\nrule_files: [a.yml]\n");
}

BOOST_AUTO_TEST_CASE(a_plain_alertmanager_config_is_asked_leniently) {
  ExpectClean(
      "route: {receiver: r, routes: [{matchers: ['severity=critical', 'team=a'], receiver: pager}]}\n"
      "receivers: [{name: r}, {name: pager, pagerduty_configs: [{routing_key: k}]}]\n");
  ExpectWarning(
      "route: {receiver: r, routes: [{matchers: ['severity=critical'], group_by: [a]}]}\nreceivers: [{name: "
      "r}]\n",
      "alerts of severity P0 and P1 reach no receiver that pages");
}

BOOST_AUTO_TEST_CASE(warns_about_receivers_nobody_uses) {
  Diagnostics d = Check("route: {receiver: r}\nreceivers:\n- name: r\n- name: s\n");
  BOOST_REQUIRE(d.items().size() == 1U);
  BOOST_TEST(d.items()[0].message == R"(receiver "s" is not used by any route)");
  BOOST_TEST(d.items()[0].where.line == 4);
}

BOOST_AUTO_TEST_CASE(warns_about_repeats_shorter_than_the_group_interval) {
  Diagnostics d = Check("route: {receiver: r, repeat_interval: 1m}\nreceivers: [{name: r}]\n");
  BOOST_TEST(d.ok());
  BOOST_TEST(d.warning_count() == 1U);
}

BOOST_AUTO_TEST_CASE(warns_about_policies_behind_one_that_takes_all) {
  ExpectWarning(Paging("incident_policies: [{name: a}, {name: b, matchers: [x=y]}]\n"),
                R"(policy "b" never applies: policy "a" before it has no matchers and takes every alert)");
  ExpectClean(Paging("incident_policies: [{name: b, matchers: [x=y]}, {name: a}]\n"));
}

std::string WithOffice(const std::string& policy) {
  return Paging(
      "calendars: [{name: office, time_intervals: [{weekdays: ['monday:friday']}]}]\n"
      "incident_policies: [{name: bh, " +
      policy + "}]\n");
}

BOOST_AUTO_TEST_CASE(business_hours_with_a_ladder_that_pages_by_age_at_night_are_seen) {
  const std::string ladder = "ladder: {steps: [{after: 15m, severity: P2}, {after: 30m, severity: P1}]";
  const Diagnostics found = Check(WithOffice("business_hours: {calendar: office}, " + ladder + "}"));
  BOOST_TEST(
      Has(found, DiagnosticLevel::kWarning,
          "policy \"bh\" has business hours, but age raises its incidents to P1, which is told at any hour"),
      found.ToText());
  BOOST_TEST(found.ToText().find("calendar: office in the ladder") != std::string::npos);
  BOOST_TEST(found.ToText().find("incident_policies[0].ladder]") != std::string::npos, found.ToText());
  ExpectClean(WithOffice("business_hours: {calendar: office}, " + ladder + ", calendar: office}"));
  ExpectClean(WithOffice("business_hours: {calendar: office, always_from: P0}, " + ladder + "}"));
  ExpectClean(
      WithOffice("business_hours: {calendar: office}, ladder: {steps: [{after: 15m, severity: P2}]}"));
  ExpectClean(WithOffice(ladder + "}"));
}

BOOST_AUTO_TEST_CASE(steps_for_severities_that_the_policy_never_has_are_seen) {
  const std::string chain = "chain: [{after: 5m, receivers: [r], severities: [P2, P3]}]";
  ExpectWarning(
      WithOffice("matchers: ['severity=~\"P0|P1\"'], " + chain),
      "policy \"bh\" takes no alert of severity P2, and no step of its ladder leads there: this step tells "
      "nobody, unless somebody changes the severity");
  ExpectWarning(
      WithOffice("matchers: ['severity=\"low\"'], chain: {steps: [{after: 5m, receivers: [r], severities: "
                 "[P0]}]}"),
      "policy \"bh\" takes no alert of severity P0, and no step of its ladder leads there: this step tells "
      "nobody, unless somebody changes the severity");
  ExpectClean(WithOffice(chain));
  ExpectClean(WithOffice("matchers: ['severity=~\"P0|P2\"'], " + chain));
  ExpectClean(WithOffice("matchers: ['severity=\"warning\"'], " + chain));
  ExpectClean(
      WithOffice("matchers: ['severity=\"P3\"'], ladder: {steps: [{after: 15m, severity: P1}]}, chain: "
                 "[{after: 5m, receivers: [r], severities: [P1]}]"));
}

BOOST_AUTO_TEST_CASE(a_rate_limit_of_a_schedule_is_an_error_that_names_its_receivers) {
  const Diagnostics found = Check(
      "route: {receiver: duty}\nreceivers: [{name: ann}, {name: bob}]\n"
      "schedules: [{name: duty, rotations: [{start: 2026-01-05, receivers: [ann, bob]}]}]\n"
      "rate_limits: [{receiver: duty, count: 1, per: 10m}]\n");
  BOOST_TEST(Has(found, DiagnosticLevel::kError, "\"duty\" is a schedule: a rate limit is for a receiver"),
             found.ToText());
  BOOST_TEST(found.ToText().find("one limit for each: ann, bob") != std::string::npos, found.ToText());
}

BOOST_AUTO_TEST_SUITE_END()
