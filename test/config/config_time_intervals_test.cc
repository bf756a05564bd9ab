#include <boost/test/unit_test.hpp>

#include "config_case.h"

using namespace mlalert;           // NOLINT(google-build-using-namespace)
using namespace mlalert::testing;  // NOLINT(google-build-using-namespace)

namespace {

std::string WithSpec(std::string_view spec) {
  return Minimal("time_intervals: [{name: t, time_intervals: [" + std::string(spec) + "]}]\n");
}

std::string Show(const std::optional<std::vector<IntRange>>& ranges) {
  if (!ranges) {
    return "none";
  }
  std::string out;
  for (const IntRange& r : *ranges) {
    out += (out.empty() ? "" : " ") + std::to_string(r.begin) + ":" + std::to_string(r.end);
  }
  return "[" + out + "]";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_time_intervals)

BOOST_AUTO_TEST_CASE(reads_every_list) {
  ConfigPtr c = MustLoad(
      WithSpec("{times: [{start_time: 17:00, end_time: '24:00'}], weekdays: ['Monday:friday', sunday], "
               "days_of_month: ['1:5', '-3:-1', 31, '10:-1'], "
               "months: ['january:march', '12', 13], years: ['2026:2030', 2040], location: Europe/Paris}"));
  const TimeIntervalSpec& spec = c->time_intervals[0].specs[0];
  BOOST_TEST(Show(spec.times) == "[1020:1440]");
  BOOST_TEST(Show(spec.weekdays) == "[1:5 0:0]");
  BOOST_TEST(Show(spec.days_of_month) == "[1:5 -3:-1 31:31 10:-1]");
  BOOST_TEST(Show(spec.months) == "[1:3 12:12 13:13]");
  BOOST_TEST(Show(spec.years) == "[2026:2030 2040:2040]");
  BOOST_TEST(spec.location == "Europe/Paris");
}

BOOST_AUTO_TEST_CASE(absent_and_null_are_no_constraint_but_empty_is_one) {
  ConfigPtr c = MustLoad(WithSpec("{weekdays: [], months: ~}, {}"));
  BOOST_TEST(Show(c->time_intervals[0].specs[0].weekdays) == "[]");
  BOOST_TEST(Show(c->time_intervals[0].specs[0].months) == "none");
  BOOST_TEST(Show(c->time_intervals[0].specs[1].times) == "none");
}

BOOST_AUTO_TEST_CASE(both_keys_share_one_namespace) {
  ConfigPtr c = MustLoad(Minimal("mute_time_intervals: [{name: a}]\ntime_intervals: [{name: b}]\n"));
  BOOST_TEST(c->time_intervals.size() == 2U);
  ExpectError(Minimal("mute_time_intervals: [{name: a}]\ntime_intervals: [{name: a}]\n"),
              R"(time interval "a" is not unique)");
  ExpectError(Minimal("mute_time_intervals: [{name: a}, {name: a}]\n"),
              R"(mute time interval "a" is not unique)");
  ExpectError(Minimal("mute_time_intervals: [{}]\n"), "missing name in mute time interval");
  ExpectError(Minimal("time_intervals: [{}]\n"), "missing name in time interval");
}

BOOST_AUTO_TEST_CASE(refuses_in_alertmanagers_words) {
  for (const BadCase& c : {
           BadCase{"{times: [{start_time: 9:00, end_time: 10:00}]}",
                   "couldn't parse timestamp 9:00, invalid format"},
           {"{times: [{start_time: 09:00, end_time: 24:01}]}",
            "couldn't parse timestamp 24:01, invalid format"},
           {"{times: [{start_time: 09:00, end_time: 09:60}]}",
            "couldn't parse timestamp 09:60, invalid format"},
           {"{times: [{start_time: 10:00, end_time: 10:00}]}",
            "start time cannot be equal or greater than end time"},
           {"{times: [{start_time: 22:00, end_time: 06:00}]}",
            "start time cannot be equal or greater than end time"},
           {"{times: [{start_time: 10:00}]}", "both start and end times must be provided"},
           {"{times: [{start: 10:00}]}", "field start not found in type timeinterval.yamlTimeRange"},
           {"{weekdays: [mon]}", "mon is not a valid weekday"},
           {"{weekdays: ['saturday:sunday']}", "start day cannot be before end day"},
           {"{weekdays: ['a:b:c']}", "couldn't parse range a:b:c, invalid format"},
           {"{weekdays: monday}", "cannot unmarshal !!str `monday` into []timeinterval.WeekdayRange"},
           {"{days_of_month: ['0']}", "0 is not a valid day of the month: out of range"},
           {"{days_of_month: ['32']}", "32 is not a valid day of the month: out of range"},
           {"{days_of_month: ['-32']}", "-32 is not a valid day of the month: out of range"},
           {"{days_of_month: ['-3:5']}", "end day must be negative if start day is negative"},
           {"{days_of_month: ['10:5']}", "end day 5 is always before start day 10"},
           {"{days_of_month: ['20:-10']}", "end day -10 is always before start day 20"},
           {"{days_of_month: [x]}", R"(strconv.Atoi: parsing "x": invalid syntax)"},
           {"{months: [jan]}", "jan is not a valid month"},
           {"{months: ['may:march']}", "end month march is before start month may"},
           {"{years: ['2022:2020']}", "end year 2020 is before start year 2022"},
           {"{years: [x]}", R"(strconv.Atoi: parsing "x": invalid syntax)"},
           {"{years: ['99999999999']}", R"(strconv.Atoi: parsing "99999999999": value out of range)"},
           {"{location: Mars/Foo}", "unknown time zone Mars/Foo"},
           {"{location: ../../../etc/passwd}", "unknown time zone ../../../etc/passwd"},
           {"{location: /etc/passwd}", "unknown time zone /etc/passwd"},
           {"{hours: []}", "field hours not found in type timeinterval.TimeInterval"},
       }) {
    ExpectError(WithSpec(c.text), c.message);
  }
}

BOOST_AUTO_TEST_SUITE_END()
