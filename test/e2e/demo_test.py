"""`mlalert demo`: the first thing anybody runs has to work, end in time, and leave nothing behind."""

import os
import pathlib
import re
import signal
import subprocess
import time

import harness
from harness import MLALERT, wait_until


def descendants(pid):
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(stat.parent.name)
            found += [child] + descendants(child)
    return found


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Demo(harness.TestCase):
    def demo_run(self, *flags, rules=harness.SOURCE_DIR / "rules"):
        temporary = self.directory / "tmp"
        temporary.mkdir(exist_ok=True)
        env = {**os.environ, "TMPDIR": str(temporary)}
        return self.spawn("demo", [MLALERT, "demo", "run", f"--rules={rules}", *flags], env)

    def test_tells_the_whole_story(self):
        demo = self.demo_run("--for", "75s")
        children = wait_until(lambda: len(found := descendants(demo.pid)) == 3 and found, "three children")
        self.assertEqual(demo.popen.wait(110), 0, demo.log())
        steps = re.findall(r"(?m)^seen +(.*?) +(\d+\.\d)s$", demo.log())
        self.assertGreaterEqual(len(steps), 5, demo.log())
        self.assertNotIn("MISSING", demo.log())
        for step, second in steps:
            self.assertLessEqual(float(second), 60, step)
        wait_until(lambda: not any(map(alive, children)), "the children have ended")
        self.assertEqual(list((self.directory / "tmp").iterdir()), [], "its folder is gone")

    def test_ctrl_c_ends_all(self):
        for end in (signal.SIGINT, signal.SIGTERM):
            demo = self.demo_run()
            children = wait_until(lambda: len(found := descendants(demo.pid)) == 3 and found, "three children")
            started = time.time()
            demo.end(end)
            self.assertLess(time.time() - started, 12)
            self.assertIn(demo.popen.returncode, (0, 1))
            wait_until(lambda: not any(map(alive, children)), "the children have ended")
        self.assertEqual(list((self.directory / "tmp").iterdir()), [])

    def test_a_killed_demo_leaves_no_process(self):
        demo = self.demo_run()
        children = wait_until(lambda: len(found := descendants(demo.pid)) == 3 and found, "three children")
        demo.kill()
        wait_until(lambda: not any(map(alive, children)), "the kernel ends them with it")

    def test_the_exporter_speaks_prometheus(self):
        port = harness.free_port()
        exporter = self.spawn("exporter", [MLALERT, "demo", f"--listen=127.0.0.1:{port}"])
        reply = wait_until(lambda: harness.try_request(port, "GET", "/metrics"), "metrics")
        self.assertEqual(reply.status, 200)
        checked = subprocess.run(["/usr/bin/promtool", "check", "metrics"], input=reply.body, capture_output=True,
                                 timeout=30)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, b""))
        self.assertIn("ml_model_up", harness.parse_metrics(reply.text))
        self.assertEqual(exporter.stop(), 0)

    def test_says_what_is_missing(self):
        demo = self.demo_run(rules="/nowhere")
        self.assertGreater(demo.popen.wait(40), 0)
        self.assertIn("/nowhere", demo.log())
        demo = self.demo_run("--for=soon")
        self.assertGreater(demo.popen.wait(40), 0)
        self.assertIn("soon", demo.log())


if __name__ == "__main__":
    harness.main()
