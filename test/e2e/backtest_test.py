"""`mlalert backtest` beside a real Prometheus: rules that only look at the clock have a past without any data."""

import json

import harness

RULES = """
groups:
- name: clock
  interval: 5m
  rules:
  - alert: Nightly
    expr: hour() == {hour}
    for: {hold}
    labels: {{severity: P1}}
"""


class Backtest(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.prometheus_server = self.prometheus()
        self.rules = self.write("new.yml", RULES.format(hour=3, hold="10m"))

    def backtest(self, *arguments, **options):
        return self.run_mlalert("backtest", *arguments, "--datasource", self.prometheus_server.url,
                                "--since", "2026-01-05T00:00:00Z", "--until", "2026-01-19T00:00:00Z", **options)

    def test_two_weeks_of_nights(self):
        done = self.backtest(self.rules, "--format", "json", timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual([week["week"] for week in report["weeks"]], ["2026-W02", "2026-W03"])
        for week in report["weeks"]:
            self.assertEqual((week["alerts"], week["incidents"], week["interruptions"]), (7, 7, 7))
            self.assertEqual(week["interruptions_by_bucket"], {"business": 0, "off": 0, "sleep": 7})
            self.assertEqual(week["by_severity"]["P1"]["incidents"], 7)
        self.assertEqual(report["totals"]["interruptions_by_hour"][3], 14)
        self.assertEqual(report["worst_night"]["interruptions"], 1)
        self.assertEqual(report["longest"]["rule"], "Nightly")
        self.assertLess(report["calls"], 40)
        table = self.backtest(self.rules, timeout=60)
        self.assertIn("Per week: 7.0 alerts, 7.0 incidents", table.stdout)

    def test_compare_for_a_pull_request(self):
        old = self.write("old.yml", RULES.format(hour=3, hold="2h"))
        done = self.backtest(self.rules, "--compare", old, "--format", "markdown", timeout=60)
        self.assertEqual(done.returncode, 4, done.stdout + done.stderr)
        self.assertIn("0.0 → 7.0 interruptions per week (+7.0)", done.stdout)
        self.assertIn("| Nightly | 0 → 14 |", done.stdout)
        allowed = self.backtest(self.rules, "--compare", old, "--max-increase", "7", timeout=60)
        self.assertEqual(allowed.returncode, 0, allowed.stderr)
        fewer = self.backtest(old, "--compare", self.rules, "--format", "markdown", timeout=60)
        self.assertEqual(fewer.returncode, 0, fewer.stderr)
        self.assertIn("(-7.0)", fewer.stdout)

    def test_what_is_wrong_is_said(self):
        self.assertEqual(self.backtest("nothing.yml").returncode, 2)
        bad = self.write("bad.yml", "groups: [{name: g, rules: [{alert: A, expr: 'x >'}]}]")
        done = self.backtest(bad)
        self.assertEqual(done.returncode, 2)
        self.assertIn("bad.yml", done.stderr)
        gone = self.run_mlalert("backtest", self.rules, "--datasource", f"http://127.0.0.1:{harness.free_port()}",
                                "--since", "1h", timeout=60)
        self.assertEqual(gone.returncode, 1, gone.stderr)
        self.assertIn("data source", gone.stderr)
        self.assertEqual(self.backtest(self.rules, "--until", "2026-01-01T00:00:00Z").returncode, 2)


if __name__ == "__main__":
    harness.main()
