"""`mlalert check` says what the daemon would say, with the place, and its exit code can stop a deployment."""

import json

import harness
from harness import SOURCE_DIR

GOOD = "route: {receiver: page}\nreceivers:\n- name: page\n  pagerduty_configs: [{routing_key: key}]\n"
PLAIN = "route: {receiver: chat}\nreceivers: [{name: chat}]\n"  # as for Alertmanager
OURS = "incident_policies: [{name: all}]\n"
QUIET = PLAIN + OURS
RULES = """groups:
- name: ml
  rules:
  - record: model:errors:rate
    expr: rate(errors_total[5m])
  - alert: Drift
    expr: drift > 0.5
"""


class Check(harness.TestCase):
    def check(self, *arguments):
        return self.run_mlalert("check", *arguments)

    def json(self, *arguments):
        done = self.check("--format=json", *arguments)
        return done.returncode, json.loads(done.stdout)

    def test_exit_codes(self):
        good, quiet = self.write("good.yml", GOOD), self.write("quiet.yml", QUIET)
        bad = self.write("bad.yml", QUIET.replace("receiver: chat", "receiver: nobody"))
        rules = self.write("rules.yml", RULES)
        for arguments, code in (([good], 0), (["--strict", good], 0), ([quiet], 0), (["--strict", quiet], 1), ([bad], 2),
                                (["--strict", bad], 2), ([rules], 0), (["--strict", rules], 1), ([good, rules], 0),
                                ([good, bad], 2), ([bad, good], 2), (["--strict", quiet, bad], 2), (["--strict", good, quiet], 1),
                                ([self.directory / "none.yml"], 2), ([self.directory], 2), ([], 2), (["--formt=json", good], 2),
                                (["--format=xml", good], 2)):
            with self.subTest(arguments=[str(one) for one in arguments]):
                done = self.check(*arguments)
                self.assertEqual(done.returncode, code, done.stdout + done.stderr)
                self.assertTrue(done.stdout or done.stderr, "says something")

    def test_place_with_a_caret_and_a_suggestion(self):
        bad = self.write("bad.yml", "route:\n  receiver: chat\n  group_wiat: 30s\nreceivers:\n- name: chat\n")
        done = self.check(bad)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stdout, f"""{bad}:3:3: error: field group_wiat not found in type config.plain [route.group_wiat]
  3 |   group_wiat: 30s
    |   ^
  hint: did you mean "group_wait"?
{bad}: FAILED: 1 error
""")
        self.assertEqual(done.stderr, "")

    def test_unknown_keys_everywhere_have_a_suggestion(self):
        for text, wrong, meant in (
                (GOOD + "incident_policy: []\n", "incident_policy", "incident_policies"),
                (GOOD + "incidents: {identiy: [alertname]}\n", "identiy", "identity"),
                (GOOD + "datasources: [{name: default, ulr: 'http://x'}]\n", "ulr", "url"),
                (GOOD + "incident_policies: [{name: a, cooldwn: 1m}]\n", "cooldwn", "cooldown"),
                (GOOD.replace("routing_key", "routing_kye"), "routing_kye", "routing_key"),
                (GOOD + "global: {resolve_timout: 5m}\n", "resolve_timout", "resolve_timeout"),
                (RULES.replace("expr: drift", "exp: drift"), "exp", "expr"),
                (RULES + "    anotations: {}\n", "anotations", "annotations")):
            with self.subTest(wrong=wrong):
                code, found = self.json(self.write("typo.yml", text))
                self.assertEqual(code, 2)
                problems = [one for one in found["files"][0]["diagnostics"] if f"field {wrong} " in one["message"]]
                self.assertEqual(len(problems), 1, found)
                self.assertIn(f'"{meant}"', problems[0]["hint"])
                line = text.splitlines()[problems[0]["line"] - 1]
                self.assertTrue(line[problems[0]["column"] - 1:].startswith(wrong), (line, problems))

    def test_several_problems_in_one_run(self):
        code, found = self.json(self.write("bad.yml", """route:
  receiver: nobody
  group_wait: soon
  routes:
  - {receiver: chat, matchers: ['severity=~"("']}
receivers:
- name: chat
  webhook_configs: [{url: "not a url"}]
- name: chat
"""))
        self.assertEqual(code, 2)
        problems = found["files"][0]["diagnostics"]
        errors = {one["line"]: one["message"] for one in problems if one["level"] == "error"}
        for line, word in ((3, "soon"), (5, "("), (8, "url")):
            self.assertIn(line, errors, problems)
            self.assertIn(word, errors[line].lower())

    def test_warns_when_severe_alerts_page_nobody(self):
        for text, severities in (
                (QUIET, "P0 and P1"),
                (QUIET.replace("name: chat", "name: chat, webhook_configs: [{url: 'http://x'}]"), "P0 and P1"),
                ("""route: {receiver: chat, routes: [{receiver: page, matchers: ['severity="P0"']}]}
receivers: [{name: chat}, {name: page, pagerduty_configs: [{routing_key: key}]}]
""" + OURS, "P1"),
                ("""route: {receiver: chat, routes: [{receiver: page, matchers: ['severity="P1"']}]}
receivers: [{name: chat}, {name: page, pagerduty_configs: [{routing_key: key}]}]
""" + OURS, "P0")):
            with self.subTest(severities=severities):
                code, found = self.json(self.write("quiet.yml", text))
                self.assertEqual((code, found["errors"], found["warnings"]), (0, 0, 1), found)
                warning = found["files"][0]["diagnostics"][0]
                self.assertEqual(warning["level"], "warning")
                self.assertIn(f"severity {severities} reach no receiver", warning["message"])
                self.assertIn("route severity", warning["hint"])
        done = self.check("--strict", self.write("quiet.yml", QUIET))
        self.assertEqual(done.returncode, 1)
        self.assertIn("^", done.stdout)
        self.assertIn("--strict", done.stderr)
        for text in (GOOD, GOOD + OURS, PLAIN):
            code, found = self.json(self.write("good.yml", text))
            self.assertEqual((code, found["warnings"]), (0, 0), found)

    def test_rules(self):
        rules = self.write("rules.yml", RULES)
        done = self.check("--lint=none", rules)
        self.assertIn(f"{rules}:4:5: warning: ", done.stdout)
        self.assertIn("does not evaluate: model:errors:rate", done.stdout)
        self.assertTrue(done.stdout.endswith(
            f"\n{rules}: 1 alerting rule in 1 group, 1 recording rule (not evaluated); 1 warning\n"), done.stdout)
        code, found = self.json("--lint=none", rules)
        self.assertEqual((code, found["files"][0]["kind"]), (0, "rules"))
        self.assertEqual({key: found["files"][0][key] for key in ("alerting_rules", "groups", "recording_rules")},
                         {"alerting_rules": 1, "groups": 1, "recording_rules": 1})
        for what, text, line in (
                ("expression", RULES.replace("drift > 0.5", "drift >"), 7), ("type", RULES.replace("drift > 0.5", "rate(drift)"), 7),
                ("duration", RULES + "    for: soon\n", 8), ("template", RULES + "    annotations: {a: '{{ .X'}\n", 8),
                ("label name", RULES + "    labels: {__name__: c}\n", 8), ("recording expression", RULES.replace("[5m]", ""), 5)):
            with self.subTest(what=what):
                code, found = self.json("--lint=none", self.write("bad.yml", text))
                self.assertEqual(code, 2, found)
                self.assertIn(line, [one["line"] for one in found["files"][0]["diagnostics"]], found)

    def test_files_that_a_config_names(self):
        self.write("rules/a.yml", RULES)
        broken = self.write("rules/b.yml", RULES.replace("drift > 0.5", "drift >"))
        config = self.write("main.yml", GOOD + "rule_files: [rules/*.yml, missing.yml]\ntemplates: [t.tmpl]\n")
        self.write("t.tmpl", '{{ define "a" }}{{ end }}')
        code, found = self.json(config)
        files = {entry["file"].rpartition("/")[2]: entry for entry in found["files"]}
        self.assertEqual(code, 2)
        self.assertEqual({name: entry["ok"] for name, entry in files.items()},
                         {"main.yml": True, "a.yml": True, "b.yml": False, "missing.yml": True})
        self.assertEqual(files["missing.yml"]["diagnostics"][0]["level"], "warning")
        broken.write_text(RULES)
        self.assertEqual(self.json(config)[0], 0)
        code, found = self.json(config, broken)
        self.assertEqual([entry["file"] for entry in found["files"]].count(str(broken)), 1, "each file once")
        self.write("t.tmpl", "{{ if }}")
        done = self.check(config)
        self.assertEqual(done.returncode, 2)
        self.assertIn("t.tmpl:1", done.stdout)

    def test_what_we_ship(self):
        self.assertEqual(self.check(SOURCE_DIR / "deploy/mlalert.yml").returncode, 0)
        rules = SOURCE_DIR / "rules/ml-core.yml"
        done = self.check("--strict", rules)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertRegex(done.stdout, r": \d\d alerting rules in \d groups, 0 recording rules \(not evaluated\)\n$")
        # As it is installed, with the rules beside it.
        config = self.write("mlalert.yml", (SOURCE_DIR / "deploy/mlalert.yml").read_text().replace(
            "/usr/share/mlalert/rules", str(SOURCE_DIR / "rules")))
        done = self.check(config)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertIn(": config OK: 3 receivers, ", done.stdout)
        self.assertIn(" alerting rules in ", done.stdout)
        self.assertNotIn("reach no receiver", done.stdout)

    def test_files_of_no_kind_and_hostile_ones(self):
        for what, data in (("neither", b"a: 1\n"), ("empty", b""), ("list", b"- a\n"), ("binary", bytes(range(256)) * 100),
                           ("both", b"groups: []\nroute: {receiver: a}\n"), ("deep", b"route: " + b"[" * 100_000),
                           ("bomb", b"a: &a [x,x]\n" + b"".join(b"%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n" % ((c + 1,) * 2 + (c,) * 8)
                                                                for c in range(97, 113)) + b"route: *q\n"),
                           ("large", b"#" * (200 << 20))):
            with self.subTest(what=what):
                path = self.directory / "odd.yml"
                path.write_bytes(data)
                done = self.check(path)
                self.assertEqual(done.returncode, 2, done.stdout[:500])
                self.assertIn("error", done.stdout)
                self.assertLess(len(done.stdout), 100_000)

    def test_terminal_is_not_driven_and_secrets_are_not_shown(self):
        odd = self.write("odd.yml", 'route: {receiver: "\x1b]0;owned\x07"}\nreceivers: [{name: a}]\n'.replace("\x1b", "\\e").replace("\x07", "\\a"))
        done = self.check(odd)
        self.assertEqual(done.returncode, 2)
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        secret = self.write("secret.yml", GOOD.replace("routing_key: key", "routing_key: hunter2secret, routing_kye: x, url: 'http://u:hunter2pass@'"))
        for arguments in ([secret], ["--format=json", secret]):
            done = self.check(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertNotIn("hunter2", done.stdout + done.stderr)

    def test_agrees_with_the_daemon(self):
        """What check calls good starts, and what it calls bad does not."""
        for what, text in (("good", GOOD), ("bad", GOOD.replace("receiver: page", "receiver: x")), ("quiet", QUIET)):
            with self.subTest(what=what):
                daemon = self.mlalert(text, start=False, name=what)
                code = self.check(daemon.config_path).returncode
                process = daemon.spawn()
                if code == 0:
                    daemon.wait_ready()
                else:
                    harness.wait_until(lambda: not process.running(), "the end")
                    self.assertEqual(process.popen.returncode, code)

    LINTED = """groups:
- name: ml
  interval: 1m
  rules:
  - alert: Drift
    expr: sum by (job) (ml_drift) > 0.5
    for: 30s
    labels:
      severity: P2
      now: '{{ $value }}'
    annotations:
      summary: '{{ $labels.model }} drifts'
"""

    def test_lint_says_what_a_careful_reviewer_says(self):
        rules = self.write("rules.yml", self.LINTED)
        code, found = self.json(rules)
        self.assertEqual((code, found["errors"]), (0, 0))
        said = [(d["line"], d["message"].split(": ", 1)[1]) for d in found["files"][0]["diagnostics"]]
        self.assertEqual(said, [
            (5, "no annotation runbook_url"),
            (7, "for is 30s, shorter than the group's interval 1m"),
            (10, 'label "now" holds the value'),
            (12, 'annotation "summary" uses the label "model", which the result of the expression does not have')])
        self.assertEqual(self.check("--strict", rules).returncode, 1)
        self.assertEqual(self.json("--lint=none", rules)[1]["warnings"], 0)
        self.assertEqual(self.check("--lint=some", rules).returncode, 2)

    def test_series_that_nobody_exports_are_found_when_a_data_source_is_named(self):
        metrics = self.exporter()
        metrics.set('ml_drift{model="a"}', 1)
        prometheus = self.prometheus(exporter=metrics)
        harness.wait_until(lambda: prometheus.query("ml_drift"), "scraped")
        rules = self.write("rules.yml", harness.rules_file(
            {"alert": "Alive", "expr": "rate(ml_drift[1m]) > 0"}, {"alert": "Dead", "expr": "ml_dirft > ml_drift"},
            {"alert": "Speaks", "expr": "absent(ml_nothing)"}, {"alert": "Synthetic", "expr": "ALERTS > 0"}))
        code, found = self.json("--lint=none", "--datasource.url", prometheus.url, rules)
        self.assertEqual((code, [d["message"] for d in found["files"][0]["diagnostics"]]),
                         (0, ['group "e2e", rule "Dead": no series match ml_dirft']))
        # Nobody there is an error: the question was asked and has no answer.
        code, found = self.json("--lint=none", "--datasource.url", f"http://127.0.0.1:{harness.free_port()}", rules)
        self.assertEqual(code, 2)
        self.assertIn("the data source cannot be asked for series", found["files"][0]["diagnostics"][0]["message"])
        self.assertEqual(self.check("--datasource.url=ftp://x", rules).returncode, 2)


if __name__ == "__main__":
    harness.main()
