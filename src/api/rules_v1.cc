// Prometheus' rules API: GET /api/v1/rules, /api/v1/alerts, /api/v1/status/buildinfo. Dashboards and
// promtool-like clients read it unmodified.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <limits>

#include "api/handlers.h"
#include "api/rule_json.h"
#include "base/hash.h"
#include "base/json.h"
#include "model/matcher.h"
#include "promql/parser.h"

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
  std::vector<Matchers> matcher_sets;  // one of them has to match the labels of the rule; empty: all do
  // Ours, and vmalert's: of alerting rules only.
  std::vector<std::string_view> states, healths;
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

// As Prometheus reads series selectors.
Result<std::vector<Matchers>> ParseMatcherSets(const HttpRequest& request) {
  std::vector<Matchers> out;
  for (std::string_view text : request.QueryAll("match[]")) {
    auto parsed = promql::ParseExpr(text);
    constexpr std::string_view kEmpty = "must contain at least one non-empty matcher";
    if (!parsed) {
      return Fail(ErrorCode::kInvalid, parsed.error().message.ends_with(kEmpty)
                                           ? fmt::format("match[] {}", kEmpty)
                                           : parsed.error().message);
    }
    const auto* selector = promql::As<promql::VectorSelector>(**parsed);
    if (selector == nullptr || selector->offset != Duration::zero() || selector->at) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("1:1: parse error: {} is not a series selector", GoQuote(text.substr(0, 64))));
    }
    Matchers set;
    for (const promql::LabelMatcher& matcher : selector->matchers) {
      MLALERT_ASSIGN(Matcher made,
                     Matcher::Make(matcher.name, static_cast<MatchOp>(matcher.op), matcher.value));
      set.push_back(std::move(made));
    }
    out.push_back(std::move(set));
  }
  return out;
}

// An ignored filter would show what was filtered out.
Status ParseWords(const HttpRequest& request, std::string_view name,
                  const std::vector<std::string_view>& known, std::vector<std::string_view>& out) {
  for (std::string_view word : request.QueryAll(name)) {
    if (word.empty()) {
      continue;
    }
    if (std::find(known.begin(), known.end(), word) == known.end()) {
      return Fail(ErrorCode::kInvalid, fmt::format("invalid parameter {}: not supported value {}",
                                                   GoQuote(name), GoQuote(word.substr(0, 64))));
    }
    out.push_back(word);
  }
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
  MLALERT_ASSIGN(query.matcher_sets, ParseMatcherSets(request));
  MLALERT_TRY(ParseWords(request, "state", {"firing", "pending", "inactive", "unknown"}, query.states));
  MLALERT_TRY(ParseWords(request, "health", {"ok", "err", "unknown"}, query.healths));
  query.rule_names = request.QueryAll("rule_name[]");
  query.rule_groups = request.QueryAll("rule_group[]");
  query.files = request.QueryAll("file[]");
  MLALERT_TRY(ParsePaging(request, query));
  return query;
}

bool OneOf(const std::vector<std::string_view>& list, std::string_view word) {
  return list.empty() || std::find(list.begin(), list.end(), word) != list.end();
}

bool LabelsMatch(const std::vector<Matchers>& sets, const LabelSet& labels) {
  return sets.empty() ||
         std::any_of(sets.begin(), sets.end(), [&](const Matchers& m) { return MatchesAll(m, labels); });
}

Json RulesToJson(const RuleGroupView& group, const RulesQuery& query) {
  Json rules = Json::MakeArray();
  auto recording = group.recording_rules.begin();
  const auto push_recording_before = [&](int position) {
    for (; recording != group.recording_rules.end() && recording->position < position; ++recording) {
      if (query.recording && query.states.empty() && OneOf(query.rule_names, recording->name) &&
          OneOf(query.healths, "unknown") && LabelsMatch(query.matcher_sets, recording->raw_labels)) {
        rules.Push(RecordingRuleToJson(*recording));
      }
    }
  };
  for (const RuleView& rule : group.rules) {
    push_recording_before(rule.rule->position);
    if (query.alerting && OneOf(query.rule_names, rule.rule->name) && OneOf(query.states, StateText(rule)) &&
        OneOf(query.healths, ToString(rule.health)) &&
        LabelsMatch(query.matcher_sets, rule.rule->raw_labels)) {
      rules.Push(AlertingRuleToJson(rule, query.exclude_alerts));
    }
  }
  push_recording_before(std::numeric_limits<int>::max());
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
        alerts.Push(RuleAlertToJson(alert));
      }
    }
  }
  Json data = Json::MakeObject();
  data.Set("alerts", std::move(alerts));
  SetSuccess(response, std::move(data));
}

void GetAlertmanagers(ApiContext& context, HttpResponse& response) {
  const ForwardStats stats = context.forwards ? context.forwards() : ForwardStats();
  const auto list = [](const auto& urls, auto&& url_of) {
    Json out = Json::MakeArray();
    for (const auto& one : urls) {
      Json json = Json::MakeObject();
      json.Set("url", url_of(one));
      out.Push(std::move(json));
    }
    return out;
  };
  Json data = Json::MakeObject();
  data.Set("activeAlertmanagers", list(stats.targets, [](const ForwardTargetStats& t) { return t.url; }));
  data.Set("droppedAlertmanagers", list(stats.dropped_urls, [](const std::string& url) { return url; }));
  SetSuccess(response, std::move(data));
}

void GetBuildInfo(HttpResponse& response) {
  Json data = Json::MakeObject();
  data.Set("version", MLALERT_VERSION);
  for (const char* key : {"revision", "branch", "buildUser", "buildDate", "goVersion"}) {
    data.Set(key, "");
  }
  SetSuccess(response, std::move(data));
}

}  // namespace

void AddRulesV1(HttpRouter& router, ApiContext& context) {
  router.Get("/api/v1/rules", [&context](HttpRequest& request, HttpResponse& response) {
    GetRules(context, request, response);
  });
  router.Get("/api/v1/alerts",
             [&context](HttpRequest&, HttpResponse& response) { GetRuleAlerts(context, response); });
  router.Get("/api/v1/alertmanagers",
             [&context](HttpRequest&, HttpResponse& response) { GetAlertmanagers(context, response); });
  router.Get("/api/v1/status/buildinfo",
             [](HttpRequest&, HttpResponse& response) { GetBuildInfo(response); });
}

}  // namespace mlalert
