"""mlalert looks at itself: what must always hold and does not is a metric, and an alert of its own."""

import harness
from harness import Answer, wait_until

EMPTY = '{"status":"success","data":{"resultType":"vector","result":[]}}'


class Audit(harness.TestCase):
    def test_rules_that_are_late_are_said(self):
        out = self.sink()
        # Rules of a group are asked one after the other: eight answers of 0.8 s take more than six intervals.
        slow, others = Answer(200, EMPTY, {"Content-Type": "application/json"}, hang=0.8), out._next_answer
        out._next_answer = lambda path: slow if path.startswith("/slow/") else others(path)
        rules = self.write("rules.yml", harness.rules_file(*({"alert": f"Drift{i}", "expr": f"ml_drift{i} > 0"} for i in range(8))))
        daemon = self.mlalert(f"""
datasources: [{{name: default, url: "{out.url}/slow", timeout: 10s}}]
rule_files: ["{rules}"]
evaluation: {{interval: 1s}}
route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{out.url}/hook"}}]}}]
incident_policies: [{{name: all}}]
""")
        told = wait_until(lambda: [body for body in out.bodies("/hook") if "invariant" in body["commonLabels"]],
                          "the first audit comes after 15 seconds", timeout=40)[0]
        self.assertEqual(told["commonLabels"], {"alertname": "MlalertInvariantBroken", "invariant": "I6", "severity": "P2"})
        self.assertIn("late", told["commonAnnotations"]["summary"])
        self.assertEqual(daemon.metric("mlalert_invariant_broken", invariant="I6"), 1)
        self.assertEqual(daemon.metric("mlalert_invariant_breaches_total", invariant="I6"), 1)
        self.assertEqual(daemon.metric("mlalert_invariant_broken", invariant="I3"), 0)
        self.assertTrue(wait_until(lambda: daemon.only_incident(alertname="MlalertInvariantBroken"), "an incident"))


class Why(harness.TestCase):
    CONFIG = """\
route:
  receiver: hook
  group_by: [model]
  group_wait: 0s
  group_interval: 1s
  routes:
  - matchers: [team=night]
    receiver: hook
    mute_time_intervals: [always]
receivers: [{{name: hook, webhook_configs: [{{url: "{url}/hook"}}]}}]
time_intervals:
- name: always
  time_intervals: [{{times: [{{start_time: "00:00", end_time: "24:00"}}]}}]
inhibit_rules:
- source_matchers: [alertname=Down]
  target_matchers: [alertname=Slow]
  equal: [model]
incident_policies:
- name: quiet
  matchers: [alertname=Quiet]
  ladder:
    steps: [{{after: 15m, severity: P3}}, {{after: 30m, severity: P2}}]
    quiet_before_first_step: true
- name: all
  cooldown: 1h
  chain:
  - {{after: 5m, receivers: [hook]}}
"""

    def line(self, text):
        return next(number for number, line in enumerate(self.CONFIG.splitlines(), 1) if text in line)

    def why(self, **labels):
        incident = wait_until(lambda: self.daemon.only_incident(**labels), labels)
        self.steps = self.daemon.get(f"/api/mlalert/v1/incidents/{incident['id']}/why").json()
        return incident["id"], {step["what"]: step for step in self.steps["now"]}

    def place(self, step):
        return step["config"].rsplit("/", 1)[-1]

    def test_each_decision_names_its_line_of_the_config(self):
        out = self.sink()
        self.daemon = self.mlalert(self.CONFIG.format(url=out.url))
        name = self.daemon.config_path.name
        for alert in ({"alertname": "Quiet", "model": "a"}, {"alertname": "Down", "model": "b"},
                      {"alertname": "Slow", "model": "b"}, {"alertname": "Lag", "model": "c", "team": "night"}):
            self.daemon.post_alerts({**alert, "severity": "P2" if alert["alertname"] != "Quiet" else "P3"})
        out.wait_for("/hook", 1)
        quiet, steps = self.why(alertname="Quiet")
        self.assertEqual(self.place(steps["policy"]), f"{name}:{self.line('name: quiet')}")
        self.assertEqual(self.place(steps["state"]), f"{name}:{self.line('ladder:')}")
        self.assertTrue(steps["state"]["holds_back"])
        _, steps = self.why(alertname="Slow")
        self.assertEqual(self.place(steps["inhibition"]), f"{name}:{self.line('source_matchers')}")
        self.assertEqual(self.place(steps["chain"]), f"{name}:{self.line('after: 5m')}")
        _, steps = self.why(alertname="Lag")
        self.assertEqual(self.place(steps["interval"]), f"{name}:{self.line('- name: always')}")
        self.assertEqual(self.place(steps["route"]), f"{name}:{self.line('team=night')}")
        down, steps = self.why(alertname="Down")
        self.assertEqual(self.place(steps["policy"]), f"{name}:{self.line('name: all')}")
        self.assertEqual(self.place(steps["route"]), f"{name}:{self.line('receiver: hook')}")
        wait_until(lambda: "cooldown" in self.why(alertname="Down")[1], "told: a cooldown runs")
        self.assertEqual(self.place(self.why(alertname="Down")[1]["cooldown"]), f"{name}:{self.line('cooldown: 1h')}")
        # What was decided stands in the history with its line, and survives a restart.
        decided = wait_until(lambda: [event for event in self.daemon.incident(quiet)["events"]
                                      if event["type"] == "decided"], "decided")[0]
        self.assertEqual(decided["data"]["config"].rsplit("/", 1)[-1], f"{name}:{self.line('ladder:')}")
        self.daemon.kill()
        self.daemon.start()
        _, steps = self.why(alertname="Quiet")
        self.assertEqual(self.place(steps["policy"]), f"{name}:{self.line('name: quiet')}")
        printed = self.daemon.cli("incidents", "why", str(down)).stdout
        self.assertIn(f"{name}:{self.line('cooldown: 1h')}", printed)


if __name__ == "__main__":
    harness.unittest.main()
