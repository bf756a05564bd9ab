#include "notify/dedup.h"

#include <boost/test/unit_test.hpp>

namespace mlalert {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

using Ids = std::vector<uint64_t>;

const Timestamp kNow = FromUnixMillis(1767225600000);

FlushAlert Firing(uint64_t fingerprint, IncidentId incident = 0) {
  FlushAlert out;
  out.fingerprint = fingerprint;
  out.incident_id = incident;
  return out;
}
FlushAlert Resolved(uint64_t fingerprint) {
  FlushAlert out = Firing(fingerprint);
  out.resolved = true;
  return out;
}
FlushAlert Held(FlushAlert alert) {
  alert.held = true;
  return alert;
}
FlushAlert Acknowledged(FlushAlert alert) {
  alert.held = true;
  alert.acknowledged = true;
  return alert;
}
FlushAlert Cooling(FlushAlert alert, bool told_before_episode = false) {
  alert.cooling = true;
  alert.told_before_episode = told_before_episode;
  return alert;
}
FlushAlert Governed(FlushAlert alert) {
  alert.owes_only_told = true;
  return alert;
}

NflogEntry Told(Ids firing, Ids resolved = {}, Duration ago = minutes(5)) {
  NflogEntry entry;
  entry.firing = std::move(firing);
  entry.resolved = std::move(resolved);
  entry.timestamp = kNow - ago;
  return entry;
}

DedupDecision Decide(const NflogEntry* entry, std::vector<FlushAlert> alerts, bool send_resolved = true) {
  return mlalert::Decide({.entry = entry,
                          .alerts = std::move(alerts),
                          .send_resolved = send_resolved,
                          .repeat_interval = hours(4),
                          .now = kNow});
}

NotifyReason ReasonFor(const NflogEntry& entry, std::vector<FlushAlert> alerts, bool send_resolved = true) {
  return Decide(&entry, std::move(alerts), send_resolved).reason;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, NotifyReason reason) {
  return out << ToString(reason);
}

BOOST_AUTO_TEST_SUITE(dedup_as_alertmanager)

BOOST_AUTO_TEST_CASE(reason_table) {
  struct Case {
    const char* name;
    bool known;
    NflogEntry entry;
    std::vector<FlushAlert> alerts;
    bool send_resolved;
    NotifyReason want;
  };
  const std::vector<Case> cases{
      {"never told, nothing fires", false, {}, {Resolved(1)}, true, NotifyReason::kNone},
      {"never told, no alerts", false, {}, {}, true, NotifyReason::kNone},
      {"never told, one fires", false, {}, {Firing(1)}, true, NotifyReason::kFirst},
      {"told of nothing firing", true, Told({}, {1}), {Firing(1)}, true, NotifyReason::kFirst},
      {"another one fires", true, Told({1}), {Firing(1), Firing(2)}, true, NotifyReason::kNewAlerts},
      {"other one fires instead", true, Told({1}), {Firing(2)}, true, NotifyReason::kNewAlerts},
      {"same set", true, Told({1, 2}), {Firing(2), Firing(1)}, true, NotifyReason::kNone},
      {"one vanished", true, Told({1, 2}), {Firing(1)}, true, NotifyReason::kNone},
      {"all resolved", true, Told({1, 2}), {Resolved(1), Resolved(2)}, true, NotifyReason::kAllResolved},
      {"all resolved, resolved not wanted",
       true,
       Told({1}),
       {Resolved(1)},
       false,
       NotifyReason::kAllResolved},
      {"all gone", true, Told({1}), {}, true, NotifyReason::kAllResolved},
      {"resolved told already", true, Told({}, {1}), {Resolved(1)}, true, NotifyReason::kNone},
      {"one of two resolved",
       true,
       Told({1, 2}),
       {Firing(1), Resolved(2)},
       true,
       NotifyReason::kSomeResolved},
      {"one of two resolved, not wanted",
       true,
       Told({1, 2}),
       {Firing(1), Resolved(2)},
       false,
       NotifyReason::kNone},
      {"one of two resolved, told",
       true,
       Told({1}, {2}),
       {Firing(1), Resolved(2)},
       true,
       NotifyReason::kNone},
      {"new and resolved", true, Told({1}), {Resolved(1), Firing(2)}, true, NotifyReason::kNewAlerts},
      {"repeat interval over",
       true,
       Told({1}, {}, hours(4) + minutes(1)),
       {Firing(1)},
       true,
       NotifyReason::kRepeat},
      {"repeat interval just reached", true, Told({1}, {}, hours(4)), {Firing(1)}, true, NotifyReason::kNone},
      {"repeat, but all resolved",
       true,
       Told({1}, {}, hours(5)),
       {Resolved(1)},
       true,
       NotifyReason::kAllResolved},
      {"nothing fires, long ago", true, Told({}, {1}, hours(5)), {Resolved(1)}, true, NotifyReason::kNone},
  };
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.name) {
      BOOST_TEST(Decide(c.known ? &c.entry : nullptr, c.alerts, c.send_resolved).reason == c.want);
    }
  }
}

BOOST_AUTO_TEST_CASE(sets_are_sorted_and_complete) {
  DedupDecision d = Decide(nullptr, {Firing(9), Resolved(5), Firing(3), Resolved(1)});
  BOOST_TEST(d.firing == (Ids{3, 9}), boost::test_tools::per_element());
  BOOST_TEST(d.resolved == (Ids{1, 5}), boost::test_tools::per_element());
  BOOST_TEST(d.acknowledged.empty());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(dedup_held_alerts)

BOOST_AUTO_TEST_CASE(a_held_alert_causes_nothing) {
  BOOST_TEST(Decide(nullptr, {Held(Firing(1))}).reason == NotifyReason::kNone);
  NflogEntry entry = Told({2});
  BOOST_TEST(ReasonFor(entry, {Held(Firing(1)), Firing(2)}) == NotifyReason::kNone);
}

BOOST_AUTO_TEST_CASE(a_held_alert_is_not_announced_with_others) {
  DedupDecision d = Decide(nullptr, {Held(Firing(1)), Firing(2)});
  BOOST_TEST(d.reason == NotifyReason::kFirst);
  BOOST_TEST(d.firing == (Ids{2}), boost::test_tools::per_element());
}

// Else the receiver would be told that all is well.
BOOST_AUTO_TEST_CASE(a_held_alert_that_was_told_still_counts_as_firing) {
  NflogEntry entry = Told({1});
  DedupDecision d = Decide(&entry, {Held(Firing(1))});
  BOOST_TEST(d.reason == NotifyReason::kNone);
  BOOST_TEST(d.firing == (Ids{1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(nothing_repeats_while_all_are_held) {
  NflogEntry entry = Told({1}, {}, hours(5));
  BOOST_TEST(ReasonFor(entry, {Held(Firing(1))}) == NotifyReason::kNone);
}

BOOST_AUTO_TEST_CASE(one_free_alert_repeats_for_the_group) {
  NflogEntry entry = Told({1, 2}, {}, hours(5));
  DedupDecision d = Decide(&entry, {Held(Firing(1)), Firing(2)});
  BOOST_TEST(d.reason == NotifyReason::kRepeat);
  BOOST_TEST(d.firing == (Ids{1, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_resolve_of_a_told_alert_is_owed_also_when_it_moved) {
  NflogEntry entry = Told({1});
  FlushAlert moved = Held(Resolved(1));
  BOOST_TEST(ReasonFor(entry, {moved}) == NotifyReason::kAllResolved);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(dedup_acknowledged_alerts)

BOOST_AUTO_TEST_CASE(those_who_were_told_hear_of_the_acknowledgement_once) {
  NflogEntry entry = Told({1});
  DedupDecision d = Decide(&entry, {Acknowledged(Firing(1))});
  BOOST_TEST(d.reason == NotifyReason::kAcknowledged);
  BOOST_TEST(d.acknowledged == (Ids{1}), boost::test_tools::per_element());
  entry.acknowledged = d.acknowledged;
  BOOST_TEST(ReasonFor(entry, {Acknowledged(Firing(1))}) == NotifyReason::kNone);
}

BOOST_AUTO_TEST_CASE(those_who_were_not_told_hear_nothing) {
  DedupDecision d = Decide(nullptr, {Acknowledged(Firing(1))});
  BOOST_TEST(d.reason == NotifyReason::kNone);
  BOOST_TEST(d.acknowledged.empty());
}

BOOST_AUTO_TEST_CASE(a_new_alert_goes_before_the_acknowledgement_and_carries_it) {
  NflogEntry entry = Told({1});
  DedupDecision d = Decide(&entry, {Acknowledged(Firing(1)), Firing(2)});
  BOOST_TEST(d.reason == NotifyReason::kNewAlerts);
  BOOST_TEST(d.acknowledged == (Ids{1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_resolve_goes_before_the_acknowledgement) {
  NflogEntry entry = Told({1, 2});
  BOOST_TEST(ReasonFor(entry, {Acknowledged(Firing(1)), Resolved(2)}) == NotifyReason::kSomeResolved);
  BOOST_TEST(ReasonFor(entry, {Acknowledged(Firing(1)), Resolved(2)}, false) == NotifyReason::kAcknowledged);
}

BOOST_AUTO_TEST_CASE(an_acknowledged_alert_never_repeats) {
  NflogEntry entry = Told({1}, {}, hours(9));
  entry.acknowledged = {1};
  BOOST_TEST(ReasonFor(entry, {Acknowledged(Firing(1))}) == NotifyReason::kNone);
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_taken_back_repeats_when_due) {
  NflogEntry entry = Told({1}, {}, hours(9));
  entry.acknowledged = {1};
  DedupDecision d = Decide(&entry, {Firing(1)});
  BOOST_TEST(d.reason == NotifyReason::kRepeat);
  BOOST_TEST(d.acknowledged.empty());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(dedup_cooldown)

BOOST_AUTO_TEST_CASE(an_incident_told_in_an_earlier_episode_waits) {
  BOOST_TEST(Decide(nullptr, {Cooling(Firing(1, 5), true)}).reason == NotifyReason::kNone);
}

// The cooldown began with another receiver: this one has heard nothing yet.
BOOST_AUTO_TEST_CASE(a_receiver_that_was_never_told_of_this_episode_hears_it) {
  BOOST_TEST(Decide(nullptr, {Cooling(Firing(1, 5))}).reason == NotifyReason::kFirst);
}

BOOST_AUTO_TEST_CASE(another_alert_of_a_told_incident_waits) {
  NflogEntry entry = Told({1});
  DedupDecision d = Decide(&entry, {Cooling(Firing(1, 5)), Cooling(Firing(2, 5))});
  BOOST_TEST(d.reason == NotifyReason::kNone);
  BOOST_TEST(d.firing == (Ids{1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(another_incident_of_the_group_does_not_wait) {
  NflogEntry entry = Told({1});
  DedupDecision d = Decide(&entry, {Cooling(Firing(1, 5)), Cooling(Firing(2, 6))});
  BOOST_TEST(d.reason == NotifyReason::kNewAlerts);
  BOOST_TEST(d.firing == (Ids{1, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_resolved_alert_does_not_cover_its_incident) {
  NflogEntry entry = Told({1});
  BOOST_TEST(ReasonFor(entry, {Resolved(1), Cooling(Firing(2, 5))}) == NotifyReason::kNewAlerts);
}

// A raise ends the cooldown: the engine then leaves `cooling` unset.
BOOST_AUTO_TEST_CASE(after_the_cooldown_the_alert_speaks) {
  NflogEntry entry = Told({1});
  BOOST_TEST(ReasonFor(entry, {Firing(1, 5), Firing(2, 5)}) == NotifyReason::kNewAlerts);
}

BOOST_AUTO_TEST_CASE(held_wins_over_everything) {
  BOOST_TEST(Decide(nullptr, {Held(Cooling(Firing(1, 5)))}).reason == NotifyReason::kNone);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(dedup_resolve_of_governed_alerts)

BOOST_AUTO_TEST_CASE(is_owed_only_to_those_who_were_told) {
  NflogEntry entry = Told({2});
  DedupDecision d = Decide(&entry, {Governed(Resolved(1)), Firing(2)});
  BOOST_TEST(d.reason == NotifyReason::kNone);
  BOOST_TEST(d.resolved.empty());

  entry = Told({1, 2});
  d = Decide(&entry, {Governed(Resolved(1)), Firing(2)});
  BOOST_TEST(d.reason == NotifyReason::kSomeResolved);
  BOOST_TEST(d.resolved == (Ids{1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(stays_in_the_log_once_told) {
  NflogEntry entry = Told({2}, {1});
  DedupDecision d = Decide(&entry, {Governed(Resolved(1)), Firing(2)});
  BOOST_TEST(d.reason == NotifyReason::kNone);
  BOOST_TEST(d.resolved == (Ids{1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
