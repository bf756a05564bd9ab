// Progressive severity, acknowledgement, cooldown and reopening, told as stories on simulated time.
#include <boost/test/unit_test.hpp>

#include "incidents/ladder.h"
#include "support/expect.h"
#include "support/sim.h"

namespace mlalert::testing {
namespace {

const std::string kLadder = R"(
route:
  receiver: mail
  group_by: [model]
  group_wait: 0s
  group_interval: 1m
  repeat_interval: 4h
  routes:
  - matchers: ['severity=~"P0|P1"']
    receiver: page
  - matchers: ['severity="P2"']
    receiver: slack
receivers:
- {name: mail, webhook_configs: [{url: "http://127.0.0.1:9/mail"}]}
- {name: slack, slack_configs: [{api_url: "http://127.0.0.1:9/slack", channel: "#ml", send_resolved: true}]}
- {name: page, pagerduty_configs: [{routing_key: k, url: "http://127.0.0.1:9/pd"}]}
incidents: {identity: [alertname, env, model, pipeline], reopen_window: 30m}
incident_policies:
- name: page
  matchers: ['severity=~"P0|P1"']
  cooldown: 15m
- name: climb
  cooldown: 30m
  ladder:
    steps: [{after: 15m, severity: P3}, {after: 30m, severity: P2}, {after: 60m, severity: P1}]
    quiet_before_first_step: true
)";

const LabelSet kDrift = Labels({{"alertname", "Drift"}, {"model", "churn-v4"}, {"severity", "P3"}});

Severity SeverityOf(Sim& sim) {
  return sim.IncidentOf(kDrift).severity;
}

BOOST_AUTO_TEST_SUITE(ladder)

BOOST_AUTO_TEST_CASE(severity_rises_at_the_exact_rungs_while_nobody_acts) {
  Sim sim(kLadder);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(15) - seconds(1));
  BOOST_TEST(IsQuiet(sim.IncidentOf(kDrift)));
  ExpectHeard(sim, {});
  sim.At(minutes(15));
  BOOST_TEST((SeverityOf(sim) == Severity::kP3));
  sim.At(minutes(30) - seconds(1));
  BOOST_TEST((SeverityOf(sim) == Severity::kP3));
  sim.At(minutes(30));
  BOOST_TEST((SeverityOf(sim) == Severity::kP2));
  sim.At(minutes(60));
  BOOST_TEST((SeverityOf(sim) == Severity::kP1));
  ExpectHeard(sim, {"+15m mail/webhook[0] first notification firing=Drift:P3",
                    "+30m slack/slack[0] first notification firing=Drift:P2",
                    "+1h page/pagerduty[0] first notification firing=Drift:P1"});
  sim.At(hours(3));
  BOOST_TEST((SeverityOf(sim) == Severity::kP1));
}

BOOST_AUTO_TEST_CASE(every_receiver_that_was_told_hears_the_resolve) {
  Sim sim(kLadder);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(61));
  sim.TakeHeard();
  sim.At(minutes(62) - seconds(1)).Resolve(kDrift);
  sim.At(minutes(65));
  ExpectHeard(sim, {"+1h2m mail/webhook[0] all alerts resolved resolved=Drift",
                    "+1h2m slack/slack[0] all alerts resolved resolved=Drift",
                    "+1h2m page/pagerduty[0] all alerts resolved resolved=Drift"});
}

BOOST_AUTO_TEST_CASE(old_receivers_get_no_repeats_after_a_raise) {
  Sim sim(kLadder);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(61));
  sim.TakeHeard();
  sim.At(hours(10));
  ExpectHeard(sim, {"+5h1m page/pagerduty[0] repeat interval elapsed firing=Drift:P1",
                    "+9h2m page/pagerduty[0] repeat interval elapsed firing=Drift:P1"});
}

BOOST_AUTO_TEST_CASE(acknowledging_freezes_the_clock_and_unacknowledging_carries_it_on) {
  Sim sim(kLadder);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(20)).Ack(1);
  sim.At(minutes(50));
  BOOST_TEST((SeverityOf(sim) == Severity::kP3));
  sim.Unack(1);
  sim.At(minutes(60) - seconds(1));
  BOOST_TEST((SeverityOf(sim) == Severity::kP3));
  sim.At(minutes(60));
  BOOST_TEST((SeverityOf(sim) == Severity::kP2));  // clock 30
  sim.At(minutes(90) - seconds(1));
  BOOST_TEST((SeverityOf(sim) == Severity::kP2));
  sim.At(minutes(90));
  BOOST_TEST((SeverityOf(sim) == Severity::kP1));  // clock 60
}

BOOST_AUTO_TEST_CASE(a_process_that_was_down_raises_straight_to_the_rung_reached_with_one_message) {
  Sim sim(kLadder);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(10)).Restart(minutes(60));
  BOOST_TEST((SeverityOf(sim) == Severity::kP1));
  ExpectHeard(sim, {"+1h10m page/pagerduty[0] first notification firing=Drift:P1"});
  ExpectLines(sim.Events(1), {"opened", "raise_skipped ->P3 skipped_while_down",
                              "raise_skipped ->P2 skipped_while_down", "raised P3->P1 age"});
}

BOOST_AUTO_TEST_CASE(a_p0_never_rides_the_ladder_and_is_told_at_once) {
  Sim sim(kLadder);
  sim.At(seconds(0)).Fire(Labels({{"alertname", "Down"}, {"model", "m"}, {"severity", "P0"}}));
  ExpectHeard(sim, {"+0s page/pagerduty[0] first notification firing=Down:P0"});
}

BOOST_AUTO_TEST_CASE(a_reopened_incident_keeps_its_age) {
  Sim sim(kLadder);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(20)).Resolve(kDrift);
  sim.At(minutes(30)).Fire(kDrift);
  sim.At(minutes(40));
  BOOST_TEST((SeverityOf(sim) == Severity::kP2));  // 20 + 10 minutes open
  BOOST_TEST(sim.IncidentOf(kDrift).id == 1);
  BOOST_TEST(sim.IncidentOf(kDrift).reopen_count == 1);
}

BOOST_AUTO_TEST_CASE(after_the_reopen_window_it_is_a_new_incident_with_a_new_clock) {
  Sim sim(kLadder);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(20)).Resolve(kDrift);
  sim.At(minutes(51)).Fire(kDrift);
  BOOST_TEST(sim.IncidentOf(kDrift).id == 2);
  sim.At(minutes(51 + 29));
  BOOST_TEST((SeverityOf(sim) == Severity::kP3));
}

BOOST_AUTO_TEST_CASE(an_incident_that_clears_before_the_first_rung_tells_nobody) {
  Sim sim(kLadder);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(14)).Resolve(kDrift);
  sim.At(hours(2));
  ExpectHeard(sim, {});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(acknowledge)

const LabelSet kDown = Labels({{"alertname", "Down"}, {"model", "m"}, {"severity", "P0"}});

BOOST_AUTO_TEST_CASE(the_told_hear_who_took_it_and_nobody_is_paged_again_until_it_resolves) {
  Sim sim(kLadder);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(3)).Ack(1, "alice");
  sim.At(hours(12) - seconds(1)).Resolve(kDown);
  sim.At(hours(13));
  ExpectHeard(sim, {"+0s page/pagerduty[0] first notification firing=Down:P0",
                    "+3m page/pagerduty[0] acknowledged firing=Down:P0 by=alice",
                    "+12h page/pagerduty[0] all alerts resolved resolved=Down"});
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_before_anybody_was_told_keeps_it_silent) {
  Sim sim(kLadder);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(5)).Ack(1);
  sim.At(hours(2));
  ExpectHeard(sim, {});
}

BOOST_AUTO_TEST_CASE(it_expires_and_the_ladder_goes_on) {
  Sim sim(kLadder);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(16)).Ack(1, "alice", minutes(60));
  sim.At(minutes(76));
  BOOST_TEST((sim.IncidentOf(kDrift).state == IncidentState::kOpen));
  sim.At(minutes(90) - seconds(1));
  BOOST_TEST((SeverityOf(sim) == Severity::kP3));
  sim.At(minutes(90));
  BOOST_TEST((SeverityOf(sim) == Severity::kP2));
}

BOOST_AUTO_TEST_CASE(a_retry_that_waits_is_cancelled_by_an_acknowledgement) {
  Sim sim(kLadder);
  sim.Answer("page/pagerduty[0]", {DeliveryVerdict::kRetry});
  sim.At(seconds(0)).Fire(kDown);
  sim.Ack(1);
  sim.At(seconds(50));
  ExpectHeard(sim, {});
  BOOST_TEST(sim.attempts() == 1U);
}

BOOST_AUTO_TEST_CASE(worse_trouble_from_the_source_takes_the_acknowledgement_back) {
  Sim sim(kLadder);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(16)).Ack(1);
  sim.At(minutes(17)).Fire(kDrift.With("severity", "P1"));
  BOOST_TEST((SeverityOf(sim) == Severity::kP1));
  BOOST_TEST((sim.IncidentOf(kDrift).state == IncidentState::kOpen));
}

BOOST_AUTO_TEST_CASE(unknown_and_resolved_incidents_cannot_be_acknowledged) {
  Sim sim(kLadder);
  Effects fx;
  IncidentAction action;
  action.incident_id = 77;
  BOOST_TEST((sim.engine().Act(action, sim.now(), fx).error().code == ErrorCode::kNotFound));
  sim.At(seconds(0)).Fire(kDown);
  sim.Resolve(kDown);
  action.incident_id = 1;
  BOOST_TEST((sim.engine().Act(action, sim.now(), fx).error().code == ErrorCode::kConflict));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(cooldown)

const LabelSet kDown = Labels({{"alertname", "Down"}, {"model", "m"}, {"severity", "P1"}});

BOOST_AUTO_TEST_CASE(a_refire_within_the_cooldown_is_held_until_it_ends) {
  Sim sim(kLadder);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(2) - seconds(1)).Resolve(kDown);
  sim.At(minutes(5)).Fire(kDown);
  sim.At(minutes(14));
  ExpectHeard(sim, {"+0s page/pagerduty[0] first notification firing=Down:P1",
                    "+2m page/pagerduty[0] all alerts resolved resolved=Down"});
  sim.At(minutes(30));
  ExpectHeard(sim, {"+15m page/pagerduty[0] first notification firing=Down:P1"});
}

BOOST_AUTO_TEST_CASE(a_refire_that_clears_within_the_cooldown_is_never_told) {
  Sim sim(kLadder);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(2) - seconds(1)).Resolve(kDown);
  sim.At(minutes(5)).Fire(kDown);
  sim.At(minutes(9)).Resolve(kDown);
  sim.At(hours(1));
  ExpectHeard(sim, {"+0s page/pagerduty[0] first notification firing=Down:P1",
                    "+2m page/pagerduty[0] all alerts resolved resolved=Down"});
}

BOOST_AUTO_TEST_CASE(it_never_hides_a_raise) {
  Sim sim(kLadder);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(2) - seconds(1)).Resolve(kDown);
  sim.At(minutes(5)).Fire(kDown.With("severity", "P0"));
  ExpectHeard(sim, {"+0s page/pagerduty[0] first notification firing=Down:P1",
                    "+2m page/pagerduty[0] all alerts resolved resolved=Down",
                    "+5m page/pagerduty[0] first notification firing=Down:P0"});
}

BOOST_AUTO_TEST_CASE(a_receiver_that_could_not_be_reached_is_not_held_by_what_another_heard) {
  Sim sim(R"(
route:
  receiver: both
  group_by: [model]
  group_wait: 0s
  group_interval: 1m
receivers:
- name: both
  webhook_configs: [{url: "http://127.0.0.1:9/"}]
  pagerduty_configs: [{routing_key: k, url: "http://127.0.0.1:9/pd"}]
incident_policies: [{name: all, cooldown: 30m}]
)");
  sim.Answer("both/pagerduty[0]", {DeliveryVerdict::kFailed});
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(2));
  ExpectHeard(sim, {"+0s both/webhook[0] first notification firing=Down:P1",
                    "+1m both/pagerduty[0] first notification firing=Down:P1"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
