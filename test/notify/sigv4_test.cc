// Against the vectors that AWS publishes: the IAM example of "Signing AWS API requests" and the aws-sig-v4
// test suite.
#include "notify/sigv4.h"

#include <boost/test/unit_test.hpp>

namespace mlalert {
namespace {

const AwsCredentials kExample{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
const SigV4Scope kSuite{"us-east-1", "service"};

Timestamp Then() {
  return ParseRfc3339("2015-08-30T12:36:00Z").value();
}
Url Parsed(std::string_view url) {
  return ParseUrl(url).value();
}
HttpHeaders SuiteHeaders(HttpHeaders more = {}) {
  HttpHeaders out{{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sigv4)

BOOST_AUTO_TEST_CASE(signs_the_iam_example) {
  SigV4Steps steps = SignV4("GET", Parsed("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08"),
                            {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                             {"Host", "iam.amazonaws.com"},
                             {"X-Amz-Date", "20150830T123600Z"}},
                            "", kExample, {"us-east-1", "iam"}, Then());
  BOOST_TEST(steps.string_to_sign ==
             "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n"
             "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59");
  BOOST_TEST(steps.authorization ==
             "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
             "SignedHeaders=content-type;host;x-amz-date, "
             "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

BOOST_AUTO_TEST_CASE(signs_the_test_suite) {
  const Url url = Parsed("https://example.amazonaws.com/");
  BOOST_TEST(SignV4("GET", url, SuiteHeaders(), "", kExample, kSuite, Then()).signature ==
             "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  BOOST_TEST(SignV4("POST", url, SuiteHeaders(), "", kExample, kSuite, Then()).signature ==
             "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
  // Parameters are sorted.
  BOOST_TEST(SignV4("GET", Parsed("https://example.amazonaws.com/?Param2=value2&Param1=value1"),
                    SuiteHeaders(), "", kExample, kSuite, Then())
                 .signature == "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
  BOOST_TEST(SignV4("POST", url, SuiteHeaders({{"Content-Type", "application/x-www-form-urlencoded"}}),
                    "Param1=value1", kExample, kSuite, Then())
                 .signature == "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
}

BOOST_AUTO_TEST_CASE(blanks_in_header_values_count_once) {
  const Url url = Parsed("https://example.amazonaws.com/");
  BOOST_TEST(SignV4("GET", url, SuiteHeaders({{"X", "  a  b "}}), "", kExample, kSuite, Then()).signature ==
             SignV4("GET", url, SuiteHeaders({{"x", "a b"}}), "", kExample, kSuite, Then()).signature);
}

BOOST_AUTO_TEST_CASE(a_signed_call_has_its_headers) {
  HttpCall call;
  call.method = "POST";
  call.url = "http://127.0.0.1:8080/";
  call.headers = {{"Content-Type", "x"}, {"User-Agent", "u"}};
  AwsCredentials session = kExample;
  session.session_token = "TOKEN";
  SignCall(call, Parsed(call.url), session, kSuite, Then());
  auto value = [&](const std::string& name) {
    for (const auto& [key, text] : call.headers) {
      if (key == name) {
        return text;
      }
    }
    return std::string();
  };
  BOOST_TEST(value("Host") == "127.0.0.1:8080");
  BOOST_TEST(value("X-Amz-Date") == "20150830T123600Z");
  BOOST_TEST(value("X-Amz-Security-Token") == "TOKEN");
  BOOST_TEST(
      value("Authorization").find("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,") !=
      std::string::npos);
}

BOOST_AUTO_TEST_CASE(escapes_all_but_the_unreserved) {
  BOOST_TEST(AwsEscape("aZ0-._~ +/=&\xC3\xA9*") == "aZ0-._~%20%2B%2F%3D%26%C3%A9%2A");
  BOOST_TEST(AwsForm({{"a b", "c"}, {"d", "e&f"}}) == "a%20b=c&d=e%26f");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
