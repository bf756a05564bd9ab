"""`mlalert template` beside Debian's `amtool template render`: the same texts and data, the same output and errors.

amtool is the real engine, Go's text/template and html/template, of an older version. What differs for its age is not
in test/template/snippets.json: maps of labels print as Go's maps there, comparison errors do not name the types,
scripts know no template literals, empty unquoted attributes stay empty.
"""

import concurrent.futures
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import harness

SNIPPETS = json.loads((harness.SOURCE_DIR / "test/template/snippets.json").read_text())
DATA = SNIPPETS["data"]


def preview(requests):
    text = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([harness.MLALERT, "template", "--json-lines"], input=text, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.split("\n") if line]


@unittest.skipUnless(shutil.which("amtool"), "needs amtool (Debian package prometheus-alertmanager)")
class BesideAmtool(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="mlalert-template-")
        folder = pathlib.Path(cls.folder.name)
        (folder / "data.json").write_text(json.dumps(DATA))
        (folder / "empty.tmpl").write_text("")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def amtool(self, kind, text):
        done = subprocess.run(
            ["amtool", "template", "render", f"--template.glob={self.folder.name}/empty.tmpl",
             f"--template.data={self.folder.name}/data.json", f"--template.type={kind}", f"--template.text={text}"],
            capture_output=True, timeout=60, check=False)
        if done.returncode == 0:
            return {"output": done.stdout.decode("utf-8", "replace")}
        return {"error": re.sub("^amtool: error: ", "", done.stderr.decode("utf-8", "replace")).rstrip("\n")}

    def compare(self, kind):
        texts = SNIPPETS[kind]
        ours = preview([{"id": i, "type": kind, "text": text, "data": DATA} for i, text in enumerate(texts)])
        self.assertEqual([answer.pop("id") for answer in ours], list(range(len(texts))))
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            theirs = pool.map(lambda text: self.amtool(kind, text), texts)
        for text, got, want in zip(texts, ours, theirs):
            with self.subTest(text):
                self.assertEqual(got, want)

    def test_texts(self):
        self.compare("text")

    def test_html(self):
        self.compare("html")


class JsonLines(unittest.TestCase):
    def test_one_answer_a_line_in_order(self):
        answers = preview([
            {"id": "a", "text": "{{ .Status }}", "data": {"status": "firing"}},
            {"type": "html", "text": "<b>{{ .Status }}</b>", "data": {"status": "<firing>"}},
            {"id": {"n": 1}, "type": "rule", "text": "{{ $labels.job }} {{ $value }} {{ query \"up\" | first | value }}",
             "data": {"labels": {"job": "api"}, "value": 0.5, "queries": {"up": [{"labels": {"a": "b"}, "value": 3}]}}},
            {"id": 3, "text": "{{ nofunc }}"},
            {"id": 4, "type": "rule", "text": "{{ .Foo }}", "data": {"alert": "T"}},
            {"id": 5, "text": "{{ template \"x\" . }}", "templates": {"x.tmpl": "{{ define \"x\" }}<{{ .Receiver }}>{{ end }}"},
             "data": {"receiver": "r"}},
            {"id": 6, "type": "nonsense", "text": ""},
        ])
        self.assertEqual(answers, [
            {"id": "a", "output": "firing"},
            {"output": "<b>&lt;firing&gt;</b>"},
            {"id": {"n": 1}, "output": "api 0.5 3"},
            {"id": 3, "error": "template: :1: function \"nofunc\" not defined"},
            {"id": 4, "error": "error executing template __alert_T: template: __alert_T:1:115: executing \"__alert_T\" at "
                               "<.Foo>: can't evaluate field Foo in type struct { Labels map[string]string; ExternalLabels "
                               "map[string]string; ExternalURL string; Value interface {} }"},
            {"id": 5, "output": "<r>"},
            {"id": 6, "error": "type: expected \"text\", \"html\" or \"rule\""},
        ])

    def test_a_bad_line_is_answered_too(self):
        done = subprocess.run([harness.MLALERT, "template", "--json-lines"], input="{\n\n[1]\n{\"text\": \"x\"}\n",
                              capture_output=True, text=True, timeout=60, check=False)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(["error" in answer for answer in answers], [True, True, False])
        self.assertEqual(answers[2], {"output": "x"})


class Flags(unittest.TestCase):
    def run_template(self, *flags, stdin=""):
        return subprocess.run([harness.MLALERT, "template", *flags], input=stdin, capture_output=True, text=True,
                              timeout=60, check=False)

    def test_files_override_the_defaults(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "my.tmpl")
            path.write_text('{{ define "slack.default.title" }}mine {{ .Status }}{{ end }}')
            done = self.run_template("render", f"--template.glob={folder}/*.tmpl",
                                     '--template.text={{ template "slack.default.title" . }}')
            self.assertEqual((done.returncode, done.stdout), (0, "mine alertstatus"))
            path.write_text("{{ broken")
            done = self.run_template(f"--template.glob={folder}/*.tmpl", "--template.text=x")
            self.assertEqual(done.returncode, 1)
            self.assertIn("template: my.tmpl:1: function \"broken\" not defined", done.stderr)

    def test_the_default_mail_of_the_example_group(self):
        done = self.run_template("--template.type=html", '--template.text={{ template "email.default.html" . }}')
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout, (harness.SOURCE_DIR / "test/notify/golden/email_example.html").read_text())

    def test_data_from_standard_input(self):
        done = self.run_template("--template.type=rule", "--template.data=-", "--template.text={{ $value | humanize }}",
                                 stdin='{"value": "12345"}')
        self.assertEqual((done.returncode, done.stdout), (0, "12.35k"))

    def test_an_error_is_on_standard_error(self):
        done = self.run_template("--template.text={{ .Foo }}")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, 'mlalert: template: :1:3: executing "" at <.Foo>: can\'t evaluate field Foo in type '
                                      'template.Data\n')
        self.assertEqual(self.run_template().returncode, 2)


class Documentation(unittest.TestCase):
    """Every line of docs/templates.md that shows a text and its output."""

    GROUP = {
        "receiver": "team", "status": "firing", "externalURL": "http://m.example.org",
        "notification_reason": "first notification", "routeLabels": {"team": "ml-platform"},
        "groupLabels": {"alertname": "Drift"},
        "commonLabels": {"alertname": "Drift", "model": "fraud", "severity": "P1"},
        "alerts": [
            {"status": "firing", "labels": {"alertname": "Drift", "model": "fraud", "severity": "P1", "pod": "p-1"},
             "startsAt": "2026-01-02T03:04:05Z"},
            {"status": "resolved", "labels": {"alertname": "Drift", "model": "fraud", "severity": "P1", "pod": "p-2"},
             "startsAt": "2026-01-02T03:05:00Z", "endsAt": "2026-01-02T04:00:00Z"}]}
    RULE = {"labels": {"job": "api", "instance": "h1.example.org:9100"}, "value": 1234.5678,
            "externalURL": "http://m.example.org/x",
            "queries": {"up": [{"labels": {"a": "b"}, "value": 3}], "nothing": []}}

    def test_examples(self):
        text = (harness.SOURCE_DIR / "docs/templates.md").read_text()
        requests, wanted = [], []
        for kind, block in re.findall(r"```(template|html|rule)\n(.*?)```", text, re.S):
            for line in block.rstrip("\n").split("\n"):
                source, arrow, output = line.partition(" \u2192 ")
                self.assertTrue(arrow, line)
                requests.append({"type": "text" if kind == "template" else kind, "text": source,
                                 "now": "2026-01-02T04:00:00Z", "data": self.RULE if kind == "rule" else self.GROUP})
                wanted.append(output)
        self.assertGreater(len(wanted), 50)
        for request, answer, want in zip(requests, preview(requests), wanted):
            with self.subTest(request["text"]):
                self.assertEqual(answer, {"output": want})


if __name__ == "__main__":
    unittest.main()
