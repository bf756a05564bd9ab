"""Who is woken, and when: the night guard, a ladder that counts business hours, people on call over overrides and over the
clock's change, the plan that the API shows, and a chain at its end. Through the real binary, at the hours in question."""

import json

import story
from harness import wait_until

OFFICE = ("calendars: [{name: office, time_intervals: [{weekdays: ['monday:friday'], "
          "times: [{start_time: '09:00', end_time: '18:00'}]}], holidays: ['2026-01-06'], holiday_files: [days.ics]}]")
DAYS = """BEGIN:VCALENDAR\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20260107\r
SUMMARY:Moving to the new office\r
END:VEVENT\r
END:VCALENDAR\r
"""


class Night(story.Story):
    def test_age_alone_wakes_nobody_and_a_business_clock_counts_business_hours(self):
        self.write("days.ics", DAYS)
        self.begin("2026-01-05T02:00:00Z", f"""
route:
  receiver: board
  group_by: [alertname, model]
  group_wait: 0s
  group_interval: 1m
  repeat_interval: 240h
  routes:
  - {story.CANARY}
  - {{matchers: [severity=P1], receiver: page}}
  - {{matchers: [severity=P2], receiver: chat}}
{self.receivers("board", "chat", "page")}
incidents: {{identity: [alertname, model]}}
{OFFICE}
incident_policies:
- {story.CANARY_POLICY}
- {{name: guarded, matchers: [alertname=Guarded], ladder: {{steps: [{{after: 30m, severity: P2}}, {{after: 60m, severity: P1}}], calendar: office}}}}
- {{name: woken, matchers: [alertname=Woken], ladder: {{steps: [{{after: 30m, severity: P2}}, {{after: 60m, severity: P1}}], calendar: office, wake: true}}}}
- {{name: working, matchers: [alertname=Working], ladder: {{steps: [{{after: 15m, severity: P2}}], calendar: office, clock: business}}}}
""")
        self.fire("Guarded/a", "Guarded/b", "Woken/a")
        self.hears("board", *(f"first notification firing={name}:P3" for name in ("Guarded/a", "Guarded/b", "Woken/a")))
        self.at("2026-01-05T02:31:00Z")
        self.hears("chat", *(f"first notification firing={name}:P2" for name in ("Guarded/a", "Guarded/b", "Woken/a")))
        would_wake = "it would wake somebody: office is closed at 2026-01-05T03:00"
        self.assertEqual(self.plan("Guarded/a"), [f"2026-01-05T09:00 raise P1 page: {would_wake}"])
        self.assertEqual(self.plan("Woken/a"), ["2026-01-05T03:00 raise P1 page"])
        self.at("2026-01-05T03:01:00Z")
        self.hears("page", "first notification firing=Woken/a:P1")
        self.assertEqual(self.events("Guarded/a", "raise_held"),
                         [("it would wake somebody: office opens 2026-01-05T09:00:00.000Z", "P1")])
        self.assertEqual(self.plan("Guarded/a"), [f"2026-01-05T09:00 raise P1 page paused: {would_wake}"])
        # What somebody says is not held.
        self.assertEqual(self.daemon.cli("raise", self.id_of("Guarded/b"), "--to=P1", "--reason=customers call").returncode, 0)
        self.hears("page", "first notification firing=Guarded/b:P1")
        self.crash()
        self.at("2026-01-05T08:59:00Z")
        self.assertEqual((self.take("page"), self.incident("Guarded/a")["severity"]), ([], "P2"))
        self.at("2026-01-05T09:00:01Z")
        self.hears("page", "first notification firing=Guarded/a:P1")

        self.at("2026-01-05T17:50:00Z")
        self.fire("Working/a")
        self.at("2026-01-05T23:00:00Z")
        # Tuesday is a holiday of the list, Wednesday one of the file.
        self.assertEqual(self.plan("Working/a"), ["2026-01-08T09:05 raise P2 chat paused: office is closed: the clock stands"])
        ladder = self.incident("Working/a")["ladder"]
        self.assertFalse(ladder["clock_running"])
        self.assertAlmostEqual(ladder["clock_seconds"], 600, delta=60)
        self.crash()
        self.at("2026-01-08T09:04:00Z")
        self.assertEqual((self.take("chat"), self.incident("Working/a")["severity"]), ([], "P3"))
        self.at("2026-01-08T09:06:00Z")
        self.hears("chat", "first notification firing=Working/a:P2")


class Ladder(story.Story):
    def test_severity_rises_with_the_time_that_nobody_acts_and_not_while_somebody_has_it(self):
        self.begin("2026-01-05T10:00:00Z", f"""
route:
  receiver: board
  group_by: [alertname, model]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 24h
  routes:
  - {story.CANARY}
  - {{matchers: [severity=P1], receiver: page}}
  - {{matchers: [severity=P2], receiver: chat}}
{self.receivers("board", "chat", "page")}
incidents: {{identity: [alertname, model]}}
incident_policies:
- {story.CANARY_POLICY}
- name: climb
  cooldown: 0s
  ladder: {{quiet_before_first_step: true, steps: [{{after: 15m, severity: P3}}, {{after: 30m, severity: P2}}, {{after: 60m, severity: P1}}]}}
""")
        self.fire("Drift/a", "Drift/b", "Blip/a")
        self.at("2026-01-05T10:14:00Z")
        self.resolve("Blip/a")
        self.assertEqual(self.take("board"), [])
        self.at("2026-01-05T10:15:10Z")
        self.hears("board", "first notification firing=Drift/a:P3", "first notification firing=Drift/b:P3")
        self.at("2026-01-05T10:20:00Z")
        self.daemon.ack(self.id_of("Drift/b"), actor="ann")
        self.hears("board", "acknowledged firing=Drift/b:P3")
        self.at("2026-01-05T10:29:00Z")
        self.assertEqual(self.take("chat"), [])
        self.at("2026-01-05T10:30:10Z")
        self.hears("chat", "first notification firing=Drift/a:P2")
        self.at("2026-01-05T10:50:20Z")
        self.daemon.unack(self.id_of("Drift/b"), actor="ann")
        self.hears("board", "unacknowledged firing=Drift/b:P3")
        # The clock of /b stood for half an hour.
        self.assertEqual(self.plan("Drift/b"), ["2026-01-05T11:00 raise P2 chat", "2026-01-05T11:30 raise P1 page"])
        self.at("2026-01-05T10:59:00Z")
        self.assertEqual((self.take("page"), self.take("chat")), ([], []))
        self.at("2026-01-05T11:00:50Z")
        self.hears("page", "first notification firing=Drift/a:P1")
        self.hears("chat", "first notification firing=Drift/b:P2")
        self.at("2026-01-05T11:30:50Z")
        self.hears("page", "first notification firing=Drift/b:P1")
        # A snooze ends open, and who hears of it now is told again.
        self.assertEqual(self.daemon.cli("snooze", self.id_of("Drift/b"), "--for=2h").returncode, 0)
        self.at("2026-01-05T13:30:00Z")
        self.assertEqual(self.take("page"), [])
        self.at("2026-01-05T13:31:30Z")
        self.hears("page", "unacknowledged firing=Drift/b:P1")
        self.assertEqual(self.incident("Drift/b")["state"], "open")
        # The end is told to all who were told, also on the routes that it has left.
        self.take("board")
        self.resolve("Drift/b")
        for who in ("board", "chat", "page"):
            self.hears(who, "all alerts resolved resolved=Drift/b")


class OnCall(story.Story):
    def on_call(self, at):
        """What `mlalert simulate oncall` says: exit code, who."""
        ran = self.run_mlalert("simulate", "oncall", "--at", at, "--config.file", self.daemon.config_path, "--json")
        self.assertEqual(ran.stderr, "")
        schedule, = json.loads(ran.stdout)["schedules"]
        return ran.returncode, schedule["on_call"]

    def test_an_override_and_the_clocks_change_decide_who_is_told(self):
        # On 29 March at 02:00 Berlin's clocks go forward. Monday 08:00 is 07:00 UTC before and 06:00 after.
        self.begin("2026-03-28T16:59:00Z", f"""
route:
  receiver: primary
  group_by: [alertname, model]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 240h
  routes:
  - {story.CANARY}
  - {{matchers: [alertname=Down], receiver: board}}
{self.receivers("anna", "bert", "cleo", "lead", "board")}
incidents: {{identity: [alertname, model]}}
schedules:
- name: primary
  time_zone: Europe/Berlin
  rotations: [{{start: "2026-03-23T08:00:00", receivers: [anna, bert]}}]
  overrides:
  - {{from: "2026-03-28T18:00:00", until: "2026-03-29T10:00:00", receivers: [cleo]}}
  - {{from: "2026-03-31T08:00:00", until: "2026-03-31T09:00:00Z", receivers: []}}
incident_policies:
- {story.CANARY_POLICY}
- {{name: page, matchers: [alertname=Down], chain: {{steps: [{{after: 0m, receivers: [primary]}}], fallback: [lead]}}}}
- {{name: rest, cooldown: 0s}}
""")
        self.fire("Drift/a")
        self.hears("anna", "first notification firing=Drift/a:P3")
        # Saturday 18:00: who comes in is told what fires, who leaves is not told of more.
        self.at("2026-03-28T17:00:01Z")
        self.hears("cleo", "first notification firing=Drift/a:P3")
        # Sunday 09:59 by the new time, which is 08:59 by the old one.
        self.at("2026-03-29T07:59:00Z")
        self.fire("Lag/a")
        self.fire("Down/a", severity="P1")
        self.hears("cleo", "first notification firing=Lag/a:P3", "escalated firing=Down/a:P1")
        self.assertEqual(self.events("Down/a", "escalated"), [("step 1 of the chain, after 0s", "cleo")])
        self.daemon.ack(self.id_of("Down/a"), actor="cleo")
        self.hears("cleo", "acknowledged firing=Down/a:P1")
        # What nobody has taken goes over to who comes on call, and to nobody twice.
        self.fire("Down/c", severity="P1")
        self.hears("cleo", "escalated firing=Down/c:P1")
        self.assertEqual(self.take("anna"), [])
        self.at("2026-03-29T08:00:01Z")
        self.hears("anna", "first notification firing=Lag/a:P3", "escalated firing=Down/c:P1")
        self.assertIn(("step 1 of the chain: on call in primary since the hand-over", "anna"), self.events("Down/c", "escalated"))
        self.crash()
        self.assertEqual(self.daemon.reload().status, 200)
        self.at("2026-03-29T08:05:00Z")
        self.resolve("Down/c", severity="P1")
        for who in ("anna", "cleo"):
            self.hears(who, "all alerts resolved resolved=Down/c")
        self.at("2026-03-30T05:59:00Z")
        self.assertEqual(self.take("bert"), [])
        self.at("2026-03-30T06:00:01Z")
        self.hears("bert", "first notification firing=Drift/a:P3", "first notification firing=Lag/a:P3")
        # Everybody who was told hears of the end.
        self.resolve("Drift/a", "Lag/a")
        for who in ("anna", "bert", "cleo"):
            self.hears(who, "all alerts resolved resolved=Drift/a", "all alerts resolved resolved=Lag/a")
        # Nobody is on call: then who is told instead, and it is said.
        self.at("2026-03-31T07:00:00Z")
        self.fire("Down/b", severity="P1")
        self.hears("lead", "escalated firing=Down/b:P1")
        self.assertEqual(self.events("Down/b", "nobody_reached"), [("nobody is on call in primary; told instead: lead", "")])
        for at, said in (("2026-03-28T16:59:59Z", (0, ["anna"])), ("2026-03-28T17:00:00Z", (0, ["cleo"])),
                         ("2026-03-29T07:59:59Z", (0, ["cleo"])), ("2026-03-29T08:00:00Z", (0, ["anna"])),
                         ("2026-03-30T05:59:59Z", (0, ["anna"])), ("2026-03-30T06:00:00Z", (0, ["bert"])),
                         ("2026-03-31T06:00:00Z", (1, [])), ("2026-03-31T09:00:00Z", (0, ["bert"])),
                         # And back in autumn: 08:00 is 06:00 UTC before and 07:00 after.
                         ("2026-10-26T06:59:59Z", (0, ["anna"])), ("2026-10-26T07:00:00Z", (0, ["bert"]))):
            with self.subTest(at):
                self.assertEqual(self.on_call(at), said)


class Chain(story.Story):
    def test_the_plan_says_what_is_ahead_and_what_holds_it_until_the_chain_has_run_out(self):
        self.begin("2026-01-05T10:00:00Z", f"""
route: {{receiver: board, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 48h, routes: [{story.CANARY}]}}
{self.receivers("board", "one", "two", "boss", "lead")}
incidents: {{identity: [alertname, model]}}
incident_policies:
- {story.CANARY_POLICY}
- name: page
  cooldown: 0s
  chain:
    steps:
    - {{after: 0m, receivers: [one]}}
    - {{after: 15m, receivers: [two]}}
    - {{after: 30m, receivers: [boss], severities: [P0]}}
    repeat: {{times: 1, every: 30m, from: 2}}
    fallback: [lead]
""")
        self.fire("Down/a", severity="P1")
        self.hears("one", "escalated firing=Down/a:P1")
        self.assert_plan("10:15 escalate P1 two", "11:00 escalate P1 two", "11:45 fallback P1 lead")
        ident = self.id_of("Down/a")
        shown = self.daemon.cli("incidents", "show", ident).stdout
        for word in ("two", "lead"):
            self.assertIn(word, shown)

        self.at("2026-01-05T10:05:00Z")
        self.daemon.ack(ident, actor="ann", expires_in="1h")
        self.hears("one", "acknowledged firing=Down/a:P1")
        self.assert_plan("11:05 escalate P1 one", "11:20 escalate P1 two", "12:05 escalate P1 two", "12:50 fallback P1 lead",
                         why="acknowledged by ann until 2026-01-05T11:05")
        self.at("2026-01-05T11:05:30Z")
        self.hears("one", "escalated firing=Down/a:P1")
        self.assert_plan("11:20 escalate P1 two", "12:05 escalate P1 two", "12:50 fallback P1 lead")

        self.at("2026-01-05T11:10:00Z")
        silence = self.daemon.post("/api/v2/silences", {
            "matchers": [{"name": "alertname", "value": "Down", "isRegex": False, "isEqual": True}], "createdBy": "bob",
            "startsAt": "2026-01-05T11:10:00Z", "endsAt": "2026-01-05T12:10:20Z", "comment": "on it"}).json()["silenceID"]
        self.assert_plan("12:20 escalate P1 two", "13:05 escalate P1 two", "13:50 fallback P1 lead",
                         why=f"all of its alerts are silenced: {silence}")
        self.crash()
        self.at("2026-01-05T12:10:21Z")
        self.assert_plan("12:20 escalate P1 two", "13:05 escalate P1 two", "13:50 fallback P1 lead")
        self.assertEqual(self.take("two"), [])
        for at in ("12:20", "13:05"):
            self.at(f"2026-01-05T{at}:30Z")
            self.hears("two", "escalated firing=Down/a:P1")
        self.assertEqual(self.take("lead"), [])
        self.at("2026-01-05T13:50:30Z")
        self.hears("lead", "escalated firing=Down/a:P1")
        self.assertEqual(self.events("Down/a", "chain_exhausted"), [("every step was taken and nobody acted", "lead")])
        self.assert_plan()
        # Everybody who was told hears who took it at last; nobody else was.
        for who in ("board", "one", "two", "lead"):
            self.take(who)
        self.daemon.ack(ident, actor="lea")
        for who in ("board", "one", "two", "lead"):
            self.hears(who, "acknowledged firing=Down/a:P1")
        self.assertEqual(self.take("boss"), [])

    def assert_plan(self, *lines, why=""):
        paused = f" paused: {why}" if why else ""
        self.assertEqual(self.plan("Down/a"), [f"2026-01-05T{line}{paused}" for line in lines])


if __name__ == "__main__":
    story.harness.main()
