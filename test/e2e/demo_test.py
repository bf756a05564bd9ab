"""`mlalert demo`: the first thing anybody runs has to work, show all of it within a minute, and leave nothing behind."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess

import harness
from harness import MLALERT, SOURCE_DIR, request, try_request, wait_until

STEPS = ["an alert fired",
         "severity rose P3 to P2 to P1 while nobody acted",
         "a page in PagerDuty's shape",
         "an acknowledgement stopped the climb",
         "a resolve",
         "two alerts of one model in one notification"]


def descendants(pid):
    """{pid: command line} of everything that `pid` started, and what these started."""
    found = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name stands in brackets and may hold anything: the fields begin after the last one.
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            command = (stat.parent / "cmdline").read_text().replace("\0", " ").strip()
        except OSError:
            continue  # gone meanwhile
        if parent == pid:
            child = int(stat.parent.name)
            found |= {child: command, **descendants(child)}
    return found


def still_running(processes):
    """Those of {pid: command line} that live on; a pid that another program got meanwhile does not count."""
    alive = {}
    for pid, command in processes.items():
        try:
            state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            now = pathlib.Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
        except OSError:
            continue
        if state != "Z" and now == command:
            alive[pid] = command
    return alive


class Demo(harness.TestCase):
    def demo(self, *arguments):
        """In the folder of the sources, as the documents say: the shipped rules are there."""
        return self.spawn("demo", ["env", "-C", SOURCE_DIR, MLALERT, "demo", *arguments],
                          env={**os.environ, "TMPDIR": str(self.directory)})

    def wait_ready(self, process):
        """The ports of mlalert and of the sink, from what the demo prints."""
        def printed():
            if not process.running():
                raise AssertionError(f"the demo ended with {process.popen.returncode}")
            return re.search(r"mlalert is ready at http://127\.0\.0\.1:(\d+); .* http://127\.0\.0\.1:(\d+)/bodies",
                             process.log())
        found = wait_until(printed, "the demo is ready", timeout=40)
        return int(found[1]), int(found[2])

    def assert_folder_gone(self):
        self.assertEqual([path.name for path in self.directory.glob("mlalert-demo-*")], [])


class Show(Demo):
    def test_tells_all_six_steps_within_a_minute(self):
        process = self.demo("run", "--for", "75s")
        _, sink = self.wait_ready(process)
        children = descendants(process.pid)
        self.check_sink_keeps_bodies_as_they_came(sink)
        kept = []

        def ended():
            kept[:] = [try_request(sink, "GET", "/bodies") or kept[0]]
            return not process.running()
        while not ended():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.popen.wait(1)
        log = process.log()
        self.assertEqual(process.popen.returncode, 0, log)
        steps = dict(re.findall(r"^seen     (.+?) +(\d+\.\d)s$", log, re.M))
        self.assertEqual(list(steps), STEPS, log)
        self.assertNotIn("MISSING", log)
        for step, seconds in steps.items():
            self.assertLessEqual(float(seconds), 60, step)
        self.check_lines(log)
        self.check_bodies(kept[0].json())
        self.assertEqual(still_running(children), {})
        self.assert_folder_gone()

    def check_lines(self, log):
        for pattern in (r"INCIDENT \d+ churn-v4 \w+ opened at P3$", r"severity P3 -> P2, nobody acted for \d+s$",
                        r"severity P2 -> P1, nobody acted for \d+s$", r"ALICE    acknowledges incident \d+: ",
                        r"PAGE     PagerDuty trigger ", r"PAGE     PagerDuty resolve ", r"SLACK    #ml-alerts \[FIRING:",
                        r"WEBHOOK  dashboard for "):
            self.assertRegex(log, re.compile(pattern, re.M))
        self.assertNotIn("{{", log, "a template that was not rendered")
        self.assertNotIn("<error", log)

    def check_sink_keeps_bodies_as_they_came(self, sink):
        for kind, body, status in (("webhook", b'{"b" :\t1.50,\n "a":"\\u00e9\\/"}', 200), ("slack", b'{"x": [ ]}', 200),
                                   ("pagerduty", b'{"event_action":  "other"}', 202)):
            self.assertEqual(request(sink, "POST", f"/{kind}", body).status, status)
            kept = request(sink, "GET", "/bodies")
            self.assertEqual((kept.status, kept.headers.get_content_type()), (200, "application/json"))
            self.assertIn(b'{"receiver":"' + kind.encode() + b'","body":' + body + b"}", kept.body)
        for bad in (b"", b"{", b"\xff"):
            self.assertEqual(request(sink, "POST", "/slack", bad).status, 400, bad)
        self.assertEqual(request(sink, "POST", "/else", b"{}").status, 404)
        kept = request(sink, "GET", "/bodies")
        self.assertNotIn(b'"body":}', kept.body, "what is no JSON is not kept")
        self.assertGreaterEqual(len(kept.json()), 3)

    def check_bodies(self, kept):
        bodies = {kind: [one["body"] for one in kept if one["receiver"] == kind]
                  for kind in ("slack", "pagerduty", "webhook")}
        pages = [body for body in bodies["pagerduty"] if "routing_key" in body]
        self.assertTrue(pages)
        for page in pages:
            self.assertEqual(page["routing_key"], "demo-routing-key")
            self.assertIn(page["event_action"], ("trigger", "acknowledge", "resolve"))
            self.assertTrue(page["dedup_key"])
        keys = {action: {page["dedup_key"] for page in pages if page["event_action"] == action}
                for action in ("trigger", "resolve")}
        self.assertTrue(keys["resolve"])
        self.assertLessEqual(keys["resolve"], keys["trigger"], "what is resolved was triggered, by the same key")
        webhooks = [body for body in bodies["webhook"] if "version" in body]
        self.assertTrue(webhooks)
        for body in webhooks:
            self.assertEqual((body["version"], body["receiver"]), ("4", "dashboard"))
            for alert in body["alerts"]:
                self.assertTrue(alert["annotations"]["summary"], alert)
                self.assertNotIn("<error", json.dumps(alert["annotations"]))
        self.assertTrue([body for body in bodies["slack"] if body.get("channel") == "#ml-alerts"])


class End(Demo):
    def run_until_ready(self, *flags):
        process = self.demo("run", *flags)
        self.wait_ready(process)
        children = descendants(process.pid)
        programs = " | ".join(children.values())
        self.assertEqual(len(children), 3, programs)
        for part in ("demo --listen", "prometheus --config.file", "serve --config.file"):
            self.assertIn(part, programs)
        self.assertEqual(still_running(children), children)
        return process, children

    def test_interrupt_ends_everything(self):
        process, children = self.run_until_ready()
        self.assertEqual(process.end(signal.SIGINT, timeout=12), 0, "an endless run ends well when interrupted")
        self.assertEqual(still_running(children), {})
        self.assert_folder_gone()
        self.assertIn("MISSING", process.log(), "says what was not seen")

    def test_interrupt_of_a_limited_run_is_no_success(self):
        process, children = self.run_until_ready("--for=10m")
        self.assertEqual(process.end(signal.SIGTERM, timeout=12), 1)
        self.assertEqual(still_running(children), {})
        self.assert_folder_gone()

    def test_interrupt_while_it_starts(self):
        process = self.demo("run")
        children = wait_until(lambda: {pid: line for pid, line in descendants(process.pid).items()
                                       if line.startswith("prometheus")}, "Prometheus is started")
        process.end(signal.SIGINT, timeout=12)
        self.assertEqual(still_running(children), {})
        self.assert_folder_gone()

    def test_killed_takes_the_children_with_it(self):
        process, children = self.run_until_ready()
        process.kill()
        wait_until(lambda: not still_running(children), "the kernel ends them with it")

    def test_says_when_mlalert_has_died(self):
        process, children = self.run_until_ready()
        os.kill(next(pid for pid, line in children.items() if " serve " in line), signal.SIGKILL)
        wait_until(lambda: not process.running(), "the demo ends")
        self.assertEqual(process.popen.returncode, 1)
        self.assertIn("mlalert serve has ended", process.log())
        self.assertEqual(still_running(children), {})


class Usage(Demo):
    def run_demo(self, *arguments, env=None):
        return self.run_mlalert("demo", *arguments, timeout=40, env={"TMPDIR": str(self.directory), **(env or {})})

    def test_bad_flags(self):
        for arguments in (["run", "--for=soon"], ["run", "--for=-5s"], ["run", "--for=0s"], ["run", "--for=5"],
                          ["run", "--for="], ["run", "--for"], ["run", "--fro=5s"], ["runn"], ["--listen=nowhere"],
                          ["--listen=127.0.0.1:99999"], ["--seed=x"], ["run", "--prometheus=foo"]):
            with self.subTest(arguments=arguments):
                done = self.run_demo(*arguments)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertTrue(done.stderr.strip(), "says what is wrong")
                self.assertEqual(done.stdout, "")

    def test_what_cannot_work_is_said(self):
        bad = self.write("bad.yml", "route: {receiver: nobody}\n")
        empty = self.write("empty/README", "no rules here\n").parent
        rules = f"--rules={SOURCE_DIR / 'rules'}"
        for arguments, env, words in (
                ([f"--rules={empty}"], {}, ["no rules in", str(empty), "--rules"]), (["--rules=/nowhere"], {}, ["/nowhere"]),
                ([rules, f"--config={bad}"], {}, ["bad.yml:1:9", "undefined receiver"]),
                ([rules], {"PATH": str(empty)}, ["prometheus did not become ready", "cannot run prometheus"]),
                ([rules], {"TMPDIR": str(empty / "none")}, ["demo: no temporary folder", "TMPDIR"])):
            with self.subTest(words=words):
                done = self.run_demo("run", "--for=5s", *arguments, env=env)
                self.assertEqual(done.returncode, 1, done.stderr)
                for word in words:
                    self.assertIn(word, done.stderr)
                self.assert_folder_gone()


    def test_a_prometheus_that_does_not_answer_is_said_at_once(self):
        port = harness.free_port()
        done = self.run_demo("run", f"--rules={SOURCE_DIR / 'rules'}", f"--prometheus=http://127.0.0.1:{port}/")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"--prometheus http://127.0.0.1:{port}: ", done.stderr)
        self.assertIn("connection refused", done.stderr)


class OnesOwnPrometheus(Demo):
    def test_own_config_is_used_and_nobody_but_the_terminal_is_told(self):
        prometheus = self.prometheus()
        real = self.sink()
        self.write("rules/own.yml", "groups: [{name: g, interval: 1s, rules: [{alert: Own, expr: vector(1), "
                                    "labels: {severity: P1, model: m}}]}]\n")
        config = self.write("own.yml", f"""
datasources: [{{name: main, url: "http://127.0.0.1:9"}}]
rule_files: [rules/*.yml]   # relative to this file
route: {{receiver: ops, group_wait: 0s, group_interval: 1s}}
receivers:
- name: ops
  webhook_configs: [{{url: "{real.url}"}}]
incident_policies:
- {{name: all, cooldown: 5m}}
""")
        process = self.demo("run", f"--prometheus={prometheus.url}", f"--config={config}")
        self.wait_ready(process)
        wait_until(lambda: "WEBHOOK  ops for m: firing Own(P1)" in process.log(), "the notification is printed")
        self.assertIn("nobody else is told", process.log())
        self.assertEqual(process.end(signal.SIGINT, timeout=12), 0)
        self.assertEqual(real.taken, [])


class ExporterAlone(Demo):
    def test_metrics_pass_promtool(self):
        port = harness.free_port()
        process = self.demo("--listen", f"127.0.0.1:{port}", "--seed=7")
        reply = wait_until(lambda: try_request(port, "GET", "/metrics"), "the exporter answers")
        self.assertEqual(reply.status, 200)
        self.assertTrue(reply.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        self.assertLessEqual({"ml_predictions_total", "ml_model_up"}, set(harness.parse_metrics(reply.text)))
        checked = subprocess.run(["/usr/bin/promtool", "check", "metrics"], input=reply.body, capture_output=True, timeout=30)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, b"", b""))
        taken = self.run_mlalert("demo", "--listen", f"127.0.0.1:{port}")
        self.assertEqual(taken.returncode, 1, "the port is taken")
        self.assertIn(str(port), taken.stderr)
        self.assertEqual(process.end(signal.SIGINT), 0)


if __name__ == "__main__":
    harness.main()
