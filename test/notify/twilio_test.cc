// Calls and SMS as Twilio is asked for them, and what its answers mean.
#include "notify/exchange.h"
#include "notify/form_field.h"
#include "template/utf8.h"

namespace mlalert::testing {
namespace {

constexpr const char* kAnswered = R"({"sid":"CA1","status":"queued"})";

ActionLinksPtr Links() {
  auto out = std::make_shared<ActionLinks>();
  out->key = "0123456789abcdef0123456789abcdef";
  out->base_url = "https://alerts.example.com/ml";
  out->expires_at = At("2026-01-03T03:05:00Z");
  return out;
}

ConfigPtr Phone(const std::string& more) {
  return ConfigWith(
      "  twilio_configs:\n  - {account_sid: AC1, auth_token: t0ken-secret, from: '+14155550100', " + more +
      "}");
}

Notification CallOf(const std::string& more, std::vector<NotifiedAlert> alerts,
                    NotifyReason reason = NotifyReason::kFirst) {
  Notification n = MakeNotification(Phone(more), IntegrationKind::kTwilio, std::move(alerts), reason);
  n.call_id = 42;
  for (NotifiedAlert& alert : n.alerts) {
    alert.incident_id = 7;
    alert.generation = 3;
  }
  return n;
}

Exchange Ask(const Notification& n, std::vector<HttpResult> answers, ReceiverCachesPtr caches = {}) {
  ExchangeSetting setting;
  setting.caches = std::move(caches);
  setting.links = Links();
  return Run(n, std::move(answers), setting);
}

std::string Field(const HttpCall& call, std::string_view name) {
  return FieldOf(call.body, name);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(twilio_call)

BOOST_AUTO_TEST_CASE(rings_one_number_and_reads_the_alert_three_times) {
  Notification n = CallOf("to: ['+4917012345678', '+4917012345679']", {GoldenAlert(false)});
  Exchange call = Ask(n, {Answer(201, kAnswered)});
  BOOST_REQUIRE(call.calls.size() == 1U);
  BOOST_TEST(call.calls[0].url == "https://api.twilio.com/2010-04-01/Accounts/AC1/Calls.json");
  BOOST_TEST(call.calls[0].options->basic_auth->username == "AC1");
  BOOST_TEST(HeaderOf(call.calls[0], "Content-Type") == "application/x-www-form-urlencoded");
  BOOST_TEST(Field(call.calls[0], "To") == "+4917012345678");
  BOOST_TEST(Field(call.calls[0], "From") == "+14155550100");
  BOOST_TEST(Field(call.calls[0], "Timeout") == "30");
  BOOST_TEST(Field(call.calls[0], "MachineDetection").empty());
  const std::string twiml = Field(call.calls[0], "Twiml");
  // The whole message is inside of Gather: a key may be pressed at once.
  const std::string gather = twiml.substr(10, twiml.find("</Gather>") - 10 + 9);
  BOOST_TEST(gather.starts_with("<Gather input=\"dtmf\" numDigits=\"1\""), gather);
  BOOST_TEST(gather.find("<Say language=\"en-US\">Severity P0. A. x&lt;1. ") != std::string::npos, gather);
  BOOST_TEST(gather.find("Press 1 to acknowledge.</Say></Gather>") != std::string::npos, gather);
  BOOST_TEST(twiml == "<Response>" + gather + gather + gather + "</Response>");
  BOOST_TEST(gather.find("action=\"https://alerts.example.com/ml/api/mlalert/v1/hooks/twilio/voice?call=") !=
             std::string::npos);
  BOOST_TEST(Field(call.calls[0], "StatusCallback")
                 .starts_with("https://alerts.example.com/ml/api/mlalert/v1/hooks/twilio/status?call="));
  BOOST_TEST(Name(call.outcome.verdict) == "sent");
}

BOOST_AUTO_TEST_CASE(rings_the_number_whose_turn_it_is) {
  Notification n =
      CallOf("to: ['+4917012345678', '+4917012345679'], machine_detection: true", {GoldenAlert(false)});
  n.call_target = 1;
  Exchange call = Ask(n, {Answer(201, kAnswered)});
  BOOST_TEST(Field(call.calls.at(0), "To") == "+4917012345679");
  BOOST_TEST(Field(call.calls.at(0), "MachineDetection") == "Enable");
}

BOOST_AUTO_TEST_CASE(long_and_hostile_texts_stay_within_twilios_limit_and_out_of_the_markup) {
  std::string nasty;
  for (int i = 0; i < 2000; ++i) {
    nasty += "</Say><Dial>+1900</Dial>&\"\x01";
  }
  Notification n = CallOf("to: ['+4917012345678'], message: '{{ .CommonAnnotations.t }}'",
                          {MakeAlert({{"alertname", "A"}}, {{"t", nasty}})});
  const std::string twiml = Field(Ask(n, {Answer(201, kAnswered)}).calls.at(0), "Twiml");
  BOOST_TEST(twiml.size() <= 4000U);
  BOOST_TEST(twiml.find("<Dial>") == std::string::npos);
  BOOST_TEST(twiml.find('\x01') == std::string::npos);
  BOOST_TEST(twiml.find("&lt;Dial&gt;") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(without_a_key_to_sign_callbacks_it_waits) {
  Notification n = CallOf("to: ['+4917012345678']", {GoldenAlert(false)});
  Exchange call = Run(n, {});
  BOOST_TEST(call.build_error.find("no key") != std::string::npos, call.build_error);
}

BOOST_AUTO_TEST_CASE(answers) {
  struct Case {
    HttpResult answer;
    const char* verdict;
    const char* error;
  };
  HttpResult busy = Answer(429, R"({"code":20429,"message":"Too Many Requests"})");
  busy.retry_after = std::chrono::seconds(7);
  for (const Case& c : std::vector<Case>{
           {Answer(400, R"({"code":21211,"message":"Invalid 'To' Phone Number"})"), "failed",
            "call to ...5678: unexpected status code 400: 21211: Invalid 'To' Phone Number"},
           {Answer(401, R"({"code":20003,"message":"Authenticate"})"), "failed",
            "call to ...5678: unexpected status code 401: 20003: Authenticate"},
           {busy, "retry", "call to ...5678: unexpected status code 429: 20429: Too Many Requests"},
           {Answer(500, "oops"), "retry", "call to ...5678: unexpected status code 500: oops"},
           {Broken(Failure::kTimeout, "timeout"), "retry", "call to ...5678: timeout"},
           {Broken(Failure::kReset, "connection closed"), "retry", "call to ...5678: connection closed"}}) {
    Exchange call = Ask(CallOf("to: ['+4917012345678']", {GoldenAlert(false)}), {c.answer});
    BOOST_TEST(Name(call.outcome.verdict) == c.verdict);
    BOOST_TEST(call.outcome.error == c.error);
    BOOST_TEST((call.outcome.retry_after == c.answer.retry_after));
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(twilio_sms)

BOOST_AUTO_TEST_CASE(goes_to_every_number_with_a_link) {
  Notification n = CallOf("method: sms, to: ['+4917012345678', '+4917012345679']", {GoldenAlert(false)});
  Exchange sms = Ask(n, {Answer(201, "{}"), Answer(201, "{}")});
  BOOST_REQUIRE(sms.calls.size() == 2U);
  BOOST_TEST(sms.calls[0].url == "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json");
  BOOST_TEST(Field(sms.calls[0], "To") == "+4917012345678");
  BOOST_TEST(Field(sms.calls[1], "To") == "+4917012345679");
  const std::string body = Field(sms.calls[0], "Body");
  BOOST_TEST(body.starts_with("[P0] A: x<1 Acknowledge: https://alerts.example.com/ml/act/"), body);
  auto token = VerifyToken(body.substr(body.find("/act/") + 5), TokenPurpose::kLink, Links()->key,
                           At("2026-01-02T03:05:00Z"));
  BOOST_REQUIRE(token.has_value());
  BOOST_TEST((token->targets == std::vector<TokenTarget>{{7, 3}}));
  BOOST_TEST(token->recipient == "all");
  BOOST_TEST(Name(sms.outcome.verdict) == "sent");
  BOOST_TEST(sms.outcome.error.empty());
}

std::string SmsOf(const std::string& more, const std::string& summary) {
  return Field(Ask(CallOf("method: sms, to: ['+4917012345678']" + more,
                          {MakeAlert({{"alertname", "Down"}}, {{"summary", summary}})}),
                   {Answer(201)})
                   .calls.at(0),
               "Body");
}

BOOST_AUTO_TEST_CASE(a_long_summary_is_cut_and_the_link_is_not) {
  for (const char* letter : {"y", "\xE6\xBC\xA2", "y "}) {
    for (int count : {1400, 1500, 1560, 1600, 9000}) {
      std::string summary;
      for (int i = 0; i < count; ++i) {
        summary += letter;
      }
      const std::string body = SmsOf("", summary);
      BOOST_TEST(tmpl::RuneCount(body) <= 1600U);
      BOOST_TEST(tmpl::RuneCount(body) >= 1500U);
      const size_t at = body.find(" Acknowledge: https://alerts.example.com/ml/act/");
      BOOST_REQUIRE_MESSAGE(at != std::string::npos, body);
      BOOST_TEST(VerifyToken(body.substr(body.find("/act/") + 5), TokenPurpose::kLink, Links()->key,
                             At("2026-01-02T03:05:00Z"))
                     .has_value());
      BOOST_TEST(body.starts_with("[FIRING] Down: "), body);
    }
  }
}

BOOST_AUTO_TEST_CASE(links_between_long_texts_all_stay) {
  const std::string body = SmsOf(
      ", message: 'ack {{ .AcknowledgeURL }} {{ .CommonAnnotations.summary }} snooze {{ .SnoozeURL }} "
      "{{ .CommonAnnotations.summary }}'",
      std::string(3000, 'x'));
  BOOST_TEST(tmpl::RuneCount(body) <= 1600U);
  BOOST_TEST(body.starts_with("ack https://alerts.example.com/ml/act/"), body);
  BOOST_TEST(body.find(" snooze https://alerts.example.com/ml/act/") != std::string::npos, body);
  for (size_t at = body.find("/act/"); at != std::string::npos; at = body.find("/act/", at + 1)) {
    BOOST_TEST(VerifyToken(body.substr(at + 5, body.find_first_of(" ", at) - at - 5), TokenPurpose::kLink,
                           Links()->key, At("2026-01-02T03:05:00Z"))
                   .has_value());
  }
  // More links than there is room for: whole ones, and no half one.
  const std::string many = SmsOf(
      ", message: '{{ range $i := (stringSlice \"a\" \"b\" \"c\" \"d\" \"e\" \"f\" \"g\" \"h\" \"i\" "
      "\"j\" \"k\" \"l\" \"m\" \"n\" \"o\" \"p\") }}{{ $.AcknowledgeURL }} {{ end }}'",
      "x");
  BOOST_TEST(tmpl::RuneCount(many) <= 1600U);
}

BOOST_AUTO_TEST_CASE(tells_of_the_end_and_of_who_took_it_without_a_link) {
  Notification end = CallOf("method: sms, send_resolved: true, to: ['+4917012345678']", {GoldenAlert(true)},
                            NotifyReason::kAllResolved);
  BOOST_TEST(Field(Ask(end, {Answer(201)}).calls.at(0), "Body") == "[RESOLVED] A: x<1");
  Notification taken =
      CallOf("method: sms, to: ['+4917012345678']", {GoldenAlert(false)}, NotifyReason::kAcknowledged);
  taken.acknowledged_by = "Ann";
  BOOST_TEST(Field(Ask(taken, {Answer(201)}).calls.at(0), "Body").find("Acknowledged by Ann") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_messaging_service_stands_in_its_own_field) {
  ConfigPtr config = ConfigWith(
      "  twilio_configs:\n  - {account_sid: AC1, auth_token: t, from: MG00000000000000000000000000000000, "
      "method: sms, "
      "to: ['+4917012345678']}");
  Notification n = MakeNotification(config, IntegrationKind::kTwilio, {GoldenAlert(false)});
  Exchange sms = Ask(n, {Answer(201)});
  BOOST_TEST(Field(sms.calls.at(0), "MessagingServiceSid") == "MG00000000000000000000000000000000");
  BOOST_TEST(Field(sms.calls.at(0), "From").empty());
}

BOOST_AUTO_TEST_CASE(a_number_that_cannot_be_told_does_not_hold_the_others_up) {
  Notification n = CallOf("method: sms, to: ['+4917012345678', '+4917012345679']", {GoldenAlert(false)});
  Exchange sms = Ask(n, {Answer(400, R"({"code":21610,"message":"unsubscribed"})"), Answer(201)});
  BOOST_TEST(Name(sms.outcome.verdict) == "sent");
  BOOST_TEST(sms.outcome.error.find("...5678: unexpected status code 400: 21610: unsubscribed") !=
             std::string::npos);
  Exchange nobody = Ask(n, {Answer(400, "{}"), Answer(400, "{}")});
  BOOST_TEST(Name(nobody.outcome.verdict) == "failed");
}

BOOST_AUTO_TEST_CASE(a_retry_tells_only_who_was_not_told) {
  Notification n =
      CallOf("method: sms, to: ['+4917012345678', '+4917012345679', '+4917012345670']", {GoldenAlert(false)});
  auto caches = std::make_shared<ReceiverCaches>();
  HttpResult busy = Answer(429, "{}");
  busy.retry_after = std::chrono::seconds(3);
  Exchange first = Ask(n, {Answer(201), busy, Answer(201)}, caches);
  BOOST_TEST(Name(first.outcome.verdict) == "retry");
  BOOST_TEST((first.outcome.retry_after == std::chrono::seconds(3)));
  Exchange second = Ask(n, {Answer(201)}, caches);
  BOOST_REQUIRE(second.calls.size() == 1U);
  BOOST_TEST(Field(second.calls[0], "To") == "+4917012345679");
  BOOST_TEST(Name(second.outcome.verdict) == "sent");
}

BOOST_AUTO_TEST_CASE(errors_hold_neither_token_nor_number) {
  Notification n = CallOf("method: sms, to: ['+4917012345678']", {GoldenAlert(false)});
  Exchange sms = Ask(n, {Answer(401, R"({"code":20003,"message":"bad t0ken-secret"})")});
  BOOST_TEST(sms.outcome.error.find("t0ken-secret") == std::string::npos, sms.outcome.error);
  BOOST_TEST(sms.outcome.error.find("+4917012345678") == std::string::npos, sms.outcome.error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
