"""Debian's Alertmanager has mlalert as a webhook receiver. It says each thing once, so 2xx must mean "on disk"."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import time
import unittest

import harness
from harness import stays, wait_until

HOOK = "/api/v1/webhook/alertmanager"


def config(sink):
    return f"""
route: {{receiver: hook, group_by: [id], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{sink.url}/hook", send_resolved: true}}]}}]
"""


def upstream(daemon, max_alerts=0):
    return f"""
route: {{receiver: mlalert, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}}
receivers:
- name: mlalert
  webhook_configs: [{{url: "{daemon.url}{HOOK}", send_resolved: true, max_alerts: {max_alerts}}}]
"""


def payload(**labels):
    alert = {"status": "firing", "labels": labels, "annotations": {}, "startsAt": harness.rfc3339(time.time()),
             "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": "0"}
    return {"version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing", "receiver": "mlalert",
            "groupLabels": {}, "commonLabels": labels, "commonAnnotations": {}, "externalURL": "http://am",
            "alerts": [alert]}


@contextlib.contextmanager
def write_lock(database):
    """Another process that writes, and takes its time."""
    connection = sqlite3.connect(database, timeout=10, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


OWN = "MlalertStorageDegraded"  # what mlalert itself says while it cannot write
OTHERS = f"SELECT * FROM alerts WHERE alertname <> '{OWN}'"


def told(sink):
    """Messages about anything but mlalert itself."""
    return sum(body["alerts"][0]["labels"]["alertname"] != OWN for body in sink.bodies("/hook"))


class WebhookDoor(harness.TestCase):
    def send(self, upstream_port, labels, **times):
        reply = harness.request(upstream_port, "POST", "/api/v2/alerts", body=[{"labels": labels, **times}])
        self.assertEqual(reply.status, 200, reply)

    def firing(self, daemon):
        return sorted(alert["labels"]["id"] for alert in daemon.alerts())

    def test_firing_and_resolve_pass_through(self):
        sink = self.sink()
        daemon = self.mlalert(config(sink))
        am = self.alertmanager(upstream(daemon))
        labels = {"alertname": "Down", "id": "1", "severity": "P0"}
        self.send(am.port, labels)
        body = sink.wait_for("/hook", 1)[0]
        self.assertEqual((body["status"], body["alerts"][0]["labels"]), ("firing", labels))
        self.assertEqual(daemon.only_incident(id="1")["state"], "open")
        self.send(am.port, labels, endsAt=harness.rfc3339(time.time()))
        body = sink.wait_for("/hook", 2)[1]
        self.assertEqual((body["status"], body["alerts"][0]["labels"]), ("resolved", labels))
        incident = wait_until(lambda: (i := daemon.only_incident(id="1"))["state"] == "resolved" and i, "resolved")
        self.assertEqual(incident["resolve_reason"], "condition")
        self.assertEqual(daemon.incident(incident["id"])["episodes"][0]["source"], "webhook")

    def test_a_truncated_payload_resolves_nothing(self):
        sink = self.sink()
        daemon = self.mlalert(config(sink))
        am = self.alertmanager(upstream(daemon, max_alerts=1))
        self.send(am.port, {"alertname": "Down", "id": "2"})
        sink.wait_for("/hook", 1)
        # Sorts before the first: from now on the payload lists only this one.
        self.send(am.port, {"alertname": "Down", "id": "1"})
        wait_until(lambda: self.firing(daemon) == ["1", "2"], "both fire")
        stays(lambda: self.firing(daemon) == ["1", "2"], "both fire", 2)
        self.assertEqual([body["status"] for body in sink.bodies("/hook")], ["firing", "firing"])
        self.assertEqual(daemon.metric("mlalert_webhook_truncated_alerts_total"), 1)

    def test_locked_database_is_503_then_catches_up(self):
        sink = self.sink()
        daemon = self.mlalert(config(sink))
        self.assertEqual(daemon.post(HOOK, payload(alertname="Before", id="0")).status, 200)
        self.assertEqual(len(daemon.rows("SELECT * FROM alerts")), 1, "200 means committed")
        am = self.alertmanager(upstream(daemon))
        with write_lock(daemon.database):
            self.send(am.port, {"alertname": "During", "id": "1"})
            reply = daemon.post(HOOK, payload(alertname="During", id="2"))
            self.assertEqual(reply.status, 503, reply)
            # A repetition that changes nothing in memory is not safe either.
            self.assertEqual(daemon.post(HOOK, payload(alertname="During", id="2")).status, 503)
            self.assertEqual(daemon.get("/-/healthy").status, 200)
            wait_until(lambda: told(sink) >= 3, "a page beats a row: all three are told")
            self.assertEqual(len(daemon.rows(OTHERS)), 1)
        wait_until(lambda: daemon.post(HOOK, payload(alertname="During", id="2")).status == 200, "the lock is gone")
        wait_until(lambda: len(daemon.rows(OTHERS)) == 3, "the file has caught up")
        daemon.kill()
        daemon.start()
        self.assertEqual(self.firing(daemon), ["0", "1", "2"])
        stays(lambda: told(sink) == 3, "nobody is told twice", 2)

    def test_full_disk_is_503_then_catches_up(self):
        folder = self.directory / "mlalert-data"
        folder.mkdir()
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder],
                                               capture_output=True).returncode != 0:
            raise unittest.SkipTest("a file system of one megabyte cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", folder], capture_output=True)
        sink = self.sink()
        daemon = self.mlalert(config(sink))
        self.assertEqual(daemon.post(HOOK, payload(alertname="Before", id="0")).status, 200)
        filler = folder / "filler"
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(b"x" * 512)
        # Long enough not to fit into what the log had already claimed.
        self.assertEqual(daemon.post(HOOK, payload(alertname="Full", id="1", text="x" * 30000)).status, 503)
        wait_until(lambda: told(sink) == 2, "told all the same")
        filler.unlink()
        wait_until(lambda: daemon.post(HOOK, payload(alertname="Full", id="1", text="x" * 30000)).status == 200,
                   "there is room again", timeout=15)
        daemon.kill()
        daemon.start()
        self.assertEqual(self.firing(daemon), ["0", "1"])

    def test_what_is_not_a_payload_is_refused(self):
        daemon = self.mlalert(config(self.sink()))
        for body, status in (("{", 400), ("[]", 400), ("", 400), ('{"version":"3","alerts":[]}', 400),
                             (payload(id=""), 400)):
            with self.subTest(body=str(body)[:40]):
                reply = daemon.post(HOOK, body, headers={"Content-Type": "application/json"})
                self.assertEqual(reply.status, status, reply)
                self.assertTrue(reply.json()["error"])
        self.assertEqual(daemon.post(HOOK, "{}", headers={"Content-Type": "text/plain"}).status, 415)
        self.assertEqual(daemon.alerts(), [])


if __name__ == "__main__":
    harness.main()
