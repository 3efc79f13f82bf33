-- Which revision an answer is one to.

ALTER TABLE revision ADD COLUMN asks INTEGER NOT NULL DEFAULT 0; -- number of the revision that asked first what this one does; 0: not known
ALTER TABLE revision ADD COLUMN answer TEXT NOT NULL DEFAULT ''; -- status of the recipient in the API's answer that brought it

ALTER TABLE rsvp ADD COLUMN revision INTEGER NOT NULL DEFAULT 0; -- number of the one that it answers; 0: not known
ALTER TABLE rsvp ADD COLUMN stale INTEGER NOT NULL DEFAULT 0; -- it may answer an earlier one, and is nobody's latest

-- To find what is still to be told.
CREATE INDEX rsvp_undelivered ON rsvp (invite) WHERE NOT delivered;
