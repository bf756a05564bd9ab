// Candidate changes: what would have become of stored firing periods, and the patch that a person would have
// typed.
#include "backtest/proposals.h"

#include <boost/test/unit_test.hpp>

#include "backtest/rule_patch.h"

namespace mlalert {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kMonday = FromUnixMillis(1763942400000);
const LabelSet kA = LabelSet::From({{"alertname", "Drift"}, {"severity", "P1"}, {"model", "a"}});
const LabelSet kB = LabelSet::From({{"alertname", "Drift"}, {"severity", "P1"}, {"model", "b"}});

StoredEpisode Episode(const LabelSet& labels, Duration from, std::optional<Duration> until) {
  return {labels, {}, kMonday + from, until ? kMonday + *until : kUnset, 1};
}

std::string Text(const std::vector<StoredEpisode>& episodes) {
  std::string out;
  for (const StoredEpisode& e : episodes) {
    out += std::string(e.labels.Get("model")) + "+" + FormatDuration(e.started_at - kMonday) + ".." +
           (IsSet(e.ended_at) ? FormatDuration(e.ended_at - kMonday) : "") + " ";
  }
  return out;
}

Candidate For(int64_t from_minutes, int64_t to_minutes, const char* field = "for") {
  return {field, "", "", from_minutes * 60'000, to_minutes * 60'000};
}

BOOST_AUTO_TEST_SUITE(under)

BOOST_AUTO_TEST_CASE(a_longer_for_begins_later_and_drops_what_was_shorter) {
  const std::vector<StoredEpisode> episodes = {Episode(kA, 10min, 16min), Episode(kB, 20min, 27min),
                                               Episode(kA, 30min, 60min), Episode(kB, 90min, std::nullopt)};
  // 5 to 12 minutes: seven more. The condition held for the firing period and `for`: exactly seven survives.
  BOOST_TEST(Text(Under(For(5, 12), episodes, 5min, 0min)) == "b+27m..27m a+37m..1h b+1h37m.. ");
  // With keep_firing_for the alert outlived its condition.
  BOOST_TEST(Text(Under(For(5, 12), episodes, 5min, 5min)) == "a+37m..1h b+1h37m.. ");
}

BOOST_AUTO_TEST_CASE(a_longer_keep_firing_for_joins_what_comes_back) {
  const std::vector<StoredEpisode> episodes = {Episode(kA, 10min, 20min), Episode(kB, 24min, 25min),
                                               Episode(kA, 30min, 40min), Episode(kA, 80min, 90min)};
  // `for` 5 min: the condition of the one at 30 was back at 25, five minutes after the end.
  BOOST_TEST(Text(Under(For(0, 5, "keep_firing_for"), episodes, 5min, 0min)) ==
             "a+10m..45m b+24m..30m a+1h20m..1h35m ");
  BOOST_TEST(Text(Under(For(0, 4, "keep_firing_for"), episodes, 5min, 0min)) ==
             "a+10m..24m b+24m..29m a+30m..44m a+1h20m..1h34m ");
}

BOOST_AUTO_TEST_CASE(severity_and_deletion) {
  const std::vector<StoredEpisode> episodes = {Episode(kA, 10min, 20min)};
  Candidate less{"severity", "P1", "P2", 0, 0};
  BOOST_TEST(Under(less, episodes, 0min, 0min).at(0).labels.Get("severity") == "P2");
  Candidate gone{"delete", "", "", 0, 0};
  BOOST_TEST(Under(gone, episodes, 0min, 0min).empty());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(rule_patch)

constexpr std::string_view kFile = R"(groups:
- name: g
  rules:
  # Somebody wrote this.
  - alert: Drift
    expr: drift > 1
    for: 5m  # five
    labels:
      severity: P1
      team: ml

  - alert: Slow
    expr: |
      latency
        > 10
    labels: {severity: P2}
  - record: x
    expr: y
)";

BOOST_AUTO_TEST_CASE(replaces_a_value_and_keeps_the_comment) {
  BOOST_TEST(RulePatch("/etc/r.yml", kFile, "Drift", "for", "12m") == R"(--- a/etc/r.yml
+++ b/etc/r.yml
@@ -4,7 +4,7 @@
   # Somebody wrote this.
   - alert: Drift
     expr: drift > 1
-    for: 5m  # five
+    for: 12m # five
     labels:
       severity: P1
       team: ml
)");
}

BOOST_AUTO_TEST_CASE(adds_a_line_where_there_is_none) {
  BOOST_TEST(RulePatch("r.yml", kFile, "Slow", "keep_firing_for", "10m") == R"(--- a/r.yml
+++ b/r.yml
@@ -10,6 +10,7 @@
       team: ml
 
   - alert: Slow
+    keep_firing_for: 10m
     expr: |
       latency
         > 10
)");
}

BOOST_AUTO_TEST_CASE(severity_in_labels_and_whole_rules) {
  BOOST_TEST(RulePatch("r.yml", kFile, "Drift", "severity", "P2")
                 .find("-      severity: P1\n+      severity: P2\n") != std::string::npos);
  BOOST_TEST(RulePatch("r.yml", kFile, "Slow", "severity", "P3")
                 .find("-    labels: {severity: P2}\n+    labels: {severity: P3}\n") != std::string::npos);
  const std::string gone = RulePatch("r.yml", kFile, "Slow", "delete", "");
  BOOST_TEST(gone.find("-  - alert: Slow\n-    expr: |\n-      latency\n-        > 10\n-    labels: "
                       "{severity: P2}\n   - record: x") != std::string::npos);
  BOOST_TEST(RulePatch("r.yml", kFile, "Nothing", "for", "1m") == "");
  BOOST_TEST(RulePatch("r.yml", "", "Drift", "for", "1m") == "");
}

BOOST_AUTO_TEST_CASE(a_rule_on_one_line_in_flow_style_is_patched_within_its_line) {
  const std::string file =
      "groups:\n"
      "- name: g\n"
      "  rules:\n"
      "  - {alert: Other, expr: up == 0}\n"
      "  - {alert: 'Drift', expr: \"psi{a=\\\"b, for: 1h}\\\"} > 1\", for: 5m, labels: {team: a, severity: "
      "P1}, annotations: {summary: it's, "
      "for: x}}  # ours\n";
  auto changed = [&](std::string_view rule, std::string_view field, std::string_view value) {
    const std::string patch = RulePatch("r.yml", file, rule, field, value);
    const size_t at = patch.find("\n+ ");
    return at == std::string::npos ? patch : patch.substr(at + 2, patch.find('\n', at + 1) - at - 2);
  };
  const std::string head = "  - {alert: 'Drift', expr: \"psi{a=\\\"b, for: 1h}\\\"} > 1\", ";
  const std::string tail = ", annotations: {summary: it's, for: x}}  # ours";
  BOOST_TEST(changed("Drift", "for", "12m") == head + "for: 12m, labels: {team: a, severity: P1}" + tail);
  BOOST_TEST(changed("Drift", "severity", "P3") == head + "for: 5m, labels: {team: a, severity: P3}" + tail);
  BOOST_TEST(changed("Other", "keep_firing_for", "9m") ==
             "  - {alert: Other, keep_firing_for: 9m, expr: up == 0}");
  BOOST_TEST(changed("Other", "severity", "P3") == "");
  BOOST_TEST(RulePatch("r.yml", file, "Other", "delete", "").find("-  - {alert: Other, expr: up == 0}\n") !=
             std::string::npos);
  BOOST_TEST(RulePatch("r.yml", "- {alert: A,\n   expr: b}\n", "A", "for", "1m") == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
