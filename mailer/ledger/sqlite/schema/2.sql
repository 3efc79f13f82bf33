-- Answers to invites.

-- What was heard of an invite, each time that something new was heard.
CREATE TABLE rsvp (
	id             INTEGER PRIMARY KEY,
	invite         INTEGER NOT NULL REFERENCES invite (id) ON DELETE CASCADE,
	number         INTEGER NOT NULL, -- counts from 1 within its invite
	status         TEXT    NOT NULL, -- of the recipient, as are the next four
	comment        TEXT    NOT NULL,
	proposal_start INTEGER,
	proposal_end   INTEGER,
	proposal_tzid  TEXT    NOT NULL,
	replier        TEXT    NOT NULL, -- who replied in the recipient's place
	reply_status   TEXT    NOT NULL, -- of the replier, as are the next four
	reply_comment  TEXT    NOT NULL,
	reply_start    INTEGER,
	reply_end      INTEGER,
	reply_tzid     TEXT    NOT NULL,
	source         TEXT    NOT NULL,
	at             INTEGER NOT NULL,
	delivered      INTEGER NOT NULL, -- nobody is left to be told
	awaited        INTEGER NOT NULL, -- its callback was not answered with success and will come again
	UNIQUE (invite, number)
) STRICT;

ALTER TABLE invite ADD COLUMN rsvp INTEGER; -- rsvp.id of the latest
ALTER TABLE invite ADD COLUMN asked_at INTEGER; -- when the API was last asked about it

-- To ask first about what was asked about the longest ago, and to list by event.
CREATE INDEX invite_by_asked ON invite (coalesce(asked_at, 0), id);
CREATE INDEX invite_by_end ON invite (coalesce(ends_at, 9223372036854775807), id);
