"""The example week of docs/history.md: a small history with fixed times, written into an empty database."""

import datetime
import json

MONDAY = int(datetime.datetime(2026, 11, 16, tzinfo=datetime.timezone.utc).timestamp() * 1000)  # 2026-W47
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def fill(db):
    def labels(name, severity, model=None, pipeline=None):
        out = {"alertname": name, "severity": severity, "team": "ml"}
        out.update({key: value for key, value in (("model", model), ("pipeline", pipeline)) if value})
        return json.dumps(out, separators=(",", ":"), sort_keys=True)

    def incident(ident, name, base, severity, model, opened, lasts, told=None, reopened=0, episodes=1, pipeline=None,
                 receiver=("page", "pagerduty"), reason="condition"):
        opened = MONDAY + opened
        text = labels(name, base, model, pipeline)
        ended = opened + lasts if lasts else None
        db.execute(
            "INSERT INTO incidents (id, own_key, labels, annotations, alertname, severity, model, pipeline, team, state,"
            " base_severity, opened_at, last_fired_at, resolved_at, resolve_reason, clock_elapsed_ms, ladder_step, generation,"
            " reopen_count, episode_count) VALUES (?, ?, ?, '{}', ?, ?, ?, ?, 'ml', ?, ?, ?, ?, ?, ?, 0, 0, 1, ?, ?)",
            (ident, json.dumps({"n": str(ident)}), text, name, severity, model, pipeline, "resolved" if lasts else "open", base,
             opened, opened, ended, reason if lasts else "", reopened, episodes))
        for episode in range(episodes):
            start = opened + episode * 10 * MINUTE
            end = None if not lasts else (start + 4 * MINUTE if episode + 1 < episodes else ended)
            db.execute("INSERT INTO episode_rows (incident_id, fingerprint, own_labels, own_annotations, alertname, severity, model,"
                       " pipeline, team, source, started_at, received_at, ended_at, end_reason, generator_url,"
                       " starts_offset_minutes, ends_offset_minutes, timeout, held)"
                       " VALUES (?, ?, ?, '{}', ?, ?, ?, ?, 'ml', 'rules', ?, ?, ?, ?, '', 0, 0, 0, 0)",
                       (ident, f"{ident:016x}", text, name, base, model, pipeline, start, start, end,
                        "condition" if end else ""))
        event(opened, ident, "opened")
        if told is not None:
            notify(opened + told, [ident], severity, *receiver)
        if lasts:
            event(ended, ident, "resolved", reason=reason)
            if told is not None:
                notify(ended + 30_000, [ident], severity, *receiver, reason="all alerts resolved", firing=0, resolved=1)

    def event(at, ident, kind, actor_kind="system", actor="", reason="", before="", after="", data=None):
        db.execute("INSERT INTO events (at, incident_id, type, actor_kind, actor, reason, from_value, to_value, data)"
                   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (at, ident, kind, actor_kind, actor, reason, before, after, data))

    def notify(at, idents, severity, receiver, integration, reason="first notification", outcome="sent", status=200, attempt=1,
               error="", firing=1, resolved=0):
        cursor = db.execute(
            "INSERT INTO notifications (at, group_key, receiver, integration, integration_index, reason, attempt, outcome,"
            " http_status, latency_ms, error, severity, firing, resolved, incidents) VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, 42, ?, ?, ?, ?, ?)",
            (at, '{}/{severity="P1"}:{alertname="x"}', receiver, integration, reason, attempt, outcome, status, error, severity,
             firing, resolved, json.dumps(idents)))
        for ident in idents:
            db.execute("INSERT INTO notification_incidents VALUES (?, ?, ?)", (cursor.lastrowid, ident, severity if firing else None))

    def acknowledge(ident, after, actor, comment):
        at = db.execute("SELECT opened_at FROM incidents WHERE id = ?", (ident,)).fetchone()[0] + after
        db.execute("INSERT INTO acknowledgements VALUES (?, ?, ?, 'api', ?, NULL, NULL, '')", (ident, at, actor, comment))
        db.execute("UPDATE incidents SET state = 'acknowledged', acknowledged_at = ?, acknowledged_by = ? WHERE id = ?"
                   " AND state = 'open'", (at, actor, ident))
        event(at, ident, "acknowledged", "human", actor, comment, data='{"via":"api"}')

    incident(1, "MLServingDown", "P0", "P0", "fraud-detector-v2", 9 * HOUR, 38 * MINUTE, told=30_000)
    incident(2, "MLLatencySpike", "P2", "P2", "support-llm", 10 * HOUR, 4 * MINUTE, told=35_000, receiver=("slack", "slack"))
    incident(3, "MLLatencySpike", "P2", "P2", "support-llm", DAY + 3 * HOUR, 24 * MINUTE, told=35_000, reopened=2, episodes=3,
             receiver=("slack", "slack"))
    incident(4, "MLSignificantDataDrift", "P3", "P1", "churn-v4", DAY + 9 * HOUR, 5 * HOUR, told=30 * MINUTE,
             receiver=("slack", "slack"))
    incident(5, "MLFeatureNullRateHigh", "P1", "P1", "fraud-detector-v2", 2 * DAY + 2 * HOUR, 3 * MINUTE, told=30_000)
    incident(6, "MLFeatureNullRateHigh", "P1", "P1", "fraud-detector-v2", 3 * DAY + 2 * HOUR, 4 * MINUTE, told=30_000)
    incident(7, "MLDataPipelineLate", "P2", "P2", None, 3 * DAY + 11 * HOUR, 2 * HOUR, told=40_000, pipeline="features-daily",
             receiver=("slack", "slack"))
    incident(8, "MLAccuracyDegradation", "P1", "P1", "churn-v4", 4 * DAY + 15 * HOUR, 0, told=31_000)
    incident(9, "MLModerateDrift", "P3", "P3", "churn-v4", 5 * DAY + 12 * HOUR, 0, told=None)
    for step, (before, after) in enumerate((("P3", "P2"), ("P2", "P1"))):
        event(MONDAY + DAY + 9 * HOUR + (30 + 30 * step) * MINUTE, 4, "raised", reason="age", before=before, after=after)
    notify(MONDAY + DAY + 10 * HOUR + 1000, [4], "P1", "page", "pagerduty", reason="severity raised")
    acknowledge(1, 6 * MINUTE, "alice", "restarting the pods")
    acknowledge(4, 95 * MINUTE, "bob", "upstream schema change")
    acknowledge(8, 12 * MINUTE, "alice", "looking")
    # A receiver that failed first, and one that was given up.
    notify(MONDAY + 9 * HOUR + 29_000, [1], "P0", "slack", "slack", outcome="retrying", status=503,
           error="unexpected status code 503")
    notify(MONDAY + 9 * HOUR + 30_500, [1], "P0", "slack", "slack", attempt=2)
    notify(MONDAY + 3 * DAY + 11 * HOUR + 41_000, [7], "P2", "mail", "email", outcome="failed", status=None,
           error="dial tcp: connection refused")
    db.execute("INSERT INTO feedback (incident_id, at, actor, via, verdict, resolution, comment, link) VALUES"
               " (4, ?, 'bob', 'slack', 'acted', 'rolled_back', 'schema pinned', ''), (5, ?, 'alice', 'link', 'false_alarm', '',"
               " 'nightly backfill', ''), (6, ?, 'alice', 'link', 'false_alarm', '', '', '')",
               (MONDAY + DAY + 15 * HOUR, MONDAY + 2 * DAY + 9 * HOUR, MONDAY + 3 * DAY + 9 * HOUR))
    db.execute("INSERT INTO changes (at, received_at, kind, model, from_version, to_version, actor, automatic, url, comment)"
               " VALUES (?1, ?1, 'deploy', 'fraud-detector-v2', 'v41', 'v42', 'ci', 0, 'https://ci/812', ''),"
               " (?2, ?2, 'rollback', 'fraud-detector-v2', 'v42', 'v41', 'alice', 0, 'https://ci/813', '')",
               (MONDAY + 8 * HOUR + 48 * MINUTE, MONDAY + 9 * HOUR + 20 * MINUTE))
    db.execute("INSERT INTO mutes (incident_id, fingerprint, kind, muted_by, receiver, started_at, ended_at, end_reason) VALUES"
               " (9, '0000000000000009', 'deferred', 'office-hours', 'mail', ?, ?, 'over')",
               (MONDAY + 5 * DAY + 12 * HOUR, MONDAY + 7 * DAY + 8 * HOUR))
    db.commit()
