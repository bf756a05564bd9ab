#include "notify/chat_cases.h"

namespace mlalert::testing {
namespace {

Receiver Connector() {
  Receiver r;
  MsteamsConfig& c = r.msteams_configs.emplace_back();
  c.webhook_url = Secret("http://127.0.0.1/teams");
  c.title = R"({{ template "msteams.default.title" . }})";
  c.summary = R"({{ template "msteams.default.summary" . }})";
  c.text = R"({{ template "msteams.default.text" . }})";
  return r;
}

Receiver Workflow() {
  Receiver r;
  MsteamsV2Config& c = r.msteamsv2_configs.emplace_back();
  c.webhook_url = Secret("http://127.0.0.1/teamsv2");
  c.title = R"({{ template "msteamsv2.default.title" . }})";
  c.text = R"({{ template "msteamsv2.default.text" . }})";
  return r;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(msteams)

BOOST_AUTO_TEST_CASE(equals_upstream_byte_for_byte) {
  CheckGolden(Connector(), IntegrationKind::kMsteams, "POST /teams", "POST /teams");
}

BOOST_AUTO_TEST_CASE(acknowledgement) {
  Json body = BuildJson(AcknowledgedOf(Connector(), IntegrationKind::kMsteams, "Ann", ""));
  BOOST_TEST(body.GetString("title") == "[ACKNOWLEDGED] A eu (critical)");
  BOOST_TEST(body.GetString("summary") == "[ACKNOWLEDGED] A eu (critical)");
  BOOST_TEST(body.GetString("text") == "Acknowledged by Ann");
  BOOST_TEST(body.GetString("themeColor") == "808080");
}

BOOST_AUTO_TEST_CASE(verdicts) {
  CheckStatusVerdicts(FiringOf(Connector(), IntegrationKind::kMsteams));
}

BOOST_AUTO_TEST_CASE(url_file) {
  Receiver r = Connector();
  r.msteams_configs[0].webhook_url = Secret();
  r.msteams_configs[0].webhook_url_file = "/keys/url";
  CheckUrlFile(r, IntegrationKind::kMsteams, "webhook_url");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(msteamsv2)

BOOST_AUTO_TEST_CASE(equals_upstream_byte_for_byte) {
  CheckGolden(Workflow(), IntegrationKind::kMsteamsV2, "POST /teamsv2", "POST /teamsv2");
}

BOOST_AUTO_TEST_CASE(acknowledgement) {
  Json body = BuildJson(AcknowledgedOf(Workflow(), IntegrationKind::kMsteamsV2, "", "on it"));
  const Json& blocks = *body.Find("attachments")->AsArray().at(0).Find("content")->Find("body");
  BOOST_TEST(blocks.AsArray().at(0).GetString("text") == "[ACKNOWLEDGED] A eu (critical)");
  BOOST_TEST(blocks.AsArray().at(0).GetString("color") == "Warning");
  BOOST_TEST(blocks.AsArray().at(1).GetString("text") == "Acknowledged by somebody: on it");
}

BOOST_AUTO_TEST_CASE(verdicts) {
  CheckStatusVerdicts(FiringOf(Workflow(), IntegrationKind::kMsteamsV2));
}

BOOST_AUTO_TEST_CASE(url_file) {
  Receiver r = Workflow();
  r.msteamsv2_configs[0].webhook_url = Secret();
  r.msteamsv2_configs[0].webhook_url_file = "/keys/url";
  CheckUrlFile(r, IntegrationKind::kMsteamsV2, "webhook_url");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
