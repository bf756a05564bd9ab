"""The database file: who may open it, and what others may read while the daemon runs."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import unittest

import harness
from harness import wait_until


def config(sink):
    return f"""
route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{sink.url}/hook"}}]}}]
"""


class Storage(harness.TestCase):
    def refused(self, daemon, *words):
        daemon.spawn()
        code = daemon.process.popen.wait(20)
        log = daemon.process.log()
        self.assertNotEqual(code, 0, log)
        self.assertGreater(code, 0, "not by a signal")
        for word in words:
            self.assertIn(word, log)

    def test_a_newer_file_is_refused(self):
        daemon = self.mlalert(config(self.sink()))
        daemon.stop()
        with contextlib.closing(sqlite3.connect(daemon.database)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            self.assertGreaterEqual(version, 1)
            connection.execute(f"PRAGMA user_version = {version + 7}")
        before = daemon.database.read_bytes()
        self.refused(daemon, f"schema {version + 7}", "upgrade")
        self.assertEqual(daemon.database.read_bytes(), before, "untouched")
        shown = daemon.history()
        self.assertNotEqual(shown.returncode, 0)
        self.assertIn(f"schema {version + 7}", shown.stderr)

    def test_what_is_not_ours_is_refused(self):
        daemon = self.mlalert(config(self.sink()), start=False)
        daemon.storage.mkdir()
        daemon.database.write_bytes(b"This is somebody's diary.\n" * 1000)
        self.refused(daemon, "mlalert.db")
        self.assertTrue(daemon.database.read_bytes().startswith(b"This is somebody's diary."))
        daemon.database.unlink()
        with contextlib.closing(sqlite3.connect(daemon.database)) as connection:
            connection.execute("CREATE TABLE songs (title TEXT)")
            connection.commit()
        self.refused(daemon, "mlalert.db")
        with contextlib.closing(sqlite3.connect(daemon.database)) as connection:
            self.assertEqual(connection.execute("SELECT name FROM sqlite_master").fetchall(), [("songs",)])

    def test_a_folder_that_cannot_be_written(self):
        daemon = self.mlalert(config(self.sink()), start=False)
        daemon.storage.write_text("a file where the folder should be")
        self.refused(daemon, str(daemon.storage))
        daemon.storage.unlink()
        if os.geteuid() == 0:
            # Root may write everywhere but where nobody may.
            daemon.storage = daemon.storage.__class__("/proc/mlalert-data")
        else:
            daemon.storage.mkdir(mode=0o500)
        self.refused(daemon, str(daemon.storage))

    def test_a_read_only_file_system(self):
        daemon = self.mlalert(config(self.sink()), start=False)
        daemon.storage.mkdir()
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", daemon.storage],
                                               capture_output=True).returncode != 0:
            raise unittest.SkipTest("a read-only file system cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", daemon.storage], capture_output=True)
        self.refused(daemon, str(daemon.storage))

    def test_one_daemon_per_file(self):
        daemon = self.mlalert(config(self.sink()))
        second = self.mlalert(config(self.sink()), start=False, name="second")
        second.storage = daemon.storage
        self.refused(second, "mlalert.db", str(daemon.process.pid))
        # The first one does not mind; and the lock of a dead one binds nobody.
        daemon.post_alerts({"alertname": "A"})
        daemon.kill()
        second.start()
        self.assertEqual(second.get("/-/ready").status, 200)

    def test_others_read_while_it_runs(self):
        sink = self.sink()
        daemon = self.mlalert(config(sink))
        daemon.post_alerts({"alertname": "A", "model": "m", "severity": "P1"}, {"alertname": "B", "severity": "P2"})
        sink.wait_for("/hook", 2)
        wait_until(lambda: len(daemon.rows("SELECT * FROM notifications")) == 2, "two rows")
        views = [row["name"] for row in daemon.rows("SELECT name FROM sqlite_master WHERE type = 'view'")]
        self.assertLessEqual({"v_open_incidents", "v_notifications", "v_weekly_review", "v_alert_quality"}, set(views))
        for view in views:
            daemon.rows(f"SELECT * FROM {view}")
        self.assertEqual([row["alertname"] for row in daemon.rows("SELECT alertname FROM v_open_incidents")], ["A", "B"])

        # A reader that keeps its transaction open holds nobody up, and still sees its own moment.
        with contextlib.closing(sqlite3.connect(f"file:{daemon.database}?mode=ro", uri=True)) as reader:
            reader.execute("BEGIN")
            count = reader.execute("SELECT count(*) FROM incidents").fetchone()[0]
            daemon.post_alerts({"alertname": "C"})
            sink.wait_for("/hook", 3)
            wait_until(lambda: len(daemon.rows("SELECT * FROM incidents")) == 3, "written meanwhile")
            self.assertEqual(reader.execute("SELECT count(*) FROM incidents").fetchone()[0], count)

        shell = subprocess.run(["/usr/bin/sqlite3", "-readonly", "-header", str(daemon.database),
                                "SELECT alertname, severity, opened_at FROM v_open_incidents ORDER BY alertname"],
                               capture_output=True, text=True, timeout=10)
        self.assertEqual(shell.returncode, 0, shell.stderr)
        self.assertRegex(shell.stdout, r"(?m)^A\|P1\|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        for check in ("PRAGMA integrity_check", "PRAGMA foreign_key_check"):
            self.assertIn([list(row.values()) for row in daemon.rows(check)], ([["ok"]], []))

        # An orderly end leaves one file that any client reads, with nothing beside it to replay.
        self.assertEqual(daemon.process.end(signal.SIGINT), 0)
        self.assertEqual(len(daemon.rows("SELECT * FROM incidents")), 3)
        self.assertEqual(daemon.history().returncode, 0)


if __name__ == "__main__":
    harness.main()
