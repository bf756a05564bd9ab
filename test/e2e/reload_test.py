"""Reload, by signal and by POST: atomic, and a bad file keeps what was."""

import signal

import harness
from harness import stays, wait_until


def config(sink, receiver, rules, datasource="http://127.0.0.1:9"):
    return f"""datasources: [{{name: default, url: "{datasource}", timeout: 1s}}]
rule_files: ["{rules}"]
evaluation: {{interval: 1s, resend_delay: 1s}}
route: {{receiver: {receiver}, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
- name: one
  webhook_configs: [{{url: "{sink.url}/one"}}]
- name: two
  webhook_configs: [{{url: "{sink.url}/two"}}]
"""


RULE = {"alert": "Old", "expr": "vector(0) > 1"}


class Reload(harness.TestCase):
    def test_a_bad_file_keeps_what_was(self):
        sink = self.sink()
        rules = self.write("rules.yml", harness.rules_file(RULE))
        good = config(sink, "one", rules)
        daemon = self.mlalert(good)
        daemon.post_alerts({"alertname": "A"})
        sink.wait_for("/one", 1)
        self.assertEqual(daemon.metric("mlalert_config_last_reload_successful"), 1)

        daemon.set_config(good.replace("receiver: one", "receiver: three"))
        reply = daemon.reload()
        self.assertEqual(reply.status, 500)
        self.assertRegex(reply.text, r"^failed to reload config: .*mlalert\.yml:4:\d+: ")
        self.assertIn("three", reply.text)
        self.assertEqual(daemon.metric("mlalert_config_last_reload_successful"), 0)
        self.assertGreaterEqual(daemon.metric("mlalert_config_reload_failures_total"), 1)

        daemon.set_config(good + "colour: red\n")
        self.assertRegex(daemon.reload().text, r"mlalert\.yml:10:1: .*colour")
        daemon.set_config("route: [\n")
        self.assertRegex(daemon.reload().text, r"mlalert\.yml:\d+:\d+: ")
        daemon.config_path.unlink()
        self.assertEqual(daemon.reload().status, 500)

        daemon.set_config(good)
        rules.write_text(harness.rules_file(RULE, {"alert": "New", "expr": "sum(("}))
        reply = daemon.reload()
        self.assertEqual(reply.status, 500)
        self.assertRegex(reply.text, r"rules\.yml:\d+:\d+: ")
        self.assertIsNone(daemon.rule("New"))
        self.assertIsNotNone(daemon.rule("Old"))

        # By signal it can only be read in the log.
        before = daemon.log().count("Loading configuration file failed")
        daemon.process.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: daemon.log().count("Loading configuration file failed") > before, "logged")
        self.assertRegex(daemon.log(), r"rules\.yml:\d+:\d+: ")

        # All the while it works as before.
        daemon.post_alerts({"alertname": "B"})
        sink.wait_for("/one", 2)
        self.assertEqual(sink.requests("/two"), [])

    def test_a_good_file_applies_without_saying_anything_twice(self):
        sink, exporter = self.sink(), self.exporter()
        exporter.set("ml_drift", 1)
        prometheus = self.prometheus(exporter=exporter)
        old = {"alert": "Drift", "expr": "ml_drift > 0"}
        rules = self.write("rules.yml", harness.rules_file(old))
        daemon = self.mlalert(config(sink, "one", rules, prometheus.url))
        daemon.post_alerts({"alertname": "A"})
        sink.wait_for("/one", 2)
        fired = daemon.rule("Drift")["alerts"][0]["activeAt"]

        # Nothing changed.
        self.assertEqual(daemon.reload().status, 200)
        # A rule more, and an old one that keeps its alerts.
        rules.write_text(harness.rules_file(old, {"alert": "Second", "expr": "ml_drift > 0", "for": "1s"}))
        daemon.process.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: daemon.rule("Second"), "the new rule")
        self.assertEqual(daemon.rule("Drift")["alerts"][0]["activeAt"], fired)
        names = [body["groupLabels"]["alertname"] for body in sink.wait_for("/one", 3)]
        self.assertEqual(sorted(names), ["A", "Drift", "Second"])
        stays(lambda: len(sink.requests("/one")) == 3, "each is told once", 2)
        self.assertEqual(daemon.metric("mlalert_config_last_reload_successful"), 1)

        # A rule less: its alert resolves.
        rules.write_text(harness.rules_file(old))
        self.assertEqual(daemon.reload().status, 200)
        body = sink.wait_for("/one", 4)[3]
        self.assertEqual((body["groupLabels"]["alertname"], body["status"]), ("Second", "resolved"))

        # Another receiver: as in Alertmanager it hears of what fires, and the old one hears no more repeats.
        daemon.set_config(config(sink, "two", rules, prometheus.url))
        self.assertEqual(daemon.reload().status, 200)
        self.assertEqual(sorted(body["groupLabels"]["alertname"] for body in sink.wait_for("/two", 2)), ["A", "Drift"])
        exporter.set("ml_drift", 0)
        self.assertEqual(sink.wait_for("/two", 3)[2]["status"], "resolved")
        stays(lambda: len(sink.requests("/two")) == 3, "once", 1.5)

    def test_a_bad_file_at_the_start_is_exit_code_2(self):
        sink = self.sink()
        rules = self.write("rules.yml", harness.rules_file(RULE))
        bad_rules = self.write("bad-rules.yml", harness.rules_file({"alert": "New", "expr": "sum(("}))
        for name, text, place in (
                ("unknown receiver", config(sink, "three", rules), r"mlalert\.yml:4:\d+: .*three"),
                ("unknown key", config(sink, "one", rules) + "colour: red\n", r"mlalert\.yml:10:1: .*colour"),
                ("bad rule", config(sink, "one", bad_rules), r"bad-rules\.yml:\d+:\d+: "),
                ("empty", "", r"mlalert\.yml")):
            with self.subTest(name):
                daemon = self.mlalert(text, start=False)
                daemon.spawn()
                self.assertEqual(daemon.process.popen.wait(15), 2)
                self.assertRegex(daemon.process.log(), place)
                self.assertFalse(daemon.database.exists(), "a bad config touches no data")
        daemon = self.mlalert("", start=False)
        daemon.config_path.unlink()
        daemon.spawn()
        self.assertNotEqual(daemon.process.popen.wait(15), 0)


if __name__ == "__main__":
    harness.main()
