"""docs/history.md against a database made by the binary: every query runs, and the page names the tables, views and
columns that exist, with their types, and no others."""

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import history_fixture

SOURCE = Path(os.environ.get("MLALERT_SOURCE_DIR", Path(__file__).resolve().parents[2]))
MLALERT = os.environ.get("MLALERT", str(SOURCE / "build/dev/mlalert"))
START_SECONDS_MAX = 60  # sanitizers on a busy machine

CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


@contextlib.contextmanager
def running(folder, name="data"):
    """A daemon that listens; its storage path."""
    config = Path(folder) / "mlalert.yml"
    config.write_text(CONFIG)
    command = [MLALERT, "serve", f"--config.file={config}", f"--storage.path={folder}/{name}",
               "--web.listen-address=127.0.0.1:0"]
    log_path = Path(folder) / f"{name}.log"
    with open(log_path, "wb") as log:
        daemon = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + START_SECONDS_MAX
        while b"Listening on" not in log_path.read_bytes():
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("mlalert did not start:\n" + log_path.read_text())
            time.sleep(0.02)
        yield Path(folder) / name
        daemon.send_signal(signal.SIGTERM)
        if daemon.wait(START_SECONDS_MAX) != 0:
            raise RuntimeError("mlalert did not stop well:\n" + log_path.read_text())
    finally:
        if daemon.poll() is None:
            daemon.kill()
            daemon.wait()


def make_database(folder):
    with running(folder) as storage:
        return storage / "mlalert.db"


def documented_columns(page):
    """{table: {column: type or ''}}: headings with a name in backquotes, and the first cells under them."""
    out = {}
    columns = None
    header = ""
    for line in page.splitlines():
        heading = re.fullmatch(r"#+ (.*)", line)
        if heading:
            name = re.fullmatch(r"`(\w+)`", heading.group(1))
            columns = out.setdefault(name.group(1), {}) if name else None
        elif columns is not None and line.startswith("| "):
            if "---" not in line and not line.startswith("| `"):
                header = line
            elif header.startswith("| Column |"):
                cells = [cell.strip() for cell in line.split("|")]
                for column in re.findall(r"`(\w+)`", cells[1]):
                    columns[column] = cells[2] if "| Type |" in header else ""
        elif not line.startswith("|"):
            header = ""
    return out


def as_columns(cursor):
    """As `sqlite3 -column -header` prints it."""
    names = [column[0] for column in cursor.description]
    rows = [["" if value is None else str(value) for value in row] for row in cursor]
    widths = [max(len(row[i]) for row in [names, *rows]) for i in range(len(names))]
    lines = [names, ["-" * width for width in widths], *rows]
    return "".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() + "\n" for line in lines)


class HistoryPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = make_database(cls.folder.name)
        cls.db = sqlite3.connect(cls.path)
        cls.addClassCleanup(cls.db.close)
        cls.page = (SOURCE / "docs/history.md").read_text()

    def schema(self, kind):
        rows = self.db.execute(
            "SELECT name FROM sqlite_schema WHERE type = ? AND name NOT LIKE 'sqlite_%'", (kind,))
        return {name: {row[1]: row[2] for row in self.db.execute(f"PRAGMA table_xinfo({name})")}
                for (name,) in rows}

    def test_every_query_prints_what_the_page_shows(self):
        db = sqlite3.connect(":memory:")
        self.addCleanup(db.close)
        self.db.backup(db)
        history_fixture.fill(db)
        page = re.sub(r"```sql\n(.*?)```\n\n```text\n(.*?)```",
                      lambda block: f"```sql\n{block[1]}```\n\n```text\n{as_columns(db.execute(block[1]))}```", self.page,
                      flags=re.S)
        self.assertGreaterEqual(page.count("```sql"), 10)
        self.assertEqual(page.count("```sql"), page.count("```text"), "a query without its output")
        if os.environ.get("MLALERT_UPDATE_DOCS"):
            (SOURCE / "docs/history.md").write_text(page)
        self.maxDiff = None
        self.assertEqual(self.page, page)

    def test_sqlite3_and_python_read_beside_the_daemon(self):
        """Read-only, as a person, a script and Grafana's SQLite plugin (mode=ro, WAL) do."""
        path = self.path
        done = subprocess.run(["sqlite3", "-readonly", str(path), "SELECT count(*) FROM v_weekly_review"], capture_output=True,
                              text=True, timeout=20, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, "0\n"), done.stderr)
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            for view in self.schema("view"):
                db.execute(f"SELECT * FROM {view}").fetchall()
            with self.assertRaises(sqlite3.OperationalError):
                db.execute("DELETE FROM incidents")

    def test_the_uri_of_grafanas_plugin_and_a_user_who_may_only_read(self):
        options = re.search(r'pathPrefix: "(.*?)", pathOptions: "(.*?)"', self.page)
        with running(self.folder.name, "grafana") as storage:
            uri = f"{options[1]}{storage}/mlalert.db?{options[2]}"
            query = re.search(r"```\n(SELECT opened_at / 1000.*?)```", self.page, re.S)[1].replace("$__from", "0").replace("$__to", "9e15")
            command = ["sqlite3", uri, query]
            before = {path.name: path.stat().st_mode for path in storage.iterdir()}
            if os.geteuid() == 0:
                for folder in (storage, *list(storage.parents)[:-1]):
                    folder.chmod(folder.stat().st_mode | 0o055)
                for path in storage.glob("mlalert.db*"):
                    path.chmod(0o644)
                before = {path.name: path.stat().st_mode for path in storage.iterdir()}
                command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", *command]
            done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            done = subprocess.run([*command[:-1], "DELETE FROM incidents"], capture_output=True, text=True, timeout=20, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("readonly", done.stderr)
            self.assertEqual({path.name: path.stat().st_mode for path in storage.iterdir()}, before, "no file of its own")
            with sqlite3.connect(uri, uri=True) as db:
                self.assertEqual(db.execute("SELECT count(*) FROM v_open_incidents").fetchone(), (0,))

    def test_every_table_stands_on_the_page_with_its_columns_and_types(self):
        documented = documented_columns(self.page)
        tables = self.schema("table")
        self.assertGreater(len(tables), 10)
        for table, columns in tables.items():
            with self.subTest(table=table):
                self.assertIn(table, documented)
                self.assertEqual(documented[table], columns)

    def test_every_view_stands_on_the_page_with_its_columns(self):
        documented = documented_columns(self.page)
        views = self.schema("view")
        self.assertGreater(len(views), 6)
        for view, columns in views.items():
            with self.subTest(view=view):
                self.assertIn(f"`{view}`", self.page)
                if view.endswith("_live"):  # for mlalert's own use: stands with its public twin
                    view = view.removesuffix("_live")
                self.assertEqual(set(documented.get(view, {})), set(columns))

    def test_the_page_describes_nothing_that_does_not_exist(self):
        self.assertEqual(set(documented_columns(self.page)) - set(self.schema("table")) - set(self.schema("view")),
                         set())

    def test_the_page_names_the_schema_it_describes(self):
        version, = self.db.execute("PRAGMA user_version").fetchone()
        application, = self.db.execute("PRAGMA application_id").fetchone()
        self.assertIn(f"`PRAGMA user_version` is the schema's number, today {version}", self.page)
        self.assertIn(f"`PRAGMA application_id` is {application}", self.page)


if __name__ == "__main__":
    unittest.main()
