// Who is held without data, for how long, and what is said about it; clocks that jump.
#include <boost/test/unit_test.hpp>

#include "rules/harness.h"
#include "rules/no_data_watch.h"

namespace mlalert {
namespace {

using namespace std::chrono_literals;
using testing::Broken;
using testing::Harness;
using testing::MakeConfig;
using testing::MakeGroup;
using testing::MakeRule;
using testing::Series;
using testing::Vector;

Matchers Match(const std::string& name, const std::string& value) {
  return {*Matcher::Make(name, MatchOp::kEqual, value)};
}

LabelSet Model(const std::string& model) {
  return LabelSet::From({{"model", model}});
}

struct Fixture {
  explicit Fixture(std::vector<NoDataPolicy> policies) : h(Settings(std::move(policies))) {
    h.source = [this](const std::string& query) {
      if (broken) {
        return Broken(Failure::kConnect);
      }
      if (query == "m > 5") {
        return testing::Ok(testing::VectorBody(firing, partial ? R"(,"isPartial":true)" : ""));
      }
      ++presence;
      return query.starts_with("count by") ? Vector(series)
             : series.empty()              ? Vector({})
                                           : Vector({{LabelSet(), 1}});
    };
    h.SetRules(Groups());
  }
  static Config Settings(std::vector<NoDataPolicy> policies) {
    Config config = MakeConfig();
    config.evaluation.no_data_policies = std::move(policies);
    return config;
  }
  static std::vector<RuleGroup> Groups() {
    return {MakeGroup("g", 1min, {MakeRule("A", "m > 5", 0s, 0s, {{"team", "ml"}, {"severity", "P1"}})})};
  }
  void Lose() {
    firing.clear();
    series.clear();
  }
  std::vector<RuleAlert> Named(std::string_view name) {
    std::vector<RuleAlert> out;
    for (RuleAlert& alert : h.TakeAlerts()) {
      if (alert.labels.Get("alertname") == name) {
        out.push_back(std::move(alert));
      }
    }
    return out;
  }
  size_t Events(std::string_view type) {
    const auto events = h.TakeRecords<EventRecord>();
    return static_cast<size_t>(
        std::count_if(events.begin(), events.end(), [&](const EventRecord& e) { return e.type == type; }));
  }

  Harness h;
  std::vector<Series> firing{{Model("a"), 9}, {Model("b"), 9}};
  std::vector<Series> series{{Model("a"), 1}, {Model("b"), 1}};
  bool broken = false;
  bool partial = false;
  int presence = 0;
};

BOOST_AUTO_TEST_SUITE(no_data_policy)

BOOST_AUTO_TEST_CASE(the_first_policy_that_matches_the_alert_decides) {
  Fixture f({{.matchers = Match("model", "b"), .action = NoDataAction::kResolve},
             {.matchers = Match("model", "b"), .action = NoDataAction::kHold},
             {.action = NoDataAction::kHold}});
  f.h.RunFor(2min);
  f.Lose();
  f.h.RunFor(2min);
  const auto alerts = f.h.Rule().alerts;
  BOOST_REQUIRE(alerts.size() == 1U);
  BOOST_TEST(alerts[0].labels.Get("model") == "a");
  BOOST_TEST(IsSet(alerts[0].no_data_since));
}

BOOST_AUTO_TEST_CASE(a_reload_changes_the_policy_of_what_fires) {
  Fixture f({{.action = NoDataAction::kHold}});
  f.h.RunFor(2min);
  f.Lose();
  f.h.RunFor(2min);
  BOOST_TEST(f.h.Rule().alerts.size() == 2U);
  f.h.config.evaluation.no_data_policies = {{.action = NoDataAction::kResolve}};
  f.h.SetRules(Fixture::Groups());
  f.h.RunFor(1min);
  BOOST_TEST(f.h.Rule().alerts.empty());
}

BOOST_AUTO_TEST_CASE(holding_without_data_has_an_end) {
  Fixture f({{.action = NoDataAction::kHold, .hold_max = 1h}});
  f.h.RunFor(2min);
  f.Lose();
  f.h.RunFor(59min);
  BOOST_TEST(f.h.State() == 'F');
  f.Events("");
  f.h.TakeAlerts();
  f.h.RunFor(3min);
  BOOST_TEST(f.h.State() == '.');
  BOOST_TEST(f.Named("A").size() == 2U);  // both are told to end
  BOOST_TEST(f.Events("hold_expired") == 2U);
}

BOOST_AUTO_TEST_CASE(no_cap_holds_for_ever) {
  Fixture f({{.action = NoDataAction::kHold, .hold_max = 0s}});
  f.h.RunFor(2min);
  f.Lose();
  f.h.RunFor(72h);
  BOOST_TEST(f.h.State() == 'F');
}

BOOST_AUTO_TEST_CASE(what_cannot_be_evaluated_is_refreshed_up_to_the_cap_and_goes_on_after) {
  Fixture f(std::vector<NoDataPolicy>(1));
  f.h.config.evaluation.hold_max = 1h;
  f.h.SetRules(Fixture::Groups());
  f.h.RunFor(2min);
  f.broken = true;
  f.h.RunFor(55min);
  BOOST_TEST(!f.Named("A").empty());
  f.h.RunFor(10min);
  f.h.TakeAlerts();
  f.h.RunFor(30min);
  BOOST_TEST(f.Named("A").empty());
  BOOST_TEST(f.h.State() == 'F');  // as Prometheus shows it
  const Timestamp active_at = f.h.Rule().alerts[0].active_at;
  f.broken = false;
  f.h.RunFor(1min);
  BOOST_TEST(f.Named("A").size() == 2U);
  BOOST_TEST((f.h.Rule().alerts[0].active_at == active_at));
}

BOOST_AUTO_TEST_CASE(partial_answers_hold_up_to_the_cap) {
  Fixture f({{.action = NoDataAction::kHold, .hold_max = 30min}});
  f.h.RunFor(2min);
  f.firing.clear();
  f.partial = true;
  f.h.RunFor(29min);
  BOOST_TEST(f.h.State() == 'F');
  BOOST_TEST(f.h.Rule().partial);
  f.h.RunFor(3min);
  BOOST_TEST(f.h.State() == '.');
}

BOOST_AUTO_TEST_CASE(policy_alert_says_that_a_rule_has_no_data_although_it_never_fired) {
  Fixture f({{.matchers = Match("alertname", "A"),
              .action = NoDataAction::kAlert,
              .after = 5min,
              .severity = "P3"}});
  f.Lose();
  f.h.RunFor(5min);
  BOOST_TEST(f.Named("RuleNoData").empty());
  f.h.RunFor(2min);
  const auto alerts = f.Named("RuleNoData");
  BOOST_REQUIRE(!alerts.empty());
  BOOST_TEST((
      alerts[0].labels ==
      LabelSet::From(
          {{"alertname", "RuleNoData"}, {"rule", "A"}, {"group", "g"}, {"team", "ml"}, {"severity", "P3"}})));
  BOOST_TEST(std::string(alerts[0].annotations.Get("description")).find("No series match m since") == 0U);
  // Not the rule's own alert, which nobody has seen fire.
  BOOST_TEST(f.h.Rule().alerts.empty());
  f.h.RunFor(30min);
  BOOST_TEST((f.Named("RuleNoData").back().ends_at > f.h.now));
  f.series = {{Model("a"), 1}};
  f.h.RunFor(2min);
  BOOST_TEST((f.Named("RuleNoData").back().ends_at <= f.h.now));
}

BOOST_AUTO_TEST_CASE(policy_alert_holds_what_fires_and_asks_at_a_bounded_rate) {
  Fixture f({{.action = NoDataAction::kAlert}});
  RuleGroup fast = Fixture::Groups()[0];
  fast.interval = 5s;
  f.h.SetRules({fast});
  f.h.RunFor(1min);
  f.Lose();
  f.h.RunFor(10min);
  BOOST_TEST(f.h.State() == 'F');
  BOOST_TEST(!f.Named("RuleNoData").empty());
  // The alerts that are held ask in each slot, the rule once a minute.
  Fixture quiet({{.action = NoDataAction::kAlert}});
  quiet.Lose();
  quiet.h.SetRules({fast});
  quiet.h.RunFor(10min);
  BOOST_TEST(quiet.presence <= 11);
  BOOST_TEST(quiet.presence >= 9);
}

BOOST_AUTO_TEST_CASE(a_condition_that_is_false_is_not_no_data) {
  Fixture f({{.action = NoDataAction::kAlert}});
  f.firing.clear();
  f.h.RunFor(1h);
  BOOST_TEST(f.Named("RuleNoData").empty());
  BOOST_TEST(f.presence > 50);
}

BOOST_AUTO_TEST_CASE(a_source_that_fails_is_not_no_data) {
  Fixture f({{.action = NoDataAction::kAlert}});
  f.Lose();
  f.h.RunFor(2min);
  f.broken = true;
  f.h.RunFor(1h);
  BOOST_TEST(f.Named("RuleNoData").empty());
}

BOOST_AUTO_TEST_CASE(the_alert_goes_with_its_rule_and_stays_over_a_reload) {
  Fixture f({{.action = NoDataAction::kAlert}});
  f.Lose();
  f.h.RunFor(10min);
  f.h.TakeAlerts();
  auto edited = Fixture::Groups();
  edited[0].limit = 7;
  f.h.SetRules(edited);
  f.h.RunFor(5min);
  const auto refreshed = f.Named("RuleNoData");
  BOOST_REQUIRE(!refreshed.empty());
  BOOST_TEST((refreshed.back().ends_at > f.h.now));
  f.h.SetRules({});
  BOOST_TEST((f.Named("RuleNoData").back().ends_at <= f.h.now));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(clock_jumps)

BOOST_AUTO_TEST_CASE(ahead_completes_no_for_and_ends_no_hold) {
  Harness h;
  h.source = [](const std::string&) { return Vector({{Model("a"), 9}}); };
  h.SetRules({MakeGroup("g", 1min, {MakeRule("A", "m > 5", 10min)})});
  h.RunFor(5min);
  BOOST_TEST(h.State() == 'p');
  h.now += 6h;
  h.manager->OnClockAhead(6h);
  h.RunFor(1min);
  BOOST_TEST(h.State() == 'p');
  h.RunFor(6min);
  BOOST_TEST(h.State() == 'F');
}

BOOST_AUTO_TEST_CASE(ahead_resolves_nothing_and_what_fires_keeps_its_begin) {
  Fixture f({{.action = NoDataAction::kHold, .hold_max = 1h}});
  f.h.RunFor(2min);
  const Timestamp active_at = f.h.Rule().alerts[0].active_at;
  f.Lose();
  f.h.RunFor(10min);
  f.h.now += 6h;
  f.h.manager->OnClockAhead(6h);
  f.h.RunFor(5min);
  BOOST_TEST(f.h.State() == 'F');
  BOOST_TEST((f.h.Rule().alerts[0].active_at == active_at));
  BOOST_TEST((f.Named("A").back().ends_at > f.h.now));
  f.h.RunFor(50min);
  BOOST_TEST(f.h.State() == '.');
}

BOOST_AUTO_TEST_CASE(back_resolves_nothing_and_evaluates_on) {
  Fixture f({{.action = NoDataAction::kHold, .hold_max = 1h}});
  f.h.RunFor(10min);
  f.Lose();
  f.h.RunFor(10min);
  const size_t asked = f.h.queries.size();
  f.h.now -= 6h;
  f.h.manager->RunDue(f.h.now, f.h.fx);  // the shell never sleeps for long
  f.h.RunFor(5min);
  BOOST_TEST(f.h.queries.size() > asked + 4);
  BOOST_TEST(f.h.State() == 'F');
  BOOST_TEST((f.Named("A").back().ends_at > f.h.now));
  f.h.RunFor(50min);
  BOOST_TEST(f.h.State() == '.');
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(externals)

BOOST_AUTO_TEST_CASE(templates_see_external_labels_and_url) {
  Config config = MakeConfig();
  config.evaluation.external_labels = {{"dc", "berlin"}};
  Harness h(config);
  h.source = [](const std::string&) { return Vector({{Model("a"), 9}}); };
  h.SetRules({MakeGroup(
      "g", 1min,
      {MakeRule(
          "A", "m > 5", 0s, 0s, {{"where", "{{ $externalLabels.dc }}"}},
          {{"s", "{{ $externalLabels.dc }} {{ $externalURL }} {{ externalURL }} {{ pathPrefix }}"}})})});
  h.RunFor(1min);
  const auto alerts = h.TakeAlerts();
  BOOST_REQUIRE(!alerts.empty());
  BOOST_TEST(alerts[0].labels.Get("where") == "berlin");
  BOOST_TEST(alerts[0].annotations.Get("s") == "berlin http://ext/path http://ext/path /path");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(watchdog)

BOOST_AUTO_TEST_CASE(always_fires_and_ends_when_it_is_switched_off) {
  Config config = MakeConfig();
  config.evaluation.watchdog = true;
  Harness h(config);
  h.SetRules({});
  h.RunFor(1h);
  auto alerts = h.TakeAlerts();
  BOOST_TEST(alerts.size() >= 60U);
  BOOST_TEST((alerts.back().labels == LabelSet::From({{"alertname", "Watchdog"}, {"severity", "none"}})));
  BOOST_TEST((alerts.back().starts_at == testing::At(0s)));
  BOOST_TEST((alerts.back().ends_at > h.now));
  h.config.evaluation.watchdog = false;
  h.SetRules({});
  alerts = h.TakeAlerts();
  BOOST_REQUIRE(alerts.size() == 1U);
  BOOST_TEST((alerts[0].ends_at <= h.now));
  h.RunFor(1h);
  BOOST_TEST(h.TakeAlerts().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
