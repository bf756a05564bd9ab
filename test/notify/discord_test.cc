#include "notify/chat_cases.h"

namespace mlalert::testing {
namespace {

Receiver Discord() {
  Receiver r;
  DiscordConfig& c = r.discord_configs.emplace_back();
  c.webhook_url = Secret("http://127.0.0.1/discord");
  c.content = "c {{ .Status }}";
  c.title = R"({{ template "discord.default.title" . }})";
  c.message = R"({{ template "discord.default.message" . }})";
  c.username = "u";
  c.avatar_url = "http://av";
  return r;
}

const Json& Embed(const Json& body) {
  return body.Find("embeds")->AsArray().at(0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(discord)

BOOST_AUTO_TEST_CASE(equals_upstream_byte_for_byte) {
  CheckGolden(Discord(), IntegrationKind::kDiscord, "POST /discord", "POST /discord");
}

BOOST_AUTO_TEST_CASE(empty_texts_stay_and_empty_names_go) {
  Receiver r;
  r.discord_configs.emplace_back().webhook_url = Secret("http://x/");
  BOOST_TEST(BuildBody(FiringOf(r, IntegrationKind::kDiscord)) ==
             R"({"content":"","embeds":[{"title":"","description":"","color":10038562}]})"
             "\n");
}

BOOST_AUTO_TEST_CASE(texts_are_cut_in_characters) {
  Receiver r = Discord();
  r.discord_configs[0].title = r.discord_configs[0].message = r.discord_configs[0].content = kTheText;
  Json body = BuildJson(FiringWith(r, IntegrationKind::kDiscord, Repeated(kFire, 5000)));
  BOOST_TEST(Embed(body).GetString("title") == Repeated(kFire, 255) + kDots);
  BOOST_TEST(Embed(body).GetString("description") == Repeated(kFire, 4095) + kDots);
  BOOST_TEST(body.GetString("content") == Repeated(kFire, 1999) + kDots);
}

BOOST_AUTO_TEST_CASE(names_are_no_templates) {
  Receiver r = Discord();
  r.discord_configs[0].username = "{{ .Status }}";
  BOOST_TEST(BuildJson(FiringOf(r, IntegrationKind::kDiscord)).GetString("username") == "{{ .Status }}");
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_pings_nobody) {
  Json body = BuildJson(AcknowledgedOf(Discord(), IntegrationKind::kDiscord, "Ann_B", "on it @here **now**"));
  BOOST_TEST(body.GetString("content").empty());
  BOOST_TEST(Embed(body).GetString("title") == "[ACKNOWLEDGED] A eu (critical)");
  BOOST_TEST(Embed(body).GetString("description") ==
             "Acknowledged by Ann\\_B: on it @\xE2\x80\x8Bhere \\*\\*now\\*\\*");
  BOOST_TEST(Embed(body).Find("color")->AsInt() == 9807270);
}

BOOST_AUTO_TEST_CASE(verdicts) {
  CheckStatusVerdicts(FiringOf(Discord(), IntegrationKind::kDiscord));
}

BOOST_AUTO_TEST_CASE(url_file) {
  Receiver r = Discord();
  r.discord_configs[0].webhook_url = Secret();
  r.discord_configs[0].webhook_url_file = "/keys/url";
  CheckUrlFile(r, IntegrationKind::kDiscord, "webhook_url");
}

BOOST_AUTO_TEST_CASE(a_text_that_fails_fails_the_call) {
  Receiver r = Discord();
  r.discord_configs[0].message = "{{ .Nope }}";
  BOOST_TEST(BuildError(FiringOf(r, IntegrationKind::kDiscord)) ==
             "template: :1:3: executing \"\" at <.Nope>: can't evaluate field Nope in type *template.Data");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
