"""--config.auto-reload-interval: a change of the files is taken by itself, also as Kubernetes makes it."""

import os

import harness
from harness import stays, wait_until

CONFIG = """datasources: [{name: default, url: "http://127.0.0.1:9", timeout: 1s}]
rule_files: [rules.yml]
route: {receiver: %s}
receivers: [{name: one}, {name: two}]
"""


class AutoReload(harness.TestCase):
    def volume(self):
        """A folder as Kubernetes mounts a ConfigMap: names lead through ..data, which is swapped."""
        folder = self.directory / "volume"
        self.versions = 0
        self.folder = folder
        self.swap(CONFIG % "one", harness.rules_file({"alert": "First", "expr": "up > 2"}))
        for name in ("mlalert.yml", "rules.yml"):
            (folder / name).symlink_to(f"..data/{name}")
        return folder

    def swap(self, config, rules):
        self.versions += 1
        version = self.folder / f"..v{self.versions}"
        version.mkdir(parents=True)
        (version / "mlalert.yml").write_text(config)
        (version / "rules.yml").write_text(rules)
        (self.folder / "..tmp").symlink_to(version.name)
        os.rename(self.folder / "..tmp", self.folder / "..data")

    def start(self, *flags):
        daemon = self.mlalert("", flags=flags, start=False)
        daemon.config_path = self.volume() / "mlalert.yml"
        daemon.start()
        return daemon

    def receiver(self, daemon):
        return daemon.get("/api/v2/status").json()["config"]["original"].split("receiver: ")[1].split("\n")[0]

    def loads(self, daemon):
        return daemon.log().count("Completed loading of configuration file")

    def test_a_swapped_folder_is_read_once_and_a_broken_one_changes_nothing(self):
        daemon = self.start("--config.auto-reload-interval=200ms")
        first = harness.rules_file({"alert": "First", "expr": "up > 2"})
        second = harness.rules_file({"alert": "Second", "expr": "up > 2"})
        wait_until(lambda: daemon.rule("First"), "the first rule")
        self.swap(CONFIG % "two", second)
        wait_until(lambda: self.receiver(daemon) == "two" and daemon.rule("Second"), "the new files are in force")
        wait_until(lambda: self.loads(daemon) == 1, "the reload's last word")
        stays(lambda: self.loads(daemon) == 1, "one change is one reload", 1)

        self.swap(CONFIG % "nobody", first)
        wait_until(lambda: daemon.metric("mlalert_config_last_reload_successful") == 0, "the broken file is refused")
        stays(lambda: daemon.log().count("Loading configuration file failed") == 1, "told once", 1)
        self.assertEqual(self.receiver(daemon), "two")
        self.assertTrue(daemon.rule("Second"))

        self.swap(CONFIG % "one", first)
        wait_until(lambda: self.receiver(daemon) == "one" and daemon.rule("First"), "repaired")
        self.assertEqual(daemon.metric("mlalert_config_last_reload_successful"), 1)

        # What was reloaded by hand is known.
        self.swap(CONFIG % "two", first)
        daemon.reload()
        loads = self.loads(daemon)
        stays(lambda: self.loads(daemon) == loads, "no second reload of the same files", 1)

    def test_without_the_flag_nothing_is_read_by_itself(self):
        daemon = self.start()
        self.swap(CONFIG % "two", harness.rules_file({"alert": "Second", "expr": "up > 2"}))
        stays(lambda: self.receiver(daemon) == "one", "the old configuration", 1)


if __name__ == "__main__":
    harness.main()
