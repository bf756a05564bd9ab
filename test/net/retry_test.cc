#include "net/retry.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <vector>

namespace mlalert {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Timestamp kStart{seconds(1'767'225'600)};

RandomUnit Always(double value) {
  return [value] { return value; };
}

int64_t Micros(Duration d) {
  return std::chrono::floor<std::chrono::microseconds>(d).count();
}

HttpResult Answered(int status, Failure failure = Failure::kNone) {
  HttpResult result;
  result.status = status;
  result.failure = failure;
  return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(judge)

BOOST_AUTO_TEST_CASE(follows_the_shared_rule) {
  constexpr std::array<int, 1> kRetry429 = {429};
  const struct {
    int status;
    Failure failure;
    bool listed;
    Verdict verdict;
  } cases[] = {
      {200, Failure::kNone, false, Verdict::kSuccess},
      {204, Failure::kNone, false, Verdict::kSuccess},
      // It has been told, whatever happened to the rest of the answer.
      {200, Failure::kTooLarge, false, Verdict::kSuccess},
      {200, Failure::kReset, false, Verdict::kSuccess},
      {302, Failure::kNone, false, Verdict::kFail},
      {400, Failure::kNone, false, Verdict::kFail},
      {404, Failure::kTimeout, false, Verdict::kFail},
      {429, Failure::kNone, false, Verdict::kFail},
      {429, Failure::kNone, true, Verdict::kRetry},
      {500, Failure::kNone, false, Verdict::kRetry},
      {503, Failure::kNone, false, Verdict::kRetry},
      {0, Failure::kConnect, false, Verdict::kRetry},
      {0, Failure::kDns, false, Verdict::kRetry},
      {0, Failure::kTls, false, Verdict::kRetry},
      {0, Failure::kTimeout, false, Verdict::kRetry},
      {0, Failure::kReset, false, Verdict::kRetry},
      {0, Failure::kQueueFull, false, Verdict::kRetry},
      {0, Failure::kCancelled, false, Verdict::kFail},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.status << " " << FailureName(c.failure)) {
      const auto verdict = Judge(Answered(c.status, c.failure),
                                 c.listed ? std::span<const int>(kRetry429) : std::span<const int>());
      BOOST_TEST((verdict == c.verdict));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(backoff)

BOOST_AUTO_TEST_CASE(grows_by_half_up_to_the_cap) {
  Backoff backoff(Always(0.5));
  for (const int64_t expected : {500'000, 750'000, 1'125'000, 1'687'500}) {
    BOOST_TEST(Micros(backoff.Next()) == expected);
  }
  Duration last{0};
  for (int i = 0; i < 100; ++i) {
    last = backoff.Next();
  }
  BOOST_TEST(Micros(last) == 60'000'000);
}

BOOST_AUTO_TEST_CASE(spreads_by_half_to_both_sides) {
  BOOST_TEST(Micros(Backoff(Always(0)).Next()) == 250'000);
  const int64_t highest = Micros(Backoff(Always(0.999999)).Next());
  BOOST_TEST(highest <= 750'000);
  BOOST_TEST(highest > 749'990);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(retry_schedule)

BOOST_AUTO_TEST_CASE(tries_at_once_and_then_waits) {
  RetrySchedule schedule(kStart + seconds(60), Always(0.5));
  BOOST_TEST((schedule.Next(kStart) == kStart));
  BOOST_TEST((schedule.Next(kStart + seconds(1)) == kStart + milliseconds(1500)));
  BOOST_TEST((schedule.Next(kStart + seconds(2)) == kStart + milliseconds(2750)));
  BOOST_TEST(schedule.attempts() == 3);
}

BOOST_AUTO_TEST_CASE(never_comes_sooner_than_it_was_asked) {
  RetrySchedule schedule(kStart + seconds(60), Always(0.5));
  BOOST_REQUIRE(schedule.Next(kStart).has_value());
  BOOST_TEST((schedule.Next(kStart, seconds(20)) == kStart + seconds(20)));
  // A shorter wish does not shorten the backoff, which went on meanwhile.
  BOOST_TEST((schedule.Next(kStart, seconds(0)) == kStart + milliseconds(750)));
}

BOOST_AUTO_TEST_CASE(gives_up_when_the_wait_would_reach_the_deadline) {
  RetrySchedule schedule(kStart + seconds(10), Always(0.5));
  BOOST_REQUIRE(schedule.Next(kStart).has_value());
  BOOST_TEST(!schedule.Next(kStart, seconds(10)).has_value());
  BOOST_TEST(!schedule.Next(kStart + seconds(10)).has_value());
  BOOST_TEST(!schedule.Next(kStart + seconds(11)).has_value());
  BOOST_TEST(schedule.attempts() == 1);
}

BOOST_AUTO_TEST_CASE(makes_no_attempt_after_the_deadline) {
  RetrySchedule schedule(kStart, Always(0.5));
  BOOST_TEST(!schedule.Next(kStart).has_value());
}

BOOST_AUTO_TEST_CASE(needs_no_deadline) {
  RetrySchedule schedule(kNever, Always(0.5));
  for (int i = 0; i < 50; ++i) {
    BOOST_TEST(schedule.Next(kStart).has_value());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
