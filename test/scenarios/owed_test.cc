// What random stories found (incident_property_test), each as the shortest story of its kind: ends that were
// owed and lost, pages that came all at once, news that flapping hid.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "support/expect.h"
#include "support/sim.h"
#include "support/sim_lines.h"

namespace mlalert::testing {
namespace {

const Timestamp kMonday = FromUnixMillis(1767571200000);  // 2026-01-05T00:00:00Z
const LabelSet kDown = Labels({{"alertname", "Down"}, {"model", "m"}, {"severity", "P1"}});
const LabelSet kDrift = Labels({{"alertname", "Drift"}, {"model", "m"}, {"severity", "P3"}});
const LabelSet kLag = Labels({{"alertname", "Lag"}, {"model", "m"}, {"severity", "P3"}});
const LabelSet kSkew = Labels({{"alertname", "Skew"}, {"model", "m"}, {"severity", "P3"}});

std::string Config(const std::string& policy, const std::string& route = "board") {
  return fmt::format(R"(
route: {{receiver: {}, group_by: [model], group_wait: 0s, group_interval: 1m, repeat_interval: 24h}}
receivers:
- {{name: board, webhook_configs: [{{url: "http://127.0.0.1:9/board"}}]}}
- {{name: l1, webhook_configs: [{{url: "http://127.0.0.1:9/l1"}}]}}
- {{name: l2, webhook_configs: [{{url: "http://127.0.0.1:9/l2"}}]}}
incidents: {{identity: [alertname, model], reopen_window: 30m}}
schedules:
- {{name: rota, rotations: [{{type: weekly, start: "2026-01-05", receivers: [l1, l2]}}]}}
calendars:
- name: office
  time_intervals: [{{weekdays: ["monday:friday"], times: [{{start_time: "09:00", end_time: "18:00"}}]}}]
incident_policies:
- {{name: p, {}}}
)",
                     route, policy);
}

const std::string kChain = "chain: {steps: [{after: 1m, receivers: [l1]}, {after: 5m, receivers: [l2]}]}";

BOOST_AUTO_TEST_SUITE(owed)

BOOST_AUTO_TEST_CASE(what_others_of_its_group_have_to_say_forgets_no_silenced_one) {
  Sim sim(Config("cooldown: 0s"), kMonday);
  sim.Fire(kDrift).Fire(kLag).At(minutes(2)).Silence("alertname=Drift", hours(1));
  sim.At(minutes(10)).Fire(kSkew).At(minutes(20)).Resolve(kDrift);
  sim.At(minutes(30));
  ExpectHeard(sim, {"+0s board/webhook[0] first notification firing=Drift:P3",
                    "+1m board/webhook[0] new alerts added firing=Drift:P3,Lag:P3",
                    "+11m board/webhook[0] new alerts added firing=Lag:P3,Skew:P3"});
  sim.At(hours(3));
  ExpectHeard(sim, {"+1h2m board/webhook[0] some alerts resolved firing=Lag:P3,Skew:P3 resolved=Drift"});
}

BOOST_AUTO_TEST_CASE(that_it_fires_still_when_all_others_are_over_is_told_again_when_its_silence_ends) {
  Sim sim(Config("cooldown: 0s"), kMonday);
  sim.Fire(kDrift).Fire(kLag).At(minutes(2)).Silence("alertname=Drift", hours(1));
  sim.At(minutes(10)).Resolve(kLag);
  sim.At(minutes(30));
  // Who counts by groups (PagerDuty) must not take this for the end of all.
  ExpectHeard(sim, {"+0s board/webhook[0] first notification firing=Drift:P3",
                    "+1m board/webhook[0] new alerts added firing=Drift:P3,Lag:P3",
                    "+11m board/webhook[0] some alerts resolved firing=Drift:P3 resolved=Lag"});
  sim.At(minutes(70)).Resolve(kDrift).At(hours(3));
  ExpectHeard(sim, {"+1h11m board/webhook[0] all alerts resolved resolved=Drift"});
}

BOOST_AUTO_TEST_CASE(who_knows_of_silenced_ones_only_hears_nothing_of_what_is_held_back) {
  Sim sim(Config("cooldown: 0s, acknowledge: {expires: 24h}"), kMonday);
  sim.Fire(kDrift).At(minutes(2)).Silence("alertname=Drift", hours(1));
  sim.Fire(kLag).Ack(2).At(hours(1));
  ExpectHeard(sim, {"+0s board/webhook[0] first notification firing=Drift:P3"});
  sim.At(hours(2));
  ExpectHeard(sim, {});
}

BOOST_AUTO_TEST_CASE(a_digest_that_is_refused_is_told_when_it_is_tried_again) {
  Sim sim(Config("cooldown: 0s, business_hours: {calendar: office, outside: digest}"), kMonday);
  sim.At(hours(2)).Fire(kLag).At(hours(4)).Resolve(kLag);
  sim.Answer("board/webhook[0]", {DeliveryVerdict::kRetry, DeliveryVerdict::kFailed});
  sim.At(hours(12));
  ExpectHeard(sim, {"+9h1m board/webhook[0] digest resolved=Lag"});
}

BOOST_AUTO_TEST_CASE(a_p0_that_has_moved_on_lets_nobody_pass_a_rate_limit) {
  std::string config = Config("cooldown: 0s") + "rate_limits: [{receiver: board, count: 1, per: 1h}]\n";
  const std::string route = "repeat_interval: 24h";
  config.insert(config.find(route) + route.size(), ", routes: [{matchers: [severity=P0], receiver: l1}]");
  Sim sim(config, kMonday);
  sim.Fire(kDrift).At(minutes(2)).Fire(kLag).At(minutes(5)).Raise(1, Severity::kP0);
  sim.At(minutes(59));
  ExpectHeard(sim, {"+0s board/webhook[0] first notification firing=Drift:P3",
                    "+5m l1/webhook[0] first notification firing=Drift:P0"});
  sim.At(minutes(61));
  BOOST_TEST(sim.TakeHeard().size() == 1U);
}

BOOST_AUTO_TEST_CASE(flapping_hides_no_raise) {
  Sim sim(Config("cooldown: 0s, flapping: {transitions: 6, window: 30m}"), kMonday);
  for (int i = 0; i < 3; ++i) {
    sim.At(minutes(2 * i)).Fire(kDrift).At(minutes(2 * i + 1)).Resolve(kDrift);
  }
  sim.At(minutes(6)).Fire(kDrift).At(minutes(9));
  BOOST_TEST_REQUIRE(IsSet(sim.engine().FindIncident(1)->care->flapping_since));
  sim.TakeHeard();
  sim.At(minutes(10)).Raise(1, Severity::kP0).At(minutes(12));
  ExpectHeard(sim, {"+10m board/webhook[0] severity raised firing=Drift:P0"});
}

BOOST_AUTO_TEST_CASE(flapping_hides_no_page) {
  Sim sim(
      Config("cooldown: 0s, flapping: {transitions: 6, window: 30m}, chain: {steps: [{after: 1m, receivers: "
             "[l1]}, {after: 20m, receivers: [l1]}]}"),
      kMonday);
  for (int i = 0; i < 3; ++i) {
    sim.At(minutes(2 * i)).Fire(kDrift).At(minutes(2 * i + 1)).Resolve(kDrift);
  }
  sim.At(minutes(6)).Fire(kDrift).At(minutes(24));
  sim.TakeHeard();
  sim.At(minutes(28));
  ExpectLines(Paged(sim), {"+25m l1"});  // it flaps since 5 min, when its chain was a minute old
}

BOOST_AUTO_TEST_CASE(a_chain_waits_for_the_end_of_a_cooldown_and_is_not_told_all_at_once) {
  Sim sim(Config("cooldown: 30m, " + kChain), kMonday);
  sim.Fire(kDown).At(minutes(7)).Resolve(kDown).At(minutes(10)).Fire(kDown);
  sim.At(hours(1));
  ExpectLines(Paged(sim), {"+1m l1", "+5m l2", "+35m l1", "+39m l2"});
}

BOOST_AUTO_TEST_CASE(a_chain_waits_for_a_silence_of_one_severity) {
  Sim sim(Config("cooldown: 0s, " + kChain), kMonday);
  sim.Silence("severity=P1", hours(1));
  sim.Fire(kDown).At(hours(1) + minutes(10));
  ExpectLines(Paged(sim), {"+1h l1", "+1h4m l2"});
}

BOOST_AUTO_TEST_CASE(what_waits_for_the_morning_keeps_its_distances_when_the_process_was_down_then) {
  Sim sim(Config("cooldown: 0s, business_hours: {calendar: office}, " + kChain), kMonday);
  sim.At(hours(1)).Fire(kDrift).At(hours(8) + minutes(50)).Restart(minutes(12));
  sim.At(hours(9) + minutes(20));
  ExpectLines(Paged(sim), {"+9h2m l1", "+9h4m l2"});
}

BOOST_AUTO_TEST_CASE(what_was_resolved_by_hand_opens_again_silenced) {
  Sim sim(Config("cooldown: 0s, " + kChain), kMonday);
  sim.Fire(kDown).At(minutes(6)).ResolveByHand(1, hours(1));
  sim.At(minutes(10)).Silence("model=m", hours(3));
  sim.TakeHeard();
  sim.At(hours(3) + minutes(20));
  ExpectLines(Paged(sim), {"+3h11m l1", "+3h15m l2"});
}

BOOST_AUTO_TEST_CASE(a_raise_in_a_silence_begins_the_chain_anew_when_it_ends) {
  Sim sim(Config("cooldown: 0s, " + kChain), kMonday);
  sim.Fire(kDrift).At(minutes(2)).Silence("model=m", hours(1));
  sim.At(minutes(30)).Raise(1, Severity::kP1).At(hours(1) + minutes(20));
  ExpectLines(Paged(sim), {"+1m l1", "+1h3m l1", "+1h7m l2"});
}

// A group that told by a schedule is found again by the name of who was on call.
BOOST_AUTO_TEST_CASE(a_route_to_a_schedule_tells_nobody_twice_after_a_restart) {
  Sim sim(Config("cooldown: 0s", "rota"), kMonday);
  sim.Fire(kDrift).At(minutes(2)).Restart(seconds(12));
  sim.At(minutes(3)).Fire(kLag).Resolve(kDrift).At(minutes(20));
  ExpectHeard(sim, {"+0s l1/webhook[0] first notification firing=Drift:P3",
                    "+4m l1/webhook[0] new alerts added firing=Lag:P3 resolved=Drift"});
}

BOOST_AUTO_TEST_CASE(who_had_acknowledged_the_lesser_trouble_hears_first) {
  for (const char* by : {"l2", "l2 (link)"}) {
    Sim sim(Config("cooldown: 0s, " + kChain), kMonday);
    sim.Fire(kDown.With("severity", "P2")).At(minutes(6));
    sim.Ack(1, by);
    sim.At(minutes(20)).Fire(kDown.With("severity", "P0")).At(minutes(26));
    ExpectLines(Paged(sim), {"+1m l1", "+5m l2", "+20m l2", "+21m l1", "+25m l2"});
  }
}

BOOST_AUTO_TEST_CASE(who_raises_what_he_has_acknowledged_knows_it) {
  Sim sim(Config("cooldown: 0s, " + kChain), kMonday);
  sim.Fire(kDown).At(minutes(6)).Ack(1, "l2");
  sim.At(minutes(20)).Act(ActionKind::kRaise, 1, [](IncidentAction& action) {
    action.actor.name = "l2";
    action.severity = Severity::kP0;
  });
  sim.At(minutes(22));
  ExpectLines(Paged(sim), {"+1m l1", "+5m l2", "+21m l1"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
