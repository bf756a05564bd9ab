"""The image. With a container engine it is built and run; without one the stages runtime and make-sbom run in a Debian of
debootstrap, and the result is started as the image would be: by that user, with a root that cannot be written."""

import json
import os
import shutil
import subprocess
import sys
import unittest

import dockerfile
import package
from debian_root import ENVIRONMENT, DebianRoot
from package import SOURCE_DIR

sys.path.insert(0, str(SOURCE_DIR / "test/e2e"))
import harness  # noqa: E402
from harness import wait_until  # noqa: E402

CONFIG = "route: {receiver: r}\nreceivers: [{name: r}]\n"


def engine():
    """The first that works: rootless ones first."""
    for name in ("buildah", "podman", "docker"):
        if shutil.which(name) and subprocess.run([name, "info"], capture_output=True).returncode == 0:
            return name
    return None


class Image(harness.TestCase):
    @unittest.skipUnless(engine(), "no container engine works here: the stages are run in a chroot instead")
    def test_an_engine_builds_it(self):
        name = engine()
        package.run(name, "build", "-f", SOURCE_DIR / "deploy/Dockerfile", "-t", "mlalert:test", SOURCE_DIR, timeout=1500)

    def test_its_stages_make_something_that_runs_without_rights(self):
        root = DebianRoot(self.directory, shares_packages=False)
        shutil.copy(package.build(self.directory / "out"), root.path / "tmp/mlalert.deb")
        for text in dockerfile.lines("runtime", "RUN"):
            root.run("sh", "-c", text)
        self.assertFalse((root.path / "tmp/mlalert.deb").exists())
        self.assertFalse((root.path / "usr/bin/systemctl").exists(), "a container needs no systemd")
        shutil.copy(SOURCE_DIR / "deploy/sbom.sh", root.path / "usr/local/bin/sbom.sh")
        for text in dockerfile.lines("make-sbom", "RUN"):
            root.run("sh", "-c", text)
        sbom = json.loads((root.path / "sbom.cdx.json").read_text())
        names = {item["name"] for item in sbom["components"]}
        self.assertLess({"mlalert", "libsqlite3-0", "libssl3", "libc6"}, names)
        self.assertTrue(all(item["purl"].startswith("pkg:deb/debian/") for item in sbom["components"]))

        # As Kubernetes mounts it: below /etc/mlalert, readable for all.
        (root.path / "etc/mlalert/config").mkdir()
        (root.path / "etc/mlalert/config/mlalert.yml").write_text(CONFIG)
        user = dockerfile.lines("image", "USER")[0]
        uid, gid = user.split(":")
        entry = json.loads(dockerfile.lines("image", "ENTRYPOINT")[0])
        arguments = json.loads(dockerfile.lines("image", "CMD")[0])
        port = harness.free_port()
        arguments = [item.replace(":9093", f"127.0.0.1:{port}").replace("/etc/mlalert/mlalert.yml", "/etc/mlalert/config/mlalert.yml")
                     for item in arguments]
        as_image = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]

        def read_only(*command):
            script = ('root=$1; shift; mount --bind "$root" "$root"; mount -o remount,bind,ro "$root"; '
                      'mount -t tmpfs tmpfs "$root/tmp"; '
                      f'mount -t tmpfs -o uid={uid},gid={gid} tmpfs "$root/var/lib/mlalert"; exec chroot "$root" "$@"')
            return ["unshare", "--mount", "--propagation=private", "sh", "-ec", script, "-", root.path, *as_image, *command]

        daemon = self.spawn("image", read_only(*entry, *arguments), env=ENVIRONMENT)
        wait_until(lambda: harness.try_request(port, "GET", "/-/ready") or not daemon.running(), "ready")
        self.assertTrue(daemon.running(), daemon.log())
        self.assertEqual(harness.request(port, "GET", "/-/ready").status, 200)
        health = json.loads(dockerfile.lines("image", "HEALTHCHECK")[0].split("CMD ", 1)[1])
        check = read_only(*health)
        done = subprocess.run(check, env={**ENVIRONMENT, "MLALERT_URL": f"http://127.0.0.1:{port}"}, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        daemon.stop()
        done = subprocess.run(check, env={**ENVIRONMENT, "MLALERT_URL": f"http://127.0.0.1:{port}"}, capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0, "the health check can fail")


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("image_slow_test: needs root for chroot", file=sys.stderr)
    unittest.main()
