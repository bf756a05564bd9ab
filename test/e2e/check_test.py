"""`mlalert check`: exit codes, places with a caret, and warnings about what is legal and most likely not meant."""

import json
import re
import shutil

import harness

GOOD = """\
route:
  receiver: hook
  routes:
  - matchers: ['severity=~"P0|P1|critical"']
    receiver: page
receivers:
- name: hook
  webhook_configs: [{url: "http://127.0.0.1:9/hook"}]
- name: page
  pagerduty_configs: [{routing_key: key}]
"""


class Check(harness.TestCase):
    def check(self, *arguments):
        return self.run_mlalert("check", *arguments)

    def findings(self, *arguments):
        done = self.check("--format=json", *arguments)
        return done.returncode, json.loads(done.stdout)

    def test_good_files(self):
        good = self.write("good.yml", GOOD)
        rules = self.write("rules.yml", harness.rules_file({"alert": "A", "expr": "up == 0", "labels": {"severity": "P1"}}))
        for files in ((good,), (rules,), (good, rules)):
            done = self.check("--strict", *files)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.findings(good)[0], 0)

    def test_errors_have_a_place_and_a_caret(self):
        for name, text, line, word in (
                ("unknown receiver", GOOD.replace("receiver: page", "receiver: pager"), 5, "pager"),
                ("unknown key", GOOD.replace("routes:", "rutes:"), 3, "rutes"),
                ("duplicate key", GOOD + "receivers: []\n", 11, "receivers"),
                ("bad matcher", GOOD.replace('=~"P0|P1|critical"', '=~"("'), 4, "severity"),
                ("bad url", GOOD.replace("http://127", "htp://127"), 8, "htp"),
                ("bad duration", GOOD.replace("  receiver: hook\n", "  receiver: hook\n  group_wait: soon\n", 1), 3, "soon"),
                ("P0 by waiting", GOOD + "incident_policies:\n- name: x\n  ladder: {steps: [{after: 1m, severity: P0}]}\n", 13, "P0"),
                ("not YAML", GOOD + "  : [\n", 11, "")):
            with self.subTest(name):
                done = self.check(self.write("bad.yml", text))
                output = done.stdout + done.stderr
                self.assertEqual(done.returncode, 2, output)
                self.assertRegex(output, rf"bad\.yml:{line}:\d+: error: .*{re.escape(word)}")
                self.assertRegex(output, r"(?m)^\s*\|\s*\^")

    def test_a_bad_rule_has_its_place_inside_the_expression(self):
        text = ("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: |\n      sum by (model) (\n        rate(x[5m]))\n"
                "        / )\n    for: 1m\n")
        done = self.check(self.write("rules.yml", text))
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stdout + done.stderr, r"rules\.yml:8:\d+: error: ")
        for name, rule in (("bad label", {"alert": "A", "expr": "up", "labels": {"9x": "y"}}),
                           ("bad template", {"alert": "A", "expr": "up", "annotations": {"s": "{{ $labels.x"}}),
                           ("bad for", {"alert": "A", "expr": "up", "for": "soon"}),
                           ("both", {"alert": "A", "record": "b", "expr": "up"}),
                           ("unknown key", {"alert": "A", "expr": "up", "sevrity": "x"})):
            with self.subTest(name):
                done = self.check(self.write("rules.yml", harness.rules_file(rule)))
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertRegex(done.stdout + done.stderr, r"rules\.yml:\d+:\d+: error: ")

    def test_rule_files_of_a_config_are_checked_with_it(self):
        self.write("rules/a.yml", harness.rules_file({"alert": "A", "expr": "sum(("}))
        config = self.write("config.yml", GOOD + 'datasources: [{name: d, url: "http://127.0.0.1:9"}]\nrule_files: ["rules/*.yml"]\n')
        done = self.check(config)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stdout + done.stderr, r"rules/a\.yml:\d+:\d+: error: ")

    def test_warnings_fail_only_under_strict(self):
        ours = GOOD + 'datasources: [{name: d, url: "http://127.0.0.1:9"}]\n'
        nobody = self.write("nobody.yml", ours.replace('severity=~"P0|P1|critical"', 'team="x"'))
        recording = self.write("recording.yml", harness.rules_file(
            {"record": "a:b", "expr": "sum(up)"}, {"alert": "A", "expr": "up == 0", "labels": {"severity": "P1"}}))
        for name, file, words in (("nobody is paged", nobody, "P0 and P1 reach no receiver"),
                                  ("recording rules", recording, "recording rule")):
            with self.subTest(name):
                done = self.check(file)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertRegex(done.stdout + done.stderr, rf"{file.name}:\d+:\d+: warning: .*{words}")
                self.assertEqual(self.check("--strict", file).returncode, 1)
                code, found = self.findings("--strict", file)
                self.assertEqual(code, 1)
                self.assertIn(words, json.dumps(found))

    def test_files_that_cannot_be_read(self):
        done = self.check(self.directory / "missing.yml")
        self.assertEqual(done.returncode, 2)
        self.assertIn("missing.yml", done.stdout + done.stderr)
        self.assertEqual(self.check(self.directory).returncode, 2)
        binary = self.directory / "binary.yml"
        binary.write_bytes(bytes(range(256)) * 100)
        self.assertEqual(self.check(binary).returncode, 2)
        self.assertEqual(self.run_mlalert("check").returncode, 2, "no file named")

    def test_hostile_files_end_in_time(self):
        laughs = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
        deep = "[" * 100000
        loop = "a: &a [1, *a]\n"
        huge_expression = harness.rules_file({"alert": "A", "expr": "(" * 50000 + "1" + ")" * 50000})
        for name, text in (("laughs", laughs), ("deep", deep), ("loop", loop), ("expression", huge_expression),
                           ("long", "x: " + "y" * (8 << 20))):
            with self.subTest(name):
                done = self.check(self.write("hostile.yml", text))
                self.assertEqual(done.returncode, 2, (done.stdout + done.stderr)[:1000])

    def test_what_we_ship_is_clean(self):
        # Its two secrets and its rules lie elsewhere on an installed system.
        shipped = (harness.SOURCE_DIR / "deploy/mlalert.yml").read_text()
        (self.directory / "rules").mkdir()
        rules = sorted((harness.SOURCE_DIR / "rules").glob("*.yml"))
        self.assertTrue(rules)
        for file in rules:
            shutil.copy(file, self.directory / "rules")
        text = shipped.replace("/usr/share/mlalert/rules/", "rules/")
        for name, secret in (("slack-url", "https://hooks.slack.com/services/T/B/x"), ("pagerduty-key", "key")):
            text = text.replace(f"/etc/mlalert/{name}", str(self.write(name, secret)))
        self.assertNotEqual(text, shipped)
        done = self.check("--strict", self.write("mlalert.yml", text))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = self.check("--strict", *rules)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    harness.main()
