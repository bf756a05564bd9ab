"""The Dockerfile, read: what holds without building it."""

import json
import re
import unittest

import dockerfile
from package import SOURCE_DIR


class Dockerfile(unittest.TestCase):
    def test_it_has_the_stages(self):
        self.assertEqual(list(dockerfile.stages()), ["build", "runtime", "make-sbom", "sbom", "image"])

    def test_it_does_not_run_as_root(self):
        self.assertEqual(dockerfile.lines("image", "USER"), ["65532:65532"])
        chart = (SOURCE_DIR / "helm/mlalert/values.yaml").read_text()
        self.assertIn("runAsUser: 65532", chart)

    def test_it_says_what_it_is_and_whether_it_is_well(self):
        labels = " ".join(dockerfile.lines("image", "LABEL"))
        for name in ("title", "version", "revision", "licenses", "description"):
            self.assertIn(f"org.opencontainers.image.{name}=", labels)
        (health,) = dockerfile.lines("image", "HEALTHCHECK")
        self.assertIn("/usr/bin/mlalert", health)
        self.assertEqual(dockerfile.lines("image", "STOPSIGNAL"), ["SIGTERM"])

    def test_commands_are_lists_so_that_signals_arrive(self):
        for word in ("ENTRYPOINT", "CMD"):
            (text,) = dockerfile.lines("image", word)
            self.assertIsInstance(json.loads(text), list)

    def test_it_builds_with_the_packages_of_dev_and_nothing_from_elsewhere(self):
        listed = set(re.search(r"PACKAGES=\((.*?)\n\)", (SOURCE_DIR / "dev").read_text(), re.S)[1].split())
        self.assertEqual(set(dockerfile.installed_packages("build")) - listed, set())
        libraries = {name for name in listed if re.fullmatch(r"lib.*-dev|rapidjson-dev|prometheus-cpp-dev|zlib1g-dev", name)}
        needed = libraries - {"libboost-test-dev", "librapidcheck-dev"}
        self.assertEqual(needed - set(dockerfile.installed_packages("build")), set(), "a library of the build is missing")
        for instructions in dockerfile.stages().values():
            self.assertNotIn("ADD", [word for word, _ in instructions])
            for _, rest in instructions:
                self.assertNotRegex(rest, r"\b(curl|wget)\b")

    def test_a_build_sees_neither_the_history_nor_a_build_of_the_host(self):
        ignored = (SOURCE_DIR / ".dockerignore").read_text().split()
        for name in (".git", "build"):
            self.assertIn(name, ignored)

    def test_the_version_is_that_of_the_project(self):
        version = re.search(r"project\(mlalert VERSION ([0-9.]+)", (SOURCE_DIR / "CMakeLists.txt").read_text())[1]
        self.assertIn(f"VERSION={version}", dockerfile.lines("image", "ARG"))


if __name__ == "__main__":
    unittest.main()
