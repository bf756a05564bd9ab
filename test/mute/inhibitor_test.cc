// Who keeps whom from speaking: several sources, their end, both sides of a rule, and a naive version as the
// oracle.
#include "mute/inhibitor.h"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "model/matcher_parse.h"
#include "support/builders.h"

namespace mlalert::testing {
namespace {

const Timestamp kNow = FromUnixMillis(1767225600000);

Matchers M(const std::string& text) {
  auto matchers = ParseMatchers(text);
  BOOST_REQUIRE_MESSAGE(matchers, text);
  return *matchers;
}

InhibitRule Rule(const std::string& source, const std::string& target, std::vector<std::string> equal) {
  return {0, "", M(source), M(target), std::move(equal)};
}

ConfigPtr WithRules(std::vector<InhibitRule> rules) {
  auto config = std::make_shared<Config>();
  config->inhibit_rules = std::move(rules);
  return config;
}

class Alerts {
 public:
  explicit Alerts(std::vector<InhibitRule> rules) : inhibitor(WithRules(std::move(rules))) {}

  AlertEntry& Fire(const LabelSet& labels) {
    entries_.push_back(std::make_unique<AlertEntry>());
    AlertEntry& entry = *entries_.back();
    entry.alert.labels = labels;
    entry.alert.ends_at = kNever;
    entry.effective = labels;
    entry.firing = true;
    inhibitor.Update(entry);
    return entry;
  }
  void Resolve(AlertEntry& entry) {
    entry.firing = false;
    inhibitor.Update(entry);
  }
  bool Inhibited(const LabelSet& labels) { return inhibitor.InhibitedBy(labels, kNow).has_value(); }

  Inhibitor inhibitor;

 private:
  std::vector<std::unique_ptr<AlertEntry>> entries_;
};

const LabelSet kDown = Labels({{"alertname", "Down"}, {"model", "churn"}, {"severity", "P0"}});
const LabelSet kDownToo =
    Labels({{"alertname", "Down"}, {"model", "churn"}, {"pod", "b"}, {"severity", "P0"}});
const LabelSet kDrift = Labels({{"alertname", "Drift"}, {"model", "churn"}, {"severity", "P2"}});
const LabelSet kOther = Labels({{"alertname", "Drift"}, {"model", "fraud"}, {"severity", "P2"}});

std::vector<InhibitRule> DownSilencesDrift() {
  return {Rule(R"(severity="P0")", R"(severity="P2")", {"model"})};
}

BOOST_AUTO_TEST_SUITE(inhibitor)

BOOST_AUTO_TEST_CASE(a_firing_source_with_equal_labels_inhibits_and_is_named) {
  Alerts alerts(DownSilencesDrift());
  BOOST_TEST(!alerts.Inhibited(kDrift));
  alerts.Fire(kDown);
  BOOST_TEST((alerts.inhibitor.InhibitedBy(kDrift, kNow) == kDown.fingerprint()));
  BOOST_TEST(!alerts.Inhibited(kOther));
  BOOST_TEST(!alerts.Inhibited(kDown));
}

BOOST_AUTO_TEST_CASE(any_of_several_sources_is_enough) {
  Alerts alerts(DownSilencesDrift());
  AlertEntry& first = alerts.Fire(kDown);
  AlertEntry& second = alerts.Fire(kDownToo);
  alerts.Resolve(second);
  BOOST_TEST((alerts.inhibitor.InhibitedBy(kDrift, kNow) == kDown.fingerprint()));
  second.firing = true;
  alerts.inhibitor.Update(second);
  alerts.Resolve(first);
  BOOST_TEST((alerts.inhibitor.InhibitedBy(kDrift, kNow) == kDownToo.fingerprint()));
  alerts.Resolve(second);
  BOOST_TEST(!alerts.Inhibited(kDrift));
  BOOST_TEST(alerts.inhibitor.source_count() == 0U);
}

BOOST_AUTO_TEST_CASE(a_source_past_its_end_does_not_count_even_before_its_timer) {
  Alerts alerts(DownSilencesDrift());
  AlertEntry& source = alerts.Fire(kDown);
  source.alert.ends_at = kNow;
  BOOST_TEST(!alerts.Inhibited(kDrift));
  source.alert.ends_at = kNow + seconds(1);
  BOOST_TEST(alerts.Inhibited(kDrift));
}

BOOST_AUTO_TEST_CASE(effective_labels_match_on_the_source_side) {
  Alerts alerts(DownSilencesDrift());
  AlertEntry& climbing = alerts.Fire(Labels({{"alertname", "Lag"}, {"model", "churn"}, {"severity", "P3"}}));
  BOOST_TEST(!alerts.Inhibited(kDrift));
  climbing.effective = climbing.alert.labels.With("severity", "P0");
  alerts.inhibitor.Update(climbing);
  // Named by the identity it has in the API.
  BOOST_TEST((alerts.inhibitor.InhibitedBy(kDrift, kNow) == climbing.alert.fingerprint()));
  climbing.effective = climbing.alert.labels;
  alerts.inhibitor.Update(climbing);
  BOOST_TEST(!alerts.Inhibited(kDrift));
}

BOOST_AUTO_TEST_CASE(a_missing_equal_label_is_the_empty_one) {
  Alerts alerts({Rule("a=1", "b=1", {"x", "y"})});
  alerts.Fire(Labels({{"a", "1"}, {"x", ""}}));
  BOOST_TEST(alerts.Inhibited(Labels({{"b", "1"}, {"y", ""}})));
  BOOST_TEST(!alerts.Inhibited(Labels({{"b", "1"}, {"y", "z"}})));
}

BOOST_AUTO_TEST_CASE(values_of_equal_labels_do_not_run_into_each_other) {
  Alerts alerts({Rule("a=1", "b=1", {"x", "y"})});
  alerts.Fire(Labels({{"a", "1"}, {"x", "1:"}, {"y", "2"}}));
  BOOST_TEST(!alerts.Inhibited(Labels({{"b", "1"}, {"x", "1"}, {"y", ":2"}})));
  BOOST_TEST(!alerts.Inhibited(Labels({{"b", "1"}, {"x", "1:2"}})));
  BOOST_TEST(alerts.Inhibited(Labels({{"b", "1"}, {"x", "1:"}, {"y", "2"}})));
}

BOOST_AUTO_TEST_CASE(without_equal_any_source_inhibits_any_target) {
  Alerts alerts({Rule("a=1", "b=1", {})});
  alerts.Fire(Labels({{"a", "1"}, {"x", "1"}}));
  BOOST_TEST(alerts.Inhibited(Labels({{"b", "1"}, {"x", "2"}})));
}

BOOST_AUTO_TEST_CASE(an_empty_rule_never_inhibits) {
  Alerts alerts({InhibitRule{}});
  alerts.Fire(kDown);
  alerts.Fire(kDrift);
  BOOST_TEST(!alerts.Inhibited(kDown));
  BOOST_TEST(!alerts.Inhibited(kDrift));
  BOOST_TEST(!alerts.Inhibited(kOther));
}

BOOST_AUTO_TEST_CASE(a_rule_with_one_empty_side_matches_everything_there) {
  Alerts no_source({InhibitRule{0, "", {}, M("b=1"), {}}});
  no_source.Fire(Labels({{"x", "1"}}));
  BOOST_TEST(no_source.Inhibited(Labels({{"b", "1"}})));
  Alerts no_target({InhibitRule{0, "", M("a=1"), {}, {}}});
  no_target.Fire(Labels({{"a", "1"}}));
  BOOST_TEST(no_target.Inhibited(Labels({{"x", "1"}})));
  BOOST_TEST(!no_target.Inhibited(Labels({{"a", "1"}, {"y", "1"}})));
}

BOOST_AUTO_TEST_CASE(two_that_match_both_sides_do_not_inhibit_each_other_or_themselves) {
  Alerts alerts({Rule(R"(severity=~"P0|P1")", R"(severity=~"P1|P2")", {"model"})});
  const LabelSet both = Labels({{"alertname", "A"}, {"model", "churn"}, {"severity", "P1"}});
  const LabelSet both_too = Labels({{"alertname", "B"}, {"model", "churn"}, {"severity", "P1"}});
  alerts.Fire(both);
  alerts.Fire(both_too);
  BOOST_TEST(!alerts.Inhibited(both));
  BOOST_TEST(!alerts.Inhibited(both_too));
  // Who matches the target side only is inhibited by them.
  BOOST_TEST(alerts.Inhibited(kDrift));
  // A source that is no target inhibits those who are both, whichever of its kind came last.
  AlertEntry& plain = alerts.Fire(kDown);
  alerts.Fire(Labels({{"alertname", "C"}, {"model", "churn"}, {"severity", "P1"}}));
  BOOST_TEST((alerts.inhibitor.InhibitedBy(both, kNow) == kDown.fingerprint()));
  alerts.Resolve(plain);
  BOOST_TEST(!alerts.Inhibited(both));
}

BOOST_AUTO_TEST_CASE(an_inhibited_source_still_inhibits) {
  Alerts alerts({Rule("s=a", "s=b", {}), Rule("s=b", "s=c", {})});
  alerts.Fire(Labels({{"s", "a"}}));
  alerts.Fire(Labels({{"s", "b"}}));
  BOOST_TEST(alerts.Inhibited(Labels({{"s", "b"}})));
  BOOST_TEST(alerts.Inhibited(Labels({{"s", "c"}})));
}

BOOST_AUTO_TEST_CASE(the_first_rule_that_applies_names_the_source) {
  Alerts alerts({Rule("s=x", "t=1", {}), Rule("s=a", "t=1", {}), Rule("s=b", "t=1", {})});
  alerts.Fire(Labels({{"s", "b"}}));
  const LabelSet a = Labels({{"s", "a"}});
  alerts.Fire(a);
  BOOST_TEST((alerts.inhibitor.InhibitedBy(Labels({{"t", "1"}}), kNow) == a.fingerprint()));
}

BOOST_AUTO_TEST_CASE(a_removed_entry_is_not_looked_at_again) {
  Alerts alerts(DownSilencesDrift());
  {
    AlertEntry shortlived;
    shortlived.alert.labels = kDown;
    shortlived.alert.ends_at = kNever;
    shortlived.effective = kDown;
    shortlived.firing = true;
    alerts.inhibitor.Update(shortlived);
    alerts.inhibitor.Remove(kDown.fingerprint());
    alerts.inhibitor.Remove(kDown.fingerprint());
  }
  BOOST_TEST(!alerts.Inhibited(kDrift));
}

BOOST_AUTO_TEST_CASE(another_config_forgets_rules_and_sources) {
  Alerts alerts(DownSilencesDrift());
  AlertEntry& source = alerts.Fire(kDown);
  alerts.inhibitor.SetConfig(WithRules({Rule("alertname=Down", "alertname=Drift", {})}));
  BOOST_TEST(!alerts.Inhibited(kOther));
  alerts.inhibitor.Update(source);
  BOOST_TEST(alerts.Inhibited(kOther));
  alerts.inhibitor.SetConfig(WithRules({}));
  alerts.inhibitor.Update(source);
  BOOST_TEST(!alerts.Inhibited(kOther));
}

// Every pair of alerts, every rule, no index.
bool NaiveInhibited(const std::vector<InhibitRule>& rules, const std::vector<AlertEntry*>& all,
                    const LabelSet& target) {
  for (const InhibitRule& rule : rules) {
    if (!MatchesAll(rule.target_matchers, target)) {
      continue;
    }
    for (const AlertEntry* source : all) {
      bool equal = true;
      for (const std::string& name : rule.equal) {
        equal = equal && source->effective.Get(name) == target.Get(name);
      }
      bool both =
          MatchesAll(rule.source_matchers, target) && MatchesAll(rule.target_matchers, source->effective);
      if (source->firing && equal && MatchesAll(rule.source_matchers, source->effective) && !both) {
        return true;
      }
    }
  }
  return false;
}

BOOST_AUTO_TEST_CASE(agrees_with_the_naive_version_through_random_changes) {
  const std::vector<InhibitRule> rules{
      Rule("s=0", "s=1", {"x"}),
      Rule("s=~\"0|1\"", "s=~\"1|2\"", {"y"}),
      Rule("s!=2", "s!=0", {"x", "y"}),
      InhibitRule{0, "", {}, M("y=2"), {"s"}},
      InhibitRule{0, "", M("x=2,y=1"), {}, {}},
  };
  for (unsigned seed = 1; seed <= 20; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937 random(seed);
      auto pick = [&](unsigned n) { return static_cast<size_t>(random() % n); };
      const std::vector<std::string> values{"0", "1", "2"};
      Alerts alerts(rules);
      std::vector<AlertEntry*> all;
      for (int i = 0; i < 12; ++i) {
        all.push_back(&alerts.Fire(Labels({{"i", std::to_string(i)},
                                           {"s", values[pick(3)]},
                                           {"x", values[pick(3)]},
                                           {"y", values[pick(3)]}})));
      }
      for (int step = 0; step < 100; ++step) {
        AlertEntry& entry = *all[pick(12)];
        if (pick(2) == 0) {
          entry.firing = !entry.firing;
        } else {
          entry.effective = entry.alert.labels.With("s", values[pick(3)]);
        }
        alerts.inhibitor.Update(entry);
        for (const AlertEntry* target : all) {
          BOOST_REQUIRE_EQUAL(alerts.Inhibited(target->effective),
                              NaiveInhibited(rules, all, target->effective));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
