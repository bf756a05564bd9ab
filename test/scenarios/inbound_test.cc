// What other systems say, told as stories: PagerDuty's webhooks and phone calls, on exact time and over
// restarts.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "base/hash.h"
#include "support/expect.h"
#include "support/sim.h"

namespace mlalert::testing {
namespace {

const std::string kConfig = R"(
route: {receiver: page, group_by: [model], group_wait: 0s, group_interval: 1m, repeat_interval: 4h}
receivers:
- name: page
  pagerduty_configs: [{routing_key: k, url: "http://127.0.0.1:9/pd"}]
  webhook_configs: [{url: "http://127.0.0.1:9/hook"}]
incidents: {identity: [alertname, model], reopen_window: 30m}
incident_policies: [{name: all, cooldown: 0s}]
)";

const std::string kPhone = R"(
route: {receiver: phone, group_by: [model], group_wait: 0s, group_interval: 1m, repeat_interval: 4h}
receivers:
- name: phone
  twilio_configs: [{account_sid: AC1, auth_token: t, from: "+14155550100", ring_timeout: 30s,
    to: ["+4917000000001", "+4917000000002"]}]
incidents: {identity: [alertname, model], reopen_window: 30m}
incident_policies: [{name: all, cooldown: 15m}]
)";

const LabelSet kDown = Labels({{"alertname", "Down"}, {"model", "m"}, {"severity", "P1"}});

const LabelSet kAnd = Labels({{"alertname", "Down"}, {"model", "n"}, {"severity", "P1"}});
const LabelSet kAlso = Labels({{"alertname", "Down"}, {"model", "o"}, {"severity", "P1"}});

struct Pager {
  Sim& sim;
  int count = 0;

  std::string Key() const { return Sha256Hex(sim.heard().front().group_key); }
  PagerdutyEvent Event(std::string verb, std::string agent = "Ann") {
    PagerdutyEvent event;
    event.id = "E" + std::to_string(++count);
    event.type = "incident." + std::move(verb);
    event.occurred_at = sim.now();
    event.by_person = !agent.empty();
    event.agent = std::move(agent);
    event.agent_id = "PU1";
    event.incident_id = "PD1";
    event.dedup_key = Key();
    return event;
  }
  PagerdutyReply Send(const PagerdutyEvent& event, bool trust = false, const std::string& webhook_id = "") {
    PagerdutyReply reply;
    sim.Step([&](Engine& engine, Timestamp now, Effects& fx) {
      reply = engine.OnPagerduty(event, webhook_id, trust, now, fx);
    });
    return reply;
  }
};

IncidentState StateOf(Sim& sim) {
  return sim.IncidentOf(kDown).state;
}

// Numbers called, by their place in `to`, in order.
std::vector<uint32_t> Called(const Sim& sim) {
  std::vector<uint32_t> out;
  for (const Heard& heard : sim.heard()) {
    out.push_back(heard.notification->call_target);
  }
  return out;
}

bool End(Sim& sim, int64_t call, bool heard, const std::string& why = "no key was pressed") {
  bool news = false;
  sim.Step(
      [&](Engine& engine, Timestamp now, Effects& fx) { news = engine.EndCall(call, heard, why, now, fx); });
  return news;
}

using Numbers = std::vector<uint32_t>;

const std::string kPhoneThenChain = R"(
route: {receiver: phone, group_by: [model], group_wait: 0s, group_interval: 1m, repeat_interval: 4h}
receivers:
- name: phone
  twilio_configs: [{account_sid: AC1, auth_token: t, from: "+14155550100", ring_timeout: 30s,
    to: ["+4917000000001"]}]
- {name: l2, webhook_configs: [{url: "http://127.0.0.1:9/l2"}]}
incidents: {identity: [alertname, model], reopen_window: 30m}
incident_policies: [{name: all, cooldown: 0s, chain: {steps: [{after: 15m, receivers: [l2]}]}}]
)";

const std::string kChainOfCalls = R"(
route: {receiver: board, group_by: [model], group_wait: 0s, group_interval: 1m, repeat_interval: 4h}
receivers:
- {name: board, webhook_configs: [{url: "http://127.0.0.1:9/board"}]}
- name: phone
  twilio_configs: [{account_sid: AC1, auth_token: t, from: "+14155550100", ring_timeout: 30s,
    to: ["+4917000000001", "+4917000000002"]}]
- {name: l2, webhook_configs: [{url: "http://127.0.0.1:9/l2"}]}
- {name: l3, webhook_configs: [{url: "http://127.0.0.1:9/l3"}]}
- {name: last, webhook_configs: [{url: "http://127.0.0.1:9/last"}]}
incidents: {identity: [alertname, model], reopen_window: 30m}
incident_policies:
- name: all
  cooldown: 0s
  chain:
    steps: [{after: 1m, receivers: [phone]}, {after: 15m, receivers: [l2]}, {after: 30m, receivers: [l3]}]
    fallback: [last]
)";

BOOST_AUTO_TEST_SUITE(pagerduty)

BOOST_AUTO_TEST_CASE(what_came_from_there_is_told_to_others_only) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  ExpectHeard(sim, {"+0s page/webhook[0] first notification firing=Down:P1",
                    "+0s page/pagerduty[0] first notification firing=Down:P1"});
  Pager pager{sim};
  sim.At(minutes(1));
  BOOST_TEST(pager.Send(pager.Event("acknowledged")).result == "acknowledged");
  BOOST_TEST((StateOf(sim) == IncidentState::kAcknowledged));
  sim.At(minutes(10));
  ExpectHeard(sim, {"+1m page/webhook[0] acknowledged firing=Down:P1 by=Ann"});
  // Somebody else takes it over: news for both.
  sim.At(minutes(11)).Ack(1, "bob");
  sim.At(minutes(20));
  ExpectHeard(sim, {"+11m page/webhook[0] acknowledged firing=Down:P1 by=bob",
                    "+11m page/pagerduty[0] acknowledged firing=Down:P1 by=bob"});
  // And the echo of that, by nobody and by the integration, is no news.
  PagerdutyEvent echo = pager.Event("acknowledged", "");
  BOOST_TEST(pager.Send(echo).result == "ignored");
  sim.At(minutes(30));
  ExpectHeard(sim, {});
}

BOOST_AUTO_TEST_CASE(what_lies_far_in_the_future_happened_now_and_shuts_out_nothing_that_comes_later) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  Pager pager{sim};
  sim.At(minutes(1));
  PagerdutyEvent ahead = pager.Event("acknowledged");
  ahead.occurred_at = sim.now() + hours(24 * 10);
  BOOST_TEST(pager.Send(ahead).result == "acknowledged");
  sim.At(minutes(2));
  BOOST_TEST(pager.Send(pager.Event("unacknowledged")).result == "unacknowledged");
  BOOST_TEST((StateOf(sim) == IncidentState::kOpen));
  // Clocks that differ by minutes keep their order.
  PagerdutyEvent soon = pager.Event("acknowledged");
  soon.occurred_at = sim.now() + minutes(4);
  BOOST_TEST(pager.Send(soon).result == "acknowledged");
  BOOST_TEST(pager.Send(pager.Event("unacknowledged")).why == "something newer is known");
}

BOOST_AUTO_TEST_CASE(each_event_once_also_over_a_restart) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  Pager pager{sim};
  sim.At(minutes(1));
  const PagerdutyEvent event = pager.Event("acknowledged");
  BOOST_TEST(pager.Send(event, false, "W1").result == "acknowledged");
  sim.Unack(1);
  BOOST_TEST(pager.Send(event, false, "W2").why == "seen before");
  sim.At(minutes(2)).Restart();
  BOOST_TEST(pager.Send(event, false, "W3").why == "seen before");
  BOOST_TEST(pager.Send(pager.Event("acknowledged"), false, "W1").why == "seen before");
  BOOST_TEST((StateOf(sim) == IncidentState::kOpen));
  // After a week it may be forgotten; then its age speaks against it.
  sim.At(hours(24 * 8));
  BOOST_TEST(pager.Send(event, false, "W1").why == "it happened too long ago");
}

BOOST_AUTO_TEST_CASE(the_newest_word_counts) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  Pager pager{sim};
  sim.At(minutes(5));
  PagerdutyEvent taken = pager.Event("acknowledged");
  PagerdutyEvent before = pager.Event("unacknowledged");
  before.occurred_at = sim.now() - seconds(1);
  BOOST_TEST(pager.Send(taken).result == "acknowledged");
  BOOST_TEST(pager.Send(before).why == "something newer is known");
  BOOST_TEST((StateOf(sim) == IncidentState::kAcknowledged));
  PagerdutyEvent after = pager.Event("unacknowledged");
  after.occurred_at = sim.now() + seconds(1);
  BOOST_TEST(pager.Send(after).result == "unacknowledged");
}

BOOST_AUTO_TEST_CASE(an_event_about_an_earlier_opening_does_nothing) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  Pager pager{sim};
  sim.At(minutes(5));
  PagerdutyEvent late = pager.Event("acknowledged");
  sim.At(minutes(6)).Resolve(kDown);
  sim.At(minutes(8)).Fire(kDown);
  BOOST_TEST(pager.Send(late).result == "ignored");
  BOOST_TEST((StateOf(sim) == IncidentState::kOpen));
}

BOOST_AUTO_TEST_CASE(resolved_there_while_it_fires_here) {
  for (bool trust : {false, true}) {
    Sim sim(kConfig);
    sim.At(seconds(0)).Fire(kDown);
    Pager pager{sim};
    sim.At(minutes(1));
    BOOST_TEST(pager.Send(pager.Event("resolved", ""), trust).result ==
               "ignored");  // the echo of our resolve
    BOOST_TEST((StateOf(sim) == IncidentState::kOpen));
    BOOST_TEST(pager.Send(pager.Event("resolved"), trust).result == (trust ? "resolved" : "acknowledged"));
    BOOST_TEST((StateOf(sim) == (trust ? IncidentState::kResolved : IncidentState::kAcknowledged)));
    BOOST_TEST(pager.Send(pager.Event("resolved"), trust).result == (trust ? "ignored" : "commented"));
  }
}

BOOST_AUTO_TEST_CASE(what_is_reopened_there_is_open_here_as_well) {
  std::string config = kConfig;
  config.replace(config.find("cooldown: 0s"), 12,
                 "cooldown: 30m");  // of no account: they heard that it is over
  Sim sim(config);
  sim.At(seconds(0)).Fire(kDown);
  Pager pager{sim};
  sim.At(minutes(1));
  BOOST_TEST(pager.Send(pager.Event("resolved"), true).result == "resolved");
  sim.At(minutes(5));
  sim.TakeHeard();
  BOOST_TEST((StateOf(sim) == IncidentState::kResolved));
  const PagerdutyEvent reopened = pager.Event("reopened", "Bob");
  sim.Restart();
  BOOST_TEST(pager.Send(reopened, true).result == "reopened");
  BOOST_TEST((StateOf(sim) == IncidentState::kOpen));
  sim.At(minutes(10));
  ExpectHeard(sim, {"+5m page/webhook[0] first notification firing=Down:P1",
                    "+5m page/pagerduty[0] first notification firing=Down:P1"});
  BOOST_TEST(sim.heard().back().notification->receiver_data ==
             sim.heard().front().notification->receiver_data);  // PagerDuty's incident is the same
  // It is no news again, in another delivery either, and the end is told as ever.
  PagerdutyEvent again = pager.Event("reopened", "Bob");
  BOOST_TEST(pager.Send(again, true).result != "reopened");
  sim.At(minutes(20)).Resolve(kDown).At(minutes(22));
  ExpectHeard(sim, {"+21m page/webhook[0] all alerts resolved resolved=Down",
                    "+21m page/pagerduty[0] all alerts resolved resolved=Down"});
  BOOST_TEST(sim.IncidentOf(kDown).reopen_count == 1);
}

BOOST_AUTO_TEST_CASE(what_has_cleared_is_not_reopened_from_there) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  Pager pager{sim};
  sim.At(minutes(1));
  BOOST_TEST(pager.Send(pager.Event("resolved"), true).result == "resolved");
  sim.At(minutes(2)).Resolve(kDown).At(minutes(3));
  BOOST_TEST(pager.Send(pager.Event("reopened"), true).result == "ignored");
  BOOST_TEST((StateOf(sim) == IncidentState::kResolved));
}

BOOST_AUTO_TEST_CASE(a_reopening_that_nobody_did_or_from_before_changes_nothing) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  Pager pager{sim};
  sim.At(minutes(1));
  PagerdutyEvent before = pager.Event("reopened");
  sim.At(minutes(2)).ResolveByHand(1).At(minutes(3));
  BOOST_TEST(pager.Send(before, true).result == "ignored");
  BOOST_TEST(pager.Send(pager.Event("reopened", ""), true).result == "ignored");
  BOOST_TEST((StateOf(sim) == IncidentState::kResolved));
  // Somebody did, after it was resolved here.
  BOOST_TEST(pager.Send(pager.Event("reopened")).result == "reopened");
  BOOST_TEST((StateOf(sim) == IncidentState::kOpen));
}

BOOST_AUTO_TEST_CASE(only_what_was_resolved_there_is_reopened_from_there) {
  std::string config = kConfig;
  config.replace(config.find("group_by: [model]"), 17, "group_by: [alertname]");
  Sim sim(config);
  sim.At(seconds(0)).Fire(kDown).Fire(kAnd).At(minutes(2));
  Pager pager{sim};
  const IncidentId by_hand = sim.IncidentOf(kAnd).id;
  sim.ResolveByHand(by_hand).At(minutes(3));
  BOOST_TEST(pager.Send(pager.Event("resolved"), true).result == "resolved");
  sim.At(minutes(5));
  BOOST_TEST(pager.Send(pager.Event("reopened"), true).result == "reopened");
  BOOST_TEST((StateOf(sim) == IncidentState::kOpen));
  BOOST_TEST((sim.IncidentOf(kAnd).state == IncidentState::kResolved));
}

BOOST_AUTO_TEST_CASE(a_note_finds_its_incident_by_pagerdutys_number) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  Pager pager{sim};
  PagerdutyEvent note = pager.Event("annotated");
  note.dedup_key.clear();
  note.text = "looks like the feed";
  BOOST_TEST(pager.Send(note).why == "it names no incident of ours");
  BOOST_TEST(pager.Send(pager.Event("triggered", "")).result == "noted");
  note.id = "again";
  sim.Restart();
  BOOST_TEST(pager.Send(note).result == "commented");
}

BOOST_AUTO_TEST_CASE(more_than_a_round_can_ask_about_are_asked_about_in_turn) {
  Sim sim(kConfig);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(seconds(1)).Fire(kAnd);
  sim.At(seconds(2)).Fire(kAlso);
  sim.At(minutes(1));
  std::string after;
  const std::vector<std::string> all = sim.engine().PagerdutyKeys(300, after);
  BOOST_TEST(all.size() == 3u);
  BOOST_TEST(after.empty());
  std::vector<std::string> asked;
  for (size_t expected : {2u, 1u}) {
    const std::vector<std::string> keys = sim.engine().PagerdutyKeys(2, after);
    BOOST_TEST(keys.size() == expected);
    asked.insert(asked.end(), keys.begin(), keys.end());
  }
  std::sort(asked.begin(), asked.end());
  BOOST_TEST(asked == all);
  BOOST_TEST(after.empty());
  BOOST_TEST(sim.engine().PagerdutyKeys(2, after).size() == 2u);  // from the beginning again
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(phone)

BOOST_AUTO_TEST_CASE(a_refused_number_is_followed_by_the_next_number_and_not_by_the_next_step) {
  Sim sim(kChainOfCalls);
  sim.Answer("phone/twilio[0]", {DeliveryVerdict::kFailed});
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(2) - seconds(1));
  ExpectHeard(sim, {"+0s board/webhook[0] first notification firing=Down:P1",
                    "+1m phone/twilio[0] escalated firing=Down:P1"});
}

BOOST_AUTO_TEST_CASE(calls_that_cannot_be_made_hasten_the_chain_once_however_often_they_are_tried) {
  Sim sim(kChainOfCalls);
  sim.Answer("phone/twilio[0]", std::vector<DeliveryVerdict>(40, DeliveryVerdict::kFailed));
  sim.At(seconds(0)).Fire(kDown);
  sim.At(minutes(10));
  ExpectHeard(sim,
              {"+0s board/webhook[0] first notification firing=Down:P1",
               "+1m last/webhook[0] escalated firing=Down:P1", "+1m l2/webhook[0] escalated firing=Down:P1"});
  const std::vector<std::string> events = sim.Events(1);
  BOOST_TEST(std::count_if(events.begin(), events.end(), [](const std::string& event) {
               return event.starts_with("nobody_reached") &&
                      event.find("the call to phone was not heard") != std::string::npos;
             }) == 1);
}

BOOST_AUTO_TEST_CASE(after_the_last_number_the_next_step_of_the_chain_is_due_at_once) {
  Sim sim(kPhoneThenChain);
  sim.At(seconds(0)).Fire(kDown);
  ExpectHeard(sim, {"+0s phone/twilio[0] first notification firing=Down:P1"});
  const int64_t call = sim.heard().back().notification->call_id;
  sim.At(minutes(1));
  BOOST_TEST(End(sim, call, false));
  sim.At(minutes(2));
  ExpectHeard(sim, {"+1m l2/webhook[0] escalated firing=Down:P1"});
}

BOOST_AUTO_TEST_CASE(the_next_number_at_once_when_nobody_pressed_a_key) {
  Sim sim(kPhone);
  sim.At(seconds(0)).Fire(kDown);
  BOOST_TEST((Called(sim) == Numbers{0}));
  sim.At(seconds(40));
  BOOST_TEST(End(sim, 1, false));
  BOOST_TEST(!End(sim, 1, false));  // Twilio says it twice
  sim.At(seconds(41));
  BOOST_TEST((Called(sim) == Numbers{0, 1}));
  sim.At(seconds(80));
  BOOST_TEST(End(sim, 2, false));
  sim.At(hours(4) - seconds(1));
  BOOST_TEST((Called(sim) == Numbers{0, 1}));
  // The repeat begins with the first number again.
  sim.At(hours(4) + minutes(2));
  BOOST_TEST((Called(sim) == Numbers{0, 1, 0}));
}

BOOST_AUTO_TEST_CASE(a_call_of_which_nothing_more_is_heard_is_not_heard) {
  Sim sim(kPhone);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(seconds(179));
  BOOST_TEST((Called(sim) == Numbers{0}));
  sim.At(seconds(181));
  BOOST_TEST((Called(sim) == Numbers{0, 1}));
}

BOOST_AUTO_TEST_CASE(a_call_may_be_over_before_its_request_is_answered) {
  for (DeliveryVerdict answer : {DeliveryVerdict::kSent, DeliveryVerdict::kRetry}) {
    Sim sim(kPhone);
    sim.Hang("phone/twilio[0]");
    sim.At(seconds(0)).Fire(kDown);
    sim.At(seconds(1));
    BOOST_TEST(End(sim, 1, false, "the call ended: busy"));
    sim.Hang("phone/twilio[0]", false);
    sim.ReleaseHung("phone/twilio[0]", answer);
    sim.At(seconds(2));
    BOOST_REQUIRE(!sim.heard().empty());
    BOOST_TEST(sim.heard().back().notification->call_target == 1U);
    BOOST_TEST(sim.attempts() == 2U);
  }
}

BOOST_AUTO_TEST_CASE(a_key_ends_the_round) {
  Sim sim(kPhone);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(seconds(20));
  BOOST_TEST(End(sim, 1, true, "key 1 was pressed"));
  BOOST_TEST(!End(sim, 1, false));  // the call is over
  sim.At(hours(1));
  BOOST_TEST((Called(sim) == Numbers{0}));
}

BOOST_AUTO_TEST_CASE(who_acknowledged_elsewhere_needs_no_further_call) {
  Sim sim(kPhone);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(seconds(20)).Ack(1);
  End(sim, 1, false);
  sim.At(hours(1));
  BOOST_TEST((Called(sim) == Numbers{0}));
}

BOOST_AUTO_TEST_CASE(the_round_goes_on_after_a_restart) {
  Sim sim(kPhone);
  sim.At(seconds(0)).Fire(kDown);
  sim.At(seconds(20)).Restart(seconds(10));
  sim.At(seconds(40));
  BOOST_TEST(End(sim, 1, false));
  sim.At(seconds(41));
  BOOST_TEST((Called(sim) == Numbers{0, 1}));
  // Also when no word comes: the second call is waited for from the restart on.
  sim.At(seconds(42)).Restart();
  sim.At(minutes(10));
  BOOST_TEST(!End(sim, 2, false));
}

BOOST_AUTO_TEST_CASE(a_number_that_is_refused_and_an_api_that_fails) {
  Sim sim(kPhone);
  sim.Answer("phone/twilio[0]", {DeliveryVerdict::kFailed});
  sim.At(seconds(0)).Fire(kDown);
  sim.At(seconds(1));
  BOOST_TEST((Called(sim) == Numbers{1}));
  Sim slow(kPhone);
  slow.Answer("phone/twilio[0]", {DeliveryVerdict::kRetry, DeliveryVerdict::kRetry});
  slow.At(seconds(0)).Fire(kDown);
  slow.At(seconds(10));
  BOOST_TEST(slow.attempts() == 3U);
  BOOST_TEST((Called(slow) == Numbers{1}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
