#include "notify/chat_cases.h"

namespace mlalert::testing {
namespace {

constexpr auto kKind = IntegrationKind::kRocketchat;

Receiver Rocketchat() {
  Receiver r;
  RocketchatConfig& c = r.rocketchat_configs.emplace_back();
  c.api_url = "http://127.0.0.1/rc/";
  c.token_id = Secret("token-id");
  c.token = Secret("token-itself");
  c.channel = "#x";
  c.color = R"({{ if eq .Status "firing" }}red{{ else }}green{{ end }})";
  c.title = R"({{ template "rocketchat.default.title" . }})";
  c.title_link = R"({{ template "rocketchat.default.titlelink" . }})";
  RocketchatAction& action = c.actions.emplace_back();
  action.text = "a";
  action.url = "b";
  return r;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rocketchat)

BOOST_AUTO_TEST_CASE(equals_upstream_byte_for_byte) {
  CheckGolden(Rocketchat(), kKind, "POST /rc/api/v1/chat.postMessage", "POST /rc/api/v1/chat.postMessage");
}

BOOST_AUTO_TEST_CASE(url_and_headers) {
  for (const char* base : {"http://127.0.0.1/rc", "http://127.0.0.1/rc/"}) {
    Receiver r = Rocketchat();
    r.rocketchat_configs[0].api_url = base;
    PreparedCall prepared = Must(Build(FiringOf(r, kKind)));
    BOOST_TEST(prepared.call.url == "http://127.0.0.1/rc/api/v1/chat.postMessage");
    BOOST_REQUIRE(prepared.call.headers.size() == 4u);
    BOOST_TEST(prepared.call.headers[2].first == "X-Auth-Token");
    BOOST_TEST(prepared.call.headers[2].second == "token-itself");
    BOOST_TEST(prepared.call.headers[3].first == "X-User-Id");
    BOOST_TEST(prepared.call.headers[3].second == "token-id");
  }
}

BOOST_AUTO_TEST_CASE(every_key) {
  Receiver r = Rocketchat();
  RocketchatConfig& c = r.rocketchat_configs[0];
  c.emoji = ":e:";
  c.icon_url = "icon";
  c.text = "t {{ .Status }}";
  c.image_url = "img";
  c.thumb_url = "thumb";
  c.short_fields = true;
  c.fields = {{"t", "{{ .Status }}", std::nullopt}, {"t2", "v2", false}};
  c.actions.resize(1);
  c.actions[0] = {};
  c.actions[0].type = "other";
  c.actions[0].text = "go";
  c.actions[0].msg = "say {{ .Status }}";
  BOOST_TEST(
      BuildBody(FiringOf(r, kKind)) ==
      R"x({"channel":"#x","emoji":":e:","avatar":"icon","attachments":[{"title":"[FIRING:1] A eu (critical)",)x"
      R"("title_link":"http://am.example.org/#/alerts?receiver=all","text":"t firing","image_url":"img",)"
      R"("thumb_url":"thumb","color":"red","fields":[{"short":true,"title":"t","value":"firing"},)"
      R"({"short":false,"title":"t2","value":"v2"}],"actions":[{"type":"button","text":"go","is_webview":false,)"
      R"("msg":"say firing","msg_in_chat_window":false}]}]})"
      "\n");
  c.title = kTheText;
  Json body = BuildJson(FiringWith(r, kKind, Repeated(kFire, 1025)));
  BOOST_TEST(body.Find("attachments")->AsArray().at(0).GetString("title") == Repeated(kFire, 1023) + kDots);
}

BOOST_AUTO_TEST_CASE(acknowledgement) {
  Json body = BuildJson(AcknowledgedOf(Rocketchat(), kKind, "Ann", "on it"));
  const Json& attachment = body.Find("attachments")->AsArray().at(0);
  BOOST_TEST(attachment.GetString("title") == "[ACKNOWLEDGED] A eu (critical)");
  BOOST_TEST(attachment.GetString("text") == "Acknowledged by Ann: on it");
  BOOST_TEST(attachment.GetString("color") == "yellow");
}

BOOST_AUTO_TEST_CASE(the_body_may_say_no) {
  HttpResult broke_off = Answer(200, R"({"succ)");
  broke_off.failure = Failure::kReset;
  CheckVerdicts(FiringOf(Rocketchat(), kKind),
                {{Answer(200, R"({"success":true})"), "sent", ""},
                 {broke_off, "sent", ""},
                 {Answer(200, R"({"success":false,"error":"no token-itself"})"), "failed",
                  "channel \"#x\": error response from Rocketchat: no <secret>"},
                 {Answer(200, "{}"), "failed", "channel \"#x\": error response from Rocketchat: "},
                 {Answer(200, "<html>"), "retry",
                  "channel \"#x\": could not read the answer from Rocketchat: it is not valid JSON"},
                 {Answer(400, "bad"), "failed", "channel \"#x\": unexpected status code 400: bad"},
                 {Answer(429), "failed", "channel \"#x\": unexpected status code 429"},
                 {Answer(500), "retry", "channel \"#x\": unexpected status code 500"},
                 {Broken(Failure::kDns, "no such host"), "retry", "channel \"#x\": no such host"}});
}

BOOST_AUTO_TEST_CASE(token_files) {
  Receiver r = Rocketchat();
  r.rocketchat_configs[0].token = Secret();
  r.rocketchat_configs[0].token_file = "/keys/token";
  r.rocketchat_configs[0].token_id = Secret();
  r.rocketchat_configs[0].token_id_file = "/keys/id";
  Notification n = FiringOf(r, kKind);
  FakeFiles files;
  files.texts["/keys/token"] = "T\n";
  BOOST_TEST(BuildError(n, files) == "read token_id_file: /keys/id: no such file");
  files.texts["/keys/id"] = "I\n";
  BOOST_TEST(Must(Build(n, files)).call.headers.at(2).second == "T");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
