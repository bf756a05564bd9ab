"""The other side of the doors by which people act: PagerDuty, Slack and Twilio as they sign and call, and what they
are told. They answer through harness.Sink, which also refuses, hangs and breaks off as it is told."""

import base64
import hashlib
import hmac
import html
import json
import re
import time
import urllib.parse
import uuid

from harness import rfc3339


def half_close(connection):
    """Ends the sending side in the middle of an answer."""
    import socket
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    connection.shutdown(socket.SHUT_WR)


def half_head(connection):
    """Ends it before there is a status."""
    import socket
    connection.sendall(b"HTTP/1.1 2")
    connection.shutdown(socket.SHUT_WR)


def reset(connection):
    """Closes without a word. On a connection that was kept from the answer before, libcurl asks again by itself."""
    connection.close()


class PagerDuty:
    """Webhooks v3."""

    def __init__(self, daemon, secret, path="/api/mlalert/v1/hooks/pagerduty"):
        self.daemon = daemon
        self.secret = secret
        self.path = path

    @staticmethod
    def event(kind, dedup_key=None, agent="Ann", occurred_at=None, incident="PD1", event_id=None, **data):
        event = {"id": event_id or uuid.uuid4().hex, "event_type": kind, "resource_type": "incident",
                 "occurred_at": rfc3339(time.time() if occurred_at is None else occurred_at),
                 "agent": None if agent is None else {"id": "PU1", "type": "user_reference", "summary": agent},
                 "client": None,
                 "data": {"id": incident, "type": "incident", "number": 7, "status": "triggered", "assignees": [],
                          "priority": None, "urgency": "high", **data}}
        if dedup_key is not None:
            event["data"]["incident_key"] = dedup_key
        return event

    def note(self, text, agent="Ann", incident="PD1"):
        event = self.event("incident.annotated", agent=agent)
        event["data"] = {"id": "N1", "type": "incident_note", "content": text, "trimmed": False,
                         "incident": {"id": incident, "type": "incident_reference"}}
        return event

    def sign(self, body, secret=None):
        return "v1=" + hmac.new((secret or self.secret).encode(), body, hashlib.sha256).hexdigest()

    def send(self, event, signature=None, webhook_id=None):
        body = json.dumps({"event": event}).encode()
        headers = {"Content-Type": "application/json", "X-Webhook-Id": webhook_id or uuid.uuid4().hex,
                   "X-PagerDuty-Signature": self.sign(body) if signature is None else signature}
        return self.daemon.post(self.path, body, headers=headers)


class Slack:
    """Presses on buttons of messages that the sink has got."""

    def __init__(self, daemon, secret, sink, path="/api/mlalert/v1/hooks/slack"):
        self.daemon = daemon
        self.secret = secret
        self.sink = sink
        self.path = path

    @staticmethod
    def buttons(message):
        """{action_id: value} of all attachments."""
        return {element["action_id"]: element.get("value")
                for attachment in message["attachments"] for block in attachment.get("blocks", [])
                for element in block.get("elements", [])}

    def payload(self, message, action, user="U1", name="ann", ts="1700000000.000100", value=None):
        return {"type": "block_actions", "user": {"id": user, "username": name, "name": name}, "team": {"id": "T1"},
                "channel": {"id": "C1", "name": "ml"}, "message": {**message, "ts": ts},
                "container": {"type": "message", "message_ts": ts, "channel_id": "C1"},
                "actions": [{"action_id": action, "block_id": "mlalert_actions", "type": "button", "action_ts": "1",
                             "value": self.buttons(message)[action] if value is None else value}],
                "response_url": f"{self.sink.url}/slack/response", "trigger_id": "1.2"}

    def body(self, payload):
        return urllib.parse.urlencode({"payload": json.dumps(payload)}).encode()

    def headers(self, body, at=None, secret=None):
        stamp = str(int(time.time() if at is None else at))
        signature = hmac.new((secret or self.secret).encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256)
        return {"Content-Type": "application/x-www-form-urlencoded", "X-Slack-Request-Timestamp": stamp,
                "X-Slack-Signature": "v0=" + signature.hexdigest()}

    def press(self, message, action, **options):
        body = self.body(self.payload(message, action, **options))
        return self.daemon.post(self.path, body, headers=self.headers(body))


class Twilio:
    """Calls and messages that the sink has got, and the callbacks about them."""

    def __init__(self, daemon, sink, token, sid="AC1"):
        self.daemon = daemon
        self.sink = sink
        self.token = token
        self.calls_path = f"/2010-04-01/Accounts/{sid}/Calls.json"
        self.messages_path = f"/2010-04-01/Accounts/{sid}/Messages.json"

    @staticmethod
    def form(taken):
        return dict(urllib.parse.parse_qsl(taken.body.decode(), keep_blank_values=True))

    def calls(self):
        return [self.form(taken) for taken in self.sink.requests(self.calls_path)]

    def messages(self):
        return [self.form(taken) for taken in self.sink.requests(self.messages_path)]

    def sign(self, url, fields, token=None):
        text = url + "".join(name + fields[name] for name in sorted(fields))
        digest = hmac.new((token or self.token).encode(), text.encode(), hashlib.sha1).digest()
        return base64.b64encode(digest).decode()

    def callback(self, url, fields, signature=None):
        """As Twilio posts it, to the daemon whatever the host in the address is."""
        parts = urllib.parse.urlsplit(url)
        headers = {"Content-Type": "application/x-www-form-urlencoded",
                   "X-Twilio-Signature": self.sign(url, fields) if signature is None else signature}
        path = parts.path[len(self.prefix):] if (self.prefix and parts.path.startswith(self.prefix)) else parts.path
        return self.daemon.post(f"{path}?{parts.query}", urllib.parse.urlencode(fields).encode(), headers=headers)

    prefix = ""  # what a proxy in front takes off

    @staticmethod
    def gather_url(call):
        return html.unescape(re.search(r'<Gather[^>]* action="([^"]+)"', call["Twiml"]).group(1))

    def press(self, call, digits, **fields):
        return self.callback(self.gather_url(call), {"CallSid": "CA1", "To": call["To"], "From": call["From"],
                                                     "CallStatus": "in-progress", "Digits": digits, **fields})

    def end(self, call, status="completed", **fields):
        return self.callback(call["StatusCallback"], {"CallSid": "CA1", "To": call["To"], "From": call["From"],
                                                      "CallStatus": status, "SequenceNumber": "0", **fields})
