// Silences, inhibition and time intervals in the pipeline: who is muted is not there, as in Alertmanager.
#include <boost/test/unit_test.hpp>

#include "support/expect.h"
#include "support/sim.h"

namespace mlalert::testing {
namespace {

// The simulation begins on Thursday, 2026-01-01, at midnight UTC.
std::string Config(const std::string& more_of_route, const std::string& more) {
  return R"(
route:
  receiver: web
  group_by: [model]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
)" + more_of_route +
         R"(
receivers:
- name: web
  webhook_configs: [{url: "http://127.0.0.1:9/"}]
)" + more;
}

const std::string kPlain = Config("", "");
const std::string kInhibit = Config("", R"(
inhibit_rules:
- {source_matchers: [alertname=Down], target_matchers: [alertname!=Down], equal: [region]}
)");

const LabelSet kDrift = Labels({{"alertname", "Drift"}, {"model", "churn-v4"}});
const LabelSet kLatency = Labels({{"alertname", "Latency"}, {"model", "churn-v4"}});
const LabelSet kDown = Labels({{"alertname", "Down"}, {"model", "none"}});
const LabelSet kDownToo = Labels({{"alertname", "Down"}, {"model", "none"}, {"pod", "b"}});

BOOST_AUTO_TEST_SUITE(silencing)

BOOST_AUTO_TEST_CASE(silenced_before_the_first_notification_and_told_after_the_end) {
  Sim sim(kPlain);
  sim.Silence("alertname=Drift", minutes(12));
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(12));
  ExpectHeard(sim, {});
  sim.At(minutes(20));
  // At the first tick after the end: 30s + 3 x 5m.
  ExpectHeard(sim, {"+15m30s web/webhook[0] first notification firing=Drift"});
}

BOOST_AUTO_TEST_CASE(silenced_after_the_notification_resolves_nothing) {
  Sim sim(kPlain);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(1)).Silence("alertname=Drift", hours(6));
  sim.At(hours(6));
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Drift"});
  // It repeats once it may speak, at the next tick.
  sim.At(hours(7));
  ExpectHeard(sim, {"+6h5m30s web/webhook[0] repeat interval elapsed firing=Drift"});
}

BOOST_AUTO_TEST_CASE(expiring_a_silence_by_hand_lets_speak_at_the_next_tick) {
  Sim sim(kPlain);
  std::string id = sim.Silence("model=~\"churn.*\"", hours(10));
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(7)).Unsilence(id);
  sim.At(minutes(20));
  ExpectHeard(sim, {"+10m30s web/webhook[0] first notification firing=Drift"});
}

BOOST_AUTO_TEST_CASE(the_others_of_the_group_are_told) {
  Sim sim(kPlain);
  sim.Silence("alertname=Drift", minutes(8));
  sim.At(seconds(0)).Fire(kDrift).Fire(kLatency);
  sim.At(minutes(20));
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Latency",
                    "+10m30s web/webhook[0] new alerts added firing=Drift,Latency"});
}

BOOST_AUTO_TEST_CASE(what_resolves_while_silenced_is_not_told) {
  Sim sim(kPlain);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(1)).Silence("alertname=Drift", minutes(10));
  sim.At(minutes(2)).Resolve(kDrift);
  sim.At(hours(2));
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Drift"});
  BOOST_TEST(sim.engine().Stats().groups == 0U);
}

// Alertmanager's quirk: the log still says that it fires, so its next firing is no news before the repeat.
BOOST_AUTO_TEST_CASE(told_silenced_resolved_and_firing_again_is_told_at_the_repeat_only) {
  Sim sim(kPlain);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(1)).Silence("alertname=Drift", minutes(10));
  sim.At(minutes(2)).Resolve(kDrift);
  sim.At(minutes(20)).Fire(kDrift);
  sim.At(hours(4));
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Drift"});
  sim.At(hours(5));
  ExpectHeard(sim, {"+4h5m30s web/webhook[0] repeat interval elapsed firing=Drift"});
}

BOOST_AUTO_TEST_CASE(a_restart_keeps_silences_and_their_changes) {
  Sim sim(kPlain);
  std::string id = sim.Silence("alertname=Drift", minutes(2));
  std::string ended = sim.Silence("alertname=Latency", hours(9));
  sim.Unsilence(ended);
  BOOST_TEST(sim.Silence("alertname=Drift", hours(1), id) == id);
  sim.At(seconds(0)).Fire(kDrift).Fire(kLatency);
  sim.At(seconds(10)).Restart(seconds(5));
  sim.At(minutes(59));
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Latency"});
  BOOST_TEST(sim.engine().muter().silences().size() == 2U);
  sim.At(minutes(70));
  ExpectHeard(sim, {"+1h30s web/webhook[0] new alerts added firing=Drift,Latency"});
}

BOOST_AUTO_TEST_CASE(expired_silences_are_forgotten_after_five_days) {
  Sim sim(kPlain);
  sim.Silence("alertname=Drift", hours(1));
  sim.At(hours(120));
  BOOST_TEST(sim.engine().muter().silences().size() == 1U);
  sim.At(hours(121) + minutes(5));
  BOOST_TEST(sim.engine().muter().silences().size() == 0U);
  sim.Restart();
  BOOST_TEST(sim.engine().muter().silences().size() == 0U);
}

BOOST_AUTO_TEST_CASE(an_alert_whose_severity_rises_leaves_a_silence_of_the_lower_one) {
  Sim sim(Config("", R"(
incident_policies:
- name: climb
  matchers: ['severity="P3"']
  ladder: {steps: [{after: 30m, severity: P2}]}
)"));
  const LabelSet low = Labels({{"alertname", "Lag"}, {"model", "m"}, {"severity", "P3"}});
  sim.Silence("severity=P3", hours(8));
  sim.At(seconds(0)).Fire(low);
  sim.At(minutes(29));
  ExpectHeard(sim, {});
  sim.At(minutes(40));
  ExpectHeard(sim, {"+30m web/webhook[0] first notification firing=Lag:P2"});
}

BOOST_AUTO_TEST_CASE(the_listing_says_what_mutes_an_alert_now) {
  Sim sim(kInhibit);
  std::string id = sim.Silence("alertname=Drift", hours(1));
  sim.At(seconds(0)).Fire(kDown).Fire(kDrift);
  for (const AlertView& view : sim.engine().ListAlerts(sim.now())) {
    bool drift = view.alert.labels == kDrift;
    BOOST_TEST(view.silenced_by.size() == (drift ? 1U : 0U));
    BOOST_TEST((view.inhibited_by == (drift ? std::optional(kDown.fingerprint()) : std::nullopt)));
  }
  BOOST_TEST(sim.engine().ListAlerts(sim.now() + hours(2)).back().silenced_by.empty());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(inhibition)

BOOST_AUTO_TEST_CASE(a_target_is_told_once_its_last_source_has_resolved) {
  Sim sim(kInhibit);
  sim.At(seconds(0)).Fire(kDown).Fire(kDownToo).Fire(kDrift);
  sim.At(minutes(2)).Resolve(kDown);
  sim.At(minutes(7)).Resolve(kDownToo);
  sim.At(minutes(20));
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Down,Down",
                    "+5m30s web/webhook[0] some alerts resolved firing=Down resolved=Down",
                    "+10m30s web/webhook[0] all alerts resolved resolved=Down",
                    "+10m30s web/webhook[0] first notification firing=Drift"});
}

BOOST_AUTO_TEST_CASE(a_source_that_comes_late_resolves_nothing) {
  Sim sim(kInhibit);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(1)).Fire(kDown);
  sim.At(hours(3));
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Drift",
                    "+1m30s web/webhook[0] first notification firing=Down"});
}

BOOST_AUTO_TEST_CASE(a_source_whose_sender_went_silent_ends_at_its_end) {
  Sim sim(kInhibit);
  sim.At(seconds(0)).Fire(kDown, minutes(3)).Fire(kDrift);
  sim.At(minutes(6));
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Down",
                    "+5m30s web/webhook[0] all alerts resolved resolved=Down",
                    "+5m30s web/webhook[0] first notification firing=Drift"});
}

BOOST_AUTO_TEST_CASE(a_silenced_source_still_inhibits) {
  Sim sim(kInhibit);
  sim.Silence("alertname=Down", hours(1));
  sim.At(seconds(0)).Fire(kDown).Fire(kDrift);
  sim.At(minutes(30));
  ExpectHeard(sim, {});
}

BOOST_AUTO_TEST_CASE(a_source_that_climbs_to_the_rules_severity_begins_to_inhibit) {
  Sim sim(Config("", R"(
inhibit_rules:
- {source_matchers: [severity=P1], target_matchers: [severity=P3]}
incident_policies:
- name: climb
  matchers: [alertname=Lag]
  ladder: {steps: [{after: 10m, severity: P1}]}
)"));
  sim.At(seconds(0)).Fire(Labels({{"alertname", "Lag"}, {"model", "a"}, {"severity", "P2"}}));
  sim.At(minutes(11)).Fire(Labels({{"alertname", "Slow"}, {"model", "b"}, {"severity", "P3"}}));
  sim.At(minutes(30));
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Lag:P2",
                    "+10m web/webhook[0] severity raised firing=Lag:P1"});
}

BOOST_AUTO_TEST_CASE(a_reload_and_a_restart_find_the_sources_again) {
  Sim sim(kPlain);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(1));
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Down"});
  sim.Reload(kInhibit);
  sim.Fire(kDrift);
  sim.At(minutes(2)).Restart();
  sim.At(minutes(20));
  ExpectHeard(sim, {});
  sim.Reload(kPlain);
  sim.At(minutes(22));
  ExpectHeard(sim, {"+20m web/webhook[0] first notification firing=Drift"});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(route_intervals)

const std::string kNights = R"(
time_intervals:
- name: first-hour
  time_intervals: [{times: [{start_time: '00:00', end_time: '01:00'}]}]
- name: thursdays
  time_intervals: [{weekdays: [thursday]}]
- name: fridays
  time_intervals: [{weekdays: [friday], location: 'Europe/Berlin'}]
)";

BOOST_AUTO_TEST_CASE(the_first_tick_after_a_mute_window_tells) {
  Sim sim(Config("  routes: [{receiver: web, mute_time_intervals: [first-hour]}]", kNights));
  sim.At(minutes(2)).Fire(kDrift);
  sim.At(minutes(30));
  BOOST_REQUIRE(sim.engine().ListGroups(sim.now()).size() == 1U);
  BOOST_TEST(sim.engine().ListGroups(sim.now())[0].muted_by == std::vector<std::string>{"first-hour"},
             boost::test_tools::per_element());
  sim.At(hours(2));
  ExpectHeard(sim, {"+1h2m30s web/webhook[0] first notification firing=Drift"});
  BOOST_TEST(sim.engine().ListGroups(sim.now())[0].muted_by.empty());
  BOOST_TEST(sim.engine().muter().Suppressed(MuteReason::kMuteTimeInterval) == 12U);
}

BOOST_AUTO_TEST_CASE(what_fires_and_resolves_within_the_window_is_never_told) {
  Sim sim(Config("  routes: [{receiver: web, mute_time_intervals: [first-hour]}]", kNights));
  sim.At(minutes(2)).Fire(kDrift);
  sim.At(minutes(20)).Resolve(kDrift);
  sim.At(hours(3));
  ExpectHeard(sim, {});
}

BOOST_AUTO_TEST_CASE(outside_of_its_active_intervals_a_route_says_nothing) {
  Sim sim(Config("  routes: [{receiver: web, active_time_intervals: [fridays]}]", kNights));
  sim.At(hours(1)).Fire(kDrift);
  sim.At(hours(22));
  BOOST_TEST(sim.engine().ListGroups(sim.now())[0].muted_by == std::vector<std::string>{"fridays"},
             boost::test_tools::per_element());
  sim.At(hours(24));
  // Friday begins in Berlin at 23:00 UTC.
  ExpectHeard(sim, {"+23h30s web/webhook[0] first notification firing=Drift"});
}

BOOST_AUTO_TEST_CASE(a_child_route_does_not_inherit_the_windows_of_its_parent) {
  Sim sim(
      Config("  routes: [{matchers: [alertname=Drift], receiver: web, mute_time_intervals: [thursdays],\n"
             "            routes: [{matchers: [model=churn-v4], receiver: web}]}]",
             kNights));
  sim.At(seconds(0)).Fire(kDrift);
  sim.Fire(kDrift.With("model", "other"));
  sim.At(hours(1));
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Drift"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
