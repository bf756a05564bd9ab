#include "notify/chat_cases.h"

namespace mlalert::testing {
namespace {

constexpr auto kKind = IntegrationKind::kWebex;

Receiver Webex() {
  Receiver r;
  WebexConfig& c = r.webex_configs.emplace_back();
  c.api_url = "http://127.0.0.1/webex";
  c.message = R"({{ template "webex.default.message" . }})";
  c.room_id = "room{{ .Status }}";
  auto http = std::make_shared<HttpClientConfig>();
  http->authorization = Authorization{"Bearer", Secret("wtok-secret"), ""};
  c.http_config = http;
  return r;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(webex)

BOOST_AUTO_TEST_CASE(equals_upstream_byte_for_byte) {
  CheckGolden(Webex(), kKind, "POST /webex", "POST /webex");
}

BOOST_AUTO_TEST_CASE(the_message_is_cut_in_bytes) {
  Receiver r = Webex();
  r.webex_configs[0].message = kTheText;
  std::string text = BuildJson(FiringWith(r, kKind, Repeated(kFire, 2000))).GetString("markdown");
  BOOST_TEST(text == Repeated(kFire, 1859) + kDots);
  BOOST_TEST(text.size() <= 7439u);
  BOOST_TEST(BuildJson(FiringWith(r, kKind, Repeated("x", 7439))).GetString("markdown") ==
             Repeated("x", 7439));
}

BOOST_AUTO_TEST_CASE(an_empty_room_is_left_out) {
  Receiver r = Webex();
  r.webex_configs[0].room_id = "{{ .CommonLabels.nope }}";
  BOOST_TEST((BuildJson(FiringOf(r, kKind)).Find("roomId") == nullptr));
}

BOOST_AUTO_TEST_CASE(acknowledgement) {
  BOOST_TEST(BuildJson(AcknowledgedOf(Webex(), kKind, "Ann", "<@all>")).GetString("markdown") ==
             "\\[ACKNOWLEDGED\\] A eu \\(critical\\)\nAcknowledged by Ann: \\<@\xE2\x80\x8B"
             "all\\>");
}

BOOST_AUTO_TEST_CASE(verdicts_without_the_token) {
  Notification n = FiringOf(Webex(), kKind);
  CheckStatusVerdicts(n);
  BOOST_TEST(JudgeAnswer(n, Must(Build(n)), Answer(401, "wtok-secret is bad")).outcome.error ==
             "unexpected status code 401: <secret> is bad");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
