"""`mlalert backtest` beside a real Prometheus: rules that only look at the clock have a past without any data."""

import json
import signal
import subprocess
import time

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

    def test_ctrl_c_ends_it_at_once_and_prints_no_half_report(self):
        hub = self.sink()
        hub.always("/api/v1/query_range", harness.Answer(hang=30))
        hub.always("/api/v1/query", harness.Answer(hang=30))
        process = subprocess.Popen([harness.MLALERT, "backtest", self.rules, "--datasource", hub.url, "--since", "7d", "--progress"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        harness.wait_until(lambda: hub.taken, "the first question")
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=20)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual((process.returncode, out), (130, ""), errors)

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


class Recorded(harness.TestCase):
    """What a real Prometheus scraped, through production and afterwards through backtest."""

    RULES = """
groups:
- name: g
  interval: 1s
  rules:
  - {{alert: Drift, expr: "drift > 1", for: {hold}, labels: {{severity: P1}}}}
"""
    CONFIG = """
route: {{receiver: hook, group_by: [alertname, model], group_wait: 1s, group_interval: 3s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{hook}"}}]}}]
datasources: [{{name: default, url: "{prometheus}"}}]
rule_files: [{rules}]
"""

    def test_the_same_alerts_and_notifications_as_in_production(self):
        exporter = self.exporter()
        for model in ("a", "b"):
            exporter.set(f'drift{{model="{model}"}}', 0)
        server = self.prometheus(exporter=exporter)
        harness.wait_until(lambda: len(server.query("drift")) == 2, "scraped")
        rules = self.write("rules.yml", self.RULES.format(hold="2s"))
        hub = self.sink()
        config = self.CONFIG.format(hook=hub.url + "/hook", prometheus=server.url, rules=rules)
        daemon = self.mlalert(config)
        since = harness.rfc3339(time.time())
        exporter.set('drift{model="a"}', 5)
        harness.wait_until(lambda: hub.taken, "told that a drifts")
        exporter.set('drift{model="b"}', 5)
        harness.wait_until(lambda: len(hub.taken) == 2, "told that b drifts")
        exporter.set('drift{model="a"}', 0)
        harness.wait_until(lambda: len(hub.taken) == 3, "told that a is well")
        time.sleep(3)  # what more would come, came
        until = harness.rfc3339(time.time())
        episodes = daemon.rows("SELECT labels, started_at, ended_at FROM episodes ORDER BY started_at")
        sent = len(hub.taken)
        daemon.stop()
        done = self.run_mlalert("backtest", rules, "--config.file", daemon.config_path, "--datasource", server.url, "--since", since,
                                "--until", until, "--format", "json", timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        totals = json.loads(done.stdout)["totals"]
        self.assertEqual((totals["alerts"], totals["incidents"], totals["notifications"], totals["interruptions"]),
                         (len(episodes), 2, sent, 1), "both told within a minute are one interruption")
        # A pull request that would have spared one of them.
        longer = self.write("longer.yml", self.RULES.format(hold="1h"))
        done = self.run_mlalert("backtest", longer, "--compare", rules, "--config.file", daemon.config_path, "--datasource", server.url,
                                "--since", since, "--until", until, "--format", "json", timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        compared = json.loads(done.stdout)
        self.assertEqual((compared["before"]["totals"]["incidents"], compared["after"]["totals"]["incidents"], compared["verdict"]),
                         (2, 0, "ok"))


if __name__ == "__main__":
    harness.main()
