// Reload, clocks that are set back, and other days when the ground moves.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "support/expect.h"
#include "support/sim.h"

namespace mlalert::testing {
namespace {

const LabelSet kDown = Labels({{"alertname", "Down"}, {"team", "ml"}, {"severity", "P1"}});

std::string Config(const std::string& routes, const std::string& more = "") {
  return R"(
route: {receiver: a, group_wait: 0s, group_interval: 5m, repeat_interval: 4h, routes: [)" +
         routes + R"(]}
receivers:
- {name: a, webhook_configs: [{url: "http://127.0.0.1:9/"}]}
- {name: b, webhook_configs: [{url: "http://127.0.0.1:9/"}]}
)" + more;
}
const std::string kToB = R"({matchers: ['team="ml"'], receiver: b})";

BOOST_AUTO_TEST_SUITE(reload)

BOOST_AUTO_TEST_CASE(a_receiver_whose_route_is_gone_still_hears_the_resolve) {
  Sim sim(Config(kToB));
  sim.Fire(kDown).At(minutes(1)).Reload(Config(""));
  sim.At(minutes(2)).Restart();
  sim.At(minutes(3)).Resolve(kDown).At(minutes(20));
  ExpectHeard(sim, {"+0s b/webhook[0] first notification firing=Down:P1",
                    "+1m a/webhook[0] first notification firing=Down:P1",
                    "+6m a/webhook[0] all alerts resolved resolved=Down",
                    "+7m b/webhook[0] all alerts resolved resolved=Down"});
  BOOST_TEST(sim.engine().Stats().groups == 0U);
}

BOOST_AUTO_TEST_CASE(a_receiver_that_is_gone_is_forgotten) {
  Sim sim(Config(kToB));
  sim.Fire(kDown).At(minutes(1));
  sim.Reload(R"(
route: {receiver: a, group_wait: 0s}
receivers: [{name: a, webhook_configs: [{url: "http://127.0.0.1:9/"}]}]
)");
  sim.At(minutes(3)).Resolve(kDown).At(minutes(30));
  BOOST_TEST(sim.heard().back().receiver == "a/webhook[0]");
  BOOST_TEST(sim.engine().Stats().groups == 0U);
}

BOOST_AUTO_TEST_CASE(a_route_put_in_front_tells_nobody_again_and_restarts_the_interval) {
  Sim sim(Config(kToB));
  sim.Fire(kDown).At(minutes(1)).Reload(Config(R"({matchers: ['team="x"'], receiver: a}, )" + kToB));
  sim.At(minutes(2)).Resolve(kDown).At(minutes(30));
  ExpectHeard(sim, {"+0s b/webhook[0] first notification firing=Down:P1",
                    "+6m b/webhook[0] all alerts resolved resolved=Down"});
}

BOOST_AUTO_TEST_CASE(one_of_two_alerts_has_moved_on_and_the_old_receiver_still_hears_its_end) {
  const std::string config = Config(R"({matchers: ['severity="P1"'], receiver: b})", R"(
incidents: {identity: [alertname]}
incident_policies: [{name: climb, ladder: {steps: [{after: 30m, severity: P1}]}}]
)");
  Sim sim(config);
  LabelSet one = Labels({{"alertname", "One"}, {"severity", "P3"}});
  LabelSet two = Labels({{"alertname", "Two"}, {"severity", "P3"}});
  sim.Fire(one).At(minutes(20)).Fire(two).At(minutes(31));
  sim.Restart().Reload(config).Restart();
  sim.TakeHeard();
  sim.Resolve(one).At(minutes(41));
  std::vector<std::string> heard = sim.TakeHeard();
  std::sort(heard.begin(), heard.end());
  ExpectLines(heard, {"+36m a/webhook[0] some alerts resolved firing=Two:P3 resolved=One",
                      "+36m b/webhook[0] all alerts resolved resolved=One"});
}

BOOST_AUTO_TEST_CASE(identity_without_policies_changes_nothing_of_alertmanagers_timing) {
  Sim sim(Config("", "incidents: {identity: [alertname]}\n"));
  sim.Fire(kDown.With("severity", "P3")).At(minutes(1)).Fire(kDown).At(minutes(6));
  ExpectHeard(sim, {"+0s a/webhook[0] first notification firing=Down:P3",
                    "+5m a/webhook[0] new alerts added firing=Down:P1,Down:P3"});
}

BOOST_AUTO_TEST_CASE(a_clock_set_back_an_hour_fires_nothing_twice_and_delays_nobody_by_an_hour) {
  Sim sim(Config("", "incident_policies: [{name: p, ladder: {steps: [{after: 30m, severity: P1}]}}]\n"));
  const LabelSet low = kDown.With("severity", "P3");
  Timestamp start = sim.now();
  sim.Fire(low).At(minutes(10));
  sim.TakeHeard();
  sim.SetClock(start - minutes(50));
  LabelSet other = Labels({{"alertname", "Other"}, {"severity", "P3"}});
  sim.Fire(other);
  sim.SetClock(start - minutes(44));
  BOOST_TEST(sim.heard().size() == 2U);  // the new one, within the interval of its group
  sim.SetClock(start - minutes(30) - seconds(1));
  BOOST_TEST((sim.IncidentOf(low).severity == Severity::kP3));
  sim.SetClock(start - minutes(30));  // 10 minutes before the step and 20 after
  BOOST_TEST((sim.IncidentOf(low).severity == Severity::kP1));
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_by_another_is_news) {
  Sim sim(Config("", "incident_policies: [{name: p}]\n"));
  sim.Fire(kDown).At(minutes(1)).Ack(1, "alice").At(minutes(2)).Unack(1).At(minutes(3)).Ack(1, "bob");
  sim.At(minutes(30));
  ExpectHeard(sim, {"+0s a/webhook[0] first notification firing=Down:P1",
                    "+1m a/webhook[0] acknowledged firing=Down:P1 by=alice",
                    "+2m a/webhook[0] unacknowledged firing=Down:P1",
                    "+3m a/webhook[0] acknowledged firing=Down:P1 by=bob"});
}

BOOST_AUTO_TEST_CASE(worse_trouble_from_the_source_breaks_the_quiet_before_the_first_rung) {
  Sim sim(Config("", R"(
incidents: {identity: [alertname]}
incident_policies: [{name: p, ladder: {steps: [{after: 15m, severity: P2}], quiet_before_first_step: true}}]
)"));
  sim.Fire(kDown.With("severity", "P3")).At(minutes(5));
  ExpectHeard(sim, {});
  sim.Fire(kDown);
  BOOST_TEST(sim.TakeHeard().size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_end_moved_earlier_by_a_refresh_counts_only_when_the_old_one_was_a_timeout) {
  Sim sim(Config(""));
  sim.Post(kDown, sim.now(), sim.now() + minutes(10), true);
  sim.Post(kDown, sim.now(), sim.now() + minutes(4), false);
  sim.At(minutes(4));
  BOOST_TEST(sim.engine().Stats().alerts_firing == 0U);
  sim.Post(kDown, sim.now(), sim.now() + minutes(10), false);
  sim.Post(kDown, sim.now(), sim.now() + minutes(4), false);
  sim.At(minutes(9));
  BOOST_TEST(sim.engine().Stats().alerts_firing == 1U);
}

BOOST_AUTO_TEST_CASE(an_alert_that_begins_in_the_future_waits_its_group_wait_and_can_be_resolved) {
  Sim sim(Config(""));
  sim.Post(kDown, sim.now() + minutes(3), sim.now() + minutes(30));
  BOOST_TEST(sim.heard().size() == 1U);
  sim.At(minutes(1)).Resolve(kDown).At(minutes(6));
  BOOST_TEST(sim.heard().size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
