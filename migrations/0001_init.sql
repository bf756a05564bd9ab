-- Schema 1 of mlalert. Tables and views are a public interface: query them with any SQLite client, read-only.
--
-- Conventions
--   times        INTEGER, Unix milliseconds, UTC; NULL = not set. The v_* views show them as ISO 8601 text.
--   labels       JSON object of text; also as columns alertname, model, pipeline, team (NULL = no such label).
--   severity     'P0' (most urgent) to 'P3'; NULL = none.
--   fingerprint  16 lower-case hex digits, as Alertmanager prints them.
--   other text   '' when empty; columns that hold JSON are NULL when empty.
-- Rows of the history tables refer to incidents by id without an enforced foreign key: a log takes what happened,
-- also before or after the row it speaks about. Ids are never used again (AUTOINCREMENT).

PRAGMA application_id = 1835819372;  -- 'mlal': `file` and mlalert recognise the file by it

-- What people act on ------------------------------------------------------------------------------------------------

CREATE TABLE incidents (
  -- One row per incident: a problem identified by its key, from its first alert until it is resolved.
  id                     INTEGER PRIMARY KEY AUTOINCREMENT,
  key                    TEXT NOT NULL,    -- identity labels, JSON object sorted by name
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
CREATE UNIQUE INDEX incidents_one_open_per_key ON incidents (key) WHERE state <> 'resolved';
CREATE INDEX incidents_by_opened ON incidents (opened_at);
CREATE INDEX incidents_by_resolved ON incidents (resolved_at);
CREATE INDEX incidents_by_alertname ON incidents (alertname, opened_at);
CREATE INDEX incidents_by_model ON incidents (model, opened_at);

CREATE TABLE episodes (
  -- One row per firing period of one alert (one label set).
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  incident_id  INTEGER,           -- incidents.id
  fingerprint  TEXT NOT NULL,     -- of the alert
  labels       TEXT NOT NULL,     -- JSON object
  annotations  TEXT NOT NULL,     -- JSON object
  alertname    TEXT,              -- from labels
  severity     TEXT,              -- base severity: from the alert's severity label
  model        TEXT,              -- from labels
  pipeline     TEXT,              -- from labels
  team         TEXT,              -- from labels
  source       TEXT NOT NULL,     -- rules | api | webhook
  started_at   INTEGER,           -- startsAt of the alert
  received_at  INTEGER,           -- when it reached mlalert
  ended_at     INTEGER,           -- NULL while it fires
  end_reason   TEXT NOT NULL      -- condition | timeout; '' while it fires
) STRICT;
CREATE INDEX episodes_by_incident ON episodes (incident_id);
CREATE INDEX episodes_by_started ON episodes (started_at);
CREATE INDEX episodes_open ON episodes (id) WHERE ended_at IS NULL;

CREATE TABLE events (
  -- Append only: every change of state with who did it and why.
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
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
CREATE INDEX events_by_incident ON events (incident_id, at);
CREATE INDEX events_by_time ON events (at);

CREATE TABLE acknowledgements (
  -- One row per acknowledgement, from its start to its end.
  incident_id  INTEGER NOT NULL,  -- incidents.id
  at           INTEGER NOT NULL,
  actor        TEXT NOT NULL,     -- who
  via          TEXT NOT NULL,     -- api | cli | pagerduty | slack | link | phone
  comment      TEXT NOT NULL,
  expires_at   INTEGER,           -- NULL = it does not expire
  ended_at     INTEGER,           -- NULL while it is in force
  end_reason   TEXT NOT NULL,     -- unacknowledged | expired | resolved | replaced | severity_raised
  PRIMARY KEY (incident_id, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE feedback (
  -- What people say about an incident afterwards.
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  incident_id  INTEGER NOT NULL,  -- incidents.id
  at           INTEGER NOT NULL,
  actor        TEXT NOT NULL,     -- who
  verdict      TEXT NOT NULL,     -- what the alert was worth
  comment      TEXT NOT NULL
) STRICT;
CREATE INDEX feedback_by_incident ON feedback (incident_id);

-- Who was told what --------------------------------------------------------------------------------------------------

CREATE TABLE notifications (
  -- One row per attempt to tell one receiver.
  id                 INTEGER PRIMARY KEY AUTOINCREMENT,
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
  resolved           INTEGER NOT NULL  -- alerts in it that are resolved
) STRICT;
CREATE INDEX notifications_by_time ON notifications (at);
CREATE INDEX notifications_by_receiver ON notifications (receiver, at);

CREATE TABLE notification_incidents (
  -- Which incidents a notification spoke of.
  notification_id  INTEGER NOT NULL REFERENCES notifications (id) ON DELETE CASCADE,
  incident_id      INTEGER NOT NULL,  -- incidents.id
  PRIMARY KEY (notification_id, incident_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX notification_incidents_by_incident ON notification_incidents (incident_id);

CREATE TABLE nflog (
  -- Notification log: what each receiver of each group was last told. The engine decides by it what is still owed.
  group_key          TEXT NOT NULL,
  receiver           TEXT NOT NULL,
  integration        TEXT NOT NULL,
  integration_index  INTEGER NOT NULL,
  timestamp          INTEGER,          -- when it was told
  firing             TEXT NOT NULL,    -- fingerprints told as firing, JSON array
  resolved           TEXT NOT NULL,    -- fingerprints told as resolved, JSON array
  acknowledged       TEXT NOT NULL,    -- fingerprints told as acknowledged, JSON array
  data               TEXT,             -- what the integration remembers (message ids), JSON object
  expires_at         INTEGER,
  PRIMARY KEY (group_key, receiver, integration, integration_index)
) STRICT;
CREATE INDEX nflog_by_expiry ON nflog (expires_at);

CREATE TABLE silences (
  -- One row per silence, as Alertmanager knows them.
  id           TEXT PRIMARY KEY,  -- UUID
  matchers     TEXT NOT NULL,     -- JSON array
  starts_at    INTEGER NOT NULL,
  ends_at      INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL,
  created_by   TEXT NOT NULL,
  comment      TEXT NOT NULL,
  annotations  TEXT               -- JSON object
) STRICT;
CREATE INDEX silences_by_end ON silences (ends_at);

-- State of the engine: what it must know after a restart -------------------------------------------------------------

CREATE TABLE alerts (
  -- One row per alert the engine holds; ends_at is as of the last transition, not of the last refresh.
  fingerprint            TEXT PRIMARY KEY,
  labels                 TEXT NOT NULL,    -- JSON object
  annotations            TEXT NOT NULL,    -- JSON object
  alertname              TEXT,             -- from labels
  severity               TEXT,             -- base severity: from the severity label
  model                  TEXT,             -- from labels
  pipeline               TEXT,             -- from labels
  team                   TEXT,             -- from labels
  generator_url          TEXT NOT NULL,
  starts_at              INTEGER,
  ends_at                INTEGER,
  updated_at             INTEGER,
  starts_offset_minutes  INTEGER NOT NULL, -- zone in which startsAt was sent
  ends_offset_minutes    INTEGER NOT NULL,
  timeout                INTEGER NOT NULL, -- 1: endsAt was not sent; it is receive time + resolve_timeout
  source                 TEXT NOT NULL,    -- rules | api | webhook
  received_at            INTEGER,          -- first reached mlalert in this episode
  incident_id            INTEGER,          -- incidents.id
  episode_id             INTEGER           -- episodes.id
) STRICT;

CREATE TABLE alert_groups (
  -- Aggregation groups that live; their creation time fixes their flush times.
  route_id    TEXT NOT NULL,
  group_key   TEXT NOT NULL,
  created_at  INTEGER,
  labels      TEXT NOT NULL,  -- the group labels, JSON object
  PRIMARY KEY (route_id, group_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE rule_states (
  -- One row per alert instance of an alerting rule that is not simply inactive.
  file               TEXT NOT NULL,    -- rule file
  rule_group         TEXT NOT NULL,
  rule               TEXT NOT NULL,    -- alert name
  ordinal            INTEGER NOT NULL, -- among rules of equal name and labels in the group
  fingerprint        TEXT NOT NULL,    -- of labels
  labels             TEXT NOT NULL,    -- identity of the instance, JSON object
  sample_labels      TEXT NOT NULL,    -- as the query returned them, JSON object
  annotations        TEXT NOT NULL,    -- JSON object
  state              TEXT NOT NULL,    -- pending | firing | inactive
  value              REAL,             -- last value of the expression; NULL = NaN
  active_at          INTEGER,
  fired_at           INTEGER,
  resolved_at        INTEGER,
  keep_firing_since  INTEGER,
  last_sent_at       INTEGER,
  data               TEXT,             -- JSON object
  PRIMARY KEY (file, rule_group, rule, ordinal, fingerprint)
) STRICT;

CREATE TABLE meta (
  -- Facts about the file itself.
  key    TEXT PRIMARY KEY,
  value  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Roll-ups: weeks whose incidents retention has deleted, kept for ever -----------------------------------------------

CREATE TABLE archived_weeks (
  -- v_weekly_review of a week, taken before retention deleted from it. Columns as there.
  week                  TEXT PRIMARY KEY,
  week_start            TEXT NOT NULL,
  fired                 INTEGER NOT NULL,
  incidents             INTEGER NOT NULL,
  p0                    INTEGER NOT NULL,
  p1                    INTEGER NOT NULL,
  p2                    INTEGER NOT NULL,
  p3                    INTEGER NOT NULL,
  notifications         INTEGER NOT NULL,
  pages                 INTEGER NOT NULL,
  failed_notifications  INTEGER NOT NULL,
  notified              INTEGER NOT NULL,
  acknowledged          INTEGER NOT NULL,
  acted                 INTEGER NOT NULL,
  auto_resolved         INTEGER NOT NULL,
  acknowledged_ratio    REAL,
  mtta_seconds          REAL,
  mttr_seconds          REAL
) STRICT, WITHOUT ROWID;

CREATE TABLE archived_alert_quality (
  -- v_alert_quality of an archived week. Columns as there.
  week                TEXT NOT NULL,
  week_start          TEXT NOT NULL,
  alertname           TEXT NOT NULL,
  fired               INTEGER NOT NULL,
  incidents           INTEGER NOT NULL,
  notified            INTEGER NOT NULL,
  paged               INTEGER NOT NULL,
  acknowledged        INTEGER NOT NULL,
  acted               INTEGER NOT NULL,
  auto_resolved       INTEGER NOT NULL,
  acknowledged_ratio  REAL,
  PRIMARY KEY (week, alertname)
) STRICT, WITHOUT ROWID;

-- Views --------------------------------------------------------------------------------------------------------------

-- The ISO week of a time is that of the Thursday in its Monday-to-Sunday week: date(t, '-3 days', 'weekday 4').

CREATE VIEW v_incidents AS
  -- Incidents with readable times, what became of them, and the ISO week in which they opened.
  SELECT
    i.id, i.state, i.severity, i.base_severity, i.alertname, i.model, i.pipeline, i.team,
    i.policy_name AS policy,
    strftime('%Y-%m-%dT%H:%M:%fZ', i.opened_at / 1000.0, 'unixepoch') AS opened_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', i.last_fired_at / 1000.0, 'unixepoch') AS last_fired_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', a.first_at / 1000.0, 'unixepoch') AS first_acknowledged_at,
    (SELECT actor FROM acknowledgements WHERE incident_id = i.id ORDER BY at LIMIT 1) AS first_acknowledged_by,
    strftime('%Y-%m-%dT%H:%M:%fZ', i.resolved_at / 1000.0, 'unixepoch') AS resolved_at,
    i.resolve_reason,
    (a.first_at - i.opened_at) / 1000.0 AS seconds_to_acknowledge,
    (i.resolved_at - i.opened_at) / 1000.0 AS seconds_to_resolve,
    -- notified: somebody was told that it fires; paged: at P0 or P1
    EXISTS (SELECT 1 FROM notification_incidents ni JOIN notifications n ON n.id = ni.notification_id
            WHERE ni.incident_id = i.id AND n.outcome = 'sent' AND n.firing > 0) AS notified,
    EXISTS (SELECT 1 FROM notification_incidents ni JOIN notifications n ON n.id = ni.notification_id
            WHERE ni.incident_id = i.id AND n.outcome = 'sent' AND n.firing > 0
              AND n.severity IN ('P0', 'P1')) AS paged,
    a.first_at IS NOT NULL AS acknowledged,
    -- acted: acknowledged, or any other event by a human
    (a.first_at IS NOT NULL
     OR EXISTS (SELECT 1 FROM events e WHERE e.incident_id = i.id AND e.actor_kind = 'human')) AS acted,
    -- auto_resolved: went away before anybody acknowledged it
    (i.state = 'resolved' AND a.first_at IS NULL) AS auto_resolved,
    i.episode_count, i.reopen_count, i.key, i.labels, i.annotations,
    strftime('%Y', i.opened_at / 1000.0, 'unixepoch', '-3 days', 'weekday 4') || '-W' ||
      printf('%02d', (strftime('%j', i.opened_at / 1000.0, 'unixepoch', '-3 days', 'weekday 4') - 1) / 7 + 1) AS week,
    date(i.opened_at / 1000.0, 'unixepoch', '-6 days', 'weekday 1') AS week_start
  FROM incidents i
  LEFT JOIN (SELECT incident_id, min(at) AS first_at FROM acknowledgements GROUP BY incident_id) a
    ON a.incident_id = i.id;

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
    strftime('%Y-%m-%dT%H:%M:%fZ', last_told_at / 1000.0, 'unixepoch') AS last_told_at,
    episode_count, reopen_count, key, labels, annotations
  FROM incidents
  WHERE state <> 'resolved'
  ORDER BY severity IS NULL, severity, incidents.opened_at;

CREATE VIEW v_episodes AS
  -- Firing periods with readable times.
  SELECT
    id, incident_id, fingerprint, alertname, severity, model, pipeline, team, source,
    strftime('%Y-%m-%dT%H:%M:%fZ', started_at / 1000.0, 'unixepoch') AS started_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', received_at / 1000.0, 'unixepoch') AS received_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', ended_at / 1000.0, 'unixepoch') AS ended_at,
    end_reason,
    (ended_at - started_at) / 1000.0 AS seconds,
    labels, annotations,
    strftime('%Y', started_at / 1000.0, 'unixepoch', '-3 days', 'weekday 4') || '-W' ||
      printf('%02d', (strftime('%j', started_at / 1000.0, 'unixepoch', '-3 days', 'weekday 4') - 1) / 7 + 1) AS week,
    date(started_at / 1000.0, 'unixepoch', '-6 days', 'weekday 1') AS week_start
  FROM episodes;

CREATE VIEW v_events AS
  -- Events with readable times.
  SELECT
    id, strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS at,
    incident_id, fingerprint, type, actor_kind, actor, reason, from_value, to_value, data
  FROM events;

CREATE VIEW v_notifications AS
  -- Notifications with readable times; page: told somebody at P0 or P1 that something fires.
  SELECT
    id, strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS at,
    receiver, integration, integration_index, reason, attempt, outcome, http_status, latency_ms, error, severity,
    firing, resolved,
    (outcome = 'sent' AND firing > 0 AND severity IS NOT NULL AND severity IN ('P0', 'P1')) AS page,
    -- a JSON array; json_group_array() is not allowed in views when the schema is untrusted (SQLite 3.40)
    '[' || ifnull((SELECT group_concat(incident_id) FROM notification_incidents
                   WHERE notification_id = n.id), '') || ']' AS incidents,
    group_key,
    strftime('%Y', at / 1000.0, 'unixepoch', '-3 days', 'weekday 4') || '-W' ||
      printf('%02d', (strftime('%j', at / 1000.0, 'unixepoch', '-3 days', 'weekday 4') - 1) / 7 + 1) AS week,
    date(at / 1000.0, 'unixepoch', '-6 days', 'weekday 1') AS week_start
  FROM notifications n;

CREATE VIEW v_alert_quality_live AS
  -- v_alert_quality from the rows that still exist; retention archives from it. Query v_alert_quality instead.
  SELECT
    week, week_start, alertname,
    sum(fired) AS fired, sum(incidents) AS incidents, sum(notified) AS notified, sum(paged) AS paged,
    sum(acknowledged) AS acknowledged, sum(acted) AS acted, sum(auto_resolved) AS auto_resolved,
    CASE WHEN sum(notified) > 0 THEN round(1.0 * sum(acknowledged AND notified) / sum(notified), 4) END
      AS acknowledged_ratio
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
  -- incidents opened in the week: notified, paged, acknowledged, acted, auto_resolved (see v_incidents), and
  -- acknowledged_ratio = share of the notified ones that were acknowledged.
  SELECT * FROM v_alert_quality_live WHERE week NOT IN (SELECT week FROM archived_weeks)
  UNION ALL
  SELECT week, week_start, alertname, fired, incidents, notified, paged, acknowledged, acted, auto_resolved,
         acknowledged_ratio
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
    round(avg(seconds_to_resolve), 3) AS mttr_seconds
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
         acknowledged, acted, auto_resolved, acknowledged_ratio, mtta_seconds, mttr_seconds
  FROM archived_weeks;
