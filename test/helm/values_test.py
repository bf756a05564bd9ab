"""What the values of the Helm chart do, and which ones it refuses."""

import json
import os
import re
import subprocess
import sys
import unittest

from chart import CHART, MLALERT, SOURCE_DIR, VALUE_SETS, ChartTest, load

PROMETHEUS = {"prometheus": {"url": "http://prometheus:9090"}}


class Values(ChartTest):
    def args(self, objects):
        return self.one(objects, "StatefulSet")["spec"]["template"]["spec"]["containers"][0]["args"]

    def container(self, objects):
        return self.one(objects, "StatefulSet")["spec"]["template"]["spec"]["containers"][0]

    def test_one_value_is_all_that_the_shipped_rules_need(self):
        objects = self.render("--set", "prometheus.url=http://prometheus:9090")
        config = load(self.config_of(objects))
        self.assertEqual(config["datasources"], [{"name": "default", "url": "http://prometheus:9090", "timeout": "30s"}])
        self.assertEqual(config["rule_files"], ["/usr/share/mlalert/rules/*.yml"])
        self.assertIn("--config.auto-reload-interval=30s", self.args(objects))
        shipped = load((SOURCE_DIR / "deploy/mlalert.yml").read_text())
        for key in ("route", "inhibit_rules", "incidents", "incident_policies", "history"):
            self.assertEqual(config[key], shipped[key], key)

    def test_the_prefix_stands_wherever_a_path_is_asked(self):
        for values in ({"routePrefix": "/ml/"}, {"externalURL": "https://example.com/ml/"}):
            objects = self.render_values({**values, "serviceMonitor": {"enabled": True}, "tests": {"enabled": True},
                                          "ingress": {"enabled": True, "hosts": [{"host": "h"}]},
                                          "httpRoute": {"enabled": True, "parentRefs": [{"name": "g"}]}})
            container = self.container(objects)
            self.assertIn("--web.route-prefix=/ml", container["args"])
            self.assertEqual(container["startupProbe"]["httpGet"]["path"], "/ml/-/healthy")
            self.assertEqual(container["livenessProbe"]["httpGet"]["path"], "/ml/-/healthy")
            self.assertEqual(container["readinessProbe"]["httpGet"]["path"], "/ml/-/ready")
            self.assertEqual(self.one(objects, "ServiceMonitor")["spec"]["endpoints"][0]["path"], "/ml/metrics")
            self.assertIn("--url=http://mlalert.ml.svc:9093/ml", self.one(objects, "Pod")["spec"]["containers"][0]["args"])
            self.assertEqual(self.one(objects, "Ingress")["spec"]["rules"][0]["http"]["paths"][0]["path"], "/ml")
            rule = self.one(objects, "HTTPRoute")["spec"]["rules"][0]
            self.assertEqual(rule["matches"][0]["path"]["value"], "/ml")

    def test_secrets_are_files_and_never_environment(self):
        objects = self.render_set("receivers")
        config = load(self.config_of(objects))
        receivers = {item["name"]: item for item in config["receivers"]}
        self.assertEqual(receivers["slack"]["slack_configs"][0]["api_url_file"], "/etc/mlalert/secrets/slack/webhook")
        self.assertEqual(receivers["page"]["pagerduty_configs"][0]["routing_key_file"],
                         "/etc/mlalert/secrets/pagerduty/routing-key")
        mounts = {mount["mountPath"]: mount for mount in self.container(objects)["volumeMounts"]}
        self.assertTrue(mounts["/etc/mlalert/secrets/slack"]["readOnly"])
        self.assertNotIn("subPath", json.dumps(list(mounts.values())), "a subPath mount never updates")
        for name in VALUE_SETS:
            if name != "full":
                self.assertNotIn("env", self.container(self.render_set(name)), name)

    def test_an_existing_configuration_makes_none(self):
        for name, source in (("existing-secret", {"secret": {"secretName": "my-config"}}),
                             ("existing-configmap", {"configMap": {"name": "my-config"}})):
            objects = self.render_set(name)
            self.assertFalse([item for item in objects if item["metadata"]["name"].endswith("-config")])
            volumes = self.one(objects, "StatefulSet")["spec"]["template"]["spec"]["volumes"]
            self.assertIn({"name": "config", **source}, volumes)

    def test_templates_of_notifications_are_left_alone(self):
        config = load(self.config_of(self.render_set("own-config")))
        slack = config["receivers"][0]["slack_configs"][0]
        self.assertEqual(slack["title"], '{{ template "slack.default.title" . }}')
        self.assertEqual(self.one(self.render_set("own-config"), "Secret")["metadata"]["name"], "mlalert-config")
        self.assertTrue(self.config_of(self.render_set("text-config")).startswith("# comments stay\n"))

    def test_probes_do_not_need_the_password(self):
        container = self.container(self.render_set("web-tls"))
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            self.assertEqual(container[probe]["tcpSocket"], {"port": "http"})

    def test_only_the_web_service_is_scraped(self):
        objects = self.render_set("full")
        selector = self.one(objects, "ServiceMonitor")["spec"]["selector"]["matchLabels"].items()
        scraped = [item["metadata"]["name"] for item in objects
                   if item["kind"] == "Service" and selector <= item["metadata"]["labels"].items()]
        self.assertEqual(scraped, ["mlalert"])

    def test_notes_tell_three_commands_and_warn(self):
        def notes(*arguments):
            return self.helm("install", "mlalert", CHART, "--dry-run=client", *arguments).split("NOTES:\n", 1)[1]
        text = notes("--set", "prometheus.url=http://p:9090", "--set", "persistence.enabled=false")
        self.assertEqual(len(re.findall(r"(?m)^  kubectl ", text)), 3)
        for words in ("NOBODY IS PAGED", "NO VOLUME", "http://p:9090", 'targets: ["mlalert.default.svc:9093"]'):
            self.assertIn(words, text)
        text = notes("-f", CHART / "ci/receivers-values.yaml")
        self.assertNotIn("NOBODY IS PAGED", text)
        for name in VALUE_SETS:
            self.assertIn("kubectl", notes("-f", CHART / f"ci/{name}-values.yaml"))

    def test_bad_values_are_refused_with_a_word_that_helps(self):
        for values, words in (
                ({"replicaCount": 2}, "replicaCount is 2: mlalert keeps its state in one SQLite file"),
                ({"replcaCount": 1}, "additional properties 'replcaCount' not allowed"),
                ({"prometheus": {"ur": "x"}}, "additional properties 'ur' not allowed"),
                ({"prometheus": {"url": "prometheus:9090"}}, "must be a URL as http://prometheus:9090"),
                ({"prometheus": {"timeout": "30"}}, "prometheus/timeout"),
                ({"config": {"existingSecret": "a", "existingConfigMap": "b"}}, "keep one of them"),
                ({"config": {"existingSecret": "a", "data": {"route": {}}}}, "keep one of them"),
                ({"config": {"text": "a", "data": {"route": {}}}}, "keep one of them"),
                ({"config": {"text": "a", "overrides": {"route": {}}}}, "keep one of them"),
                ({**PROMETHEUS, "config": {"text": "a"}}, "prometheus.url belongs to the default configuration"),
                ({"slack": {"existingSecret": "s"}, "config": {"text": "a"}}, "secretMounts"),
                ({"logLevel": "verbose"}, "value must be one of 'debug', 'info', 'warn', 'error'"),
                ({"service": {"port": 0}}, "minimum: got 0, want 1"),
                ({"service": {"port": "9093"}}, "got string, want integer"),
                ({"externalURL": "mlalert.example.com"}, "must be a URL as https://mlalert.example.com"),
                ({"routePrefix": "ml"}, "must begin with a slash"),
                ({"ingress": {"enabled": True}}, "name a host"),
                ({"httpRoute": {"enabled": True}}, "name the Gateway"),
                ({"extraArgs": {"storage.path": "/x"}}, "the chart sets --storage.path itself"),
                ({"extraArgs": {"--log.silences": ""}}, "without its dashes"),
                ({"ruleFiles": {"team.txt": "x"}}, "must end in .yml or .yaml"),
                ({"secretMounts": [{"name": "a", "secretName": "s"}, {"name": "a", "secretName": "t"}]}, "two mounts are called"),
                ({"runbooks": {"serving.down": "x"}}, "must be NAME.md or NAME.MODEL.md"),
                ({"backup": {"enabled": True}, "persistence": {"enabled": False}}, "there is no volume to copy from"),
                ({"backup": {"enabled": True}, "persistence": {"accessModes": ["ReadWriteOncePod"]}}, "use ReadWriteOnce"),
                ({"backup": {"schedule": "daily"}}, "backup/schedule"),
                ({"extraArgs": {"runbooks.path": "/x"}}, "the chart sets --runbooks.path itself"),
                ({"secretMounts": [{"name": "a"}]}, "missing property 'secretName'"),
                ({"image": {"digest": "sha256:short"}}, "image/digest"),
                ({"configReload": {"mode": "sidecar"}}, "value must be one of"),
                ({"persistence": {"size": "big"}}, "persistence/size"),
                ({"persistence": {"accessModes": []}}, "minItems"),
        ):
            self.assertIn(words, self.refusal(values), values)

    def test_labels_of_the_user_break_no_selector(self):
        values = {"commonLabels": {"app.kubernetes.io/name": "x", "app.kubernetes.io/part-of": "x", "helm.sh/chart": "mine", "a": "b"},
                  "service": {"labels": {"app.kubernetes.io/instance": "x", "app.kubernetes.io/component": "x", "c": "d"}},
                  "serviceMonitor": {"enabled": True}, "podDisruptionBudget": {"enabled": True}, "networkPolicy": {"enabled": True}}
        objects = self.render_values(values)
        pod = self.one(objects, "StatefulSet")["spec"]["template"]["metadata"]["labels"]
        for kind in ("PodDisruptionBudget", "NetworkPolicy"):
            spec = self.one(objects, kind)["spec"]
            wanted = (spec.get("selector") or spec["podSelector"])["matchLabels"]
            self.assertLessEqual(wanted.items(), pod.items(), kind)
        web = self.one(objects, "Service", "mlalert")["metadata"]["labels"]
        self.assertLessEqual(self.one(objects, "ServiceMonitor")["spec"]["selector"]["matchLabels"].items(), web.items())
        self.assertEqual((web["a"], web["c"], web["helm.sh/chart"]), ("b", "d", "mine"))

    def test_the_job_is_called_mlalert_whatever_the_release_is_called(self):
        """The alerts about mlalert select by the name of the job."""
        objects = self.render_set("subchart")
        label = self.one(objects, "ServiceMonitor")["spec"]["jobLabel"]
        self.assertEqual(self.one(objects, "Service", "alerts")["metadata"]["labels"][label], "mlalert")
        rules = json.dumps(self.one(objects, "PrometheusRule")["spec"])
        self.assertIn('job=~\\".*mlalert.*\\"', rules)

    def test_a_network_policy_lets_the_test_in_and_nobody_else(self):
        objects = self.render_set("subchart")
        (rule,) = self.one(objects, "NetworkPolicy")["spec"]["ingress"]
        self.assertEqual(len(rule["from"]), 2)
        self.assertIn("namespaceSelector", rule["from"][0])
        test = self.one(objects, "Pod")["metadata"]["labels"]
        self.assertLessEqual(rule["from"][1]["podSelector"]["matchLabels"].items(), test.items())
        closed = self.render_values({"tests": {"enabled": False}, "networkPolicy": {"enabled": True, "ingress": [{"podSelector": {}}]}})
        self.assertEqual(self.one(closed, "NetworkPolicy")["spec"]["ingress"][0]["from"], [{"podSelector": {}}])

    def test_a_probe_of_the_users_takes_the_place_of_ours(self):
        container = self.container(self.render_set("subchart"))
        self.assertEqual(container["readinessProbe"]["httpGet"]["httpHeaders"], [{"name": "X-Probe", "value": "1"}])
        self.assertEqual(container["livenessProbe"]["httpGet"]["path"], "/-/healthy")
        with_password = self.container(self.render_values(
            {"web": {"existingSecret": "web"}, "livenessProbe": {"exec": {"command": ["/usr/bin/mlalert", "version"]}}}))
        self.assertEqual(set(with_password["livenessProbe"]) & {"exec", "tcpSocket", "httpGet"}, {"exec"})

    def test_images_come_from_where_the_containing_chart_says(self):
        objects = self.render_set("subchart")
        specs = [self.one(objects, "StatefulSet")["spec"]["template"]["spec"], self.one(objects, "Pod")["spec"],
                 self.one(objects, "CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]]
        for spec in specs:
            self.assertTrue(spec["containers"][0]["image"].startswith("registry.internal:5000/mlalert/mlalert:"), spec)
            self.assertEqual(spec["imagePullSecrets"], [{"name": "internal"}, {"name": "second"}])
        tagged = self.render_values({"image": {"registry": "", "repository": "mine", "tag": "1"}})
        self.assertEqual(self.container(tagged)["image"], "mine:1")

    def test_a_backup_is_taken_and_old_ones_go(self):
        """The script of the CronJob, run with the real binary on a real database."""
        objects = self.render_values({"backup": {"enabled": True, "keep": 2}})
        spec = self.one(objects, "CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        volumes = {item["name"]: item for item in spec["volumes"]}
        self.assertEqual(volumes["data"]["persistentVolumeClaim"]["claimName"], "data-mlalert-0")
        self.assertEqual(volumes["backup"]["persistentVolumeClaim"]["claimName"],
                         self.one(objects, "PersistentVolumeClaim")["metadata"]["name"])
        selector = spec["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0]["labelSelector"]
        self.assertEqual(selector, self.one(objects, "StatefulSet")["spec"]["selector"])
        data, target, binaries = (self.scratch / name for name in ("data", "backup", "bin"))
        for folder in (data, target, binaries):
            folder.mkdir()
        (binaries / "mlalert").symlink_to(MLALERT)
        config = self.scratch / "mlalert.yml"
        config.write_text("route: {receiver: r}\nreceivers: [{name: r}]\n")
        daemon = subprocess.Popen([MLALERT, "serve", f"--config.file={config}", f"--storage.path={data}",
                                   "--web.listen-address=127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
        try:
            for line in daemon.stderr:
                if "Listening on" in line:
                    break
            for name in ("mlalert-20200101T000000Z.db", "mlalert-20210101T000000Z.db", "other.db"):
                (target / name).write_text("")
            command = [part.replace("/var/lib/mlalert", str(data)).replace("/backup", str(target))
                       for part in spec["containers"][0]["command"]]
            done = subprocess.run(command, env={**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}"},
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        finally:
            daemon.terminate()
            daemon.communicate(timeout=30)
        names = sorted(path.name for path in target.iterdir())
        self.assertEqual(len(names), 3, names)
        self.assertEqual([names[0], names[2]], ["mlalert-20210101T000000Z.db", "other.db"])
        checked = subprocess.run([MLALERT, "history", "check", target / names[1]], capture_output=True, text=True, timeout=60)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_runbooks_are_served_from_values_maps_and_the_image_in_that_order(self):
        folders = [item.split("=", 1)[1] for item in self.args(self.render_set("full")) if item.startswith("--runbooks.path=")]
        self.assertEqual(folders, ["/etc/mlalert/runbooks", "/etc/mlalert/runbooks-from/team-runbooks", "/usr/share/mlalert/runbooks"])
        mounts = {mount["mountPath"] for mount in self.container(self.render_set("full"))["volumeMounts"]}
        self.assertLessEqual(set(folders[:2]), mounts)

    def test_a_chart_that_contains_this_one_may_set_what_helm_gives_it(self):
        self.render_values({"global": {"anything": [1]}, "enabled": True})


# By value: something that differs from what full-values.yaml has, where a rule below does not find it.
OTHER = {
    "config.text": "route: {receiver: x}",
    "externalURL": "https://other.example.com/x",
    "routePrefix": "/other",
    "image.digest": "sha256:" + "f" * 64,
    "prometheus.timeout": "7s",
    "configReload.interval": "7s",
    "configReload.mode": "restart",
    "logLevel": "warn",
    "logFormat": "json",
    "image.pullPolicy": "Never",
    "persistence.size": "3Gi",
    "persistence.accessModes": ["ReadWriteMany"],
    "persistence.retentionPolicy.whenDeleted": "Retain",
    "persistence.retentionPolicy.whenScaled": "Delete",
    "service.type": "NodePort",
    "service.ipFamilyPolicy": "SingleStack",
    "serviceMonitor.interval": "7s",
    "prometheus.url": "http://other:9090",
    "ingress.hosts": [{"host": "other"}],
    "imagePullSecrets": [{"name": "other"}],
    "secretMounts": [{"name": "other", "secretName": "other"}],
    "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}}],
    "dnsPolicy": "Default",
    "runbooks": {"other.md": "x"},
    "backup.schedule": "@daily",
    "backup.size": "3Gi",
    "backup.accessModes": ["ReadWriteOnce"],
    "service.externalTrafficPolicy": "Cluster",
    "replicaCount": 0,
    "podDisruptionBudget.maxUnavailable": "50%",
    "ruleFiles": {"other.yml": "groups: []"},
}
# Those that need other values beside them to be seen, and what these are.
BESIDE = {
    "config.data": {"prometheus": {"url": ""}, "slack": {"existingSecret": ""}, "pagerduty": {"existingSecret": ""}},
    "image.tag": {"image": {"digest": ""}},
    "persistence.enabled": {"backup": {"enabled": False}},
    "persistence.emptyDir": {"persistence": {"enabled": False}, "backup": {"enabled": False}},
    "web.key": {"web": {"existingSecret": "web"}},
}
BESIDE["config.text"] = BESIDE["config.existingConfigMap"] = BESIDE["config.existingSecret"] = BESIDE["config.data"]
# Seen in NOTES only, or by intention not at all.
UNSEEN = {"global", "enabled"}


def merged(base, over):
    out = dict(base)
    for key, value in over.items():
        out[key] = merged(out[key], value) if isinstance(value, dict) and isinstance(out.get(key), dict) else value
    return out


def nested(path, value):
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


class EveryValue(ChartTest):
    def text_of(self, values):
        path = self.scratch / "values.yaml"
        path.write_text(json.dumps(values))
        return self.render_text("-f", path)

    def test_every_documented_value_changes_something(self):
        sys.path.insert(0, str(SOURCE_DIR / "helm"))
        import generate
        text = (CHART / "values.yaml").read_text()
        defaults = load(text)
        full = merged(defaults, load((CHART / "ci/full-values.yaml").read_text()))
        paths = [path for _, rows in generate.read_comments(text) for path, _ in rows]
        self.assertGreater(len(paths), 90)
        dead = []
        before = {}
        for path in paths:
            if path in UNSEEN:
                continue
            default = generate.lookup(defaults, path)
            if isinstance(default, dict) and default and path not in generate.RULES:
                continue
            present = generate.lookup(full, path)
            if path in OTHER:
                other = OTHER[path]
            elif isinstance(present, bool):
                other = not present
            elif isinstance(present, int):
                other = present + 1
            elif isinstance(present, str):
                other = "other"
            elif isinstance(present, list):
                other = [{"name": "other"}] if generate.RULES.get(path, {}).get("items", {}).get("type") == "object" else ["other"]
            else:
                other = {"other": "value"} if path != "persistence.emptyDir" else {"sizeLimit": "7Mi"}
            base = merged(full, BESIDE.get(path, {}))
            key = repr(BESIDE.get(path))
            if key not in before:
                before[key] = self.text_of(base)
            if before[key] == self.text_of(merged(base, nested(path, other))):
                dead.append(path)
        self.assertEqual(dead, [])


if __name__ == "__main__":
    unittest.main()
