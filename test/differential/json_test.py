"""What Go's JSON decoder forgives, and the words in which it refuses: the same bytes to Debian's prometheus-alertmanager
and to mlalert. By hand: text behind the value, keys in another case, halves of surrogate pairs, bytes that are no
UTF-8, keys that are there twice, null. By a generator with a fixed seed: damaged bodies. The status, the words, and
what each stored must be the same."""

import json
import pathlib
import random
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import api_test  # noqa: E402
import harness  # noqa: E402
from api_test import JSON, Case, FAR, START, matcher, silence  # noqa: E402

CONFIG = api_test.CONFIG.replace("7m", "4m")  # within what api_test takes for a time of now
A = '"labels":{"alertname":"$N"}'
TIMES = f'"startsAt":"{START}","endsAt":"{FAR}"'

# $N is replaced by a name of its own, so that each may store an alert.
ALERTS = [
    # Behind the value.
    f"[{{{A}}}] x", f"[{{{A}}}]]", f"[{{{A}}}][", f"[{{{A}}}]\0", f"[{{{A}}}]\x1b", f"[{{{A}}}]\xff", f"[{{{A}}}]\\ud800", "nullx", "null x",
    "[]x", "[] [1]", "1x", '"a"x', "{}x", "truex", f"\ufeff[{{{A}}}]", f"\n\t [{{{A}}}]\r\n \n{{",
    # Keys in another case; the long s and the Kelvin sign are an s and a k.
    '[{"Labels":{"alertname":"$N"}}]', '[{"LABELS":{"alertname":"$N"}}]', '[{"label\u017f":{"alertname":"$N"}}]',
    '[{"l\\u0061bel\\u017f":{"alertname":"$N"}}]', '[{"labels ":{"alertname":"$N"}}]', '[{"labelz":{"alertname":"$N"}}]',
    '[{"labelss":{"alertname":"$N"}}]', '[{"label":{"alertname":"$N"}}]',
    f'[{{{A},"STARTSAT":"{START}","endsat":"{FAR}","Annotations":{{"x":"y"}},"generatorurl":"http://x/"}}]',
    f'[{{{A},"\u017ftart\u017fat":"{START}","end\u017fAt":"{FAR}","GENERATORURL":"x y"}}]',
    f'[{{{A},"Labels":{{"alertname":"$N","b":"2"}}}}]', f'[{{"Labels":{{"alertname":"$N","b":"2"}},"labels":{{"b":"3"}}}}]',
    f'[{{{A},"Startsat":1}}]', '[{"Labels":1}]', f'[{{{A},"ANNOTATIONS":{{"x":1}}}}]', f'[{{{A},"annotation\u017f":1,"startsAt":"x"}}]',
    f'[{{{A},"GENERATORURL":1}}]',
    # Twice.
    f'[{{{A},"labels":{{"x":"y"}}}}]', f'[{{{A},"labels":{{}}}}]', f'[{{{A},"labels":null}}]',
    f'[{{"labels":null,{A}}}]', f'[{{{A},"labels":null,"labels":{{"alertname":"$N","z":"1"}}}}]',
    f'[{{{A},"annotations":{{"a":"1","b":"2"}},"annotations":{{"b":"3","c":"4"}}}}]',
    f'[{{{A},"annotations":{{"a":"1"}},"annotations":null}}]',
    '[{"labels":{"alertname":"$N","a":"1","a":"2"}}]', '[{"labels":{"alertname":"$N","a":"1","a":null}}]',
    '[{"labels":{"alertname":"$N","a":"1","A":"2"}}]', f'[{{{A},"startsAt":"{START}","startsAt":null,"endsAt":"{FAR}"}}]',
    f'[{{{A},"generatorURL":"http://x","generatorURL":null}}]', f'[{{{A},"generatorURL":"http://x","generatorURL":""}}]',
    f'[{{{A},"annotations":{{"b":"1"}},"labels":{{"q":"2"}},"annotations":{{"c":"1"}},"labels":{{"r":"1"}}}}]',
    # Halves of surrogate pairs, pairs, and what only looks like them.
    *('[{"labels":{"alertname":"$N","t":"' + text + '"},"annotations":{"' + text + '":"x"}}]' for text in (
        r"\ud800", r"\udc00", r"\ud800x", r"x\udfff", r"\ud83d\ude00", r"\ud800\ud83d\ude00", r"\ude00\ud83d", r"\\ud800",
        r"\\\ud800", r"\ud800\\udc00", r"\ud800\n", r"\uD83D\uDE00", r"\ud800\u0041", r"\ufffd", r"\uFFFF", r"\u0000", r"\ud80")),
    '[{"label\\ud800":{"alertname":"$N"}}]', f'[{{{A},"x":"\\ud800"}}]', f'[{{{A},"generatorURL":"http://x/\\ud800"}}]',
    # Bytes that are no UTF-8 (written here as Latin-1).
    *(b'[{"labels":{"alertname":"$N","t":"' + text + b'"},"annotations":{"' + text + b'":"x"}}]' for text in (
        b"\xff", b"\xc3", b"\xe2\x82", b"\xe2\x82\xac", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"a\xffb\xfe",
        b"\xe2\x28\xa1", b"\x80\x80", b"\xf8\x88\x80\x80\x80", b"\x7f", b"\xef\xbf\xbe")),
    b"\xff", b"[\xff]", b"[{\xc3\xa9}]", b'[{"a"\x80}]', b"\xef\xbb\xbf[]", b"[\xa0]", b"[\xad]", b"[\x85]",
    # Control characters.
    *('[{"labels":{"alertname":"$N","t":"' + text + '"}}]' for text in ("\x00", "\x01", "\t", "\n", "\x1a", "\x1b", "\x1f", "\x7f")),
    "\x1f[]", "[\x1a]", "[]\x1f", "\x0b[]", "[\x00]",
    # Numbers and unknown fields are not looked into.
    f'[{{{A},"x":1e99,"y":-0,"z":123456789012345678901234567890}}]', f'[{{{A},"x":01}}]', f'[{{{A},"x":1.}}]', f'[{{{A},"x":.5}}]',
    f'[{{{A},"x":+1}}]', f'[{{{A},"x":NaN}}]', f'[{{{A},"x":1E+2}}]', f'[{{{A},"x":[{{"labels":1}}]}}]', f'[{{{A},"x":0x1}}]',
    f'[{{{A}}},null]', "[null]", f'[{{{A}}},]', f'[{{{A},}}]', f'[{{{A}}} {{{A}}}]', f'[{{{A} "x":1}}]',
    # The order of errors.
    '[{"labels":{"a":1,"b":2},"annotations":{"c":3}}]', '[{"labels":1,"startsAt":"x"}]', '[{"annotations":1,"startsAt":"x"}]',
    '[{"annotations":1,"startsAt":2}]', '[{"labels":1,"generatorURL":2}]', '[{"generatorURL":2,"labels":1}]', '[{"labels":1},{"annotations":2}]',
    '[{"labels":{"a":1}},{"x":]', '[5,{"labels":1}]', '[{"labels":1},5]', '[{"startsAt":"x","endsAt":1}]', '[{"endsAt":1,"startsAt":"x"}]',
]

GOOD = {"comment": "c", "createdBy": "me", "matchers": [matcher("alertname", "$N")], "startsAt": START, "endsAt": FAR}


def with_text(**fields):
    """A good silence as JSON text, with fields as raw text in the place of its own."""
    texts = {name: json.dumps(value) for name, value in GOOD.items()}
    texts.update(fields)
    return "{" + ",".join(f'"{name}":{text}' for name, text in texts.items() if text is not None) + "}"


def in_case(change):
    return "{" + ",".join(f'"{change(name)}":{json.dumps(value)}' for name, value in GOOD.items()) + "}"


M = '{"name":"alertname","value":"$N","isRegex":false}'

SILENCES = [
    with_text() + "x", with_text() + "}", with_text() + " {", with_text() + "\x1b", with_text() + "\0", "nullx", "{}x", "[]x", "5 5",
    in_case(str.upper), in_case(str.lower), in_case(lambda name: name.replace("s", "\u017f")),
    with_text(comment=None, Comment='"C"'), with_text(Comment='"later"'), with_text(Comment="null"), with_text(comment="null"),
    with_text(COMMENT="1"), with_text(ID='"00000000-0000-4000-8000-000000000000"'), with_text(ID="1"), with_text(Id="null"),
    with_text(startsAt="null"), with_text(STARTSAT="null"), with_text(endsAt="1"), with_text(endsAt="1", comment="2"), with_text(comment="2", endsAt='"x"'),
    with_text(matchers="null"), with_text(Matchers="null"), with_text(matchers="1", comment="1"), with_text(comment="1", matchers="1"),
    with_text(matchers='[{"NAME":"alertname","Value":"$N","ISREGEX":false,"isequal":false}]'),
    with_text(matchers='[{"name":"alertname","name":"b","value":"$N","isRegex":false}]'),
    with_text(matchers='[{"name":"alertname","Name":null,"value":"$N","isRegex":false}]'),
    with_text(matchers='[{"name":"alertname","value":"$N","isRegex":false,"isEqual":null}]'),
    with_text(matchers='[{"name":"a","value":"$N","isRegex":null}]'), with_text(matchers='[{"name":1,"value":2,"isRegex":3}]'),
    with_text(matchers='[{"isRegex":3,"value":2,"name":1}]'), with_text(matchers='[1,{"name":2}]'), with_text(matchers='[{"name":2},1]'),
    with_text(matchers=f'[{M},{M}]'), with_text(matchers=f'[{M},]'),
    *(with_text(comment='"' + text + '"') for text in (r"\ud800", r"\udc00x", r"\ud83d\ude00", "\x1f", "\x7f", "\n", r"\u0000")),
    with_text(comment='"\xff"').encode("latin-1"), with_text(createdBy='"a\xe2\x82b"').encode("latin-1"),
    with_text(matchers='[{"name":"a\xff","value":"$N\xfe","isRegex":false}]').encode("latin-1"),
    with_text(matchers=r'[{"name":"alertname","value":"\ud800","isRegex":false}]'), b"\xff", b"{\xff", b'{"comment"\xa0:1}',
    with_text(x="1e99"), with_text(x="01"), with_text(matchers="[]"), with_text(matchers='{}'), with_text(matchers='"x"'),
    with_text(id="5", comment="5"), with_text(comment="5", id="5"), with_text(id='""'), with_text(startsAt='""'), with_text(startsAt='"x"', endsAt='"y"'),
    with_text(endsAt='"y"', comment="[]"), with_text(createdBy="{}"), with_text(createdBy="true"), with_text(createdBy="null"),
]


def damaged(text, random):
    """One to three edits of bytes or of whole tokens."""
    tokens = ['"', "{", "}", "[", "]", ",", ":", "null", "1", "true", '""', "\\", "\\u", " ", "\xff", "{}", "[]", '"labels"', '"x"', "-", "e", "\x1b"]
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(text) + 1)
        kind = random.randrange(5)
        if kind == 0:
            text = text[:at] + text[at + 1:]
        elif kind == 1:
            text = text[:at] + random.choice(tokens) + text[at:]
        elif kind == 2:
            text = text[:at] + random.choice(tokens) + text[at + random.randint(1, 12):]
        elif kind == 3:
            end = at + random.randint(1, 30)
            text = text[:end] + text[at:]
        else:
            text = text[:at] + text[at:at + 1].swapcase() + text[at + 1:]
    return text


def encoded(text):
    """Latin-1 where the text means bytes, and UTF-8 where it has other characters."""
    if isinstance(text, bytes):
        return text
    return text.encode("latin-1") if max(map(ord, text), default=0) < 256 else text.encode()


def cases(path, bodies, seeds, prefix, count):
    chance = random.Random(7)
    texts = [encoded(body) for body in bodies]
    texts += [encoded(damaged(chance.choice(seeds), chance)) for _ in range(count)]
    for number, text in enumerate(texts):
        yield Case("POST", path, text.replace(b"$N", f"{prefix}{number}".encode()), JSON)


class JsonDifferential(api_test.ApiDifferential):
    test_every_request_is_answered_alike = None
    test_the_life_of_a_silence_is_alike = None

    def setUp(self):
        harness.TestCase.setUp(self)
        self.theirs = self.alertmanager(CONFIG)
        # Names of any characters are younger than 0.25.
        self.ours = self.mlalert(CONFIG, flags=["--cluster.listen-address=", "--enable-feature=classic-mode"])
        self.connections = {}

    def shown(self, reply):
        """Without the words about a time that is none: which layout Go tried last has changed since 0.25. Silences that
        end at the same time have no order."""
        out = super().shown(reply)
        body = out["body"]
        if isinstance(body, dict) and "message" in body:
            body["message"] = re.sub(r'(parsing time "(?:[^"\\]|\\.)*").*', r"\1", body["message"])
        if isinstance(body, list):
            body.sort(key=lambda item: json.dumps(item, sort_keys=True))
        return out

    def differences(self, some):
        """Without those at which Alertmanager panics: null in the place of an alert or of a matcher."""
        found = []
        for case in some:
            try:
                found += super().differences([case])
            except AssertionError:
                self.assertIn(b"null", case.body)
                self.assertIn(self.send(self.ours.port, case).status, (200, 400, 422))
        return found

    def test_every_body_is_read_alike(self):
        alert = f'[{{"labels":{{"alertname":"$N","team":"a"}},"annotations":{{"s":"x"}},{TIMES},"generatorURL":"http://p/g"}}]'
        some = list(cases("/api/v2/alerts", ALERTS, [alert, '[{"labels":{"alertname":"$N"}},{"labels":{"alertname":"$N2"}}]'], "A", 400))
        some += list(cases("/api/v2/silences", SILENCES, [json.dumps(GOOD)], "S", 300))
        found = self.differences(some)
        found += self.differences([Case("GET", "/api/v2/alerts"), Case("GET", "/api/v2/silences")])
        if found:
            self.fail(f"{len(found)} of {len(some)} answers differ:\n" + "\n".join(found))


if __name__ == "__main__":
    unittest.main()
