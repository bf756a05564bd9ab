-- One open incident per key, kept by eight bytes instead of the whole text: its index was larger than the incidents.
ALTER TABLE incidents ADD COLUMN key_hash INTEGER;  -- FNV-1a of key, as Alertmanager's fingerprint; one open incident for each
DROP INDEX incidents_one_open_per_key;
CREATE UNIQUE INDEX incidents_one_open_per_key ON incidents (key_hash) WHERE state <> 'resolved';
