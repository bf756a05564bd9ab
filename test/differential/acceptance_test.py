"""Alertmanager's own acceptance tests, unchanged but for the path of the binary, against mlalert.

They come with Debian's golang-github-prometheus-alertmanager-dev (0.25) and are compiled here with Debian's Go. What they
start in place of Alertmanager is build/PRESET/mlalert, with Alertmanager's flags and no subcommand; amtool is Debian's.
Two tests need gossip between three nodes; mlalert has none (docs/compatibility.md) and they are left out by name.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import harness  # noqa: E402

SOURCES = pathlib.Path("/usr/share/gocode/src/github.com/prometheus/alertmanager")
NEED_GOSSIP = {"TestClusterDeduplication", "TestClusterVSInstance"}


class AcceptanceTest(unittest.TestCase):
    def setUp(self):
        self.gopath = pathlib.Path(tempfile.mkdtemp(prefix="mlalert-acceptance-"))
        self.addCleanup(shutil.rmtree, self.gopath, ignore_errors=True)
        self.package = self.gopath / "src/github.com/prometheus/alertmanager"
        shutil.copytree(SOURCES, self.package, ignore=shutil.ignore_patterns("ui", "asset"))
        (self.gopath / "bin").mkdir()
        (self.gopath / "bin/prometheus-alertmanager").symlink_to(pathlib.Path(harness.MLALERT).resolve())
        # amtool 0.25 would print a warning, which the tests then read as an answer, to any server that is not of its version.
        amtool = self.gopath / "bin/amtool"
        amtool.write_text('#!/bin/sh\nexec /usr/bin/amtool --no-version-check "$@"\n')
        amtool.chmod(0o755)

    def build(self, folder):
        """The test executable of test/FOLDER/acceptance."""
        harness_file = self.package / "test" / folder / "acceptance.go"
        out = self.gopath / f"{folder}.test"
        built = subprocess.run(["go", "test", "-vet=off", "-c", "-o", out, "."], cwd=harness_file.parent / "acceptance",
                               capture_output=True, text=True, timeout=400,
                               env={**os.environ, "GO111MODULE": "off", "GOPATH": f"{self.gopath}:/usr/share/gocode",
                                    "GOFLAGS": "", "CGO_ENABLED": "0"})
        self.assertEqual(built.returncode, 0, built.stderr)
        return out

    def run_all(self, folder, without=()):
        binary = self.build(folder)
        where = self.package / "test" / folder / "acceptance"
        environment = {**os.environ, "GOPATH": str(self.gopath)}
        listed = subprocess.run([binary, "-test.list", "."], cwd=where, capture_output=True, text=True, timeout=60,
                                env=environment).stdout.split()
        names = [name for name in listed if name.startswith("Test") and name not in without]
        self.assertGreater(len(names), 3)
        ran = subprocess.run([binary, "-test.v", "-test.timeout=150s", "-test.run", f"^({'|'.join(names)})$"], cwd=where,
                             capture_output=True, text=True, timeout=200, env=environment)
        passed = set(re.findall(r"(?m)^--- PASS: (\w+)", ran.stdout))
        self.assertEqual(passed, set(names), ran.stdout[-8000:] + ran.stderr[-2000:])
        self.assertEqual(ran.returncode, 0)
        print(f"{folder}: {len(passed)} tests passed", flush=True)

    def test_the_api_acceptance_tests_pass(self):
        self.run_all("with_api_v2", NEED_GOSSIP)

    def test_the_acceptance_tests_of_amtool_pass(self):
        self.run_all("cli")


if __name__ == "__main__":
    unittest.main()
