#include "notify/template_json.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace mlalert {
namespace {

bool EqualAnyCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

Result<LabelSet> LabelsOf(const Json& json, std::string_view key) {
  MLALERT_ASSIGN(auto pairs, StringPairs(FindAnyCase(json, key), key));
  return LabelSet::From(std::move(pairs));
}

Result<TemplateAlert> ParseAlert(const Json& json) {
  if (!json.is_object()) {
    return Fail(ErrorCode::kInvalid, "expected an object");
  }
  TemplateAlert out;
  MLALERT_ASSIGN(out.status, StringOf(FindAnyCase(json, "status"), "status"));
  MLALERT_ASSIGN(out.labels, LabelsOf(json, "labels"));
  MLALERT_ASSIGN(out.annotations, LabelsOf(json, "annotations"));
  MLALERT_ASSIGN(out.starts_at, TimeOf(FindAnyCase(json, "startsAt"), "startsAt"));
  MLALERT_ASSIGN(out.ends_at, TimeOf(FindAnyCase(json, "endsAt"), "endsAt"));
  MLALERT_ASSIGN(out.generator_url, StringOf(FindAnyCase(json, "generatorURL"), "generatorURL"));
  MLALERT_ASSIGN(out.fingerprint, StringOf(FindAnyCase(json, "fingerprint"), "fingerprint"));
  MLALERT_ASSIGN(std::string severity, StringOf(FindAnyCase(json, "severity"), "severity"));
  out.severity = SeverityFromLabel(severity.empty() ? out.labels.Get("severity") : severity);
  if (const Json* id = FindAnyCase(json, "incidentID")) {
    out.incident_id = id->AsInt();
  }
  if (const Json* acknowledged = FindAnyCase(json, "acknowledged")) {
    out.acknowledged = acknowledged->AsBool();
  }
  return out;
}

}  // namespace

const Json* FindAnyCase(const Json& object, std::string_view key) {
  const Json* found = nullptr;
  for (const auto& [name, value] : object.AsObject()) {
    if (name == key || (found == nullptr && EqualAnyCase(name, key))) {
      found = &value;
    }
  }
  return found == nullptr || found->is_null() ? nullptr : found;
}

Result<std::vector<std::pair<std::string, std::string>>> StringPairs(const Json* json, std::string_view key) {
  std::vector<std::pair<std::string, std::string>> out;
  if (json == nullptr) {
    return out;
  }
  if (!json->is_object()) {
    return Fail(ErrorCode::kInvalid, fmt::format("{}: expected an object of strings", key));
  }
  for (const auto& [name, value] : json->AsObject()) {
    if (!value.is_string()) {
      return Fail(ErrorCode::kInvalid, fmt::format("{}.{}: expected a string", key, name));
    }
    out.emplace_back(name, value.AsString());
  }
  return out;
}

Result<std::string> StringOf(const Json* json, std::string_view key) {
  if (json == nullptr) {
    return std::string();
  }
  if (!json->is_string()) {
    return Fail(ErrorCode::kInvalid, fmt::format("{}: expected a string", key));
  }
  return json->AsString();
}

Result<tmpl::Time> TimeOf(const Json* json, std::string_view key) {
  MLALERT_ASSIGN(std::string text, StringOf(json, key));
  tmpl::Time out;
  if (text.empty() || text.starts_with("0001-01-01T00:00:00")) {
    return out;
  }
  auto at = ParseRfc3339(text, &out.offset_minutes);
  if (!at) {
    return Fail(std::move(at.error()).Context(std::string(key)));
  }
  out.at = *at;
  return out;
}

Result<TemplateGroup> ParseTemplateGroup(const Json& json) {
  if (!json.is_object()) {
    return Fail(ErrorCode::kInvalid, "expected an object");
  }
  TemplateGroup out;
  MLALERT_ASSIGN(out.receiver, StringOf(FindAnyCase(json, "receiver"), "receiver"));
  MLALERT_ASSIGN(out.status, StringOf(FindAnyCase(json, "status"), "status"));
  MLALERT_ASSIGN(out.reason, StringOf(FindAnyCase(json, "notification_reason"), "notification_reason"));
  MLALERT_ASSIGN(out.group_labels, LabelsOf(json, "groupLabels"));
  MLALERT_ASSIGN(out.common_labels, LabelsOf(json, "commonLabels"));
  MLALERT_ASSIGN(out.common_annotations, LabelsOf(json, "commonAnnotations"));
  MLALERT_ASSIGN(out.route_labels, LabelsOf(json, "routeLabels"));
  MLALERT_ASSIGN(out.external_url, StringOf(FindAnyCase(json, "externalURL"), "externalURL"));
  MLALERT_ASSIGN(out.acknowledged_by, StringOf(FindAnyCase(json, "acknowledgedBy"), "acknowledgedBy"));
  MLALERT_ASSIGN(out.incident_url, StringOf(FindAnyCase(json, "incidentURL"), "incidentURL"));
  if (const Json* alerts = FindAnyCase(json, "alerts")) {
    if (!alerts->is_array()) {
      return Fail(ErrorCode::kInvalid, "alerts: expected a list");
    }
    for (const Json& item : alerts->AsArray()) {
      auto alert = ParseAlert(item);
      if (!alert) {
        return Fail(std::move(alert.error()).Context(fmt::format("alerts[{}]", out.alerts.size())));
      }
      out.severity = std::max(out.severity, alert->severity);
      out.alerts.push_back(std::move(*alert));
    }
  }
  MLALERT_ASSIGN(std::string severity, StringOf(FindAnyCase(json, "severity"), "severity"));
  out.severity = severity.empty() ? out.severity : SeverityFromLabel(severity);
  return out;
}

TemplateGroup ExampleGroup(Timestamp now) {
  TemplateAlert firing{.status = "firing",
                       .labels = LabelSet::From({{"commonlabelkey1", "commonlabelvalue1"},
                                                 {"commonlabelkey2", "commonlabelvalue2"},
                                                 {"instance", "foo.bar:1234"},
                                                 {"label1", "value1"},
                                                 {"label2", "value2"}}),
                       .annotations = LabelSet::From({{"annotation1", "value1"},
                                                      {"annotation2", "value2"},
                                                      {"commonannotationkey1", "commonannotationvalue1"},
                                                      {"commonannotationkey2", "commonannotationvalue2"}}),
                       .starts_at = {now - std::chrono::minutes(5)},
                       .ends_at = {now},
                       .generator_url = "https://generatorurl.com",
                       .fingerprint = "fingerprint1"};
  TemplateAlert resolved = firing;
  resolved.status = "resolved";
  resolved.labels = LabelSet::From({{"baz", "qux"},
                                    {"commonlabelkey1", "commonlabelvalue1"},
                                    {"commonlabelkey2", "commonlabelvalue2"},
                                    {"foo", "bar"}});
  resolved.annotations = LabelSet::From({{"aaa", "bbb"},
                                         {"ccc", "ddd"},
                                         {"commonannotationkey1", "commonannotationvalue1"},
                                         {"commonannotationkey2", "commonannotationvalue2"}});
  resolved.starts_at = {now - std::chrono::minutes(10)};
  resolved.fingerprint = "fingerprint2";
  return {.receiver = "receiver",
          .status = "alertstatus",
          .alerts = {firing, resolved},
          .group_labels = LabelSet::From(
              {{"grouplabelkey1", "grouplabelvalue1"}, {"grouplabelkey2", "grouplabelvalue2"}}),
          .common_labels = LabelSet::From(
              {{"commonlabelkey1", "commonlabelvalue1"}, {"commonlabelkey2", "commonlabelvalue2"}}),
          .common_annotations = LabelSet::From({{"commonannotationkey1", "commonannotationvalue1"},
                                                {"commonannotationkey2", "commonannotationvalue2"}}),
          .external_url = "https://example.com"};
}

}  // namespace mlalert
