// The chain, business clocks and silences as incidents see them: stories on simulated
// time.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <string>
#include <vector>

#include "config/response_targets.h"
#include "incidents/ladder.h"
#include "support/expect.h"
#include "support/plan_lines.h"
#include "support/sim.h"

namespace mlalert::testing {
namespace {

// 2026-01-01 is a Thursday.
const Timestamp kMonday = FromUnixMillis(1767571200000);  // 2026-01-05T00:00:00Z

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

const std::string kChain = R"(
route: {receiver: board, group_by: [model], group_wait: 0s, group_interval: 1m, repeat_interval: 12h}
)" + kReceivers + R"(
incident_policies:
- name: page
  cooldown: 0s
  chain:
    steps:
    - {after: 0m, receivers: [l1]}
    - {after: 15m, receivers: [l2]}
    - {after: 30m, receivers: [vp], severities: [P0]}
    repeat: {times: 1, every: 30m, from: 2}
    fallback: [last]
)";

const LabelSet kDown = Labels({{"alertname", "Down"}, {"model", "m"}, {"severity", "P0"}});

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  BOOST_REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

BOOST_AUTO_TEST_SUITE(chain)

BOOST_AUTO_TEST_CASE(tells_step_after_step_and_round_after_round_until_it_is_exhausted) {
  Sim sim(kChain);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(hours(5));
  ExpectHeard(
      sim,
      {"+0s board/webhook[0] first notification firing=Down:P0",
       "+0s l1/pagerduty[0] escalated firing=Down:P0", "+15m l2/webhook[0] escalated firing=Down:P0",
       "+30m vp/webhook[0] escalated firing=Down:P0", "+1h l2/webhook[0] escalated firing=Down:P0",
       "+1h15m vp/webhook[0] escalated firing=Down:P0", "+1h45m last/webhook[0] escalated firing=Down:P0"});
  BOOST_TEST(sim.Events(1).back().starts_with("chain_exhausted"));
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_stops_it_and_everybody_who_was_told_hears_of_it_and_of_the_end) {
  Sim sim(kChain);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(16)).Ack(1);
  sim.At(hours(3)).Resolve(kDown);
  sim.At(hours(4));
  std::vector<std::string> heard = sim.TakeHeard();
  std::sort(heard.begin(), heard.end());
  ExpectLines(heard,
              {"+0s board/webhook[0] first notification firing=Down:P0",
               "+0s l1/pagerduty[0] escalated firing=Down:P0", "+15m l2/webhook[0] escalated firing=Down:P0",
               "+16m board/webhook[0] acknowledged firing=Down:P0 by=alice",
               "+16m l1/pagerduty[0] acknowledged firing=Down:P0 by=alice",
               "+16m l2/webhook[0] acknowledged firing=Down:P0 by=alice",
               "+3h1m board/webhook[0] all alerts resolved resolved=Down",
               "+3h1m l1/pagerduty[0] all alerts resolved resolved=Down",
               "+3h1m l2/webhook[0] all alerts resolved resolved=Down"});
}

BOOST_AUTO_TEST_CASE(begins_anew_when_the_acknowledgement_is_taken_back) {
  Sim sim(kChain);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(5)).Ack(1);
  sim.TakeHeard();
  sim.At(minutes(60)).Unack(1);
  sim.At(minutes(75));
  ExpectHeard(
      sim, {"+1h board/webhook[0] unacknowledged firing=Down:P0",
            "+1h l1/pagerduty[0] escalated firing=Down:P0", "+1h15m l2/webhook[0] escalated firing=Down:P0"});
}

BOOST_AUTO_TEST_CASE(a_step_for_some_severities_passes_over_the_others) {
  Sim sim(kChain);
  sim.At(seconds(0)).Fire(kDown.With("severity", "P1"));
  sim.At(minutes(50));
  ExpectHeard(
      sim, {"+0s board/webhook[0] first notification firing=Down:P1",
            "+0s l1/pagerduty[0] escalated firing=Down:P1", "+15m l2/webhook[0] escalated firing=Down:P1"});
}

BOOST_AUTO_TEST_CASE(a_raise_begins_anew) {
  Sim sim(kChain);
  sim.At(seconds(0)).Fire(kDown.With("severity", "P1"));
  sim.At(minutes(20)).Raise(1, Severity::kP0);
  sim.TakeHeard();
  sim.At(minutes(50));
  ExpectHeard(sim,
              {"+35m l2/webhook[0] escalated firing=Down:P0", "+50m vp/webhook[0] escalated firing=Down:P0"});
}

BOOST_AUTO_TEST_CASE(a_receiver_that_the_route_tells_is_not_told_twice) {
  Sim sim(R"(
route: {receiver: l1, group_by: [model], group_wait: 30s, group_interval: 1m, repeat_interval: 12h}
)" + kReceivers +
          R"(
incident_policies: [{name: page, chain: [{after: 0m, receivers: [l1]}, {after: 15m, receivers: [l1, l2]}]}]
)");
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(20));
  ExpectHeard(
      sim, {"+30s l1/pagerduty[0] first notification firing=Down:P0",
            "+15m l1/pagerduty[0] escalated firing=Down:P0", "+15m l2/webhook[0] escalated firing=Down:P0"});
}

BOOST_AUTO_TEST_CASE(a_restart_tells_nobody_twice_and_forgets_nothing) {
  Sim sim(kChain);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(16)).Restart(minutes(1));
  sim.At(minutes(18)).Ack(1);
  sim.At(minutes(20)).Resolve(kDown);
  sim.At(minutes(30));
  std::vector<std::string> heard = sim.TakeHeard();
  std::sort(heard.begin(), heard.end());
  ExpectLines(heard,
              {"+0s board/webhook[0] first notification firing=Down:P0",
               "+0s l1/pagerduty[0] escalated firing=Down:P0", "+15m l2/webhook[0] escalated firing=Down:P0",
               "+18m board/webhook[0] acknowledged firing=Down:P0 by=alice",
               "+18m l1/pagerduty[0] acknowledged firing=Down:P0 by=alice",
               "+18m l2/webhook[0] acknowledged firing=Down:P0 by=alice",
               "+21m board/webhook[0] all alerts resolved resolved=Down",
               "+21m l1/pagerduty[0] all alerts resolved resolved=Down",
               "+21m l2/webhook[0] all alerts resolved resolved=Down"});
}

BOOST_AUTO_TEST_CASE(a_page_that_was_due_and_not_sent_is_sent_after_a_restart) {
  Sim sim(kChain);
  sim.Hang("l1/pagerduty[0]");
  sim.At(seconds(0)).Fire(kDown);
  sim.Hang("l1/pagerduty[0]", false);
  sim.At(minutes(2)).Restart(minutes(20));  // and step two came due meanwhile
  sim.At(minutes(23));
  ExpectHeard(
      sim, {"+0s board/webhook[0] first notification firing=Down:P0",
            "+22m l1/pagerduty[0] escalated firing=Down:P0", "+22m l2/webhook[0] escalated firing=Down:P0"});
}

BOOST_AUTO_TEST_CASE(who_cannot_be_reached_is_followed_by_the_next_at_once) {
  Sim sim(kChain);
  sim.Answer("l1/pagerduty[0]", {DeliveryVerdict::kFailed});
  sim.At(seconds(0)).Fire(kDown);
  sim.At(seconds(30));
  ExpectHeard(sim,
              {"+0s board/webhook[0] first notification firing=Down:P0",
               "+0s last/webhook[0] escalated firing=Down:P0", "+0s l2/webhook[0] escalated firing=Down:P0"});
}

BOOST_AUTO_TEST_CASE(who_the_route_tells_and_cannot_reach_is_followed_by_the_next_as_well) {
  Sim sim(Replaced(kChain, "receiver: board", "receiver: l1"));
  sim.Answer("l1/pagerduty[0]", std::vector<DeliveryVerdict>(9, DeliveryVerdict::kFailed));
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(8));
  ExpectHeard(sim,
              {"+0s last/webhook[0] escalated firing=Down:P0", "+0s l2/webhook[0] escalated firing=Down:P0"});
}

BOOST_AUTO_TEST_CASE(a_step_that_reached_one_of_those_it_names_has_reached_somebody) {
  const std::string both =
      Replaced(kChain, "{after: 0m, receivers: [l1]}", "{after: 0m, receivers: [chat, l1]}");
  Sim sim(both);
  sim.Answer("chat/webhook[0]", {DeliveryVerdict::kFailed});
  sim.At(seconds(0)).Fire(kDown);
  sim.At(seconds(30));
  ExpectHeard(sim, {"+0s board/webhook[0] first notification firing=Down:P0",
                    "+0s l1/pagerduty[0] escalated firing=Down:P0"});
  // Nobody: then the next is due, once.
  Sim none(both);
  none.Answer("chat/webhook[0]", {DeliveryVerdict::kFailed});
  none.Answer("l1/pagerduty[0]", {DeliveryVerdict::kFailed});
  none.At(seconds(0)).Fire(kDown);
  none.At(seconds(30));
  ExpectHeard(none,
              {"+0s board/webhook[0] first notification firing=Down:P0",
               "+0s last/webhook[0] escalated firing=Down:P0", "+0s l2/webhook[0] escalated firing=Down:P0"});
}

BOOST_AUTO_TEST_CASE(who_is_not_reached_within_a_minute_is_tried_on_while_the_next_are_told) {
  const std::string slow = Replaced(kChain, "group_interval: 1m", "group_interval: 5m");
  Sim sim(slow);
  sim.Hang("l1/pagerduty[0]");
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(4));
  ExpectHeard(sim,
              {"+0s board/webhook[0] first notification firing=Down:P0",
               "+1m last/webhook[0] escalated firing=Down:P0", "+1m l2/webhook[0] escalated firing=Down:P0"});
  std::vector<std::string> events = sim.Events(1);
  BOOST_TEST(std::count_if(events.begin(), events.end(),
                           [](const std::string& e) { return e.starts_with("nobody_reached"); }) == 1);
  // Two that hang are waited for once, and a message that arrives in the meantime ends the wait.
  Sim both(Replaced(slow, "{after: 0m, receivers: [l1]}", "{after: 0m, receivers: [chat, l1]}"));
  both.Hang("chat/webhook[0]");
  both.Hang("l1/pagerduty[0]");
  both.At(seconds(0)).Fire(kDown);
  both.At(minutes(4));
  ExpectHeard(both,
              {"+0s board/webhook[0] first notification firing=Down:P0",
               "+1m last/webhook[0] escalated firing=Down:P0", "+1m l2/webhook[0] escalated firing=Down:P0"});
  Sim retried(slow);
  retried.Answer("l1/pagerduty[0]", std::vector<DeliveryVerdict>(3, DeliveryVerdict::kRetry));
  retried.At(seconds(0)).Fire(kDown);
  retried.At(minutes(10));
  for (const std::string& line : retried.TakeHeard()) {
    BOOST_TEST(line.find("last/") == std::string::npos, line);
  }
  // A P1 has two minutes.
  Sim p1(slow);
  p1.Hang("l1/pagerduty[0]");
  p1.At(seconds(0)).Fire(Labels({{"alertname", "Down"}, {"model", "m"}, {"severity", "P1"}}));
  p1.At(minutes(4));
  ExpectHeard(p1,
              {"+0s board/webhook[0] first notification firing=Down:P1",
               "+2m last/webhook[0] escalated firing=Down:P1", "+2m l2/webhook[0] escalated firing=Down:P1"});
}

BOOST_AUTO_TEST_CASE(who_reaches_a_step_while_its_message_is_on_its_way_is_told_by_the_next_one) {
  Sim sim(kChain);
  const LabelSet late = kDown.With("alertname", "Late");
  sim.At(seconds(0)).Fire(kDown).At(seconds(5)).Fire(late);
  sim.TakeHeard();
  sim.At(minutes(15) - seconds(1)).Hang("l2/webhook[0]");
  sim.At(minutes(15) + seconds(8));  // the first one is on its way, and the other has reached its step
  sim.Hang("l2/webhook[0]", false).ReleaseHung("l2/webhook[0]", DeliveryVerdict::kSent);
  sim.At(minutes(16));
  std::vector<std::string> heard;
  for (const std::string& line : sim.TakeHeard()) {
    if (line.find("l2/") != std::string::npos) {
      heard.push_back(line);
    }
  }
  ExpectLines(heard, {"+15m8s l2/webhook[0] escalated firing=Down:P0,Late:P0"});
}

BOOST_AUTO_TEST_CASE(a_call_that_nobody_heard_is_followed_by_the_next_at_once) {
  Sim sim(kChain);
  sim.At(seconds(0)).Fire(kDown);
  sim.TakeHeard();
  Effects fx;
  sim.At(minutes(1));
  BOOST_TEST(bool(sim.engine().NotHeard(1, "l1", "no key was pressed", sim.now(), fx)));
  sim.At(minutes(2));
  ExpectHeard(sim,
              {"+1m last/webhook[0] escalated firing=Down:P0", "+1m l2/webhook[0] escalated firing=Down:P0"});
}

BOOST_AUTO_TEST_CASE(a_silence_delays_it) {
  Sim sim(kChain);
  sim.At(seconds(0)).Fire(kDown);
  sim.TakeHeard();
  sim.At(minutes(10)).Silence("alertname=Down", minutes(60));
  sim.At(minutes(75) - seconds(1));
  ExpectHeard(sim, {});
  sim.At(minutes(75));  // five of the fifteen minutes were left
  ExpectHeard(sim, {"+1h15m l2/webhook[0] escalated firing=Down:P0"});
  BOOST_TEST(sim.Events(1).at(2).starts_with("muted silenced by "));
  BOOST_TEST(sim.Events(1).at(3).starts_with("unmuted "));
}

BOOST_AUTO_TEST_SUITE_END()

// Incidents of one group of the routing tree, and one receiver that their chains name.
BOOST_AUTO_TEST_SUITE(chain_groups)

const LabelSet kSlow = Labels({{"alertname", "Slow"}, {"model", "m"}, {"severity", "P0"}});
const LabelSet kOther = Labels({{"alertname", "Down"}, {"model", "n"}, {"severity", "P0"}});

// What one receiver heard.
std::vector<std::string> HeardBy(Sim& sim, const std::string& receiver) {
  std::vector<std::string> out = sim.TakeHeard();
  std::erase_if(
      out, [&](const std::string& line) { return line.find(" " + receiver + "/") == std::string::npos; });
  return out;
}

BOOST_AUTO_TEST_CASE(incidents_that_reach_a_step_together_are_one_page) {
  Sim sim(kChain);
  sim.At(seconds(0)).Fire(kDown).Fire(kSlow).Fire(kOther);
  sim.At(minutes(16));
  ExpectLines(HeardBy(sim, "l2"), {"+15m l2/webhook[0] escalated firing=Down:P0,Slow:P0",
                                   "+15m l2/webhook[0] escalated firing=Down:P0"});
  sim.At(minutes(20)).Resolve(kDown).Resolve(kSlow);
  sim.At(minutes(22));
  ExpectLines(HeardBy(sim, "l2"), {"+21m l2/webhook[0] all alerts resolved resolved=Down,Slow"});
}

BOOST_AUTO_TEST_CASE(who_reaches_the_step_later_joins_and_only_those_told_are_owed_the_end) {
  Sim sim(kChain);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(5)).Fire(kSlow);
  sim.At(minutes(16));
  ExpectLines(HeardBy(sim, "l2"), {"+15m l2/webhook[0] escalated firing=Down:P0"});
  sim.At(minutes(17)).Resolve(kSlow);
  sim.At(minutes(19));
  ExpectLines(HeardBy(sim, "l2"), {});
  sim.Fire(kSlow);  // the same incident, from its first step
  sim.At(minutes(35));
  ExpectLines(HeardBy(sim, "l2"), {"+34m l2/webhook[0] escalated firing=Down:P0,Slow:P0"});
  sim.At(minutes(36)).Resolve(kSlow);
  sim.At(minutes(38)).Resolve(kDown);
  sim.At(minutes(40));
  ExpectLines(HeardBy(sim, "l2"), {"+37m l2/webhook[0] some alerts resolved firing=Down:P0 resolved=Slow",
                                   "+39m l2/webhook[0] all alerts resolved resolved=Down"});
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_takes_one_out_and_the_others_go_on) {
  Sim sim(kChain);
  sim.At(seconds(0)).Fire(kDown).Fire(kSlow);
  sim.At(minutes(10)).Ack(1);
  sim.TakeHeard();
  sim.At(minutes(16));
  ExpectLines(HeardBy(sim, "l2"), {"+15m l2/webhook[0] escalated firing=Slow:P0"});
  sim.Ack(2).At(minutes(40));
  ExpectLines(HeardBy(sim, "l2"), {"+16m l2/webhook[0] acknowledged firing=Slow:P0 by=alice"});
  ExpectLines(HeardBy(sim, "vp"), {});
}

BOOST_AUTO_TEST_CASE(what_was_asked_for_and_acknowledged_before_it_was_told_stays_untold) {
  Sim sim(kChain);
  sim.At(seconds(0)).Fire(kSlow);
  sim.At(seconds(5)).Fire(kDown);
  sim.Hang("l2/webhook[0]");
  sim.At(minutes(15) + seconds(8));  // Slow is on its way, Down waits behind it
  sim.Ack(2).Unack(2);
  sim.Hang("l2/webhook[0]", false).ReleaseHung("l2/webhook[0]", DeliveryVerdict::kSent);
  sim.At(minutes(30));
  ExpectLines(HeardBy(sim, "l2"), {});
  sim.At(minutes(31));  // its chain has begun anew
  ExpectLines(HeardBy(sim, "l2"), {"+30m8s l2/webhook[0] escalated firing=Down:P0,Slow:P0"});
}

BOOST_AUTO_TEST_CASE(a_page_that_does_not_arrive_is_followed_by_the_next_step_of_each) {
  Sim sim(kChain);
  sim.Answer("l2/webhook[0]", {DeliveryVerdict::kFailed});
  sim.At(seconds(0)).Fire(kDown).Fire(kSlow);
  sim.At(minutes(15));
  for (IncidentId id : {1, 2}) {
    const std::vector<std::string> events = sim.Events(id);
    BOOST_TEST(std::count_if(events.begin(), events.end(), [](const std::string& event) {
                 return event.starts_with("nobody_reached");
               }) == 1);
  }
  ExpectLines(HeardBy(sim, "last"), {"+15m last/webhook[0] escalated firing=Down:P0,Slow:P0"});
  sim.At(minutes(15) + seconds(1));
  BOOST_TEST(sim.heard().back().ToString() == "vp/webhook[0] escalated firing=Down:P0,Slow:P0");
}

BOOST_AUTO_TEST_CASE(a_page_that_was_lowered_on_its_way_is_told_as_it_is_now) {
  Sim sim(kChain);
  sim.Hang("l2/webhook[0]");
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(15)).Lower(1, Severity::kP1);
  sim.Hang("l2/webhook[0]", false).ReleaseHung("l2/webhook[0]", DeliveryVerdict::kCancelled);
  sim.At(minutes(18));
  ExpectLines(HeardBy(sim, "l2"), {"+16m l2/webhook[0] escalated firing=Down:P1"});
}

BOOST_AUTO_TEST_CASE(a_restart_tells_what_was_not_told_and_nothing_else) {
  Sim sim(kChain);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(5)).Fire(kSlow);
  sim.At(minutes(19));
  sim.TakeHeard();
  sim.Hang("l2/webhook[0]");
  sim.At(minutes(20));  // Slow is on its way to l2
  sim.Hang("l2/webhook[0]", false);
  sim.Restart(minutes(2));
  sim.At(minutes(23));
  const Heard page = sim.heard().back();
  BOOST_TEST(page.ToString() == "l2/webhook[0] escalated firing=Down:P0,Slow:P0");
  BOOST_TEST(page.group_key == "{}/chain/{}:{model=\"m\"}");
  for (const NotifiedAlert& alert : page.notification->alerts) {
    BOOST_TEST(alert.quiet_repeat == (alert.incident_id == 1));
  }
  sim.TakeHeard();
  sim.Restart(minutes(2));
  sim.At(minutes(29)).Resolve(kDown).Resolve(kSlow);
  sim.At(minutes(32));
  ExpectLines(HeardBy(sim, "l2"), {"+30m l2/webhook[0] all alerts resolved resolved=Down,Slow"});
  size_t rows = 0;
  for (const Record& record : sim.journal()) {
    if (const auto* row = std::get_if<GroupRecord>(&record)) {
      rows += row->route_id == "chain/l2" ? 1 : 0;
    } else if (const auto* gone = std::get_if<GroupDelete>(&record)) {
      rows -= gone->route_id == "chain/l2" ? 1 : 0;
    }
  }
  BOOST_TEST(rows == 0U);
}

// Each incident had a group of its own then, under a key with its labels.
BOOST_AUTO_TEST_CASE(a_page_of_the_version_before_goes_on_under_its_key) {
  const std::string key = "{}/chain/1:{alertname=\"Down\", model=\"m\"}";
  Sim before(kChain);
  before.At(seconds(0)).Fire(kDown);
  before.At(minutes(16));
  RestoredState state;
  std::map<std::string, NflogEntry> log;
  for (const Record& record : before.journal()) {
    if (const auto* incident = std::get_if<IncidentRecord>(&record)) {
      state.incidents = {incident->incident};
    } else if (const auto* entry = std::get_if<NflogEntry>(&record);
               entry != nullptr && entry->receiver != "l2") {
      log[entry->receiver] = *entry;
    } else if (const auto* group = std::get_if<GroupRecord>(&record);
               group != nullptr && Dispatcher::IsChain(*group)) {
      GroupRecord row = *group;
      row.group_key = key;
      row.labels = Labels({{"alertname", "Down"}, {"model", "m"}});
      state.groups.push_back(row);
    }
  }
  log["l1"].group_key = key;
  state.nflog = {log["board"], log["l1"]};
  AlertRecord alert;
  alert.alert.labels = kDown;
  alert.alert.starts_at = before.start();
  alert.alert.ends_at = kNever;
  alert.incident_id = alert.episode_id = 1;
  state.alerts = {alert};
  state.next_incident_id = state.next_episode_id = 2;

  Sim sim(kChain, before.now() + minutes(1), {}, state);
  sim.At(minutes(1));
  ExpectHeard(sim, {"+0s l2/webhook[0] escalated firing=Down:P0"});
  sim.Fire(kSlow).At(minutes(16) + seconds(1));
  ExpectLines(HeardBy(sim, "l2"), {"+16m l2/webhook[0] escalated firing=Slow:P0"});
  sim.Resolve(kDown).At(minutes(18));
  std::vector<std::string> keys;
  for (const Heard& heard : sim.heard()) {
    if (!heard.resolved.empty() && !heard.receiver.starts_with("board")) {
      keys.push_back(heard.receiver + " " + heard.group_key);
    }
  }
  std::sort(keys.begin(), keys.end());
  BOOST_REQUIRE_GE(keys.size(), 2U);
  BOOST_TEST(keys[0] == "l1/pagerduty[0] " + key);
  BOOST_TEST(keys[1] == "l2/webhook[0] " + key);
  const std::vector<Record>& journal = sim.journal();
  BOOST_TEST(std::count_if(journal.begin(), journal.end(), [&](const Record& record) {
               const auto* gone = std::get_if<GroupDelete>(&record);
               return gone != nullptr && gone->group_key == key;
             }) == 2);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(business_clock)

const std::string kBusiness = R"(
route:
  receiver: board
  group_by: [model]
  group_wait: 0s
  group_interval: 1m
  repeat_interval: 100h
  routes:
  - {matchers: [severity=P1], receiver: l1}
  - {matchers: [severity=P2], receiver: chat}
)" + kReceivers + R"(
calendars:
- name: office
  time_zone: Europe/Berlin
  time_intervals: [{weekdays: ["monday:friday"], times: [{start_time: "09:00", end_time: "18:00"}]}]
incident_policies:
- name: business
  matchers: [team=a]
  ladder: {steps: [{after: 15m, severity: P3}, {after: 30m, severity: P2}, {after: 60m, severity: P1}], clock: business, calendar: office, quiet_before_first_step: true}
- name: guarded
  matchers: [team=b]
  ladder: {steps: [{after: 30m, severity: P2}, {after: 60m, severity: P1}], calendar: office}
- name: waking
  ladder: {steps: [{after: 30m, severity: P2}, {after: 60m, severity: P1}], calendar: office, wake: true}
)";
const LabelSet kDrift = Labels({{"alertname", "Drift"}, {"model", "m"}, {"severity", "P3"}});

BOOST_AUTO_TEST_CASE(counts_only_the_hours_of_its_calendar) {
  Sim sim(kBusiness, kMonday);
  // 17:50 in Berlin: ten minutes today, the rest from nine o'clock tomorrow.
  sim.At(hours(16) + minutes(50)).Fire(kDrift.With("team", "a"));
  sim.At(hours(48));
  ExpectHeard(sim, {"+1d8h5m board/webhook[0] first notification firing=Drift:P3",
                    "+1d8h20m chat/webhook[0] first notification firing=Drift:P2",
                    "+1d8h50m l1/pagerduty[0] first notification firing=Drift:P1"});
}

BOOST_AUTO_TEST_CASE(the_night_guard_holds_a_raise_that_would_wake_somebody) {
  Sim sim(kBusiness, kMonday);
  sim.At(hours(1)).Fire(kDrift.With("team", "b"));
  sim.At(hours(12));
  ExpectHeard(sim, {"+1h board/webhook[0] first notification firing=Drift:P3",
                    "+1h30m chat/webhook[0] first notification firing=Drift:P2",
                    "+8h l1/pagerduty[0] first notification firing=Drift:P1"});
  ExpectLines(sim.Events(1),
              {"opened", "raised P3->P2 age",
               "raise_held ->P1 it would wake somebody: office opens 2026-01-05T08:00:00.000Z",
               "response_breached nobody acted on P2 by 2026-01-05T05:30:00.000Z", "raised P2->P1 age"});
}

BOOST_AUTO_TEST_CASE(a_policy_may_wake_people) {
  Sim sim(kBusiness, kMonday);
  sim.At(hours(1)).Fire(kDrift);
  sim.At(hours(3));
  ExpectHeard(sim, {"+1h board/webhook[0] first notification firing=Drift:P3",
                    "+1h30m chat/webhook[0] first notification firing=Drift:P2",
                    "+2h l1/pagerduty[0] first notification firing=Drift:P1"});
}

BOOST_AUTO_TEST_CASE(the_night_guard_does_not_hold_what_people_or_sources_say) {
  Sim sim(kBusiness, kMonday);
  sim.At(hours(1)).Fire(kDrift.With("team", "b"));
  sim.At(hours(2)).Raise(1, Severity::kP1);
  BOOST_TEST(sim.heard().back().receiver == "l1/pagerduty[0]");
  BOOST_TEST((sim.heard().back().at == kMonday + hours(2)));
}

BOOST_AUTO_TEST_CASE(the_clock_survives_a_restart_at_night) {
  Sim sim(kBusiness, kMonday);
  sim.At(hours(16) + minutes(50)).Fire(kDrift.With("team", "a"));
  sim.At(hours(20)).Restart(hours(13));  // until 09:00 + 1 h: straight to P2, 70 minutes are on the clock
  sim.At(hours(33) + minutes(1));
  BOOST_TEST((sim.IncidentOf(kDrift.With("team", "a")).severity == Severity::kP1));
}

BOOST_AUTO_TEST_CASE(a_silence_stops_the_ladder_too) {
  Sim sim(kBusiness, kMonday);
  sim.At(hours(9)).Fire(kDrift);
  sim.At(hours(9) + minutes(10)).Silence("alertname=Drift", hours(2));
  sim.At(hours(11) + minutes(30) - seconds(1));
  BOOST_TEST((sim.IncidentOf(kDrift).severity == Severity::kP3));
  sim.At(hours(11) + minutes(30));
  BOOST_TEST((sim.IncidentOf(kDrift).severity == Severity::kP2));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(response)

BOOST_AUTO_TEST_CASE(a_target_is_met_by_acting_in_time_and_breached_otherwise) {
  Sim sim(kChain);
  sim.At(seconds(0)).Fire(kDown);
  BOOST_TEST((sim.IncidentOf(kDown).response_due_at == sim.now() + minutes(15)));
  sim.At(minutes(14)).Ack(1);
  sim.At(minutes(20));
  BOOST_TEST((sim.IncidentOf(kDown).care->response_at == sim.now() - minutes(6)));
  BOOST_TEST(!sim.IncidentOf(kDown).response_breached);

  const LabelSet slow = kDown.With("model", "n");
  sim.Fire(slow);
  sim.At(minutes(36)).Ack(2);
  BOOST_TEST(IsSet(ResponseBreachedAt(sim.IncidentOf(slow))));
  std::vector<std::string> events = sim.Events(2);
  BOOST_TEST(std::count_if(events.begin(), events.end(),
                           [](const std::string& e) { return e.starts_with("response_breached"); }) == 1);
}

BOOST_AUTO_TEST_CASE(a_raise_asks_for_an_earlier_answer) {
  Sim sim(kChain);
  sim.At(seconds(0)).Fire(kDown.With("severity", "P2"));
  BOOST_TEST((sim.engine().FindIncident(1)->response_due_at == sim.now() + hours(4)));
  sim.At(minutes(10)).Fire(kDown);
  BOOST_TEST((sim.engine().FindIncident(1)->response_due_at == sim.now() + minutes(15)));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(plan)

BOOST_AUTO_TEST_CASE(says_what_comes_and_when) {
  Sim sim(kChain, kMonday);
  sim.At(seconds(0)).Fire(kDown);
  ExpectLines(PlanLines(sim, 1), {"2026-01-05T00:15 escalate P0 l2", "2026-01-05T00:30 escalate P0 vp",
                                  "2026-01-05T01:00 escalate P0 l2", "2026-01-05T01:15 escalate P0 vp",
                                  "2026-01-05T01:45 fallback P0 last"});
}

BOOST_AUTO_TEST_CASE(says_what_holds_it) {
  using business_clock::kBusiness;
  using business_clock::kDrift;
  Sim sim(kBusiness, kMonday);
  sim.At(hours(1)).Fire(kDrift.With("team", "b"));
  ExpectLines(PlanLines(sim, 1), {"2026-01-05T01:30 raise P2 chat",
                                  "2026-01-05T08:00 raise P1 l1 it would wake somebody: office is closed at "
                                  "2026-01-05T02:00:00.000Z"});
  sim.Fire(kDrift.With("team", "a").With("model", "n"));
  ExpectLines(PlanLines(sim, 2),
              {"2026-01-05T08:15 notify P3 board paused: office is closed: the clock stands",
               "2026-01-05T08:30 raise P2 chat paused: office is closed: the clock stands",
               "2026-01-05T09:00 raise P1 l1 paused: office is closed: the clock stands"});
  sim.Ack(1);
  ExpectLines(PlanLines(sim, 1), {"- raise P2 chat paused: acknowledged by alice",
                                  "- raise P1 l1 paused: acknowledged by alice"});
  sim.Snooze(1, hours(10));
  ExpectLines(PlanLines(sim, 1), {"2026-01-05T11:30 raise P2 chat paused: snoozed by alice until "
                                  "2026-01-05T11:00:00.000Z",
                                  "2026-01-05T12:00 raise P1 l1 paused: snoozed by alice until "
                                  "2026-01-05T11:00:00.000Z"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
