package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// A row is an entry: an invite i with its latest revision r and, if that is
// another one, the revision s that was last sent, and its latest RSVP a, if any.
// What stands as the stage render was words until that was renamed.
const (
	inviteColumns   = `i.invite_id, i.address, i.grouped, i.recipient, i.uid, i.first_message_id, i.ends_at`
	revisionColumns = `r.number, r.kind, r.method, r.fingerprint, r.resend,
		r.uid, r.sequence, r.dtstamp, r.organizer_name, r.organizer_email, r.organizer_default,
		r.state, r.permanent, r.unusable,
		iif(r.stage = 'words', 'render', r.stage), r.code, r.detail, r.message_id, r.from_name, r.from_email,
		r.reply, r.attempts, r.copies, r.first_submitted_at, r.at, r.created_at, r.submitted_at, r.asks, r.answer`
	contentColumns = `rc.bytes, rm.reverse_path, rm.forward_path, rm.smtputf8, rm.bytes,
		sc.bytes, sm.reverse_path, sm.forward_path, sm.smtputf8, sm.bytes`

	revisions = ` FROM invite AS i JOIN revision AS r ON r.id = i.latest
		LEFT JOIN revision AS s ON s.id = nullif(i.last_sent, i.latest)
		LEFT JOIN rsvp AS a ON a.id = i.rsvp`
	contents = `
		LEFT JOIN calendar AS rc ON rc.revision = r.id LEFT JOIN message AS rm ON rm.revision = r.id
		LEFT JOIN calendar AS sc ON sc.revision = s.id LEFT JOIN message AS sm ON sm.revision = s.id`
	oneInvite = ` WHERE i.application = ?1 AND i.invite_id = ?2 AND i.address = ?3`
)

var (
	entryColumns = `r.id IS i.last_sent, s.id IS NOT NULL, a.id IS NOT NULL,
		` + inviteColumns + `, ` + revisionColumns + `,
		` + strings.ReplaceAll(revisionColumns, "r.", "s.") + `, ` + rsvpColumns

	lookup     = `SELECT ` + entryColumns + revisions + oneInvite
	load       = `SELECT ` + entryColumns + `, ` + contentColumns + revisions + contents + oneInvite
	tombstoned = `SELECT 1 FROM tombstone WHERE application = ? AND hash = ?`
	members    = `SELECT ` + entryColumns + revisions + `
		WHERE i.application = ? AND i.invite_id = ? ORDER BY i.address`
)

// Lookup implements mailer.Ledger.
func (l *Ledger) Lookup(ctx context.Context, keys ...ledger.Key) ([]ledger.Entry, error) {
	return l.entries(ctx, lookup, false, keys)
}

// Load implements mailer.Ledger.
func (l *Ledger) Load(ctx context.Context, keys ...ledger.Key) ([]ledger.Entry, error) {
	return l.entries(ctx, load, true, keys)
}

// Members implements mailer.Ledger. Members that were forgotten are not among
// them: a hash does not tell whose it is.
func (l *Ledger) Members(ctx context.Context, inviteID string) ([]ledger.Entry, error) {
	var s scanner
	err := l.read(ctx, "looking up the members of an invite", func(c *conn) error {
		return c.query(members, s.row, l.application, inviteID)
	})
	if err != nil {
		return nil, err
	}
	return s.entries, nil
}

func (l *Ledger) entries(ctx context.Context, from string, contents bool, keys []ledger.Key) ([]ledger.Entry, error) {
	s := scanner{contents: contents, entries: make([]ledger.Entry, 0, len(keys))}
	err := l.read(ctx, "looking up an invite", func(c *conn) error {
		for i, key := range keys {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := c.query(from, s.row, l.application, key.InviteID, key.Address); err != nil {
				return err
			}
			if len(s.entries) > i {
				continue
			}
			e := ledger.Entry{Key: key}
			forgotten, err := c.get([]any{new(int)}, tombstoned, l.application, l.hash(key))
			if err != nil {
				return err
			}
			e.Known, e.Forgotten = forgotten, forgotten
			s.entries = append(s.entries, e)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.entries, nil
}

// hash is what is left of a key that was forgotten. The length in front keeps two
// keys apart whose parts, put together, are the same.
func (l *Ledger) hash(key ledger.Key) []byte {
	length := binary.BigEndian.AppendUint64(nil, uint64(len(key.InviteID)))
	sum := sha256.Sum256(slices.Concat(l.salt, length, []byte(key.InviteID+key.Address)))
	return sum[:]
}

// scanner makes entries of rows.
type scanner struct {
	contents bool
	entries  []ledger.Entry
}

func (s *scanner) row(rows *sql.Rows) error { return s.rowAfter(rows) }

// rowAfter scans a row in which columns that go elsewhere come before those of the entry.
func (s *scanner) rowAfter(rows *sql.Rows, to ...any) error {
	var latestWasSent, anotherWasSent, answered bool
	var latest, another ledger.Revision
	var latestMessage, anotherMessage ledger.Message
	var row rsvpRow
	e := ledger.Entry{Known: true, Latest: &latest}
	to = append(to, &latestWasSent, &anotherWasSent, &answered,
		&e.Key.InviteID, &e.Key.Address, &e.Grouped, &e.Recipient, &e.UID, &e.FirstMessageID, (*micros)(&e.EndsAt))
	to = append(to, revisionFields(&latest)...)
	to = append(to, revisionFields(&another)...)
	to = append(to, row.fields()...)
	if s.contents {
		to = append(to, contentFields(&latest, &latestMessage)...)
		to = append(to, contentFields(&another, &anotherMessage)...)
	}
	if err := rows.Scan(to...); err != nil {
		return err
	}
	if latestWasSent {
		e.LastSent = &latest
	}
	if anotherWasSent {
		e.LastSent = &another
	}
	if answered {
		e.RSVP = &row.rsvp().RSVP
	}
	if len(latestMessage.Bytes) > 0 {
		latest.Message = &latestMessage
	}
	if len(anotherMessage.Bytes) > 0 {
		another.Message = &anotherMessage
	}
	// The submission that a crash cut short has yet to be finished.
	if e.FirstMessageID == "" && latest.State == ledger.Submitting {
		e.FirstMessageID = latest.MessageID
	}
	s.entries = append(s.entries, e)
	return nil
}

// revisionFields are what revisionColumns are scanned to. All are NULL where there
// is no such revision.
func revisionFields(r *ledger.Revision) []any {
	return []any{
		nullable(&r.Number), nullable(&r.Kind), nullable(&r.Method), nullable(&r.Fingerprint), nullable(&r.Resend),
		nullable(&r.UID), nullable(&r.Sequence), (*micros)(&r.DTStamp),
		nullable(&r.OrganizerName), nullable(&r.OrganizerEmail), nullable(&r.OrganizerDefault),
		nullable(&r.State), nullable(&r.Permanent), nullable(&r.Unusable),
		nullable(&r.Stage), nullable(&r.Code), nullable(&r.Detail),
		nullable(&r.MessageID), nullable(&r.FromName), nullable(&r.FromEmail),
		nullable(&r.Reply), nullable(&r.Attempts), nullable(&r.Copies),
		(*micros)(&r.FirstSubmittedAt), (*micros)(&r.At), (*micros)(&r.CreatedAt), (*micros)(&r.SubmittedAt),
		nullable(&r.Asks), nullable(&r.Answer),
	}
}

func contentFields(r *ledger.Revision, m *ledger.Message) []any {
	return []any{&r.Calendar, nullable(&m.From), nullable(&m.To), nullable(&m.SMTPUTF8), &m.Bytes}
}
