// Links of rules lead to the runbooks that are served here, and only to those.
#include "cli/runbook_links.h"

#include <boost/test/unit_test.hpp>

#include "cli/cli_case.h"

#include "config/rule_loader.h"
#include "template/rule_template.h"

namespace mlalert {
namespace {

constexpr const char* kRules = R"(
groups:
- name: g
  rules:
  - {alert: Here, expr: up, annotations: {runbook_url: "https://wiki.internal/runbooks/here", summary: s}}
  - {alert: Elsewhere, expr: up, annotations: {runbook_url: "https://wiki.internal/runbooks/elsewhere"}}
  - {alert: Own, expr: up, annotations: {runbook_url: "https://wiki/{{ $labels.model }}/here"}}
  - {alert: None, expr: up, annotations: {summary: "https://wiki.internal/runbooks/here"}}
)";

std::vector<RuleGroup> Load() {
  std::vector<RuleGroup> groups;
  BOOST_REQUIRE(LoadRuleText(kRules, "r.yml", {}, groups).ok());
  return groups;
}

std::string Rendered(const AlertingRule& rule, std::string_view model) {
  std::vector<tmpl::LabelPair> labels;
  if (!model.empty()) {
    labels.push_back({"model", model});
  }
  const auto text = RuleTemplate::Parse(rule.name, rule.raw_annotations.Get("runbook_url"));
  BOOST_REQUIRE(text.has_value());
  return text->Expand({.labels = labels});
}

BOOST_AUTO_TEST_SUITE(runbook_links)

BOOST_AUTO_TEST_CASE(a_link_leads_here_when_the_runbook_is_here) {
  testing::TempFolder folder;
  std::ofstream(folder.path() + "/here.md") << "text";
  std::vector<RuleGroup> groups = Load();
  PointAtRunbooks(groups, Runbooks({folder.path()}), "http://alerts/ml");
  const std::vector<AlertingRule>& rules = groups[0].rules;
  BOOST_TEST(Rendered(rules[0], "a b/c") == "http://alerts/ml/runbooks/here?model=a+b%2Fc");
  BOOST_TEST(Rendered(rules[0], "") == "http://alerts/ml/runbooks/here");
  // The rules API shows what is rendered.
  BOOST_TEST(
      rules[0].raw_annotations.Get("runbook_url") ==
      "http://alerts/ml/runbooks/here{{ if $labels.model }}?model={{ $labels.model | urlquery }}{{ end }}");
  BOOST_TEST(rules[0].raw_annotations.Get("summary") == "s");
  BOOST_TEST(Rendered(rules[1], "m") == "https://wiki.internal/runbooks/elsewhere");
  BOOST_TEST(Rendered(rules[2], "m") == "https://wiki/m/here");
  BOOST_TEST(rules[3].raw_annotations.Get("summary") == "https://wiki.internal/runbooks/here");
}

BOOST_AUTO_TEST_CASE(without_runbooks_nothing_changes) {
  std::vector<RuleGroup> groups = Load();
  PointAtRunbooks(groups, Runbooks({"/no/such/folder"}), "http://alerts");
  BOOST_TEST(Rendered(groups[0].rules[0], "m") == "https://wiki.internal/runbooks/here");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
