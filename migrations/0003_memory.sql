-- The memory: what people said, what was changed on the platform, when alerts were kept quiet, which rules were
-- loaded, the weekly reviews; and views that know whether anybody acted. JSON functions are not allowed in views when
-- the schema is untrusted (SQLite 3.40), so labels are searched as text: they are compact and sorted.

DROP VIEW v_weekly_review;
DROP VIEW v_weekly_review_live;
DROP VIEW v_alert_quality;
DROP VIEW v_alert_quality_live;
DROP VIEW v_incidents;

DROP TABLE feedback;  -- nothing wrote it
CREATE TABLE feedback (
  -- What people say about an incident, during it or afterwards. Of one person the newest row counts.
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  incident_id  INTEGER NOT NULL,  -- incidents.id
  at           INTEGER NOT NULL,
  actor        TEXT NOT NULL,     -- who
  via          TEXT NOT NULL,     -- api | cli | slack | link
  verdict      TEXT NOT NULL CHECK (verdict IN ('acted', 'not_actionable', 'false_alarm', 'poor_details')),
  resolution   TEXT NOT NULL CHECK (resolution IN ('', 'fixed', 'rolled_back', 'mitigated', 'no_action')),
  comment      TEXT NOT NULL,
  link         TEXT NOT NULL      -- of a ticket or a postmortem
) STRICT;
CREATE INDEX feedback_by_incident ON feedback (incident_id, actor, id);
CREATE INDEX feedback_by_time ON feedback (at);

CREATE TABLE changes (
  -- What was changed on the platform. Linked to incidents by name and time: see v_incident_changes.
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  external_id   TEXT UNIQUE,        -- the sender's own id; NULL = none
  at            INTEGER NOT NULL,   -- when it took effect
  received_at   INTEGER NOT NULL,
  kind          TEXT NOT NULL CHECK (kind IN ('deploy', 'rollback', 'retrain', 'feature_change', 'config', 'backfill')),
  model         TEXT,
  pipeline      TEXT,
  entity        TEXT,               -- name of a model or a pipeline, whichever it is
  env           TEXT,               -- NULL = any
  incident_id   INTEGER,            -- the incident that it was made for; NULL = name and time decide
  from_version  TEXT NOT NULL,
  to_version    TEXT NOT NULL,
  actor         TEXT NOT NULL,      -- who
  automatic     INTEGER NOT NULL,   -- 1: on a schedule, by nobody
  url           TEXT NOT NULL,
  comment       TEXT NOT NULL
) STRICT;
CREATE INDEX changes_by_time ON changes (at);
CREATE INDEX changes_by_model ON changes (model, at);
CREATE INDEX changes_by_incident ON changes (incident_id) WHERE incident_id IS NOT NULL;

CREATE TABLE mutes (
  -- One row per time in which a firing alert was kept quiet. Found when its group would have spoken.
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  incident_id  INTEGER,            -- incidents.id
  fingerprint  TEXT NOT NULL,      -- of the alert
  kind         TEXT NOT NULL CHECK (kind IN ('silenced', 'inhibited', 'deferred')),
  muted_by     TEXT NOT NULL,      -- ids of silences; fingerprint of the source alert; names of time intervals
  receiver     TEXT NOT NULL,      -- deferred: whom the route would have told; else ''
  started_at   INTEGER NOT NULL,
  ended_at     INTEGER,            -- NULL while it lasts
  end_reason   TEXT NOT NULL       -- over | resolved | replaced; '' while it lasts
) STRICT;
CREATE INDEX mutes_by_incident ON mutes (incident_id);
CREATE INDEX mutes_by_started ON mutes (started_at);
CREATE INDEX mutes_open ON mutes (id) WHERE ended_at IS NULL;

CREATE TABLE rule_versions (
  -- One row per alerting rule and the time in which it was loaded as it is here.
  id                  INTEGER PRIMARY KEY AUTOINCREMENT,
  file                TEXT NOT NULL,
  rule_group          TEXT NOT NULL,
  rule                TEXT NOT NULL,     -- alert name
  expr                TEXT NOT NULL,
  for_ms              INTEGER NOT NULL,
  keep_firing_for_ms  INTEGER NOT NULL,
  severity            TEXT NOT NULL,     -- label as written
  labels              TEXT NOT NULL,     -- JSON object
  annotations         TEXT NOT NULL,     -- JSON object
  runbook_url         TEXT NOT NULL,     -- from annotations; '' = none
  team                TEXT NOT NULL,     -- from labels; '' = none
  digest              TEXT NOT NULL,     -- of all of the above
  valid_from          INTEGER NOT NULL,
  valid_to            INTEGER,           -- NULL = loaded now
  loaded_at           INTEGER NOT NULL   -- last start or reload that still had it
) STRICT;
CREATE UNIQUE INDEX rule_versions_now ON rule_versions (digest) WHERE valid_to IS NULL;
CREATE INDEX rule_versions_by_rule ON rule_versions (rule, valid_from);

CREATE TABLE reviews (
  -- Weekly reviews as they were when their week ended. Never changed, never deleted.
  team                TEXT NOT NULL,     -- '' = all teams
  week                TEXT NOT NULL,     -- ISO week
  week_start          INTEGER NOT NULL,
  week_end            INTEGER NOT NULL,
  definition_version  INTEGER NOT NULL,  -- of docs/alert-quality.md
  frozen_at           INTEGER NOT NULL,
  incidents           INTEGER NOT NULL,  -- opened in the week
  told                INTEGER NOT NULL,
  paged               INTEGER NOT NULL,
  interruptions       INTEGER NOT NULL,
  acted               INTEGER NOT NULL,  -- told ones with evidence of action
  action_ratio        REAL,              -- acted / told; NULL = nobody was told
  data                TEXT NOT NULL,     -- the review, JSON object
  PRIMARY KEY (team, week)
) STRICT, WITHOUT ROWID;

CREATE TABLE review_deliveries (
  -- Who got which review.
  team               TEXT NOT NULL,
  week               TEXT NOT NULL,
  receiver           TEXT NOT NULL,
  integration        TEXT NOT NULL,
  integration_index  INTEGER NOT NULL,
  at                 INTEGER NOT NULL,   -- of the last attempt
  outcome            TEXT NOT NULL,      -- sent | retrying | failed
  attempts           INTEGER NOT NULL,
  error              TEXT NOT NULL,
  PRIMARY KEY (team, week, receiver, integration, integration_index)
) STRICT, WITHOUT ROWID;

CREATE INDEX acknowledgements_by_time ON acknowledgements (at);
CREATE INDEX incidents_by_team ON incidents (team, opened_at);
CREATE INDEX episodes_by_ended ON episodes (ended_at);
CREATE INDEX episodes_by_alertname ON episodes (alertname, started_at);
CREATE INDEX events_by_human ON events (incident_id) WHERE actor_kind = 'human';

ALTER TABLE archived_weeks ADD COLUMN action_ratio REAL;
ALTER TABLE archived_alert_quality ADD COLUMN action_ratio REAL;

CREATE VIEW v_incident_facts AS
  -- What happened to each incident, as numbers: what alert quality is computed from (docs/alert-quality.md). Times
  -- are milliseconds.
  SELECT
    i.id, i.alertname, i.model, i.pipeline, i.team, i.state, i.severity, i.base_severity,
    i.opened_at, i.resolved_at, i.resolve_reason, i.episode_count, i.reopen_count,
    -- told: first notification that arrived and said that it fires; paged: at P0 or P1
    (SELECT min(n.at) FROM notification_incidents ni JOIN notifications n ON n.id = ni.notification_id
     WHERE ni.incident_id = i.id AND n.outcome = 'sent' AND n.firing > 0) AS first_told_at,
    (SELECT min(n.at) FROM notification_incidents ni JOIN notifications n ON n.id = ni.notification_id
     WHERE ni.incident_id = i.id AND n.outcome = 'sent' AND n.firing > 0
       AND n.severity IN ('P0', 'P1')) AS first_paged_at,
    (SELECT min(a.at) FROM acknowledgements a WHERE a.incident_id = i.id) AS first_acknowledged_at,
    -- newest verdict of each person
    EXISTS (SELECT 1 FROM feedback f WHERE f.incident_id = i.id
              AND f.verdict = 'acted' AND f.resolution <> 'no_action'
              AND NOT EXISTS (SELECT 1 FROM feedback g WHERE g.incident_id = f.incident_id AND g.actor = f.actor
                                AND g.id > f.id)) AS said_acted,
    EXISTS (SELECT 1 FROM feedback f WHERE f.incident_id = i.id
              AND (f.resolution IN ('fixed', 'rolled_back', 'mitigated') OR f.link <> '')) AS said_how,
    -- acts that leave an event: a severity raised by a person, a runbook step, a resolution other than no action
    EXISTS (SELECT 1 FROM events e WHERE e.incident_id = i.id AND e.actor_kind = 'human'
              AND (e.type IN ('severity_raised', 'raised', 'runbook_step', 'ticket_linked', 'postmortem_linked')
                   OR (e.type IN ('incident_resolved', 'resolved')
                       AND (e.reason IN ('fixed', 'rolled_back', 'mitigated')
                            OR instr(ifnull(e.data, ''), '"resolution":"fixed"') > 0
                            OR instr(ifnull(e.data, ''), '"resolution":"rolled_back"') > 0
                            OR instr(ifnull(e.data, ''), '"resolution":"mitigated"') > 0)))) AS did_act,
    -- a change of the same model or pipeline, made by somebody while it lasted or in the 30 minutes after
    (EXISTS (SELECT 1 FROM changes c WHERE c.incident_id = i.id)
     OR EXISTS (SELECT 1 FROM changes c
                WHERE c.at >= i.opened_at AND c.at <= ifnull(i.resolved_at, 9000000000000000) + 1800000
                  AND c.automatic = 0 AND c.incident_id IS NULL
                  AND (c.env IS NULL OR instr(i.labels, '"env":') = 0
                       OR instr(i.labels, '"env":"' || c.env || '"') > 0)
                  AND ifnull(c.model = i.model, 1) AND ifnull(c.pipeline = i.pipeline, 1)
                  AND (c.model = i.model OR c.pipeline = i.pipeline OR c.entity IN (i.model, i.pipeline))))
      AS changed,
    EXISTS (SELECT 1 FROM feedback f WHERE f.incident_id = i.id
              AND (f.verdict IN ('not_actionable', 'false_alarm') OR f.resolution = 'no_action')
              AND NOT EXISTS (SELECT 1 FROM feedback g WHERE g.incident_id = f.incident_id AND g.actor = f.actor
                                AND g.id > f.id)) AS said_useless,
    EXISTS (SELECT 1 FROM events e WHERE e.incident_id = i.id AND e.actor_kind = 'human'
              AND e.type = 'snoozed') AS snoozed,
    EXISTS (SELECT 1 FROM mutes m WHERE m.incident_id = i.id) AS muted,
    EXISTS (SELECT 1 FROM mutes m WHERE m.incident_id = i.id AND m.kind = 'silenced') AS silenced,
    instr(i.labels, '"test":"true"') > 0 AS test,
    i.labels, i.annotations
  FROM incidents i;

CREATE VIEW v_action_evidence AS
  -- Per incident: did anybody act? A2: yes; A1: it was acknowledged, no more is known; A0: nothing. negative: a person
  -- said that it was not worth it, snoozed or silenced it.
  SELECT
    id AS incident_id, alertname, opened_at,
    CASE WHEN said_acted OR said_how OR did_act OR changed THEN 'A2'
         WHEN first_acknowledged_at IS NOT NULL THEN 'A1' ELSE 'A0' END AS action_level,
    (said_useless OR snoozed OR silenced) AS negative,
    said_acted, said_how, did_act, changed, first_acknowledged_at IS NOT NULL AS acknowledged,
    said_useless, snoozed, silenced
  FROM v_incident_facts;

CREATE VIEW v_pages AS
  -- Notifications that interrupt somebody: at P0 or P1, over a channel that rings, about something that fires.
  -- interruption: 1 unless the same receiver was paged in the 60 seconds before.
  SELECT
    n.id, n.at, strftime('%Y-%m-%dT%H:%M:%fZ', n.at / 1000.0, 'unixepoch') AS at_text,
    n.receiver, n.integration, n.severity, n.reason,
    NOT EXISTS (
      SELECT 1 FROM notifications p
      WHERE p.receiver = n.receiver AND p.at >= n.at - 60000 AND (p.at < n.at OR (p.at = n.at AND p.id < n.id))
        AND p.outcome = 'sent' AND p.firing > 0 AND p.severity IN ('P0', 'P1')
        AND p.integration IN ('pagerduty', 'opsgenie', 'victorops', 'pushover', 'incidentio', 'sns', 'webhook')
        AND p.reason NOT IN ('acknowledged', 'some alerts resolved', 'all alerts resolved')) AS interruption
  FROM notifications n
  WHERE n.outcome = 'sent' AND n.firing > 0 AND n.severity IN ('P0', 'P1')
    AND n.integration IN ('pagerduty', 'opsgenie', 'victorops', 'pushover', 'incidentio', 'sns', 'webhook')
    AND n.reason NOT IN ('acknowledged', 'some alerts resolved', 'all alerts resolved');

CREATE VIEW v_incident_changes AS
  -- Changes of the same model or pipeline from six hours before an incident until 30 minutes after its end.
  SELECT
    i.id AS incident_id, c.id AS change_id, c.kind, c.model, c.pipeline, c.entity, c.from_version, c.to_version,
    c.actor, c.automatic, c.url, c.comment,
    strftime('%Y-%m-%dT%H:%M:%fZ', c.at / 1000.0, 'unixepoch') AS at,
    CASE WHEN c.at < i.opened_at THEN 'before' ELSE 'during' END AS relation,
    (c.at - i.opened_at) / 1000.0 AS seconds_after_opening
  FROM incidents i JOIN changes c
    ON c.incident_id = i.id
    OR (c.incident_id IS NULL
        AND c.at >= i.opened_at - 21600000 AND c.at <= ifnull(i.resolved_at, 9000000000000000) + 1800000
        AND (c.env IS NULL OR instr(i.labels, '"env":') = 0 OR instr(i.labels, '"env":"' || c.env || '"') > 0)
        AND ifnull(c.model = i.model, 1) AND ifnull(c.pipeline = i.pipeline, 1)
        AND (c.model = i.model OR c.pipeline = i.pipeline OR c.entity IN (i.model, i.pipeline)));

CREATE VIEW v_feedback AS
  -- What people said, with readable times; counts: 0 when the same person said something else later.
  SELECT
    f.id, f.incident_id, i.alertname, i.model, i.team,
    strftime('%Y-%m-%dT%H:%M:%fZ', f.at / 1000.0, 'unixepoch') AS at,
    f.actor, f.via, f.verdict, f.resolution, f.comment, f.link,
    NOT EXISTS (SELECT 1 FROM feedback g WHERE g.incident_id = f.incident_id AND g.actor = f.actor AND g.id > f.id)
      AS counts
  FROM feedback f LEFT JOIN incidents i ON i.id = f.incident_id;

CREATE VIEW v_changes AS
  -- Changes with readable times.
  SELECT
    id, external_id, strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS at, kind, model, pipeline, entity, env,
    incident_id, from_version, to_version, actor, automatic, url, comment
  FROM changes;

CREATE VIEW v_mutes AS
  -- Times in which alerts were kept quiet, readable.
  SELECT
    m.id, m.incident_id, i.alertname, i.model, i.team, m.fingerprint, m.kind, m.muted_by, m.receiver,
    strftime('%Y-%m-%dT%H:%M:%fZ', m.started_at / 1000.0, 'unixepoch') AS started_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', m.ended_at / 1000.0, 'unixepoch') AS ended_at,
    (m.ended_at - m.started_at) / 1000.0 AS seconds, m.end_reason
  FROM mutes m LEFT JOIN incidents i ON i.id = m.incident_id;

CREATE VIEW v_rules AS
  -- Alerting rules as they are loaded now, and when each last fired.
  SELECT
    r.file, r.rule_group, r.rule, r.expr, r.for_ms / 1000.0 AS for_seconds,
    r.keep_firing_for_ms / 1000.0 AS keep_firing_for_seconds, r.severity,
    r.runbook_url, r.team,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.valid_from / 1000.0, 'unixepoch') AS since,
    (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', max(e.started_at) / 1000.0, 'unixepoch') FROM episodes e
     WHERE e.alertname = r.rule) AS last_fired_at,
    r.labels, r.annotations
  FROM rule_versions r WHERE r.valid_to IS NULL;

CREATE VIEW v_reviews AS
  -- Frozen weekly reviews with their top line.
  SELECT
    team, week, strftime('%Y-%m-%dT%H:%M:%fZ', week_start / 1000.0, 'unixepoch') AS week_start,
    strftime('%Y-%m-%dT%H:%M:%fZ', frozen_at / 1000.0, 'unixepoch') AS frozen_at, definition_version,
    incidents, told, paged, interruptions, acted, action_ratio, data
  FROM reviews;

CREATE VIEW v_incidents AS
  -- Incidents with readable times, what became of them, and the ISO week in which they opened.
  SELECT
    i.id, i.state, i.severity, i.base_severity, i.alertname, i.model, i.pipeline, i.team,
    i.policy_name AS policy,
    strftime('%Y-%m-%dT%H:%M:%fZ', i.opened_at / 1000.0, 'unixepoch') AS opened_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', i.last_fired_at / 1000.0, 'unixepoch') AS last_fired_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', f.first_acknowledged_at / 1000.0, 'unixepoch') AS first_acknowledged_at,
    (SELECT actor FROM acknowledgements WHERE incident_id = i.id ORDER BY at LIMIT 1) AS first_acknowledged_by,
    strftime('%Y-%m-%dT%H:%M:%fZ', i.resolved_at / 1000.0, 'unixepoch') AS resolved_at,
    i.resolve_reason,
    (f.first_acknowledged_at - i.opened_at) / 1000.0 AS seconds_to_acknowledge,
    (i.resolved_at - i.opened_at) / 1000.0 AS seconds_to_resolve,
    -- notified: somebody was told that it fires; paged: at P0 or P1
    f.first_told_at IS NOT NULL AS notified,
    f.first_paged_at IS NOT NULL AS paged,
    f.first_acknowledged_at IS NOT NULL AS acknowledged,
    -- acted: there is evidence that somebody acted (A2); an acknowledgement alone is none
    (f.said_acted OR f.said_how OR f.did_act OR f.changed) AS acted,
    -- auto_resolved: went away by itself before anybody acknowledged it
    (i.state = 'resolved' AND f.first_acknowledged_at IS NULL
     AND i.resolve_reason NOT IN ('person', 'human', 'manual'))
      AS auto_resolved,
    i.episode_count, i.reopen_count, i.key, i.labels, i.annotations,
    strftime('%Y', i.opened_at / 1000.0, 'unixepoch', '-3 days', 'weekday 4') || '-W' ||
      printf('%02d', (strftime('%j', i.opened_at / 1000.0, 'unixepoch', '-3 days', 'weekday 4') - 1) / 7 + 1) AS week,
    date(i.opened_at / 1000.0, 'unixepoch', '-6 days', 'weekday 1') AS week_start,
    CASE WHEN f.said_acted OR f.said_how OR f.did_act OR f.changed THEN 'A2'
         WHEN f.first_acknowledged_at IS NOT NULL THEN 'A1' ELSE 'A0' END AS action_level,
    strftime('%Y-%m-%dT%H:%M:%fZ', f.first_told_at / 1000.0, 'unixepoch') AS first_told_at,
    (f.first_told_at - i.opened_at) / 1000.0 AS seconds_to_tell,
    (f.said_useless OR f.snoozed OR f.silenced) AS negative,
    f.muted, f.test
  FROM incidents i JOIN v_incident_facts f ON f.id = i.id;

CREATE VIEW v_alert_quality_live AS
  -- v_alert_quality from the rows that still exist; retention archives from it. Query v_alert_quality instead.
  SELECT
    week, week_start, alertname,
    sum(fired) AS fired, sum(incidents) AS incidents, sum(notified) AS notified, sum(paged) AS paged,
    sum(acknowledged) AS acknowledged, sum(acted) AS acted, sum(auto_resolved) AS auto_resolved,
    CASE WHEN sum(notified) > 0 THEN round(1.0 * sum(acknowledged AND notified) / sum(notified), 4) END
      AS acknowledged_ratio,
    CASE WHEN sum(notified) > 0 THEN round(1.0 * sum(acted AND notified) / sum(notified), 4) END AS action_ratio
  FROM (
    SELECT week, week_start, ifnull(alertname, '') AS alertname, 1 AS fired, 0 AS incidents, 0 AS notified,
           0 AS paged, 0 AS acknowledged, 0 AS acted, 0 AS auto_resolved
    FROM v_episodes WHERE week IS NOT NULL
    UNION ALL
    SELECT week, week_start, ifnull(alertname, ''), 0, 1, notified, paged, acknowledged, acted, auto_resolved
    FROM v_incidents WHERE week IS NOT NULL
  )
  GROUP BY week, week_start, alertname;

CREATE VIEW v_alert_quality AS
  -- Per alertname and ISO week: does the alert deserve to live? fired: episodes that started in the week. Of the
  -- incidents opened in the week: notified, paged, acknowledged, acted, auto_resolved (see v_incidents),
  -- acknowledged_ratio = share of the notified ones that were acknowledged, action_ratio = share on which somebody
  -- acted.
  SELECT * FROM v_alert_quality_live WHERE week NOT IN (SELECT week FROM archived_weeks)
  UNION ALL
  SELECT week, week_start, alertname, fired, incidents, notified, paged, acknowledged, acted, auto_resolved,
         acknowledged_ratio, action_ratio
  FROM archived_alert_quality;

CREATE VIEW v_weekly_review_live AS
  -- v_weekly_review from the rows that still exist; retention archives from it. Query v_weekly_review instead.
  SELECT
    week, week_start,
    sum(fired) AS fired, sum(incidents) AS incidents,
    sum(severity IS 'P0') AS p0, sum(severity IS 'P1') AS p1, sum(severity IS 'P2') AS p2, sum(severity IS 'P3') AS p3,
    sum(notifications) AS notifications, sum(pages) AS pages, sum(failed_notifications) AS failed_notifications,
    sum(notified) AS notified, sum(acknowledged) AS acknowledged, sum(acted) AS acted,
    sum(auto_resolved) AS auto_resolved,
    CASE WHEN sum(notified) > 0 THEN round(1.0 * sum(acknowledged AND notified) / sum(notified), 4) END
      AS acknowledged_ratio,
    round(avg(seconds_to_acknowledge), 3) AS mtta_seconds,
    round(avg(seconds_to_resolve), 3) AS mttr_seconds,
    CASE WHEN sum(notified) > 0 THEN round(1.0 * sum(acted AND notified) / sum(notified), 4) END AS action_ratio
  FROM (
    SELECT week, week_start, 1 AS fired, 0 AS incidents, NULL AS severity, 0 AS notifications, 0 AS pages,
           0 AS failed_notifications, 0 AS notified, 0 AS acknowledged, 0 AS acted, 0 AS auto_resolved,
           NULL AS seconds_to_acknowledge, NULL AS seconds_to_resolve
    FROM v_episodes WHERE week IS NOT NULL
    UNION ALL
    SELECT week, week_start, 0, 1, severity, 0, 0, 0, notified, acknowledged, acted, auto_resolved,
           seconds_to_acknowledge, seconds_to_resolve
    FROM v_incidents WHERE week IS NOT NULL
    UNION ALL
    SELECT week, week_start, 0, 0, NULL, outcome = 'sent', page, outcome = 'failed', 0, 0, 0, 0, NULL, NULL
    FROM v_notifications WHERE week IS NOT NULL
  )
  GROUP BY week, week_start;

CREATE VIEW v_weekly_review AS
  -- Per ISO week: episodes that started, incidents that opened (and how many at which final severity), notifications
  -- sent, pages among them, notifications given up, what people did, mean seconds from opening to the first
  -- acknowledgement (mtta_seconds) and to the end (mttr_seconds).
  SELECT * FROM v_weekly_review_live WHERE week NOT IN (SELECT week FROM archived_weeks)
  UNION ALL
  SELECT week, week_start, fired, incidents, p0, p1, p2, p3, notifications, pages, failed_notifications, notified,
         acknowledged, acted, auto_resolved, acknowledged_ratio, mtta_seconds, mttr_seconds, action_ratio
  FROM archived_weeks;
