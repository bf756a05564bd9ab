"""When a group speaks: section 4.3 and the worked timelines 15.6."""

from scenario import DEAD_GROUP_LINGERS, OLDER_ALERT_JOINS, hook, receiver, route, scenario, simple


@scenario("T5: a group waits group_wait, then speaks every group_interval", simple(wait="1s", interval="2s"), 8)
def waits_and_intervals(s):
    s.at(0).fire("A")
    s.at(0.5).fire("B")
    s.at(1.5).fire("C")  # joins after the first flush: waits for the tick at 3
    s.at(5.5).fire("D")
    s.heard("hook", "1 A B", "3 A B C", "7 A B C D")


@scenario("15.6 a", simple(repeat="1ms"), 7.5)
def merges_of_one_alert(s):
    post = lambda starts=None, ends=None, **annotations: s.post({
        "labels": {"alertname": "A"}, "annotations": annotations,
        **({"startsAt": s.time(starts)} if starts is not None else {}),
        **({"endsAt": s.time(ends)} if ends is not None else {})})
    s.at(1)
    post(1.1)
    s.at(1.2)
    post(1.0)
    s.at(2.1 + 0.2)
    post(2, v="1")
    s.at(4.6)
    post(ends=4.5)
    s.at(4.7)
    post(ends=4.8)
    post(ends=4.1)
    s.at(5.4)
    post(5)
    s.heard("hook", "2 A", "3 A", "4 A", "5 -A", "6.4 A", "7.4 A")


@scenario("15.6 b, T4 T6 T7: the one that answers is not told again while the other fails",
          route(wait="1s", interval="2s", repeat="3s") + "receivers:\n" + receiver("hook", hook("good"), hook("bad")), 9)
def one_of_two_integrations_fails(s):
    # From 1 s to 10 s (the least that a flush may take) the flush waits for "bad"; the tick at 3 is late, and counts as
    # of 3: too early to repeat. The retries of "bad" are at random times, so what follows them is as well.
    s.answer("bad", 503, until=2.9)
    s.at(0).fire("A")
    s.about("good", "1 A", "5.6 A", within=0.9)
    s.about("bad", "3.6 A", "7.6 A", within=0.9)


@scenario("15.6 c, T9", simple(group_by="[]", repeat="4600ms"), 9)
def repeat_interval(s):
    s.at(0.1).fire("A")
    s.at(0.7).fire("B")
    s.at(2.4).fire("C")
    s.post(*({"labels": {"alertname": name}, "startsAt": s.time(2.4)} for name in "DE"))
    s.heard("hook", "1.1 A B", "3.1 A B C D E", "8.1 A B C D E")


@scenario("T9: a repeat waits for the next tick (an exact multiple slips one; when a tick is late it does not)", simple(repeat="2300ms"), 8)
def repeat_slips_one_interval(s):
    s.at(0).fire("A")
    s.heard("hook", "1 A", "4 A", "7 A")


@scenario("15.6 d, T12: without endsAt it lasts resolve_timeout",
          simple(extra="global: {resolve_timeout: 4s}\n", wait="1s", interval="2s"), 6.5)
def resolve_timeout(s):
    s.at(0).post(*({"labels": {"alertname": name}} for name in "ABC"))
    s.at(2)
    s.get("/api/v2/alerts")
    s.heard("hook", "1 A B C", "5 -A -B -C")


@scenario("resolve_timeout: each repeat without endsAt moves the end",
          simple(extra="global: {resolve_timeout: 2s}\n"), 8)
def resolve_timeout_is_prolonged(s):
    for second in (0, 1.3, 2.6):
        s.at(second).post({"labels": {"alertname": "A"}})
    s.heard("hook", "1 A", "5 -A")


@scenario("15.6 i, T4 T31: 4xx and 429 are tried once at each tick", simple(interval="3s"), 8)
def refused_notifications_are_tried_at_each_tick(s):
    s.answer("hook", 429, until=6)
    s.at(0).fire("A")
    s.heard("hook", "1 A", "4 A", "7 A")


@scenario("15.6 i, T4: 5xx is retried until the deadline of 10 s, then the overrun flush follows at once",
          simple(interval="3s"), 15)
def overrun_flush_follows_at_once(s):
    s.answer("hook", 500, until=10.9)
    s.at(0).fire("A")
    s.at(5).fire("B")  # the flush that is under way does not know it
    # 1 s + 10 s: given up; the flush that follows at once has both. The next one counts from it.
    s.at(12).fire("C")
    s.heard("hook", "11 A B", "14 A B C")


@scenario("15.6 j, T5: an alert older than group_wait that creates its group does not wait",
          simple(wait="4s", interval="2s"), 7)
def old_alert_speaks_at_once(s):
    s.at(0).post({"labels": {"alertname": "A", "group": "1"}, "startsAt": s.time(-100)})
    s.post({"labels": {"alertname": "B", "group": "2"}, "startsAt": s.time(0)})
    s.at(0.5).post({"labels": {"alertname": "C", "group": "2"}, "startsAt": s.time(-100)})  # joins: changes nothing
    s.at(1).post({"labels": {"alertname": "D", "group": "1"}, "startsAt": s.time(-100)})
    s.heard("hook", "0 A", "2 A D", "4 B C", theirs=["0 A", "2 A D", "0.5 B C"], why=OLDER_ALERT_JOINS)


@scenario("zero group_wait", simple(wait="0s", interval="2s"), 5)
def zero_group_wait(s):
    s.at(0).fire("A")
    s.at(1).fire("B")
    s.at(3).resolve("A")
    s.heard("hook", "0 A", "2 A B", "4 -A B")


@scenario("what resolves within group_wait is never told", simple(wait="2s", interval="2s"), 6.5)
def resolved_before_the_first_flush(s):
    s.at(0).fire("A")
    s.at(1).resolve("A")
    s.at(3.9).fire("A")  # a new group, a new wait
    s.heard("hook", "5.9 A", theirs=["4 A"], why=DEAD_GROUP_LINGERS)


@scenario("a group that has died comes back with a new wait", simple(wait="1s", interval="2s"), 9)
def destroyed_group_starts_anew(s):
    s.at(0).fire("A")
    s.at(2).resolve("A")
    s.at(3.5).fire("A")
    s.at(6).resolve("A")
    s.heard("hook", "1 A", "3 -A", "4.5 A", "6.5 -A", theirs=["1 A", "3 -A", "5 A", "7 -A"], why=DEAD_GROUP_LINGERS)


@scenario("an alert that resolves and fires again between two flushes", simple(wait="1s", interval="3s"), 8.5)
def flapping_between_ticks(s):
    s.at(0).fire("A")
    s.at(2).resolve("A")
    s.at(3).fire("A")  # at the tick of 4 it fires as before: nothing to say
    s.at(5).resolve("A")
    s.at(5.5).fire("A")
    s.at(6).resolve("A")
    s.heard("hook", "1 A", "7 -A")


@scenario("an alert that begins in the future counts as firing", simple(), 4)
def starts_in_the_future(s):
    s.at(0).post({"labels": {"alertname": "A"}, "startsAt": s.time(60), "endsAt": s.time(120)})
    s.at(1.5)
    s.get("/api/v2/alerts")
    s.heard("hook", "1 A")


@scenario("an alert ends by its endsAt", simple(interval="2s"), 6)
def ends_by_ends_at(s):
    s.at(0).fire("A", ends=2.5)
    s.fire("B", ends=60)
    s.at(2)
    s.get("/api/v2/alerts")
    s.at(2.8)
    s.get("/api/v2/alerts")
    s.heard("hook", "1 A B", "3 -A B")
