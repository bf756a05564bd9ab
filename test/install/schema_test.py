"""The JSON Schema of the configuration lets every file pass that mlalert loads, and finds what it does not."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import jsonschema
import yaml

from package import SOURCE_DIR

MLALERT = os.environ.get("MLALERT", str(SOURCE_DIR / "build/dev/mlalert"))


class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.schema = json.loads((SOURCE_DIR / "docs/mlalert.schema.json").read_text())
        jsonschema.Draft7Validator.check_schema(cls.schema)
        cls.validator = jsonschema.Draft7Validator(cls.schema)

    def problems(self, text):
        return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
                for error in self.validator.iter_errors(yaml.safe_load(text))]

    def loads(self, path):
        done = subprocess.run([MLALERT, "check", "--format", "json", path], capture_output=True, text=True)
        report = json.loads(done.stdout)["files"][0]
        return report["kind"] == "config" and report["ok"]

    def test_the_binary_prints_the_committed_one(self):
        printed = subprocess.run([MLALERT, "check", "--print-schema"], capture_output=True, text=True, check=True).stdout
        self.assertEqual(json.loads(printed), self.schema)

    def test_files_that_load_pass(self):
        checked = 0
        paths = [SOURCE_DIR / "deploy/mlalert.yml", *sorted((SOURCE_DIR / "test").rglob("*.yml"))]
        for path in paths:
            if self.loads(path):
                with self.subTest(path=str(path)):
                    self.assertEqual(self.problems(path.read_text()), [])
                    checked += 1
        self.assertGreaterEqual(checked, 1)

    def test_the_sample_passes_and_loads(self):
        sample = subprocess.run([MLALERT, "check", "--print-defaults"], capture_output=True, text=True, check=True).stdout
        self.assertEqual(self.problems(sample), [])
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "mlalert.yml"
            path.write_text(sample)
            self.assertTrue(self.loads(path))

    def test_a_rich_file_passes(self):
        self.assertEqual(self.problems("""
global: {resolve_timeout: 5m, smtp_smarthost: "mail:25", smtp_tls_config: {insecure_skip_verify: true}, http_config: {follow_redirects: false}}
route:
  receiver: a
  group_by: ['...']
  routes:
  - {matchers: ['severity="P0"'], receiver: a, continue: true, routes: [{receiver: a, mute_time_intervals: [nights]}]}
receivers:
- name: a
  webhook_configs: [{url: "http://x", max_alerts: 5, timeout: 1.5s, payload: {any: [tree, 1]}}]
  slack_configs: [{api_url_file: /x, channel: "#x", fields: [{title: t, value: v, short: true}]}]
  jira_configs: [{project: P, issue_type: Bug, summary: text, description: {template: x, enable_update: false}, fields: {a: {b: c}}}]
  pagerduty_configs: [{routing_key: k, details: {a: b}, severity: '{{ .CommonLabels.severity }}'}]
time_intervals: [{name: nights, time_intervals: [{times: [{start_time: "20:00", end_time: "24:00"}], weekdays: ['monday:friday'], location: Europe/Paris}]}]
datasources: [{url: "http://p:9090", params: {team: [ml], nocache: 1}, http_config: {http_headers: {X: {values: [a]}}}}]
rule_files: ["a/*.yml", {files: ["b.yml"], datasource: default}]
incident_policies: [{name: p, ladder: {steps: [{after: 15m, severity: P3}]}, acknowledge: {expires: 4h}, cooldown: 0s}]
"""), [])

    def test_mistakes_are_found(self):
        base = "receivers: [{name: a}]\n"
        for text, word in (("route: {receiver: a, group_weight: 1m}", "group_weight"),
                           ("route: {receiver: a, group_wait: soon}", "soon"),
                           ("route: {}", "receiver"),
                           ("route: {receiver: a}\ndatasources: [{url: 'http://x', method: PUT}]", "PUT"),
                           ("route: {receiver: a}\nevaluation: {concurrency: 257}", "257"),
                           ("route: {receiver: a}\nrules_files: []", "rules_files"),
                           ("route: {receiver: a}\nincident_policies: [{name: p, ladder: {steps: [{after: 1m}]}}]", "severity")):
            found = self.problems(base + text)
            self.assertTrue(found and word in found[0], (text, found))


if __name__ == "__main__":
    unittest.main()
