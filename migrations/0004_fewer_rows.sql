-- Fewer rows and fewer index entries for each alert: what the engine must know of an alert stands in the row of its
-- newest firing period; whether an incident was told stands beside the notification that spoke of it.

-- Gone are the indexes whose order is that of label values: an insert never goes to their end, and costs a page for
-- each row. The engine, the only writer, keeps one open incident per key.

-- Views that name what is altered are looked at when they are used, not before.
PRAGMA legacy_alter_table = ON;

-- The labels of an alert stand in the row of the incident that it opened, and nowhere else; ids are counted by mlalert,
-- not by AUTOINCREMENT, which writes a row more for each row (meta: last_id_*) ---------------------------------------

CREATE TABLE incidents_new (
  -- One row per incident: a problem identified by its key, from its first alert until it is resolved.
  id                     INTEGER PRIMARY KEY,
  own_key                TEXT,             -- identity labels where they are not all labels; else NULL
  key                    TEXT NOT NULL GENERATED ALWAYS AS (ifnull(own_key, labels)) VIRTUAL,  -- identity labels
  labels                 TEXT NOT NULL,    -- of the alert that opened it, JSON object
  annotations            TEXT NOT NULL,    -- of the alert that opened it, JSON object
  alertname              TEXT,             -- from labels
  severity               TEXT CHECK (severity IN ('P0', 'P1', 'P2', 'P3')),  -- effective; never falls while open
  model                  TEXT,             -- from labels
  pipeline               TEXT,             -- from labels
  team                   TEXT,             -- from labels
  state                  TEXT NOT NULL CHECK (state IN ('open', 'acknowledged', 'resolved')),
  base_severity          TEXT,             -- highest severity label of its alerts
  ladder_severity        TEXT,             -- what age alone has raised it to
  raised_severity        TEXT,             -- what a human has raised it to
  policy_name            TEXT,             -- incident policy that governs it; NULL = none
  policy                 TEXT,             -- the policy as it was when the incident opened, JSON object
  opened_at              INTEGER,
  last_fired_at          INTEGER,          -- start of its newest episode
  resolved_at            INTEGER,
  resolve_reason         TEXT NOT NULL,    -- condition | timeout; '' while it is not resolved
  clock_elapsed_ms       INTEGER NOT NULL, -- ladder clock, up to clock_since
  clock_since            INTEGER,          -- the ladder clock runs since then; NULL = it stands
  next_severity_at       INTEGER,          -- when the ladder raises it next
  ladder_step            INTEGER NOT NULL, -- rungs of the ladder already reached
  acknowledged_at        INTEGER,          -- of the acknowledgement in force
  acknowledged_by        TEXT,             -- NULL = not acknowledged now
  acknowledge_comment    TEXT,
  acknowledge_expires_at INTEGER,
  last_told_at           INTEGER,          -- last notification that it fires
  told_severity          TEXT,             -- severity in that notification
  generation             INTEGER NOT NULL, -- raised by every transition
  reopen_count           INTEGER NOT NULL, -- times it fired again within the reopen window
  episode_count          INTEGER NOT NULL  -- firing periods of its alerts
) STRICT;
INSERT INTO incidents_new (own_key, labels, id, annotations, alertname, severity, model, pipeline, team, state,
  base_severity, ladder_severity, raised_severity, policy_name, policy, opened_at, last_fired_at, resolved_at,
  resolve_reason, clock_elapsed_ms, clock_since, next_severity_at, ladder_step, acknowledged_at, acknowledged_by,
  acknowledge_comment, acknowledge_expires_at, last_told_at, told_severity, generation, reopen_count, episode_count)
SELECT CASE WHEN key <> labels THEN key END, labels, id, annotations, alertname, severity, model, pipeline, team,
  state, base_severity, ladder_severity, raised_severity, policy_name, policy, opened_at, last_fired_at,
  resolved_at, resolve_reason, clock_elapsed_ms, clock_since, next_severity_at, ladder_step, acknowledged_at,
  acknowledged_by, acknowledge_comment, acknowledge_expires_at, last_told_at, told_severity, generation,
  reopen_count, episode_count
FROM incidents;

CREATE TABLE episode_rows (
  -- What the views episodes and alerts show. The newest row of an alert that the engine holds also says what must be
  -- known of it after a restart.
  id               INTEGER PRIMARY KEY,
  incident_id      INTEGER,           -- incidents.id
  fingerprint      TEXT NOT NULL,     -- of the alert
  own_labels       TEXT,              -- JSON object; NULL = those of the incident
  own_annotations  TEXT,              -- JSON object; NULL = those of the incident
  alertname        TEXT,              -- from labels
  severity         TEXT,              -- base severity: from the alert's severity label
  model            TEXT,              -- from labels
  pipeline         TEXT,              -- from labels
  team             TEXT,              -- from labels
  source           TEXT NOT NULL,     -- rules | api | webhook
  started_at       INTEGER,           -- startsAt of the alert
  received_at      INTEGER,           -- when it reached mlalert
  ended_at         INTEGER,           -- NULL while it fires
  end_reason       TEXT NOT NULL,     -- condition | timeout; '' while it fires
  generator_url    TEXT NOT NULL,     -- of the alert
  ends_at          INTEGER,           -- of the alert, as of the last transition
  updated_at       INTEGER,           -- of the alert
  starts_offset_minutes INTEGER NOT NULL, -- zone in which startsAt was sent
  ends_offset_minutes   INTEGER NOT NULL,
  timeout          INTEGER NOT NULL,  -- 1: endsAt was not sent; it is receive time + resolve_timeout
  held             INTEGER NOT NULL   -- 1: the engine holds the alert as it is here
) STRICT;

INSERT INTO episode_rows
SELECT
  e.id, e.incident_id, e.fingerprint,
  CASE WHEN i.labels IS NOT e.labels OR i.annotations IS NOT e.annotations THEN e.labels END,
  CASE WHEN i.labels IS NOT e.labels OR i.annotations IS NOT e.annotations THEN e.annotations END,
  e.alertname, e.severity, e.model, e.pipeline, e.team, e.source, e.started_at, e.received_at, e.ended_at, e.end_reason,
  ifnull(a.generator_url, ''), a.ends_at, a.updated_at, ifnull(a.starts_offset_minutes, 0),
  ifnull(a.ends_offset_minutes, 0), ifnull(a.timeout, 0), a.fingerprint IS NOT NULL
FROM episodes e
LEFT JOIN incidents i ON i.id = e.incident_id
LEFT JOIN alerts a ON a.fingerprint = e.fingerprint
  AND e.id = ifnull(a.episode_id, (SELECT max(x.id) FROM episodes x WHERE x.incident_id = a.incident_id
                                                                      AND x.fingerprint = a.fingerprint));
CREATE TABLE events_new (
  -- Append only: every change of state with who did it and why.
  id           INTEGER PRIMARY KEY,
  at           INTEGER,
  incident_id  INTEGER,           -- incidents.id; NULL = not about one incident
  fingerprint  TEXT,              -- of the alert; NULL = not about one alert
  type         TEXT NOT NULL,     -- opened, reopened, fired, resolved, severity_raised, acknowledged, ...
  actor_kind   TEXT NOT NULL,     -- system | human | source
  actor        TEXT NOT NULL,     -- who
  reason       TEXT NOT NULL,     -- why
  from_value   TEXT NOT NULL,     -- before the change
  to_value     TEXT NOT NULL,     -- after it
  data         TEXT               -- further facts, JSON object
) STRICT;
INSERT INTO events_new SELECT * FROM events;

CREATE TABLE notifications_new (
  -- One row per attempt to tell one receiver.
  id                 INTEGER PRIMARY KEY,
  at                 INTEGER,
  group_key          TEXT NOT NULL,    -- Alertmanager's group key
  receiver           TEXT NOT NULL,    -- name in the config
  integration        TEXT NOT NULL,    -- slack, pagerduty, email, webhook, ...
  integration_index  INTEGER NOT NULL, -- which of the receiver's integrations of that kind, from 0
  reason             TEXT NOT NULL,    -- why now: first notification, group changed, repeat interval, resolved, ...
  attempt            INTEGER NOT NULL, -- from 1
  outcome            TEXT NOT NULL,    -- sent | retrying | failed | cancelled | cancelled
  http_status        INTEGER,          -- NULL = there was no HTTP answer
  latency_ms         INTEGER NOT NULL,
  error              TEXT NOT NULL,
  severity           TEXT,             -- highest effective severity among the firing alerts
  firing             INTEGER NOT NULL, -- alerts in it that fire
  resolved           INTEGER NOT NULL, -- alerts in it that are resolved
  incidents          TEXT NOT NULL     -- ids of the incidents that it spoke of, JSON array
) STRICT;
INSERT INTO notifications_new
SELECT n.*, '[' || ifnull((SELECT group_concat(incident_id) FROM notification_incidents
                           WHERE notification_id = n.id), '') || ']'
FROM notifications n;

INSERT OR REPLACE INTO meta (key, value)
SELECT 'last_id_' || CASE name WHEN 'episodes' THEN 'episode_rows' ELSE name END, CAST(seq AS TEXT)
FROM sqlite_sequence WHERE name IN ('incidents', 'episodes', 'events', 'notifications');

DROP TABLE notification_incidents;
DROP TABLE incidents;
DROP TABLE episodes;
DROP TABLE alerts;
DROP TABLE events;
DROP TABLE notifications;
ALTER TABLE incidents_new RENAME TO incidents;
ALTER TABLE events_new RENAME TO events;
ALTER TABLE notifications_new RENAME TO notifications;
PRAGMA legacy_alter_table = OFF;
CREATE INDEX incidents_open ON incidents (id) WHERE state <> 'resolved';
CREATE INDEX incidents_by_opened ON incidents (opened_at);
CREATE INDEX incidents_by_resolved ON incidents (resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX incidents_by_team ON incidents (team, opened_at);
CREATE INDEX events_by_incident ON events (incident_id, at);
CREATE INDEX events_by_time ON events (at);
CREATE INDEX events_by_human ON events (incident_id) WHERE actor_kind = 'human';
CREATE INDEX notifications_by_time ON notifications (at);
CREATE INDEX notifications_by_receiver ON notifications (receiver, at);
CREATE INDEX episodes_by_incident ON episode_rows (incident_id);
CREATE INDEX episodes_by_started ON episode_rows (started_at);
CREATE INDEX episodes_by_ended ON episode_rows (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX episodes_held ON episode_rows (id) WHERE held = 1;

CREATE VIEW episodes AS
  -- One row per firing period of one alert (one label set).
  SELECT
    e.id, e.incident_id, e.fingerprint,
    ifnull(e.own_labels, i.labels) AS labels, ifnull(e.own_annotations, i.annotations) AS annotations,
    e.alertname, e.severity, e.model, e.pipeline, e.team, e.source, e.started_at, e.received_at, e.ended_at,
    e.end_reason, e.generator_url, e.ends_at, e.updated_at, e.starts_offset_minutes, e.ends_offset_minutes, e.timeout,
    e.held
  FROM episode_rows e LEFT JOIN incidents i ON i.id = e.incident_id;

CREATE VIEW alerts AS
  -- One row per alert the engine holds; ends_at is as of the last transition, not of the last refresh.
  SELECT
    fingerprint, labels, annotations, alertname, severity, model, pipeline, team, generator_url,
    started_at AS starts_at, ends_at, updated_at, starts_offset_minutes, ends_offset_minutes, timeout, source,
    received_at, incident_id,
    CASE WHEN ended_at IS NULL THEN id END AS episode_id  -- NULL: it does not fire any more
  FROM episodes WHERE held = 1;

-- Who was told what ---------------------------------------------------------------------------------------------------

DROP VIEW v_rules;
CREATE VIEW v_rules AS
  -- Alerting rules as they are loaded now, and when each last fired.
  SELECT
    r.file, r.rule_group, r.rule, r.expr, r.for_ms / 1000.0 AS for_seconds,
    r.keep_firing_for_ms / 1000.0 AS keep_firing_for_seconds, r.severity,
    r.runbook_url, r.team,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.valid_from / 1000.0, 'unixepoch') AS since,
    strftime('%Y-%m-%dT%H:%M:%fZ', f.last_fired_at / 1000.0, 'unixepoch') AS last_fired_at,
    r.labels, r.annotations
  FROM rule_versions r
  -- One walk over all episodes: their rows are short, and an index by name would cost every alert that fires.
  LEFT JOIN (SELECT alertname, max(started_at) AS last_fired_at FROM episode_rows GROUP BY alertname) f
    ON f.alertname = r.rule
  WHERE r.valid_to IS NULL;

DROP VIEW v_notifications;
DROP VIEW v_open_incidents;

CREATE TABLE notification_incidents (
  -- Which incidents a notification spoke of: notifications.incidents the other way round.
  notification_id  INTEGER NOT NULL,  -- notifications.id
  incident_id      INTEGER NOT NULL,  -- incidents.id
  told_severity    TEXT,              -- it told that the incident fires, at this severity ('' = none); NULL = it did not
  PRIMARY KEY (incident_id, notification_id)
) STRICT, WITHOUT ROWID;
INSERT INTO notification_incidents
SELECT n.id, j.value, NULL FROM notifications n, json_each(n.incidents) j;

CREATE VIEW v_notifications AS
  -- Notifications with readable times; page: told somebody at P0 or P1 that something fires.
  SELECT
    id, strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS at,
    receiver, integration, integration_index, reason, attempt, outcome, http_status, latency_ms, error, severity,
    firing, resolved,
    (outcome = 'sent' AND firing > 0 AND severity IS NOT NULL AND severity IN ('P0', 'P1')) AS page,
    incidents, group_key,
    strftime('%Y', at / 1000.0, 'unixepoch', '-3 days', 'weekday 4') || '-W' ||
      printf('%02d', (strftime('%j', at / 1000.0, 'unixepoch', '-3 days', 'weekday 4') - 1) / 7 + 1) AS week,
    date(at / 1000.0, 'unixepoch', '-6 days', 'weekday 1') AS week_start
  FROM notifications;

CREATE VIEW v_open_incidents AS
  -- What is open or acknowledged now, most urgent and oldest first.
  SELECT
    id, state, severity, alertname, model, pipeline, team, policy_name AS policy,
    strftime('%Y-%m-%dT%H:%M:%fZ', opened_at / 1000.0, 'unixepoch') AS opened_at,
    CAST(strftime('%s', 'now') AS INTEGER) - opened_at / 1000 AS age_seconds,
    strftime('%Y-%m-%dT%H:%M:%fZ', next_severity_at / 1000.0, 'unixepoch') AS next_severity_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', acknowledged_at / 1000.0, 'unixepoch') AS acknowledged_at,
    acknowledged_by,
    strftime('%Y-%m-%dT%H:%M:%fZ', acknowledge_expires_at / 1000.0, 'unixepoch') AS acknowledge_expires_at,
    strftime('%Y-%m-%dT%H:%M:%fZ',
             ifnull((SELECT max(n.at) FROM notification_incidents ni JOIN notifications n ON n.id = ni.notification_id
                     WHERE ni.incident_id = incidents.id AND ni.told_severity IS NOT NULL), last_told_at) / 1000.0,
             'unixepoch') AS last_told_at,
    episode_count, reopen_count, key, labels, annotations
  FROM incidents
  WHERE state <> 'resolved'
  ORDER BY severity IS NULL, severity, incidents.opened_at;
