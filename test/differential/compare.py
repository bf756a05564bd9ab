"""When are two answers, or two notifications, the same?

Equal as JSON, except for what cannot be equal (ids, ports) and what is newer than Debian's Alertmanager. Times are equal
as text, or both were made by a server and lie close together.
"""

import datetime
import json
import re

# Of the webhook payload: 0.32 and 0.34 added the first two; the third holds the sender's port.
PAYLOAD_IGNORED = ("notification_reason", "routeLabels", "externalURL")
# 0.28 added mutedBy to an alert's status, 0.34 routeLabels to a group.
ANSWER_IGNORED = ("mutedBy", "routeLabels")
SERVER_TIMES_APART = 0.75  # of times that a server made, in seconds

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def _seconds(text):
    text = re.sub(r"(\.\d{6})\d*", r"\1", text.replace("Z", "+00:00"))
    text = re.sub(r"\.(\d{1,5})(?=[+-])", lambda m: "." + m.group(1).ljust(6, "0"), text)
    return datetime.datetime.fromisoformat(text).timestamp()


def same(ours, theirs, ignore=(), path=""):
    """Differences, as texts."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        out = []
        for key in sorted(set(ours) | set(theirs)):
            if key in ignore:
                continue
            if key not in ours or key not in theirs:
                out.append(f"{path}.{key}: only {'theirs' if key in theirs else 'ours'} has it")
            else:
                out += same(ours[key], theirs[key], ignore, f"{path}.{key}")
        return out
    if isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            return [f"{path}: {len(ours)} items, theirs {len(theirs)}"]
        return [line for i, (a, b) in enumerate(zip(ours, theirs)) for line in same(a, b, ignore, f"{path}[{i}]")]
    if ours == theirs and type(ours) is type(theirs):
        return []
    if isinstance(ours, str) and isinstance(theirs, str):
        if _UUID.fullmatch(ours) and _UUID.fullmatch(theirs):
            return []
        if _TIME.fullmatch(ours) and _TIME.fullmatch(theirs) and not ours.startswith("0001") \
                and not theirs.startswith("0001") and abs(_seconds(ours) - _seconds(theirs)) < SERVER_TIMES_APART:
            return []
    return [f"{path}: {ours!r}, theirs {theirs!r}"]


def answers(ours, theirs, ignore=()):
    if ours.status != theirs.status:
        return [f"status {ours.status}, theirs {theirs.status}"]
    try:
        a, b = json.loads(ours.body or b"null"), json.loads(theirs.body or b"null")
    except ValueError:
        return [] if ours.body.strip() == theirs.body.strip() else ["other text"]
    return same(a, b, (*ANSWER_IGNORED, *ignore))


class Delivery:
    def __init__(self, at, taken):
        self.at = at
        self.status = taken.status
        try:
            self.body = taken.json()
        except ValueError:
            self.body = {"text": taken.body.decode("utf-8", "replace")}
        if not isinstance(self.body, dict):
            self.body = {"value": self.body}
        self.headers = taken.headers
        self.group = self.body.get("groupKey", "")

    def names(self):
        """The firing ones as they come, the resolved ones with a dash, sorted: order is compared between the two."""
        alerts = self.body.get("alerts")
        if alerts is None:
            return [str(self.body.get("text", "?"))]
        return sorted(("-" if a["status"] == "resolved" else "") + a["labels"].get("alertname", "?") for a in alerts)

    def __str__(self):
        return f"{self.at:.2f} {' '.join(self.names())}" + ("" if self.status == 200 else f" ({self.status})")


def deliveries(taken, zero, loose):
    """In the order of arrival. `loose`: without the attempts that were refused for a while."""
    out = [Delivery(one.at - zero, one) for one in taken if one.status is not None]
    if loose:
        out = [one for one in out if one.status < 500]
    return sorted(out, key=lambda one: one.at)


def _told(found):
    return "[" + ", ".join(str(one) for one in found) + "]"


def against(who, found, lines, tolerance):
    """Is that what the scenario says? Notifications of one instant (two groups) may come in any order."""
    wanted = []
    for line in lines:
        at, *names = line.split(" ")
        wanted.append((float(at), sorted(names)))
    left = list(found)
    for at, names in wanted:
        for one in left:
            if one.names() == names and abs(one.at - at) <= tolerance:
                left.remove(one)
                break
        else:
            return [f"{who} heard {_told(found)}, expected {lines}"]
    return [f"{who} heard {_told(found)}, expected {lines}"] if left else []


def sides(hook, ours, theirs, tolerance):
    """Group by group: order, time and body."""
    problems = []
    for group in sorted({one.group for one in ours + theirs}):
        a = [one for one in ours if one.group == group]
        b = [one for one in theirs if one.group == group]
        if len(a) != len(b):
            problems.append(f"{hook} {group}: we {_told(a)}, they {_told(b)}")
            continue
        for one, other in zip(a, b):
            if abs(one.at - other.at) > tolerance:
                problems.append(f"{hook} {group}: we at {one.at:.2f}, they at {other.at:.2f}")
            difference = same(one.body, other.body, PAYLOAD_IGNORED)
            if difference:
                problems.append(f"{hook} {group} at {one.at:.2f}: " + "; ".join(difference))
    return problems
