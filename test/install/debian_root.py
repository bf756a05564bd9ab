"""A Debian 12 of its own, below a folder: made once by debootstrap, kept as a tar in the cache, unpacked for each test."""

import os
import pathlib
import shutil
import tempfile

import package
from package import CACHE, run

MIRROR = os.environ.get("MLALERT_DEBIAN_MIRROR", "http://deb.debian.org/debian")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}

# A mount namespace of its own: what is mounted here ends with the command.
SCRIPT = """root=$1; archives=$2; shift 2
mount -t proc proc "$root/proc"
for node in null zero full random urandom; do touch "$root/dev/$node"; mount --bind "/dev/$node" "$root/dev/$node"; done
[ -z "$archives" ] || mount --bind "$archives" "$root/var/cache/apt/archives"
exec chroot "$root" "$@"
"""


def base():
    target = CACHE / "debian-12-minbase.tar"
    with package.one_at_a_time("debian"):
        if not target.exists():
            with tempfile.TemporaryDirectory(prefix="mlalert-debootstrap-") as folder:
                root = pathlib.Path(folder) / "root"
                run("debootstrap", "--variant=minbase", "bookworm", root, MIRROR, timeout=900)
                run("chroot", root, "apt-get", "clean")
                part = target.with_suffix(".part")
                run("tar", "-C", root, "--exclude=./dev/*", "-cf", part, ".")
                part.rename(target)
    return target


class DebianRoot:
    def __init__(self, folder, shares_packages=True):
        """shares_packages: what apt downloads is kept in the cache for the next run, and must not be removed inside."""
        self.archives = ""
        if shares_packages:
            self.archives = CACHE / "apt"
            (self.archives / "partial").mkdir(parents=True, exist_ok=True)
        self.path = pathlib.Path(folder) / "root"
        self.path.mkdir()
        run("tar", "-C", self.path, "-xf", base())
        shutil.copy("/etc/resolv.conf", self.path / "etc/resolv.conf")
        # No service starts in a chroot; Debian's own way to say so.
        policy = self.path / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)

    def command(self, *command):
        return ["unshare", "--mount", "--propagation=private", "sh", "-ec", SCRIPT, "-", self.path, self.archives, *command]

    def run(self, *command, **options):
        return run(*self.command(*command), env=ENVIRONMENT, **options)
