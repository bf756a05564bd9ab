#include "net/http_date.h"

#include <boost/test/unit_test.hpp>

namespace mlalert {

namespace {

constexpr Timestamp kNow{std::chrono::seconds(1'767'225'600)};  // 2026-01-01T00:00:00Z

int64_t Seconds(std::optional<Duration> wait) {
  return wait ? std::chrono::floor<std::chrono::seconds>(*wait).count() : -1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(parse_http_date)

BOOST_AUTO_TEST_CASE(reads_the_three_forms) {
  for (const std::string_view text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    BOOST_TEST_CONTEXT(text) {
      const auto time = ParseHttpDate(text);
      BOOST_REQUIRE(time.has_value());
      BOOST_TEST(ToUnixMillis(*time) == 784111777000);
    }
  }
  BOOST_TEST(ToUnixMillis(*ParseHttpDate("Thursday, 01-Jan-26 00:00:00 GMT")) == 1767225600000);
}

BOOST_AUTO_TEST_CASE(refuses_everything_else) {
  for (const std::string_view text :
       {"", "Sun", "Sun, ", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 9999 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ", "1994-11-06T08:49:37Z",
        "Sun Nov  6 08:49:37 19", "Sun, -6 Nov 1994 08:49:37 GMT"}) {
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST(!ParseHttpDate(text).has_value());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(parse_retry_after)

BOOST_AUTO_TEST_CASE(reads_seconds) {
  BOOST_TEST(Seconds(ParseRetryAfter("0", "", kNow)) == 0);
  BOOST_TEST(Seconds(ParseRetryAfter("120", "", kNow)) == 120);
}

BOOST_AUTO_TEST_CASE(caps_what_a_server_may_ask) {
  BOOST_TEST(Seconds(ParseRetryAfter("86401", "", kNow)) == 86400);
  BOOST_TEST(Seconds(ParseRetryAfter("99999999999999999999999", "", kNow)) == 86400);
  BOOST_TEST(Seconds(ParseRetryAfter("9223372036854775807", "", kNow)) == 86400);
  BOOST_TEST(Seconds(ParseRetryAfter("Sun, 06 Nov 2095 08:49:37 GMT", "", kNow)) == 86400);
}

BOOST_AUTO_TEST_CASE(reads_a_date_against_the_answer_s_own_clock) {
  BOOST_TEST(
      Seconds(ParseRetryAfter("Sun, 06 Nov 1994 08:50:07 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", kNow)) == 30);
}

BOOST_AUTO_TEST_CASE(reads_a_date_against_now_when_there_is_no_other) {
  for (const std::string_view date : {"", "yesterday"}) {
    BOOST_TEST(Seconds(ParseRetryAfter("Thu, 01 Jan 2026 00:00:45 GMT", date, kNow)) == 45);
  }
}

BOOST_AUTO_TEST_CASE(is_zero_for_the_past) {
  BOOST_TEST(Seconds(ParseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", "", kNow)) == 0);
}

BOOST_AUTO_TEST_CASE(ignores_what_it_cannot_read) {
  for (const std::string_view text : {"", "-1", "1.5", "soon", "1s", "+3"}) {
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST(!ParseRetryAfter(text, "", kNow).has_value());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
