"""--web.config.file: TLS, client certificates, passwords, headers; files that change while the daemon runs."""

import base64
import contextlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import threading
import time
import unittest

import harness
from harness import wait_until

CONFIG = "route: {receiver: none}\nreceivers: [{name: none}]\n"


class WebConfig(harness.TestCase):
    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.directory, check=True, capture_output=True)

    def certificate(self, name, subject="/CN=localhost", names="DNS:localhost,IP:127.0.0.1", issuer=None):
        """NAME.crt and NAME.key; signed by `issuer`, or by itself and fit to sign others."""
        arguments = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                     "-keyout", f"{name}.key", "-out", f"{name}.crt", "-days", "2", "-subj", subject,
                     "-addext", f"subjectAltName={names}"]
        if issuer:
            arguments += ["-CA", f"{issuer}.crt", "-CAkey", f"{issuer}.key", "-addext", "basicConstraints=CA:FALSE"]
        self.openssl(*arguments)

    def daemon(self, web, flags=()):
        self.web_path = self.write("web.yml", web)
        return self.mlalert(CONFIG, flags=[f"--web.config.file={self.web_path}", *flags], start=False)

    def start(self, web, flags=(), status=200, tls=None):
        daemon = self.daemon(web, flags)
        daemon.spawn()
        wait_until(lambda: self.answers(daemon, status, tls), f"an answer {status}")
        return daemon

    def answers(self, daemon, status, tls):
        if not daemon.process.running():
            raise AssertionError(daemon.log()[-2000:])
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get(daemon, "/-/ready", tls=tls).status == status
        return False

    def context(self, ca="server.crt", client=None, **options):
        context = ssl.create_default_context(cafile=str(self.directory / ca))
        if client:
            context.load_cert_chain(self.directory / f"{client}.crt", self.directory / f"{client}.key")
        for name, value in options.items():
            setattr(context, name, value)
        return context

    def get(self, daemon, path="/-/healthy", tls=None, headers=None, method="GET", body=None):
        if tls is None:
            connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)
        else:
            connection = http.client.HTTPSConnection("127.0.0.1", daemon.port, timeout=10, context=tls)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return harness.Reply(answer.status, answer.headers, answer.read())

    @staticmethod
    def login(user, password):
        return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}

    def refused_start(self, web):
        daemon = self.daemon(web)
        process = daemon.spawn()
        wait_until(lambda: not process.running(), "the daemon refuses to start")
        self.assertNotEqual(process.popen.returncode, 0)
        return process.log()

    # --- passwords ---

    def test_every_path_wants_the_password(self):
        daemon = self.start(f"basic_auth_users:\n  amy: '{harness.bcrypt('secret')}'\n"
                            f"  bob: '{harness.bcrypt('b:b', '2a')}'\n  cat: '{harness.bcrypt('c', '2b')}'\n", status=401)
        for path in ("/-/healthy", "/-/ready", "/metrics", "/api/v2/status", "/nowhere", "/"):
            reply = self.get(daemon, path)
            self.assertEqual((reply.status, reply.headers["WWW-Authenticate"], reply.body),
                             (401, "Basic", b"Unauthorized\n"), path)
        for user, password in (("amy", "secret"), ("bob", "b:b"), ("cat", "c")):
            self.assertEqual(self.get(daemon, headers=self.login(user, password)).status, 200, user)
        for user, password in (("amy", "Secret"), ("amy", ""), ("amy", "secret\0x"), ("nobody", "fakepassword"),
                               ("", ""), ("bob", "b")):
            self.assertEqual(self.get(daemon, headers=self.login(user, password)).status, 401, user)
        for header in ("Basic", "Basic !", "Bearer x", "Basic " + base64.b64encode(b"amy").decode()):
            self.assertEqual(self.get(daemon, headers={"Authorization": header}).status, 401, header)
        self.assertNotIn("secret", daemon.log())

    def test_who_logged_in_is_who_acted(self):
        daemon = self.start(f"basic_auth_users: {{alice: '{harness.bcrypt('secret')}'}}\n", status=401)
        alice = {**self.login("alice", "secret"), "Content-Type": "application/json"}

        def post(path, headers=(), **body):
            return self.get(daemon, path, headers={**alice, **dict(headers)}, method="POST", body=json.dumps(body))

        self.get(daemon, "/api/v2/alerts", headers=alice, method="POST",
                 body=json.dumps([{"labels": {"alertname": "A"}, "endsAt": harness.rfc3339(time.time() + 3600)}]))
        incident = "/api/mlalert/v1/incidents/1"
        self.assertEqual(post(incident + "/ack", actor="bob", headers={"X-Forwarded-For": "203.0.113.9"}).status, 200)
        self.assertEqual(post(incident + "/comment", comment="hi", headers={"X-Forwarded-For": "<b>"}).status, 200)
        self.assertEqual(post(incident + "/comment", comment="ho", actor="alice").status, 200)
        self.assertEqual(post(incident + "/feedback", verdict="acted", actor="bob").status, 200)
        self.assertEqual(self.get(daemon, incident + "/ack", method="POST", body='{"actor":"alice"}',
                                  headers={"Content-Type": "application/json"}).status, 401)
        seen = wait_until(lambda: [seen for seen in [json.loads(self.get(daemon, incident, headers=alice).text)]
                                   if seen["feedback"]], "all is written")[0]
        self.assertEqual([(event["actor"], event["address"]) for event in seen["events"]
                          if event["type"] in ("acknowledged", "commented")],
                         [("bob (alice)", "127.0.0.1 (for 203.0.113.9)"), ("alice", "127.0.0.1"), ("alice", "127.0.0.1")])
        self.assertEqual(seen["acknowledgement"]["actor"], "bob (alice)")
        self.assertEqual(seen["feedback"][0]["actor"], "bob (alice)")

    def test_users_and_headers_change_while_it_runs(self):
        daemon = self.start("http_server_config: {headers: {X-Frame-Options: deny}}\n")
        self.assertEqual(self.get(daemon, "/nowhere").headers["X-Frame-Options"], "deny")
        self.web_path.write_text(f"basic_auth_users: {{amy: '{harness.bcrypt('one')}'}}\n")
        self.assertEqual(self.get(daemon).status, 401)
        self.assertEqual(self.get(daemon, headers=self.login("amy", "one")).status, 200)
        self.assertIsNone(self.get(daemon, "/nowhere").headers["X-Frame-Options"])
        self.web_path.write_text(f"basic_auth_users: {{amy: '{harness.bcrypt('two')}'}}\n")
        self.assertEqual(self.get(daemon, headers=self.login("amy", "one")).status, 401)
        self.assertEqual(self.get(daemon, headers=self.login("amy", "two")).status, 200)
        self.web_path.write_text("basic_auth_users: [")
        self.assertEqual(self.get(daemon, headers=self.login("amy", "two")).status, 500)
        self.web_path.write_text("")
        self.assertEqual(self.get(daemon).status, 200)

    def test_somebody_who_tries_passwords_stops_nobody_else(self):
        daemon = self.start("basic_auth_users: {amy: '" + harness.bcrypt("secret") + "'}\n", status=401)
        self.assertEqual(self.get(daemon, headers=self.login("amy", "secret")).status, 200)
        stop = threading.Event()

        def guess(number):
            for i in range(10000):
                if stop.is_set():
                    return
                with contextlib.suppress(OSError, http.client.HTTPException):
                    self.get(daemon, headers=self.login("nobody", f"{number}-{i}"))
        threads = [threading.Thread(target=guess, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        try:
            slowest = 0
            for _ in range(20):
                before = time.monotonic()
                self.assertEqual(self.get(daemon, headers=self.login("amy", "secret")).status, 200)
                slowest = max(slowest, time.monotonic() - before)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertLess(slowest, 2)

    def test_mistakes_are_told_at_the_start(self):
        for web, words in (("foo: 1\n", "field foo not found in type web.Config"),
                           ("basic_auth_users: {amy: plain}\n", "hashedSecret too short to be a bcrypted password"),
                           ("http_server_config: {headers: {X-Evil: a}}\n", 'HTTP header "X-Evil" can not be configured'),
                           ("http_server_config: {headers: {X-Frame-Options: maybe}}\n", "invalid value for X-Frame-Options"),
                           ("tls_server_config: {cert_file: a}\n", "missing one of key or key_file"),
                           ("tls_server_config: {key_file: a}\n", "missing one of cert or cert_file"),
                           ("tls_server_config: {cert_file: nowhere.crt, key_file: b}\n", "failed to read cert_file"),
                           ("tls_server_config: {cert_file: a, key_file: b, client_auth_type: Maybe}\n", "Invalid ClientAuth: Maybe"),
                           ("tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}\n",
                            "Client CA's have been configured without a Client Auth Policy"),
                           ("tls_server_config: {min_version: TLS14}\n", "unknown TLS version: TLS14"),
                           ("tls_server_config: {cipher_suites: [X]}\n", "unknown cipher: X"),
                           ("tls_server_config: {curve_preferences: [X]}\n", "unknown curve: X")):
            log = self.refused_start(web)
            self.assertIn(words, log.replace('\\"', '"'), web)
            self.assertNotIn("plain", log)

    # --- TLS ---

    def tls(self, more=""):
        return f"tls_server_config: {{cert_file: server.crt, key_file: server.key{more}}}\n"

    def test_tls(self):
        self.certificate("server")
        context = self.context()
        daemon = self.start(self.tls(), tls=context)
        self.assertIn("TLS is enabled.", daemon.log())
        alerts = b'[{"labels":{"alertname":"A"},"annotations":{"long":"%s"}}]' % (b"x" * 300_000)
        self.assertEqual(self.get(daemon, "/api/v2/alerts", context, {"Content-Type": "application/json"}, "POST",
                                  alerts).status, 200)
        self.assertGreater(len(self.get(daemon, "/api/v2/alerts", context).body), 300_000)
        old = self.context(maximum_version=ssl.TLSVersion.TLSv1_2)
        self.assertEqual(self.get(daemon, tls=old).status, 200)
        plain = socket.create_connection(("127.0.0.1", daemon.port), timeout=10)
        with contextlib.closing(plain):
            plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertIn(b"Client sent an HTTP request to an HTTPS server.", plain.recv(1000))
        for _ in range(5):  # bytes that nobody reads would reset the connection, and the answer with it
            connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)
            with contextlib.closing(connection):
                connection.request("GET", "/", headers={"X-Long": "x" * 4000})
                answer = connection.getresponse()
                self.assertEqual((answer.status, answer.read()),
                                 (400, b"Client sent an HTTP request to an HTTPS server.\n"))
        reply = subprocess.run(["curl", "-s", "--cacert", "server.crt", f"https://localhost:{daemon.port}/-/healthy"],
                               cwd=self.directory, capture_output=True, text=True)
        self.assertEqual(reply.stdout, "OK")

    def test_one_connection_takes_many_requests(self):
        self.certificate("server")
        context = self.context()
        daemon = self.start(self.tls(), tls=context)
        connection = http.client.HTTPSConnection("127.0.0.1", daemon.port, timeout=10, context=context)
        with contextlib.closing(connection):
            for _ in range(50):
                connection.request("POST", "/api/v2/alerts", b"[]", {"Content-Type": "application/json"})
                answer = connection.getresponse()
                self.assertEqual((answer.status, answer.read()), (200, b""))

    def test_handshakes_that_hang_stop_nobody(self):
        self.certificate("server")
        context = self.context()
        daemon = self.start(self.tls(), tls=context)
        with contextlib.ExitStack() as sockets:
            for i in range(60):
                hanging = socket.create_connection(("127.0.0.1", daemon.port), timeout=10)
                sockets.enter_context(contextlib.closing(hanging))
                hanging.sendall(b"\x16\x03\x01\x02\x00\x01"[:i % 6 + 1])  # the first bytes of a ClientHello
            before = time.monotonic()
            self.assertEqual(self.get(daemon, tls=context).status, 200)
            self.assertLess(time.monotonic() - before, 2)

    def test_the_certificate_is_rotated_while_it_runs(self):
        self.certificate("server")
        daemon = self.start(self.tls(), tls=self.context())
        os.rename(self.directory / "server.crt", self.directory / "old.crt")
        self.assertEqual(self.get(daemon, tls=self.context("old.crt")).status, 200, "half of a rotation")
        os.rename(self.directory / "server.key", self.directory / "old.key")
        self.certificate("server")
        self.assertEqual(self.get(daemon, tls=self.context()).status, 200)
        with self.assertRaises(ssl.SSLError):
            self.get(daemon, tls=self.context("old.crt"))

    def test_versions_and_suites(self):
        self.certificate("server")
        suite = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
        daemon = self.start(self.tls(f", max_version: TLS12, cipher_suites: [{suite}], curve_preferences: [CurveP384]"),
                            tls=self.context())
        with contextlib.closing(self.context().wrap_socket(
                socket.create_connection(("127.0.0.1", daemon.port)), server_hostname="localhost")) as connection:
            self.assertEqual((connection.version(), connection.cipher()[0]), ("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"))
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.get(daemon, tls=self.context(minimum_version=ssl.TLSVersion.TLSv1_3))

    def test_client_certificates(self):
        self.certificate("server")
        self.certificate("ca", "/CN=ca")
        self.certificate("friend", "/CN=friend", "DNS:friend.example", issuer="ca")
        self.certificate("stranger", "/CN=stranger")
        with_ca = self.tls(", client_ca_file: ca.crt, client_auth_type: RequireAndVerifyClientCert")
        daemon = self.start(with_ca, tls=self.context(client="friend"))
        refused = (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)
        for client in (None, "stranger"):
            with self.assertRaises(refused):
                self.get(daemon, tls=self.context(client=client))
        self.web_path.write_text(self.tls(", client_ca_file: ca.crt, client_auth_type: VerifyClientCertIfGiven"))
        self.assertEqual(self.get(daemon, tls=self.context()).status, 200)
        with self.assertRaises(refused):
            self.get(daemon, tls=self.context(client="stranger"))
        self.web_path.write_text(self.tls(", client_auth_type: RequireAnyClientCert"))
        self.assertEqual(self.get(daemon, tls=self.context(client="stranger")).status, 200)
        with self.assertRaises(refused):
            self.get(daemon, tls=self.context())
        self.web_path.write_text(self.tls(", client_ca_file: ca.crt, client_auth_type: RequireAndVerifyClientCert, "
                                          "client_allowed_sans: [other.example]"))
        with self.assertRaises(refused):
            self.get(daemon, tls=self.context(client="friend"))
        self.web_path.write_text(self.tls(", client_ca_file: ca.crt, client_auth_type: RequireAndVerifyClientCert, "
                                          "client_allowed_sans: [other.example, friend.example]"))
        self.assertEqual(self.get(daemon, tls=self.context(client="friend")).status, 200)

    def test_check_knows_the_file(self):
        self.write("good.yml", "http_server_config: {http2: false}\n")
        self.assertEqual(self.run_mlalert("check", "good.yml").returncode, 0)
        self.write("bad.yml", "basic_auth_users: {amy: plain-password}\n")
        bad = self.run_mlalert("check", "bad.yml")
        self.assertEqual(bad.returncode, 2)
        self.assertIn("too short", bad.stdout + bad.stderr)
        self.assertNotIn("plain-password", bad.stdout + bad.stderr)


if __name__ == "__main__":
    unittest.main()
