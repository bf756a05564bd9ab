#include "notify/exchange.h"

namespace mlalert::testing {
namespace {

constexpr const char* kAlias = "b495a0897ab953205c648ba23694763770b3f7dfd10e2a837e441637841db22e";
OpsgenieConfig Golden() {
  OpsgenieConfig c;
  c.api_key = Secret("key-1234567890");
  c.api_url = "http://127.0.0.1/og/";
  c.message = "{{ template \"opsgenie.default.message\" . }}";
  c.description = "{{ template \"opsgenie.default.description\" . }}";
  c.source = "{{ template \"opsgenie.default.source\" . }}";
  c.details = {{"d", "{{ .Status }}"}};
  c.tags = "a,,b, c";
  c.priority = "P1";
  c.update_alerts = true;
  c.responders = {{.id = "", .name = "x,,y", .username = "", .type = "teams"},
                  {.id = "", .name = "", .username = "{{ .CommonLabels.nope }}", .type = "user"}};
  c.http_config = DefaultHttp();
  return c;
}

Notification Opsgenie(OpsgenieConfig c, bool resolved = false) {
  Receiver receiver;
  receiver.opsgenie_configs = {std::move(c)};
  return MakeNotification(ConfigOf(std::move(receiver)), IntegrationKind::kOpsgenie, {GoldenAlert(resolved)});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(opsgenie)

BOOST_AUTO_TEST_CASE(creates_and_updates_an_alert_as_upstream_does) {
  Exchange e = Run(Opsgenie(Golden()), {Answer(202), Answer(202), Answer(202)});
  const std::string base = "http://127.0.0.1/og/v2/alerts";
  BOOST_TEST(e.Lines() == (std::vector<std::string>{
                              "POST " + base, "PUT " + base + "/" + kAlias + "/message?identifierType=alias",
                              "PUT " + base + "/" + kAlias + "/description?identifierType=alias"}),
             boost::test_tools::per_element());
  BOOST_TEST(e.calls[0].body == ReadGolden("opsgenie_firing.json"));
  BOOST_TEST(e.calls[1].body == "{\"message\":\"[FIRING:1] A eu (critical)\"}\n");
  BOOST_TEST(e.calls[2].body.starts_with("{\"description\":\"x\\u003c1\\nAlerts Firing:"));
  for (const HttpCall& call : e.calls) {
    BOOST_TEST(HeaderOf(call, "Authorization") == "GenieKey key-1234567890");
    BOOST_TEST(HeaderOf(call, "Content-Type") == "application/json");
  }
  BOOST_TEST(Name(e.outcome.verdict) == "sent");
  BOOST_TEST(e.outcome.notification_id == 7);
}

BOOST_AUTO_TEST_CASE(without_update_alerts_one_call_is_enough) {
  OpsgenieConfig c = Golden();
  c.update_alerts = false;
  Exchange e = Run(Opsgenie(std::move(c)), {Answer(202)});
  BOOST_TEST(Name(e.outcome.verdict) == "sent");
}

BOOST_AUTO_TEST_CASE(closes_by_alias_when_all_is_resolved) {
  Exchange e = Run(Opsgenie(Golden(), true), {Answer(202)});
  BOOST_TEST(e.Lines()[0] ==
             std::string("POST http://127.0.0.1/og/v2/alerts/") + kAlias + "/close?identifierType=alias");
  BOOST_TEST(e.calls[0].body == "{\"source\":\"http://am.example.org/#/alerts?receiver=all\"}\n");
}

BOOST_AUTO_TEST_CASE(is_acknowledged_when_nothing_waits_any_more) {
  Notification n = Opsgenie(Golden());
  n.reason = NotifyReason::kAcknowledged;
  n.alerts[0].acknowledged = true;
  n.acknowledged_by = "ann";
  n.acknowledge_comment = "on it";
  Exchange e = Run(n, {Answer(202)});
  BOOST_TEST(e.Lines()[0] == std::string("POST http://127.0.0.1/og/v2/alerts/") + kAlias +
                                 "/acknowledge?identifierType=alias");
  BOOST_TEST(
      e.calls[0].body ==
      "{\"user\":\"ann\",\"note\":\"on it\",\"source\":\"http://am.example.org/#/alerts?receiver=all\"}\n");
}

BOOST_AUTO_TEST_CASE(the_first_refusal_ends_the_attempt) {
  struct Case {
    int status;
    const char* verdict;
  };
  for (Case c : {Case{429, "retry"}, {500, "retry"}, {503, "retry"}, {400, "failed"}, {422, "failed"}}) {
    BOOST_TEST_CONTEXT(c.status) {
      Exchange first = Run(Opsgenie(Golden()), {Answer(c.status, "no")});
      BOOST_TEST(Name(first.outcome.verdict) == c.verdict);
      BOOST_TEST(first.outcome.error == "unexpected status code " + std::to_string(c.status) + ": no");
      Exchange second = Run(Opsgenie(Golden()), {Answer(202), Answer(c.status, "no")});
      BOOST_TEST(Name(second.outcome.verdict) == c.verdict);
    }
  }
  Exchange broken = Run(Opsgenie(Golden()), {Broken(Failure::kConnect, "no route")});
  BOOST_TEST(Name(broken.outcome.verdict) == "retry");
}

BOOST_AUTO_TEST_CASE(no_error_shows_the_key) {
  Exchange e = Run(Opsgenie(Golden()), {Answer(202), Answer(403, "bad key key-1234567890")});
  BOOST_TEST(e.outcome.error == "unexpected status code 403: bad key <secret>");
}

BOOST_AUTO_TEST_CASE(the_key_may_be_a_template_in_a_file) {
  OpsgenieConfig c = Golden();
  c.update_alerts = false;
  c.api_key = Secret();
  c.api_key_file = "/k";
  ExchangeSetting setting;
  setting.files.texts["/k"] = " {{ .CommonLabels.cluster }}-key \n";
  Exchange e = Run(Opsgenie(c), {Answer(202)}, setting);
  BOOST_TEST(HeaderOf(e.calls[0], "Authorization") == "GenieKey eu-key");
  BOOST_TEST(Run(Opsgenie(c), {}).build_error.find("read api_key_file") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(everything_optional_has_its_place) {
  OpsgenieConfig c = Golden();
  c.update_alerts = false;
  c.message = std::string(131, 'm');
  c.description = "";
  c.tags = " ";
  c.details = {{"cluster", "mine"}};
  c.responders = {{.id = "{{ .CommonLabels.nope }}", .name = "", .username = "", .type = ""},
                  {.id = "1", .name = "n", .username = "u", .type = "escalation"}};
  c.note = "{{ .Status }}1";
  c.entity = "{{ .Status }}2";
  c.actions = "x, y";
  Exchange e = Run(Opsgenie(std::move(c)), {Answer(202)});
  const std::string want = "{\"alias\":\"" + std::string(kAlias) + "\",\"message\":\"" +
                           std::string(129, 'm') +
                           "\xE2\x80\xA6\","
                           R"("details":{"alertname":"A","cluster":"mine","severity":"critical"},)"
                           R"("source":"http://am.example.org/#/alerts?receiver=all",)"
                           R"("responders":[{"id":"1","name":"n","username":"u","type":"escalation"}],)"
                           R"("note":"firing1","priority":"P1","entity":"firing2","actions":["x"," y"]})"
                           "\n";
  BOOST_TEST(e.calls[0].body == want);
}

BOOST_AUTO_TEST_CASE(a_broken_template_sends_nothing) {
  OpsgenieConfig c = Golden();
  c.note = "{{ .Nope }}";
  BOOST_TEST(Run(Opsgenie(std::move(c)), {}).build_error.find("can't evaluate field Nope") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
