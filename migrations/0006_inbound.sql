CREATE TABLE inbound (
  -- What came from outside and must be known when it comes again: events of PagerDuty and clicks that were acted on,
  -- the newest event of a remote incident, phone calls. A row goes once it has expired.
  source      TEXT NOT NULL,    -- pagerduty | pagerduty_order | pagerduty_incident | slack | call
  key         TEXT NOT NULL,    -- id given by the source
  value       TEXT NOT NULL,    -- what is remembered of it; '' = that it was seen
  at          INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  PRIMARY KEY (source, key)
) STRICT;
CREATE INDEX inbound_by_expiry ON inbound (expires_at);
