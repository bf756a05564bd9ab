#include <boost/test/unit_test.hpp>
#include <limits>

#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"
#include "base/timer_queue.h"

namespace mlalert {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

BOOST_AUTO_TEST_SUITE(duration)

BOOST_AUTO_TEST_CASE(parses_prometheus_durations) {
  struct Case {
    const char* text;
    Duration want;
  };
  for (const Case& c : {Case{"0", Duration(0)}, Case{"0s", Duration(0)}, Case{"5m", minutes(5)},
                        Case{"1h30m", minutes(90)}, Case{"1d", hours(24)}, Case{"1w", hours(168)},
                        Case{"1y", hours(8760)}, Case{"10ms", milliseconds(10)},
                        Case{"1m1ms", minutes(1) + milliseconds(1)}, Case{"3d1s", hours(72) + seconds(1)}}) {
    BOOST_TEST_CONTEXT(c.text) {
      auto got = ParseDuration(c.text);
      BOOST_TEST_REQUIRE(got.has_value());
      BOOST_TEST((*got == c.want));
    }
  }
}

BOOST_AUTO_TEST_CASE(refuses_the_rest_in_prometheus_words) {
  struct Case {
    const char* text;
    const char* error;
  };
  for (const Case& c :
       {Case{"", "empty duration string"}, Case{"1", "not a valid duration string: \"1\""},
        Case{"-1s", "not a valid duration string: \"-1s\""},
        Case{"1m1h", "not a valid duration string: \"1m1h\""},
        Case{"1s1s", "not a valid duration string: \"1s1s\""},
        Case{"1.5h", "unknown unit \".\" in duration \"1.5h\""},
        Case{"5M", "unknown unit \"M\" in duration \"5M\""}, Case{"999y", "duration out of range"},
        Case{"99999999999999999999s", "duration out of range"}}) {
    BOOST_TEST_CONTEXT(c.text) {
      auto got = ParseDuration(c.text);
      BOOST_TEST_REQUIRE(!got.has_value());
      BOOST_TEST(got.error().message == c.error);
    }
  }
}

BOOST_AUTO_TEST_CASE(prints_as_prometheus_and_as_go) {
  BOOST_TEST(FormatDuration(hours(168)) == "1w");
  BOOST_TEST(FormatDuration(hours(24 * 90)) == "90d");
  BOOST_TEST(FormatDuration(minutes(90)) == "1h30m");
  BOOST_TEST(FormatDuration(Duration(0)) == "0s");
  BOOST_TEST(FormatGoDuration(minutes(65)) == "1h5m0s");
  BOOST_TEST(FormatGoDuration(milliseconds(1500)) == "1.5s");
  BOOST_TEST(FormatGoDuration(milliseconds(100)) == "100ms");
  BOOST_TEST(FormatGoDuration(nanoseconds(1500)) == "1.5µs");
  BOOST_TEST(FormatGoDuration(-minutes(1)) == "-1m0s");
  BOOST_TEST(FormatGoDuration(Duration::min()) == "-2562047h47m16.854775808s");
}

BOOST_AUTO_TEST_CASE(after_the_end_of_time_is_never) {
  const Timestamp now = FromUnixMillis(1767225600000);
  BOOST_TEST((After(now, *ParseDuration("290y")) == kNever));
  BOOST_TEST((After(now, hours(1)) == now + hours(1)));
  BOOST_TEST((After(kNever, Duration(1)) == kNever));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(rfc3339)

BOOST_AUTO_TEST_CASE(accepts_what_alertmanager_accepts) {
  struct Case {
    const char* text;
    const char* utc;
    int offset;
  };
  for (const Case& c :
       {Case{"2026-01-02T03:04:05.6Z", "2026-01-02T03:04:05.6Z", 0},
        Case{"2026-11-23T04:40:00.123456789+02:00", "2026-11-23T02:40:00.123456789Z", 120},
        Case{"2026-01-02T03:04:05", "2026-01-02T03:04:05Z", 0},
        Case{"2026-01-02T03:04", "2026-01-02T03:04:00Z", 0}, Case{"2026-01-02", "2026-01-02T00:00:00Z", 0},
        Case{"2026-01-02 03:04:05", "2026-01-02T03:04:05Z", 0},
        Case{"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", 0}}) {
    BOOST_TEST_CONTEXT(c.text) {
      int offset = -1;
      auto got = ParseRfc3339(c.text, &offset);
      BOOST_TEST_REQUIRE(got.has_value());
      BOOST_TEST(FormatRfc3339Nano(*got) == c.utc);
      BOOST_TEST(offset == c.offset);
    }
  }
  BOOST_TEST(FormatRfc3339Millis(*ParseRfc3339("2026-11-23T02:40:00.123Z"), 120) ==
             "2026-11-23T04:40:00.123+02:00");
  BOOST_TEST(FormatRfc3339Millis(kUnset) == "0001-01-01T00:00:00.000Z");
}

BOOST_AUTO_TEST_CASE(refuses_the_rest) {
  for (const char* text :
       {"", "foo", "1767225600", "2026-13-01", "2026-02-30", "2026-01-02T25:00:00Z",
        "2026-01-02T03:04:05+0200", "2026-01-02T03:04:05.Z", "2026-01-02T03", "1500-01-01", "9999-01-01"}) {
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST(!ParseRfc3339(text).has_value());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(hash)

BOOST_AUTO_TEST_CASE(known_vectors) {
  BOOST_TEST(Hex16(XxHash64("")) == "ef46db3751d8e999");
  BOOST_TEST(Hex16(XxHash64("a")) == "d24ec4f1a98c6e5b");
  BOOST_TEST(Hex16(XxHash64("abc")) == "44bc2cf5ad770999");
  BOOST_TEST(Sha256Hex("{}:{alertname=\"HighCPU\", cluster=\"eu\"}") ==
             "42ad5306caf6ed4f9f05333f2cdee9d665da6dad095d1cd79571b5b2274f39e2");
  BOOST_TEST(
      HmacSha256Hex("test-secret", R"({"event":{"id":"01ABC","event_type":"incident.acknowledged"}})") ==
      "032931d8d0b51237db1568bb59fa22fbe9f98875b8229160d200aa06abe0572e");
  BOOST_TEST(ConstantTimeEquals("abc", "abc"));
  BOOST_TEST(!ConstantTimeEquals("abc", "abd"));
  BOOST_TEST(!ConstantTimeEquals("abc", "ab"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(json)

BOOST_AUTO_TEST_CASE(prints_as_go) {
  struct Case {
    const char* in;
    const char* out;
  };
  for (const Case& c :
       {Case{R"({"b":1,"a":[true,null]})", R"({"b":1,"a":[true,null]})"}, Case{"1e21", "1e+21"},
        Case{"1e20", "100000000000000000000"}, Case{"1e-7", "1e-7"}, Case{"0.000001", "0.000001"},
        Case{"1.50", "1.5"}, Case{R"("<a&b>")", R"("\u003ca\u0026b\u003e")"},
        Case{"\"\xE2\x80\xA8\"", R"("\u2028")"}, Case{R"({"a":1,"b":2,"a":3})", R"({"a":3,"b":2})"}}) {
    BOOST_TEST_CONTEXT(c.in) {
      auto got = ParseJson(c.in);
      BOOST_TEST_REQUIRE(got.has_value());
      BOOST_TEST(got->Dump() == c.out);
    }
  }
  std::string out;
  AppendJsonString(out, "a\xFF");
  BOOST_TEST(out == R"("a\ufffd")");
}

BOOST_AUTO_TEST_CASE(a_character_is_escaped_wherever_in_a_text_it_stands) {
  const std::pair<std::string, std::string> cases[] = {{"\"", "\\\""},      {"\\", "\\\\"},
                                                       {"<", "\\u003c"},    {">", "\\u003e"},
                                                       {"&", "\\u0026"},    {"\n", "\\n"},
                                                       {"\x01", "\\u0001"}, {"\x7F", "\x7F"},
                                                       {"é", "é"},          {"\xE2\x80\xA8", "\\u2028"},
                                                       {"\xFF", "\\ufffd"}, {"~", "~"},
                                                       {" ", " "}};
  for (const auto& [character, escaped] : cases) {
    for (size_t before = 0; before < 40; ++before) {
      for (const size_t after : {0U, 1U, 20U}) {
        const std::string left(before, 'a');
        const std::string right(after, 'z');
        std::string out;
        AppendJsonString(out, left + character + right);
        BOOST_TEST(out == "\"" + left + escaped + right + "\"");
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(refuses_bad_text_with_its_place) {
  auto at = ParseJson("{\n  \"a\": x}");
  BOOST_TEST_REQUIRE(!at.has_value());
  BOOST_TEST(at.error().where.line == 2);
  using namespace std::string_view_literals;
  for (std::string_view text : {""sv, "{}x"sv, "{}\0x"sv, "\"\xFF\""sv, "[1,]"sv, "{\"a\"}"sv, "nul"sv}) {
    BOOST_TEST(!ParseJson(text).has_value());
  }
}

BOOST_AUTO_TEST_CASE(numbers_keep_their_value) {
  const struct {
    const char* text;
    Json want;
  } kTable[] = {{"0", 0},
                {"-0", 0},
                {"42", 42},
                {"-9223372036854775808", std::numeric_limits<int64_t>::min()},
                {"9223372036854775807", std::numeric_limits<int64_t>::max()},
                {"9223372036854775808", 9223372036854775808.0},
                {"0e52", 0.0},  // found by the fuzzer: RapidJSON's own reading is undefined
                {"0.0e-7", 0.0},
                {"1e2", 100.0},
                {"1.5E+1", 15.0},
                {"0.1", 0.1},
                {"123456789012345678901234567890", 123456789012345678901234567890.0},
                {"1e-400", 0.0},
                {"2.2250738585072011e-308", 2.2250738585072011e-308},
                {"1.7976931348623157e308", 1.7976931348623157e308}};
  for (const auto& row : kTable) {
    auto got = ParseJson(row.text);
    BOOST_TEST_CONTEXT(row.text) {
      BOOST_TEST((got.has_value() && *got == row.want));
    }
  }
  for (const char* text : {"1e309", "-1e309", "1.8e308", "01", "1.", ".5", "+1", "1e", "0x1", "NaN"}) {
    BOOST_TEST(!ParseJson(text).has_value(), text);
  }
}

BOOST_AUTO_TEST_CASE(limits_depth_and_size_and_never_takes_quadratic_time) {
  BOOST_TEST(ParseJson(std::string(32, '[') + std::string(32, ']')).has_value());
  BOOST_TEST((ParseJson(std::string(33, '[') + std::string(33, ']')).error().code == ErrorCode::kLimit));
  BOOST_TEST((ParseJson("[1]", {32, 2}).error().code == ErrorCode::kLimit));
  std::string big = "{";
  for (int i = 0; i < 100000; ++i) {
    big += "\"" + std::to_string(i) + "\":1,";
  }
  big += "\"7\":2}";
  auto got = ParseJson(big);  // by comparing each key with each other this would take minutes
  BOOST_TEST_REQUIRE(got.has_value());
  BOOST_TEST(got->AsObject().size() == 100000U);
  BOOST_TEST(got->Find("7")->AsInt() == 2);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(timer_queue)

BOOST_AUTO_TEST_CASE(equal_times_come_in_the_order_they_were_added) {
  TimerQueue<int> queue;
  const Timestamp t = FromUnixMillis(1000);
  queue.Add(t + seconds(1), 3);
  queue.Add(t, 1);
  queue.Add(t, 2);
  Timestamp due;
  int key = 0;
  BOOST_TEST(!queue.PopDue(t - Duration(1), due, key));
  for (int want : {1, 2}) {
    BOOST_TEST_REQUIRE(queue.PopDue(t, due, key));
    BOOST_TEST(key == want);
  }
  BOOST_TEST(!queue.PopDue(t, due, key));
  BOOST_TEST((queue.NextDue() == t + seconds(1)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
