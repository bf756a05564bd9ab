// The engine looks at itself: each invariant that breaks is counted and is an alert of its own.
#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "support/sim.h"

namespace mlalert::testing {
namespace {

const std::string kConfig = R"(
route: {receiver: page, group_by: [alertname], group_wait: 0s, group_interval: 1m}
receivers: [{name: page, pagerduty_configs: [{routing_key: k, url: "http://127.0.0.1:9/pd"}]}]
incidents: {identity: [alertname, model]}
incident_policies: [{name: all}]
)";
const LabelSet kDown = Labels({{"alertname", "Down"}, {"model", "m"}, {"severity", "P1"}});
constexpr const char* kPage = "page/pagerduty[0]";

bool Fires(Sim& sim, std::string_view invariant) {
  for (const AlertView& view : sim.engine().ListAlerts()) {
    if (view.alert.name() == "MlalertInvariantBroken" && view.alert.labels.Get("invariant") == invariant) {
      return true;
    }
  }
  return false;
}

uint64_t Breaches(Sim& sim, size_t invariant) {
  return sim.engine().Stats().invariant_breaches[invariant - 1];
}

// Only this one is broken.
void ExpectBroken(Sim& sim, size_t invariant) {
  for (size_t i = 1; i <= kInvariants; ++i) {
    BOOST_TEST_CONTEXT("I" << i) {
      BOOST_TEST((Breaches(sim, i) > 0) == (i == invariant));
      BOOST_TEST(Fires(sim, fmt::format("I{}", i)) == (i == invariant));
    }
  }
}

BOOST_AUTO_TEST_SUITE(audit)

BOOST_AUTO_TEST_CASE(all_is_well) {
  Sim sim(kConfig);
  sim.Fire(kDown).At(hours(1)).Resolve(kDown).At(hours(2));
  ExpectBroken(sim, 0);
  BOOST_TEST(sim.engine().Stats().audits > 100U);
  BOOST_TEST((sim.now() - sim.engine().Stats().last_clean_audit <= minutes(1)));
}

BOOST_AUTO_TEST_CASE(a_message_that_is_neither_sent_nor_given_up) {
  Sim sim(kConfig);
  sim.Hang(kPage).Fire(kDown.With("severity", "P3"));
  sim.At(minutes(5));
  ExpectBroken(sim, 0);
  sim.At(minutes(9));
  ExpectBroken(sim, 2);
}

BOOST_AUTO_TEST_CASE(a_page_that_nobody_has_heard) {
  Sim sim(kConfig);
  sim.Answer(kPage, std::vector(1000, DeliveryVerdict::kFailed)).Fire(kDown);
  sim.At(minutes(9));
  ExpectBroken(sim, 0);
  sim.At(minutes(12));
  ExpectBroken(sim, 3);
  // Every minute until somebody has heard, then the alert about it ends.
  const uint64_t before = Breaches(sim, 3);
  sim.At(minutes(22));
  BOOST_TEST(Breaches(sim, 3) - before == 10U);
  sim.Answer(kPage, {}).At(minutes(45));
  BOOST_TEST(!Fires(sim, "I3"));
}

BOOST_AUTO_TEST_CASE(a_page_that_is_silenced_or_taken_need_not_be_heard) {
  Sim sim(kConfig);
  sim.Answer(kPage, std::vector(1000, DeliveryVerdict::kFailed));
  sim.Silence("model=m", hours(10));
  sim.Fire(kDown).Fire(kDown.With("model", "n"));
  sim.Ack(sim.IncidentOf(kDown.With("model", "n")).id);
  sim.At(hours(1));
  ExpectBroken(sim, 0);
}

BOOST_AUTO_TEST_CASE(a_page_from_before_a_restart_is_watched) {
  Sim sim(kConfig);
  sim.Answer(kPage, std::vector(1000, DeliveryVerdict::kFailed)).Fire(kDown);
  sim.At(minutes(5)).Restart();
  sim.At(minutes(17));
  ExpectBroken(sim, 3);
}

BOOST_AUTO_TEST_CASE(two_open_incidents_of_one_identity) {
  RestoredState state;
  for (IncidentId id : {1, 2}) {
    Incident incident;
    incident.id = id;
    incident.key = incident.labels = kDown;
    incident.opened_at = incident.last_fired_at = incident.last_told_at = FromUnixMillis(1767225500000);
    state.incidents.push_back(incident);
    AlertRecord alert;
    alert.alert.labels = id == 1 ? kDown : kDown.With("instance", "x");
    alert.alert.starts_at = incident.opened_at;
    alert.alert.ends_at = kNever;
    alert.incident_id = id;
    alert.episode_id = id;
    state.alerts.push_back(alert);
  }
  state.next_incident_id = state.next_episode_id = 3;
  Sim sim(kConfig, FromUnixMillis(1767225600000), {}, std::move(state));
  sim.At(minutes(2));
  BOOST_TEST(Breaches(sim, 4) == 2U);  // one too many, at each of two audits
  BOOST_TEST(Fires(sim, "I4"));
  sim.Act(ActionKind::kComment, 2, [](IncidentAction& action) { action.reason = "which one is it?"; });
  sim.At(minutes(3));
  BOOST_TEST(Breaches(sim, 4) == 3U);
  sim.ResolveByHand(1, hours(1));
  sim.At(minutes(5));
  BOOST_TEST(Breaches(sim, 4) == 3U);
  // The other one comes back while its twin is open.
  sim.At(hours(1) + minutes(5));
  BOOST_TEST(Breaches(sim, 4) == 5U);  // since an hour and three minutes
}

BOOST_AUTO_TEST_CASE(a_process_that_stood_still_is_late_and_not_broken) {
  Sim sim(R"(
route: {receiver: page, group_by: [alertname], group_wait: 0s, group_interval: 1m}
receivers: [{name: page, pagerduty_configs: [{routing_key: k, url: "http://127.0.0.1:9/pd"}]}]
incidents: {identity: [alertname, model]}
incident_policies: [{name: all, ladder: {steps: [{after: 30m, severity: P2}, {after: 60m, severity: P1}]}}]
)");
  sim.Fire(kDown.With("severity", "P3")).At(minutes(10));
  sim.Step([](Engine& engine, Timestamp now, Effects& fx) {
    while (!engine.RunDue(now + hours(2), fx)) {
    }
  });
  ExpectBroken(sim, 0);
}

BOOST_AUTO_TEST_CASE(rules_that_are_late) {
  Sim sim(kConfig);
  sim.At(minutes(3)).Step([](Engine& engine, Timestamp, Effects&) { engine.ReportLateRules(2); });
  sim.Step([](Engine& engine, Timestamp, Effects&) { engine.ReportLateRules(0); });
  sim.At(minutes(5));
  ExpectBroken(sim, 6);
  BOOST_TEST(Breaches(sim, 6) == 2U);
  sim.At(minutes(25));
  BOOST_TEST(!Fires(sim, "I6"));
}

BOOST_AUTO_TEST_CASE(a_clock_that_was_set_back) {
  Sim sim(kConfig);
  sim.At(hours(2));
  sim.SetClock(sim.start() + hours(1)).Fire(kDown);
  sim.At(hours(1) + minutes(3));
  ExpectBroken(sim, 7);
  sim.At(hours(1) + minutes(30));
  BOOST_TEST(!Fires(sim, "I7"));
}

BOOST_AUTO_TEST_CASE(without_policies_it_is_a_metric_only) {
  Sim sim(R"(
route: {receiver: page}
receivers: [{name: page, webhook_configs: [{url: "http://127.0.0.1:9/"}]}]
)");
  sim.Step([](Engine& engine, Timestamp, Effects&) { engine.ReportLateRules(1); });
  sim.At(minutes(2));
  BOOST_TEST(Breaches(sim, 6) == 1U);
  BOOST_TEST(!Fires(sim, "I6"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
