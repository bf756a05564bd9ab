"""Where an alert goes, in which group, and how the message looks: sections 2, 4.1, 4.2, 4.4 and 8.1."""

from scenario import hook, receiver, route, scenario, simple


TREE = """  routes:
  - matchers: [team="a"]
    receiver: a
    continue: true
    routes:
    - {matchers: ['sev=~"x|y"'], receiver: ax, continue: true}
    - {matchers: ['sev="y"'], receiver: ay}
  - {matchers: ['team=~"a|b"'], receiver: ab}
  - {matchers: ['team!="c"', 'sev!~"z.*"'], receiver: notc}
"""


@scenario("4.1: depth first, continue, the parent only when no child matches",
          route(rest=TREE) + "receivers:\n" + "".join(receiver(n, hook(n)) for n in ("hook", "a", "ax", "ay", "ab", "notc")), 3)
def route_tree(s):
    s.at(0)
    s.fire("A1", team="a")
    s.fire("A2", team="a", sev="x")
    s.fire("A3", team="a", sev="y")
    s.fire("B", team="b", sev="z")
    s.fire("C", team="c")
    s.fire("None")
    s.fire("Z", sev="zz")
    s.at(2)
    s.get("/api/v2/alerts")
    s.get("/api/v2/alerts/groups")
    s.heard("a", "1 A1")
    s.heard("ax", "1 A2", "1 A3")
    s.heard("ay", "1 A3")
    s.heard("ab", "1 A1", "1 A2", "1 A3", "1 B")
    s.heard("notc", "1 None")
    s.heard("hook", "1 C", "1 Z")


@scenario("T1 T3: group keys: nested, deprecated match and match_re, values that need quotes",
          simple(group_by="[alertname, 'cluster']", rest="""  routes:
  - match: {team: b}
    match_re: {env: 'p.*'}
    routes:
    - {matchers: ['sev=~"x\\\\.y"', 'a!="q\\"uote"']}
  - {matchers: ['z="1"', 'a="2"', 'a!="3"']}
"""), 3)
def group_keys(s):
    s.at(0)
    s.fire("One", team="b", env="prod")
    s.fire("Two", team="b", env="prod", sev="x.y", cluster="c.1")
    s.fire("Three", z="1", a="2")
    s.fire("Fo\"ur\\\n\u00e9", cluster="tab\t")
    s.post({"labels": {"cluster": "only"}})
    s.at(2)
    s.get("/api/v2/alerts/groups")
    s.heard("hook", "1 One", "1 Two", "1 Three", "1 Fo\"ur\\\n\u00e9", "1 ?")


@scenario("group_by: ['...'] groups by all labels", simple(group_by="['...']"), 4)
def group_by_all(s):
    s.at(0).fire("A", x="1")
    s.fire("A", x="2")
    s.fire("A")
    s.at(1.5).resolve("A", x="1")
    s.heard("hook", "1 A", "1 A", "1 A", "2 -A")


@scenario("group_by is inherited, and a child may ask for none",
          simple(group_by="[alertname]", rest="  routes:\n  - {matchers: [r=\"1\"]}\n  - {matchers: [r=\"2\"], group_by: [x]}\n"), 3)
def group_by_inherited(s):
    s.at(0)
    for name in ("A", "B"):
        for r in ("1", "2"):
            s.fire(name, r=r, x="same")
    s.heard("hook", "1 A", "1 B", "1 A B")


@scenario("route timings are inherited and overridden",
          route(wait="1s", interval="2s", rest="  routes:\n  - {matchers: [r=\"1\"], receiver: r1, group_wait: 2s, group_interval: 1s, repeat_interval: 1300ms}\n") +
          "receivers:\n" + receiver("hook", hook("hook")) + receiver("r1", hook("r1")), 6.5)
def route_timings(s):
    s.at(0).fire("A", r="1")
    s.fire("B")
    s.heard("r1", "2 A", "4 A", "6 A")
    s.heard("hook", "1 B")


@scenario("T2: the receiver's name is quoted as a regex",
          route('web.hook+(x)|y$', wait="0s") + "receivers:\n" + receiver('web.hook+(x)|y$', hook("hook")), 2)
def receiver_name_is_quoted(s):
    s.at(0).fire("A")
    s.at(1)
    s.get("/api/v2/receivers", ignore=("labels",))  # 0.33
    s.heard("hook", "0 A")


@scenario("8.1: max_alerts keeps the head; common labels are of what is kept", simple(group_by="[]", max_alerts=2), 3)
def max_alerts(s):
    s.at(0).post(*({"labels": {"alertname": "A", "instance": i, "job": j, "kept": "yes" if j == "a" else "no"},
                    "annotations": {"summary": "same", "i": i}}
                   for i, j in (("2", "a"), ("1", "b"), ("1", "a"), ("3", "c"))))
    s.heard("hook", "1 A A")


@scenario("4.4: the order of alerts: job, instance, fewer labels first, then by value",
          simple(group_by="[]"), 3)
def order_of_alerts(s):
    s.at(0).post(*({"labels": labels} for labels in (
        {"alertname": "A"}, {"alertname": "B", "job": "b"}, {"alertname": "C", "job": "a", "instance": "2"},
        {"alertname": "D", "job": "a", "instance": "10"}, {"alertname": "E", "instance": "1"},
        {"alertname": "F", "job": "a"}, {"alertname": "G", "x": "1"}, {"alertname": "AA"}, {"alertname": "A", "y": "1", "z": "1"},
        {"b": "1"}, {"alertname": "A", "Job": "a"})))
    s.at(2)
    s.get("/api/v2/alerts/groups")
    s.heard("hook", "1 ? A A A AA B C D E F G")


@scenario("T14 T15 T19: empty labels and annotations, zones and nanoseconds, zero times in the payload",
          simple(group_by="[]"), 3.5)
def payload_details(s):
    s.at(0).post({"labels": {"alertname": "A", "empty": ""}, "annotations": {"empty": "", "s": "<&>\u2028\u00e9\"\\"},
                  "startsAt": "2026-01-02T03:04:05.123456789+02:00", "endsAt": "2046-01-02T03:04:05.5-03:30",
                  "generatorURL": "http://p/g?a=1&b=2"},
                 {"labels": {"alertname": "B"}, "startsAt": "0001-01-01T00:00:00Z", "endsAt": None},
                 {"labels": {"alertname": "C"}, "startsAt": "2026-01-02T03:04:05Z", "endsAt": "2046-01-02 03:04:05"})
    s.at(0.5)
    s.get("/api/v2/alerts")
    s.at(1.5).post({"labels": {"alertname": "C"}, "endsAt": "2026-11-01T10:00:00.5+05:00"})
    s.heard("hook", "0 A B C", "2 -C A B")


@scenario("T13: an alert with an end only begins at its end", simple(group_by="[]"), 3)
def end_without_start(s):
    s.at(0).post({"labels": {"alertname": "A"}, "endsAt": s.time(30)})
    s.post({"labels": {"alertname": "B"}, "endsAt": s.time(-0.5)})
    s.get("/api/v2/alerts")
    s.heard("hook", "1 A -B")


@scenario("T21: classic matchers: forms that only the classic grammar reads",
          simple(rest="""  routes:
  - {matchers: ['{a=b c}', 'x=~"y"'], group_by: [one]}
  - {matchers: ['a=', 'foo:bar=1'], group_by: [two]}
  - {matchers: ['a="b', 'c=d"'], group_by: [three]}
""".replace("""  - {matchers: ['a="b', 'c=d"'], group_by: [three]}\n""", "")), 3)
def classic_matchers(s):
    s.at(0).fire("A", a="b c", x="y")
    s.at(0.1).post({"labels": {"alertname": "C"}})
    s.heard("hook", "1 A", "1 C")
