// An incident all of whose alerts are inhibited: it waits, as one that is silenced does.
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
const LabelSet kPipeline = Labels({{"alertname", "PipelineDown"}, {"model", "m"}});

const std::string kChain =
    "chain: {steps: [{after: 1m, receivers: [l1]}, {after: 5m, receivers: [l2]}], fallback: [last]}";
const std::string kLadder = "ladder: {steps: [{after: 30m, severity: P2}, {after: 60m, severity: P1}]}";
const std::string kByPipeline =
    "{source_matchers: [alertname=PipelineDown], target_matchers: ['alertname!=PipelineDown'], equal: "
    "[model]}";

std::string Config(const std::string& policy, const std::string& inhibit_rule = kByPipeline) {
  return R"(
route: {receiver: board, group_by: [alertname], group_wait: 0s, group_interval: 1m, repeat_interval: 24h}
receivers:
- {name: board, webhook_configs: [{url: "http://127.0.0.1:9/board"}]}
- {name: l1, webhook_configs: [{url: "http://127.0.0.1:9/l1"}]}
- {name: l2, webhook_configs: [{url: "http://127.0.0.1:9/l2"}]}
- {name: last, webhook_configs: [{url: "http://127.0.0.1:9/last"}]}
incidents: {identity: [alertname, model], reopen_window: 30m}
inhibit_rules: [)" +
         inhibit_rule +
         "]\nincident_policies:\n- {name: p, matchers: ['alertname=~\"Down|Drift\"'], cooldown: 0s, " +
         policy + "}\n";
}

// "+30m unmuted ..." of what was journalled about it.
std::vector<std::string> MuteEvents(const Sim& sim, IncidentId id) {
  std::vector<std::string> out;
  for (const Record& record : sim.journal()) {
    const auto* event = std::get_if<EventRecord>(&record);
    if (event != nullptr && event->incident_id == id &&
        (event->type == "muted" || event->type == "unmuted")) {
      out.push_back(
          fmt::format("+{} {}: {}", FormatDuration(event->at - sim.start()), event->type, event->reason));
    }
  }
  return out;
}

Severity SeverityAt(Sim& sim, Duration offset) {
  return sim.At(offset).IncidentOf(kDrift).severity;
}

BOOST_AUTO_TEST_SUITE(inhibited_incident)

BOOST_AUTO_TEST_CASE(its_chain_goes_on_when_the_source_has_ended) {
  Sim sim(Config(kChain), kMonday);
  sim.At(seconds(0)).Fire(kPipeline).Fire(kDown);
  const IncidentId id = sim.IncidentOf(kDown).id;
  sim.At(minutes(30)).Resolve(kPipeline).At(hours(2));
  ExpectLines(Paged(sim), {"+31m l1", "+35m l2", "+1h5m last"});
  ExpectLines(MuteEvents(sim, id),
              {"+0s muted: inhibited by PipelineDown",
               "+30m unmuted: it is neither silenced nor inhibited altogether any more"});
}

BOOST_AUTO_TEST_CASE(its_ladder_stands_as_long_as_the_source_fires) {
  Sim sim(Config(kLadder), kMonday);
  sim.At(seconds(0)).Fire(kDrift).At(minutes(20)).Fire(kPipeline).At(minutes(50)).Resolve(kPipeline);
  BOOST_TEST((SeverityAt(sim, minutes(60) - seconds(1)) == Severity::kP3));
  BOOST_TEST((SeverityAt(sim, minutes(60)) == Severity::kP2));
  BOOST_TEST((SeverityAt(sim, minutes(90) - seconds(1)) == Severity::kP2));
  BOOST_TEST((SeverityAt(sim, minutes(90)) == Severity::kP1));
}

BOOST_AUTO_TEST_CASE(a_source_that_goes_silent_ends_it_at_that_instant) {
  Sim sim(Config(kLadder), kMonday);
  sim.At(seconds(0)).Fire(kPipeline, minutes(20)).Fire(kDrift).At(hours(1));
  ExpectLines(MuteEvents(sim, sim.IncidentOf(kDrift).id),
              {"+0s muted: inhibited by PipelineDown",
               "+20m unmuted: it is neither silenced nor inhibited altogether any more"});
  BOOST_TEST((SeverityAt(sim, hours(1)) == Severity::kP2));
}

// The graver alert stands for it, and waiting makes it none of its own.
BOOST_AUTO_TEST_CASE(it_does_not_climb_out_of_a_rule_for_its_severity) {
  Sim sim(Config(kLadder,
                 "{source_matchers: ['severity=\"P1\"'], target_matchers: ['severity=~\"P2|P3\"'], "
                 "equal: [model]}"),
          kMonday);
  sim.At(seconds(0)).Fire(kDown).Fire(kDrift);
  BOOST_TEST((SeverityAt(sim, hours(5)) == Severity::kP3));
  sim.Resolve(kDown);
  BOOST_TEST((SeverityAt(sim, hours(5) + minutes(30)) == Severity::kP2));
}

BOOST_AUTO_TEST_CASE(what_a_person_makes_severe_is_inhibited_no_more) {
  Sim sim(Config(kChain,
                 "{source_matchers: ['severity=\"P1\"'], target_matchers: ['severity=~\"P2|P3\"'], "
                 "equal: [model]}"),
          kMonday);
  const LabelSet other = kDrift.With("alertname", "Down");  // of another identity than kDown below
  sim.At(seconds(0)).Fire(kPipeline.With("severity", "P1")).Fire(other);
  const IncidentId id = sim.IncidentOf(other).id;
  BOOST_TEST(IsSet(sim.engine().FindIncident(id)->care->muted_since));
  sim.At(minutes(10)).Raise(id, Severity::kP1);
  BOOST_TEST(!IsSet(sim.engine().FindIncident(id)->care->muted_since));
  sim.At(minutes(16));
  ExpectLines(Paged(sim), {"+11m l1", "+15m l2"});
}

BOOST_AUTO_TEST_CASE(nobody_is_expected_to_act_meanwhile) {
  Sim sim(Config(kChain), kMonday);
  sim.At(seconds(0)).Fire(kDown);
  const IncidentId id = sim.IncidentOf(kDown).id;
  BOOST_TEST((sim.engine().FindIncident(id)->response_due_at == kMonday + hours(1)));
  sim.At(minutes(10)).Fire(kPipeline);
  BOOST_TEST(!IsSet(sim.engine().FindIncident(id)->response_due_at));
  sim.At(hours(2));
  BOOST_TEST(!sim.engine().FindIncident(id)->response_breached);
  BOOST_TEST(!IsSet(sim.engine().FindIncident(id)->care->response_at));
  sim.Resolve(kPipeline);
  BOOST_TEST((sim.engine().FindIncident(id)->response_due_at == kMonday + hours(3)));
}

BOOST_AUTO_TEST_CASE(it_waits_while_one_half_is_silenced_and_the_other_inhibited) {
  Sim sim(Config(kChain), kMonday);
  const LabelSet other = kDown.With("instance", "b").With("model", "m");
  sim.At(seconds(0)).Fire(kDown.With("instance", "a")).Fire(other);
  const IncidentId id = sim.IncidentOf(other).id;
  const std::string silence = sim.At(seconds(10)).Silence("instance=a", hours(1));
  BOOST_TEST(!IsSet(sim.engine().FindIncident(id)->care->muted_since));
  sim.At(seconds(20)).Fire(kPipeline);
  ExpectLines(MuteEvents(sim, id), {"+20s muted: silenced by " + silence + ", inhibited by PipelineDown"});
  // The silence ends, the inhibition goes on: it stays muted.
  sim.At(hours(2));
  BOOST_TEST(MuteEvents(sim, id).size() == 1U);
}

BOOST_AUTO_TEST_CASE(its_plan_says_so) {
  Sim sim(Config(kChain), kMonday);
  sim.At(seconds(0)).Fire(kPipeline).Fire(kDown);
  const std::string why = " paused: all of its alerts are inhibited: PipelineDown";
  ExpectLines(PlanLines(sim, sim.IncidentOf(kDown).id),
              {"- notify P1 board" + why, "- escalate P1 l1" + why, "- escalate P1 l2" + why,
               "- fallback P1 last" + why});
}

BOOST_AUTO_TEST_CASE(a_restart_changes_nothing) {
  Sim sim(Config(kLadder), kMonday);
  sim.At(seconds(0)).Fire(kPipeline).Fire(kDrift).At(minutes(10)).Restart(minutes(5));
  sim.At(minutes(40)).Resolve(kPipeline);
  BOOST_TEST((SeverityAt(sim, minutes(70) - seconds(1)) == Severity::kP3));
  BOOST_TEST((SeverityAt(sim, minutes(70)) == Severity::kP2));
  BOOST_TEST(MuteEvents(sim, sim.IncidentOf(kDrift).id).size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_reload_that_takes_the_rule_away_ends_it) {
  Sim sim(Config(kLadder), kMonday);
  sim.At(seconds(0)).Fire(kPipeline).Fire(kDrift).At(minutes(10));
  std::string without = Config(kLadder);
  without.erase(without.find("inhibit_rules"),
                without.find("incident_policies") - without.find("inhibit_rules"));
  sim.Reload(without).At(minutes(40));
  BOOST_TEST((sim.IncidentOf(kDrift).severity == Severity::kP2));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
