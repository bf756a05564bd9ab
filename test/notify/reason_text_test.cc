// What people read of the reasons that Alertmanager does not have, where they have no texts of their own.
#include "net/smtp_mail.h"
#include "notify/exchange.h"
#include "notify/form_field.h"

namespace mlalert::testing {
namespace {

constexpr const char* kPlain = "[FIRING:1] A eu (critical)";

struct {
  NotifyReason reason;
  const char* title;
} const kOurs[] = {{NotifyReason::kRaised, "[FIRING:1, SEVERITY RAISED] A eu (critical)"},
                   {NotifyReason::kFlapping, "[FIRING:1, FLAPPING] A eu (critical)"},
                   {NotifyReason::kSettled, "[FIRING:1, FLAPPING ENDED] A eu (critical)"},
                   {NotifyReason::kEscalated, "[FIRING:1, ESCALATED] A eu (critical)"},
                   {NotifyReason::kUnacknowledged, "[FIRING:1, UNACKNOWLEDGED] A eu (critical)"},
                   {NotifyReason::kDigest, "[FIRING:1, DIGEST] A eu (critical)"},
                   {NotifyReason::kAcknowledged, "[ACKNOWLEDGED] A eu (critical)"}};

constexpr NotifyReason kUpstreams[] = {NotifyReason::kFirst, NotifyReason::kNewAlerts,
                                       NotifyReason::kSomeResolved, NotifyReason::kRepeat};

Notification Of(const std::string& integrations, IntegrationKind kind, NotifyReason reason,
                bool resolved = false) {
  return MakeNotification(
      ConfigWith(integrations, "global: {smtp_smarthost: '127.0.0.1:25', smtp_from: am@x.org}"), kind,
      {GoldenAlert(resolved)}, reason);
}

std::string SlackTitle(NotifyReason reason, const std::string& more = "", bool resolved = false) {
  const Json body =
      BuildJson(Of("  slack_configs:\n  - {api_url: 'http://127.0.0.1/slack', channel: '#a'" + more + "}",
                   IntegrationKind::kSlack, reason, resolved));
  return body.Find("attachments")->AsArray().at(0).GetString("title");
}

std::string PagerdutySummary(NotifyReason reason, const std::string& more = "") {
  const Json body = BuildJson(
      Of("  pagerduty_configs:\n  - {routing_key: k" + more + "}", IntegrationKind::kPagerduty, reason));
  return body.Find("payload")->GetString("summary");
}

std::string MailSubject(NotifyReason reason, const std::string& more = "") {
  HttpResult accepted;
  accepted.status = 250;
  Exchange e =
      Run(Of("  email_configs:\n  - {to: a@x.org" + more + "}", IntegrationKind::kEmail, reason), {accepted});
  BOOST_REQUIRE_MESSAGE(e.build_error.empty(), e.build_error);
  const std::string& mail = e.calls.at(0).smtp->message;
  const size_t at = mail.find("Subject: ") + 9;
  return mail.substr(at, mail.find("\r\n", at) - at);
}

std::string TelegramText(NotifyReason reason) {
  return BuildJson(
             Of("  telegram_configs:\n  - {bot_token: t, chat_id: 1}", IntegrationKind::kTelegram, reason))
      .GetString("text");
}

std::string WebexText(NotifyReason reason) {
  return BuildJson(Of("  webex_configs:\n  - {room_id: r, http_config: {authorization: {credentials: c}}}",
                      IntegrationKind::kWebex, reason))
      .GetString("markdown");
}

std::string SpokenText(NotifyReason reason) {
  const Notification n =
      Of("  twilio_configs:\n  - {account_sid: AC1, auth_token: t0ken-secret, from: '+14155550100', to: "
         "'+4917012345678'}",
         IntegrationKind::kTwilio, reason);
  return RenderText(n, n.receiver->twilio_configs.at(0).message);
}

std::string SmsText(NotifyReason reason) {
  Exchange e = Run(Of("  twilio_configs:\n  - {account_sid: AC1, auth_token: t0ken-secret, method: sms, "
                      "from: '+14155550100', to: '+4917012345678'}",
                      IntegrationKind::kTwilio, reason),
                   {Answer(201, R"({"sid":"SM1","status":"queued"})")});
  BOOST_REQUIRE_MESSAGE(e.build_error.empty(), e.build_error);
  return FieldOf(e.calls.at(0).body, "Body");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reason_text)

BOOST_AUTO_TEST_CASE(titles_say_what_only_we_tell) {
  for (const auto& c : kOurs) {
    BOOST_TEST_CONTEXT(ToString(c.reason)) {
      BOOST_TEST(SlackTitle(c.reason) == c.title);
      BOOST_TEST(MailSubject(c.reason) == c.title);
      if (c.reason != NotifyReason::kAcknowledged) {  // an acknowledge event has its own summary
        BOOST_TEST(PagerdutySummary(c.reason) == c.title);
      }
    }
  }
  BOOST_TEST(SlackTitle(NotifyReason::kDigest, "", true) == "[RESOLVED, DIGEST] A eu (critical)");
}

BOOST_AUTO_TEST_CASE(messages_without_a_title_begin_with_it) {
  BOOST_TEST(TelegramText(NotifyReason::kFlapping).starts_with("FLAPPING\n"),
             TelegramText(NotifyReason::kFlapping));
  BOOST_TEST(WebexText(NotifyReason::kSettled).starts_with("FLAPPING ENDED\nx"),
             WebexText(NotifyReason::kSettled));
  BOOST_TEST(SmsText(NotifyReason::kFlapping).starts_with("[P0, FLAPPING] A: x<1"),
             SmsText(NotifyReason::kFlapping));
  BOOST_TEST(SmsText(NotifyReason::kFirst).starts_with("[P0] A: x<1"));
}

BOOST_AUTO_TEST_CASE(calls_say_why_after_how_severe) {
  const struct {
    NotifyReason reason;
    std::string says;
  } cases[] = {{NotifyReason::kFirst, "Severity P0. A. "},
               {NotifyReason::kNewAlerts, "Severity P0. New alerts. A. "},
               {NotifyReason::kRaised, "Severity P0. Severity raised. A. "},
               {NotifyReason::kEscalated, "Severity P0. Escalated. A. "},
               {NotifyReason::kRepeat, "Severity P0. Repeated. A. "},
               {NotifyReason::kUnacknowledged, "Severity P0. Not acknowledged any more. A. "},
               {NotifyReason::kFlapping, "Severity P0. Flapping. A. "},
               {NotifyReason::kSettled, "Severity P0. Flapping ended. A. "}};
  for (const auto& c : cases) {
    BOOST_TEST(SpokenText(c.reason).starts_with(c.says), SpokenText(c.reason));
  }
}

BOOST_AUTO_TEST_CASE(the_end_of_flapping_is_named_when_it_is_over_as_well) {
  Notification n = Of("  slack_configs:\n  - {api_url: 'http://127.0.0.1/slack', channel: '#a'}",
                      IntegrationKind::kSlack, NotifyReason::kAllResolved, true);
  n.after_flapping = true;
  BOOST_TEST(BuildJson(n).Find("attachments")->AsArray().at(0).GetString("title") ==
             "[RESOLVED, FLAPPING ENDED] A eu (critical)");
}

BOOST_AUTO_TEST_CASE(what_alertmanager_tells_too_is_told_in_its_words) {
  const std::string telegram = TelegramText(NotifyReason::kFirst);
  const std::string webex = WebexText(NotifyReason::kFirst);
  BOOST_TEST(webex.starts_with("x<1"), webex);
  for (const NotifyReason reason : kUpstreams) {
    BOOST_TEST_CONTEXT(ToString(reason)) {
      BOOST_TEST(SlackTitle(reason) == kPlain);
      BOOST_TEST(PagerdutySummary(reason) == kPlain);
      BOOST_TEST(MailSubject(reason) == kPlain);
      BOOST_TEST(TelegramText(reason) == telegram);
      BOOST_TEST(WebexText(reason) == webex);
    }
  }
  BOOST_TEST(SlackTitle(NotifyReason::kAllResolved, "", true) == "[RESOLVED] A eu (critical)");
}

BOOST_AUTO_TEST_CASE(a_text_of_the_users_own_is_left_alone_and_can_ask_for_the_reason) {
  BOOST_TEST(SlackTitle(NotifyReason::kFlapping, ", title: 'Mine {{ .CommonLabels.alertname }}'") ==
             "Mine A");
  BOOST_TEST(PagerdutySummary(NotifyReason::kFlapping, ", description: Mine") == "Mine");
  BOOST_TEST(MailSubject(NotifyReason::kSettled, ", headers: {Subject: Mine}") == "Mine");
  BOOST_TEST(
      SlackTitle(NotifyReason::kSettled,
                 R"(, title: '{{ if eq .NotificationReason "flapping ended" }}calm{{ else }}?{{ end }}')") ==
      "calm");
}

BOOST_AUTO_TEST_CASE(the_title_of_a_map_that_has_no_reason_is_rendered) {
  const Notification n =
      Of("  webhook_configs: [{url: 'http://x/'}]", IntegrationKind::kWebhook, NotifyReason::kFlapping);
  BOOST_TEST(RenderText(n, R"({{ template "__mlalert_reason" dict "a" 1 }}.)") == ".");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
