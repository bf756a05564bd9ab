"""Every receiver kind that is reached by HTTP, through the real binary: the calls that Alertmanager 0.33.1 made under
the same config (test/notify/golden/), those that Debian's Alertmanager makes beside us, and what becomes of refusals."""

import collections
import json
import pathlib
import re

import harness
from harness import Answer, wait_until

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "notify" / "golden"
LABELS = {"alertname": "A", "cluster": "eu", "severity": "critical"}
JSON_TYPE = {"Content-Type": "application/json"}


def golden_config(sink):
    """all-receivers.yml without mail, its server replaced by the sink."""
    text = (GOLDEN / "all-receivers.yml").read_text().replace("http://127.0.0.1:19199", sink.url)
    return re.sub(r"  email_configs:\n(  [- ] .*\n)+", "", text)


def golden_calls():
    """[("POST /path", body)] about firing, then about resolved."""
    lines = (GOLDEN / "all_receivers.txt").read_text().split("\n")
    calls = list(zip(lines[::2], lines[1::2]))
    turn = [call for call, _ in calls].index("POST /wh/eu", [call for call, _ in calls].index("POST /wh/eu") + 1)
    return sorted(calls[:turn]), sorted(calls[turn:])


def alert(resolved=False, **changes):
    out = {"labels": LABELS, "annotations": {"summary": "x<1"}, "generatorURL": "http://p/g?a=1&b=2",
           "startsAt": "2026-01-02T03:04:05.6Z", **changes}
    if resolved:
        out["endsAt"] = "2026-01-02T04:00:00Z"
    return out


def answer_as_they_do(sink, prefix=""):
    """Those that say yes in their body."""
    for bot in ("TOK", "TOK2"):
        sink.always(f"{prefix}/bot{bot}/sendMessage",
                    Answer(200, '{"ok":true,"result":{"message_id":1,"chat":{"id":-100}}}', JSON_TYPE))
    sink.always(f"{prefix}/slackjson", Answer(200, '{"ok":true,"channel":"C1","ts":"1.2"}', JSON_TYPE))
    sink.always(f"{prefix}/rc/api/v1/chat.postMessage", Answer(200, '{"success":true}', JSON_TYPE))
    sink.always(f"{prefix}/wechat/gettoken?corpid=c&corpsecret=s", Answer(200, '{"access_token":"TOK"}', JSON_TYPE))
    sink.always(f"{prefix}/wechat/message/send?access_token=TOK", Answer(200, '{"errcode":0}', JSON_TYPE))
    sink.always(f"{prefix}/rest/api/2/search", Answer(200, '{"issues":[]}', JSON_TYPE))
    sink.always(f"{prefix}/rest/api/2/issue", Answer(201, '{"id":"1","key":"PRJ-1"}', JSON_TYPE))


class Golden(harness.TestCase):
    def test_calls_equal_those_of_alertmanager(self):
        sink = self.sink()
        answer_as_they_do(sink)
        daemon = self.mlalert(golden_config(sink), flags=["--web.external-url=http://am.example.org/"])
        for step, wanted in zip((alert(), alert(resolved=True)), golden_calls()):
            before = len(sink.taken)
            daemon.post_alerts(step)

            def calls():
                return sorted((f"{one.method} {one.path}", one.body.decode().rstrip("\n"))
                              for one in sink.taken[before:])

            try:
                wait_until(lambda: calls() == wanted, "the calls of Alertmanager")
            except AssertionError:
                self.maxDiff = None
                self.assertEqual(calls(), wanted)
                raise
        self.assertEqual({row["outcome"] for row in daemon.rows("SELECT outcome FROM notifications")}, {"sent"})
        self.check_headers(sink)

    def check_headers(self, sink):
        def header(path, name):
            return sink.requests(path)[0].headers.get(name)

        self.assertEqual(header("/webex", "Authorization"), "Bearer wtok")
        self.assertEqual(header("/iio", "Authorization"), "Bearer iiotok")
        self.assertEqual(header("/og/v2/alerts", "Authorization"), "GenieKey key")
        self.assertEqual(header("/rc/api/v1/chat.postMessage", "X-Auth-Token"), "to")
        self.assertEqual(header("/rc/api/v1/chat.postMessage", "X-User-Id"), "ti")
        for one in sink.taken:
            if one.method != "GET":
                self.assertEqual(one.headers.get("Content-Type"), "application/json", one.path)


# What Alertmanager 0.25 knows, without keys that came later.
BOTH = """
global: {wechat_api_url: "URL/wechat/", opsgenie_api_url: "URL/og"}
route: {receiver: all, group_by: [alertname, cluster], group_wait: 1s, group_interval: 2s, repeat_interval: 1h}
receivers:
- name: all
  webhook_configs: [{url: "URL/wh"}]
  pagerduty_configs:
  - {url: "URL/pd", routing_key: "rk", severity: "{{ .CommonLabels.severity }}", class: c, component: "{{ .Status }}",
     group: g, client: "é<", images: [{src: "http://i/{{ .Status }}", alt: a, href: h}, {alt: noimg}],
     links: [{href: "http://l", text: t}, {text: nolink}]}
  slack_configs:
  - {api_url: "URL/slack", channel: "#{{ .Status }}", send_resolved: true, short_fields: true, link_names: true,
     fields: [{title: t, value: "{{ len .Alerts }}"}, {title: t2, value: v2, short: false}], text: "<{{ .Status }}>",
     pretext: p, footer: f, icon_emoji: ":e:", image_url: i, thumb_url: th, mrkdwn_in: [text],
     actions: [{type: button, text: Go, url: "http://u", style: s},
               {type: button, text: Ask, name: n, value: v, confirm: {text: sure, title: ti, ok_text: ok}}]}
  opsgenie_configs:
  - {api_key: key, details: {d: "{{ .Status }}"}, tags: "a,,b, c", priority: P1, update_alerts: true, note: n,
     entity: e, actions: "x,y", responders: [{type: teams, name: "x,,y"}, {type: user, username: "{{ .Status }}"}]}
  telegram_configs:
  - {api_url: "URL", bot_token: TOK, chat_id: -100, disable_notifications: true}
  - {api_url: "URL", bot_token: TOK2, chat_id: -101, parse_mode: Markdown, message: "*{{ .Status }}*"}
  discord_configs: [{webhook_url: "URL/discord"}]
  victorops_configs:
  - {api_url: "URL/vo", api_key: VK, routing_key: "a b/{{ .Status }}?", message_type: WARNING, custom_fields: {cf: "{{ .Status }}"}}
  webex_configs:
  - {api_url: "URL/webex", room_id: room, http_config: {authorization: {credentials: wtok}}}
  wechat_configs:
  - {api_secret: s, corp_id: c, to_user: u, to_party: p, to_tag: t, agent_id: "1", send_resolved: true, message_type: markdown}
"""


class BesideAlertmanager(harness.TestCase):
    def comparable(self, one, prefix, external_url):
        """The call without times, sender and what came after 0.25."""
        text = one.body.decode().replace(external_url, "EXTERNAL")
        body = json.loads(text) if text else None
        path = one.path.removeprefix(prefix)
        if path == "/wh":
            body.pop("notification_reason", None)
        if path == "/pd":
            body["payload"].pop("custom_details")  # were texts, are typed
        return f"{one.method} {path}", body

    def test_bodies_are_the_same(self):
        sink = self.sink()
        for prefix in ("/ours", "/theirs"):
            answer_as_they_do(sink, prefix)
            sink.always(f"{prefix}/slack", Answer(200, b"ok"))
        ours = self.mlalert(BOTH.replace("URL", sink.url + "/ours"))
        theirs = self.alertmanager(BOTH.replace("URL", sink.url + "/theirs"))

        def calls(prefix):
            taken = [one for one in list(sink.taken) if one.path.startswith(prefix + "/")]
            hooks = [one.json()["externalURL"] for one in taken if one.path == prefix + "/wh"]
            out = collections.defaultdict(list)
            for one in taken if hooks else []:
                call, body = self.comparable(one, prefix, hooks[0])
                out[call].append(body)
            return out

        def same(count):
            return lambda: (count <= len(calls("/theirs").get("POST /wechat/message/send?access_token=TOK", []))
                            and calls("/theirs") == calls("/ours"))

        def post(*alerts):
            for port in (ours.port, theirs.port):
                harness.request(port, "POST", "/api/v2/alerts", body=list(alerts))

        other = {**alert(), "labels": {**LABELS, "job": "j&1"}, "annotations": {"summary": "é\u2028", "b": "*_`[x]("}}
        steps = [(alert(), other), (alert(resolved=True),), ({**other, "endsAt": "2026-01-02T05:00:00Z"},)]
        for count, step in enumerate(steps, 1):
            post(*step)
            try:
                wait_until(same(count), f"step {count}: the same calls")
            except AssertionError:
                mine, others = calls("/ours"), calls("/theirs")
                self.assertEqual(sorted(mine), sorted(others))
                for call in others:
                    self.assertEqual(mine[call], others[call], call)
                raise


class Refusals(harness.TestCase):
    CONFIG = """
route: {receiver: none, group_by: [to], group_wait: 0s, group_interval: 1s, repeat_interval: 1h, routes: [ROUTES]}
receivers:
- name: none
- {name: discord, discord_configs: [{webhook_url: "URL/discord/s3cretOfDiscord1"}]}
- {name: msteams, msteams_configs: [{webhook_url: "URL/msteams/s3cretOfTeams111"}]}
- {name: msteamsv2, msteamsv2_configs: [{webhook_url: "URL/msteamsv2/s3cretOfFlows111"}]}
- {name: telegram, telegram_configs: [{api_url: "URL/telegram", bot_token: s3cretOfTelegram, chat_id: 1}]}
- {name: victorops, victorops_configs: [{api_url: "URL/victorops", api_key: s3cretOfVictorops, routing_key: r}]}
- name: webex
  webex_configs: [{api_url: "URL/webex", room_id: r, http_config: {authorization: {credentials: s3cretOfWebex}}}]
- {name: mattermost, mattermost_configs: [{webhook_url: "URL/mattermost/s3cretOfMattermost"}]}
- {name: rocketchat, rocketchat_configs: [{api_url: "URL/rocketchat", token_id: s3cretId, token: s3cretOfRocket}]}
- {name: incidentio, incidentio_configs: [{url: "URL/incidentio", alert_source_token: s3cretOfIncidentio}]}
"""
    PATHS = {"discord": "/discord/s3cretOfDiscord1", "msteams": "/msteams/s3cretOfTeams111",
             "msteamsv2": "/msteamsv2/s3cretOfFlows111", "telegram": "/telegram/bots3cretOfTelegram/sendMessage",
             "victorops": "/victorops/s3cretOfVictorops/r", "webex": "/webex",
             "mattermost": "/mattermost/s3cretOfMattermost", "rocketchat": "/rocketchat/api/v1/chat.postMessage",
             "incidentio": "/incidentio"}
    GOOD = {"telegram": '{"ok":true,"result":{}}', "rocketchat": '{"success":true}'}
    # They say no with 200, too.
    NO = {"telegram": ('{"ok":false,"error_code":400,"description":"chat not found"}', "retrying"),
          "rocketchat": ('{"success":false,"error":"not allowed"}', "failed")}

    def test_each_kind_answers_refusals_as_specified(self):
        sink = self.sink()
        routes = ", ".join(f"{{receiver: {name}, matchers: ['to=\"{name}\"']}}" for name in self.PATHS)
        daemon = self.mlalert(self.CONFIG.replace("ROUTES", routes).replace("URL", sink.url))
        for name, path in self.PATHS.items():
            echo = f"you sent {path}"
            refusals = [Answer(503, echo), Answer(429, echo), Answer(404, echo)]
            wanted = ["retrying", "retrying" if name in ("telegram", "incidentio") else "failed",
                      "retrying" if name == "telegram" else "failed"]
            if name in self.NO:
                refusals.append(Answer(200, self.NO[name][0]))
                wanted.append(self.NO[name][1])
            sink.script(path, *refusals, Answer(200, self.GOOD.get(name, "")))
            daemon.post_alerts({"alertname": "A", "to": name})
            with self.subTest(receiver=name):
                rows = wait_until(lambda: (rows := self.rows(daemon, name)) and rows[-1]["outcome"] == "sent" and rows,
                                  f"{name} is told in the end")
                self.assertEqual([row["outcome"] for row in rows], [*wanted, "sent"])
                self.assertTrue(all(row["error"] for row in rows[:-1]), rows)
        where = {"log": daemon.log().encode(), "status": daemon.get("/api/v2/status").body,
                 **{file.name: file.read_bytes() for file in daemon.storage.iterdir()}}
        for name, data in where.items():
            self.assertEqual(re.findall(rb"s3cret\w+", data), [], name)

    @staticmethod
    def rows(daemon, receiver):
        return daemon.rows("SELECT outcome, error FROM notifications WHERE receiver = ? ORDER BY id", receiver)


if __name__ == "__main__":
    harness.main()
