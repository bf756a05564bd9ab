-- What people do with incidents, and what time does to them.
ALTER TABLE incidents ADD COLUMN overruled_severity TEXT;       -- severity labels up to this one are overruled: somebody lowered it
ALTER TABLE incidents ADD COLUMN raise_held_since INTEGER;      -- a raise waits since then for its calendar to open
ALTER TABLE incidents ADD COLUMN assignee TEXT;                 -- NULL = nobody
ALTER TABLE incidents ADD COLUMN snoozed_until INTEGER;         -- NULL = not snoozed
ALTER TABLE incidents ADD COLUMN snoozed_by TEXT;               -- of the last snooze
ALTER TABLE incidents ADD COLUMN resolved_by TEXT;              -- who resolved it by hand (resolve_reason = manual)
ALTER TABLE incidents ADD COLUMN held_until INTEGER;            -- resolved by hand: it stays so until then while it fires; once cleared: when
ALTER TABLE incidents ADD COLUMN woken_at INTEGER;              -- last end of an acknowledgement or snooze without a resolve
ALTER TABLE incidents ADD COLUMN muted_since INTEGER;           -- all its alerts are silenced since then; NULL = they are not
ALTER TABLE incidents ADD COLUMN chain_started_at INTEGER;      -- steps of its chain count from then; NULL = the chain stands
ALTER TABLE incidents ADD COLUMN chain_next_at INTEGER;         -- when the next step is due
ALTER TABLE incidents ADD COLUMN chain_step INTEGER NOT NULL DEFAULT 0;   -- steps done in this round
ALTER TABLE incidents ADD COLUMN chain_round INTEGER NOT NULL DEFAULT 0;  -- rounds done
ALTER TABLE incidents ADD COLUMN response_due_at INTEGER;       -- somebody ought to have acted by then; NULL = no target
ALTER TABLE incidents ADD COLUMN response_at INTEGER;           -- when somebody first did
ALTER TABLE incidents ADD COLUMN response_breached_at INTEGER;  -- when the target passed with nobody acting; NULL = it has not
ALTER TABLE incidents ADD COLUMN parent_id INTEGER;             -- incidents.id of the storm it belongs to
ALTER TABLE incidents ADD COLUMN flapping_since INTEGER;        -- NULL = it does not flap
ALTER TABLE incidents ADD COLUMN edges TEXT;                    -- when it fired and resolved lately, JSON array of Unix milliseconds
ALTER TABLE incidents ADD COLUMN opened_generation INTEGER NOT NULL DEFAULT 0;  -- generation as of its last opening

ALTER TABLE events ADD COLUMN via TEXT NOT NULL DEFAULT '';         -- of what people do: api | cli | ui | slack | pagerduty | link | phone | ...
ALTER TABLE events ADD COLUMN address TEXT NOT NULL DEFAULT '';     -- from where: an address, a user id
ALTER TABLE events ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;  -- of the incident after it; 0 = not about one incident

-- Plain names. What was called `resolved` was one alert of an incident that went on.
UPDATE events SET type = 'cleared' WHERE type = 'resolved';
UPDATE events SET type = 'resolved' WHERE type = 'incident_resolved';
UPDATE events SET type = 'raised' WHERE type = 'severity_raised';
UPDATE events SET type = 'raise_skipped' WHERE type = 'severity_skipped';
UPDATE events SET type = 'acknowledgement_expired' WHERE type = 'ack_expired';

-- Two open incidents of one identity would page twice and resolve once: the database refuses the second.
CREATE UNIQUE INDEX incidents_one_open_per_key ON incidents (key) WHERE state <> 'resolved';
