#include "config/oncall_gaps.h"

#include <boost/test/unit_test.hpp>

#include "config/config_loader.h"

using namespace mlalert;

namespace {

Timestamp T(const char* text) {
  return ParseRfc3339(text).value();
}

// Warnings at this time, a Sunday.
std::string Gaps(const std::string& rest, const char* now = "2026-11-29T12:00:00Z") {
  const std::string text = R"(receivers: [{name: ann}, {name: bob}]
calendars:
- {name: office, time_zone: Europe/Berlin, time_intervals: [{weekdays: ["monday:friday"], times: [{start_time: "09:00", end_time: "18:00"}]}]}
schedules:
- name: day
  time_zone: Europe/Berlin
  rotations: [{start: 2026-01-05, receivers: [ann], calendar: office}]
- name: night
  time_zone: Europe/Berlin
  rotations: [{start: 2026-01-05, receivers: [bob], outside_calendar: office}]
- name: always
  rotations: [{start: 2026-01-05, receivers: [ann, bob]}]
  overrides: [{from: "2026-12-24T00:00:00Z", until: "2026-12-25T00:00:00Z", receivers: []}]
- name: next-year
  rotations: [{start: 2027-01-04, receivers: [ann]}]
)" + rest + "\n";
  ConfigPtr config;
  Diagnostics loaded = LoadConfigText(text, "c.yml", config);
  BOOST_REQUIRE_MESSAGE(config != nullptr, loaded.ToText());
  Diagnostics out;
  WarnAboutGaps(*config, text, "c.yml", T(now), out);
  std::string found;
  for (const Diagnostic& one : out.items()) {
    found += std::to_string(one.where.line) + " " + one.message + "\n";
  }
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(oncall_gaps)

BOOST_AUTO_TEST_CASE(the_first_time_without_anybody_is_named) {
  BOOST_TEST(Gaps("route: {receiver: day}") ==
             "5 nobody is on call in schedule \"day\" now, 2026-11-29 13:00 (Europe/Berlin)\n");
  BOOST_TEST(Gaps("route: {receiver: day}", "2026-11-30T12:00:00Z") ==
             "5 nobody is on call in schedule \"day\" at 2026-11-30 18:00 (Europe/Berlin)\n");
  BOOST_TEST(Gaps("route: {receiver: ann, routes: [{receiver: night}]}") ==
             "8 nobody is on call in schedule \"night\" at 2026-11-30 09:00 (Europe/Berlin)\n");
  BOOST_TEST(Gaps("route: {receiver: always}") ==
             "11 nobody is on call in schedule \"always\" at 2026-12-24 00:00 (UTC)\n");
  BOOST_TEST(Gaps("route: {receiver: always}", "2026-11-01T12:00:00Z") == "");  // not within four weeks
  BOOST_TEST(Gaps("route: {receiver: next-year}") ==
             "14 nobody is on call in schedule \"next-year\" now, 2026-11-29 12:00 (UTC)\n");
  BOOST_TEST(Gaps("route: {receiver: ann}") == "");
}

BOOST_AUTO_TEST_CASE(a_step_reaches_somebody_by_its_other_receivers_or_the_fallback) {
  auto chain = [](const char* text) {
    return std::string("route: {receiver: ann}\nincident_policies: [{name: p, chain: ") + text + "}]";
  };
  BOOST_TEST(Gaps(chain("[{after: 5m, receivers: [day]}]")) ==
             "5 nobody is on call in schedule \"day\" now, 2026-11-29 13:00 (Europe/Berlin)\n");
  BOOST_TEST(Gaps(chain("{steps: [{after: 5m, receivers: [day]}], fallback: [bob]}")) == "");
  BOOST_TEST(Gaps(chain("[{after: 5m, receivers: [day, bob]}]")) == "");
  BOOST_TEST(Gaps(chain("[{after: 5m, receivers: [day, night]}]")) == "");
  BOOST_TEST(
      Gaps(chain("[{after: 5m, receivers: [day, next-year]}]")) ==
      "5 nobody is on call in schedule \"day\", \"next-year\" now, 2026-11-29 13:00 (Europe/Berlin)\n");
}

BOOST_AUTO_TEST_SUITE_END()
