#include "cli/time_text.h"

#include <boost/test/unit_test.hpp>

namespace mlalert {
namespace {

using namespace std::chrono_literals;

const Timestamp kNow = *ParseRfc3339("2026-11-23T15:04:05.999Z");

BOOST_AUTO_TEST_SUITE(time_text)

BOOST_AUTO_TEST_CASE(prints_utc_to_the_second) {
  BOOST_TEST(TimeText(kNow) == "2026-11-23T15:04:05Z");
  BOOST_TEST(TimeText(kUnset) == "");
  BOOST_TEST(TimeText(Timestamp{}) == "1970-01-01T00:00:00Z");
}

BOOST_AUTO_TEST_CASE(spans_have_two_units_at_most) {
  struct {
    Duration span;
    const char* want;
  } cases[] = {
      {0s, "0s"},          {999ms, "0s"},
      {59s, "59s"},        {60s, "1m"},
      {61s, "1m1s"},       {12min + 5s, "12m5s"},
      {1h, "1h"},          {3h + 12min + 59s, "3h12m"},
      {24h, "1d"},         {52h + 59min, "2d4h"},
      {24h + 59min, "1d"}, {400 * 24h, "400d"},
      {-5s, "0s"},         {Duration::max(), "106751d23h"},
  };
  for (const auto& c : cases) {
    BOOST_TEST(SpanText(c.span) == c.want);
  }
}

BOOST_AUTO_TEST_CASE(flags_take_durations_times_and_dates) {
  struct {
    const char* text;
    const char* want;
  } cases[] = {
      {"24h", "2026-11-22T15:04:05Z"},
      {"7d", "2026-11-16T15:04:05Z"},
      {"1h30m", "2026-11-23T13:34:05Z"},
      {"0", "2026-11-23T15:04:05Z"},
      {"292y", "1970-01-01T00:00:00Z"},  // before all there can be, not a wrapped number
      {"2026-11-01", "2026-11-01T00:00:00Z"},
      {"2026-11-01T10:00:00Z", "2026-11-01T10:00:00Z"},
      {"2026-11-01T10:00:00+02:00", "2026-11-01T08:00:00Z"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      auto time = ParseTimeFlag(c.text, kNow);
      BOOST_REQUIRE(time.has_value());
      BOOST_TEST(TimeText(*time) == c.want);
    }
  }
}

BOOST_AUTO_TEST_CASE(flags_refuse_all_else) {
  for (const char* text : {"", "yesterday", "-1h", "24", "2026-13-01", "1h ", "24h ago", "99999999999999y"}) {
    BOOST_TEST_CONTEXT(text) {
      auto time = ParseTimeFlag(text, kNow);
      BOOST_REQUIRE(!time.has_value());
      BOOST_TEST((time.error().code == ErrorCode::kInvalid));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
