"""What keeps people calm, through the real binary and over nights: business hours, storms, limits of how often a receiver is
told, silences that come back or end with the alert. And that nothing of it happens without a word of why."""

import harness
import story
from harness import wait_until

OFFICE = ("calendars: [{name: office, time_intervals: [{weekdays: ['monday:friday'], "
          "times: [{start_time: '09:00', end_time: '18:00'}]}]}]")


class BusinessHours(story.Story):
    def test_what_arrives_at_night_is_told_at_nine_or_dropped_and_each_says_why(self):
        self.begin("2026-01-05T02:00:00Z", f"""
route: {{receiver: chat, group_by: [alertname], group_wait: 0s, group_interval: 1m, repeat_interval: 24h, routes: [{story.CANARY}]}}
{self.receivers("chat")}
incidents: {{identity: [alertname, model]}}
{OFFICE}
incident_policies:
- {story.CANARY_POLICY}
- name: defer
  matchers: ['alertname=~"Defer|Urgent"']
  business_hours: {{calendar: office}}
- name: digest
  matchers: [alertname=Digest]
  business_hours: {{calendar: office, outside: digest}}
- name: drop
  matchers: [alertname=Drop]
  business_hours: {{calendar: office, outside: drop}}
""")
        self.fire("Defer/a", "Defer/b", "Digest/a", "Digest/b", "Drop/a", "Drop/b")
        self.fire("Urgent/a", severity="P1")
        self.hears("chat", "first notification firing=Urgent/a:P1")
        defer, drop = self.line_of("{calendar: office}"), self.line_of("outside: drop")
        closed = "office is closed until 2026-01-05T09:00:00.000Z"
        self.assertEqual(self.why("Defer/a", "business_hours"), [(closed, True, defer)])
        self.assertEqual(self.events("Defer/a", "decided"), [("outside business hours (office)", "chat")])
        dropped = "dropped: it began while office was closed, and is told when it becomes more severe"
        self.assertEqual(self.why("Drop/a", "business_hours"), [(dropped, True, drop)])
        self.assertEqual(self.events("Drop/a", "decided"), [("dropped: it began outside business hours (office)", "chat")])
        self.clock.set("2026-01-05T04:00:00Z")
        self.resolve("Defer/b", "Digest/b")
        self.fire("Drop/b", severity="P2")
        self.crash()
        self.at("2026-01-05T08:59:00Z")
        self.assertEqual(self.take("chat"), [])
        self.at("2026-01-05T09:00:01Z")
        self.hears("chat", "first notification firing=Defer/a:P3", "digest firing=Digest/a:P3 resolved=Digest/b",
                   "first notification firing=Drop/b:P2,Drop/b:P2")
        self.assertEqual(self.why("Defer/a", "business_hours"), [])
        # It fires on at noon, and who asks is told why nobody else was.
        self.at("2026-01-05T12:00:00Z")
        self.assertEqual(self.take("chat"), [])
        self.assertEqual(self.why("Drop/a", "business_hours"), [(dropped, True, drop)])
        self.assertIn(dropped, self.daemon.cli("incidents", "why", self.id_of("Drop/a")).stdout)
        self.daemon.cli("raise", self.id_of("Drop/a"), "--to=P2", "--reason=it grows")
        self.hears("chat", "new alerts added firing=Drop/a:P2,Drop/b:P2,Drop/b:P2")
        self.assertEqual(self.why("Drop/a", "business_hours"), [])
        self.fire("Drop/c")
        self.at("2026-01-05T12:02:00Z")
        self.hears("chat", "new alerts added firing=Drop/a:P2,Drop/b:P2,Drop/b:P2,Drop/c:P3")


class Storm(story.Story):
    def downs(self, *numbers):
        return [f"Down/m{number:02}" for number in numbers]

    def test_one_alert_stands_for_many_until_it_is_over_and_the_first_p0_of_each_model_breaks_through(self):
        self.begin("2026-01-05T10:00:00Z", f"""
route: {{receiver: chat, group_by: [alertname, model], group_wait: 0s, group_interval: 1s, repeat_interval: 24h, routes: [{story.CANARY}]}}
{self.receivers("chat")}
incidents: {{identity: [alertname, model]}}
incident_policies: [{story.CANARY_POLICY}, {{name: all}}]
storm: {{incidents: 5, within: 5m, quiet: 10m}}
""")
        self.fire(*self.downs(*range(5)), severity="P2")
        self.hears("chat", *(f"first notification firing={name}:P2" for name in self.downs(*range(5))))
        self.clock.set("2026-01-05T10:01:00Z")
        self.daemon.fire(*(self.labels(name, "P2") for name in self.downs(*range(5, 25))),
                         *(self.labels(name, "P0") for name in ("Dead/m01", "Dead/m02", "Gone/m01")))
        self.caught_up()
        self.hears("chat", "first notification firing=AlertStorm:P1", "first notification firing=Dead/m01:P0",
                   "first notification firing=Dead/m02:P0")
        parent = [body for body in self.hub.bodies("/chat") if body["commonLabels"]["alertname"] == "AlertStorm"][0]
        self.assertRegex(parent["commonAnnotations"]["summary"], r"Alert storm: \d+ new incidents and more to come")
        self.assertRegex(parent["commonAnnotations"]["description"], r"\d+ Down.*; \d+ models\. ")
        storm = self.id_of("AlertStorm")
        child = self.incident("Down/m07")
        self.assertEqual((child["parent_id"], self.incident("Dead/m01")["parent_id"]), (storm, None))
        self.assertEqual(self.events("Down/m07", "joined_storm"), [("", str(storm))])
        self.assertEqual(self.why("Gone/m01", "storm"), [
            (f"incident {storm} stands for it until the storm is over", True, self.line_of("storm:"))])
        # Another one keeps it going.
        self.clock.set("2026-01-05T10:04:00Z")
        self.fire("Down/m30", severity="P2")
        self.resolve(*self.downs(*range(5, 15)), severity="P2")
        self.crash()
        self.at("2026-01-05T10:13:00Z")
        self.assertEqual(self.take("chat"), [])
        self.at("2026-01-05T10:14:10Z")
        self.hears("chat", "all alerts resolved resolved=AlertStorm", "first notification firing=Gone/m01:P0",
                   *(f"first notification firing={name}:P2" for name in self.downs(*range(15, 25), 30)))
        # The next one is told as well, however soon it comes.
        self.clock.set("2026-01-05T10:16:00Z")
        self.fire(*self.downs(*range(40, 50)), severity="P2")
        self.hears("chat", "first notification firing=AlertStorm:P1")


class RateLimit(story.Story):
    def test_a_limit_delays_and_merges_what_one_receiver_hears_and_drops_nothing(self):
        self.begin("2026-01-05T10:00:00Z", f"""
route:
  receiver: chat
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 24h
  routes:
  - {story.CANARY}
  - {{receiver: board, continue: true}}
  - {{receiver: chat}}
{self.receivers("chat", "board")}
incidents: {{identity: [alertname, model]}}
incident_policies: [{story.CANARY_POLICY}, {{name: all}}]
rate_limits:
- {{receiver: chat, count: 2, per: 30m}}
""")
        self.fire("Lag/a")
        self.hears("chat", "first notification firing=Lag/a:P3")
        self.clock.set("2026-01-05T10:02:00Z")
        self.fire("Lag/b")
        self.hears("chat", "new alerts added firing=Lag/a:P3,Lag/b:P3")
        self.clock.set("2026-01-05T10:04:00Z")
        self.fire("Lag/c", "Drift/a")
        self.at("2026-01-05T10:06:00Z")
        self.resolve("Lag/b")
        self.fire("Lag/d")
        self.at("2026-01-05T10:08:00Z")
        limited = wait_until(lambda: self.daemon.rows("SELECT actor, reason FROM events WHERE type = 'rate_limited'"), "it is said")
        self.assertEqual(limited[0]["actor"], "chat")
        self.assertRegex(limited[0]["reason"], r"^2 messages in 30m: delayed until 2026-01-05T10:30:\d\d\.\d+Z$")
        why = self.why("Lag/c", "rate_limit")
        self.assertRegex(why[0][0], r"^delayed until 2026-01-05T10:30:\d\d\.\d+Z$")
        self.assertEqual(why[0][1:], (True, self.line_of("count: 2")))
        self.assertGreaterEqual(self.daemon.metric("mlalert_notifications_rate_limited_total"), 1)
        # Others hear of it at once.
        self.assertIn("first notification firing=Drift/a:P3", self.take("board"))
        self.at("2026-01-05T10:29:00Z")
        self.assertEqual(self.take("chat"), [])
        self.at("2026-01-05T10:30:30Z")
        told = wait_until(lambda: self.take("chat"), "there is room for one")
        self.at("2026-01-05T10:32:30Z")
        wait_until(lambda: told.extend(self.take("chat")) or len(told) >= 2, "and for the next")
        self.assertEqual(sorted(told), ["first notification firing=Drift/a:P3",
                                        "new alerts added firing=Lag/a:P3,Lag/c:P3,Lag/d:P3 resolved=Lag/b"])
        # The window is full again: P0 passes.
        self.fire("Drift/b")
        self.fire("Down/a", severity="P0")
        self.hears("chat", "first notification firing=Down/a:P0")


class Silences(story.Story):
    def silence(self, matchers, **annotations):
        reply = self.daemon.post("/api/v2/silences", {
            "matchers": [{"name": name, "value": value, "isRegex": False, "isEqual": True} for name, value in matchers.items()],
            "startsAt": harness.rfc3339(self.clock.now()), "endsAt": harness.rfc3339(self.clock.now() + 7 * 86400),
            "createdBy": "ann", "comment": "known", "annotations": annotations})
        self.assertEqual(reply.status, 200, reply)
        return reply.json()["silenceID"]

    def state(self, silence):
        return self.daemon.get(f"/api/v2/silence/{silence}").json()["status"]["state"]

    def test_one_comes_back_every_night_and_another_ends_with_the_alert(self):
        self.begin("2026-01-05T00:50:00Z", f"""
route: {{receiver: chat, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 72h, routes: [{story.CANARY}]}}
{self.receivers("chat")}
incidents: {{identity: [alertname, model]}}
time_intervals: [{{name: night, time_intervals: [{{times: [{{start_time: "01:00", end_time: "05:00"}}]}}]}}]
recurring_silences:
- {{name: retrain, matchers: [alertname=Retrain], time_intervals: [night]}}
incident_policies: [{story.CANARY_POLICY}, {{name: climb, cooldown: 0s, ladder: {{steps: [{{after: 1h, severity: P2}}]}}}}]
""")
        self.fire("Retrain/a")
        self.hears("chat", "first notification firing=Retrain/a:P3")
        self.at("2026-01-05T01:05:00Z")
        wait_until(lambda: self.incident("Retrain/a")["muted_since"], "its ladder stands")
        self.clock.set("2026-01-05T04:00:00Z")
        self.fire("Retrain/b", "Other/a")
        self.hears("chat", "first notification firing=Other/a:P3")
        self.assertEqual(self.incident("Retrain/a")["severity"], "P3")
        status = {alert["labels"]["alertname"]: alert["status"] for alert in self.daemon.alerts()}
        self.assertEqual((status["Retrain"]["state"], status["Retrain"]["silencedBy"]), ("suppressed", ["recurring:retrain"]))
        self.assertEqual(self.why("Retrain/b", "silence"), [("silenced by recurring:retrain", True, self.line_of("name: retrain"))])
        self.resolve("Other/a")
        self.hears("chat", "all alerts resolved resolved=Other/a")
        self.at("2026-01-05T05:00:01Z")
        self.hears("chat", "new alerts added firing=Retrain/a:P3,Retrain/b:P3")
        self.at("2026-01-05T05:02:00Z")
        wait_until(lambda: self.incident("Retrain/a")["muted_since"] is None, "its ladder goes on")
        self.at("2026-01-05T05:30:00Z")
        self.assertEqual(self.incident("Retrain/a")["severity"], "P3")
        self.at("2026-01-05T05:52:00Z")
        wait_until(lambda: self.incident("Retrain/a")["severity"] == "P2", "the rest of the hour is over")
        # The next night, too.
        wait_until(lambda: self.take("chat"), "the raise is told")
        self.resolve("Retrain/a", "Retrain/b")
        self.hears("chat", "all alerts resolved resolved=Retrain/a,Retrain/b")
        self.at("2026-01-06T01:30:00Z")
        self.fire("Retrain/c")
        self.at("2026-01-06T04:59:00Z")
        self.assertEqual(self.take("chat"), [])
        self.at("2026-01-06T05:00:01Z")
        self.hears("chat", "first notification firing=Retrain/c:P3")
        self.resolve("Retrain/c")
        self.hears("chat", "all alerts resolved resolved=Retrain/c")

        self.at("2026-01-06T09:00:00Z")
        self.fire("Known/a", "Known/b")
        self.hears("chat", "first notification firing=Known/a:P3,Known/b:P3")
        silence = self.silence({"alertname": "Known"}, until_resolved="true")
        self.at("2026-01-06T09:10:00Z")
        self.resolve("Known/a")
        self.assertEqual(self.state(silence), "active", "the other one fires")
        self.crash()
        self.at("2026-01-06T09:20:00Z")
        self.resolve("Known/b")
        wait_until(lambda: self.state(silence) == "expired", "the last one is over")
        self.hears("chat", "all alerts resolved resolved=Known/a,Known/b")
        self.assertTrue(wait_until(lambda: self.daemon.rows(
            "SELECT 1 FROM events WHERE type = 'silence_expired' AND to_value = ?", silence), "in the history"))
        self.at("2026-01-06T10:30:00Z")
        self.fire("Known/a")
        self.hears("chat", "first notification firing=Known/a:P3")


if __name__ == "__main__":
    harness.main()
