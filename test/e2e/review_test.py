"""The weekly review: from the file, over HTTP, frozen when the week ends, sent once."""

import datetime
import email
import json
import sqlite3
import subprocess
import time

import email_test
import harness
from harness import wait_until

CONFIG = """
route: {{receiver: hook, group_by: [alertname]}}
receivers:
- name: hook
  webhook_configs: [{{url: "{url}/hook"}}]
- name: team
  slack_configs: [{{api_url: "{url}/slack", channel: "#ml"}}]
  webhook_configs: [{{url: "{url}/review"}}]
review: {{receivers: [team], deliver_after: 1h, teams: [{{name: ml, receivers: [hook]}}]}}
rule_files: [{rules}]
"""
RULES = """
groups:
- name: g
  rules:
  - {alert: Drift, expr: drift > 1, for: 5m, labels: {severity: P1}}
  - {alert: Never, expr: up == 7, labels: {severity: P2}, annotations: {runbook_url: "https://r/1"}}
"""


def last_week():
    """Monday 00:00 of the last whole week, UTC, in ms, and its name."""
    today = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - datetime.timedelta(days=today.weekday() + 7)
    year, week, _ = monday.isocalendar()
    return int(monday.timestamp() * 1000), f"{year}-W{week:02}"


def fill(path, monday, first=1, count=8):
    """Up to eight incidents of Drift, from Monday 9:00 on one a day (two on Monday and Tuesday), all paged; the last is acted on."""
    with sqlite3.connect(path) as db:
        for i in range(count):
            opened = monday + (i % 6) * 86400_000 + 9 * 3600_000 + i * 60_000
            ident = first + i
            labels = json.dumps({"alertname": "Drift", "model": f"m{i}", "severity": "P1", "team": "ml" if i < 2 else "x"},
                                separators=(",", ":"), sort_keys=True)
            db.execute(
                "INSERT INTO incidents (id, own_key, labels, annotations, alertname, severity, model, team, state, base_severity,"
                " opened_at, last_fired_at, resolved_at, resolve_reason, clock_elapsed_ms, ladder_step, generation,"
                " reopen_count, episode_count) VALUES (?, ?, ?, '{}', 'Drift', 'P1', ?, ?, 'resolved', 'P1', ?, ?, ?,"
                " 'condition', 0, 0, 1, 0, 1)",
                (ident, f'{{"id":"{ident}"}}', labels, f"m{i}", "ml" if i < 2 else "x", opened, opened,
                 opened + (120_000 if i < 6 else 3_600_000)))
            db.execute("INSERT INTO episode_rows (id, incident_id, fingerprint, own_labels, own_annotations, alertname, severity,"
                       " model, source, started_at, received_at, ended_at, end_reason, generator_url, starts_offset_minutes,"
                       " ends_offset_minutes, timeout, held) VALUES (?, ?, ?, ?, '{}', 'Drift', 'P1', ?, 'rules', ?, ?, ?,"
                       " 'condition', '', 0, 0, 0, 0)",
                       (ident, ident, f"{ident:016x}", labels, f"m{i}", opened, opened,
                        opened + (120_000 if i < 6 else 3_600_000)))
            db.execute("INSERT INTO notifications (id, at, group_key, receiver, integration, integration_index, reason,"
                       " attempt, outcome, latency_ms, error, severity, firing, resolved, incidents) VALUES (?, ?, '{}:{}',"
                       " 'oncall', 'pagerduty', 0, 'first notification', 1, 'sent', 5, '', 'P1', 1, 0, ?)",
                       (ident, opened + 30_000, f"[{ident}]"))
            db.execute("INSERT INTO notification_incidents VALUES (?, ?, 'P1')", (ident, ident))
        if count < 8:
            return
        db.execute("INSERT INTO feedback (incident_id, at, actor, via, verdict, resolution, comment, link)"
                   " VALUES (?, ?, 'ada', 'api', 'acted', '', '', '')", (first + 7, monday + 9 * 3600_000))
        db.execute("INSERT INTO acknowledgements VALUES (?, ?, 'ada', 'api', '', NULL, NULL, '')",
                   (first + 7, monday + 1 * 86400_000 + 9 * 3600_000 + 7 * 60_000 + 630_000,))


class Case(harness.TestCase):
    rules = RULES

    def start(self, filled=True):
        self.hub = self.sink()
        rules = self.write("rules.yml", self.rules)
        self.daemon = self.mlalert(CONFIG.format(url=self.hub.url, rules=rules))
        self.monday, self.week = last_week()
        if filled:
            self.daemon.stop()
            fill(self.daemon.database, self.monday)
            self.daemon.start()
        return self.daemon

    def review(self, *arguments):
        return self.run_mlalert("review", "--storage.path", self.daemon.storage, *arguments)


class Frozen(Case):
    def test_frozen_and_sent_once_through_restarts(self):
        daemon = self.start()
        self.hub.wait_for("/review", 1, timeout=60)
        self.hub.wait_for("/slack", 1, timeout=60)
        wait_until(lambda: len(daemon.rows("SELECT * FROM review_deliveries WHERE outcome = 'sent'")) >= 3, "the rows")
        body, = self.hub.bodies("/review")
        self.assertEqual(body["review"]["week"], self.week)
        self.assertEqual(body["review"]["totals"]["incidents"], 8)
        self.assertTrue(body["review"]["frozen"])
        slack, = self.hub.bodies("/slack")
        self.assertIn(self.week, json.dumps(slack))
        rows = daemon.rows("SELECT team, week, incidents, told, interruptions, acted, definition_version FROM reviews ORDER BY team")
        self.assertEqual([tuple(row.values()) for row in rows],
                         [("", self.week, 8, 8, 8, 1, 1), ("ml", self.week, 2, 2, 2, 0, 1)])
        team, = self.hub.bodies("/hook")
        self.assertEqual(team["review"]["team"], "ml")
        daemon.restart()
        daemon.kill()
        daemon.start()
        time.sleep(1)
        self.assertEqual([len(self.hub.bodies(path)) for path in ("/review", "/slack", "/hook")], [1, 1, 1])

    def test_a_frozen_week_does_not_change_and_live_does(self):
        daemon = self.start()
        wait_until(lambda: daemon.rows("SELECT * FROM reviews WHERE team = ''"), "the review", timeout=60)
        reply = daemon.post("/api/mlalert/v1/incidents/1/feedback", {"actor": "bob", "verdict": "acted"})
        self.assertEqual(reply.status, 200, reply.text)
        frozen = json.loads(self.review("--week", self.week, "--format", "json").stdout)
        live = json.loads(self.review("--week", self.week, "--format", "json", "--live").stdout)
        self.assertEqual((frozen["frozen"], frozen["totals"]["acted"]), (True, 1))
        self.assertEqual((live["frozen"], live["totals"]["acted"]), (False, 2))

    def test_a_receiver_that_fails_is_remembered(self):
        self.hub = self.sink()
        self.hub.script("/review", *[harness.Answer(status=500)] * 3)
        rules = self.write("rules.yml", RULES)
        daemon = self.daemon = self.mlalert(CONFIG.format(url=self.hub.url, rules=rules))
        self.monday, self.week = last_week()
        daemon.stop()
        fill(daemon.database, self.monday)
        daemon.start()
        rows = wait_until(lambda: daemon.rows("SELECT outcome, attempts, error FROM review_deliveries WHERE integration ="
                                              " 'webhook' AND receiver = 'team'"), "the row", timeout=60)
        self.assertEqual((rows[0]["outcome"], rows[0]["attempts"]), ("retrying", 1))
        self.assertIn("500", rows[0]["error"])

    def test_a_new_installation_has_nothing_to_say(self):
        daemon = self.start(filled=False)
        time.sleep(1)
        self.assertEqual(daemon.rows("SELECT * FROM reviews"), [])
        self.assertEqual(self.hub.bodies("/review"), [])


class Mail(Case):
    """To the real server of aiosmtpd."""

    def test_the_review_comes_by_mail_as_html_and_as_text_and_to_slack(self):
        box = email_test.Mailbox()
        server = email_test.MailServer(box)
        server.start()
        self.addCleanup(server.stop)
        self.hub = self.sink()
        rules = self.write("rules.yml", RULES)
        daemon = self.daemon = self.mlalert(f"""
global: {{smtp_from: alerts@example.org, smtp_smarthost: '127.0.0.1:{server.port}', smtp_require_tls: false}}
route: {{receiver: team, group_by: [alertname]}}
receivers:
- name: team
  email_configs: [{{to: lead@example.org}}]
  slack_configs: [{{api_url: "{self.hub.url}/slack", channel: "#ml"}}]
review: {{receivers: [team], deliver_after: 1h}}
rule_files: [{rules}]
""", start=False)
        daemon.start()
        daemon.stop()
        self.monday, self.week = last_week()
        fill(daemon.database, self.monday)
        daemon.start()
        wait_until(lambda: box.mails, "the mail", timeout=60)
        _, envelope = box.mails[0]
        self.assertEqual(envelope.rcpt_tos, ["lead@example.org"])
        mail = email.message_from_bytes(envelope.content)
        self.assertEqual(email_test.decoded(mail["Subject"]), f"Weekly review {self.week}")
        self.assertEqual(mail.get_content_type(), "multipart/alternative")
        parts = {part.get_content_type(): part.get_payload(decode=True).decode() for part in mail.walk() if not part.is_multipart()}
        self.assertEqual(list(parts), ["text/plain", "text/html"])
        frozen, = daemon.rows("SELECT data FROM reviews WHERE team = ''")
        text = self.review("--week", self.week).stdout
        self.assertEqual(parts["text/plain"].replace("\r\n", "\n").strip(), text.strip())
        self.assertIn(f"<title>Weekly review {self.week}</title>", parts["text/html"])
        for words in ("Acted on", "12 % (1 of 8; 95 %: 2 % to 47 %)", "Worst rules", "self-heals"):
            self.assertIn(words, parts["text/plain"])
            self.assertIn(words, parts["text/html"])
        self.assertEqual(json.loads(frozen["data"])["totals"]["action_ratio"]["k"], 1)
        slack, = self.hub.wait_for("/slack", 1)
        attachment, = slack["attachments"]
        self.assertEqual((slack["channel"], attachment["title"]), ("#ml", f"Weekly review {self.week}"))
        self.assertIn("12 % (1 of 8", attachment["text"])
        self.assertRegex(attachment["text"], r"• Drift: Told 8, Interruptions 8, Acted on 1, Noise \d+, Reason self-heals: ")
        wait_until(lambda: len(daemon.rows("SELECT 1 FROM review_deliveries WHERE outcome = 'sent'")) == 2, "both are on record")
        daemon.restart()
        time.sleep(1)
        self.assertEqual((len(box.mails), len(self.hub.requests("/slack"))), (1, 1))


class Promises(Case):
    """A proposal of the week before last, and what came of it."""

    rules = """
groups:
- name: g
  rules:
  - alert: Drift
    expr: drift > 1
    for: 5m
    labels:
      severity: P1
"""

    def story(self, apply, incidents_after):
        daemon = self.start(filled=False)
        daemon.stop()
        before = self.monday - 7 * 86400_000
        year, number, _ = datetime.datetime.fromtimestamp(before / 1000, datetime.timezone.utc).isocalendar()
        week_before = f"{year}-W{number:02}"
        fill(daemon.database, before)
        fill(daemon.database, before - 7 * 86400_000, first=101)
        review = json.loads(self.review("--week", week_before, "--format", "json", "--config.file", daemon.config_path).stdout)
        proposal, = review["proposals"]
        self.assertEqual(proposal["interruptions_per_week"], 4, "16 in 28 days")
        review["frozen"] = True
        with sqlite3.connect(daemon.database) as db:  # as the daemon of that Monday froze it
            db.execute("INSERT INTO reviews VALUES ('', ?, ?, ?, 1, ?, 8, 8, 8, 8, 1, 0.125, ?)",
                       (week_before, before, self.monday, self.monday, json.dumps(review)))
        if apply:
            done = subprocess.run(["patch", "-d", "/", "-p1"], input=proposal["patch"], text=True, capture_output=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn(f"for: {proposal['text'].split()[-1]}", (self.directory / "rules.yml").read_text())
        fill(daemon.database, self.monday, first=201, count=incidents_after)
        daemon.start()  # loads the rules as they are now
        wait_until(lambda: daemon.rows("SELECT * FROM reviews WHERE team = '' AND week = ?", self.week), "frozen", timeout=60)
        daemon.stop()
        promise, = json.loads(self.review("--week", self.week, "--format", "json").stdout)["promises"]
        return proposal, promise

    def test_kept(self):
        proposal, promise = self.story(apply=True, incidents_after=1)
        self.assertEqual((promise["rule"], promise["change"], promise["applied"]), ("Drift", proposal["text"], True))
        self.assertEqual((promise["promised"], promise["got"], promise["status"]), (-3, -3, "kept"))
        for name in ("table", "markdown", "html"):
            shown = self.review("--week", self.week, "--format", name).stdout
            self.assertIn("Promises of the last review", shown)
            self.assertIn("kept, promised -3, got -3", shown)

    def test_not_kept(self):
        _, promise = self.story(apply=True, incidents_after=4)
        self.assertEqual((promise["applied"], promise["promised"], promise["got"], promise["status"]), (True, -3, 0, "not kept"))

    def test_not_applied(self):
        _, promise = self.story(apply=False, incidents_after=4)
        self.assertEqual((promise["applied"], promise["got"], promise["status"]), (False, None, "not applied"))


class Content(Case):
    def test_every_number_can_be_checked(self):
        daemon = self.start()
        review = json.loads(self.review("--week", self.week, "--format", "json", "--live").stdout)
        totals = review["totals"]
        self.assertEqual((totals["told"], totals["paged"], totals["interruptions"]), (8, 8, 8))
        self.assertEqual(totals["interruptions_by_bucket"], {"business": 7, "off": 1, "sleep": 0})  # one on Saturday
        self.assertEqual((totals["action_ratio"]["k"], totals["action_ratio"]["n"]), (1, 8))
        self.assertEqual(totals["under_5m"]["k"], 6)
        self.assertEqual(totals["time_to_acknowledge"]["mean_seconds"], 600)
        self.assertEqual(totals["time_to_acknowledge"]["unacknowledged"], 7)
        self.assertEqual(totals["time_to_tell"]["p50_seconds"], 30)
        row, = daemon.rows("SELECT count(*) AS n, sum(action_level = 'A2') AS acted FROM v_incidents WHERE week = ? AND notified",
                           self.week)
        self.assertEqual((row["n"], row["acted"]), (8, 1))
        worst = review["worst_rules"][0]
        self.assertEqual((worst["rule"], worst["reason"]), ("Drift", "self-heals"))
        self.assertEqual(set(worst["noise_parts"]), {"not_acted", "under_5m", "flap", "sleep_share", "duplicate"})
        hygiene = review["hygiene"]
        self.assertEqual([rule["rule"] for rule in hygiene["rules_that_never_fired"]], ["Never"])
        self.assertEqual(hygiene["rules_without_runbook"], ["Drift"])
        self.assertEqual(hygiene["fell_to_default_route"], [{"alertname": "Drift", "incidents": 8}])

    def test_formats_teams_and_time(self):
        daemon = self.start()
        for name, words in (("table", "Top line"), ("markdown", "# Weekly review"), ("html", "<!DOCTYPE html>"),
                            ("csv", "week,team,rule"), ("json", "definition_version")):
            done = self.review("--week", self.week, "--format", name)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(words, done.stdout)
            reply = daemon.get(f"/api/mlalert/v1/review?week={self.week}&format={name}")
            self.assertEqual(reply.status, 200, reply.text)
            self.assertIn(words, reply.text)
        team = json.loads(self.review("--since", "21d", "--team", "ml", "--format", "json").stdout)
        self.assertEqual((team["team"], team["totals"]["incidents"], team["totals"]["interruptions"]), ("ml", 2, 2))
        row, = daemon.rows("SELECT count(*) AS told FROM v_incidents WHERE team = 'ml' AND notified")
        self.assertEqual(team["totals"]["told"], row["told"])
        for name in ("table", "markdown", "html", "csv"):
            self.assertIn("ml", self.review("--week", self.week, "--team", "ml", "--format", name).stdout)
        self.assertEqual(self.review().returncode, 0)
        listed = daemon.get("/api/mlalert/v1/reviews").json()["reviews"]
        self.assertLessEqual(len(listed), 1)

    def test_what_is_wrong_is_refused(self):
        daemon = self.start(filled=False)
        for query in ("week=2026-W60", "week=x", "format=pdf", "since=soon", "team=a&wek=1", "week=2099-W01"):
            self.assertEqual(daemon.get("/api/mlalert/v1/review?" + query).status, 400, query)
        self.assertEqual(self.review("--week", "2026-W99").returncode, 2)
        self.assertEqual(self.review("--format", "pdf").returncode, 2)

    def test_proposals_with_proof_and_patch(self):
        daemon = self.start(filled=False)
        daemon.stop()
        fill(daemon.database, self.monday)
        fill(daemon.database, self.monday - 7 * 86400_000, first=101)
        done = self.review("--week", self.week, "--format", "json", "--config.file", daemon.config_path)
        self.assertEqual(done.returncode, 0, done.stderr)
        # The routes of this config tell a webhook of P1: every incident is an interruption of its own.
        proposal, = json.loads(done.stdout)["proposals"] or [None]
        self.assertIsNotNone(proposal)
        self.assertEqual(proposal["rule"], "Drift")
        self.assertEqual(proposal["lost"], 0)
        self.assertIn("removes 12 of 16 interruptions, loses 0 of 2 acted-on incidents (95 % upper bound 78 %)",
                      proposal["summary"])
        self.assertIn("verified on the last week: 6 of 8", proposal["summary"])
        self.assertEqual(proposal["change"]["field"], "for")


if __name__ == "__main__":
    harness.main()
