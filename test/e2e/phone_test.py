"""A phone call is heard when a key was pressed; until then the next number rings."""

import time
import urllib.parse

import harness
import outside
from harness import stays, wait_until

TOKEN = "twilio-auth-token"
DOWN = {"alertname": "ModelDown", "model": "fraud", "severity": "P0"}
ONE, TWO, THREE = "+4917000000001", "+4917000000002", "+4917000000003"


def config(sink, more="", public="https://alerts.example.com", numbers=(ONE, TWO, THREE)):
    return f"""
route: {{receiver: phone, group_by: [model], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
- name: phone
  twilio_configs: [{{account_sid: AC1, auth_token: {TOKEN}, from: "+14155550100", to: [{", ".join(f'"{number}"' for number in numbers)}],
    api_url: "{sink.url}"{more}}}]
incidents: {{identity: [alertname, model]}}
incident_policies: [{{name: all, cooldown: 0s}}]
inbound: {{public_url: "{public}"}}
"""


class Phone(harness.TestCase):
    def start(self, fire=True, **options):
        self.hub = self.sink()
        self.daemon = self.mlalert(config(self.hub, **options))
        self.twilio = outside.Twilio(self.daemon, self.hub, TOKEN)
        for path in (self.twilio.calls_path, self.twilio.messages_path):
            self.hub.always(path, harness.Answer(201, '{"sid":"CA1","status":"queued"}'))
        if fire:
            self.fire()

    def fire(self):
        self.daemon.post_alerts({"labels": DOWN, "endsAt": harness.rfc3339(time.time() + 3600),
                                 "annotations": {"summary": "does not answer"}})
        self.incident = wait_until(lambda: self.daemon.only_incident(alertname="ModelDown"), "the incident")["id"]

    def wait_calls(self, count):
        return wait_until(lambda: len(calls := self.twilio.calls()) >= count and calls, f"{count} calls")

    def state(self):
        return self.daemon.incident(self.incident)["state"]

    def events(self, kind):
        return [event["reason"] for event in self.daemon.incident(self.incident)["events"] if event["type"] == kind]


class Call(Phone):
    def test_key_press_acknowledges_and_nobody_else_is_called(self):
        self.start()
        call = self.wait_calls(1)[0]
        self.assertEqual((call["To"], call["From"], call["Timeout"]), (ONE, "+14155550100", "30"))
        self.assertIn("Severity P0. ModelDown. does not answer.", call["Twiml"])
        self.assertEqual(call["Twiml"].count("<Gather"), 3)
        self.assertTrue(self.hub.requests(self.twilio.calls_path)[0].headers["Authorization"].startswith("Basic "))
        answer = self.twilio.press(call, "1")
        self.assertEqual(answer.status, 200, answer)
        self.assertIn("text/xml", answer.headers["Content-Type"])
        self.assertIn("Acknowledged", answer.text)
        self.assertEqual(self.state(), "acknowledged")
        row = self.daemon.rows("SELECT actor, via FROM acknowledgements")[0]
        self.assertEqual(row["via"], "phone")
        self.assertIn(ONE, row["actor"])
        self.assertEqual(self.twilio.end(call).status, 204)
        self.assertEqual(self.events("call_heard"), ["key 1 was pressed"])
        stays(lambda: len(self.twilio.calls()) == 1, "heard is heard", 1.5)
        self.assertIn("acknowledged already", self.twilio.press(call, "1").text)

    def test_unheard_goes_to_the_next_number_at_once_until_the_last(self):
        self.start()
        call = self.wait_calls(1)[0]
        self.assertEqual(self.twilio.end(call, "ringing").status, 204)
        self.assertEqual(self.twilio.end(call, "completed", AnsweredBy="machine_start").status, 204)
        self.assertEqual(self.twilio.end(call, "completed").status, 204, "said twice")
        second = self.wait_calls(2)[1]
        self.assertEqual(second["To"], TWO)
        self.assertEqual(self.twilio.end(second, "busy").status, 204)
        third = self.wait_calls(3)[2]
        self.assertEqual(third["To"], THREE)
        self.assertEqual(self.twilio.end(third, "completed").status, 204)
        self.assertEqual(self.events("call_not_heard"),
                         ["a machine answered", "the call ended: busy", "no key was pressed"])
        stays(lambda: len(self.twilio.calls()) == 3, "all numbers had their turn", 1.5)
        self.assertEqual(self.state(), "open")

    def test_every_way_in_which_a_call_ends_unheard_rings_the_next_number(self):
        statuses = ("busy", "no-answer", "failed", "canceled", "completed")
        numbers = [f"+49170000000{digit}" for digit in range(len(statuses) + 1)]
        self.start(numbers=numbers)
        for index, status in enumerate(statuses):
            call = self.wait_calls(index + 1)[index]
            self.assertEqual(call["To"], numbers[index])
            for under_way in ("queued", "initiated", "ringing", "in-progress", "a-new-one"):
                self.assertEqual(self.twilio.end(call, under_way).status, 204)
            self.assertEqual(self.twilio.end(call, status, SipResponseCode="480").status, 204)
        # Who answers and lets the time pass has not pressed a key; then the call ends.
        last = self.wait_calls(len(numbers))[-1]
        self.assertIn("Goodbye", self.twilio.press(last, "").text)
        self.assertEqual(self.state(), "open")
        self.assertEqual(self.twilio.press(last, "4").status, 200)
        self.assertEqual((self.state(), len(self.twilio.calls())), ("acknowledged", len(numbers)))
        self.assertEqual(self.events("call_not_heard"), [f"the call ended: {status}" for status in statuses[:-1]]
                         + ["no key was pressed"])

    def test_pressing_while_a_machine_is_thought_to_answer_and_other_keys(self):
        self.start()
        call = self.wait_calls(1)[0]
        self.assertIn("Goodbye", self.twilio.press(call, "1", AnsweredBy="machine_end_beep").text)
        self.assertEqual(self.state(), "open")
        self.assertIn("Not acknowledged", self.twilio.press(call, "9").text)
        self.assertEqual((self.state(), self.events("call_heard")), ("open", ["key 9 was pressed"]))

    def test_acknowledged_elsewhere_ends_the_round(self):
        self.start()
        call = self.wait_calls(1)[0]
        self.daemon.ack(self.incident, actor="bob")
        self.twilio.end(call, "no-answer")
        stays(lambda: len(self.twilio.calls()) == 1, "nobody else is called", 1.5)
        self.assertEqual(self.twilio.messages(), [])

    def test_round_survives_a_crash(self):
        self.start()
        call = self.wait_calls(1)[0]
        wait_until(lambda: self.daemon.rows("SELECT 1 FROM nflog"), "told")
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual(self.twilio.end(call, "no-answer").status, 204)
        self.assertEqual(self.wait_calls(2)[1]["To"], TWO)

    def test_refused_number_and_failing_api(self):
        self.start(fire=False)
        self.hub.script(self.twilio.calls_path,
                        harness.Answer(400, '{"code":21211,"message":"The \'To\' number is not valid"}'),
                        harness.Answer(500, headers={"Connection": "close"}), harness.Answer(raw=outside.reset),
                        harness.Answer(429, '{"code":20429}', {"Retry-After": "1"}),
                        harness.Answer(201, '{"sid":"CA1"}'))
        self.fire()
        numbers = [call["To"] for call in self.wait_calls(5)]
        self.assertEqual(numbers, [ONE, TWO, TWO, THREE, THREE])
        rows = wait_until(lambda: len(rows := self.daemon.rows(
            "SELECT outcome, http_status, error FROM notifications ORDER BY id")) >= 5 and rows, "five attempts")
        self.assertEqual([row["outcome"] for row in rows], ["failed", "retrying", "failed", "retrying", "sent"])
        self.assertIn("21211", rows[0]["error"])
        for row in rows:
            self.assertNotIn(TOKEN, row["error"])
            self.assertNotIn(ONE, row["error"])

    def test_hanging_and_half_closed_api(self):
        self.start(fire=False, more=", timeout: 1s")
        self.hub.script(self.twilio.calls_path, harness.Answer(hang=20), harness.Answer(hang=20),
                        harness.Answer(raw=outside.half_close))
        self.fire()
        calls = self.wait_calls(3)
        self.assertEqual([call["To"] for call in calls], [ONE, ONE, TWO])
        self.assertIn("Acknowledged", self.twilio.press(calls[2], "1").text)

    def test_callbacks_are_believed_for_their_signature_alone(self):
        self.start(public="https://alerts.example.com:8443/ml")
        self.twilio.prefix = "/ml"
        call = self.wait_calls(1)[0]
        url = self.twilio.gather_url(call)
        self.assertTrue(url.startswith("https://alerts.example.com:8443/ml/api/mlalert/v1/hooks/twilio/voice?call="))
        fields = {"CallSid": "CA1", "Digits": "1", "From": "+14155550100", "To": ONE}
        good = self.twilio.sign(url, fields)
        for signature, status in (("", 401), ("short", 403), (self.twilio.sign(url, fields, "wrong"), 403),
                                  (self.twilio.sign(url, {**fields, "Digits": "2"}), 403),
                                  (self.twilio.sign(url.replace("https", "http"), fields), 403)):
            self.assertEqual(self.twilio.callback(url, fields, signature).status, status, signature)
        changed = url[:-1] + ("A" if url[-1] != "A" else "B")
        self.assertEqual(self.twilio.callback(changed, fields).status, 403)
        self.assertEqual(self.state(), "open")
        without_port = self.twilio.sign(url.replace(":8443", ""), fields)
        self.assertNotEqual(without_port, good)
        self.assertEqual(self.twilio.callback(url, fields, without_port).status, 200)
        self.assertEqual(self.state(), "acknowledged")
        self.assertNotIn(TOKEN, self.daemon.log())
        self.assertNotIn(TOKEN, self.daemon.get("/api/v2/status").text)


class ChainOfCalls(Phone):
    def start(self):
        self.hub = self.sink()
        self.daemon = self.mlalert(f"""
route: {{receiver: board, group_by: [model], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
- {{name: board}}
- name: phone
  twilio_configs: [{{account_sid: AC1, auth_token: {TOKEN}, from: "+14155550100", to: ["{ONE}", "{TWO}"], api_url: "{self.hub.url}"}}]
- {{name: l2, webhook_configs: [{{url: "{self.hub.url}/l2"}}]}}
- {{name: last, webhook_configs: [{{url: "{self.hub.url}/last"}}]}}
incidents: {{identity: [alertname, model]}}
incident_policies:
- {{name: all, cooldown: 0s, chain: {{steps: [{{after: 0s, receivers: [phone]}}, {{after: 1h, receivers: [l2]}}], fallback: [last]}}}}
inbound: {{public_url: "https://alerts.example.com"}}
""")
        self.twilio = outside.Twilio(self.daemon, self.hub, TOKEN)
        self.hub.always(self.twilio.calls_path, harness.Answer(201, '{"sid":"CA1","status":"queued"}'))
        self.fire()

    def test_each_number_has_its_turn_before_the_next_step(self):
        self.start()
        call = self.wait_calls(1)[0]
        self.assertEqual(call["To"], ONE)
        self.assertEqual(self.twilio.end(call, "busy").status, 204)
        second = self.wait_calls(2)[1]
        self.assertEqual(second["To"], TWO)
        self.assertEqual(self.hub.requests("/l2") + self.hub.requests("/last"), [], "the round is not over")
        self.assertEqual(self.twilio.end(second, "no-answer").status, 204)
        for path in ("/l2", "/last"):
            self.hub.wait_for(path, 1)
        stays(lambda: len(self.twilio.calls()) == 2, "each number once", 1.5)

    def test_the_second_number_rings_after_a_crash_too(self):
        self.start()
        call = self.wait_calls(1)[0]
        wait_until(lambda: self.daemon.rows("SELECT 1 FROM nflog WHERE integration = 'twilio'"), "told")
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual(self.twilio.end(call, "busy").status, 204)
        second = self.wait_calls(2)[1]
        self.assertEqual(second["To"], TWO)
        self.assertIn("Acknowledged", self.twilio.press(second, "1").text)
        self.assertEqual(self.state(), "acknowledged")
        self.assertEqual(self.hub.requests("/l2") + self.hub.requests("/last"), [])


class Sms(Phone):
    def test_every_number_gets_a_link_that_acknowledges(self):
        self.start(more=", method: sms, send_resolved: true")
        messages = wait_until(lambda: len(found := self.twilio.messages()) >= 3 and found, "three messages")
        self.assertEqual([message["To"] for message in messages], [ONE, TWO, THREE])
        body = messages[0]["Body"]
        self.assertTrue(body.startswith("[P0] ModelDown: does not answer Acknowledge: https://alerts.example.com/act/"), body)
        path = urllib.parse.urlsplit(body.split(" ")[-1]).path
        self.assertEqual(self.daemon.post(path, b"by=Ann").status, 200)
        self.assertEqual(self.state(), "acknowledged")
        told = wait_until(lambda: len(found := self.twilio.messages()) >= 6 and found, "who took it")
        self.assertIn("Acknowledged by Ann", told[3]["Body"])
        self.daemon.resolve(DOWN)
        end = wait_until(lambda: len(found := self.twilio.messages()) >= 9 and found, "the end")
        self.assertTrue(end[6]["Body"].startswith("[RESOLVED] ModelDown"))

    def test_a_number_that_said_stop_holds_nobody_up(self):
        self.start(fire=False, more=", method: sms")
        self.hub.script(self.twilio.messages_path, harness.Answer(400, '{"code":21610,"message":"unsubscribed"}'),
                        harness.Answer(201), harness.Answer(429, '{"code":20429}', {"Retry-After": "1"}),
                        harness.Answer(201))
        self.fire()
        messages = wait_until(lambda: len(found := self.twilio.messages()) >= 5 and found, "two rounds")
        self.assertEqual([message["To"] for message in messages], [ONE, TWO, THREE, ONE, THREE])
        wait_until(lambda: [row["outcome"] for row in self.daemon.rows("SELECT outcome FROM notifications ORDER BY id")]
                   == ["retrying", "sent"], "sent")


if __name__ == "__main__":
    harness.unittest.main()
