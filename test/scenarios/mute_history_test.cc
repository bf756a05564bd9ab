// What the history remembers of alerts that were kept quiet: times, not one row a minute.
#include <boost/test/unit_test.hpp>
#include <map>
#include <variant>

#include "support/expect.h"
#include "support/sim.h"

namespace mlalert::testing {
namespace {

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

const LabelSet kDrift = Labels({{"alertname", "Drift"}, {"model", "churn-v4"}});
const LabelSet kDown = Labels({{"alertname", "Down"}, {"model", "none"}});

// "silenced +30s..+5m over", by the start of the simulation; rows of one interval are one line.
std::vector<std::string> Intervals(const Sim& sim) {
  std::map<int64_t, MuteRecord> rows;
  for (const Record& record : sim.journal()) {
    if (const auto* mute = std::get_if<MuteRecord>(&record)) {
      rows[mute->id] = *mute;
    }
  }
  std::vector<std::string> out;
  for (const auto& [id, row] : rows) {
    std::string end = IsSet(row.ended_at) ? "+" + FormatDuration(row.ended_at - sim.start()) : "";
    out.push_back(row.kind + " +" + FormatDuration(row.started_at - sim.start()) + ".." + end +
                  (row.end_reason.empty() ? "" : " " + row.end_reason));
  }
  return out;
}

size_t Rows(const Sim& sim) {
  size_t rows = 0;
  for (const Record& record : sim.journal()) {
    rows += std::holds_alternative<MuteRecord>(record) ? 1 : 0;
  }
  return rows;
}

using Lines = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(quiet_times)

BOOST_AUTO_TEST_CASE(a_silence_is_one_interval_from_its_start_to_its_end) {
  Sim sim(Config("", ""));
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(10)).Silence("alertname=Drift", hours(6));
  sim.At(hours(8));
  ExpectLines(Intervals(sim), Lines{"silenced +10m..+6h10m over"});
  BOOST_TEST(Rows(sim) == 2);
}

BOOST_AUTO_TEST_CASE(a_silence_that_is_taken_back_ends_there) {
  Sim sim(Config("", ""));
  std::string id = sim.Silence("alertname=Drift", hours(6));
  sim.At(minutes(1)).Fire(kDrift);
  sim.At(minutes(33)).Unsilence(id);
  sim.At(minutes(33));
  ExpectLines(Intervals(sim), Lines{"silenced +1m..+33m over"});
}

BOOST_AUTO_TEST_CASE(an_alert_that_ends_ends_its_interval) {
  Sim sim(Config("", ""));
  sim.Silence("alertname=Drift", hours(6));
  sim.At(minutes(1)).Fire(kDrift);
  sim.At(minutes(20)).Resolve(kDrift);
  sim.At(hours(1));
  ExpectLines(Intervals(sim), Lines{"silenced +1m..+20m resolved"});
}

BOOST_AUTO_TEST_CASE(inhibition_lasts_as_long_as_its_source) {
  Sim sim(Config("", R"(
inhibit_rules:
- {source_matchers: [alertname=Down], target_matchers: [alertname!=Down], equal: [region]}
)"));
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(2)).Fire(kDown);
  sim.At(minutes(17)).Resolve(kDown);
  sim.At(hours(1));
  ExpectLines(Intervals(sim), Lines{"inhibited +2m..+17m over"});
}

BOOST_AUTO_TEST_CASE(night_hours_defer_until_the_first_tick_of_the_morning) {
  Sim sim(Config("  routes: [{receiver: web, active_time_intervals: [day]}]\n", R"(
time_intervals:
- {name: day, time_intervals: [{times: [{start_time: "09:00", end_time: "17:00"}]}]}
)"));
  sim.At(hours(1)).Fire(kDrift);
  sim.At(hours(10));
  ExpectLines(Intervals(sim), Lines{"deferred +1h30s..+9h30s over"});
}

BOOST_AUTO_TEST_CASE(a_restart_neither_repeats_nor_forgets_an_interval) {
  Sim sim(Config("", ""));
  sim.Silence("alertname=Drift", hours(3));
  sim.At(minutes(1)).Fire(kDrift);
  sim.At(minutes(40)).Restart(minutes(2));
  sim.At(hours(4));
  ExpectLines(Intervals(sim), Lines{"silenced +1m..+3h over"});
}

BOOST_AUTO_TEST_CASE(another_silence_takes_over) {
  Sim sim(Config("", ""));
  std::string id = sim.Silence("alertname=Drift", hours(3));
  sim.At(minutes(1)).Fire(kDrift);
  sim.At(minutes(40)).Silence("model=churn-v4", hours(3));
  sim.At(minutes(50)).Unsilence(id);
  sim.At(hours(4));
  ExpectLines(Intervals(sim), Lines{"silenced +1m..+50m replaced", "silenced +50m..+3h40m over"});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(growth)

// rcourtman/Pulse#1651: an alert that went on firing was written anew with each pass.
BOOST_AUTO_TEST_CASE(a_day_of_steady_firing_writes_repeats_and_ladder_steps_only) {
  Sim sim(Config("", R"(
incident_policies:
- {name: climb, ladder: {steps: [{after: 15m, severity: P3}, {after: 30m, severity: P2}, {after: 60m, severity: P1}]}}
)"));
  const LabelSet silenced = Labels({{"alertname", "Lag"}, {"model", "b"}});
  sim.Silence("alertname=Lag", hours(48));
  sim.At(seconds(0)).Fire(kDrift).Fire(silenced);
  sim.At(hours(2));
  size_t events = 0, mutes = 0, notifications = 0, episodes = 0, others = 0;
  const size_t before = sim.journal().size();
  sim.At(hours(26));
  for (size_t i = before; i < sim.journal().size(); ++i) {
    const Record& record = sim.journal()[i];
    events += std::holds_alternative<EventRecord>(record);
    mutes += std::holds_alternative<MuteRecord>(record);
    episodes += std::holds_alternative<EpisodeRecord>(record);
    notifications += std::holds_alternative<NotificationRecord>(record);
    others +=
        !std::holds_alternative<NotificationRecord>(record) && !std::holds_alternative<NflogEntry>(record);
  }
  BOOST_TEST(events == 0);
  BOOST_TEST(mutes == 0);
  BOOST_TEST(episodes == 0);
  BOOST_TEST(others == 0);
  BOOST_TEST(notifications <= 6);  // a repeat every four hours
  BOOST_TEST(notifications >= 5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
