// What people do with an incident, told as stories: the transition table of states, and who hears what.
#include <boost/test/unit_test.hpp>

#include "incidents/ladder.h"
#include "support/expect.h"
#include "support/sim.h"

namespace mlalert::testing {
namespace {

const std::string kConfig = R"(
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
incidents: {identity: [alertname, model], reopen_window: 30m, resolve_hold: 6h}
incident_policies:
- name: page
  matchers: ['severity=~"P0|P1"']
  cooldown: 0s
- name: climb
  cooldown: 0s
  ladder:
    steps: [{after: 15m, severity: P3}, {after: 30m, severity: P2}, {after: 60m, severity: P1}]
)";

const LabelSet kDown = Labels({{"alertname", "Down"}, {"model", "m"}, {"severity", "P1"}});
const LabelSet kDrift = Labels({{"alertname", "Drift"}, {"model", "m"}, {"severity", "P3"}});

ErrorCode Refused(Sim& sim, IncidentAction action) {
  Effects fx;
  auto result = sim.engine().Act(action, sim.now(), fx);
  BOOST_TEST(!result);
  BOOST_TEST(fx.empty());
  return result ? ErrorCode::kInternal : result.error().code;
}

BOOST_AUTO_TEST_SUITE(transitions)

BOOST_AUTO_TEST_CASE(firing_again_while_open_changes_nothing) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(5)).Fire(kDown);
  BOOST_TEST(sim.IncidentOf(kDown).id == 1);
  BOOST_TEST(sim.IncidentOf(kDown).episode_count == 1);
  sim.At(hours(4) - seconds(1));
  ExpectHeard(sim, {"+0s page/pagerduty[0] first notification firing=Down:P1"});
  ExpectLines(sim.Events(1), {"opened", "response_breached nobody acted on P1 by 2026-01-01T01:00:00.000Z"});
}

BOOST_AUTO_TEST_CASE(a_more_severe_alert_raises_an_open_incident_and_tells_its_new_route) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDrift);
  int64_t generation = sim.IncidentOf(kDrift).generation;
  sim.At(minutes(1) + seconds(5)).Fire(kDrift.With("severity", "P1"));
  BOOST_TEST(sim.IncidentOf(kDrift).id == 1);
  BOOST_TEST(sim.IncidentOf(kDrift).generation > generation);
  ExpectHeard(sim, {"+0s mail/webhook[0] first notification firing=Drift:P3",
                    "+1m5s page/pagerduty[0] first notification firing=Drift:P1,Drift:P1"});
}

BOOST_AUTO_TEST_CASE(a_more_severe_alert_reopens_an_acknowledged_incident) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDrift);
  sim.Ack(1);
  sim.At(minutes(2)).Fire(kDrift.With("severity", "P0"));
  BOOST_TEST((sim.IncidentOf(kDrift).state == IncidentState::kOpen));
  ExpectLines(sim.Events(1), {"opened", "acknowledged", "raised P3->P0 source"});
}

BOOST_AUTO_TEST_CASE(unacknowledging_tells_those_who_were_told) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(2)).Ack(1);
  sim.At(minutes(7)).Unack(1, "bob");
  ExpectHeard(sim, {"+0s page/pagerduty[0] first notification firing=Down:P1",
                    "+2m page/pagerduty[0] acknowledged firing=Down:P1 by=alice",
                    "+7m page/pagerduty[0] unacknowledged firing=Down:P1"});
  sim.At(minutes(30));
  ExpectHeard(sim, {});
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_that_expires_tells_those_who_were_told) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(2)).Ack(1, "alice", minutes(60));
  sim.At(hours(2));
  ExpectHeard(sim, {"+0s page/pagerduty[0] first notification firing=Down:P1",
                    "+2m page/pagerduty[0] acknowledged firing=Down:P1 by=alice",
                    "+1h2m page/pagerduty[0] unacknowledged firing=Down:P1"});
  ExpectLines(sim.Events(1),
              {"opened", "acknowledged", "acknowledgement_expired acknowledgement by alice expired"});
}

BOOST_AUTO_TEST_CASE(an_expiry_during_a_restart_is_told_after_it) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(2)).Ack(1, "alice", minutes(60));
  sim.TakeHeard();
  sim.At(minutes(50)).Restart(minutes(30));
  ExpectHeard(sim, {"+1h20m page/pagerduty[0] unacknowledged firing=Down:P1"});
}

BOOST_AUTO_TEST_CASE(a_snooze_is_silent_and_ends_open_with_the_remaining_clock) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(20)).Snooze(1, hours(2));
  ExpectHeard(sim, {"+0s mail/webhook[0] first notification firing=Drift:P3"});
  sim.At(minutes(139));
  ExpectHeard(sim, {});
  BOOST_TEST((sim.IncidentOf(kDrift).severity == Severity::kP3));
  sim.At(minutes(149));
  ExpectHeard(sim, {"+2h20m mail/webhook[0] unacknowledged firing=Drift:P3"});
  sim.At(minutes(150));  // 20 minutes before it, 10 after
  BOOST_TEST((sim.IncidentOf(kDrift).severity == Severity::kP2));
  ExpectLines(sim.Events(1),
              {"opened", "snoozed ->2026-01-01T02:20:00.000Z", "snooze_ended", "raised P3->P2 age"});
}

BOOST_AUTO_TEST_CASE(what_was_acknowledged_and_snoozed_comes_back_open) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  sim.Ack(1);
  sim.At(minutes(1)).Snooze(1, minutes(30));
  BOOST_TEST((sim.IncidentOf(kDown).state == IncidentState::kAcknowledged));
  sim.At(minutes(32));
  BOOST_TEST((sim.IncidentOf(kDown).state == IncidentState::kOpen));
  BOOST_TEST(sim.IncidentOf(kDown).care->ack == nullptr);
  ExpectHeard(sim, {"+0s page/pagerduty[0] first notification firing=Down:P1",
                    "+0s page/pagerduty[0] acknowledged firing=Down:P1 by=alice",
                    "+31m page/pagerduty[0] unacknowledged firing=Down:P1"});
}

BOOST_AUTO_TEST_CASE(snoozing_again_moves_the_end_and_acknowledging_cancels_it) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  sim.Snooze(1, hours(1));
  sim.At(minutes(10)).Snooze(1, hours(3));
  BOOST_TEST((sim.IncidentOf(kDown).care->snoozed_until == sim.now() + hours(3)));
  sim.At(minutes(20)).Ack(1);
  BOOST_TEST(!IsSnoozed(sim.IncidentOf(kDown)));
  sim.At(hours(4) - minutes(1));
  BOOST_TEST((sim.IncidentOf(kDown).state == IncidentState::kAcknowledged));
}

BOOST_AUTO_TEST_CASE(unacknowledging_wakes_a_snoozed_incident) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  sim.Snooze(1, hours(1));
  sim.At(minutes(10)).Unack(1);
  BOOST_TEST(!IsSnoozed(sim.IncidentOf(kDown)));
  ExpectHeard(sim, {"+0s page/pagerduty[0] first notification firing=Down:P1",
                    "+10m page/pagerduty[0] unacknowledged firing=Down:P1"});
}

BOOST_AUTO_TEST_CASE(a_snoozed_incident_that_clears_resolves_and_tells_it) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  sim.Snooze(1, hours(1));
  sim.At(minutes(10)).Resolve(kDown);
  sim.At(hours(3));
  ExpectHeard(sim, {"+0s page/pagerduty[0] first notification firing=Down:P1",
                    "+11m page/pagerduty[0] all alerts resolved resolved=Down"});
}

BOOST_AUTO_TEST_CASE(a_raise_from_the_source_ends_a_snooze) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDrift);
  sim.Snooze(1, hours(5));
  sim.At(minutes(5)).Fire(kDrift.With("severity", "P1"));
  BOOST_TEST(!IsSnoozed(sim.IncidentOf(kDrift)));
  ExpectHeard(sim, {"+0s mail/webhook[0] first notification firing=Drift:P3",
                    "+5m page/pagerduty[0] first notification firing=Drift:P1,Drift:P1"});
}

BOOST_AUTO_TEST_CASE(resolved_by_hand_it_stays_so_while_it_fires_and_opens_on_the_next_edge) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(5)).ResolveByHand(1);
  ExpectHeard(sim, {"+0s page/pagerduty[0] first notification firing=Down:P1",
                    "+5m page/pagerduty[0] all alerts resolved resolved=Down"});
  sim.At(minutes(6)).Fire(kDown);  // the next poll
  sim.At(hours(2));
  ExpectHeard(sim, {});
  BOOST_TEST((sim.IncidentOf(kDown).state == IncidentState::kResolved));
  sim.Resolve(kDown);
  sim.At(hours(2) + minutes(5));
  ExpectHeard(sim, {});  // they know already
  sim.At(hours(2) + minutes(10)).Fire(kDown);
  sim.At(hours(2) + minutes(12));
  ExpectHeard(sim, {"+2h10m page/pagerduty[0] first notification firing=Down:P1"});
  BOOST_TEST(sim.IncidentOf(kDown).id == 1);
  ExpectLines(sim.Events(1), {"opened", "resolved", "cleared condition", "reopened"});
}

BOOST_AUTO_TEST_CASE(resolved_by_hand_it_opens_again_when_the_hold_is_over_and_it_fires_still) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(5)).ResolveByHand(1, hours(1));
  sim.TakeHeard();
  sim.At(hours(3));
  ExpectHeard(sim, {"+1h5m page/pagerduty[0] first notification firing=Down:P1"});
  BOOST_TEST((sim.IncidentOf(kDown).state == IncidentState::kOpen));
  BOOST_TEST(sim.IncidentOf(kDown).reopen_count == 1);
}

BOOST_AUTO_TEST_CASE(a_hold_survives_a_restart) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(5)).ResolveByHand(1, hours(1));
  sim.TakeHeard();
  sim.At(minutes(20)).Restart(minutes(1));
  sim.At(minutes(64));
  ExpectHeard(sim, {});
  BOOST_TEST((sim.engine().FindIncident(1)->state == IncidentState::kResolved));
  sim.At(minutes(65));
  ExpectHeard(sim, {"+1h5m page/pagerduty[0] first notification firing=Down:P1"});
}

BOOST_AUTO_TEST_CASE(fires_again_within_the_reopen_window_or_after_it) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(5)).Resolve(kDown);
  sim.At(minutes(35)).Fire(kDown);
  BOOST_TEST(sim.IncidentOf(kDown).id == 1);
  BOOST_TEST(sim.IncidentOf(kDown).reopen_count == 1);
  sim.At(minutes(40)).Resolve(kDown);
  sim.At(minutes(71)).Fire(kDown);
  BOOST_TEST(sim.IncidentOf(kDown).id == 2);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(by_hand)

BOOST_AUTO_TEST_CASE(a_raise_moves_it_to_the_new_route_at_once_and_ends_an_acknowledgement) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(2)).Ack(1);
  sim.TakeHeard();
  sim.At(minutes(3)).Raise(1, Severity::kP0);
  ExpectHeard(sim, {"+3m page/pagerduty[0] first notification firing=Drift:P0"});
  BOOST_TEST((sim.IncidentOf(kDrift).state == IncidentState::kOpen));
}

BOOST_AUTO_TEST_CASE(a_raise_works_without_a_policy_and_a_severity) {
  Sim sim(R"(
route: {receiver: mail, group_wait: 0s, routes: [{matchers: ['severity="P1"'], receiver: page}]}
receivers:
- {name: mail, webhook_configs: [{url: "http://127.0.0.1:9/mail"}]}
- {name: page, pagerduty_configs: [{routing_key: k, url: "http://127.0.0.1:9/pd"}]}
)");
  sim.At(seconds(0)).Fire(Labels({{"alertname", "X"}}));
  sim.At(minutes(3)).Raise(1, Severity::kP1);
  ExpectHeard(sim, {"+0s mail/webhook[0] first notification firing=X",
                    "+3m page/pagerduty[0] first notification firing=X:P1"});
}

BOOST_AUTO_TEST_CASE(lowering_moves_it_away_and_the_ladder_goes_on_from_that_rung) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(60));
  BOOST_TEST((sim.IncidentOf(kDrift).severity == Severity::kP1));
  sim.At(minutes(61)).Lower(1, Severity::kP2);
  sim.TakeHeard();
  BOOST_TEST((sim.IncidentOf(kDrift).severity == Severity::kP2));
  sim.At(minutes(90));
  BOOST_TEST((sim.IncidentOf(kDrift).severity == Severity::kP2));
  sim.At(minutes(91));  // thirty minutes from P2 to P1
  BOOST_TEST((sim.IncidentOf(kDrift).severity == Severity::kP1));
  ExpectHeard(sim, {"+1h31m page/pagerduty[0] severity raised firing=Drift:P1"});
}

BOOST_AUTO_TEST_CASE(what_was_lowered_rises_again_only_for_worse_than_its_labels_said) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(1)).Lower(1, Severity::kP3);
  BOOST_TEST(sim.engine().ListAlerts().at(0).effective.Get("severity") == "P3");
  sim.At(minutes(2)).Fire(kDown.With("instance", "b"));
  BOOST_TEST((sim.IncidentOf(kDown).severity == Severity::kP3));
  sim.At(minutes(3)).Fire(kDown.With("severity", "P0"));
  BOOST_TEST((sim.IncidentOf(kDown).severity == Severity::kP0));
}

BOOST_AUTO_TEST_CASE(lowering_survives_a_restart) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(1)).Lower(1, Severity::kP3);
  sim.TakeHeard();
  sim.At(minutes(10)).Restart(minutes(1));
  BOOST_TEST((sim.IncidentOf(kDown).severity == Severity::kP3));
  BOOST_TEST(sim.engine().ListAlerts().at(0).effective.Get("severity") == "P3");
  ExpectHeard(sim, {});
}

BOOST_AUTO_TEST_CASE(equal_state_is_no_event) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  sim.Unack(1);
  BOOST_TEST(!sim.changed());
  sim.Ack(1, "alice");
  BOOST_TEST(sim.changed());
  size_t records = sim.records_written();
  sim.Ack(1, "alice");
  BOOST_TEST(!sim.changed());
  sim.Act(ActionKind::kAcknowledge, 1, [](IncidentAction& a) {
    a.actor = {"Alice A.", "pagerduty", "PXYZ"};
  });
  BOOST_TEST(!sim.changed());
  sim.Raise(1, Severity::kP1).Lower(1, Severity::kP1);
  sim.Act(ActionKind::kAssign, 1, [](IncidentAction&) {});
  BOOST_TEST(sim.records_written() == records);
  sim.ResolveByHand(1);
  sim.ResolveByHand(1);
  BOOST_TEST(!sim.changed());
}

BOOST_AUTO_TEST_CASE(somebody_else_takes_over) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  sim.Ack(1, "alice").Ack(1, "bob");
  BOOST_TEST(sim.IncidentOf(kDown).care->ack->by == "bob");
}

BOOST_AUTO_TEST_CASE(events_say_who_from_where_and_at_which_generation) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  sim.Act(ActionKind::kComment, 1, [](IncidentAction& a) {
    a.actor = {"carol", "slack", "U123"};
    a.reason = "looking";
  });
  sim.Act(ActionKind::kAssign, 1, [](IncidentAction& a) { a.assignee = "dave"; });
  BOOST_TEST(sim.IncidentOf(kDown).care->assignee == "dave");
  ExpectLines(sim.Events(1), {"opened", "commented looking", "assigned ->dave"});
  std::vector<EventRecord> events;
  for (const Record& record : sim.journal()) {
    if (const auto* event = std::get_if<EventRecord>(&record)) {
      events.push_back(*event);
    }
  }
  BOOST_TEST((events.at(1).actor == "carol" && events.at(1).via == "slack" &&
              events.at(1).address == "U123" && events.at(1).actor_kind == "human" &&
              events.at(1).generation == 1));
  BOOST_TEST(events.at(2).generation == 2);
}

BOOST_AUTO_TEST_CASE(what_was_offered_before_it_opened_anew_cannot_act_on_it) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  const int64_t offered = sim.IncidentOf(kDown).generation;
  sim.Raise(1, Severity::kP0);  // the button on the old message still means this trouble
  sim.Act(ActionKind::kAcknowledge, 1, [&](IncidentAction& a) { a.generation = offered; });
  sim.At(minutes(1)).Resolve(kDown);
  sim.At(minutes(2)).Fire(kDown);
  IncidentAction late;
  late.incident_id = 1;
  late.actor.name = "alice";
  late.generation = offered;
  BOOST_TEST((Refused(sim, late) == ErrorCode::kConflict));
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  IncidentAction action;
  action.incident_id = 1;
  action.actor.name = "alice";
  action.kind = ActionKind::kSnooze;
  action.until = sim.now();
  BOOST_TEST((Refused(sim, action) == ErrorCode::kInvalid));
  action.until = sim.now() + hours(24 * 8);
  BOOST_TEST((Refused(sim, action) == ErrorCode::kInvalid));
  action.kind = ActionKind::kRaise;
  action.severity = Severity::kP2;
  BOOST_TEST((Refused(sim, action) == ErrorCode::kConflict));
  action.kind = ActionKind::kLower;
  action.severity = Severity::kP0;
  BOOST_TEST((Refused(sim, action) == ErrorCode::kConflict));
  action.kind = ActionKind::kComment;
  BOOST_TEST((Refused(sim, action) == ErrorCode::kInvalid));
  sim.Resolve(kDown);
  for (ActionKind kind : {ActionKind::kAcknowledge, ActionKind::kUnacknowledge, ActionKind::kSnooze}) {
    action.kind = kind;
    action.until = sim.now() + hours(1);
    BOOST_TEST((Refused(sim, action) == ErrorCode::kConflict));
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(queued_pages)

BOOST_AUTO_TEST_CASE(acting_ends_a_page_that_waits_for_its_retry_in_the_same_step) {
  for (ActionKind kind : {ActionKind::kAcknowledge, ActionKind::kSnooze, ActionKind::kResolve}) {
    Sim sim(kConfig);
    sim.Answer("page/pagerduty[0]", {DeliveryVerdict::kRetry});
    sim.At(seconds(0)).Fire(kDown);
    size_t before = sim.journal().size();
    sim.Act(kind, 1, [&](IncidentAction& a) { a.until = sim.now() + hours(1); });
    bool cancelled = false;
    for (size_t i = before; i < sim.journal().size(); ++i) {
      const auto* attempt = std::get_if<NotificationRecord>(&sim.journal()[i]);
      cancelled = cancelled || (attempt != nullptr && attempt->outcome == "cancelled");
    }
    BOOST_TEST(cancelled);
    sim.At(minutes(30));
    BOOST_TEST(sim.attempts() == 1U);
    ExpectHeard(sim, {});
  }
}

BOOST_AUTO_TEST_CASE(a_page_in_a_lane_is_marked_and_not_tried_again) {
  Sim sim(kConfig);
  sim.Hang("page/pagerduty[0]");
  sim.At(seconds(0)).Fire(kDown);
  sim.Ack(1);
  sim.Hang("page/pagerduty[0]", false).ReleaseHung("page/pagerduty[0]", DeliveryVerdict::kRetry);
  sim.At(minutes(5));
  BOOST_TEST(sim.attempts() == 1U);
}

BOOST_AUTO_TEST_CASE(lowering_ends_a_page_that_waits) {
  Sim sim(kConfig);
  sim.Answer("page/pagerduty[0]", {DeliveryVerdict::kRetry});
  sim.At(seconds(0)).Fire(kDown);
  sim.Lower(1, Severity::kP3);
  sim.At(minutes(5));
  ExpectHeard(sim, {"+0s mail/webhook[0] first notification firing=Down:P3"});
}

BOOST_AUTO_TEST_CASE(a_page_about_another_incident_as_well_goes_on) {
  Sim both(R"(
route: {receiver: page, group_by: [model], group_wait: 30s}
receivers: [{name: page, pagerduty_configs: [{routing_key: k, url: "http://127.0.0.1:9/pd"}]}]
incident_policies: [{name: all}]
)");
  both.Answer("page/pagerduty[0]", {DeliveryVerdict::kRetry});
  both.At(seconds(0)).Fire(kDown).Fire(kDrift);
  both.At(seconds(30)).Ack(1);
  both.At(minutes(1));
  BOOST_TEST(both.heard().at(0).firing.size() == 2U);  // of them one still waits for somebody
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
