// The `query` function in rule templates: asked between the rule's answer and its evaluation, never waited
// for.
#include <boost/test/unit_test.hpp>

#include "rules/harness.h"
#include "rules/rule_manager.h"

namespace mlalert {
namespace {

using namespace std::chrono_literals;
using testing::Broken;
using testing::Harness;
using testing::MakeGroup;
using testing::MakeRule;
using testing::Vector;

const LabelSet kModelA = LabelSet::From({{"model", "a"}});

std::vector<RuleGroup> RuleWithText(const std::string& text) {
  std::vector<RuleGroup> groups;
  groups.push_back(MakeGroup("g", 1min, {MakeRule("A", "m > 0", 0s, 0s, {}, {{"summary", text}})}));
  return groups;
}

std::string Summary(const std::vector<RuleAlert>& alerts) {
  BOOST_REQUIRE(!alerts.empty());
  return std::string(alerts.back().annotations.Get("summary"));
}

BOOST_AUTO_TEST_SUITE(template_query)

BOOST_AUTO_TEST_CASE(the_answer_is_in_the_text_of_the_first_alert) {
  Harness h;
  h.source = [](const std::string& query) {
    return query == "limit{model=\"a\"}" ? Vector({{kModelA, 42}}) : Vector({{kModelA, 1}});
  };
  h.SetRules(RuleWithText(
      R"({{ with printf "limit{model=%q}" $labels.model | query }}limit {{ . | first | value }}{{ end }})"));
  h.RunUntil(h.manager->NextDue());
  BOOST_TEST(Summary(h.TakeAlerts()) == "limit 42");
}

BOOST_AUTO_TEST_CASE(an_empty_answer_takes_the_else_branch) {
  Harness h;
  h.source = [](const std::string& query) {
    return query == "nothing" ? Vector({}) : Vector({{kModelA, 1}});
  };
  h.SetRules(RuleWithText(R"({{ with query "nothing" }}some{{ else }}none{{ end }})"));
  h.RunUntil(h.manager->NextDue());
  BOOST_TEST(Summary(h.TakeAlerts()) == "none");
}

BOOST_AUTO_TEST_CASE(a_query_that_fails_fires_all_the_same_with_the_error_in_place) {
  Harness h;
  h.source = [](const std::string& query) {
    if (query != "bad") {
      return Vector({{kModelA, 1}});
    }
    HttpResult out = testing::Ok(R"({"status":"error","errorType":"execution","error":"no such thing"})");
    out.status = 422;
    return out;
  };
  h.SetRules(RuleWithText(R"({{ query "bad" | first | value }})"));
  h.RunUntil(h.manager->NextDue());
  std::string summary = Summary(h.TakeAlerts());
  BOOST_TEST(summary.find("<error expanding template:") == 0U);
  BOOST_TEST(summary.find("no such thing") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_query_may_be_made_of_the_answer_to_another) {
  Harness h;
  h.source = [](const std::string& query) {
    if (query == "one") {
      return Vector({{LabelSet::From({{"next", "two"}}), 1}});
    }
    return Vector({{kModelA, query == "two" ? 2.0 : 1.0}});
  };
  h.SetRules(RuleWithText(
      R"({{ with query "one" }}{{ (. | first).Labels.next | query | first | value }}{{ end }})"));
  h.RunUntil(h.manager->NextDue());
  BOOST_TEST(Summary(h.TakeAlerts()) == "2");
}

BOOST_AUTO_TEST_CASE(rules_that_do_not_fire_ask_nothing) {
  Harness h;
  h.source = [](const std::string&) { return Vector({}); };
  h.SetRules(RuleWithText(R"({{ query "up" | first | value }})"));
  h.RunUntil(h.manager->NextDue() + 3min);
  for (const auto& query : h.queries) {
    BOOST_TEST(testing::Query(query.call) == "m > 0");
  }
}

BOOST_AUTO_TEST_CASE(the_last_text_stands_while_the_data_source_is_away) {
  Harness h;
  bool away = false;
  h.source = [&](const std::string& query) {
    return away               ? Broken(Failure::kConnect)
           : query == "limit" ? Vector({{kModelA, 42}})
                              : Vector({{kModelA, 1}});
  };
  h.SetRules(RuleWithText(R"(limit {{ query "limit" | first | value }})"));
  h.RunUntil(h.manager->NextDue());
  BOOST_TEST(Summary(h.TakeAlerts()) == "limit 42");
  away = true;
  h.RunFor(5min);
  for (const RuleAlert& alert : h.TakeAlerts()) {
    if (alert.labels.Get("alertname") == "A") {
      BOOST_TEST(alert.annotations.Get("summary") == "limit 42");
    }
  }
}

// As Prometheus; found beside it (test/differential/rules_test.py).
BOOST_AUTO_TEST_CASE(a_resolved_alert_keeps_what_the_query_said_while_it_was_true) {
  Harness h;
  h.config.evaluation.no_data_policies = {{.action = NoDataAction::kResolve}};
  bool fires = true;
  h.source = [&](const std::string& query) {
    if (query == "limit") {
      return Vector({{kModelA, fires ? 42.0 : 7.0}});
    }
    return fires ? Vector({{kModelA, 1}}) : Vector({});
  };
  h.SetRules(RuleWithText(R"(limit {{ query "limit" | first | value }})"));
  h.RunUntil(h.manager->NextDue());
  BOOST_TEST(Summary(h.TakeAlerts()) == "limit 42");
  // Evaluated again, but not sent again, before it ends.
  h.RunUntil(h.manager->NextDue());
  h.TakeAlerts();
  fires = false;
  h.RunUntil(h.manager->NextDue());
  const std::vector<RuleAlert> ended = h.TakeAlerts();
  BOOST_REQUIRE(ended.size() == 1U);
  BOOST_TEST((ended[0].ends_at <= h.now));
  BOOST_TEST(Summary(ended) == "limit 42");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
