"""The database file: refused when it is not ours, readable by anybody, one writer, and not needed for a page to go out."""

import contextlib
import hashlib
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import time
import unittest

import harness
from harness import MLALERT, stays, wait_until

SCHEMA = len(list((harness.SOURCE_DIR / "migrations").glob("*.sql")))
NOBODY = 65534


def config(sink):
    return f"""
route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{sink.url}/hook"}}]}}]
incident_policies: [{{name: all, cooldown: 0s}}]
"""


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Case(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.hub = self.sink()
        self.daemon = self.mlalert(config(self.hub), start=False)

    def fire(self, name, daemon=None):
        (daemon or self.daemon).post_alerts({"labels": {"alertname": name, "model": "fraud"},
                                             "endsAt": harness.rfc3339(time.time() + 3600)})

    def told(self, name, status="firing"):
        return [body for body in self.hub.bodies("/hook")
                if body["groupLabels"] == {"alertname": name} and body["status"] == status]

    def wait_told(self, name, **arguments):
        wait_until(lambda: self.told(name, **arguments), f"told of {name}")

    def refused(self, *words, process=None):
        """The daemon ends by itself, not well, with one clear message, and has not begun to serve."""
        process = process or self.daemon.spawn()
        wait_until(lambda: not process.running(), "the end")
        log = process.log()
        self.assertEqual(process.popen.returncode, 1, log)
        for word in words:
            self.assertIn(word, log)
        self.assertIn("cannot start", log)
        self.assertNotIn("Listening", log)
        return log


class Refused(Case):
    def make_database(self):
        self.daemon.start()
        self.fire("Kept")
        self.wait_told("Kept")
        self.assertEqual(self.daemon.stop(), 0)

    def test_newer_schema(self):
        self.make_database()
        with contextlib.closing(sqlite3.connect(self.daemon.database)) as connection:
            self.assertEqual(connection.execute("PRAGMA user_version").fetchone()[0], SCHEMA)
            connection.execute(f"PRAGMA user_version = {SCHEMA + 98}")
        before = digest(self.daemon.database)
        self.refused(f"database is at schema {SCHEMA + 98}, this binary knows up to {SCHEMA}", "upgrade mlalert")
        self.assertEqual(digest(self.daemon.database), before, "not touched")
        done = self.daemon.history()
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"schema {SCHEMA + 98}", done.stderr)
        # Once it is what we know again, all is there.
        with contextlib.closing(sqlite3.connect(self.daemon.database)) as connection:
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
        self.daemon.start()
        self.assertEqual([one["labels"]["alertname"] for one in self.daemon.incidents()], ["Kept"])

    def test_not_a_database(self):
        self.daemon.storage.mkdir()
        for what, data in (("text", b"hello, world\n" * 1000), ("zeros and a letter", b"\0" * 8192 + b"x")):
            with self.subTest(what=what):
                self.daemon.database.write_bytes(data)
                self.refused(str(self.daemon.database), "not a database")
                self.assertEqual(self.daemon.database.read_bytes(), data, "not touched")

    def make_photos(self):
        self.daemon.storage.mkdir()
        with contextlib.closing(sqlite3.connect(self.daemon.database)) as connection:
            connection.execute("CREATE TABLE photos (name TEXT)")

    def test_database_of_another_program(self):
        self.make_photos()
        self.refused("not one of mlalert", "choose another path")
        with contextlib.closing(sqlite3.connect(self.daemon.database)) as connection:
            self.assertEqual(connection.execute("SELECT name FROM sqlite_schema").fetchall(), [("photos",)])

    def test_database_of_another_program_is_not_changed(self):
        self.make_photos()
        before = digest(self.daemon.database)
        self.refused("not one of mlalert")
        self.assertEqual(digest(self.daemon.database), before)

    def test_empty_file_is_a_new_database(self):
        self.daemon.storage.mkdir()
        self.daemon.database.touch()
        self.daemon.start()
        self.fire("Fresh")
        self.wait_told("Fresh")

    def test_folder_is_a_file(self):
        self.daemon.storage.write_text("in the way")
        self.refused(str(self.daemon.storage))

    def spawn_as_nobody(self):
        """As somebody who may write only what the modes say; root may write everything."""
        command = [MLALERT, "serve", f"--config.file={self.daemon.config_path}", f"--storage.path={self.daemon.storage}",
                   f"--web.listen-address=127.0.0.1:{self.daemon.port}"]
        if os.geteuid() == 0:
            self.directory.chmod(0o755)
            command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--", *command]
            if subprocess.run([*command[:5], MLALERT, "version"], capture_output=True).returncode != 0:
                self.skipTest("another user cannot run the binary where it lies")
        return self.spawn("nobody", command)

    def test_folder_may_not_be_written(self):
        self.daemon.storage.mkdir(mode=0o555)
        self.refused(str(self.daemon.storage), "ermission denied", process=self.spawn_as_nobody())
        self.assertEqual(list(self.daemon.storage.iterdir()), [])

    def test_folder_may_not_be_made(self):
        self.directory.chmod(0o755)
        if os.geteuid() != 0:
            self.skipTest("our own folder is writable for us")
        self.refused("cannot create", str(self.daemon.storage), "ermission denied", process=self.spawn_as_nobody())
        self.assertFalse(self.daemon.storage.exists())

    def test_file_may_not_be_written(self):
        self.make_database()
        self.daemon.database.chmod(0o444)
        self.daemon.storage.chmod(0o777)
        lock = pathlib.Path(str(self.daemon.database) + ".lock")
        lock.chmod(0o666)
        (self.daemon.storage / "link.key").chmod(0o644)  # root's, like the file: this is about the file
        before = digest(self.daemon.database)
        self.refused(str(self.daemon.database), process=self.spawn_as_nobody())
        self.assertEqual(digest(self.daemon.database), before)


class Readers(Case):
    def test_every_view_can_be_read_while_the_daemon_writes(self):
        self.daemon.start()
        for number in range(5):
            self.fire(f"A{number}")
        self.hub.wait_for("/hook", 5)
        incident = self.daemon.only_incident(alertname="A0")["id"]
        self.assertEqual(self.daemon.ack(incident, actor="alice", comment="mine").status, 200)
        self.daemon.resolve({"alertname": "A1", "model": "fraud"})
        self.wait_told("A1", status="resolved")
        wait_until(lambda: self.daemon.metric("mlalert_journal_queued_records") == 0, "all is on disk")

        views = [row["name"] for row in self.daemon.rows("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name")]
        for wanted in ("v_alert_quality", "v_events", "v_incidents", "v_notifications", "v_open_incidents", "v_weekly_review"):
            self.assertIn(wanted, views)
        for number, view in enumerate(views):
            self.fire(f"B{number}")  # somebody writes all the time
            done = subprocess.run(["sqlite3", "-readonly", "-json", self.daemon.database, f"SELECT * FROM {view}"],
                                  capture_output=True, text=True, timeout=30)
            self.assertEqual((done.returncode, done.stderr), (0, ""), view)
            self.assertGreaterEqual(len(json.loads(done.stdout or "[]")), 0)
            if view in ("v_incidents", "v_open_incidents", "v_events", "v_notifications", "v_alert_quality", "v_weekly_review"):
                self.assertTrue(self.daemon.rows(f"SELECT * FROM {view}"), view)
        acknowledged = self.daemon.rows("SELECT * FROM v_open_incidents WHERE acknowledged_by = 'alice'")
        self.assertEqual([(row["id"], row["alertname"], row["model"]) for row in acknowledged], [(incident, "A0", "fraud")])
        self.assertEqual(self.daemon.rows("SELECT state FROM v_incidents WHERE alertname = 'A1'"), [{"state": "resolved"}])
        self.assertEqual(self.daemon.rows("PRAGMA integrity_check"), [{"integrity_check": "ok"}])

    def test_long_reader_holds_up_nobody(self):
        self.daemon.start()
        self.fire("Before")
        self.wait_told("Before")
        with contextlib.closing(sqlite3.connect(f"file:{self.daemon.database}?mode=ro", uri=True)) as reader:
            reader.execute("BEGIN")
            wait_until(lambda: self.daemon.metric("mlalert_journal_queued_records") == 0, "all is on disk")
            seen = reader.execute("SELECT count(*) FROM v_incidents").fetchone()
            for number in range(20):
                self.fire(f"During{number}")
            incident = wait_until(lambda: self.daemon.only_incident(alertname="During0"), "the incident")["id"]
            self.assertEqual(self.daemon.ack(incident, actor="alice").status, 200, "a commit beside the reader")
            self.assertEqual(reader.execute("SELECT count(*) FROM v_incidents").fetchone(), seen, "it sees one moment")
        self.assertEqual(len(self.daemon.rows("SELECT id FROM v_incidents")), 21)


class OneWriter(Case):
    def test_second_daemon_on_the_same_folder(self):
        self.daemon.start()
        second = self.mlalert(config(self.hub), start=False, name="second")
        second.storage = self.daemon.storage
        log = self.refused(f"{self.daemon.database} is in use by another mlalert (process {self.daemon.process.pid})",
                           process=second.spawn())
        self.assertNotIn("level=warn msg=\"the journal", log)
        self.fire("Undisturbed")
        self.wait_told("Undisturbed")
        # Told twice rather than never: only what is on disk is not told again after a crash.
        wait_until(lambda: self.daemon.rows("SELECT id FROM v_notifications WHERE outcome = 'sent'"), "it is on disk")
        self.daemon.kill()
        second.start()
        self.assertEqual([one["labels"]["alertname"] for one in second.incidents()], ["Undisturbed"])
        stays(lambda: len(self.told("Undisturbed")) == 1, "not told again", 1.5)


class Locked(Case):
    """Another process writes to the file, and does not end: what counts goes on, in memory."""

    def setUp(self):
        super().setUp()
        self.daemon.start()
        self.fire("Before")
        self.wait_told("Before")
        wait_until(lambda: self.daemon.metric("mlalert_journal_queued_records") == 0, "all is on disk")
        self.assertEqual(self.daemon.metric("mlalert_journal_degraded"), 0)
        self.locker = sqlite3.connect(self.daemon.database, timeout=10, isolation_level=None)
        self.addCleanup(self.locker.close)
        self.locker.execute("BEGIN IMMEDIATE")

    def wait_degraded(self, value):
        wait_until(lambda: self.daemon.metric("mlalert_journal_degraded") == value, f"degraded is {value}")

    def test_everything_goes_on_and_is_written_afterwards(self):
        daemon = self.daemon
        self.fire("During")
        self.wait_told("During")
        self.wait_degraded(1)
        self.assertEqual(daemon.metric("mlalert_journal_state", state="degraded"), 1)
        self.assertGreater(daemon.metric("mlalert_journal_queued_records"), 0)
        self.assertGreater(daemon.metric("mlalert_journal_failed_commits_total"), 0)
        self.assertEqual(daemon.get("/-/healthy").status, 200)
        incident = daemon.only_incident(alertname="During")["id"]
        begin = time.monotonic()
        reply = daemon.ack(incident, actor="alice", comment="while locked")
        self.assertEqual(reply.status, 503, reply)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertIn("not yet safe on disk", reply.json()["error"])
        self.assertEqual(daemon.incident(incident)["state"], "acknowledged", "it counts all the same")
        again = daemon.ack(incident, actor="alice", comment="while locked")
        self.assertEqual(again.status, 503, "nor does a repeat promise what is not so")
        done = daemon.cli("ack", daemon.only_incident(alertname="Before")["id"], "--comment=x", "--as=bob")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not yet safe on disk", done.stderr)
        daemon.resolve({"alertname": "Before", "model": "fraud"})
        self.wait_told("Before", status="resolved")
        self.fire("Later")
        self.wait_told("Later")
        self.assertEqual([row["alertname"] for row in daemon.rows("SELECT alertname FROM v_incidents")], ["Before"],
                         "none of it is on disk")
        self.assertIn("level=error", daemon.log())
        told = len(self.hub.requests("/hook"))

        self.locker.execute("ROLLBACK")
        self.wait_degraded(0)
        wait_until(lambda: daemon.metric("mlalert_journal_queued_records") == 0, "all is on disk")
        self.assertEqual(daemon.metric("mlalert_journal_rejected_records_total"), 0)
        rows = {row["alertname"]: row["state"] for row in daemon.rows("SELECT alertname, state FROM v_incidents")}
        self.assertIn(rows.pop("MlalertStorageDegraded"), ("open", "resolved"), "it has an alert of its own")
        self.assertEqual(rows, {"Before": "resolved", "During": "acknowledged", "Later": "open"})
        events = daemon.rows("SELECT actor FROM v_events WHERE incident_id = ? AND type = 'acknowledged'", incident)
        self.assertIn({"actor": "alice"}, events)
        self.assertEqual(daemon.ack(incident, actor="carol").status, 200, "promises are kept again")
        daemon.kill()
        daemon.start()
        self.assertEqual(daemon.incident(incident)["state"], "acknowledged")
        self.assertEqual(daemon.incident(incident)["acknowledgement"]["actor"], "carol")
        self.assertEqual(len(self.told("Later")), 1)
        self.assertGreaterEqual(len(self.hub.requests("/hook")), told)

    def test_stop_says_what_was_lost(self):
        """It waits for the lock, but not for ever."""
        self.fire("Lost")
        self.wait_told("Lost")
        self.wait_degraded(1)
        process = self.daemon.process
        begin = time.monotonic()
        process.popen.send_signal(signal.SIGTERM)
        wait_until(lambda: not process.running(), "the end", timeout=25)
        self.assertGreater(time.monotonic() - begin, 2, "it waited")
        self.assertIn("the journal could not write everything", process.log())

    def test_stop_writes_what_waits_when_the_lock_goes(self):
        self.fire("Saved")
        self.wait_told("Saved")
        self.wait_degraded(1)
        process = self.daemon.process
        process.popen.send_signal(signal.SIGTERM)
        stays(process.running, "it waits for the lock", 0.5)
        self.locker.execute("ROLLBACK")
        wait_until(lambda: not process.running(), "the end")
        self.assertEqual(process.popen.returncode, 0)
        self.assertNotIn("could not write everything", process.log())
        with contextlib.closing(sqlite3.connect(self.daemon.database)) as connection:
            self.assertIn(("Saved",), connection.execute("SELECT alertname FROM v_incidents").fetchall())


if __name__ == "__main__":
    harness.main()
