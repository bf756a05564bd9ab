// jira_configs.
#include <fmt/format.h>

#include "config/config_receivers.h"

namespace mlalert {
namespace {

// A text, or a map with the text and whether an update of the issue writes it again.
void ReadJiraText(YamlMap& map, std::string_view key, std::string_view fallback, JiraText& out) {
  out.text = fallback;
  auto value = map.Take(key);
  if (!value) {
    return;
  }
  if (value->IsNull()) {
    out.text.clear();
    return;
  }
  if (value->IsScalar()) {
    value->Read(out.text);
    return;
  }
  YamlMap fields(*value, "jira.plain");
  fields.Read("template", out.text);
  std::optional<bool> enable_update;
  fields.Read("enable_update", enable_update);
  out.enable_update = enable_update.value_or(true);
  fields.Finish();
}

}  // namespace

void ReadIntegration(const YamlValue& value, const ReceiverContext& context, JiraConfig& out) {
  YamlMap map(value, "jira.plain");
  ReadCommon(map, context, out);
  out.api_url = context.global.jira_api_url;
  ReadUrl(map, "api_url", out.api_url);
  ReadText(map, "api_type", out.api_type, "auto");
  map.Read("project", out.project);
  ReadJiraText(map, "summary", R"({{ template "jira.default.summary" . }})", out.summary);
  ReadJiraText(map, "description", R"({{ template "jira.default.description" . }})", out.description);
  map.Read("labels", out.labels);
  ReadText(map, "priority", out.priority, R"({{ template "jira.default.priority" . }})");
  map.Read("issue_type", out.issue_type);
  map.Read("reopen_transition", out.reopen_transition);
  map.Read("resolve_transition", out.resolve_transition);
  map.Read("wont_fix_resolution", out.wont_fix_resolution);
  map.Read("reopen_duration", out.reopen_duration);
  ReadTrees(map, "fields", out.fields);
  map.Finish();
  if (map.Failed()) {
    return;
  }
  if (out.project.empty()) {
    value.Error("missing project in jira_config");
  } else if (out.issue_type.empty()) {
    value.Error("missing issue_type in jira_config");
  } else if (out.api_type != "auto" && out.api_type != "cloud" && out.api_type != "datacenter") {
    map.At("api_type").Error("unknown api_type on jira_config, must be auto, cloud or datacenter");
  } else if (out.api_url.empty()) {
    value.Error("no global Jira Cloud URL set");
  }
}

}  // namespace mlalert
