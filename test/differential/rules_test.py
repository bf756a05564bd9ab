"""The same rules on the same TSDB: Debian's Prometheus evaluates them itself and posts its alerts to a sink, mlalert polls
that Prometheus. Label sets, annotations, the slot in which each alert fires and the one in which it resolves must be the
same, through gaps, counter resets, label churn, errors, and a restart of each party. A second mlalert does the same on a
VictoriaMetrics that scrapes the same exporter; there times may differ by what that one takes to show a sample.

All of it is one story (rules_story.py).
"""

import collections
import json
import pathlib
import re
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import harness  # noqa: E402

import rules_story as story  # noqa: E402
import slots  # noqa: E402

INTERVAL = 1.0
# Slots that both compute from the clock: as far apart as group_name() allows, and what milliseconds cut off (of the times
# that we restore after a restart).
SAME_SLOT = 0.004
# VictoriaMetrics scrapes at another moment of the second, shows samples up to a second later, and the group has its own slot.
VICTORIA_LATE = 3.5
# A slot begins when the scrape of its second has long been stored, and ends before the next.
AFTER_SCRAPE, BEFORE_SCRAPE = 0.45, 0.85

Told = collections.namedtuple("Told", "labels starts ends annotations")


class Exporter:
    """Shows the samples of the story, which begins when zero is set."""

    def __init__(self):
        self.zero = None
        outer = self

        class Handler(harness._QuietHandler):
            def do_GET(self):
                second = 0 if outer.zero is None else max(0.0, time.time() - outer.zero)
                self.answer(200, story.samples(second).encode(), {"Content-Type": "text/plain; version=0.0.4"})

        self._server = harness._Server(Handler)
        self.port = self._server.port

    def close(self):
        self._server.close()


class Prometheus:
    def __init__(self, test, exporter, sink, rules_path):
        self.test = test
        self.port = harness.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = test.write("prometheus.yml", f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
scrape_configs: [{{job_name: ml, static_configs: [{{targets: ["127.0.0.1:{exporter.port}"]}}]}}]
rule_files: ["{rules_path}"]
alerting: {{alertmanagers: [{{api_version: v2, path_prefix: /theirs, static_configs: [{{targets: ["127.0.0.1:{sink.port}"]}}]}}]}}
""")
        self.start()

    def start(self):
        self.process = self.test.spawn("prometheus", [
            "/usr/bin/prometheus", f"--config.file={self.config}", f"--storage.tsdb.path={self.test.directory / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{self.port}", "--rules.alert.resend-delay=1s", "--log.level=warn",
            # Longer than its restart takes.
            "--query.lookback-delta=15s", "--web.enable-lifecycle"])
        harness.wait_until(lambda: ready(self.port, "/-/ready"), "Prometheus ready", timeout=30)

    def query(self, expression):
        reply = harness.request(self.port, "POST", "/api/v1/query", body="query=" + expression,
                                headers={"Content-Type": "application/x-www-form-urlencoded"})
        return reply.json()["data"]["result"]


class Victoria:
    def __init__(self, test, exporter):
        self.test = test
        self.port = harness.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.scrape = test.write("scrape.yml", f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs: [{{job_name: ml, static_configs: [{{targets: ["127.0.0.1:{exporter.port}"]}}]}}]
""")
        self.start()

    def start(self):
        self.process = self.test.spawn("victoria", [
            "/usr/bin/victoria-metrics", f"-httpListenAddr=127.0.0.1:{self.port}", f"-promscrape.config={self.scrape}",
            f"-storageDataPath={self.test.directory / 'victoria'}", "-search.latencyOffset=0s",
            "-search.maxStalenessInterval=15s", "-search.disableCache", "-loggerLevel=WARN", "-memory.allowedBytes=64MB"])
        harness.wait_until(lambda: ready(self.port, "/health"), "VictoriaMetrics ready", timeout=30)


def ready(port, path):
    reply = harness.try_request(port, "GET", path)
    return reply is not None and reply.status == 200


def mlalert_config(url, rules_path, sink, hook):
    return f"""
datasources: [{{name: default, url: "{url}", timeout: 1s}}]
rule_files: ["{rules_path}"]
evaluation: {{interval: 1s, resend_delay: 1s, no_data: resolve}}
route: {{receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{sink.url}/{hook}"}}]}}]
"""


def instant(text):
    """RFC 3339 to Unix seconds; None for Go's zero time."""
    if text.startswith("0001-"):
        return None
    match = re.fullmatch(r"(.*T\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", text)
    whole, fraction, zone = match.groups()
    import datetime
    moment = datetime.datetime.fromisoformat(whole + ("+00:00" if zone == "Z" else zone))
    return moment.timestamp() + float(fraction or 0)


class Episode:
    """One firing period of one label set, as it was told: first and last annotations, end (None: not told)."""

    def __init__(self, told):
        self.starts = told.starts
        self.first = told.annotations
        self.last = told.annotations
        self.ends = None
        self.expires = told.ends

    def add(self, told, resolved):
        if self.ends is None:
            self.last = told.annotations
            self.expires = told.ends
            if resolved:
                self.ends = told.ends

    def text(self, zero):
        end = "fires" if self.ends is None else f"{self.ends - zero:.3f}"
        return f"{self.starts - zero:.3f} to {end}"


def episodes(tellings):
    """{labels as text: [Episode]} of (Told, resolved) in the order they came."""
    out = collections.defaultdict(list)
    for told, resolved in tellings:
        known = out[told.labels]
        episode = next((e for e in known if abs(e.starts - told.starts) < SAME_SLOT), None)
        if episode is None:
            episode = Episode(told)
            known.append(episode)
        episode.add(told, resolved)
    return {labels: sorted(known, key=lambda e: e.starts) for labels, known in out.items()}


def name_of(labels):
    return json.loads(labels)["alertname"]


def posted(sink):
    """What Prometheus posted. Resolved: its end has come."""
    out = []
    for taken in sink.requests("/theirs/api/v2/alerts"):
        for alert in taken.json():
            told = Told(json.dumps(alert["labels"], sort_keys=True), instant(alert["startsAt"]), instant(alert["endsAt"]),
                        alert.get("annotations", {}))
            out.append((told, told.ends <= taken.at))
    return out


def notified(sink, hook):
    """What mlalert told the webhook."""
    out = []
    for body in sink.bodies("/" + hook):
        for alert in body["alerts"]:
            told = Told(json.dumps(alert["labels"], sort_keys=True), instant(alert["startsAt"]), instant(alert["endsAt"]),
                        alert["annotations"])
            out.append((told, alert["status"] == "resolved"))
    return out


def without_restart(found, restarted):
    """Prometheus forgets at a restart what fired (a short `for` has no memory) and tells it anew with a later start; an
    Alertmanager keeps the earlier one. mlalert goes on."""
    for labels, told in found.items():
        merged = []
        for episode in told:
            before = merged[-1] if merged else None
            if before is not None and before.ends is None and before.starts < restarted <= episode.starts:
                before.ends, before.last, before.expires = episode.ends, episode.last, episode.expires
            else:
                merged.append(episode)
        found[labels] = merged
    return found


def compare(ours, theirs, zero, within, exact=True):
    """Problems, as texts."""
    problems = []
    for labels in sorted(set(ours) | set(theirs)):
        one, other = ours.get(labels, []), theirs.get(labels, [])
        both = f"\n  ours   {[e.text(zero) for e in one]}\n  theirs {[e.text(zero) for e in other]}"
        if len(one) != len(other):
            problems.append(f"{labels}: {len(one)} times, not {len(other)}{both}")
            continue
        for mine, peer in zip(one, other):
            if abs(mine.starts - peer.starts) > within:
                problems.append(f"{labels}: starts at another time{both}")
            if peer.ends is None and mine.ends is not None:
                # The limit of a group drops alerts without a word; they run out as an Alertmanager lets them.
                if abs(mine.ends - peer.expires) > within:
                    problems.append(f"{labels}: ended, and nobody said so; it runs out at {peer.expires - zero:.3f}{both}")
            elif (mine.ends is None) != (peer.ends is None) or abs((mine.ends or 0) - (peer.ends or 0)) > within:
                problems.append(f"{labels}: ends at another time{both}")
            for which in ("first", "last") if exact else ("first",):
                wanted = getattr(peer, which)
                if not exact:
                    wanted = {name: text for name, text in wanted.items() if name in getattr(mine, which)}
                if getattr(mine, which) != wanted:
                    problems.append(f"{labels}: {which} annotations of {mine.text(zero)}\n  ours   {getattr(mine, which)}"
                                    f"\n  theirs {getattr(peer, which)}")
    return problems


class Rules(harness.TestCase):
    def told(self):
        """Tells the story. Returns what differs."""
        sink, exporter = self.sink(), Exporter()
        self.addCleanup(exporter.close)
        rules_path = self.directory / "rules.yml"
        prometheus = Prometheus(self, exporter, sink, rules_path)
        victoria = Victoria(self, exporter)

        # The scrape's place in the second decides where the slots may be.
        sampled = harness.wait_until(lambda: prometheus.query("timestamp(steady)"), "a first sample")
        phase = float(sampled[0]["value"][1]) % INTERVAL
        rules = story.RULES
        for mark in ("$MAIN", "$ERRORS", "$LIMITED"):
            rules = rules.replace(mark, slots.group_name(
                mark[1:].lower(), str(rules_path), INTERVAL, phase + AFTER_SCRAPE, phase + BEFORE_SCRAPE, SAME_SLOT / 4))
        rules_path.write_text(rules)
        # Prometheus before us: it must be there in the first slot that we evaluate.
        self.assertEqual(harness.request(prometheus.port, "POST", "/-/reload").status, 200)
        victoria_rules = self.write("victoria-rules.yml", story.RULES_FOR_VICTORIA)
        ours = self.mlalert(mlalert_config(prometheus.url, rules_path, sink, "ours"), name="ours")
        second = self.mlalert(mlalert_config(victoria.url, victoria_rules, sink, "victoria"), name="second")
        for daemon in (ours, second):
            harness.wait_until(lambda: daemon.rule("Steady")["health"] == "ok", "evaluated")
        # After a reload Prometheus looks for its alertmanagers anew, and what it has to say until then is lost.
        harness.wait_until(lambda: posted(sink), "Prometheus posts")

        zero = exporter.zero = time.time()

        def at(seconds):
            time.sleep(max(0.0, zero + seconds - time.time()))

        at(story.KILL_OURS)
        ours.kill()
        ours.start()
        self.assertLess(time.time() - zero, story.KILL_OURS + 4, "the restart took too long to prove anything")
        at(story.RESTART_DATA)
        restarted = time.time()
        prometheus.process.stop()
        prometheus.start()
        victoria.process.stop()
        victoria.start()
        at(story.END)
        for process in (ours.process, second.process, prometheus.process):
            process.stop()

        theirs = without_restart(episodes(posted(sink)), restarted)
        mine = episodes(notified(sink, "ours"))
        self.report("Prometheus", mine, theirs, zero)
        # What fires for ever began with the processes and not with the story.
        for found in (mine, theirs):
            for labels in [labels for labels in found if name_of(labels) in ("Always", "Scalar")]:
                self.assertEqual(len(found[labels]), 1, labels)
                self.assertIsNone(found[labels][0].ends)
                found[labels][0].starts = 0
                found[labels][0].expires = 0
        problems = compare(mine, theirs, zero, SAME_SLOT)
        names = {name_of(labels) for labels in theirs}
        wanted = {line.split(":")[1].strip() for line in rules.splitlines() if line.strip().startswith("- alert:")}
        self.assertEqual(names, wanted, "each rule must have fired, or it proves nothing")

        found = episodes(notified(sink, "victoria"))
        covered = {name_of(labels) for labels in found}
        expected = {labels: told for labels, told in theirs.items() if name_of(labels) in covered}
        self.report("VictoriaMetrics", found, expected, zero)
        for labels in found:
            if name_of(labels) == "Always":
                found[labels][0].starts = 0
        names = {line.split(":")[1].strip() for line in story.RULES_FOR_VICTORIA.splitlines()
                 if line.strip().startswith("- alert:")}
        self.assertEqual(covered, names)
        problems += ["VictoriaMetrics: " + problem
                     for problem in compare(found, expected, zero, VICTORIA_LATE, exact=False)]
        return problems

    def report(self, title, ours, theirs, zero):
        print(f"\n{title}:")
        for labels in sorted(set(ours) | set(theirs), key=name_of):
            print(f"  {name_of(labels):12} ours {', '.join(e.text(zero) for e in ours.get(labels, []))}; "
                  f"theirs {', '.join(e.text(zero) for e in theirs.get(labels, []))}")

    def test_same_alerts_at_the_same_times(self):
        problems = self.told()
        self.assertEqual(problems, [], "\n".join(problems))


if __name__ == "__main__":
    unittest.main()
