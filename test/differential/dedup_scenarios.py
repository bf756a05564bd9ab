"""What is said again, and what is not: sections 5 and 5.1."""

from scenario import hook, receiver, route, scenario, simple


@scenario("T7: one of several resolves; then the rest", simple(interval="1s"), 6)
def some_and_all_resolved(s):
    s.at(0).fire("A")
    s.fire("B")
    s.at(1.5).resolve("A")
    s.at(3.5).resolve("B")
    s.heard("hook", "1 A B", "2 -A B", "4 -B")


@scenario("T6: a resolved alert that its sender repeats joins the group again, as Prometheus repeats it for 15 minutes",
          simple(), 8)
def resolved_alert_is_sent_again(s):
    s.at(0).fire("A")
    s.fire("B")
    s.at(1.5).resolve("A", at=1.5)
    s.at(2.5)
    for _ in range(2):
        s.post({"labels": {"alertname": "A"}, "startsAt": s.time(0), "endsAt": s.time(1.5)})
    s.at(3.3).fire("C")
    s.post({"labels": {"alertname": "A"}, "startsAt": s.time(0), "endsAt": s.time(1.5)})
    s.at(5.5).post({"labels": {"alertname": "A"}, "startsAt": s.time(0), "endsAt": s.time(1.5)})
    s.at(6.5).resolve("B")
    s.heard("hook", "1 A B", "2 -A B", "4 -A B C", "7 -B C")


@scenario("T7: a resolved alert that the last message did not list is news when it is sent again", simple(), 7.5)
def resolved_alert_comes_back_as_news(s):
    s.at(0).fire("A")
    s.fire("B")
    s.at(1.5).resolve("A", at=1.5)
    s.at(2.5).fire("C")
    # The message at 3 lists B and C only: A is not in the log any more.
    s.at(4.5).post({"labels": {"alertname": "A"}, "startsAt": s.time(0), "endsAt": s.time(1.5)})
    s.at(6.5)
    s.heard("hook", "1 A B", "2 -A B", "3 B C", "5 -A B C")


@scenario("a resolved alert that nobody knew begins a group, and is told with the first that fires there",
          simple(wait="2s"), 5)
def unknown_resolved_alert(s):
    s.at(0).post({"labels": {"alertname": "A"}, "startsAt": s.time(-1), "endsAt": s.time(-0.5)})
    s.at(1).fire("B")
    s.get("/api/v2/alerts")
    s.get("/api/v2/alerts/groups")
    s.heard("hook", "2 -A B")


@scenario("a resolved alert alone says nothing", simple(), 4)
def unknown_resolved_alert_alone(s):
    s.at(0).post({"labels": {"alertname": "A"}, "startsAt": s.time(-10), "endsAt": s.time(-0.5)})
    s.at(2)
    s.get("/api/v2/alerts")
    s.heard("hook")


@scenario("15.6 e, T8: send_resolved of two receivers",
          route(repeat="1h", group_by="[group]", rest="  routes:\n  - {receiver: yes, continue: true}\n  - {receiver: no}\n")
          .replace("yes", "loud").replace("receiver: no", "receiver: calm") + "receivers:\n" + receiver("hook") +
          receiver("loud", hook("loud")) + receiver("calm", hook("calm", send_resolved=False)), 8)
def send_resolved(s):
    s.at(0).fire("A")
    s.fire("B")
    s.at(1.5).resolve("A")
    s.fire("C")
    s.at(3.5).resolve("B")
    s.resolve("C")
    s.at(5.1).fire("B")  # a first notification again, for both
    s.heard("loud", "1 A B", "2 -A B C", "4 -B -C", "6.1 B")
    s.heard("calm", "1 A B", "2 B C", "6.1 B")


@scenario("T8: send_resolved: false, in YAML 1.1's words (T28)", simple(send_resolved=False).replace("false", "no"), 6)
def send_resolved_no(s):
    s.at(0).fire("A")
    s.at(1.5).resolve("A")
    s.at(3.05).fire("A")
    s.heard("hook", "1 A", "4 A")


@scenario("a fall in the firing set alone is no news", simple(send_resolved=False), 6)
def fewer_alerts_are_no_news(s):
    s.at(0).fire("A")
    s.fire("B")
    s.at(1.5).resolve("A")
    s.at(3.5).fire("A")  # the log still lists it as firing
    s.heard("hook", "1 A B")


@scenario("changed annotations are no news, and are in the next message",
          simple(), 6)
def changed_annotations(s):
    s.at(0).fire("A", annotations={"summary": "one"})
    s.at(1.5).fire("A", annotations={"summary": "two"})
    s.at(3.5).fire("B")
    s.at(4.5).resolve("A", annotations={})  # a resolve without annotations wipes them
    s.heard("hook", "1 A", "4 A B", "5 -A B")


@scenario("T6: a resolve that could not be told stays until it is", simple(interval="1s"), 8)
def failed_resolve_stays(s):
    s.at(0).fire("A")
    s.at(1.4)
    s.answer("hook", 400, until=4.5)
    s.resolve("A", at=1.4)
    s.at(5.5)
    s.heard("hook", "1 A", "2 -A", "3 -A", "4 -A", "5 -A")


@scenario("T6: an alert that fires again while its resolve fails is not lost", simple(), 8)
def fires_again_while_the_resolve_fails(s):
    s.at(0).fire("A")
    s.at(1.4)
    s.answer("hook", 400, until=3.5)
    s.resolve("A", at=1.4)
    s.at(3.3).fire("A")
    s.at(5.3).resolve("A")
    s.heard("hook", "1 A", "2 -A", "3 -A", "6 -A")


@scenario("T6: what changes while a flush is under way is not removed by it", simple(), 8)
def changes_during_a_slow_flush(s):
    s.at(0).fire("A")
    s.at(1.4)
    s.answer("hook", 200, until=3, slow=2.5)
    s.resolve("A")
    s.at(3.2).fire("A")  # the resolve of 2 is still being told
    s.at(7)
    s.heard("hook", "1 A", "2 -A", "4.5 A")
