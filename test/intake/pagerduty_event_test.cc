#include "intake/pagerduty_event.h"

#include <boost/test/unit_test.hpp>

namespace mlalert {
namespace {

BOOST_AUTO_TEST_SUITE(pagerduty_event)

BOOST_AUTO_TEST_CASE(reads_an_event_as_documented) {
  auto event = DecodePagerdutyEvent(R"({"event": {
    "id": "5ac64822-4adc-4fda-ade0-410becf0de4f", "event_type": "incident.reassigned", "resource_type": "incident",
    "occurred_at": "2026-10-02T18:45:22.169Z",
    "agent": {"html_url": "https://acme.pagerduty.com/users/PLH1HKV", "id": "PLH1HKV", "self": "https://api",
              "summary": "Tenex Engineer", "type": "user_reference"},
    "client": {"name": "PagerDuty"},
    "data": {"id": "PGR0VU2", "type": "incident", "number": 2, "status": "triggered", "incident_key": "d3640f",
             "assignees": [{"id": "P1", "summary": "Ann", "type": "user_reference"}, {"summary": "Bob"}],
             "priority": null, "resolve_reason": null}}})");
  BOOST_REQUIRE(event.has_value());
  BOOST_TEST(event->id == "5ac64822-4adc-4fda-ade0-410becf0de4f");
  BOOST_TEST(event->IncidentVerb() == "reassigned");
  BOOST_TEST((event->occurred_at == ParseRfc3339("2026-10-02T18:45:22.169Z").value()));
  BOOST_TEST(event->agent == "Tenex Engineer");
  BOOST_TEST(event->agent_id == "PLH1HKV");
  BOOST_TEST(event->by_person);
  BOOST_TEST(event->incident_id == "PGR0VU2");
  BOOST_TEST(event->dedup_key == "d3640f");
  BOOST_TEST(event->text == "Ann, Bob");
}

BOOST_AUTO_TEST_CASE(a_note_belongs_to_the_incident_that_it_names) {
  auto event = DecodePagerdutyEvent(
      R"({"event":{"id":"1","event_type":"incident.annotated","agent":null,
          "data":{"incident":{"id":"PGR0VU2","type":"incident_reference"},"id":"NOTE","content":"a\nb\u0001c",
                  "type":"incident_note"}}})");
  BOOST_REQUIRE(event.has_value());
  BOOST_TEST(event->incident_id == "PGR0VU2");
  BOOST_TEST(event->dedup_key == "");
  BOOST_TEST(event->text == "a\nb c");
  BOOST_TEST(!event->by_person);
}

BOOST_AUTO_TEST_CASE(a_service_is_no_person) {
  auto event = DecodePagerdutyEvent(
      R"({"event":{"event_type":"incident.resolved","agent":{"id":"S","type":"service_reference","summary":"S"}}})");
  BOOST_REQUIRE(event.has_value());
  BOOST_TEST(event->agent == "S");
  BOOST_TEST(!event->by_person);
}

BOOST_AUTO_TEST_CASE(pings_and_foreign_kinds_are_about_no_incident) {
  auto ping =
      DecodePagerdutyEvent(R"({"event":{"id":"1","event_type":"pagey.ping","data":{"message":"Hello"}}})");
  BOOST_REQUIRE(ping.has_value());
  BOOST_TEST(ping->IncidentVerb().empty());
  BOOST_TEST(DecodePagerdutyEvent(R"({"event":{"event_type":"service.updated"}})")->IncidentVerb().empty());
}

BOOST_AUTO_TEST_CASE(refuses_what_is_no_event) {
  for (const char* bad :
       {"", "[]", "{}", R"({"event":[]})", R"({"event":{}})", R"({"event":{"event_type":7}})"}) {
    BOOST_TEST(!DecodePagerdutyEvent(bad).has_value(), bad);
  }
}

BOOST_AUTO_TEST_CASE(long_texts_are_cut_between_characters) {
  std::string note;
  for (int i = 0; i < 3000; ++i) {
    note += "\xC3\xA9";
  }
  auto event = DecodePagerdutyEvent(R"({"event":{"event_type":"incident.annotated","data":{"content":"x)" +
                                    note + R"("}}})");
  BOOST_REQUIRE(event.has_value());
  BOOST_TEST(event->text.size() <= 4000U);
  BOOST_TEST(event->text.size() % 2 == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
