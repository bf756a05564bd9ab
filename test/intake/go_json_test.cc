// The words of Go's encoding/json and time packages, as Alertmanager's answers carry them. The expected texts
// were taken from the real thing (test/differential/api_test.py compares them with it).
#include "intake/go_json.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace mlalert::testing {
namespace {

std::string Syntax(std::string_view text) {
  return GoJsonSyntaxError(text).value_or("");
}
std::string Type(std::string_view text) {
  return GoAlertsTypeError(text).value_or("");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(go_json)

BOOST_AUTO_TEST_CASE(syntax_errors) {
  BOOST_TEST(Syntax("[{\"a\": [1, -2.5e3, true, null, \"x\\u00e9\"]}, {}] anything") == "");
  BOOST_TEST(Syntax("{") == "unexpected EOF");
  BOOST_TEST(Syntax("[1, \"x") == "unexpected EOF");
  BOOST_TEST(Syntax("[1,]") == "invalid character ']' looking for beginning of value");
  BOOST_TEST(Syntax("[}") == "invalid character '}' looking for beginning of value");
  BOOST_TEST(Syntax("{\"a\":1,}") == "invalid character '}' looking for beginning of object key string");
  BOOST_TEST(Syntax("{'a'}") == "invalid character '\\'' looking for beginning of object key string");
  BOOST_TEST(Syntax("{\"a\"}") == "invalid character '}' after object key");
  BOOST_TEST(Syntax("{\"a\":1 2}") == "invalid character '2' after object key:value pair");
  BOOST_TEST(Syntax("[1 2]") == "invalid character '2' after array element");
  BOOST_TEST(Syntax("nul]") == "invalid character ']' in literal null (expecting 'l')");
  BOOST_TEST(Syntax("\"\\x\"") == "invalid character 'x' in string escape code");
  BOOST_TEST(Syntax("\"a\nb\"") == "invalid character '\\n' in string literal");
  BOOST_TEST(Syntax("-x") == "invalid character 'x' in numeric literal");
  BOOST_TEST(Syntax(std::string(100000, '[')) == "unexpected EOF");
}

BOOST_AUTO_TEST_CASE(a_byte_beyond_ascii_is_shown_as_the_character_of_its_number) {
  BOOST_TEST(Syntax("[\xc3\xa9]") == "invalid character 'Ã' looking for beginning of value");
  BOOST_TEST(Syntax("[\x85]") == "invalid character '\\u0085' looking for beginning of value");
}

BOOST_AUTO_TEST_CASE(keys_are_equal_but_for_case) {
  BOOST_TEST(GoSameKey("labels", "labels"));
  BOOST_TEST(GoSameKey("labels", "LABELS"));
  BOOST_TEST(GoSameKey("startsAt", "\u017ftart\u017fat"));
  BOOST_TEST(GoSameKey("key", "\u212aey"));
  for (const char* other : {"", "label", "labelss", "labelz", "l@bels", "\u017flabels", "labels\u212a"}) {
    BOOST_TEST(!GoSameKey("labels", other));
  }
}

BOOST_AUTO_TEST_CASE(the_first_value_is_what_is_read) {
  BOOST_TEST(AsGoReads("[1] x") == "[1]");
  BOOST_TEST(AsGoReads(" {} {") == " {}");
  BOOST_TEST(AsGoReads("[\"\xff\"]") == "[\"\xEF\xBF\xBD\"]");
  BOOST_TEST(AsGoReads(R"(["\ud800"])") == R"(["\ufffd"])");
  BOOST_TEST(AsGoReads("[") == "[");
}

BOOST_AUTO_TEST_CASE(types_of_alerts) {
  const std::string base = "json: cannot unmarshal number into Go struct field ";
  BOOST_TEST(Type("{}") == "json: cannot unmarshal object into Go value of type models.PostableAlerts");
  BOOST_TEST(Type(R"([{"labels":{"a":1}}])") == base + "Alert.labels.a of type string");
  BOOST_TEST(Type(R"([{"labels":1}])") == base + "Alert.labels of type models.LabelSet");
  BOOST_TEST(Type(R"([{"annotations":{"x":1},"labels":2}])") == base + ".annotations.x of type string");
  BOOST_TEST(Type(R"([{"startsAt":1}])") == base + ".startsAt of type string");
  BOOST_TEST(Type(R"([{"generatorURL":1}])") == base + "Alert.generatorURL of type string");
  BOOST_TEST(Type(R"([{"labels":{"a":null},"endsAt":"","startsAt":null}])") == "");
  // Of equal keys each is looked at.
  BOOST_TEST(Type(R"([{"labels":{"a":1},"labels":{"a":"b"}}])") == base + "Alert.labels.a of type string");
  // A time that is none is told at once, a wrong type at the end.
  BOOST_TEST(Type(R"([{"annotations":1,"startsAt":2}])") == base + ".startsAt of type string");
  BOOST_TEST(Type(R"([{"annotations":1,"labels":2}] x)") == base + ".annotations of type models.LabelSet");
}

BOOST_AUTO_TEST_CASE(times) {
  BOOST_TEST(GoDateTimeError("foo") ==
             "parsing time \"foo\" as \"2006-01-02\": cannot parse \"foo\" as \"2006\"");
  BOOST_TEST(GoDateTimeError("2026-13-01T00:00:00Z") ==
             "parsing time \"2026-13-01T00:00:00Z\": month out of range");
  BOOST_TEST(GoDateTimeError("2026-02-30") == "parsing time \"2026-02-30\": day out of range");
  BOOST_TEST(GoDateTimeError("2026/1") ==
             "parsing time \"2026/1\" as \"2006-01-02\": cannot parse \"/1\" as \"-\"");
  BOOST_TEST(GoDateTimeError("2026-01-01x") == "parsing time \"2026-01-01x\": extra text: \"x\"");
  BOOST_TEST(GoDateTimeError("20-1-2T") ==
             "parsing time \"20-1-2T\" as \"2006-01-02\": cannot parse \"-2T\" as \"2006\"");
  BOOST_TEST(GoDateTimeError("\xc3\xa4\"") ==
             R"(parsing time "\xc3\xa4\"" as "2006-01-02": cannot parse "\xc3\xa4\"" as "2006")");
  BOOST_TEST((ParseApiTime("9999-12-31T23:59:59Z").value() == kNever));
  BOOST_TEST(!ParseApiTime("9999-13-31T23:59:59Z").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
