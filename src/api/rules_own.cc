// /api/mlalert/v1/rules: what Prometheus' rules API has no place for. The list shows every rule with its id,
// its warnings and the alerts that are held; one rule comes with its last evaluations.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "api/handlers.h"
#include "api/own_error.h"
#include "api/rule_json.h"
#include "api/strict_input.h"
#include "base/hash.h"
#include "rules/compiled_rule.h"

namespace mlalert {
namespace {

Json TimeOrNull(Timestamp t) {
  return IsSet(t) ? Json(FormatRfc3339Nano(t)) : Json();
}

Json Summary(const RuleView& rule, std::string_view file, std::string_view group,
             std::string_view datasource) {
  auto count = [&](auto&& wanted) {
    return static_cast<int64_t>(std::count_if(rule.alerts.begin(), rule.alerts.end(), wanted));
  };
  Json warnings = Json::MakeArray();
  for (const std::string& warning : rule.warnings) {
    warnings.Push(warning);
  }
  Json json = Json::MakeObject();
  json.Set("id", Hex16(rule.id));
  json.Set("file", file).Set("group", group).Set("name", rule.rule->name).Set("datasource", datasource);
  json.Set("state", StateText(rule)).Set("health", ToString(rule.health));
  json.Set("last_error", rule.last_error.empty() ? Json() : Json(rule.last_error));
  json.Set("failing_since", TimeOrNull(rule.failing_since));
  json.Set("failures_in_a_row", rule.failures_in_a_row);
  json.Set("warnings", std::move(warnings)).Set("partial", rule.partial);
  json.Set("last_evaluation", TimeOrNull(rule.last_evaluation));
  json.Set("evaluation_seconds", ToSeconds(rule.evaluation_time)).Set("series", rule.last_samples);
  json.Set("pending", count([](const RuleAlertView& a) { return a.state == InstanceState::kPending; }));
  json.Set("firing", count([](const RuleAlertView& a) { return a.state == InstanceState::kFiring; }));
  json.Set("held_without_data", count([](const RuleAlertView& a) { return IsSet(a.no_data_since); }));
  return json;
}

void ListRules(ApiContext& context, const HttpRequest& request, HttpResponse& response) {
  if (Status checked = CheckQuery(request, {"file", "group", "name", "health"}); !checked) {
    SetOwnError(response, checked.error());
    return;
  }
  auto passes = [&](std::string_view parameter, std::string_view value) {
    const std::string* wanted = request.Query(parameter);
    return wanted == nullptr || wanted->empty() || *wanted == value;
  };
  Json list = Json::MakeArray();
  for (const RuleGroupView& group :
       context.rule_groups ? context.rule_groups() : std::vector<RuleGroupView>()) {
    for (const RuleView& rule : group.rules) {
      if (passes("file", group.file) && passes("group", group.name) && passes("name", rule.rule->name) &&
          passes("health", ToString(rule.health))) {
        list.Push(Summary(rule, group.file, group.name, group.datasource));
      }
    }
  }
  Json json = Json::MakeObject();
  json.Set("rules", std::move(list));
  SetJson(response, json);
}

Json EvaluationToJson(const RuleHistory::Evaluation& one) {
  Json json = Json::MakeObject();
  json.Set("at", FormatRfc3339Nano(one.at)).Set("started", FormatRfc3339Nano(one.started));
  json.Set("duration_seconds", static_cast<double>(one.duration_us) / 1e6);
  json.Set("series", static_cast<int64_t>(one.series));
  json.Set("error", one.error.empty() ? Json() : Json(one.error.view()));
  json.Set("curl", one.curl);
  return json;
}

Json HeldAlert(const RuleAlertView& alert) {
  Json json = RuleAlertToJson(alert);
  json.Set("fired_at", TimeOrNull(alert.fired_at)).Set("no_data_since", TimeOrNull(alert.no_data_since));
  return json;
}

void GetRule(ApiContext& context, const HttpRequest& request, HttpResponse& response) {
  const std::string_view text = request.PathParam("id");
  uint64_t id = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
  bool whole = error == std::errc() && end == text.data() + text.size() && text.size() <= 16;
  auto found = whole && context.rule_history ? context.rule_history(id) : std::nullopt;
  if (!found) {
    SetOwnError(response, 404, "no such rule", "ids are listed by GET /api/mlalert/v1/rules");
    return;
  }
  Json json = Summary(found->rule, found->file, found->group, found->datasource);
  json.Set("query", CanonicalQuery(found->rule.rule->expr));
  Json alerts = Json::MakeArray();
  for (const RuleAlertView& alert : found->rule.alerts) {
    alerts.Push(HeldAlert(alert));
  }
  Json evaluations = Json::MakeArray();
  for (const RuleHistory::Evaluation& one : found->evaluations) {
    evaluations.Push(EvaluationToJson(one));
  }
  json.Set("alerts", std::move(alerts)).Set("evaluations", std::move(evaluations));
  SetJson(response, json);
}

}  // namespace

void AddRulesOwn(HttpRouter& router, ApiContext& context) {
  router.Get("/api/mlalert/v1/rules", [&context](HttpRequest& request, HttpResponse& response) {
    ListRules(context, request, response);
  });
  router.Get("/api/mlalert/v1/rules/{id}", [&context](HttpRequest& request, HttpResponse& response) {
    GetRule(context, request, response);
  });
}

}  // namespace mlalert
