"""What the end-to-end tests share: the daemon under test, Debian's real peers, and fakes of the outside world.

Everything listens on 127.0.0.1, lives in a folder of its own, and ends with the test, also when the test fails.
Nothing sleeps for a fixed time to wait for something: wait_until() polls with a deadline.
"""

import atexit
import collections
import contextlib
import ctypes
import functools
import http.client
import http.server
import json
import mmap
import os
import pathlib
import random
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import tempfile
import threading
import time
import unittest
import warnings

SOURCE_DIR = pathlib.Path(os.environ.get("MLALERT_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
MLALERT = os.environ.get("MLALERT", str(SOURCE_DIR / "build/dev/mlalert"))

# Two cores shared with other tests: a deadline is for telling "never" from "late", not for measuring.
PATIENCE = float(os.environ.get("MLALERT_E2E_PATIENCE", "20"))

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_until(condition, what, timeout=None):
    """The first true value of condition(). Fails with `what` and the last value after `timeout` seconds."""
    deadline = time.monotonic() + (PATIENCE if timeout is None else timeout)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not seen in time: {what}; last: {str(value)[:2000]}")
        time.sleep(0.03)


def stays(condition, what, seconds):
    """Fails as soon as condition() is false within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not condition():
            raise AssertionError(f"did not stay so: {what}")
        time.sleep(0.03)


def free_port():
    """A port that nobody listens on. Below the range the kernel gives to clients, so that no connection of
    another test takes it before its owner does."""
    while True:
        port = random.randint(15000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def bcrypt(password, kind="2y"):
    """A cheap hash of a password, as htpasswd makes it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import crypt
    hashed = crypt.crypt(password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))
    return f"${kind}$" + hashed.split("$", 2)[2]


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"Reply({self.status}, {self.text[:500]!r})"


def request(port, method, path, body=None, headers=None, timeout=15):
    headers = dict(headers or {})
    if body is not None and not isinstance(body, (bytes, str)):
        body = json.dumps(body)
        headers.setdefault("Content-Type", "application/json")
    if isinstance(body, str):
        body = body.encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def try_request(port, method, path, **arguments):
    """None instead of an exception: for polling what may not be up."""
    try:
        return request(port, method, path, **arguments)
    except (OSError, http.client.HTTPException):
        return None


class Process:
    """A child process with its output in a file."""

    def __init__(self, name, command, directory, env=None):
        self.name = name
        self.command = [str(part) for part in command]
        self.log_path = pathlib.Path(directory) / f"{name}.log"
        self._log = open(self.log_path, "ab")
        self.started = time.time()
        self.popen = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self._log,
                                      stderr=subprocess.STDOUT, cwd=directory, env=env,
                                      preexec_fn=_die_with_parent)

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def log(self):
        return self.log_path.read_text(errors="replace")

    def end(self, with_signal, timeout=15):
        if self.running():
            self.popen.send_signal(with_signal)
            try:
                self.popen.wait(timeout)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
                self._log.close()
                raise AssertionError(f"{self.name} did not end within {timeout} s of {with_signal!r}")
        self._log.close()
        return self.popen.returncode

    def stop(self):
        return self.end(signal.SIGTERM)

    def kill(self):
        """As a crash or the OOM killer would."""
        return self.end(signal.SIGKILL)

    def rss_kib(self):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")


class TestCase(unittest.TestCase):
    """A test with a folder, and with the logs of its processes printed when it fails."""

    maxDiff = None

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="mlalert-e2e-"))
        if not os.environ.get("MLALERT_E2E_KEEP"):
            self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.processes = []
        self._names = collections.Counter()
        self.addCleanup(self._end_all)

    def _failed(self):
        result = self._outcome.result
        return any(test is self or getattr(test, "test_case", None) is self
                   for test, _ in result.failures + result.errors)

    def _end_all(self):
        # The outcome's own list knows failures before the result does (Python 3.11).
        errors = getattr(self._outcome, "errors", None) or []
        failed = not self._outcome.success or self._failed() or any(error for _, error in errors)
        for process in reversed(self.processes):
            with contextlib.suppress(AssertionError):
                process.kill()
            if failed:
                print(f"\n--- {self.id()}: {process.name}\n" + process.log()[-6000:], flush=True)

    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def spawn(self, name, command, env=None):
        self._names[name] += 1
        process = Process(f"{name}-{self._names[name]}", command, self.directory, env)
        self.processes.append(process)
        return process

    # Actors. Each is stopped by the test's end.

    def sink(self):
        sink = Sink()
        self.addCleanup(sink.close)
        return sink

    def exporter(self):
        exporter = Exporter()
        self.addCleanup(exporter.close)
        return exporter

    def mlalert(self, config, **options):
        return Mlalert(self, config, **options)

    def prometheus(self, **options):
        return Prometheus(self, **options)

    def alertmanager(self, config, **options):
        return Alertmanager(self, config, **options)

    def run_mlalert(self, *arguments, timeout=30, env=None):
        """A command that ends by itself."""
        return subprocess.run([MLALERT, *map(str, arguments)], cwd=self.directory, capture_output=True, text=True,
                              timeout=timeout, env={**os.environ, **(env or {})}, preexec_fn=_die_with_parent)


@functools.cache
def _wall_clock_library():
    directory = tempfile.mkdtemp(prefix="mlalert-e2e-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    library = f"{directory}/wall_clock.so"
    subprocess.run(["c++", "-std=c++17", "-shared", "-fPIC", "-O1", "-o", library, SOURCE_DIR / "test/e2e/wall_clock.cc"],
                   check=True)
    return library


class WallClock:
    """The wall clock of a daemon (Mlalert(clock=...)), which the test sets: "2026-01-05T08:59:59Z". From there it goes on."""

    def __init__(self, test, at):
        ahead = test.directory / "wall_clock"
        ahead.write_bytes(bytes(8))
        with open(ahead, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 8)
        self.env = {"LD_PRELOAD": _wall_clock_library(), "MLALERT_TEST_CLOCK": str(ahead)}
        self.set(at)

    def now(self):
        return time.time() + self._ahead

    def set(self, at):
        self._ahead = from_rfc3339(at) - time.time()
        self._memory[:] = struct.pack("=q", int(self._ahead * 1e9))


class Mlalert:
    """The daemon: survives kill() and start() with its port and its database."""

    def __init__(self, test, config, flags=(), start=True, name="mlalert", clock=None):
        self.test = test
        self.name = name
        self.clock = clock
        self.port = free_port()
        self.flags = list(flags)
        self.config_path = test.write(f"{name}.yml", config)
        self.storage = test.directory / f"{name}-data"
        self.database = self.storage / "mlalert.db"
        self.process = None
        if start:
            self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def spawn(self):
        self.process = self.test.spawn(self.name, [
            MLALERT, "serve", f"--config.file={self.config_path}", f"--storage.path={self.storage}",
            f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=debug", *self.flags],
            env={**os.environ, **self.clock.env} if self.clock else None)
        return self.process

    def start(self):
        self.spawn()
        self.wait_ready()

    def wait_ready(self):
        def ready():
            if not self.process.running():
                code = self.process.popen.returncode
                raise AssertionError(f"mlalert ended with {code}: {self.process.log()[-2000:]}")
            reply = try_request(self.port, "GET", "/-/ready")
            return reply is not None and reply.status == 200
        wait_until(ready, "mlalert ready")

    def kill(self):
        self.process.kill()

    def stop(self):
        return self.process.stop()

    def restart(self):
        self.stop()
        self.start()

    def log(self):
        """Of all its lives."""
        return "".join(process.log() for process in self.test.processes if process.name.startswith(self.name + "-"))

    def set_config(self, text):
        self.config_path.write_text(text)

    def get(self, path, **arguments):
        return request(self.port, "GET", path, **arguments)

    def post(self, path, body=None, **arguments):
        return request(self.port, "POST", path, body=body if body is not None else b"", **arguments)

    def reload(self):
        return self.post("/-/reload")

    def post_alerts(self, *alerts):
        """Each alert: labels, or a whole alert with "labels" in it."""
        body = [alert if "labels" in alert and isinstance(alert["labels"], dict) else {"labels": alert}
                for alert in alerts]
        reply = self.post("/api/v2/alerts", body)
        if reply.status != 200:
            raise AssertionError(f"POST /api/v2/alerts: {reply}")

    def now(self):
        return self.clock.now() if self.clock else time.time()

    def fire(self, *labels, seconds=30 * 86400):
        """Until they are resolved, as it were."""
        ends = rfc3339(self.now() + seconds)
        self.post_alerts(*({"labels": one, "endsAt": ends} for one in labels))

    def resolve(self, *labels):
        ends = rfc3339(self.now())
        self.post_alerts(*({"labels": one, "endsAt": ends} for one in labels))

    def why(self, incident_id, receiver=""):
        """What is decided now: [{what, text, ...}]."""
        return self.get(f"/api/mlalert/v1/incidents/{incident_id}/why?receiver={receiver}").json()["now"]

    def alerts(self):
        return self.get("/api/v2/alerts").json()

    def incidents(self, query="state=all"):
        return self.get("/api/mlalert/v1/incidents?" + query).json()["incidents"]

    def incident(self, incident_id):
        return self.get(f"/api/mlalert/v1/incidents/{incident_id}").json()

    def only_incident(self, **labels):
        """The one incident with these labels; None while there is none."""
        found = [incident for incident in self.incidents()
                 if all(incident["labels"].get(name) == value for name, value in labels.items())]
        if len(found) > 1:
            raise AssertionError(f"{len(found)} incidents with {labels}")
        return found[0] if found else None

    def ack(self, incident_id, **body):
        return self.post(f"/api/mlalert/v1/incidents/{incident_id}/ack", body)

    def unack(self, incident_id, **body):
        return self.post(f"/api/mlalert/v1/incidents/{incident_id}/unack", body)

    def rule(self, name):
        """Of GET /api/v1/rules."""
        for group in self.get("/api/v1/rules").json()["data"]["groups"]:
            for rule in group["rules"]:
                if rule["name"] == name:
                    return rule
        return None

    def metric(self, name, **labels):
        """Sum of the samples of this name that have these labels; None without any."""
        found = [value for sample_labels, value in parse_metrics(self.get("/metrics").text).get(name, [])
                 if all(sample_labels.get(key) == wanted for key, wanted in labels.items())]
        return sum(found) if found else None

    def rows(self, sql, *parameters):
        """Asks the live database as any other client would: read-only, from another process's connection."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql, parameters)]

    def cli(self, *arguments, **options):
        """A client command against this daemon."""
        return self.test.run_mlalert(*arguments, "--url", self.url, **options)

    def history(self, *arguments, **options):
        return self.test.run_mlalert("history", *arguments, "--storage.path", self.storage, **options)


class Prometheus:
    """Debian's Prometheus, scraping one exporter every second."""

    def __init__(self, test, exporter=None, rules="", alertmanagers=(), resend_delay="1s", start=True):
        self.test = test
        self.resend_delay = resend_delay
        self.port = free_port()
        targets = f'  - targets: ["127.0.0.1:{exporter.port}"]\n' if exporter else "  - targets: []\n"
        config = ("global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"
                  "scrape_configs:\n- job_name: ml\n  static_configs:\n" + targets)
        if rules:
            config += f"rule_files: [{test.write('prometheus-rules.yml', rules)}]\n"
        if alertmanagers:
            listed = ", ".join(f'"127.0.0.1:{port}"' for port in alertmanagers)
            config += ("alerting:\n  alertmanagers:\n  - api_version: v2\n    static_configs:\n"
                       f"    - targets: [{listed}]\n")
        self.config_path = test.write("prometheus.yml", config)
        self.storage = test.directory / "prometheus-data"
        self.process = None
        if start:
            self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.process = self.test.spawn("prometheus", [
            "/usr/bin/prometheus", f"--config.file={self.config_path}", f"--storage.tsdb.path={self.storage}",
            f"--web.listen-address=127.0.0.1:{self.port}", f"--rules.alert.resend-delay={self.resend_delay}",
            "--log.level=warn", "--query.lookback-delta=4s"])
        wait_until(lambda: (reply := try_request(self.port, "GET", "/-/ready")) and reply.status == 200,
                   "Prometheus ready", timeout=30)

    def stop(self):
        self.process.stop()

    def kill(self):
        self.process.kill()

    def query(self, expression):
        import urllib.parse
        reply = request(self.port, "GET", "/api/v1/query?query=" + urllib.parse.quote(expression))
        return reply.json()["data"]["result"]


class Alertmanager:
    """Debian's prometheus-alertmanager, alone."""

    def __init__(self, test, config, name="alertmanager"):
        self.port = free_port()
        self.config_path = test.write(f"{name}.yml", config)
        self.process = test.spawn(name, [
            "/usr/bin/prometheus-alertmanager", f"--config.file={self.config_path}",
            f"--storage.path={test.directory / (name + '-data')}", f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=", "--log.level=debug"])
        wait_until(lambda: (reply := try_request(self.port, "GET", "/-/ready")) and reply.status == 200,
                   "Alertmanager ready", timeout=30)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


class Exporter:
    """A target for Prometheus whose samples the test sets. They carry their time, so that a scrape that a busy machine
    misses does not end the series: what was removed ends by the lookback."""

    def __init__(self):
        self.samples = {}
        outer = self

        class Handler(_QuietHandler):
            def do_GET(self):
                at = int(time.time() * 1000)
                text = "".join(f"{series} {value} {at}\n" for series, value in list(outer.samples.items()))
                self.answer(200, text.encode(), {"Content-Type": "text/plain; version=0.0.4"})

        self._server = _Server(Handler)
        self.port = self._server.port

    def set(self, series, value):
        self.samples[series] = value

    def remove(self, series):
        del self.samples[series]

    def close(self):
        self._server.close()


class Taken:
    """One request that the sink got."""

    def __init__(self, path, headers, body, method="POST"):
        self.at = time.time()
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
        self.status = None  # of the answer; None while there is none, and when it was not HTTP

    def json(self):
        return json.loads(self.body)


class Answer:
    """How the sink answers one request."""

    def __init__(self, status=200, body=b"", headers=None, hang=0, raw=None):
        self.status = status
        self.body = body.encode() if isinstance(body, str) else body
        self.headers = headers or {}
        self.hang = hang  # seconds before the answer
        self.raw = raw    # called with the socket instead of answering


class Sink:
    """Webhook, Slack and PagerDuty: takes everything, remembers it, answers as told.

    Paths that contain "slack" or "pagerduty" answer as those services do. script(path, answers) answers one by one,
    the last one for ever; always(path, answer) each time.
    """

    def __init__(self, port=0):
        self.taken = []
        self._scripts = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        outer = self

        class Handler(_QuietHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                taken = Taken(self.path, self.headers, body, self.command)
                with outer._lock:
                    outer.taken.append(taken)
                    answer = outer._next_answer(self.path)
                if answer.hang and outer._closing.wait(answer.hang):
                    self.close_connection = True
                    return
                if answer.raw is not None:
                    answer.raw(self.connection)
                    self.close_connection = True
                    return
                if self.answer(answer.status, answer.body, answer.headers):
                    taken.status = answer.status

            do_GET = do_PUT = do_POST

        self._server = _Server(Handler, port)
        self.port = self._server.port

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _next_answer(self, path):
        script = self._scripts.get(path)
        if script:
            return script.pop(0) if len(script) > 1 else script[0]
        if "pagerduty" in path:
            return Answer(202, b'{"status":"success","message":"Event processed","dedup_key":"x"}',
                          {"Content-Type": "application/json"})
        return Answer(200, b"ok")

    def script(self, path, *answers):
        with self._lock:
            self._scripts[path] = list(answers)

    always = script

    def reset(self, path):
        with self._lock:
            self._scripts.pop(path, None)

    def requests(self, path):
        with self._lock:
            return [taken for taken in self.taken if taken.path == path]

    def bodies(self, path):
        return [taken.json() for taken in self.requests(path)]

    def accepted(self, path):
        """Those that were answered with 2xx."""
        return [taken for taken in self.requests(path) if taken.status is not None and taken.status // 100 == 2]

    def wait_for(self, path, count, what=None, timeout=None):
        wait_until(lambda: len(self.requests(path)) >= count, what or f"{count} requests to {path}", timeout)
        return self.bodies(path)

    def close(self):
        self._closing.set()
        self._server.close()


class _QuietHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, body, headers):
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return True
        except OSError:
            self.close_connection = True
            return False


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, handler, port=0):
        super().__init__(("127.0.0.1", port), handler)
        self.port = self.server_address[1]
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def handle_error(self, request, client_address):
        pass  # peers that are killed in the middle of a request are the point of these tests

    def close(self):
        self.shutdown()
        self.server_close()


def rfc3339(seconds):
    whole, fraction = divmod(seconds, 1)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{int(fraction * 1000):03d}Z"


def from_rfc3339(text):
    import datetime
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def parse_metrics(text):
    """{name: [(labels, value)]} of the text exposition format."""
    out = collections.defaultdict(list)
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        series, value = line.rsplit(" ", 1)
        name, _, rest = series.partition("{")
        labels = {}
        rest = rest.rstrip("}")
        while rest:
            key, _, rest = rest.partition('="')
            text_value = ""
            while rest[0] != '"':
                if rest[0] == "\\":
                    text_value += {"n": "\n"}.get(rest[1], rest[1])
                    rest = rest[2:]
                else:
                    text_value += rest[0]
                    rest = rest[1:]
            labels[key.lstrip(",")] = text_value
            rest = rest[1:]
        out[name].append((labels, float(value)))
    return out


def rules_file(*rules):
    """A rule file of one group; each rule a dict. JSON is YAML."""
    return json.dumps({"groups": [{"name": "e2e", "interval": "1s", "rules": list(rules)}]}, indent=1)


main = unittest.main
