"""Buttons under a Slack message: who presses acts, everybody sees it, and a stranger's press does nothing."""

import time

import harness
import outside
from harness import stays, wait_until

SECRET = "slack-signing-secret"
DRIFT = {"alertname": "Drift", "model": "fraud", "severity": "P2"}


def config(sink, slack=f"{{signing_secret: {SECRET}}}", target="", buttons="true"):
    target = target or f'api_url: "{sink.url}/slack/hook"'
    return f"""
route: {{receiver: chat, group_by: [model], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
- name: chat
  slack_configs: [{{{target}, channel: "#ml", buttons: {buttons}, send_resolved: true}}]
  webhook_configs: [{{url: "{sink.url}/hook"}}]
incidents: {{identity: [alertname, model]}}
incident_policies: [{{name: all, cooldown: 0s}}]
inbound: {{slack: {slack}}}
"""


class Buttons(harness.TestCase):
    def start(self, path="/slack/hook", **options):
        self.hub = self.sink()
        if path != "/slack/hook":
            options["target"] = f'app_token: xoxb-1, app_url: "{self.hub.url}{path}"'
            self.hub.always(path, harness.Answer(200, '{"ok":true,"channel":"C1","ts":"1700000000.000100"}',
                                                 {"Content-Type": "application/json"}))
        self.path = path
        self.daemon = self.mlalert(config(self.hub, **options))
        self.slack = outside.Slack(self.daemon, SECRET, self.hub)
        self.fire()
        self.incident = wait_until(lambda: self.daemon.only_incident(alertname="Drift"), "the incident")["id"]
        self.message = self.hub.wait_for(path, 1)[0]
        self.hub.wait_for("/hook", 1)
        wait_until(lambda: len(self.daemon.rows("SELECT 1 FROM nflog")) == 2, "told")

    def fire(self):
        self.daemon.post_alerts({"labels": DRIFT, "endsAt": harness.rfc3339(time.time() + 3600)})

    def state(self):
        return self.daemon.incident(self.incident)["state"]

    def response(self, count=1):
        return self.hub.wait_for("/slack/response", count)[count - 1]

    def test_press_acknowledges_redraws_the_message_and_is_not_told_twice(self):
        self.start()
        self.assertEqual(set(outside.Slack.buttons(self.message)),
                         {"mlalert_acknowledge", "mlalert_snooze", "mlalert_resolve", "mlalert_open", "mlalert_acted",
                          "mlalert_not_actionable", "mlalert_false_alarm", "mlalert_poor_details"})
        begin = time.monotonic()
        reply = self.slack.press(self.message, "mlalert_acknowledge")
        self.assertLess(time.monotonic() - begin, 3)
        self.assertEqual((reply.status, reply.body), (200, b""))
        self.assertEqual(self.state(), "acknowledged")
        self.assertEqual(self.daemon.rows("SELECT actor, via FROM acknowledgements"), [{"actor": "ann", "via": "slack"}])
        redrawn = self.response()
        self.assertTrue(redrawn["replace_original"])
        self.assertEqual(redrawn["attachments"][0], self.message["attachments"][0])
        self.assertIn("Acknowledged by <@U1>", redrawn["attachments"][1]["blocks"][0]["text"]["text"])
        self.assertNotIn("mlalert_acknowledge", outside.Slack.buttons(redrawn))
        self.assertEqual(self.hub.wait_for("/hook", 2)[1]["notification_reason"], "acknowledged")
        stays(lambda: len(self.hub.requests("/slack/hook")) == 1, "the channel knows already", 1.5)
        # The new buttons work, the old one finds nothing to do.
        self.assertEqual(self.slack.press(self.message, "mlalert_acknowledge", user="U2").status, 200)
        whisper = wait_until(lambda: [body for body in self.hub.bodies("/slack/response")
                                      if body.get("response_type") == "ephemeral"], "a word to who pressed")[0]
        self.assertIn("acknowledged by ann", whisper["text"])
        self.slack.press(redrawn, "mlalert_resolve")
        wait_until(lambda: self.state() == "resolved", "resolved")

    def test_one_press_takes_a_whole_storm(self):
        self.start()
        count = 150
        self.daemon.post_alerts(*[{"labels": {**DRIFT, "alertname": f"Drift{n}", "model": "storm"},
                                   "endsAt": harness.rfc3339(time.time() + 3600)} for n in range(count)])
        message = wait_until(lambda: [body for body in self.hub.bodies("/slack/hook")
                                      if f"FIRING:{count}" in body["attachments"][0]["title"]], "the storm")[0]
        self.assertEqual(self.slack.press(message, "mlalert_acknowledge").status, 200)
        self.assertEqual(len(self.daemon.incidents("state=acknowledged&model=storm&limit=1000")), count)
        self.assertEqual(self.daemon.incidents("state=open&model=storm"), [])
        redrawn = self.response()
        self.assertEqual(redrawn["attachments"][1]["blocks"][0]["text"]["text"], "Acknowledged by <@U1>")
        self.slack.press(redrawn, "mlalert_resolve")
        wait_until(lambda: len(self.daemon.incidents("state=resolved&model=storm&limit=1000")) == count, "all resolved")

    def test_chat_update_with_an_app_token_and_its_fallback(self):
        self.start(path="/api/chat.postMessage")
        self.hub.always("/api/chat.update", harness.Answer(200, '{"ok":true,"channel":"C1","ts":"1700000000.000100"}',
                                                           {"Content-Type": "application/json"}))
        self.slack.press(self.message, "mlalert_acknowledge")
        update = self.hub.wait_for("/api/chat.update", 1)[0]
        self.assertEqual((update["channel"], update["ts"]), ("C1", "1700000000.000100"))
        self.assertEqual(self.hub.requests("/api/chat.update")[0].headers["Authorization"], "Bearer xoxb-1")
        stays(lambda: not self.hub.requests("/slack/response"), "one way is enough", 0.5)
        self.hub.always("/api/chat.update", harness.Answer(200, '{"ok":false,"error":"message_not_found"}',
                                                           {"Content-Type": "application/json"}))
        self.slack.press(update, "mlalert_snooze")
        self.assertTrue(self.response()["replace_original"])
        self.assertNotIn("xoxb-1", self.daemon.log())

    def test_answers_in_time_while_slack_itself_hangs(self):
        self.start()
        self.hub.always("/slack/response", harness.Answer(hang=30))
        begin = time.monotonic()
        self.assertEqual(self.slack.press(self.message, "mlalert_acknowledge").status, 200)
        self.assertLess(time.monotonic() - begin, 3)
        self.assertEqual(self.state(), "acknowledged")

    def test_broken_answers_of_slack_harm_nobody(self):
        self.start()
        for number, answer in enumerate((harness.Answer(500), harness.Answer(429, headers={"Retry-After": "1"}),
                                         harness.Answer(400), harness.Answer(raw=outside.reset),
                                         harness.Answer(raw=outside.half_close)), 1):
            self.hub.always("/slack/response", answer)
            self.assertEqual(self.slack.press(self.message, "mlalert_not_actionable", ts=f"17.{number}").status, 200)
            self.hub.wait_for("/slack/response", number) if answer.raw is None else None
        self.assertEqual(self.daemon.rows("SELECT DISTINCT actor, via, verdict FROM feedback"),
                         [{"actor": "ann", "via": "slack", "verdict": "not_actionable"}])

    def test_all_four_verdicts_during_and_after_it(self):
        self.start()
        for number, verdict in enumerate(("acted", "not_actionable", "false_alarm", "poor_details"), 1):
            self.slack.press(self.message, f"mlalert_{verdict}", user=f"U{number}", name=verdict)
            wait_until(lambda: len(self.daemon.rows("SELECT * FROM feedback")) == number, verdict)
        drawn = self.hub.wait_for("/slack/response", 4)[-1]
        self.assertIn("Noted as poor in details by <@U4>", drawn["attachments"][1]["blocks"][0]["text"]["text"])
        self.assertIn("mlalert_acted", outside.Slack.buttons(drawn), "one more may have a word")
        self.assertEqual(self.daemon.rows("SELECT actor, via, verdict FROM feedback ORDER BY id"),
                         [{"actor": verdict, "via": "slack", "verdict": verdict}
                          for verdict in ("acted", "not_actionable", "false_alarm", "poor_details")])
        self.daemon.resolve(DRIFT)
        wait_until(lambda: self.state() == "resolved", "resolved")
        self.slack.press(drawn, "mlalert_false_alarm", user="U1", name="acted", ts="17.9")
        wait_until(lambda: self.daemon.rows("SELECT verdict FROM v_feedback WHERE actor = 'acted' AND counts")
                   == [{"verdict": "false_alarm"}], "his last word counts")

    def test_strangers_are_told_and_do_nothing(self):
        self.start(slack=f"{{signing_secret: {SECRET}, users: {{U1: alice}}}}")
        self.assertEqual(self.slack.press(self.message, "mlalert_acknowledge", user="U9").status, 200)
        whisper = self.response()
        self.assertEqual(whisper["response_type"], "ephemeral")
        self.assertFalse(whisper["replace_original"])
        self.assertIn("U9", whisper["text"])
        self.assertEqual(self.state(), "open")
        self.slack.press(self.message, "mlalert_acknowledge", user="U1")
        wait_until(lambda: self.daemon.rows("SELECT actor FROM acknowledgements") == [{"actor": "alice"}], "by her name")

    def test_old_message_cannot_act_on_a_reopened_incident(self):
        self.start()
        self.daemon.resolve(DRIFT)
        wait_until(lambda: self.state() == "resolved", "resolved")
        self.fire()
        wait_until(lambda: self.state() == "open", "open again")
        self.slack.press(self.message, "mlalert_acknowledge")
        self.assertIn("Nothing was changed", self.response()["text"])
        self.assertEqual(self.state(), "open")

    def test_forged_stale_and_replayed_presses(self):
        self.start()
        body = self.slack.body(self.slack.payload(self.message, "mlalert_acknowledge"))
        good = self.slack.headers(body)
        cases = ((self.slack.headers(body, secret="wrong"), body, 403),
                 (self.slack.headers(body, at=time.time() - 310), body, 403),
                 (self.slack.headers(body, at=time.time() + 310), body, 403),
                 ({**good, "X-Slack-Signature": good["X-Slack-Signature"][:40]}, body, 403),
                 ({**good, "X-Slack-Signature": ""}, body, 401),
                 (good, body.replace(b"%22", b'"'), 403))
        for headers, sent, status in cases:
            self.assertEqual(self.daemon.post(self.slack.path, sent, headers=headers).status, status, headers)
        self.assertEqual(self.state(), "open")
        # A value that we did not make.
        self.assertEqual(self.slack.press(self.message, "mlalert_acknowledge", value="a.b").status, 200)
        self.assertIn("not one of this mlalert", self.response()["text"])
        self.assertEqual(self.state(), "open")
        self.assertEqual(self.daemon.post(self.slack.path, body, headers=good).status, 200)
        self.assertEqual(self.state(), "acknowledged")
        self.daemon.unack(self.incident, actor="bob")
        self.assertEqual(self.daemon.post(self.slack.path, body, headers=good).status, 200)
        self.assertEqual(self.state(), "open", "the same request again does nothing")

    def test_what_slack_sends_again_acts_once(self):
        """Signed anew, so that it looks new: but Slack says that it is a repetition."""
        self.start()
        body = self.slack.body(self.slack.payload(self.message, "mlalert_acknowledge"))
        self.assertEqual(self.daemon.post(self.slack.path, body, headers=self.slack.headers(body)).status, 200)
        self.assertEqual(self.state(), "acknowledged")
        self.daemon.unack(self.incident, actor="bob")
        again = {**self.slack.headers(body, at=time.time() + 2), "X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
        self.assertEqual(self.daemon.post(self.slack.path, body, headers=again).status, 200)
        self.assertEqual(self.state(), "open")
        # What has not arrived the first time acts when it is repeated.
        late = self.slack.body(self.slack.payload(self.message, "mlalert_acknowledge", user="U2", name="eve"))
        again = {**self.slack.headers(late), "X-Slack-Retry-Num": "2", "X-Slack-Retry-Reason": "connection_failed"}
        self.assertEqual(self.daemon.post(self.slack.path, late, headers=again).status, 200)
        self.assertEqual([row["actor"] for row in self.daemon.rows("SELECT actor FROM acknowledgements ORDER BY at")],
                         ["ann", "eve"])

    def test_the_challenge_of_the_events_api_is_answered_when_it_is_signed(self):
        self.start()
        body = b'{"token":"t","challenge":"3eZbrw1aB","type":"url_verification"}'
        headers = {**self.slack.headers(body), "Content-Type": "application/json"}
        self.assertEqual(self.daemon.post(self.slack.path, body, headers=headers).json(), {"challenge": "3eZbrw1aB"})
        self.assertEqual(self.daemon.post(self.slack.path, body, headers={
            **self.slack.headers(body, secret="wrong"), "Content-Type": "application/json"}).status, 403)

    def test_without_the_key_nothing_changes(self):
        self.start(buttons="false")
        self.assertEqual(len(self.message["attachments"]), 1)


if __name__ == "__main__":
    harness.unittest.main()
