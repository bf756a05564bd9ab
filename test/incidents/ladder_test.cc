#include "incidents/ladder.h"

#include <boost/test/unit_test.hpp>

#include "support/builders.h"

namespace mlalert::testing {
namespace {

const Timestamp kOpened = FromUnixMillis(1767225600000);

Incident Climbing() {
  auto policy = std::make_shared<IncidentPolicy>();
  policy->ladder = {{minutes(15), Severity::kP3}, {minutes(30), Severity::kP2}, {minutes(60), Severity::kP1}};
  policy->quiet_before_first_step = true;
  Incident incident;
  incident.policy = policy;
  StartLadderClock(incident, kOpened);
  return incident;
}

BOOST_AUTO_TEST_SUITE(ladder)

BOOST_AUTO_TEST_CASE(rungs_are_reached_at_their_exact_instant) {
  Incident incident = Climbing();
  BOOST_TEST(ClimbLadder(incident, kOpened + minutes(15) - Duration(1)).reached == 0U);
  BOOST_TEST(IsQuiet(incident));
  LadderResult climbed = ClimbLadder(incident, kOpened + minutes(15) + seconds(29));
  BOOST_TEST((climbed.reached == 1 && climbed.severity == Severity::kP3));
  BOOST_TEST((climbed.due_at == kOpened + minutes(15)));
  BOOST_TEST(!IsQuiet(incident));
  BOOST_TEST((incident.next_severity_at == kOpened + minutes(30)));
  climbed = ClimbLadder(incident, kOpened + minutes(70));
  BOOST_TEST((climbed.reached == 2 && climbed.severity == Severity::kP1));
  BOOST_TEST(!IsSet(incident.next_severity_at));
}

BOOST_AUTO_TEST_CASE(a_stopped_clock_keeps_its_reading) {
  Incident incident = Climbing();
  StopLadderClock(incident, kOpened + minutes(20));
  BOOST_TEST(!IsSet(incident.next_severity_at));
  BOOST_TEST((LadderClock(incident, kOpened + minutes(50)) == minutes(20)));
  StartLadderClock(incident, kOpened + minutes(50));
  ClimbLadder(incident, kOpened + minutes(50));
  BOOST_TEST((incident.next_severity_at == kOpened + minutes(60)));
}

BOOST_AUTO_TEST_CASE(a_wall_clock_set_back_takes_nothing_away) {
  Incident incident = Climbing();
  RebaseLadderClock(incident, kOpened + minutes(10), kOpened - minutes(50));
  BOOST_TEST((LadderClock(incident, kOpened - minutes(50)) == minutes(10)));
  BOOST_TEST((incident.next_severity_at == kOpened - minutes(45)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
