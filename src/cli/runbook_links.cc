#include "cli/runbook_links.h"

#include <algorithm>
#include <fmt/format.h>

namespace mlalert {
namespace {

constexpr std::string_view kAnnotation = "runbook_url";

void Point(AlertingRule& rule, const std::vector<std::string>& names, std::string_view external_url) {
  auto raw = rule.raw_annotations.find(std::string(kAnnotation));
  if (raw == rule.raw_annotations.end() || raw->second.find("{{") != std::string::npos) {
    return;
  }
  const std::string_view name = RunbookNameOf(raw->second);
  if (name.empty() || !std::binary_search(names.begin(), names.end(), name)) {
    return;
  }
  std::string text = fmt::format("{}/runbooks/{}{}", external_url, name,
                                 "{{ if $labels.model }}?model={{ $labels.model | urlquery }}{{ end }}");
  auto parsed = RuleTemplate::Parse(rule.name, text);
  auto compiled = std::find_if(rule.annotations.begin(), rule.annotations.end(),
                               [](const auto& annotation) { return annotation.first == kAnnotation; });
  if (parsed && compiled != rule.annotations.end()) {
    compiled->second = std::move(*parsed);
    raw->second = std::move(text);
  }
}

}  // namespace

void PointAtRunbooks(std::vector<RuleGroup>& groups, const Runbooks& runbooks,
                     std::string_view external_url) {
  const std::vector<std::string> names = runbooks.Names();
  if (names.empty() || external_url.find("{{") != std::string_view::npos) {
    return;
  }
  for (RuleGroup& group : groups) {
    for (AlertingRule& rule : group.rules) {
      Point(rule, names, external_url);
    }
  }
}

}  // namespace mlalert
