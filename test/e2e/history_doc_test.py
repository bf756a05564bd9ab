"""docs/history.md against a database made by the binary: every query runs, and the page names the tables, views and
columns that exist, with their types, and no others."""

import os
import re
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("MLALERT_SOURCE_DIR", Path(__file__).resolve().parents[2]))
MLALERT = os.environ.get("MLALERT", str(SOURCE / "build/dev/mlalert"))
START_SECONDS_MAX = 60  # sanitizers on a busy machine

CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


def make_database(folder):
    """Starts a daemon until it listens, stops it, and returns the path of its database."""
    config = Path(folder) / "mlalert.yml"
    config.write_text(CONFIG)
    command = [MLALERT, "serve", f"--config.file={config}", f"--storage.path={folder}/data",
               "--web.listen-address=127.0.0.1:0"]
    log_path = Path(folder) / "log"
    with open(log_path, "wb") as log:
        daemon = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + START_SECONDS_MAX
        while b"Listening on" not in log_path.read_bytes():
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("mlalert did not start:\n" + log_path.read_text())
            time.sleep(0.02)
        daemon.send_signal(signal.SIGTERM)
        if daemon.wait(START_SECONDS_MAX) != 0:
            raise RuntimeError("mlalert did not stop well:\n" + log_path.read_text())
    finally:
        if daemon.poll() is None:
            daemon.kill()
            daemon.wait()
    return Path(folder) / "data" / "mlalert.db"


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


class HistoryPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.db = sqlite3.connect(make_database(cls.folder.name))
        cls.addClassCleanup(cls.db.close)
        cls.page = (SOURCE / "docs/history.md").read_text()

    def schema(self, kind):
        rows = self.db.execute(
            "SELECT name FROM sqlite_schema WHERE type = ? AND name NOT LIKE 'sqlite_%'", (kind,))
        return {name: {row[1]: row[2] for row in self.db.execute(f"PRAGMA table_xinfo({name})")}
                for (name,) in rows}

    def test_every_query_runs_and_has_the_columns_it_shows(self):
        blocks = re.findall(r"```sql\n(.*?)```\n\n```text\n([^\n]*)\n", self.page, re.S)
        self.assertEqual(len(blocks), self.page.count("```sql"), "a query without its output")
        self.assertGreaterEqual(len(blocks), 10)
        for sql, shown in blocks:
            with self.subTest(sql=sql):
                cursor = self.db.execute(sql)
                self.assertEqual(shown.split(), [column[0] for column in cursor.description])
                cursor.fetchall()

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
