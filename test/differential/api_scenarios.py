"""Answers of the API: section 7 and 15.7."""

import urllib.parse

from scenario import hook, receiver, route, scenario, simple


@scenario("T16 T17: alerts that are refused, alone and in a batch", simple(), 3)
def alerts_refused(s):
    s.at(0)
    for body in ([{"labels": {}}], [{"labels": {"a": "b"}, "startsAt": s.time(10), "endsAt": s.time(5)}],
                 [{"labels": {"alertname": "Good"}}, {"labels": {}},
                  {"labels": {"a": "b"}, "startsAt": s.time(10), "endsAt": s.time(5)}],
                 [{"labels": {"a": 1}}], [{"labels": {"a": "b"}, "startsAt": "foo"}], [{}], [{"labels": None}],
                 [{"labels": {"a": "b"}, "generatorURL": "not a url"}], [], {"labels": {"a": "b"}}):
        s.ask("POST", "/api/v2/alerts", body, differs=(same_status, "texts of Go's newer JSON errors"))
    s.get("/api/v2/alerts")
    s.heard("hook", "1 Good")


def same_status(ours, theirs):
    return ours.status == theirs.status


@scenario("T18 T36: query parameters", simple(group_by="[alertname]"), 3)
def alert_queries(s):
    s.at(0)
    for i in range(3):
        s.fire(f"A{i}", x=str(i), **({"only": "this"} if i == 1 else {}))
    s.silence('x="2"')
    s.at(1.5)
    for text in ("", "active=false", "active=foo", "active=", "silenced=false", "inhibited=false", "unprocessed=false",
                 "receiver=hook", "receiver=ho", "receiver=h.*", "receiver=", "filter=x%3D1", "filter=x%3D%221%22",
                 "filter=x!%3D1&filter=x!%3D2", "filter=x%3D~%220%7C1%22", "filter=only%3D", "filter=only!%3D",
                 "filter=only%3D~%22%22", "filter=%7Bx%3D1%7D", "filter=nonsense", "filter=x%3D~%22(%22", "receiver=(",
                 "unknown=1", "filter=x%3D1&active=false"):
        for path in ("/api/v2/alerts", "/api/v2/alerts/groups"):
            worded = any(part in text for part in ("nonsense", "(", "%7B"))
            s.get(f"{path}?{text}", differs=(same_status, "texts of refused filters are newer") if worded else None)
    s.heard("hook", "1 A0", "1 A1")


@scenario("T37: groups are sorted by their labels, the fewest first",
          route(group_by="[x, y]", rest="  routes:\n  - {matchers: [c=\"1\"], receiver: b, continue: true}\n  - {matchers: [c=\"1\"], receiver: a, group_by: [z]}\n")
          + "receivers:\n" + receiver("hook", hook("hook")) + receiver("a") + receiver("b"), 2.5)
def order_of_groups(s):
    s.at(0)
    for labels in ({"x": "2"}, {"x": "10"}, {"y": "1"}, {"x": "1", "y": "0"}, {}, {"x": "1", "c": "1", "z": "q"}, {"y": "0", "x": "0"}):
        s.post({"labels": {"alertname": "A", **labels}})
    s.at(0.5)
    s.get("/api/v2/alerts/groups")
    s.get("/api/v2/alerts/groups?receiver=a")
    s.get("/api/v2/alerts/groups?filter=x%3D1")
    s.heard("hook", "1 A", "1 A", "1 A", "1 A", "1 A", "1 A")


@scenario("T17: paths and methods", simple(), 1.5)
def paths(s):
    s.at(0)
    for method, path in (("GET", "/-/healthy"), ("GET", "/-/ready"), ("HEAD", "/-/healthy"), ("GET", "/api/v2/receivers"),
                         ("PUT", "/api/v2/alerts"), ("DELETE", "/api/v2/silence/x"), ("GET", "/api/v2/nothing")):
        s.ask(method, path, differs=(same_status, "text of the page"))
    s.ask("POST", "/api/v2/alerts", [], headers={"Content-Type": "text/plain"}, differs=(same_status, "text"))


@scenario("T20: config.original, and what status says of the config", simple(extra="# a comment\nglobal: {resolve_timeout: 7m, smtp_smarthost: 'h:25', smtp_from: 'a@b', smtp_auth_password: hidden}\n"), 1.5)
def status(s):
    s.at(0)
    ours, theirs = s.get("/api/v2/status", differs=(same_status, "versions, and config.original is the newer one"))
    import subprocess
    answers = []
    for side in s.sides.values():
        answers.append(subprocess.run(["/usr/bin/amtool", f"--alertmanager.url={side.url}", "config", "routes"],
                                      capture_output=True, text=True, timeout=20))
    if answers[0].returncode != 0 or answers[0].stdout != answers[1].stdout:
        s.problems.append(f"amtool config routes: {answers}")
    if "hidden" in ours.text or "resolve_timeout: 7m" not in ours.json()["config"]["original"]:
        s.problems.append(f"config.original: {ours.json()['config']['original']}")


@scenario("--web.external-url and --web.route-prefix", simple(), 2.5,
          flags=("--web.external-url=http://am.example.org/path/", "--web.route-prefix=/other"), prefix="/other")
def external_url(s):
    s.at(0).fire("A")
    s.get("/api/v2/alerts")
    for which, side in s.sides.items():
        import peers
        reply = peers.harness.request(side.port, "GET", "/api/v2/alerts")
        if reply.status != 404:
            s.problems.append(f"{which}: outside the prefix: {reply}")
    s.at(2)
    for which in s.sides:
        for body in s.sink.bodies(f"/{s.name}/{which}/hook"):
            if body["externalURL"] != "http://am.example.org/path":
                s.problems.append(f"{which}: {body['externalURL']}")
    s.heard("hook", "1 A")
