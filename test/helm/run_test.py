"""What the chart makes, run: the container's own arguments and the rendered files, with paths below a folder, by the real binary against a
real Prometheus. Kubernetes' part is played by this test: it mounts, probes, calls the pod of `helm test`."""

import json
import re
import subprocess
import sys
import unittest

import yaml

from chart import CHART, MLALERT, SOURCE_DIR, ChartTest

sys.path.insert(0, str(SOURCE_DIR / "test/e2e"))
import harness  # noqa: E402
from harness import wait_until  # noqa: E402


def shipped_alerts():
    return {rule["alert"] for path in (SOURCE_DIR / "rules").glob("*.yml")
            for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]}


class Run(harness.TestCase, ChartTest):
    def mount(self, objects, port):
        """Makes the container's files; its arguments, with their places here."""
        share = self.directory / "share"
        share.mkdir()
        for name in ("rules", "runbooks"):
            (share / name).symlink_to(SOURCE_DIR / "rules" / ("" if name == "rules" else name))
        spec = self.one(objects, "StatefulSet")["spec"]["template"]["spec"]
        container = spec["containers"][0]
        maps = {item["metadata"]["name"]: item["data"] for item in objects if item["kind"] == "ConfigMap"}

        def here(text):
            return (text.replace("/usr/share/mlalert", str(share)).replace("/etc/mlalert", str(self.directory / "etc"))
                    .replace("/var/lib/mlalert", str(self.directory / "data")).replace("=:9093", f"=127.0.0.1:{port}"))

        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        for mount in container["volumeMounts"]:
            source = volumes.get(mount["name"], {}).get("configMap")
            if source:
                folder = self.directory / here(mount["mountPath"])
                folder.mkdir(parents=True)
                for name, text in maps[source["name"]].items():
                    (folder / name).write_text(here(text))
        return container, [here(item) for item in container["args"]]

    def test_one_value_and_the_shipped_rules_are_evaluated(self):
        exporter = self.exporter()
        exporter.set('ml_model_up{model="fraud-v2"}', 0)
        prometheus = self.prometheus(exporter=exporter)
        # Besides the one value: faster, and a runbook of the team's own for this model.
        objects = self.render_values({
            "prometheus": {"url": prometheus.url}, "externalURL": "http://alerts.example.com/ml", "serviceMonitor": {"enabled": True},
            "runbooks": {"serving-down.fraud-v2.md": "Fail over {{model}} to the rules engine: https://wiki.example.com/fraud\n"},
            "config": {"overrides": {"evaluation": {"interval": "1s"},
                                     "models": [{"name": "fraud-v2", "team": "fraud", "contacts": {"l1": "@fraud-oncall"}}]}}})
        port = harness.free_port()
        container, arguments = self.mount(objects, port)
        daemon = self.spawn("mlalert", [MLALERT, *arguments])

        def ready():
            reply = harness.try_request(port, "GET", "/ml/-/ready")
            return not daemon.running() or (reply is not None and reply.status == 200)
        wait_until(ready, "ready")
        self.assertTrue(daemon.running(), daemon.log())
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            self.assertEqual(harness.request(port, "GET", container[probe]["httpGet"]["path"]).status, 200, probe)
        scraped = self.one(objects, "ServiceMonitor")["spec"]["endpoints"][0]["path"]
        self.assertIn("mlalert_build_info", harness.request(port, "GET", scraped).text)

        def rules():
            groups = harness.request(port, "GET", "/ml/api/v1/rules?type=alert").json()["data"]["groups"]
            return {rule["name"]: rule for group in groups for rule in group["rules"]}
        wait_until(lambda: all(rule["health"] == "ok" for rule in rules().values()), "every rule is evaluated well")
        self.assertEqual(set(rules()), shipped_alerts())
        pending = wait_until(lambda: [alert for alert in rules()["MLServingDown"]["alerts"] if alert["state"] == "pending"], "pending")

        # Its runbook: this model's.
        link = pending[0]["annotations"]["runbook_url"]
        self.assertEqual(link, "http://alerts.example.com/ml/runbooks/serving-down?model=fraud-v2")
        page = harness.request(port, "GET", link.removeprefix("http://alerts.example.com"))
        self.assertEqual((page.status, page.headers["Content-Type"]), (200, "text/plain; charset=utf-8"))
        for words in ("team: fraud", "L1: @fraud-oncall", "Fail over fraud-v2 to the rules engine"):
            self.assertIn(words, page.text)
        self.assertIn("low-prediction-volume", harness.request(port, "GET", "/ml/runbooks").text)

        # The pod of `helm test`.
        asked = [item if not item.startswith("--url") else f"--url=http://127.0.0.1:{port}/ml"
                 for item in self.one(objects, "Pod")["spec"]["containers"][0]["args"]]
        done = subprocess.run([MLALERT, *asked], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)
        daemon.stop()
        done = subprocess.run([MLALERT, *asked], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 1, "it can fail")


class Prometheus(ChartTest):
    def promtool(self, groups):
        path = self.scratch / "rules.yml"
        path.write_text(yaml.safe_dump({"groups": groups}))
        return subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, timeout=60)

    def test_promtool_takes_the_rules_of_the_PrometheusRule(self):
        for name in ("full", "subchart"):
            groups = self.one(self.render_set(name), "PrometheusRule")["spec"]["groups"]
            done = self.promtool(groups)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("MlalertDown", json.dumps(groups))

    def test_promtool_takes_every_query_of_the_dashboards(self):
        rules = []
        for path in (CHART / "files/dashboards").glob("*.json"):
            for panel in json.loads(path.read_text())["panels"]:
                for target in panel.get("targets", []):
                    expression = re.sub(r"\$__(rate_)?interval", "5m", target["expr"]).replace("$", "")
                    rules.append({"record": f"panel:query:n{len(rules)}", "expr": expression})
        self.assertGreater(len(rules), 20)
        done = self.promtool([{"name": "panels", "rules": rules}])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = self.promtool([{"name": "panels", "rules": [{"record": "x", "expr": "sum("}]}])
        self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
