#include "config/ics.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "config/config_loader.h"

using namespace mlalert;

namespace {

std::string Event(const std::string& lines) {
  return "BEGIN:VEVENT\r\n" + lines + "END:VEVENT\r\n";
}

IcsHolidays Parse(const std::string& events) {
  return ParseIcsHolidays("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + events + "END:VCALENDAR\r\n",
                          "Europe/Berlin");
}

std::string Text(const IcsHolidays& holidays) {
  std::string out;
  for (const IcsProblem& problem : holidays.problems) {
    out += (problem.is_error ? "E" : "W") + std::to_string(problem.line) + " " + problem.message + "\n";
  }
  return out;
}

// Closed days of 2026, as "06-17 12-25".
std::string Closed(const IcsHolidays& holidays) {
  std::string out;
  for (LocalDay day : holidays.days) {
    const std::string date = FormatRfc3339Millis(Timestamp(std::chrono::hours(24) * day)).substr(0, 10);
    out += date.starts_with("2026-") ? (out.empty() ? "" : " ") + date.substr(5) : "";
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ics)

BOOST_AUTO_TEST_CASE(an_event_closes_the_local_days_that_it_covers) {
  const std::pair<const char*, const char*> cases[] = {
      {"DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227\r\n", "12-25 12-26"},
      {"DTSTART:20261225\r\n", "12-25"},
      {"DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261225\r\n", "12-25"},
      {"dtstart;value=date:20261225\r\n", "12-25"},
      {"DTSTART;VALUE=DATE:20260713\r\nDURATION:P2D\r\n", "07-13 07-14"},
      {"DTSTART;VALUE=DATE:20260713\r\nDURATION:P1W\r\n", "07-13 07-14 07-15 07-16 07-17 07-18 07-19"},
      // Whole days that are given as times.
      {"DTSTART:20260616T220000Z\r\nDTEND:20260617T220000Z\r\n", "06-17"},
      {"DTSTART:20260617T000000\r\nDTEND:20260618T000000\r\n", "06-17"},
      {"DTSTART:20260617T000000\r\nDTEND:20260617T235900\r\n", "06-17"},
      {"DTSTART:20260617T000000\r\nDURATION:P1DT0H\r\n", "06-17"},
      {"DTSTART;TZID=Europe/Berlin:20260617T000000\r\nDTEND;TZID=Europe/Berlin:20260619T000000\r\n",
       "06-17 06-18"},
      {"DTSTART;TZID=\"/x:y/Europe/Berlin\":20260617T000000\r\nDTEND;TZID=\"/x:y/Europe/Berlin\":"
       "20260618T000000\r\n",
       "06-17"},
      {"DTSTART;X-A=\"a:b;c\";VALUE=DATE:20261225\r\n", "12-25"},
      // Begins in the middle of one day and ends in that of another: those between are closed.
      {"DTSTART:20260615T090000\r\nDTEND:20260618T170000\r\n", "06-16 06-17"},
      // The days on which the clocks change have 23 and 25 hours.
      {"DTSTART:20260328T230000Z\r\nDTEND:20260329T220000Z\r\n", "03-29"},
      {"DTSTART:20261024T220000Z\r\nDTEND:20261025T220000Z\r\n", ""},
      {"DTSTART:20261024T220000Z\r\nDTEND:20261025T230000Z\r\n", "10-25"},
  };
  for (const auto& [lines, days] : cases) {
    BOOST_TEST_CONTEXT(lines) {
      const IcsHolidays holidays = Parse(Event(lines));
      BOOST_TEST(Closed(holidays) == days);
      BOOST_TEST((Text(holidays).find('E') != 0));
    }
  }
}

BOOST_AUTO_TEST_CASE(occurrences_are_added_and_taken_out) {
  const std::pair<const char*, const char*> cases[] = {
      {"DTSTART;VALUE=DATE:20200501\r\nRRULE:FREQ=YEARLY\r\n", "05-01"},
      {"DTSTART;VALUE=DATE:20200810\r\nRRULE:FREQ=YEARLY\r\nEXDATE;VALUE=DATE:20260810\r\n", ""},
      {"DTSTART;VALUE=DATE:20200810\r\nRRULE:FREQ=YEARLY\r\nEXDATE:20250810T000000,20260810T000000\r\n", ""},
      {"DTSTART;VALUE=DATE:20200810\r\nRRULE:FREQ=YEARLY\r\nEXDATE:20260809T220000Z\r\n", ""},
      {"DTSTART:20200809T220000Z\r\nDURATION:P1D\r\nRRULE:FREQ=YEARLY\r\nEXDATE:20260809T220000Z\r\n", ""},
      {"DTSTART;VALUE=DATE:20260901\r\nRDATE;VALUE=DATE:20260903,20260905\r\n", "09-01 09-03 09-05"},
      {"DTSTART;VALUE=DATE:20260901\r\nDURATION:P2D\r\nRDATE;VALUE=DATE:20260910\r\nEXDATE;VALUE=DATE:"
       "20260901"
       "\r\n",
       "09-10 09-11"},
      {"DTSTART;VALUE=DATE:20201225\r\nRRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25,28\r\n", "12-25 12-28"},
      {"DTSTART;VALUE=DATE:20200531\r\nRRULE:FREQ=YEARLY;BYMONTH=5,6;BYMONTHDAY=-1;WKST=MO\r\n",
       "05-31 06-30"},
      {"DTSTART;VALUE=DATE:20201126\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH\r\n", "11-26"},
      {"DTSTART;VALUE=DATE:20200525\r\nRRULE:FREQ=YEARLY;BYDAY=-1MO;BYMONTH=5\r\n", "05-25"},
      {"DTSTART;VALUE=DATE:20201103\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=2,3,4,5,6,7,8;BYDAY=TU\r\n",
       "11-03"},
      {"DTSTART;VALUE=DATE:20200101\r\nRRULE:FREQ=YEARLY;INTERVAL=2\r\n", "01-01"},
      {"DTSTART;VALUE=DATE:19990101\r\nRRULE:FREQ=YEARLY;INTERVAL=2\r\n", ""},
      {"DTSTART;VALUE=DATE:20250101\r\nRRULE:FREQ=YEARLY;COUNT=1\r\n", ""},
      {"DTSTART;VALUE=DATE:20250101\r\nRRULE:FREQ=YEARLY;COUNT=2\r\n", "01-01"},
      {"DTSTART;VALUE=DATE:20150817\r\nRRULE:FREQ=YEARLY;UNTIL=20260817\r\n", "08-17"},
      {"DTSTART;VALUE=DATE:20150817\r\nRRULE:FREQ=YEARLY;UNTIL=20260816\r\n", ""},
      {"DTSTART:20150816T220000Z\r\nDURATION:PT24H\r\nRRULE:FREQ=YEARLY;UNTIL=20260816T220000Z\r\n", "08-17"},
      {"DTSTART:20150816T220000Z\r\nDURATION:PT24H\r\nRRULE:FREQ=YEARLY;UNTIL=20260816T215959Z\r\n", ""},
  };
  for (const auto& [lines, days] : cases) {
    BOOST_TEST_CONTEXT(lines) {
      const IcsHolidays holidays = Parse(Event(lines));
      BOOST_TEST(Closed(holidays) == days);
      BOOST_TEST(Text(holidays) == "");
    }
  }
  // 29 February is in leap years only.
  const IcsHolidays leap = Parse(Event("DTSTART;VALUE=DATE:20240229\r\nRRULE:FREQ=YEARLY\r\n"));
  BOOST_TEST(leap.days.contains(ParseLocalDay("2028-02-29").value()));
  BOOST_TEST(Closed(leap) == "");
}

BOOST_AUTO_TEST_CASE(an_occurrence_that_was_moved_is_on_its_new_day_only) {
  const std::string yearly = Event("UID:a\r\nDTSTART;VALUE=DATE:20200810\r\nRRULE:FREQ=YEARLY\r\n");
  BOOST_TEST(Closed(Parse(yearly + Event("UID:a\r\nRECURRENCE-ID;VALUE=DATE:20260810\r\n"
                                         "DTSTART;VALUE=DATE:20260812\r\n"))) == "08-12");
  BOOST_TEST(Closed(Parse(yearly + Event("UID:a\r\nRECURRENCE-ID;VALUE=DATE:20260810\r\nSTATUS:cancelled\r\n"
                                         "DTSTART;VALUE=DATE:20260810\r\n"))) == "");
  BOOST_TEST(Closed(Parse(yearly + Event("UID:b\r\nRECURRENCE-ID;VALUE=DATE:20260810\r\n"
                                         "DTSTART;VALUE=DATE:20260812\r\n"))) == "08-10 08-12");
}

BOOST_AUTO_TEST_CASE(what_is_cancelled_nested_or_folded_is_read_as_meant) {
  const IcsHolidays holidays = Parse(
      "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\n"
      "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n" +
      Event("DTSTART;VALUE=DATE:20260601\r\nSTATUS:CANCELLED\r\n") +
      Event("DTSTART;VALUE=DA\r\n TE:20260602\r\nBEGIN:VALARM\r\nDTSTART:19990101\r\nEND:VALARM\r\n") +
      "\r\n");
  BOOST_TEST(Closed(holidays) == "06-02");
  BOOST_TEST(Text(holidays) == "");
}

BOOST_AUTO_TEST_CASE(a_byte_order_mark_is_accepted) {
  const IcsHolidays holidays = ParseIcsHolidays(
      "\xEF\xBB\xBF"
      "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261225\nEND:VEVENT\nEND:VCALENDAR",
      "UTC");
  BOOST_TEST(Closed(holidays) == "12-25");
  BOOST_TEST(Text(holidays) == "");
}

BOOST_AUTO_TEST_CASE(a_meeting_closes_nothing_and_is_reported) {
  const std::pair<const char*, const char*> cases[] = {
      {"SUMMARY:Stand-up\r\nDTSTART;TZID=Europe/Berlin:20260615T100000\r\nDTEND;TZID=Europe/"
       "Berlin:20260615T110000"
       "\r\n",
       "W3 event \"Stand-up\" covers no day whole and closes none\n"},
      {"SUMMARY:Weekly\r\nDTSTART:20260615T100000\r\nDURATION:PT1H\r\nRRULE:FREQ=WEEKLY;BYDAY=MO\r\n",
       "W3 event \"Weekly\" covers no day whole and closes none\n"},
      {"UID:7\r\nDTSTART:20260615T100000\r\n", "W3 event \"7\" covers no day whole and closes none\n"},
      {"DTSTART;TZID=W. Europe Standard Time:20260615T100000\r\nDURATION:PT1H30M\r\n",
       "W3 the event covers no day whole and closes none\n"},
      {"DTSTART:20260615T100000Z\r\nDTEND:20260616T100000Z\r\n",
       "W3 the event covers no day whole and closes none\n"},
  };
  for (const auto& [lines, problems] : cases) {
    BOOST_TEST_CONTEXT(lines) {
      const IcsHolidays holidays = Parse(Event(lines));
      BOOST_TEST(Closed(holidays) == "");
      BOOST_TEST(Text(holidays) == problems);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_supported_is_an_error_with_its_line) {
  const std::pair<const char*, const char*> cases[] = {
      {"RRULE:FREQ=WEEKLY", "E5 RRULE:FREQ=WEEKLY: FREQ=WEEKLY is not supported"},
      {"RRULE:FREQ=DAILY;COUNT=3", "FREQ=DAILY is not supported"},
      {"RRULE:FREQ=MONTHLY;BYMONTHDAY=1", "FREQ=MONTHLY is not supported"},
      {"RRULE:COUNT=3", "a rule without FREQ=YEARLY is not supported"},
      {"RRULE:FREQ=YEARLY;BYDAY=MO", "BYDAY without BYMONTH is not supported"},
      {"RRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=1XX", "BYDAY=1XX is not supported"},
      {"RRULE:FREQ=YEARLY;BYMONTH=13", "BYMONTH=13 is not supported"},
      {"RRULE:FREQ=YEARLY;BYMONTHDAY=25,x", "BYMONTHDAY=25,X is not supported"},
      {"RRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=MO;BYSETPOS=1", "BYSETPOS=1 is not supported"},
      {"RRULE:FREQ=YEARLY;BYYEARDAY=100", "BYYEARDAY=100 is not supported"},
      {"RRULE:FREQ=YEARLY;BYWEEKNO=20", "BYWEEKNO=20 is not supported"},
      {"RRULE:FREQ=YEARLY;BYEASTER=0", "BYEASTER=0 is not supported"},
      {"RRULE:FREQ=YEARLY;COUNT=0", "COUNT=0 is not supported"},
      {"RRULE:FREQ=YEARLY;UNTIL=soon", "\"SOON\" is not a date"},
      {"RRULE:FREQ=YEARLY;UNTIL=20300101;COUNT=2", "UNTIL together with COUNT is not supported"},
      {"RRULE:FREQ=YEARLY\r\nRRULE:FREQ=YEARLY", "E6 a second RRULE"},
      {"RRULE", "E5 RRULE has no value"},
      {"EXRULE:FREQ=YEARLY", "EXRULE is not supported"},
      {"RDATE;VALUE=PERIOD:20260101T000000Z/P1D", "RDATE;VALUE=PERIOD is not supported"},
      {"EXDATE;VALUE=DATE:2026-08-10", "E5 EXDATE: \"2026-08-10\" is not a date"},
      {"DTEND;VALUE=DATE:20250101", "E5 the event ends before it begins"},
      {"DTEND:20270101T000000Z", "DTSTART and DTEND are not of one kind"},
      {"DTEND;VALUE=DATE:20290101", "longer than a year"},
      {"DURATION:PT1H", "whole days" /* of the hint */},
      {"DURATION:P", "\"P\" is not supported"},
      {"RECURRENCE-ID;RANGE=THISANDFUTURE:20260101", "RANGE is not supported"},
  };
  for (const auto& [line, message] : cases) {
    BOOST_TEST_CONTEXT(line) {
      const IcsHolidays holidays =
          Parse(Event(std::string("DTSTART;VALUE=DATE:20260101\r\n") + line + "\r\n"));
      BOOST_REQUIRE(!holidays.problems.empty());
      const IcsProblem& problem = holidays.problems.front();
      BOOST_TEST(problem.is_error);
      BOOST_TEST((Text(holidays) + problem.hint).find(message) != std::string::npos, Text(holidays));
    }
  }
  const std::pair<const char*, const char*> files[] = {
      {"hello", "E1 this is no iCalendar file: it has no BEGIN:VCALENDAR"},
      {"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261001\n",
       "E2 the file ends within this VEVENT: it is cut off"},
      {"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261001\nEND:VEVENT\n",
       "E1 the file ends within this VCALENDAR: it is cut off"},
      {"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261001\nEND:VCALENDAR\n",
       "E4 END:VCALENDAR within VEVENT, which began in line 2 and has no end"},
      {"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:a\nEND:VEVENT\nEND:VCALENDAR\n",
       "E2 event \"a\" has no DTSTART"},
      {"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE\nEND:VEVENT\nEND:VCALENDAR\n",
       "E3 DTSTART has no value"},
      {"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:2026\nEND:VEVENT\nEND:VCALENDAR\n",
       "E3 DTSTART: \"2026\" is not"},
      {"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260230\nEND:VEVENT\nEND:VCALENDAR\n",
       "E3 DTSTART: \"20260230\" is not a date"},
      {"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;TZID=Mars:20260617T000000\nDURATION:P1D\nEND:VEVENT\nEND:"
       "VCALENDAR\n",
       "E3 the event: its TZID is not the name of a time zone"},
      {"BEGIN:VCALENDAR\nEND:VCALENDAR\n", "W1 the file has no events"},
  };
  for (const auto& [file, message] : files) {
    const std::string text = Text(ParseIcsHolidays(file, "UTC"));
    BOOST_TEST(text.find(message) == 0u, file << "\n" << text);
  }
}

BOOST_AUTO_TEST_CASE(problems_stand_at_the_file_in_the_config) {
  const auto folder = std::filesystem::temp_directory_path() / ("mlalert_ics_" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "h.ics")
      << "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Stand-up\nDTSTART:20260615T100000\n"
         "END:VEVENT\nEND:VCALENDAR\n";
  std::ofstream(folder / "cut.ics") << "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261001\n";
  auto text_of = [&](const std::string& file) {
    ConfigPtr config;
    return LoadConfigText(
               "route: {receiver: r}\nreceivers: [{name: r}]\n"
               "calendars: [{name: a, time_intervals: [{}], holiday_files: [" +
                   file + "]}]\n",
               (folder / "c.yml").string(), config)
        .ToText();
  };
  BOOST_TEST(text_of("h.ics").find("c.yml:3:61: warning: h.ics:2: event \"Stand-up\" covers no day whole") !=
                 std::string::npos,
             text_of("h.ics"));
  BOOST_TEST(
      text_of("cut.ics").find("error: cut.ics:2: the file ends within this VEVENT") != std::string::npos,
      text_of("cut.ics"));
  std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_SUITE_END()
