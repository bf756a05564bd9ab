// Links in texts and buttons under Slack messages: what they say, to whom they belong, and when there are
// none.
#include "notify/action_links.h"

#include "notify/exchange.h"
#include "notify/slack_buttons.h"

namespace mlalert::testing {
namespace {

const Timestamp kNow = At("2026-01-02T03:05:00Z");

ActionLinksPtr Links(std::string key = "0123456789abcdef0123456789abcdef") {
  auto out = std::make_shared<ActionLinks>();
  out->key = std::move(key);
  out->base_url = "https://alerts.example.com/ml";
  out->expires_at = kNow + std::chrono::hours(24);
  return out;
}

NotifiedAlert AlertOfIncident(const char* name, IncidentId id, int64_t generation, bool resolved = false) {
  NotifiedAlert out = MakeAlert({{"alertname", name}}, {}, resolved);
  out.incident_id = id;
  out.generation = generation;
  return out;
}

std::string Rendered(std::vector<NotifiedAlert> alerts, const std::string& text, ActionLinksPtr links) {
  Notification n = MakeNotification(ConfigWith("  webhook_configs: [{url: 'http://h'}]"),
                                    IntegrationKind::kWebhook, std::move(alerts));
  FakeFiles files;
  FileAccess access = files.Access();
  auto templates = Must(NotifyTemplates::Load(n.config, access));
  ReceiverContext context{.templates = *templates, .files = access, .now = kNow, .links = std::move(links)};
  TemplateData data = DataFor(n, context);
  Renderer render(context, data);
  std::string out = render(text);
  BOOST_REQUIRE_MESSAGE(render.ok(), render.status().error().message);
  return out;
}

ActionToken TokenIn(const std::string& url) {
  const std::string prefix = "https://alerts.example.com/ml/act/";
  BOOST_REQUIRE_MESSAGE(url.starts_with(prefix), url);
  return Must(VerifyToken(url.substr(prefix.size()), TokenPurpose::kLink, Links()->key, kNow));
}

constexpr const char* kSlack =
    "  slack_configs:\n  - {api_url: 'http://127.0.0.1/slack', channel: '#c', buttons: ";
constexpr const char* kInbound = "inbound: {slack: {signing_secret: s}}";

Json SlackBody(bool buttons, std::vector<NotifiedAlert> alerts, ActionLinksPtr links,
               NotifyReason reason = NotifyReason::kFirst) {
  Notification n =
      MakeNotification(ConfigWith(std::string(kSlack) + (buttons ? "true}" : "false}"), kInbound),
                       IntegrationKind::kSlack, std::move(alerts), reason);
  ExchangeSetting setting;
  setting.links = std::move(links);
  return Must(ParseJson(Run(n, {Answer(200, "ok")}, setting).calls.at(0).body));
}

// All buttons below a message.
Json::Array Elements(const Json& body) {
  Json::Array out;
  for (const Json& block : body.Find("attachments")->AsArray().at(1).Find("blocks")->AsArray()) {
    if (const Json* elements = block.Find("elements")) {
      out.insert(out.end(), elements->AsArray().begin(), elements->AsArray().end());
    }
  }
  return out;
}

std::vector<std::string> Names(const Json::Array& elements) {
  std::vector<std::string> out;
  for (const Json& element : elements) {
    out.push_back(element.GetString("action_id"));
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(action_links)

BOOST_AUTO_TEST_CASE(of_a_notification_act_on_everything_that_fires) {
  std::vector<NotifiedAlert> alerts = {AlertOfIncident("A", 7, 3), AlertOfIncident("B", 8, 1),
                                       AlertOfIncident("C", 7, 3), AlertOfIncident("D", 9, 2, true)};
  ActionToken token = TokenIn(Rendered(alerts, "{{ .AcknowledgeURL }}", Links()));
  BOOST_TEST((token.action == TokenAction::kAcknowledge));
  BOOST_TEST((token.targets == std::vector<TokenTarget>{{7, 3}, {8, 1}}));
  BOOST_TEST(token.recipient == "all");
  BOOST_TEST((token.expires_at == kNow + std::chrono::hours(24)));
  BOOST_TEST((TokenIn(Rendered(alerts, "{{ .SnoozeURL }}", Links())).action == TokenAction::kSnooze));
  BOOST_TEST((TokenIn(Rendered(alerts, "{{ .ResolveURL }}", Links())).action == TokenAction::kResolve));
}

BOOST_AUTO_TEST_CASE(feedback_is_about_what_fires_or_when_it_is_over_about_all) {
  const std::pair<const char*, TokenAction> links[] = {{"ActedURL", TokenAction::kActed},
                                                       {"NotActionableURL", TokenAction::kNotActionable},
                                                       {"FalseAlarmURL", TokenAction::kFalseAlarm},
                                                       {"PoorDetailsURL", TokenAction::kPoorDetails}};
  for (const auto& [name, action] : links) {
    const std::string of_all = std::string("{{ .") + name + " }}";
    const std::string of_one = std::string("{{ (index .Alerts 0).") + name + " }}";
    ActionToken token =
        TokenIn(Rendered({AlertOfIncident("A", 7, 3, true), AlertOfIncident("B", 8, 1)}, of_all, Links()));
    BOOST_TEST((token.action == action));
    BOOST_TEST((token.targets == std::vector<TokenTarget>{{8, 1}}));
    const std::vector<NotifiedAlert> over = {AlertOfIncident("A", 7, 3, true),
                                             AlertOfIncident("B", 8, 1, true)};
    BOOST_TEST(
        (TokenIn(Rendered(over, of_all, Links())).targets == std::vector<TokenTarget>{{7, 3}, {8, 1}}));
    BOOST_TEST((TokenIn(Rendered(over, of_one, Links())).targets == std::vector<TokenTarget>{{7, 3}}));
  }
}

BOOST_AUTO_TEST_CASE(of_a_large_group_act_on_all_of_it) {
  std::vector<NotifiedAlert> alerts;
  for (IncidentId id = 300; id > 0; --id) {
    alerts.push_back(AlertOfIncident("A", id, 1));
  }
  BOOST_TEST(TokenIn(Rendered(alerts, "{{ .AcknowledgeURL }}", Links())).targets.size() == 300U);
  const Json::Array buttons = Elements(SlackBody(true, alerts, Links()));
  for (const Json& button : buttons) {
    BOOST_TEST(button.GetString("value").size() <= 2000U);
  }
  ActionToken token =
      Must(VerifyToken(buttons.at(0).GetString("value"), TokenPurpose::kSlack, Links()->key, kNow));
  BOOST_TEST(token.targets.size() == 300U);
  BOOST_TEST(token.more == 0);
}

BOOST_AUTO_TEST_CASE(of_an_alert_act_on_that_alone) {
  std::vector<NotifiedAlert> alerts = {AlertOfIncident("A", 7, 3), AlertOfIncident("B", 8, 1)};
  ActionToken token = TokenIn(Rendered(alerts, "{{ (index .Alerts 1).AcknowledgeURL }}", Links()));
  BOOST_TEST((token.targets == std::vector<TokenTarget>{{8, 1}}));
  BOOST_TEST(Rendered({AlertOfIncident("A", 7, 3, true)}, "{{ (index .Alerts 0).AcknowledgeURL }}", Links())
                 .empty());
}

BOOST_AUTO_TEST_CASE(are_empty_where_there_is_nothing_to_act_on_or_no_key) {
  BOOST_TEST(Rendered({AlertOfIncident("A", 7, 3, true)}, "{{ .AcknowledgeURL }}", Links()).empty());
  BOOST_TEST(Rendered({AlertOfIncident("A", 0, 0)}, "{{ .AcknowledgeURL }}", Links()).empty());
  BOOST_TEST(Rendered({AlertOfIncident("A", 7, 3)}, "{{ .AcknowledgeURL }}", Links("")).empty());
  BOOST_TEST(Rendered({AlertOfIncident("A", 7, 3)}, "{{ .AcknowledgeURL }}", nullptr).empty());
}

BOOST_AUTO_TEST_CASE(do_not_show_in_what_alertmanager_defines) {
  std::string json = Rendered({AlertOfIncident("A", 7, 3)}, "{{ toJson . }}{{ printf \"%v\" . }}", Links());
  BOOST_TEST(json.find("/act/") == std::string::npos, json);
}

BOOST_AUTO_TEST_CASE(keys_come_from_the_config_a_file_or_the_state) {
  FakeFiles files;
  files.texts["/k"] = " 0123456789abcdef\n";
  files.texts["/short"] = "abc\n";
  InboundConfig config;
  BOOST_TEST(Must(LinkKeyOf(config, "generated", files.Access())) == "generated");
  config.links.key = Secret("inline-key-0123456789");
  BOOST_TEST(Must(LinkKeyOf(config, "generated", files.Access())) == "inline-key-0123456789");
  config.links.key_file = "/k";
  BOOST_TEST(Must(LinkKeyOf(config, "generated", files.Access())) == "0123456789abcdef");
  for (const char* bad : {"/short", "/missing"}) {
    config.links.key_file = bad;
    BOOST_TEST(!LinkKeyOf(config, "generated", files.Access()).has_value());
  }
}

BOOST_AUTO_TEST_CASE(a_file_of_secrets_has_one_on_each_line) {
  FakeFiles files;
  files.texts["/s"] = "new\r\n\n  old \n";
  InboundSecrets secrets;
  secrets.file = "/s";
  BOOST_TEST((Must(SecretsOf(secrets, files.Access())) == std::vector<std::string>{"new", "old"}));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(slack_buttons)

BOOST_AUTO_TEST_CASE(stand_in_an_attachment_of_their_own_and_leave_the_first_as_it_was) {
  std::vector<NotifiedAlert> alerts = {AlertOfIncident("A", 7, 3)};
  Json with = SlackBody(true, alerts, Links());
  Json without = SlackBody(false, alerts, Links());
  BOOST_TEST(without.Find("attachments")->AsArray().size() == 1U);
  BOOST_REQUIRE(with.Find("attachments")->AsArray().size() == 2U);
  BOOST_TEST(with.Find("attachments")->AsArray()[0].Dump() ==
             without.Find("attachments")->AsArray()[0].Dump());
  for (const Json& element : Elements(with)) {
    if (element.GetString("action_id") == "mlalert_open") {
      BOOST_TEST(element.GetString("url") == "http://am.example.org/ui/incidents/7");
      continue;
    }
    auto token = Must(VerifyToken(element.GetString("value"), TokenPurpose::kSlack, Links()->key, kNow));
    BOOST_TEST((token.targets == std::vector<TokenTarget>{{7, 3}}));
    BOOST_TEST(token.recipient == "0/all");
    BOOST_TEST("mlalert_" + std::string(ToString(token.action)) == element.GetString("action_id"));
  }
  BOOST_TEST((Names(Elements(with)) ==
              std::vector<std::string>{"mlalert_acknowledge", "mlalert_snooze", "mlalert_resolve",
                                       "mlalert_open", "mlalert_acted", "mlalert_not_actionable",
                                       "mlalert_false_alarm", "mlalert_poor_details"}));
}

BOOST_AUTO_TEST_CASE(make_sense_where_they_stand) {
  // What is over can be judged, and nothing else.
  Json over = SlackBody(true, {AlertOfIncident("A", 7, 3, true)}, Links(), NotifyReason::kAllResolved);
  BOOST_TEST((Names(Elements(over)) ==
              std::vector<std::string>{"mlalert_open", "mlalert_acted", "mlalert_not_actionable",
                                       "mlalert_false_alarm", "mlalert_poor_details"}));
  BOOST_TEST(SlackBody(true, {AlertOfIncident("A", 7, 3)}, nullptr).Find("attachments")->AsArray().size() ==
             1U);
  NotifiedAlert taken = AlertOfIncident("A", 7, 3);
  taken.acknowledged = true;
  Json body = SlackBody(true, {taken}, Links(), NotifyReason::kAcknowledged);
  BOOST_TEST(Elements(body).front().GetString("action_id") == "mlalert_snooze");
}

BOOST_AUTO_TEST_CASE(stay_within_slacks_limits_for_a_large_group) {
  std::vector<NotifiedAlert> alerts;
  for (int i = 0; i < 200; ++i) {
    alerts.push_back(AlertOfIncident("A", 1'000'000'000 + i, 1'000'000));
  }
  for (const Json& element : Elements(SlackBody(true, alerts, Links()))) {
    BOOST_TEST(element.GetString("value").size() <= 2000U);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
