"""Hostile clients: each is refused with the right status, nobody else waits for it, and memory stays bounded."""

import contextlib
import gzip
import json
import pathlib
import random
import re
import resource
import select
import socket
import threading
import time
import zlib

import harness
from harness import request, wait_until

CONFIG = "route: {receiver: none, group_wait: 0s, group_interval: 1s}\nreceivers: [{name: none}]\n"
ALERTS = "/api/v2/alerts"
MIB = 1 << 20
BODY_MAX = 32 * MIB
# The slowest answer that others may get while somebody attacks. Unloaded it is a millisecond.
PROMPT = 3.0
# More answers than fit into the buffers of a connection whose client does not read.
PIPELINED = 2000


def head(method, path, *lines):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


class Client:
    """A socket and what came back on it."""

    def __init__(self, port, timeout=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """False when the server has closed."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def has_answer(self):
        return bool(select.select([self.socket], [], [], 0)[0])

    def read_until(self, done):
        """True when done(received) held, False at the end of the connection."""
        while not done(self.received):
            try:
                piece = self.socket.recv(65536)
            except ConnectionError:
                return False
            if not piece:
                return False
            self.received += piece
        return True

    def read_to_end(self):
        self.read_until(lambda _: False)
        return self.received

    def statuses(self):
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", self.received)]


class Ingest(threading.Thread):
    """An honest sender beside the attack: one alert after the other, each answer timed."""

    def __init__(self, port, fresh_connections):
        super().__init__(daemon=True)
        self.port = port
        self.fresh = fresh_connections
        self.times = []
        self.errors = []
        self._end = threading.Event()
        self._connection = None

    def run(self):
        sent = 0
        while not self._end.wait(0.02):
            begin = time.monotonic()
            try:
                self._send(sent)
            except Exception as error:  # any kind of it is what the test looks for
                self.errors.append(repr(error))
                self._connection = None
            sent += 1
            self.times.append(time.monotonic() - begin)
        if self._connection is not None:
            self._connection.close()

    def _send(self, number):
        if self._connection is None:
            self._connection = harness.http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        body = json.dumps([{"labels": {"alertname": "Honest", "n": str(number % 10)}}])
        self._connection.request("POST", ALERTS, body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        answer.read()
        if answer.status != 200:
            self.errors.append(answer.status)
        if self.fresh:
            self._connection.close()
            self._connection = None

    def finish(self):
        self._end.set()
        self.join(30)


class Abuse(harness.TestCase):
    def setUp(self):
        super().setUp()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.daemon = self.mlalert(CONFIG)
        self.port = self.daemon.port
        self.daemon.post_alerts({"alertname": "Before"})
        self.rss_before = self.daemon.process.rss_kib()

    def peak_kib(self):
        status = pathlib.Path(f"/proc/{self.daemon.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1])

    @contextlib.contextmanager
    def others_served(self, fresh_connections=True):
        ingest = Ingest(self.port, fresh_connections)
        ingest.start()
        try:
            yield ingest
            wait_until(lambda: len(ingest.times) > 2, "the honest sender is served")
        finally:
            ingest.finish()
        self.assertEqual(ingest.errors, [])
        self.assertLess(max(ingest.times), PROMPT)

    def check_alive(self, rss_mib=40, peak_mib=None):
        """Still the same process, answering, about as large as before."""
        self.assertTrue(self.daemon.process.running())
        self.assertEqual(self.daemon.get("/-/healthy").status, 200)
        self.daemon.post_alerts({"alertname": "After"})
        self.assertIn("After", [alert["labels"].get("alertname") for alert in self.daemon.alerts()])
        wait_until(lambda: self.daemon.process.rss_kib() < self.rss_before + rss_mib * 1024,
                   f"memory within {rss_mib} MiB of {self.rss_before} KiB")
        if peak_mib is not None:
            self.assertLess(self.peak_kib(), self.rss_before + peak_mib * 1024)

    def only_status(self, data, chunks=(), most=48 * MIB):
        """The status of the only answer to raw bytes; the connection must be closed after it. The answer must come
        before `most` bytes of the chunks are sent."""
        with Client(self.port) as client:
            sent = 0
            alive = client.send(data)
            for chunk in chunks:
                if not alive or client.has_answer():
                    break
                self.assertLessEqual(sent, most, "refused long before")
                alive = client.send(chunk)
                sent += len(chunk)
            client.read_to_end()
            self.assertEqual(len(client.statuses()), 1, client.received[:500])
            return client.statuses()[0]


class Heads(Abuse):
    def test_endless_heads(self):
        forever = (b"X-%06d: %s\r\n" % (i, b"a" * 500) for i in range(1_000_000))
        many = (b"X-%06d: a\r\n" % i for i in range(1_000_000))
        line = (b"a" * 1000 for _ in range(1_000_000))
        for what, data, chunks, status in (
                ("large headers", b"GET / HTTP/1.1\r\nHost: x\r\n", forever, 431),
                ("many headers", b"GET / HTTP/1.1\r\nHost: x\r\n", many, 431),
                ("one header without end", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ", line, 431),
                ("a header name without end", b"GET / HTTP/1.1\r\nHost: x\r\n", (b"a" * 1000 for _ in range(1_000_000)), 431),
                ("a path without end", b"GET /", (b"a" * 1000 for _ in range(1_000_000)), 414),
                ("a query without end", b"GET /?", (b"a=1&" * 250 for _ in range(1_000_000)), 414)):
            with self.subTest(what=what):
                self.assertEqual(self.only_status(data, chunks, most=16 * MIB), status)
        self.check_alive()

    def test_heads_that_two_servers_read_in_two_ways(self):
        smuggled = head("GET", "/-/ready")
        body = b"5\r\nhello\r\n0\r\n\r\n"
        for what, lines, status in (
                ("length beside coding", ["Content-Length: 5", "Transfer-Encoding: chunked"], 400),
                ("coding beside length", ["Transfer-Encoding: chunked", "Content-Length: 5"], 400),
                ("two lengths", ["Content-Length: 5", "Content-Length: 6"], 400),
                ("list of lengths", ["Content-Length: 5, 6"], 400),
                ("two codings", ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], None),
                ("hidden coding", ["Transfer-Encoding: xchunked"], 501),
                ("chunked is not last", ["Transfer-Encoding: chunked, identity"], 501),
                ("tab before the coding's end", ["Transfer-Encoding:\tchunked\x0b"], None),
                ("space before the colon", ["Content-Length : 5"], 400),
                ("folded", ["X-A: b", " Content-Length: 5"], 400),
                ("no name", [": b"], 400),
                ("NUL", ["X-A: b\0c"], 400),
                ("CR", ["X-A: b\rContent-Length: 5"], 400),
                ("negative length", ["Content-Length: -5"], 400),
                ("signed length", ["Content-Length: +5"], 400),
                ("hexadecimal length", ["Content-Length: 0x5"], 400),
                ("empty length", ["Content-Length:"], 400),
                ("length past 64 bits", ["Content-Length: 18446744073709551621"], None),
                ("second host", ["Host: y"], 400)):
            with self.subTest(what=what):
                answer = self.only_status(head("POST", ALERTS, *lines) + body + smuggled)
                self.assertIn(answer, [status] if status else [400, 413, 501])
        for what, data in (("bare LF", b"GET / HTTP/1.1\nHost: x\n\n"), ("no host", b"GET / HTTP/1.1\r\n\r\n"),
                           ("no path", b"GET HTTP/1.1\r\nHost: x\r\n\r\n"), ("binary", bytes(range(128, 256)) * 8 + b"\r\n\r\n"),
                           ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200 + b"\r\n\r\n")):
            with self.subTest(what=what):
                self.assertEqual(self.only_status(data + smuggled), 400)
        with self.subTest(what="old protocol"):
            self.assertIn(self.only_status(b"GET / HTTP/3.0\r\nHost: x\r\n\r\n" + smuggled), (400, 505))
        self.check_alive()

    def test_early_answer_does_not_make_a_request_of_the_body(self):
        """A body that we did not want must not be read as the next request."""
        evil = head("POST", "/api/mlalert/v1/incidents/1/ack", "Content-Type: application/json", "Content-Length: 17")
        evil += b'{"actor": "evil"}'
        for what, path, lines, status in (
                ("unknown path", "/nowhere", [], 404), ("wrong method", "/-/healthy", [], 405),
                ("wrong type", "/api/mlalert/v1/incidents/1/unack", ["Content-Type: text/html"], 415),
                ("unknown coding", ALERTS, ["Content-Encoding: br"], 415)):
            for expect in ([], ["Expect: 100-continue"]):
                with self.subTest(what=what, expect=expect), Client(self.port) as client:
                    length = f"Content-Length: {len(evil)}"
                    client.send(head("POST", path, length, *lines, *expect) + evil + head("GET", "/-/healthy", "Connection: close"))
                    client.read_to_end()
                    answers = [one for one in client.statuses() if one != 100]
                    self.assertEqual(answers[0], status)
                    # Either the body was read over and the next request answered, or the connection is gone.
                    self.assertIn(answers[1:], ([], [200]))
        self.assertNotIn("evil", json.dumps(self.daemon.incident(1)))
        self.assertEqual(self.daemon.incident(1)["state"], "open")
        self.check_alive()

    def test_headers_cannot_say_who_we_are(self):
        """Some HTTP libraries put the peer into headers of these names, and clients then choose their address."""
        names = ("REMOTE_ADDR", "REMOTE_PORT", "LOCAL_ADDR", "X-Forwarded-For", "Forwarded")
        headers = {name: "6.6.6.6" for name in names}
        incident = self.daemon.only_incident(alertname="Before")["id"]
        reply = self.daemon.post(f"/api/mlalert/v1/incidents/{incident}/ack", {"actor": "alice", "comment": "mine"},
                                 headers=headers)
        self.assertEqual(reply.status, 200)
        self.assertEqual(self.daemon.get(ALERTS, headers=headers).status, 200)
        self.assertEqual(request(self.port, "GET", "/nowhere", headers=headers).status, 404)
        everything = json.dumps(self.daemon.incident(incident)) + self.daemon.log() + self.daemon.get("/metrics").text
        self.assertIn("alice", everything)
        # What a proxy says stands behind the address that is true, and the other names mean nothing.
        self.assertEqual(everything.count("6.6.6.6"), everything.count('"address": "127.0.0.1 (for 6.6.6.6)"'))

    def test_hostile_paths_and_queries(self):
        for path, status in (("/%00", 400), ("/%zz", 400), ("/../../etc/passwd", 400), ("/%2e%2e/%2e%2e/etc/passwd", 400),
                             (ALERTS + "?active=%ff%", 400), (ALERTS + "?filter=" + "(" * 2000, 400),
                             (ALERTS + "?filter=a%3D~%22(((a%7B1000%7D)%7B1000%7D)%7B1000%7D)%22", 400),
                             (ALERTS + "?" + "filter=a%3Db&" * 500, 400), (ALERTS + "?receiver=" + "(a%2B)%2B" * 200, 200),
                             ("/api/mlalert/v1/incidents?limit=99999999999999999999", 400),
                             ("/api/mlalert/v1/incidents/99999999999999999999", 400)):
            with self.subTest(path=path[:60]), self.others_served():
                self.assertEqual(self.daemon.get(path).status, status)
        self.check_alive()


class Bodies(Abuse):
    def post(self, body, **headers):
        return self.daemon.post(ALERTS, body, headers={"Content-Type": "application/json", **headers})

    def test_huge_lengths_are_refused_before_the_body(self):
        for length in (BODY_MAX + 1, 99_999_999_999, 10**17):
            for expect in ([], ["Expect: 100-continue"]):
                with self.subTest(length=length, expect=expect):
                    begin = time.monotonic()
                    self.assertEqual(self.only_status(head("POST", ALERTS, f"Content-Length: {length}", *expect)), 413)
                    self.assertLess(time.monotonic() - begin, 5)
        with self.subTest(what="an acknowledgement is small"):
            self.assertEqual(self.only_status(head("POST", "/api/mlalert/v1/incidents/1/ack", "Content-Length: 1000000")), 413)
        self.check_alive(peak_mib=24)

    def test_chunk_bombs(self):
        start = head("POST", ALERTS, "Transfer-Encoding: chunked")
        mib = b"100000\r\n" + b" " * MIB + b"\r\n"
        for what, data, chunks, status in (
                ("chunks without end", start, (mib for _ in range(1000)), 413),
                ("one huge chunk", start + b"7fffffffffffff\r\n", (b" " * MIB for _ in range(1000)), 413),
                ("size without end", start, (b"0" * 1000 for _ in range(100_000)), 413),
                ("extension without end", start + b"1;a=", (b"a" * 1000 for _ in range(100_000)), 400),
                ("trailers without end", start + b"0\r\n", (b"X: " + b"a" * 997 + b"\r\n" for _ in range(100_000)), 400),
                ("extensions on single bytes", start, (b"1;" + b"a" * 1000 + b"\r\n \r\n" for _ in range(100_000)), 400),
                ("size past 64 bits", start + b"10000000000000000\r\n", (), 413),
                ("negative size", start + b"-1\r\n", (), 400),
                ("size is no number", start + b"zz\r\n", (), 400),
                ("too few bytes", start + b"1\r\nab\r\n0\r\n\r\n", (), 400),
                ("bare LF", start + b"1\n[\n1\n]\n0\n\n", (), 400)):
            with self.subTest(what=what), self.others_served():
                self.assertEqual(self.only_status(data, chunks), status)
        with self.subTest(what="honest one-byte chunks are fine"), Client(self.port) as client:
            body = b'[{"labels":{"alertname":"Chunked"}}]'
            client.send(start.replace(b"Host: x", b"Host: x\r\nConnection: close"))
            client.send(b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n")
            client.read_to_end()
            self.assertEqual(client.statuses(), [200])
        self.check_alive(peak_mib=120)

    def test_gzip_bombs(self):
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        bomb = b"".join(packer.compress(b" " * MIB) for _ in range(400)) + packer.flush()
        self.assertLess(len(bomb), MIB)
        good = gzip.compress(b'[{"labels":{"alertname":"Packed"}}]')
        for what, body, coding, status in (
                ("400 MiB", bomb, "gzip", 413), ("twice", gzip.compress(bomb), "gzip, gzip", 415),
                ("in another coding", good, "br", 415), ("not gzip", b"[]", "gzip", 400), ("empty", b"", "gzip", None),
                ("cut off", good[:-9], "gzip", 400), ("bad checksum", good[:-8] + bytes(4) + good[-4:], "gzip", 400),
                ("something behind", good + b"x", "gzip", 400), ("two members", good + good, "gzip", 400),
                ("garbage", random.Random(1).randbytes(100_000), "gzip", 400), ("fine", good, "gzip", 200)):
            with self.subTest(what=what), self.others_served():
                reply = self.post(body, **{"Content-Encoding": coding})
                self.assertIn(reply.status, [status] if status else [400, 422])
        with self.subTest(what="many at once"), self.others_served():
            replies = []
            threads = [threading.Thread(target=lambda: replies.append(self.post(bomb, **{"Content-Encoding": "gzip"}).status))
                       for _ in range(16)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            # 503: more than the server may hold at once.
            self.assertLessEqual(set(replies), {413, 503})
            self.assertEqual(len(replies), 16)
        self.check_alive(peak_mib=400)

    def test_bodies_larger_than_the_server_may_hold_together(self):
        """20 clients with 30 MiB each, none of which finishes: 600 MiB must not be in memory."""
        data = b" " * (30 * MIB)
        clients = [Client(self.port, timeout=30) for _ in range(20)]

        def send(client):
            client.send(head("POST", ALERTS, f"Content-Length: {30 * MIB + 1}"))
            client.send(data)
        threads = [threading.Thread(target=send, args=(client,), daemon=True) for client in clients]
        try:
            for thread in threads:
                thread.start()
            wait_until(lambda: self.daemon.metric("mlalert_http_refused_total", reason="out_of_buffer"), "refusals")
            refused = 0
            for client in clients:
                client.socket.settimeout(0.2)
                with contextlib.suppress(TimeoutError):
                    client.read_until(lambda got: b"\r\n\r\n" in got)
                refused += client.statuses() == [503]
            self.assertGreaterEqual(refused, 5)
            self.assertLess(refused, 20, "those that fit wait for the rest of their body")
            self.assertEqual(self.daemon.get("/-/healthy").status, 200)
            # The limit counts bytes received; buffers are up to twice as large.
            self.assertLess(self.peak_kib(), self.rss_before + 560 * 1024)
        finally:
            for client in clients:
                client.socket.close()
        for thread in threads:
            thread.join(30)
        wait_until(lambda: self.daemon.metric("mlalert_http_connections_open") <= 2, "all are gone")
        self.check_alive(rss_mib=100)

    def test_hostile_json(self):
        alert = '[{"labels":{"alertname":"A"},"extra":%s}]'
        for what, body, status in (
                ("deep arrays", "[" * 1_000_000, 400), ("deep objects", '[{"a":' * 300_000, 400),
                ("deep and closed", "[" * 100_000 + "]" * 100_000, 400),
                ("deep in an unknown key", alert % ("[" * 10_000 + "]" * 10_000), 400),
                # As Go's decoder: U+FFFD stands for what is no UTF-8, and what follows the value is not read.
                ("bad bytes in a value", b'[{"labels":{"alertname":"\xff\xfe"}}]', 200),
                ("bad bytes in a name", b'[{"labels":{"a\xc0\xaf":"x"}}]', 200),
                ("cut character", b'[{"labels":{"alertname":"\xe2\x82"}}]', 200),
                ("surrogate", b'[{"labels":{"alertname":"\xed\xa0\x80"}}]', 200),
                ("NUL", b'[{"labels":{"alertname":"a\0b"}}]', 400),
                ("number without end", "[" + "9" * 5_000_000, 400), ("string without end", '["' + "a" * 5_000_000, 400),
                ("two values", '[{"labels":{"alertname":"A"}}] []', 200), ("an object", "{}", 400), ("nothing", "", 422),
                ("comments", "[/* */]", 400), ("UTF-16", '[{"labels":{"alertname":"A"}}]'.encode("utf-16"), 400),
                ("empty list", "[]", 200), ("labels of another type", '[{"labels":{"alertname":{}}}]', 400),
                ("many empty alerts", "[" + "{}," * 200_000 + "{}]", None)):
            with self.subTest(what=what), self.others_served():
                reply = self.post(body)
                self.assertIn(reply.status, [status] if status else [400, 413, 422], reply)
                self.assertLess(len(reply.body), 64 * MIB)
        self.check_alive(rss_mib=60)

    def test_labels_without_end(self):
        labels = {f"l{i}": "x" for i in range(100_000)}
        with self.others_served():
            begin = time.monotonic()
            reply = self.post([{"labels": {"alertname": "Wide", **labels}}])
            self.assertEqual(reply.status, 400)
            self.assertIn("label", reply.text)
            self.assertLess(len(reply.body), 10_000, "the answer does not repeat it all")
            reply = self.post([{"labels": {"alertname": "Wide"}, "annotations": labels}])
            self.assertEqual(reply.status, 400)
            self.assertLess(time.monotonic() - begin, 5)
        self.assertNotIn("Wide", [alert["labels"]["alertname"] for alert in self.daemon.alerts()])
        most = {f"l{i}": "x" for i in range(511)}
        self.assertEqual(self.post([{"labels": {"alertname": "Most", **most}}]).status, 200)
        # The same limit at the other door.
        webhook = {"version": "4", "groupKey": "g", "status": "firing", "receiver": "r", "groupLabels": {}, "commonLabels": {},
                   "commonAnnotations": {}, "externalURL": "", "alerts": [
                       {"status": "firing", "labels": {"alertname": "Wide", **labels}, "annotations": {},
                        "startsAt": "2026-01-01T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": ""}]}
        self.assertIn(self.daemon.post("/api/v1/webhook/alertmanager", webhook).status, (400, 413))
        self.check_alive()


class Crowds(Abuse):
    def test_slow_clients_are_cut_off_and_delay_nobody(self):
        """Slowloris on head and body, and readers that never read."""
        slow_heads = [Client(self.port, timeout=60) for _ in range(100)]
        slow_bodies = [Client(self.port, timeout=60) for _ in range(50)]
        deaf = [Client(self.port, timeout=60) for _ in range(10)]
        silent = [Client(self.port, timeout=60) for _ in range(20)]
        everyone = slow_heads + slow_bodies + deaf + silent
        begin = time.monotonic()
        try:
            with self.others_served() as ingest:
                for client in slow_heads:
                    client.send(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nX-A: ")
                for client in slow_bodies:
                    client.send(head("POST", ALERTS, "Content-Length: 1000000"))
                for client in deaf:
                    client.socket.setblocking(False)
                    with contextlib.suppress(OSError):
                        for _ in range(PIPELINED):
                            client.socket.send(head("GET", "/metrics"))
                while time.monotonic() - begin < 13:
                    for client in slow_heads + slow_bodies:
                        with contextlib.suppress(OSError):
                            client.socket.send(b"a")
                    time.sleep(0.5)
                for client in slow_heads:
                    client.read_to_end()
                    self.assertEqual(client.statuses(), [408], "a byte now and then does not extend the deadline")
                while time.monotonic() - begin < 34:
                    for client in slow_bodies:
                        with contextlib.suppress(OSError):
                            client.socket.send(b"a")
                    time.sleep(0.5)
                for client in slow_bodies:
                    client.read_to_end()
                    self.assertEqual(client.statuses(), [408])
                self.assertGreater(len(ingest.times), 200)
            self.assertGreaterEqual(self.daemon.metric("mlalert_http_refused_total", reason="head_timeout"), 100)
            self.assertGreaterEqual(self.daemon.metric("mlalert_http_refused_total", reason="body_timeout"), 50)
            for client in deaf:
                client.socket.settimeout(20)
                client.read_to_end()
                self.assertGreater(len(client.statuses()), 1)
                self.assertLess(len(client.statuses()), PIPELINED, "who does not read is not answered for ever")
            self.check_alive(rss_mib=80)
        finally:
            for client in everyone:
                client.socket.close()

    def test_more_connections_than_allowed(self):
        with self.others_served(fresh_connections=False) as ingest:
            wait_until(lambda: ingest.times, "the honest sender has its connection")
            clients = []
            try:
                for number in range(1100):
                    client = Client(self.port)
                    clients.append(client)
                    if number % 2 == 0:
                        client.send(head("GET", "/-/healthy"))
                refused = []
                for client in clients:
                    client.socket.settimeout(0.5 if len(refused) < 3 else 0.001)
                    with contextlib.suppress(TimeoutError):
                        client.read_until(lambda got: b"\r\n\r\n" in got)
                    if client.statuses() == [503]:
                        refused.append(client)
                self.assertTrue(refused, "a connection too many hears why")
                for client in refused:
                    self.assertIn(b"Retry-After: 1", client.received)
                # Idle ones make room soon, for whoever comes now.
                wait_until(lambda: (reply := harness.try_request(self.port, "GET", "/-/healthy")) and reply.status == 200,
                           "a new connection is served", timeout=10)
                self.assertGreaterEqual(self.daemon.metric("mlalert_http_refused_total", reason="too_many_connections"), 1)
            finally:
                for client in clients:
                    client.socket.close()
        wait_until(lambda: self.daemon.metric("mlalert_http_connections_open") <= 2, "all are gone")
        self.check_alive(rss_mib=80)

    def test_noise(self):
        """Random bytes, cut requests, resets: nothing of it may end the daemon or leak a connection."""
        dice = random.Random(20261123)
        valid = head("POST", ALERTS, "Content-Length: 37") + b'[{"labels":{"alertname":"Mutation"}}]'
        with self.others_served():
            for _ in range(400):
                data = bytearray(valid)
                for _ in range(dice.randrange(1, 6)):
                    data[dice.randrange(len(data))] = dice.randrange(256)
                data = bytes(data[:dice.randrange(1, len(data) + 1)]) if dice.random() < 0.5 else bytes(data)
                client = Client(self.port)
                client.send(data)
                if dice.random() < 0.3:
                    # Close with a reset.
                    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                client.socket.close()
        wait_until(lambda: self.daemon.metric("mlalert_http_connections_open") <= 2, "all are gone")
        self.check_alive()


if __name__ == "__main__":
    harness.main()
