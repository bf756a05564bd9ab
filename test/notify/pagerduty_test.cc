#include "notify/fixture.h"

namespace mlalert::testing {
namespace {

Notification Pagerduty(const std::string& settings, std::vector<NotifiedAlert> alerts,
                       NotifyReason reason = NotifyReason::kFirst) {
  return MakeNotification(ConfigWith("  pagerduty_configs:\n  - {" + settings + "}"),
                          IntegrationKind::kPagerduty, std::move(alerts), reason);
}

constexpr const char* kGolden =
    "routing_key: 'rk{{ .Status }}', url: 'http://127.0.0.1/pdv2', severity: '{{ .CommonLabels.severity }}', "
    "class: c, details: {foo: 'bar {{ .Status }}', nest: '{a: [\"{{ .Status }}\", 2]}', num_firing: 'over'}, "
    "images: [{src: 'http://i/{{ .Status }}', alt: a, href: h}, {alt: noimg}], "
    "links: [{href: 'http://l', text: t}, {text: nolink}]";

Json Payload(const Notification& n) {
  return *BuildJson(n).Find("payload");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pagerduty_v2)

BOOST_AUTO_TEST_CASE(equals_upstream_byte_for_byte) {
  BOOST_TEST(BuildBody(Pagerduty(kGolden, {GoldenAlert(false)})) == ReadGolden("pagerduty_firing.json"));
  BOOST_TEST(BuildBody(Pagerduty(kGolden, {GoldenAlert(true)}, NotifyReason::kAllResolved)) ==
             ReadGolden("pagerduty_resolved.json"));
}

BOOST_AUTO_TEST_CASE(event_action_table) {
  NotifiedAlert taken = GoldenAlert(false);
  taken.acknowledged = true;
  struct Case {
    const char* name;
    std::vector<NotifiedAlert> alerts;
    NotifyReason reason;
    const char* action;
  };
  const std::vector<Case> cases{
      {"firing", {GoldenAlert(false)}, NotifyReason::kFirst, "trigger"},
      {"some resolved", {GoldenAlert(false), GoldenAlert(true)}, NotifyReason::kSomeResolved, "trigger"},
      {"all resolved", {GoldenAlert(true)}, NotifyReason::kAllResolved, "resolve"},
      {"acknowledged", {taken}, NotifyReason::kAcknowledged, "acknowledge"},
      {"acknowledged beside a resolved one",
       {taken, GoldenAlert(true)},
       NotifyReason::kAcknowledged,
       "acknowledge"},
      // PagerDuty would stop paging for the one that nobody has taken.
      {"one of two acknowledged", {taken, GoldenAlert(false)}, NotifyReason::kAcknowledged, "trigger"},
      {"repeat of an acknowledged one", {taken}, NotifyReason::kRepeat, "trigger"},
  };
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.name) {
      BOOST_TEST(BuildJson(Pagerduty("routing_key: k", c.alerts, c.reason)).GetString("event_action") ==
                 c.action);
    }
  }
}

BOOST_AUTO_TEST_CASE(only_what_nobody_has_taken_opens_an_incident_anew) {
  NotifiedAlert taken = GoldenAlert(false);
  taken.acknowledged = taken.quiet_repeat = true;
  auto action = [](std::vector<NotifiedAlert> alerts) {
    Notification n = Pagerduty("routing_key: k", std::move(alerts), NotifyReason::kSomeResolved);
    n.taken_before = true;
    return BuildJson(n).GetString("event_action");
  };
  // The first call ends the incident that was taken, the next opens another one.
  BOOST_TEST(action({taken, GoldenAlert(false)}) == "resolve");
  BOOST_TEST(action({taken, GoldenAlert(true)}) == "trigger");
}

BOOST_AUTO_TEST_CASE(an_acknowledge_names_who_took_it) {
  NotifiedAlert taken = GoldenAlert(false);
  taken.acknowledged = true;
  Notification n = Pagerduty("routing_key: k", {taken}, NotifyReason::kAcknowledged);
  n.acknowledged_by = "Ann";
  n.acknowledge_comment = "on it";
  Json body = BuildJson(n);
  const Json& payload = *body.Find("payload");
  BOOST_TEST(payload.GetString("summary") == "Acknowledged by Ann: on it");
  BOOST_TEST(payload.Find("custom_details")->GetString("acknowledged_by") == "Ann");
  BOOST_TEST(payload.Find("custom_details")->GetString("acknowledge_comment") == "on it");
  Json first = BuildJson(Pagerduty("routing_key: k", {GoldenAlert(false)}));
  BOOST_TEST(first.Find("payload")->Find("custom_details")->Find("acknowledged_by") == nullptr);
}

BOOST_AUTO_TEST_CASE(severity_table) {
  struct Case {
    const char* config;
    const char* label;
    const char* want;
  };
  for (const Case& c : std::vector<Case>{{"", "P0", "critical"},
                                         {"", "P1", "error"},
                                         {"", "p2", "warning"},
                                         {"", "P3", "info"},
                                         {"", "critical", "error"},  // as upstream: the default
                                         {"", "", "error"},
                                         {", severity: warning", "P0", "warning"},
                                         {", severity: '{{ .CommonLabels.nope }}'", "P0", ""}}) {
    BOOST_TEST_CONTEXT(c.config << ' ' << c.label) {
      Notification n = Pagerduty(std::string("routing_key: k") + c.config,
                                 {MakeAlert({{"alertname", "A"}, {"severity", c.label}})});
      BOOST_TEST(Payload(n).GetString("severity") == c.want);
    }
  }
}

BOOST_AUTO_TEST_CASE(severity_is_the_highest_that_fires) {
  NotifiedAlert low = MakeAlert({{"alertname", "A"}, {"severity", "P2"}});
  NotifiedAlert gone = MakeAlert({{"alertname", "B"}, {"severity", "P0"}}, {}, true);
  BOOST_TEST(Payload(Pagerduty("routing_key: k", {gone, low})).GetString("severity") == "warning");
  BOOST_TEST(Payload(Pagerduty("routing_key: k", {gone})).GetString("severity") == "critical");
}

BOOST_AUTO_TEST_CASE(summary_is_cut_in_characters) {
  NotifiedAlert alert = MakeAlert({{"alertname", "A"}}, {{"t", std::string(2000, 'x')}});
  std::string summary =
      Payload(Pagerduty("routing_key: k, description: '{{ .CommonAnnotations.t }}'", {alert}))
          .GetString("summary");
  BOOST_TEST(summary == std::string(1023, 'x') + "\xE2\x80\xA6");
}

BOOST_AUTO_TEST_CASE(details_are_dropped_where_the_event_would_be_too_large) {
  NotifiedAlert alert = MakeAlert({{"alertname", "A"}}, {{"t", std::string(1 << 20, 'x')}});
  Notification n = Pagerduty("routing_key: k", {alert});
  BOOST_TEST(BuildBody(n).size() < 512000u);
  BOOST_TEST(
      Payload(n).Find("custom_details")->Dump() ==
      R"({"error":"Custom details have been removed because the original event exceeds the maximum size of 512KB"})");
}

BOOST_AUTO_TEST_CASE(the_size_rule_is_exact_to_the_byte) {
  auto body_with = [](size_t annotation) {
    NotifiedAlert alert = MakeAlert({{"alertname", "A"}}, {{"t", std::string(annotation, 'x')}});
    return BuildBody(Pagerduty("routing_key: k", {alert}));
  };
  size_t fixed = body_with(1).size() - 1;
  BOOST_TEST(body_with(512000 - fixed).size() == 512000u);
  BOOST_TEST(body_with(512000 - fixed + 1).size() < 1000u);
}

BOOST_AUTO_TEST_CASE(details_may_be_trees) {
  Notification n = Pagerduty("routing_key: k", {GoldenAlert(false)});
  Receiver r = *n.receiver;
  r.pagerduty_configs[0].details = {
      {"flag", Json(true)},
      {"nest",
       Must(ParseJson(
           R"({"b{{ .Status }}": ["{{ .Status }}", 2, "2", "{{ .CommonLabels.nope }}"], "a": null})"))},
      {"{{ .Status }}", Json("kept")}};  // keys of the first level are no templates, as upstream
  BOOST_TEST(Payload(MakeNotification(ConfigOf(r), IntegrationKind::kPagerduty, {GoldenAlert(false)}))
                 .Find("custom_details")
                 ->Dump() ==
             R"({"flag":true,"nest":{"a":null,"bfiring":["firing",2,2,null]},"{{ .Status }}":"kept"})");
  r.pagerduty_configs[0].details = {{"x", Must(ParseJson(R"([{"y": "{{ .Nope }}"}])"))}};
  BOOST_TEST(BuildError(MakeNotification(ConfigOf(r), IntegrationKind::kPagerduty, {GoldenAlert(false)}))
                 .find("can't evaluate field Nope") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(hostile_labels_stay_values) {
  NotifiedAlert alert = MakeAlert({{"alertname", "A"}, {"evil", "\"}],\"x\":1,\xff: &a *a <b>"}});
  Json body = BuildJson(Pagerduty("routing_key: k, details: {d: '{{ .CommonLabels.evil }}'}", {alert}));
  const Json& details = *body.Find("payload")->Find("custom_details");
  BOOST_TEST(details.GetString("d") == "\"}],\"x\":1,\xEF\xBF\xBD: &a *a <b>");
  BOOST_TEST(details.Find("firing")->AsArray()[0].Find("labels")->GetString("evil") ==
             "\"}],\"x\":1,\xEF\xBF\xBD: &a *a <b>");
}

BOOST_AUTO_TEST_CASE(routing_key_file_is_read_each_time) {
  Notification n = Pagerduty("routing_key_file: /keys/pd", {GoldenAlert(false)});
  FakeFiles files;
  files.texts["/keys/pd"] = "key1\n";
  BOOST_TEST(BuildJson(n, files).GetString("routing_key") == "key1");
  files.texts["/keys/pd"] = "key2";
  BOOST_TEST(BuildJson(n, files).GetString("routing_key") == "key2");
  files.texts["/keys/pd"] = "\n";
  BOOST_TEST(BuildError(n, files) == "routing key cannot be empty");
  BOOST_TEST(BuildError(n) == "read routing_key_file: /keys/pd: no such file");
  files.texts["/keys/pd"] = "SECRET{{ .Nope }}";
  BOOST_TEST(BuildError(n, files) ==
             "the template in routing_key fails (details hidden: the text is a secret)");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(pagerduty_v1)

BOOST_AUTO_TEST_CASE(trigger_and_resolve) {
  const char* settings =
      "service_key: sk, routing_key: unused, details: {firing: a, resolved: b, num_firing: '1'}";
  auto prepared = Build(Pagerduty(settings, {GoldenAlert(false)}));
  BOOST_REQUIRE(prepared.has_value());
  BOOST_TEST(prepared->call.url == "https://events.pagerduty.com/generic/2010-04-15/create_event.json");
  BOOST_TEST(prepared->call.body == ReadGolden("pagerduty_v1_firing.json"));
  BOOST_TEST(BuildBody(Pagerduty(settings, {GoldenAlert(true)}, NotifyReason::kAllResolved)) ==
             ReadGolden("pagerduty_v1_resolved.json"));
}

BOOST_AUTO_TEST_CASE(empty_key_is_an_error) {
  BOOST_TEST(BuildError(Pagerduty("service_key: '{{ .CommonLabels.nope }}'", {GoldenAlert(false)})) ==
             "service key cannot be empty");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(pagerduty_answer)

BOOST_AUTO_TEST_CASE(verdict_table) {
  struct Case {
    HttpResult answer;
    bool v1;
    const char* verdict;
    const char* error;
  };
  const std::vector<Case> cases{
      {Answer(202, R"({"status":"success"})"), false, "sent", ""},
      {Answer(400, R"({"status":"invalid event","message":"Event object is invalid","errors":["a","b"]})"),
       false, "failed", "unexpected status code 400: Event object is invalid: a,b"},
      {Answer(400, "<html>"), false, "failed", "unexpected status code 400: <html>"},
      {Answer(400, R"({"errors":5})"), false, "failed", "unexpected status code 400: :"},
      {Answer(403, "x"), false, "failed", "unexpected status code 403"},
      {Answer(403, "x"), true, "retry", "unexpected status code 403"},
      {Answer(429), false, "retry", "unexpected status code 429"},
      {Answer(429), true, "failed", "unexpected status code 429"},
      {Answer(500), false, "retry", "unexpected status code 500"},
      {Answer(301), false, "failed", "unexpected status code 301"},
      {Broken(Failure::kConnect, "refused"), false, "retry", "refused"},
  };
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.answer.status << ' ' << c.answer.body << (c.v1 ? " v1" : " v2")) {
      NotificationOutcome out = JudgePagerduty(c.answer, c.v1);
      BOOST_TEST(Name(out.verdict) == c.verdict);
      BOOST_TEST(out.error == c.error);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_key_never_reaches_the_error) {
  Notification n = Pagerduty("routing_key: r0ut1ngkey", {GoldenAlert(false)});
  auto prepared = Build(n);
  BOOST_REQUIRE(prepared.has_value());
  NotificationOutcome out =
      JudgeAnswer(n, *prepared, Answer(400, R"({"message":"no such key r0ut1ngkey","errors":[]})")).outcome;
  BOOST_TEST(out.error == "unexpected status code 400: no such key <secret>:");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
