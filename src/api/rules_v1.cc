// Prometheus' rules API: GET /api/v1/rules, /api/v1/alerts, /api/v1/status/buildinfo. Dashboards and
// promtool-like clients read it unmodified.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "api/handlers.h"
#include "base/hash.h"
#include "base/json.h"

namespace mlalert {
namespace {

void SetSuccess(HttpResponse& response, Json data) {
  Json json = Json::MakeObject();
  json.Set("status", "success").Set("data", std::move(data));
  response.content_type = "application/json";
  response.body = json.Dump();
}

void SetBadData(HttpResponse& response, const std::string& message) {
  Json json = Json::MakeObject();
  json.Set("status", "error").Set("errorType", "bad_data").Set("error", message);
  response.status = 400;
  response.content_type = "application/json";
  response.body = json.Dump();
}

struct RulesQuery {
  bool alerting = true;
  bool recording = true;
  bool exclude_alerts = false;
  std::vector<std::string_view> rule_names, rule_groups, files;
  size_t group_limit = 0;  // 0: all
  std::string next_token;
};

std::string LowerAscii(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return out;
}

Result<bool> ParseGoBool(std::string_view text) {
  for (std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) {
      return true;
    }
  }
  for (std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) {
      return false;
    }
  }
  return Fail(ErrorCode::kInvalid,
              fmt::format("strconv.ParseBool: parsing {}: invalid syntax", GoQuote(text)));
}

Status ParsePaging(const HttpRequest& request, RulesQuery& query) {
  const std::string* limit = request.Query("group_limit");
  const std::string* token = request.Query("group_next_token");
  query.next_token = token != nullptr ? *token : std::string();
  if (limit == nullptr || limit->empty()) {
    if (!query.next_token.empty()) {
      return Fail(ErrorCode::kInvalid,
                  "group_limit needs to be present in order to paginate over the groups");
    }
    return {};
  }
  int64_t value = 0;
  auto [end, error] = std::from_chars(limit->data(), limit->data() + limit->size(), value);
  if (error != std::errc() || end != limit->data() + limit->size()) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("invalid parameter \"group_limit\": strconv.ParseInt: parsing {}: "
                            "invalid syntax",
                            GoQuote(std::string_view(*limit).substr(0, 64))));
  }
  if (value <= 0) {
    return Fail(ErrorCode::kInvalid, "group_limit needs to be greater than 0");
  }
  query.group_limit = static_cast<size_t>(value);
  return {};
}

Result<RulesQuery> ParseRulesQuery(const HttpRequest& request) {
  RulesQuery query;
  const std::string* type = request.Query("type");
  if (type != nullptr && !type->empty()) {
    std::string word = LowerAscii(*type);
    if (word != "alert" && word != "record") {
      return Fail(ErrorCode::kInvalid, fmt::format("invalid parameter \"type\": not supported value {}",
                                                   GoQuote(word.substr(0, 64))));
    }
    query.alerting = word == "alert";
    query.recording = word == "record";
  }
  const std::string* exclude = request.Query("exclude_alerts");
  if (exclude != nullptr && !exclude->empty()) {
    auto value = ParseGoBool(std::string_view(*exclude).substr(0, 64));
    if (!value) {
      return Fail(ErrorCode::kInvalid, "invalid parameter \"exclude_alerts\": " + value.error().message);
    }
    query.exclude_alerts = *value;
  }
  // An ignored filter would show what was filtered out.
  if (request.Query("match[]") != nullptr) {
    return Fail(ErrorCode::kInvalid, "invalid parameter \"match[]\": not supported");
  }
  query.rule_names = request.QueryAll("rule_name[]");
  query.rule_groups = request.QueryAll("rule_group[]");
  query.files = request.QueryAll("file[]");
  MLALERT_TRY(ParsePaging(request, query));
  return query;
}

bool OneOf(const std::vector<std::string_view>& list, std::string_view word) {
  return list.empty() || std::find(list.begin(), list.end(), word) != list.end();
}

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

Json MapToJson(const std::map<std::string, std::string>& map) {
  Json::Object object;
  for (const auto& [name, value] : map) {
    object.emplace_back(name, Json(value));
  }
  return Json(std::move(object));
}

Json AlertToJson(const RuleAlertView& alert) {
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

Json AlertingRuleToJson(const RuleView& view, bool exclude_alerts) {
  Json alerts;
  if (!exclude_alerts) {
    alerts = Json::MakeArray();
    for (const RuleAlertView& alert : view.alerts) {
      alerts.Push(AlertToJson(alert));
    }
  }
  bool known = view.health != RuleHealth::kUnknown || !view.alerts.empty();
  Json json = Json::MakeObject();
  json.Set("state", known ? ToString(view.state) : std::string_view("unknown"));
  json.Set("name", view.rule->name);
  json.Set("query", view.query);
  json.Set("duration", ToSeconds(view.rule->hold));
  json.Set("keepFiringFor", ToSeconds(view.rule->keep_firing_for));
  json.Set("labels", MapToJson(view.rule->raw_labels));
  json.Set("annotations", MapToJson(view.rule->raw_annotations));
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

// Known by name only: they are not evaluated here.
Json RecordingRuleToJson(const std::string& name) {
  Json json = Json::MakeObject();
  json.Set("name", name);
  json.Set("query", "");
  json.Set("labels", Json::MakeObject());
  json.Set("health", "unknown");
  json.Set("lastError", "recording rules are not evaluated by mlalert");
  json.Set("evaluationTime", 0);
  json.Set("lastEvaluation", FormatRfc3339Nano(kUnset));
  json.Set("type", "recording");
  return json;
}

Json RulesToJson(const RuleGroupView& group, const RulesQuery& query) {
  Json rules = Json::MakeArray();
  for (const RuleView& rule : group.rules) {
    if (query.alerting && OneOf(query.rule_names, rule.rule->name)) {
      rules.Push(AlertingRuleToJson(rule, query.exclude_alerts));
    }
  }
  for (const std::string& name : group.recording_rules) {
    if (query.recording && OneOf(query.rule_names, name)) {
      rules.Push(RecordingRuleToJson(name));
    }
  }
  return rules;
}

std::string TokenOf(const RuleGroupView& group) {
  return Sha256Hex(group.file + ";" + group.name);
}

void GetRules(ApiContext& context, HttpRequest& request, HttpResponse& response) {
  auto query = ParseRulesQuery(request);
  if (!query) {
    SetBadData(response, query.error().message);
    return;
  }
  std::vector<RuleGroupView> groups;
  if (context.rule_groups) {
    groups = context.rule_groups();
  }
  Json shown = Json::MakeArray();
  Json data = Json::MakeObject();
  std::string next;
  bool begun = query->next_token.empty();
  for (const RuleGroupView& group : groups) {
    begun = begun || TokenOf(group) == query->next_token;
    if (!begun || !OneOf(query->files, group.file) || !OneOf(query->rule_groups, group.name)) {
      continue;
    }
    Json rules = RulesToJson(group, *query);
    if (rules.AsArray().empty()) {
      continue;
    }
    if (query->group_limit > 0 && shown.AsArray().size() == query->group_limit) {
      next = TokenOf(group);
      break;
    }
    Json json = Json::MakeObject();
    json.Set("name", group.name);
    json.Set("file", group.file);
    json.Set("rules", std::move(rules));
    json.Set("interval", ToSeconds(group.interval));
    json.Set("limit", group.limit);
    json.Set("evaluationTime", ToSeconds(group.evaluation_time));
    json.Set("lastEvaluation", FormatRfc3339Nano(group.last_evaluation));
    shown.Push(std::move(json));
  }
  if (!begun) {
    SetBadData(response, fmt::format("invalid group_next_token '{}'. were rule groups changed?",
                                     query->next_token.substr(0, 128)));
    return;
  }
  data.Set("groups", std::move(shown));
  if (!next.empty()) {
    data.Set("groupNextToken", next);
  }
  SetSuccess(response, std::move(data));
}

void GetRuleAlerts(ApiContext& context, HttpResponse& response) {
  std::vector<RuleGroupView> groups;
  if (context.rule_groups) {
    groups = context.rule_groups();
  }
  Json alerts = Json::MakeArray();
  for (const RuleGroupView& group : groups) {
    for (const RuleView& rule : group.rules) {
      for (const RuleAlertView& alert : rule.alerts) {
        alerts.Push(AlertToJson(alert));
      }
    }
  }
  Json data = Json::MakeObject();
  data.Set("alerts", std::move(alerts));
  SetSuccess(response, std::move(data));
}

void GetBuildInfo(HttpResponse& response) {
  Json data = Json::MakeObject();
  data.Set("version", MLALERT_VERSION);
  for (const char* key : {"revision", "branch", "buildUser", "buildDate", "goVersion"}) {
    data.Set(key, "");
  }
  data.Set("application", "mlalert");
  SetSuccess(response, std::move(data));
}

}  // namespace

void AddRulesV1(HttpRouter& router, ApiContext& context) {
  router.Get("/api/v1/rules", [&context](HttpRequest& request, HttpResponse& response) {
    GetRules(context, request, response);
  });
  router.Get("/api/v1/alerts",
             [&context](HttpRequest&, HttpResponse& response) { GetRuleAlerts(context, response); });
  router.Get("/api/v1/status/buildinfo",
             [](HttpRequest&, HttpResponse& response) { GetBuildInfo(response); });
}

}  // namespace mlalert
