"""What people do in PagerDuty happens here too: once, by name, and without an echo."""

import json
import time

import harness
import outside
from harness import Answer, stays, wait_until

SECRET = "wh-secret-1"
DRIFT = {"alertname": "Drift", "model": "fraud", "severity": "P1"}


def config(sink, inbound):
    return f"""
route: {{receiver: page, group_by: [model], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
- name: page
  pagerduty_configs: [{{url: "{sink.url}/pagerduty", routing_key: key}}]
  webhook_configs: [{{url: "{sink.url}/hook"}}]
incidents: {{identity: [alertname, model]}}
incident_policies: [{{name: all, cooldown: 0s}}]
inbound: {{pagerduty: {inbound}}}
"""


class Webhook(harness.TestCase):
    def start(self, inbound=f"{{webhook_secret: {SECRET}}}"):
        self.hub = self.sink()
        self.daemon = self.mlalert(config(self.hub, inbound))
        self.pagerduty = outside.PagerDuty(self.daemon, SECRET)
        self.daemon.post_alerts({"labels": DRIFT, "endsAt": harness.rfc3339(time.time() + 3600)})
        self.incident = wait_until(lambda: self.daemon.only_incident(alertname="Drift"), "the incident")["id"]
        self.key = self.hub.wait_for("/pagerduty", 1)[0]["dedup_key"]
        self.hub.wait_for("/hook", 1)
        wait_until(lambda: self.daemon.rows("SELECT 1 FROM nflog WHERE integration = 'pagerduty'"), "told")

    def state(self):
        return self.daemon.incident(self.incident)["state"]

    def send(self, kind, **options):
        return self.pagerduty.send(self.pagerduty.event("incident." + kind, self.key, **options))

    def events(self, kind):
        return [event for event in self.daemon.incident(self.incident)["events"] if event["type"] == kind]

    def test_acknowledge_by_name_is_told_to_others_and_not_echoed(self):
        self.start()
        reply = self.send("acknowledged", agent="Ann Onymous")
        self.assertEqual((reply.status, reply.json()["result"]), (200, "acknowledged"), reply)
        self.assertEqual(self.state(), "acknowledged")
        self.assertEqual(self.daemon.rows("SELECT actor, via FROM acknowledgements"),
                         [{"actor": "Ann Onymous", "via": "pagerduty"}])
        told = self.hub.wait_for("/hook", 2)[1]
        self.assertEqual(told["notification_reason"], "acknowledged")
        stays(lambda: len(self.hub.requests("/pagerduty")) == 1, "PagerDuty hears nothing of it", 1.5)
        # Of an acknowledgement by others it does hear.
        self.assertEqual(self.send("unacknowledged").json()["result"], "unacknowledged")
        self.assertEqual(self.state(), "open")
        wait_until(lambda: [body for body in self.hub.bodies("/pagerduty") if body["dedup_key"] == self.key + "#2"], "it pages anew")
        self.daemon.ack(self.incident, actor="bob", comment="mine")
        event = wait_until(lambda: [body for body in self.hub.bodies("/pagerduty")
                                    if body["event_action"] == "acknowledge"], "our acknowledge")[0]
        self.assertEqual(event["dedup_key"], self.key + "#2", "taken back, it paged under a new key")
        self.assertEqual(event["payload"]["summary"], "Acknowledged by bob: mine")
        self.assertEqual(event["payload"]["custom_details"]["acknowledged_by"], "bob")
        # Its own echo, by nobody, changes nothing.
        self.assertEqual(self.send("acknowledged", agent=None).status, 202)
        self.assertEqual(len(self.daemon.rows("SELECT 1 FROM acknowledgements")), 2)

    def test_each_event_acts_once_also_after_a_restart(self):
        self.start()
        event = self.pagerduty.event("incident.acknowledged", self.key)
        self.assertEqual(self.pagerduty.send(event, webhook_id="W1").status, 200)
        self.daemon.unack(self.incident, actor="bob")
        self.assertEqual(self.pagerduty.send(event, webhook_id="W2").json()["why"], "seen before")
        other = self.pagerduty.event("incident.acknowledged", self.key)
        self.assertEqual(self.pagerduty.send(other, webhook_id="W1").json()["why"], "seen before")
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual(self.pagerduty.send(event, webhook_id="W3").json()["why"], "seen before")
        self.assertEqual(self.state(), "open")

    def test_older_events_lose(self):
        self.start()
        now = time.time()
        self.assertEqual(self.send("acknowledged", occurred_at=now + 5).status, 200)
        late = self.send("unacknowledged", occurred_at=now + 4)
        self.assertEqual((late.status, late.json()["why"]), (202, "something newer is known"))
        ancient = self.send("unacknowledged", occurred_at=now - 50 * 3600)
        self.assertEqual(ancient.json()["why"], "it happened too long ago")
        self.assertEqual(self.state(), "acknowledged")
        # Before this opening.
        self.daemon.unack(self.incident, actor="bob")
        self.assertEqual(self.send("acknowledged", occurred_at=now + 6).status, 200)

    def test_resolved_while_it_fires_acknowledges_with_a_note(self):
        self.start()
        self.assertEqual(self.send("resolved", agent="Ann").json()["result"], "acknowledged")
        self.assertEqual(self.state(), "acknowledged")
        self.assertIn("still true", self.events("acknowledged")[0]["reason"])

    def test_resolved_is_trusted_where_the_config_says_so(self):
        self.start(f"{{webhook_secret: {SECRET}, trust_remote_resolve: true}}")
        self.assertEqual(self.send("resolved", agent=None).status, 202, "nobody did: the echo of our own resolve")
        self.assertEqual(self.state(), "open")
        self.assertEqual(self.send("resolved", agent="Ann").json()["result"], "resolved")
        self.assertEqual(self.state(), "resolved")

    def test_who_reopens_it_there_opens_it_here_and_it_goes_on_under_the_same_key(self):
        self.start(f"{{webhook_secret: {SECRET}, trust_remote_resolve: true}}")
        self.assertEqual(self.send("resolved", agent="Ann").json()["result"], "resolved")
        wait_until(lambda: [body for body in self.hub.bodies("/pagerduty") if body["event_action"] == "resolve"], "told")
        self.assertEqual(self.send("reopened", agent=None).status, 202, "nobody did")
        self.assertEqual(self.state(), "resolved")
        self.assertEqual(self.send("reopened", agent="Bob").json()["result"], "reopened")
        self.assertEqual(self.state(), "open")
        self.assertEqual([(event["actor"], event["reason"]) for event in self.events("reopened")],
                         [("Bob", "reopened in PagerDuty")])
        again = wait_until(lambda: [body for body in self.hub.bodies("/pagerduty") if body["event_action"] == "trigger"][1:],
                           "told again")[0]
        self.assertEqual(again["dedup_key"], self.key, "of the same incident of PagerDuty")

    def test_notes_and_reassignments_stand_in_the_history(self):
        self.start()
        self.assertEqual(self.send("triggered", agent=None).status, 200)
        self.assertEqual(self.pagerduty.send(self.pagerduty.note("looks like <b>the feed")).json()["result"], "commented")
        self.assertEqual(self.events("commented")[0]["reason"], "looks like <b>the feed")
        self.assertEqual(self.events("commented")[0]["actor"], "Ann")
        for kind in ("reassigned", "escalated", "delegated"):
            reply = self.send(kind, assignees=[{"id": "PU2", "type": "user_reference", "summary": "Bob"}])
            self.assertEqual((reply.status, reply.json()["result"]), (200, "noted"))
            self.assertEqual(self.events("pagerduty_" + kind)[0]["to"], "Bob")
        self.assertEqual(self.state(), "open")
        unknown = self.send("brand_new_kind")
        self.assertEqual(unknown.status, 202)

    def test_ping_strangers_and_forgeries(self):
        self.start("{webhook_secret: [next-secret, %s]}" % SECRET)
        ping = {"id": "1", "event_type": "pagey.ping", "resource_type": "pagey", "occurred_at": harness.rfc3339(time.time()),
                "agent": None, "client": None, "data": {"message": "Hello from your friend Pagey!", "type": "ping"}}
        self.assertEqual(self.pagerduty.send(ping).status, 200)
        strange = self.pagerduty.event("incident.acknowledged", "no such key", incident="PD9")
        self.assertEqual(self.pagerduty.send(strange).status, 202)
        event = self.pagerduty.event("incident.acknowledged", self.key)
        body = json.dumps({"event": event}).encode()
        good = self.pagerduty.sign(body)
        for signature, status in (("", 401), ("v1=", 403), (good[:30], 403), (self.pagerduty.sign(body, "wrong"), 403),
                                  (self.pagerduty.sign(body + b" "), 403)):
            self.assertEqual(self.pagerduty.send(event, signature=signature).status, status, signature)
        self.assertEqual(self.state(), "open")
        both = self.pagerduty.sign(body, "wrong") + "," + good
        self.assertEqual(self.pagerduty.send(event, signature=both).status, 200)
        self.assertEqual(self.state(), "acknowledged")
        # The secret is being replaced: what the new one signed counts too, also beside versions to come.
        back = self.pagerduty.event("incident.unacknowledged", self.key)
        body = json.dumps({"event": back}).encode()
        listed = "v2=00, " + self.pagerduty.sign(body, "gone") + ", " + self.pagerduty.sign(body, "next-secret")
        self.assertEqual(self.pagerduty.send(back, signature=listed).json()["result"], "unacknowledged")
        self.assertEqual(self.state(), "open")
        huge = b" " * 300_000
        reply = self.daemon.post(self.pagerduty.path, huge, headers={"X-PagerDuty-Signature": self.pagerduty.sign(huge)})
        self.assertEqual(reply.status, 413)

    def test_what_it_signed_is_never_refused_for_what_it_holds(self):
        # After three 400 it would switch the subscription off for a day.
        self.start()
        broken = (b"", b"null", b"[]", b"{}", b'{"event":', b'{"event":null}', b'{"event":[]}', b"\xff\xfe",
                  b'{"event":{"id":5,"event_type":7}}', b'{"event":' * 20000)
        for body in broken:
            reply = self.daemon.post(self.pagerduty.path, body, headers={"X-PagerDuty-Signature": self.pagerduty.sign(body)})
            self.assertEqual((reply.status, reply.json()["result"]), (202, "ignored"), body[:50])
            self.assertTrue(reply.json()["why"])
        self.assertEqual(self.daemon.metric("mlalert_pagerduty_webhooks_unreadable_total"), len(broken))
        self.assertIn("could not be read", self.daemon.log())
        self.assertEqual(self.state(), "open")

    def test_what_lies_in_the_future_shuts_nothing_out(self):
        self.start()
        self.assertEqual(self.send("acknowledged", occurred_at=time.time() + 10 * 86400).json()["result"], "acknowledged")
        self.assertEqual(self.send("unacknowledged", occurred_at=time.time() + 1).json()["result"], "unacknowledged")
        self.assertEqual(self.state(), "open")

    def test_without_a_secret_the_door_is_shut(self):
        self.hub = self.sink()
        daemon = self.mlalert(config(self.hub, "").replace("inbound: {pagerduty: }\n", ""))
        reply = outside.PagerDuty(daemon, "").send({"id": "1", "event_type": "pagey.ping"})
        self.assertEqual(reply.status, 403)

    def test_our_events_survive_refusals_hangs_and_broken_answers(self):
        self.start()
        self.hub.script("/pagerduty", harness.Answer(500), harness.Answer(429, headers={"Retry-After": "1"}),
                        harness.Answer(raw=outside.reset), harness.Answer(202, b"{}"))
        self.daemon.ack(self.incident, actor="bob")
        events = wait_until(lambda: len(self.hub.requests("/pagerduty")) >= 5 and self.hub.bodies("/pagerduty"),
                            "told at the fourth attempt")
        self.assertEqual([event["event_action"] for event in events[1:]], ["acknowledge"] * 4)
        self.assertEqual({event["dedup_key"] for event in events}, {self.key})
        rows = wait_until(lambda: (rows := self.daemon.rows(
            "SELECT outcome, http_status, error FROM notifications WHERE integration = 'pagerduty' AND reason = 'acknowledged' "
            "ORDER BY id")) and rows[-1]["outcome"] == "sent" and rows, "each attempt in the history")
        # libcurl may repeat by itself what a kept connection swallowed.
        self.assertEqual([row["http_status"] for row in rows if row["http_status"]], [500, 429, 202], rows)
        self.assertEqual({row["outcome"] for row in rows[:-1]}, {"retrying"})
        # A half answer after 2xx has still been given; 400 is final.
        self.daemon.unack(self.incident, actor="bob")
        self.hub.script("/pagerduty", harness.Answer(raw=outside.half_close))
        self.daemon.ack(self.incident, actor="bob")
        wait_until(lambda: self.daemon.rows("SELECT 1 FROM notifications WHERE integration = 'pagerduty' AND "
                                            "reason = 'acknowledged' AND attempt = 1 AND outcome = 'sent'"), "taken as told")

    def test_taken_back_and_fired_again_pages_under_a_new_key(self):
        """A trigger for an acknowledged incident of PagerDuty pages nobody, and there is no unacknowledge."""
        self.start()
        self.assertEqual(self.send("acknowledged").json()["result"], "acknowledged")
        self.hub.wait_for("/hook", 2)
        self.daemon.unack(self.incident, actor="bob")
        events = self.hub.wait_for("/pagerduty", 3)
        self.assertEqual([(event["event_action"], event["dedup_key"]) for event in events],
                         [("trigger", self.key), ("resolve", self.key), ("trigger", self.key + "#2")])
        wait_until(lambda: [row for row in self.daemon.rows("SELECT data FROM nflog WHERE integration = 'pagerduty'")
                            if "2" in (row["data"] or "")], "the new key is remembered")
        # What speaks of the old one is over, the new one acts; also after a restart.
        self.assertEqual(self.send("acknowledged").json()["why"], "no incident that is not resolved has this key")
        self.daemon.kill()
        self.daemon.start()
        self.key += "#2"
        self.assertEqual(self.send("acknowledged").json()["result"], "acknowledged")
        self.daemon.post_alerts({"labels": DRIFT, "endsAt": harness.rfc3339(time.time() - 1)})
        last = wait_until(lambda: [event for event in self.hub.bodies("/pagerduty")
                                   if event["event_action"] == "resolve" and event["dedup_key"] == self.key], "resolved")
        self.assertEqual(len(last), 1)


class Reconciler(harness.TestCase):
    """Webhooks are lost while mlalert is down: it asks PagerDuty what has become of its incidents."""

    def start(self, more=""):
        self.hub = self.sink()
        self.daemon = self.mlalert(config(
            self.hub, f"{{webhook_secret: {SECRET}, api_token: rest-token-1, api_url: \"{self.hub.url}/rest\", "
                      f"reconcile_interval: 1s{more}}}"))
        self.daemon.post_alerts({"labels": DRIFT, "endsAt": harness.rfc3339(time.time() + 3600)})
        self.incident = wait_until(lambda: self.daemon.only_incident(alertname="Drift"), "the incident")["id"]
        self.key = self.hub.wait_for("/pagerduty", 1)[0]["dedup_key"]
        self.path = self.asked_about(self.key)
        self.assertIn("resolved", self.path)

    def asked_about(self, key):
        return wait_until(lambda: [taken.path for taken in self.hub.taken if taken.path.startswith(
            f"/rest/incidents?incident_key={key}&")], "PagerDuty is asked")[-1]

    def state(self):
        return self.daemon.incident(self.incident)["state"]

    def says(self, status, at, who="Ann", **more):
        person = {"id": "PU1", "type": "user_reference", "summary": who} if who else {
            "id": "S1", "type": "service_reference", "summary": "mlalert"}
        body = {"incidents": [{"id": "PD1", "incident_key": self.key, "status": status, "last_status_change_at": harness.rfc3339(at),
                               "last_status_change_by": person, "acknowledgements":
                               [{"at": harness.rfc3339(at), "acknowledger": person}] if status == "acknowledged" else [],
                               **more}], "limit": 1, "offset": 0, "more": False}
        self.hub.always(self.path, harness.Answer(200, json.dumps(body), {"Content-Type": "application/json"}))

    def asked_again(self, times=2):
        have = len(self.hub.requests(self.path))
        wait_until(lambda: len(self.hub.requests(self.path)) >= have + times, "it asks again")

    def test_a_lost_acknowledge_is_found_once_and_an_old_one_does_not_undo_what_was_done_since(self):
        self.start()
        self.says("triggered", time.time(), who=None)
        self.asked_again()
        request = self.hub.requests(self.path)[0]
        self.assertEqual(request.headers["Authorization"], "Token token=rest-token-1")
        self.assertEqual(self.state(), "open")
        taken = time.time() + 1
        self.says("acknowledged", taken)
        wait_until(lambda: self.state() == "acknowledged", "what PagerDuty knows is known here")
        rows = wait_until(lambda: self.daemon.rows("SELECT actor, via FROM acknowledgements"), "it is in the file a moment later")
        self.assertEqual(rows, [{"actor": "Ann", "via": "pagerduty"}])
        self.daemon.unack(self.incident, actor="bob")
        self.key += "#2"  # it pages under a new key
        self.path = self.asked_about(self.key.replace("#", "%23"))
        self.says("acknowledged", time.time() - 60)
        self.asked_again()
        self.assertEqual(self.state(), "open", "the newer word is bob's")
        self.assertEqual(len(self.daemon.rows("SELECT 1 FROM acknowledgements")), 1)
        self.assertNotIn("rest-token-1", self.daemon.get("/api/v2/status").text + self.daemon.log())

    def test_a_lost_unacknowledge_and_a_lost_resolve(self):
        self.start()
        self.says("acknowledged", time.time() + 1)
        wait_until(lambda: self.state() == "acknowledged", "acknowledged")
        self.says("triggered", time.time() + 5)
        wait_until(lambda: self.state() == "open", "taken back in PagerDuty")
        self.key += "#2"  # it pages under a new key
        self.path = self.asked_about(self.key.replace("#", "%23"))
        self.says("resolved", time.time() + 6)
        wait_until(lambda: self.state() == "acknowledged", "resolved there, fires here")
        # The state is told out of memory, events out of the file.
        wait_until(lambda: any("still true" in event["reason"] for event in self.daemon.incident(self.incident)["events"]
                               if event["type"] == "acknowledged"), "why, in the history")

    def test_our_own_events_and_refusals_change_nothing(self):
        self.start()
        self.hub.always(self.path, harness.Answer(500))
        self.asked_again()
        self.hub.always(self.path, harness.Answer(200, "{"))
        self.asked_again()
        self.hub.always(self.path, harness.Answer(raw=outside.reset))
        self.asked_again()
        self.daemon.ack(self.incident, actor="bob")
        self.says("acknowledged", time.time() + 1, who=None)
        self.asked_again()
        self.assertEqual([row["actor"] for row in self.daemon.rows("SELECT actor FROM acknowledgements")], ["bob"])
        self.says("triggered", time.time() - 60)
        self.asked_again()
        self.assertEqual(self.state(), "acknowledged", "our acknowledge is newer, PagerDuty has not got it yet")

    def test_whatever_it_answers_changes_nothing_until_it_answers_well(self):
        self.start()
        good = json.dumps({"incidents": []})
        # Said once while it lasts: each differs from the one before.
        for answer, said in ((Answer(202, "{}"), 'holds no \\"incidents\\"'), (Answer(raw=outside.half_head), ""),
                             (Answer(400, '{"error":{"message":"Invalid Input Provided"}}'), "it answers 400"),
                             (Answer(raw=outside.half_close), ""), (Answer(500, good), "it answers 500"),
                             (Answer(raw=outside.reset), ""), (Answer(200, good, hang=30), "deadline")):
            with self.subTest(said):
                before = len(self.complaints())
                self.hub.always(self.path, answer)
                self.assertIn(said, wait_until(lambda: self.complaints()[before:], "it is said")[0])
                self.assertEqual(self.state(), "open")
        # Whoever is told when to come back comes back then.
        self.hub.script(self.path, Answer(429, "{}", {"Retry-After": "3"}), Answer(200, good))
        limited = wait_until(lambda: [taken for taken in self.hub.requests(self.path) if taken.status == 429], "it is limited")[0]
        after = wait_until(lambda: [taken for taken in self.hub.requests(self.path) if taken.at > limited.at], "it comes back")[0]
        self.assertGreaterEqual(after.at - limited.at, 2.99)
        wait_until(lambda: "PagerDuty can be asked again" in self.daemon.log(), "it is over")
        self.says("acknowledged", time.time() + 1)
        wait_until(lambda: self.state() == "acknowledged", "what was missed is known now")

    def complaints(self):
        return [line for line in self.daemon.log().splitlines() if "PagerDuty cannot be asked" in line]


if __name__ == "__main__":
    harness.unittest.main()
