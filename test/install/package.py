"""The Debian package of this build, made once for all tests of a run."""

import contextlib
import fcntl
import os
import pathlib
import shutil
import subprocess

SOURCE_DIR = pathlib.Path(os.environ.get("MLALERT_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BUILD_DIR = pathlib.Path(os.environ.get("MLALERT_BUILD_DIR", SOURCE_DIR / "build/dev"))
CACHE = pathlib.Path(os.environ.get("MLALERT_CACHE")
                     or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "mlalert")


def run(*command, **options):
    """Its output; an exception with all it said when it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          **{"timeout": 600, **options})
    if done.returncode != 0:
        raise AssertionError(f"{command}: exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


@contextlib.contextmanager
def one_at_a_time(name):
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(target):
    """The .deb in this folder. Compiles nothing: the objects are those of the dev preset, linked into one binary. With MLALERT_DEB that
    package instead, for example what `./dev package` made."""
    if os.environ.get("MLALERT_DEB"):
        pathlib.Path(target).mkdir(parents=True, exist_ok=True)
        return pathlib.Path(shutil.copy(os.environ["MLALERT_DEB"], target))
    with one_at_a_time("package"):
        run("cmake", "--build", BUILD_DIR, "--target", "package_files")
        run("cpack", "-G", "DEB", "--config", BUILD_DIR / "CPackConfig.cmake", "-B", target, cwd=BUILD_DIR)
    return next(pathlib.Path(target).glob("*.deb"))
