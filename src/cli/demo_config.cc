#include "cli/demo_config.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "base/json.h"
#include "config/config_loader.h"
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
  slack_configs: [{{api_url: "{sink}/slack", channel: "#ml-alerts", send_resolved: true, text: '{{{{ range .Alerts.Firing }}}}{{{{ .Annotations.summary }}}} {{{{ end }}}}'}}]
- name: pagerduty
  pagerduty_configs: [{{url: "{sink}/pagerduty", routing_key: "demo-routing-key"}}]
incidents: {{identity: [alertname, env, model, pipeline, feature, check, budget_day], reopen_window: {reopen}}}
incident_policies:
- name: cost
  matchers: ['alertname=~"MLLLMCostBudget|MLLLMCostRunaway"']
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

namespace {

// `text` without the sections of these names: from their line to the next line that begins a section.
std::string WithoutSections(const std::string& text, const std::set<std::string_view>& names) {
  std::string out;
  bool skipping = false;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    std::string_view line = std::string_view(text).substr(at, end - at);
    at = end;
    bool begins_section = line.find_first_of(" \t\r\n#-]}") != 0;
    if (begins_section) {
      std::string_view key = line.substr(0, line.find_first_of(": \t\r\n"));
      if (key.size() >= 2 && (key.front() == '"' || key.front() == '\'')) {
        key = key.substr(1, key.size() - 2);
      }
      skipping = names.contains(key);
    }
    if (!skipping) {
      out += line;
    }
  }
  return out;
}

// The same receivers with the shapes that the sink can read: what is no Slack and no PagerDuty is a webhook.
Json SinkReceiver(const Receiver& receiver, const std::string& sink_url) {
  Json slack = Json::MakeArray(), pagerduty = Json::MakeArray(), webhook = Json::MakeArray();
  for (const SlackConfig& c : receiver.slack_configs) {
    Json one = Json::MakeObject();
    one.Set("api_url", sink_url + "/slack").Set("channel", c.channel).Set("text", c.text);
    one.Set("title", c.title).Set("send_resolved", c.send_resolved);
    slack.Push(std::move(one));
  }
  for (const PagerdutyConfig& c : receiver.pagerduty_configs) {
    Json one = Json::MakeObject();
    one.Set("url", sink_url + "/pagerduty").Set("routing_key", "demo-routing-key");
    one.Set("description", c.description).Set("severity", c.severity).Set("send_resolved", c.send_resolved);
    pagerduty.Push(std::move(one));
  }
  for (IntegrationRef ref : IntegrationsOf(receiver)) {
    if (ref.kind != IntegrationKind::kSlack && ref.kind != IntegrationKind::kPagerduty) {
      Json one = Json::MakeObject();
      one.Set("url", sink_url + "/webhook").Set("send_resolved", IntegrationOf(receiver, ref).send_resolved);
      webhook.Push(std::move(one));
    }
  }
  Json out = Json::MakeObject();
  out.Set("name", receiver.name);
  out.Set("slack_configs", std::move(slack)).Set("pagerduty_configs", std::move(pagerduty));
  out.Set("webhook_configs", std::move(webhook));
  return out;
}

}  // namespace

Result<std::string> ConfigForSink(const std::string& text, const Config& config,
                                  const DemoConfigOptions& options) {
  std::string out = WithoutSections(text, {"datasources", "receivers", "rule_files", "templates"});
  Json datasources = Json::MakeArray();
  for (const DatasourceConfig& source : config.datasources) {
    Json one = Json::MakeObject();
    one.Set("name", source.name).Set("url", options.prometheus_url);
    datasources.Push(std::move(one));
  }
  if (config.datasources.empty()) {
    datasources.Push(Json(Json::Object{{"name", "default"}, {"url", options.prometheus_url}}));
  }
  Json rule_files = Json::MakeArray();
  for (const RuleFiles& files : config.rule_files) {
    Json one = Json::MakeObject();
    one.Set("files", Json(Json::Array{Json(files.glob)}));
    if (!files.datasource.empty()) {
      one.Set("datasource", files.datasource);
    }
    rule_files.Push(std::move(one));
  }
  if (config.rule_files.empty()) {
    rule_files.Push(options.rule_glob);
  }
  Json templates = Json::MakeArray();
  for (const std::string& glob : config.templates) {
    templates.Push(glob);
  }
  Json receivers = Json::MakeArray();
  for (const Receiver& receiver : config.receivers) {
    receivers.Push(SinkReceiver(receiver, options.sink_url));
  }
  // JSON is YAML.
  out += fmt::format("\ndatasources: {}\nrule_files: {}\ntemplates: {}\nreceivers: {}\n", datasources.Dump(),
                     rule_files.Dump(), templates.Dump(), receivers.Dump());
  ConfigPtr loaded;
  Diagnostics diagnostics = LoadConfigText(out, "the configuration for the demo", loaded);
  MLALERT_TRY(diagnostics.ToStatus());
  return out;
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
        labels.Set(std::string(name), value);
      }
      Json annotations = Json::MakeObject();
      for (const auto& [name, value] : rule.raw_annotations) {
        annotations.Set(std::string(name), value);
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
