// Which instants a named interval contains: ranges, empty lists, zones, the ends of months.
#include "mute/time_intervals.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <string>
#include <vector>

namespace mlalert::testing {
namespace {

using Ranges = std::vector<IntRange>;

Timestamp At(const std::string& text) {
  auto time = ParseRfc3339(text);
  BOOST_REQUIRE_MESSAGE(time, text);
  return *time;
}

bool Contains(const TimeIntervalSpec& spec, const std::string& time) {
  std::vector<NamedTimeInterval> intervals{{0, "x", {spec}}};
  return TimeIntervals(intervals).Contains("x", At(time));
}

constexpr int Minutes(int hour, int minute = 0) {
  return hour * 60 + minute;
}

BOOST_AUTO_TEST_SUITE(time_intervals)

BOOST_AUTO_TEST_CASE(a_spec_without_keys_is_always) {
  BOOST_TEST(Contains({}, "2026-01-01T00:00:00Z"));
  BOOST_TEST(Contains({.location = "Asia/Kolkata"}, "1999-12-31T23:59:59.999999999Z"));
}

BOOST_AUTO_TEST_CASE(an_empty_list_is_never) {
  const std::string now = "2026-01-01T12:00:00Z";
  BOOST_TEST(!Contains({.times = Ranges{}}, now));
  BOOST_TEST(!Contains({.weekdays = Ranges{}}, now));
  BOOST_TEST(!Contains({.days_of_month = Ranges{}}, now));
  BOOST_TEST(!Contains({.months = Ranges{}}, now));
  BOOST_TEST(!Contains({.years = Ranges{}}, now));
  // ... also beside a list that contains now.
  BOOST_TEST(!Contains({.weekdays = Ranges{{0, 6}}, .months = Ranges{}}, now));
}

BOOST_AUTO_TEST_CASE(an_interval_without_specs_or_name_is_never) {
  std::vector<NamedTimeInterval> intervals{{0, "empty", {}}};
  TimeIntervals t(intervals);
  BOOST_TEST(!t.Contains("empty", At("2026-01-01T00:00:00Z")));
  BOOST_TEST(!t.Contains("unknown", At("2026-01-01T00:00:00Z")));
}

BOOST_AUTO_TEST_CASE(times_begin_inclusive_and_end_exclusive_to_the_nanosecond) {
  TimeIntervalSpec office{.times = Ranges{{Minutes(9), Minutes(17)}}};
  BOOST_TEST(!Contains(office, "2026-01-01T08:59:59.999999999Z"));
  BOOST_TEST(Contains(office, "2026-01-01T09:00:00Z"));
  BOOST_TEST(Contains(office, "2026-01-01T16:59:59.999999999Z"));
  BOOST_TEST(!Contains(office, "2026-01-01T17:00:00Z"));
  TimeIntervalSpec to_midnight{.times = Ranges{{Minutes(22), Minutes(24)}}};
  BOOST_TEST(Contains(to_midnight, "2026-01-01T23:59:59.999Z"));
  BOOST_TEST(!Contains(to_midnight, "2026-01-02T00:00:00Z"));
}

BOOST_AUTO_TEST_CASE(all_lists_must_contain_and_one_range_of_each_is_enough) {
  TimeIntervalSpec spec{.times = Ranges{{0, 60}, {Minutes(12), Minutes(13)}},
                        .weekdays = Ranges{{1, 5}},
                        .months = Ranges{{1, 3}, {12, 12}},
                        .years = Ranges{{2026, 2027}}};
  BOOST_TEST(Contains(spec, "2026-01-01T12:30:00Z"));   // Thursday
  BOOST_TEST(!Contains(spec, "2026-01-01T13:30:00Z"));  // time
  BOOST_TEST(!Contains(spec, "2026-01-03T12:30:00Z"));  // Saturday
  BOOST_TEST(!Contains(spec, "2026-04-01T12:30:00Z"));  // month
  BOOST_TEST(Contains(spec, "2027-12-31T00:30:00Z"));
  BOOST_TEST(!Contains(spec, "2028-01-03T12:30:00Z"));  // year
}

BOOST_AUTO_TEST_CASE(weekdays_begin_with_sunday) {
  for (int day = 0; day < 7; ++day) {
    // 2026-01-04 is a Sunday.
    std::string date = "2026-01-0" + std::to_string(4 + day) + "T12:00:00Z";
    if (day == 6) {
      date = "2026-01-10T12:00:00Z";
    }
    BOOST_TEST_CONTEXT(date) {
      BOOST_TEST(Contains({.weekdays = Ranges{{day, day}}}, date));
      BOOST_TEST(!Contains({.weekdays = Ranges{{(day + 1) % 7, (day + 1) % 7}}}, date));
    }
  }
}

BOOST_AUTO_TEST_CASE(days_of_month) {
  const struct {
    IntRange days;
    const char* time;
    bool want;
  } kTable[] = {
      {{1, 5}, "2026-01-01T00:00:00Z", true},
      {{1, 5}, "2026-01-05T23:59:59Z", true},
      {{1, 5}, "2026-01-06T00:00:00Z", false},
      {{-1, -1}, "2026-01-31T10:00:00Z", true},
      {{-1, -1}, "2026-01-30T10:00:00Z", false},
      {{-1, -1}, "2026-02-28T10:00:00Z", true},
      {{-1, -1}, "2024-02-28T10:00:00Z", false},  // leap year
      {{-1, -1}, "2024-02-29T10:00:00Z", true},
      {{-1, -1}, "1900-02-28T10:00:00Z", true},  // not a leap year
      {{-3, -1}, "2026-04-28T00:00:00Z", true},
      {{-3, -1}, "2026-04-27T23:59:59Z", false},
      {{10, -10}, "2026-01-22T00:00:00Z", true},
      {{10, -10}, "2026-01-23T00:00:00Z", false},
      {{10, -10}, "2026-02-19T00:00:00Z", true},
      {{10, -10}, "2026-02-20T00:00:00Z", false},
      // Clamped to the month.
      {{20, 31}, "2026-02-28T00:00:00Z", true},
      {{-31, 5}, "2026-02-01T00:00:00Z", true},  // not from the loader, which refuses it
      {{-31, -28}, "2026-02-01T00:00:00Z", true},
      {{-31, -28}, "2026-02-02T00:00:00Z", false},
      // A range that begins after the end of the month is no day of it.
      {{30, 31}, "2026-02-28T00:00:00Z", false},
      {{31, 31}, "2026-04-30T00:00:00Z", false},
      {{31, 31}, "2026-05-31T00:00:00Z", true},
  };
  for (const auto& row : kTable) {
    BOOST_TEST_CONTEXT(row.days.begin << ":" << row.days.end << " at " << row.time) {
      BOOST_TEST(Contains({.days_of_month = Ranges{row.days}}, row.time) == row.want);
    }
  }
}

BOOST_AUTO_TEST_CASE(months_beyond_twelve_never_match) {
  BOOST_TEST(!Contains({.months = Ranges{{13, 13}}}, "2026-12-31T00:00:00Z"));
  BOOST_TEST(Contains({.months = Ranges{{12, 13}}}, "2026-12-31T00:00:00Z"));
}

// Nine to five on weekdays around the changes of the clock, in three zones.
BOOST_AUTO_TEST_CASE(daylight_saving) {
  const struct {
    const char* zone;
    const char* time;
    bool want;
  } kTable[] = {
      // Berlin goes to summer time on 2026-03-29 (a Sunday): nine is 08:00Z on Friday, 07:00Z on Monday.
      {"Europe/Berlin", "2026-03-27T07:59:59Z", false},
      {"Europe/Berlin", "2026-03-27T08:00:00Z", true},
      {"Europe/Berlin", "2026-03-30T06:59:59Z", false},
      {"Europe/Berlin", "2026-03-30T07:00:00Z", true},
      {"Europe/Berlin", "2026-03-30T14:59:59Z", true},
      {"Europe/Berlin", "2026-03-30T15:00:00Z", false},
      // ... and back on 2026-10-25.
      {"Europe/Berlin", "2026-10-23T07:00:00Z", true},
      {"Europe/Berlin", "2026-10-26T07:00:00Z", false},
      {"Europe/Berlin", "2026-10-26T08:00:00Z", true},
      // New York: 2026-03-08 and 2026-11-01.
      {"America/New_York", "2026-03-06T13:59:59Z", false},
      {"America/New_York", "2026-03-06T14:00:00Z", true},
      {"America/New_York", "2026-03-09T12:59:59Z", false},
      {"America/New_York", "2026-03-09T13:00:00Z", true},
      {"America/New_York", "2026-11-02T13:00:00Z", false},
      {"America/New_York", "2026-11-02T14:00:00Z", true},
      // Lord Howe moves by half an hour, to +10:30 on 2026-04-05 and to +11 on 2026-10-04.
      {"Australia/Lord_Howe", "2026-04-02T22:00:00Z", true},   // Friday 09:00
      {"Australia/Lord_Howe", "2026-04-05T22:00:00Z", false},  // Monday 08:30
      {"Australia/Lord_Howe", "2026-04-05T22:30:00Z", true},
      {"Australia/Lord_Howe", "2026-10-04T22:00:00Z", true},
      {"Australia/Lord_Howe", "2026-10-05T06:00:00Z", false},
  };
  for (const auto& row : kTable) {
    BOOST_TEST_CONTEXT(row.zone << " " << row.time) {
      TimeIntervalSpec office{
          .times = Ranges{{Minutes(9), Minutes(17)}}, .weekdays = Ranges{{1, 5}}, .location = row.zone};
      BOOST_TEST(Contains(office, row.time) == row.want);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_local_hour_that_is_skipped_is_never_and_one_that_comes_twice_is_twice) {
  TimeIntervalSpec night{.times = Ranges{{Minutes(2), Minutes(3)}}, .location = "Europe/Berlin"};
  // 2026-03-29: 01:59:59 is followed by 03:00.
  BOOST_TEST(!Contains(night, "2026-03-29T00:59:59Z"));
  BOOST_TEST(!Contains(night, "2026-03-29T01:00:00Z"));
  // 2026-10-25: 02:00 to 03:00 twice.
  BOOST_TEST(!Contains(night, "2026-10-24T23:59:59Z"));
  BOOST_TEST(Contains(night, "2026-10-25T00:00:00Z"));
  BOOST_TEST(Contains(night, "2026-10-25T01:30:00Z"));
  BOOST_TEST(!Contains(night, "2026-10-25T02:00:00Z"));
}

BOOST_AUTO_TEST_CASE(the_last_day_of_a_month_with_a_change_of_the_clock) {
  // Upstream once counted March's days through midnights 23 hours apart.
  for (const char* zone : {"Europe/Berlin", "America/Sao_Paulo", "America/New_York", "Africa/Cairo"}) {
    BOOST_TEST_CONTEXT(zone) {
      TimeIntervalSpec last{.days_of_month = Ranges{{-1, -1}}, .location = zone};
      BOOST_TEST(Contains(last, "2026-03-31T12:00:00Z"));
      BOOST_TEST(!Contains(last, "2026-03-30T12:00:00Z"));
      BOOST_TEST(Contains(last, "2026-10-31T12:00:00Z"));
      BOOST_TEST(!Contains(last, "2018-11-29T12:00:00Z"));
      BOOST_TEST(Contains(last, "2018-11-30T12:00:00Z"));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_date_is_the_local_one) {
  TimeIntervalSpec new_year{
      .days_of_month = Ranges{{1, 1}}, .months = Ranges{{1, 1}}, .years = Ranges{{2027, 2027}}};
  new_year.location = "Pacific/Kiritimati";  // +14
  BOOST_TEST(Contains(new_year, "2026-12-31T10:00:00Z"));
  BOOST_TEST(!Contains(new_year, "2027-01-01T10:00:00Z"));
  new_year.location = "Pacific/Honolulu";  // -10
  BOOST_TEST(!Contains(new_year, "2027-01-01T09:59:59Z"));
  BOOST_TEST(Contains(new_year, "2027-01-01T10:00:00Z"));
}

BOOST_AUTO_TEST_CASE(before_the_epoch_minutes_and_days_count_forward) {
  BOOST_TEST(Contains({.times = Ranges{{Minutes(23), Minutes(24)}}, .weekdays = Ranges{{3, 3}}},
                      "1969-12-31T23:30:00Z"));
}

BOOST_AUTO_TEST_CASE(local_is_the_zone_of_the_machine) {
  const char* before = std::getenv("TZ");
  const std::string saved = before != nullptr ? before : "";
  setenv("TZ", "Asia/Tokyo", 1);
  TimeIntervalSpec morning{.times = Ranges{{Minutes(9), Minutes(10)}}, .location = "Local"};
  BOOST_TEST(Contains(morning, "2026-01-01T00:30:00Z"));
  setenv("TZ", "", 1);  // UTC, as for every C and Go program
  BOOST_TEST(Contains(morning, "2026-01-01T09:30:00Z"));
  if (before != nullptr) {
    setenv("TZ", saved.c_str(), 1);
  } else {
    unsetenv("TZ");
  }
}

BOOST_AUTO_TEST_CASE(a_zone_that_has_vanished_counts_as_utc) {
  TimeIntervalSpec morning{.times = Ranges{{Minutes(9), Minutes(10)}}, .location = "Mars/Olympus"};
  BOOST_TEST(Contains(morning, "2026-01-01T09:30:00Z"));
}

BOOST_AUTO_TEST_CASE(active_names_in_the_order_asked_once_per_spec) {
  TimeIntervalSpec never{.months = Ranges{}};
  std::vector<NamedTimeInterval> intervals{
      {0, "twice", {never, {}, {}}}, {0, "never", {never}}, {0, "too", {{}}}};
  TimeIntervals t(intervals);
  const std::vector<std::string> names{"too", "never", "twice", "gone"};
  const std::vector<std::string> want{"too", "twice", "twice"};
  BOOST_TEST(t.Active(names, At("2026-01-01T00:00:00Z")) == want, boost::test_tools::per_element());
}

// Held against a look at every minute, in weeks in which the clocks change.
BOOST_AUTO_TEST_CASE(the_next_edge_is_the_first_minute_at_which_something_changes) {
  const std::vector<NamedTimeInterval> intervals{
      {0,
       "night",
       {{.times = Ranges{{Minutes(1), Minutes(5)}}, .location = "Europe/Berlin"},
        {.times = Ranges{{Minutes(22), Minutes(24)}},
         .weekdays = Ranges{{5, 6}},
         .location = "Europe/Berlin"}}},
      {0,
       "half_hour",
       {{.times = Ranges{{Minutes(1, 45), Minutes(2, 15)}}, .location = "Australia/Lord_Howe"}}},
      {0, "days", {{.weekdays = Ranges{{0, 0}, {6, 6}}, .location = "America/New_York"}}},
      {0, "last_day", {{.days_of_month = Ranges{{-1, -1}}}}}};
  const TimeIntervals t(intervals);
  for (const char* from : {"2026-03-27T00:00:30Z", "2026-10-23T12:00:00Z", "2026-03-07T00:00:00Z",
                           "2026-10-31T00:00:00Z", "2026-04-03T00:00:00Z", "2026-10-02T00:00:00Z"}) {
    for (const NamedTimeInterval& interval : intervals) {
      BOOST_TEST_CONTEXT(from << " " << interval.name) {
        const std::vector<std::string> names{interval.name};
        Timestamp edge = t.NextEdge(names, At(from));
        bool inside = t.Contains(interval.name, At(from));
        Timestamp minute = std::chrono::floor<std::chrono::minutes>(At(from));
        for (int i = 0; i < 6 * 24 * 60; ++i) {
          minute += std::chrono::minutes(1);
          if (t.Contains(interval.name, minute) == inside) {
            continue;
          }
          inside = !inside;
          BOOST_TEST_REQUIRE(FormatRfc3339Millis(edge) == FormatRfc3339Millis(minute));
          edge = t.NextEdge(names, minute);
        }
        BOOST_TEST((edge > minute));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_search_for_an_edge_ends) {
  const Timestamp now = At("2026-01-01T00:00:00Z");
  const std::vector<NamedTimeInterval> intervals{{0, "always", {{}}},
                                                 {0, "never", {{.times = Ranges{}}}},
                                                 {0, "past", {{.years = Ranges{{2020, 2021}}}}},
                                                 {0, "empty", {}}};
  const TimeIntervals t(intervals);
  for (const NamedTimeInterval& interval : intervals) {
    BOOST_TEST_CONTEXT(interval.name) {
      BOOST_TEST(
          (t.NextEdge(std::vector<std::string>{interval.name}, now) == now + std::chrono::hours(24 * 400)));
    }
  }
  BOOST_TEST((t.NextEdge({}, now) == kNever));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
