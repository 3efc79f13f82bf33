-- A mail whose end is not known is repeated a bounded number of times.
ALTER TABLE revision ADD COLUMN copies INTEGER NOT NULL DEFAULT 0; -- of its mail that left or may have left
ALTER TABLE revision ADD COLUMN first_submitted_at INTEGER;        -- when the first of them began to leave
UPDATE revision SET copies = attempts, first_submitted_at = submitted_at WHERE state IN ('submitting', 'unknown');
