"""The rules API beside a real Prometheus that evaluates the same file, and what only mlalert tells of a rule."""

import json
import subprocess
import urllib.parse

import harness
from harness import request, wait_until

RULES = {"groups": [
    {"name": "one", "interval": "1s", "limit": 9, "rules": [
        {"record": "job:ml:max", "expr": "max by(job)(ml_drift)", "labels": {"team": "infra"}},
        {"alert": "Drift", "expr": "ml_drift>0.5", "labels": {"severity": "P2", "team": "ml"},
         "annotations": {"summary": "{{ $value }} < 1"}},
        {"alert": "Quiet", "expr": "ml_drift > 5", "for": "90s", "labels": {"severity": "P1"}}]},
    {"name": "two", "interval": "1s", "rules": [{"alert": "Slow", "expr": "ml_slow > 0", "for": "1h"}]}]}

# What two evaluators cannot agree on.
VOLATILE = {"evaluationTime", "lastEvaluation", "activeAt", "file"}


def comparable(value):
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items() if key not in VOLATILE}
    return [comparable(item) for item in value] if isinstance(value, list) else value


class RulesApi(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.metrics = self.exporter()
        self.metrics.set('ml_drift{model="a"}', 0.75)
        self.metrics.set("ml_slow", 1)
        self.peer = self.prometheus(exporter=self.metrics, rules=json.dumps(RULES))
        rules = self.write("rules.yml", json.dumps(RULES))
        self.daemon = self.mlalert(f"""
datasources: [{{url: "http://user:hunter2@127.0.0.1:{self.peer.port}", headers: {{X-Api-Token: hunter2}}}}]
rule_files: ["{rules}"]
evaluation: {{interval: 1s, resend_delay: 1s}}
route: {{receiver: none}}
receivers: [{{name: none}}]
""")

    def names(self, query, port=None):
        reply = request(port or self.daemon.port, "GET", "/api/v1/rules?" + query)
        self.assertEqual(reply.status, 200, reply)
        return [rule["name"] for group in reply.json()["data"]["groups"] for rule in group["rules"]]

    def test_the_same_json_as_prometheus(self):
        def both():
            return [comparable(request(port, "GET", "/api/v1/rules").json()) for port in (self.daemon.port, self.peer.port)]

        def normal(answers):
            ours, theirs = answers
            # Recording rules are left to Prometheus, and Debian's does not know the newest fields.
            for answer in answers:
                for group in answer["data"]["groups"]:
                    group["rules"] = [{**{"keepFiringFor": 0}, **rule} for rule in group["rules"] if rule["type"] == "alerting"]
            return ours == theirs and json.dumps(ours).count('"firing"') == 2
        wait_until(lambda: normal(both()), "equal answers")
        for port in (self.daemon.port, self.peer.port):
            alerts = request(port, "GET", "/api/v1/alerts").json()["data"]["alerts"]
            self.assertEqual(sorted((a["labels"]["alertname"], a["state"], a["value"]) for a in alerts),
                             [("Drift", "firing", "7.5e-01"), ("Slow", "pending", "1e+00")])
        theirs = request(self.peer.port, "GET", "/api/v1/status/buildinfo").json()["data"]
        self.assertEqual(set(self.daemon.get("/api/v1/status/buildinfo").json()["data"]), set(theirs))

    def test_filters_and_pages(self):
        wait_until(lambda: self.daemon.rule("Drift")["state"] == "firing", "fires")
        self.assertEqual(self.names("type=record"), ["job:ml:max"])
        self.assertEqual(self.names("type=alert"), ["Drift", "Quiet", "Slow"])
        self.assertEqual(self.names("rule_name[]=Drift&rule_name[]=Slow"), ["Drift", "Slow"])
        self.assertEqual(self.names("rule_group[]=two"), ["Slow"])
        self.assertEqual(self.names("match[]=" + urllib.parse.quote('{severity=~"P1|P2"}')), ["Drift", "Quiet"])
        self.assertEqual(self.names("match[]=" + urllib.parse.quote('{team="infra"}')), ["job:ml:max"])
        self.assertEqual(self.names("state=firing"), ["Drift"])
        self.assertEqual(self.names("type=alert&health=ok"), ["Drift", "Quiet", "Slow"])
        page = self.daemon.get("/api/v1/rules?group_limit=1").json()["data"]
        self.assertEqual([group["name"] for group in page["groups"]], ["one"])
        token = page["groupNextToken"]
        page = self.daemon.get(f"/api/v1/rules?group_limit=1&group_next_token={token}").json()["data"]
        self.assertEqual([group["name"] for group in page["groups"]], ["two"])
        self.assertNotIn("groupNextToken", page)
        recording = self.daemon.rule("job:ml:max")
        self.assertEqual((recording["query"], recording["labels"]), ("max by (job) (ml_drift)", {"team": "infra"}))

    def test_the_last_evaluations_with_a_query_to_paste(self):
        def drift():
            found = self.daemon.get("/api/mlalert/v1/rules?name=Drift").json()["rules"]
            return self.daemon.get("/api/mlalert/v1/rules/" + found[0]["id"]).json()
        wait_until(lambda: len(drift()["evaluations"]) >= 3 and drift()["firing"], "three evaluations")
        rule = drift()
        self.assertEqual((rule["name"], rule["file"].rsplit("/", 1)[1], rule["group"]), ("Drift", "rules.yml", "one"))
        newest = rule["evaluations"][0]
        self.assertEqual((newest["series"], newest["error"]), (1, None))
        self.assertGreater(newest["at"], rule["evaluations"][1]["at"])
        self.assertNotIn("hunter2", json.dumps(rule))
        self.assertIn("-u '<secret>'", newest["curl"])
        # It is a command: what it says is what the rule saw.
        answer = subprocess.run(["sh", "-c", newest["curl"]], capture_output=True, text=True, timeout=20, check=True)
        result = json.loads(answer.stdout)["data"]["result"]
        self.assertEqual([(r["metric"]["model"], r["value"][1]) for r in result], [("a", "0.75")])
        # A failure is in the list with its reason.
        self.peer.kill()
        wait_until(lambda: drift()["evaluations"][0]["error"], "the error is listed")
        self.assertEqual(self.daemon.get("/api/mlalert/v1/rules/0123").status, 404)

    def test_metrics_under_the_names_of_prometheus(self):
        wait_until(lambda: self.daemon.metric("ALERTS", alertname="Drift", alertstate="firing") == 1, "ALERTS")
        wait_until(lambda: self.daemon.metric("ALERTS", alertname="Slow", alertstate="pending") == 1, "ALERTS of the slow one")
        self.assertAlmostEqual(self.daemon.metric("ALERTS_FOR_STATE", alertname="Slow"), harness.time.time(), delta=60)
        group = str(self.directory / "rules.yml") + ";one"
        theirs = harness.parse_metrics(request(self.peer.port, "GET", "/metrics").text)
        ours = harness.parse_metrics(self.daemon.get("/metrics").text)
        for name in theirs:
            # Summaries have their sum and count here, no quantiles.
            if name.startswith("prometheus_rule_") and "restore" not in name and name + "_sum" not in theirs:
                self.assertIn(name, ours)
        self.assertEqual(self.daemon.metric("prometheus_rule_group_rules", rule_group=group), 3)
        self.assertEqual(self.daemon.metric("prometheus_rule_group_interval_seconds", rule_group=group), 1)
        self.assertGreater(self.daemon.metric("prometheus_rule_evaluations_total", rule_group=group), 1)
        self.assertGreater(self.daemon.metric("mlalert_rule_evaluation_duration_seconds_count"), 0)
        self.assertGreater(self.daemon.metric("mlalert_rule_evaluation_lag_seconds_count"), 0)
        self.assertEqual(self.daemon.metric("mlalert_rule_evaluation_failures_total", reason="datasource"), 0)
        self.peer.kill()
        wait_until(lambda: self.daemon.metric("mlalert_rule_evaluation_failures_total", reason="datasource") > 0, "failures")
        self.assertEqual(self.daemon.metric("mlalert_rule_evaluation_failures_total", reason="query"), 0)



if __name__ == "__main__":
    harness.main()
