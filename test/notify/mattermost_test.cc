#include "notify/chat_cases.h"

namespace mlalert::testing {
namespace {

constexpr auto kKind = IntegrationKind::kMattermost;

Receiver Mattermost() {
  Receiver r;
  MattermostConfig& c = r.mattermost_configs.emplace_back();
  c.webhook_url = Secret("http://127.0.0.1/mm");
  c.channel = "ch";
  c.username = R"({{ template "mattermost.default.username" . }})";
  c.text = R"({{ template "mattermost.default.text" . }})";
  c.attachment.fallback = R"({{ template "mattermost.default.fallback" . }})";
  c.attachment.color = R"({{ template "mattermost.default.color" . }})";
  c.attachment.title = R"({{ template "mattermost.default.title" . }})";
  c.attachment.title_link = R"({{ template "mattermost.default.titlelink" . }})";
  c.props_card = "card {{ .Status }}";
  c.priority = MattermostConfig::Priority{"urgent", true, false};
  return r;
}

std::string Priority(const std::string& name, bool ack, bool persistent) {
  Receiver r = Mattermost();
  r.mattermost_configs[0].priority = MattermostConfig::Priority{name, ack, persistent};
  const Json body = BuildJson(FiringOf(r, kKind));
  const Json* priority = body.Find("priority");
  return priority == nullptr ? "(none)" : priority->Dump();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mattermost)

BOOST_AUTO_TEST_CASE(equals_upstream_byte_for_byte) {
  CheckGolden(Mattermost(), kKind, "POST /mm", "POST /mm");
}

BOOST_AUTO_TEST_CASE(with_attachments_the_text_stands_on_top) {
  Receiver r;
  MattermostConfig& c = r.mattermost_configs.emplace_back();
  c.webhook_url = Secret("http://x/");
  c.text = "top {{ .Status }}";
  c.attachment.title = "not used";
  MattermostAttachment& a = c.attachments.emplace_back();
  a.text = "one {{ .Status }}";
  a.pretext = "p";
  a.author_name = "n";
  a.footer_icon = "i";
  a.image_url = "m";
  a.fields = {{"t{{ .Status }}", "v", std::nullopt}, {"t2", "v2", false}, {"t3", "v3", true}};
  c.attachments.emplace_back();
  c.icon_url = "u";
  c.icon_emoji = ":e:";
  c.type = "custom_x";
  BOOST_TEST(
      BuildBody(FiringOf(r, kKind)) ==
      R"({"text":"top firing","icon_url":"u","icon_emoji":":e:","attachments":[{"pretext":"p","text":"one firing",)"
      R"("author_name":"n","fields":[{"title":"tfiring","value":"v"},{"title":"t2","value":"v2","short":false},)"
      R"({"title":"t3","value":"v3","short":true}],"footer_icon":"i","image_url":"m"},{}],"type":"custom_x"})"
      "\n");
  r.mattermost_configs[0].text = kTheText;
  Json body = BuildJson(FiringWith(r, kKind, Repeated(kFire, 20000)));
  BOOST_TEST(body.GetString("text") == Repeated(kFire, 16382) + kDots);
}

BOOST_AUTO_TEST_CASE(an_attachments_text_is_not_cut) {
  Receiver r = Mattermost();
  r.mattermost_configs[0].text = kTheText;
  Json body = BuildJson(FiringWith(r, kKind, Repeated("x", 20000)));
  BOOST_TEST(body.Find("attachments")->AsArray().at(0).GetString("text").size() == 20000u);
}

BOOST_AUTO_TEST_CASE(priority_table) {
  BOOST_TEST(Priority("URGENT", true, true) ==
             R"({"priority":"urgent","requested_ack":true,"persistent_notifications":true})");
  BOOST_TEST(Priority("Important", true, true) == R"({"priority":"important","requested_ack":true})");
  BOOST_TEST(Priority("standard", true, true) == R"({"priority":"standard"})");
  BOOST_TEST(Priority("whatever", true, true) == R"({"priority":"standard"})");
  BOOST_TEST(Priority("{{ .CommonLabels.nope }}", false, false) == R"({"priority":"standard"})");
  BOOST_TEST(Priority("{{ if eq .Status \"firing\" }}urgent{{ end }}", false, false) ==
             R"({"priority":"urgent"})");
  BOOST_TEST(Priority("", true, true) == "(none)");
}

BOOST_AUTO_TEST_CASE(acknowledgement) {
  Json body = BuildJson(AcknowledgedOf(Mattermost(), kKind, "Ann", "@channel on it"));
  const Json& attachment = body.Find("attachments")->AsArray().at(0);
  BOOST_TEST(attachment.GetString("title") == "[ACKNOWLEDGED] A eu (critical)");
  BOOST_TEST(attachment.GetString("text") ==
             "Acknowledged by Ann: @\xE2\x80\x8B"
             "channel on it");
  BOOST_TEST(attachment.GetString("color") == "warning");
  BOOST_TEST((body.Find("priority") == nullptr));
}

BOOST_AUTO_TEST_CASE(verdicts_name_the_channel) {
  CheckStatusVerdicts(FiringOf(Mattermost(), kKind), "channel \"ch\": ");
}

BOOST_AUTO_TEST_CASE(url_file) {
  Receiver r = Mattermost();
  r.mattermost_configs[0].webhook_url = Secret();
  r.mattermost_configs[0].webhook_url_file = "/keys/url";
  CheckUrlFile(r, kKind, "webhook_url");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
