#include "notify/template_data.h"

#include "notify/fixture.h"

namespace mlalert::testing {
namespace {

Notification Sample(std::vector<NotifiedAlert> alerts = {GoldenAlert(false)},
                    NotifyReason reason = NotifyReason::kFirst) {
  return MakeNotification(ConfigWith("  webhook_configs: [{url: 'http://x/'}]"), IntegrationKind::kWebhook,
                          std::move(alerts), reason);
}

std::vector<NotifiedAlert> Mixed() {
  return {MakeAlert({{"alertname", "A"}, {"cluster", "eu"}, {"pod", "1"}}, {{"s", "x"}}),
          MakeAlert({{"alertname", "A"}, {"cluster", "eu"}, {"pod", "2"}}, {{"s", "x"}, {"t", ""}}, true)};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(template_data)

BOOST_AUTO_TEST_CASE(fields_and_methods_table) {
  struct Case {
    const char* text;
    const char* want;
  };
  for (
      const Case& c : std::vector<Case>{
          {"{{ .Receiver }} {{ .Status }} {{ .ExternalURL }}", "all firing http://am.example.org"},
          {"{{ .NotificationReason }}", "first notification"},
          {"{{ len .Alerts }} {{ len .Alerts.Firing }} {{ .Alerts.Resolved | len }}", "2 1 1"},
          {"{{ range .Alerts }}{{ .Status }}:{{ .Labels.pod }} {{ end }}", "firing:1 resolved:2 "},
          {"{{ (index .Alerts 1).Fingerprint }}", "FP"},
          {"{{ (index .Alerts 0).StartsAt }}", "2026-01-02 03:04:05.6 +0000 UTC"},
          {"{{ (index .Alerts 0).EndsAt }}", "0001-01-01 00:00:00 +0000 UTC"},
          {"{{ (index .Alerts 1).EndsAt.Unix }}", "1767326400"},
          {"{{ (index .Alerts 0).StartsAt.Format \"15:04\" }}", "03:04"},
          {"{{ since (index .Alerts 0).StartsAt }}", "54.4s"},
          {"{{ .CommonLabels }}|{{ .CommonAnnotations }}|{{ .GroupLabels }}",
           "alertname=A, cluster=eu|s=x|alertname=A, cluster=eu"},
          {"{{ .GroupLabels.SortedPairs.Values }} {{ .GroupLabels.Names }}", "[A eu] [alertname cluster]"},
          {"{{ .CommonLabels.SortedPairs }}", "alertname=A, cluster=eu"},
          {"{{ range .CommonLabels.SortedPairs }}{{ .Name }}-{{ .Value }};{{ end }}",
           "alertname-A;cluster-eu;"},
          {"{{ .CommonLabels.Values.Join \"/\" }}", "A/eu"},
          {"{{ join \"/\" .CommonLabels.Values }}", "A/eu"},
          {"{{ (index .Alerts 0).Labels.Remove (stringSlice \"pod\" \"nope\") }}", "alertname=A, cluster=eu"},
          {"{{ $v := (index .Alerts 0).Labels.Remove (stringSlice \"pod\") }}{{ $v.cluster }}{{ $v.pod }}",
           "eu"},
          {"{{ with (.CommonLabels.Remove .GroupLabels.Names) }}more{{ else }}none{{ end }}", "none"},
          {"{{ .CommonLabels.missing }}{{ index .CommonLabels \"missing\" }}", ""},
          {"{{ range $k, $v := .CommonLabels }}{{ $k }}={{ $v }} {{ end }}", "alertname=A cluster=eu "},
          {"{{ .RouteLabels }}{{ routeLabels \"x\" }}", ""},
          {"{{ .Alerts.Firing | toJson }}",
           R"([{"status":"firing","labels":{"alertname":"A","cluster":"eu","pod":"1"},"annotations":{"s":"x"},)"
           R"("startsAt":"2026-01-02T03:04:05.6Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"",)"
           R"("fingerprint":"FP"}])"},
          {"{{ .CommonLabels | toJson }}{{ .CommonLabels.SortedPairs | toJson }}",
           R"({"alertname":"A","cluster":"eu"}[{"Name":"alertname","Value":"A"},{"Name":"cluster","Value":"eu"}])"},
          {"{{ index .Alerts 0 }}",
           "{firing alertname=A, cluster=eu, pod=1 s=x 2026-01-02 03:04:05.6 +0000 UTC 0001-01-01 00:00:00 "
           "+0000 "
           "UTC  FP}"},
          {"{{ printf \"%#v\" .CommonLabels }}", "template.KV{\"alertname\":\"A\", \"cluster\":\"eu\"}"},
          {"{{ printf \"%+v|%d\" (index .CommonLabels.SortedPairs 1) (index .CommonLabels.SortedPairs 1) }}",
           "{Name:cluster Value:eu}|{%!d(string=cluster) %!d(string=eu)}"},
          {"{{ $p := index .CommonLabels.SortedPairs 0 }}{{ eq $p $p }}", "true"},
          {"{{ .Nope }}",
           "template: :1:3: executing \"\" at <.Nope>: can't evaluate field Nope in type *template.Data"},
          {"{{ range .Alerts }}{{ .Nope }}{{ end }}",
           "template: :1:22: executing \"\" at <.Nope>: can't evaluate field Nope in type template.Alert"},
      }) {
    std::string got = RenderText(Sample(Mixed()), c.text);
    for (const NotifiedAlert& alert : Mixed()) {
      if (size_t at = got.find(Hex16(alert.fingerprint)); at != std::string::npos) {
        got.replace(at, 16, "FP");
      }
    }
    BOOST_TEST_CONTEXT(c.text) {
      BOOST_TEST(got == c.want);
    }
  }
}

BOOST_AUTO_TEST_CASE(our_own_fields) {
  NotifiedAlert one = MakeAlert({{"alertname", "A"}, {"severity", "P2"}});
  one.incident_id = 42;
  one.acknowledged = true;
  NotifiedAlert two = MakeAlert({{"alertname", "B"}, {"severity", "P1"}});
  Notification n = Sample({two, one});
  n.acknowledged_by = "alice";
  BOOST_TEST(RenderText(n, "{{ .Severity }} {{ .AcknowledgedBy }} {{ .IncidentURL }}") ==
             "P1 alice http://am.example.org/ui/incidents/42");
  BOOST_TEST(
      RenderText(n, "{{ range .Alerts }}{{ .Severity }} {{ .IncidentID }} {{ .Acknowledged }};{{ end }}") ==
      "P1 0 false;P2 42 true;");
  BOOST_TEST(RenderText(Sample(), "{{ .IncidentURL }}{{ .AcknowledgedBy }}") == "");
}

BOOST_AUTO_TEST_CASE(values_outlive_the_maps_they_came_from) {
  BOOST_TEST(
      RenderText(Sample(),
                 "{{ $n := \"\" }}{{ range (.CommonLabels.Remove (stringSlice \"alertname\")).SortedPairs }}"
                 "{{ $n = .Value }}{{ end }}{{ $n }}") == "critical");
  BOOST_TEST(RenderText(Sample(), "{{ $v := (.CommonLabels.Remove .GroupLabels.Names).severity }}{{ $v }}") ==
             "critical");
  BOOST_TEST(RenderText(Sample(), "{{ $v := (index .CommonLabels.SortedPairs 1).Value }}{{ $v }}") == "eu");
}

BOOST_AUTO_TEST_CASE(no_alerts_at_all) {
  Notification n = Sample({});
  BOOST_TEST(RenderText(n, "{{ .Status }} {{ .CommonLabels }} {{ len .Alerts }} {{ .Severity }}") ==
             "resolved  0 ");
}

// As upstream, where a missing key reads as the empty text.
BOOST_AUTO_TEST_CASE(an_empty_annotation_equals_a_missing_one) {
  std::vector<NotifiedAlert> alerts = Mixed();
  BOOST_TEST(RenderText(Sample(alerts), "{{ .CommonAnnotations }}") == "s=x");
  std::swap(alerts[0], alerts[1]);
  BOOST_TEST(RenderText(Sample(alerts), "{{ .CommonAnnotations }}") == "s=x, t=");
}

BOOST_AUTO_TEST_CASE(regex_quoting) {
  BOOST_TEST(QuoteRegex("a.b-c d") == "a\\.b-c d");
  BOOST_TEST(QuoteRegex("\\.+*?()|[]{}^$") == "\\\\\\.\\+\\*\\?\\(\\)\\|\\[\\]\\{\\}\\^\\$");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(default_templates)

BOOST_AUTO_TEST_CASE(subject_table) {
  struct Case {
    const char* name;
    std::vector<NotifiedAlert> alerts;
    LabelSet group;
    const char* want;
  };
  for (const Case& c : std::vector<Case>{{"one more common label",
                                          {GoldenAlert(false)},
                                          LabelSet::From({{"alertname", "A"}}),
                                          "[FIRING:1] A (eu critical)"},
                                         {"resolved",
                                          {GoldenAlert(true)},
                                          LabelSet::From({{"alertname", "A"}}),
                                          "[RESOLVED] A (eu critical)"},
                                         {"two of them",
                                          {GoldenAlert(false), GoldenAlert(false)},
                                          LabelSet::From({{"cluster", "eu"}}),
                                          "[FIRING:2] eu (A critical)"},
                                         {"resolved ones do not count",
                                          {GoldenAlert(false), GoldenAlert(true)},
                                          {},
                                          "[FIRING:1]  (A eu critical)"},
                                         {"no more common labels",
                                          {MakeAlert({{"alertname", "N"}})},
                                          LabelSet::From({{"alertname", "N"}}),
                                          "[FIRING:1] N "},
                                         {"nothing in common",
                                          {MakeAlert({{"alertname", "A"}}), MakeAlert({{"alertname", "B"}})},
                                          {},
                                          "[FIRING:2]  "}}) {
    BOOST_TEST_CONTEXT(c.name) {
      Notification n = Sample(c.alerts);
      n.group_labels = c.group;
      for (const char* name : {"__subject", "slack.default.title", "pagerduty.default.description"}) {
        BOOST_TEST(RenderText(n, std::string("{{ template \"") + name + "\" . }}") == c.want);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(receiver_is_quoted_in_the_link) {
  ConfigPtr config = LoadConfig(
      "route: {receiver: 'a.b-c d'}\nreceivers:\n- name: 'a.b-c d'\n  webhook_configs: [{url: "
      "'http://x/'}]\n");
  Notification n = MakeNotification(config, IntegrationKind::kWebhook, {GoldenAlert(false)});
  BOOST_TEST(RenderText(n, "{{ template \"__alertmanagerURL\" . }}") ==
             "http://am.example.org/#/alerts?receiver=a%5C.b-c+d");
}

BOOST_AUTO_TEST_CASE(alert_lists_keep_their_white_space) {
  NotifiedAlert alert = MakeAlert({{"alertname", "N"}, {"a", "1"}}, {{"s", "x"}});
  alert.alert.generator_url = "U";
  Notification n = Sample({alert});
  BOOST_TEST(RenderText(n, "{{ template \"__text_alert_list\" .Alerts }}") ==
             "Labels:\n - alertname = N\n - a = 1\nAnnotations:\n - s = x\nSource: U\n");
  BOOST_TEST(RenderText(n, "{{ template \"__text_alert_list_markdown\" .Alerts }}") ==
             "\nLabels:\n  - alertname = N\n  - a = 1\n\nAnnotations:\n  - s = x\n\nSource: U\n\n");
  alert.alert.annotations = {};
  BOOST_TEST(RenderText(Sample({alert, alert}), "{{ template \"pagerduty.default.instances\" .Alerts }}") ==
             "Labels:\n - alertname = N\n - a = 1\nAnnotations:\nSource: U\n"
             "Labels:\n - alertname = N\n - a = 1\nAnnotations:\nSource: U\n");
}

BOOST_AUTO_TEST_CASE(the_text_prints_nothing_by_itself) {
  auto templates = DefaultTemplates();
  BOOST_REQUIRE(templates.has_value());
  auto out = templates->Execute(tmpl::Value());
  BOOST_REQUIRE(out.has_value());
  BOOST_TEST(*out == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
