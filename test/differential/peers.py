"""Debian's Alertmanager and mlalert, side by side, and what happens to both of them at the same time.

A scenario is a function that gets a Pair. Its `at` waits for an instant of the story's own clock; every post, silence,
reload and question goes to both, and the answers are compared. What the receivers heard is compared at the end, by
compare.py. Processes, ports and the sink are those of the end-to-end tests (test/e2e/harness.py).
"""

import contextlib
import json
import pathlib
import re
import shutil
import signal
import string
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import harness  # noqa: E402

import compare  # noqa: E402

OURS, THEIRS = "ours", "theirs"
SIDES = (OURS, THEIRS)
ALERTMANAGER = "/usr/bin/prometheus-alertmanager"

# How far apart the two may be, and either from what the scenario says. The lag of this process is added (see Lag).
TOLERANCE = 0.4


class Lag:
    """How late a sleeper wakes up on this machine: what a busy machine adds to every time that is measured."""

    def __init__(self):
        self.worst = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            before = time.monotonic()
            self._stop.wait(0.05)
            self.worst = max(self.worst, time.monotonic() - before - 0.05)

    def stop(self):
        self._stop.set()
        self._thread.join()

    def tolerance(self):
        return TOLERANCE + min(2 * self.worst, 0.35)


class Sink(harness.Sink):
    """Takes what both send. `rule(path, answer)`: answer(seconds since the story began) -> harness.Answer."""

    def __init__(self):
        super().__init__()
        self._rules = {}

    def rule(self, path, answer):
        self._rules[path] = answer

    def _next_answer(self, path):
        rule = self._rules.get(path)
        return rule() if rule else super()._next_answer(path)


class Side:
    """One of the two, with its folder; survives restart() with port and storage."""

    def __init__(self, which, pair, command):
        self.which = which
        self.port = harness.free_port()
        self.directory = pair.directory / which
        self.directory.mkdir()
        self.storage = self.directory / "data"
        self.config_path = self.directory / "config.yml"
        self._pair = pair
        self._command = command
        self._lives = 0
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def write_config(self, text):
        sink = f"{self._pair.sink.url}/{self._pair.name}/{self.which}"
        self.config_path.write_text(string.Template(text).safe_substitute(SINK=sink, SINK_URL=self._pair.sink.url))

    def spawn(self):
        self._lives += 1
        self.process = harness.Process(f"{self.which}-{self._lives}", self._command(self), self.directory)

    def wait_ready(self):
        def ready():
            if not self.process.running():
                raise AssertionError(f"{self.which} ended at its start: {self.process.log()[-1500:]}")
            reply = harness.try_request(self.port, "GET", self._pair.prefix + "/-/ready")
            return reply is not None and reply.status in (200, 401)
        harness.wait_until(ready, f"{self.which} ready", timeout=60)

    def end(self):
        if self.process is not None:
            with contextlib.suppress(AssertionError):
                self.process.kill()


def _alertmanager(flags):
    return lambda side: [ALERTMANAGER, f"--config.file={side.config_path}", f"--storage.path={side.storage}",
                         f"--web.listen-address=127.0.0.1:{side.port}", "--cluster.listen-address=",
                         "--log.level=debug", *flags]


def _mlalert(flags):
    return lambda side: [harness.MLALERT, "serve", f"--config.file={side.config_path}",
                         f"--storage.path={side.storage}", f"--web.listen-address=127.0.0.1:{side.port}",
                         "--log.level=debug", *flags]


class Pair:
    """The two, in one story."""

    def __init__(self, name, config, sink, flags=(), prefix="", files=None):
        self.name = name
        self.sink = sink
        self.prefix = prefix
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"mlalert-diff-{name}-"))
        self.sides = {OURS: Side(OURS, self, _mlalert(flags)), THEIRS: Side(THEIRS, self, _alertmanager(flags))}
        self.zero = 0.0       # wall clock at the story's second 0
        self.problems = []
        self.expected = {}    # hook -> {side: lines}
        self.width = {}       # hook -> how far from the expected time it may be
        self.loose = set()    # hooks whose failed attempts (5xx) are not compared: their times are random
        self._starts = {}
        for path, text in (files or {}).items():
            for side in self.sides.values():
                (side.directory / path).write_text(text)
        self._write(config)

    # The processes.

    def start(self):
        for side in self.sides.values():
            side.spawn()
        for side in self.sides.values():
            side.wait_ready()

    def end(self, keep):
        for side in self.sides.values():
            side.end()
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)

    def begin(self):
        self.zero = time.time()

    def _write(self, config):
        for side in self.sides.values():
            side.write_config(config)

    # The story.

    @property
    def now(self):
        return time.time() - self.zero

    def at(self, seconds):
        """Waits for the instant; returns the pair, so that s.at(1).fire("A") reads as it happens."""
        left = self.zero + seconds - time.time()
        if left > 0:
            time.sleep(left)
        return self

    def time(self, offset):
        """An instant of the story as text. Exact: both get the same one."""
        return harness.rfc3339(round(self.zero + offset, 3))

    def fire(self, alertname, ends=None, annotations=None, **labels):
        """Fires now, by its own account; without `ends` it has no endsAt and lasts resolve_timeout."""
        key = (alertname, *sorted(labels.items()))
        start = self._starts.setdefault(key, self.now)
        alert = {"labels": {"alertname": alertname, **labels}, "startsAt": self.time(start)}
        if ends is not None:
            alert["endsAt"] = self.time(ends)
        if annotations:
            alert["annotations"] = annotations
        return self.post(alert)

    def resolve(self, alertname, at=None, annotations=None, **labels):
        """Resolved, as Prometheus says it: its start, and an end of now (or `at`)."""
        key = (alertname, *sorted(labels.items()))
        now = self.now
        alert = {"labels": {"alertname": alertname, **labels}, "endsAt": self.time(now if at is None else at),
                 "startsAt": self.time(min(self._starts.pop(key, now), now if at is None else at))}
        if annotations:
            alert["annotations"] = annotations
        return self.post(alert)

    def post(self, *alerts):
        return self.ask("POST", "/api/v2/alerts", list(alerts))

    def ask(self, method, path, body=None, headers=None, ignore=(), differs=None):
        """The same request to both; the answers (ours, theirs). They must be equal, or be as `differs` says:
        (check(ours, theirs) -> bool, why)."""
        replies = {}

        def one(side):
            try:
                replies[side.which] = harness.request(side.port, method, self.prefix + path, body=body, headers=headers)
            except OSError as error:
                replies[side.which] = harness.Reply(0, {}, str(error).encode())
        threads = [threading.Thread(target=one, args=(side,)) for side in self.sides.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ours, theirs = replies[OURS], replies[THEIRS]
        what = f"{method} {path} at {self.now:.1f}"
        if differs is not None:
            check, why = differs
            if not check(ours, theirs):
                self.problems.append(f"{what}: not the known difference ({why}):\n  ours   {ours}\n  theirs {theirs}")
        else:
            for problem in compare.answers(ours, theirs, ignore):
                self.problems.append(f"{what}: {problem}\n  sent   {json.dumps(body) if body is not None else ''}\n"
                                     f"  ours   {ours}\n  theirs {theirs}")
        return ours, theirs

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def silence(self, *matchers, starts=None, ends=60, comment="c", created_by="me", id=None, expect=200):
        """Matchers as text, a="b". Returns the ids (ours, theirs); `id` takes such a pair."""
        body = {"matchers": [_matcher(text) for text in matchers],
                "startsAt": self.time(self.now if starts is None else starts), "endsAt": self.time(ends),
                "comment": comment, "createdBy": created_by}
        replies = []
        for index, side in enumerate(self.sides.values()):
            sent = dict(body, id=id[index]) if id else body
            replies.append(harness.request(side.port, "POST", self.prefix + "/api/v2/silences", body=sent))
        if {reply.status for reply in replies} != {expect}:
            self.problems.append(f"silence {matchers}: {replies}")
            return None
        return tuple(reply.json()["silenceID"] for reply in replies) if expect == 200 else replies

    def expire(self, ids):
        replies = [harness.request(side.port, "DELETE", f"{self.prefix}/api/v2/silence/{id}")
                   for id, side in zip(ids, self.sides.values())]
        if {reply.status for reply in replies} != {200}:
            self.problems.append(f"expire {ids}: {replies}")

    def reload(self, config=None):
        if config is not None:
            self._write(config)
        self.ask("POST", "/-/reload", "")

    def restart(self, with_signal=signal.SIGTERM):
        for side in self.sides.values():
            side.process.popen.send_signal(with_signal)
        for side in self.sides.values():
            side.process.popen.wait(20)
            side.spawn()
        for side in self.sides.values():
            side.wait_ready()

    # The outside world.

    def answer(self, hook, status, until=None, body=b"no", slow=0):
        """The hook answers so (after `slow` seconds) until that second of the story; then with 200, at once."""
        for which in SIDES:
            def rule():
                if until is not None and self.now >= until:
                    return harness.Answer(200, b"ok")
                return harness.Answer(status, body, hang=slow)
            self.sink.rule(f"/{self.name}/{which}/{hook}", rule)
        if status >= 500:
            self.loose.add(hook)

    # What must have been heard.

    def heard(self, hook, *lines, theirs=None, why=None):
        """Each line: "2 A B -C": at second 2 a notification with A and B firing and C resolved. `theirs` with `why`:
        where the two are known to differ (docs/compatibility.md says so too)."""
        assert (theirs is None) == (why is None)
        self.expected[hook] = {OURS: list(lines), THEIRS: list(lines if theirs is None else theirs)}

    def about(self, hook, *lines, within):
        """The same, where times are random (retries). The two are then compared more widely."""
        self.heard(hook, *lines)
        self.width[hook] = within

    def hooks(self):
        prefix = f"/{self.name}/"
        named = {taken.path.split("/")[3] for taken in self.sink.taken if taken.path.startswith(prefix)}
        return sorted(named | set(self.expected))

    def taken(self, which, hook):
        return self.sink.requests(f"/{self.name}/{which}/{hook}")

    def check(self, tolerance):
        """All problems, as texts."""
        problems = list(self.problems)
        for hook in self.hooks():
            taken = {which: compare.deliveries(self.taken(which, hook), self.zero, hook in self.loose)
                     for which in SIDES}
            expected = self.expected.get(hook)
            if expected is None:
                problems.append(f"{hook}: the scenario does not say what it must hear")
            else:
                for which in SIDES:
                    problems += compare.against(f"{hook}: {which}", taken[which], expected[which],
                                                max(tolerance, self.width.get(hook, 0)))
            if expected is None or expected[OURS] == expected[THEIRS]:
                problems += compare.sides(hook, taken[OURS], taken[THEIRS],
                                          max(tolerance, 2 * self.width.get(hook, 0)))
        return problems


def _matcher(text):
    name, op, value = re.fullmatch(r'(?s)(.*?)(=~|!~|!=|=)"?(.*?)"?', text).groups()
    return {"name": name, "value": value, "isRegex": "~" in op, "isEqual": not op.startswith("!")}


def query(**parameters):
    return "?" + urllib.parse.urlencode(parameters, doseq=True)
