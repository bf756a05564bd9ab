-- Entries imported from an Alertmanager hold its own hashes of label sets until the first notification of ours.
ALTER TABLE nflog ADD COLUMN foreign_hashes INTEGER NOT NULL DEFAULT 0;  -- 1: imported
