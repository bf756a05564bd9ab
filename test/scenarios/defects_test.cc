// One regression per defect of the alert manager that this one replaces, as far as engine and incidents go.
#include <boost/test/unit_test.hpp>

#include "support/expect.h"
#include "support/sim.h"

namespace mlalert::testing {
namespace {

const std::string kConfig = R"(
route:
  receiver: slack
  group_by: [alertname, env, model]
  group_wait: 0s
  group_interval: 1m
  repeat_interval: 4h
receivers:
- {name: slack, webhook_configs: [{url: "http://127.0.0.1:9/"}]}
incidents: {identity: [alertname, env, model], reopen_window: 30m}
incident_policies: [{name: all, cooldown: 1h}]
)";

const LabelSet kCost = Labels({{"alertname", "Cost"}, {"env", "prod"}, {"model", "m"}, {"severity", "P2"}});

BOOST_AUTO_TEST_SUITE(defects)

BOOST_AUTO_TEST_CASE(d01_a_gap_of_25_hours_is_not_an_hour) {
  Sim sim(kConfig);
  sim.Fire(kCost).At(minutes(1)).Resolve(kCost).At(minutes(5));
  sim.TakeHeard();
  // 25 hours later the seconds of the day say one hour: within the cooldown, if whole days are dropped.
  sim.At(hours(25) - minutes(30)).Fire(kCost);
  ExpectHeard(sim, {"+1d30m slack/webhook[0] first notification firing=Cost:P2"});
}

BOOST_AUTO_TEST_CASE(d03_a_condition_that_goes_on_keeps_its_incident_its_age_and_its_acknowledgement) {
  Sim sim(kConfig);
  sim.Fire(kCost);
  sim.At(minutes(10)).Ack(1, "alice");
  for (int minute = 11; minute < 300; ++minute) {
    sim.At(minutes(minute)).Fire(kCost);
  }
  Incident incident = sim.IncidentOf(kCost);
  BOOST_TEST(incident.id == 1);
  BOOST_TEST((incident.state == IncidentState::kAcknowledged));
  BOOST_TEST((sim.now() - incident.opened_at == minutes(299)));
  BOOST_TEST(incident.episode_count == 1);
  // Nor does an episode after a short gap mint a new one.
  sim.At(minutes(300)).Resolve(kCost).At(minutes(310)).Fire(kCost);
  BOOST_TEST(sim.IncidentOf(kCost).id == 1);
}

BOOST_AUTO_TEST_CASE(d04_who_was_told_hears_the_resolve) {
  Sim sim(kConfig);
  sim.Fire(kCost).At(minutes(2)).Resolve(kCost).At(minutes(4));
  ExpectHeard(sim, {"+0s slack/webhook[0] first notification firing=Cost:P2",
                    "+3m slack/webhook[0] all alerts resolved resolved=Cost"});
}

BOOST_AUTO_TEST_CASE(d05_a_restart_pages_nobody_again_and_forgets_nothing) {
  Sim sim(kConfig);
  sim.Fire(kCost).At(minutes(3)).Restart(minutes(2)).At(minutes(10));
  ExpectHeard(sim, {"+0s slack/webhook[0] first notification firing=Cost:P2"});
  sim.Resolve(kCost).At(minutes(12));
  ExpectHeard(sim, {"+11m slack/webhook[0] all alerts resolved resolved=Cost"});
  // The cooldown is remembered as well.
  sim.Fire(kCost).Restart().At(minutes(40));
  ExpectHeard(sim, {});
}

BOOST_AUTO_TEST_CASE(d06_two_environments_are_two_incidents) {
  Sim sim(kConfig);
  LabelSet staging = kCost.With("env", "staging");
  sim.Fire(kCost).Fire(staging);
  BOOST_TEST(sim.IncidentOf(kCost).id != sim.IncidentOf(staging).id);
  sim.Resolve(staging);
  BOOST_TEST((sim.IncidentOf(kCost).state == IncidentState::kOpen));
  BOOST_TEST(sim.TakeHeard().size() == 2U);
}

BOOST_AUTO_TEST_CASE(d08_a_failed_send_is_tried_again_and_recorded) {
  Sim sim(kConfig);
  sim.Answer("slack/webhook[0]", {DeliveryVerdict::kRetry, DeliveryVerdict::kFailed});
  sim.Fire(kCost).At(minutes(2));
  ExpectHeard(sim, {"+1m slack/webhook[0] first notification firing=Cost:P2"});
  std::vector<std::string> outcomes;
  for (const Record& record : sim.journal()) {
    if (const auto* attempt = std::get_if<NotificationRecord>(&record)) {
      outcomes.push_back(fmt::format("{} {}", attempt->attempt, attempt->outcome));
    }
  }
  ExpectLines(outcomes, {"1 retrying", "2 failed", "1 sent"});
  std::vector<std::string> events = sim.Events(1);
  BOOST_TEST((std::find(events.begin(), events.end(), "notification_given_up") != events.end()));
}

BOOST_AUTO_TEST_CASE(d09_what_gets_worse_within_its_cooldown_is_told) {
  Sim sim(kConfig);
  sim.Fire(kCost).At(minutes(1)).Resolve(kCost).At(minutes(5)).Fire(kCost);
  sim.TakeHeard();
  sim.At(minutes(10));
  ExpectHeard(sim, {});  // the cooldown holds it back
  sim.Fire(kCost.With("severity", "P1"));
  std::vector<std::string> heard = sim.TakeHeard();
  BOOST_TEST(heard.size() == 1U);
  BOOST_TEST(heard.front().find("Cost:P1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(d09_a_rung_of_the_ladder_is_told_to_who_knows_the_lower_one) {
  Sim sim(R"(
route: {receiver: slack, group_wait: 0s, group_interval: 1m, repeat_interval: 12h}
receivers: [{name: slack, webhook_configs: [{url: "http://127.0.0.1:9/"}]}]
incident_policies:
- {name: climb, cooldown: 24h, ladder: {steps: [{after: 15m, severity: P3}, {after: 30m, severity: P2}, {after: 60m, severity: P1}]}}
)");
  sim.Fire(Labels({{"alertname", "Drift"}, {"severity", "P3"}})).At(hours(3)).Restart().At(hours(4));
  ExpectHeard(sim, {"+0s slack/webhook[0] first notification firing=Drift:P3",
                    "+30m slack/webhook[0] severity raised firing=Drift:P2",
                    "+1h slack/webhook[0] severity raised firing=Drift:P1"});
}

BOOST_AUTO_TEST_CASE(d11_a_budget_that_stays_exceeded_does_not_fire_after_each_cooldown) {
  Sim sim(kConfig);
  sim.Fire(kCost);
  for (int minute = 1; minute <= 12 * 60; ++minute) {
    sim.At(minutes(minute)).Fire(kCost);
  }
  ExpectHeard(sim, {"+0s slack/webhook[0] first notification firing=Cost:P2",
                    "+4h1m slack/webhook[0] repeat interval elapsed firing=Cost:P2",
                    "+8h2m slack/webhook[0] repeat interval elapsed firing=Cost:P2"});
}

// The shipped rule labels each day's budget: the next day's is another incident, whatever is left of a
// cooldown.
BOOST_AUTO_TEST_CASE(d11_the_next_budget_period_is_told_although_the_cooldown_of_the_last_one_runs) {
  Sim sim(R"(
route: {receiver: page, group_by: [alertname, model], group_wait: 0s, group_interval: 1m, repeat_interval: 24h}
receivers: [{name: page, webhook_configs: [{url: 'http://sink/'}]}]
incidents: {identity: [alertname, model, budget_day]}
incident_policies: [{name: cost, cooldown: 24h}]
)");
  const LabelSet monday = LabelSet::From(
      {{"alertname", "Cost"}, {"model", "m"}, {"severity", "P1"}, {"budget_day", "2026-11-23"}});
  sim.Fire(monday).At(hours(1)).Resolve(monday);
  sim.At(hours(3)).Fire(monday.With("budget_day", "2026-11-24"));
  sim.At(hours(4));
  std::vector<std::string> heard = sim.TakeHeard();
  BOOST_REQUIRE(heard.size() == 3U);
  BOOST_TEST(heard[0].starts_with("+0s page/webhook[0] first notification"));
  BOOST_TEST(heard[2].starts_with("+3h"), heard[2]);
  // The same budget that is exceeded again within the cooldown is no news.
  sim.At(hours(5)).Resolve(monday.With("budget_day", "2026-11-24"));
  sim.At(hours(6));
  sim.TakeHeard();
  sim.Fire(monday.With("budget_day", "2026-11-24")).At(hours(7));
  BOOST_TEST(sim.TakeHeard().empty());
}

BOOST_AUTO_TEST_CASE(d11_acknowledged_it_stays_silent_until_it_is_over) {
  Sim sim(kConfig);
  sim.Fire(kCost).At(minutes(1)).Ack(1);
  sim.TakeHeard();
  sim.At(hours(20)).Resolve(kCost).At(hours(21));
  std::vector<std::string> heard = sim.TakeHeard();
  BOOST_TEST(heard.size() == 1U);
}

BOOST_AUTO_TEST_CASE(d12_one_table_says_what_a_severity_label_means) {
  // The words of all conventions lead to one of four severities; nothing else decides.
  struct Case {
    const char* label;
    const char* effective;
  };
  for (const Case& c : {Case{"critical", "P0"}, Case{"page", "P0"}, Case{"HIGH", "P1"}, Case{"error", "P1"},
                        Case{"warning", "P2"}, Case{"Medium", "P2"}, Case{"info", "P3"}, Case{"p2", "P2"},
                        Case{"banana", ""}}) {
    BOOST_TEST_CONTEXT(c.label) {
      Sim sim(kConfig);
      sim.Fire(kCost.With("severity", c.label));
      BOOST_TEST(ToString(sim.engine().ListIncidents().front().severity) == c.effective);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
