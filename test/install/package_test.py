"""The Debian package, looked at without being installed; the unit, judged by systemd itself."""

import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import package
from package import SOURCE_DIR, run

sys.path.insert(0, str(SOURCE_DIR / "test/e2e"))
import harness  # noqa: E402

UNIT = SOURCE_DIR / "deploy/mlalert.service"


def zsh_completes(functions, home, typed, until=None):
    """What a terminal shows behind `typed` when Tab is pressed in an interactive zsh that has these completion functions."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(home)
        os.execvpe("zsh", ["zsh", "-f", "-i"], {**os.environ, "TERM": "dumb", "HOME": str(home), "ZDOTDIR": str(home), "LC_ALL": "C"})
    seen = ""

    def read_until(done):
        nonlocal seen
        deadline = time.monotonic() + harness.PATIENCE
        while not done(seen) and time.monotonic() < deadline:
            if select.select([terminal], [], [], 0.1)[0]:
                seen += os.read(terminal, 65536).decode("utf-8", "replace")
        return seen
    try:
        setup = (f"unset zle_bracketed_paste; PS1='rea''dy> '; fpath=({functions} $fpath); autoload -Uz compinit; compinit -u -D; "
                 "LISTMAX=1000; COLUMNS=200\n")
        os.write(terminal, setup.encode())
        read_until(lambda text: text.endswith("ready> "))
        seen = ""
        os.write(terminal, typed.encode() + b"\t")
        last = typed.split()[-1]
        return read_until(lambda text: until in text if until else len(text.partition(last)[2].rstrip("\r\n")) > 1)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="mlalert-deb-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.deb = package.build(cls.folder / "out")
        cls.root = cls.folder / "root"
        run("dpkg-deb", "-x", cls.deb, cls.root)

    def field(self, name):
        return run("dpkg-deb", "-f", self.deb, name).strip()

    def test_it_holds_what_an_administrator_expects(self):
        files = {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()}
        for name in ("usr/bin/mlalert", "etc/mlalert/mlalert.yml", "etc/default/mlalert", "usr/lib/systemd/system/mlalert.service",
                     "usr/lib/sysusers.d/mlalert.conf", "usr/share/man/man1/mlalert.1.gz", "usr/share/doc/mlalert/copyright",
                     "usr/share/doc/mlalert/changelog.gz", "usr/share/bash-completion/completions/mlalert",
                     "usr/share/zsh/vendor-completions/_mlalert", "usr/share/mlalert/mlalert.schema.json",
                     "usr/share/mlalert/runbooks/serving-down.md"):
            self.assertIn(name, files)
        rules = {path.name for path in (SOURCE_DIR / "rules").glob("*.yml")}
        self.assertEqual({path.name for path in (self.root / "usr/share/mlalert/rules").iterdir()}, rules)
        self.assertEqual((self.root / "etc/mlalert/mlalert.yml").read_text(), (SOURCE_DIR / "deploy/mlalert.yml").read_text())

    def test_it_names_what_it_needs(self):
        version = re.search(r"project\(mlalert VERSION ([0-9.]+)", (SOURCE_DIR / "CMakeLists.txt").read_text())[1]
        self.assertEqual(self.field("Version"), version)
        changelog = (SOURCE_DIR / "deploy/debian/changelog").read_text()
        self.assertTrue(changelog.startswith(f"mlalert ({version}) "), "deploy/debian/changelog has no entry of this version")
        depends = self.field("Depends")
        for name in ("libc6 (>=", "libsqlite3-0", "libcurl4", "tzdata", "ca-certificates"):
            self.assertIn(name, depends)
        self.assertNotIn("libmlalert", depends)
        needed = run("readelf", "-d", self.root / "usr/bin/mlalert")
        self.assertNotIn("libmlalert_", needed, "our own modules are inside")
        self.assertNotIn("RUNPATH", needed)
        conffiles = run("dpkg-deb", "-I", self.deb, "conffiles").split()
        self.assertEqual(conffiles, ["/etc/mlalert/mlalert.yml", "/etc/default/mlalert"])

    def test_the_binary_runs_from_its_root(self):
        self.assertIn("mlalert, version", run(self.root / "usr/bin/mlalert", "--version"))
        text = (self.root / "etc/mlalert/mlalert.yml").read_text()
        config = self.folder / "mlalert.yml"
        config.write_text(text.replace("/usr/share", str(self.root / "usr/share")))
        self.assertIn("config OK", run(self.root / "usr/bin/mlalert", "check", config))

    def complete(self, *words):
        script = self.root / "usr/share/bash-completion/completions/mlalert"
        return run("bash", "-c", f'source {script}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mlalert; echo "${{COMPREPLY[@]}}"',
                   "-", "mlalert", *words).split()

    def test_bash_completes_subcommands_and_flags(self):
        self.assertEqual(self.complete("se"), ["serve"])
        self.assertEqual(self.complete("incidents", "sh"), ["show"])
        self.assertIn("--config.file", self.complete("serve", "--co"))
        self.assertEqual(self.complete("check", "--strict", "--form"), ["--format"])
        run("bash", "-n", self.root / "usr/share/bash-completion/completions/mlalert")

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed: `./dev test --all` installs it")
    def test_zsh_completes_subcommands_flags_and_files(self):
        folder = self.root / "usr/share/zsh/vendor-completions"
        run("zsh", "-n", folder / "_mlalert")
        (self.folder / "my-own-config.yml").write_text("")
        for typed, completed in (("mlalert serv", "serve "), ("mlalert incidents sho", "show "), ("mlalert check --stri", "--strict "),
                                 ("mlalert serve --config.fi", "--config.file"), ("mlalert check my-ow", "my-own-config.yml ")):
            self.assertIn(completed.removeprefix(typed.split()[-1]), zsh_completes(folder, self.folder, typed), typed)
        # All that may follow, with what it is for.
        self.assertIn("Run the daemon", zsh_completes(folder, self.folder, "mlalert ", "Run the daemon"))

    def test_the_manual_page_renders_without_a_warning(self):
        page = self.root / "usr/share/man/man1/mlalert.1.gz"
        text = run("gzip", "-dc", page)
        self.assertIn(".SH NAME", text)
        if shutil.which("groff"):
            done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z"], input=text, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))


class Unit(unittest.TestCase):
    def test_systemd_scores_it_at_most_2(self):
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", UNIT],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr)
        score = float(re.search(r"Overall exposure level for mlalert.service: ([0-9.]+)", done.stdout)[1])
        self.assertLessEqual(score, 2.0)

    def test_a_broken_configuration_is_not_tried_again_for_ever(self):
        """RestartPreventExitStatus= looks at the main process: the check before it must not end the start, and serve must say 2."""
        text = UNIT.read_text()
        self.assertRegex(text, r"(?m)^ExecStartPre=-")
        prevented = re.search(r"(?m)^RestartPreventExitStatus=(\d+)$", text)[1]
        with tempfile.TemporaryDirectory() as folder:
            config = pathlib.Path(folder) / "c.yml"
            config.write_text("rout: {}\n")
            done = subprocess.run([harness.MLALERT, "serve", f"--config.file={config}", f"--storage.path={folder}/d",
                                   "--web.listen-address=127.0.0.1:0"], capture_output=True, text=True, timeout=30)
        self.assertEqual(str(done.returncode), prevented)
        self.assertIn("c.yml:1:1", done.stderr)

    def test_systemd_knows_every_line_of_it(self):
        with tempfile.TemporaryDirectory() as folder:
            unit = pathlib.Path(folder) / "mlalert.service"
            # It also wants the commands to exist.
            unit.write_text(UNIT.read_text().replace("/usr/bin/mlalert", "/bin/true"))
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit],
                                  capture_output=True, text=True)
            told = [line for line in (done.stdout + done.stderr).splitlines() if "mlalert.service" in line]
            self.assertEqual((done.returncode, told), (0, []), done.stderr)


class Notify(harness.TestCase):
    """Type=notify: systemd hears when it is ready, reloads and stops."""

    def test_the_service_manager_is_told(self):
        path = str(self.directory / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(path)
            listener.settimeout(harness.PATIENCE)
            config = self.write("c.yml", "route: {receiver: r}\nreceivers: [{name: r}]\n")
            port = harness.free_port()
            daemon = self.spawn("mlalert", [harness.MLALERT, "serve", f"--config.file={config}", f"--storage.path={self.directory}/d",
                                            f"--web.listen-address=127.0.0.1:{port}"], env={**os.environ, "NOTIFY_SOCKET": path})
            self.assertEqual(listener.recv(100), b"READY=1\nSTATUS=Serving")
            self.assertEqual(harness.request(port, "GET", "/-/ready").status, 200, "ready means ready")
            daemon.popen.send_signal(1)
            self.assertEqual([listener.recv(100), listener.recv(100)], [b"RELOADING=1", b"READY=1\nSTATUS=Serving"])
            config.write_text("rout: 1\n")
            daemon.popen.send_signal(1)
            self.assertEqual(listener.recv(100), b"RELOADING=1")
            self.assertIn(b"STATUS=The last reload was refused", listener.recv(200))
            daemon.popen.terminate()
            self.assertEqual(listener.recv(100), b"STOPPING=1")

    def test_the_watchdog_is_fed_as_often_as_the_service_manager_asks(self):
        path = str(self.directory / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(path)
            listener.settimeout(harness.PATIENCE)
            config = self.write("c.yml", "route: {receiver: r}\nreceivers: [{name: r}]\n")
            environment = {**os.environ, "NOTIFY_SOCKET": path, "WATCHDOG_USEC": "300000"}
            environment.pop("WATCHDOG_PID", None)
            daemon = self.spawn("mlalert", [harness.MLALERT, "serve", f"--config.file={config}", f"--storage.path={self.directory}/d",
                                            "--web.listen-address=127.0.0.1:0"], env=environment)
            self.assertIn(b"READY=1", listener.recv(100))
            self.assertEqual([listener.recv(100) for _ in range(3)], [b"WATCHDOG=1"] * 3)
            daemon.popen.terminate()
            while (said := listener.recv(100)) != b"STOPPING=1":
                self.assertEqual(said, b"WATCHDOG=1")

    def test_a_watchdog_of_another_process_is_not_ours(self):
        path = str(self.directory / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(path)
            listener.settimeout(harness.PATIENCE)
            config = self.write("c.yml", "route: {receiver: r}\nreceivers: [{name: r}]\n")
            daemon = self.spawn("mlalert", [harness.MLALERT, "serve", f"--config.file={config}", f"--storage.path={self.directory}/d",
                                            "--web.listen-address=127.0.0.1:0"],
                                env={**os.environ, "NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"})
            self.assertIn(b"READY=1", listener.recv(100))
            daemon.popen.send_signal(1)
            self.assertEqual(listener.recv(100), b"RELOADING=1")
            daemon.popen.terminate()


if __name__ == "__main__":
    unittest.main()
