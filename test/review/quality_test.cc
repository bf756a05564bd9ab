// The definitions of docs/alert-quality.md, on numbers worked by hand (T11).
#include "review/quality.h"

#include <boost/test/unit_test.hpp>

namespace mlalert {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kMonday = FromUnixMillis(1763942400000);  // 2025-11-24T00:00:00Z, a Monday
const Span kWeek{kMonday, kMonday + 168h};
const Timestamp kAsOf = kMonday + 168h + 30min;

IncidentFacts Incident(int64_t id, Duration opened, Duration lasts, Severity severity = Severity::kP2) {
  IncidentFacts out;
  out.id = id;
  out.alertname = "Drift";
  out.model = "fraud";
  out.severity = out.base = severity;
  out.opened_at = kMonday + opened;
  out.resolved = true;
  out.resolved_at = out.opened_at + lasts;
  out.resolve_reason = "condition";
  out.first_told_at = out.opened_at + 1min;
  out.episodes = 1;
  return out;
}

BOOST_AUTO_TEST_SUITE(ratios)

// Wilson intervals from Newcombe (1998), table I: 81/263, 15/148, 0/20, 1/29.
BOOST_AUTO_TEST_CASE(wilson_intervals_are_the_published_ones) {
  const struct {
    int64_t k, n;
    double low, high;
  } cases[] = {
      {81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0.0000, 0.1611}, {1, 29, 0.0061, 0.1718}};
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.k << " of " << c.n) {
      Ratio ratio{c.k, c.n};
      BOOST_TEST(std::abs(ratio.low() - c.low) < 0.00006, ratio.low());
      BOOST_TEST(std::abs(ratio.high() - c.high) < 0.00006, ratio.high());
    }
  }
  BOOST_TEST((Ratio{3, 3}.high() == 1));
  BOOST_TEST((!Ratio{0, 0}.value().has_value()));
  BOOST_TEST((Ratio{0, 0}.low() == 0));
  BOOST_TEST((Ratio{0, 0}.high() == 1));
}

BOOST_AUTO_TEST_CASE(the_bound_of_nothing_in_n) {
  // 1 - 0.05^(1/n)
  const std::pair<int64_t, int> cases[] = {{5, 45}, {9, 28}, {10, 26}, {29, 10}, {59, 5}};
  for (const auto& [n, percent] : cases) {
    BOOST_TEST(std::lround(100 * UpperBoundOfNone(n)) == percent, n);
  }
  BOOST_TEST(UpperBoundOfNone(0) == 1);
  BOOST_TEST(NeverActedWord(9) == "watch");
  BOOST_TEST(NeverActedWord(10) == "likely noise");
  BOOST_TEST(NeverActedWord(28) == "likely noise");
  BOOST_TEST(NeverActedWord(29) == "delete or demote");
}

BOOST_AUTO_TEST_CASE(quantiles_interpolate) {
  BOOST_TEST(Quantile({10, 20, 30, 40}, 0.5) == 25);
  BOOST_TEST(Quantile({10, 20, 30, 40, 50}, 0.9) == 46);
  BOOST_TEST(Quantile({7}, 0.9) == 7);
  BOOST_TEST(Quantile({}, 0.9) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(clock)

BOOST_AUTO_TEST_CASE(iso_weeks) {
  TimeZone utc;
  BOOST_TEST(WeekOf(kMonday, utc).name == "2025-W48");
  BOOST_TEST(WeekOf(kMonday - 1ms, utc).name == "2025-W47");
  BOOST_TEST((ParseWeek("2025-W48", utc)->span.from == kMonday));
  BOOST_TEST((ParseWeek("2025-W48", utc)->span.until == kMonday + 168h));
  // Years of 53 weeks, and days of one year in weeks of another.
  BOOST_TEST(ParseWeek("2026-W53", utc).has_value());
  BOOST_TEST(!ParseWeek("2025-W53", utc).has_value());
  BOOST_TEST(WeekOf(FromUnixMillis(1735689600000), utc).name == "2025-W01");  // 2025-01-01
  BOOST_TEST(WeekOf(FromUnixMillis(1735516800000), utc).name == "2025-W01");  // 2024-12-30
  for (const char* bad : {"", "2025", "2025-W", "2025-W00", "2025-W54", "2025-W4", "W47-2025", "2025-W477"}) {
    BOOST_TEST(!ParseWeek(bad, utc).has_value(), bad);
  }
}

BOOST_AUTO_TEST_CASE(weeks_with_a_change_of_the_clock_are_longer_or_shorter) {
  TimeZone paris = *TimeZone::Find("Europe/Paris");
  Week autumn = *ParseWeek("2025-W43", paris);  // ends Sunday 26 October
  BOOST_TEST((autumn.span.until - autumn.span.from == 169h));
  Week spring = *ParseWeek("2026-W13", paris);
  BOOST_TEST((spring.span.until - spring.span.from == 167h));
  BOOST_TEST(!TimeZone::Find("Mars/Olympus").has_value());
}

BOOST_AUTO_TEST_CASE(buckets_have_their_edges) {
  TimeZone utc;
  const struct {
    Duration at;
    Bucket bucket;
  } cases[] = {{0h, Bucket::kSleep},          {8h - 1ms, Bucket::kSleep},
               {8h, Bucket::kBusiness},       {18h - 1ms, Bucket::kBusiness},
               {18h, Bucket::kOff},           {22h - 1ms, Bucket::kOff},
               {22h, Bucket::kSleep},         {5 * 24h + 8h, Bucket::kOff},      // Saturday
               {5 * 24h + 12h, Bucket::kOff}, {6 * 24h + 22h, Bucket::kSleep}};  // Sunday
  for (const auto& c : cases) {
    BOOST_TEST(ToString(BucketOf(kMonday + c.at, utc)) == ToString(c.bucket), FormatGoDuration(c.at));
  }
  // 07:30 UTC is 08:30 in Paris.
  BOOST_TEST(ToString(BucketOf(kMonday + 7h + 30min, *TimeZone::Find("Europe/Paris"))) == "business");
}

BOOST_AUTO_TEST_CASE(business_time_skips_nights_and_weekends) {
  TimeZone utc;
  const Timestamp friday = kMonday + 4 * 24h;
  BOOST_TEST((BusinessTime(friday + 17h, friday + 3 * 24h + 9h, utc) == 2h));
  BOOST_TEST((AfterBusinessTime(friday + 16h, 4h, utc) == friday + 3 * 24h + 10h));
  BOOST_TEST((AfterBusinessTime(kMonday + 9h, 4h, utc) == kMonday + 13h));
  BOOST_TEST((EndOfNextBusinessDay(friday + 1h, utc) == friday + 3 * 24h + 18h));
  BOOST_TEST((EndOfNextBusinessDay(kMonday + 23h, utc) == kMonday + 42h));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(response_targets)

BOOST_AUTO_TEST_CASE(by_severity_and_clock) {
  TimeZone utc;
  auto judge = [&](Severity severity, Duration opened, std::optional<Duration> acked, Duration lasts) {
    IncidentFacts i = Incident(1, opened, lasts, severity);
    if (acked) {
      i.first_acknowledged_at = i.opened_at + *acked;
    }
    return JudgeTarget(i, kAsOf, utc);
  };
  BOOST_TEST((judge(Severity::kP0, 2h, 15min, 1h) == Target::kAttained));
  BOOST_TEST((judge(Severity::kP0, 2h, 15min + 1ms, 1h) == Target::kBreached));
  BOOST_TEST((judge(Severity::kP1, 2h, 1h, 2h) == Target::kAttained));
  // Monday 16:00: two business hours today, two tomorrow.
  BOOST_TEST((judge(Severity::kP2, 16h, 18h, 24h) == Target::kAttained));
  BOOST_TEST((judge(Severity::kP2, 16h, 18h + 1min, 24h) == Target::kBreached));
  BOOST_TEST((judge(Severity::kP3, 16h, 26h, 30h) == Target::kAttained));
  BOOST_TEST((judge(Severity::kP3, 16h, 26h + 1min, 30h) == Target::kBreached));
  // Gone before it was due: no breach, and no success either. Gone later, never taken: a breach.
  BOOST_TEST((judge(Severity::kP0, 2h, std::nullopt, 10min) == Target::kNotMeasured));
  BOOST_TEST((judge(Severity::kP0, 2h, std::nullopt, 16min) == Target::kBreached));
  BOOST_TEST((judge(Severity::kNone, 2h, std::nullopt, 16h) == Target::kNotMeasured));
}

BOOST_AUTO_TEST_CASE(climbing_by_age_does_not_move_the_target) {
  IncidentFacts i = Incident(1, 9h, 3h, Severity::kP1);
  i.base = Severity::kP3;
  i.first_acknowledged_at = i.opened_at + 2h;
  BOOST_TEST((JudgeTarget(i, kAsOf, TimeZone()) == Target::kAttained));
}

BOOST_AUTO_TEST_SUITE_END()

// Ten incidents of one week, every exclusion once.
BOOST_AUTO_TEST_SUITE(hand_worked_week)

struct Fixture {
  Fixture() {
    auto add = [&](IncidentFacts i) -> IncidentFacts& { return incidents.emplace_back(std::move(i)); };
    // 1: Monday 09:00, P1, told and paged after 1 min, acknowledged 5 min after that, acted, over after 1 h.
    IncidentFacts& one = add(Incident(1, 9h, 1h, Severity::kP1));
    one.first_paged_at = one.first_told_at;
    one.first_acknowledged_at = one.first_told_at + 5min;
    one.level = ActionLevel::kActed;
    // 2: acknowledged 15 min after being told, no act. 2 h.
    IncidentFacts& two = add(Incident(2, 20h, 2h, Severity::kP1));
    two.first_paged_at = two.first_told_at;
    two.first_acknowledged_at = two.first_told_at + 15min;
    two.level = ActionLevel::kAcknowledged;
    // 3: went away within 5 minutes, unacknowledged.
    add(Incident(3, 27h, 5min));
    // 4: 5 min and 1 s: not short-lived. Flapped. Somebody called it a false alarm.
    IncidentFacts& four = add(Incident(4, 30h, 301s));
    four.reopened = 2;
    four.negative = true;
    // 5: the source went silent: not in MTTR.
    add(Incident(5, 40h, 3h)).resolve_reason = "timeout";
    // 6: silenced all along: never told, not in MTTR.
    IncidentFacts& six = add(Incident(6, 41h, 3h));
    six.first_told_at = kUnset;
    six.muted = true;
    // 7: over before its group spoke: never told, in MTTR.
    add(Incident(7, 42h, 20s)).first_told_at = kUnset;
    // 8: a test.
    IncidentFacts& eight = add(Incident(8, 43h, 1h));
    eight.test = true;
    eight.level = ActionLevel::kActed;
    // 9: ended 29 minutes before the review: not settled.
    IncidentFacts& nine = add(Incident(9, 167h, 1h + 1min));
    nine.level = ActionLevel::kActed;
    // 10: resolved by a person; opened the week before, acknowledged and resolved in this one.
    IncidentFacts& ten = add(Incident(10, -2h, 4h));
    ten.first_acknowledged_at = ten.first_told_at + 149min;
    ten.resolve_reason = "person";
    ten.level = ActionLevel::kAcknowledged;
    totals = ComputeTotals(incidents, pages, kWeek, kAsOf, TimeZone());
  }
  std::vector<IncidentFacts> incidents;
  std::vector<PageFacts> pages{
      {1, kMonday + 9h, "oncall", true, {1}},  {2, kMonday + 9h + 10s, "oncall", false, {1}},
      {3, kMonday + 20h, "oncall", true, {2}}, {4, kMonday + 26h, "oncall", true, {2}},
      {5, kMonday + 26h, "lead", true, {2}},   {6, kMonday + 30h, "lead", true, {8}}};
  Totals totals;
};

BOOST_FIXTURE_TEST_CASE(counts, Fixture) {
  BOOST_TEST(totals.incidents == 8);  // not the test, not the one of last week
  BOOST_TEST(totals.told == 6);       // 1 2 3 4 5 9
  BOOST_TEST(totals.paged == 2);
  BOOST_TEST(totals.acknowledged == 2);
  BOOST_TEST(totals.unacknowledged == 4);
  BOOST_TEST(totals.unsettled == 1);
  BOOST_TEST(totals.negative == 1);
  BOOST_TEST(totals.flapping == 1);
  BOOST_TEST(totals.under_5m.k == 2);  // 3 and 7
  BOOST_TEST(totals.under_5m.n == 8);
  BOOST_TEST(totals.auto_under_5m == 2);
}

BOOST_FIXTURE_TEST_CASE(action_ratio_is_of_the_told_and_settled, Fixture) {
  BOOST_TEST(totals.action.k == 1);
  BOOST_TEST(totals.action.n == 5);
  BOOST_TEST(totals.action_loose.k == 2);
  BOOST_TEST(totals.action_loose.n == 5);
  BOOST_TEST(totals.action_paged.k == 1);
  BOOST_TEST(totals.action_paged.n == 2);
  BOOST_TEST(*totals.action.value() == 0.2);
}

BOOST_FIXTURE_TEST_CASE(mtta_is_of_those_acknowledged_in_the_week, Fixture) {
  // 5, 15 and 149 minutes.
  BOOST_TEST(totals.acknowledge.n == 3);
  BOOST_TEST(totals.acknowledge.mean == 169.0 * 60 / 3);
  BOOST_TEST(totals.acknowledge.p50 == 15 * 60);
  // From the opening a minute more each.
  BOOST_TEST(totals.acknowledge_total.p50 == 16 * 60);
}

BOOST_FIXTURE_TEST_CASE(mttr_leaves_out_what_says_nothing, Fixture) {
  // 1: 60, 2: 120, 3: 5, 4: 301 s, 7: 20 s, 10: 240 min. 9 ends after the week.
  BOOST_TEST(totals.resolve.n == 6);
  BOOST_TEST(totals.resolve_human.n == 1);
  BOOST_TEST(totals.resolve_human.mean == 240 * 60);
  BOOST_TEST(totals.resolve_auto.n == 4);
  BOOST_TEST(totals.resolve_untold.n == 1);
  BOOST_TEST(totals.resolve_untold.mean == 20);
  BOOST_TEST(totals.resolve_timeout == 1);
  BOOST_TEST(totals.resolve_muted == 1);
  BOOST_TEST(totals.resolve_test == 1);
  BOOST_TEST(totals.resolve.mean == (3600 + 7200 + 300 + 301 + 20 + 14400) / 6.0);
}

BOOST_FIXTURE_TEST_CASE(interruptions_by_hour_of_life, Fixture) {
  BOOST_TEST(totals.interruptions == 4);  // the one about a test is none
  BOOST_TEST(totals.interruptions_by_bucket[0] == 1);
  BOOST_TEST(totals.interruptions_by_bucket[1] == 1);
  BOOST_TEST(totals.interruptions_by_bucket[2] == 2);
  BOOST_TEST(totals.pain == 1 + 2 + 5 + 5);
  BOOST_TEST(totals.interruptions_by_receiver.at("lead")[2] == 1);
  // 8 and 5.
  BOOST_TEST(std::abs(totals.pain_gini - (2 * (1 * 5 + 2 * 8.0) / (2 * 13) - 1.5)) < 1e-9);
}

BOOST_FIXTURE_TEST_CASE(targets, Fixture) {
  // P1: 1 after 6 min, 2 after 16 min.
  BOOST_TEST(totals.targets[1].attained == 2);
  // P2: 3 and 4 were over before four business hours; 5 opened Tuesday 16:00 and ended 19:00 untaken; 9
  // Sunday night.
  BOOST_TEST(totals.targets[2].attained == 0);
  BOOST_TEST(totals.targets[2].breached == 0);
  BOOST_TEST(totals.targets[2].not_measured == 4);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(rules)

BOOST_AUTO_TEST_CASE(noise_is_the_sum_of_its_parts) {
  std::vector<IncidentFacts> incidents;
  // Four incidents, all told; one acted on; two within five minutes; 8 episodes; one beside another rule's.
  for (int64_t id = 1; id <= 4; ++id) {
    IncidentFacts i = Incident(id, 10h * id, id <= 2 ? Duration(2min) : Duration(1h));
    i.episodes = 2;
    i.level = id == 4 ? ActionLevel::kActed : ActionLevel::kNone;
    incidents.push_back(i);
  }
  IncidentFacts other = Incident(5, 10h + 4min, 1h);
  other.alertname = "Lag";
  incidents.push_back(other);
  const std::vector<PageFacts> pages{{1, kMonday + 9h, "oncall", true, {1}},
                                     {2, kMonday + 23h, "oncall", true, {2}}};
  auto rules = ComputeRules(incidents, pages, kWeek, kAsOf, TimeZone());
  auto drift =
      std::find_if(rules.begin(), rules.end(), [](const RuleQuality& r) { return r.rule == "Drift"; });
  BOOST_REQUIRE((drift != rules.end()));
  BOOST_TEST(drift->action_shrunk == 0.25);  // (1 + 1) / (4 + 4)
  BOOST_TEST(drift->under_5m == 0.5);
  BOOST_TEST(drift->flap == 0.4);  // 2 / 5
  BOOST_TEST(drift->sleep_share == 0.5);
  // Concurrent: 2, 1, 1, 1: mean 1.25.
  BOOST_TEST(std::abs(drift->duplicate - 0.2) < 1e-12);
  BOOST_TEST(std::abs(drift->noise -
                      100 * (0.40 * 0.75 + 0.20 * 0.5 + 0.15 * 0.4 + 0.15 * 0.5 + 0.10 * 0.2)) < 1e-9);
  BOOST_TEST(drift->duplicate_of == "Lag");
  BOOST_TEST(!drift->never_acted);
}

RuleQuality Rule(int64_t incidents, int64_t told) {
  RuleQuality out;
  out.rule = "R";
  out.incidents = incidents;
  out.told = told;
  out.episodes = incidents;
  out.action = {0, told};
  return out;
}

BOOST_AUTO_TEST_CASE(reasons) {
  RuleQuality r = Rule(10, 10);
  r.never_acted = true;
  r.never_acted_bound = UpperBoundOfNone(10);
  BOOST_TEST(ReasonOf(r, true).name == "never acted on");
  BOOST_TEST(ReasonOf(r, true).why.find("26 %") != std::string::npos);
  r.self_healed = 5;
  BOOST_TEST(ReasonOf(r, true).name == "self-heals");
  r.reopened = 3;
  BOOST_TEST(ReasonOf(r, true).name == "flaps");
  RuleQuality duplicate = Rule(10, 10);
  duplicate.duplicate_share = 0.8;
  duplicate.duplicate_of = "Other";
  BOOST_TEST(ReasonOf(duplicate, true).name == "duplicate");
  RuleQuality raised = Rule(4, 4);
  raised.raised_by_human = 2;
  BOOST_TEST(ReasonOf(raised, true).name == "wrong severity");
  RuleQuality slow = Rule(4, 4);
  slow.paged = 4;
  slow.acted = 3;
  slow.action = {3, 4};
  slow.targets_breached = 2;
  BOOST_TEST(ReasonOf(slow, true).name == "wrong severity");
  RuleQuality bare = Rule(2, 2);
  BOOST_TEST(ReasonOf(bare, false).name == "no runbook");
  BOOST_TEST(ReasonOf(bare, true).name == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
