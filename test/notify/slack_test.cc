#include "notify/fixture.h"

namespace mlalert::testing {
namespace {

Notification Slack(const std::string& settings, std::vector<NotifiedAlert> alerts,
                   NotifyReason reason = NotifyReason::kFirst) {
  return MakeNotification(
      ConfigWith("  slack_configs:\n  - {api_url: 'http://127.0.0.1/slack', " + settings + "}"),
      IntegrationKind::kSlack, std::move(alerts), reason);
}

constexpr const char* kGolden =
    "channel: '#c', send_resolved: true, fields: [{title: t, value: v}, {title: t2, value: v2, short: "
    "true}], "
    "actions: [{type: button, text: Go, url: 'http://u'}], message_text: 'mt'";

const Json& Attachment(const Json& body) {
  return body.Find("attachments")->AsArray().at(0);
}

constexpr const char* kUpdating =
    "  slack_configs:\n  - {app_token: xoxb-token-123, app_url: 'https://slack.com/api/chat.postMessage', "
    "channel: '#c', update_message: true}";

}  // namespace

BOOST_AUTO_TEST_SUITE(slack_body)

BOOST_AUTO_TEST_CASE(equals_upstream_byte_for_byte) {
  BOOST_TEST(BuildBody(Slack(kGolden, {GoldenAlert(false)})) == ReadGolden("slack_firing.json"));
  BOOST_TEST(BuildBody(Slack(kGolden, {GoldenAlert(true)}, NotifyReason::kAllResolved)) ==
             ReadGolden("slack_resolved.json"));
  BOOST_TEST(BuildBody(Slack("channel: '#j'", {GoldenAlert(false)})) ==
             ReadGolden("slack_plain_firing.json"));
}

BOOST_AUTO_TEST_CASE(markdown_is_read_in_three_places_unless_others_are_named) {
  Notification n = Slack("channel: x", {GoldenAlert(false)});
  Receiver r = *n.receiver;
  auto places = [&](std::vector<std::string> configured) {
    r.slack_configs[0].mrkdwn_in = std::move(configured);
    Json body = BuildJson(MakeNotification(ConfigOf(r), IntegrationKind::kSlack, {GoldenAlert(false)}));
    return Attachment(body).Find("mrkdwn_in")->Dump();
  };
  BOOST_TEST(places({}) == R"(["fallback","pretext","text"])");
  BOOST_TEST(places({"text"}) == R"(["text"])");
}

BOOST_AUTO_TEST_CASE(every_text_is_templated) {
  std::string body = BuildBody(Slack(
      "channel: '{{ .Status }}1', username: '{{ .Status }}2', color: '{{ .Status }}3', title: '{{ .Status "
      "}}4', "
      "title_link: '{{ .Status }}5', pretext: '{{ .Status }}6', text: '{{ .Status }}7', message_text: "
      "'{{ .Status }}8', fallback: '{{ .Status }}9', callback_id: '{{ .Status }}10', footer: '{{ .Status "
      "}}11', "
      "icon_emoji: '{{ .Status }}12', icon_url: '{{ .Status }}13', image_url: '{{ .Status }}14', thumb_url: "
      "'{{ .Status }}15', link_names: true, short_fields: true, mrkdwn_in: [text], "
      "fields: [{title: '{{ .Status }}16', value: '{{ .Status }}17'}], actions: [{type: '{{ .Status }}18', "
      "text: "
      "'{{ .Status }}19', name: '{{ .Status }}20', value: '{{ .Status }}21', style: '{{ .Status }}22', "
      "confirm: "
      "{text: '{{ .Status }}23', title: '{{ .Status }}24', ok_text: '{{ .Status }}25'}}]",
      {GoldenAlert(false)}));
  const std::string want =
      R"({"channel":"firing1","username":"firing2","icon_emoji":"firing12","icon_url":"firing13",)"
      R"("link_names":true,"text":"firing8","attachments":[{"title":"firing4","title_link":"firing5",)"
      R"("pretext":"firing6","text":"firing7","fallback":"firing9","callback_id":"firing10",)"
      R"("fields":[{"title":"firing16","value":"firing17","short":true}],)"
      R"("actions":[{"type":"firing18","text":"firing19","style":"firing22","name":"firing20",)"
      R"("value":"firing21","confirm":{"text":"firing23","title":"firing24","ok_text":"firing25"}}],)"
      R"("image_url":"firing14","thumb_url":"firing15","footer":"firing11","color":"firing3",)"
      R"("mrkdwn_in":["text"]}]})";
  BOOST_TEST(body == want + "\n");
}

BOOST_AUTO_TEST_CASE(title_is_cut_in_characters) {
  std::string title;
  for (int i = 0; i < 1025; ++i) {
    title += "\xC3\xA9";
  }
  NotifiedAlert alert = MakeAlert({{"alertname", "A"}}, {{"t", title}});
  Json body = BuildJson(Slack("title: '{{ .CommonAnnotations.t }}'", {alert}));
  const std::string& cut = Attachment(body).GetString("title");
  BOOST_TEST(cut.size() == 1023u * 2 + 3);
  BOOST_TEST(cut.ends_with("\xE2\x80\xA6"));
}

BOOST_AUTO_TEST_CASE(a_megabyte_of_text_is_cut_to_what_slack_takes) {
  NotifiedAlert alert = MakeAlert({{"alertname", "A"}}, {{"t", std::string(1 << 20, 'x')}});
  Json body = BuildJson(Slack("text: '{{ .CommonAnnotations.t }}'", {alert}));
  BOOST_TEST(Attachment(body).GetString("text").size() == 40000u - 1 + 3);
}

// As upstream: what a label holds is the alert's author's business, the default title adds no markup.
BOOST_AUTO_TEST_CASE(markup_in_labels_is_passed_as_it_is) {
  NotifiedAlert alert = MakeAlert({{"alertname", "<!channel> & *b*"}});
  Notification n = Slack("channel: x", {alert});
  n.group_labels = alert.alert.labels;
  BOOST_TEST(Attachment(BuildJson(n)).GetString("title") == "[FIRING:1] <!channel> & *b* ");
}

BOOST_AUTO_TEST_CASE(a_broken_text_fails_the_whole_message) {
  BOOST_TEST(BuildError(Slack("title: '{{ .Nope }}'", {GoldenAlert(false)})) ==
             "template: :1:3: executing \"\" at <.Nope>: can't evaluate field Nope in type *template.Data");
  BOOST_TEST(BuildError(Slack("footer: '{{ nope }}'", {GoldenAlert(false)})) ==
             "template: :1: function \"nope\" not defined");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(slack_acknowledged)

BOOST_AUTO_TEST_CASE(says_who_and_what_without_alarm) {
  Notification n =
      Slack(std::string(kGolden) + ", pretext: '<!here>'", {GoldenAlert(false)}, NotifyReason::kAcknowledged);
  n.acknowledged_by = "alice <a@x>";
  n.acknowledge_comment = "retraining & <!channel>";
  Json body = BuildJson(n);
  const Json& attachment = Attachment(body);
  BOOST_TEST(attachment.GetString("title") == "[ACKNOWLEDGED] A eu (critical)");
  BOOST_TEST(attachment.GetString("fallback") ==
             "[ACKNOWLEDGED] A eu (critical) | http://am.example.org/#/alerts?receiver=all");
  BOOST_TEST(attachment.GetString("text") ==
             "Acknowledged by alice &lt;a@x&gt;: retraining &amp; &lt;!channel&gt;");
  BOOST_TEST(attachment.GetString("color") == "warning");
  BOOST_TEST((attachment.Find("pretext") == nullptr));
  BOOST_TEST((body.Find("text") == nullptr));
  BOOST_TEST(body.GetString("channel") == "#c");
}

BOOST_AUTO_TEST_CASE(title_of_another_shape_is_kept) {
  Notification n = Slack("title: 'Drift'", {GoldenAlert(false)}, NotifyReason::kAcknowledged);
  BOOST_TEST(Attachment(BuildJson(n)).GetString("title") == "[ACKNOWLEDGED] Drift");
  BOOST_TEST(Attachment(BuildJson(n)).GetString("text") == "Acknowledged by somebody");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(slack_target)

BOOST_AUTO_TEST_CASE(url_comes_from_its_file) {
  Notification n =
      MakeNotification(ConfigWith("  slack_configs:\n  - {api_url_file: /keys/slack, channel: x}"),
                       IntegrationKind::kSlack, {GoldenAlert(false)});
  FakeFiles files;
  files.texts["/keys/slack"] = "https://hooks.slack.com/services/T/B/x\n";
  BOOST_TEST(Build(n, files)->call.url == "https://hooks.slack.com/services/T/B/x");
  BOOST_TEST(BuildError(n) == "read api_url_file: /keys/slack: no such file");
  files.texts["/keys/slack"] = " \n";
  BOOST_TEST(BuildError(n, files) == "/keys/slack is empty");
}

BOOST_AUTO_TEST_CASE(a_known_message_is_updated_in_place) {
  Notification n = MakeNotification(ConfigWith(kUpdating), IntegrationKind::kSlack, {GoldenAlert(false)});
  auto prepared = Build(n);
  BOOST_REQUIRE(prepared.has_value());
  BOOST_TEST(prepared->call.url == "https://slack.com/api/chat.postMessage");
  n.receiver_data = R"({"threadTs":"1.5","channelId":"C9"})";
  prepared = Build(n);
  BOOST_TEST(prepared->call.url == "https://slack.com/api/chat.update");
  BOOST_TEST(prepared->call.body.starts_with(R"({"channel":"C9","ts":"1.5","username")"));
}

BOOST_AUTO_TEST_CASE(foreign_receiver_data_posts_a_new_message) {
  Notification n = MakeNotification(ConfigWith(kUpdating), IntegrationKind::kSlack, {GoldenAlert(false)});
  for (const char* data : {"{", "[]", "{}", R"({"threadTs":"1.5"})", R"({"threadTs":1,"channelId":"C"})"}) {
    n.receiver_data = data;
    BOOST_TEST(Build(n)->call.url == "https://slack.com/api/chat.postMessage");
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(slack_answer)

BOOST_AUTO_TEST_CASE(verdict_table) {
  struct Case {
    HttpResult answer;
    const char* verdict;
    const char* error;
  };
  const char* json = "application/json; charset=utf-8";
  HttpResult broke_off = Answer(200, "o");
  broke_off.failure = Failure::kReset;
  broke_off.error = "connection ended";
  HttpResult broke_off_json = Answer(200, "{\"ok\":tr", json);
  broke_off_json.failure = Failure::kReset;
  const std::vector<Case> cases{
      {Answer(200, "ok"), "sent", ""},
      {Answer(200, "ok", "text/html"), "sent", ""},
      {broke_off, "retry", "could not read the answer from Slack: connection ended"},
      {Answer(200, "no_text", "text/plain"), "failed", "received an error response from Slack: no_text"},
      {Answer(200, ""), "failed", "received an error response from Slack: "},
      {Answer(200, R"({"ok":true})", json), "sent", ""},
      {Answer(200, R"({"ok":false,"error":"channel_not_found"})", json), "failed",
       "error response from Slack: channel_not_found"},
      {Answer(200, R"({"ok":false,"error":"ratelimited"})", json), "retry",
       "error response from Slack: ratelimited"},
      {Answer(200, R"({"error":"x"})", json), "failed", "error response from Slack: x"},
      {Answer(200, "not json", json), "retry", "could not read the answer from Slack: it is not valid JSON"},
      {Answer(200, "[]", json), "retry", "could not read the answer from Slack: it is not valid JSON"},
      {broke_off_json, "retry", "could not read the answer from Slack: it is not valid JSON"},
      {Answer(403, "invalid_token"), "failed", "unexpected status code 403: invalid_token"},
      {Answer(429), "failed", "unexpected status code 429"},
      {Answer(500), "retry", "unexpected status code 500"},
      {Broken(Failure::kDns, "no such host"), "retry", "no such host"},
  };
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.answer.status << ' ' << c.answer.body) {
      NotificationOutcome out = JudgeSlack(c.answer, false);
      BOOST_TEST(Name(out.verdict) == c.verdict);
      BOOST_TEST(out.error == c.error);
      BOOST_TEST(!out.receiver_data.has_value());
    }
  }
}

BOOST_AUTO_TEST_CASE(the_message_is_remembered_only_for_updates) {
  HttpResult answer = Answer(200, R"({"ok":true,"channel":"C9","ts":"1.5"})", "application/json");
  BOOST_TEST(!JudgeSlack(answer, false).receiver_data.has_value());
  BOOST_TEST(JudgeSlack(answer, true).receiver_data.value_or("") == R"({"threadTs":"1.5","channelId":"C9"})");
}

BOOST_AUTO_TEST_CASE(a_raise_that_others_are_told_of_goes_into_the_thread) {
  NotifiedAlert alert = GoldenAlert(false);
  alert.severity = Severity::kP1;
  alert.quiet_repeat = true;
  Notification n = Slack("channel: '#c'", {alert});
  n.reason = NotifyReason::kRaised;
  n.receiver_data = R"({"threadTs":"1.5","channelId":"C9","severity":"P2"})";
  auto prepared = Build(n);
  BOOST_REQUIRE(prepared.has_value());
  auto body = ParseJson(prepared->call.body);
  BOOST_REQUIRE(body.has_value());
  BOOST_TEST(body->GetString("thread_ts") == "1.5");
  BOOST_TEST(body->GetString("channel") == "C9");
  BOOST_TEST(body->GetString("text").starts_with("Severity raised to *P1*"));
  BOOST_TEST((body->Find("attachments") == nullptr));
  // The thread stays that of the message.
  NotificationOutcome out =
      JudgeAnswer(n, *prepared, Answer(200, R"({"ok":true,"channel":"C9","ts":"2.5"})", "application/json"))
          .outcome;
  BOOST_TEST(out.receiver_data.value_or("") == R"({"threadTs":"1.5","channelId":"C9","severity":"P1"})");
  // To who is told because it rose, it is a message like others.
  n.alerts.front().quiet_repeat = false;
  prepared = Build(n);
  BOOST_REQUIRE(prepared.has_value());
  BOOST_TEST((ParseJson(prepared->call.body)->Find("attachments") != nullptr));
}

BOOST_AUTO_TEST_CASE(error_names_the_channel_and_hides_the_url) {
  Notification n = Slack("channel: '#c'", {GoldenAlert(false)});
  auto prepared = Build(n);
  BOOST_REQUIRE(prepared.has_value());
  NotificationOutcome out = JudgeAnswer(n, *prepared, Answer(404, "no http://127.0.0.1/slack")).outcome;
  BOOST_TEST(out.error == "channel \"#c\": unexpected status code 404: no <secret>");
  BOOST_TEST(out.notification_id == 7);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
