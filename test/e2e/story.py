"""Stories that last nights and weeks, through the real binary: its wall clock is set, each receiver is a path of the sink."""

import re

import harness
from harness import wait_until

# A route and a policy: by what it hears a test knows that whatever was due before has been done.
CANARY = "{matchers: [alertname=MlalertCanary], receiver: canary, group_by: [number], group_wait: 0s}"
CANARY_POLICY = "{name: canary, matchers: [alertname=MlalertCanary], cooldown: 0s}"


class Story(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.hub = self.sink()
        self._canaries = 0
        self._taken = {}

    def receivers(self, *names):
        return "receivers:\n" + "\n".join(
            f'- {{name: {name}, webhook_configs: [{{url: "{self.hub.url}/{name}"}}]}}' for name in (*names, "canary"))

    def begin(self, at, config):
        self.config = config
        self.clock = harness.WallClock(self, at)
        self.daemon = self.mlalert(config, clock=self.clock)

    def at(self, time):
        self.clock.set(time)
        self.caught_up()

    def crash(self):
        """When what was told so far is known to be told: else it is told again, rightly."""
        self.caught_up()
        self.caught_up()
        wait_until(lambda: len(self.daemon.rows("SELECT 1 FROM notifications WHERE receiver = 'canary' AND outcome = 'sent'"))
                   >= self._canaries, "it is in the file")
        self.daemon.kill()
        self.daemon.start()

    def caught_up(self):
        """All that is due by now has been told."""
        self._canaries += 1
        self.daemon.fire({"alertname": "MlalertCanary", "number": str(self._canaries)})
        self.hub.wait_for("/canary", self._canaries)
        wait_until(lambda: self.daemon.metric("mlalert_notifications_in_flight") == 0, "nothing is on its way")

    def take(self, receiver):
        """What it heard since it was asked last: "first notification firing=Drift/m:P3", of alerts named by model."""
        bodies = self.hub.bodies("/" + receiver)
        first = self._taken.get(receiver, 0)
        self._taken[receiver] = len(bodies)
        return [self.line(body) for body in bodies[first:]]

    def hears(self, receiver, *lines):
        """Exactly this since it was asked last, in any order."""
        first = self._taken.get(receiver, 0)
        wait_until(lambda: len(self.hub.requests("/" + receiver)) >= first + len(lines),
                   f"{receiver} hears {lines}; so far {[self.line(body) for body in self.hub.bodies('/' + receiver)[first:]]}")
        self.assertEqual(sorted(self.take(receiver)), sorted(lines))

    @staticmethod
    def line(body):
        names = {"firing": [], "resolved": []}
        for alert in body["alerts"]:
            labels = alert["labels"]
            name = labels["alertname"] + ("/" + labels["model"] if "model" in labels else "")
            names[alert["status"]].append(name + (":" + labels["severity"] if alert["status"] == "firing" else ""))
        return body["notification_reason"] + "".join(
            f" {status}=" + ",".join(sorted(some)) for status, some in names.items() if some)

    @staticmethod
    def labels(name, severity="P3"):
        """Of "Drift/m"."""
        alertname, _, model = name.partition("/")
        return {"alertname": alertname, "model": model, "severity": severity}

    def fire(self, *names, severity="P3"):
        self.daemon.fire(*(self.labels(name, severity) for name in names))
        self.caught_up()

    def resolve(self, *names, severity="P3"):
        self.daemon.resolve(*(self.labels(name, severity) for name in names))
        self.caught_up()

    def id_of(self, name):
        alertname, _, model = name.partition("/")
        labels = {"alertname": alertname, **({"model": model} if model else {})}
        return wait_until(lambda: self.daemon.only_incident(**labels), f"the incident of {name}")["id"]

    def incident(self, name):
        return self.daemon.incident(self.id_of(name))

    def events(self, name, kind):
        """[(reason, to)] of the history, which is written a moment after the fact."""
        return wait_until(lambda: [(event["reason"], event["to"]) for event in self.incident(name)["events"]
                                   if event["type"] == kind], f"{kind} of {name}")

    def why(self, name, what):
        """[(text, holds_back, line of the config)]"""
        return [(step["text"], step["holds_back"], int((step["config"] or ":0").rsplit(":", 1)[1]))
                for step in self.daemon.why(self.id_of(name)) if step["what"] == what]

    def line_of(self, text):
        return next(number for number, line in enumerate(self.config.splitlines(), 1) if text in line)

    def plan(self, name):
        """["2026-01-05T09:00 raise P1 page"], times to the minute, and why when it does not come by itself."""
        lines = [" ".join([str(step["at"]), step["kind"], step["severity"], ",".join(step["receivers"])])
                 + (" paused" if step["paused"] else "") + (f": {step['why']}" if step["why"] else "")
                 for step in self.incident(name)["plan"]]
        return [re.sub(r"(T\d\d:\d\d):\d\d\.\d+Z", r"\1", line) for line in lines]
