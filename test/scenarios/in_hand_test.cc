// What somebody has in hand stays so, and nobody is told of it anew; and what nobody can be told of is said
// in every other way.
#include <boost/test/unit_test.hpp>

#include "support/expect.h"
#include "support/sim.h"
#include "support/sim_lines.h"

namespace mlalert::testing {
namespace {

const Timestamp kMonday = FromUnixMillis(1767571200000);  // 2026-01-05T00:00:00Z
const LabelSet kDown = Labels({{"alertname", "Down"}, {"model", "m"}, {"severity", "P1"}});
const LabelSet kLag = Labels({{"alertname", "Lag"}, {"model", "m"}, {"severity", "P1"}});

std::string Config(const std::string& policy, const std::string& more = "",
                   const std::string& route = "board") {
  const std::string routes = "route: {receiver: " + route +
                             R"(, group_by: [model], group_wait: 0s, group_interval: 1m, repeat_interval: 24h}
receivers:
- {name: board, webhook_configs: [{url: "http://127.0.0.1:9/board"}]}
- {name: pager, pagerduty_configs: [{routing_key: key}]}
- {name: phone, twilio_configs: [{account_sid: AC1, auth_token: t, from: "+14155550100", to: ["+4917000000001"]}]}
- {name: l1, webhook_configs: [{url: "http://127.0.0.1:9/l1"}]}
- {name: last, webhook_configs: [{url: "http://127.0.0.1:9/last"}]}
incidents: {identity: [alertname, model], reopen_window: 30m}
)";
  return routes + more + "incident_policies:\n- {name: p, cooldown: 0s, " + policy + "}\n";
}

// Six changes in 30 minutes; it is open at the end, at 10 minutes.
void LetItFlap(Sim& sim) {
  sim.At(seconds(0)).Fire(kDown);
  for (int i = 1; i <= 5; ++i) {
    sim.At(minutes(2 * i - 1)).Resolve(kDown).At(minutes(2 * i)).Fire(kDown);
  }
  BOOST_TEST_REQUIRE(IsSet(sim.IncidentOf(kDown).care->flapping_since));
}

const std::string kFlapping = "flapping: {transitions: 6, window: 30m}";

BOOST_AUTO_TEST_SUITE(in_hand)

BOOST_AUTO_TEST_CASE(an_acknowledgement_lasts_while_it_flaps) {
  for (const bool restarts : {false, true}) {
    Sim sim(Config(kFlapping + ", acknowledge: {expires: 2h}"), kMonday);
    LetItFlap(sim);
    sim.At(minutes(11)).Ack(1).At(minutes(12)).Resolve(kDown);
    if (restarts) {
      sim.Restart();
    }
    sim.At(minutes(13)).Fire(kDown);
    BOOST_TEST((sim.IncidentOf(kDown).state == IncidentState::kAcknowledged));
    // It stays so when it has calmed down, and expires in its time.
    sim.At(minutes(100));
    BOOST_TEST(!IsSet(sim.IncidentOf(kDown).care->flapping_since));
    BOOST_TEST((sim.IncidentOf(kDown).state == IncidentState::kAcknowledged));
    sim.At(minutes(132));
    BOOST_TEST((sim.IncidentOf(kDown).state == IncidentState::kOpen));
  }
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_ends_when_it_flaps_no_more_and_is_over) {
  Sim sim(Config(kFlapping), kMonday);
  LetItFlap(sim);
  sim.At(minutes(11)).Ack(1).At(minutes(12)).Resolve(kDown).At(minutes(41));
  BOOST_TEST(sim.engine().FindIncident(1)->care->ack == nullptr);
  BOOST_TEST(!IsSet(sim.engine().FindIncident(1)->care->flapping_since));
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_does_not_cover_what_fires_graver) {
  Sim sim(Config(kFlapping), kMonday);
  LetItFlap(sim);
  sim.At(minutes(11)).Ack(1).At(minutes(12)).Resolve(kDown);
  sim.At(minutes(13)).Fire(kDown.With("severity", "P0"));
  BOOST_TEST((sim.engine().FindIncident(1)->state == IncidentState::kOpen));
}

BOOST_AUTO_TEST_CASE(the_chain_of_what_flaps_goes_on_where_it_stood) {
  Sim sim(
      Config(kFlapping + ", chain: {steps: [{after: 0m, receivers: [board]}, {after: 5m, receivers: [l1]}]}"),
      kMonday);
  LetItFlap(sim);
  // Each round it is open for a minute: the step of five minutes comes after five of them.
  for (int i = 6; i <= 12; ++i) {
    sim.At(minutes(2 * i - 1)).Resolve(kDown).At(minutes(2 * i)).Fire(kDown);
  }
  size_t to_l1 = 0;
  for (const std::string& line : sim.TakeHeard()) {
    to_l1 += line.find("l1/") != std::string::npos ? 1 : 0;
  }
  BOOST_TEST(to_l1 == 1U);
}

BOOST_AUTO_TEST_CASE(whom_the_chain_told_hears_also_that_nobody_has_it_any_more) {
  Sim sim(Config("chain: {steps: [{after: 0m, receivers: [l1]}]}"), kMonday);
  sim.At(seconds(0)).Fire(kDown).At(minutes(1)).Ack(1, "alice", minutes(10));
  sim.At(minutes(2)).TakeHeard();
  sim.At(minutes(11));
  std::vector<std::string> who;
  for (const std::string& line : sim.TakeHeard()) {
    who.push_back(line.substr(0, line.find('/')));
  }
  std::sort(who.begin(), who.end());
  ExpectLines(who, {"+11m board", "+11m l1"});
}

BOOST_AUTO_TEST_CASE(a_call_speaks_of_what_nobody_has) {
  Sim sim(Config("chain: {steps: [{after: 5m, receivers: [phone]}]}"), kMonday);
  sim.At(seconds(0)).Fire(kDown).At(minutes(5)).Ack(1);
  sim.At(minutes(6)).Fire(kLag);
  sim.At(minutes(10)).TakeHeard();
  sim.At(minutes(12));
  std::vector<std::string> calls;
  for (const std::string& line : sim.TakeHeard()) {
    if (line.find("phone") != std::string::npos) {
      calls.push_back(line);
    }
  }
  ExpectLines(calls, {"+11m phone/twilio[0] escalated firing=Lag:P1"});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(nobody_on_call)

const std::string kGap = R"(
schedules:
- name: empty
  rotations: [{type: daily, start: "2030-01-01", receivers: [l1]}]
)";

BOOST_AUTO_TEST_CASE(a_route_to_nobody_is_said_and_the_chain_goes_on) {
  Sim sim(Config("chain: {steps: [{after: 1h, receivers: [l1]}], fallback: [last]}", kGap, "empty"), kMonday);
  sim.At(seconds(0)).Fire(kDown).At(minutes(1));
  BOOST_TEST(EventsOf(sim, 1, "nobody_reached") == 1U);
  std::vector<std::string> who;
  for (const std::string& line : sim.TakeHeard()) {
    if (line.find("Down:P1") != std::string::npos) {
      who.push_back(line.substr(0, line.find('/')));
    }
  }
  ExpectLines(who, {"+0s last", "+0s l1"});
  bool reported = false;
  for (const AlertView& alert : sim.engine().ListAlerts()) {
    reported = reported || alert.alert.name() == "MlalertNobodyOnCall";
  }
  BOOST_TEST(reported);
  // Once: not with every tick.
  sim.At(hours(2));
  BOOST_TEST(EventsOf(sim, 1, "nobody_reached") == 1U);
}

BOOST_AUTO_TEST_CASE(without_a_chain_the_audit_cries) {
  Sim sim(Config("ladder: {steps: [{after: 1h, severity: P1}]}", kGap, "empty"), kMonday);
  sim.At(seconds(0)).Fire(kDown).At(minutes(30));
  BOOST_TEST(sim.engine().Stats().invariants_broken[2] > 0U);
  const std::vector<WhyStep> why = sim.engine().Why(1, "", sim.now());
  BOOST_TEST(std::any_of(why.begin(), why.end(),
                         [](const WhyStep& step) { return step.text == "nobody is on call in empty"; }));
}

BOOST_AUTO_TEST_CASE(the_report_ends_when_somebody_is) {
  const std::string soon = R"(
schedules:
- name: empty
  rotations: [{type: daily, start: "2026-01-06", receivers: [l1]}]
)";
  Sim sim(Config("ladder: {steps: [{after: 5h, severity: P1}]}", soon, "empty"), kMonday);
  sim.At(seconds(0)).Fire(kDown).At(hours(25));
  for (const AlertView& alert : sim.engine().ListAlerts()) {
    BOOST_TEST(alert.alert.name() != "MlalertNobodyOnCall");
  }
  BOOST_TEST(sim.TakeHeard().size() >= 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(response)

BOOST_AUTO_TEST_CASE(a_silence_is_an_answer_also_without_ladder_and_chain) {
  Sim sim(Config("acknowledge: {expires: 4h}", "response_targets: {P1: 1h}\n"), kMonday);
  sim.At(seconds(0)).Fire(kDown).At(minutes(10)).Silence("model=m", hours(3));
  sim.At(hours(5));
  BOOST_TEST(!sim.IncidentOf(kDown).response_breached);
  BOOST_TEST(IsSet(sim.IncidentOf(kDown).care->response_at));
}

BOOST_AUTO_TEST_CASE(the_time_begins_when_business_hours_do) {
  const std::string office = R"(response_targets: {P2: 4h}
calendars:
- name: office
  time_intervals: [{weekdays: ["monday:friday"], times: [{start_time: "09:00", end_time: "18:00"}]}]
)";
  Sim sim(Config("business_hours: {calendar: office, outside: defer}", office), kMonday);
  sim.At(hours(1)).Fire(kDown.With("severity", "P2"));
  BOOST_TEST((sim.IncidentOf(kDown.With("severity", "P2")).response_due_at == kMonday + hours(13)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
