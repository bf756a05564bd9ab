#include "notify/chat_cases.h"

namespace mlalert::testing {
namespace {

constexpr auto kKind = IntegrationKind::kIncidentio;

Receiver Incidentio() {
  Receiver r;
  IncidentioConfig& c = r.incidentio_configs.emplace_back();
  c.url = Secret("http://127.0.0.1/iio");
  c.alert_source_token = Secret("iio-token");
  return r;
}

std::string Authorization(const PreparedCall& prepared) {
  for (const auto& [name, value] : prepared.call.headers) {
    if (name == "Authorization") {
      return value;
    }
  }
  return "(none)";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(incidentio)

BOOST_AUTO_TEST_CASE(equals_upstream_byte_for_byte) {
  CheckGolden(Incidentio(), kKind, "POST /iio", "POST /iio");
}

BOOST_AUTO_TEST_CASE(the_token_may_come_from_three_places) {
  Receiver r = Incidentio();
  BOOST_TEST(Authorization(Must(Build(FiringOf(r, kKind)))) == "Bearer iio-token");
  r.incidentio_configs[0].alert_source_token = Secret();
  BOOST_TEST(Authorization(Must(Build(FiringOf(r, kKind)))) == "(none)");  // http_config's
  r.incidentio_configs[0].alert_source_token_file = "/keys/token";
  FakeFiles files;
  files.texts["/keys/token"] = "T\n";
  BOOST_TEST(Authorization(Must(Build(FiringOf(r, kKind), files))) == "Bearer T");
  BOOST_TEST(BuildError(FiringOf(r, kKind)) == "read alert_source_token_file: /keys/token: no such file");
}

BOOST_AUTO_TEST_CASE(max_alerts_describes_the_kept_ones) {
  Receiver r = Incidentio();
  r.incidentio_configs[0].max_alerts = 1;
  Json body = BuildJson(MakeNotification(ConfigOf(r), kKind, {GoldenAlert(true), GoldenAlert(false)}));
  BOOST_TEST(body.Find("alerts")->AsArray().size() == 1u);
  BOOST_TEST(body.Find("truncatedAlerts")->AsInt() == 1);
  BOOST_TEST(body.GetString("status") == "resolved");
}

BOOST_AUTO_TEST_CASE(of_a_body_that_is_too_large_the_first_alert_stays) {
  auto body_of = [](size_t second) {
    std::vector<NotifiedAlert> alerts{
        GoldenAlert(false), MakeAlert({{"alertname", "A"}}, {{"t", std::string(second, 'x')}}, true)};
    return BuildBody(MakeNotification(ConfigOf(Incidentio()), kKind, alerts));
  };
  size_t fixed = body_of(1).size() - 1;
  BOOST_TEST(body_of(512 * 1024 - fixed).size() == 512u * 1024);
  std::string cut = body_of(512 * 1024 - fixed + 1);
  BOOST_TEST(cut.size() < 2000u);
  Json body = Must(ParseJson(cut));
  BOOST_TEST(body.Find("alerts")->AsArray().size() == 1u);
  BOOST_TEST(body.Find("truncatedAlerts")->AsInt() == 0);
  BOOST_TEST(body.Find("commonLabels")->Dump() == R"({"alertname":"A"})");  // still of both
  BOOST_TEST(body.AsObject().back().first == "truncatedAlerts");
}

BOOST_AUTO_TEST_CASE(verdicts_and_details) {
  Notification n = FiringOf(Incidentio(), kKind);
  CheckVerdicts(
      n, {{Answer(202), "sent", ""},
          {Answer(400, R"({"message":"m","error":"e","errors":["a","b"]})"), "failed",
           "unexpected status code 400: m: e: a, b"},
          {Answer(401, R"({"error":"bad iio-token"})"), "failed", "unexpected status code 401: bad <secret>"},
          {Answer(404, "<html>"), "failed", "unexpected status code 404"},
          {Answer(422, R"([1])"), "failed", "unexpected status code 422"},
          {Answer(429), "retry", "unexpected status code 429"},
          {Answer(500, R"({"errors":"x"})"), "retry", "unexpected status code 500"},
          {Broken(Failure::kTimeout, "timed out"), "retry", "timed out"}});
}

BOOST_AUTO_TEST_CASE(url_file) {
  Receiver r = Incidentio();
  r.incidentio_configs[0].url = Secret();
  r.incidentio_configs[0].url_file = "/keys/url";
  CheckUrlFile(r, kKind, "url");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
