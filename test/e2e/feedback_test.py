"""What people say about incidents and what they changed: over HTTP and the command line, read back everywhere."""

import time

import harness
from harness import wait_until

CONFIG = """
route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
- name: hook
  webhook_configs: [{{url: "{url}/hook"}}]
"""
LABELS = {"alertname": "Drift", "model": "fraud", "severity": "P1"}


class Case(harness.TestCase):
    def start(self):
        self.hub = self.sink()
        self.daemon = self.mlalert(CONFIG.format(url=self.hub.url))
        return self.daemon

    def fire(self, **labels):
        labels = {**LABELS, **labels}
        self.daemon.post_alerts({"labels": labels, "endsAt": harness.rfc3339(time.time() + 3600)})
        return wait_until(lambda: self.daemon.only_incident(alertname=labels["alertname"], model=labels["model"]),
                          "the incident")["id"]

    def rows(self, sql, *parameters):
        return [tuple(row.values()) for row in self.daemon.rows(sql, *parameters)]

    def level(self, incident):
        rows = self.rows("SELECT action_level FROM v_action_evidence WHERE incident_id = ?", incident)
        return rows[0][0] if rows else None

    def say(self, incident, **body):
        return self.daemon.post(f"/api/mlalert/v1/incidents/{incident}/feedback", body)


class Feedback(Case):
    def test_the_four_verdicts_are_taken_and_shown(self):
        self.start()
        incident = self.fire()
        for number, verdict in enumerate(("acted", "not_actionable", "false_alarm", "poor_details")):
            reply = self.say(incident, actor=f"user{number}", verdict=verdict, comment="why")
            self.assertEqual((reply.status, reply.json()["feedback"]["verdict"]), (200, verdict), reply.text)
        detail = self.daemon.incident(incident)
        self.assertEqual([row["verdict"] for row in detail["feedback"]],
                         ["acted", "not_actionable", "false_alarm", "poor_details"])
        self.assertEqual(detail["action_level"], "A2")
        self.assertEqual([event["to"] for event in detail["events"] if event["type"] == "feedback"],
                         ["acted", "not_actionable", "false_alarm", "poor_details"])
        self.assertEqual(self.level(incident), "A2")

    def test_after_the_end_and_after_a_restart(self):
        self.start()
        incident = self.fire()
        self.daemon.resolve(LABELS)
        wait_until(lambda: self.daemon.incident(incident)["state"] == "resolved", "the end")
        self.daemon.restart()
        self.assertEqual(self.say(incident, actor="ada", verdict="acted").status, 200)
        self.assertEqual(self.level(incident), "A2")
        self.daemon.restart()
        self.assertEqual(self.level(incident), "A2")

    def test_what_is_wrong_is_refused_with_a_reason(self):
        self.start()
        incident = self.fire()
        for body, status, words in (
                ({"verdict": "acted"}, 400, "actor"),
                ({"actor": "ada"}, 400, "verdict"),
                ({"actor": "ada", "verdict": "great"}, 400, "great"),
                ({"actor": "ada", "verdict": "acted", "resolution": "magic"}, 400, "magic"),
                ({"actor": "ada", "verdict": "acted", "link": "javascript:alert(1)"}, 400, "link"),
                ({"actor": "ada", "verdict": "acted", "vedict": "x"}, 400, "vedict")):
            reply = self.say(incident, **body)
            self.assertEqual(reply.status, status, reply.text)
            self.assertIn(words, reply.text)
        self.assertEqual(self.say(999, actor="ada", verdict="acted").status, 404)
        self.assertEqual(self.rows("SELECT count(*) FROM feedback")[0][0], 0)

    def test_command_line(self):
        self.start()
        incident = self.fire()
        done = self.daemon.cli("feedback", str(incident), "false_alarm", "--as", "ada", "--comment", "threshold")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("false_alarm", done.stdout)
        self.assertEqual(self.rows("SELECT actor, verdict, comment, counts FROM v_feedback"),
                         [("ada", "false_alarm", "threshold", 1)])
        for verdict in ("acted", "not_actionable", "poor_details"):
            done = self.daemon.cli("feedback", str(incident), verdict, "--as", f"of-{verdict}")
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.rows("SELECT actor, verdict FROM v_feedback WHERE actor LIKE 'of-%' ORDER BY verdict"),
                         [(f"of-{verdict}", verdict) for verdict in ("acted", "not_actionable", "poor_details")])
        self.assertEqual(self.level(incident), "A2")
        self.assertEqual(self.daemon.cli("feedback", "77", "acted", "--as", "ada").returncode, 3)
        self.assertEqual(self.daemon.cli("feedback", str(incident), "nice", "--as", "ada").returncode, 2)


class Changes(Case):
    def change(self, **body):
        return self.daemon.post("/api/mlalert/v1/changes", body)

    def test_a_rollback_while_it_burns_is_an_act(self):
        self.start()
        incident = self.fire()
        other = self.fire(model="churn")
        reply = self.change(kind="rollback", model="fraud", actor="ci", to="v41", url="https://ci/1")
        self.assertEqual((reply.status, reply.json()["incidents"]), (200, [incident]), reply.text)
        self.assertEqual((self.level(incident), self.level(other)), ("A2", "A0"))
        linked = self.daemon.incident(incident)["changes"]
        self.assertEqual([(c["kind"], c["to"], c["relation"]) for c in linked], [("rollback", "v41", "during")])

    def test_a_deploy_before_is_shown_and_is_no_act(self):
        self.start()
        before = harness.rfc3339(time.time() - 600)
        self.assertEqual(self.change(kind="deploy", model="fraud", at=before).status, 200)
        incident = self.fire()
        linked = wait_until(lambda: self.daemon.incident(incident)["changes"], "the change")
        self.assertEqual([(c["kind"], c["relation"]) for c in linked], [("deploy", "before")])
        self.assertLess(linked[0]["seconds_after_opening"], -500)
        self.assertEqual(self.level(incident), "A0")

    def test_said_twice_with_one_id_it_counts_once(self):
        self.start()
        first = self.change(kind="deploy", model="fraud", id="build-7").json()
        again = self.change(kind="deploy", model="fraud", id="build-7")
        self.assertEqual((again.status, again.json()["id"]), (200, first["id"]))
        self.assertEqual(self.rows("SELECT count(*) FROM changes")[0][0], 1)

    def test_what_is_wrong_is_refused(self):
        self.start()
        for body, words in (({"model": "fraud"}, "kind"), ({"kind": "explode", "model": "fraud"}, "explode"),
                            ({"kind": "deploy"}, "model"), ({"kind": "deploy", "model": "m", "at": "later"}, "at"),
                            ({"kind": "deploy", "model": "m", "at": "2100-01-01T00:00:00Z"}, "future"),
                            ({"kind": "deploy", "model": "m", "url": "ftp://x"}, "url")):
            reply = self.change(**body)
            self.assertEqual(reply.status, 400, reply.text)
            self.assertIn(words, reply.text)

    def test_list_and_command_line(self):
        self.start()
        done = self.daemon.cli("changes", "add", "--kind", "retrain", "--pipeline", "nightly", "--automatic",
                               "--as", "ada")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.change(kind="deploy", model="fraud", actor="bob")
        listed = self.daemon.get("/api/mlalert/v1/changes?limit=1").json()
        self.assertEqual([c["kind"] for c in listed["changes"]], ["deploy"])
        page = self.daemon.get(f"/api/mlalert/v1/changes?limit=1&before_id={listed['next_before_id']}").json()
        self.assertEqual([(c["kind"], c["automatic"]) for c in page["changes"]], [("retrain", True)])
        listed = self.daemon.get("/api/mlalert/v1/changes?model=fraud").json()
        self.assertEqual(len(listed["changes"]), 1)
        table = self.daemon.cli("changes", "list")
        self.assertIn("nightly", table.stdout)
        self.assertEqual(self.daemon.get("/api/mlalert/v1/changes?kind=x").status, 400)


class Quiet(Case):
    def test_a_silenced_time_is_one_row_with_both_ends(self):
        self.start()
        silence = self.daemon.post("/api/v2/silences", {
            "matchers": [{"name": "alertname", "value": "Drift", "isRegex": False, "isEqual": True}],
            "startsAt": harness.rfc3339(time.time()), "endsAt": harness.rfc3339(time.time() + 600),
            "createdBy": "ada", "comment": "known"}).json()["silenceID"]
        incident = self.fire()
        mutes = wait_until(lambda: self.daemon.incident(incident)["mutes"], "the interval")
        self.assertEqual([(m["kind"], m["by"], m["ended_at"]) for m in mutes], [("silenced", silence, None)])
        harness.request(self.daemon.port, "DELETE", f"/api/v2/silence/{silence}")
        wait_until(lambda: self.daemon.incident(incident)["mutes"][0]["ended_at"], "its end")
        self.assertEqual(self.rows("SELECT kind, end_reason, count(*) FROM mutes"), [("silenced", "over", 1)])


if __name__ == "__main__":
    harness.main()
