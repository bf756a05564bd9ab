#include "notify/receiver_texts.h"

#include "notify/fixture.h"

namespace mlalert::testing {
namespace {

// What Load() has to say about the receiver.
std::vector<std::string> WarningsOf(const Receiver& receiver) {
  FakeFiles files;
  std::vector<std::string> out;
  auto templates = Must(NotifyTemplates::Load(ConfigOf(receiver), files.Access()));
  for (const Error& error : templates->warnings()) {
    out.push_back(error.message);
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(receiver_texts)

BOOST_AUTO_TEST_CASE(every_kind_is_visited) {
  const std::string bad = "{{ nope }}";
  Receiver r;
  r.webhook_configs.emplace_back().payload = Must(ParseJson(R"({"a": [{"{{ nope }}": "{{ nope }}"}]})"));
  r.email_configs.emplace_back().headers["Subject"] = bad;
  r.email_configs[0].html = bad;
  r.pagerduty_configs.emplace_back().details["d"] = Must(ParseJson(R"({"x": ["{{ nope }}"]})"));
  r.opsgenie_configs.emplace_back().responders.emplace_back().username = bad;
  r.wechat_configs.emplace_back().agent_id = bad;
  r.slack_configs.emplace_back().actions.emplace_back().confirm.emplace().ok_text = bad;
  r.victorops_configs.emplace_back().custom_fields["f"] = bad;
  r.pushover_configs.emplace_back().message = bad;
  r.sns_configs.emplace_back().attributes["k"] = bad;
  r.telegram_configs.emplace_back().message = bad;
  r.discord_configs.emplace_back().content = bad;
  r.webex_configs.emplace_back().room_id = bad;
  r.msteams_configs.emplace_back().summary = bad;
  r.msteamsv2_configs.emplace_back().text = bad;
  r.jira_configs.emplace_back().labels.push_back(bad);
  r.jira_configs[0].fields["f"] = Must(ParseJson(R"({"value": "{{ nope }}"})"));
  r.rocketchat_configs.emplace_back().actions.emplace_back().msg = bad;
  r.incidentio_configs.emplace_back();
  r.mattermost_configs.emplace_back().attachments.emplace_back().fields.emplace_back().value = bad;
  r.mattermost_configs[0].props_card = bad;

  const std::string why = ": template: :1: function \"nope\" not defined";
  const std::vector<std::string> want{
      "receiver all: webhook_configs[0].payload.a[0].{{ nope }}" + why,
      "receiver all: webhook_configs[0].payload.a[0].{{ nope }}" + why,
      "receiver all: email_configs[0].headers.Subject" + why,
      "receiver all: email_configs[0].html" + why,
      "receiver all: pagerduty_configs[0].details.d.x[0]" + why,
      "receiver all: opsgenie_configs[0].responders[0].username" + why,
      "receiver all: wechat_configs[0].agent_id" + why,
      "receiver all: slack_configs[0].actions[0].confirm.ok_text" + why,
      "receiver all: victorops_configs[0].custom_fields.f" + why,
      "receiver all: pushover_configs[0].message" + why,
      "receiver all: sns_configs[0].attributes.k" + why,
      "receiver all: telegram_configs[0].message" + why,
      "receiver all: discord_configs[0].content" + why,
      "receiver all: webex_configs[0].room_id" + why,
      "receiver all: msteams_configs[0].summary" + why,
      "receiver all: msteamsv2_configs[0].text" + why,
      "receiver all: jira_configs[0].labels[0]" + why,
      "receiver all: jira_configs[0].fields.f.value" + why,
      "receiver all: rocketchat_configs[0].actions[0].msg" + why,
      "receiver all: mattermost_configs[0].attachments[0].fields[0].value" + why,
      "receiver all: mattermost_configs[0].props.card" + why,
  };
  BOOST_TEST(WarningsOf(r) == want, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(secrets_are_not_quoted) {
  const Secret bad("TOKEN{{ nope }}");
  Receiver r;
  r.webhook_configs.emplace_back().url = bad;
  r.pagerduty_configs.emplace_back().service_key = bad;
  r.opsgenie_configs.emplace_back().api_key = bad;
  r.wechat_configs.emplace_back().api_secret = bad;
  r.pushover_configs.emplace_back().token = bad;
  r.pushover_configs[0].user_key = bad;
  std::vector<std::string> warnings = WarningsOf(r);
  BOOST_TEST(warnings.size() == 6u);
  for (const std::string& warning : warnings) {
    BOOST_TEST(warning.find("details hidden") != std::string::npos, warning);
  }
}

BOOST_AUTO_TEST_CASE(html_is_only_what_is_rendered_as_html) {
  Receiver r;
  r.email_configs.emplace_back();
  r.telegram_configs.emplace_back().parse_mode = "HTML";
  r.telegram_configs.emplace_back().parse_mode = "MarkdownV2";
  r.pushover_configs.emplace_back().html = true;
  r.pushover_configs.emplace_back();
  std::vector<std::string> html;
  VisitTexts(r, [&](const ReceiverText& text) {
    if (text.html) {
      html.emplace_back(text.where);
    }
  });
  const std::vector<std::string> want{"email_configs[0].html", "pushover_configs[0].message",
                                      "telegram_configs[0].message"};
  BOOST_TEST(html == want, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
