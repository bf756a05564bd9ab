"""What the alerts about mlalert itself and its dashboard speak of is there: metrics in /metrics, headings in the manual."""

import json
import re
import sys
import unittest

import yaml

from package import SOURCE_DIR

sys.path.insert(0, str(SOURCE_DIR / "test/e2e"))
import harness  # noqa: E402

RULES = SOURCE_DIR / "rules/mlalert-self.yml"
DASHBOARDS = SOURCE_DIR / "helm/mlalert/files/dashboards"
METRIC = re.compile(r"\b(?:mlalert|process|alertmanager)_[a-z_]+[a-z]\b")


def rules():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def dashboard_expressions():
    for path in DASHBOARDS.glob("*.json"):
        dashboard = json.loads(path.read_text())
        for annotation in dashboard["annotations"]["list"]:
            yield annotation["expr"]
        for variable in dashboard["templating"]["list"]:
            yield variable.get("definition", "")
        for panel in dashboard["panels"]:
            for target in panel.get("targets", []):
                yield target["expr"]


class Headings(unittest.TestCase):
    def test_every_alert_has_a_place_in_the_manual(self):
        page = (SOURCE_DIR / "docs/operations.md").read_text()
        anchors = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
                   for title in re.findall(r"(?m)^#{2,3} (.*)$", page)}
        for rule in rules():
            anchor = rule["annotations"]["runbook_url"].split("#")[1]
            self.assertIn(anchor, anchors, rule["alert"])

    def test_panels_do_not_overlap_and_have_words(self):
        for path in DASHBOARDS.glob("*.json"):
            taken = set()
            panels = json.loads(path.read_text())["panels"]
            self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
            for panel in panels:
                self.assertTrue(panel["title"])
                grid = panel["gridPos"]
                cells = {(x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])}
                self.assertFalse(cells & taken, panel["title"])
                self.assertLessEqual(grid["x"] + grid["w"], 24)
                taken |= cells


class Metrics(harness.TestCase):
    def test_they_are_exported(self):
        rule_file = self.write("rules.yml", harness.rules_file({"alert": "A", "expr": "up == 0"}))
        daemon = self.mlalert(f"""datasources: [{{name: default, url: "http://127.0.0.1:9", timeout: 1s}}]
rule_files: ["{rule_file}"]
route: {{receiver: r}}
receivers: [{{name: r}}]
""")
        exported = {name for name in harness.parse_metrics(daemon.get("/metrics").text)}
        used = set()
        for text in [rule["expr"] for rule in rules()] + list(dashboard_expressions()):
            used |= set(METRIC.findall(text))
        self.assertGreater(len(used), 30)
        self.assertEqual(used - exported, set())


if __name__ == "__main__":
    unittest.main()
