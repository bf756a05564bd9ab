#include "cli/template_preview.h"

#include <cmath>
#include <fmt/format.h>

#include "notify/template_json.h"
#include "notify/template_set.h"
#include "template/humanize.h"
#include "template/notify_funcs.h"
#include "template/rule_funcs.h"
#include "template/rule_template.h"

namespace mlalert {
namespace {

tl::unexpected<Error> Bad(std::string message) {
  return Fail(ErrorCode::kInvalid, std::move(message));
}

// A number, or what Prometheus' API writes in its place: "NaN", "+Inf", "1.5".
Result<double> NumberOf(const Json& json, std::string_view key) {
  if (json.is_number()) {
    return json.AsDouble();
  }
  if (json.is_string()) {
    auto value = tmpl::ToFloat(tmpl::Value::View(json.AsString()));
    return value ? Result<double>(*value) : Fail(std::move(value.error()).Context(std::string(key)));
  }
  return Bad(fmt::format("{}: expected a number", key));
}

// {"labels": {...}, "value": 1}; also as Prometheus' API has it: {"metric": {...}, "value": [time, "1"]}.
Result<tmpl::Sample> SampleOf(const Json& json, const std::string& key) {
  if (json.is_number() || json.is_string()) {
    MLALERT_ASSIGN(double value, NumberOf(json, key));
    return tmpl::Sample{{}, value};
  }
  if (!json.is_object()) {
    return Bad(fmt::format("{}: expected an object with labels and value", key));
  }
  const Json* labels = FindAnyCase(json, "labels");
  MLALERT_ASSIGN(auto pairs,
                 StringPairs(labels != nullptr ? labels : FindAnyCase(json, "metric"), key + ".labels"));
  std::sort(pairs.begin(), pairs.end());
  tmpl::Sample out{std::move(pairs), 0};
  if (const Json* value = FindAnyCase(json, "value")) {
    const Json& number = value->is_array() && value->AsArray().size() == 2 ? value->AsArray()[1] : *value;
    MLALERT_ASSIGN(out.value, NumberOf(number, key + ".value"));
  }
  return out;
}

struct QueryStub {
  std::string expr;
  Result<std::vector<tmpl::Sample>> answer;
};

// {"EXPR": [samples] | sample | number | {"error": "text"}}
Result<std::vector<QueryStub>> StubsOf(const Json* json) {
  std::vector<QueryStub> out;
  if (json == nullptr) {
    return out;
  }
  if (!json->is_object()) {
    return Bad("queries: expected an object, expression to samples");
  }
  for (const auto& [expr, answer] : json->AsObject()) {
    if (answer.is_object() && answer.Find("error") != nullptr) {
      out.push_back({expr, Bad(answer.GetString("error"))});
      continue;
    }
    std::vector<tmpl::Sample> samples;
    const std::string key = fmt::format("queries[{}]", expr);
    for (const Json& item : answer.is_array() ? answer.AsArray() : Json::Array{answer}) {
      MLALERT_ASSIGN(tmpl::Sample sample, SampleOf(item, key));
      samples.push_back(std::move(sample));
    }
    out.push_back({expr, std::move(samples)});
  }
  return out;
}

Result<std::vector<tmpl::Sample>> AnswerOf(const std::vector<QueryStub>& stubs, const std::string& expr) {
  const QueryStub* any = nullptr;
  for (const QueryStub& stub : stubs) {
    if (stub.expr == expr) {
      return stub.answer;
    }
    any = stub.expr == "*" ? &stub : any;
  }
  if (any != nullptr) {
    return any->answer;
  }
  return Bad(fmt::format("no result given for query \"{}\"", expr));
}

Result<std::vector<std::pair<std::string, std::string>>> SortedLabels(const Json& data,
                                                                      std::string_view key) {
  MLALERT_ASSIGN(auto pairs, StringPairs(FindAnyCase(data, key), key));
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

std::vector<tmpl::LabelPair> Views(const std::vector<std::pair<std::string, std::string>>& pairs) {
  return {pairs.begin(), pairs.end()};
}

Result<Duration> DurationOf(const Json* json, std::string_view key) {
  MLALERT_ASSIGN(std::string text, StringOf(json, key));
  return text.empty() ? Duration{} : ParseDuration(text);
}

Result<std::string> PreviewRule(const PreviewRequest& request) {
  if (!request.data.is_object() && !request.data.is_null()) {
    return Bad("data: expected an object");
  }
  const Json& json = request.data;
  MLALERT_ASSIGN(auto labels, SortedLabels(json, "labels"));
  MLALERT_ASSIGN(auto external_labels, SortedLabels(json, "externalLabels"));
  MLALERT_ASSIGN(std::string external_url, StringOf(FindAnyCase(json, "externalURL"), "externalURL"));
  MLALERT_ASSIGN(std::string expr, StringOf(FindAnyCase(json, "expr"), "expr"));
  MLALERT_ASSIGN(std::string alert, StringOf(FindAnyCase(json, "alert"), "alert"));
  MLALERT_ASSIGN(tmpl::Time active_at, TimeOf(FindAnyCase(json, "activeAt"), "activeAt"));
  MLALERT_ASSIGN(auto stubs, StubsOf(FindAnyCase(json, "queries")));
  while (external_url.ends_with('/')) {
    external_url.pop_back();
  }
  const tmpl::QueryFn query = [&stubs](const std::string& text) { return AnswerOf(stubs, text); };
  const auto label_views = Views(labels);
  const auto external_views = Views(external_labels);
  tmpl::RuleTemplateData data;
  data.labels = label_views;
  data.external_labels = external_views;
  data.external_url = external_url;
  data.expr = expr;
  data.now = request.now;
  data.active_at = active_at.at == kUnset ? request.now : active_at.at;
  data.query = &query;
  if (const Json* value = FindAnyCase(json, "value")) {
    MLALERT_ASSIGN(data.value, NumberOf(*value, "value"));
  }
  MLALERT_ASSIGN(data.hold, DurationOf(FindAnyCase(json, "for"), "for"));
  MLALERT_ASSIGN(data.interval, DurationOf(FindAnyCase(json, "interval"), "interval"));
  std::optional<tmpl::Template> shared;
  if (!request.templates.empty()) {
    MLALERT_ASSIGN(shared, tmpl::Template::Parse("", "", tmpl::RuleFunctions()));
    for (const auto& [name, text] : request.templates) {
      MLALERT_TRY(shared->AddFile(name, text));
    }
  }
  MLALERT_ASSIGN(auto parsed, tmpl::RuleTemplate::Parse(alert, request.text, shared ? &*shared : nullptr));
  std::optional<Error> error;
  std::string out = parsed.Expand(data, &error);
  if (error) {
    return Fail(std::move(*error));
  }
  return out;
}

Result<std::string> PreviewNotification(const PreviewRequest& request) {
  TemplateGroup group;
  if (request.data.is_null()) {
    group = ExampleGroup(request.now);
  } else {
    auto parsed = ParseTemplateGroup(request.data);
    if (!parsed) {
      return Fail(std::move(parsed.error()).Context("data"));
    }
    group = std::move(*parsed);
  }
  const std::string external_url = group.external_url;
  const TemplateData data(std::move(group), "template.Data");
  MLALERT_ASSIGN(tmpl::Template set, DefaultTemplates());
  for (const auto& [name, text] : request.templates) {
    MLALERT_TRY(set.AddFile(name, text));
  }
  if (request.text.empty()) {
    return std::string();
  }
  MLALERT_ASSIGN(tmpl::Template parsed, set.With("", request.text));
  if (request.kind == PreviewRequest::Kind::kHtml) {
    MLALERT_ASSIGN(parsed, parsed.Html());
  }
  const tmpl::RouteLabelFn route_label = [&data](std::string_view name) -> Result<std::string> {
    return std::string(data.route_labels().Get(name));
  };
  return parsed.Execute(data.root(),
                        {.now = request.now, .external_url = external_url, .route_label = &route_label},
                        {.output_bytes = kRenderedBytesMax});
}

}  // namespace

Result<PreviewRequest> ParsePreviewRequest(const Json& json, const PreviewRequest& defaults) {
  if (!json.is_object()) {
    return Bad("expected an object");
  }
  PreviewRequest out = defaults;
  for (const auto& [key, value] : json.AsObject()) {
    if (key == "id") {
      continue;
    }
    if (key == "type") {
      const std::string& type = value.AsString();
      if (type != "text" && type != "html" && type != "rule") {
        return Bad("type: expected \"text\", \"html\" or \"rule\"");
      }
      out.kind = type == "html"   ? PreviewRequest::Kind::kHtml
                 : type == "rule" ? PreviewRequest::Kind::kRule
                                  : PreviewRequest::Kind::kText;
    } else if (key == "text") {
      MLALERT_ASSIGN(out.text, StringOf(&value, key));
    } else if (key == "templates") {
      MLALERT_ASSIGN(auto templates, StringPairs(&value, key));
      out.templates.insert(out.templates.end(), templates.begin(), templates.end());
    } else if (key == "data") {
      out.data = value;
    } else if (key == "now") {
      MLALERT_ASSIGN(tmpl::Time now, TimeOf(&value, key));
      out.now = now.at;
    } else {
      return Bad(fmt::format("unknown key \"{}\"; known are id, type, text, templates, data, now", key));
    }
  }
  if (json.Find("text") == nullptr && defaults.text.empty()) {
    return Bad("text is missing");
  }
  return out;
}

Result<std::string> Preview(const PreviewRequest& request) {
  return request.kind == PreviewRequest::Kind::kRule ? PreviewRule(request) : PreviewNotification(request);
}

}  // namespace mlalert
