"""The Helm chart, through helm and kubectl themselves: no cluster is needed."""

import copy
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

import yaml

from chart import CHART, MLALERT, SOURCE_DIR, VALUE_SETS, ChartTest, load, load_all, validators

GOLDEN = SOURCE_DIR / "test/helm/golden"
PROMETHEUS = {"prometheus": {"url": "http://prometheus:9090"}}


def pod_specs(objects):
    for item in objects:
        if item["kind"] == "Pod":
            yield item["metadata"]["name"], item["spec"]
        elif item["kind"] == "CronJob":
            yield item["metadata"]["name"], item["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        elif item["kind"] in ("StatefulSet", "Deployment", "DaemonSet", "Job"):
            yield item["metadata"]["name"], item["spec"]["template"]["spec"]


def restricted_problems(spec):
    """The restricted pod security standard, v1.30, as far as a pod's spec can break it."""
    problems = []
    pod = spec.get("securityContext") or {}
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key):
            problems.append(key)
    allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
    for volume in spec.get("volumes", []):
        for kind in set(volume) - {"name"} - allowed:
            problems.append(f"volume {volume['name']} is {kind}")
    for container in spec.get("containers", []) + spec.get("initContainers", []):
        own = container.get("securityContext") or {}
        name = container["name"]
        if own.get("privileged"):
            problems.append(f"{name} is privileged")
        if own.get("allowPrivilegeEscalation") is not False:
            problems.append(f"{name} may escalate privileges")
        capabilities = own.get("capabilities") or {}
        if "ALL" not in capabilities.get("drop", []) or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
            problems.append(f"{name} keeps capabilities")
        if not own.get("runAsNonRoot", pod.get("runAsNonRoot")) or own.get("runAsUser", pod.get("runAsUser")) == 0:
            problems.append(f"{name} may run as root")
        seccomp = own.get("seccompProfile") or pod.get("seccompProfile") or {}
        if seccomp.get("type") not in ("RuntimeDefault", "Localhost"):
            problems.append(f"{name} has no seccomp profile")
        if any(port.get("hostPort") for port in container.get("ports", [])):
            problems.append(f"{name} takes a port of the host")
    return problems


class RenderedChart(ChartTest):
    def test_lint_finds_nothing_in_any_set_of_values(self):
        self.assertGreaterEqual(len(VALUE_SETS), 6)
        for name in VALUE_SETS:
            self.helm("lint", "--strict", CHART, "-f", CHART / f"ci/{name}-values.yaml")

    def test_manifests_are_the_golden_ones(self):
        for name in VALUE_SETS:
            with self.subTest(name):
                text = self.render_text("-f", CHART / f"ci/{name}-values.yaml")
                # Rules and dashboard are copies of files that have tests of their own.
                objects = list(load_all(text))
                for item in filter(None, objects):
                    if "-dashboard-" in item["metadata"]["name"]:
                        item["data"] = {key: "..." for key in item["data"]}
                    if item["kind"] == "PrometheusRule":
                        item["spec"]["groups"] = [group["name"] for group in item["spec"]["groups"]]
                shown = yaml.safe_dump_all(filter(None, objects), sort_keys=True, width=120)
                path = GOLDEN / f"{name}.yaml"
                if os.environ.get("MLALERT_UPDATE_GOLDEN"):
                    path.write_text(shown)
                self.assertTrue(path.exists(), f"{path}: make it with MLALERT_UPDATE_GOLDEN=1")
                self.assertEqual(path.read_text(), shown, "if that is meant: MLALERT_UPDATE_GOLDEN=1, and read the diff")
        self.assertEqual(sorted(path.stem for path in GOLDEN.glob("*.yaml")), VALUE_SETS)

    def validate(self, objects):
        folder = validators()
        path = self.scratch / "objects.json"
        path.write_text(json.dumps(objects, default=str))
        script = (SOURCE_DIR / "test/helm/kubernetes_types.mjs").read_text()
        done = subprocess.run(["node", "--input-type=module", "-", path], cwd=folder, input=script,
                              capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr, done.returncode

    def test_manifests_have_the_types_of_kubernetes(self):
        everything = []
        for name in VALUE_SETS:
            everything += self.render_set(name)
        output, status = self.validate(everything)
        self.assertEqual((output, status), ("", 0))

    def test_the_check_of_types_finds_what_is_wrong(self):
        objects = self.render_set("full")
        broken = self.one(objects, "StatefulSet")
        broken["spec"]["replicas"] = "one"
        broken["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Sometimes"
        broken["spec"]["template"]["spec"]["containers"][0]["securityContex"] = {}
        del self.one(objects, "ServiceMonitor")["spec"]["selector"]
        output, status = self.validate(objects)
        self.assertEqual(status, 1)
        for words in ("replicas", "imagePullPolicy", "securityContex: unknown field", "selector"):
            self.assertIn(words, output)

    def test_kubectl_reads_them_and_no_two_objects_are_the_same(self):
        for name in VALUE_SETS:
            with self.subTest(name):
                folder = self.scratch / name
                folder.mkdir()
                text = self.render_text("-f", CHART / f"ci/{name}-values.yaml")
                (folder / "all.yaml").write_text(text)
                (folder / "kustomization.yaml").write_text("resources: [all.yaml]\n")
                done = self.run_tool("kubectl", "kustomize", folder)
                self.assertEqual(done.returncode, 0, done.stderr)
                count = len([item for item in load_all(done.stdout) if item])
                self.assertEqual(count, len([item for item in load_all(text) if item]))

    def test_all_pods_satisfy_the_restricted_standard(self):
        for name in VALUE_SETS:
            for pod, spec in pod_specs(self.render_set(name)):
                self.assertEqual(restricted_problems(spec), [], f"{name}: {pod}")
                for container in spec["containers"][:1]:
                    self.assertTrue(container["securityContext"]["readOnlyRootFilesystem"])
                self.assertFalse(spec["automountServiceAccountToken"])

    def test_the_check_of_the_standard_finds_what_is_wrong(self):
        (_, spec), *_ = pod_specs(self.render_values({"securityContext": {"capabilities": {"drop": None}}}))
        self.assertIn("mlalert keeps capabilities", restricted_problems(spec))
        spec = copy.deepcopy(spec)
        spec["hostNetwork"] = True
        spec["volumes"].append({"name": "h", "hostPath": {"path": "/"}})
        self.assertEqual(len(restricted_problems(spec)), 3)

    def test_a_package_has_the_same_bytes_every_time(self):
        digests = set()
        for i in range(2):
            folder = self.scratch / f"package{i}"
            folder.mkdir()
            done = self.run_tool("helm", "package", CHART, "-d", folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            package = next(folder.glob("*.tgz"))
            digests.add(hashlib.sha256(package.read_bytes()).hexdigest())
            names = subprocess.run(["tar", "-tzf", package], capture_output=True, text=True, check=True).stdout.split()
        self.assertEqual(len(digests), 1, digests)
        self.assertIn("mlalert/values.schema.json", names)
        self.assertIn("mlalert/files/mlalert-self.yml", names)
        self.assertFalse([name for name in names if "/ci/" in name])

    def setUp(self):
        self.env["SOURCE_DATE_EPOCH"] = "1700000000"


class Upgrades(ChartTest):
    IMMUTABLE = ("serviceName", "selector", "volumeClaimTemplates", "podManagementPolicy")

    def frozen(self, objects):
        spec = self.one(objects, "StatefulSet")["spec"]
        return {key: spec.get(key) for key in self.IMMUTABLE}

    def test_another_version_and_other_labels_change_nothing_that_cannot_change(self):
        newer = self.scratch / "newer"
        shutil.copytree(CHART, newer)
        chart = newer / "Chart.yaml"
        chart.write_text(re.sub(r"(?m)^(version|appVersion): .*$", r"\1: 9.9.9", chart.read_text()))
        old = self.render_values(PROMETHEUS)
        new = self.render_values({**PROMETHEUS, "commonLabels": {"a": "b"}, "commonAnnotations": {"c": "d"},
                                  "podLabels": {"app.kubernetes.io/name": "hijacked", "x": "z"}, "replicaCount": 0,
                                  "image": {"tag": "v9"}, "persistence": {"retentionPolicy": {"whenDeleted": "Delete"}}},
                                 chart=newer)
        self.assertEqual(self.frozen(old), self.frozen(new))
        self.assertNotEqual(old, new)
        selector = self.one(new, "StatefulSet")["spec"]["selector"]["matchLabels"]
        pod = self.one(new, "StatefulSet")["spec"]["template"]["metadata"]["labels"]
        self.assertLessEqual(selector.items(), pod.items())
        for service in (item for item in new if item["kind"] == "Service"):
            self.assertEqual(service["spec"]["selector"], selector)

    def test_no_everyday_value_changes_what_cannot_change(self):
        """Every value but those that the README names, one after the other."""
        text = (CHART / "README.md").read_text()
        named = re.search(r"an upgrade with another value of them is refused: (.*?)\. The chart itself", text, re.S)[1]
        fixed = {name if "." in name or "Override" in name else f"persistence.{name}"
                 for name in (item.removeprefix("persistence.") for item in re.findall(r"`([\w.]+)`", named))}
        self.assertIn("persistence.size", fixed)
        before = self.frozen(self.render_values(PROMETHEUS))
        changed = {}
        for path, value in {
                "persistence.size": "9Gi", "persistence.storageClass": "x", "persistence.accessModes": ["ReadWriteMany"],
                "persistence.annotations": {"a": "b"}, "persistence.selector": {"matchLabels": {"a": "b"}},
                "persistence.enabled": False, "persistence.existingClaim": "x", "nameOverride": "x", "fullnameOverride": "x",
                "namespaceOverride": "x", "commonLabels": {"app.kubernetes.io/name": "x", "app.kubernetes.io/instance": "x"},
                "commonAnnotations": {"a": "b"}, "podLabels": {"app.kubernetes.io/name": "x"}, "annotations": {"a": "b"},
                "image.tag": "x", "replicaCount": 0, "web.existingSecret": "x", "routePrefix": "/x", "service.port": 1,
                "service.labels": {"app.kubernetes.io/name": "x"}, "config.overrides": {"evaluation": {"interval": "5m"}},
                "persistence.retentionPolicy.whenDeleted": "Delete", "backup.enabled": True, "global.imageRegistry": "x",
                "ruleFiles": {"a.yml": "groups: []"}, "runbooks": {"a.md": "x"}, "resources": {}, "serviceAccount.name": "x"}.items():
            values = value
            for key in reversed(path.split(".")):
                values = {key: values}
            changed[path] = self.frozen(self.render_values({**PROMETHEUS, **values})) != before
        self.assertEqual({path for path, differs in changed.items() if differs}, fixed)

    def test_a_changed_configuration_restarts_only_where_asked(self):
        def annotations(mode, interval):
            values = {**PROMETHEUS, "configReload": {"mode": mode}, "config": {"overrides": {"evaluation": {"interval": interval}}}}
            return self.one(self.render_values(values), "StatefulSet")["spec"]["template"]["metadata"]["annotations"]
        self.assertEqual(annotations("builtin", "1m"), annotations("builtin", "2m"))
        self.assertNotEqual(annotations("restart", "1m"), annotations("restart", "2m"))


class Files(ChartTest):
    def test_readme_and_schema_follow_the_values(self):
        done = subprocess.run([sys.executable, SOURCE_DIR / "helm/generate.py", "--check"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_files_that_stand_elsewhere_too_are_the_same(self):
        for here, there in (("mlalert.yml", "deploy/mlalert.yml"), ("mlalert-self.yml", "rules/mlalert-self.yml")):
            self.assertEqual((CHART / "files" / here).read_text(), (SOURCE_DIR / there).read_text(),
                             f"cp {there} helm/mlalert/files/")

    def test_the_pod_that_restores_a_backup_mounts_what_the_chart_makes(self):
        text = (CHART / "README.md").read_text()
        (pod,) = (load(block) for block in re.findall(r"(?ms)^```yaml\n(.*?)^```$", text) if "mlalert-restore" in block)
        self.assertEqual(restricted_problems(pod["spec"]), [])
        objects = self.render_values({"backup": {"enabled": True}})
        claims = {volume["persistentVolumeClaim"]["claimName"] for volume in pod["spec"]["volumes"]}
        spec = self.one(objects, "CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        self.assertEqual(claims, {volume["persistentVolumeClaim"]["claimName"] for volume in spec["volumes"]
                                  if "persistentVolumeClaim" in volume})
        user = self.one(objects, "StatefulSet")["spec"]["template"]["spec"]["securityContext"]["runAsUser"]
        self.assertEqual(pod["spec"]["securityContext"]["runAsUser"], user)

    def test_versions_agree(self):
        version = re.search(r"project\(mlalert VERSION ([0-9.]+)", (SOURCE_DIR / "CMakeLists.txt").read_text())[1]
        self.assertEqual(load((CHART / "Chart.yaml").read_text())["appVersion"], version)

    def test_mlalert_itself_takes_every_configuration_that_the_chart_makes(self):
        for name in VALUE_SETS:
            if name.startswith("existing-"):
                continue
            with self.subTest(name):
                objects = self.render_set(name)
                folder = self.scratch / f"check-{name}"
                folder.mkdir()
                text = self.config_of(objects)
                config = folder / "mlalert.yml"
                # The same paths, below this folder.
                config.write_text(text.replace("/usr/share/mlalert/rules", str(SOURCE_DIR / "rules"))
                                  .replace("/etc/mlalert", str(folder)))
                for suffix in ("rules", "templates"):
                    for item in objects:
                        if item["metadata"]["name"] == f"mlalert-{suffix}":
                            (folder / suffix).mkdir()
                            for file, content in item["data"].items():
                                (folder / suffix / file).write_text(content)
                done = subprocess.run([MLALERT, "check", config], capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                if name == "full":
                    self.assertIn("rules/team.yml: 1 alerting rule", done.stdout)
                    self.assertIn("rules/text.yaml: 1 alerting rule", done.stdout)


if __name__ == "__main__":
    unittest.main()
