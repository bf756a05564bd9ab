"""What the benchmarks share: starting servers pinned to a core, reading their CPU time and memory, the result table."""
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build", "release")
TICKS = os.sysconf("SC_CLK_TCK")

# Servers share the first core (one works at a time), whatever feeds them has the last.
SERVER_CORE = 0
LOADER_CORE = os.cpu_count() - 1
START_SECONDS_MAX = 20
IDLE_CPU_MAX = 0.02  # CPU seconds per second below which a server counts as idle


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def tool(name):
    """Compiles bench/NAME.cc when it is newer than its binary."""
    source = os.path.join(ROOT, "bench", name + ".cc")
    folder = os.path.join(BUILD, "bench")
    binary = os.path.join(folder, name)
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(binary) or os.path.getmtime(binary) < os.path.getmtime(source):
        subprocess.run(["g++", "-std=c++20", "-O2", "-Wall", "-Wextra", source, "-o", binary], check=True)
    return binary


def get(port, path, seconds=5):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=seconds) as reply:
        return reply.read().decode()


class Server:
    """A process of our own on one core; ends with the benchmark."""

    def __init__(self, name, argv, folder, core=SERVER_CORE):
        self.name = name
        self.log = os.path.join(folder, name + ".log")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", str(core)] + argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait_ready(self, port, path):
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                get(port, path, 1)
                return self
            time.sleep(0.05)
        with open(self.log) as log:
            sys.exit(f"{self.name} did not start:\n{log.read()[-2000:]}")

    def cpu(self):
        """CPU seconds so far, all threads."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self, key="VmRSS"):
        """MiB; VmHWM is the peak."""
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith(key + ":"):
                    return int(line.split()[1]) / 1024
        return 0.0

    def wait_idle(self, seconds_max=120):
        """Until one second passes with next to no work, so that what was put off is counted to its cause."""
        deadline = time.monotonic() + seconds_max
        while time.monotonic() < deadline:
            before = self.cpu()
            time.sleep(1)
            if self.cpu() - before <= IDLE_CPU_MAX:
                return
        print(f"note: {self.name} did not come to rest within {seconds_max} s", file=sys.stderr)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def workspace():
    """A folder on the disk of the checkout (never a tmpfs) and a list of servers to stop."""
    os.makedirs(os.path.join(BUILD, "bench"), exist_ok=True)
    folder = tempfile.mkdtemp(prefix="run-", dir=os.path.join(BUILD, "bench"))
    servers = []
    try:
        yield folder, servers
    finally:
        for server in reversed(servers):
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def mlalert():
    binary = os.path.join(BUILD, "mlalert")
    if not os.access(binary, os.X_OK):
        sys.exit("no build/release/mlalert: run `./dev bench`, which builds it")
    return binary


def median(values):
    return statistics.median(values)


def spread(values):
    return f"{min(values):,.0f} to {max(values):,.0f}"


class Verdicts:
    """The table of a benchmark: measured values, the ratio and what is required of it."""

    def __init__(self, title, peer):
        self.title = title
        self.peer = peer
        self.rows = []
        self.failed = False

    def note(self, what, ours, theirs, unit):
        self.rows.append((what, f"{ours:,.0f}", f"{theirs:,.0f}", unit, "", "", ""))

    def require_faster(self, what, ours, theirs, unit, times):
        self._row(what, ours, theirs, unit, ours / theirs if theirs else 0, f">= {times:g}",
                  ours >= times * theirs)

    def require_smaller(self, what, ours, theirs, unit, part):
        self._row(what, ours, theirs, unit, ours / theirs if theirs else 0, f"<= {part:g}", ours <= part * theirs)

    def _row(self, what, ours, theirs, unit, ratio, required, ok):
        self.failed = self.failed or not ok
        self.rows.append((what, f"{ours:,.0f}", f"{theirs:,.0f}", unit, f"{ratio:.2f}", required, "PASS" if ok else "FAIL"))

    def print(self):
        head = (self.title, "mlalert", self.peer, "unit", "ratio", "required", "")
        widths = [max(len(row[i]) for row in [head] + self.rows) for i in range(len(head))]
        print()
        for row in [head] + self.rows:
            cells = [row[0].ljust(widths[0])] + [row[i].rjust(widths[i]) for i in (1, 2)]
            cells += [row[3].ljust(widths[3])] + [row[i].rjust(widths[i]) for i in (4, 5)] + [row[6]]
            print("  ".join(cells).rstrip())
        load = os.getloadavg()[0]
        print(f"{os.cpu_count()} CPUs, load {load:.1f} at the end (the benchmark itself is about 2)")
        return 1 if self.failed else 0
