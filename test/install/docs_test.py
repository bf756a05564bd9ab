"""What the alerts about mlalert itself, its dashboard, its runbooks and its manual speak of is there: metrics in /metrics, headings
in the manual, log lines and alerts in the source, commands in the command line's page."""

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


def log_texts():
    """{text: file} of every log line in the source: string literals in the first argument of LogInfo() and its like."""
    found = {}
    for path in sorted((SOURCE_DIR / "src").rglob("*.cc")):
        text = path.read_text() if path.name != "log.cc" else ""
        for call in re.finditer(r"\bLog(Debug|Info|Warn|Error)?\(", text):
            argument, depth, at, quoted = [], 0, call.end(), False
            arguments = []
            while depth >= 0 and at < len(text):
                c = text[at]
                if quoted:
                    quoted = c != '"' or text[at - 1] == "\\"
                elif c == '"':
                    quoted = True
                elif c in "([{":
                    depth += 1
                elif c in ")]}":
                    depth -= 1
                elif c == "," and depth == 0:
                    arguments.append("".join(argument))
                    argument = []
                    at += 1
                    continue
                if depth >= 0:
                    argument.append(c)
                at += 1
            arguments.append("".join(argument))
            message = arguments[0] if call[1] else (arguments + [""])[1]
            # Pieces of one literal over several lines are one; the two sides of `? :` are two.
            message = re.sub(r'"\s*"', "", message)
            texts = re.findall(r'"((?:[^"\\]|\\.)*)"', message)
            where = f"{path.relative_to(SOURCE_DIR)}: {message.strip()[:80]}"
            for one in texts or INDIRECT.get((path.name, message.strip()), [f"not in INDIRECT: {where}"]):
                found[one] = where
    return found


# By file and argument: log lines whose text comes out of a variable. Empty: not a text of its own.
INDIRECT = {
    ("web_guard.cc", "what"): ["web.config.file cannot be read; requests get 500",
                               "certificates of web.config.file cannot be read; the last ones stay in use"],
    ("daemon.cc", "item.ToString()"): ["<file>:<line>:<column>: error: ...", "<file>:<line>:<column>: warning: ..."],
}


class LogLines(unittest.TestCase):
    def documented(self):
        page = (SOURCE_DIR / "docs/operations.md").read_text()
        section = page.split("## Log lines\n", 1)[1].split("\n### ", 1)[0]
        texts = set()
        for row in re.findall(r"(?m)^\| (.*) \|$", section):
            cells = row.split(" | ")
            texts |= set(re.findall(r"`([^`]+)`", cells[1] if cells[0] in ("error", "warn") else cells[0]))
        return texts

    def test_the_manual_has_every_line_of_the_source_and_no_other(self):
        source = log_texts()
        self.assertGreater(len(source), 40)
        documented = self.documented()
        self.assertEqual({text: where for text, where in source.items() if text not in documented}, {}, "not in docs/operations.md")
        self.assertEqual(documented - set(source), set(), "in docs/operations.md, not in the source")

    def test_texts_out_of_variables_are_still_there(self):
        sources = {path.name: path.read_text() for path in (SOURCE_DIR / "src").rglob("*.cc")}
        for (file, argument), texts in INDIRECT.items():
            self.assertIn(argument, sources[file])
            for text in texts:
                self.assertTrue(text.startswith("<file>") or text in sources[file], text)


class SelfAlerts(unittest.TestCase):
    def test_every_alert_that_mlalert_raises_is_in_the_manual(self):
        names = set()
        for path in (SOURCE_DIR / "src").rglob("*.cc"):
            if path.parent.name in ("rules", "engine"):
                names |= set(re.findall(r'(?:"alertname", |kAlert = )"(\w+)"', path.read_text()))
        storm = re.search(r'kStormName\s*=\s*"(\w+)"', "".join(p.read_text() for p in (SOURCE_DIR / "src").rglob("*.[ch]*")))
        names.add(storm[1])
        section = (SOURCE_DIR / "docs/operations.md").read_text().split("## Self-alerts\n", 1)[1].split("\n### ", 1)[0]
        self.assertEqual(names, set(re.findall(r"(?m)^\| `(\w+)` \|", section)))


class Runbooks(unittest.TestCase):
    FOLDER = SOURCE_DIR / "rules/runbooks"

    def test_every_link_of_the_shipped_rules_has_its_runbook(self):
        linked = set()
        for path in (SOURCE_DIR / "rules").glob("*.yml"):
            linked |= set(re.findall(r"https://wiki\.internal/runbooks/([\w-]+)", path.read_text()))
        self.assertEqual({path.stem for path in self.FOLDER.glob("*.md")}, linked)

    def test_they_name_alerts_metrics_and_commands_that_there_are(self):
        core = (SOURCE_DIR / "rules/ml-core.yml").read_text()
        contract = (SOURCE_DIR / "docs/rules.md").read_text()
        cli = (SOURCE_DIR / "docs/cli.md").read_text()
        for path in sorted(self.FOLDER.glob("*.md")):
            text = path.read_text()
            with self.subTest(path.name):
                for name in re.findall(r"\bML[A-Z]\w+", text):
                    self.assertIn(f"alert: {name}\n", core)
                for name in re.findall(r"\bml_[a-z_]+", text):
                    self.assertIn(name.removesuffix("_bucket"), contract)
                for command in re.findall(r"`mlalert (\w+(?: add| list)?)", text):
                    self.assertIn(f"mlalert {command}", cli)


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
