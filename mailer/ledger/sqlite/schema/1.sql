-- Times are microseconds since 1970 UTC; a time that is not known is NULL.
-- A word that is not known is empty.

-- Of the file as a whole.
CREATE TABLE meta (
	id      INTEGER PRIMARY KEY CHECK (id = 1),
	api_url TEXT    NOT NULL, -- the API that the invites were asked of
	salt    BLOB    NOT NULL, -- of the hashes in tombstone
	token   INTEGER NOT NULL  -- the last one that was given to a claim
) STRICT;

-- One event for one recipient.
CREATE TABLE invite (
	id               INTEGER PRIMARY KEY,
	invite_id        TEXT    NOT NULL,
	address          TEXT    NOT NULL, -- in its key form
	recipient        TEXT    NOT NULL, -- as written on the wire
	grouped          INTEGER NOT NULL,
	uid              TEXT    NOT NULL,
	first_message_id TEXT    NOT NULL,
	ends_at          INTEGER,
	latest           INTEGER NOT NULL, -- revision.id
	last_sent        INTEGER,          -- revision.id of the latest that may have left
	UNIQUE (invite_id, address)
) STRICT;

-- What was asked for an invite, and what became of it.
CREATE TABLE revision (
	id                INTEGER PRIMARY KEY,
	invite            INTEGER NOT NULL REFERENCES invite (id) ON DELETE CASCADE,
	number            INTEGER NOT NULL,
	kind              TEXT    NOT NULL,
	method            TEXT    NOT NULL,
	fingerprint       TEXT    NOT NULL,
	resend            INTEGER NOT NULL,
	uid               TEXT    NOT NULL,
	sequence          INTEGER NOT NULL,
	dtstamp           INTEGER,
	organizer_name    TEXT    NOT NULL,
	organizer_email   TEXT    NOT NULL,
	organizer_default INTEGER NOT NULL,
	state             TEXT    NOT NULL,
	permanent         INTEGER NOT NULL,
	unusable          INTEGER NOT NULL,
	stage             TEXT    NOT NULL,
	code              TEXT    NOT NULL,
	detail            TEXT    NOT NULL,
	message_id        TEXT    NOT NULL,
	from_name         TEXT    NOT NULL,
	from_email        TEXT    NOT NULL,
	reply             TEXT    NOT NULL,
	attempts          INTEGER NOT NULL,
	at                INTEGER,
	created_at        INTEGER,
	submitted_at      INTEGER,
	may_have_left     INTEGER NOT NULL, -- one of its submissions did, whatever state says of the last
	UNIQUE (invite, number)
) STRICT;

-- What was received, of the latest revision and of the last that was sent.
CREATE TABLE calendar (
	revision INTEGER PRIMARY KEY REFERENCES revision (id) ON DELETE CASCADE,
	bytes    BLOB    NOT NULL
) STRICT;

-- What is leaving, or may have left without an answer.
CREATE TABLE message (
	revision     INTEGER PRIMARY KEY REFERENCES revision (id) ON DELETE CASCADE,
	reverse_path TEXT    NOT NULL,
	forward_path TEXT    NOT NULL,
	smtputf8     INTEGER NOT NULL,
	bytes        BLOB    NOT NULL
) STRICT;

-- Who has an invite in hand, known to the ledger or about to be.
CREATE TABLE claim (
	invite_id TEXT    NOT NULL,
	address   TEXT    NOT NULL,
	token     INTEGER NOT NULL,
	owner     TEXT    NOT NULL,
	expires   INTEGER NOT NULL,
	PRIMARY KEY (invite_id, address)
) STRICT, WITHOUT ROWID;

-- What was forgotten: SHA-256 of the salt and the key.
CREATE TABLE tombstone (
	hash BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;
