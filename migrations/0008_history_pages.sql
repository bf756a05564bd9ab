-- Pages of the history and reviews of big files. Indexes in the order of label values cost a page for each row, so an alert
-- that opens does without: they hold what is over.

DROP INDEX incidents_by_team;
CREATE INDEX incidents_over_by_opened ON incidents (opened_at) WHERE state = 'resolved';
-- With the model: pages are asked of a rule on a model, and rows that do not fit need not be read.
CREATE INDEX incidents_over_by_alertname ON incidents (alertname, opened_at, model) WHERE state = 'resolved';
CREATE INDEX incidents_over_by_model ON incidents (model, opened_at) WHERE state = 'resolved';
CREATE INDEX incidents_over_by_pipeline ON incidents (pipeline, opened_at) WHERE state = 'resolved';
CREATE INDEX incidents_over_by_team ON incidents (team, opened_at) WHERE state = 'resolved';
CREATE INDEX incidents_over_by_severity ON incidents (severity, opened_at) WHERE state = 'resolved';
CREATE INDEX episodes_over_by_alertname ON episode_rows (alertname, started_at) WHERE ended_at IS NOT NULL;
CREATE INDEX notifications_pages ON notifications (at) WHERE outcome = 'sent' AND firing > 0 AND severity IN ('P0', 'P1');
CREATE INDEX notifications_not_sent ON notifications (at) WHERE outcome <> 'sent';

-- Acknowledgements have a table of their own; what else people do is less, and is what evidence is looked for in.
DROP INDEX events_by_human;
CREATE INDEX events_by_human ON events (incident_id) WHERE actor_kind = 'human' AND type <> 'acknowledged';

DROP VIEW v_rules;
CREATE VIEW v_rules AS
  -- Alerting rules as they are loaded now, and when each last fired.
  SELECT
    r.file, r.rule_group, r.rule, r.expr, r.for_ms / 1000.0 AS for_seconds,
    r.keep_firing_for_ms / 1000.0 AS keep_firing_for_seconds, r.severity,
    r.runbook_url, r.team,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.valid_from / 1000.0, 'unixepoch') AS since,
    strftime('%Y-%m-%dT%H:%M:%fZ',
             nullif(max(ifnull((SELECT max(e.started_at) FROM episode_rows e
                                WHERE e.alertname = r.rule AND e.ended_at IS NOT NULL), -1),
                        ifnull(f.last_fired_at, -1)), -1) / 1000.0, 'unixepoch') AS last_fired_at,
    r.labels, r.annotations
  FROM rule_versions r
  LEFT JOIN (SELECT alertname, max(started_at) AS last_fired_at FROM episode_rows
             WHERE held = 1 AND ended_at IS NULL GROUP BY alertname) f ON f.alertname = r.rule
  WHERE r.valid_to IS NULL;

DROP VIEW v_incident_facts;
CREATE VIEW v_incident_facts AS
  -- What happened to each incident, as numbers: what alert quality is computed from (docs/alert-quality.md). Times
  -- are milliseconds.
  SELECT
    i.id, i.alertname, i.model, i.pipeline, i.team, i.state, i.severity, i.base_severity,
    i.opened_at, i.resolved_at, i.resolve_reason, i.episode_count, i.reopen_count,
    -- told: first notification that arrived and said that this incident fires; paged: at P0 or P1
    (SELECT min(n.at) FROM notification_incidents ni JOIN notifications n ON n.id = ni.notification_id
     WHERE ni.incident_id = i.id AND ni.told_severity IS NOT NULL) AS first_told_at,
    (SELECT min(n.at) FROM notification_incidents ni JOIN notifications n ON n.id = ni.notification_id
     WHERE ni.incident_id = i.id AND ni.told_severity IN ('P0', 'P1')) AS first_paged_at,
    (SELECT min(a.at) FROM acknowledgements a WHERE a.incident_id = i.id) AS first_acknowledged_at,
    -- newest verdict of each person
    EXISTS (SELECT 1 FROM feedback f WHERE f.incident_id = i.id
              AND f.verdict = 'acted' AND f.resolution <> 'no_action'
              AND NOT EXISTS (SELECT 1 FROM feedback g WHERE g.incident_id = f.incident_id AND g.actor = f.actor
                                AND g.id > f.id)) AS said_acted,
    EXISTS (SELECT 1 FROM feedback f WHERE f.incident_id = i.id
              AND (f.resolution IN ('fixed', 'rolled_back', 'mitigated') OR f.link <> '')) AS said_how,
    -- acts that leave an event: a severity raised by a person, a runbook step, a resolution other than no action
    EXISTS (SELECT 1 FROM events e WHERE e.incident_id = i.id AND e.actor_kind = 'human' AND e.type <> 'acknowledged'
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
    EXISTS (SELECT 1 FROM events e WHERE e.incident_id = i.id AND e.actor_kind = 'human' AND e.type <> 'acknowledged'
              AND e.type = 'snoozed') AS snoozed,
    EXISTS (SELECT 1 FROM mutes m WHERE m.incident_id = i.id) AS muted,
    EXISTS (SELECT 1 FROM mutes m WHERE m.incident_id = i.id AND m.kind = 'silenced') AS silenced,
    instr(i.labels, '"test":"true"') > 0 AS test,
    i.labels, i.annotations
  FROM incidents i;
