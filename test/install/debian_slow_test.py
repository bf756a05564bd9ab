"""The newcomer's path, in a Debian of its own: a root made by debootstrap, the package installed by apt, a Prometheus, an alert.
Then what administrators do with a package: upgrade, remove, purge. Needs root and, the first time, the network."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import package
from debian_root import DebianRoot
from package import SOURCE_DIR, run

sys.path.insert(0, str(SOURCE_DIR / "test/e2e"))
import harness  # noqa: E402
from harness import wait_until  # noqa: E402

APT = ("apt-get", "-y", "-q", "-o", "Dpkg::Use-Pty=0", "--no-install-recommends")


@unittest.skipUnless(os.geteuid() == 0 or os.environ.get("CI"), "needs root: debootstrap and chroot")
class Newcomer(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.debian = DebianRoot(self.directory)
        self.root = self.debian.path

    def inside(self, *command):
        return self.debian.run(*command)

    def install(self, deb):
        shutil.copy(deb, self.root / "root" / deb.name)
        return self.inside(*APT, "install", f"/root/{deb.name}")

    def newer(self, deb):
        """The same package with a higher version and one more rule file."""
        folder = self.directory / "newer"
        run("dpkg-deb", "-R", deb, folder)
        control = folder / "DEBIAN/control"
        control.write_text(control.read_text().replace("Version: ", "Version: 99."))
        (folder / "usr/share/mlalert/rules/new.yml").write_text("groups: []\n")
        target = self.directory / "mlalert_99_amd64.deb"
        run("dpkg-deb", "--root-owner-group", "-b", folder, target)
        return target

    def start(self, port):
        """What the unit starts, as the user of the unit."""
        return self.spawn("mlalert", self.debian.command(
            "setpriv", "--reuid=mlalert", "--regid=mlalert", "--clear-groups", "/usr/bin/mlalert", "serve",
            "--config.file=/etc/mlalert/mlalert.yml", "--storage.path=/var/lib/mlalert", f"--web.listen-address=127.0.0.1:{port}"))

    def ready(self, port):
        reply = harness.try_request(port, "GET", "/-/ready")
        return reply is not None and reply.status == 200

    def test_from_nothing_to_an_alert_and_back(self):
        deb = package.build(self.directory / "out")
        self.inside("apt-get", "-q", "update")
        said = self.install(deb)
        self.assertIn("name your Prometheus in /etc/mlalert/mlalert.yml", said)
        # /etc/mlalert and its file get mlalert's group in postinst.
        self.assertEqual(self.inside("stat", "-c", "%U:%G %a", "/etc/mlalert", "/etc/mlalert/mlalert.yml").split("\n")[:2],
                         ["root:mlalert 750", "root:mlalert 640"])
        self.assertIn("config OK", self.inside("mlalert", "check", "/etc/mlalert/mlalert.yml"))
        self.assertIn("/var/lib/mlalert", self.inside("getent", "passwd", "mlalert"))
        self.assertEqual(self.inside("readlink", "/etc/systemd/system/multi-user.target.wants/mlalert.service").strip(),
                         "/lib/systemd/system/mlalert.service")
        self.inside("install", "-d", "-o", "mlalert", "-g", "mlalert", "-m", "0750", "/var/lib/mlalert")  # StateDirectory=

        # Point it at a Prometheus. The model of this one does not serve.
        exporter = self.exporter()
        exporter.set('ml_model_up{model="fraud-detector-v2"}', 0)
        prometheus = self.prometheus(exporter=exporter)
        config = self.root / "etc/mlalert/mlalert.yml"
        text = config.read_text().replace("http://prometheus:9090", prometheus.url)
        # Minutes become seconds; everything else stays as it is shipped.
        config.write_text(text.replace("interval: 1m", "interval: 1s"))
        rules = self.root / "etc/mlalert/quick.yml"
        rules.write_text(harness.rules_file({"alert": "ModelDown", "expr": "max by (model) (ml_model_up) == 0",
                                             "labels": {"severity": "P0"}}))
        config.write_text(config.read_text().replace('rule_files: ["', 'rule_files: ["/etc/mlalert/quick.yml", "'))
        rules.chmod(0o644)
        port = harness.free_port()
        daemon = self.start(port)
        wait_until(lambda: self.ready(port), "mlalert ready")
        wait_until(lambda: "ModelDown" in self.inside("mlalert", "incidents", "--url", f"http://127.0.0.1:{port}"), "the alert", 60)
        rules_seen = harness.request(port, "GET", "/api/v1/rules").text
        self.assertIn("MLServingDown", rules_seen, "the shipped rules are evaluated")
        daemon.stop()

        # Upgrade: the edited configuration and the history stay.
        self.install(self.newer(deb))
        self.assertIn(prometheus.url, config.read_text())
        self.assertEqual(self.inside("stat", "-c", "%U:%G %a", "/etc/mlalert", "/etc/mlalert/mlalert.yml").split("\n")[:2],
                         ["root:mlalert 750", "root:mlalert 640"], "secrets stay closed")
        self.assertTrue((self.root / "usr/share/mlalert/rules/new.yml").exists())
        self.assertIn("ModelDown", self.inside("mlalert", "history", "--storage.path=/var/lib/mlalert"))
        daemon = self.start(port)
        wait_until(lambda: self.ready(port), "ready after the upgrade")
        self.assertIn("ModelDown", self.inside("mlalert", "incidents", "--url", f"http://127.0.0.1:{port}"))
        daemon.stop()

        self.inside(*APT, "remove", "mlalert")
        self.assertFalse((self.root / "usr/bin/mlalert").exists())
        self.assertTrue(config.exists(), "configuration survives a removal")
        self.assertTrue((self.root / "var/lib/mlalert/mlalert.db").exists(), "so does the history")
        rules.unlink()
        self.inside(*APT, "purge", "mlalert")
        for path in ("etc/mlalert", "etc/default/mlalert", "var/lib/mlalert"):
            self.assertFalse((self.root / path).exists(), path)


class Lint(unittest.TestCase):
    # Its maintainer has no address yet.
    ACCEPTED = {"bogus-mail-host", "bogus-mail-host-in-debian-changelog"}

    def test_lintian_finds_no_error(self):
        with tempfile.TemporaryDirectory(prefix="mlalert-lint-") as folder:
            deb = package.build(pathlib.Path(folder) / "out")
            done = subprocess.run(["lintian", "--allow-root", "--no-cfg", "--tag-display-limit", "0", deb], capture_output=True, text=True)
            errors = [line for line in done.stdout.splitlines()
                      if line.startswith("E:") and not self.ACCEPTED & set(line.split())]
            self.assertEqual(errors, [], done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
