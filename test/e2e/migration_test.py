"""Debian's Alertmanager is stopped and mlalert started on its folder with its config: silences and what receivers
were told live on."""

import json
import subprocess
import time
import unittest

import harness
from harness import wait_until

REPEAT_SECONDS = 15


def config(sink):
    return f"""
route:
  receiver: hook
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: {REPEAT_SECONDS}s
  routes:
  - {{matchers: ['alertname="Quiet"'], receiver: quiet, repeat_interval: 1h}}
receivers:
- name: hook
  webhook_configs: [{{url: "{sink.url}/hook"}}]
- name: quiet
  webhook_configs: [{{url: "{sink.url}/quiet", send_resolved: false}}]
"""


def amtool(url, *arguments):
    done = subprocess.run(["amtool", f"--alertmanager.url={url}", *arguments], capture_output=True, text=True,
                          timeout=30)
    if done.returncode != 0:
        raise AssertionError(f"amtool {arguments}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


def post(port, *alerts):
    reply = harness.request(port, "POST", "/api/v2/alerts", list(alerts))
    if reply.status != 200:
        raise AssertionError(f"POST /api/v2/alerts: {reply}")


class Migration(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.sink = self.sink()
        self.started = time.time()

    def firing(self, name, **labels):
        return {"labels": {"alertname": name, **labels}, "startsAt": harness.rfc3339(self.started),
                "endsAt": harness.rfc3339(self.started + 3600), "annotations": {"summary": "ü"}}

    def told(self, name, path="/hook"):
        return [taken for taken in self.sink.requests(path)
                if taken.json()["groupLabels"]["alertname"] == name]

    def statuses(self, name, path="/hook"):
        return [taken.json()["status"] for taken in self.told(name, path)]

    def start_mlalert(self, storage):
        daemon = self.mlalert(config(self.sink), start=False)
        daemon.storage = storage
        daemon.database = storage / "mlalert.db"
        daemon.start()
        return daemon

    def test_silences_and_the_notification_log_move_in(self):
        old = self.alertmanager(config(self.sink))
        storage = self.directory / "alertmanager-data"
        silenced = amtool(old.url, "silence", "add", "alertname=Muted", 'instance=~"a.*|b"', "team!=x", "-a", "alice",
                          "-c", "deploy ü", "-d", "1h")
        pending = amtool(old.url, "silence", "add", "alertname=Later", "-c", "c", "--start",
                         harness.rfc3339(time.time() + 1800), "--end", harness.rfc3339(time.time() + 3600))
        expired = amtool(old.url, "silence", "add", "alertname=Was", "-c", "c", "-d", "1h")
        amtool(old.url, "silence", "expire", expired)
        post(old.port, self.firing("Stays", instance="1"), self.firing("Stays", instance="2"), self.firing("Goes"),
             self.firing("Muted", instance="a1", team="y"), self.firing("Quiet"))
        wait_until(lambda: self.told("Stays") and self.told("Goes") and self.told("Quiet", "/quiet"),
                   "told by Alertmanager")
        silences = sorted(harness.request(old.port, "GET", "/api/v2/silences").json(), key=lambda s: s["id"])
        self.assertEqual(sorted([silenced, pending, expired]), [silence["id"] for silence in silences])
        self.assertEqual(0, old.process.stop())
        files = {name: (storage / name).read_bytes() for name in ("silences", "nflog")}

        new = self.start_mlalert(storage)
        moved = sorted(new.get("/api/v2/silences").json(), key=lambda s: s["id"])
        for silence in moved:
            silence.pop("annotations", None)
        self.assertEqual(silences, moved)
        self.assertIn("deploy ü", amtool(new.url, "silence", "query"))

        # What Prometheus goes on to send: firing alerts each minute, resolved ones for a quarter of an hour.
        post(new.port, self.firing("Stays", instance="1"), self.firing("Stays", instance="2"),
             {**self.firing("Goes"), "endsAt": harness.rfc3339(time.time())},
             self.firing("Muted", instance="a1", team="y"), self.firing("Quiet"))
        wait_until(lambda: "resolved" in self.statuses("Goes"), "the resolve of what Alertmanager told")
        wait_until(lambda: len(self.told("Stays")) >= 2, "the repeat")
        gap = self.told("Stays")[1].at - self.told("Stays")[0].at
        self.assertGreater(gap, REPEAT_SECONDS - 0.1)
        self.assertEqual("repeat interval elapsed", self.told("Stays")[1].json()["notification_reason"])
        self.assertEqual(["firing", "resolved"], self.statuses("Goes"))
        self.assertEqual(1, len(self.told("Quiet", "/quiet")))
        self.assertEqual([], self.told("Muted"))

        # Once is once: what has changed since is not undone by the next start.
        amtool(new.url, "silence", "expire", silenced)
        new.restart()
        self.assertEqual("expired", new.get(f"/api/v2/silence/{silenced}").json()["status"]["state"])
        wait_until(lambda: self.told("Muted"), "no longer silenced")
        self.assertEqual(2, new.log().count("Imported a state file"))
        self.assertEqual(1, len(self.told("Quiet", "/quiet")))
        self.assertEqual(files, {name: (storage / name).read_bytes() for name in files})

    def test_a_damaged_file_costs_what_is_damaged(self):
        old = self.alertmanager(config(self.sink))
        storage = self.directory / "alertmanager-data"
        ids = [amtool(old.url, "silence", "add", f"alertname={name}", "-c", "c", "-d", "1h") for name in "AB"]
        self.assertEqual(0, old.process.stop())
        path = storage / "silences"
        path.write_bytes(path.read_bytes()[:-3])
        (storage / "nflog").write_bytes(b"\xff" * 40)
        new = self.start_mlalert(storage)
        left = [silence["id"] for silence in new.get("/api/v2/silences").json()]
        self.assertEqual(1, len(left))
        self.assertIn(left[0], ids)
        self.assertEqual(2, new.log().count("could not be read completely"))


if __name__ == "__main__":
    unittest.main()
