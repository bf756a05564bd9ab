"""By when somebody ought to act: API, command line and metrics agree on who is due, met, breached."""

import json
import time

import harness
from harness import wait_until

CONFIG = """
route: {receiver: nobody}
receivers: [{name: nobody}]
incidents: {identity: [alertname, model]}
incident_policies: [{name: p}]
response_targets: {P0: 1s, P1: 1h, P2: 1h, P3: none}
"""


class ResponseTargets(harness.TestCase):
    def names(self, query):
        return sorted(incident["alertname"] for incident in self.daemon.incidents(query))

    def told(self, response, *more):
        reply = self.daemon.cli("incidents", "--json", "--response", response, *more)
        self.assertEqual(reply.returncode, 0, reply.stderr)
        return sorted(incident["alertname"] for incident in json.loads(reply.stdout)["incidents"])

    def count(self, state):
        return self.daemon.metric("mlalert_incidents_response", state=state)

    def test_api_command_line_and_metric_agree(self):
        self.daemon = self.mlalert(CONFIG)
        ends = harness.rfc3339(time.time() + 3600)
        for name, severity in (("Slow", "P0"), ("Taken", "P1"), ("Waits", "P2"), ("Calm", "P3")):
            self.daemon.post_alerts({"labels": {"alertname": name, "model": "m", "severity": severity}, "endsAt": ends})
        taken = wait_until(lambda: self.daemon.only_incident(alertname="Taken"), "the incident")
        self.assertEqual(self.daemon.ack(taken["id"], actor="ann").status, 200)
        wait_until(lambda: self.names("response=breached") == ["Slow"], "nobody acted within a second")
        want = {"due": ["Waits"], "met": ["Taken"], "breached": ["Slow"]}
        for response, names in want.items():
            with self.subTest(response):
                self.assertEqual(self.names(f"response={response}"), names)
                self.assertEqual(self.names(f"state=all&response={response}"), names)
                self.assertEqual(self.told(response), names)
                self.assertEqual(self.count(response), 1)
        self.assertEqual(self.names("response=met&severity=P0"), [])
        # An answer that comes too late does not undo the breach, and what is over stays findable.
        slow = self.daemon.only_incident(alertname="Slow")
        self.assertEqual(self.daemon.ack(slow["id"], actor="ann").status, 200)
        self.assertEqual(self.names("response=breached"), ["Slow"])
        for name, severity in (("Slow", "P0"), ("Taken", "P1")):
            self.daemon.resolve({"alertname": name, "model": "m", "severity": severity})
        wait_until(lambda: self.count("met") == 0 and self.count("breached") == 0, "metrics are of what is not over")
        self.assertEqual(self.names("response=breached"), [])
        self.assertEqual(self.told("breached", "--state", "resolved"), ["Slow"])
        self.assertEqual(self.told("met", "--state", "all"), ["Taken"])

    def test_what_is_no_response_is_an_error(self):
        self.daemon = self.mlalert(CONFIG)
        reply = self.daemon.get("/api/mlalert/v1/incidents?response=late")
        self.assertEqual(reply.status, 400)
        self.assertEqual(reply.json(), {"error": 'unknown response "late"', "hint": "due, met or breached"})
        self.assertEqual(self.daemon.cli("incidents", "--response", "late").returncode, 2)


if __name__ == "__main__":
    harness.main()
