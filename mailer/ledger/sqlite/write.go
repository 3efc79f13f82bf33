package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

var errNoRevision = errors.New("the invite has no revision; create one first")

var (
	putInvite = `
		INSERT INTO invite (application, invite_id, address, recipient, grouped, uid, first_message_id, ends_at, latest)
		VALUES (?, ?, ?, ?, ?, ?, '', ?, ` + nextRevision + `) RETURNING id`
	setInvite = `
		UPDATE invite SET recipient = ?, grouped = ?,
			uid = coalesce(nullif(?, ''), uid), ends_at = coalesce(?, ends_at), latest = ` + nextRevision + `
		WHERE id = ?`

	// The id that SQLite gives next (https://www.sqlite.org/autoinc.html).
	nextRevision = `(SELECT coalesce(max(id), 0) + 1 FROM revision)`
	putRevision  = `
		INSERT INTO revision (invite, number, kind, method, fingerprint, resend,
			uid, sequence, dtstamp, organizer_name, organizer_email, organizer_default,
			state, permanent, unusable, stage, code, detail,
			message_id, from_name, from_email,
			reply, attempts, at, created_at, submitted_at, may_have_left,
			copies, first_submitted_at, asks, answer)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		RETURNING id`
	setSubmitting = `
		UPDATE revision SET state = 'submitting', permanent = 0, unusable = 0,
			stage = '', code = '', detail = '', reply = '',
			message_id = ?1, from_name = ?2, from_email = ?3, resend = ?4, kind = coalesce(nullif(?5, ''), kind),
			attempts = attempts + 1, at = ?6, submitted_at = ?6,
			copies = iif(?7, copies + 1, 1), first_submitted_at = iif(?7, coalesce(first_submitted_at, ?6), ?6)
		WHERE id = ?8`
	setOutcome = `
		UPDATE revision SET state = ?, permanent = ?, unusable = ?, stage = ?, code = ?, detail = ?, reply = ?, at = ?,
			may_have_left = may_have_left OR ?, copies = max(0, copies - ?)
		WHERE id = ?`

	putCalendar = `INSERT INTO calendar (revision, bytes) VALUES (?, ?)`
	putMessage  = `INSERT OR REPLACE INTO message (revision, reverse_path, forward_path, smtputf8, bytes)
		VALUES (?, ?, ?, ?, ?)`
	dropMessage   = `DELETE FROM message WHERE revision = ?`
	dropTombstone = `DELETE FROM tombstone WHERE application = ? AND hash = ?`
)

// Create implements mailer.Ledger. The number and the times of the revisions are
// given by the ledger. What is empty in Made leaves the invite's UID and end as
// they are. An invite that was forgotten is known again.
func (l *Ledger) Create(ctx context.Context, claim ledger.Claim, made ...ledger.NewRevision) error {
	if len(made) == 0 {
		return nil
	}
	mailed := slices.ContainsFunc(made, func(m ledger.NewRevision) bool { // the caller records a mail
		return m.Revision.MessageID != "" || m.Revision.Message != nil || m.Revision.State.MayHaveLeft()
	})
	return l.write(ctx, "recording a calendar", mailed, func(c *conn) error {
		for i := range made {
			if err := l.create(c, claim, &made[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l *Ledger) create(c *conn, claim ledger.Claim, m *ledger.NewRevision) error {
	h, err := l.hold(c, claim, m.Key)
	if err != nil {
		return err
	}
	r := &m.Revision
	if h.invite == 0 {
		if _, err = c.get([]any{&h.invite}, putInvite,
			l.application, m.Key.InviteID, m.Key.Address, m.Recipient, m.Grouped, r.UID, m.EndsAt); err != nil {
			return err
		}
		if err := c.exec(dropTombstone, l.application, l.hash(m.Key)); err != nil {
			return err
		}
	} else {
		if err := h.giveWay(c); err != nil {
			return err
		}
		if err := c.exec(setInvite, m.Recipient, m.Grouped, r.UID, m.EndsAt, h.invite); err != nil {
			return err
		}
	}
	h.number++
	asks := h.lastAsks
	if m.AsksAnew {
		asks = h.number
	}
	left := r.State == ledger.Sent || r.State == ledger.Unknown
	now := l.now()
	if _, err = c.get([]any{&h.latest}, putRevision, h.invite, h.number, r.Kind, r.Method, r.Fingerprint, r.Resend,
		r.UID, r.Sequence, r.DTStamp, r.OrganizerName, r.OrganizerEmail, r.OrganizerDefault,
		r.State, r.Permanent, r.Unusable, r.Stage, r.Code, r.Detail,
		r.MessageID, r.FromName, r.FromEmail,
		r.Reply, r.Attempts, now, now, r.SubmittedAt, left, r.Copies, r.FirstSubmittedAt, asks, r.Answer); err != nil {
		return err
	}
	if len(r.Calendar) > 0 {
		if err := c.exec(putCalendar, h.latest, r.Calendar); err != nil {
			return err
		}
	}
	if r.Message != nil && (r.State == ledger.Submitting || r.State == ledger.Unknown) {
		if err := keepMessage(c, h.latest, r.Message); err != nil {
			return err
		}
	}
	return l.conclude(c, &h)
}

// Submitting implements mailer.Ledger. If the revision is submitting already, the
// run that did so did not finish: what it submitted may have left.
func (l *Ledger) Submitting(ctx context.Context, claim ledger.Claim, key ledger.Key, s ledger.Submission) error {
	return l.write(ctx, "recording a submission", true, func(c *conn) error {
		h, err := l.holdRevision(c, claim, key)
		if err != nil {
			return err
		}
		if err := h.settle(c); err != nil {
			return err
		}
		another := h.state == ledger.Submitting || h.state == ledger.Unknown // copy of what may have left
		if err := c.exec(setSubmitting,
			s.MessageID, s.FromName, s.FromEmail, s.Resend, s.Kind, l.now(), another, h.latest); err != nil {
			return err
		}
		if err := keepMessage(c, h.latest, &s.Message); err != nil {
			return err
		}
		return c.exec(setMails, h.invite)
	})
}

// Finish implements mailer.Ledger. A revision of which an earlier submission left
// stays the entry's LastSent, whatever the outcome of a later one.
func (l *Ledger) Finish(ctx context.Context, claim ledger.Claim, key ledger.Key, o ledger.Result) error {
	switch o.State {
	case ledger.Sent, ledger.Deferred, ledger.Failed, ledger.Unknown, ledger.Expired, ledger.Settled:
	default:
		return l.explain("recording an outcome", fmt.Errorf("state %q is not an outcome", o.State))
	}
	return l.write(ctx, "recording an outcome", true, func(c *conn) error {
		h, err := l.holdRevision(c, claim, key)
		if err != nil {
			return err
		}
		left := o.State == ledger.Sent || o.State == ledger.Unknown
		if err := c.exec(setOutcome,
			o.State, o.Permanent, o.Unusable, o.Stage, o.Code, o.Detail, o.Reply, l.now(),
			left, o.NotLeft, h.latest); err != nil {
			return err
		}
		if o.State != ledger.Unknown {
			if err := c.exec(dropMessage, h.latest); err != nil {
				return err
			}
		}
		return l.conclude(c, &h)
	})
}

func keepMessage(c *conn, revision int64, m *ledger.Message) error {
	return c.exec(putMessage, revision, m.From, m.To, m.SMTPUTF8, m.Bytes)
}
