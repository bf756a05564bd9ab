"""The whole way: a real Prometheus scrapes, mlalert evaluates, groups, tells, resolves and remembers."""

import json

import harness
from harness import wait_until

RULES = harness.rules_file(
    {"alert": "Drift", "expr": "ml_drift > 0.5", "for": "2s",
     "labels": {"severity": "P1", "team": "ml-{{ $labels.model }}"},
     "annotations": {"summary": "{{ $labels.model }} drifts: {{ $value | humanizePercentage }}",
                     "description": "{{ toUpper $labels.pipeline }}: "
                                    "{{ with query \"ml_users\" }}{{ . | first | value }} users{{ end }}"}},
    {"alert": "Never", "expr": "ml_drift > 100", "labels": {"severity": "P0"}})


def config(prometheus, sink, rules):
    return f"""
datasources: [{{name: default, url: "{prometheus.url}", timeout: 2s}}]
rule_files: ["{rules}"]
evaluation: {{interval: 1s, resend_delay: 1s}}
templates: ["*.tmpl"]
route: {{receiver: hook, group_by: [pipeline], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}}
receivers:
- name: hook
  webhook_configs: [{{url: "{sink.url}/hook", send_resolved: true}}]
  slack_configs:
  - {{api_url: "{sink.url}/slack", channel: "#ml", send_resolved: true, title: '{{{{ template "our.title" . }}}}'}}
incident_policies: [{{name: all, cooldown: 0s}}]
incidents: {{identity: [alertname, model], reopen_window: 10m}}
"""


class Pipeline(harness.TestCase):
    def test_fires_grouped_resolves_and_is_remembered(self):
        exporter, sink = self.exporter(), self.sink()
        exporter.set("ml_users", 7)
        for model in ("fraud", "churn"):
            exporter.set(f'ml_drift{{model="{model}",pipeline="daily"}}', 0.1)
        prometheus = self.prometheus(exporter=exporter)
        self.write("titles.tmpl", '{{ define "our.title" }}{{ .Status }}:{{ len .Alerts }}{{ end }}')
        daemon = self.mlalert(config(prometheus, sink, self.write("rules.yml", RULES)))
        wait_until(lambda: (rule := daemon.rule("Drift")) and rule["health"] == "ok" and rule["state"] == "inactive",
                   "the rule is evaluated and inactive")

        for model in ("fraud", "churn"):
            exporter.set(f'ml_drift{{model="{model}",pipeline="daily"}}', 0.75)
        wait_until(lambda: daemon.rule("Drift")["state"] == "pending", "pending while `for` runs")
        self.assertEqual(sink.requests("/hook"), [])
        first = sink.wait_for("/hook", 1)[0]

        self.assertEqual(len(sink.requests("/hook")), 1, "both alerts in one message")
        self.assertEqual((first["status"], first["receiver"], first["version"]), ("firing", "hook", "4"))
        self.assertEqual(first["groupLabels"], {"pipeline": "daily"})
        self.assertEqual(first["commonLabels"]["severity"], "P1")
        self.assertEqual([alert["labels"]["model"] for alert in first["alerts"]], ["churn", "fraud"])
        alert = first["alerts"][1]
        self.assertEqual(alert["labels"], {
            "alertname": "Drift", "instance": f"127.0.0.1:{exporter.port}", "job": "ml", "model": "fraud",
            "pipeline": "daily", "severity": "P1", "team": "ml-fraud"})
        self.assertEqual(alert["annotations"], {"summary": "fraud drifts: 75%", "description": "DAILY: 7 users"})
        self.assertEqual(alert["endsAt"], "0001-01-01T00:00:00Z")
        self.assertEqual(sink.wait_for("/slack", 1)[0]["attachments"][0]["title"], "firing:2")

        rule = daemon.rule("Drift")
        self.assertEqual((rule["state"], rule["health"], rule["duration"], len(rule["alerts"])), ("firing", "ok", 2, 2))
        self.assertEqual({one["state"] for one in rule["alerts"]}, {"firing"})
        self.assertEqual(daemon.rule("Never")["state"], "inactive")
        active = daemon.get("/api/v1/alerts").json()["data"]["alerts"]
        self.assertEqual(sorted(one["labels"]["model"] for one in active), ["churn", "fraud"])
        self.assertEqual(len(daemon.alerts()), 2)

        exporter.set('ml_drift{model="fraud",pipeline="daily"}', 0.1)
        second = sink.wait_for("/hook", 2)[1]
        self.assertEqual(second["status"], "firing", "the other one still fires")
        self.assertEqual({a["labels"]["model"]: a["status"] for a in second["alerts"]},
                         {"churn": "firing", "fraud": "resolved"})
        exporter.set('ml_drift{model="churn",pipeline="daily"}', 0.1)
        third = sink.wait_for("/hook", 3)[2]
        self.assertEqual(third["status"], "resolved")
        self.assertEqual([a["labels"]["model"] for a in third["alerts"]], ["churn"])
        self.assertNotEqual(third["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z")
        wait_until(lambda: daemon.alerts() == [], "nothing fires")
        wait_until(lambda: daemon.metric("mlalert_rule_evaluations_total") is not None, "metrics of evaluations")

        self.check_clients(daemon)

    def check_clients(self, daemon):
        listed = json.loads(daemon.cli("incidents", "--state=all", "--json").stdout)["incidents"]
        self.assertEqual(sorted(i["model"] for i in listed), ["churn", "fraud"])
        for incident in listed:
            self.assertEqual((incident["state"], incident["resolve_reason"], incident["severity"]),
                             ("resolved", "condition", "P1"))
        table = daemon.cli("incidents", "--state=all")
        self.assertEqual(table.returncode, 0, table.stderr)
        for word in ("Drift", "fraud", "churn", "P1", "resolved"):
            self.assertIn(word, table.stdout)
        self.assertEqual(json.loads(daemon.cli("incidents", "--json").stdout)["incidents"], [], "none is active")
        shown = daemon.cli("incidents", "show", listed[0]["id"])
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("resolved", shown.stdout)
        self.assertEqual(daemon.cli("incidents", "show", 999).returncode, 3)

        # The file alone says the same, with the daemon gone.
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(daemon.cli("incidents").returncode, 1)
        table = daemon.history()
        self.assertEqual(table.returncode, 0, table.stderr)
        self.assertIn("Drift", table.stdout)
        events = json.loads(daemon.history("events", "--json").stdout)["events"]
        self.assertLessEqual({"opened", "resolved"}, {event["type"] for event in events})
        told = json.loads(daemon.history("notifications", "--json").stdout)["notifications"]
        self.assertEqual({(n["integration"], n["outcome"]) for n in told}, {("webhook", "sent"), ("slack", "sent")})
        self.assertEqual(len(json.loads(daemon.history("--model=fraud", "--json").stdout)["incidents"]), 1)
        shown = daemon.history("show", listed[0]["id"])
        self.assertEqual(shown.returncode, 0, shown.stderr)


if __name__ == "__main__":
    harness.main()
