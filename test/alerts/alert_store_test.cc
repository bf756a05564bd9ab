#include "alerts/alert_store.h"

#include <boost/test/unit_test.hpp>

#include "alerts/alert_order.h"
#include "support/builders.h"

namespace mlalert::testing {
namespace {

BOOST_AUTO_TEST_SUITE(alert_before)

BOOST_AUTO_TEST_CASE(job_then_instance_then_the_label_set) {
  auto before = [](const LabelSet& a, const LabelSet& b) { return AlertBefore(a, b) && !AlertBefore(b, a); };
  BOOST_TEST(before(Labels({{"job", "a"}, {"z", "1"}}), Labels({{"job", "b"}})));
  BOOST_TEST(
      before(Labels({{"job", "b"}, {"x", "1"}, {"y", "1"}}), Labels({{"a", "1"}})));  // has it, lacks it
  BOOST_TEST(before(Labels({{"instance", "1"}, {"job", "a"}}), Labels({{"instance", "2"}, {"job", "a"}})));
  BOOST_TEST(before(Labels({{"z", "1"}}), Labels({{"a", "1"}, {"b", "1"}})));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(alert_store)

BOOST_AUTO_TEST_CASE(says_what_a_post_meant) {
  AlertStore store;
  const Timestamp t = FromUnixMillis(1767225600000);
  const LabelSet labels = Labels({{"alertname", "A"}});
  auto post = [&](Timestamp starts, Timestamp ends, Timestamp now) {
    AlertInput input(labels, starts, ends);
    UpsertResult result = store.Upsert(input.Get(), now);
    if (result.entry != nullptr) {
      result.entry->firing =
          result.outcome == UpsertOutcome::kFired || result.outcome == UpsertOutcome::kRefreshed;
    }
    return result.outcome;
  };
  BOOST_TEST((post(t, t, t) == UpsertOutcome::kNewResolved));
  BOOST_TEST((post(t, t + minutes(5), t) == UpsertOutcome::kFired));
  BOOST_TEST((post(t, t + minutes(6), t + minutes(1)) == UpsertOutcome::kRefreshed));
  BOOST_TEST((post(t, t + minutes(2), t + minutes(2)) == UpsertOutcome::kResolved));
  BOOST_TEST((post(t, t + minutes(2), t + minutes(3)) == UpsertOutcome::kStillResolved));
  BOOST_TEST((post(t + minutes(4), t + minutes(9), t + minutes(4)) == UpsertOutcome::kFired));
  AlertInput other(Labels({{"alertname", "B"}}), t, kNever);
  DecodedAlert forged = other.Get();
  forged.fingerprint = labels.fingerprint();
  BOOST_TEST((store.Upsert(forged, t).outcome == UpsertOutcome::kCollision));
}

BOOST_AUTO_TEST_CASE(an_alertname_has_a_limit_and_only_what_has_ended_gives_way) {
  AlertStore store({.per_alertname_max = 2});
  const Timestamp t = FromUnixMillis(1767225600000);
  auto post = [&](const char* name, const char* instance, Timestamp ends, Timestamp now) {
    AlertInput input(Labels({{"alertname", name}, {"instance", instance}}), t, ends);
    return store.Upsert(input.Get(), now).outcome;
  };
  BOOST_TEST((post("A", "1", t + minutes(5), t) == UpsertOutcome::kFired));
  BOOST_TEST((post("A", "2", t + minutes(9), t) == UpsertOutcome::kFired));
  BOOST_TEST((post("A", "3", t + minutes(9), t) == UpsertOutcome::kLimited));
  BOOST_TEST((post("B", "3", t + minutes(9), t) == UpsertOutcome::kFired));
  // What is known always passes.
  BOOST_TEST((post("A", "1", t + minutes(6), t) != UpsertOutcome::kLimited));
  // The first has ended.
  BOOST_TEST((post("A", "3", t + minutes(9), t + minutes(6)) == UpsertOutcome::kFired));
  BOOST_TEST((post("A", "4", t + minutes(9), t + minutes(6)) == UpsertOutcome::kLimited));
  store.Erase(Labels({{"alertname", "A"}, {"instance", "2"}}).fingerprint());
  BOOST_TEST((post("A", "4", t + minutes(9), t + minutes(6)) == UpsertOutcome::kFired));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert::testing
