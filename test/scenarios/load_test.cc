// What a week costs, and what must cost nothing.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <ctime>
#include <random>

#include "support/sim.h"

namespace mlalert::testing {
namespace {

const std::string kConfig = R"(
route: {receiver: web, group_by: [model], group_wait: 30s, group_interval: 5m, repeat_interval: 4h}
receivers: [{name: web, webhook_configs: [{url: "http://127.0.0.1:9/"}]}]
incidents: {identity: [alertname, model]}
incident_policies:
- name: climb
  matchers: ['severity="P3"']
  cooldown: 30m
  ladder: {steps: [{after: 15m, severity: P3}, {after: 30m, severity: P2}, {after: 60m, severity: P1}]}
)";

LabelSet AlertNo(int i, std::string_view severity) {
  return Labels(
      {{"alertname", fmt::format("A{}", i)}, {"model", fmt::format("m{}", i % 20)}, {"severity", severity}});
}

// Of this process: what else the machine does is not our time.
double CpuSeconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

BOOST_AUTO_TEST_SUITE(load)

BOOST_AUTO_TEST_CASE(a_week_of_500_alerts_takes_less_than_ten_seconds) {
  const double begin = CpuSeconds();
  Sim sim(kConfig);
  std::mt19937 random(7);
  for (int step = 0; step < 7 * 24 * 12; ++step) {
    sim.At(minutes(5 * step));
    for (int i = 0; i < 2; ++i) {
      int n = static_cast<int>(random() % 500);
      LabelSet labels = AlertNo(n, n % 2 == 0 ? "P3" : "");
      if (random() % 2 == 0) {
        sim.Fire(labels);
      } else {
        sim.Resolve(labels);
      }
    }
  }
  const double spent = CpuSeconds() - begin;
  BOOST_TEST_MESSAGE("a week took " << spent << " s, " << sim.heard().size() << " notifications, "
                                    << sim.records_written() << " rows");
  BOOST_TEST(spent < 10.0);
}

BOOST_AUTO_TEST_CASE(a_day_of_steady_firing_writes_only_repeats_and_rungs) {
  Sim sim(kConfig);
  sim.Fire(AlertNo(1, "")).Fire(AlertNo(2, "P3"));
  sim.At(minutes(61));
  size_t before = sim.records_written();
  size_t heard = sim.heard().size();
  for (int minute = 62; minute <= 24 * 60; ++minute) {
    sim.At(minutes(minute));
    for (const LabelSet& labels : {AlertNo(1, ""), AlertNo(2, "P3")}) {
      sim.Fire(labels, minutes(4));
    }
  }
  // A repeat is an attempt and a log entry; the rungs are behind. That nobody acted in time is an event and a
  // row.
  size_t repeats = sim.heard().size() - heard;
  BOOST_TEST(repeats == 10U);
  BOOST_TEST(sim.records_written() - before == repeats * 2 + 2);
}

BOOST_AUTO_TEST_CASE(a_hundred_thousand_alerts_in_one_group_and_one_incident_are_not_quadratic) {
  auto begin = std::chrono::steady_clock::now();
  Sim sim(R"(
route: {receiver: web, group_wait: 0s, group_interval: 5m}
receivers: [{name: web, webhook_configs: [{url: "http://127.0.0.1:9/"}]}]
incidents: {identity: [alertname]}
incident_policies: [{name: all, cooldown: 1h}]
)");
  constexpr int kAlerts = 20000;
  Effects fx;
  Engine& engine = sim.engine();
  for (bool firing : {true, false}) {
    for (int i = 0; i < kAlerts; ++i) {
      AlertInput input(Labels({{"alertname", "Storm"}, {"instance", std::to_string(i)}, {"severity", "P3"}}),
                       sim.now(), firing ? kNever : sim.now());
      DecodedAlert alert = input.Get();
      engine.Ingest({&alert, 1}, sim.now(), fx);
    }
    if (firing) {  // one worse alert moves them all
      AlertInput worse(Labels({{"alertname", "Storm"}, {"instance", "x"}, {"severity", "P1"}}), sim.now(),
                       kNever);
      DecodedAlert alert = worse.Get();
      engine.Ingest({&alert, 1}, sim.now(), fx);
    }
    engine.RunDue(sim.now(), fx);
  }
  BOOST_TEST(engine.Stats().alerts_firing == 1U);
  double spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  BOOST_TEST_MESSAGE(kAlerts << " alerts took " << spent << " s");
  BOOST_TEST(spent < 20.0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
