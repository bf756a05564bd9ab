"""The history by hand: backup while it runs, check, export, prune; and what happens when the file is damaged or gone."""

import contextlib
import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import time

import harness
from harness import MLALERT, wait_until

CONFIG = """
route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{url}/hook"}}]}}]
"""


class Case(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.hub = self.sink()
        self.daemon = self.mlalert(CONFIG.format(url=self.hub.url))

    def fire(self, name, **labels):
        self.daemon.post_alerts({"labels": {"alertname": name, **labels},
                                 "endsAt": harness.rfc3339(time.time() + 3600)})

    def wait_told(self, name):
        wait_until(lambda: [b for b in self.hub.bodies("/hook") if b["groupLabels"] == {"alertname": name}], f"told of {name}")


class Tools(Case):
    def test_backup_while_it_runs(self):
        for i in range(50):
            self.fire(f"A{i}")
        wait_until(lambda: self.daemon.rows("SELECT count(*) AS n FROM incidents")[0]["n"] == 50, "the incidents")
        copy = self.directory / "copy.db"
        done = self.daemon.history("backup", copy)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("checked", done.stdout)
        with sqlite3.connect(copy) as db:
            self.assertEqual(db.execute("SELECT count(*) FROM incidents").fetchone()[0], 50)
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchone()[0], "ok")
        self.assertEqual(sorted(path.name for path in self.directory.glob("copy.db*")), ["copy.db"])
        again = self.daemon.history("backup", copy)
        self.assertNotEqual(again.returncode, 0)
        self.assertIn("exists already", again.stderr)
        # The copy is a history like any other.
        shown = self.run_mlalert("history", "incidents", "--storage.path", copy)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.fire("After")
        self.wait_told("After")

    def test_backup_to_where_nobody_may_write(self):
        done = self.daemon.history("backup", "/proc/nowhere/copy.db")
        self.assertEqual(done.returncode, 1, done.stderr)

    def test_check_finds_a_damaged_page(self):
        self.assertEqual(self.daemon.history("check").stdout.strip().split()[-1], "ok")
        for i in range(200):
            self.fire(f"A{i}", filler="x" * 200)
        wait_until(lambda: self.daemon.rows("SELECT count(*) AS n FROM incidents")[0]["n"] == 200, "the incidents")
        copy = self.directory / "copy.db"
        self.assertEqual(self.daemon.history("backup", copy).returncode, 0)
        with open(copy, "r+b") as file:
            size = os.path.getsize(copy)
            file.seek(size // 4096 // 2 * 4096)
            file.write(os.urandom(4096))
        done = self.run_mlalert("history", "check", copy)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("damaged", done.stderr)

    def test_export_is_whole_typed_and_no_formula(self):
        self.fire("=HYPERLINK(1)", model="m,\"x\"")
        wait_until(lambda: self.daemon.rows("SELECT count(*) AS n FROM incidents")[0]["n"] == 1, "the incident")
        done = self.daemon.history("export", "--table", "incidents", "--format", "csv")
        self.assertEqual(done.returncode, 0, done.stderr)
        row, = csv.DictReader(io.StringIO(done.stdout))
        self.assertEqual((row["alertname"], row["model"], row["id"]), ("'=HYPERLINK(1)", "m,\"x\"", "1"))
        lines = self.daemon.history("export", "--table", "incidents").stdout.splitlines()
        self.assertEqual([json.loads(line)["alertname"] for line in lines], ["=HYPERLINK(1)"])
        out = self.directory / "i.csv"
        done = self.daemon.history("export", "--table", "v_incidents", "--format", "parquet-csv", "--output", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        row, = csv.DictReader(io.StringIO(out.read_text()))
        self.assertEqual(row["alertname"], "=HYPERLINK(1)")
        schema = json.loads((self.directory / "i.csv.schema.json").read_text())
        self.assertEqual({c["name"] for c in schema["columns"]}, set(row))
        self.assertFalse((self.directory / "i.csv.partial").exists())
        self.assertEqual(self.daemon.history("export", "--table", "sqlite_schema").returncode, 2)
        self.assertEqual(self.daemon.history("export", "--table", "events", "--since", "soon").returncode, 2)

    def many_events(self, count=400_000):
        self.daemon.stop()
        with sqlite3.connect(self.daemon.database) as db:
            db.execute(f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) INSERT INTO events "
                       "(at, type, actor_kind, actor, reason, from_value, to_value) SELECT i, 'x', 'system', '', "
                       "'some reason that takes room', '', '' FROM n")

    def test_every_row_of_a_view_is_exported_once(self):
        self.many_events(12_345)  # more than two slices
        done = self.daemon.history("export", "--table", "v_events", "--format", "jsonl", timeout=60)
        ids = [json.loads(line)["id"] for line in done.stdout.splitlines()]
        self.assertEqual((len(ids), len(set(ids)), ids), (12_345, 12_345, sorted(ids)))

    def interrupted(self, *arguments, begun):
        """Ctrl-C once `begun()` says that it works; what it said on standard error."""
        process = subprocess.Popen([MLALERT, "history", *arguments, "--storage.path", self.daemon.storage, "--progress"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_until(begun, "the beginning")
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, out + errors)
        return errors

    def test_interrupted_backup_leaves_no_file(self):
        self.many_events()
        copy = self.directory / "copy.db"
        self.interrupted("backup", copy, begun=lambda: list(self.directory.glob("copy.db.partial")))
        self.assertEqual(list(self.directory.glob("copy.db*")), [])
        self.assertEqual(self.daemon.history("backup", copy).returncode, 0, "nothing of it is in the way")

    def test_interrupted_prune_has_deleted_whole_incidents(self):
        self.daemon.stop()
        opened = int(time.time() - 100 * 86400) * 1000
        with sqlite3.connect(self.daemon.database) as db:
            db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) INSERT INTO incidents "
                       "(id, own_key, labels, annotations, alertname, state, opened_at, resolved_at, resolve_reason, clock_elapsed_ms,"
                       " ladder_step, generation, reopen_count, episode_count) SELECT i, i, '{}', '{}', 'Old', 'resolved', ? + i * 1000,"
                       " ? + i * 1000 + 60000, 'condition', 0, 0, 1, 0, 1 FROM n", (opened, opened))
            db.execute("INSERT INTO events (at, incident_id, type, actor_kind, actor, reason, from_value, to_value) "
                       "SELECT opened_at, id, 'opened', 'source', 'rules', '', '', '' FROM incidents")

        def ask(sql):
            with contextlib.closing(sqlite3.connect(f"file:{self.daemon.database}?mode=ro", uri=True, timeout=20)) as db:
                return db.execute(sql).fetchone()[0]
        errors = self.interrupted("prune", "--older-than", "30d", begun=lambda: ask("SELECT count(*) FROM incidents") < 60000)
        self.assertIn("whole incidents", errors)
        left = ask("SELECT count(*) FROM incidents")
        self.assertTrue(0 < left < 60000, left)
        self.assertEqual(ask("SELECT count(*) FROM events"), left, "no event without its incident, and none missing")
        self.assertEqual(ask("SELECT sum(incidents) FROM archived_weeks"), 60000, "the weeks were rolled up before")
        done = self.daemon.history("prune", "--older-than", "30d", timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((ask("SELECT count(*) FROM incidents"), ask("SELECT sum(incidents) FROM archived_weeks")), (0, 60000))
        self.daemon.start()

    def test_interrupt_leaves_nothing_half_done(self):
        self.many_events()
        out = self.directory / "e.jsonl"
        process = subprocess.Popen([MLALERT, "history", "export", "--storage.path", self.daemon.storage, "--output", out,
                                    "--progress"], stderr=subprocess.PIPE)
        wait_until(lambda: (self.directory / "e.jsonl.partial").exists(), "the beginning")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, errors)
        self.assertEqual(list(self.directory.glob("e.jsonl*")), [])
        self.assertIn(b"% ", errors.replace(b"\x1b[K", b" ") + b"% ")

    def test_prune_is_the_daemons_work_while_it_runs(self):
        done = self.daemon.history("prune", "--older-than", "30d")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("history.retention", done.stderr)
        self.daemon.stop()
        with sqlite3.connect(self.daemon.database) as db:
            opened = int(time.time() - 100 * 86400) * 1000
            db.execute("INSERT INTO incidents (own_key, labels, annotations, alertname, state, opened_at, resolved_at,"
                       " resolve_reason, clock_elapsed_ms, ladder_step, generation, reopen_count, episode_count)"
                       " VALUES ('{}', '{}', '{}', 'Old', 'resolved', ?, ? + 600000, 'condition', 0, 0, 1, 0, 1)", (opened, opened))
        done = self.daemon.history("prune", "--older-than", "30d")
        self.assertEqual(done.returncode, 0, done.stderr)
        with sqlite3.connect(self.daemon.database) as db:
            self.assertEqual(db.execute("SELECT count(*) FROM incidents").fetchone()[0], 0)
            self.assertEqual(db.execute("SELECT week, incidents FROM archived_weeks").fetchall(),
                             [(time.strftime("%G-W%V", time.gmtime(opened / 1000)), 1)])


class Faults(Case):
    def test_deleted_while_it_runs(self):
        self.fire("Before")
        self.wait_told("Before")
        for path in self.daemon.storage.glob("mlalert.db*"):
            path.unlink()
        self.fire("After")
        self.wait_told("After")
        self.assertEqual(self.daemon.get("/-/healthy").status, 200)

    def test_a_damaged_page_stops_no_notification(self):
        for i in range(100):
            self.fire(f"A{i}", filler="y" * 300)
        wait_until(lambda: self.daemon.rows("SELECT count(*) AS n FROM incidents")[0]["n"] == 100, "the incidents")
        time.sleep(1.5)  # the log is emptied into the file when it is idle
        size = os.path.getsize(self.daemon.database)
        with open(self.daemon.database, "r+b") as file:
            for page in range(8, size // 4096):
                file.seek(page * 4096)
                file.write(b"\xff" * 4096)
        self.fire("After")
        self.wait_told("After")


if __name__ == "__main__":
    harness.main()
