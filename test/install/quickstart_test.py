"""What the pages tell people to type and to write works: links lead somewhere, flags exist and have the defaults that are told, files are
taken by the programs they are for, helm commands render, and each way to connect carries an alert."""

import re
import shlex
import subprocess
import sys
import unittest

from package import SOURCE_DIR

sys.path.insert(0, str(SOURCE_DIR / "test/e2e"))
sys.path.insert(0, str(SOURCE_DIR / "test/helm"))
import chart  # noqa: E402
import harness  # noqa: E402
from harness import wait_until  # noqa: E402

MLALERT = harness.MLALERT
PAGES = [SOURCE_DIR / "README.md", SOURCE_DIR / "CONTRIBUTING.md", SOURCE_DIR / "helm/mlalert/README.md", SOURCE_DIR / "bench/README.md",
         *sorted((SOURCE_DIR / "docs").glob("*.md")), *sorted((SOURCE_DIR / "rules/runbooks").glob("*.md"))]


def blocks(path):
    """[(language, text)] of the fenced blocks of a page."""
    return re.findall(r"(?ms)^```(\w*)\n(.*?)^```$", path.read_text())


def anchors(path):
    """As GitHub makes them of headings, a second one of the same name with -1."""
    found = set()
    text = re.sub(r"(?ms)^```.*?^```$", "", path.read_text())
    for title in re.findall(r"(?m)^#{1,6} (.*)$", text):
        title = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title).replace("`", "")
        anchor = re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
        number = 0
        while (name := anchor + (f"-{number}" if number else "")) in found:
            number += 1
        found.add(name)
    return found


def command_lines():
    """[(page, words)] of every `mlalert ...` in a block or between backquotes; what stands behind | > # is cut off."""
    for path in PAGES:
        text = path.read_text()
        lines = re.findall(r"`(mlalert [^`\n]+)`", re.sub(r"(?ms)^```.*?^```$", "", text))
        for _, block in blocks(path):
            joined = block.replace("\\\n", " ")
            lines += [line.removeprefix("$ ") for line in map(str.strip, joined.splitlines())
                      if line.removeprefix("$ ").startswith("mlalert ")]
        for line in lines:
            yield path.name, line


class Links(unittest.TestCase):
    def test_every_link_leads_somewhere(self):
        broken = []
        for path in PAGES:
            text = re.sub(r"(?ms)^```.*?^```$", "", path.read_text())
            text = re.sub(r"`[^`\n]*`", "", text)
            for target in re.findall(r"\]\(([^)\s]+)\)", text):
                if re.match(r"[a-z]+:", target):
                    continue
                file, _, anchor = target.partition("#")
                there = (path.parent / file).resolve() if file else path
                if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
                    broken.append(f"{path.name}: {target}")
        self.assertEqual(broken, [])


class Commands(unittest.TestCase):
    def help(self, words):
        done = subprocess.run([MLALERT, *words, "--help"], capture_output=True, text=True, timeout=30)
        return done.stdout if done.returncode == 0 else None

    def test_every_command_and_flag_of_the_pages_exists(self):
        helps = {(): self.help([])}
        wrong = []
        for page, line in command_lines():
            words = re.split(r"\s[|>#]|;|&&", line)[0].split()[1:]
            command = []
            for word in words:
                if not re.fullmatch(r"[a-z]+", word.rstrip(",")):
                    break
                tried = (*command, word.rstrip(","))
                if tried not in helps:
                    helps[tried] = self.help(tried) if word.rstrip(",") in (helps[tuple(command)] or "") else None
                if helps[tried] is None or helps[tried] == helps[tuple(command)]:
                    break
                command = list(tried)
            if not command and words and re.fullmatch(r"[a-z]+", words[0]):
                wrong.append(f"{page}: {line}: no such command")
            # Flags without a subcommand are those of serve.
            text = helps.get(tuple(command)) if command else (helps[()] + (self.help(["serve"]) or ""))
            for flag in re.findall(r"(?<![\w-])(--[a-z][\w.-]*)", " ".join(words)):
                if not re.search(re.escape(flag) + r"(?![\w.-])", text):
                    wrong.append(f"{page}: {line}: {flag}")
        self.assertGreater(len(helps), 25)
        self.assertEqual(wrong, [])

    def test_every_command_and_flag_of_the_binary_is_on_its_page(self):
        page = (SOURCE_DIR / "docs/cli.md").read_text()
        index = page.split("\n## Common to all")[0]
        missing = []

        def look(command):
            text = self.help(command)
            self.assertIsNotNone(text, f"{command} --help fails")
            if command and text == self.help(command[:-1]):
                return  # another name of the command above it
            for names in re.findall(r"(?m)^  ((?:-\w,)?--[\w.,{}-]+)", text):
                flags = [name for name in re.findall(r"--[\w.-]+", names) if not name.startswith("--no-")]
                if flags[0] not in ("--help", "--version") and not re.search(rf"`?{re.escape(flags[0])}(?![\w.-])", page):
                    missing.append(" ".join((*command, flags[0])))
            if "\nSubcommands:\n" in text:
                for name in re.findall(r"(?m)^  ([a-z]\w*) ", text.split("\nSubcommands:\n")[1].split("\n\n")[0]):
                    if not command and not re.search(rf"`(mlalert )?{name}[` ]", index):
                        missing.append(f"{name} is not in the table of commands")
                    look((*command, name))
        look(())
        self.assertEqual(missing, [])

    def test_defaults_of_flags_of_serve_are_those_of_the_page(self):
        printed = {}
        for names, default in re.findall(r"(?m)^  (--[\w.,{}-]+) [A-Z]+ \[([^]]*)\]", self.help(["serve"])):
            printed.update({name: default for name in names.split(",")})
        self.assertGreater(len(printed), 20)
        section = (SOURCE_DIR / "docs/cli.md").read_text().split("\n## serve\n")[1].split("\n## ")[0]
        told = {}
        for cell, default in re.findall(r"(?m)^\| (`--[^|]*) \|([^|]*)\|", section):
            for name in re.findall(r"`(--[\w.-]+)`", cell):
                told[name] = (re.findall(r"`([^`]*)`", default) or [""])[0]
        self.assertEqual({name: (value, told[name]) for name, value in printed.items()
                          if told.get(name, "") not in ("", value)}, {})
        self.assertEqual({name for name, value in printed.items() if value not in ("", "0") and name not in told}
                         - {"--silences.max-per-silence-bytes"}, set())


class Helm(chart.ChartTest):
    def test_every_helm_command_of_the_pages_renders(self):
        """As `helm template`, beside the files that it names."""
        for name in ("alertmanager.yml", "mlalert.yml"):
            (self.scratch / name).write_text("route: {receiver: r}\nreceivers: [{name: r}]\n")
        seen = 0
        for path in PAGES:
            text = path.read_text().replace("\\\n", " ")
            for line in re.findall(r"(helm (?:upgrade --install|install|upgrade) [^`\n]*)", text):
                words = shlex.split(line.split("  #")[0])
                words = words[words.index("mlalert"):]
                self.assertEqual(words[:2], ["mlalert", "./helm/mlalert"], line)
                done = subprocess.run([self.tools / "helm", "template", words[0], chart.CHART, *words[2:]], cwd=self.scratch, env=self.env,
                                      capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 0, f"{path.name}: {line}: {done.stderr}")
                seen += 1
        self.assertGreaterEqual(seen, 5)

    def test_every_value_that_a_page_names_is_one(self):
        values = chart.load((chart.CHART / "values.yaml").read_text())

        def known(path):
            here = values
            for key in path.split("."):
                if not isinstance(here, dict) or (here and key not in here):
                    return False
                here = here.get(key, {})
            return True
        groups = "|".join(key for key, value in values.items() if isinstance(value, dict) and value)
        unknown = [f"{path.name}: {name}" for path in PAGES for name in
                   re.findall(rf"`((?:{groups})\.[a-z]\w*(?:\.\w+)*)(?:=[^`]*)?`", path.read_text())
                   if not known(name) and not re.match(r"(config|rules)\.(original|reload|file)|image\.", name)
                   and not re.search(r"\.(yml|md|json)$", name)]
        self.assertEqual(unknown, [])


class FourWays(harness.TestCase):
    """docs/getting-started.md, with the pages' own files; names of hosts become addresses of this test."""

    PAGE = SOURCE_DIR / "docs/getting-started.md"

    def part(self, title, first_line):
        text = self.PAGE.read_text().split(f"\n### {title}\n")[1].split("\n##")[0]
        for block in re.findall(r"(?ms)^```yaml\n(.*?)^```$", text):
            if block.startswith(f"# {first_line}"):
                return block
        raise AssertionError(f"{title}: no block of {first_line}")

    def checked(self, *command):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    RULE = harness.rules_file({"alert": "Down", "expr": "vector(1)", "labels": {"severity": "P0", "model": "m"}})

    def run_prometheus(self, block, **hosts):
        for name, port in hosts.items():
            block = block.replace(f'"{name}:9093"', f'"127.0.0.1:{port}"')
        rules = self.write("p/rules.yml", self.RULE)
        config = self.write("p/prometheus.yml", f"global: {{evaluation_interval: 1s}}\nrule_files: [{rules}]\n{block}")
        self.checked("promtool", "check", "config", config)
        port = harness.free_port()
        self.spawn("prometheus", ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.directory}/p/tsdb",
                                  f"--web.listen-address=127.0.0.1:{port}", "--rules.alert.resend-delay=1s"])

    def test_mlalert_asks_prometheus(self):
        """The shipped file as the page edits it: `check --strict` has nothing to say, and the rules are there."""
        prometheus = self.prometheus()
        secrets = {name: self.write(name, "https://example.com/x") for name in ("slack-url", "pagerduty-key")}
        text = (SOURCE_DIR / "deploy/mlalert.yml").read_text().replace("http://prometheus:9090", prometheus.url)
        text = text.replace("/usr/share/mlalert/rules", str(SOURCE_DIR / "rules"))
        for name, path in secrets.items():
            text = text.replace(f"/etc/mlalert/{name}", str(path))
        path = self.write("mlalert.yml", text)
        self.checked(MLALERT, "check", "--strict", path)
        daemon = self.mlalert(text)
        groups = daemon.get("/api/v1/rules").json()["data"]["groups"]
        self.assertIn("MLServingDown", {rule["name"] for group in groups for rule in group["rules"]})

    def test_mlalert_as_the_alertmanager(self):
        daemon = self.mlalert("route: {receiver: r}\nreceivers: [{name: r}]\n")
        self.run_prometheus(self.part("mlalert as the Alertmanager", "prometheus.yml"), mlalert=daemon.port)
        wait_until(daemon.incidents, "the incident")

    def test_mlalert_behind_an_alertmanager(self):
        daemon = self.mlalert("route: {receiver: r}\nreceivers: [{name: r}]\n")
        block = self.part("mlalert behind an Alertmanager", "alertmanager.yml").replace("mlalert:9093", f"127.0.0.1:{daemon.port}")
        config = f"route: {{receiver: mlalert, group_wait: 1s}}\n{block}"
        self.checked("amtool", "check-config", self.write("alertmanager.yml", config))
        alertmanager = self.alertmanager(config)
        self.run_prometheus('alerting: {alertmanagers: [{static_configs: [{targets: ["other:9093"]}]}]}\n', other=alertmanager.port)
        wait_until(daemon.incidents, "the incident")

    def test_in_the_shadow_of_an_alertmanager(self):
        title = "In the shadow of an Alertmanager"
        config = self.part(title, "mlalert.yml")
        self.checked(MLALERT, "check", self.write("mlalert.yml", config))
        daemon = self.mlalert(config)
        alertmanager = self.alertmanager("route: {receiver: r}\nreceivers: [{name: r}]\n")
        self.run_prometheus(self.part(title, "prometheus.yml"), mlalert=daemon.port, alertmanager=alertmanager.port)
        (alert,) = wait_until(daemon.alerts, "the alert")
        self.assertEqual([receiver["name"] for receiver in alert["receivers"]], ["page"])
        self.assertTrue(wait_until(daemon.incidents, "the incident"))


if __name__ == "__main__":
    unittest.main()
