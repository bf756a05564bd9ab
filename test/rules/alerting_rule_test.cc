#include "rules/alerting_rule.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <limits>

#include "rules/harness.h"

namespace mlalert {
namespace {

using namespace std::chrono_literals;
using testing::Harness;
using testing::MakeConfig;
using testing::MakeGroup;
using testing::MakeRule;
using testing::Series;
using testing::Vector;

const LabelSet kSeries = LabelSet::From({{"__name__", "m"}, {"model", "a"}});

Config Resolving() {
  Config config = MakeConfig();
  config.evaluation.no_data_policies = {{.action = NoDataAction::kResolve}};
  return config;
}

// Evaluates `present` ('1' true, '0' false, '_' no series) minute by minute.
struct Timeline {
  std::string states;
  std::vector<int> active;  // distinct minutes of activeAt
};
Timeline Play(const std::string& values, Duration hold, Duration keep, const Config& config) {
  Harness h(config);
  size_t minute = 0;
  h.source = [&](const std::string& query) {
    const char v = values[minute];
    const bool present = query == "m > 0" ? v == '1' : v != '_';
    return Vector(present ? std::vector<Series>{{kSeries, 1}} : std::vector<Series>{});
  };
  h.SetRules({MakeGroup("g", 1min, {MakeRule("A", "m > 0", hold, keep)})});
  const Timestamp first = h.manager->NextDue();
  Timeline out;
  for (; minute < values.size(); ++minute) {
    h.RunUntil(first + minute * 1min);
    out.states += h.State();
    for (const RuleAlertView& alert : h.Rule().alerts) {
      const auto at = static_cast<int>((alert.active_at - first) / 1min);
      if (out.active.empty() || out.active.back() != at) {
        out.active.push_back(at);
      }
    }
  }
  return out;
}

BOOST_AUTO_TEST_SUITE(alerting_rule)

BOOST_AUTO_TEST_CASE(state_vectors_of_prometheus) {
  const std::string always = "1111111111111111";
  const std::string gap = "1110111111111111";
  const std::string once = "0100000000000000";
  const std::string six = "1111110000000000";
  const std::string alternating = "1010101010101010";
  const std::string two_off = "1111111001111111";
  const std::string stale = "1111111_____1111";
  const std::string lookback = "11111111______11";
  const struct {
    std::string values;
    Duration hold, keep;
    std::string states;
    std::vector<int> active;
  } cases[] = {
      {always, 0s, 0s, "FFFFFFFFFFFFFFFF", {0}},
      {always, 0s, 5min, "FFFFFFFFFFFFFFFF", {0}},
      {always, 1min, 0s, "pFFFFFFFFFFFFFFF", {0}},
      {always, 90s, 0s, "ppFFFFFFFFFFFFFF", {0}},
      {always, 2min, 0s, "ppFFFFFFFFFFFFFF", {0}},
      {always, 5min, 0s, "pppppFFFFFFFFFFF", {0}},
      {gap, 0s, 0s, "FFF.FFFFFFFFFFFF", {0, 4}},
      {gap, 1min, 0s, "pFF.pFFFFFFFFFFF", {0, 4}},
      {gap, 2min, 0s, "ppF.ppFFFFFFFFFF", {0, 4}},
      {gap, 2min, 1min, "ppFFFFFFFFFFFFFF", {0}},
      {gap, 5min, 3min, "ppp.pppppFFFFFFF", {0, 4}},
      {once, 0s, 0s, ".F..............", {1}},
      {once, 0s, 1min, ".FF.............", {1}},
      {once, 0s, 3min, ".FFFF...........", {1}},
      {once, 1min, 3min, ".p..............", {1}},
      {six, 5min, 0s, "pppppF..........", {0}},
      {six, 5min, 1min, "pppppFF.........", {0}},
      {six, 5min, 3min, "pppppFFFF.......", {0}},
      {alternating, 0s, 0s, "F.F.F.F.F.F.F.F.", {0, 2, 4, 6, 8, 10, 12, 14}},
      {alternating, 0s, 1min, "FFFFFFFFFFFFFFFF", {0}},
      {alternating, 1min, 3min, "p.p.p.p.p.p.p.p.", {0, 2, 4, 6, 8, 10, 12, 14}},
      {two_off, 2min, 0s, "ppFFFFF..ppFFFFF", {0, 9}},
      {two_off, 2min, 1min, "ppFFFFFF.ppFFFFF", {0, 9}},
      {two_off, 2min, 3min, "ppFFFFFFFFFFFFFF", {0}},
      {two_off, 5min, 1min, "pppppFFF.pppppFF", {0, 9}},
      {stale, 0s, 0s, "FFFFFFF.....FFFF", {0, 12}},
      {stale, 2min, 3min, "ppFFFFFFFF..ppFF", {0, 12}},
      {lookback, 0s, 0s, "FFFFFFFF......FF", {0, 14}},
      {lookback, 0s, 3min, "FFFFFFFFFFF...FF", {0, 14}},
      {lookback, 2min, 0s, "ppFFFFFF......pp", {0, 14}},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.values << " for " << FormatDuration(c.hold) << " keep " << FormatDuration(c.keep)) {
      const Timeline resolve = Play(c.values, c.hold, c.keep, Resolving());
      BOOST_TEST(resolve.states == c.states);
      BOOST_TEST(resolve.active == c.active, boost::test_tools::per_element());
      // Holding without data changes nothing while there is data.
      if (c.values.find('_') == std::string::npos) {
        BOOST_TEST(Play(c.values, c.hold, c.keep, MakeConfig()).states == c.states);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(send_schedule_of_prometheus) {
  const struct {
    Duration interval, resend, every, horizon;
  } cases[] = {{2s, 5s, 6s, 20s},
               {1s, 1s, 2s, 4s},
               {1min, 1min, 2min, 4min},
               {5min, 1min, 5min, 20min},
               {15s, 1min, 75s, 4min}};
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(FormatDuration(c.interval) << " / " << FormatDuration(c.resend)) {
      Config config = Resolving();
      config.evaluation.resend_delay = c.resend;
      Harness h(config);
      bool firing = true;
      h.source = [&](const std::string&) {
        return Vector(firing ? std::vector<Series>{{kSeries, 1}} : std::vector<Series>{});
      };
      h.SetRules({MakeGroup("g", c.interval, {MakeRule("A", "m > 0", 2 * c.interval)})});
      const Timestamp first = h.manager->NextDue();
      const Timestamp fired = first + 2 * c.interval;
      h.RunUntil(fired + 5 * c.every);
      const auto sent = h.TakeAlerts();
      BOOST_TEST(sent.size() == 6);
      for (size_t i = 0; i < sent.size(); ++i) {
        BOOST_TEST((sent[i].starts_at == fired));
        BOOST_TEST((sent[i].ends_at == fired + i * c.every + c.horizon));
      }
      // Resolved at the evaluation that detects it, then on the same cadence for 15 minutes.
      firing = false;
      const Timestamp resolved = fired + 5 * c.every + c.interval;
      h.RunUntil(resolved + 20min);
      const auto after = h.TakeAlerts();
      BOOST_TEST(after.size() == static_cast<size_t>(15min / c.every + 1));
      for (const auto& alert : after) {
        BOOST_TEST((alert.ends_at == resolved));
        BOOST_TEST((alert.starts_at == fired));
      }
      BOOST_TEST(h.manager->Stats().instances == 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_returned_element_fires_whatever_its_value) {
  Harness h;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  h.source = [&](const std::string&) {
    return Vector({{LabelSet::From({{"i", "0"}}), 0},
                   {LabelSet::From({{"i", "1"}}), nan},
                   {LabelSet::From({{"i", "2"}}), -inf}});
  };
  h.SetRules({MakeGroup("g", 1min, {MakeRule("A", "m")})});
  h.RunFor(1min);
  BOOST_TEST(h.TakeAlerts().size() == 3);
}

BOOST_AUTO_TEST_CASE(scalar_fires_with_the_name_alone) {
  Harness h;
  h.source = [](const std::string&) {
    return testing::Ok(R"({"status":"success","data":{"resultType":"scalar","result":[1,"1"]}})");
  };
  h.SetRules({MakeGroup("g", 1min, {MakeRule("X", "1")})});
  h.RunFor(1min);
  const auto alerts = h.TakeAlerts();
  BOOST_TEST(alerts.size() == 1);
  BOOST_TEST(alerts[0].labels.ToString() == R"({alertname="X"})");
}

BOOST_AUTO_TEST_CASE(identity) {
  const struct {
    const char* what;
    std::map<std::string, std::string> labels;
    LabelSet series;
    std::string identity;
  } cases[] = {
      {"the metric name goes", {}, kSeries, R"({alertname="A", model="a"})"},
      {"rule labels win",
       {{"model", "b"}, {"severity", "P1"}},
       kSeries,
       R"({alertname="A", model="b", severity="P1"})"},
      {"an empty rule label removes", {{"model", ""}}, kSeries, R"({alertname="A"})"},
      {"an empty expansion removes", {{"model", "{{ $labels.none }}"}}, kSeries, R"({alertname="A"})"},
      {"the name always wins",
       {{"alertname", "B"}},
       LabelSet::From({{"alertname", "C"}}),
       R"({alertname="A"})"},
      {"templates see the series as it came",
       {{"x", "{{ $labels.__name__ }}/{{ $labels.model }}/{{ $labels.y }}"}, {"y", "1"}},
       kSeries,
       R"({alertname="A", model="a", x="m/a/", y="1"})"},
      {"values may be in labels", {{"v", "{{ $value }}"}}, kSeries, R"({alertname="A", model="a", v="7"})"},
      {"upper case sorts before the name",
       {{"Zone", "z"}, {"aa", "1"}, {"zz", "2"}},
       kSeries,
       R"({Zone="z", aa="1", alertname="A", model="a", zz="2"})"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.what) {
      Harness h;
      h.source = [&](const std::string&) { return Vector({{c.series, 7}}); };
      h.SetRules({MakeGroup("g", 1min, {MakeRule("A", "m", 0s, 0s, c.labels)})});
      h.RunFor(1min);
      const auto alerts = h.TakeAlerts();
      BOOST_TEST(alerts.size() == 1);
      BOOST_TEST(alerts.at(0).labels.ToString() == c.identity);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_failing_template_fires_with_its_error_in_place) {
  Harness h;
  h.source = [&](const std::string&) { return Vector({{kSeries, 1}}); };
  h.SetRules(
      {MakeGroup("g", 1min,
                 {MakeRule("T", "m", 0s, 0s, {{"bad", R"({{ humanize "abc" }})"}},
                           {{"also_bad", R"({{ humanize "abc" }})"}, {"good", "{{ $labels.model }}"}})})});
  h.RunFor(1min);
  const auto alerts = h.TakeAlerts();
  BOOST_TEST(alerts.size() == 1);
  BOOST_TEST(alerts[0].labels.Get("bad").starts_with(
      "<error expanding template: error executing template __alert_T:"));
  BOOST_TEST(alerts[0].annotations.Get("also_bad").starts_with("<error expanding template: "));
  BOOST_TEST(alerts[0].annotations.Get("good") == "a");
  BOOST_TEST((h.Rule().health == RuleHealth::kOk));
}

BOOST_AUTO_TEST_CASE(duplicate_label_sets_fail_the_rule_and_change_nothing) {
  Harness h;
  std::vector<Series> series{{LabelSet::From({{"pod", "1"}}), 1}};
  h.source = [&](const std::string&) { return Vector(series); };
  h.SetRules({MakeGroup("g", 1min, {MakeRule("A", "m", 0s, 0s, {{"pod", ""}})})});
  h.RunFor(1min);
  BOOST_TEST(h.TakeAlerts().size() == 1);
  series.push_back({LabelSet::From({{"pod", "2"}}), 2});
  h.RunFor(1min);
  BOOST_TEST((h.Rule().health == RuleHealth::kError));
  BOOST_TEST(h.Rule().last_error ==
             "vector contains metrics with the same labelset after applying alert labels");
  BOOST_TEST(h.State() == 'F');
  BOOST_TEST(h.Rule().alerts.at(0).value == 1);
  // Two new ones collide as well.
  Harness fresh;
  fresh.source = h.source;
  fresh.SetRules({MakeGroup("g", 1min, {MakeRule("A", "m", 0s, 0s, {{"pod", ""}})})});
  fresh.RunFor(1min);
  BOOST_TEST((fresh.Rule().health == RuleHealth::kError));
  BOOST_TEST(fresh.TakeAlerts().empty());
  series.pop_back();
  h.RunFor(1min);
  BOOST_TEST((h.Rule().health == RuleHealth::kOk));
}

BOOST_AUTO_TEST_CASE(limit_drops_every_alert_without_a_word) {
  Harness h(Resolving());
  std::vector<Series> series{{LabelSet::From({{"i", "1"}}), 1}, {LabelSet::From({{"i", "2"}}), 1}};
  h.source = [&](const std::string&) { return Vector(series); };
  RuleGroup group = MakeGroup("g", 1min, {MakeRule("A", "m")});
  group.limit = 2;
  h.SetRules({std::move(group)});
  h.RunFor(1min);
  BOOST_TEST(h.TakeAlerts().size() == 2);
  BOOST_TEST(h.Stored().size() == 2);
  series.push_back({LabelSet::From({{"i", "3"}}), 1});
  h.RunFor(1min);
  BOOST_TEST(h.Rule().last_error == "exceeded limit of 2 with 3 alerts");
  BOOST_TEST(h.TakeAlerts().empty());
  BOOST_TEST(h.Rule().alerts.empty());
  BOOST_TEST(h.Stored().empty());
  // One leaves as another comes: that is within the limit.
  series.pop_back();
  h.RunFor(1min);
  series = {{LabelSet::From({{"i", "2"}}), 1}, {LabelSet::From({{"i", "4"}}), 1}};
  h.RunFor(1min);
  BOOST_TEST((h.Rule().health == RuleHealth::kOk));
}

BOOST_AUTO_TEST_CASE(an_alert_that_returns_during_retention_is_a_new_one) {
  Harness h(Resolving());
  bool firing = true;
  h.source = [&](const std::string&) {
    return Vector(firing ? std::vector<Series>{{kSeries, 1}} : std::vector<Series>{});
  };
  h.SetRules({MakeGroup("g", 1min, {MakeRule("A", "m")})});
  h.RunFor(1min);
  const Timestamp first = h.Rule().alerts.at(0).active_at;
  firing = false;
  h.RunFor(1min);
  h.TakeAlerts();
  firing = true;
  h.RunFor(1min);
  const auto alerts = h.TakeAlerts();
  BOOST_TEST(alerts.size() == 1);
  BOOST_TEST((alerts[0].starts_at == first + 2min));
}

BOOST_AUTO_TEST_CASE(a_steady_rule_writes_nothing_and_builds_no_labels) {
  Harness h;
  double value = 1;
  h.source = [&](const std::string& query) {
    return Vector({{query == "m" ? kSeries : LabelSet::From({{"model", "a"}}), value}});
  };
  h.SetRules({MakeGroup(
      "g", 1min,
      {MakeRule("A", "m", 2min, 0s, {{"l", "{{ $labels.model | toUpper }}"}}, {{"s", "{{ $value }}"}})})});
  h.RunFor(1min);
  BOOST_TEST(h.TakeRecords<RuleStateRecord>().size() == 1);
  h.RunFor(2min);
  const auto fired = h.TakeRecords<RuleStateRecord>();
  BOOST_TEST(fired.size() == 2);  // firing, and what it was computed from
  BOOST_TEST(fired[0].state == "firing");
  BOOST_TEST(fired[0].annotations.Get("s") == "1");
  const uint64_t runs = h.manager->Stats().label_template_runs;
  BOOST_TEST(runs == 1);
  value = 2;
  h.TakeAlerts();
  h.RunFor(10min);
  BOOST_TEST(h.TakeRecords<RuleStateRecord>().empty());
  BOOST_TEST(h.manager->Stats().label_template_runs == runs);
  BOOST_TEST(h.TakeAlerts().back().annotations.Get("s") == "2");
  BOOST_TEST(h.Rule().alerts.at(0).value == 2);
}

BOOST_AUTO_TEST_CASE(a_value_in_a_label_makes_a_new_identity_each_time) {
  Harness h(Resolving());
  double value = 1;
  h.source = [&](const std::string&) { return Vector({{kSeries, value++}}); };
  h.SetRules({MakeGroup("g", 1min, {MakeRule("A", "m", 1min, 0s, {{"v", "{{ .Value }}"}})})});
  h.RunFor(5min);
  BOOST_TEST(h.State() == 'p');
  BOOST_TEST(h.Rule().alerts.size() == 1);
  BOOST_TEST(h.TakeAlerts().empty());
}

BOOST_AUTO_TEST_CASE(series_that_change_under_one_identity_keep_the_alert) {
  Harness h(Resolving());
  std::string pod = "1";
  h.source = [&](const std::string&) { return Vector({{LabelSet::From({{"pod", pod}}), 1}}); };
  h.SetRules(
      {MakeGroup("g", 1min, {MakeRule("A", "m", 0s, 0s, {{"pod", ""}}, {{"pod", "{{ $labels.pod }}"}})})});
  h.RunFor(1min);
  const Timestamp since = h.Rule().alerts.at(0).active_at;
  pod = "2";
  h.RunFor(2min);
  BOOST_TEST((h.Rule().alerts.at(0).active_at == since));
  BOOST_TEST(h.Rule().alerts.at(0).annotations.Get("pod") == "2");
  pod = "1";
  h.RunFor(1min);
  BOOST_TEST(h.Rule().alerts.size() == 1);
}

BOOST_AUTO_TEST_CASE(generator_url_and_source) {
  Harness h;
  h.source = [&](const std::string&) { return Vector({{kSeries, 1}}); };
  h.SetRules({MakeGroup("g", 1min, {MakeRule("A", "m{a=\"b c\"}   >   0", 0s, 0s, {}, {{"s", "x"}})})});
  h.RunFor(1min);
  const auto alerts = h.TakeAlerts();
  BOOST_TEST(alerts.at(0).generator_url.view() ==
             "http://mlalert/graph?g0.expr=m%7Ba%3D%22b+c%22%7D+%3E+0&g0.tab=1");
  std::vector<Label> storage;
  const auto decoded = ToDecoded(alerts, storage);
  BOOST_TEST(decoded.at(0).labels.size() == 2);
  BOOST_TEST(decoded[0].labels[1].value == "a");
  BOOST_TEST(decoded[0].annotations[0].value == "x");
  BOOST_TEST((decoded[0].source == AlertSource::kRules));
  BOOST_TEST(decoded[0].fingerprint == alerts[0].labels.fingerprint());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
