// The defects that belong to the evaluation of rules, against the rule manager.
#include <boost/test/unit_test.hpp>

#include "rules/harness.h"

namespace mlalert::testing {
namespace {

const LabelSet kModel = LabelSet::From({{"model", "m"}});

BOOST_AUTO_TEST_SUITE(defects_rules)

BOOST_AUTO_TEST_CASE(d02_a_rule_that_cannot_be_evaluated_is_visible_and_stops_no_other) {
  Harness h;
  h.source = [](const std::string& query) {
    return query.find("broken") != std::string::npos
               ? Status(422, R"({"status":"error","errorType":"execution","error":"boom"})")
               : Vector({{kModel, 1}});
  };
  h.SetRules({MakeGroup("g", 60s, {MakeRule("Broken", "broken > 0"), MakeRule("Fine", "fine > 0")})});
  h.RunFor(3min);
  BOOST_TEST((h.Rule(0, 0).health == RuleHealth::kError));
  BOOST_TEST(h.Rule(0, 0).last_error.find("boom") != std::string::npos);
  BOOST_TEST(h.State(0, 1) == 'F');
}

BOOST_AUTO_TEST_CASE(d07_a_metric_that_is_gone_neither_fires_nor_resolves) {
  Harness h;
  bool gone = false;
  h.source = [&](const std::string&) { return gone ? Vector({}) : Vector({{kModel, 0.5}}); };
  h.SetRules({MakeGroup("g", 60s, {MakeRule("Accuracy", "accuracy < 0.8")})});
  h.RunFor(3min);
  BOOST_TEST(h.State() == 'F');
  gone = true;
  h.RunFor(10min);
  BOOST_TEST(h.State() == 'F');

  Harness never;
  never.SetRules({MakeGroup("g", 60s, {MakeRule("NoTraffic", "predictions == 0")})});
  never.RunFor(10min);
  BOOST_TEST(never.State() == '.');
}

BOOST_AUTO_TEST_CASE(d10_a_template_that_cannot_be_rendered_fails_no_page) {
  Harness h;
  h.source = [](const std::string&) { return Vector({{kModel, 1}}); };
  h.SetRules(
      {MakeGroup("g", 60s,
                 {MakeRule("A", "a > 0", {}, {}, {}, {{"summary", "{{ $labels.missing }} {{ .Nope.Deep }}"}}),
                  MakeRule("B", "b > 0")})});
  h.RunFor(3min);
  BOOST_TEST(h.State(0, 0) == 'F');
  BOOST_TEST(h.State(0, 1) == 'F');
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
