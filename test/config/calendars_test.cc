// Business calendars and on-call schedules, over daylight saving in three zones.
#include "config/calendars.h"

#include <boost/test/unit_test.hpp>

#include "config/config_loader.h"
#include "config/local_time.h"
#include "config/response_targets.h"
#include "config/schedules.h"
#include "support/builders.h"

namespace mlalert::testing {
namespace {

Timestamp T(std::string_view text) {
  return ParseRfc3339(text).value();
}

CalendarConfig Hours(const std::string& zone, int from, int to, std::vector<IntRange> weekdays = {{1, 5}}) {
  CalendarConfig config;
  config.name = "c";
  config.time_zone = zone;
  TimeIntervalSpec spec;
  spec.times = std::vector<IntRange>{{from, to}};
  spec.weekdays = std::move(weekdays);
  config.intervals.push_back(spec);
  return config;
}

CalendarConfig AllDay(const std::string& zone) {
  return Hours(zone, 0, 24 * 60, {{0, 6}});
}

BOOST_AUTO_TEST_SUITE(calendar)

BOOST_AUTO_TEST_CASE(opens_and_closes_on_the_local_clock) {
  Calendar calendar(Hours("Europe/Berlin", 9 * 60, 18 * 60));
  BOOST_TEST(!calendar.IsOpen(T("2026-01-05T07:59:59Z")));  // Monday, winter
  BOOST_TEST(calendar.IsOpen(T("2026-01-05T08:00:00Z")));
  BOOST_TEST(calendar.IsOpen(T("2026-01-05T16:59:59Z")));
  BOOST_TEST(!calendar.IsOpen(T("2026-01-05T17:00:00Z")));
  BOOST_TEST(calendar.IsOpen(T("2026-07-06T07:00:00Z")));  // summer
  BOOST_TEST(!calendar.IsOpen(T("2026-07-06T16:00:00Z")));
  BOOST_TEST(!calendar.IsOpen(T("2026-07-05T10:00:00Z")));  // Sunday
  BOOST_TEST((calendar.NextOpen(T("2026-01-09T18:00:00Z")) == T("2026-01-12T08:00:00Z")));
  BOOST_TEST((calendar.NextChange(T("2026-01-12T08:00:00Z")) == T("2026-01-12T17:00:00Z")));
}

BOOST_AUTO_TEST_CASE(days_on_which_the_clocks_change_are_shorter_or_longer) {
  struct Case {
    const char* zone;
    const char* from;
    const char* to;
    Duration open;
  };
  const Case cases[] = {
      {"Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", hours(23)},
      {"Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", hours(25)},
      {"America/New_York", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z", hours(23)},
      {"America/New_York", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z", hours(25)},
      {"Australia/Lord_Howe", "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z", hours(24) + minutes(30)},
      {"Australia/Lord_Howe", "2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z", hours(23) + minutes(30)},
  };
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.zone << " " << c.from) {
      Calendar calendar(AllDay(c.zone));
      BOOST_TEST((calendar.OpenTime(T(c.from), T(c.to)) == c.open));
      const int64_t local = ToLocalSeconds(T(c.from), FindTimeZone(c.zone));
      BOOST_TEST(local % 86400 == 0);  // midnight there
      BOOST_TEST((ToLocalSeconds(T(c.to), FindTimeZone(c.zone)) - local) == 86400);
    }
  }
}

BOOST_AUTO_TEST_CASE(hours_around_the_change_keep_their_place_on_the_clock) {
  // 01:30 to 03:30 on every day: one hour less in spring, one more in autumn.
  Calendar berlin(Hours("Europe/Berlin", 90, 210, {{0, 6}}));
  BOOST_TEST((berlin.OpenTime(T("2026-03-28T23:00:00Z"), T("2026-03-29T22:00:00Z")) == hours(1)));
  BOOST_TEST((berlin.OpenTime(T("2026-10-24T22:00:00Z"), T("2026-10-25T23:00:00Z")) == hours(3)));
  // 02:10 to 02:20 does not exist on the day the clocks go forward.
  Calendar gap(Hours("America/New_York", 130, 140, {{0, 6}}));
  BOOST_TEST((gap.OpenTime(T("2026-03-08T05:00:00Z"), T("2026-03-09T04:00:00Z")) == hours(0)));
}

BOOST_AUTO_TEST_CASE(time_adds_up_over_nights_weekends_and_holidays) {
  CalendarConfig config = Hours("Europe/Berlin", 9 * 60, 18 * 60);
  config.holidays.insert(ParseLocalDay("2026-01-06").value());
  Calendar calendar(std::move(config));
  // Monday 17:50 local, half an hour: ten minutes today, Tuesday is a holiday, the rest on Wednesday.
  BOOST_TEST((calendar.AddOpen(T("2026-01-05T16:50:00Z"), minutes(30)) == T("2026-01-07T08:20:00Z")));
  // From a Saturday.
  BOOST_TEST((calendar.AddOpen(T("2026-01-10T12:00:00Z"), minutes(1)) == T("2026-01-12T08:01:00Z")));
  BOOST_TEST((calendar.AddOpen(T("2026-01-10T12:00:00Z"), minutes(0)) == T("2026-01-10T12:00:00Z")));
  BOOST_TEST((calendar.OpenTime(T("2026-01-05T16:50:00Z"), T("2026-01-07T08:20:00Z")) == minutes(30)));
  BOOST_TEST((calendar.EndOfNextBusinessDay(T("2026-01-05T12:00:00Z")) == T("2026-01-07T17:00:00Z")));
  BOOST_TEST((calendar.EndOfNextBusinessDay(T("2026-01-09T22:00:00Z")) == T("2026-01-12T17:00:00Z")));
}

BOOST_AUTO_TEST_CASE(adding_is_the_inverse_of_reading_over_a_whole_year) {
  for (const char* zone : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe"}) {
    Calendar calendar(Hours(zone, 8 * 60 + 30, 17 * 60 + 15));
    for (int hour = 0; hour < 24 * 366; hour += 7) {
      const Timestamp from = T("2026-01-01T00:00:00Z") + hours(hour);
      const Duration length = minutes(1 + hour % 900);
      const Timestamp to = calendar.AddOpen(from, length);
      if (calendar.OpenTime(from, to) != length || calendar.OpenTime(from, to - seconds(1)) >= length) {
        BOOST_FAIL(zone << " " << FormatRfc3339Millis(from));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_calendar_that_never_opens_says_never) {
  CalendarConfig config = Hours("UTC", 0, 60);
  config.intervals.at(0).years = std::vector<IntRange>{{2021, 2021}};
  Calendar calendar(std::move(config));
  BOOST_TEST((calendar.NextOpen(T("2026-01-01T00:00:00Z")) == kNever));
  BOOST_TEST((calendar.AddOpen(T("2026-01-01T00:00:00Z"), minutes(1)) == kNever));
  BOOST_TEST((calendar.EndOfNextBusinessDay(T("2026-01-01T00:00:00Z")) == kNever));
}

BOOST_AUTO_TEST_CASE(response_targets_of_the_mission) {
  ResponseTargets targets;
  const Timestamp friday = T("2026-01-09T20:00:00Z");
  BOOST_TEST((ResponseDueAt(targets, nullptr, Severity::kP0, friday) == friday + minutes(15)));
  BOOST_TEST((ResponseDueAt(targets, nullptr, Severity::kP1, friday) == friday + hours(1)));
  BOOST_TEST((ResponseDueAt(targets, nullptr, Severity::kP2, friday) == friday + hours(4)));
  BOOST_TEST((ResponseDueAt(targets, nullptr, Severity::kP3, friday) == T("2026-01-13T00:00:00Z")));
  BOOST_TEST(!IsSet(ResponseDueAt(targets, nullptr, Severity::kNone, friday)));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(schedule)

Schedule Weekly(const std::string& zone, int64_t start_local, int64_t shift) {
  Rotation rotation;
  rotation.receivers = {"ann", "bob", "cem"};
  rotation.start = start_local;
  rotation.shift_seconds = shift;
  return Schedule("s", zone, {rotation}, {});
}

std::string OnCall(const Schedule& schedule, Timestamp t) {
  std::string out;
  for (const std::string& name : schedule.OnCall(t)) {
    out += out.empty() ? name : "," + name;
  }
  return out;
}

BOOST_AUTO_TEST_CASE(the_hand_over_stays_at_nine_when_the_clocks_change) {
  // Monday 2026-03-23 09:00 in Berlin.
  Schedule schedule = Weekly(
      "Europe/Berlin", ToLocalSeconds(T("2026-03-23T08:00:00Z"), FindTimeZone("Europe/Berlin")), 7 * 86400);
  BOOST_TEST(OnCall(schedule, T("2026-03-23T07:59:59Z")) == "");
  BOOST_TEST(OnCall(schedule, T("2026-03-23T08:00:00Z")) == "ann");
  BOOST_TEST(OnCall(schedule, T("2026-03-30T06:59:59Z")) == "ann");
  BOOST_TEST(OnCall(schedule, T("2026-03-30T07:00:00Z")) == "bob");
  BOOST_TEST((schedule.NextChange(T("2026-03-23T08:00:00Z")) == T("2026-03-30T07:00:00Z")));
}

// Counts shifts by walking over the local calendar, minute by minute.
BOOST_AUTO_TEST_CASE(equals_a_naive_walk_over_the_days_of_change) {
  struct Case {
    const char* zone;
    const char* from;  // a local midnight
    int64_t handover;  // seconds of the local day
    int64_t shift;
  };
  const Case cases[] = {
      {"Europe/Berlin", "2026-10-23T22:00:00Z", 5400, 86400},
      {"Europe/Berlin", "2026-03-27T23:00:00Z", 9000, 86400},  // 02:30, which is skipped
      {"America/New_York", "2026-10-31T04:00:00Z", 5400, 43200},
      {"America/New_York", "2026-03-07T05:00:00Z", 9000, 43200},
      {"Australia/Lord_Howe", "2026-04-03T13:00:00Z", 6300, 86400},  // 01:45, which comes twice
      {"Australia/Lord_Howe", "2026-10-02T13:30:00Z", 7800, 86400},  // 02:10, which is skipped
  };
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.zone << " " << c.from) {
      const date::time_zone* zone = FindTimeZone(c.zone);
      const int64_t start = ToLocalSeconds(T(c.from), zone) + c.handover;
      Schedule schedule = Weekly(c.zone, start, c.shift);
      int64_t index = -1;
      size_t wrong = 0;
      for (int minute = 0; minute < 4 * 24 * 60; ++minute) {
        const Timestamp t = T(c.from) + minutes(minute);
        // A shift begins once, when the local clock first shows its time or a later one.
        while (ToLocalSeconds(t, zone) >= start + (index + 1) * c.shift) {
          ++index;
        }
        static const char* const kNames[] = {"ann", "bob", "cem"};
        wrong += OnCall(schedule, t) == (index < 0 ? "" : kNames[index % 3]) ? 0 : 1;
      }
      BOOST_TEST(wrong == 0u);
    }
  }
}

BOOST_AUTO_TEST_CASE(config_has_calendars_schedules_and_overrides) {
  ConfigPtr config;
  Diagnostics diagnostics = LoadConfigText(R"(
route: {receiver: ml-oncall}
receivers: [{name: ann}, {name: bob}, {name: vp}]
time_intervals: [{name: lunch, time_intervals: [{times: [{start_time: "12:00", end_time: "13:00"}]}]}]
calendars:
- name: office
  time_zone: Europe/Berlin
  time_intervals:
  - {weekdays: ["monday:friday"], times: [{start_time: "09:00", end_time: "18:00"}]}
  holidays: [2026-12-25]
- {name: noon, time_intervals: [lunch]}
schedules:
- name: ml-oncall
  time_zone: Europe/Berlin
  rotations:
  - {type: daily, start: "2026-01-05T09:00:00", receivers: [ann, bob]}
  - {type: custom, shift: 12h, start: "2026-01-05", receivers: [vp], outside_calendar: office}
  overrides:
  - {from: "2026-01-10T00:00:00", until: "2026-01-11T00:00:00", receivers: [vp]}
  - {from: "2026-02-01T00:00:00Z", until: "2026-02-02T00:00:00Z", receivers: []}
)",
                                           "c.yml", config);
  BOOST_REQUIRE_MESSAGE(config != nullptr, diagnostics.ToText());
  const Schedule* schedule = config->schedules->Find("ml-oncall");
  BOOST_TEST(OnCall(*schedule, T("2026-01-05T10:00:00Z")) == "ann");
  BOOST_TEST(OnCall(*schedule, T("2026-01-05T20:00:00Z")) == "ann,vp");
  BOOST_TEST(OnCall(*schedule, T("2026-01-06T10:00:00Z")) == "bob");
  BOOST_TEST(OnCall(*schedule, T("2026-01-09T23:00:00Z")) == "vp");
  BOOST_TEST(OnCall(*schedule, T("2026-02-01T12:00:00Z")) == "");
  BOOST_TEST(config->calendars->Find("noon")->IsOpen(T("2026-01-05T12:30:00Z")));
  BOOST_TEST(!config->calendars->Find("office")->IsOpen(T("2026-12-25T10:00:00Z")));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_with_its_place) {
  const std::pair<const char*, const char*> bad[] = {
      {"calendars: [{name: a, time_zone: Mars/Olympus, time_intervals: [{}]}]", "unknown time zone"},
      {"calendars: [{name: a}]", "missing time_intervals"},
      {"calendars: [{name: a, time_intervals: [nosuch]}]", "undefined time interval"},
      {"calendars: [{name: a, time_intervals: []}]", "calendar \"a\" never opens"},
      {"calendars: [{name: a, time_intervals: [{weekdays: [monday], times: []}]}]",
       "calendar \"a\" never opens"},
      {"calendars: [{name: a, time_intervals: [{days_of_month: ['31'], months: [february]}]}]",
       "calendar \"a\" never opens"},
      {"time_intervals: [{name: i, time_intervals: []}]\ncalendars: [{name: a, time_intervals: [i]}]",
       "calendar \"a\" never opens"},
      {"calendars: [{name: a, time_intervals: [{}], holidays: [2026-13-01]}]", "is not a date"},
      {"calendars: [{name: a, time_intervals: [{}], holiday_files: [nosuch.ics]}]", "nosuch.ics"},
      {"schedules: [{name: s}]", "at least one rotation"},
      {"schedules: [{name: r, rotations: [{start: 2026-01-01, receivers: [r]}]}]",
       "is the name of a receiver"},
      {"schedules: [{name: s, rotations: [{start: 2026-01-01, receivers: [x]}]}]", "undefined receiver"},
      {"schedules: [{name: s, rotations: [{receivers: [r]}]}]", "missing start"},
      {"schedules: [{name: s, rotations: [{start: 2026-01-01, type: custom, receivers: [r]}]}]",
       "missing shift"},
      {"schedules: [{name: s, rotations: [{start: 2026-01-01, type: yearly, receivers: [r]}]}]",
       "must be daily"},
      {"incident_policies: [{name: p, chain: [{after: 1m, receivers: [nosuch]}]}]", "undefined receiver"},
      {"incident_policies: [{name: p, chain: [{receivers: [r]}]}]", "missing after"},
      {"incident_policies: [{name: p, chain: [{after: 2m, receivers: [r]}, {after: 1m, receivers: [r]}]}]",
       "must rise in time"},
      {"incident_policies: [{name: p, ladder: {steps: [{after: 1m, severity: P3}], clock: business}}]",
       "needs a calendar"},
      {"incident_policies: [{name: p, ladder: {steps: [{after: 1m, severity: P3}], calendar: x}}]",
       "undefined calendar"},
      {"incident_policies: [{name: p, ladder: {steps: [{after: 1m, severity: P1}], cap: P2}}]",
       "above the cap"},
      {"response_targets: {P1: soon}", "is not a target"},
  };
  for (const auto& [yaml, message] : bad) {
    BOOST_TEST_CONTEXT(yaml) {
      ConfigPtr config;
      Diagnostics diagnostics = LoadConfigText(
          std::string("route: {receiver: r}\nreceivers: [{name: r}]\n") + yaml + "\n", "c.yml", config);
      BOOST_TEST(config == nullptr);
      BOOST_TEST(diagnostics.ToText().find(message) != std::string::npos, diagnostics.ToText());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_calendar_that_never_opens_is_an_error_at_its_hours) {
  ConfigPtr config;
  const Diagnostics diagnostics = LoadConfigText(R"(route: {receiver: r}
receivers: [{name: r}]
calendars:
- name: office
  time_intervals: []
incident_policies: [{name: p, business_hours: {calendar: office}}]
)",
                                                 "c.yml", config);
  BOOST_TEST(config == nullptr);
  const std::string text = diagnostics.ToText();
  BOOST_TEST(text.find("c.yml:5:") != std::string::npos, text);
  BOOST_TEST(text.find("calendar \"office\" never opens") != std::string::npos, text);
  BOOST_TEST(text.find("name at least one interval in which people work") != std::string::npos, text);
  BOOST_TEST(text.find("undefined calendar") == std::string::npos, text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
