// A chain whose steps come due while nobody may be told: they wait, and none is taken unheard.
#include <boost/test/unit_test.hpp>

#include "support/expect.h"
#include "support/plan_lines.h"
#include "support/sim.h"
#include "support/sim_lines.h"

namespace mlalert::testing {
namespace {

const Timestamp kMonday = FromUnixMillis(1767571200000);  // 2026-01-05T00:00:00Z
const LabelSet kDown = Labels({{"alertname", "Down"}, {"model", "m"}, {"severity", "P1"}});
const LabelSet kDrift = Labels({{"alertname", "Drift"}, {"model", "m"}, {"severity", "P3"}});

std::string Config(const std::string& policy, const std::string& more = "") {
  std::string config = R"(
route: {receiver: board, group_by: [model], group_wait: 0s, group_interval: 1m, repeat_interval: 24h}
receivers:
- {name: board, webhook_configs: [{url: "http://127.0.0.1:9/board"}]}
- {name: l1, webhook_configs: [{url: "http://127.0.0.1:9/l1"}]}
- {name: l2, webhook_configs: [{url: "http://127.0.0.1:9/l2"}]}
- {name: last, webhook_configs: [{url: "http://127.0.0.1:9/last"}]}
incidents: {identity: [alertname, model], reopen_window: 30m}
calendars:
- name: office
  time_intervals: [{weekdays: ["monday:friday"], times: [{start_time: "09:00", end_time: "18:00"}]}]
)" + more;
  return config + "incident_policies:\n- {name: p, cooldown: 0s, " + policy + "}\n";
}

const std::string kChain =
    "chain: {steps: [{after: 1m, receivers: [l1]}, {after: 5m, receivers: [l2]}], fallback: [last]}";

BOOST_AUTO_TEST_SUITE(held_chain)

BOOST_AUTO_TEST_CASE(the_fallback_hears_when_the_last_step_has_had_its_time) {
  Sim sim(Config("chain: {steps: [{after: 0m, receivers: [l1]}], fallback: [last]}"), kMonday);
  sim.At(seconds(0)).Fire(kDown).At(hours(5));
  ExpectLines(Paged(sim), {"+0s l1", "+30m last"});
  BOOST_TEST(EventsOf(sim, 1, "chain_exhausted") == 1U);
}

BOOST_AUTO_TEST_CASE(the_fallback_does_not_hear_of_what_somebody_took_in_time) {
  Sim sim(Config("chain: {steps: [{after: 0m, receivers: [l1]}], fallback: [last]}"), kMonday);
  sim.At(seconds(0)).Fire(kDown).At(minutes(29)).Ack(1);
  sim.At(hours(5));
  ExpectLines(Paged(sim), {"+0s l1"});
}

BOOST_AUTO_TEST_CASE(a_silence_delays_the_fallback) {
  Sim sim(Config("chain: {steps: [{after: 0m, receivers: [l1]}], fallback: [last]}"), kMonday);
  sim.At(seconds(0)).Fire(kDown).At(minutes(10)).Silence("model=m", hours(1));
  sim.At(hours(5));
  ExpectLines(Paged(sim), {"+0s l1", "+1h30m last"});
}

BOOST_AUTO_TEST_CASE(a_storm_delays_it_and_swallows_no_step) {
  Sim sim(Config(kChain, "storm: {incidents: 3, within: 5m, quiet: 10m}\n"), kMonday);
  sim.At(seconds(0));
  for (const char* name : {"A", "B", "C", "D"}) {
    sim.Fire(kDown.With("alertname", name));
  }
  const IncidentId id = sim.IncidentOf(kDown.With("alertname", "D")).id;
  BOOST_TEST_REQUIRE(sim.engine().FindIncident(id)->care->parent != 0);
  sim.At(minutes(9));
  BOOST_TEST(Paged(sim).size() <= 2U);  // of the storm's own incident
  BOOST_TEST(EventsOf(sim, id, "escalated") == 0U);
  BOOST_TEST(EventsOf(sim, id, "chain_held") == 1U);
  sim.At(minutes(20));
  BOOST_TEST(EventsOf(sim, id, "escalated") == 2U);
  BOOST_TEST(EventsOf(sim, id, "chain_exhausted") == 0U);
  sim.At(hours(1));
  BOOST_TEST(EventsOf(sim, id, "chain_exhausted") == 1U);
}

BOOST_AUTO_TEST_CASE(business_hours_delay_it_until_they_begin) {
  for (const char* outside : {"defer", "digest"}) {
    Sim sim(Config(kChain + ", business_hours: {calendar: office, outside: " + outside + "}"), kMonday);
    sim.At(hours(1)).Fire(kDrift).At(hours(9) - seconds(1));
    ExpectHeard(sim, {});
    BOOST_TEST(EventsOf(sim, 1, "chain_held") == 1U);
    BOOST_TEST(EventsOf(sim, 1, "escalated") == 0U);
    sim.At(hours(11));
    ExpectLines(Paged(sim), {"+9h l1", "+9h4m l2", "+9h34m last"});
  }
}

BOOST_AUTO_TEST_CASE(what_business_hours_drop_is_paged_when_it_becomes_severe) {
  Sim sim(Config(kChain + ", business_hours: {calendar: office, outside: drop}"), kMonday);
  sim.At(hours(1)).Fire(kDrift).At(hours(10));
  ExpectHeard(sim, {});
  sim.Raise(1, Severity::kP1);
  sim.At(hours(11));
  ExpectLines(Paged(sim), {"+10h1m l1", "+10h5m l2", "+10h35m last"});
}

BOOST_AUTO_TEST_CASE(held_anew_after_somebody_had_it_in_hand_it_says_so_anew) {
  Sim sim(Config(kChain + ", business_hours: {calendar: office}"), kMonday);
  sim.At(hours(1)).Fire(kDrift).At(hours(2)).Ack(1);
  BOOST_TEST(EventsOf(sim, 1, "chain_held") == 1U);
  sim.At(hours(3)).Unack(1).At(hours(4));
  BOOST_TEST(EventsOf(sim, 1, "chain_held") == 2U);
  sim.At(hours(11));
  ExpectLines(Paged(sim), {"+9h l1", "+9h4m l2", "+9h34m last"});
}

BOOST_AUTO_TEST_CASE(a_restart_while_it_waits_loses_no_step) {
  Sim sim(Config(kChain + ", business_hours: {calendar: office}"), kMonday);
  sim.At(hours(1)).Fire(kDrift).At(hours(3)).Restart(hours(1));
  sim.At(hours(11));
  ExpectLines(Paged(sim), {"+9h l1", "+9h4m l2", "+9h34m last"});
}

BOOST_AUTO_TEST_CASE(the_plan_begins_the_chain_anew_with_each_raise_as_it_will_be) {
  const std::string policy =
      "ladder: {steps: [{after: 30m, severity: P2}, {after: 60m, severity: P1}]}, "
      "chain: {steps: [{after: 20m, receivers: [l1]}, {after: 50m, receivers: [l2], severities: [P1]}], "
      "fallback: [last]}";
  Sim sim(Config(policy), kMonday);
  sim.At(seconds(0)).Fire(kDrift);
  ExpectLines(PlanLines(sim, 1), {"2026-01-05T00:20 escalate P3 l1", "2026-01-05T00:30 raise P2 board",
                                  "2026-01-05T00:50 escalate P2 l1", "2026-01-05T01:00 raise P1 board",
                                  "2026-01-05T01:20 escalate P1 l1", "2026-01-05T01:50 escalate P1 l2",
                                  "2026-01-05T02:20 fallback P1 last"});
  sim.TakeHeard();
  sim.At(hours(3));
  ExpectLines(Paged(sim), {"+20m l1", "+50m l1", "+1h20m l1", "+1h50m l2", "+2h20m last"});
  BOOST_TEST(PlanLines(sim, 1).empty());
}

BOOST_AUTO_TEST_CASE(the_plan_says_what_holds_the_chain_and_until_when) {
  Sim sim(Config(kChain + ", business_hours: {calendar: office}"), kMonday);
  sim.At(hours(1)).Fire(kDrift);
  ExpectLines(PlanLines(sim, 1),
              {"2026-01-05T09:00 notify P3 board paused: outside business hours (office)",
               "2026-01-05T09:00 escalate P3 l1 paused: outside business hours (office)",
               "2026-01-05T09:04 escalate P3 l2 paused: outside business hours (office)",
               "2026-01-05T09:34 fallback P3 last paused: outside business hours (office)"});
}

BOOST_AUTO_TEST_CASE(the_plan_of_what_is_silenced_knows_its_end) {
  Sim sim(Config(kChain), kMonday);
  sim.At(seconds(0)).Fire(kDown).At(minutes(2));
  const std::string id = sim.Silence("model=m", hours(1));
  const std::string why = " paused: all of its alerts are silenced: " + id;
  ExpectLines(PlanLines(sim, 1),
              {"2026-01-05T01:05 escalate P1 l2" + why, "2026-01-05T01:35 fallback P1 last" + why});
  sim.At(hours(2));
  ExpectLines(Paged(sim), {"+1m l1", "+1h5m l2", "+1h35m last"});
}

BOOST_AUTO_TEST_CASE(who_answered_the_lesser_trouble_has_not_answered_the_greater_one) {
  Sim sim(Config(kChain), kMonday);
  sim.At(seconds(0)).Fire(kDown.With("severity", "P2")).Ack(1);
  BOOST_TEST(IsSet(sim.engine().FindIncident(1)->care->response_at));
  sim.At(minutes(10)).Fire(kDown.With("severity", "P0"));
  const Incident& incident = *sim.engine().FindIncident(1);
  BOOST_TEST((incident.state == IncidentState::kOpen));
  BOOST_TEST((incident.response_due_at == sim.now() + minutes(15)));
  sim.At(minutes(30));
  BOOST_TEST(sim.engine().FindIncident(1)->response_breached);
  BOOST_TEST(EventsOf(sim, 1, "response_breached") == 1U);
}

BOOST_AUTO_TEST_CASE(a_silence_from_before_is_no_answer_and_the_target_runs_when_it_ends) {
  Sim sim(Config(kChain), kMonday);
  sim.At(seconds(0)).Silence("model=m", hours(2));
  sim.At(minutes(1)).Fire(kDown).At(hours(1));
  BOOST_TEST(!IsSet(sim.engine().FindIncident(1)->care->response_at));
  BOOST_TEST(!IsSet(sim.engine().FindIncident(1)->response_due_at));
  sim.At(hours(2) + minutes(1));
  BOOST_TEST((sim.engine().FindIncident(1)->response_due_at == sim.start() + hours(3)));
  // One that somebody makes because of it is an answer.
  sim.Silence("model=m", hours(1));
  BOOST_TEST(IsSet(sim.engine().FindIncident(1)->care->response_at));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
