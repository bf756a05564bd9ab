// The order of the reasons, and their counts.
#include "mute/muter.h"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <vector>

#include "config/config_loader.h"
#include "support/builders.h"

namespace mlalert::testing {
namespace {

const Timestamp kNoon = FromUnixMillis(1767225600000) + hours(12);  // Thursday 2026-01-01
const Timestamp kNight = kNoon + hours(12);

ConfigPtr Load(const std::string& yaml) {
  ConfigPtr config;
  Diagnostics diagnostics = LoadConfigText(yaml, "mute.yml", config);
  BOOST_REQUIRE_MESSAGE(config != nullptr, diagnostics.ToText());
  return config;
}

const char* const kConfig = R"(
route:
  receiver: web
  routes:
  - {matchers: [r=active], receiver: web, active_time_intervals: [day, never]}
  - {matchers: [r=muted], receiver: web, mute_time_intervals: [always, night, day, day]}
  - {matchers: [r=both], receiver: web, active_time_intervals: [day], mute_time_intervals: [day]}
receivers: [{name: web}]
inhibit_rules:
- {source_matchers: [severity=P0], target_matchers: [severity=P2]}
time_intervals:
- {name: day, time_intervals: [{times: [{start_time: '08:00', end_time: '20:00'}]}]}
- {name: night, time_intervals: [{times: [{start_time: '20:00', end_time: '24:00'}, {start_time: '00:00', end_time: '08:00'}]}]}
- {name: never, time_intervals: [{weekdays: []}]}
- {name: always, time_intervals: [{}]}
)";

struct Fixture {
  Fixture() : config(Load(kConfig)), muter(config) {
    target.alert.labels = Labels({{"alertname", "Drift"}, {"severity", "P2"}});
    target.effective = target.alert.labels;
    source.alert.labels = Labels({{"alertname", "Down"}, {"severity", "P0"}});
    source.effective = source.alert.labels;
    for (AlertEntry* entry : {&target, &source}) {
      entry->alert.ends_at = kNever;
      entry->firing = true;
    }
  }
  void Silence() {
    SilenceRequest request;
    request.matchers = {{"alertname", MatchOp::kEqual, "Drift"}};
    request.starts_at = kNoon - hours(1);
    request.ends_at = kNever;
    BOOST_REQUIRE(muter.silences().Set(request, kNoon, [] { return "s"; }));
  }
  ConfigPtr config;
  Muter muter;
  AlertEntry target, source;
};

using Names = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(muter)

BOOST_FIXTURE_TEST_CASE(active_intervals_mute_when_none_contains_now_and_all_are_named, Fixture) {
  const Route& route = config->route.routes[0];
  BOOST_TEST((muter.MuteOf(route, kNoon).reason == MuteReason::kNone));
  BOOST_TEST(muter.MuteOf(route, kNoon).names.empty());
  RouteMute night = muter.MuteOf(route, kNight);
  BOOST_TEST(ToString(night.reason) == "active_time_interval");
  BOOST_TEST(night.names == (Names{"day", "never"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(mute_intervals_that_contain_now_are_named_once_per_spec, Fixture) {
  RouteMute mute = muter.MuteOf(config->route.routes[1], kNoon);
  BOOST_TEST(ToString(mute.reason) == "mute_time_interval");
  BOOST_TEST(mute.names == (Names{"always", "day", "day"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(active_is_asked_before_mute, Fixture) {
  const Route& route = config->route.routes[2];
  BOOST_TEST((muter.MuteOf(route, kNoon).reason == MuteReason::kMuteTimeInterval));
  BOOST_TEST((muter.MuteOf(route, kNight).reason == MuteReason::kActiveTimeInterval));
}

BOOST_FIXTURE_TEST_CASE(a_route_does_not_inherit_intervals, Fixture) {
  BOOST_TEST((muter.MuteOf(config->route, kNight).reason == MuteReason::kNone));
}

BOOST_FIXTURE_TEST_CASE(the_first_reason_counts, Fixture) {
  RouteMute by_time{MuteReason::kMuteTimeInterval, {"day"}};
  Silence();
  muter.inhibitor().Update(source);
  BOOST_TEST((muter.Judge(target, by_time, kNoon) == MuteReason::kInhibition));
  source.firing = false;
  muter.inhibitor().Update(source);
  BOOST_TEST((muter.Judge(target, by_time, kNoon) == MuteReason::kMuteTimeInterval));
  BOOST_TEST((muter.Judge(target, {}, kNoon) == MuteReason::kSilence));
  BOOST_TEST((muter.Judge(target, {}, kNoon) == MuteReason::kSilence));
  BOOST_TEST((muter.Judge(source, {}, kNoon) == MuteReason::kNone));
  BOOST_TEST(muter.Suppressed(MuteReason::kInhibition) == 1U);
  BOOST_TEST(muter.Suppressed(MuteReason::kMuteTimeInterval) == 1U);
  BOOST_TEST(muter.Suppressed(MuteReason::kSilence) == 2U);
  BOOST_TEST(muter.Suppressed(MuteReason::kActiveTimeInterval) == 0U);
}

BOOST_FIXTURE_TEST_CASE(an_alert_tells_all_that_mutes_it, Fixture) {
  Silence();
  muter.inhibitor().Update(source);
  AlertMute mute = muter.MuteOf(target, kNoon);
  BOOST_TEST(mute.silenced_by == Names{"s"}, boost::test_tools::per_element());
  BOOST_TEST((mute.inhibited_by == source.alert.fingerprint()));
  BOOST_TEST(muter.Suppressed(MuteReason::kSilence) == 0U);  // asking is not muting
}

BOOST_FIXTURE_TEST_CASE(another_config_keeps_silences, Fixture) {
  Silence();
  muter.inhibitor().Update(source);
  muter.SetConfig(Load("route: {receiver: web}\nreceivers: [{name: web}]\n"));
  BOOST_TEST((muter.Judge(target, {}, kNoon) == MuteReason::kSilence));
  BOOST_TEST((muter.MuteOf(config->route.routes[1], kNoon).reason == MuteReason::kNone));  // names are gone
}

BOOST_FIXTURE_TEST_CASE(a_forgotten_alert_inhibits_nobody, Fixture) {
  muter.inhibitor().Update(source);
  muter.Forget(source.alert.fingerprint());
  BOOST_TEST((muter.Judge(target, {}, kNoon) == MuteReason::kNone));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
