"""The disk of a running mlalert is full, or its files cannot be written any more: everybody is told all the same, and what was
done meanwhile is on disk once it works again. (Locked: storage_test. Deleted and damaged: history_tools_test.)"""

import contextlib
import os
import sqlite3
import subprocess
import time
import unittest

import harness
from harness import stays, wait_until

CONFIG = """
route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{url}/hook"}}]}}]
incidents: {{reopen_window: 1s}}
incident_policies: [{{name: all, cooldown: 0s}}]
"""


class Case(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.hub = self.sink()
        self.daemon = self.mlalert(CONFIG.format(url=self.hub.url), start=False)

    def fire(self, name):
        # Long enough to need new room on the disk.
        self.daemon.post_alerts({"labels": {"alertname": name}, "annotations": {"text": "x" * 20000},
                                 "endsAt": harness.rfc3339(time.time() + 3600)})

    def told(self, name, status="firing"):
        return [body for body in self.hub.bodies("/hook") if body["groupLabels"] == {"alertname": name} and body["status"] == status
                and body["notification_reason"] != "acknowledged"]

    def wait_told(self, name, status="firing"):
        wait_until(lambda: self.told(name, status), f"told of {name}, {status}")

    def wait_degraded(self, value):
        wait_until(lambda: self.daemon.metric("mlalert_journal_degraded") == value, f"degraded is {value}", timeout=30)

    def live_through(self, error, end):
        """Storage has just broken: the day goes on. `end` repairs it; then everything is in the file."""
        daemon = self.daemon
        self.fire("During")
        self.wait_told("During")
        self.wait_degraded(1)
        self.assertRegex(daemon.log(), error)
        incident = daemon.only_incident(alertname="During")["id"]
        reply = daemon.ack(incident, actor="alice")
        self.assertEqual(reply.status, 503, reply)
        self.assertEqual(daemon.incident(incident)["state"], "acknowledged", "it counts all the same")
        daemon.resolve({"alertname": "Before"})
        self.wait_told("Before", "resolved")
        self.assertEqual((daemon.get("/-/healthy").status, daemon.get("/-/ready").status), (200, 200))
        end()
        self.wait_degraded(0)
        wait_until(lambda: daemon.metric("mlalert_journal_queued_records") == 0, "all is on disk")
        self.assertEqual(daemon.metric("mlalert_journal_rejected_records_total"), 0)
        rows = {row["alertname"]: (row["state"], row["notified"]) for row in daemon.rows("SELECT * FROM v_incidents")}
        self.assertEqual((rows["Before"], rows["During"]), (("resolved", 1), ("acknowledged", 1)))
        daemon.kill()
        daemon.start()
        self.assertEqual(daemon.incident(incident)["acknowledgement"]["actor"], "alice")
        stays(lambda: len(self.told("During")) == 1 and len(self.told("Before", "resolved")) == 1, "nobody is told twice", 1.5)
        with contextlib.closing(sqlite3.connect(f"file:{daemon.database}?mode=ro", uri=True)) as db:
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchone()[0], "ok")


class DiskFull(Case):
    def setUp(self):
        super().setUp()
        self.daemon.storage.mkdir()
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", self.daemon.storage],
                                               capture_output=True).returncode != 0:
            raise unittest.SkipTest("a file system of two megabytes cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", self.daemon.storage], capture_output=True)
        self.daemon.start()
        self.fire("Before")
        self.wait_told("Before")
        wait_until(lambda: self.daemon.metric("mlalert_journal_queued_records") == 0, "all is on disk")

    def fill(self):
        filler = self.daemon.storage / "filler"
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(b"x" * 512)
        return filler

    def test_everybody_is_told_and_it_is_written_when_there_is_room(self):
        filler = self.fill()
        self.live_through("database or disk is full", filler.unlink)

    def test_it_starts_on_a_full_disk_after_a_crash(self):
        filler = self.fill()
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual([one["labels"]["alertname"] for one in self.daemon.incidents()], ["Before"])
        stays(lambda: len(self.told("Before")) == 1, "not told again", 1)
        self.live_through("database or disk is full", filler.unlink)


class ReadOnly(Case):
    """`chattr +i`: to a process that has the file open it is what a file system is that the kernel made read-only."""

    def attribute(self, flag, path):
        return subprocess.run(["chattr", flag, path], capture_output=True).returncode == 0

    def freeze(self, *names):
        paths = [self.daemon.storage / name for name in names]
        for path in paths:
            self.addCleanup(self.attribute, "-i", path)
            if not self.attribute("+i", path):
                raise unittest.SkipTest("files cannot be made immutable here")
        with contextlib.suppress(OSError), open(paths[0], "ab"):
            raise unittest.SkipTest("immutable files can be written here")

        def thaw():
            for path in paths:
                self.attribute("-i", path)
        return thaw

    def setUp(self):
        super().setUp()
        self.daemon.start()
        self.fire("Before")
        self.wait_told("Before")
        wait_until(lambda: self.daemon.metric("mlalert_journal_queued_records") == 0, "all is on disk")

    def test_everybody_is_told_and_it_is_written_afterwards(self):
        thaw = self.freeze("mlalert.db", "mlalert.db-wal")
        self.live_through("sqlite", thaw)

    def test_the_log_takes_what_the_database_cannot(self):
        """Only the main file: commits go on, into the log."""
        thaw = self.freeze("mlalert.db")
        self.fire("During")
        self.wait_told("During")
        wait_until(lambda: self.daemon.rows("SELECT 1 FROM incidents WHERE alertname = 'During'"), "committed all the same")
        thaw()
        self.assertEqual(self.daemon.stop(), 0)
        with contextlib.closing(sqlite3.connect(f"file:{self.daemon.database}?mode=ro", uri=True)) as db:
            self.assertEqual(db.execute("SELECT count(*) FROM incidents WHERE alertname IN ('Before', 'During')").fetchone()[0], 2)
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchone()[0], "ok")


if __name__ == "__main__":
    harness.main()
