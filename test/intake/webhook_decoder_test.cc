#include "intake/webhook_decoder.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "base/json.h"
#include "intake/alert_decoder.h"

namespace mlalert {
namespace {

using namespace std::chrono_literals;

const Timestamp kNow = FromUnixMillis(1767225600000);  // 2026-01-01T00:00:00Z

std::string Payload(const std::string& alerts, const std::string& more = "") {
  return R"({"version":"4","alerts":)" + alerts + more + "}";
}

struct Decoded {
  explicit Decoded(const std::string& body) : result(DecodeWebhook(body, kNow, batch)) {}
  std::string Error() const { return result ? "" : result.error().ToString(); }

  IngestBatch batch;
  Result<WebhookInfo> result;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(decode_webhook)

BOOST_AUTO_TEST_CASE(reads_what_an_alertmanager_sends) {
  Decoded d(
      R"({"receiver":"r","status":"firing","alerts":[{"status":"firing","labels":{"b":"2","alertname":"A","e":""},)"
      R"("annotations":{"summary":"x"},"startsAt":"2025-12-31T23:00:00Z","endsAt":"0001-01-01T00:00:00Z",)"
      R"("generatorURL":"http://p/","fingerprint":"f"},{"status":"resolved","labels":{"alertname":"B"},)"
      R"("startsAt":"2025-12-31T22:00:00Z","endsAt":"2025-12-31T23:30:00Z"}],"groupLabels":{},"version":"4",)"
      R"("groupKey":"{}:{}","truncatedAlerts":0})");
  BOOST_TEST(d.Error() == "");
  BOOST_REQUIRE(d.batch.alerts.size() == 2u);
  const DecodedAlert& firing = d.batch.alerts[0];
  BOOST_REQUIRE(firing.labels.size() == 2u);
  BOOST_TEST(firing.labels[0].value == "A");
  BOOST_TEST(firing.annotations[0].value == "x");
  BOOST_TEST(firing.generator_url == "http://p/");
  BOOST_TEST((firing.starts_at == kNow - 1h));
  BOOST_TEST((firing.ends_at == kNow + kWebhookHold));
  BOOST_TEST(firing.timeout);
  BOOST_TEST((firing.source == AlertSource::kWebhook));
  const DecodedAlert& resolved = d.batch.alerts[1];
  BOOST_TEST((resolved.starts_at == kNow - 2h));
  BOOST_TEST((resolved.ends_at == kNow - 30min));
  BOOST_TEST(!resolved.timeout);
  BOOST_TEST(d.batch.received_firing == 1u);
  BOOST_TEST(d.batch.received_resolved == 1u);
}

BOOST_AUTO_TEST_CASE(clocks_that_differ_make_nothing_invalid) {
  struct {
    const char* alert;
    Timestamp starts, ends;
  } const cases[] = {
      {R"("status":"firing","startsAt":"2026-01-01T01:00:00Z")", kNow, kNow + kWebhookHold},
      {R"("status":"firing")", kNow, kNow + kWebhookHold},
      {R"("status":"firing","startsAt":"0001-01-01T00:00:00Z")", kNow, kNow + kWebhookHold},
      {R"("status":"resolved","startsAt":"2026-01-01T01:00:00Z","endsAt":"2026-01-01T02:00:00Z")", kNow,
       kNow},
      {R"("status":"resolved","endsAt":"2026-01-01T02:00:00Z")", kNow, kNow},
      {R"("status":"resolved")", kNow, kNow},
      {R"("status":"resolved","endsAt":"0001-01-01T00:00:00Z")", kNow, kNow},
      {R"("status":"resolved","startsAt":"2025-12-31T23:30:00Z","endsAt":"2025-12-31T23:00:00Z")", kNow - 1h,
       kNow - 1h},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.alert) {
      Decoded d(Payload(R"([{"labels":{"a":"b"},)" + std::string(c.alert) + "}]"));
      BOOST_TEST(d.Error() == "");
      BOOST_REQUIRE(d.batch.alerts.size() == 1u);
      BOOST_TEST((d.batch.alerts[0].starts_at == c.starts));
      BOOST_TEST((d.batch.alerts[0].ends_at == c.ends));
    }
  }
}

BOOST_AUTO_TEST_CASE(refuses_with_a_place_what_it_cannot_read) {
  struct {
    std::string body;
    ErrorCode code;
    const char* error;
  } const cases[] = {
      {"", ErrorCode::kInvalid, "The document is empty."},
      {"[]", ErrorCode::kInvalid, "the webhook payload must be a JSON object"},
      {"{}", ErrorCode::kInvalid, "unsupported webhook payload version \"\""},
      {R"({"version":4,"alerts":[]})", ErrorCode::kInvalid, "unsupported webhook payload version \"\""},
      {R"({"version":"3","alerts":[]})", ErrorCode::kInvalid, "unsupported webhook payload version \"3\""},
      {R"({"version":"4"})", ErrorCode::kInvalid, "the webhook payload has no list \"alerts\""},
      {Payload("{}"), ErrorCode::kInvalid, "the webhook payload has no list \"alerts\""},
      {Payload("null"), ErrorCode::kInvalid, "the webhook payload has no list \"alerts\""},
      {Payload("[1]"), ErrorCode::kInvalid, "alerts[0]: status is \"\""},
      {Payload(R"([{"status":"firing","labels":[]}])"), ErrorCode::kInvalid,
       "alerts[0]: labels must be an object of strings"},
      {Payload(R"([{"status":"firing","labels":{"a":1}}])"), ErrorCode::kInvalid,
       "alerts[0]: labels.a must be a string"},
      {Payload(R"([{"status":"firing","labels":{"a":null}}])"), ErrorCode::kInvalid,
       "alerts[0]: labels.a must be a string"},
      {Payload(
           R"([{"status":"firing","labels":{"a":"b"}},{"status":"firing","labels":{"a":"b"},"annotations":"x"}])"),
       ErrorCode::kInvalid, "alerts[1]: annotations must be an object of strings"},
      {Payload(R"([{"status":"x","labels":{"a":"b"}}])"), ErrorCode::kInvalid, "alerts[0]: status is \"x\""},
      {std::string(100'000, '['), ErrorCode::kLimit, "JSON is nested deeper than 32 levels"},
      {Payload("[{\"labels\":{\"a\":\"\xff\"}}]"), ErrorCode::kInvalid, "Invalid encoding in string."},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.body.substr(0, 200)) {
      Decoded d(c.body);
      BOOST_REQUIRE(!d.result);
      BOOST_TEST((d.result.error().code == c.code));
      BOOST_TEST(d.result.error().message == c.error);
    }
  }
  Decoded time(Payload(R"([{"status":"firing","labels":{"a":"b"},"startsAt":"noon"}])"));
  BOOST_REQUIRE(!time.result);
  BOOST_TEST(time.result.error().message.find("alerts[0]: startsAt: ") == 0u);
}

BOOST_AUTO_TEST_CASE(halves_of_surrogate_pairs_never_get_in) {
  for (const char* half : {R"(\ud800)", R"(\udc00)", R"(\ud800x)", R"(\udfffA)"}) {
    BOOST_TEST_CONTEXT(half) {
      Decoded d(Payload(R"([{"status":"firing","labels":{"a":")" + std::string(half) + R"("}}])"));
      BOOST_TEST((!d.result || IsValidUtf8(d.batch.alerts.at(0).labels[0].value)));
    }
  }
}

BOOST_AUTO_TEST_CASE(label_counts_are_limited) {
  std::string labels;
  for (size_t i = 0; i <= kAlertLabelsMax; ++i) {
    labels += (i > 0 ? ",\"l" : "\"l") + std::to_string(i) + "\":\"v\"";
  }
  Decoded d(Payload(R"([{"status":"firing","labels":{)" + labels + "}}]"));
  BOOST_REQUIRE(!d.result);
  BOOST_TEST((d.result.error().code == ErrorCode::kLimit));
}

BOOST_AUTO_TEST_CASE(invalid_alerts_are_named_by_their_place) {
  Decoded d(Payload(
      R"([{"status":"firing","labels":{}},{"status":"firing","labels":{"a":"b"}},{"status":"resolved"}])"));
  BOOST_TEST(d.Error() == "");
  BOOST_REQUIRE(d.batch.errors.size() == 2u);
  BOOST_TEST(d.batch.errors[0] == "alerts[0]: at least one label pair required");
  BOOST_TEST(d.batch.errors[1] == "alerts[2]: at least one label pair required");
  BOOST_REQUIRE(d.batch.alerts.size() == 1u);
  BOOST_TEST(d.batch.alerts[0].labels[0].name == "a");
}

BOOST_AUTO_TEST_CASE(tells_how_many_the_sender_left_out) {
  BOOST_TEST(Decoded(Payload("[]", R"(,"truncatedAlerts":12)")).result->truncated_alerts == 12u);
  BOOST_TEST(Decoded(Payload("[]", R"(,"truncatedAlerts":-1)")).result->truncated_alerts == 0u);
  BOOST_TEST(Decoded(Payload("[]", R"(,"truncatedAlerts":"x")")).result->truncated_alerts == 0u);
  BOOST_TEST(Decoded(Payload("[]")).result->truncated_alerts == 0u);
}

BOOST_AUTO_TEST_CASE(views_survive_many_alerts) {
  std::string alerts = "[";
  for (int i = 0; i < 5000; ++i) {
    alerts += (i > 0 ? "," : "");
    alerts += R"({"status":"firing","labels":{"n":")" + std::to_string(i) + R"("},"annotations":{"x":"y"}})";
  }
  Decoded d(Payload(alerts + "]"));
  BOOST_REQUIRE(d.batch.alerts.size() == 5000u);
  BOOST_TEST(d.batch.alerts[0].labels[0].value == "0");
  BOOST_TEST(d.batch.alerts[4999].labels[0].value == "4999");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
