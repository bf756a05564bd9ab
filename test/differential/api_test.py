"""The same requests to Debian's prometheus-alertmanager and to mlalert: status, headers and bodies must be the same.

A few hundred requests, many of them malformed. Debian's Alertmanager is 0.25, the reference is 0.33: what changed in
between is normalised away in one place (normal()) or listed, with its reason, in KNOWN.
"""

import datetime
import http.client
import json
import pathlib
import re
import sys
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import harness  # noqa: E402

CONFIG = """
global: {resolve_timeout: 7m}
route:
  receiver: default
  group_by: [alertname, cluster]
  group_wait: 1h
  routes:
  - matchers: ['severity="critical"']
    receiver: pager
    continue: true
  - matchers: ['team=~"a|b"']
    receiver: team
    group_by: ['...']
receivers:
- name: default
- name: pager
- name: team
- name: unused
inhibit_rules:
- source_matchers: ['severity="critical"']
  target_matchers: ['severity="warning"']
  equal: [cluster]
"""

START = "2026-01-02T03:04:05.678Z"
FAR = "2099-01-02T03:04:05.678Z"
EARLY = "2001-01-02T03:04:05.678Z"

ALERTS = [
    {"labels": {"alertname": "A", "cluster": "eu", "severity": "critical"}, "annotations": {"summary": "x<1 & y>2"},
     "generatorURL": "http://p/g?a=1&b=2", "startsAt": START, "endsAt": FAR},
    {"labels": {"alertname": "B", "cluster": "eu", "severity": "warning", "job": "j"}, "startsAt": START,
     "endsAt": FAR, "annotations": {"empty": ""}},
    {"labels": {"alertname": "C", "cluster": "us", "team": "a", "instance": "i:1"},
     "startsAt": "2026-01-02T03:04:05+02:00", "endsAt": "2098-11-23T04:40:00.123456789+02:00"},
    {"labels": {"alertname": "C", "cluster": "us", "team": "b", "instance": "i:2", "empty": ""}, "startsAt": START,
     "endsAt": FAR},
    {"labels": {"alertname": "D", "cluster": "us", "text": "quote \" backslash \\ newline \n tab \t \u00fc \U0001f600"},
     "startsAt": START, "endsAt": FAR},
    {"labels": {"alertname": "Gone", "cluster": "us"}, "startsAt": EARLY, "endsAt": START},
    {"labels": {"alertname": "S", "cluster": "ap", "severity": "critical", "team": "a"}, "startsAt": START,
     "endsAt": FAR},
]


def silence(matchers, start=START, end=FAR, **more):
    return {"matchers": matchers, "startsAt": start, "endsAt": end, "createdBy": "me", "comment": "why", **more}


def matcher(name, value, regex=False, equal=True):
    return {"name": name, "value": value, "isRegex": regex, "isEqual": equal}


SILENCES = [
    silence([matcher("alertname", "S")]),
    silence([matcher("alertname", "Q.*", regex=True), matcher("cluster", "eu", equal=False)], end="2098-01-01T00:00:00Z"),
    silence([matcher("alertname", "later")], start="2097-01-01T00:00:00Z"),
    silence([matcher("alertname", "sooner")], start="2096-01-01T00:00:00Z"),
]


class Case:
    def __init__(self, method, path, body=None, headers=None, known=None):
        self.method = method
        self.path = path
        self.body = json.dumps(body) if isinstance(body, (list, dict)) else body
        self.headers = dict(headers or {})
        if isinstance(body, (list, dict)):
            self.headers.setdefault("Content-Type", "application/json")
        self.known = known

    def __str__(self):
        return f"{self.method} {self.path} {self.headers or ''} {(self.body or '')[:300]!r}"


def query(path, *pairs):
    return path + "?" + "&".join(urllib.parse.quote(k) + "=" + urllib.parse.quote(v) for k, v in pairs)


JSON = {"Content-Type": "application/json"}

FILTERS = [
    'alertname="A"', "alertname=A", 'alertname=~"A|B"', 'alertname!~"A|B"', 'alertname!="A"', "alertname=~.*", 'team=""',
    'team!=""', 'team=~""', 'team!~""', 'team=~".*"', 'team=~".+"', 'nothing=""', 'nothing="x"', 'nothing!="x"',
    'alertname="A",cluster="eu"', "{alertname=\"A\"}", '{alertname="A"', "foo", "", "=", "a=", "=b", 'a="b', 'a=b"',
    'a="b"c', "a=~(", 'a=~"("', 'a=~"[z-a]"', 'a=~"a{1000000}"', " alertname = A ", 'alertname="A" ', "a==b", "a=!b",
    "a=~b~c", '1a="b"', 'a-b="c"', 'a.b="c"', 'a:b="c"', 'text=~"quote.*"', 'cluster="e\\u0075"', 'cluster="eu\\n"',
    "cluster=eu,", ",cluster=eu", "cluster=e u", 'alertname="\\"', "alertname='A'",
]

WRONG_ALERTS = [
    "", "{", "[", "[{", "[]", "null", "{}", '"x"', "1", "true", "[1]", "[[]]", '["x"]', "[{}]",
    '[{"labels":null}]', '[{"labels":{}}]', '[{"labels":[]}]', '[{"labels":"x"}]', '[{"labels":{"a":1}}]',
    '[{"labels":{"a":null}}]', '[{"labels":{"a":true}}]', '[{"labels":{"a":{}}}]', '[{"labels":{"a":[]}}]',
    '[{"labels":{"":"x"}}]', '[{"labels":{"a":""}}]',
    '[{"labels":{"a":"b"},"annotations":1}]', '[{"labels":{"a":"b"},"annotations":{"x":1}}]',
    '[{"labels":{"a":"b"},"startsAt":"foo"}]', '[{"labels":{"a":"b"},"startsAt":1}]',
    '[{"labels":{"a":"b"},"endsAt":"2026-13-01T00:00:00Z"}]', '[{"labels":{"a":"b"},"endsAt":"x"}]',
    '[{"labels":{"a":"b"},"startsAt":"2030-01-01T00:00:00Z","endsAt":"2029-01-01T00:00:00Z"}]',
    '[{"labels":{"a":"b"},"generatorURL":"foo"}]', '[{"labels":{"a":"b"},"generatorURL":1}]',
    '[{"labels":{"a":"b"},"generatorURL":"http://[::1"}]', '[{"labels":{"a":"b"},"generatorURL":"/relative"}]',
    '[{"annotations":{}}]', '[{"labels":{"a":"b"}},{"annotations":{}}]', '[{"labels":{"a":"b"}},{"labels":{"a":2}}]',
    '[{"labels":{}},{"labels":{"":"y"}}]', "[{\"labels\":{\"a\":\"b\"},}]", "[{'labels':{}}]", "nul", "[}", '[{"labels"}]',
    '{"labels":{"a":"b"}}', '[{"labels":{"a":"b"},"fingerprint":"x","unknown":[1,2]}]', " [] ", "\n",
    '[{"labels":{"a":"b"},"startsAt":null,"endsAt":null,"endsAt":"1971-01-01T00:00:00Z"}]',
]

GOOD_SILENCE = silence([matcher("alertname", "x")])


def without(key):
    return {name: value for name, value in GOOD_SILENCE.items() if name != key}


WRONG_SILENCES = [
    "", "{", "[]", "null", "{}", '"x"', "1", without("comment"), without("createdBy"), without("endsAt"),
    without("matchers"), without("startsAt"), silence([]), silence(None), silence([{}]), silence([1]), silence("x"),
    silence([{"name": "a", "value": "b"}]), silence([{"isRegex": False, "value": "b"}]),
    silence([{"isRegex": False, "name": "a"}]), silence([{"isRegex": "x", "name": "a", "value": "b"}]),
    silence([{"isRegex": False, "name": 1, "value": "b"}]), silence([{"isRegex": False, "name": "a", "value": 1}]),
    silence([{"isRegex": False, "name": "a", "value": "b", "isEqual": 1}]),
    silence([matcher("", "b")]), silence([matcher("a", "")]), silence([matcher("a", "", equal=False)]),
    silence([matcher("a", "(", regex=True)]), silence([matcher("a", ".*", regex=True)]),
    silence([matcher("a", "x|", regex=True)]), silence([matcher("a", "^$|x", regex=True)]),
    silence([matcher("a", "", regex=True)]), silence([matcher("a", "", regex=True, equal=False)]),
    silence([matcher("a", "b"), matcher("", "x")]),
    silence([matcher("a", "b")], start=FAR, end=START), silence([matcher("a", "b")], start=START, end=START),
    silence([matcher("a", "b")], start=EARLY, end=START), silence([matcher("a", "b")], start="x"),
    silence([matcher("a", "b")], end="x"), silence([matcher("a", "b")], end=None), silence([matcher("a", "b")], start=""),
    silence([matcher("a", "b")], id="nope"), silence([matcher("a", "b")], id="00000000-0000-4000-8000-000000000000"),
    silence([matcher("a", "b")], createdBy=1), silence([matcher("a", "b")], comment=1),
    silence([matcher("a", "b")], id=1),
]

BOOLS = ["true", "false", "1", "0", "yes", "no", "on", "off", "T", "TRUE", "t", "f", "enabled", "selected", "checked",
         "y", "n", "ok", "foo", "", "2", " true"]


def cases():
    for path in ["/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/silences", "/api/v2/receivers"]:
        yield Case("GET", path)
        yield Case("GET", path + "/")
        yield Case("GET", path + "?unknown=1&x")
        for accept in ["application/json", "*/*", "text/html", "application/*", "text/html, application/json;q=0.5",
                       "application/json;q=0", "application/xml", "text/html,*/*;q=0.1", "nonsense", ""]:
            yield Case("GET", path, headers={"Accept": accept})
        for method in ["HEAD", "PUT", "DELETE", "PATCH", "FOO", "OPTIONS"]:
            yield Case(method, path)
        yield Case("GET", path, headers={"Origin": "http://elsewhere"})
        for wanted in ["GET", "POST", "HEAD", "DELETE", "PUT"]:
            yield Case("OPTIONS", path, headers={"Origin": "http://x", "Access-Control-Request-Method": wanted})
        yield Case("OPTIONS", path, headers={"Origin": "http://x", "Access-Control-Request-Method": "POST",
                                             "Access-Control-Request-Headers": "content-type"})
        yield Case("OPTIONS", path, headers={"Access-Control-Request-Method": "GET"})
    for path in ["/api/v2/alerts", "/api/v2/alerts/groups"]:
        for text in FILTERS:
            yield Case("GET", query(path, ("filter", text)))
        yield Case("GET", query(path, ("filter", "cluster=eu"), ("filter", "severity=critical")))
        for name in ["active", "silenced", "inhibited"]:
            for value in BOOLS:
                yield Case("GET", query(path, (name, value)))
        yield Case("GET", query(path, ("active", "false"), ("silenced", "false")))
        yield Case("GET", query(path, ("active", "false"), ("inhibited", "false")))
        yield Case("GET", query(path, ("active", "false"), ("active", "true")))
        for value in ["default", "pager", "team|pager", "def", ".*", "(", "[", "", "nothing", "a{2,1}"]:
            yield Case("GET", query(path, ("receiver", value)))
    for text in ['alertname="S"', 'alertname=~"Q.*"', 'alertname="Q.*"', 'cluster!="eu"', 'cluster="eu"', 'alertname=""',
                 'nothing=""', 'alertname=~"S"', "foo", "", 'alertname="S",cluster="x"', 'alertname!="x"']:
        yield Case("GET", query("/api/v2/silences", ("filter", text)))
    for text in WRONG_ALERTS:
        yield Case("POST", "/api/v2/alerts", text, JSON)
    for body in WRONG_SILENCES:
        yield Case("POST", "/api/v2/silences", body, JSON)
    for path, body in [("/api/v2/alerts", "[]"), ("/api/v2/silences", "{}")]:
        for content_type in ["text/plain", "application/json; charset=utf-8", "APPLICATION/JSON", "application/xml",
                             "application/json;", "nonsense", "application/x-www-form-urlencoded", "text/json", ";", "/"]:
            yield Case("POST", path, body, {"Content-Type": content_type})
        yield Case("POST", path, body, known="a missing header is accepted since 0.27")
        yield Case("POST", path, body, {**JSON, "Accept": "text/html"})
        yield Case("POST", path, body, {**JSON, "Accept": "application/json"})
        yield Case("POST", path + "/", body, JSON)
    for silence_id in ["foo", "00000000-0000-4000-8000-000000000000", "00000000000040008000000000000000",
                       "%20", "00000000-0000-0000-0000-00000000000g", "1", "a/b"]:
        for method in ["GET", "DELETE", "PUT", "POST", "HEAD"]:
            yield Case(method, "/api/v2/silence/" + silence_id)
        yield Case("GET", "/api/v2/silence/" + silence_id, headers={"Accept": "text/html"})
    for path in ["/api/v2", "/api/v2/", "/api/v2/foo", "/api/v2/silence", "/api/v2/silence/", "/api/v2//alerts",
                 "//api/v2/alerts", "/api/v2/alerts/foo", "/api/v2/status/x", "/api/v2/swagger.json", "/api/v2/docs",
                 "/api/v2/alerts/groups/x", "/api/v2/ALERTS", "/api/v3/alerts", "/api/v2/alerts%2Fgroups", "/api"]:
        for method in ["GET", "POST"]:
            yield Case(method, path)
    for path in ["/-/healthy", "/-/ready"]:
        for method in ["GET", "HEAD", "POST", "PUT"]:
            yield Case(method, path)
    for method in ["GET", "PUT"]:
        yield Case(method, "/-/reload")
    yield Case("POST", "/-/reload")
    for path in ["/nowhere", "/-/foo", "/-/", "/-/quit", "/metrics/", "/api/v1/foo", "/-/healthy/"]:
        yield Case("GET", path)


# (method, path) that differ on purpose, and why.
KNOWN = {
    ("GET", query(path, ("filter", text))): "names of any characters and the words about braces are new since 0.25"
    for path in ("/api/v2/alerts", "/api/v2/alerts/groups")
    for text in ('alertname="A",cluster="eu"', '{alertname="A"}', '{alertname="A"', '1a="b"', 'a-b="c"', 'a.b="c"')
}
KNOWN.update({
    ("DELETE", "/api/v2/silence/" + silence_id): "500 in 0.25, 404 without a body since"
    for silence_id in ("00000000-0000-4000-8000-000000000000", "00000000000040008000000000000000")
})
KNOWN.update({("GET", path): "a slash at the end is tolerated here, not redirected" for path in ("/metrics/", "/-/healthy/")})

# Cache-Control: no-store is new since 0.25.
# Texts of 0.25, and what they are in 0.33.
CHANGED = [
    (r'as \\"2006-01-02 15:04:05\\"', r'as \\"2006-01-02\\"'),
    (r"silence invalid: invalid label matcher (\d+):", r"invalid silence: invalid label matcher \1 in set 0:"),
    (r"silence invalid: at least", "invalid silence: matcher set 0: at least"),
    (r"required; invalid label set", r"required\\ninvalid label set"),
    (r"(Alert.labels|\.annotations)\.\w+ of type string", r"\1 of type string"),  # the key is new
]

HEADERS = ["Content-Type", "Allow", "Access-Control-Allow-Origin", "Access-Control-Allow-Methods",
           "Access-Control-Allow-Headers", "Access-Control-Max-Age", "Location", "X-Content-Type-Options"]

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def normal(value):
    """Without what is new since 0.25 and without what differs by nature."""
    if isinstance(value, list):
        return [normal(item) for item in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for key, item in value.items():
        if key in ("mutedBy", "routeLabels", "updatedAt", "id", "silenceID"):
            continue
        if key == "silencedBy":
            item = len(item)
        elif key == "labels" and set(value) == {"name", "labels"}:
            continue  # of a receiver
        elif key == "startsAt" and value.get("comment") is not None:
            continue  # raised to the time of the post
        out[key] = "NOW" if key.endswith("At") and is_now(item) else normal(item)
    return out


def is_now(text):
    """A time that the server took from its clock."""
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return abs(moment.timestamp() - time.time()) < 300


def difference(key, theirs, ours):
    """The first place where two values differ."""
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for i, (one, other) in enumerate(zip(theirs, ours)):
            if one != other:
                return difference(f"{key}[{i}]", one, other)
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in {**theirs, **ours}:
            if theirs.get(name) != ours.get(name):
                return difference(f"{key}.{name}", theirs.get(name), ours.get(name))
    return [f"    {key}: theirs {str(theirs)[:600]!r}", f"    {' ' * len(key)}    ours {str(ours)[:600]!r}"]


class ApiDifferential(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.theirs = self.alertmanager(CONFIG)
        self.ours = self.mlalert(CONFIG, flags=["--cluster.listen-address="])
        self.connections = {}

    def send(self, port, case):
        for _ in range(2):
            connection = self.connections.get(port)
            if connection is None:
                connection = self.connections[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
            try:
                connection.putrequest(case.method, case.path, skip_accept_encoding=True)
                for name, value in case.headers.items():
                    connection.putheader(name, value)
                body = case.body.encode() if isinstance(case.body, str) else case.body
                if body is not None or case.method in ("POST", "PUT"):
                    connection.putheader("Content-Length", str(len(body or b"")))
                connection.endheaders(body)
                answer = connection.getresponse()
                reply = harness.Reply(answer.status, answer.headers, answer.read())
                if answer.will_close:
                    connection.close()
                    self.connections.pop(port)
                return reply
            except (http.client.HTTPException, OSError):
                connection.close()
                self.connections.pop(port, None)
        raise AssertionError(f"no answer: {case}")

    def shown(self, reply):
        # 0.25 answers preflights with 200.
        out = {"status": 200 if reply.status == 204 else reply.status}
        for name in HEADERS:
            value = reply.headers.get(name)
            if name == "Access-Control-Allow-Headers" and value:
                value = value.lower()
            if name == "Allow" and value:
                value = sorted(part.strip() for part in value.split(","))
            out[name] = value
        out["Vary"] = sorted(part.strip() for value in reply.headers.get_all("Vary", [])
                             for part in value.split(",") if part.strip() != "Accept-Encoding")
        if reply.status == 301:
            out["Vary"] = []  # ours are set before the path is looked at
        text = UUID.sub("ID", reply.text)
        for old, new in CHANGED:
            text = re.sub(old, new, text)
        try:
            body = normal(json.loads(text))
            if isinstance(body, dict) and "method" in str(body.get("message", "")):
                body["message"] = "".join(sorted(body["message"]))  # the list of methods has no order
            out["body"] = body
            out["newline"] = text.endswith("\n")
        except ValueError:
            out["body"] = text
        return out

    def differences(self, some):
        found = []
        for case in some:
            theirs = self.shown(self.send(self.theirs.port, case))
            ours = self.shown(self.send(self.ours.port, case))
            if theirs != ours and not case.known and (case.method, case.path) not in KNOWN:
                parts = [part for key in {**theirs, **ours} if theirs.get(key) != ours.get(key)
                         for part in difference(key, theirs.get(key), ours.get(key))]
                found.append(f"{case}\n" + "\n".join(parts))
        return found

    def seed(self):
        for body in SILENCES:
            self.both("POST", "/api/v2/silences", body)
        self.both("POST", "/api/v2/alerts", ALERTS)

    def both(self, method, path, body=None):
        replies = [self.send(peer.port, Case(method, path, body)) for peer in (self.theirs, self.ours)]
        self.assertEqual(self.shown(replies[0]), self.shown(replies[1]), f"{method} {path}")
        return replies

    def test_every_request_is_answered_alike(self):
        self.seed()
        time.sleep(0)
        some = list(cases())
        self.assertGreater(len(some), 300)
        found = self.differences(some)
        if found:
            self.fail(f"{len(found)} of {len(some)} answers differ:\n" + "\n".join(found))

    def test_the_life_of_a_silence_is_alike(self):
        ids = [reply.json()["silenceID"] for reply in self.both("POST", "/api/v2/silences", SILENCES[0])]

        def each(method, path="/api/v2/silence/{}", change=None):
            replies = []
            for peer, silence_id in zip((self.theirs, self.ours), ids):
                body = None
                if change is not None:
                    current = self.send(peer.port, Case("GET", f"/api/v2/silence/{silence_id}")).json()
                    body = {key: value for key, value in current.items() if key not in ("status", "updatedAt")}
                    body.update(change(current))
                replies.append(self.send(peer.port, Case(method, path.format(silence_id), body)))
            self.assertEqual(self.shown(replies[0]), self.shown(replies[1]))
            return replies

        def update(change):
            replies = each("POST", "/api/v2/silences", change)
            kept = [reply.json()["silenceID"] == silence_id for reply, silence_id in zip(replies, ids)]
            self.assertEqual(kept[0], kept[1], "whether the id stays")
            ids[:] = [reply.json()["silenceID"] for reply in replies]
            each("GET")
            return kept[0]

        each("GET")
        self.assertTrue(update(lambda current: {"comment": "longer", "endsAt": "2098-05-05T05:05:05Z"}))
        self.assertTrue(update(lambda current: {"endsAt": "2097-05-05T05:05:05Z", "createdBy": ""}))
        self.assertFalse(update(lambda current: {"matchers": [matcher("alertname", "other")]}))
        each("DELETE")
        each("GET")
        each("DELETE")
        self.assertFalse(update(lambda current: {"endsAt": "2099-05-05T05:05:05Z"}))
        self.assertFalse(update(lambda current: {"startsAt": "2098-05-05T05:05:05Z", "endsAt": "2099-05-05T05:05:05Z"}))
        self.assertTrue(update(lambda current: {"startsAt": "2097-05-05T05:05:05Z"}))
        each("DELETE")
        each("GET")
        self.both("GET", "/api/v2/silences")


if __name__ == "__main__":
    unittest.main()
