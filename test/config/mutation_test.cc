// Whatever a file holds, loading ends with a value or with diagnostics, never with both or with neither.
#include <boost/test/unit_test.hpp>
#include <random>

#include "config/config_loader.h"
#include "config/rule_loader.h"

using namespace mlalert;  // NOLINT(google-build-using-namespace)

namespace {

constexpr int kRounds = 2000;

constexpr std::string_view kConfig = R"(global:
  resolve_timeout: 7m
  slack_api_url: https://hooks.slack.com/services/T/B/x
  http_config: {basic_auth: {username: u, password: p}, tls_config: {min_version: TLS12}}
templates: ['tmpl/*.tmpl']
route:
  receiver: default
  group_by: [alertname, cluster]
  routes:
  - &child
    matchers: [severity="critical", 'team=~"a|b"']
    receiver: pager
    continue: true
    mute_time_intervals: [offhours]
  - {<<: *child, match_re: {service: "^(foo|bar)$"}, group_by: ['...'], group_wait: 10s}
inhibit_rules:
- source_matchers: [severity=critical]
  target_matchers: [severity=warning]
  equal: [alertname]
time_intervals:
- name: offhours
  time_intervals:
  - times: [{start_time: '17:00', end_time: '24:00'}]
    weekdays: ['monday:friday', sunday]
    days_of_month: ['1:5', '-3:-1']
    months: ['january:march', '12']
    years: ['2026:2030']
    location: Europe/Paris
receivers:
- name: default
  webhook_configs: [{url: 'http://127.0.0.1:19198/hook', timeout: 1.5s, max_alerts: 0x10}]
- name: pager
  pagerduty_configs: [{routing_key: k, details: {a: b}}]
  slack_configs: [{channel: '#x', fields: [{title: a, value: b}]}]
datasources: [{name: a, url: 'http://u:p@prom:9090', headers: {X: y}}]
incident_policies:
- name: climb
  matchers: ['severity=~"P2|P3"']
  ladder: {steps: [{after: 15m, severity: P3}, {after: 60m, severity: P1}], quiet_before_first_step: true}
models: [{name: m, contacts: {l1: "@a"}}]
)";

constexpr std::string_view kRules = R"(groups:
- name: g
  interval: 30s
  labels: &l {team: x}
  rules:
  - alert: A
    expr: |
      sum by (job) (rate(http_requests_total{code=~"5.."}[5m]))
        / on (job) group_left sum(up) > 0.05
    for: 5m
    labels: {<<: *l, severity: P1}
    annotations:
      summary: '{{ $labels.job | title }} has {{ $value | humanize }}'
  - record: a:b
    expr: sum(up)
)";

class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  std::string Mutate(std::string text) {
    size_t count = 1 + Below(3);
    for (size_t i = 0; i < count && !text.empty(); ++i) {
      One(text);
    }
    return text;
  }

 private:
  size_t Below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }

  void One(std::string& text) {
    static constexpr std::string_view kBytes = "{}[]:,-?*&!|>'\"%@`#~\n\t \\<=0a\xC3\xA9\x01";
    static constexpr std::string_view kPieces[] = {"<<: *child", "\n---\n", "&a ", "*a",        "null", ": ",
                                                   "\n",         "- ",      "{{",  "!!binary ", "\"",   "'",
                                                   "\n  ",       "[",       "...", "? ",        "|",    "0x"};
    size_t at = Below(text.size());
    size_t length = std::min(text.size() - at, 1 + Below(30));
    switch (Below(6)) {
      case 0:
        text[at] = kBytes[Below(kBytes.size())];
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, kPieces[Below(std::size(kPieces))]);
        break;
      case 3:
        text.insert(Below(text.size()), text.substr(at, length));
        break;
      case 4:
        text.resize(at);
        break;
      default:
        text[at] = static_cast<char>(text[at] ^ (1 << Below(8)));
    }
  }

  std::mt19937 random_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(mutation)

BOOST_AUTO_TEST_CASE(a_damaged_config_gives_a_value_or_diagnostics) {
  Mutator mutator(20240607);
  int loaded = 0;
  for (int i = 0; i < kRounds; ++i) {
    std::string text = mutator.Mutate(std::string(kConfig));
    ConfigPtr config;
    Diagnostics d = LoadConfigText(text, "a.yml", config);
    if ((config != nullptr) != d.ok()) {
      BOOST_ERROR("round " << i << " gave both or neither:\n" << text);
    }
    loaded += config != nullptr ? 1 : 0;
    d.ToText();
    d.ToJson();
  }
  // Both ways are travelled, or the test proves little.
  BOOST_TEST(loaded > kRounds / 100);
  BOOST_TEST(loaded < kRounds / 2);
}

BOOST_AUTO_TEST_CASE(a_damaged_rule_file_gives_rules_or_diagnostics) {
  Mutator mutator(7);
  int loaded = 0;
  for (int i = 0; i < kRounds; ++i) {
    std::string text = mutator.Mutate(std::string(kRules));
    std::vector<RuleGroup> groups;
    Diagnostics d = LoadRuleText(text, "a.yml", {}, groups);
    if (!d.ok() && !groups.empty()) {
      BOOST_ERROR("round " << i << " gave both:\n" << text);
    }
    loaded += d.ok() ? 1 : 0;
    d.ToText();
  }
  BOOST_TEST(loaded > kRounds / 100);
  BOOST_TEST(loaded < kRounds / 2);
}

BOOST_AUTO_TEST_SUITE_END()
