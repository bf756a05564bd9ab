"""PagerDuty, Slack and Twilio as they answer on a bad day: every way to tell somebody meets every answer, in one
daemon. What is tried again and when, what is not, who is told instead, and what stands in the history."""

import base64
import json
import time

import harness
import outside
from harness import Answer, wait_until

ROUTING_KEY = "R0UT1NGK3Y"
HOOK_TOKEN = "h00kT0kenOfSlack9"
APP_TOKEN = "xoxb-4pp-t0ken"
TWILIO_TOKEN = "tw1l1o-auth-t0ken"
SIGNING = "sl4ck-s1gning-secret"
SECRETS = (ROUTING_KEY, HOOK_TOKEN, APP_TOKEN, TWILIO_TOKEN, SIGNING,
           base64.b64encode(f"AC1:{TWILIO_TOKEN}".encode()).decode())
JSON = {"Content-Type": "application/json"}
TIMEOUT = 1.0
RETRY_AFTER = 2
INTERVAL = 10  # seconds of the group interval, for which an attempt is repeated


def in_the_head(connection):
    """Ends in the middle of the answer's head: there is no status."""
    import socket
    connection.sendall(b"HTTP/1.1 2")
    connection.shutdown(socket.SHUT_WR)


def in_the_body(status, content_type):
    """Ends in the middle of the answer's body."""
    def close(connection):
        import socket
        connection.sendall(f"HTTP/1.1 {status} Fine\r\nContent-Type: {content_type}\r\nContent-Length: 400\r\n\r\n".encode()
                           + b'{"o')
        connection.shutdown(socket.SHUT_WR)
    return close


class Kind:
    """One way to tell somebody."""

    def __init__(self, name, integration, config, path, good, refusal, reason="escalated", paged=True, again="sent"):
        self.name = name
        self.integration = integration
        self.config = config            # of the integration, for a cell
        self.path = path                # that the answers are about
        self.good = good
        self.refusal = refusal
        self.reason = reason            # of the notifications in question
        self.paged = paged              # by a chain; else by the route, and then something happens
        self.again = again              # what half an answer after a status of 2xx comes to


def pagerduty(cell):
    return f"pagerduty_configs: [{{url: '{{sink}}/{cell}/enqueue', routing_key: '{ROUTING_KEY}', timeout: 1s}}]"


def slack_hook(cell):
    return f"slack_configs: [{{api_url: '{{sink}}/{cell}/services/T1/B1/{HOOK_TOKEN}', channel: '#ml', timeout: 1s}}]"


def slack_buttons(cell):
    return (f"slack_configs: [{{api_url: '{{sink}}/{cell}/services/T1/B1/{HOOK_TOKEN}', channel: '#ml', buttons: true, "
            "timeout: 1s}]")


def slack_app(cell):
    return (f"slack_configs: [{{app_url: '{{sink}}/{cell}/chat.postMessage', app_token: '{APP_TOKEN}', channel: '#ml', "
            "update_message: true, timeout: 1s}]")


def twilio(method):
    return lambda cell: (f"twilio_configs: [{{api_url: '{{sink}}/{cell}', account_sid: AC1, auth_token: '{TWILIO_TOKEN}', "
                         f"from: '+14155550100', to: '+4917000000001', method: {method}, timeout: 1s}}]")


PD_GOOD = Answer(202, '{"status":"success","message":"Event processed","dedup_key":"x"}', JSON)
PD_BAD = Answer(400, '{"status":"invalid event","message":"Event object is invalid","errors":["\'%s\' is no key"]}'
                % ROUTING_KEY, JSON)
HOOK_GOOD, HOOK_BAD = Answer(200, "ok"), Answer(400, f"invalid_payload at /services/T1/B1/{HOOK_TOKEN}")
APP_GOOD = Answer(200, '{"ok":true,"channel":"C1","ts":"1700000000.000100"}', JSON)
APP_BAD = Answer(400, '{"ok":false,"error":"bad %s"}' % APP_TOKEN, JSON)
TW_GOOD = Answer(201, '{"sid":"CA1","status":"queued"}', JSON)
TW_BAD = Answer(400, '{"code":21211,"message":"not valid for %s","status":400}' % TWILIO_TOKEN, JSON)
TW = "/2010-04-01/Accounts/AC1/"

KINDS = (
    Kind("pd-trigger", "pagerduty", pagerduty, "/enqueue", PD_GOOD, PD_BAD),
    Kind("pd-acknowledge", "pagerduty", pagerduty, "/enqueue", PD_GOOD, PD_BAD, "acknowledged", paged=False),
    Kind("pd-resolve", "pagerduty", pagerduty, "/enqueue", PD_GOOD, PD_BAD, "all alerts resolved", paged=False),
    Kind("slack-hook", "slack", slack_hook, f"/services/T1/B1/{HOOK_TOKEN}", HOOK_GOOD, HOOK_BAD, again="retrying"),
    Kind("slack-post", "slack", slack_app, "/chat.postMessage", APP_GOOD, APP_BAD, again="retrying"),
    Kind("slack-update", "slack", slack_app, "/chat.update", APP_GOOD, APP_BAD, "acknowledged", paged=False,
         again="retrying"),
    Kind("slack-press", "slack", slack_buttons, "/response", HOOK_GOOD, HOOK_BAD, None, paged=False),
    Kind("twilio-call", "twilio", twilio("call"), TW + "Calls.json", TW_GOOD, TW_BAD),
    Kind("twilio-sms", "twilio", twilio("sms"), TW + "Messages.json", TW_GOOD, TW_BAD),
)


def answers(kind):
    """{what the first answer is: the answer}."""
    content_type = "application/json" if kind.good.headers else "text/plain"
    return {
        "good": kind.good,
        "refusal": kind.refusal,
        "too-many": Answer(429, "slow down", {"Retry-After": str(RETRY_AFTER)}),
        "trouble": Answer(500, "try later"),
        "silence": Answer(hang=30),
        "no-head": Answer(raw=in_the_head),
        "half-body": Answer(raw=in_the_body(kind.good.status, content_type)),
    }


FATES = ("good", "refusal", "too-many", "trouble", "silence", "no-head", "half-body")
# The attempts that a first answer leads to, before whatever the group's next tick brings: outcome, status, error.
ATTEMPTS = {
    "good": [("sent", None, "")],
    "refusal": [("failed", 400, "unexpected status code 400")],
    "too-many": [("retrying", 429, "429"), ("sent", None, "")],
    "trouble": [("retrying", 500, "unexpected status code 500"), ("sent", None, "")],
    "silence": [("retrying", None, "timeout"), ("sent", None, "")],
    "no-head": [("retrying", None, ""), ("sent", None, "")],
}
RETRY_REASONS = {"too-many": "rateLimited", "trouble": "serverError", "silence": "contextDeadlineExceeded", "no-head": "other"}
PAGED = [kind for kind in KINDS if kind.paged]
# Receivers that never come back: whoever is next must not wait for them.
DEAD = {"dead-trouble": Answer(500, "no"), "dead-silence": Answer(hang=30)}


def cells():
    for kind in KINDS:
        for fate in FATES + (tuple(DEAD) if kind.paged else ()):
            yield kind, fate, f"{kind.name}-{fate}"


def config(sink):
    routes, receivers, policies = [], [], []
    for kind, _, cell in cells():
        receivers.append(f"- {{name: {cell}, {kind.config(cell).replace('{sink}', sink)}}}")
        if kind.paged:
            policies.append(f"- {{name: {cell}, matchers: ['cell={cell}'], cooldown: 0s, chain: {{steps: "
                            f"[{{after: 0s, receivers: [{cell}]}}, {{after: 1h, receivers: [second]}}], fallback: [instead]}}}}")
        else:
            routes.append(f"  - {{matchers: ['cell={cell}'], receiver: {cell}, group_interval: 2s}}")
    return "\n".join([
        f"route:\n  receiver: nobody\n  group_by: [cell]\n  group_wait: 0s\n  group_interval: {INTERVAL}s\n"
        "  repeat_interval: 1h\n  routes:", *routes,
        "receivers:\n- {name: nobody}",
        f"- {{name: second, webhook_configs: [{{url: '{sink}/second'}}]}}",
        f"- {{name: instead, webhook_configs: [{{url: '{sink}/instead'}}]}}", *receivers,
        "incidents: {identity: [alertname, cell]}",
        "incident_policies:", *policies, "- {name: rest, cooldown: 0s}",
        f"inbound: {{public_url: 'https://alerts.example.com', slack: {{signing_secret: {SIGNING}}}}}", ""])


class Matrix(harness.TestCase):
    """One daemon for all cells, so that each receiver also proves that the troubles of others do not hold it up."""

    def test_every_receiver_and_every_answer(self):
        self.hub = self.sink()
        for kind, fate, cell in cells():
            path = f"/{cell}{kind.path}"
            if kind.name == "slack-update":
                self.hub.always(f"/{cell}/chat.postMessage", kind.good)
            if kind.paged:
                self.hub.script(path, *([DEAD[fate]] if fate in DEAD else [answers(kind)[fate], kind.good]))
            else:
                self.hub.always(path, kind.good)
        self.daemon = self.mlalert(config(self.hub.url))
        self.daemon.post_alerts(*({"labels": self.labels(cell), "endsAt": harness.rfc3339(time.time() + 3600),
                                   "annotations": {"summary": "all wrong"}} for _, _, cell in cells()))
        self.ids = wait_until(lambda: len(found := {i["labels"]["cell"]: i["id"] for i in self.daemon.incidents("state=all&limit=500")})
                              == len(list(cells())) and found, "an incident for each cell")
        self.act_on_what_was_told()
        for check in (self.check_attempts, self.check_who_was_told_instead, self.check_metrics, self.check_secrets):
            check()

    @staticmethod
    def labels(cell):
        return {"alertname": "Drift", "cell": cell, "severity": "P1"}

    def act_on_what_was_told(self):
        """Somebody acknowledges, presses a button, and some alerts end: from here on the answers are bad."""
        slack = outside.Slack(self.daemon, SIGNING, self.hub)
        for kind, fate, cell in cells():
            if kind.paged:
                continue
            wait_until(lambda: [row for row in self.rows(cell) if row["outcome"] == "sent"], f"{cell} was told")
            self.hub.script(f"/{cell}{kind.path}", answers(kind)[fate], kind.good)
            if kind.name in ("pd-acknowledge", "slack-update"):
                self.assertEqual(self.daemon.ack(self.ids[cell], actor="Ann").status, 200)
            elif kind.name == "pd-resolve":
                self.daemon.resolve(self.labels(cell))
            else:
                message = self.hub.bodies(f"/{cell}/services/T1/B1/{HOOK_TOKEN}")[0]
                payload = slack.payload(message, "mlalert_acknowledge")
                payload["response_url"] = f"{self.hub.url}/{cell}/response"
                body = slack.body(payload)
                begin = time.monotonic()
                self.assertEqual(self.daemon.post(slack.path, body, headers=slack.headers(body)).status, 200)
                self.assertLess(time.monotonic() - begin, 3, "Slack waits no longer")

    def rows(self, cell, reason=None):
        rows = self.daemon.rows("SELECT * FROM notifications WHERE receiver = ? ORDER BY id", cell)
        return [row for row in rows if reason is None or row["reason"] == reason]

    def requests(self, kind, cell):
        taken = self.hub.requests(f"/{cell}{kind.path}")
        if kind.integration == "pagerduty":
            action = kind.name.split("-")[1]
            taken = [one for one in taken if one.json()["event_action"] == action]
        return taken

    def check_attempts(self):
        for kind, fate, cell in cells():
            if fate in DEAD:
                continue
            with self.subTest(cell=cell):
                if kind.reason is None:
                    self.check_redrawn(kind, fate, cell)
                    continue
                if fate == "half-body":
                    # A status of success is the answer of those who need no more; Slack's word is in the body.
                    wanted = ATTEMPTS["good"] if kind.again == "sent" else [("retrying", kind.good.status, ""), ("sent", None, "")]
                else:
                    wanted = ATTEMPTS[fate]
                rows = wait_until(lambda: len(found := self.rows(cell, kind.reason)) >= len(wanted) and found, "attempts")
                for number, (row, (outcome, status, error)) in enumerate(zip(rows, wanted), 1):
                    self.assertEqual((row["outcome"], row["attempt"]), (outcome, number), rows)
                    self.assertEqual(row["http_status"], kind.good.status if outcome == "sent" else status, rows)
                    self.assertIn(error, row["error"])
                    self.assertEqual(outcome == "sent", row["error"] == "", rows)
                    slow = fate == "silence" and number == 1
                    self.assertTrue(row["latency_ms"] >= TIMEOUT * 950 if slow else row["latency_ms"] >= 0, rows)
                    self.assertLess(row["latency_ms"], 8000, rows)
                    self.assertEqual(json.loads(row["incidents"]), [self.ids[cell]])
                # A refusal is final for this attempt: what follows is the group's next tick.
                self.assertEqual([row["attempt"] for row in rows[len(wanted):]], [1] * len(rows[len(wanted):]), rows)
                self.check_requests(kind, fate, cell)

    def check_requests(self, kind, fate, cell):
        taken = self.requests(kind, cell)
        if fate == "too-many":
            self.assertGreaterEqual(taken[1].at - taken[0].at, RETRY_AFTER - 0.01, "asked before its time")
        if len(taken) > 1 and kind.integration != "twilio":  # whose links say when they expire
            self.assertEqual(taken[0].body, taken[1].body, "the same is said again")
        if kind.integration == "pagerduty":
            self.assertEqual(len({one.json()["dedup_key"] for one in taken}), 1)
            self.assertEqual({one.json()["routing_key"] for one in taken}, {ROUTING_KEY})
        if kind.name == "slack-update":
            self.assertEqual((taken[0].json()["channel"], taken[0].json()["ts"]), ("C1", "1700000000.000100"))

    def check_redrawn(self, kind, fate, cell):
        """The message under whose button somebody pressed is changed also when Slack is in trouble at first."""
        once = fate in ("good", "refusal", "half-body")
        taken = wait_until(lambda: len(found := self.requests(kind, cell)) >= (1 if once else 2) and found, "redrawn")
        self.assertTrue(all(one.json()["replace_original"] for one in taken))
        self.assertEqual(len({one.body for one in taken}), 1)
        if fate == "too-many":
            self.assertGreaterEqual(taken[1].at - taken[0].at, RETRY_AFTER - 0.01)
        if once:
            self.assertEqual(len(taken), 1)
        self.assertEqual(self.daemon.incident(self.ids[cell])["state"], "acknowledged", "whatever became of the message")

    def told(self, path):
        return sorted({alert["labels"]["cell"] for body in self.hub.bodies(path) for alert in body["alerts"]})

    def check_who_was_told_instead(self):
        """Who refuses, and who does not come back, is followed by the next step and by the fallback; nobody else is."""
        wanted = sorted(cell for kind, fate, cell in cells() if kind.paged and (fate == "refusal" or fate in DEAD))
        for path in ("/instead", "/second"):
            wait_until(lambda: set(self.told(path)) >= set(wanted), f"{wanted} in {path}", timeout=INTERVAL + 20)
            self.assertEqual(self.told(path), wanted)
        for kind, fate, cell in cells():
            if not kind.paged:
                continue
            with self.subTest(cell=cell):
                events = [event for event in self.daemon.incident(self.ids[cell])["events"] if event["type"] == "nobody_reached"]
                self.assertEqual(len(events), 1 if cell in wanted else 0, events)
                if events:
                    self.assertIn(cell, events[0]["reason"])
                    self.assertIn("told instead: instead", events[0]["reason"])
                if fate in DEAD:
                    rows = self.rows(cell, kind.reason)
                    self.assertGreaterEqual(len(rows), 3, "it was tried again and again")
                    given_up = [row for row in rows if row["outcome"] == "failed"][0]
                    self.assertGreater(given_up["attempt"], 2, rows)

    def check_metrics(self):
        rows = self.daemon.rows("SELECT integration, outcome, count(*) AS n FROM notifications GROUP BY 1, 2")
        for integration in ("pagerduty", "slack", "twilio"):
            with self.subTest(integration=integration):
                sent = sum(row["n"] for row in rows if (row["integration"], row["outcome"]) == (integration, "sent"))
                self.assertGreaterEqual(self.daemon.metric("mlalert_notifications_sent_total", integration=integration), sent)
                attempts = self.daemon.metric("mlalert_notification_attempts_total", integration=integration)
                self.assertGreaterEqual(attempts, sum(row["n"] for row in rows if row["integration"] == integration))
                mine = [kind for kind in KINDS if kind.integration == integration and kind.reason]
                self.assertEqual(self.daemon.metric("mlalert_notifications_failed_total", integration=integration,
                                                    reason="clientError"), len(mine))
                for fate, reason in RETRY_REASONS.items():
                    self.assertGreaterEqual(self.daemon.metric("mlalert_notification_retries_total", integration=integration,
                                                               reason=reason), len(mine), reason)
                self.assertGreaterEqual(self.daemon.metric("alertmanager_notification_requests_failed_total",
                                                           integration=integration), len(mine) * 5)

    def check_secrets(self):
        places = {"log": self.daemon.log(), "metrics": self.daemon.get("/metrics").text,
                  "config": self.daemon.get("/api/v2/status").text,
                  "incidents": self.daemon.get("/api/mlalert/v1/incidents?state=all&limit=500").text}
        for cell in ("pd-trigger-refusal", "slack-hook-refusal", "slack-post-refusal", "twilio-call-refusal", "slack-press-refusal"):
            places[cell] = self.daemon.get(f"/api/mlalert/v1/incidents/{self.ids[cell]}").text
            places["why " + cell] = self.daemon.get(f"/api/mlalert/v1/incidents/{self.ids[cell]}/why").text
        stored = b"".join(file.read_bytes() for file in self.daemon.storage.iterdir())
        for secret in SECRETS:
            with self.subTest(secret=secret):
                self.assertNotIn(secret.encode(), stored)
                for place, text in places.items():
                    self.assertNotIn(secret, text, place)


if __name__ == "__main__":
    harness.main()
