#include "api/rule_json.h"

#include <charconv>
#include <cmath>

#include "rules/compiled_rule.h"

namespace mlalert {
namespace {

// Go's strconv.FormatFloat(v, 'e', -1, 64).
std::string FormatValue(double value) {
  if (std::isnan(value)) {
    return "NaN";
  }
  if (std::isinf(value)) {
    return value > 0 ? "+Inf" : "-Inf";
  }
  char buffer[64];
  auto end = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific).ptr;
  return {buffer, end};
}

Json LabelsToJson(const LabelSet& labels) {
  Json::Object object;
  for (Label label : labels) {
    object.emplace_back(std::string(label.name), Json(label.value));
  }
  return Json(std::move(object));
}

}  // namespace

Json RuleAlertToJson(const RuleAlertView& alert) {
  Json json = Json::MakeObject();
  json.Set("labels", LabelsToJson(alert.labels));
  json.Set("annotations", LabelsToJson(alert.annotations));
  json.Set("state", ToString(alert.state));
  json.Set("activeAt", FormatRfc3339Nano(alert.active_at));
  if (IsSet(alert.keep_firing_since)) {
    json.Set("keepFiringSince", FormatRfc3339Nano(alert.keep_firing_since));
  }
  json.Set("value", FormatValue(alert.value));
  return json;
}

std::string_view StateText(const RuleView& view) {
  bool known = view.health != RuleHealth::kUnknown || !view.alerts.empty();
  return known ? ToString(view.state) : std::string_view("unknown");
}

Json AlertingRuleToJson(const RuleView& view, bool exclude_alerts) {
  Json alerts;
  if (!exclude_alerts) {
    alerts = Json::MakeArray();
    for (const RuleAlertView& alert : view.alerts) {
      alerts.Push(RuleAlertToJson(alert));
    }
  }
  Json json = Json::MakeObject();
  json.Set("state", StateText(view));
  json.Set("name", view.rule->name);
  json.Set("query", CanonicalQuery(view.rule->expr));
  json.Set("duration", ToSeconds(view.rule->hold));
  json.Set("keepFiringFor", ToSeconds(view.rule->keep_firing_for));
  json.Set("labels", LabelsToJson(view.rule->raw_labels));
  json.Set("annotations", LabelsToJson(view.rule->raw_annotations));
  json.Set("alerts", std::move(alerts));
  json.Set("health", ToString(view.health));
  if (!view.last_error.empty()) {
    json.Set("lastError", view.last_error);
  }
  json.Set("evaluationTime", ToSeconds(view.evaluation_time));
  json.Set("lastEvaluation", FormatRfc3339Nano(view.last_evaluation));
  json.Set("type", "alerting");
  return json;
}

// Shown, and not evaluated here.
Json RecordingRuleToJson(const RecordingRule& rule) {
  Json json = Json::MakeObject();
  json.Set("name", rule.name);
  json.Set("query", CanonicalQuery(rule.expr));
  json.Set("labels", LabelsToJson(rule.raw_labels));
  json.Set("health", "unknown");
  json.Set("lastError", "recording rules are not evaluated by mlalert");
  json.Set("evaluationTime", 0);
  json.Set("lastEvaluation", FormatRfc3339Nano(kUnset));
  json.Set("type", "recording");
  return json;
}

}  // namespace mlalert
