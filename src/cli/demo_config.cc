#include "cli/demo_config.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/json.h"
#include "promql/analysis.h"
#include "promql/parser.h"
#include "promql/printer.h"

namespace mlalert {
namespace {

// The show has to fit into a minute: waiting for "for: 1h" may take six seconds of it.
constexpr double kForSpeedup = 10;

std::string ScaledDuration(Duration d, double divisor) {
  auto ms = static_cast<int64_t>(static_cast<double>(d / std::chrono::milliseconds(1)) / divisor);
  return FormatDuration(std::chrono::milliseconds(std::max<int64_t>(ms, d > Duration::zero() ? 1 : 0)));
}

}  // namespace

std::string DemoPrometheusConfig(const std::string& exporter_address) {
  return fmt::format(R"(global:
  scrape_interval: 1s
scrape_configs:
- job_name: mlalert-demo
  static_configs:
  - targets: ["{}"]
)",
                     exporter_address);
}

std::string DemoMlalertConfig(const DemoConfigOptions& o) {
  // The ladder of the shipped config is 15, 30 and 60 minutes; the demo's is shorter, so that all of it fits
  // into a minute at one second per minute.
  std::string ladder =
      o.scaled ? "[{after: 5s, severity: P3}, {after: 15s, severity: P2}, {after: 35s, severity: P1}]"
               : "[{after: 15m, severity: P3}, {after: 30m, severity: P2}, {after: 60m, severity: P1}]";
  auto wait = [&](std::string_view real, std::string_view scaled) { return o.scaled ? scaled : real; };
  return fmt::format(R"(# Written by `mlalert demo run`.
datasources:
- {{name: default, url: "{prometheus}", timeout: {timeout}}}
rule_files: ["{rules}"]
evaluation: {{interval: {evaluation}, resend_delay: {resend}}}
route:
  receiver: dashboard
  group_by: [model, pipeline]
  group_wait: {group_wait}
  group_interval: {group_interval}
  repeat_interval: {repeat}
  routes:
  - matchers: ['severity=~"P0|P1"']
    receiver: pagerduty
    continue: true
  - matchers: ['severity="P0"']
    receiver: dashboard
  - matchers: ['severity=~"P1|P2"']
    receiver: slack
receivers:
- name: dashboard
  webhook_configs: [{{url: "{sink}/webhook"}}]
- name: slack
  slack_configs: [{{api_url: "{sink}/slack", channel: "#ml-alerts", send_resolved: true}}]
- name: pagerduty
  pagerduty_configs: [{{url: "{sink}/pagerduty", routing_key: "demo-routing-key"}}]
incidents: {{identity: [alertname, env, model, pipeline, feature, check], reopen_window: {reopen}}}
incident_policies:
- name: cost
  matchers: ['alertname="MLLLMCostBudget"']
  cooldown: {cost_cooldown}
- name: page
  matchers: ['severity=~"P0|P1"']
  cooldown: {page_cooldown}
  acknowledge: {{expires: 4h}}
- name: climb
  matchers: ['severity=~"P2|P3"']
  cooldown: {climb_cooldown}
  ladder:
    steps: {ladder}
    quiet_before_first_step: true
  acknowledge: {{expires: 4h}}
)",
                     fmt::arg("prometheus", o.prometheus_url), fmt::arg("rules", o.rule_glob),
                     fmt::arg("sink", o.sink_url), fmt::arg("timeout", wait("30s", "1s")),
                     fmt::arg("evaluation", wait("1m", "1s")), fmt::arg("resend", wait("1m", "1s")),
                     fmt::arg("group_wait", wait("30s", "2s")), fmt::arg("group_interval", wait("5m", "3s")),
                     fmt::arg("repeat", wait("4h", "4m")), fmt::arg("reopen", wait("30m", "30s")),
                     fmt::arg("cost_cooldown", wait("24h", "24m")),
                     fmt::arg("page_cooldown", wait("15m", "15s")),
                     fmt::arg("climb_cooldown", wait("30m", "30s")), fmt::arg("ladder", ladder));
}

Result<std::string> ScaleRules(const std::vector<RuleGroup>& groups, double speed) {
  Json out_groups = Json::MakeArray();
  for (const RuleGroup& group : groups) {
    Json rules = Json::MakeArray();
    for (const AlertingRule& rule : group.rules) {
      MLALERT_ASSIGN(auto expr, promql::ParseExpr(rule.expr));
      promql::ScaleDurations(*expr, speed);
      Json labels = Json::MakeObject();
      for (const auto& [name, value] : rule.raw_labels) {
        labels.Set(name, value);
      }
      Json annotations = Json::MakeObject();
      for (const auto& [name, value] : rule.raw_annotations) {
        annotations.Set(name, value);
      }
      Json json = Json::MakeObject();
      json.Set("alert", rule.name).Set("expr", promql::Print(*expr));
      json.Set("for", ScaledDuration(rule.hold, speed * kForSpeedup));
      json.Set("keep_firing_for", ScaledDuration(rule.keep_firing_for, speed * kForSpeedup));
      json.Set("labels", std::move(labels)).Set("annotations", std::move(annotations));
      rules.Push(std::move(json));
    }
    Json out_group = Json::MakeObject();
    out_group.Set("name", group.name).Set("rules", std::move(rules));
    out_groups.Push(std::move(out_group));
  }
  Json root = Json::MakeObject();
  root.Set("groups", std::move(out_groups));
  return root.DumpIndented();
}

}  // namespace mlalert
