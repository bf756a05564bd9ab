"""Severity climbs by the ladder until somebody takes the incident; everybody who was told hears who did, and the end."""

import json
import time

import harness
from harness import stays, wait_until

# How long "it did not climb" is watched: several rungs.
QUIET = 2.6


def config(sink, ladder="[{after: 1s, severity: P3}, {after: 2s, severity: P2}, {after: 3s, severity: P1}]", ack="{}"):
    return f"""
route:
  receiver: board
  group_by: [model]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
  routes:
  - {{matchers: ['severity="P1"'], receiver: page}}
  - {{matchers: ['severity="P2"'], receiver: chat}}
receivers:
- name: board
  webhook_configs: [{{url: "{sink.url}/board"}}]
- name: chat
  slack_configs: [{{api_url: "{sink.url}/slack", channel: "#ml", send_resolved: true}}]
- name: page
  pagerduty_configs: [{{url: "{sink.url}/pagerduty", routing_key: key}}]
incidents: {{identity: [alertname, model]}}
incident_policies:
- name: climb
  cooldown: 0s
  ladder: {{steps: {ladder}, quiet_before_first_step: true}}
  acknowledge: {ack}
"""


# Long enough after the rung to P2 for a person, short enough for a test.
WIDE = "[{after: 300ms, severity: P3}, {after: 600ms, severity: P2}, {after: 3s, severity: P1}]"
DRIFT = {"alertname": "Drift", "model": "fraud", "severity": "P3"}


class Case(harness.TestCase):
    def start(self, **options):
        self.hub = self.sink()
        self.daemon = self.mlalert(config(self.hub, **options))
        return self.daemon

    def fire(self, labels=DRIFT):
        # Held for longer than any test; nobody repeats it.
        self.daemon.post_alerts({"labels": labels, "endsAt": harness.rfc3339(time.time() + 3600)})
        return wait_until(lambda: self.daemon.only_incident(**{key: labels[key] for key in ("alertname", "model")}),
                          "the incident")["id"]

    def state(self, incident_id):
        incident = self.daemon.incident(incident_id)
        return incident["state"], incident["severity"]

    def wait_severity(self, incident_id, severity):
        wait_until(lambda: self.daemon.incident(incident_id)["severity"] == severity, f"severity {severity}")

    def events(self, incident_id):
        return [event["type"] for event in self.daemon.incident(incident_id)["events"]]

    def wait_event(self, incident_id, event):
        wait_until(lambda: event in self.events(incident_id), event)

    def assert_stays(self, incident_id, state):
        stays(lambda: self.state(incident_id) == state, f"{state}", QUIET)

    def pages(self, action=None):
        return [body for body in self.hub.bodies("/pagerduty") if action in (None, body["event_action"])]


class Ladder(Case):
    def test_quiet_then_told_then_raised_then_paged_then_resolved_everywhere(self):
        daemon = self.start()
        begin = time.monotonic()
        incident = self.fire()
        self.assertEqual(self.hub.taken, [], "quiet before the first step")
        self.assertEqual(self.state(incident), ("open", "P3"))
        self.hub.wait_for("/board", 1)
        self.assertGreater(time.monotonic() - begin, 0.9)
        self.hub.wait_for("/slack", 1)
        self.assertGreater(time.monotonic() - begin, 1.9)
        self.assertEqual(self.pages(), [])
        page = self.hub.wait_for("/pagerduty", 1)[0]
        self.assertGreater(time.monotonic() - begin, 2.9)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertEqual((page["event_action"], page["routing_key"], page["payload"]["severity"]), ("trigger", "key", "error"))
        self.assertEqual(self.state(incident), ("open", "P1"))
        self.assertEqual([len(self.hub.requests(path)) for path in ("/board", "/slack", "/pagerduty")], [1, 1, 1],
                         "each was told once, when it was its turn")
        plan = daemon.incident(incident)["ladder"]
        self.assertTrue(plan)

        daemon.resolve(DRIFT)
        self.assertEqual(self.hub.wait_for("/board", 2)[1]["status"], "resolved")
        self.assertIn("RESOLVED", self.hub.wait_for("/slack", 2)[1]["attachments"][0]["title"])
        last = self.hub.wait_for("/pagerduty", 2)[1]
        self.assertEqual((last["event_action"], last["dedup_key"]), ("resolve", page["dedup_key"]))
        wait_until(lambda: self.state(incident) == ("resolved", "P1"), "resolved, with the severity it had reached")
        self.wait_event(incident, "resolved")
        self.assertEqual(self.events(incident)[0], "opened")
        self.assertEqual(self.events(incident).count("raised"), 2)
        stays(lambda: len(self.hub.taken) == 6, "nobody hears more", 1.5)

    def test_gone_before_the_first_step_is_nobodys_business(self):
        daemon = self.start()
        incident = self.fire()
        daemon.resolve(DRIFT)
        wait_until(lambda: self.state(incident)[0] == "resolved", "resolved")
        stays(lambda: self.hub.taken == [], "nobody is told", QUIET)

    def test_source_that_gets_worse_ends_an_acknowledgement(self):
        daemon = self.start(ladder=WIDE)
        incident = self.fire()
        self.hub.wait_for("/board", 1)
        self.assertEqual(daemon.ack(incident, actor="alice").status, 200)
        worse = {**DRIFT, "severity": "P1"}
        daemon.post_alerts({"labels": worse, "endsAt": harness.rfc3339(time.time() + 3600)})
        wait_until(lambda: self.pages("trigger"), "the page")
        self.assertEqual(self.state(incident), ("open", "P1"))


class Acknowledge(Case):
    def test_stops_the_climb_and_tells_who(self):
        daemon = self.start(ladder=WIDE)
        incident = self.fire()
        self.hub.wait_for("/slack", 1)
        told = len(self.hub.requests("/board"))
        reply = daemon.ack(incident, actor="alice", comment="rolling back <b>")
        self.assertEqual(reply.status, 200, reply)
        answer = reply.json()
        self.assertEqual((answer["id"], answer["state"], answer["severity"]), (incident, "acknowledged", "P2"))
        self.assertEqual((answer["acknowledgement"]["actor"], answer["acknowledgement"]["comment"]),
                         ("alice", "rolling back <b>"))
        # The answer was a promise: it is on disk now.
        rows = daemon.rows("SELECT state, severity FROM v_incidents WHERE id = ?", incident)
        self.assertEqual(rows, [{"state": "acknowledged", "severity": "P2"}])
        self.assertIn("ACKNOWLEDGED", self.hub.wait_for("/slack", 2)[1]["attachments"][0]["title"])
        self.assertGreaterEqual(len(self.hub.wait_for("/board", told + 1)), told + 1)
        stays(lambda: self.state(incident) == ("acknowledged", "P2"), "no climb", QUIET)
        self.assertEqual(self.pages(), [])
        self.assertEqual(len(self.hub.requests("/slack")), 2, "nor is anybody told again")

        daemon.resolve(DRIFT)
        wait_until(lambda: self.state(incident) == ("resolved", "P2"), "resolved")
        self.assertIn("RESOLVED", self.hub.wait_for("/slack", 3)[2]["attachments"][0]["title"])
        wait_until(lambda: self.hub.bodies("/board")[-1]["status"] == "resolved", "the board hears the end too")
        self.assertEqual(self.pages(), [], "whom nobody told, nobody tells the end")

    def test_pagerduty_hears_acknowledge_by_the_same_key_and_what_nobody_has_taken_under_a_new_one(self):
        daemon = self.start(ladder="[{after: 1s, severity: P1}]")
        incident = self.fire()
        page = self.hub.wait_for("/pagerduty", 1)[0]
        done = daemon.cli("ack", incident, "--comment", "on it", "--as", "bob")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"acknowledged incident {incident}", done.stdout)
        self.assertIn("bob", done.stdout)
        second = self.hub.wait_for("/pagerduty", 2)[1]
        self.assertEqual((second["event_action"], second["dedup_key"]), ("acknowledge", page["dedup_key"]))
        self.assertEqual(second["routing_key"], "key")
        # Another alert of the same model is one more in the group of the page.
        other = self.fire({**DRIFT, "alertname": "Volume"})
        wait_until(lambda: len(self.pages("trigger")) >= 2, "what nobody has taken pages")
        self.assertEqual(self.state(incident), ("acknowledged", "P1"))
        daemon.resolve(DRIFT)
        daemon.resolve({**DRIFT, "alertname": "Volume"})
        wait_until(lambda: len(self.pages("resolve")) >= 2, "the resolve")
        # A trigger for what is acknowledged pages nobody: that incident of PagerDuty ended, and the next one began.
        first, second = page["dedup_key"], page["dedup_key"] + "#2"
        self.assertEqual([(body["event_action"], body["dedup_key"]) for body in self.pages()][:4],
                         [("trigger", first), ("acknowledge", first), ("resolve", first), ("trigger", second)])
        self.assertEqual(self.pages("resolve")[-1]["dedup_key"], second)
        wait_until(lambda: self.state(other)[0] == "resolved", "both are resolved")

    def test_unack_lets_the_clock_go_on(self):
        daemon = self.start(ladder=WIDE)
        incident = self.fire()
        self.wait_severity(incident, "P2")
        self.assertEqual(daemon.ack(incident, actor="alice").status, 200)
        stays(lambda: self.state(incident) == ("acknowledged", "P2"), "the clock stands still", QUIET)
        reply = daemon.unack(incident, actor="bob", comment="not me")
        self.assertEqual((reply.status, reply.json()["state"]), (200, "open"))
        self.wait_severity(incident, "P1")
        self.hub.wait_for("/pagerduty", 1)
        wait_until(lambda: self.events(incident).count("raised") == 2, "both raises are stored")
        events = {event["type"]: event for event in daemon.incident(incident)["events"]}
        self.assertEqual(events["unacknowledged"]["actor"], "bob")
        at = {kind: harness.from_rfc3339(event["at"]) for kind, event in events.items()}
        # Of the 3 seconds to P1 those count that it was open: it neither starts anew nor jumps.
        open_for = at["acknowledged"] - at["opened"] + at["raised"] - at["unacknowledged"]
        self.assertGreaterEqual(open_for, 2.99)
        self.assertLess(open_for, 3.5)

    def test_expires_and_goes_on(self):
        daemon = self.start(ladder=WIDE)
        incident = self.fire()
        self.wait_severity(incident, "P2")
        self.assertEqual(daemon.ack(incident, actor="alice", expires_in="2s").status, 200)
        stays(lambda: self.state(incident) == ("acknowledged", "P2"), "acknowledged until it expires", 1.5)
        wait_until(lambda: self.state(incident)[0] == "open", "open again", timeout=5)
        self.wait_severity(incident, "P1")
        self.hub.wait_for("/pagerduty", 1)
        self.wait_event(incident, "acknowledgement_expired")

    def test_policy_says_when_it_expires(self):
        daemon = self.start(ladder=WIDE, ack="{expires: 2s}")
        incident = self.fire()
        self.wait_severity(incident, "P2")
        done = daemon.cli("ack", incident, "--comment", "on it", "--as", "bob")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(" until ", done.stdout)
        wait_until(lambda: self.state(incident)[0] == "open", "open again", timeout=6)
        # What the caller says counts more.
        self.assertEqual(daemon.ack(incident, actor="bob", expires_in="1h").status, 200)
        stays(lambda: self.state(incident)[0] == "acknowledged", "an hour", 3)

    def test_survives_a_restart(self):
        daemon = self.start(ladder=WIDE)
        incident = self.fire()
        self.wait_severity(incident, "P2")
        self.assertEqual(daemon.ack(incident, actor="alice", comment="mine").status, 200)
        daemon.kill()
        daemon.start()
        self.assertEqual(self.state(incident), ("acknowledged", "P2"))
        self.assertEqual(daemon.incident(incident)["acknowledgement"]["actor"], "alice")
        self.assert_stays(incident, ("acknowledged", "P2"))

    def test_twice_by_another(self):
        """The second one takes it over; nobody climbs."""
        daemon = self.start(ladder=WIDE)
        incident = self.fire()
        self.assertEqual(daemon.ack(incident, actor="alice").status, 200)
        self.assertEqual(daemon.ack(incident, actor="bob").status, 200)
        self.assertEqual(daemon.incident(incident)["acknowledgement"]["actor"], "bob")
        self.assertEqual(daemon.unack(incident, actor="bob").status, 200)
        self.assertEqual(self.state(incident)[0], "open")


class Refusals(Case):
    def test_api(self):
        daemon = self.start(ladder="[{after: 1h, severity: P2}]")
        incident = self.fire()
        act = f"/api/mlalert/v1/incidents/{incident}/ack"

        def status(path, body, **headers):
            reply = daemon.post(path, body, headers={"Content-Type": "application/json", **headers})
            if reply.status >= 400:
                self.assertTrue(reply.json()["error"], reply)
            return reply.status
        for what, body in (
                ("no actor", {}), ("empty actor", {"actor": ""}), ("blank actor", {"actor": " \t"}),
                ("actor is no text", {"actor": 7}), ("actor is null", {"actor": None}),
                ("long actor", {"actor": "a" * 10_000}), ("long comment", {"actor": "a", "comment": "c" * 10_000}),
                ("control characters", {"actor": "a\nb"}), ("unknown key", {"actor": "a", "coment": "x"}),
                ("bad duration", {"actor": "a", "expires_in": "soon"}), ("negative", {"actor": "a", "expires_in": "-1h"}),
                ("no time", {"actor": "a", "expires_in": "0s"}), ("too long", {"actor": "a", "expires_in": "9000h"}),
                ("the past", {"actor": "a", "expires_at": "2020-01-01T00:00:00Z"}),
                ("both", {"actor": "a", "expires_in": "1h", "expires_at": "2099-01-01T00:00:00Z"}),
                ("no object", []), ("no JSON", "{"), ("nothing", "")):
            with self.subTest(what=what):
                self.assertEqual(status(act, body if isinstance(body, str) else json.dumps(body)), 400)
        self.assertEqual(status(act, json.dumps({"actor": "a"}), **{"Content-Type": "text/plain"}), 415)
        self.assertEqual(status(act + "?x=1", '{"actor": "a"}'), 400)
        self.assertEqual(daemon.get(act).status, 405)
        for wrong in ("0", "-1", "abc", "1x", "1.0"):
            self.assertEqual(status(f"/api/mlalert/v1/incidents/{wrong}/ack", '{"actor": "a"}'), 400, wrong)
        for action in ("ack", "unack"):
            self.assertEqual(status(f"/api/mlalert/v1/incidents/999/{action}", '{"actor": "a"}'), 404)
        self.assertEqual(self.state(incident)[0], "open", "nothing of it counted")
        self.assertEqual(daemon.unack(incident, actor="a").status, 200, "nobody has taken it: it is so already")
        daemon.resolve(DRIFT)
        wait_until(lambda: self.state(incident)[0] == "resolved", "resolved")
        for action in (daemon.ack, daemon.unack):
            self.assertEqual(action(incident, actor="a").status, 409)
        self.assertNotIn("acknowledged", self.events(incident))

    def test_command_line(self):
        daemon = self.start(ladder="[{after: 1h, severity: P2}]")
        incident = self.fire()
        for arguments, code, word in (
                (("ack", incident, "--as=bob"), 2, "--comment"), (("ack", incident, "--comment= ", "--as=bob"), 2, "--comment"),
                (("ack", "--comment=x"), 2, "ID"), (("ack", "abc", "--comment=x"), 2, "abc"),
                (("ack", incident, "--comment=x", "--as=bob", "--expires=soon"), 2, "--expires"),
                (("ack", 999, "--comment=x", "--as=bob"), 3, "999"), (("unack", incident, "--as=bob"), 0, ""),
                (("ack", 999, incident, "--comment=x", "--as=bob"), 3, "999"), (("unack", incident, "--as=bob"), 0, "")):
            with self.subTest(arguments=arguments):
                done = daemon.cli(*arguments)
                self.assertEqual(done.returncode, code, done.stdout + done.stderr)
                self.assertIn(word, done.stderr)
        self.assertEqual([event["actor"] for event in daemon.incident(incident)["events"]
                          if event["type"] in ("acknowledged", "unacknowledged")], ["bob", "bob"],
                         "of several, the good one was done")
        done = daemon.cli("ack", incident, "--comment=x", env={"USER": "carol"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("as carol", done.stdout)
        daemon.resolve(DRIFT)
        wait_until(lambda: self.state(incident)[0] == "resolved", "resolved")
        done = daemon.cli("ack", incident, "--comment=x", "--as=bob")
        self.assertEqual((done.returncode, "resolved" in done.stderr), (1, True), done.stderr)
        self.assertEqual(self.run_mlalert("ack", 1, "--comment=x", f"--url=http://127.0.0.1:{harness.free_port()}").returncode, 1)


if __name__ == "__main__":
    harness.main()
