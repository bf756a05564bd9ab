"""Debian's amtool, unmodified: every command against mlalert and against Debian's Alertmanager; what it prints is the same."""

import json
import os
import re
import subprocess
import unittest

import harness

AMTOOL = "/usr/bin/amtool"

CONFIG = """
global: {resolve_timeout: 7m, slack_api_url: 'https://hooks.slack.com/services/T/B/x'}
templates: []
route:
  receiver: default
  group_by: [alertname, cluster]
  group_wait: 1h
  routes:
  - matchers: [severity="critical", 'team=~"a|b"']
    receiver: pager
    continue: true
    mute_time_intervals: [offhours]
  - match_re: {service: "^(foo|bar)$"}
    receiver: default
    group_by: ['...']
    group_wait: 10s
inhibit_rules:
- source_matchers: [severity=critical]
  target_matchers: [severity=warning]
  equal: [alertname]
time_intervals:
- name: offhours
  time_intervals:
  - times: [{start_time: '17:00', end_time: '24:00'}]
    weekdays: ['monday:friday', sunday]
    months: ['january:march', '12']
receivers:
- name: default
  webhook_configs: [{url: 'http://127.0.0.1:9/hook'}]
- name: pager
  pagerduty_configs: [{routing_key: k}]
  slack_configs: [{channel: '#x'}]
"""

BROKEN = "route: {receiver: nobody}\nreceivers: [{name: default}]\n"
TEMPLATE = '{{ define "hello" }}Hello {{ .Receiver }}: {{ len .Alerts.Firing }} firing{{ end }}'

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z| UTC| \+0000 UTC)?")
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


class Amtool(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.theirs = self.alertmanager(CONFIG)
        self.ours = self.mlalert(CONFIG, flags=["--cluster.listen-address="])
        self.write("broken.yml", BROKEN)
        self.write("good.yml", CONFIG)
        self.write("hello.tmpl", TEMPLATE)

    def amtool(self, peer, *arguments, stdin=None, url=None):
        command = [AMTOOL, *arguments]
        if peer is not None:
            command.append(f"--alertmanager.url={url or peer.url}")
        return subprocess.run(command, cwd=self.directory, capture_output=True, text=True, timeout=30, input=stdin,
                              env={**os.environ, "HOME": str(self.directory)})

    def shown(self, result, peer):
        """What a person sees, without what differs by nature."""
        out = "\n".join(line.rstrip() for line in result.stdout.splitlines())
        err = "\n".join(line for line in result.stderr.splitlines() if "version" not in line)  # 0.25 asks 0.33
        text = f"exit {result.returncode}\n{out}\n--\n{err}"
        text = TIME.sub("TIME", UUID.sub("ID", text))
        text = re.sub(r"0xc[0-9a-f]+", "POINTER", text)  # amtool prints one
        return text.replace(str(peer.port), "PORT")

    def both(self, *arguments, stdin=None, exit_code=0):
        """Runs it against both peers; the texts must be equal. Gives the results, theirs first."""
        results = [self.amtool(peer, *arguments, stdin=stdin) for peer in (self.theirs, self.ours)]
        texts = [self.shown(result, peer) for result, peer in zip(results, (self.theirs, self.ours))]
        self.assertEqual(texts[0], texts[1], " ".join(arguments))
        self.assertEqual(results[1].returncode, exit_code, results[1])
        return results

    def each(self, ids, *arguments, exit_code=0):
        """As both(), with another id for each peer in place of ID."""
        results = [self.amtool(peer, *[silence_id if word == "ID" else word for word in arguments])
                   for peer, silence_id in zip((self.theirs, self.ours), ids)]
        texts = [self.shown(result, peer) for result, peer in zip(results, (self.theirs, self.ours))]
        self.assertEqual(texts[0], texts[1], " ".join(arguments))
        self.assertEqual(results[1].returncode, exit_code, results[1])
        return results

    def json_of(self, *arguments):
        """The JSON that both print, without times, ids and what is new since 0.25."""
        def strip(value):
            if isinstance(value, list):
                return [strip(item) for item in value]
            if isinstance(value, dict):
                return {key: strip(item) for key, item in value.items()
                        if key not in ("startsAt", "endsAt", "updatedAt", "id", "mutedBy", "silencedBy")}
            return value
        results = [self.amtool(peer, *arguments, "-o", "json") for peer in (self.theirs, self.ours)]
        theirs, ours = (strip(json.loads(result.stdout)) for result in results)
        self.assertEqual(theirs, ours)
        return ours

    def test_alerts(self):
        self.both("alert", "query")
        self.both("alert", "add", "foo", "severity=critical", "cluster=eu", "--annotation=summary=s",
                  "--generator-url=http://p/g")
        self.both("alert", "add", "alertname=bar", "node=n 1", "severity=warning", "--start=2026-01-02T03:04:05Z",
                  "--end=2099-01-02T03:04:05Z")
        self.both("alert", "add", "foo", "severity=warning", "team=a")
        self.both("alert", "add", "foo", "novalue", exit_code=1)
        for output in ("simple", "extended"):
            self.both("alert", "query", "-o", output)
            self.both("alert", "query", "foo", "-o", output)
        self.both("alert")
        self.both("alert", "query", "alertname=~fo+")
        self.both("alert", "query", "severity!=critical", "node=n 1")
        self.both("alert", "query", "--inhibited")
        self.both("alert", "query", "--active")
        self.both("alert", "query", "--unprocessed")
        self.both("alert", "query", "--silenced")
        self.both("alert", "query", "--receiver=pager")
        self.both("alert", "query", "--receiver=(", exit_code=1)
        self.both("alert", "query", "=x")
        self.assertEqual(len(self.json_of("alert", "query")), 2)

    def test_silences(self):
        self.both("silence", "add", "-c", "x", "-a", "y", exit_code=1)
        self.both("silence", "add", "alertname=foo", exit_code=1)
        added = self.both("silence", "add", "alertname=foo", "-c", "why", "-a", "me", "-d", "1h")
        ids = [result.stdout.strip() for result in added]
        self.both("silence", "add", "alertname=~b.*", "cluster!=eu", "node!~n.+", "-c", "more", "-a", "me", "-d", "2h")
        self.both("silence", "add", "alertname=later", "-c", "pending", "-a", "you",
                  "--start=2098-01-01T00:00:00Z", "--end=2099-01-01T00:00:00Z")
        for output in ("simple", "extended"):
            self.both("silence", "query", "-o", output)
        self.both("silence")
        self.both("silence", "query", "alertname=foo")
        self.both("silence", "query", "alertname=~b.*")
        self.both("silence", "query", "--within=90m")
        self.both("silence", "query", "--created-by=you")
        self.assertEqual(len(self.json_of("silence", "query")), 3)
        self.both("alert", "add", "foo", "severity=critical")
        self.both("alert", "query")
        self.both("alert", "query", "--silenced")
        updated = self.each(ids, "silence", "update", "ID", "-d", "3h", "-c", "longer")
        self.assertTrue(updated[1].stdout)
        self.each(ids, "silence", "update", "-q", "ID", "--end=2099-05-05T05:05:05Z")
        self.each([UNKNOWN_ID] * 2, "silence", "update", "ID", "-d", "3h", exit_code=1)
        self.both("silence", "query", "-q", "alertname=nothing")
        self.each(ids, "silence", "expire", "ID")
        self.both("silence", "query")
        self.both("silence", "query", "--expired")
        self.both("silence", "query", "--expired", "--within=1h")
        self.both("silence", "expire", exit_code=1)
        self.both("silence", "expire", "foo", exit_code=1)
        # 404 since 0.26, 500 before: the words differ, not what it means.
        for peer in (self.theirs, self.ours):
            self.assertEqual(self.amtool(peer, "silence", "expire", UNKNOWN_ID).returncode, 1)
        self.both("alert", "query")

    def test_silences_are_exported_and_imported(self):
        self.both("silence", "add", "alertname=foo", "-c", "why", "-a", "me", "-d", "1h")
        self.both("silence", "add", "alertname=bar", "-c", "why", "-a", "me", "-d", "1h")
        exported = self.amtool(self.ours, "silence", "query", "-o", "json").stdout
        self.write("silences.json", exported)
        # Theirs has never seen these ids: 404, then again without them.
        self.both("silence", "import", "--force", "silences.json")
        self.both("silence", "import", "silences.json")
        self.both("silence", "import", stdin="[]")
        self.both("silence", "import", stdin="nonsense", exit_code=1)
        self.assertEqual(len(json.loads(self.amtool(self.theirs, "silence", "query", "-o", "json").stdout)),
                         len(json.loads(self.amtool(self.ours, "silence", "query", "-o", "json").stdout)) + 2)

    def test_config_and_routes(self):
        self.both("config", "routes", "show")
        self.both("config", "routes")
        for arguments in (["severity=critical", "team=a"], ["service=foo"], ["x=y"], ["--tree", "service=foo"],
                          ["--tree", "severity=critical", "team=b"], []):
            self.both("config", "routes", "test", *arguments)
        self.both("config", "routes", "test", "severity=critical", "team=a", "--verify.receivers=pager")
        self.both("config", "routes", "test", "severity=critical", "team=a", "--verify.receivers=default", exit_code=1)
        for output in ("simple", "extended", "json"):
            shown = self.amtool(self.ours, "config", "show", "-o", output)
            self.assertEqual(shown.returncode, 0, shown)
            self.assertNotIn("hooks.slack.com", shown.stdout)
            if output != "extended":  # which prints pointers
                self.assertIn("receiver", shown.stdout)

    def test_cluster(self):
        for output in ("simple", "extended", "json"):
            self.both("cluster", "show", "-o", output)
        self.both("cluster")
        node = self.mlalert(CONFIG, name="node", flags=["--cluster.listen-address=127.0.0.1:9094",
                                                        "--cluster.peer-name=me"])
        shown = self.amtool(node, "cluster", "show", "-o", "extended").stdout
        self.assertRegex(shown, r"Cluster Status:\s+ready\s+Node Name:\s+me\s")
        self.assertIn("127.0.0.1:9094", shown)

    def test_files_need_no_server(self):
        good = self.amtool(None, "check-config", "good.yml")
        self.assertEqual(good.returncode, 0, good)
        self.assertEqual(self.run_mlalert("check", "good.yml").returncode, 0)
        self.assertEqual(self.amtool(None, "check-config", "broken.yml").returncode, 1)
        self.assertNotEqual(self.run_mlalert("check", "broken.yml").returncode, 0)
        # What mlalert says of itself is a config that amtool takes.
        status = self.ours.get("/api/v2/status").json()
        self.write("original.yml", status["config"]["original"])
        rendered = self.amtool(None, "template", "render", "--template.glob=hello.tmpl", "--template.text={{ template \"hello\" . }}")
        self.assertEqual(rendered.returncode, 0, rendered)
        self.assertIn("Hello", rendered.stdout)

    def test_a_prefix_and_a_password_in_the_url(self):
        web = self.write("web.yml", f"basic_auth_users: {{amy: '{harness.bcrypt('secret')}'}}\n")
        node = self.mlalert(CONFIG, name="prefixed", start=False,
                            flags=["--web.route-prefix=/am", f"--web.config.file={web}"])
        node.spawn()
        harness.wait_until(lambda: (reply := harness.try_request(node.port, "GET", "/am/-/ready")) is not None
                           and reply.status == 401, "mlalert behind a password")
        refused = self.amtool(node, "alert", "query", url=f"http://amy:wrong@127.0.0.1:{node.port}/am")
        self.assertEqual(refused.returncode, 1, refused)
        url = f"http://amy:secret@127.0.0.1:{node.port}/am"
        self.assertEqual(self.amtool(node, "alert", "add", "foo", url=url).returncode, 0)
        self.assertIn("foo", self.amtool(node, "alert", "query", url=url).stdout)


if __name__ == "__main__":
    unittest.main()
