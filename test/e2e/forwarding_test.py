"""Alerts of rules reach other Alertmanagers as Prometheus would send them; the heartbeat tells that all is well."""

import json

import harness
from harness import Answer, request, stays, wait_until

RULES = harness.rules_file({"alert": "Drift", "expr": "ml_drift > 0", "labels": {"severity": "P2", "replica": "r1"},
                            "annotations": {"summary": "drift of {{ $labels.model }} in {{ $externalLabels.dc }}"}})


def config(source, sink, rules, more):
    return f"""
datasources: [{{url: "{source}", timeout: 1s}}]
rule_files: ["{rules}"]
evaluation: {{interval: 1s, resend_delay: 1s, external_labels: {{dc: berlin}}, watchdog: true}}
route: {{receiver: hook, group_wait: 0s, group_interval: 1s, routes: [{{matchers: ['alertname="Watchdog"'], receiver: none}}]}}
receivers: [{{name: hook, webhook_configs: [{{url: "{sink.url}/hook"}}]}}, {{name: none}}]
{more}
"""


class Forwarding(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.out = self.sink()
        self.metrics = self.exporter()
        self.metrics.set('ml_drift{model="a"}', 1)
        self.source = self.prometheus(exporter=self.metrics)
        self.rules = self.write("rules.yml", RULES)

    def sent(self, path):
        return {alert["labels"]["alertname"]: alert for body in self.out.bodies(path) for alert in body}

    def test_a_real_alertmanager_beside_one_that_is_gone_and_one_that_hangs(self):
        real = self.alertmanager("route: {receiver: x}\nreceivers: [{name: x}]\n")
        gone = harness.free_port()
        self.out.always("/slow/api/v2/alerts", Answer(hang=30))
        daemon = self.mlalert(config(self.source.url, self.out, self.rules, f"""
alerting:
  alert_relabel_configs: [{{regex: replica, action: labeldrop}}]
  alertmanagers:
  - {{path_prefix: /slow, static_configs: [{{targets: ["127.0.0.1:{self.out.port}"]}}]}}
  - {{static_configs: [{{targets: ["127.0.0.1:{gone}", "127.0.0.1:{real.port}"]}}]}}
  - path_prefix: /own
    basic_auth: {{username: u, password: p}}
    static_configs: [{{targets: ["127.0.0.1:{self.out.port}"]}}]
    alert_relabel_configs: [{{source_labels: [severity], regex: P2, target_label: severity, replacement: warning}}]
"""))

        def theirs():
            return {a["labels"]["alertname"]: a for a in request(real.port, "GET", "/api/v2/alerts").json()}
        wait_until(lambda: {"Drift", "Watchdog"} <= set(theirs()), "the real one has both")
        alert = theirs()["Drift"]
        ours = {a["labels"]["alertname"]: a for a in daemon.alerts()}["Drift"]
        self.assertEqual(alert["labels"]["dc"], "berlin")
        self.assertNotIn("replica", alert["labels"])
        self.assertEqual(alert["annotations"], {"summary": "drift of a in berlin"})
        self.assertEqual(alert["annotations"], ours["annotations"])
        self.assertEqual(alert["startsAt"], ours["startsAt"])
        self.assertEqual(alert["generatorURL"], ours["generatorURL"])
        # The third one has a severity of its own, and credentials.
        wait_until(lambda: "Drift" in self.sent("/own/api/v2/alerts"), "the own one has it")
        self.assertEqual(self.sent("/own/api/v2/alerts")["Drift"]["labels"]["severity"], "warning")
        self.assertEqual(self.out.requests("/own/api/v2/alerts")[0].headers["Authorization"], "Basic dTpw")
        # Repeated while it fires, also to the one that is gone; nothing waits for the one that hangs.
        wait_until(lambda: len(self.out.requests("/own/api/v2/alerts")) > 2, "repeated")
        listed = [f"http://127.0.0.1:{self.out.port}/own/api/v2/alerts", f"http://127.0.0.1:{gone}/api/v2/alerts"]
        self.assertGreater(daemon.metric("prometheus_notifications_sent_total", alertmanager=listed[0]), 0)
        self.assertEqual(daemon.metric("prometheus_notifications_errors_total", alertmanager=listed[0]), 0)
        self.assertGreater(daemon.metric("prometheus_notifications_errors_total", alertmanager=listed[1]), 0)
        self.assertEqual(daemon.metric("prometheus_notifications_alertmanagers_discovered"), 4)
        urls = [a["url"] for a in daemon.get("/api/v1/alertmanagers").json()["data"]["activeAlertmanagers"]]
        self.assertEqual(len(urls), 4)
        self.assertTrue(set(listed) <= set(urls))
        # The end of it.
        self.metrics.set('ml_drift{model="a"}', 0)
        wait_until(lambda: "Drift" not in theirs(), "resolved there")
        self.assertLessEqual(self.sent("/own/api/v2/alerts")["Drift"]["endsAt"], harness.rfc3339(harness.time.time()))
        # What came in by the API is not passed on.
        daemon.post_alerts({"alertname": "Foreign"})
        stays(lambda: "Foreign" not in theirs(), "not forwarded", 1.5)
        # A reload takes targets away.
        daemon.set_config(config(self.source.url, self.out, self.rules, ""))
        self.assertEqual(daemon.reload().status, 200)
        before = len(self.out.requests("/own/api/v2/alerts"))
        stays(lambda: len(self.out.requests("/own/api/v2/alerts")) <= before + 1, "no more", 2.5)

    def test_the_heartbeat_stops_when_evaluation_or_delivery_is_not_well(self):
        daemon = self.mlalert(config(self.source.url, self.out, self.rules, f"""
heartbeat: {{url: "{self.out.url}/beat/uuid", interval: 200ms}}
"""))
        self.out.wait_for("/hook", 1)
        wait_until(lambda: len(self.out.requests("/beat/uuid")) > 3, "beats")
        self.assertEqual(daemon.metric("mlalert_health"), 3)
        self.assertNotIn("uuid", daemon.get("/metrics").text + daemon.log())
        self.source.kill()
        wait_until(lambda: daemon.metric("mlalert_health", part="evaluation") == 0, "unwell", timeout=40)
        before = len(self.out.requests("/beat/uuid"))
        wait_until(lambda: daemon.metric("mlalert_heartbeat_withheld_total") > 3, "withheld")
        self.assertLessEqual(len(self.out.requests("/beat/uuid")), before + 1)
        self.assertIn("the heartbeat is withheld", daemon.log())
        self.assertIn("A data source cannot be asked", daemon.log())
        self.source.start()
        wait_until(lambda: len(self.out.requests("/beat/uuid")) > before + 3, "beats again", timeout=30)
        self.assertIn("A data source answers again", daemon.log())


if __name__ == "__main__":
    harness.main()
