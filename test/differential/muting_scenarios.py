"""Silences, inhibition and time intervals: section 6."""

import time

from scenario import hook, receiver, route, scenario, simple

INHIBIT = """inhibit_rules:
- source_matchers: [severity="critical"]
  target_matchers: [severity="warning"]
  equal: [dc]
"""


@scenario("15.6 f: the source silences its target at the next tick", simple(extra=INHIBIT), 6)
def inhibition(s):
    s.at(0).fire("Target", severity="warning", dc="a")
    s.fire("Other", severity="warning", dc="b")
    s.at(1.2).fire("Source", severity="critical", dc="a")
    s.at(1.6)
    s.get("/api/v2/alerts?inhibited=true&active=false")
    s.get("/api/v2/alerts/groups")
    s.at(2.6).resolve("Source", severity="critical", dc="a")
    s.heard("hook", "1 Other Target", "2 Other Source", "3 Other -Source Target")


@scenario("T22: a label that both lack is equal", simple(extra=INHIBIT), 3.5)
def inhibition_equal_missing(s):
    s.at(0).fire("Target", severity="warning")
    s.fire("Source", severity="critical", dc="")
    s.fire("NotInhibited", severity="warning", dc="a")
    s.heard("hook", "1 NotInhibited Source")


@scenario("6.1: a rule without equal; a regex; the deprecated forms",
          simple(extra="inhibit_rules:\n- {source_match: {role: leader}, target_match_re: {role: 'f.*'}}\n"), 3.5)
def inhibition_deprecated_forms(s):
    s.at(0).fire("A", role="follower")
    s.fire("B", role="leader")
    s.fire("C", role="observer")
    s.heard("hook", "1 B C")


@scenario("6.1: an alert that is source and target does not inhibit itself, nor another such one",
          simple(extra="inhibit_rules:\n- {source_matchers: ['a=\"1\"'], target_matchers: ['b=\"1\"']}\n"), 3.5)
def inhibition_two_sided(s):
    s.at(0).fire("Both", a="1", b="1")
    s.fire("BothToo", a="1", b="1", c="x")
    s.fire("Target", b="1")
    s.heard("hook", "1 Both BothToo")


@scenario("6.1: an inhibited source still inhibits; its route and silences do not matter",
          simple(extra="""inhibit_rules:
- {source_matchers: [l="1"], target_matchers: [l="2"]}
- {source_matchers: [l="2"], target_matchers: [l="3"]}
"""), 5.5)
def inhibition_chain(s):
    s.at(0).fire("One", l="1")
    s.fire("Two", l="2")
    s.fire("Three", l="3")
    s.silence('l="1"')
    s.at(1.5)
    s.get("/api/v2/alerts")
    s.at(2.5).resolve("One", l="1")
    s.at(4.5)
    s.heard("hook", "3 Two")


@scenario("6.1: inhibition by any of several sources: the first that ends uncovers nothing",
          simple(extra=INHIBIT), 6.5)
def inhibition_by_several_sources(s):
    s.at(0).fire("Target", severity="warning", dc="a")
    s.fire("One", severity="critical", dc="a", ends=60)
    s.fire("Two", severity="critical", dc="a", ends=50)
    s.at(2.5).resolve("One", severity="critical", dc="a")
    s.at(4.5).resolve("Two", severity="critical", dc="a")
    s.heard("hook", "1 One Two", "3 -One Two", "5 Target -Two")


@scenario("a silence: pending, active, expired; listed with the alert", simple(repeat="1ms"), 6.6)
def silence(s):
    s.at(0).fire("A")
    s.fire("B")
    ids = s.silence('alertname="A"', starts=1.5, ends=3.5)
    s.get("/api/v2/silences")
    s.at(2.4)
    ours, theirs = s.get("/api/v2/alerts")
    if [a["status"]["silencedBy"] for a in ours.json()] != [[], [ids[0]]]:
        s.problems.append(f"silencedBy: {ours}")
    s.get("/api/v2/alerts?silenced=false")
    s.get("/api/v2/alerts/groups?silenced=false")
    s.at(4.4)
    s.get("/api/v2/silences")
    s.at(5.4)
    s.heard("hook", "1 A B", "2 B", "3 B", "4 A B", "5 A B", "6 A B")


@scenario("15.6 k, T10: told, silenced, resolved while silenced, fires again unsilenced: nothing is said", simple(), 8)
def silence_resolve_refire(s):
    s.at(0).fire("A")
    s.at(1.5)
    ids = s.silence('alertname="A"')
    s.at(2.5).resolve("A")
    s.at(4.5)
    s.expire(ids)
    s.fire("A")
    s.at(7)
    s.get("/api/v2/alerts")
    s.heard("hook", "1 A")


@scenario("T10: a silence is no resolve, and its end is no news", simple(), 6)
def silence_is_not_a_resolve(s):
    s.at(0).fire("A")
    s.fire("B")
    s.at(1.5)
    ids = s.silence('alertname="A"')
    s.at(3.5)
    s.expire(ids)
    s.at(5)
    s.heard("hook", "1 A B")


@scenario("an alert that is silenced from the beginning speaks when the silence ends", simple(), 6)
def silence_before_the_alert(s):
    s.at(0)
    s.silence('alertname=~"A|X"', ends=2.5)
    s.fire("A")
    s.heard("hook", "3 A")


@scenario("T23: an update keeps the id when the matchers are the same, in order, and the start is",
          simple(), 4)
def silence_ids(s):
    s.at(0)
    start = 0.0
    ids = s.silence('a="1"', 'b=~"2"', starts=start, ends=60)
    same = s.silence('a="1"', 'b=~"2"', starts=start, ends=90, id=ids, comment="longer")
    if same != ids:
        s.problems.append(f"an update in place changed the id: {ids} {same}")
    for matchers, begins, what in ((('b=~"2"', 'a="1"'), start, "order"), (('a="1"',), start, "fewer"),
                                   (('a="1"', 'b=~"2"'), 30, "start")):
        other = s.silence(*matchers, starts=begins, ends=90, id=ids)
        if other is None or any(a == b for a, b in zip(ids, other)):
            s.problems.append(f"{what}: {ids} {other}")
        ids = other
    pending = s.silence('c="1"', starts=30, ends=60)
    moved = s.silence('c="1"', starts=40, ends=70, id=pending)
    if moved != pending:
        s.problems.append(f"a pending one may move: {pending} {moved}")
    s.expire(moved)
    again = s.silence('c="1"', starts=40, ends=70, id=moved)
    if again is None or again[0] == moved[0] or again[1] == moved[1]:
        s.problems.append(f"an expired one does not come back: {moved} {again}")
    silences = {side.which: peers_json(side) for side in s.sides.values()}
    counted = {which: sorted((x["status"]["state"], x["comment"], len(x["matchers"])) for x in list_)
               for which, list_ in silences.items()}
    if counted["ours"] != counted["theirs"]:
        s.problems.append(f"silences: {counted}")


def peers_json(side):
    import peers
    return peers.harness.request(side.port, "GET", "/api/v2/silences").json()


@scenario("T24 and 6.2: silences that are refused, in their words", simple(), 2)
def silences_refused(s):
    s.at(0)
    good = {"matchers": [{"name": "a", "value": "b", "isRegex": False, "isEqual": True}], "startsAt": s.time(0),
            "endsAt": s.time(60), "createdBy": "", "comment": ""}
    matcher = lambda **change: {**good, "matchers": [{**good["matchers"][0], **change}]}
    s.ask("POST", "/api/v2/silences", good)
    for body in (matcher(value=""), matcher(value=".*", isRegex=True), matcher(value="x|", isRegex=True),
                 matcher(value="^$|x", isRegex=True), {**good, "endsAt": s.time(-5), "startsAt": s.time(-10)},
                 {**good, "endsAt": s.time(-1)}, {**good, "startsAt": s.time(61)}):
        s.ask("POST", "/api/v2/silences", body, differs=(same_refusal, "0.25 words the store's refusals otherwise"))
    for body in (matcher(value="(", isRegex=True), matcher(name="")):
        s.ask("POST", "/api/v2/silences", body, differs=(same_refusal, "0.25 has no matcher sets"))
    s.ask("POST", "/api/v2/silences", matcher(value="", isEqual=False))
    for body in ({}, {**good, "matchers": []}, {**good, "matchers": None}, {k: v for k, v in good.items() if k != "comment"}):
        s.ask("POST", "/api/v2/silences", body)
    s.ask("POST", "/api/v2/silences", {**good, "id": "16c69a83-4d2a-4a5c-8b5b-5d2b1f4a7c11"})
    s.ask("GET", "/api/v2/silence/16c69a83-4d2a-4a5c-8b5b-5d2b1f4a7c11")
    s.ask("GET", "/api/v2/silence/foo")


def same_refusal(ours, theirs):
    """Both refuse with the same status, and speak of the same thing."""
    return ours.status == theirs.status >= 400


@scenario("6.2 filters of the silence list are compared, not evaluated", simple(), 2)
def silence_filters(s):
    s.at(0)
    s.silence('a="1"', 'b=~"2|3"')
    s.silence('a="1"', starts=30)
    for text in ('a="1"', 'a=1', 'a=~"1"', 'b="2"', 'b=~"2|3"', 'a!="1"', "c="):
        import urllib.parse
        s.get("/api/v2/silences?filter=" + urllib.parse.quote(text))


def minutes(offset):
    """HH:MM that many minutes from now, UTC."""
    return time.strftime("%H:%M", time.gmtime(time.time() + 60 * offset))


def interval(name, spec):
    return f"- {{name: {name}, time_intervals: [{spec}]}}\n"


NEVER = "{years: ['2000']}"
ALWAYS = "{}"
CHILDREN = """  routes:
  - {matchers: [r="muted"], mute_time_intervals: [always]}
  - {matchers: [r="inactive"], active_time_intervals: [never]}
  - {matchers: [r="active"], active_time_intervals: [never, always]}
  - {matchers: [r="both"], active_time_intervals: [always], mute_time_intervals: [never, always]}
  - {matchers: [r="empty"], mute_time_intervals: [empty]}
  - matchers: [r="parent"]
    mute_time_intervals: [always]
    routes: [{matchers: [child="yes"]}]
"""


@scenario("T11: active then mute intervals; a child does not inherit them",
          simple(group_by="['...']", rest=CHILDREN, extra="time_intervals:\n" + interval("always", ALWAYS) +
                 interval("never", NEVER) + interval("empty", "{weekdays: []}")), 3)
def time_intervals(s):
    s.at(0)
    for r in ("muted", "inactive", "active", "both", "empty", "parent"):
        s.fire(r, r=r)
    s.fire("child", r="parent", child="yes")
    s.at(2)
    s.get("/api/v2/alerts")
    s.heard("hook", "1 active", "1 empty", "1 child")


@scenario("an alert that is inhibited or muted at its end is not told; one that is not, is",
          simple(extra=INHIBIT), 6)
def resolved_while_inhibited(s):
    s.at(0).fire("Target", severity="warning", dc="a")
    s.at(1.5).fire("Source", severity="critical", dc="a")
    s.at(2.5).resolve("Target", severity="warning", dc="a")
    s.at(4.5).resolve("Source", severity="critical", dc="a")
    s.heard("hook", "1 Target", "2 Source", "5 -Source")
