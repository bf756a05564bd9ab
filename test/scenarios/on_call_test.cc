// On-call schedules that routes and chains name: who is told, and who at a hand-over.
#include <boost/test/unit_test.hpp>
#include <string>

#include "support/expect.h"
#include "support/sim.h"

namespace mlalert::testing {
namespace {

const Timestamp kMonday = FromUnixMillis(1767571200000);  // 2026-01-05T00:00:00Z
const LabelSet kDown = Labels({{"alertname", "Down"}, {"model", "m"}, {"severity", "P0"}});

const std::string kReceivers = R"(
receivers:
- {name: board, webhook_configs: [{url: "http://127.0.0.1:9/board"}]}
- {name: chat, webhook_configs: [{url: "http://127.0.0.1:9/chat"}]}
- {name: l1, pagerduty_configs: [{routing_key: k, url: "http://127.0.0.1:9/pd"}]}
- {name: l2, webhook_configs: [{url: "http://127.0.0.1:9/l2"}]}
- {name: vp, webhook_configs: [{url: "http://127.0.0.1:9/vp"}]}
- {name: last, webhook_configs: [{url: "http://127.0.0.1:9/last"}]}
incidents: {identity: [alertname, model], reopen_window: 30m}
)";

BOOST_AUTO_TEST_SUITE(on_call)

const std::string kOnCall = R"(
route: {receiver: rota, group_by: [model], group_wait: 0s, group_interval: 1m, repeat_interval: 12h}
)" + kReceivers + R"(
schedules:
- name: rota
  rotations: [{type: custom, shift: 1h, start: "2026-01-05", receivers: [l1, l2]}]
- name: never
  rotations: [{type: daily, start: "2030-01-01", receivers: [vp]}]
incident_policies:
- {name: page, matchers: [severity=P0], chain: [{after: 10m, receivers: [never]}, {after: 40m, receivers: [rota]}]}
)";

// A chain whose steps name a schedule that changes hands each hour.
std::string HourlyRota(const std::string& first_step) {
  return R"(
route: {receiver: board, group_by: [model], group_wait: 0s, group_interval: 1m, repeat_interval: 12h}
)" + kReceivers +
         R"(
schedules:
- name: rota
  rotations: [{type: custom, shift: 1h, start: "2026-01-05", receivers: [l1, l2, vp]}]
incident_policies: [{name: page, chain: [{after: )" +
         first_step + R"(, receivers: [rota]}, {after: 10h, receivers: [rota]}]}]
)";
}

BOOST_AUTO_TEST_CASE(a_route_tells_who_is_on_call_and_the_newcomer_at_the_hand_over) {
  Sim sim(kOnCall, kMonday);
  sim.At(minutes(58)).Fire(kDown.With("severity", "P3"));
  sim.At(minutes(62)).Resolve(kDown.With("severity", "P3"));
  sim.At(minutes(65));
  ExpectHeard(sim, {"+58m l1/pagerduty[0] first notification firing=Down:P3",
                    "+1h l2/webhook[0] first notification firing=Down:P3",
                    "+1h3m l2/webhook[0] all alerts resolved resolved=Down",
                    "+1h3m l1/pagerduty[0] all alerts resolved resolved=Down"});
}

BOOST_AUTO_TEST_CASE(who_comes_on_call_hears_at_once_of_what_the_chain_has_told_and_nobody_took) {
  Sim sim(HourlyRota("10m"), kMonday);
  sim.At(minutes(30)).Fire(kDown);
  sim.At(minutes(65)).Restart(minutes(5)).At(minutes(90));
  ExpectHeard(
      sim, {"+30m board/webhook[0] first notification firing=Down:P0",
            "+40m l1/pagerduty[0] escalated firing=Down:P0", "+1h l2/webhook[0] escalated firing=Down:P0"});
  // A hand-over while it is silenced is made up for.
  sim.Silence("model=m", minutes(60));
  sim.At(minutes(149));
  ExpectHeard(sim, {});
  sim.At(minutes(152));
  ExpectHeard(sim, {"+2h30m vp/webhook[0] escalated firing=Down:P0"});
  sim.Ack(1);
  sim.At(hours(9));
  for (const std::string& line : sim.TakeHeard()) {
    BOOST_TEST(line.find("escalated") == std::string::npos, line);
  }
}

BOOST_AUTO_TEST_CASE(who_came_on_call_while_mlalert_was_down_hears_when_it_is_back) {
  Sim sim(HourlyRota("0m"), kMonday);
  sim.At(minutes(30)).Fire(kDown).At(minutes(31));
  sim.TakeHeard();
  sim.At(minutes(55)).Restart(minutes(15)).At(minutes(75));
  ExpectHeard(sim, {"+1h10m l2/webhook[0] escalated firing=Down:P0"});
}

BOOST_AUTO_TEST_CASE(a_step_of_a_chain_that_reaches_nobody_is_not_waited_for) {
  Sim sim(kOnCall, kMonday);
  sim.At(seconds(0)).Fire(kDown);
  sim.TakeHeard();
  sim.At(minutes(12));
  ExpectHeard(sim, {"+10m l1/pagerduty[0] escalated firing=Down:P0"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
