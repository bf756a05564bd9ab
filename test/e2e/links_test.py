"""Signed links out of a message: looking changes nothing, pressing acts, and nobody can make one up."""

import re
import sqlite3
import time
import urllib.parse

import harness
from harness import wait_until

VERDICTS = {"acted": "Acted", "not_actionable": "NotActionable", "false_alarm": "FalseAlarm", "poor_details": "PoorDetails"}
DRIFT = {"alertname": "Drift", "model": "fraud<b>", "severity": "P2"}


def config(sink, inbound="{}"):
    template = "|".join(f"{{{{ .{name}URL }}}}" for name in ("Acknowledge", "Snooze", "Resolve", *VERDICTS.values()))
    return f"""
route: {{receiver: team, group_by: [model], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
- name: team
  webhook_configs: [{{url: "{sink.url}/hook", payload: {{links: "{template}"}}}}]
incidents: {{identity: [alertname, model]}}
incident_policies: [{{name: all, cooldown: 0s}}]
inbound: {inbound}
"""


class Links(harness.TestCase):
    def start(self, inbound="{}", flags=()):
        self.sink_ = self.sink()
        self.daemon = harness.Mlalert(self, config(self.sink_, inbound), flags=flags, start=False)
        self.daemon.flags.append(f"--web.external-url={self.daemon.url}")
        self.daemon.start()
        return self.daemon

    def fire(self):
        self.daemon.post_alerts({"labels": DRIFT, "endsAt": harness.rfc3339(time.time() + 3600),
                                 "annotations": {"summary": "it <drifts>"}})
        return wait_until(lambda: self.daemon.only_incident(alertname="Drift"), "the incident")["id"]

    def links(self, count=1):
        bodies = self.sink_.wait_for("/hook", count)
        names = ("ack", "snooze", "resolve", *VERDICTS)
        return dict(zip(names, bodies[count - 1]["links"].split("|")))

    def path(self, link):
        return urllib.parse.urlsplit(link).path

    def press(self, link, **fields):
        return self.daemon.post(self.path(link), urllib.parse.urlencode(fields).encode(),
                                headers={"Content-Type": "application/x-www-form-urlencoded"})

    def test_opening_changes_nothing_and_pressing_acknowledges(self):
        daemon = self.start()
        incident = self.fire()
        link = self.links()["ack"]
        self.assertTrue(link.startswith(daemon.url + "/act/"), link)
        for _ in range(3):
            page = daemon.get(self.path(link))
            self.assertEqual(page.status, 200)
            self.assertIn('<form method="post"', page.text)
            self.assertIn("fraud&lt;b&gt;", page.text)
            self.assertIn("it &lt;drifts&gt;", page.text)
            self.assertNotIn("fraud<b>", page.text)
            self.assertEqual(page.headers["Cache-Control"], "no-store")
            self.assertIn("default-src 'none'", page.headers["Content-Security-Policy"])
            self.assertEqual(page.headers["Referrer-Policy"], "no-referrer")
        self.assertEqual(harness.request(daemon.port, "HEAD", self.path(link)).status, 200)
        self.assertEqual(daemon.incident(incident)["state"], "open")

        done = self.press(link, by="Ann <x>", comment="on it")
        self.assertEqual(done.status, 200, done)
        self.assertIn("Ann &lt;x&gt;", done.text)
        seen = daemon.incident(incident)
        self.assertEqual(seen["state"], "acknowledged")
        row = daemon.rows("SELECT actor, via, comment FROM acknowledgements")
        self.assertEqual(row, [{"actor": "Ann <x>", "via": "link", "comment": "on it"}])
        again = self.press(link, by="Bob")
        self.assertEqual(again.status, 200)
        self.assertEqual(len(daemon.rows("SELECT * FROM acknowledgements WHERE ended_at IS NULL")), 1)

    def test_a_link_that_was_used_says_so_and_asks_only_for_what_is_undone(self):
        daemon = self.start()
        incident = self.fire()
        links = self.links()
        self.assertEqual(self.press(links["ack"], by="Ann <x>").status, 200)
        self.assertEqual(self.press(links["false_alarm"], by="Ann <x>").status, 200)
        daemon.stop()
        daemon.start()
        for name, done in (("ack", "Acknowledged"), ("false_alarm", "Noted as a false alarm")):
            page = daemon.get(self.path(links[name]))
            self.assertEqual((page.status, "<form" in page.text), (200, False), page.text)
            self.assertIn("<h1>This link was used</h1>", page.text)
            self.assertRegex(page.text, rf"<p>{done} by Ann &lt;x&gt; at 2\d{{3}}-[-0-9T:.]+Z\.</p>")
        # Another link of the same message was not.
        self.assertIn("<h1>Resolve?</h1>", daemon.get(self.path(links["resolve"])).text)
        self.assertEqual(daemon.unack(incident, actor="bob").status, 200)
        page = daemon.get(self.path(links["ack"]))
        self.assertIn("Acknowledged by Ann", page.text)
        self.assertIn('<form method="post"', page.text)
        self.assertEqual(daemon.rows("SELECT type, actor, address FROM events WHERE type = 'feedback'"),
                         [{"type": "feedback", "actor": "Ann <x>", "address": "127.0.0.1"}])

    def test_large_groups_are_acted_on_as_a_whole_and_counted(self):
        daemon = self.start()
        count = 60
        daemon.post_alerts(*[{"labels": {**DRIFT, "alertname": f"Drift{n}"}, "endsAt": harness.rfc3339(time.time() + 3600)}
                             for n in range(count)])
        link = self.links()["ack"]
        page = daemon.get(self.path(link)).text
        self.assertEqual(page.count("<b>P2</b>"), 40)
        self.assertIn("<li>and 20 more</li>", page)
        self.assertIn("<li>and 20 more</li>", self.press(link, by="Ann").text)
        self.assertEqual(len(daemon.incidents("state=acknowledged&limit=1000")), count)

    def test_who_followed_it_came_from_somewhere(self):
        daemon = self.start()
        incident = self.fire()
        daemon.post(self.path(self.links()["ack"]), b"by=Ann", headers={
            "Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": "6.6.6.6, 203.0.113.9"})
        event = [event for event in daemon.incident(incident)["events"] if event["type"] == "acknowledged"][0]
        self.assertEqual((event["actor"], event["address"]), ("Ann", "127.0.0.1 (for 203.0.113.9)"))

    def test_without_a_name_the_receiver_acts_and_all_four_links_work(self):
        daemon = self.start()
        incident = self.fire()
        links = self.links()
        self.assertEqual(self.press(links["not_actionable"], comment="noise").status, 200)
        self.assertEqual(self.press(links["snooze"]).status, 200)
        self.assertEqual(self.press(links["ack"]).status, 200)
        self.assertEqual(daemon.incident(incident)["state"], "acknowledged")
        self.assertEqual(daemon.rows("SELECT actor, via FROM acknowledgements"),
                         [{"actor": "team (link)", "via": "link"}])
        self.assertEqual(self.press(links["resolve"]).status, 200)
        self.assertEqual(daemon.incident(incident)["state"], "resolved")
        self.assertEqual(daemon.rows("SELECT actor, via, verdict, comment FROM feedback"),
                         [{"actor": "team (link)", "via": "link", "verdict": "not_actionable", "comment": "noise"}])
        self.assertIn("snoozed", [event["type"] for event in daemon.incident(incident)["events"]])

    def test_all_four_verdicts_also_when_it_is_over_and_the_daemon_has_forgotten_it(self):
        daemon = self.start()
        incident = self.fire()
        self.links()
        daemon.resolve(DRIFT)
        over = self.links(2)
        self.assertEqual((over["ack"], over["snooze"], over["resolve"]), ("", "", ""), "nothing to take or to end")
        wait_until(lambda: daemon.incident(incident)["state"] == "resolved", "resolved")
        for name in ("acted", "false_alarm"):
            self.assertEqual(self.press(over[name], by=name).status, 200)
        daemon.stop()
        with sqlite3.connect(daemon.database) as db:  # long ago: only the file knows it
            db.execute("UPDATE incidents SET opened_at = opened_at - 864000000, resolved_at = resolved_at - 864000000,"
                       " last_fired_at = last_fired_at - 864000000")
            db.execute("UPDATE episode_rows SET held = 0")
        daemon.start()
        for name in ("not_actionable", "poor_details"):
            page = daemon.get(self.path(over[name]))
            self.assertEqual((page.status, "<button" in page.text), (200, True), page.text)
            done = self.press(over[name], by=name, comment="why")
            self.assertEqual(done.status, 200, done.text)
            self.assertIn("Noted as", done.text)
        self.assertEqual(sorted((row["actor"], row["verdict"], row["via"]) for row in daemon.rows(
            "SELECT actor, verdict, via FROM feedback")), sorted((name, name, "link") for name in VERDICTS))
        self.assertEqual(daemon.rows("SELECT action_level, negative FROM v_action_evidence"),
                         [{"action_level": "A2", "negative": 1}])

    def test_made_up_changed_and_expired_links_are_refused(self):
        daemon = self.start("{links: {expires: 1m}}")
        incident = self.fire()
        path = self.path(self.links()["ack"])
        payload, signature = path.rsplit("/", 1)[1].split(".")
        for token in (payload, payload + ".", "." + signature, payload[:-1] + "A." + signature,
                      payload + "." + signature[:-1], payload + "." + signature + "A", "a.b", "%00.%00", "x" * 3000):
            for method in ("GET", "POST"):
                reply = harness.request(daemon.port, method, "/act/" + token, body=b"" if method == "POST" else None)
                self.assertIn(reply.status, (400, 403, 404), token)
        # The snooze link's signature under the acknowledge link's text.
        other = self.path(self.links()["snooze"]).rsplit(".", 1)[1]
        self.assertEqual(daemon.post(f"/act/{payload}.{other}").status, 403)
        self.assertEqual(daemon.incident(incident)["state"], "open")

    def test_link_of_an_earlier_opening_does_nothing(self):
        daemon = self.start()
        incident = self.fire()
        old = self.links()["ack"]
        daemon.resolve(DRIFT)
        wait_until(lambda: daemon.incident(incident)["state"] == "resolved", "resolved")
        over = self.press(old)
        self.assertEqual(over.status, 409, over)
        self.fire()
        wait_until(lambda: daemon.incident(incident)["state"] == "open", "the same incident, open again")
        self.assertEqual(self.press(old).status, 409)
        page = daemon.get(self.path(old))
        self.assertEqual(page.status, 200)
        self.assertIn("opened anew", page.text)
        self.assertEqual(daemon.incident(incident)["state"], "open")
        # The page's own button is about what it shows.
        fresh = re.search(r'action="([^"]+)"', page.text).group(1)
        self.assertEqual(self.press(fresh).status, 200)
        self.assertEqual(daemon.incident(incident)["state"], "acknowledged")

    def test_key_survives_a_restart_is_nobodys_business_and_can_be_set(self):
        daemon = self.start()
        incident = self.fire()
        link = self.links()["ack"]
        key_file = daemon.storage / "link.key"
        key = key_file.read_text().strip()
        self.assertEqual(key_file.stat().st_mode & 0o777, 0o600)
        self.assertGreaterEqual(len(key), 32)
        daemon.restart()
        self.assertEqual(daemon.get(self.path(link)).status, 200)
        self.assertNotIn(key, daemon.log())
        self.assertNotIn(key, daemon.get("/api/v2/status").text)
        self.assertNotIn(key.encode(), daemon.database.read_bytes())
        daemon.set_config(config(self.sink_, "{links: {key: '0123456789abcdef'}}"))
        self.assertEqual(daemon.reload().status, 200)
        self.assertEqual(self.press(link).status, 403)
        self.assertEqual(daemon.incident(incident)["state"], "open")

    def test_behind_a_prefix_and_a_password(self):
        users = self.write("web.yml", f"basic_auth_users: {{ann: '{harness.bcrypt('secret')}'}}\n")
        self.sink_ = self.sink()
        daemon = self.daemon = harness.Mlalert(
            self, config(self.sink_), start=False,
            flags=["--web.external-url=https://alerts.example.com/ml", f"--web.config.file={users}"])
        daemon.spawn()
        login = {"Authorization": "Basic YW5uOnNlY3JldA=="}
        wait_until(lambda: (reply := harness.try_request(daemon.port, "GET", "/ml/-/ready", headers=login))
                   and reply.status == 200, "ready")
        self.assertEqual(daemon.get("/ml/-/ready").status, 401)
        reply = daemon.post("/ml/api/v2/alerts", [{"labels": DRIFT}], headers=login)
        self.assertEqual(reply.status, 200)
        link = self.links()["ack"]
        self.assertTrue(link.startswith("https://alerts.example.com/ml/act/"), link)
        page = daemon.get(self.path(link))
        self.assertEqual(page.status, 200)
        self.assertIn('action=""', page.text)
        self.assertEqual(self.press(link, by="Ann").status, 200)
        found = daemon.get("/ml/api/mlalert/v1/incidents?state=acknowledged", headers=login).json()
        self.assertEqual(len(found["incidents"]), 1)
        self.assertEqual(daemon.get("/ml/api/mlalert/v1/incidents").status, 401)


if __name__ == "__main__":
    harness.unittest.main()
