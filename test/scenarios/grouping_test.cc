// Grouping, waiting, deduplication and repeats, as Alertmanager's dispatcher does them. Times are exact.
#include <boost/test/unit_test.hpp>

#include "support/expect.h"
#include "support/sim.h"

namespace mlalert::testing {
namespace {

const std::string kPlain = R"(
route:
  receiver: web
  group_by: [model]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
receivers:
- name: web
  webhook_configs: [{url: "http://127.0.0.1:9/"}]
)";

const LabelSet kDrift = Labels({{"alertname", "Drift"}, {"model", "churn-v4"}});
const LabelSet kLatency = Labels({{"alertname", "Latency"}, {"model", "churn-v4"}});
const LabelSet kOther = Labels({{"alertname", "Drift"}, {"model", "fraud-v2"}});

BOOST_AUTO_TEST_SUITE(grouping)

BOOST_AUTO_TEST_CASE(two_alerts_of_one_model_arrive_as_one_notification_after_group_wait) {
  Sim sim(kPlain);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(seconds(10)).Fire(kLatency);
  sim.At(seconds(29));
  ExpectHeard(sim, {});
  sim.At(seconds(30));
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Drift,Latency"});
}

BOOST_AUTO_TEST_CASE(another_model_is_another_group) {
  Sim sim(kPlain);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(seconds(10)).Fire(kOther);
  sim.At(seconds(60));
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Drift",
                    "+40s web/webhook[0] first notification firing=Drift"});
}

BOOST_AUTO_TEST_CASE(a_new_alert_of_a_known_group_waits_for_the_next_interval) {
  Sim sim(kPlain);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(1)).Fire(kLatency);
  sim.At(minutes(10));
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Drift",
                    "+5m30s web/webhook[0] new alerts added firing=Drift,Latency"});
}

BOOST_AUTO_TEST_CASE(a_resolve_is_told_at_the_next_interval_and_the_group_ends) {
  Sim sim(kPlain);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(2)).Resolve(kDrift);
  sim.At(minutes(20));
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Drift",
                    "+5m30s web/webhook[0] all alerts resolved resolved=Drift"});
  BOOST_TEST(sim.engine().Stats().groups == 0U);
}

BOOST_AUTO_TEST_CASE(an_alert_that_resolves_within_group_wait_is_never_told) {
  Sim sim(kPlain);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(seconds(20)).Resolve(kDrift);
  sim.At(hours(1));
  ExpectHeard(sim, {});
}

BOOST_AUTO_TEST_CASE(the_repeat_comes_at_the_first_tick_after_the_interval) {
  Sim sim(kPlain);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(hours(9));
  // An exact multiple of group_interval slips to the next tick, as upstream.
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Drift",
                    "+4h5m30s web/webhook[0] repeat interval elapsed firing=Drift",
                    "+8h10m30s web/webhook[0] repeat interval elapsed firing=Drift"});
}

BOOST_AUTO_TEST_CASE(an_alert_whose_sender_goes_silent_resolves_at_its_end) {
  Sim sim(kPlain);
  sim.At(seconds(0)).Fire(kDrift, minutes(4));
  sim.At(minutes(3)).Fire(kDrift, minutes(4));
  sim.At(minutes(20));
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Drift",
                    "+10m30s web/webhook[0] all alerts resolved resolved=Drift"});
}

BOOST_AUTO_TEST_CASE(an_old_alert_is_told_at_once_when_its_group_is_new) {
  Sim sim(kPlain);
  sim.At(hours(1));
  AlertInput input(kDrift, sim.now() - minutes(10), kNever);
  DecodedAlert alert = input.Get();
  Effects fx;
  sim.engine().Ingest({&alert, 1}, sim.now(), fx);
  BOOST_TEST((sim.engine().NextDue() == sim.now()));
}

BOOST_AUTO_TEST_CASE(a_failed_notification_is_tried_again_with_backoff_and_then_at_the_next_tick) {
  Sim sim(kPlain);
  sim.Answer("web/webhook[0]", {DeliveryVerdict::kRetry, DeliveryVerdict::kRetry, DeliveryVerdict::kFailed});
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(1));
  ExpectHeard(sim, {});
  BOOST_TEST(sim.attempts() == 3U);
  sim.At(minutes(6));
  ExpectHeard(sim, {"+5m30s web/webhook[0] first notification firing=Drift"});
}

BOOST_AUTO_TEST_CASE(a_receiver_that_hangs_delays_no_other) {
  Sim sim(R"(
route: {receiver: both, group_by: [model], group_wait: 0s, group_interval: 1m}
receivers:
- name: both
  webhook_configs: [{url: "http://127.0.0.1:9/a"}, {url: "http://127.0.0.1:9/b"}]
)");
  sim.Hang("both/webhook[0]");
  sim.At(seconds(0)).Fire(kDrift);
  ExpectHeard(sim, {"+0s both/webhook[1] first notification firing=Drift"});
}

BOOST_AUTO_TEST_CASE(a_flush_that_overruns_its_interval_is_followed_by_the_next_at_once) {
  Sim sim(kPlain);
  sim.Hang("web/webhook[0]");
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(6)).Fire(kLatency);
  sim.Hang("web/webhook[0]", false);
  sim.At(minutes(7)).ReleaseHung("web/webhook[0]", DeliveryVerdict::kSent);
  ExpectHeard(sim, {"+7m web/webhook[0] new alerts added firing=Drift,Latency"});
}

BOOST_AUTO_TEST_CASE(without_policies_a_refire_is_a_first_notification_again) {
  Sim sim(kPlain);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(1)).Resolve(kDrift);
  sim.At(minutes(7)).Fire(kDrift);
  sim.At(minutes(8));
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Drift",
                    "+5m30s web/webhook[0] all alerts resolved resolved=Drift",
                    "+7m30s web/webhook[0] first notification firing=Drift"});
}

BOOST_AUTO_TEST_CASE(continue_reaches_both_routes_and_the_parent_only_when_no_child_matches) {
  Sim sim(R"(
route:
  receiver: root
  group_wait: 0s
  routes:
  - {matchers: ['team="ml"'], receiver: ml, continue: true}
  - {matchers: ['model=~".+"'], receiver: models}
receivers:
- {name: root, webhook_configs: [{url: "http://127.0.0.1:9/"}]}
- {name: ml, webhook_configs: [{url: "http://127.0.0.1:9/"}]}
- {name: models, webhook_configs: [{url: "http://127.0.0.1:9/"}]}
)");
  sim.Fire(Labels({{"alertname", "A"}, {"team", "ml"}, {"model", "m"}}));
  sim.Fire(Labels({{"alertname", "B"}}));
  ExpectHeard(sim, {"+0s ml/webhook[0] first notification firing=A",
                    "+0s models/webhook[0] first notification firing=A",
                    "+0s root/webhook[0] first notification firing=B"});
}

BOOST_AUTO_TEST_CASE(a_raise_changes_the_place_of_an_alert_in_the_next_notification) {
  Sim sim(kPlain + R"(
incidents: {identity: [alertname, model, zone]}
incident_policies: [{name: all, cooldown: 0s}]
)");
  auto in_zone = [](std::string_view zone, std::string_view severity) {
    return kDrift.With("severity", severity).With("zone", zone);
  };
  sim.Silence("zone=c", hours(10));
  sim.At(seconds(0)).Fire(in_zone("a", "P3")).Fire(in_zone("b", "P2")).Fire(in_zone("c", "P2"));
  sim.At(minutes(1));
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Drift:P2,Drift:P3"});
  sim.Raise(sim.IncidentOf(in_zone("a", "P3")).id, Severity::kP1);
  sim.At(minutes(6));
  ExpectHeard(sim, {"+1m web/webhook[0] severity raised firing=Drift:P1,Drift:P2"});
  sim.Fire(in_zone("d", "P1")).At(minutes(12));
  ExpectHeard(sim, {"+10m30s web/webhook[0] new alerts added firing=Drift:P1,Drift:P1,Drift:P2"});
  const auto& alerts = sim.heard().back().notification->alerts;
  BOOST_TEST(alerts.front().alert.labels.Get("zone") == "a");
}

BOOST_AUTO_TEST_CASE(reload_keeps_alerts_and_tells_nobody_twice) {
  Sim sim(kPlain);
  sim.At(seconds(0)).Fire(kDrift);
  sim.At(minutes(1));
  ExpectHeard(sim, {"+30s web/webhook[0] first notification firing=Drift"});
  sim.Reload(kPlain);
  sim.At(minutes(4)).Resolve(kDrift);
  sim.At(minutes(6));
  ExpectHeard(sim, {"+6m web/webhook[0] all alerts resolved resolved=Drift"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
