// What the templates that ship print: byte for byte as Alertmanager's.
#include <fmt/format.h>

#include "notify/fixture.h"

namespace mlalert::testing {
namespace {

Notification Sample(std::vector<NotifiedAlert> alerts) {
  return MakeNotification(ConfigWith("  webhook_configs: [{url: 'http://x/'}]"), IntegrationKind::kWebhook,
                          std::move(alerts));
}

// An alert N{a="1"} with one annotation, as the tables below name it.
NotifiedAlert Item(bool resolved) {
  NotifiedAlert out = MakeAlert({{"alertname", "N"}, {"a", "1"}}, {{"s", "x"}}, resolved);
  out.alert.generator_url = "U";
  return out;
}

std::string Default(const Notification& n, std::string_view name, bool html = false) {
  return RenderText(n, fmt::format("{{{{ template \"{}\" . }}}}", name), html);
}

constexpr std::string_view kItem = "Labels:\n - alertname = N\n - a = 1\nAnnotations:\n - s = x\nSource: U\n";
constexpr std::string_view kMarkdownItem =
    "\nLabels:\n  - alertname = N\n  - a = 1\n\nAnnotations:\n  - s = x\n\nSource: U\n";

struct Body {
  std::vector<std::string_view> names;
  std::string firing, resolved, both;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(default_template_texts)

BOOST_AUTO_TEST_CASE(bodies_keep_their_blank_lines) {
  const std::string l(kItem);
  const std::string m(kMarkdownItem);
  const std::string url = "http://am.example.org/#/alerts?receiver=all";
  const std::vector<Body> bodies{
      {{"opsgenie.default.description", "victorops.default.state_message"},
       "x\nAlerts Firing:\n" + l + "\n",
       "x\n\nAlerts Resolved:\n" + l,
       "x\nAlerts Firing:\n" + l + "\nAlerts Resolved:\n" + l},
      {{"wechat.default.message"},
       "[FIRING:1] N (1)\nx\nAlerts Firing:\n" + l + "\n\nAlertmanagerUrl:\n" + url,
       "[RESOLVED] N (1)\nx\n\nAlerts Resolved:\n" + l + "\nAlertmanagerUrl:\n" + url,
       "[FIRING:1] N (1)\nx\nAlerts Firing:\n" + l + "\nAlerts Resolved:\n" + l + "\nAlertmanagerUrl:\n" +
           url},
      {{"pushover.default.message", "sns.default.message", "webex.default.message"},
       "x\n\nAlerts Firing:\n" + l + "\n\n\n",
       "x\n\n\nAlerts Resolved:\n" + l + "\n\n",
       "x\n\nAlerts Firing:\n" + l + "\n\n\nAlerts Resolved:\n" + l + "\n\n"},
      {{"telegram.default.message", "discord.default.message"},
       "\n\nAlerts Firing:\n" + l + "\n\n\n",
       "\n\n\nAlerts Resolved:\n" + l + "\n\n",
       "\n\nAlerts Firing:\n" + l + "\n\n\nAlerts Resolved:\n" + l + "\n\n"},
      {{"msteams.default.text", "msteamsv2.default.text", "jira.default.description",
        "mattermost.default.text"},
       "\n\n# Alerts Firing:\n" + m + "\n\n\n\n",
       "\n\n\n# Alerts Resolved:\n" + m + "\n\n\n",
       "\n\n# Alerts Firing:\n" + m + "\n\n\n\n# Alerts Resolved:\n" + m + "\n\n\n"}};
  for (const Body& body : bodies) {
    for (std::string_view name : body.names) {
      BOOST_TEST_CONTEXT(name) {
        for (const auto& [alerts, want] : {std::pair(std::vector{Item(false)}, body.firing),
                                           std::pair(std::vector{Item(true)}, body.resolved),
                                           std::pair(std::vector{Item(false), Item(true)}, body.both)}) {
          Notification n = Sample(alerts);
          n.group_labels = LabelSet::From({{"alertname", "N"}});
          BOOST_TEST(Default(n, name) == want);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(short_texts) {
  Notification n = Sample({GoldenAlert(false)});
  const std::string title = "[FIRING:1] A eu (critical)";
  const std::string url = "http://am.example.org/#/alerts?receiver=all";
  const std::vector<std::pair<std::vector<std::string_view>, std::string>> groups{
      {{"slack.default.title", "pagerduty.default.description", "opsgenie.default.message",
        "victorops.default.entity_display_name", "pushover.default.title", "sns.default.subject",
        "discord.default.title", "msteams.default.title", "msteams.default.summary",
        "msteamsv2.default.title", "jira.default.summary", "rocketchat.default.title",
        "mattermost.default.title", "email.default.subject"},
       title},
      {{"slack.default.titlelink", "pagerduty.default.clientURL", "opsgenie.default.source",
        "pushover.default.url", "rocketchat.default.titlelink", "mattermost.default.titlelink"},
       url},
      {{"slack.default.username", "pagerduty.default.client", "victorops.default.monitoring_tool",
        "rocketchat.default.alias", "mattermost.default.username"},
       "Alertmanager"},
      {{"slack.default.fallback", "mattermost.default.fallback"}, title + " | " + url},
      {{"slack.default.color", "mattermost.default.color"}, "danger"},
      {{"__description", "slack.default.pretext", "slack.default.text", "slack.default.iconemoji",
        "slack.default.iconurl", "slack.default.callbackid", "slack.default.footer",
        "rocketchat.default.emoji", "rocketchat.default.iconurl", "rocketchat.default.text",
        "wechat.default.to_user", "wechat.default.to_party", "wechat.default.to_tag",
        "wechat.default.agent_id", "discord.default.content"},
       ""}};
  for (const auto& [names, want] : groups) {
    for (std::string_view name : names) {
      BOOST_TEST_CONTEXT(name) {
        BOOST_TEST(Default(n, name) == want);
      }
    }
  }
  BOOST_TEST(Default(Sample({GoldenAlert(true)}), "slack.default.color") == "good");
}

BOOST_AUTO_TEST_CASE(jira_priority_is_that_of_the_worst_firing_alert) {
  auto alert = [](std::string_view severity, bool resolved = false) {
    return MakeAlert({{"alertname", "A"}, {"severity", severity}}, {}, resolved);
  };
  BOOST_TEST(Default(Sample({alert("info"), alert("critical"), alert("warning")}), "jira.default.priority") ==
             "High");
  BOOST_TEST(Default(Sample({alert("info"), alert("warning")}), "jira.default.priority") == "Medium");
  BOOST_TEST(Default(Sample({alert("info"), alert("critical", true)}), "jira.default.priority") == "Low");
  BOOST_TEST(Default(Sample({alert("page"), alert("critical", true)}), "jira.default.priority") == "High");
  BOOST_TEST(Default(Sample({alert("page")}), "jira.default.priority") == "");
}

// The bodies of the mails that Alertmanager 0.33.1 sent for these alerts.
BOOST_AUTO_TEST_CASE(html_mail) {
  BOOST_TEST(Default(Sample({GoldenAlert(false)}), "email.default.html", true) ==
             ReadGolden("email_firing.html"));
  BOOST_TEST(Default(Sample({GoldenAlert(true)}), "email.default.html", true) ==
             ReadGolden("email_resolved.html"));
}

BOOST_AUTO_TEST_CASE(html_telegram_message) {
  BOOST_TEST(
      Default(Sample({GoldenAlert(false)}), "telegram.default.message", true) ==
      "\n\nAlerts Firing:\nLabels:\n - alertname = A\n - cluster = eu\n - severity = critical\nAnnotations:\n"
      " - summary = x&lt;1\nSource: http://p/g?a=1&amp;b=2\n\n\n\n");
}

BOOST_AUTO_TEST_CASE(html_errors_are_those_of_the_rendering) {
  Notification n = Sample({GoldenAlert(false)});
  BOOST_TEST(RenderText(n, "<a href='{{ .Status }}", true) ==
             "html/template: ends in a non-text context: {stateURL delimSingleQuote urlPartNone jsCtxRegexp "
             "attrURL elementNone <nil>}");
  BOOST_TEST(RenderText(n, "<b>{{ .Nope }}</b>", true) ==
             "template: :1:6: executing \"\" at <.Nope>: can't evaluate field Nope in type *template.Data");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
