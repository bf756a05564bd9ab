"""Receivers whose attempt is more than one call: Opsgenie, WeChat, SNS, Jira, through the real binary."""

import hashlib
import hmac
import json
import os
import urllib.parse
from unittest import mock

import harness
from harness import Answer, wait_until

SECRETS = {"opsgenie": "ogS3cretKey", "wechat": "wxS3cretValue", "sns": "snsS3cretKey", "role": "roleS3cretKey",
           "token": "wxS3cretToken", "jira": "jiraS3cretPassword"}
JSON = {"Content-Type": "application/json"}


def config(kind, body):
    return ("route: {receiver: r, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}\n"
            f"receivers:\n- name: r\n  {kind}_configs:\n  - {body}\n")


class ReceiverExchanges(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.out = self.sink()

    def lines(self):
        return [f"{taken.method} {taken.path}" for taken in self.out.taken]

    def outcomes(self, daemon):
        return [row["outcome"] for row in daemon.rows("SELECT outcome FROM notifications ORDER BY id")]

    def assert_no_secret(self, daemon):
        log = daemon.log()
        database = b"".join(file.read_bytes() for file in daemon.storage.iterdir())
        status = daemon.get("/api/v2/status").body
        for name, secret in SECRETS.items():
            self.assertNotIn(secret, log, name)
            self.assertNotIn(secret.encode(), database, name)
            self.assertNotIn(secret.encode(), status, name)

    def test_opsgenie_creates_updates_and_closes(self):
        daemon = self.mlalert(config("opsgenie", f"{{api_url: '{self.out.url}/og', api_key: {SECRETS['opsgenie']}, "
                                     "update_alerts: true, tags: 'a,b', priority: P1, send_resolved: true}"))
        labels = {"alertname": "A", "severity": "critical"}
        daemon.post_alerts(labels)
        wait_until(lambda: len(self.out.taken) == 3, "create and two updates")
        create = self.out.taken[0].json()
        alias = create["alias"]
        self.assertEqual(alias, hashlib.sha256(b'{}:{alertname="A"}').hexdigest())
        self.assertEqual(create["tags"], ["a", "b"])
        self.assertEqual(create["message"], "[FIRING:1] A (critical)")
        self.assertEqual(self.lines(), ["POST /og/v2/alerts",
                                        f"PUT /og/v2/alerts/{alias}/message?identifierType=alias",
                                        f"PUT /og/v2/alerts/{alias}/description?identifierType=alias"])
        self.assertEqual({taken.headers["Authorization"] for taken in self.out.taken},
                         {f"GenieKey {SECRETS['opsgenie']}"})
        daemon.resolve(labels)
        wait_until(lambda: len(self.out.taken) == 4, "close")
        self.assertEqual(self.lines()[3], f"POST /og/v2/alerts/{alias}/close?identifierType=alias")
        wait_until(lambda: self.outcomes(daemon).count("sent") == 2, "both on record")
        self.assert_no_secret(daemon)

    def test_opsgenie_repeats_the_attempt_when_a_later_call_is_refused(self):
        daemon = self.mlalert(config("opsgenie", f"{{api_url: '{self.out.url}/og/', api_key: {SECRETS['opsgenie']}, "
                                     "update_alerts: true}"))
        alias = hashlib.sha256(b'{}:{alertname="A"}').hexdigest()
        self.out.script(f"/og/v2/alerts/{alias}/message?identifierType=alias", Answer(429), Answer(202))
        daemon.post_alerts({"alertname": "A"})
        wait_until(lambda: len(self.out.taken) == 5, "two, and three of the second attempt")
        self.assertEqual([line.split("?")[0].rsplit("/", 1)[1] for line in self.lines()],
                         ["alerts", "message", "alerts", "message", "description"])

    def test_wechat_keeps_its_token_and_gets_another_when_it_expires(self):
        gettoken = f"/wx/gettoken?corpid=c&corpsecret={SECRETS['wechat']}"
        send = f"/wx/message/send?access_token={SECRETS['token']}"
        self.out.always(gettoken, Answer(200, json.dumps({"access_token": SECRETS["token"]}), JSON))
        self.out.script(send, Answer(200, '{"errcode":0}', JSON),
                        Answer(200, json.dumps({"errcode": 42001, "errmsg": SECRETS["token"]}), JSON),
                        Answer(200, '{"errcode":0}', JSON))
        daemon = self.mlalert(config("wechat", f"{{api_url: '{self.out.url}/wx', api_secret: {SECRETS['wechat']}, "
                                     "corp_id: c, to_user: u}"))
        daemon.post_alerts({"alertname": "A"})
        wait_until(lambda: len(self.out.taken) == 2, "token and message")
        self.assertEqual(self.lines(), [f"GET {gettoken}", f"POST {send}"])
        self.assertEqual(self.out.taken[1].json()["touser"], "u")
        daemon.post_alerts({"alertname": "B"})
        wait_until(lambda: len(self.out.taken) == 5, "message, then token and message")
        self.assertEqual(self.lines()[2:], [f"POST {send}", f"GET {gettoken}", f"POST {send}"])
        wait_until(lambda: self.outcomes(daemon).count("sent") == 2, "both on record")
        self.assert_no_secret(daemon)

    def signature(self, taken, secret, service):
        """The signature that AWS would compute for what has arrived."""
        authorization = taken.headers["Authorization"]
        signed = authorization.split("SignedHeaders=")[1].split(",")[0].split(";")
        headers = "".join(f"{name}:{taken.headers[name].strip()}\n" for name in signed)
        request = "\n".join([taken.method, taken.path, "", headers, ";".join(signed),
                             hashlib.sha256(taken.body).hexdigest()])
        date = taken.headers["X-Amz-Date"]
        scope = f"{date[:8]}/eu-west-1/{service}/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(request.encode()).hexdigest()])
        key = ("AWS4" + secret).encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), "sha256").digest()
        return hmac.new(key, text.encode(), "sha256").hexdigest()

    def test_sns_assumes_the_role_and_signs_what_it_publishes(self):
        self.out.always("/sts/", Answer(200, f"""<AssumeRoleResponse><AssumeRoleResult><Credentials>
            <AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>{SECRETS['role']}</SecretAccessKey>
            <SessionToken>tok</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>
            </Credentials></AssumeRoleResult></AssumeRoleResponse>"""))
        self.out.always("/sns/", Answer(200, "<PublishResponse/>"))
        text = config("sns", f"{{api_url: '{self.out.url}/sns/', topic_arn: 'arn:t.fifo', attributes: {{k: v}}, "
                      f"sigv4: {{region: eu-west-1, access_key: AKIA, secret_key: {SECRETS['sns']}, "
                      "role_arn: 'arn:r'}}")
        daemon = harness.Mlalert(self, text, start=False)
        with mock.patch.dict(os.environ, AWS_ENDPOINT_URL_STS=f"{self.out.url}/sts/"):
            daemon.start()
        daemon.post_alerts({"alertname": "A"})
        wait_until(lambda: len(self.out.taken) == 2, "role and message")
        assume, publish = self.out.taken
        self.assertIn(self.signature(assume, SECRETS["sns"], "sts"), assume.headers["Authorization"])
        self.assertIn(self.signature(publish, SECRETS["role"], "sns"), publish.headers["Authorization"])
        self.assertEqual(publish.headers["X-Amz-Security-Token"], "tok")
        form = dict(urllib.parse.parse_qsl(publish.body.decode()))
        self.assertEqual(form["Action"], "Publish")
        self.assertEqual(form["MessageGroupId"], hashlib.sha256(b'{}:{alertname="A"}').hexdigest())
        self.assertEqual(form["MessageAttributes.entry.1.Value.StringValue"], "v")
        self.assertIn("Alerts Firing:", form["Message"])
        daemon.post_alerts({"alertname": "B"})
        wait_until(lambda: len(self.out.taken) == 3, "message under the same session")
        wait_until(lambda: self.outcomes(daemon).count("sent") == 2, "both on record")
        self.assert_no_secret(daemon)

    def test_jira_creates_closes_and_reopens_an_issue(self):
        found = {"issues": [{"key": "P-1", "fields": {"status": {"statusCategory": {"key": "new"}}}}]}
        done = {"issues": [{"key": "P-1", "fields": {"status": {"statusCategory": {"key": "done"}}}}]}
        self.out.script("/rest/api/2/search", Answer(200, '{"issues":[]}', JSON), Answer(200, json.dumps(found), JSON),
                        Answer(200, json.dumps(done), JSON))
        self.out.always("/rest/api/2/issue", Answer(201, '{"key":"P-1"}', JSON))
        self.out.always("/rest/api/2/issue/P-1", Answer(204))
        # One path for GET (the list) and POST (the move).
        self.out.always("/rest/api/2/issue/P-1/transitions", Answer(
            200, '{"transitions":[{"id":"31","name":"Done"},{"id":"11","name":"To Do"}]}', JSON))
        daemon = self.mlalert(config("jira", f"{{api_url: '{self.out.url}/rest/api/2/', project: P, issue_type: Bug, "
                                     "resolve_transition: Done, reopen_transition: To Do, reopen_duration: 1h, "
                                     "fields: {customfield_1: {value: '{{ .Status }}'}}, http_config: {basic_auth: "
                                     f"{{username: u, password: {SECRETS['jira']}}}}}}}"))
        labels = {"alertname": "A"}
        daemon.post_alerts(labels)
        wait_until(lambda: len(self.out.taken) == 2, "search and create")
        self.assertEqual(self.out.taken[1].json()["fields"]["customfield_1"], {"value": "firing"})
        daemon.resolve(labels)
        wait_until(lambda: len(self.out.taken) == 6, "search, update, transition")
        daemon.post_alerts(labels)
        wait_until(lambda: len(self.out.taken) == 10, "search, update, transition back")
        self.assertEqual(self.lines(), [
            "POST /rest/api/2/search", "POST /rest/api/2/issue",
            "POST /rest/api/2/search", "PUT /rest/api/2/issue/P-1",
            "GET /rest/api/2/issue/P-1/transitions", "POST /rest/api/2/issue/P-1/transitions",
            "POST /rest/api/2/search", "PUT /rest/api/2/issue/P-1",
            "GET /rest/api/2/issue/P-1/transitions", "POST /rest/api/2/issue/P-1/transitions"])
        self.assertEqual(self.out.taken[5].json(), {"transition": {"id": "31"}})
        self.assertEqual(self.out.taken[9].json(), {"transition": {"id": "11"}})
        self.assertIn("resolutiondate >= -60m", self.out.taken[6].json()["jql"])
        wait_until(lambda: self.outcomes(daemon).count("sent") == 3, "all on record")
        self.assert_no_secret(daemon)


if __name__ == "__main__":
    harness.main()
