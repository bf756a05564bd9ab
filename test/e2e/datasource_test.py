"""A data source that is gone, refuses, or has lost a series: none of it may look like "all is well"."""

import harness
from harness import stays, wait_until

# rules/datasource.h: every query has failed for so long before the source counts as unreachable.
UNREACHABLE_AFTER = 15


def config(prometheus, sink, rules):
    return f"""
datasources: [{{name: default, url: "{prometheus.url}", timeout: 1s}}]
rule_files: ["{rules}"]
evaluation: {{interval: 1s, resend_delay: 1s}}
route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{sink.url}/hook"}}]}}]
"""


class Datasource(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.out = self.sink()
        self.metrics = self.exporter()

    def run_with(self, *rules):
        prometheus = self.prometheus(exporter=self.metrics)
        path = self.write("rules.yml", harness.rules_file(*rules))
        daemon = self.mlalert(config(prometheus, self.out, path))
        wait_until(lambda: all(daemon.rule(rule["alert"])["health"] != "unknown" for rule in rules), "evaluated")
        return prometheus, daemon

    def told(self):
        return [(body["groupLabels"]["alertname"], body["status"]) for body in self.out.bodies("/hook")]

    def test_gone_and_back(self):
        self.metrics.set("ml_drift", 1)
        self.metrics.set("ml_slow", 0)
        prometheus, daemon = self.run_with({"alert": "Drift", "expr": "ml_drift > 0"},
                                           {"alert": "Slow", "expr": "ml_slow > 0", "for": "1s"})
        self.out.wait_for("/hook", 1)
        prometheus.kill()
        self.out.wait_for("/hook", 2, timeout=UNREACHABLE_AFTER + 15)
        self.assertEqual(self.told(), [("Drift", "firing"), ("DatasourceUnreachable", "firing")])
        labels = self.out.bodies("/hook")[1]["commonLabels"]
        self.assertEqual((labels["datasource"], labels["severity"]), ("default", "P1"))
        self.assertEqual(daemon.metric("mlalert_datasource_up", datasource="default"), 0)
        self.assertEqual(daemon.rule("Drift")["health"], "err")

        # A restart while it is gone resolves nothing and says nothing again.
        for end in (daemon.stop, daemon.kill):
            end()
            daemon.start()
            stays(lambda: len(daemon.alerts()) == 2 and len(self.told()) == 2, "held, told once", 2.5)
        self.assertEqual(len(daemon.incidents("state=all&alertname=DatasourceUnreachable")), 1)

        # Back: the other one fires on, what is true now fires, and its alert resolves: also the one that was raised
        # before the restart.
        self.metrics.set("ml_slow", 1)
        prometheus.start()
        wait_until(lambda: ("Slow", "firing") in self.told(), "Slow fires")
        self.assertEqual(daemon.metric("mlalert_datasource_up", datasource="default"), 1)
        self.assertEqual(daemon.only_incident(alertname="Drift")["episodes_count"], 1)
        self.metrics.set("ml_drift", 0)
        wait_until(lambda: ("Drift", "resolved") in self.told(), "Drift resolves")
        wait_until(lambda: ("DatasourceUnreachable", "resolved") in self.told(), "unreachable resolves", timeout=10)
        self.assertEqual(len(self.told()), 5)

    def test_another_url_of_the_source_serves_while_the_first_one_is_gone(self):
        self.metrics.set("ml_drift", 0)
        first, second = self.prometheus(exporter=self.metrics), self.prometheus(exporter=self.metrics)
        path = self.write("rules.yml", harness.rules_file({"alert": "Drift", "expr": "ml_drift > 0"}))
        daemon = self.mlalert(config(first, self.out, path).replace(
            "timeout: 1s", f'timeout: 1s, failover_urls: ["{second.url}"], params: {{nocache: 1}}'))
        wait_until(lambda: daemon.rule("Drift")["health"] == "ok", "evaluated")
        first.kill()
        self.metrics.set("ml_drift", 1)
        wait_until(lambda: self.told() == [("Drift", "firing")], "fires by what the second one says")
        self.assertEqual(daemon.rule("Drift")["health"], "ok")
        self.assertEqual(daemon.metric("mlalert_datasource_up", datasource="default"), 1)

    def test_a_rule_that_cannot_be_evaluated_is_seen_and_harms_no_other(self):
        self.metrics.set('ml_share{model="a"}', 2)
        self.metrics.set('ml_share{model="b"}', 2)
        self.metrics.set("ml_drift", 0)
        broken = {"alert": "Ambiguous", "expr": "ml_share > on() ml_share"}  # 422: many-to-many
        _, daemon = self.run_with({"alert": "Before", "expr": "ml_drift > 0"}, broken,
                                  {"alert": "After", "expr": "ml_drift > 0"})
        wait_until(lambda: daemon.rule("Ambiguous")["health"] == "err", "the broken rule is visible")
        self.assertIn("many-to-many", daemon.rule("Ambiguous")["lastError"])
        self.assertGreater(daemon.metric("mlalert_rule_evaluation_failures_total"), 0)
        self.assertEqual(daemon.metric("mlalert_rules_failing"), 1)
        self.assertEqual(daemon.metric("mlalert_datasource_up"), 1, "a refusal is an answer")
        self.metrics.set("ml_drift", 1)
        self.out.wait_for("/hook", 2)
        self.assertEqual(sorted(self.told()), [("After", "firing"), ("Before", "firing")])
        self.assertEqual({daemon.rule(name)["health"] for name in ("Before", "After")}, {"ok"})
        self.metrics.remove('ml_share{model="b"}')
        wait_until(lambda: daemon.rule("Ambiguous")["health"] == "ok", "it recovers")
        self.assertFalse(daemon.rule("Ambiguous").get("lastError"))
        self.assertEqual(daemon.metric("mlalert_rules_failing"), 0)

    def test_series_that_vanish_neither_fire_nor_resolve(self):
        for model in "ab":
            self.metrics.set(f'ml_drift{{model="{model}"}}', 0)
            self.metrics.set(f'ml_accuracy{{model="{model}"}}', 0.9)
        prometheus, daemon = self.run_with(
            {"alert": "Drift", "expr": "ml_drift > 0"},
            {"alert": "Pending", "expr": "ml_accuracy < 0.5", "for": "4s"})

        # Vanishes before its time: it must not fire on what is no longer known.
        self.metrics.set('ml_accuracy{model="a"}', 0.1)
        wait_until(lambda: daemon.rule("Pending")["state"] == "pending", "pending")
        self.metrics.remove('ml_accuracy{model="a"}')
        # Vanishes while it fires: no resolve.
        self.metrics.set('ml_drift{model="a"}', 1)
        self.metrics.set('ml_drift{model="b"}', 1)
        self.out.wait_for("/hook", 1)
        self.metrics.remove('ml_drift{model="a"}')
        wait_until(lambda: len(prometheus.query("ml_drift")) == 1, "Prometheus has lost the series")
        stays(lambda: len(daemon.alerts()) == 2 and {status for _, status in self.told()} == {"firing"},
              "held", UNREACHABLE_AFTER / 3)
        self.assertNotIn("Pending", [name for name, _ in self.told()])
        # The one that is there still resolves; and the other does once it is back and fine.
        self.metrics.set('ml_drift{model="b"}', 0)
        wait_until(lambda: [a["labels"]["model"] for a in daemon.alerts()] == ["a"], "b resolves")
        self.metrics.set('ml_drift{model="a"}', 0)
        wait_until(lambda: daemon.alerts() == [], "a resolves")
        wait_until(lambda: self.told()[-1] == ("Drift", "resolved"), "told")

    def test_all_series_of_a_rule_vanish(self):
        self.metrics.set('ml_drift{model="a"}', 1)
        self.metrics.set("ml_other", 1)
        prometheus, daemon = self.run_with({"alert": "Drift", "expr": "ml_drift > 0"})
        self.out.wait_for("/hook", 1)
        self.metrics.remove('ml_drift{model="a"}')
        wait_until(lambda: not prometheus.query("ml_drift"), "Prometheus has lost the series")
        stays(lambda: len(daemon.alerts()) == 1 and self.told() == [("Drift", "firing")], "held", 3)
        daemon.kill()
        daemon.start()
        stays(lambda: len(daemon.alerts()) == 1 and self.told() == [("Drift", "firing")], "held over a restart", 3)
        self.assertGreater(daemon.metric("mlalert_rule_holds_total"), 0)
        self.metrics.set('ml_drift{model="a"}', 0)
        self.out.wait_for("/hook", 2)
        self.assertEqual(self.told()[1], ("Drift", "resolved"))


if __name__ == "__main__":
    harness.main()
