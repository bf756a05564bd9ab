"""Policies for alerts whose series are gone, against a real Prometheus."""

import harness
from harness import stays, wait_until


class NoData(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.out = self.sink()
        self.metrics = self.exporter()
        self.peer = self.prometheus(exporter=self.metrics)

    def run_with(self, policies, *rules):
        path = self.write("rules.yml", harness.rules_file(*rules))
        daemon = self.mlalert(f"""
datasources: [{{url: "{self.peer.url}", timeout: 1s}}]
rule_files: ["{path}"]
evaluation: {{interval: 1s, resend_delay: 1s}}
no_data_policies: {policies}
route: {{receiver: hook, group_by: [alertname, model], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{self.out.url}/hook"}}]}}]
""")
        wait_until(lambda: all(daemon.rule(rule["alert"])["health"] == "ok" for rule in rules), "evaluated")
        return daemon

    def told(self):
        return [(body["groupLabels"]["alertname"], body["groupLabels"].get("model"), body["status"])
                for body in self.out.bodies("/hook")]

    def test_by_matchers_one_is_resolved_and_one_is_held_until_its_cap(self):
        for model in "ab":
            self.metrics.set(f'ml_drift{{model="{model}"}}', 1)
        daemon = self.run_with("""[{matchers: [model=a], action: resolve}, {action: hold, hold_max: 5s}]""",
                               {"alert": "Drift", "expr": "ml_drift > 0"})
        self.out.wait_for("/hook", 2)
        for model in "ab":
            self.metrics.remove(f'ml_drift{{model="{model}"}}')
        wait_until(lambda: ("Drift", "a", "resolved") in self.told(), "a resolves")
        self.assertNotIn(("Drift", "b", "resolved"), self.told())
        rule = daemon.get("/api/mlalert/v1/rules?name=Drift").json()["rules"][0]
        self.assertEqual(rule["held_without_data"], 1)
        self.assertEqual(daemon.metric("mlalert_rule_alerts_without_data"), 1)
        wait_until(lambda: ("Drift", "b", "resolved") in self.told(), "b is no longer held")
        self.assertEqual(daemon.rows("SELECT to_value FROM events WHERE type = 'hold_expired'"), [{"to_value": "Drift"}])
        self.assertIn("An alert is no longer held", daemon.log())

    def test_policy_alert_tells_of_a_rule_that_never_had_data(self):
        daemon = self.run_with("""[{matchers: [team=ml], action: alert, after: 0s, severity: P1}]""",
                               {"alert": "Blind", "expr": "ml_nothing > 0", "labels": {"team": "ml", "severity": "P3"}},
                               {"alert": "Other", "expr": "ml_nothing > 0"})
        self.out.wait_for("/hook", 1)
        alert = self.out.bodies("/hook")[0]["alerts"][0]
        self.assertEqual(alert["labels"], {"alertname": "RuleNoData", "rule": "Blind", "group": "e2e", "team": "ml",
                                           "severity": "P1"})
        self.assertIn("No series match ml_nothing", alert["annotations"]["description"])
        stays(lambda: len(self.told()) == 1, "only the rule that the policy names", 2)
        self.assertEqual(daemon.rule("Blind")["state"], "inactive")


if __name__ == "__main__":
    harness.main()
