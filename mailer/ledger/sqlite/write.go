package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

var errNoRevision = errors.New("the invite has no revision; create one first")

var (
	putInvite = &statement{`
		INSERT INTO invite (invite_id, address, recipient, grouped, uid, first_message_id, ends_at, latest)
		VALUES (?, ?, ?, ?, ?, '', ?, 0)
		ON CONFLICT DO UPDATE SET
			recipient = excluded.recipient,
			grouped = excluded.grouped,
			uid = iif(excluded.uid = '', uid, excluded.uid),
			ends_at = coalesce(excluded.ends_at, ends_at)
		RETURNING id, latest`}
	putRevision = &statement{`
		INSERT INTO revision (invite, number, kind, method, fingerprint, resend,
			uid, sequence, dtstamp, organizer_name, organizer_email, organizer_default,
			state, permanent, unusable, stage, code, detail,
			message_id, from_name, from_email,
			reply, attempts, at, created_at, submitted_at, may_have_left)
		VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM revision WHERE invite = ?1),
			?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
			?18, ?19, ?20, ?21, ?22, ?23, ?23, ?24, ?12 IN ('sent', 'unknown'))
		RETURNING id`}
	// What brought no calendar and no mail says nothing once it was tried again:
	// a service that is down for a day must not fill the file.
	dropBarren    = &statement{`DELETE FROM revision WHERE id = ? AND uid = '' AND message_id = '' AND state IN ('deferred', 'failed')`}
	setLatest     = &statement{`UPDATE invite SET latest = ?2 WHERE id = ?1`}
	putCalendar   = &statement{`INSERT INTO calendar (revision, bytes) VALUES (?, ?)`}
	putMessage    = &statement{`INSERT OR REPLACE INTO message (revision, reverse_path, forward_path, smtputf8, bytes) VALUES (?, ?, ?, ?, ?)`}
	dropMessage   = &statement{`DELETE FROM message WHERE revision = ?`}
	dropTombstone = &statement{`DELETE FROM tombstone WHERE hash = ?`}

	findLatest = &statement{`SELECT id, latest FROM invite WHERE invite_id = ? AND address = ?`}

	// A submission that nobody finished was cut short by a crash: it may have left.
	settleCrash = &statement{`UPDATE revision SET may_have_left = 1 WHERE id = ? AND state = 'submitting'`}

	setSubmitting = &statement{`
		UPDATE revision SET state = 'submitting', permanent = 0, unusable = 0, stage = '', code = '', detail = '', reply = '',
			message_id = ?2, from_name = ?3, from_email = ?4, resend = ?5, kind = iif(?6 = '', kind, ?6),
			attempts = attempts + 1, at = ?7, submitted_at = ?7
		WHERE id = ?1`}
	setOutcome = &statement{`
		UPDATE revision SET state = ?2, permanent = ?3, unusable = ?4, stage = ?5, code = ?6, detail = ?7, reply = ?8, at = ?9,
			may_have_left = may_have_left OR ?2 IN ('sent', 'unknown')
		WHERE id = ?1`}

	// Who was mailed first is settled once, by the first submission that ended,
	// or was found, as one that may have left.
	setFirst = &statement{`
		UPDATE invite SET first_message_id = r.message_id FROM revision AS r
		WHERE invite.id = ? AND invite.first_message_id = '' AND r.id = ? AND r.may_have_left`}
	setLastSent = &statement{`
		UPDATE invite SET last_sent = (SELECT max(r.id) FROM revision AS r
			WHERE r.invite = invite.id AND r.message_id <> '' AND (r.may_have_left OR r.state = 'submitting'))
		WHERE id = ?`}

	superseded    = `(SELECT r.id FROM invite AS i JOIN revision AS r ON r.invite = i.id WHERE i.id = ? AND r.id <> i.latest AND r.id IS NOT i.last_sent)`
	dropCalendars = &statement{`DELETE FROM calendar WHERE revision IN ` + superseded}
	dropMessages  = &statement{`DELETE FROM message WHERE revision IN ` + superseded}
)

// Create implements mailer.Ledger. The number and the times of the revisions are
// given by the ledger. What is empty in Made leaves the invite's UID and end as
// they are. An invite that was forgotten is known again.
func (l *Ledger) Create(ctx context.Context, claim ledger.Claim, made ...ledger.Made) error {
	if len(made) == 0 {
		return nil
	}
	asked := process
	for i := range made {
		if r := &made[i].Revision; r.MessageID != "" || r.Message != nil || r.State.MayHaveLeft() {
			asked = power // the caller records a mail
		}
	}
	return l.write(ctx, "recording a calendar", asked, func(c *conn) error {
		for i := range made {
			if err := fence(c, claim, made[i].Key); err != nil {
				return err
			}
		}
		for i := range made {
			if err := l.create(c, &made[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l *Ledger) create(c *conn, m *ledger.Made) error {
	r := &m.Revision
	var invite, latest, id int64
	if err := c.query(putInvite, func(rec *record) error {
		invite, latest = rec.int64(), rec.int64()
		return nil
	}, m.Key.InviteID, m.Key.Address, m.Recipient, m.Grouped, r.UID, m.EndsAt); err != nil {
		return err
	}
	switch latest {
	case 0:
		if _, err := c.exec(dropTombstone, l.hash(m.Key)); err != nil {
			return err
		}
	default:
		if err := settle(c, invite, latest); err != nil {
			return err
		}
		if _, err := c.exec(dropBarren, latest); err != nil {
			return err
		}
	}
	if err := c.query(putRevision, func(rec *record) error {
		id = rec.int64()
		return nil
	}, invite, r.Kind, r.Method, r.Fingerprint, r.Resend,
		r.UID, r.Sequence, r.DTStamp, r.OrganizerName, r.OrganizerEmail, r.OrganizerDefault,
		string(r.State), r.Permanent, r.Unusable, r.Stage, r.Code, r.Detail,
		r.MessageID, r.FromName, r.FromEmail,
		r.Reply, r.Attempts, l.now(), r.SubmittedAt); err != nil {
		return err
	}
	if _, err := c.exec(setLatest, invite, id); err != nil {
		return err
	}
	if len(r.Calendar) > 0 {
		if _, err := c.exec(putCalendar, id, r.Calendar); err != nil {
			return err
		}
	}
	if r.Message != nil && (r.State == ledger.Submitting || r.State == ledger.Unknown) {
		if err := keepMessage(c, id, r.Message); err != nil {
			return err
		}
	}
	return conclude(c, invite, id)
}

// Submitting implements mailer.Ledger. If the revision is submitting already, the
// run that did so did not finish: what it submitted may have left.
func (l *Ledger) Submitting(ctx context.Context, claim ledger.Claim, key ledger.Key, s ledger.Submission) error {
	return l.write(ctx, "recording a submission", power, func(c *conn) error {
		invite, latest, err := held(c, claim, key)
		if err != nil {
			return err
		}
		if err := settle(c, invite, latest); err != nil {
			return err
		}
		if _, err := c.exec(setSubmitting, latest, s.MessageID, s.FromName, s.FromEmail, s.Resend, s.Kind, l.now()); err != nil {
			return err
		}
		if err := keepMessage(c, latest, &s.Message); err != nil {
			return err
		}
		_, err = c.exec(setLastSent, invite)
		return err
	})
}

// Finish implements mailer.Ledger. A revision of which an earlier submission left
// stays the entry's LastSent, whatever the outcome of a later one.
func (l *Ledger) Finish(ctx context.Context, claim ledger.Claim, key ledger.Key, o ledger.Outcome) error {
	switch o.State {
	case ledger.Sent, ledger.Deferred, ledger.Failed, ledger.Unknown, ledger.Expired, ledger.Settled:
	default:
		return l.explain("recording an outcome", fmt.Errorf("state %q is not an outcome", o.State))
	}
	return l.write(ctx, "recording an outcome", power, func(c *conn) error {
		invite, latest, err := held(c, claim, key)
		if err != nil {
			return err
		}
		if _, err := c.exec(setOutcome, latest, string(o.State), o.Permanent, o.Unusable, o.Stage, o.Code, o.Detail, o.Reply, l.now()); err != nil {
			return err
		}
		if o.State != ledger.Unknown {
			if _, err := c.exec(dropMessage, latest); err != nil {
				return err
			}
		}
		return conclude(c, invite, latest)
	})
}

// held finds an invite that the claim holds, and its latest revision.
func held(c *conn, claim ledger.Claim, key ledger.Key) (invite, latest int64, err error) {
	if err := fence(c, claim, key); err != nil {
		return 0, 0, err
	}
	err = c.query(findLatest, func(r *record) error {
		invite, latest = r.int64(), r.int64()
		return nil
	}, key.InviteID, key.Address)
	if err == nil && invite == 0 {
		err = errNoRevision
	}
	return invite, latest, err
}

func keepMessage(c *conn, revision int64, m *ledger.Message) error {
	_, err := c.exec(putMessage, revision, m.From, m.To, m.SMTPUTF8, m.Bytes)
	return err
}

// settle records what a crash left behind, before it is written over.
func settle(c *conn, invite, latest int64) error {
	crashed, err := c.exec(settleCrash, latest)
	if err != nil || crashed == 0 {
		return err
	}
	_, err = c.exec(setFirst, invite, latest)
	return err
}

// conclude brings the invite's facts in line with its revisions, the latest of
// which was written, and drops the contents that are no longer needed.
func conclude(c *conn, invite, latest int64) error {
	if _, err := c.exec(setFirst, invite, latest); err != nil {
		return err
	}
	for _, s := range []*statement{setLastSent, dropCalendars, dropMessages} {
		if _, err := c.exec(s, invite); err != nil {
			return err
		}
	}
	return nil
}
