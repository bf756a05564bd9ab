"""kill -9 at the worst moments: after the restart nobody is paged twice, nothing is lost, every clock goes on."""

import time

import harness
from harness import Answer, stays, wait_until

# What two busy cores may add to an exact time.
TOLERANCE = 1.5


def config(sink, group_wait="0s", group_interval="1s", last_step="7s"):
    return f"""
route:
  receiver: hook
  group_by: [alertname]
  group_wait: {group_wait}
  group_interval: {group_interval}
  repeat_interval: 1h
  routes:
  - {{matchers: ['severity=~"P0|P1"'], receiver: page}}
receivers:
- name: hook
  webhook_configs: [{{url: "{sink.url}/hook"}}]
- name: page
  pagerduty_configs: [{{url: "{sink.url}/pagerduty", routing_key: key}}]
incidents: {{identity: [alertname], reopen_window: 1m}}
incident_policies:
- name: page
  matchers: ['severity=~"P0|P1"']
- name: climb
  ladder:
    quiet_before_first_step: true
    steps: [{{after: 1s, severity: P3}}, {{after: 4s, severity: P2}}, {{after: {last_step}, severity: P1}}]
"""


class Crash(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.out = self.sink()

    def crash(self, daemon, down_until=0.0):
        daemon.kill()
        time.sleep(max(0.0, down_until - time.time()))
        daemon.start()

    def about(self, actual, expected, what):
        self.assertGreater(actual, expected - 0.1, what)
        self.assertLess(actual, expected + TOLERANCE, what)

    def pages(self):
        """(action, dedup key) of what PagerDuty has accepted."""
        return [(taken.json()["event_action"], taken.json()["dedup_key"]) for taken in self.out.accepted("/pagerduty")]

    def wait_pages(self, *actions, timeout=None):
        wait_until(lambda: len(self.pages()) >= len(actions), f"PagerDuty hears {actions}", timeout)
        pages = self.pages()
        self.assertEqual([action for action, _ in pages], list(actions))
        self.assertEqual(len({key for _, key in pages}), 1, "one dedup key")

    def opened_at(self, daemon, **labels):
        incident = wait_until(lambda: daemon.only_incident(**labels), "an incident")
        wait_until(lambda: daemon.rows("SELECT 1 FROM incidents WHERE id = ?", incident["id"]), "committed")
        return harness.from_rfc3339(incident["opened_at"])

    def test_before_group_wait(self):
        daemon = self.mlalert(config(self.out, group_wait="3s"))
        daemon.post_alerts({"alertname": "A", "severity": "P0"})
        opened = self.opened_at(daemon)
        self.crash(daemon)
        self.assertEqual(self.out.taken, [])
        self.wait_pages("trigger")
        self.about(self.out.taken[0].at, opened + 3, "group_wait counts from the group's creation")

        # Past its time while we were down: at once.
        daemon.post_alerts({"alertname": "B", "severity": "P0"})
        opened = self.opened_at(daemon, alertname="B")
        self.crash(daemon, down_until=opened + 3.5)
        restarted = time.time()
        wait_until(lambda: len(self.pages()) == 2, "the second page")
        self.about(self.out.taken[1].at, restarted - 1, "what is late is said at once")
        stays(lambda: len(self.out.taken) == 2, "two pages", 1.5)

    def test_while_the_receiver_hangs(self):
        self.out.script("/pagerduty", Answer(hang=60), Answer(202))
        daemon = self.mlalert(config(self.out))
        daemon.post_alerts({"alertname": "A", "severity": "P0"})
        wait_until(lambda: self.out.requests("/pagerduty"), "the first attempt hangs")
        self.crash(daemon)
        self.wait_pages("trigger")
        keys = {body["dedup_key"] for body in self.out.bodies("/pagerduty")}
        self.assertEqual(len(keys), 1, "the repetition is the same page to PagerDuty")
        daemon.resolve({"alertname": "A", "severity": "P0"})
        self.wait_pages("trigger", "resolve")
        stays(lambda: len(self.out.requests("/pagerduty")) == 3, "nothing more", 1.5)

    def test_after_the_page(self):
        daemon = self.mlalert(config(self.out))
        daemon.post_alerts({"alertname": "A", "severity": "P0"})
        self.wait_pages("trigger")
        wait_until(lambda: daemon.rows("SELECT 1 FROM nflog"), "logged as sent")
        self.crash(daemon)
        stays(lambda: len(self.pages()) == 1, "no second page", 2)
        self.assertEqual(daemon.only_incident()["state"], "open")
        # The sender repeats, as Prometheus does; and once more after another crash.
        daemon.post_alerts({"alertname": "A", "severity": "P0"})
        self.crash(daemon)
        stays(lambda: len(self.pages()) == 1, "no second page", 1)
        daemon.resolve({"alertname": "A", "severity": "P0"})
        self.wait_pages("trigger", "resolve")

    def test_in_the_middle_of_the_ladder(self):
        # A kill right between a page and its commit would page again: the page is far from the kill before it.
        daemon = self.mlalert(config(self.out, last_step="12s"))
        daemon.post_alerts({"alertname": "A"})
        opened = self.opened_at(daemon)
        self.crash(daemon)
        self.out.wait_for("/hook", 1, "the first step")
        self.about(self.out.taken[0].at, opened + 1, "P3 at 1 s")
        wait_until(lambda: daemon.rows("SELECT 1 FROM nflog"), "logged as sent")
        self.crash(daemon, down_until=opened + 2.5)
        bodies = self.out.wait_for("/hook", 2, "the second step")
        self.about(self.out.requests("/hook")[1].at, opened + 4, "P2 at 4 s")
        self.assertEqual([body["commonLabels"].get("severity") for body in bodies], ["P3", "P2"])
        wait_until(lambda: daemon.rows("SELECT 1 FROM incidents WHERE told_severity = 'P2'"), "logged as sent")
        self.crash(daemon)
        self.wait_pages("trigger")
        self.about(self.out.requests("/pagerduty")[0].at, opened + 12, "P1 at 12 s")
        wait_until(lambda: daemon.rows("SELECT 1 FROM nflog WHERE integration = 'pagerduty'"), "logged as sent")
        self.crash(daemon)
        daemon.resolve({"alertname": "A"})
        self.wait_pages("trigger", "resolve")
        self.assertEqual(self.out.wait_for("/hook", 3)[2]["status"], "resolved", "the route it has left is owed this")

    def test_steps_that_pass_while_down_are_one_message(self):
        daemon = self.mlalert(config(self.out))
        daemon.post_alerts({"alertname": "A"})
        opened = self.opened_at(daemon)
        self.crash(daemon, down_until=opened + 7.2)
        self.wait_pages("trigger")
        stays(lambda: len(self.out.taken) == 1, "one message for three steps", 1.5)
        incident = daemon.incident(daemon.only_incident()["id"])
        self.assertEqual(incident["severity"], "P1")
        self.assertEqual([event["to"] for event in incident["events"] if event["type"] == "raise_skipped"],
                         ["P3", "P2"])

    def test_while_acknowledged(self):
        daemon = self.mlalert(config(self.out))
        daemon.post_alerts({"alertname": "A"})
        opened = self.opened_at(daemon)
        self.out.wait_for("/hook", 1, "the first step")
        incident = daemon.only_incident()
        self.assertEqual(daemon.ack(incident["id"], actor="alice", comment="mine").status, 200)
        clock = daemon.incident(incident["id"])["ladder"]["clock_seconds"]
        self.crash(daemon, down_until=opened + 4.5)
        after = daemon.incident(incident["id"])
        self.assertEqual((after["state"], after["severity"], after["acknowledgement"]["actor"]),
                         ("acknowledged", "P3", "alice"))
        self.assertAlmostEqual(after["ladder"]["clock_seconds"], clock, delta=0.01, msg="the clock stands")
        self.assertEqual(daemon.unack(incident["id"], actor="alice").status, 200)
        unacked = time.time()
        self.crash(daemon)
        wait_until(lambda: daemon.only_incident()["severity"] == "P2", "the next step")
        self.about(time.time(), unacked + 4 - clock, "the clock goes on where it stood")
        self.assertEqual(self.pages(), [])

    def test_while_a_resolve_is_owed(self):
        daemon = self.mlalert(config(self.out))
        daemon.post_alerts({"alertname": "A", "severity": "P0"})
        self.wait_pages("trigger")
        self.out.always("/pagerduty", Answer(500))
        daemon.resolve({"alertname": "A", "severity": "P0"})
        wait_until(lambda: len(self.out.requests("/pagerduty")) >= 2, "an attempt to say that it resolved")
        wait_until(lambda: daemon.rows("SELECT 1 FROM incidents WHERE state = 'resolved'"), "committed")
        self.crash(daemon)
        self.assertEqual(len(self.pages()), 1)
        self.out.reset("/pagerduty")
        self.wait_pages("trigger", "resolve")
        wait_until(lambda: not daemon.rows("SELECT 1 FROM nflog WHERE firing <> '[]'"), "logged as sent")
        self.crash(daemon)
        stays(lambda: len(self.pages()) == 2, "one resolve", 1.5)

    def test_while_a_rule_is_pending(self):
        exporter = self.exporter()
        exporter.set("ml_drift", 0)
        prometheus = self.prometheus(exporter=exporter)
        rules = self.write("rules.yml", harness.rules_file(
            {"alert": "Drift", "expr": "ml_drift > 0", "for": "5s", "labels": {"severity": "P0"}}))
        daemon = self.mlalert(config(self.out) + f"""
datasources: [{{name: default, url: "{prometheus.url}", timeout: 2s}}]
rule_files: ["{rules}"]
evaluation: {{interval: 1s, resend_delay: 1s}}
""")
        wait_until(lambda: daemon.rule("Drift")["health"] == "ok", "evaluated")
        exporter.set("ml_drift", 1)
        pending = wait_until(lambda: daemon.rule("Drift")["alerts"], "pending")[0]
        active_at = harness.from_rfc3339(pending["activeAt"])
        wait_until(lambda: daemon.rows("SELECT 1 FROM rule_states WHERE state = 'pending'"), "committed")
        self.crash(daemon, down_until=active_at + 3)
        self.wait_pages("trigger")
        # `for` and then the next evaluation.
        self.about(self.out.taken[0].at, active_at + 5, "`for` goes on")
        self.assertLess(self.out.taken[0].at, active_at + 6 + TOLERANCE)
        self.assertEqual(harness.from_rfc3339(daemon.rule("Drift")["alerts"][0]["activeAt"]), active_at)
        wait_until(lambda: daemon.rows("SELECT 1 FROM nflog"), "logged as sent")
        self.crash(daemon)
        stays(lambda: len(self.pages()) == 1 and len(daemon.alerts()) == 1, "fires on, no second page", 2.5)
        exporter.set("ml_drift", 0)
        self.wait_pages("trigger", "resolve")


if __name__ == "__main__":
    harness.main()
