// What a careful reviewer says of rules that load.
#include "config/rule_lint.h"

#include <boost/test/unit_test.hpp>

#include "config/rule_loader.h"

using namespace mlalert;  // NOLINT(google-build-using-namespace)

namespace {

constexpr std::string_view kFine = "labels: {severity: P2}, annotations: {runbook_url: 'http://r'}";

// Of one rule in a group of 1m: the warnings, without their prefix, one per line.
std::string Lint(const std::string& rule, const std::string& group = "interval: 1m") {
  RuleDefaults defaults;
  defaults.lint = true;
  std::vector<RuleGroup> groups;
  Diagnostics found = LoadRuleText("groups: [{name: g, " + group + ", rules: [{alert: A, " + rule + "}]}]",
                                   "a.yml", defaults, groups);
  BOOST_TEST(found.ok(), found.ToText());
  std::string out;
  const std::string prefix = R"(group "g", rule 1, "A": )";
  for (const Diagnostic& item : found.items()) {
    BOOST_TEST(item.message.starts_with(prefix), item.message);
    BOOST_TEST(item.where.line == 1);
    out += (out.empty() ? "" : "\n") + item.message.substr(std::min(prefix.size(), item.message.size()));
  }
  return out;
}

std::string With(const std::string& rule) {
  return Lint(rule + ", " + std::string(kFine));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rule_lint)

BOOST_AUTO_TEST_CASE(a_good_rule_earns_no_word) {
  BOOST_TEST(With("expr: 'sum by (model) (x) > 5', for: 5m") == "");
  BOOST_TEST(With("expr: 'absent(up{job=\"ml\"})'") == "");
}

BOOST_AUTO_TEST_CASE(severity_and_runbook_are_missed) {
  BOOST_TEST(Lint("expr: x > 1") == "no label severity\nno annotation runbook_url");
  BOOST_TEST(Lint("expr: x > 1, annotations: {runbook: x}", "labels: {severity: P1}") == "");
}

BOOST_AUTO_TEST_CASE(the_value_in_a_label) {
  BOOST_TEST(
      Lint("expr: x > 1, labels: {severity: P2, v: '{{ $value | humanize }}'}, annotations: {runbook_url: r, "
           "s: '{{ $value }}'}") == R"(label "v" holds the value)");
  BOOST_TEST(!ReadsValue("{{ $values }} $value"));
  BOOST_TEST(!ReadsValue("$value"));
  BOOST_TEST(ReadsValue("{{.Value}}"));
  BOOST_TEST(!ReadsValue("{{ with query \"x\" | first }}{{ .Value }}{{ end }}"));
}

BOOST_AUTO_TEST_CASE(a_label_that_the_aggregation_drops) {
  const auto text = [](const std::string& expr) {
    return Lint("expr: '" + expr +
                "', labels: {severity: P2}, annotations: {runbook_url: r, s: '{{ $labels.model }} {{ "
                ".Labels.model }}'}");
  };
  BOOST_TEST(text("sum(x) > 1") ==
             R"(annotation "s" uses the label "model", which the result of the expression does not have)");
  BOOST_TEST(text("sum by (job) (x) > 1") == text("sum(x) > 1"));
  BOOST_TEST(text("sum without (model) (x) > 1") == text("sum(x) > 1"));
  BOOST_TEST(text("sum by (model) (x) > 1") == "");
  BOOST_TEST(text("x > 1") == "");
  BOOST_TEST(Lint("expr: sum(x), labels: {severity: P2, m: '{{ index $labels \"model\" }}'}, annotations: "
                  "{runbook_url: r}") ==
             R"(label "m" uses the label "model", which the result of the expression does not have)");
}

BOOST_AUTO_TEST_CASE(labels_of_other_samples_are_not_meant) {
  BOOST_TEST(LabelsRead("{{ range query \"up\" }}{{ .Labels.job }}{{ end }}{{ $labels.a }}").size() == 1U);
  BOOST_TEST(LabelsRead("{{ $x.Labels.job }} $labels.b").empty());
  BOOST_TEST(LabelsRead("$labels.b").empty());
  BOOST_TEST(LabelsRead("{{ range $k, $v := $labels }}{{ $k }}{{ end }}").empty());
}

BOOST_AUTO_TEST_CASE(for_shorter_than_the_interval) {
  BOOST_TEST(With("expr: x > 1, for: 30s") == "for is 30s, shorter than the group's interval 1m");
  BOOST_TEST(With("expr: x > 1, for: 1m") == "");
  BOOST_TEST(With("expr: x > 1, for: 0s") == "");
}

BOOST_AUTO_TEST_CASE(absent_without_labels) {
  BOOST_TEST(With("expr: absent(up) or x > 1") == "absent(up) gives an alert without labels");
  BOOST_TEST(With("expr: 'absent_over_time(up{job=~\"a\"}[5m])'") ==
             R"(absent_over_time(up{job=~"a"}[5m]) gives an alert without labels)");
}

BOOST_AUTO_TEST_CASE(nobody_is_told_who_did_not_ask) {
  std::vector<RuleGroup> groups;
  BOOST_TEST(LoadRuleText("groups: [{name: g, rules: [{alert: A, expr: absent(up)}]}]", "a.yml", {}, groups)
                 .items()
                 .empty());
}

BOOST_AUTO_TEST_SUITE_END()
