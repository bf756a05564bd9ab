#include "api/api_fixture.h"

namespace mlalert {
namespace {

using testing::ApiFixture;
using testing::BodyOf;
using testing::Labels;

const std::string kPath = "/api/v1/webhook/alertmanager";

std::string Payload(const std::string& alerts, const std::string& more = "") {
  return R"({"version":"4","groupKey":"{}:{}","status":"firing","receiver":"r","alerts":)" + alerts + more +
         "}";
}
constexpr const char* kFiring =
    R"([{"status":"firing","labels":{"alertname":"A"},"annotations":{},"startsAt":"2026-01-01T00:00:00Z",)"
    R"("endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://p/"}])";

}  // namespace

BOOST_AUTO_TEST_SUITE(webhook)

BOOST_FIXTURE_TEST_CASE(answers_when_it_is_committed, ApiFixture) {
  HttpResponse response = Post(kPath, Payload(kFiring));
  BOOST_TEST(response.status == 200);
  BOOST_TEST(response.body == "{\"alerts\":1}\n");
  BOOST_TEST(journal.CommittedSeq() == journal.records().size());
  BOOST_TEST(BodyOf(Get("/api/v2/alerts")).AsArray().size() == 1u);
  BOOST_TEST(Metric(R"(mlalert_alerts_received_total{source="webhook",status="firing"})") == "1");
  BOOST_TEST(Metric(R"(alertmanager_alerts_received_total{status="firing",version="v2"})") == "0");
}

BOOST_FIXTURE_TEST_CASE(says_503_while_nothing_can_be_written_even_for_what_is_no_news, ApiFixture) {
  journal.SetState(JournalState::kDegraded, "disk is full");
  for (int i = 0; i < 3; ++i) {
    HttpResponse response = Post(kPath, Payload(kFiring));
    BOOST_TEST(response.status == 503);
    BOOST_TEST(BodyOf(response).GetString("error") ==
               "the alerts are taken, but not yet safe on disk: journal: disk is full");
  }
  BOOST_TEST(BodyOf(Get("/api/v2/alerts")).AsArray().size() == 1u);
  BOOST_TEST(Metric(R"(mlalert_ingest_refused_total{reason="journal",source="webhook"})") == "3");
  journal.SetState(JournalState::kOverflow);
  BOOST_TEST(Post(kPath, Payload(kFiring)).status == 503);
  journal.SetState(JournalState::kHealthy);
  BOOST_TEST(Post(kPath, Payload(kFiring)).status == 200);
}

BOOST_AUTO_TEST_CASE(says_503_when_the_commit_takes_too_long) {
  testing::MemoryJournal slow(false);
  ApiFixture api(&slow);
  BOOST_TEST(api.Post(kPath, Payload(kFiring)).status == 503);
  BOOST_TEST(api.Post(kPath, Payload(kFiring)).status == 503);
  slow.Commit();
  BOOST_TEST(api.Post(kPath, Payload(kFiring)).status == 200);
}

BOOST_FIXTURE_TEST_CASE(refuses_what_is_not_version_4, ApiFixture) {
  struct {
    std::string body;
    int status;
    std::string error;
  } const cases[] = {
      {"{", 400, "line 1, column 2: Missing a name for object member."},
      {"[]", 400, "the webhook payload must be a JSON object"},
      {"{}", 400, "unsupported webhook payload version \"\""},
      {R"({"version":"5","alerts":[]})", 400, "unsupported webhook payload version \"5\""},
      {R"({"version":"4"})", 400, "the webhook payload has no list \"alerts\""},
      {Payload(R"([{"status":"maybe"}])"), 400, "alerts[0]: status is \"maybe\""},
      {std::string(100, '['), 413, "line 1, column 33: JSON is nested deeper than 32 levels"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.body) {
      HttpResponse response = Post(kPath, c.body);
      BOOST_TEST(response.status == c.status);
      BOOST_TEST(BodyOf(response).GetString("error") == c.error);
    }
  }
  BOOST_TEST(Get("/api/v2/alerts").body == "[]\n");
  BOOST_TEST(Metric(R"(mlalert_ingest_refused_total{reason="body",source="webhook"})") == "7");
  BOOST_TEST(Post(kPath, "{}", {{"Content-Type", "text/plain"}}).status == 415);
  BOOST_TEST(Post(kPath, "{}", {{"X", "y"}}).status == 415);
  BOOST_TEST(Get(kPath).status == 405);
}

BOOST_FIXTURE_TEST_CASE(takes_the_valid_alerts_and_names_the_others, ApiFixture) {
  HttpResponse response = Post(
      kPath, Payload(R"([{"status":"firing","labels":{}},{"status":"firing","labels":{"alertname":"A"}}])"));
  BOOST_TEST(response.status == 400);
  BOOST_TEST(BodyOf(response).GetString("error") == "alerts[0]: at least one label pair required");
  BOOST_TEST(BodyOf(Get("/api/v2/alerts")).AsArray().size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(counts_what_the_sender_left_out, ApiFixture) {
  Post(kPath, Payload(kFiring, R"(,"truncatedAlerts":7)"));
  Post(kPath, Payload(kFiring, R"(,"truncatedAlerts":-3)"));
  Post(kPath, Payload(kFiring, R"(,"truncatedAlerts":"many")"));
  BOOST_TEST(Metric("mlalert_webhook_truncated_alerts_total") == "7");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
