"""An alert that fires and resolves all the time: Slack, PagerDuty and mail say in their titles that it flaps, and later that
it does not any more."""

import contextlib
import json
import sqlite3
import time

import harness
from harness import wait_until

FLAP = {"alertname": "Flap", "model": "m", "severity": "P2"}
START, END = "[FIRING:1, FLAPPING] Flap m (P2)", "[FIRING:1, FLAPPING ENDED] Flap m (P2)"


class FlappingNews(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.hub = self.sink()
        self.hub.always("/slack", harness.Answer(200, "ok"))
        self.hub.always("/pagerduty", harness.Answer(202, '{"status": "success"}', {"Content-Type": "application/json"}))

    def config(self):
        return f"""
route: {{receiver: team, group_by: [alertname, model], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}}
receivers:
- name: team
  slack_configs:
  - {{api_url: "{self.hub.url}/slack", channel: "#ml", send_resolved: true}}
  - {{api_url: "{self.hub.url}/own", channel: "#ml", title: "Mine {{{{ .NotificationReason }}}}"}}
  pagerduty_configs: [{{url: "{self.hub.url}/pagerduty", routing_key: key}}]
incidents: {{identity: [alertname, model]}}
incident_policies: [{{name: p, cooldown: 0s, flapping: {{transitions: 3, window: 1m}}}}]
"""

    def fire(self):
        self.daemon.post_alerts({"labels": FLAP, "endsAt": harness.rfc3339(time.time() + 3600)})

    def titles(self, path="/slack"):
        return [body["attachments"][0]["title"] for body in self.hub.bodies(path)]

    def summaries(self):
        return [body["payload"]["summary"] for body in self.hub.bodies("/pagerduty") if body["event_action"] == "trigger"]

    def pass_time_while_down(self, seconds):
        """As if the daemon had been down for so long."""
        self.daemon.stop()
        with contextlib.closing(sqlite3.connect(self.daemon.database)) as database, database:
            edges, = database.execute("SELECT edges FROM incidents").fetchone()
            moved = json.dumps([edge - seconds * 1000 for edge in json.loads(edges)])
            database.execute("UPDATE incidents SET edges = ?, flapping_since = flapping_since - ?", (moved, seconds * 1000))
        self.daemon.start()

    def test_slack_and_pagerduty_read_when_it_begins_and_when_it_ends(self):
        self.hub.always("/own", harness.Answer(200, "ok"))
        self.daemon = self.mlalert(self.config())
        self.fire()
        wait_until(lambda: len(self.titles()) == 1 and len(self.summaries()) == 1, "the first message")
        self.daemon.resolve(FLAP)
        # What is under way when it begins to flap does not say so.
        wait_until(lambda: len(self.titles()) == 2 and self.daemon.metric("mlalert_notifications_in_flight") == 0, "the end")
        self.fire()
        wait_until(lambda: START in self.titles() and START in self.summaries(), "it is said that it flaps")
        self.pass_time_while_down(56)
        wait_until(lambda: END in self.titles() and END in self.summaries(), "it is said that it does not any more")
        self.assertEqual(self.titles(), ["[FIRING:1] Flap m (P2)", "[RESOLVED] Flap m (P2)", START, END])
        self.assertEqual(self.summaries(), ["[FIRING:1] Flap m (P2)", START, END])
        wait_until(lambda: [title for title in self.titles("/own") if "flapping" in title] ==
                   ["Mine flapping", "Mine flapping ended"], "a title of one's own is left alone")


if __name__ == "__main__":
    harness.main()
