"""Receivers that refuse, limit, break, hang and lie: tried again or not as specified, each attempt on record."""

import socket
import time

import harness
from harness import Answer, stays, wait_until

SECRETS = {"slack": "T00/B00/slackS3cretToken", "webhook": "hookS3cretInPath", "pagerduty": "pdS3cretRoutingKey",
           "password": "basicS3cretPassword", "bearer": "bearerS3cretCredentials"}


def config(sink, **extra):
    receivers = {
        "webhook": f'webhook_configs: [{{url: "{sink.url}/webhook/{SECRETS["webhook"]}", timeout: 1s, '
                   f'http_config: {{basic_auth: {{username: u, password: {SECRETS["password"]}}}}}}}]',
        "slack": f'slack_configs: [{{api_url: "{sink.url}/slack/{SECRETS["slack"]}", channel: "#c", timeout: 1s, '
                 f'http_config: {{authorization: {{credentials: {SECRETS["bearer"]}}}}}}}]',
        "pagerduty": f'pagerduty_configs: [{{url: "{sink.url}/pagerduty", '
                     f'routing_key: {SECRETS["pagerduty"]}, timeout: 1s}}]',
        **extra}
    text = ("route:\n  receiver: none\n  group_by: [id]\n  group_wait: 0s\n  group_interval: 1s\n"
            "  repeat_interval: 1h\n  routes:\n")
    for name in receivers:
        text += f"  - {{matchers: ['to=\"{name}\"'], receiver: {name}}}\n"
    return text + "receivers:\n- name: none\n" + "".join(
        f"- name: {name}\n  {body}\n" for name, body in receivers.items())


PATHS = {"webhook": f'/webhook/{SECRETS["webhook"]}', "slack": f'/slack/{SECRETS["slack"]}', "pagerduty": "/pagerduty"}


def half_close(connection):
    """Says that the body has 100 bytes, sends ten, and ends its side."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
    connection.shutdown(socket.SHUT_WR)
    time.sleep(0.2)


def hang_up(connection):
    connection.shutdown(socket.SHUT_RDWR)


def endless_body(connection):
    connection.sendall(b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    try:
        for _ in range(4096):  # 256 MiB
            connection.sendall(chunk)
    except OSError:
        pass


def garbage(connection):
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


class Receivers(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.out = self.sink()
        self.ids = 0

    def attempts(self, daemon, receiver):
        return daemon.rows("SELECT attempt, outcome, http_status, error, reason FROM notifications "
                           "WHERE receiver = ? ORDER BY id", receiver)

    def post(self, daemon, receiver):
        self.ids += 1
        labels = {"alertname": "A", "id": str(self.ids), "to": receiver}
        daemon.post_alerts(labels)
        return labels

    def assert_no_secret(self, daemon):
        """Not in the log, not through any API, not in the database, not in what a client prints."""
        log = daemon.log()
        surfaces = {"log": log.encode()}
        for path in ("/metrics", "/api/v2/status", "/api/v2/receivers", "/api/v2/alerts",
                     "/api/mlalert/v1/incidents?state=all", "/api/v1/rules", "/-/ready"):
            surfaces[path] = daemon.get(path).body
        for incident in daemon.incidents():
            surfaces[f"incident {incident['id']}"] = daemon.get(f"/api/mlalert/v1/incidents/{incident['id']}").body
        surfaces["history"] = daemon.history("notifications", "--json").stdout.encode()
        surfaces["incidents"] = daemon.cli("incidents", "--state=all").stdout.encode()
        check = self.run_mlalert("check", daemon.config_path)
        surfaces["check"] = (check.stdout + check.stderr).encode()
        for file in daemon.storage.iterdir():
            surfaces[file.name] = file.read_bytes()
        for where, data in surfaces.items():
            for name, secret in SECRETS.items():
                self.assertNotIn(secret.encode(), data, f"{name} in {where}")

    def test_what_is_tried_again_and_what_is_not(self):
        again = {"500": Answer(500), "503": Answer(503), "hang up": Answer(raw=hang_up),
                 "garbage": Answer(raw=garbage), "429, Retry-After": Answer(429, headers={"Retry-After": "1"})}
        busy = {"429": Answer(429)}  # of these three kinds PagerDuty alone asks for patience with it
        final = {"400": Answer(400, b'{"message":"bad","errors":["e1"]}'), "404": Answer(404), "403": Answer(403)}
        # A connection that breaks when it is used again is tried once more by the client below us: close each.
        close = {"Connection": "close"}
        good = {"webhook": Answer(200, headers=close), "slack": Answer(200, b"ok", close),
                "pagerduty": Answer(202, headers=close)}
        daemon = self.mlalert(config(self.out))
        for receiver, path in PATHS.items():
            refused = dict(final, **({"200, not ok": Answer(200, b"invalid_token")} if receiver == "slack" else {}))
            for name, answer in {**again, **busy, **refused}.items():
                with self.subTest(receiver=receiver, answer=name):
                    self.check(daemon, receiver, path, answer,
                               name in again or (name in busy and receiver == "pagerduty"), good[receiver])
        self.assert_no_secret(daemon)

    def check(self, daemon, receiver, path, answer, tried_again, good):
        seen = len(self.attempts(daemon, receiver))
        requests = len(self.out.requests(path))
        self.out.script(path, answer, good)
        self.post(daemon, receiver)
        # Refused for good: this notification is over. The group asks anew at its next tick, as Alertmanager's does.
        rows = wait_until(lambda: len(r := self.attempts(daemon, receiver)[seen:]) >= 2 and r, "two attempts")
        self.assertEqual([(row["attempt"], row["outcome"]) for row in rows],
                         [(1, "retrying"), (2, "sent")] if tried_again else [(1, "failed"), (1, "sent")])
        self.assertTrue(rows[0]["error"])
        self.assertEqual(rows[0]["http_status"], answer.status if answer.raw is None else None)
        self.assertEqual(rows[1]["error"], "")
        self.assertEqual(len(self.out.requests(path)), requests + 2)

    def test_an_answer_that_breaks_off_after_its_status_counts(self):
        daemon = self.mlalert(config(self.out))
        self.out.always(PATHS["webhook"], Answer(raw=half_close))
        self.post(daemon, "webhook")
        wait_until(lambda: self.attempts(daemon, "webhook"), "an attempt")
        stays(lambda: [row["outcome"] for row in self.attempts(daemon, "webhook")] == ["sent"], "told once", 1.5)

    def test_retry_after_is_obeyed(self):
        daemon = self.mlalert(config(self.out))
        self.out.script("/pagerduty", Answer(429, headers={"Retry-After": "3"}), Answer(202))
        self.post(daemon, "pagerduty")
        wait_until(lambda: len(self.out.requests("/pagerduty")) == 2, "the second attempt")
        first, second = self.out.requests("/pagerduty")
        self.assertGreaterEqual(second.at - first.at, 2.9)
        self.assertLess(second.at - first.at, 6)

    def test_a_hanging_receiver_delays_no_other(self):
        daemon = self.mlalert(config(self.out, **{
            "stuck": f'webhook_configs: [{{url: "{self.out.url}/stuck"}}]'}))
        self.out.always("/stuck", Answer(hang=120))
        for _ in range(40):  # more than its lane takes at once
            self.post(daemon, "stuck")
        wait_until(lambda: len(self.out.requests("/stuck")) >= 10, "the lane is full")
        for receiver, path in PATHS.items():
            started = time.time()
            self.post(daemon, receiver)
            self.out.wait_for(path, 1, timeout=3)
            self.assertLess(time.time() - started, 3, receiver)
        self.assertEqual(daemon.get("/-/healthy").status, 200)
        started = time.time()
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(time.time() - started, 12, "a stop waits for nobody for ever")

    def test_a_slow_answer_runs_into_the_timeout_and_is_tried_again(self):
        daemon = self.mlalert(config(self.out))
        self.out.script(PATHS["webhook"], Answer(hang=5), Answer(200))
        self.post(daemon, "webhook")
        rows = wait_until(lambda: len(r := self.attempts(daemon, "webhook")) == 2 and r, "two attempts")
        self.assertEqual([r["outcome"] for r in rows], ["retrying", "sent"])
        self.assertRegex(rows[0]["error"], "(?i)time")
        self.assert_no_secret(daemon)

    def test_an_endless_answer_is_cut(self):
        daemon = self.mlalert(config(self.out))
        before = daemon.process.rss_kib()
        self.out.script(PATHS["webhook"], Answer(raw=endless_body), Answer(200))
        self.post(daemon, "webhook")
        rows = wait_until(lambda: len(r := self.attempts(daemon, "webhook")) == 2 and r, "two attempts")
        self.assertEqual([r["outcome"] for r in rows], ["retrying", "sent"])
        self.assertLess(len(rows[0]["error"]), 4096)
        self.assertLess(daemon.process.rss_kib() - before, 50 * 1024)

    def test_redirects(self):
        """Followed, as Alertmanager's default is; but credentials go to nobody else, and not for ever."""
        elsewhere = self.sink()
        strict = f'webhook_configs: [{{url: "{self.out.url}/strict", http_config: {{follow_redirects: false}}}}]'
        daemon = self.mlalert(config(self.out, strict=strict))
        path = PATHS["webhook"]
        self.out.script(path, Answer(307, headers={"Location": elsewhere.url + "/moved"}))
        self.post(daemon, "webhook")
        self.assertEqual(elsewhere.wait_for("/moved", 1)[0]["status"], "firing", "the body goes along with 307")
        self.assertNotIn("Authorization", elsewhere.requests("/moved")[0].headers)
        wait_until(lambda: [r["outcome"] for r in self.attempts(daemon, "webhook")] == ["sent"], "sent")
        self.out.always(path, Answer(307, headers={"Location": path}))
        self.post(daemon, "webhook")
        wait_until(lambda: any(r["outcome"] != "sent" for r in self.attempts(daemon, "webhook")), "a loop ends")
        self.out.always("/strict", Answer(302, headers={"Location": elsewhere.url + "/strict"}))
        self.post(daemon, "strict")
        first = wait_until(lambda: self.attempts(daemon, "strict"), "an attempt")[0]
        self.assertEqual((first["outcome"], first["http_status"]), ("failed", 302))
        self.assertEqual(elsewhere.requests("/strict"), [])
        self.assert_no_secret(daemon)

    def test_secrets_stay_secret_when_everything_fails(self):
        daemon = self.mlalert(config(self.out))
        self.out.close()
        for receiver in PATHS:
            self.post(daemon, receiver)
        wait_until(lambda: all(self.attempts(daemon, receiver) for receiver in PATHS), "failed attempts")
        self.assert_no_secret(daemon)
        daemon.set_config(config(self.out).replace("receiver: none", "receiver: missing"))
        reply = daemon.reload()
        self.assertEqual(reply.status, 500)
        for secret in SECRETS.values():
            self.assertNotIn(secret, reply.text)
        # An error on the very line that holds them shows its place and hides their text.
        daemon.set_config(config(self.out).replace("timeout: 1s", "timeout: soon"))
        reply = daemon.reload()
        self.assertEqual(reply.status, 500)
        self.assertIn("soon", reply.text)
        for secret in SECRETS.values():
            self.assertNotIn(secret, reply.text)
        self.assert_no_secret(daemon)


if __name__ == "__main__":
    harness.main()
