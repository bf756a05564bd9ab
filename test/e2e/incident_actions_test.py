"""What people do with incidents, by the command line: each verb changes the incident, says so, and is an event with its actor."""

import json
import time

import harness
from harness import wait_until

CONFIG = """
route:
  receiver: mail
  group_by: [model]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
  routes: [{{matchers: ['severity=~"P0|P1"'], receiver: page}}]
receivers:
- name: mail
  webhook_configs: [{{url: "{sink}/mail"}}]
- name: page
  webhook_configs: [{{url: "{sink}/page"}}]
incidents: {{identity: [alertname, model], reopen_window: 10m}}
incident_policies:
- name: climb
  cooldown: 0s
  ladder: {{steps: [{{after: 15m, severity: P3}}, {{after: 30m, severity: P2}}, {{after: 60m, severity: P1}}]}}
"""


class IncidentActions(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.hub = self.sink()
        self.daemon = self.mlalert(CONFIG.format(sink=self.hub.url))
        self.post()
        self.hub.wait_for("/mail", 1)

    def post(self, seconds=3600):
        self.daemon.post_alerts({"labels": {"alertname": "Drift", "model": "fraud", "severity": "P3"},
                                 "endsAt": harness.rfc3339(time.time() + seconds)})

    def act(self, *arguments, code=0):
        done = self.daemon.cli(*arguments, "--as=ann")
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def show(self):
        done = self.daemon.cli("incidents", "show", 1, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def human_events(self):
        return [(event["type"], event["actor"], event["via"]) for event in self.show()["events"]
                if event["actor_kind"] == "human"]

    def test_each_verb_is_done_and_told(self):
        self.act("ack", 1, "--comment=looking")
        self.assertEqual(self.show()["state"], "acknowledged")
        self.act("unack", 1, "--comment=not mine")
        self.assertEqual(self.show()["state"], "open")
        self.act("snooze", 1, "--for=2h")
        self.assertTrue(self.show()["snoozed_until"])
        self.act("unack", 1)
        self.act("assign", 1, "--to=bob")
        self.assertEqual(self.show()["assignee"], "bob")
        self.act("comment", 1, "-m", "a new model was deployed")
        self.act("raise", 1, "--to=P0", "--comment=customers complain")
        self.assertEqual(self.show()["severity"], "P0")
        self.hub.wait_for("/page", 1)  # at its new route at once
        self.act("lower", 1, "--to=P2", "--comment=fewer than thought")
        self.assertEqual(self.show()["severity"], "P2")
        self.act("resolve", 1, "--hold=1h", "--comment=over")
        self.assertEqual(self.show()["state"], "resolved")
        self.assertEqual(self.human_events(), [(event, "ann", "cli") for event in (
            "acknowledged", "unacknowledged", "snoozed", "snooze_ended", "assigned", "commented", "raised", "lowered", "resolved")])

    def test_who_resolved_by_hand_is_not_bothered_until_it_clears_and_fires_anew(self):
        self.act("resolve", 1, "--comment=known")
        wait_until(lambda: any(body["status"] == "resolved" for body in self.hub.bodies("/mail")), "the end is told")
        heard = len(self.hub.bodies("/mail"))
        self.post()  # its condition is still true
        self.assertEqual(self.show()["state"], "resolved")
        self.post(seconds=-1)
        self.post()
        wait_until(lambda: self.show()["state"] == "open", "open again")
        wait_until(lambda: len(self.hub.bodies("/mail")) > heard, "told again")

    def test_what_cannot_be_done_is_said(self):
        self.act("ack", 4711, "--comment=x", code=3)
        self.assertIn("--to", self.act("raise", 1, code=2))
        self.act("raise", 1, "--to=P7", "--comment=x", code=2)
        self.act("snooze", 1, "--for=500h", code=2)
        self.act("lower", 1, "--to=P1", "--comment=x", code=1)  # it is less severe than that
        self.assertEqual(self.human_events(), [])


if __name__ == "__main__":
    harness.main()
