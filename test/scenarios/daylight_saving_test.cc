// Nights in which the clocks change, in three zones and both ways, and a zone whose offset is odd: the ladder
// of office hours, hours that contain the change, what waits for the morning, the night guard, hand-overs.
// The times are worked out by hand:
//
//   Europe/Berlin        CET  +1, CEST +2    2026-03-29 02:00 CET  is 03:00 CEST (01:00Z)
//                                            2026-10-25 03:00 CEST is 02:00 CET  (01:00Z)
//   America/New_York     EST  -5, EDT  -4    2026-03-08 02:00 EST  is 03:00 EDT  (07:00Z)
//                                            2026-11-01 02:00 EDT  is 01:00 EST  (06:00Z)
//   Australia/Lord_Howe  LHST +10:30, LHDT +11   2026-04-05 02:00 LHDT is 01:30 LHST (2026-04-04 15:00Z)
//                                                2026-10-04 02:00 LHST is 02:30 LHDT (2026-10-03 15:30Z)
//   Asia/Kathmandu       +5:45, always
#include <boost/test/unit_test.hpp>
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <vector>

#include "support/expect.h"
#include "support/sim.h"

namespace mlalert::testing {
namespace {

// All in UTC but `clock`; the local times stand above.
struct Change {
  const char* what;
  const char* zone;
  // Friday 17:50; Monday 09:05, 09:20, 09:50.
  const char *friday, *monday_p3, *monday_p2, *monday_p1;
  // Sunday 01:30, before the change. Open on Sundays from 00:00 to 06:00: one hour, four and six of them
  // later.
  const char *sunday, *hours_1, *hours_4, *hours_6;
  // Saturday 12:00; Monday 09:00.
  const char *saturday, *monday;
  // Sunday 00:30; half an hour later; Sunday 07:00.
  const char *midnight, *half_hour, *seven;
  // The Monday before; Sunday 09:00; a time of day that does not exist on Sunday, or exists twice; what is
  // meant.
  const char *start, *nine, *clock, *handover;
};

const std::vector<Change> kChanges{
    // Sunday's hours: 00:00 CET (23:00Z) to 06:00 CEST (04:00Z), 3.5 h are left at 01:30; the next one begins
    // at
    // 2026-04-04 22:00Z. 02:30 does not exist: 03:00 CEST.
    {"Berlin, an hour less", "Europe/Berlin", "2026-03-27T16:50", "2026-03-30T07:05", "2026-03-30T07:20",
     "2026-03-30T07:50", "2026-03-29T00:30", "2026-03-29T01:30", "2026-04-04T22:30", "2026-04-05T00:30",
     "2026-03-28T11:00", "2026-03-30T07:00", "2026-03-28T23:30", "2026-03-29T00:00", "2026-03-29T05:00",
     "2026-03-23", "2026-03-29T07:00", "02:30", "2026-03-29T01:00"},
    // 00:00 CEST (22:00Z) to 06:00 CET (05:00Z): 5.5 h are left at 01:30 CEST; the next one begins at 23:00Z.
    // 02:30
    // exists twice: the first one, 00:30Z.
    {"Berlin, an hour more", "Europe/Berlin", "2026-10-23T15:50", "2026-10-26T08:05", "2026-10-26T08:20",
     "2026-10-26T08:50", "2026-10-24T23:30", "2026-10-25T00:30", "2026-10-25T03:30", "2026-10-31T23:30",
     "2026-10-24T10:00", "2026-10-26T08:00", "2026-10-24T22:30", "2026-10-24T23:00", "2026-10-25T06:00",
     "2026-10-19", "2026-10-25T08:00", "02:30", "2026-10-25T00:30"},
    // 00:00 EST (05:00Z) to 06:00 EDT (10:00Z): 3.5 h are left at 01:30 EST; the next one begins at 04:00Z.
    {"New York, an hour less", "America/New_York", "2026-03-06T22:50", "2026-03-09T13:05", "2026-03-09T13:20",
     "2026-03-09T13:50", "2026-03-08T06:30", "2026-03-08T07:30", "2026-03-15T04:30", "2026-03-15T06:30",
     "2026-03-07T17:00", "2026-03-09T13:00", "2026-03-08T05:30", "2026-03-08T06:00", "2026-03-08T11:00",
     "2026-03-02", "2026-03-08T13:00", "02:30", "2026-03-08T07:00"},
    // 00:00 EDT (04:00Z) to 06:00 EST (11:00Z): 5.5 h are left at 01:30 EDT; the next one begins at 05:00Z.
    // 01:30
    // exists twice: the first one, 05:30Z.
    {"New York, an hour more", "America/New_York", "2026-10-30T21:50", "2026-11-02T14:05", "2026-11-02T14:20",
     "2026-11-02T14:50", "2026-11-01T05:30", "2026-11-01T06:30", "2026-11-01T09:30", "2026-11-08T05:30",
     "2026-10-31T16:00", "2026-11-02T14:00", "2026-11-01T04:30", "2026-11-01T05:00", "2026-11-01T12:00",
     "2026-10-26", "2026-11-01T14:00", "01:30", "2026-11-01T05:30"},
    // 00:00 LHDT (13:00Z) to 06:00 LHST (19:30Z): 5 h are left at 01:30 LHDT; the next one begins at 13:30Z.
    // 01:45
    // exists twice: the first one, 14:45Z.
    {"Lord Howe, half an hour more", "Australia/Lord_Howe", "2026-04-03T06:50", "2026-04-05T22:35",
     "2026-04-05T22:50", "2026-04-05T23:20", "2026-04-04T14:30", "2026-04-04T15:30", "2026-04-04T18:30",
     "2026-04-11T14:30", "2026-04-04T01:00", "2026-04-05T22:30", "2026-04-04T13:30", "2026-04-04T14:00",
     "2026-04-04T20:30", "2026-03-30", "2026-04-04T22:30", "01:45", "2026-04-04T14:45"},
    // 00:00 LHST (13:30Z) to 06:00 LHDT (19:00Z): 4 h are left at 01:30 LHST, to the minute; the next one
    // begins at
    // 13:00Z. 02:15 does not exist: 02:30 LHDT.
    {"Lord Howe, half an hour less", "Australia/Lord_Howe", "2026-10-02T07:20", "2026-10-04T22:05",
     "2026-10-04T22:20", "2026-10-04T22:50", "2026-10-03T15:00", "2026-10-03T16:00", "2026-10-03T19:00",
     "2026-10-10T15:00", "2026-10-03T01:30", "2026-10-04T22:00", "2026-10-03T14:00", "2026-10-03T14:30",
     "2026-10-03T20:00", "2026-09-28", "2026-10-03T22:00", "02:15", "2026-10-03T15:30"},
    // 00:00 to 06:00 is 18:15Z to 00:15Z: 4.5 h are left at 01:30. Every time of day exists once.
    {"Kathmandu, as ever", "Asia/Kathmandu", "2026-03-27T12:05", "2026-03-30T03:20", "2026-03-30T03:35",
     "2026-03-30T04:05", "2026-03-28T19:45", "2026-03-28T20:45", "2026-03-28T23:45", "2026-04-04T19:45",
     "2026-03-28T06:15", "2026-03-30T03:15", "2026-03-28T18:45", "2026-03-28T19:15", "2026-03-29T01:15",
     "2026-03-23", "2026-03-29T03:15", "02:30", "2026-03-28T20:45"},
};

Timestamp At(const char* text) {
  return ParseRfc3339(fmt::format("{}:00Z", text)).value();
}

std::string Config(const Change& change, const std::string& policy, const std::string& route = "board") {
  return fmt::format(R"(
route:
  receiver: {}
  group_by: [model]
  group_wait: 0s
  group_interval: 1m
  repeat_interval: 1000h
  routes:
  - {{matchers: [severity=P1], receiver: page}}
  - {{matchers: [severity=P2], receiver: chat}}
receivers:
- {{name: board, webhook_configs: [{{url: "http://127.0.0.1:9/board"}}]}}
- {{name: chat, webhook_configs: [{{url: "http://127.0.0.1:9/chat"}}]}}
- {{name: page, webhook_configs: [{{url: "http://127.0.0.1:9/page"}}]}}
- {{name: ann, webhook_configs: [{{url: "http://127.0.0.1:9/ann"}}]}}
- {{name: bob, webhook_configs: [{{url: "http://127.0.0.1:9/bob"}}]}}
calendars:
- name: office
  time_zone: {}
  time_intervals: [{{weekdays: ["monday:friday"], times: [{{start_time: "09:00", end_time: "18:00"}}]}}]
- name: watch
  time_zone: {}
  time_intervals: [{{weekdays: [sunday], times: [{{start_time: "00:00", end_time: "06:00"}}]}}]
- name: waking
  time_zone: {}
  time_intervals: [{{times: [{{start_time: "07:00", end_time: "23:00"}}]}}]
schedules:
- name: at-nine
  time_zone: {}
  rotations: [{{type: daily, start: "{}T09:00:00", receivers: [ann, bob]}}]
- name: at-night
  time_zone: {}
  rotations: [{{type: daily, start: "{}T{}:00", receivers: [ann, bob]}}]
incident_policies:
- {{name: p, cooldown: 0s, {}}}
)",
                     route, change.zone, change.zone, change.zone, change.zone, change.start, change.zone,
                     change.start, change.clock, policy);
}

const LabelSet kDrift = Labels({{"alertname", "Drift"}, {"model", "m"}, {"severity", "P3"}});

// "2026-03-30T07:05 board Drift:P3"
std::vector<std::string> HeardUtc(const Sim& sim) {
  std::vector<std::string> out;
  for (const Heard& heard : sim.heard()) {
    const std::string at = FormatRfc3339Millis(heard.at);
    BOOST_TEST(at.substr(16) == ":00.000Z");
    out.push_back(fmt::format("{} {} {}", at.substr(0, 16),
                              heard.receiver.substr(0, heard.receiver.find('/')),
                              fmt::join(heard.firing, ",")));
  }
  return out;
}

// Fires at `from` and is left alone for ten days, with a restart on Saturday and on Sunday or without.
template <class F>
void ForEachChange(const std::string& policy, const char* Change::*from, F&& expected,
                   const std::string& route = "board") {
  for (const Change& change : kChanges) {
    for (const bool restarts : {false, true}) {
      BOOST_TEST_CONTEXT(change.what << (restarts ? ", with restarts" : "")) {
        Sim sim(Config(change, policy, route), At(change.*from));
        sim.Fire(kDrift);
        for (const char* at : {change.midnight, change.handover, change.seven}) {
          if (restarts && At(at) + minutes(1) > sim.now()) {
            sim.At(At(at) + minutes(1) - sim.start()).Restart(seconds(30));
          }
        }
        sim.At(hours(240));
        ExpectLines(HeardUtc(sim), expected(change));
      }
    }
  }
}

std::string Line(const char* at, std::string_view what) {
  return fmt::format("{} {}", at, what);
}

BOOST_AUTO_TEST_SUITE(daylight_saving)

BOOST_AUTO_TEST_CASE(what_ten_minutes_of_friday_began_monday_goes_on_with) {
  ForEachChange(
      "ladder: {steps: [{after: 15m, severity: P3}, {after: 30m, severity: P2}, {after: 60m, severity: P1}], "
      "clock: business, calendar: office, quiet_before_first_step: true}",
      &Change::friday, [](const Change& change) {
        return std::vector{Line(change.monday_p3, "board Drift:P3"), Line(change.monday_p2, "chat Drift:P2"),
                           Line(change.monday_p1, "page Drift:P1")};
      });
}

BOOST_AUTO_TEST_CASE(hours_that_contain_the_change_are_as_long_as_they_last) {
  ForEachChange(
      "ladder: {steps: [{after: 1h, severity: P3}, {after: 4h, severity: P2}, {after: 6h, severity: P1}], "
      "clock: "
      "business, calendar: watch, quiet_before_first_step: true}",
      &Change::sunday, [](const Change& change) {
        return std::vector{Line(change.hours_1, "board Drift:P3"), Line(change.hours_4, "chat Drift:P2"),
                           Line(change.hours_6, "page Drift:P1")};
      });
}

BOOST_AUTO_TEST_CASE(what_waits_for_business_hours_is_told_at_nine_by_the_clock_of_that_day) {
  ForEachChange("business_hours: {calendar: office}", &Change::saturday,
                [](const Change& change) { return std::vector{Line(change.monday, "board Drift:P3")}; });
}

BOOST_AUTO_TEST_CASE(the_night_guard_lasts_until_seven_by_the_clock_of_that_day) {
  ForEachChange("ladder: {steps: [{after: 30m, severity: P2}, {after: 60m, severity: P1}], calendar: waking}",
                &Change::midnight, [](const Change& change) {
                  return std::vector{Line(change.midnight, "board Drift:P3"),
                                     Line(change.half_hour, "chat Drift:P2"),
                                     Line(change.seven, "page Drift:P1")};
                });
}

// A chain that waits for the office pages at nine, and its second step keeps its distance.
BOOST_AUTO_TEST_CASE(a_chain_that_waits_goes_on_at_nine) {
  ForEachChange(
      "business_hours: {calendar: office}, chain: {steps: [{after: 0m, receivers: [ann]}, {after: 5m, "
      "receivers: [bob]}]}",
      &Change::saturday, [](const Change& change) {
        const std::string later =
            FormatRfc3339Millis(At(change.monday) + minutes(5)).substr(0, 16) + " bob Drift:P3";
        return std::vector{Line(change.monday, "board Drift:P3"), Line(change.monday, "ann Drift:P3"), later};
      });
}

// The newcomer hears of what fires still; hand-overs follow each day.
void ExpectHandOver(const std::string& schedule, const char* Change::*handover) {
  for (const Change& change : kChanges) {
    BOOST_TEST_CONTEXT(change.what << " " << schedule) {
      Sim sim(Config(change, "ladder: {steps: [{after: 500h, severity: P3}]}", schedule),
              At(change.saturday));
      sim.Fire(kDrift);
      sim.At(At(change.*handover) - minutes(1) - sim.start());
      ExpectLines(HeardUtc(sim), {Line(change.saturday, "bob Drift:P3")});
      sim.At(At(change.*handover) + hours(12) - sim.start());
      ExpectLines(HeardUtc(sim),
                  {Line(change.saturday, "bob Drift:P3"), Line(change.*handover, "ann Drift:P3")});
    }
  }
}

BOOST_AUTO_TEST_CASE(a_hand_over_at_nine_stays_at_nine) {
  ExpectHandOver("at-nine", &Change::nine);
}

BOOST_AUTO_TEST_CASE(a_hand_over_at_a_time_that_does_not_exist_or_exists_twice) {
  ExpectHandOver("at-night", &Change::handover);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
