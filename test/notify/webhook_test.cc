#include "notify/fixture.h"

namespace mlalert::testing {
namespace {

Notification Webhook(const std::string& settings, std::vector<NotifiedAlert> alerts,
                     NotifyReason reason = NotifyReason::kFirst) {
  return MakeNotification(ConfigWith("  webhook_configs:\n  - {" + settings + "}"), IntegrationKind::kWebhook,
                          std::move(alerts), reason);
}

constexpr const char* kUrl = "url: 'http://127.0.0.1/wh/{{ .CommonLabels.cluster }}'";

}  // namespace

BOOST_AUTO_TEST_SUITE(webhook_body)

BOOST_AUTO_TEST_CASE(equals_upstream_byte_for_byte) {
  BOOST_TEST(BuildBody(Webhook(kUrl, {GoldenAlert(false)})) == ReadGolden("webhook_firing.json"));
  BOOST_TEST(BuildBody(Webhook(kUrl, {GoldenAlert(true)}, NotifyReason::kAllResolved)) ==
             ReadGolden("webhook_resolved.json"));
}

// A URL without a template lets the body be written without the template data.
BOOST_AUTO_TEST_CASE(the_body_does_not_depend_on_how_the_url_is_written) {
  std::vector<NotifiedAlert> alerts;
  for (int i = 0; i < 6; ++i) {
    NotifiedAlert alert =
        MakeAlert({{"alertname", "A"}, {"cluster", "eu"}, {"i", std::string(1, static_cast<char>('a' + i))}},
                  {{"summary", "x<\n\"é\""}, {"same", "y"}}, i % 2 == 1);
    if (i >= 2) {
      alert.alert.starts_at = At("2026-01-02T03:04:05.000000001Z");
      alert.alert.starts_offset_minutes = static_cast<int16_t>(30 * i);
      alert.alert.ends_offset_minutes = static_cast<int16_t>(-60 * i);
    }
    if (i == 5) {
      alert.alert.starts_at = kUnset;
    }
    alert.alert.generator_url = "http://p/g?a=1&b=2";
    alerts.push_back(std::move(alert));
  }
  for (const std::string settings : {"", ", max_alerts: 3", ", max_alerts: 1"}) {
    for (const NotifyReason reason : {NotifyReason::kFirst, NotifyReason::kAcknowledged}) {
      BOOST_TEST(BuildBody(Webhook("url: 'http://127.0.0.1/wh/eu'" + settings, alerts, reason)) ==
                 BuildBody(Webhook(kUrl + settings, alerts, reason)));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_call_is_a_post_of_json_to_the_rendered_url) {
  auto prepared = Build(Webhook(kUrl, {GoldenAlert(false)}));
  BOOST_REQUIRE(prepared.has_value());
  BOOST_TEST(prepared->call.method == "POST");
  BOOST_TEST(prepared->call.url == "http://127.0.0.1/wh/eu");
  BOOST_TEST(prepared->call.headers.size() == 2u);
  BOOST_TEST(prepared->call.headers[0].first == "Content-Type");
  BOOST_TEST(prepared->call.headers[0].second == "application/json");
  BOOST_TEST(prepared->call.headers[1].second == "mlalert/test");
  BOOST_TEST((prepared->call.options != nullptr));
}

BOOST_AUTO_TEST_CASE(receiver_name_is_regex_quoted) {
  ConfigPtr config = LoadConfig(
      "route: {receiver: web.hook}\nreceivers:\n- name: web.hook\n  webhook_configs: [{url: 'http://x/'}]\n");
  Json body = BuildJson(MakeNotification(config, IntegrationKind::kWebhook, {GoldenAlert(false)}));
  BOOST_TEST(body.GetString("receiver") == "web\\.hook");
}

BOOST_AUTO_TEST_CASE(truncation_keeps_the_first_alerts_and_describes_only_them) {
  std::vector<NotifiedAlert> alerts{MakeAlert({{"alertname", "A"}, {"job", "1"}}, {}, true),
                                    MakeAlert({{"alertname", "A"}, {"job", "1"}}, {}, true),
                                    MakeAlert({{"alertname", "A"}, {"job", "2"}})};
  Json body = BuildJson(Webhook("url: 'http://x/', max_alerts: 2", alerts));
  BOOST_TEST(body.Find("alerts")->AsArray().size() == 2u);
  BOOST_TEST(body.Find("truncatedAlerts")->AsInt() == 1);
  BOOST_TEST(body.GetString("status") == "resolved");
  BOOST_TEST(body.Find("commonLabels")->GetString("job") == "1");

  body = BuildJson(Webhook("url: 'http://x/'", alerts));
  BOOST_TEST(body.Find("truncatedAlerts")->AsInt() == 0);
  BOOST_TEST(body.GetString("status") == "firing");
  BOOST_TEST((body.Find("commonLabels")->Find("job") == nullptr));
}

BOOST_AUTO_TEST_CASE(times_keep_their_zone_and_nanoseconds) {
  NotifiedAlert alert = MakeAlert({{"alertname", "A"}}, {}, true);
  alert.alert.starts_at = At("2026-01-02T03:04:05.123456789+02:00");
  alert.alert.starts_offset_minutes = 120;
  Json body = BuildJson(Webhook("url: 'http://x/'", {alert}));
  BOOST_TEST(body.Find("alerts")->AsArray()[0].GetString("startsAt") ==
             "2026-01-02T03:04:05.123456789+02:00");
}

BOOST_AUTO_TEST_CASE(fingerprint_is_of_the_labels_as_received) {
  NotifiedAlert alert = MakeAlert({{"alertname", "A"}, {"severity", "P1"}});
  alert.fingerprint = 0xabc;
  Json body = BuildJson(Webhook("url: 'http://x/'", {alert}));
  BOOST_TEST(body.Find("alerts")->AsArray()[0].GetString("fingerprint") == "0000000000000abc");
}

BOOST_AUTO_TEST_CASE(acknowledgement_has_the_same_shape_and_says_who) {
  Notification n = Webhook("url: 'http://x/'", {GoldenAlert(false)}, NotifyReason::kAcknowledged);
  n.acknowledged_by = "alice";
  n.acknowledge_comment = "known";
  Json body = BuildJson(n);
  BOOST_TEST(body.GetString("acknowledgedBy") == "alice");
  BOOST_TEST(body.GetString("acknowledgeComment") == "known");
  BOOST_TEST(body.GetString("notification_reason") == "acknowledged");
  BOOST_TEST(body.GetString("status") == "firing");
  BOOST_TEST(body.AsObject().size() == 13u);
}

BOOST_AUTO_TEST_CASE(route_labels_appear_only_where_the_route_has_some) {
  ConfigPtr config = LoadConfig(
      "route: {receiver: all, labels: {team: 'ml-{{ .CommonLabels.cluster }}', both: '{{ routeLabels "
      "\"team\" }}!',"
      " a: '{{ routeLabels \"b\" }}', b: '{{ routeLabels \"a\" }}'}}\n"
      "receivers:\n- name: all\n  webhook_configs: [{url: 'http://x/{{ .RouteLabels.team }}'}]\n");
  Notification n = MakeNotification(config, IntegrationKind::kWebhook, {GoldenAlert(false)});
  Json body = BuildJson(n);
  BOOST_REQUIRE((body.Find("routeLabels") != nullptr));
  BOOST_TEST(body.Find("routeLabels")->Dump() ==
             R"({"both":"ml-eu!","team":"ml-eu"})");  // the cycle is left out
  BOOST_TEST(Build(n)->call.url == "http://x/ml-eu");
}

BOOST_AUTO_TEST_CASE(hostile_texts_stay_texts) {
  std::string big(1 << 20, 'x');
  std::string bad = "\xff\xfe<script>\"\\\n\x01\xE2\x80\xA8";
  NotifiedAlert alert =
      MakeAlert({{"alertname", "A"}, {"evil", bad}}, {{"big", big}, {"{{ .Bad", "{{ .Worse }}"}});
  std::string body = BuildBody(Webhook("url: 'http://x/'", {alert}));
  BOOST_TEST(IsValidUtf8(body));
  BOOST_TEST(body.find("<script>") == std::string::npos);
  auto json = ParseJson(body);
  BOOST_REQUIRE(json.has_value());
  const Json& first = json->Find("alerts")->AsArray()[0];
  BOOST_TEST(first.Find("annotations")->GetString("big").size() == big.size());
  BOOST_TEST(first.Find("annotations")->GetString("{{ .Bad") == "{{ .Worse }}");
  BOOST_TEST(first.Find("labels")->GetString("evil") ==
             "\xEF\xBF\xBD\xEF\xBF\xBD<script>\"\\\n\x01\xE2\x80\xA8");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(webhook_url)

BOOST_AUTO_TEST_CASE(comes_from_its_file_trimmed_and_templated) {
  Notification n = Webhook("url_file: /keys/url", {GoldenAlert(false)});
  FakeFiles files;
  files.texts["/keys/url"] = "\n http://h/{{ .Status }} \n";
  BOOST_TEST(Build(n, files)->call.url == "http://h/firing");
}

BOOST_AUTO_TEST_CASE(missing_file_is_an_error_worth_another_attempt) {
  auto prepared = Build(Webhook("url_file: /keys/url", {GoldenAlert(false)}));
  BOOST_REQUIRE(!prepared.has_value());
  BOOST_TEST((prepared.error().code == ErrorCode::kNotFound));
  BOOST_TEST(prepared.error().message == "read url_file: /keys/url: no such file");
}

BOOST_AUTO_TEST_CASE(empty_after_templating_is_an_error) {
  BOOST_TEST(BuildError(Webhook("url: '{{ .CommonLabels.nope }}'", {GoldenAlert(false)})) ==
             "webhook URL is empty after templating");
}

BOOST_AUTO_TEST_CASE(a_broken_one_is_not_quoted) {
  Notification n = Webhook("url_file: /keys/url", {GoldenAlert(false)});
  FakeFiles files;
  for (const char* url :
       {"http://x/TOKEN{{ .Nope }}", "http://x/{{ if TOKEN }}", "http://x/{{ \"TOKEN\" | nope }}"}) {
    files.texts["/keys/url"] = url;
    BOOST_TEST(BuildError(n, files) == "the template in url fails (details hidden: the text is a secret)");
  }
  BOOST_TEST(BuildError(Webhook("url: 'http://x/TOKEN{{ .Nope }}'", {GoldenAlert(false)})) ==
             "the template in url fails (details hidden: the text is a secret)");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(webhook_answer)

BOOST_AUTO_TEST_CASE(verdict_table) {
  struct Case {
    HttpResult answer;
    const char* verdict;
    const char* error;
  };
  HttpResult told_then_broke = Answer(200);
  told_then_broke.failure = Failure::kReset;
  const std::vector<Case> cases{
      {Answer(200), "sent", ""},
      {Answer(204), "sent", ""},
      {told_then_broke, "sent", ""},
      {Answer(302), "failed", "unexpected status code 302"},
      {Answer(400, "no\nsuch\x01thing\xff"), "failed",
       "unexpected status code 400: no such thing\xEF\xBF\xBD"},
      {Answer(404), "failed", "unexpected status code 404"},
      {Answer(429, "slow down"), "failed", "unexpected status code 429: slow down"},
      {Answer(500, "boom"), "retry", "unexpected status code 500: boom"},
      {Answer(503), "retry", "unexpected status code 503"},
      {Broken(Failure::kConnect, "connection refused"), "retry", "connection refused"},
      {Broken(Failure::kTimeout, "timed out"), "retry", "timed out"},
      {Broken(Failure::kTls, ""), "retry", "tls"},
      {Broken(Failure::kCancelled, "cancelled"), "failed", "cancelled"},
  };
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.answer.status << ' ' << c.answer.error) {
      NotificationOutcome out = JudgeHttp(c.answer);
      BOOST_TEST(Name(out.verdict) == c.verdict);
      BOOST_TEST(out.error == c.error);
      BOOST_TEST(out.http_status == c.answer.status);
    }
  }
}

BOOST_AUTO_TEST_CASE(retry_after_is_passed_on_with_a_retry_only) {
  HttpResult busy = Answer(503);
  busy.retry_after = std::chrono::seconds(7);
  BOOST_TEST((JudgeHttp(busy).retry_after == Duration(std::chrono::seconds(7))));
  busy.status = 400;
  BOOST_TEST(!JudgeHttp(busy).retry_after.has_value());
  busy.status = 200;
  BOOST_TEST(!JudgeHttp(busy).retry_after.has_value());
}

BOOST_AUTO_TEST_CASE(quoted_body_is_cut) {
  BOOST_TEST(JudgeHttp(Answer(400, std::string(100000, 'x'))).error.size() < 600u);
}

BOOST_AUTO_TEST_CASE(secrets_of_the_url_never_reach_the_error) {
  Notification n = Webhook(
      "url: 'https://joe:hunter22@h.example/hooks/T0AB/secrettoken123456?key=s3cr&x=1', http_config: "
      "{authorization: "
      "{credentials: bearertok}}",
      {GoldenAlert(false)});
  auto prepared = Build(n);
  BOOST_REQUIRE(prepared.has_value());
  HttpResult answer =
      Answer(400,
             "bad https://joe:hunter22@h.example/hooks/T0AB/secrettoken123456?key=s3cr&x=1 or "
             "/hooks/T0AB/secrettoken123456?key=s3cr&x=1 or hunter22 or secrettoken123456, s3cr, bearertok!");
  std::string error = JudgeAnswer(n, *prepared, answer).outcome.error;
  BOOST_TEST(
      error ==
      "unexpected status code 400: bad <secret> or <secret> or <secret> or <secret>, <secret>, <secret>!");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
