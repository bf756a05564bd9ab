#include <boost/test/unit_test.hpp>

#include "base/hash.h"
#include "model/alert.h"
#include "model/incident.h"
#include "model/label_set.h"
#include "model/matcher.h"
#include "model/severity.h"

namespace mlalert {
namespace {

using std::chrono::minutes;
using Pairs = std::initializer_list<std::pair<std::string_view, std::string_view>>;

BOOST_AUTO_TEST_SUITE(label_set)

BOOST_AUTO_TEST_CASE(fingerprints_are_alertmanagers) {
  struct Case {
    Pairs labels;
    const char* want;
  };
  for (const Case& c :
       {Case{{}, "cbf29ce484222325"}, Case{{{"b", "x"}}, "019d71999ffa1e47"},
        Case{{{"alertname", "good"}}, "fff7f30401697f7b"},
        Case{{{"node", "bar"}, {"alertname", "foo"}}, "980a6a0e0facf311"},
        Case{{{"alertname", "noct"}}, "306b92a02c08068c"}, Case{{{"alertname", "uf"}}, "41a8ed42445329cd"},
        Case{{{"alertname", "Leaf"}}, "607046b02560d674"}, Case{{{"alertname", "Root"}}, "ada81e74cfa7fc2c"},
        Case{{{"alertname", "T1"}, {"cluster", "c.1"}, {"job", "j1"}}, "18637ac7ee513867"},
        Case{{{"alertname", "T1"}, {"cluster", "c.1"}, {"team", "b"}, {"env", "prod"}}, "dc58541787d30934"},
        Case{{{"alertname", "T1"}, {"cluster", "c.1"}, {"job", "j2"}, {"x", "<a&b>"}}, "8608f9a8e2c524dd"},
        Case{{{"alertname", "HighCPU"},
              {"cluster", "eu"},
              {"severity", "critical"},
              {"instance", "a:9100"},
              {"job", "node"}},
             "215cfa2e9b70fa9b"},
        Case{{{"foo🙂", "bär"}}, "9f3d3b451589eb54"}}) {
    BOOST_TEST(Hex16(LabelSet::From(c.labels).fingerprint()) == c.want);
  }
}

BOOST_AUTO_TEST_CASE(values_are_quoted_as_go_does) {
  BOOST_TEST(GoQuote("a\x01\x7f\t\"\\") == R"("a\x01\x7f\t\"\\")");
  BOOST_TEST(GoQuote("bär 🙂 日本") == "\"bär 🙂 日本\"");
  BOOST_TEST(GoQuote("a\u00a0b\u200bc\ufeff\u0085\u00ad") == R"("a\u00a0b\u200bc\ufeff\u0085\u00ad")");
  BOOST_TEST(GoQuote("\U000F0000") == R"("\U000f0000")");
  BOOST_TEST(GoQuote("\xff\xc3") == R"("\xff\xc3")");
}

BOOST_AUTO_TEST_CASE(with_and_project) {
  LabelSet set = LabelSet::From({{"b", "2"}, {"a", "1"}, {"b", "3"}});
  BOOST_TEST(set.ToString() == R"({a="1", b="3"})");
  BOOST_TEST(set.With("a", "").ToString() == R"({b="3"})");
  BOOST_TEST(set.With("aa", "x").ToString() == R"({a="1", aa="x", b="3"})");
  BOOST_TEST(set.With("c", "x\"\n").ToString() == R"({a="1", b="3", c="x\"\n"})");
  const std::vector<std::string> names{"b", "missing"};
  BOOST_TEST(set.Project(names).ToString() == R"({b="3"})");
  BOOST_TEST(LabelSet().ToString() == "{}");
  BOOST_TEST((set.With("b", "3") == set));
}

// Large enough that a changed value is laid over it.
LabelSet Large(std::string_view severity) {
  return LabelSet::From({{"alertname", "FeatureDriftOfTheCheckoutRanking"},
                         {"instance", "10.20.30.40:9100"},
                         {"job", "model-monitoring"},
                         {"model", "checkout-ranking"},
                         {"severity", severity},
                         {"team", "search-and-recommendations"}});
}

BOOST_AUTO_TEST_CASE(a_set_with_one_value_changed_is_like_one_made_anew) {
  const LabelSet set = Large("P3");
  const LabelSet raised = set.With("severity", "P1");
  BOOST_TEST(raised.ByteSize() < set.ByteSize() / 2);  // laid over: else this test shows nothing
  const LabelSet anew = Large("P1");
  BOOST_TEST((raised == anew && anew == raised && !(raised == set) && !(set == raised)));
  BOOST_TEST(raised.fingerprint() == anew.fingerprint());
  BOOST_TEST(raised.ToString() == anew.ToString());
  BOOST_TEST(raised.size() == 6U);
  BOOST_TEST(raised.Get("severity") == "P1");
  BOOST_TEST(raised.Get("team") == "search-and-recommendations");
  BOOST_TEST((set < raised) == (set < anew));
  BOOST_TEST((raised < set) == (anew < set));
  BOOST_TEST((raised.Project(std::vector<std::string>{"severity"}) == LabelSet::From({{"severity", "P1"}})));
}

BOOST_AUTO_TEST_CASE(what_is_laid_over_is_changed_again) {
  const LabelSet set = Large("P3");
  const LabelSet raised = set.With("severity", "P1");
  BOOST_TEST((raised.With("severity", "P0") == Large("P0")));
  BOOST_TEST((raised.With("severity", "P3") == set));
  BOOST_TEST((raised.With("severity", "a longer value than the one before") ==
              Large("a longer value than the one before")));
  const LabelSet two = raised.With("model", "m");
  BOOST_TEST(two.Get("severity") == "P1");
  BOOST_TEST(two.Get("model") == "m");
  BOOST_TEST((two.With("severity", "P3") == set.With("model", "m")));
  BOOST_TEST((raised.With("severity", "") == set.With("severity", "")));
  BOOST_TEST(raised.With("zone", "a").Get("severity") == "P1");
}

BOOST_AUTO_TEST_CASE(what_it_is_laid_over_lives_as_long_as_it) {
  LabelSet raised = Large("P3").With("severity", "P1");
  LabelSet copy = raised;
  raised = LabelSet();
  BOOST_TEST((copy == Large("P1")));
}

BOOST_AUTO_TEST_CASE(fewer_labels_sort_first_then_the_set_that_lacks_a_name) {
  auto set = [](Pairs labels) { return LabelSet::From(labels); };
  BOOST_TEST((set({{"z", "9"}}) < set({{"a", "1"}, {"b", "1"}})));
  BOOST_TEST((set({{"b", "1"}}) < set({{"a", "1"}})));
  BOOST_TEST((set({{"a", "1"}}) < set({{"a", "2"}})));
  BOOST_TEST(!(set({{"a", "1"}}) < set({{"a", "1"}})));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(matcher)

BOOST_AUTO_TEST_CASE(a_missing_label_is_empty_and_regexes_are_anchored) {
  struct Case {
    MatchOp op;
    const char* value;
    bool foo, missing;  // matches "foo", matches a set without the label
  };
  for (const Case& c :
       {Case{MatchOp::kEqual, "foo", true, false}, Case{MatchOp::kEqual, "", false, true},
        Case{MatchOp::kNotEqual, "foo", false, true}, Case{MatchOp::kRegex, "fo", false, false},
        Case{MatchOp::kRegex, "fo.", true, false}, Case{MatchOp::kRegex, ".*", true, true},
        Case{MatchOp::kRegex, "a|foo", true, false}, Case{MatchOp::kNotRegex, "fo", true, true},
        Case{MatchOp::kNotRegex, ".+", false, true}}) {
    auto matcher = Matcher::Make("n", c.op, c.value);
    BOOST_TEST_REQUIRE(matcher.has_value());
    BOOST_TEST_CONTEXT(matcher->ToString()) {
      BOOST_TEST(matcher->Matches(LabelSet::From({{"n", "foo"}})) == c.foo);
      BOOST_TEST(matcher->Matches(LabelSet()) == c.missing);
    }
  }
  BOOST_TEST(!Matcher::Make("n", MatchOp::kRegex, "(").has_value());
  BOOST_TEST(Matcher::Make("n", MatchOp::kEqual, "a\"\n\\")->ToString() == R"(n="a\"\n\\")");
  BOOST_TEST(Matcher::Make("n x", MatchOp::kNotEqual, "v")->ToString() == R"("n x"!="v")");
  BOOST_TEST(Matcher::Make("n\u00a0x", MatchOp::kEqual, "v")->ToString() == R"("n\u00a0x"="v")");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(merge_alert)

const Timestamp kT = FromUnixMillis(1767225600000);
Alert Make(Timestamp starts, Timestamp ends, Timestamp updated, bool timeout = false) {
  Alert alert;
  alert.starts_at = starts;
  alert.ends_at = ends;
  alert.updated_at = updated;
  alert.timeout = timeout;
  return alert;
}

BOOST_AUTO_TEST_CASE(two_replicas_keep_the_earliest_start) {
  Alert merged = MergeAlert(Make(kT, kT + minutes(10), kT),
                            Make(kT + minutes(1), kT + minutes(11), kT + minutes(1)), kT + minutes(1));
  BOOST_TEST((merged.starts_at == kT));
  BOOST_TEST((merged.ends_at == kT + minutes(11)));
}

BOOST_AUTO_TEST_CASE(a_resolve_without_start_keeps_the_start) {
  Timestamp now = kT + minutes(5);
  Alert merged = MergeAlert(Make(kT, kT + minutes(10), kT), Make(now, now, now), now);
  BOOST_TEST((merged.starts_at == kT));
  BOOST_TEST((merged.ends_at == now));
}

BOOST_AUTO_TEST_CASE(a_timeout_never_blocks_an_explicit_end) {
  Timestamp now = kT + minutes(1);
  Alert merged = MergeAlert(Make(kT, kT + minutes(10), kT, true), Make(kT, kT + minutes(3), now), now);
  BOOST_TEST((merged.ends_at == kT + minutes(3)));
  merged = MergeAlert(Make(kT, kT + minutes(10), kT), Make(kT, kT + minutes(3), now), now);
  BOOST_TEST((merged.ends_at == kT + minutes(10)));
}

BOOST_AUTO_TEST_CASE(resolved_twice_the_latest_end_stays_and_without_overlap_the_new_one_replaces) {
  Timestamp now = kT + minutes(9);
  Alert merged = MergeAlert(Make(kT, kT + minutes(8), kT), Make(kT, kT + minutes(4), now), now);
  BOOST_TEST((merged.ends_at == kT + minutes(8)));
  merged = MergeAlert(Make(kT, kT + minutes(8), kT), Make(now, now + minutes(5), now), now);
  BOOST_TEST((merged.starts_at == now));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(severity)

BOOST_AUTO_TEST_CASE(aliases) {
  struct Case {
    const char* text;
    Severity want;
  };
  for (const Case& c :
       {Case{"P0", Severity::kP0}, Case{"p3", Severity::kP3}, Case{"Critical", Severity::kP0},
        Case{"page", Severity::kP0}, Case{"high", Severity::kP1}, Case{"error", Severity::kP1},
        Case{"medium", Severity::kP2}, Case{"WARNING", Severity::kP2}, Case{"low", Severity::kP3},
        Case{"info", Severity::kP3}, Case{"P4", Severity::kNone}, Case{"", Severity::kNone},
        Case{"none", Severity::kNone}}) {
    BOOST_TEST_CONTEXT(c.text) {
      BOOST_TEST((SeverityFromLabel(c.text) == c.want));
    }
  }
  BOOST_TEST(!ParseSeverity("critical").has_value());
}

BOOST_AUTO_TEST_CASE(a_policy_survives_json) {
  IncidentPolicy policy{"p", {}, {}, minutes(5), {{minutes(15), Severity::kP2}}, true, minutes(60)};
  auto back = PolicyFromJson(PolicyToJson(policy));
  BOOST_TEST_REQUIRE(back.has_value());
  BOOST_TEST((back->ladder == policy.ladder && back->cooldown == policy.cooldown));
  BOOST_TEST((back->quiet_before_first_step && back->ack_expires == minutes(60)));
  BOOST_TEST(!PolicyFromJson("{").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
