-- One file for several applications of an API.

-- Whose invites these are. A ledger has one from its beginning, which has neither
-- name nor key until somebody comes with one.
CREATE TABLE application (
	id   INTEGER PRIMARY KEY,
	name TEXT    NOT NULL UNIQUE -- empty: it is known by its keys
) STRICT;
INSERT INTO application (id, name) VALUES (1, '');

-- The keys by which applications are known: an application has several while one
-- is replaced by another.
CREATE TABLE application_key (
	hash        BLOB    PRIMARY KEY, -- SHA-256 of the salt and the key
	application INTEGER NOT NULL REFERENCES application (id)
) STRICT, WITHOUT ROWID;

-- What was unique in the file is unique in an application. Only a new table can
-- have other constraints (https://www.sqlite.org/lang_altertable.html#otheralter);
-- the ids stay, as revisions and answers refer to them. What was there belongs to
-- the one application, and so does what a program of before, which still has the
-- file open, adds: hence the default.
CREATE TABLE invite_new (
	id               INTEGER PRIMARY KEY,
	application      INTEGER NOT NULL DEFAULT 1 REFERENCES application (id),
	invite_id        TEXT    NOT NULL,
	address          TEXT    NOT NULL, -- in its key form
	recipient        TEXT    NOT NULL, -- as written on the wire
	grouped          INTEGER NOT NULL,
	uid              TEXT    NOT NULL,
	first_message_id TEXT    NOT NULL,
	ends_at          INTEGER,
	latest           INTEGER NOT NULL, -- revision.id
	last_sent        INTEGER,          -- revision.id of the latest that may have left
	rsvp             INTEGER,          -- rsvp.id of the latest
	asked_at         INTEGER,          -- when the API was last asked about it
	UNIQUE (application, invite_id, address)
) STRICT;
INSERT INTO invite_new (id, invite_id, address, recipient, grouped, uid, first_message_id, ends_at, latest, last_sent, rsvp, asked_at)
	SELECT id, invite_id, address, recipient, grouped, uid, first_message_id, ends_at, latest, last_sent, rsvp, asked_at FROM invite;
DROP TABLE invite;
ALTER TABLE invite_new RENAME TO invite;
CREATE INDEX invite_by_asked ON invite (application, coalesce(asked_at, 0), id);
CREATE INDEX invite_by_end ON invite (application, coalesce(ends_at, 9223372036854775807), id);

CREATE TABLE claim_new (
	application INTEGER NOT NULL DEFAULT 1 REFERENCES application (id),
	invite_id   TEXT    NOT NULL,
	address     TEXT    NOT NULL,
	token       INTEGER NOT NULL,
	owner       TEXT    NOT NULL,
	expires     INTEGER NOT NULL,
	PRIMARY KEY (application, invite_id, address)
) STRICT, WITHOUT ROWID;
INSERT INTO claim_new (invite_id, address, token, owner, expires) SELECT invite_id, address, token, owner, expires FROM claim;
DROP TABLE claim;
ALTER TABLE claim_new RENAME TO claim;

CREATE TABLE tombstone_new (
	application INTEGER NOT NULL DEFAULT 1 REFERENCES application (id),
	hash        BLOB    NOT NULL,
	PRIMARY KEY (application, hash)
) STRICT, WITHOUT ROWID;
INSERT INTO tombstone_new (hash) SELECT hash FROM tombstone;
DROP TABLE tombstone;
ALTER TABLE tombstone_new RENAME TO tombstone;

-- A mail whose end is not known is repeated a bounded number of times.
ALTER TABLE revision ADD COLUMN copies INTEGER NOT NULL DEFAULT 0; -- of its mail that left or may have left
ALTER TABLE revision ADD COLUMN first_submitted_at INTEGER;        -- when the first of them began to leave
UPDATE revision SET copies = attempts, first_submitted_at = submitted_at WHERE state IN ('submitting', 'unknown');

-- Which revision an answer is one to.

ALTER TABLE revision ADD COLUMN asks INTEGER NOT NULL DEFAULT 0; -- number of the revision that asked first what this one does; 0: not known
ALTER TABLE revision ADD COLUMN answer TEXT NOT NULL DEFAULT ''; -- status of the recipient in the API's answer that brought it

ALTER TABLE rsvp ADD COLUMN revision INTEGER NOT NULL DEFAULT 0; -- number of the one that it answers; 0: not known
ALTER TABLE rsvp ADD COLUMN stale INTEGER NOT NULL DEFAULT 0; -- it may answer an earlier one, and is nobody's latest

-- To find what is still to be told.
CREATE INDEX rsvp_undelivered ON rsvp (invite) WHERE NOT delivered;
