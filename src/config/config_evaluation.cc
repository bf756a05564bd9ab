// evaluation, no_data_policies and heartbeat.
#include <fmt/format.h>

#include "config/config_sections.h"
#include "config/config_words.h"
#include "model/severity.h"

namespace mlalert {
namespace {

void ReadNoDataAction(YamlMap& map, std::string_view key, NoDataAction& out) {
  ReadWord(
      map, key,
      {{"hold", NoDataAction::kHold}, {"alert", NoDataAction::kAlert}, {"resolve", NoDataAction::kResolve}},
      out);
}

void ReadExternalLabels(YamlMap& map, const LoadContext& context, EvaluationConfig& out) {
  auto labels = map.TakeSet("external_labels");
  if (!labels || !labels->Read(out.external_labels)) {
    return;
  }
  for (const auto& [name, value] : out.external_labels) {
    if (!IsLabelName(name, context)) {
      YamlMap(*labels, "external_labels")
          .At(name)
          .Error(fmt::format("{} is not a valid label name", Quoted(name)));
    }
  }
}

void ReadEvaluation(YamlMap& root, const LoadContext& context, EvaluationConfig& out, NoDataPolicy& others) {
  auto value = root.TakeSet("evaluation");
  if (!value) {
    return;
  }
  YamlMap map(*value, "evaluation");
  if (ReadIfSet(map, "interval", out.interval) && out.interval == Duration::zero()) {
    map.At("interval").Error("interval must be more than 0");
  }
  ReadIfSet(map, "query_offset", out.query_offset);
  if (map.Read("concurrency", out.concurrency) &&
      (out.concurrency < 1 || out.concurrency > kEvaluationConcurrencyMax)) {
    map.At("concurrency").Error(fmt::format("concurrency must be from 1 to {}", kEvaluationConcurrencyMax));
  }
  ReadIfSet(map, "resend_delay", out.resend_delay);
  if (map.Read("datasource_label", out.datasource_label) && !IsLabelName(out.datasource_label, context)) {
    map.At("datasource_label").Error(fmt::format("invalid label name {}", Quoted(out.datasource_label)));
  }
  ReadNoDataAction(map, "no_data", others.action);
  ReadIfSet(map, "hold_max", out.hold_max);
  map.Read("watchdog", out.watchdog);
  ReadExternalLabels(map, context, out);
  map.Finish();
}

void ReadNoDataPolicy(const YamlValue& item, const LoadContext& context, NoDataPolicy& out) {
  YamlMap map(item, "no_data_policies");
  ReadMatcherList(map, "matchers", context, out.matchers);
  SortMatchers(out.matchers);
  bool chosen = map.TakeSet("action").has_value();
  ReadNoDataAction(map, "action", out.action);
  if (!chosen) {
    item.Error("missing action in no_data_policies", "hold, alert or resolve");
  }
  ReadIfSet(map, "hold_max", out.hold_max);
  ReadIfSet(map, "after", out.after);
  if (map.Read("severity", out.severity) && !ParseSeverity(out.severity)) {
    map.At("severity").Error(fmt::format("unknown severity {}", Quoted(out.severity)), "P0, P1, P2 or P3");
  }
  map.Finish();
}

void ReadNoDataPolicies(YamlMap& root, const LoadContext& context, const NoDataPolicy& others,
                        std::vector<NoDataPolicy>& out) {
  out.clear();
  bool ended = false;
  if (auto list = root.Take("no_data_policies")) {
    for (const YamlValue& item : list->Items("a list of policies")) {
      NoDataPolicy policy = others;
      policy.action = NoDataAction::kHold;
      ReadNoDataPolicy(item, context, policy);
      if (ended) {
        item.Warn("this policy never applies: one before it has no matchers and takes every alert");
      }
      ended = ended || policy.matchers.empty();
      out.push_back(std::move(policy));
    }
  }
  if (!ended) {
    out.push_back(others);
  }
}

void ReadHeartbeat(YamlMap& root, const LoadContext& context, HeartbeatConfig& out) {
  auto value = root.TakeSet("heartbeat");
  if (!value) {
    return;
  }
  YamlMap map(*value, "heartbeat");
  auto http = map.TakeSet("http_config");
  out.http_config =
      http ? ReadHttpConfig(*http, context.directory) : std::make_shared<const HttpClientConfig>();
  if (!map.TakeSet("url")) {
    value->Error("missing url in heartbeat");
  }
  ReadSecretUrl(map, "url", out.url);
  for (auto [key, duration] : {std::pair("interval", &out.interval), std::pair("timeout", &out.timeout)}) {
    if (ReadIfSet(map, key, *duration) && *duration == Duration::zero()) {
      map.At(key).Error(fmt::format("{} must be more than 0", key));
    }
  }
  ReadWord(map, "method", {{"GET", false}, {"POST", true}}, out.use_post);
  map.Finish();
}

}  // namespace

std::string_view ToString(NoDataAction action) {
  switch (action) {
    case NoDataAction::kAlert:
      return "alert";
    case NoDataAction::kResolve:
      return "resolve";
    default:
      return "hold";
  }
}

void ReadEvaluationSections(YamlMap& root, const LoadContext& context, Config& out) {
  NoDataPolicy others;
  ReadEvaluation(root, context, out.evaluation, others);
  others.hold_max = out.evaluation.hold_max;
  ReadNoDataPolicies(root, context, others, out.evaluation.no_data_policies);
  ReadHeartbeat(root, context, out.heartbeat);
}

}  // namespace mlalert
