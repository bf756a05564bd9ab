"""Clients that are odd but honest: pipelining, waiting to be invited, idling by the hundred, not reading."""

import contextlib
import json
import os
import resource
import socket
import subprocess
import time

import harness
from harness import wait_until

CONFIG = """
route: {receiver: none, group_by: [alertname], group_wait: 1s, group_interval: 1s}
receivers: [{name: none}]
incident_policies: [{name: all}]
"""


class HttpClients(harness.TestCase):
    def setUp(self):
        super().setUp()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.daemon = self.mlalert(CONFIG)
        self.sockets = contextlib.ExitStack()
        self.addCleanup(self.sockets.close)

    def assert_quick(self):
        started = time.monotonic()
        self.daemon.post_alerts({"alertname": "Ordinary"})
        self.assertEqual(self.daemon.get("/-/healthy").status, 200)
        self.assertLess(time.monotonic() - started, 2, "an ordinary client is served at once")

    def connect(self, timeout=15):
        connection = socket.create_connection(("127.0.0.1", self.daemon.port), timeout=timeout)
        return self.sockets.enter_context(contextlib.closing(connection))

    def read_all(self, connection):
        """Until the other side closes."""
        data = b""
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(65536):
                data += part
        return data

    def test_pipelined_requests_are_answered_in_order(self):
        connection = self.connect()
        connection.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
                           b"POST /api/v2/alerts HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]"
                           b"GET /-/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answers = self.read_all(connection)
        self.assertEqual([int(part.split()[0]) for part in answers.split(b"HTTP/1.1 ")[1:]], [200, 404, 200, 200])

    def test_headers_that_pretend(self):
        self.daemon.post_alerts({"alertname": "A"})
        incident = wait_until(self.daemon.only_incident, "an incident")
        pretend = {"REMOTE_ADDR": "203.0.113.9", "REMOTE_PORT": "1", "X-Forwarded-For": "203.0.113.9",
                   "LOCAL_ADDR": "203.0.113.9"}
        reply = self.daemon.post(f"/api/mlalert/v1/incidents/{incident['id']}/ack", {"actor": "a"}, headers=pretend)
        self.assertEqual(reply.status, 200)
        self.assertNotIn("EXCEPTION_WHAT", reply.headers)
        everything = json.dumps(self.daemon.incident(incident["id"])) + self.daemon.log()
        # What a proxy says stands behind the address that is true, and the other names mean nothing.
        self.assertEqual(everything.count("203.0.113.9"), everything.count('"address": "127.0.0.1 (for 203.0.113.9)"'))

    def test_idle_connections_do_not_shut_others_out(self):
        def served():
            reply = harness.try_request(self.daemon.port, "POST", "/api/v2/alerts",
                                        body=[{"labels": {"alertname": "A"}}])
            return reply is not None and reply.status == 200
        idle = []
        for _ in range(900):
            connection = self.connect()
            connection.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
            idle.append(connection)
        latencies = []
        for _ in range(50):
            before = time.monotonic()
            self.assertTrue(served())
            latencies.append(time.monotonic() - before)
        self.assertLess(sorted(latencies)[45], 0.5)
        # Beyond the limit: those that have been idle for some seconds make room.
        for _ in range(300):
            with contextlib.suppress(OSError):
                idle.append(self.connect(timeout=2))
        wait_until(served, "served although the limit is reached", timeout=10)
        self.assertLess(self.daemon.metric("mlalert_http_connections_open"), 1001)
        for connection in idle:
            connection.close()
        wait_until(lambda: self.daemon.metric("mlalert_http_connections_open") < 10, "all are gone")

    def test_clients_that_do_not_read(self):
        self.daemon.post_alerts(*({"alertname": f"A{number}", "text": "x" * 1000} for number in range(200)))
        for _ in range(20):
            connection = self.connect()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                for _ in range(1000):
                    connection.send(b"GET /api/v2/alerts HTTP/1.1\r\nHost: x\r\n\r\n")
        # Each gets what fits into its socket's buffer, and then costs nothing more.
        wait_until(lambda: self.daemon.get("/-/healthy").status == 200, "served")
        self.assert_quick()

    def test_curl_with_a_large_body_waits_to_be_invited(self):
        alerts = [{"labels": {"alertname": "A", "n": str(number)}, "annotations": {"text": "x" * 1000}}
                  for number in range(2000)]
        body = self.write("body.json", json.dumps(alerts))
        done = subprocess.run(["/usr/bin/curl", "-sS", "-v", "-H", "Expect: 100-continue",
                               "-H", "Content-Type: application/json", "--data-binary", f"@{body}", self.daemon.url + "/api/v2/alerts"],
                              capture_output=True, text=True, timeout=30, env={**os.environ, "NO_PROXY": "*"})
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        self.assertIn("HTTP/1.1 100 Continue", done.stderr)
        self.assertIn("HTTP/1.1 200 OK", done.stderr)
        self.assertEqual(len(self.daemon.alerts()), 2000)


if __name__ == "__main__":
    harness.main()
