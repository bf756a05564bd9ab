"""What scripts, dashboards and proxies see of the process itself: traps 25, 26 and 38 to 44 of the reference.

Debian's prometheus-alertmanager and mlalert get the same flags and the same files; each claim is checked of both, so that a
claim which the real Alertmanager does not keep fails too.
"""

import base64
import contextlib
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import harness  # noqa: E402

ALERTMANAGER = "/usr/bin/prometheus-alertmanager"
PLAIN = "route: {receiver: hook}\nreceivers: [{name: hook}]\n"


class Peer:
    def __init__(self, test, which, config, flags, cluster):
        self.which = which
        self.directory = test.directory / which
        self.directory.mkdir(exist_ok=True)
        config_path = self.directory / "alertmanager.yml"
        config_path.write_text(config)
        binary = ALERTMANAGER if which == "theirs" else harness.MLALERT  # no subcommand: the flags say what is meant
        self.process = test.spawn(which, [
            binary, f"--config.file={config_path}", f"--storage.path={self.directory / 'data'}",
            "--web.listen-address=127.0.0.1:0", f"--cluster.listen-address={cluster}", "--cluster.settle-timeout=0s",
            "--log.level=debug", *flags])
        self.port = int(harness.wait_until(self._port, f"{which} says where it listens"))

    def _port(self):
        # Trap 41: the acceptance tests of Alertmanager look for exactly this.
        for line in self.process.log().splitlines():
            found = re.search(r"address=\S*?:(\d+)", line)
            if "Listening on" in line and found and "cluster" not in line:
                return found.group(1)
        if not self.process.running():
            raise AssertionError(f"{self.which} ended: {self.process.log()[-2000:]}")
        return None

    def get(self, path, **options):
        return harness.request(self.port, "GET", path, **options)


class SurfaceTest(harness.TestCase):
    def peers(self, config=PLAIN, flags=(), cluster="", files=None):
        for which in ("ours", "theirs"):
            for name, text in (files or {}).items():
                path = self.directory / which / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            peer = Peer(self, which, config, flags, cluster)
            with self.subTest(which):
                yield peer

    def ready(self, peer, prefix="", headers=None):
        def is_ready():
            reply = harness.try_request(peer.port, "GET", prefix + "/-/ready", headers=headers)
            return reply is not None and reply.status == 200
        harness.wait_until(is_ready, f"{peer.which} is ready")

    def test_a_lone_node_with_clustering_shows_itself_as_its_ready_peer(self):  # trap 38
        for peer in self.peers(cluster="127.0.0.1:0"):
            self.ready(peer)
            cluster = harness.wait_until(
                lambda: (lambda found: found if found["status"] == "ready" else None)(
                    peer.get("/api/v2/status").json()["cluster"]), "the cluster is ready")
            self.assertTrue(cluster["name"])
            self.assertEqual(len(cluster["peers"]), 1)
            self.assertEqual(cluster["peers"][0]["name"], cluster["name"])
            self.assertRegex(cluster["peers"][0]["address"], r"^127\.0\.0\.1:\d+$")

    def test_without_clustering_there_is_no_peer(self):  # trap 38
        for peer in self.peers():
            self.ready(peer)
            cluster = peer.get("/api/v2/status").json()["cluster"]
            self.assertEqual(cluster, {"status": "disabled", "peers": []})

    def test_counters_of_every_integration_are_there_before_the_first_notification(self):  # trap 39
        series = {}
        for peer in self.peers():
            self.ready(peer)
            samples = [line for line in peer.get("/metrics").text.splitlines() if line.startswith("alertmanager_notif")]
            series[peer.which] = {line.rsplit(" ", 1)[0] for line in samples
                                  if "_bucket{" not in line and "latency" not in line}
            self.assertIn('alertmanager_notifications_total{integration="webhook"} 0', samples)
        # 0.25 has one counter of failures for each integration; since 0.26 there is one for each reason.
        missing = {one for one in series["theirs"] - series["ours"] if "failed_total{" not in one}
        self.assertEqual(missing, set())
        for integration in ("webhook", "email", "pagerduty", "slack", "opsgenie", "sns", "telegram", "msteamsv2", "jira"):
            for reason in ("clientError", "serverError", "contextCanceled", "contextDeadlineExceeded", "other"):
                self.assertIn(f'alertmanager_notifications_failed_total{{integration="{integration}",reason="{reason}"}}',
                              series["ours"])

    def test_the_version_is_one_that_karma_knows(self):  # trap 40
        for peer in self.peers():
            self.ready(peer)
            info = [line for line in peer.get("/metrics").text.splitlines() if line.startswith("alertmanager_build_info{")]
            self.assertEqual(len(info), 1)
            version = re.search(r'version="(\d+)\.(\d+)\.(\d+)', info[0])
            self.assertGreaterEqual(tuple(map(int, version.groups())), (0, 22, 0))
            self.assertRegex(peer.get("/api/v2/status").json()["versionInfo"]["version"], r"^0\.\d+\.\d+")

    def test_under_a_route_prefix_the_root_redirects_and_everything_else_is_not_there(self):  # trap 42
        for peer in self.peers(flags=["--web.route-prefix=/am"]):
            self.ready(peer, "/am")
            root = peer.get("/")
            self.assertEqual((root.status, root.headers["Location"]), (302, "/am"))
            self.assertEqual(peer.get("/am/api/v2/status").status, 200)
            self.assertEqual(peer.get("/am/metrics").status, 200)
            for path in ("/api/v2/status", "/metrics", "/-/healthy", "/amx"):
                self.assertEqual(peer.get(path).status, 404, path)

    def test_basic_auth_guards_health_and_metrics_too(self):  # trap 43
        web = f"basic_auth_users: {{sre: '{harness.bcrypt('night')}'}}\n"
        good = {"Authorization": "Basic " + base64.b64encode(b"sre:night").decode()}
        bad = {"Authorization": "Basic " + base64.b64encode(b"sre:day").decode()}
        web_file = self.write("web.yml", web)
        for peer in self.peers(flags=[f"--web.config.file={web_file}"]):
            self.ready(peer, headers=good)
            for path in ("/-/healthy", "/-/ready", "/metrics", "/api/v2/status", "/"):
                for headers in (None, bad):
                    reply = peer.get(path, headers=headers)
                    self.assertEqual((reply.status, reply.headers["WWW-Authenticate"]), (401, "Basic"), path)
                self.assertNotEqual(peer.get(path, headers=good).status, 401, path)

    def test_version_1_of_the_api_is_gone(self):  # trap 44; 0.25 still answers with 200 and a warning
        for peer in self.peers():
            self.ready(peer)
            if peer.which == "ours":
                for path in ("/api/v1/alerts", "/api/v1/silences", "/api/v1/status", "/api/v1/receivers"):
                    if path == "/api/v1/alerts":
                        continue  # Prometheus' list of alerts lives there
                    reply = peer.get(path)
                    self.assertEqual(reply.status, 410, path)
                    self.assertEqual(reply.json()["status"], "deprecated")

    def test_http_config_of_a_receiver_replaces_the_global_one(self):  # trap 25
        sink = self.sink()
        config = f"""
global: {{http_config: {{basic_auth: {{username: u, password: p}}}}}}
route: {{receiver: all, group_wait: 0s, group_by: [alertname]}}
receivers:
- name: all
  webhook_configs:
  - url: {sink.url}/$WHO/global
  - url: {sink.url}/$WHO/own
    http_config: {{follow_redirects: false}}
"""
        for which in ("ours", "theirs"):
            peer = Peer(self, which, config.replace("$WHO", which), (), "")
            with self.subTest(which):
                self.ready(peer)
                harness.request(peer.port, "POST", "/api/v2/alerts", body=[{"labels": {"alertname": "A"}}])
                sink.wait_for(f"/{which}/global", 1)
                sink.wait_for(f"/{which}/own", 1)
                self.assertTrue(sink.requests(f"/{which}/global")[0].headers["Authorization"].startswith("Basic "))
                self.assertIsNone(sink.requests(f"/{which}/own")[0].headers["Authorization"])

    def test_relative_paths_are_relative_to_the_config_file(self):  # trap 26
        sink = self.sink()
        config = f"""
templates: [texts/*.tmpl]
route: {{receiver: all, group_wait: 0s, group_by: [alertname]}}
receivers:
- name: all
  webhook_configs:
  - url: {sink.url}/$WHO
    http_config: {{authorization: {{credentials_file: secrets/token}}}}
  slack_configs:
  - api_url: {sink.url}/$WHO/slack
    channel: '#c'
    title: '{{{{ template "mine" . }}}}'
"""
        for which in ("ours", "theirs"):
            folder = self.directory / which
            (folder / "texts").mkdir(parents=True)
            (folder / "secrets").mkdir()
            (folder / "texts/a.tmpl").write_text('{{ define "mine" }}from a file{{ end }}')
            (folder / "secrets/token").write_text("tok\n")
            peer = Peer(self, which, config.replace("$WHO", which), (), "")
            with self.subTest(which):
                self.ready(peer)
                harness.request(peer.port, "POST", "/api/v2/alerts", body=[{"labels": {"alertname": "A"}}])
                sink.wait_for(f"/{which}", 1)
                self.assertEqual(sink.requests(f"/{which}")[0].headers["Authorization"], "Bearer tok")
                self.assertEqual(sink.wait_for(f"/{which}/slack", 1)[0]["attachments"][0]["title"], "from a file")

    def test_no_group_speaks_before_the_start_delay(self):  # 15.6 g; the flag is younger than 0.25
        sink = self.sink()
        config = (f"route: {{receiver: hook, group_wait: 1s, group_interval: 2s, group_by: [x]}}\n"
                  f"receivers: [{{name: hook, webhook_configs: [{{url: '{sink.url}/hook'}}]}}]\n")
        peer = Peer(self, "ours", config, ["--dispatch.start-delay=3s"], "")
        self.ready(peer)
        harness.request(peer.port, "POST", "/api/v2/alerts", body=[{"labels": {"alertname": "A"}}])
        began = peer.process.started
        told = sink.wait_for("/hook", 1)
        self.assertGreaterEqual(sink.requests("/hook")[0].at - began, 2.9)
        self.assertEqual([a["labels"]["alertname"] for a in told[0]["alerts"]], ["A"])

    def test_a_config_whose_clients_cannot_be_made_keeps_from_starting(self):
        hook = "route: {receiver: hook}\nreceivers:\n- name: hook\n  webhook_configs: [{url: 'http://127.0.0.1:1/', http_config: %s}]\n"
        for http, words, theirs_too in (
                ("{tls_config: {ca_file: nowhere.pem}}", "nowhere.pem", True),
                ("{basic_auth: {username: a, password_ref: vault}}", "cannot use secret ref without manager", False),
                ("{tls_config: {min_version: TLS13, max_version: TLS12}}", "tls_config.max_version must be greater", False)):
            config = self.write("clients.yml", hook % http)
            for binary in (harness.MLALERT, *([ALERTMANAGER] if theirs_too else [])):
                with self.subTest(http=http, binary=str(binary)):
                    done = subprocess.run([binary, f"--config.file={config}", f"--storage.path={self.directory / 'clients'}",
                                           "--web.listen-address=127.0.0.1:0", "--cluster.listen-address="],
                                          capture_output=True, text=True, timeout=30)
                    self.assertNotEqual(done.returncode, 0)
                    self.assertIn(words, done.stderr)
        # What nobody uses is not built.
        unused = (hook % "{tls_config: {ca_file: nowhere.pem}}").replace("receiver: hook", "receiver: none") + "- name: none\n"
        self.ready(Peer(self, "ours", unused, [], ""))

    def test_flags_of_debian_are_taken_and_named_once(self):
        peer = Peer(self, "ours", PLAIN, ["--web.ui-path=/usr/share/prometheus/alertmanager/ui/",
                                          "--template.default=/usr/share/prometheus/alertmanager/default.tmpl"], "")
        self.ready(peer)
        named = [line for line in peer.process.log().splitlines() if "--template.default" in line]
        self.assertEqual(len(named), 1, named)
        self.assertIn("--web.ui-path", named[0])


class FlagsTest(harness.TestCase):
    def test_flags_without_a_subcommand_are_those_of_serve(self):
        for arguments in (["--config.file"], ["--no.such.flag"]):
            ours = self.run_mlalert(*arguments)
            theirs = subprocess.run([ALERTMANAGER, *arguments], capture_output=True, text=True, timeout=30)
            self.assertEqual(ours.returncode, theirs.returncode, arguments)
            self.assertEqual(ours.stderr.split(": ", 1)[1], theirs.stderr.split(": ", 1)[1])
        self.assertIn("mlalert", self.run_mlalert("--version").stdout)
        self.assertEqual(self.run_mlalert("--help").returncode, 0)


class PageTest(unittest.TestCase):
    def test_the_tests_that_the_page_of_compatibility_names_exist(self):
        page = (harness.SOURCE_DIR / "docs/compatibility.md").read_text()
        table = page[page.index("## Which test holds which trap"):page.index("## Where mlalert differs on purpose")]
        tests = "\n".join(path.read_text() for path in (harness.SOURCE_DIR / "test").rglob("*")
                          if path.suffix in (".py", ".cc", ".h") and path != pathlib.Path(__file__))
        tests += pathlib.Path(__file__).read_text()
        names = [name for row in table.splitlines() if re.match(r"\| \d", row)
                 for name in re.findall(r"`(\w{6,})`", row.rsplit("|", 2)[1])]
        self.assertGreater(len(names), 50)
        self.assertEqual([name for name in names if not re.search(rf"\b{name}\b", tests)], [])


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        unittest.main()
