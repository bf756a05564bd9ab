// The worked timelines of Alertmanager: its own acceptance tests and what its binary was seen to do, at exact
// times. Seconds are those of the timelines; group timers start when an alert arrives.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "support/expect.h"
#include "support/sim.h"

namespace mlalert::testing {
namespace {

std::string Route(const std::string& timing, const std::string& rest = "") {
  return fmt::format(R"(
route: {{receiver: web, group_by: [], {}}}
receivers: [{{name: web, webhook_configs: [{{url: "http://127.0.0.1:9/"}}]}}]
{})",
                     timing, rest);
}

LabelSet Named(const std::string& name) {
  return Labels({{"alertname", name}});
}

Duration Sec(double s) {
  return Duration(static_cast<int64_t>(s * 1000)) * 1'000'000;
}

class Timeline {
 public:
  explicit Timeline(const std::string& config, const EngineOptions& options = {})
      : sim_(config, FromUnixMillis(1767225600000), options), zero_(sim_.now()) {}

  Sim& At(double t) { return sim_.At(Sec(t)); }
  // Without an end, as a client that gives none: the resolve_timeout of 5 minutes.
  void Post(double t, const std::string& name, double starts, const LabelSet& annotations = {}) {
    At(t).Post(Named(name), zero_ + Sec(starts), sim_.now() + minutes(5), true, annotations);
  }
  void End(double t, const std::string& name, double starts, double ends) {
    At(t).Post(Named(name), zero_ + Sec(starts), zero_ + Sec(ends));
  }
  Sim& sim() { return sim_; }
  // Of the last notification's first alert.
  double StartsAt() const { return Since(Told().starts_at); }
  double EndsAt() const { return Since(Told().ends_at); }
  const Alert& Told() const { return sim_.heard().back().notification->alerts.front().alert; }
  double HeardAt() const { return Since(sim_.heard().back().at); }

 private:
  double Since(Timestamp t) const { return ToSeconds(t - zero_); }
  Sim sim_;
  Timestamp zero_;
};

BOOST_AUTO_TEST_SUITE(alertmanager_timelines)

BOOST_AUTO_TEST_CASE(a_versions_of_one_alert_are_merged) {
  Timeline line(Route("group_wait: 1s, group_interval: 1s, repeat_interval: 1ms"));
  line.Post(1, "A", 1.1);
  line.Post(1.2, "A", 1.0);
  line.At(2);
  BOOST_TEST(line.StartsAt() == 1.0);
  line.Post(2.1, "A", 2, Labels({{"v", "v1"}}));
  line.At(3);
  BOOST_TEST(line.HeardAt() == 3.0);
  BOOST_TEST(line.StartsAt() == 1.0);
  BOOST_TEST(line.Told().annotations.Get("v") == "v1");
  line.End(4.6, "A", 3, 4.5);
  line.End(4.8, "A", 3, 4.8);
  line.End(4.8, "A", 3, 4.1);
  line.At(5);
  BOOST_TEST(line.sim().heard().back().resolved.size() == 1U);
  BOOST_TEST(line.StartsAt() == 1.0);
  BOOST_TEST(line.EndsAt() == 4.8);
  line.Post(5.3, "A", 5);
  line.At(6.3);
  BOOST_TEST(line.HeardAt() == 6.3);
  BOOST_TEST(line.sim().heard().back().firing.size() == 1U);
  BOOST_TEST(line.StartsAt() == 5.0);
}

BOOST_AUTO_TEST_CASE(b_a_receiver_that_fails_for_a_while_holds_the_group_up_and_hears_it_once) {
  Timeline line(R"(
route: {receiver: web, group_wait: 1s, group_interval: 2s, repeat_interval: 3s}
receivers: [{name: web, webhook_configs: [{url: "http://127.0.0.1:9/"}, {url: "http://127.0.0.1:9/b"}]}]
)");
  line.sim().Answer("web/webhook[1]", std::vector<DeliveryVerdict>(4, DeliveryVerdict::kRetry));
  line.Post(1, "A", 1);
  line.At(6.5);
  // Attempts at 2, 2.5, 3.25, 4.375 fail, the one at 6.0625 does not; the tick of 4 comes after it.
  ExpectHeard(line.sim(), {"+2s web/webhook[0] first notification firing=A",
                           "+6s62ms web/webhook[1] first notification firing=A",
                           "+6s62ms web/webhook[0] repeat interval elapsed firing=A"});
}

BOOST_AUTO_TEST_CASE(c_alerts_of_one_group_come_in_batches) {
  Timeline line(Route("group_wait: 1s, group_interval: 1s, repeat_interval: 4900ms"));
  line.Post(1.1, "A", 1.1);
  line.Post(1.7, "B", 1.7);
  for (const char* name : {"C", "D", "E"}) {
    line.Post(3.3, name, 3.3);
  }
  line.At(13);
  ExpectHeard(line.sim(), {"+2s100ms web/webhook[0] first notification firing=A,B",
                           "+4s100ms web/webhook[0] new alerts added firing=A,B,C,D,E",
                           "+9s100ms web/webhook[0] repeat interval elapsed firing=A,B,C,D,E"});
}

BOOST_AUTO_TEST_CASE(d_what_nobody_repeats_ends_at_the_resolve_timeout) {
  Timeline line(Route("group_wait: 1s, group_interval: 5s"));
  for (const char* name : {"A", "B", "C"}) {
    line.At(1).Post(Named(name), line.sim().now(), line.sim().now() + seconds(10), true);
  }
  line.At(60);
  ExpectHeard(line.sim(), {"+2s web/webhook[0] first notification firing=A,B,C",
                           "+12s web/webhook[0] all alerts resolved resolved=A,B,C"});
  BOOST_TEST(line.EndsAt() == 11.0);
}

BOOST_AUTO_TEST_CASE(e_who_wants_no_resolves_gets_none_but_the_log_learns_them) {
  Timeline line(R"(
route: {receiver: web, group_by: [], group_wait: 1s, group_interval: 1s}
receivers:
- name: web
  webhook_configs: [{url: "http://127.0.0.1:9/", send_resolved: true}, {url: "http://127.0.0.1:9/b", send_resolved: false}]
)");
  line.Post(1, "A", 1);
  line.Post(1, "B", 1);
  line.End(3.2, "A", 1, 3.2);
  line.Post(3.2, "C", 3.2);
  line.At(5);
  line.End(5.2, "B", 1, 5.2);
  line.End(5.2, "C", 3.2, 5.2);
  line.At(7);
  line.Post(8, "A", 8);
  line.At(9);
  ExpectHeard(
      line.sim(),
      {"+2s web/webhook[0] first notification firing=A,B", "+2s web/webhook[1] first notification firing=A,B",
       "+4s web/webhook[0] new alerts added firing=B,C resolved=A",
       "+4s web/webhook[1] new alerts added firing=B,C",
       "+6s web/webhook[0] all alerts resolved resolved=B,C",
       "+9s web/webhook[0] first notification firing=A", "+9s web/webhook[1] first notification firing=A"});
}

BOOST_AUTO_TEST_CASE(f_an_inhibited_alert_is_missing_until_its_source_has_resolved) {
  Timeline line(Route("group_wait: 1s, group_interval: 1s, repeat_interval: 1ms",
                      "inhibit_rules: [{source_matchers: [alertname=JobDown], target_matchers: "
                      "[alertname=InstanceDown], equal: [job, zone]}]"));
  line.Post(1, "InstanceDown", 1);
  line.Post(1, "Other", 1);
  line.At(2);
  line.Post(2.2, "JobDown", 2.2);
  line.At(3);
  line.End(3.6, "JobDown", 2.2, 3.6);
  line.At(4);
  ExpectHeard(line.sim(), {"+2s web/webhook[0] first notification firing=InstanceDown,Other",
                           "+3s web/webhook[0] new alerts added firing=JobDown,Other",
                           "+4s web/webhook[0] new alerts added firing=InstanceDown,Other resolved=JobDown"});
}

BOOST_AUTO_TEST_CASE(f_source_and_target_that_end_together_are_both_told) {
  Timeline line(Route("group_wait: 1s, group_interval: 1s, repeat_interval: 1ms",
                      "inhibit_rules: [{source_matchers: [alertname=JobDown], target_matchers: "
                      "[alertname=InstanceDown]}]"));
  line.Post(1, "InstanceDown", 1);
  line.Post(1, "JobDown", 1);
  line.At(2);
  line.End(2.6, "JobDown", 1, 2.6);
  line.End(2.6, "InstanceDown", 1, 2.6);
  line.At(3);
  ExpectHeard(line.sim(), {"+2s web/webhook[0] first notification firing=JobDown",
                           "+3s web/webhook[0] all alerts resolved resolved=InstanceDown,JobDown"});
}

BOOST_AUTO_TEST_CASE(g_a_start_delay_holds_everything_and_then_begins_the_interval) {
  const std::string config = Route("group_wait: 1s, group_interval: 6s");
  EngineOptions options;
  options.start_delay = seconds(5);
  Timeline line(config, options);
  line.Post(1, "A", -100);
  line.At(4.999);
  BOOST_TEST(line.sim().heard().empty());
  line.At(5).Reload(config);
  line.Post(6, "B", 6);
  line.Post(7, "C", 7);
  line.At(16);
  ExpectHeard(line.sim(), {"+5s web/webhook[0] first notification firing=A",
                           "+11s web/webhook[0] new alerts added firing=A,B,C"});
}

BOOST_AUTO_TEST_CASE(g_without_a_reload_the_interval_counts_from_the_delayed_start) {
  EngineOptions options;
  options.start_delay = seconds(5);
  Timeline line(Route("group_wait: 1s, group_interval: 6s"), options);
  line.Post(1, "A", 1);
  line.Post(5.5, "B", 5.5);
  line.At(16);
  ExpectHeard(line.sim(), {"+5s web/webhook[0] first notification firing=A",
                           "+11s web/webhook[0] new alerts added firing=A,B"});
}

BOOST_AUTO_TEST_CASE(g_a_clock_set_back_does_not_prolong_the_delay) {
  EngineOptions options;
  options.start_delay = minutes(1);
  Timeline line(Route("group_wait: 0s, group_interval: 1m"), options);
  line.Post(1, "A", -10);
  line.sim().SetClock(line.sim().now() - hours(1));
  line.sim().Post(Named("B"), line.sim().now(), kNever);  // the engine looks at the clock with every input
  line.sim().SetClock(line.sim().now() + minutes(1));
  BOOST_TEST(line.sim().heard().size() == 1U);
}

BOOST_AUTO_TEST_CASE(h_a_reload_starts_the_timers_of_groups_anew) {
  const std::string config = Route("group_wait: 1s, group_interval: 6s, repeat_interval: 10m");
  Timeline line(config);
  line.Post(1, "A", 1);
  line.At(3).Reload(config);
  line.Post(4, "B", 4);
  line.At(12);
  ExpectHeard(line.sim(), {"+2s web/webhook[0] first notification firing=A",
                           "+9s web/webhook[0] new alerts added firing=A,B"});
}

BOOST_AUTO_TEST_CASE(h_a_group_that_still_waits_waits_again_after_a_reload) {
  const std::string config = Route("group_wait: 10s, group_interval: 1m");
  Timeline line(config);
  line.Post(1, "A", 1);
  line.At(4).Reload(config);
  line.At(30);
  ExpectHeard(line.sim(), {"+14s web/webhook[0] first notification firing=A"});
}

BOOST_AUTO_TEST_CASE(i_what_cannot_be_retried_is_tried_once_per_tick) {
  Timeline line(Route("group_wait: 1s, group_interval: 6s"));
  line.sim().Answer("web/webhook[0]", std::vector<DeliveryVerdict>(3, DeliveryVerdict::kFailed));
  line.Post(0, "A", 0);
  line.At(30);
  ExpectLines(line.sim().attempt_log(),
              {"+1s web/webhook[0]", "+7s web/webhook[0]", "+13s web/webhook[0]", "+19s web/webhook[0]"});
}

BOOST_AUTO_TEST_CASE(i_a_flush_that_fails_lasts_to_its_deadline_and_the_next_follows_at_once) {
  Timeline line(R"(
route: {receiver: web, group_wait: 1s, group_interval: 6s, repeat_interval: 1h}
receivers: [{name: web, webhook_configs: [{url: "http://127.0.0.1:9/"}, {url: "http://127.0.0.1:9/b"}]}]
)");
  line.sim().Answer("web/webhook[1]", std::vector<DeliveryVerdict>(6, DeliveryVerdict::kRetry));
  line.Post(0, "A", 0);
  line.Post(12, "B", 12);
  line.At(24);
  // The waits are 0.5 s and half as long again each time; the seventh attempt would be at 11.39.
  ExpectLines(
      line.sim().attempt_log(),
      {"+1s web/webhook[0]", "+1s web/webhook[1]", "+1s500ms web/webhook[1]", "+2s250ms web/webhook[1]",
       "+3s375ms web/webhook[1]", "+5s62ms web/webhook[1]", "+7s593ms web/webhook[1]", "+11s web/webhook[1]",
       "+17s web/webhook[0]", "+17s web/webhook[1]"});
}

BOOST_AUTO_TEST_CASE(i_a_receiver_that_is_slow_to_fail_is_asked_again_at_once) {
  Timeline line(Route("group_wait: 1s, group_interval: 1m"));
  line.sim().Hang("web/webhook[0]");
  line.Post(0, "A", 0);
  line.At(4).ReleaseHung("web/webhook[0]", DeliveryVerdict::kRetry);
  ExpectLines(line.sim().attempt_log(), {"+1s web/webhook[0]", "+4s web/webhook[0]"});
}

BOOST_AUTO_TEST_CASE(
    j_an_old_alert_that_creates_its_group_does_not_wait_and_one_that_joins_shortens_nothing) {
  Timeline line(Route("group_wait: 10s, group_interval: 1m"));
  line.Post(1, "A", 1);
  line.Post(2, "B", -100);
  line.At(10.9);
  BOOST_TEST(line.sim().heard().empty());
  line.At(11);
  ExpectHeard(line.sim(), {"+11s web/webhook[0] first notification firing=A,B"});
  Timeline old(Route("group_wait: 10s"));
  old.Post(1, "A", -99);
  BOOST_TEST(old.HeardAt() == 1.0);
}

// --- every post reaches the groups, also that of a resolved alert ---

BOOST_AUTO_TEST_CASE(a_resolve_that_is_posted_again_is_listed_beside_what_is_told_next) {
  Timeline line(Route("group_wait: 1s, group_interval: 5s"));
  line.Post(0, "A", 0);
  line.Post(0, "B", 0);
  line.End(2, "A", 0, 2);
  line.End(7, "A", 0, 2);  // told at 6; Prometheus repeats it for 15 minutes
  line.Post(8, "C", 8);
  line.At(16);
  line.End(17, "A", 0, 2);  // nothing else is new: not told again
  line.At(40);
  ExpectHeard(line.sim(), {"+1s web/webhook[0] first notification firing=A,B",
                           "+6s web/webhook[0] some alerts resolved firing=B resolved=A",
                           "+11s web/webhook[0] new alerts added firing=B,C resolved=A"});
}

BOOST_AUTO_TEST_CASE(an_alert_that_is_over_when_it_is_first_heard_of_tells_nobody_and_keeps_nothing) {
  Timeline line(Route("group_wait: 1s, group_interval: 5s"));
  const size_t before = line.sim().records_written();
  line.End(10, "A", 0, 5);
  line.At(60);
  BOOST_TEST(line.sim().heard().empty());
  BOOST_TEST(line.sim().engine().Stats().groups == 0U);
  BOOST_TEST(line.sim().records_written() == before);
  line.At(3600);
  BOOST_TEST(line.sim().engine().Stats().alerts == 0U);
}

BOOST_AUTO_TEST_CASE(
    a_firing_alert_that_joins_a_group_of_resolved_ones_keeps_its_timer_and_survives_a_restart) {
  Timeline line(Route("group_wait: 10s, group_interval: 1m"));
  line.End(0, "A", 0, 0);
  line.Post(4, "B", 4);
  line.At(5).Restart();
  line.At(30);
  ExpectHeard(line.sim(), {"+10s web/webhook[0] first notification firing=B"});
}

BOOST_AUTO_TEST_CASE(log_entries_live_twice_the_repeat_interval_but_never_longer_than_the_retention) {
  EngineOptions options;
  options.data_retention = hours(1);
  options.data_maintenance_interval = minutes(7);
  Timeline line(Route("group_wait: 0s, group_interval: 10m, repeat_interval: 4h"), options);
  line.At(0).Fire(Named("A"));
  line.At(4 * 3600);
  // Expired after an hour, so the next tick finds nobody told.
  ExpectHeard(line.sim(), {"+0s web/webhook[0] first notification firing=A",
                           "+1h10m web/webhook[0] first notification firing=A",
                           "+2h20m web/webhook[0] first notification firing=A",
                           "+3h30m web/webhook[0] first notification firing=A"});
}

BOOST_AUTO_TEST_CASE(resolved_alerts_are_known_until_they_are_collected) {
  EngineOptions options;
  options.alert_gc_interval = minutes(10);
  Timeline line(Route("group_wait: 0s, group_interval: 10s"), options);
  line.Post(0, "A", 0);
  line.End(5, "A", 0, 5);
  line.At(599);
  BOOST_TEST(line.sim().engine().Stats().alerts == 1U);
  line.At(600);
  BOOST_TEST(line.sim().engine().Stats().alerts == 0U);
}

BOOST_AUTO_TEST_CASE(an_imported_log_entry_knows_alerts_by_alertmanagers_hash) {
  const std::string config = R"(
route: {receiver: web, group_by: [], group_wait: 0s, group_interval: 10s, repeat_interval: 1m}
receivers:
- name: web
  webhook_configs: [{url: "http://127.0.0.1:9/"}, {url: "http://127.0.0.1:9/b", send_resolved: false}]
)";
  const Timestamp start = FromUnixMillis(1767225600000);
  RestoredState state;
  for (uint32_t index : {0U, 1U}) {
    NflogEntry entry{"{}:{}", "web", "webhook",        index, start - seconds(30), {}, {},
                     {},      "",    start + hours(1), true};
    entry.firing = {NflogHash(Named("Stays")), NflogHash(Named("Goes"))};
    std::sort(entry.firing.begin(), entry.firing.end());
    state.nflog.push_back(entry);
  }
  Sim sim(config, start, {}, std::move(state));
  sim.Fire(Named("Stays"));
  sim.Post(Named("Goes"), start - minutes(5), start - seconds(1));
  sim.At(seconds(5)).Restart();
  sim.Post(Named("Goes"), start - minutes(5), start - seconds(1));
  sim.At(minutes(2));
  ExpectHeard(sim, {"+10s web/webhook[0] some alerts resolved firing=Stays resolved=Goes",
                    "+40s web/webhook[1] repeat interval elapsed firing=Stays",
                    "+1m20s web/webhook[0] repeat interval elapsed firing=Stays",
                    "+1m50s web/webhook[1] repeat interval elapsed firing=Stays"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
