// A missing metric neither fires nor resolves.
#include <boost/test/unit_test.hpp>

#include "rules/harness.h"
#include "rules/presence.h"

namespace mlalert {
namespace {

using namespace std::chrono_literals;
using testing::Broken;
using testing::Harness;
using testing::MakeGroup;
using testing::MakeRule;
using testing::Series;
using testing::Vector;

const LabelSet kModelA = LabelSet::From({{"model", "a"}});
const LabelSet kModelB = LabelSet::From({{"model", "b"}});

// A rule on one metric that fires for model a.
struct Fixture {
  Fixture(Duration hold = 0s, Duration keep = 0s) {
    h.source = [this](const std::string& query) {
      if (query == "m > 5") {
        return main_broken ? Broken(Failure::kTimeout) : Vector(firing);
      }
      ++presence;
      if (presence_answer) {
        return *presence_answer;
      }
      return Vector(series);
    };
    h.SetRules({MakeGroup("g", 1min, {MakeRule("A", "m > 5", hold, keep)})});
  }
  RuleAlertView Alert() { return h.Rule().alerts.at(0); }

  Harness h;
  std::vector<Series> firing{{kModelA, 9}};
  std::vector<Series> series{{kModelA, 1}};
  bool main_broken = false;
  std::optional<HttpResult> presence_answer;
  int presence = 0;
};

BOOST_AUTO_TEST_SUITE(no_data)

BOOST_FIXTURE_TEST_CASE(gone_series_hold_the_alert_until_they_return, Fixture) {
  h.RunFor(3min);
  BOOST_TEST(presence == 1);
  firing.clear();
  series.clear();
  h.RunFor(1min);
  const Timestamp since = Alert().no_data_since;
  BOOST_TEST(h.State() == 'F');
  BOOST_TEST(IsSet(since));
  h.TakeAlerts();
  h.RunFor(60min);
  BOOST_TEST(h.State() == 'F');
  BOOST_TEST((Alert().no_data_since == since));
  BOOST_TEST(h.manager->Stats().holds_no_data == 61);
  // Refreshed on the usual cadence, each time ahead of now.
  const auto alerts = h.TakeAlerts();
  BOOST_TEST(alerts.size() == 30);
  BOOST_TEST((alerts.back().ends_at > h.now));
  // Back and still true: the same alert.
  series = firing = {{kModelA, 9}};
  h.RunFor(1min);
  BOOST_TEST(!IsSet(Alert().no_data_since));
  const auto events = h.TakeRecords<EventRecord>();
  BOOST_TEST(events.size() == 2);
  BOOST_TEST(events[0].type == "no_data");
  BOOST_TEST(events[1].type == "data_returned");
}

BOOST_FIXTURE_TEST_CASE(back_and_false_resolves, Fixture) {
  h.RunFor(2min);
  firing.clear();
  series.clear();
  h.RunFor(2min);
  BOOST_TEST(h.State() == 'F');
  h.TakeAlerts();
  series = {{kModelA, 1}};
  h.RunFor(1min);
  BOOST_TEST(h.State() == '.');
  const auto alerts = h.TakeAlerts();
  BOOST_TEST(alerts.size() == 1);
  BOOST_TEST((alerts[0].ends_at <= h.now));
}

BOOST_FIXTURE_TEST_CASE(false_condition_with_data_resolves_at_once, Fixture) {
  h.RunFor(2min);
  firing.clear();
  h.RunFor(1min);
  BOOST_TEST(h.State() == '.');
  BOOST_TEST(presence == 2);
  h.RunFor(10min);
  BOOST_TEST(presence == 2);
}

BOOST_FIXTURE_TEST_CASE(only_the_own_series_count, Fixture) {
  h.RunFor(2min);
  firing.clear();
  series = {{kModelB, 1}};
  h.RunFor(1min);
  BOOST_TEST(h.State() == 'F');
  BOOST_TEST(IsSet(Alert().no_data_since));
}

BOOST_FIXTURE_TEST_CASE(a_presence_query_that_fails_holds_until_it_can_be_asked, Fixture) {
  h.RunFor(2min);
  firing.clear();
  presence_answer = Broken(Failure::kConnect);
  h.RunFor(3min);
  BOOST_TEST(h.State() == 'F');
  BOOST_TEST(!IsSet(Alert().no_data_since));
  presence_answer.reset();
  h.RunFor(1min);
  BOOST_TEST(h.State() == '.');
}

BOOST_FIXTURE_TEST_CASE(a_presence_query_that_is_refused_proves_nothing, Fixture) {
  h.RunFor(2min);
  firing.clear();
  presence_answer =
      testing::Status(422, R"({"status":"error","errorType":"execution","error":"too many samples"})");
  h.RunFor(1min);
  BOOST_TEST(h.State() == '.');
}

BOOST_FIXTURE_TEST_CASE(what_could_not_be_learnt_is_learnt_later, Fixture) {
  presence_answer = Broken(Failure::kConnect);
  h.RunFor(1min);
  BOOST_TEST(h.State() == 'F');
  presence_answer.reset();
  h.RunFor(1min);
  firing.clear();
  series.clear();
  h.RunFor(1min);
  BOOST_TEST(h.State() == 'F');
}

BOOST_FIXTURE_TEST_CASE(a_partial_answer_does_not_resolve, Fixture) {
  h.RunFor(2min);
  h.source = [](const std::string&) {
    return testing::Ok(
        R"({"status":"success","data":{"resultType":"vector","result":[]},"warnings":["a store is down"]})");
  };
  h.RunFor(5min);
  BOOST_TEST(h.State() == 'F');
  BOOST_TEST(h.manager->Stats().partial_answers == 5);
}

BOOST_AUTO_TEST_CASE(keep_firing_for_runs_first_and_does_not_run_blind) {
  Fixture f(0s, 3min);
  f.h.RunFor(2min);
  f.firing.clear();
  f.h.RunFor(1min);
  BOOST_TEST(f.h.State() == 'F');
  BOOST_TEST(IsSet(f.Alert().keep_firing_since));
  BOOST_TEST(f.presence == 1);
  f.series.clear();
  f.h.RunFor(10min);
  BOOST_TEST(f.h.State() == 'F');
  BOOST_TEST(IsSet(f.Alert().no_data_since));
  f.series = {{kModelA, 1}};
  f.h.RunFor(1min);
  BOOST_TEST(f.h.State() == '.');
}

BOOST_AUTO_TEST_CASE(pending_alerts_are_dropped_as_in_prometheus) {
  Fixture f(5min);
  f.h.RunFor(2min);
  BOOST_TEST(f.h.State() == 'p');
  f.firing.clear();
  f.series.clear();
  f.h.RunFor(1min);
  BOOST_TEST(f.h.State() == '.');
  BOOST_TEST(f.presence == 0);
}

BOOST_AUTO_TEST_CASE(policy_resolve_asks_nothing) {
  Fixture f;
  f.h.config.evaluation.no_data_policies = {{.action = NoDataAction::kResolve}};
  f.h.SetRules({MakeGroup("g", 1min, {MakeRule("A", "m > 5")})});
  f.h.RunFor(2min);
  f.firing.clear();
  f.series.clear();
  f.h.RunFor(1min);
  BOOST_TEST(f.h.State() == '.');
  BOOST_TEST(f.presence == 0);
}

BOOST_AUTO_TEST_CASE(expressions_that_always_speak_are_never_in_doubt) {
  Harness h;
  std::vector<Series> result{{LabelSet(), 1}};
  h.source = [&](const std::string&) { return Vector(result); };
  h.SetRules({MakeGroup("g", 1min, {MakeRule("A", "absent(up)")})});
  h.RunFor(2min);
  result.clear();
  h.RunFor(1min);
  BOOST_TEST(h.State() == '.');
  BOOST_TEST(h.manager->Stats().presence_queries == 0);
}

BOOST_AUTO_TEST_CASE(one_question_per_selector_serves_all_alerts) {
  Harness h;
  std::vector<Series> all;
  for (int i = 0; i < 1000; ++i) {
    all.push_back({LabelSet::From({{"model", fmt::format("m{}", i)}}), 1});
  }
  bool firing = true;
  h.source = [&](const std::string& query) {
    return Vector(query == "a > 5 and on (model) b > 1" && !firing ? std::vector<Series>{} : all);
  };
  h.SetRules({MakeGroup("g", 1min, {MakeRule("A", "a > 5 and on (model) b > 1")})});
  h.RunFor(1min);
  BOOST_TEST(h.manager->Stats().presence_queries == 2);
  firing = false;
  all.resize(400);
  h.RunFor(1min);
  BOOST_TEST(h.manager->Stats().presence_queries == 4);
  BOOST_TEST(h.Rule().alerts.size() == 600);
}

BOOST_AUTO_TEST_CASE(state_survives_a_restart) {
  Fixture f;
  f.h.RunFor(2min);
  f.firing.clear();
  f.series.clear();
  f.h.RunFor(1min);
  const Timestamp since = f.Alert().no_data_since;
  f.h.Restart({MakeGroup("g", 1min, {MakeRule("A", "m > 5")})});
  BOOST_TEST(ToUnixMillis(f.Alert().no_data_since) == ToUnixMillis(since));
  f.h.RunFor(5min);
  BOOST_TEST(f.h.State() == 'F');
  f.series = {{kModelA, 1}};
  f.h.RunFor(1min);
  BOOST_TEST(f.h.State() == '.');
}

BOOST_AUTO_TEST_CASE(memory_of_another_expression_is_not_used) {
  Fixture f;
  f.h.RunFor(2min);
  f.h.SetRules({MakeGroup("g", 1min, {MakeRule("A", "n > 5")})});
  f.firing.clear();
  f.h.source = [](const std::string&) { return Vector({}); };
  f.h.RunFor(1min);
  BOOST_TEST(f.h.State() == '.');
}

BOOST_AUTO_TEST_CASE(questions) {
  const auto rule = MakeRule("A", "sum by (model) (rate(m{job=\"x\"}[5m])) > 1");
  const auto tree = promql::ParseExpr(rule.expr);
  const auto required = promql::RequiredSelectors(**tree);
  BOOST_TEST(required.size() == 1);
  const LabelSet odd = LabelSet::From({{"__name__", "m"}, {"model", "a.b|\"c\""}});
  BOOST_TEST(PresenceQuestion(required[0], {{kModelA, nullptr}}) ==
             R"x(count by (model) (last_over_time(m{job="x",model=~"|a"}[5m])))x");
  BOOST_TEST(PresenceQuestion(required[0], {{odd, nullptr}, {kModelA, nullptr}}) ==
             R"(count by (model) (last_over_time(m{job="x",model=~"|a|a\\.b\\|\"c\""}[5m])))");
  const PresenceMemory::Entry by_model{0, {"model"}};
  BOOST_TEST(PresenceQuestion(required[0], {{kModelA, &by_model}}) ==
             R"(count by (model) (last_over_time(m{job="x",model="a"}[5m])))");
  // Somebody found it without labels: nothing may be narrowed.
  const PresenceMemory::Entry bare{0, {}};
  BOOST_TEST(PresenceQuestion(required[0], {{kModelA, &by_model}, {kModelB, &bare}}) ==
             R"(count by (model) (last_over_time(m{job="x"}[5m])))");
  BOOST_TEST(PresenceQuestion(required[0], {{kModelB, &bare}}) == R"(count(last_over_time(m{job="x"}[5m])))");
}

BOOST_AUTO_TEST_CASE(labels_that_a_selector_does_not_have_drop_out) {
  const QueryAnswer decoded = DecodeQueryAnswer(Vector({{kModelA, 2}}));
  PresenceAnswer answer(decoded);
  const LabelSet sample = LabelSet::From({{"model", "a"}, {"team", "t"}});
  const auto names = answer.FindNames(sample);
  BOOST_TEST(names.has_value());
  BOOST_TEST(*names == std::vector<std::string>{"model"}, boost::test_tools::per_element());
  BOOST_TEST(answer.Has(sample, {"model"}));
  BOOST_TEST(!answer.Has(kModelB, {"model"}));
  BOOST_TEST(!answer.FindNames(kModelB).has_value());
}

BOOST_AUTO_TEST_CASE(rewritten_labels_fall_back_to_the_bare_selector) {
  Harness h;
  const std::string expr = R"x(label_replace(m, "model", "x-$1", "model", "(.*)") > 5)x";
  std::vector<Series> firing{{LabelSet::From({{"model", "x-a"}}), 9}};
  bool any = true;
  std::vector<std::string> asked;
  h.source = [&](const std::string& query) {
    if (query == expr) {
      return Vector(firing);
    }
    asked.push_back(query);
    return Vector(query == "count(m)" && any ? std::vector<Series>{{LabelSet(), 1}} : std::vector<Series>{});
  };
  h.SetRules({MakeGroup("g", 1min, {MakeRule("A", expr)})});
  h.RunFor(1min);
  BOOST_TEST(asked == (std::vector<std::string>{R"x(count by (model) (m{model=~"|x-a"}))x", "count(m)"}),
             boost::test_tools::per_element());
  firing.clear();
  any = false;
  h.RunFor(1min);
  BOOST_TEST(h.State() == 'F');
  any = true;
  h.RunFor(1min);
  BOOST_TEST(h.State() == '.');
}

BOOST_AUTO_TEST_CASE(stored_memory_may_be_anything) {
  for (const char* text : {"1", "[1]", "[[]]", "[[\"a\"]]", "[[-1]]", "{}"}) {
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST(!PresenceMemory::FromJson(*ParseJson(text)).has_value());
    }
  }
  const auto memory = PresenceMemory::FromJson(*ParseJson(R"([[0,"b","a"],[7]])"));
  BOOST_TEST((PresenceMemory::FromText(memory->ToText()) == *memory));
  BOOST_TEST(memory->ToJson().Dump() == R"([[0,"a","b"],[7]])");
  BOOST_TEST(memory->Find(7)->labels.empty());
  BOOST_TEST((memory->Find(1) == nullptr));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
