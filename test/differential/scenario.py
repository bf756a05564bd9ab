"""What a scenario is, and short words for the configs that scenarios need."""

import dataclasses
import json
import typing

SCENARIOS = []

# Known differences; docs/compatibility.md explains them.
DEAD_GROUP_LINGERS = "before 0.28 a group that is empty goes on ticking for up to 30 s, and a new alert joins it"
OLDER_ALERT_JOINS = "before 0.28 any alert that is older than group_wait hastens a group that has not spoken yet"


@dataclasses.dataclass(frozen=True, eq=False)
class Scenario:
    name: str
    covers: str
    config: str
    length: float
    flags: tuple
    prefix: str
    story: typing.Callable
    files: dict


def scenario(covers, config, length, flags=(), prefix="", files=()):
    """`covers`: the traps (T4: section 16 of the reference) or the worked timeline (15.6 a) that it is about."""
    def add(story):
        assert all(other.name != story.__name__ for other in SCENARIOS), story.__name__
        SCENARIOS.append(Scenario(story.__name__, covers, config, length, tuple(flags), prefix, story, dict(files)))
        return story
    return add


def hook(path, **options):
    """A webhook_configs entry as YAML."""
    return json.dumps({"url": f"$SINK/{path}", **options})


def receiver(name, *hooks):
    return f"- name: {json.dumps(name)}\n" + ("  webhook_configs: [" + ", ".join(hooks) + "]\n" if hooks else "")


def route(name="hook", group_by="[alertname]", wait="1s", interval="1s", repeat="1h", rest=""):
    return (f"route:\n  receiver: {json.dumps(name)}\n  group_by: {group_by}\n  group_wait: {wait}\n"
            f"  group_interval: {interval}\n  repeat_interval: {repeat}\n{rest}")


def simple(group_by="[group]", wait="1s", interval="1s", repeat="1h", rest="", extra="", **options):
    """One route, one receiver "hook" with one webhook of that name."""
    return extra + route("hook", group_by, wait, interval, repeat, rest) + "receivers:\n" + \
        receiver("hook", hook("hook", **options))
