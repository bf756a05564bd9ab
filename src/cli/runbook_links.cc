#include "cli/runbook_links.h"

#include <algorithm>
#include <fmt/format.h>

namespace mlalert {
namespace {

constexpr std::string_view kAnnotation = "runbook_url";

void Point(AlertingRule& rule, const std::vector<std::string>& names, std::string_view external_url) {
  const std::string_view written = rule.raw_annotations.Get(kAnnotation);
  if (written.find("{{") != std::string_view::npos) {
    return;
  }
  const std::string_view name = RunbookNameOf(written);
  if (name.empty() || !std::binary_search(names.begin(), names.end(), name)) {
    return;
  }
  rule.raw_annotations = rule.raw_annotations.With(
      kAnnotation, fmt::format("{}/runbooks/{}{}", external_url, name,
                               "{{ if $labels.model }}?model={{ $labels.model | urlquery }}{{ end }}"));
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
