"""What would happen to an alert, and who is on call: the answers and the exit codes that the CI of a config repository needs."""

import json

import harness

CONFIG = """
route:
  receiver: mail
  group_by: [model]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
  routes:
  - {matchers: ['severity="P1"'], receiver: page}
  - {matchers: ['severity="P2"'], receiver: chat}
receivers:
- {name: mail, webhook_configs: [{url: "http://127.0.0.1:9/mail"}]}
- {name: chat, webhook_configs: [{url: "http://127.0.0.1:9/chat"}]}
- {name: page, webhook_configs: [{url: "http://127.0.0.1:9/page"}]}
- {name: anna, webhook_configs: [{url: "http://127.0.0.1:9/anna"}]}
- {name: bert, webhook_configs: [{url: "http://127.0.0.1:9/bert"}]}
incidents: {identity: [alertname, model]}
schedules:
- name: primary
  time_zone: Europe/Berlin
  rotations: [{start: "2026-03-23T08:00:00", receivers: [anna, bert]}]
incident_policies:
- name: climb
  ladder: {steps: [{after: 15m, severity: P3}, {after: 30m, severity: P2}, {after: 60m, severity: P1}]}
  chain: {steps: [{after: 20m, receivers: [primary]}]}
"""
DRIFT = ["--labels", "alertname=Drift,model=fraud,severity=P3", "--from", "2026-03-30T09:00:00Z", "--for", "90m"]


class Simulate(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.config = self.write("mlalert.yml", CONFIG)

    def simulate(self, *arguments):
        return self.run_mlalert("simulate", *arguments, "--config.file", self.config)

    def told(self, *more):
        ran = self.simulate(*DRIFT, *more, "--json")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        return [(line["after_seconds"], line["receiver"], line["detail"])
                for line in json.loads(ran.stdout)["timeline"] if line["what"] == "notify"]

    def test_the_timeline_of_an_alert_on_which_nobody_acts(self):
        self.assertEqual(self.told(), [
            (30, "mail", "webhook, first notification, P3"),
            (1200, "bert", "webhook, escalated, P3"),
            (1800, "chat", "webhook, first notification, P2"),
            (3000, "bert", "webhook, escalated, P2"),
            (3600, "page", "webhook, first notification, P1"),
            (4800, "bert", "webhook, escalated, P1")])

    def test_an_acknowledgement_stops_it_and_the_end_is_told_to_those_who_know(self):
        self.assertEqual(self.told("--ack-after", "25m", "--resolve-after", "80m")[2:], [
            (1500, "mail", "webhook, acknowledged, P3"),
            (1500, "bert", "webhook, acknowledged, P3"),
            (4800, "bert", "webhook, all alerts resolved"),
            (4830, "mail", "webhook, all alerts resolved")])

    def test_expectations_that_hold(self):
        ran = self.simulate(*DRIFT, "--expect", "page@1h", "--expect", "chat@2026-03-30T09:30", "--expect", "bert@20m")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))

    def test_an_expectation_that_does_not_hold_is_exit_code_1(self):
        ran = self.simulate(*DRIFT, "--expect", "page@1h", "--expect", "page@59m")
        self.assertEqual(ran.returncode, 1)
        self.assertEqual(ran.stderr, "not as expected: page hears nothing at 2026-03-30T09:59:00Z (+59m); page hears at +1h\n")
        ran = self.simulate(*DRIFT, "--expect", "anna@1h", "--expect", "bert@21m")
        self.assertEqual(ran.returncode, 1)
        self.assertIn("(+1h); anna hears nothing at all\n", ran.stderr)
        self.assertIn("(+21m); bert hears at +20m, +50m, +1h20m\n", ran.stderr)

    def test_what_cannot_be_asked_is_exit_code_2(self):
        for expect, says in (("nobody@5m", 'the config has no receiver "nobody"'),
                             ("primary@20m", "it is a schedule: name the receiver that is on call then"),
                             ("page", '"page" is no receiver@time'), ("page@later", "page@later")):
            with self.subTest(expect):
                ran = self.simulate(*DRIFT, "--expect", expect)
                self.assertEqual(ran.returncode, 2)
                self.assertIn(says, ran.stderr)
                self.assertEqual("schedule" in ran.stderr, expect.startswith("primary"))
        for more, says in ((("--expect", "page@20h"), "--expect page@20h: 2026-03-31T05:00:00Z is not simulated"),
                           (("--expect", "page@2026-03-30T08:00"), "it begins at 2026-03-30T09:00:00Z"),
                           (("--ack-after", "91m"), "--ack-after 1h31m: that is not simulated"),
                           (("--resolve-after", "2h"), "--resolve-after 2h: that is not simulated"),
                           (("--resolve-after", "5m", "--ack-after", "6m"), "it is resolved before"),
                           (("--labels", "model=other"), '--labels: "model" is given twice')):
            with self.subTest(more):
                ran = self.simulate(*DRIFT, *more)
                self.assertEqual((ran.returncode, ran.stdout), (2, ""))
                self.assertIn(says, ran.stderr)
        self.assertEqual(self.simulate(*DRIFT, "--ack-after", "90m", "--resolve-after", "90m").returncode, 0)
        self.write("mlalert.yml", CONFIG + "unheard_of: 1\n")
        self.assertEqual(self.simulate(*DRIFT).returncode, 2)

    def test_shifts_keep_their_hour_when_the_clocks_change(self):
        # On 29 March Berlin's clocks went forward: eight in the morning is 07:00 UTC before and 06:00 after.
        for at, who, code in (("2026-03-23T06:59:59Z", "nobody", 1), ("2026-03-23T07:00:00Z", "anna", 0),
                              ("2026-03-30T05:59:59Z", "anna", 0), ("2026-03-30T06:00:00Z", "bert", 0)):
            with self.subTest(at):
                ran = self.simulate("oncall", "--at", at)
                self.assertEqual((ran.returncode, ran.stdout.splitlines()[1].split()[:2]), (code, ["primary", who]))

    def test_who_follows_is_in_the_json_too(self):
        ran = self.simulate("oncall", "--at", "2026-03-29T12:00:00Z", "--json")
        self.assertEqual(json.loads(ran.stdout)["schedules"], [
            {"schedule": "primary", "on_call": ["anna"], "until": "2026-03-30T06:00:00.000Z", "then": ["bert"]}])
        ran = self.simulate("oncall", "--at", "2026-03-20T12:00:00Z", "--json")
        one = json.loads(ran.stdout)["schedules"][0]
        self.assertEqual((ran.returncode, one["on_call"], one["then"]), (1, [], ["anna"]))

    def test_what_is_ahead_when_the_look_ends_is_told_as_well(self):
        quiet = CONFIG.replace("ladder: {", "ladder: {quiet_before_first_step: true, ")
        self.write("mlalert.yml", quiet)
        short = [*DRIFT[:-1], "10m"]
        ran = self.simulate(*short, "--json")
        told = json.loads(ran.stdout)
        self.assertEqual([line for line in told["timeline"] if line["what"] == "notify"], [])
        first = told["plan"][0]
        self.assertEqual((first["kind"], first["at"], first["receivers"], first["paused"], first["why"], first["step"]),
                         ("notify", "2026-03-30T09:15:00.000Z", ["mail"], False,
                          "quiet before the first step of its ladder", None))
        text = self.simulate(*short).stdout
        self.assertIn("\nahead, if nobody acts:\n", text)
        self.assertRegex(text, r"2026-03-30T09:15:00Z +15m +notify +mail +P3: quiet before the first step")


class Shipped(harness.TestCase):
    """deploy/mlalert.yml: who hears of what at night, by the clock of its office (09:00 to 18:00, Monday to Friday, UTC)."""

    SUNDAY_NIGHT = ["--from", "2026-11-29T02:00:00Z", "--for", "36h"]

    def simulate(self, severity, *arguments):
        return self.run_mlalert("simulate", "--config.file", harness.SOURCE_DIR / "deploy/mlalert.yml",
                                "--labels", f"alertname=MLFeatureDrift,model=f,severity={severity}", *arguments)

    def told(self, severity, *arguments):
        ran = self.simulate(severity, *arguments, "--json")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        return [(line["at"], line["receiver"]) for line in json.loads(ran.stdout)["timeline"] if line["what"] == "notify"]

    def test_a_drift_on_sunday_night_wakes_nobody_and_climbs_in_the_office(self):
        ran = self.simulate("P3", *self.SUNDAY_NIGHT, "--expect", "slack@2026-11-30T09:30", "--expect", "page@2026-11-30T10:00")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.assertEqual([line for line in self.told("P3", *self.SUNDAY_NIGHT) if line[0] < "2026-11-30T09:00"], [])

    def test_what_degrades_at_night_is_told_in_the_morning(self):
        ran = self.simulate("P2", *self.SUNDAY_NIGHT, "--expect", "slack@2026-11-30T09:15", "--expect", "page@2026-11-30T10:00")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.assertEqual([line for line in self.told("P2", *self.SUNDAY_NIGHT) if line[0] < "2026-11-30T09:00"], [])

    def test_the_worst_pages_at_once_at_any_hour_and_goes_on_while_nobody_acts(self):
        ran = self.simulate("P0", *self.SUNDAY_NIGHT, "--expect", "page@30s", "--expect", "slack@10m")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        ran = self.simulate("P1", *self.SUNDAY_NIGHT, "--expect", "page@30s", "--expect", "slack@30s")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))

    def test_the_phone_needs_its_comment_marks_taken_away_and_its_secrets_only(self):
        lines = (harness.SOURCE_DIR / "deploy/mlalert.yml").read_text().splitlines()
        start = lines.index("# - name: phone")
        end = next(i for i in range(start, len(lines)) if not lines[i].startswith("#"))
        lines = [line[2:] if start <= i < end else line.replace("# - {", "- {") for i, line in enumerate(lines)]
        config = self.write("mlalert.yml", "\n".join(lines).replace("AC...", "AC0123") + "\n")
        ran = self.run_mlalert("simulate", "--config.file", config, "--labels", "alertname=A,model=f,severity=P0",
                               *self.SUNDAY_NIGHT, "--expect", "phone@0s", "--expect", "page@30s")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""), ran.stdout)


if __name__ == "__main__":
    harness.main()
