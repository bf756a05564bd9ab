"""A reload is all or nothing: what is wrong changes nothing and is said with its place; what is right counts at once."""

import signal
import threading
import time

import harness
from harness import stays, wait_until

EMPTY = '{"status":"success","data":{"resultType":"vector","result":[]}}'
VECTOR = ('{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"x"},'
          '"value":[%d,"1"]}]}}')
JSON = {"Content-Type": "application/json"}
SIGNAL, POST = "SIGHUP", "POST"


def place(text, word):
    """line:column of a word, as compilers count."""
    before = text[:text.index(word)]
    return f":{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}: "


class Case(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.hub = self.sink()
        self.answer(EMPTY)
        self.rules = self.write("rules.yml", harness.rules_file({"alert": "First", "expr": "up > 2"}))
        self.daemon = None

    def answer(self, text):
        for path in ("/api/v1/query", "/api/v1/query?"):
            self.hub.always(path, harness.Answer(200, text, JSON))

    def config(self, receiver="one", more=""):
        return f"""datasources: [{{name: default, url: "{self.hub.url}", timeout: 2s}}]
rule_files: ["{self.rules}"]
evaluation: {{interval: 1s}}
{more}
route: {{receiver: {receiver}, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
- name: one
  webhook_configs: [{{url: "{self.hub.url}/one"}}]
- name: two
  webhook_configs: [{{url: "{self.hub.url}/two"}}]
incident_policies: [{{name: all, cooldown: 0s}}]
"""

    def start(self, **options):
        self.daemon = self.mlalert(self.config(**options))
        wait_until(lambda: self.daemon.rule("First"), "the rule")
        return self.daemon

    def fire(self, name):
        self.daemon.post_alerts({"labels": {"alertname": name}, "endsAt": harness.rfc3339(time.time() + 3600)})

    def told(self, path, name, status="firing"):
        return [body for body in self.hub.bodies(path)
                if body["status"] == status and body["groupLabels"] == {"alertname": name}]

    def successes(self):
        return self.daemon.metric("mlalert_config_last_reload_success_timestamp_seconds")

    def reload(self, how):
        """True when it was taken. The text of a refusal is in self.refusal."""
        if how == POST:
            reply = self.daemon.reload()
            self.assertIn(reply.status, (200, 500), reply)
            self.refusal = reply.text
            return reply.status == 200
        failures, done = (self.daemon.metric("mlalert_config_reload_failures_total"), self.successes())
        before = len(self.daemon.log())
        self.daemon.process.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: self.daemon.metric("mlalert_config_reload_failures_total") > failures or self.successes() > done,
                   "the end of the reload")
        self.refusal = self.daemon.log()[before:]
        return self.daemon.metric("mlalert_config_last_reload_successful") == 1


class Bad(Case):
    def assert_old_in_force(self, name):
        self.fire(name)
        wait_until(lambda: self.told("/one", name), "the old receiver is told")
        self.assertEqual(self.told("/two", name), [])
        self.assertEqual(self.daemon.rule("First")["query"], "up > 2")
        self.assertEqual(self.daemon.metric("mlalert_config_last_reload_successful"), 0)
        self.assertEqual(self.daemon.metric("alertmanager_config_last_reload_successful"), 0)

    def test_bad_config_keeps_the_old_one(self):
        daemon = self.start()
        good = self.config(receiver="two")
        wiat = good.replace("group_wait", "group_wiat")
        three = good.replace("receiver: two", "receiver: three")
        soon = good.replace("repeat_interval: 1h", "repeat_interval: soon")
        path = str(daemon.config_path)
        template = self.write("bad.tmpl", "{{ if }}")
        for number, (what, text, words) in enumerate((
                ("unknown key", wiat, [path + place(wiat, "group_wiat"), 'did you mean "group_wait"']),
                ("unknown receiver", three, [path + place(three, "receiver: three"), '"three"']),
                ("no YAML", good + "x: [\n", [path + ":", "yaml"]),
                ("bad duration", soon, [path + place(soon, "soon"), '"soon"']),
                ("receivers of one name", good.replace("name: two", "name: one"), [path + ":"]),
                ("no route", "receivers: [{name: a}]\n", [path, "no route"]),
                ("bad template file", good + f"templates: ['{template}']\n", [f"{template}: ", "bad.tmpl:1"]),
                ("empty", "", [path, "no route"]))):
            for how in (POST, SIGNAL):
                with self.subTest(what=what, how=how):
                    daemon.set_config(text)
                    self.assertFalse(self.reload(how))
                    for word in words:
                        self.assertIn(word, self.refusal.replace('\\"', '"'))
                    self.assert_old_in_force(f"Bad{number}{how}")
        daemon.config_path.unlink()
        self.assertFalse(self.reload(POST))
        self.assertIn("No such file", self.refusal)
        daemon.set_config(good)
        self.assertTrue(self.reload(POST))
        self.assertEqual(daemon.metric("mlalert_config_last_reload_successful"), 1)
        self.fire("Good")
        wait_until(lambda: self.told("/two", "Good"), "the new receiver is told")

    def test_bad_rule_file_keeps_rules_and_config(self):
        daemon = self.start()
        daemon.set_config(self.config(receiver="two"))
        for number, (what, text, words) in enumerate((
                ("expression", "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: 'up >'\n", [":5:", "parse error"]),
                ("unknown key", "groups:\n- name: g\n  rules:\n  - alert: A\n    exprr: up\n", [":4:5: ", "(and 1 more)"]),
                ("template", "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up\n    annotations: {a: '{{ .X'}\n", [":6:"]),
                ("group twice", "groups:\n- name: g\n- name: g\n", [":3:", "g"]),
                ("no YAML", "groups: [\n", ["yaml"]))):
            for how in (POST, SIGNAL):
                with self.subTest(what=what, how=how):
                    self.rules.write_text(text)
                    self.assertFalse(self.reload(how))
                    self.assertIn(str(self.rules), self.refusal)
                    for word in words:
                        self.assertIn(word, self.refusal)
                    self.assert_old_in_force(f"Rules{number}{how}")


class Good(Case):
    def test_new_config_counts_for_the_next_notification(self):
        daemon = self.start()
        receivers = ["two", "one"]
        for how in (POST, SIGNAL):
            name, receiver = f"After{how}", receivers.pop(0)
            self.rules.write_text(harness.rules_file({"alert": name, "expr": "up > 3"}))
            daemon.set_config(self.config(receiver=receiver))
            self.assertTrue(self.reload(how))
            wait_until(lambda: daemon.rule(name), "the new rule")
            self.assertIsNone(daemon.rule("First"), "the old rule is gone")
            self.fire(name)
            wait_until(lambda: self.told(f"/{receiver}", name), f"{receiver} is told")
            self.assertEqual(self.told("/one" if receiver == "two" else "/two", name), [])
            self.assertIn(f'receiver: {receiver}', daemon.get("/api/v2/status").json()["config"]["original"])

    def test_nobody_is_told_twice(self):
        daemon = self.start()
        for name in ("A", "B", "C"):
            self.fire(name)
        self.hub.wait_for("/one", 3)
        self.fire("D")
        for turn in range(6):
            daemon.set_config(self.config(more=f"# {turn}"))
            self.assertTrue(self.reload(POST if turn % 2 == 0 else SIGNAL))
        wait_until(lambda: self.told("/one", "D"), "what was on its way when the reload came")
        stays(lambda: len(self.hub.requests("/one")) == 4, "each is told once", 2.5)
        daemon.resolve({"alertname": "A"})
        wait_until(lambda: self.told("/one", "A", "resolved"), "the resolve")
        stays(lambda: len(self.hub.requests("/one")) == 5, "once", 1.5)

    def test_moved_to_another_receiver(self):
        """The new one is told, and both hear the end."""
        daemon = self.start()
        self.fire("Moves")
        wait_until(lambda: self.told("/one", "Moves"), "the first receiver is told")
        daemon.set_config(self.config(receiver="two"))
        self.assertTrue(self.reload(POST))
        self.fire("Moves")
        wait_until(lambda: self.told("/two", "Moves"), "the second receiver is told")
        daemon.resolve({"alertname": "Moves"})
        wait_until(lambda: self.told("/two", "Moves", "resolved"), "the second receiver hears the end")
        wait_until(lambda: self.told("/one", "Moves", "resolved"), "the first one too")
        self.assertEqual(len(self.told("/one", "Moves")), 1)

    def test_pending_rules_keep_their_time(self):
        self.rules.write_text(harness.rules_file({"alert": "First", "expr": "up > 0", "for": "1h"},
                                                 {"alert": "Fires", "expr": "up > 0"}))
        self.answer(VECTOR % time.time())
        daemon = self.start()

        def since(name):
            return [alert["activeAt"] for alert in daemon.rule(name)["alerts"]]
        wait_until(lambda: since("First") and since("Fires"), "pending and firing")
        wait_until(lambda: self.told("/one", "Fires"), "the firing one is told")
        before = since("First"), since("Fires")
        # Another file content, the same rules in it.
        self.rules.write_text(self.rules.read_text() + "\n# more\n")
        for how in (POST, SIGNAL):
            self.assertTrue(self.reload(how))
            wait_until(lambda: daemon.rule("First")["state"] == "pending", "pending")
            self.assertEqual((since("First"), since("Fires")), before)
        stays(lambda: len(self.told("/one", "Fires")) == 1, "told once", 1.5)

    def test_many_at_once(self):
        daemon = self.start()
        statuses = []
        threads = [threading.Thread(target=lambda: statuses.append(daemon.reload().status)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            daemon.process.popen.send_signal(signal.SIGHUP)
        for thread in threads:
            thread.join()
        self.assertEqual(statuses, [200] * 20)
        self.fire("Still")
        wait_until(lambda: self.told("/one", "Still"), "told")
        self.assertEqual(daemon.get("/-/reload").status, 405)


class Start(Case):
    def test_bad_files_exit_with_2_and_their_place(self):
        bad_rules = self.write("bad-rules.yml", "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: 'up >'\n")
        good = self.config()
        wiat = good.replace("group_wait", "group_wiat")
        other = good.replace("receiver: one", "receiver: other")
        for what, text, words in (
                ("unknown key", wiat, [".yml" + place(wiat, "group_wiat"), "5 | route: ", "^", "group_wait"]),
                ("unknown receiver", other, [".yml" + place(other, "receiver: other"), "5 | route: ", "^"]),
                ("no YAML", "route: [\n", [".yml:2:1: ", "yaml"]),
                ("rules", good.replace(str(self.rules), str(bad_rules)), ["bad-rules.yml:5:", "5 |     expr: 'up ", "^"]),
                ("nothing", "", ["no route"])):
            with self.subTest(what=what):
                daemon = self.mlalert(text, start=False)
                process = daemon.spawn()
                wait_until(lambda: not process.running(), "the end")
                self.assertEqual(process.popen.returncode, 2, process.log())
                for word in words:
                    self.assertIn(word, process.log())
                self.assertNotIn("Listening", process.log())
                self.assertFalse(daemon.database.exists(), "nothing was made before the config was known to be good")
        daemon = self.mlalert(good, start=False)
        daemon.config_path.unlink()
        process = daemon.spawn()
        wait_until(lambda: not process.running(), "the end")
        self.assertNotEqual(process.popen.returncode, 0)
        self.assertIn("No such file", process.log())


if __name__ == "__main__":
    harness.main()
