"""An unmodified Prometheus has mlalert and Debian's Alertmanager side by side: both say the same."""

import json
import subprocess

import harness
from harness import wait_until

RULES = harness.rules_file(
    {"alert": "Latency", "expr": "latency > 1", "labels": {"severity": "P2"},
     "annotations": {"summary": "{{ $labels.shard }}: {{ $value }}s", "note": "<b> & \u2028 \u00e9"}},
    {"alert": "Errors", "expr": "errors > 1", "labels": {"severity": "critical"}},
    {"alert": "Noise", "expr": "noise > 1"})


def config(sink, name):
    return f"""
global: {{resolve_timeout: 5m}}
route:
  receiver: rest
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 1h
  routes:
  - {{matchers: ['severity="critical"'], receiver: web.hook+page, group_by: ['...'], continue: true}}
  - {{matchers: ['alertname=~"Latency|Errors"'], receiver: short}}
receivers:
- name: rest
  webhook_configs: [{{url: "{sink.url}/{name}/rest", send_resolved: false}}]
- name: web.hook+page
  webhook_configs: [{{url: "{sink.url}/{name}/page"}}]
- name: short
  webhook_configs: [{{url: "{sink.url}/{name}/short", max_alerts: 2}}]
"""


def comparable(body):
    """Without times, the sender's own URL, and what Alertmanager 0.25 does not have yet."""
    body = json.loads(json.dumps(body))
    for newer in ("notification_reason", "routeLabels", "externalURL"):
        body.pop(newer, None)
    for alert in body["alerts"]:
        alert["startsAt"] = "time"
        alert["endsAt"] = "never" if alert["endsAt"].startswith("0001") else "time"
    return body


def comparable_alerts(port, query=""):
    alerts = harness.request(port, "GET", "/api/v2/alerts" + query).json()
    for alert in alerts:
        for time in ("startsAt", "endsAt", "updatedAt"):
            del alert[time]
        alert["status"].pop("mutedBy", None)
    return alerts


class AlertmanagerDoor(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.them = self.out = None

    def both(self, path, count, what):
        """The bodies both have sent to a path, once both have sent so many."""
        ours = self.out.wait_for(f"/ours/{path}", count, what)
        theirs = self.out.wait_for(f"/theirs/{path}", count, what)
        self.assertEqual([comparable(body) for body in ours], [comparable(body) for body in theirs], what)
        self.assertEqual(len(ours), count, what)
        return ours

    def test_says_what_alertmanager_says(self):
        exporter = self.exporter()
        sink = self.out = self.sink()
        for shard in "abc":
            exporter.set(f'latency{{shard="{shard}"}}', 0)
        exporter.set("errors", 0)
        exporter.set("noise", 0)
        daemon = self.mlalert(config(sink, "ours"))
        theirs = self.alertmanager(config(sink, "theirs"))
        # A resolve that is sent again re-enters Alertmanager's group and is listed again; we list it once. With the
        # resends out of the way there is nothing to tell them apart.
        self.prometheus(exporter=exporter, rules=RULES, alertmanagers=[daemon.port, theirs.port], resend_delay="1m")

        for shard in "abc":
            exporter.set(f'latency{{shard="{shard}"}}', 2.5)
        body = self.both("short", 1, "three alerts, cut to two")[0]
        self.assertEqual((len(body["alerts"]), body["truncatedAlerts"], body["receiver"]), (2, 1, "short"))
        self.assertEqual(body["notification_reason"], "first notification")

        exporter.set("errors", 2)
        exporter.set("noise", 2)
        body = self.both("page", 1, "a route that continues")[0]
        self.assertEqual(body["receiver"], r"web\.hook\+page")
        self.both("short", 2, "its sibling")
        self.both("rest", 1, "the root")

        wait_until(lambda: len(daemon.alerts()) == 5, "five alerts")
        for query in ("", "?filter=shard%3D~%22a%7Cb%22", "?receiver=short", "?active=false",
                      "?filter=shard%3D%22%22&filter=alertname!%3DNoise"):
            self.assertEqual(comparable_alerts(daemon.port, query), comparable_alerts(theirs.port, query), query)
        self.assertEqual([{"name": receiver["name"]} for receiver in daemon.get("/api/v2/receivers").json()],
                         harness.request(theirs.port, "GET", "/api/v2/receivers").json())
        self.check_amtool(daemon)

        exporter.set('latency{shard="b"}', 0)
        wait_until(lambda: len(daemon.alerts()) == 4, "one has resolved")
        self.assertEqual(self.both("short", 3, "some resolved")[2]["status"], "firing")
        for series in ('latency{shard="a"}', 'latency{shard="c"}', "errors", "noise"):
            exporter.set(series, 0)
        self.assertEqual(self.both("page", 2, "resolved")[1]["status"], "resolved")
        wait_until(lambda: daemon.alerts() == [], "all have resolved")
        wait_until(lambda: len(sink.requests("/ours/short")) >= 5 and len(sink.requests("/theirs/short")) >= 5,
                   "both groups of the short route have resolved")
        # Two groups of one route: their order on the wire is nobody's promise.
        tail = [sorted((comparable(body) for body in sink.bodies(f"/{who}/short")[3:]), key=lambda b: b["groupKey"])
                for who in ("ours", "theirs")]
        self.assertEqual(tail[0], tail[1])
        self.both("rest", 1, "send_resolved: false says nothing")

        # A resolve is a resolve of the same incident, by its condition.
        incidents = daemon.incidents()
        self.assertEqual(len(incidents), 5)
        self.assertEqual({(i["state"], i["resolve_reason"]) for i in incidents}, {("resolved", "condition")})

    def check_amtool(self, daemon):
        def amtool(*arguments):
            return subprocess.run(["/usr/bin/amtool", f"--alertmanager.url={daemon.url}", *arguments],
                                  capture_output=True, text=True, timeout=20)
        listed = amtool("alert", "query", "-o", "json", "shard=a")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertEqual([alert["labels"]["shard"] for alert in json.loads(listed.stdout)], ["a"])


if __name__ == "__main__":
    harness.main()
