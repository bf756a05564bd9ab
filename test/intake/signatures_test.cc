// Whom we believe: the vectors of the senders' own documentation, and what must not pass.
#include "intake/signatures.h"

#include <boost/test/unit_test.hpp>

namespace mlalert {
namespace {

using Verdict = SignatureVerdict;
using Secrets = std::vector<std::string>;

bool Is(Verdict got, Verdict wanted) {
  BOOST_TEST(ToString(got) == ToString(wanted));
  return got == wanted;
}

const std::string kPagerBody = R"({"event":{"id":"01ABC","event_type":"incident.acknowledged"}})";
const std::string kPagerHeader = "v1=032931d8d0b51237db1568bb59fa22fbe9f98875b8229160d200aa06abe0572e";

// Slack's public example.
const std::string kSlackSecret = "8f742231b10e8888abcd99yyyzzz85a5";
const std::string kSlackBody =
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_"
    "name="
    "foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%"
    "2F"
    "hooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id="
    "398738663015."
    "47445629121.803a0bc887a14d10d2c447fce8b6703c";
const std::string kSlackHeader = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
constexpr std::string_view kSlackTime = "1531420618";

Timestamp SlackAt(int64_t seconds_later) {
  return FromUnixMillis((1531420618 + seconds_later) * 1000);
}

// The classic vector of Twilio's libraries.
const std::string kTwilioUrl = "https://mycompany.com/myapp.php?foo=1&bar=2";
const FormFields kTwilioFields = {{"To", "+18005551212"},
                                  {"CallSid", "CA1234567890ABCDE"},
                                  {"Caller", "+14158675309"},
                                  {"Digits", "1234"},
                                  {"From", "+14158675309"}};
const std::string kTwilioHeader = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";

BOOST_AUTO_TEST_SUITE(pagerduty_signature)

BOOST_AUTO_TEST_CASE(vector_of_the_reference) {
  BOOST_TEST(Is(VerifyPagerduty(Secrets{"test-secret"}, kPagerHeader, kPagerBody), Verdict::kValid));
}

BOOST_AUTO_TEST_CASE(one_of_several_signatures_and_one_of_several_secrets_is_enough) {
  const std::string other = "v1=" + std::string(64, '0');
  BOOST_TEST(
      Is(VerifyPagerduty(Secrets{"test-secret"}, other + "," + kPagerHeader, kPagerBody), Verdict::kValid));
  BOOST_TEST(
      Is(VerifyPagerduty(Secrets{"test-secret"}, kPagerHeader + ", " + other, kPagerBody), Verdict::kValid));
  BOOST_TEST(Is(VerifyPagerduty(Secrets{"new", "test-secret"}, kPagerHeader, kPagerBody), Verdict::kValid));
  BOOST_TEST(
      Is(VerifyPagerduty(Secrets{"test-secret"}, "v2=abc," + kPagerHeader, kPagerBody), Verdict::kValid));
}

BOOST_AUTO_TEST_CASE(wrong_secret_no_secret_and_an_empty_one) {
  BOOST_TEST(Is(VerifyPagerduty(Secrets{"other"}, kPagerHeader, kPagerBody), Verdict::kWrong));
  BOOST_TEST(Is(VerifyPagerduty(Secrets{}, kPagerHeader, kPagerBody), Verdict::kWrong));
  // HMAC-SHA256 with an empty key, which everybody can compute.
  const std::string of_nothing = "v1=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
  BOOST_TEST(Is(VerifyPagerduty(Secrets{""}, of_nothing, ""), Verdict::kWrong));
}

BOOST_AUTO_TEST_CASE(truncated_missing_and_odd_headers) {
  BOOST_TEST(Is(VerifyPagerduty(Secrets{"test-secret"}, "", kPagerBody), Verdict::kMissing));
  BOOST_TEST(Is(VerifyPagerduty(Secrets{"test-secret"}, kPagerHeader.substr(0, 40), kPagerBody),
                Verdict::kMalformed));
  BOOST_TEST(Is(VerifyPagerduty(Secrets{"test-secret"}, "v1=", kPagerBody), Verdict::kMalformed));
  BOOST_TEST(Is(VerifyPagerduty(Secrets{"test-secret"}, ",,,", kPagerBody), Verdict::kMalformed));
  BOOST_TEST(
      Is(VerifyPagerduty(Secrets{"test-secret"}, kPagerHeader.substr(3), kPagerBody), Verdict::kMalformed));
}

BOOST_AUTO_TEST_CASE(same_json_in_other_bytes_is_another_body) {
  BOOST_TEST(Is(VerifyPagerduty(Secrets{"test-secret"}, kPagerHeader,
                                R"({"event": {"id":"01ABC","event_type":"incident.acknowledged"}})"),
                Verdict::kWrong));
  BOOST_TEST(Is(VerifyPagerduty(Secrets{"test-secret"}, kPagerHeader, kPagerBody + "\n"), Verdict::kWrong));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(slack_signature)

BOOST_AUTO_TEST_CASE(vector_of_the_documentation) {
  BOOST_TEST(Is(VerifySlack(Secrets{kSlackSecret}, kSlackHeader, kSlackTime, kSlackBody, SlackAt(0)),
                Verdict::kValid));
  BOOST_TEST(Is(VerifySlack(Secrets{"old", kSlackSecret}, kSlackHeader, kSlackTime, kSlackBody, SlackAt(10)),
                Verdict::kValid));
}

BOOST_AUTO_TEST_CASE(valid_for_300_seconds_in_both_directions) {
  auto at = [](int64_t seconds) {
    return VerifySlack(Secrets{kSlackSecret}, kSlackHeader, kSlackTime, kSlackBody, SlackAt(seconds));
  };
  BOOST_TEST(Is(at(300), Verdict::kValid));
  BOOST_TEST(Is(at(301), Verdict::kStale));
  BOOST_TEST(Is(at(-300), Verdict::kValid));
  BOOST_TEST(Is(at(-301), Verdict::kStale));
}

BOOST_AUTO_TEST_CASE(another_time_is_another_signature) {
  BOOST_TEST(Is(VerifySlack(Secrets{kSlackSecret}, kSlackHeader, "1531420619", kSlackBody, SlackAt(0)),
                Verdict::kWrong));
}

BOOST_AUTO_TEST_CASE(wrong_secret_re_encoded_body_truncated_header_bad_time) {
  auto verify = [](std::string_view header, std::string_view time, std::string_view body) {
    return VerifySlack(Secrets{kSlackSecret}, header, time, body, SlackAt(0));
  };
  BOOST_TEST(
      Is(VerifySlack(Secrets{"no"}, kSlackHeader, kSlackTime, kSlackBody, SlackAt(0)), Verdict::kWrong));
  std::string decoded = kSlackBody;
  decoded.replace(decoded.find("%2F"), 3, "/");
  BOOST_TEST(Is(verify(kSlackHeader, kSlackTime, decoded), Verdict::kWrong));
  BOOST_TEST(Is(verify(kSlackHeader.substr(0, 20), kSlackTime, kSlackBody), Verdict::kMalformed));
  BOOST_TEST(Is(verify("", kSlackTime, kSlackBody), Verdict::kMissing));
  BOOST_TEST(Is(verify(kSlackHeader, "", kSlackBody), Verdict::kMissing));
  BOOST_TEST(Is(verify(kSlackHeader, "soon", kSlackBody), Verdict::kMalformed));
  BOOST_TEST(Is(verify(kSlackHeader, "99999999999999999", kSlackBody), Verdict::kMalformed));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(twilio_signature)

BOOST_AUTO_TEST_CASE(vector_of_the_libraries) {
  BOOST_TEST(Is(VerifyTwilio(Secrets{"12345"}, kTwilioHeader, kTwilioUrl, kTwilioFields), Verdict::kValid));
  BOOST_TEST(
      Is(VerifyTwilio(Secrets{"x", "12345"}, kTwilioHeader, kTwilioUrl, kTwilioFields), Verdict::kValid));
}

BOOST_AUTO_TEST_CASE(port_may_be_in_the_url_or_not) {
  // Signed without a port: we know it with one.
  BOOST_TEST(Is(VerifyTwilio(Secrets{"12345"}, kTwilioHeader,
                             "https://mycompany.com:443/myapp.php?foo=1&bar=2", kTwilioFields),
                Verdict::kValid));
  BOOST_TEST(Is(VerifyTwilio(Secrets{"12345"}, kTwilioHeader,
                             "https://mycompany.com:1234/myapp.php?foo=1&bar=2", kTwilioFields),
                Verdict::kValid));
  // Signed with :443 (computed with Python's hmac): we know it without.
  BOOST_TEST(Is(VerifyTwilio(Secrets{"12345"}, "kvajT1Ptam85bY51eRf/AJRuM3w=", kTwilioUrl, kTwilioFields),
                Verdict::kValid));
}

BOOST_AUTO_TEST_CASE(wrong_token_field_url_and_header) {
  BOOST_TEST(Is(VerifyTwilio(Secrets{"54321"}, kTwilioHeader, kTwilioUrl, kTwilioFields), Verdict::kWrong));
  BOOST_TEST(Is(VerifyTwilio(Secrets{""}, kTwilioHeader, kTwilioUrl, kTwilioFields), Verdict::kWrong));
  FormFields changed = kTwilioFields;
  changed[3].second = "1";
  BOOST_TEST(Is(VerifyTwilio(Secrets{"12345"}, kTwilioHeader, kTwilioUrl, changed), Verdict::kWrong));
  BOOST_TEST(
      Is(VerifyTwilio(Secrets{"12345"}, kTwilioHeader, "https://mycompany.com/myapp.php", kTwilioFields),
         Verdict::kWrong));
  BOOST_TEST(Is(VerifyTwilio(Secrets{"12345"}, kTwilioHeader.substr(0, 10), kTwilioUrl, kTwilioFields),
                Verdict::kMalformed));
  BOOST_TEST(Is(VerifyTwilio(Secrets{"12345"}, "", kTwilioUrl, kTwilioFields), Verdict::kMissing));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(form)

BOOST_AUTO_TEST_CASE(decodes_in_order) {
  auto fields = ParseForm("a=1+2&b=%2B%c3%A9&&c&d=&a=3=4");
  BOOST_REQUIRE(fields.has_value());
  const FormFields wanted = {{"a", "1 2"}, {"b", "+\xC3\xA9"}, {"c", ""}, {"d", ""}, {"a", "3=4"}};
  BOOST_TEST((*fields == wanted));
  BOOST_TEST(FormField(*fields, "a") == "1 2");
  BOOST_TEST(FormField(*fields, "z") == "");
}

BOOST_AUTO_TEST_CASE(refuses_broken_escapes_and_floods) {
  for (std::string_view bad : {"a=%", "a=%4", "a=%zz", "%1=a"}) {
    BOOST_TEST(!ParseForm(bad).has_value(), bad);
  }
  std::string flood;
  for (size_t i = 0; i <= kFormFieldsMax; ++i) {
    flood += "a=1&";
  }
  BOOST_TEST(!ParseForm(flood).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
