"""Reload and restart: sections 1.12, 5.4 and the worked timelines 15.6 g and h."""

import signal

from scenario import hook, receiver, route, scenario, simple


@scenario("15.6 h: a reload starts the group's timer anew and tells nothing twice", simple(interval="3s"), 8)
def reload_restarts_the_timer(s):
    s.at(0).fire("A")
    s.at(2)
    s.reload()
    s.at(2.5).fire("B")
    s.at(7)
    s.heard("hook", "1 A", "5 A B")


@scenario("1.12: a reload within group_wait starts the wait anew", simple(wait="2s"), 5)
def reload_within_group_wait(s):
    s.at(0).fire("A")
    s.at(1)
    s.reload()
    s.heard("hook", "3 A")


@scenario("1.12: after a reload alerts go where the new routes say", simple(), 6)
def reload_changes_routes(s):
    s.at(0).fire("A")
    s.at(2)
    s.reload(route(rest="  routes:\n  - {matchers: [alertname=\"A\"], receiver: other}\n") + "receivers:\n" +
             receiver("hook", hook("hook")) + receiver("other", hook("other")))
    s.at(3.5).resolve("A")
    s.at(5.5)
    s.heard("hook", "1 A", "4 -A", theirs=["1 A"], why="who was told of the firing is told of the end: an incident that "
            "was opened by the old route would stay open for ever")
    s.heard("other", "2 A", "4 -A")


@scenario("1.12: a config that is broken changes nothing", simple(), 5)
def reload_refused(s):
    s.at(0).fire("A")
    s.at(1.5)
    for side in s.sides.values():
        side.write_config("route: {receiver: nobody}\n")
    s.ask("POST", "/-/reload", "", differs=(lambda ours, theirs: ours.status == theirs.status == 500, "texts"))
    s.fire("B")
    s.heard("hook", "1 A", "2 A B")


@scenario("1.12: inhibition and intervals of the new config apply to alerts that were there before",
          simple(wait="3s"), 6)
def reload_brings_inhibition(s):
    s.at(0).fire("Target", t="1")
    s.fire("Source", s="1")
    s.at(1.5)
    s.reload(simple(wait="3s", repeat="1ms", extra="inhibit_rules:\n- {source_matchers: [s=\"1\"], target_matchers: [t=\"1\"]}\n"))
    s.heard("hook", "4.5 Source", "5.5 Source")


@scenario("a reload while a receiver fails: the new address is used at once",
          simple(interval="30s").replace("$SINK/hook", "$SINK/bad"), 6)
def reload_mends_the_receiver(s):
    s.answer("bad", 500)
    s.at(0).fire("A")
    s.at(3)
    s.reload(simple(interval="30s"))
    s.heard("bad")
    s.heard("hook", "3 A")


@scenario("5.4: who was told stays told over a restart", simple(interval="1s"), 12)
def restart_tells_nothing_twice(s):
    s.at(0).fire("A")
    s.fire("B")
    s.at(2.5)
    s.restart()
    s.at(6).fire("A")  # upstream forgets alerts: the sender repeats them
    s.fire("B")
    s.at(8.3).fire("C")
    s.at(10.2)
    s.heard("hook", "1 A B", "9.1 A B C")


@scenario("5.4: silences stay over a restart, with their ids", simple(), 9)
def restart_keeps_silences(s):
    s.at(0)
    ids = s.silence('alertname="A"')
    s.at(1)
    s.restart()
    s.at(5)
    for side, id in zip(s.sides.values(), ids):
        found = [x["id"] for x in peers_silences(side)]
        if found != [id]:
            s.problems.append(f"{side.which}: {found}, expected {id}")
    s.fire("A")
    s.fire("B")
    s.heard("hook", "6 B")


def peers_silences(side):
    import peers
    return peers.harness.request(side.port, "GET", "/api/v2/silences").json()


@scenario("5.4: an end that came while it was down is told", simple(), 9)
def restart_then_resolve(s):
    s.at(0).fire("A")
    s.at(2)
    s.restart()
    s.at(6.4)
    s.resolve("A")
    s.heard("hook", "1 A", "7 -A", theirs=["1 A", "6.4 -A"], why="its group is new and the alert old; ours is still the one "
            "that ticks each second")
