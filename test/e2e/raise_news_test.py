"""Who was told of an incident hears in the thread of his message that it became more severe, and of its end; whoever is
told of the new severity gets the message itself."""

import json
import time

import harness
from harness import stays, wait_until

DRIFT = {"alertname": "Drift", "model": "fraud", "severity": "P3"}
TS = "1700000000.000100"


def config(sink, update="false", steps="[{after: 2s, severity: P2}, {after: 4s, severity: P1}]"):
    return f"""
route:
  receiver: chat
  group_by: [model]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 2s
  routes:
  - {{matchers: [severity=P2], receiver: team}}
  - {{matchers: [severity=P1], receiver: page}}
receivers:
- name: chat
  slack_configs: [{{app_token: xoxb-1, app_url: "{sink.url}/chat/chat.postMessage", channel: "#ml", send_resolved: true,
    update_message: {update}}}]
- name: team
  slack_configs: [{{app_token: xoxb-1, app_url: "{sink.url}/team/chat.postMessage", channel: "#team", send_resolved: true}}]
- name: page
  pagerduty_configs: [{{url: "{sink.url}/pagerduty", routing_key: key}}]
incidents: {{identity: [alertname, model]}}
incident_policies: [{{name: climb, cooldown: 0s, ladder: {{steps: {steps}}}}}]
"""


class RaiseNews(harness.TestCase):
    def start(self, **options):
        self.hub = self.sink()
        for who, channel in (("chat", "C1"), ("team", "C2")):
            for call in ("postMessage", "update"):
                self.hub.always(f"/{who}/chat.{call}", harness.Answer(
                    200, json.dumps({"ok": True, "channel": channel, "ts": TS}), {"Content-Type": "application/json"}))
        self.daemon = self.mlalert(config(self.hub, **options))
        self.daemon.post_alerts({"labels": DRIFT, "endsAt": harness.rfc3339(time.time() + 3600)})

    def said(self, who, call="postMessage"):
        return self.hub.bodies(f"/{who}/chat.{call}")

    def replies(self, who):
        return [body for body in self.said(who) if "thread_ts" in body]

    def test_the_thread_hears_of_each_raise_once_and_of_the_end(self):
        self.start()
        self.hub.wait_for("/pagerduty", 1)
        wait_until(lambda: len(self.replies("chat")) == 2 and len(self.replies("team")) == 1, "news in both threads")
        for who, channel, severities in (("chat", "C1", ["P2", "P1"]), ("team", "C2", ["P1"])):
            for body, severity in zip(self.replies(who), severities):
                self.assertEqual((body["channel"], body["thread_ts"]), (channel, TS))
                self.assertIn(f"Severity raised to *{severity}*", body["text"])
                self.assertNotIn("attachments", body)
        self.assertEqual([event["event_action"] for event in self.hub.bodies("/pagerduty")], ["trigger"])
        before = len(self.said("chat")), len(self.said("team"))
        self.hub.wait_for("/pagerduty", 2, "a repeat, by who is told now")
        stays(lambda: (len(self.said("chat")), len(self.said("team"))) == before, "no repeats for the others", 2.5)
        self.daemon.resolve(DRIFT)
        for who in ("chat", "team"):
            end = wait_until(lambda: [body for body in self.said(who) if "RESOLVED" in json.dumps(body)], "the end")[0]
            self.assertNotIn("thread_ts", end)
        rows = self.daemon.rows("SELECT receiver FROM notifications WHERE integration = 'slack' AND reason = 'severity raised'")
        self.assertEqual(sorted(row["receiver"] for row in rows), ["chat", "chat", "team"])

    def test_a_message_that_is_changed_in_place_has_a_thread_too_and_a_crash_forgets_nothing(self):
        self.start(update="true", steps="[{after: 3s, severity: P2}]")
        wait_until(lambda: self.daemon.rows("SELECT 1 FROM nflog"), "told")
        self.hub.always("/chat/chat.postMessage", harness.Answer(503))
        wait_until(lambda: self.replies("chat"), "Slack was asked, and in trouble")
        self.daemon.kill()
        self.hub.always("/chat/chat.postMessage", harness.Answer(
            200, json.dumps({"ok": True, "channel": "C1", "ts": "1700000000.000200"}), {"Content-Type": "application/json"}))
        have = len(self.replies("chat"))
        self.daemon.start()
        wait_until(lambda: len(self.replies("chat")) == have + 1, "said after the restart")
        stays(lambda: len(self.replies("chat")) == have + 1, "and once", 2.5)
        self.daemon.resolve(DRIFT)
        end = wait_until(lambda: self.said("chat", "update"), "the message itself says the end")[-1]
        self.assertEqual((end["ts"], end["channel"]), (TS, "C1"), "the thread did not take the message's place")


if __name__ == "__main__":
    harness.main()
