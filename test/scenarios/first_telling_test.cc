// The plan of an incident that nobody has heard of yet: when it will be told, to whom, and what it waits for.
// Each plan is held against what is heard then.
#include <boost/test/unit_test.hpp>

#include "support/expect.h"
#include "support/plan_lines.h"
#include "support/sim.h"

namespace mlalert::testing {
namespace {

const Timestamp kMonday = FromUnixMillis(1767571200000);  // 2026-01-05T00:00:00Z
const LabelSet kDrift = Labels({{"alertname", "Drift"}, {"model", "m"}, {"severity", "P3"}});

std::string Config(const std::string& policy, const std::string& route = "", const std::string& more = "") {
  return R"(
route:
  receiver: board
  group_by: [model]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 24h
  routes: [{matchers: ['severity="P2"'], receiver: chat}, {matchers: [team=nobody], receiver: "null"})" +
         (route.empty() ? "" : ", " + route) + R"(]
receivers:
- {name: board, webhook_configs: [{url: "http://127.0.0.1:9/board"}]}
- {name: chat, webhook_configs: [{url: "http://127.0.0.1:9/chat"}]}
- {name: "null"}
incidents: {identity: [alertname, model], reopen_window: 30m}
time_intervals:
- name: work
  time_intervals: [{weekdays: ["monday:friday"], times: [{start_time: "09:00", end_time: "18:00"}]}]
calendars:
- name: office
  time_intervals: [{weekdays: ["monday:friday"], times: [{start_time: "09:00", end_time: "18:00"}]}]
)" + more +
         (policy.empty() ? "" : "incident_policies:\n- {name: p, cooldown: 0s, " + policy + "}\n");
}

const std::string kLadder = "ladder: {steps: [{after: 1h, severity: P2}]}";
const std::string kQuiet =
    "ladder: {quiet_before_first_step: true, steps: [{after: 15m, severity: P3}, {after: 1h, severity: P2}]}";

// When the plan says that it will be told; kUnset: it does not say.
Timestamp Planned(Sim& sim) {
  for (const PlanStep& step : sim.engine().Plan(*sim.engine().FindIncident(1), sim.now())) {
    if (step.kind == PlanStep::Kind::kNotify) {
      return step.at;
    }
  }
  return kUnset;
}

// Goes there, and looks whether it was told at that very instant and not before.
void ExpectToldAsPlanned(Sim& sim) {
  const Timestamp at = Planned(sim);
  BOOST_TEST_REQUIRE(IsSet(at));
  sim.At(at - sim.start() - seconds(1));
  BOOST_TEST(sim.heard().empty());
  sim.At(at - sim.start());
  BOOST_TEST_REQUIRE(sim.heard().size() == 1U);
  BOOST_TEST((sim.heard().front().at == at));
  BOOST_TEST(!IsSet(Planned(sim)));
}

BOOST_AUTO_TEST_SUITE(first_telling)

BOOST_AUTO_TEST_CASE(waits_for_its_group) {
  for (const std::string& policy : {kLadder, std::string()}) {
    Sim sim(Config(policy), kMonday);
    sim.At(seconds(0)).Fire(kDrift);
    ExpectLines({PlanLines(sim, 1).at(0)},
                {"2026-01-05T00:00 notify P3 board waits for others of its group (group_wait 30s)"});
    BOOST_TEST((Planned(sim) == kMonday + seconds(30)));
    ExpectToldAsPlanned(sim);
  }
}

BOOST_AUTO_TEST_CASE(joins_a_group_that_has_spoken) {
  Sim sim(Config(kLadder), kMonday);
  sim.At(seconds(0)).Fire(kDrift).At(minutes(2)).Fire(kDrift.With("alertname", "Lag"));
  ExpectLines({PlanLines(sim, 2).at(0)},
              {"2026-01-05T00:05 notify P3 board at the next tick of its group (group_interval 5m)"});
}

BOOST_AUTO_TEST_CASE(is_quiet_before_the_first_step) {
  Sim sim(Config(kQuiet), kMonday);
  sim.At(minutes(1)).Fire(kDrift);
  ExpectLines(PlanLines(sim, 1),
              {"2026-01-05T00:16 notify P3 board quiet before the first step of its ladder",
               "2026-01-05T01:01 raise P2 chat"});
  ExpectToldAsPlanned(sim);
}

BOOST_AUTO_TEST_CASE(is_the_raise_when_the_first_step_raises_it) {
  Sim sim(Config("ladder: {quiet_before_first_step: true, steps: [{after: 15m, severity: P2}]}"), kMonday);
  sim.At(seconds(0)).Fire(kDrift);
  ExpectLines(PlanLines(sim, 1), {"2026-01-05T00:15 raise P2 chat"});
}

BOOST_AUTO_TEST_CASE(waits_for_business_hours) {
  for (const char* outside : {"defer", "digest"}) {
    Sim sim(Config(std::string("business_hours: {calendar: office, outside: ") + outside + "}"), kMonday);
    sim.At(hours(1)).Fire(kDrift);
    ExpectLines(PlanLines(sim, 1),
                {"2026-01-05T09:00 notify P3 board paused: outside business hours (office)"});
    ExpectToldAsPlanned(sim);
  }
}

BOOST_AUTO_TEST_CASE(never_comes_where_business_hours_drop) {
  Sim sim(Config("business_hours: {calendar: office, outside: drop}"), kMonday);
  sim.At(hours(1)).Fire(kDrift);
  ExpectLines(PlanLines(sim, 1),
              {"- notify P3 board paused: outside business hours (office): not told unless it "
               "becomes more severe"});
}

BOOST_AUTO_TEST_CASE(is_quiet_until_work_is_over_and_waits_for_the_next_day) {
  Sim sim(Config(kQuiet + ", business_hours: {calendar: office}"), kMonday);
  sim.At(hours(17) + minutes(50)).Fire(kDrift);
  ExpectLines({PlanLines(sim, 1).back()},
              {"2026-01-06T09:00 notify P3 board quiet before the first step of its ladder; outside business "
               "hours (office)"});
}

BOOST_AUTO_TEST_CASE(is_a_raise_that_business_hours_do_not_hold) {
  Sim sim(Config("ladder: {steps: [{after: 1h, severity: P1}]}, business_hours: {calendar: office}"),
          kMonday);
  sim.At(hours(1)).Fire(kDrift);
  ExpectLines(PlanLines(sim, 1), {"2026-01-05T02:00 raise P1 board"});
}

BOOST_AUTO_TEST_CASE(waits_for_the_hours_of_its_route) {
  Sim sim(Config(kLadder, "{matchers: [alertname=Drift], receiver: board, active_time_intervals: [work]}"),
          kMonday);
  sim.At(hours(1)).Fire(kDrift.With("severity", "P1"));
  ExpectLines(PlanLines(sim, 1), {"2026-01-05T09:00 notify P1 board active_time_interval work"});
  ExpectToldAsPlanned(sim);
}

BOOST_AUTO_TEST_CASE(waits_for_the_end_of_a_silence_and_then_for_its_group) {
  Sim sim(Config(kLadder), kMonday);
  const std::string id = sim.At(seconds(0)).Silence("model=m", hours(1) + seconds(10));
  sim.At(seconds(5)).Fire(kDrift);
  ExpectLines({PlanLines(sim, 1).at(0)},
              {"2026-01-05T01:00 notify P3 board paused: all of its alerts are silenced: " + id +
               "; at the next tick of its group (group_interval 5m)"});
  ExpectToldAsPlanned(sim);
}

BOOST_AUTO_TEST_CASE(waits_for_the_end_of_a_snooze) {
  Sim sim(Config(kLadder), kMonday);
  sim.At(seconds(0)).Fire(kDrift).Snooze(1, hours(2));
  ExpectLines({PlanLines(sim, 1).at(0)},
              {"2026-01-05T02:00 notify P3 board paused: snoozed by alice until 2026-01-05T02:00:00.000Z"});
  ExpectToldAsPlanned(sim);
}

BOOST_AUTO_TEST_CASE(has_no_time_while_somebody_has_it) {
  Sim sim(Config(kLadder), kMonday);
  sim.At(seconds(0)).Fire(kDrift).Ack(1);
  ExpectLines({PlanLines(sim, 1).at(0)}, {"- notify P3 board paused: acknowledged by alice"});
}

BOOST_AUTO_TEST_CASE(waits_for_a_cooldown) {
  std::string config = Config(kLadder);
  config.replace(config.find("cooldown: 0s"), 12, "cooldown: 1h");
  Sim sim(config, kMonday);
  sim.At(seconds(0)).Fire(kDrift).At(minutes(10)).Resolve(kDrift).At(minutes(20)).Fire(kDrift);
  ExpectLines({PlanLines(sim, 1).at(0)},
              {"2026-01-05T01:00 notify P3 board cooldown until 2026-01-05T01:00:30.000Z"});
}

BOOST_AUTO_TEST_CASE(is_not_spoken_of_where_nobody_would_hear_it) {
  Sim sim(Config(kLadder), kMonday);
  sim.At(seconds(0)).Fire(kDrift.With("team", "nobody"));
  BOOST_TEST(!IsSet(Planned(sim)));
}

BOOST_AUTO_TEST_CASE(waits_in_a_storm_without_an_end_in_sight) {
  Sim sim(Config(kLadder, "", "storm: {incidents: 2, within: 5m, quiet: 10m}\n"), kMonday);
  sim.At(seconds(0));
  for (const char* name : {"A", "B", "C", "D"}) {
    sim.Fire(kDrift.With("alertname", name));
  }
  const IncidentId id = sim.IncidentOf(kDrift.With("alertname", "D")).id;
  const IncidentId parent = sim.engine().FindIncident(id)->care->parent;
  ExpectLines({PlanLines(sim, id).back()},
              {"- notify P3 board paused: part of the storm " + std::to_string(parent)});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
