package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/binary"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// The columns of an entry's row, as scanner reads them. A row is an invite with
// one revision; an invite has two rows if its latest revision is not the one that
// was last sent.
const (
	inviteColumns = `i.id, i.latest, i.last_sent, i.invite_id, i.address,
		i.grouped, i.recipient, i.uid, i.first_message_id, i.ends_at`
	revisionColumns = `r.id, r.number, r.kind, r.method, r.fingerprint, r.resend,
		r.uid, r.sequence, r.dtstamp, r.organizer_name, r.organizer_email, r.organizer_default,
		r.state, r.permanent, r.unusable, r.stage, r.code, r.detail,
		r.message_id, r.from_name, r.from_email,
		r.reply, r.attempts, r.at, r.created_at, r.submitted_at`
	contentColumns = `c.bytes, m.reverse_path, m.forward_path, m.smtputf8, m.bytes`

	revisions   = ` FROM invite AS i JOIN revision AS r ON r.id IN (i.latest, i.last_sent)`
	contents    = ` LEFT JOIN calendar AS c ON c.revision = r.id LEFT JOIN message AS m ON m.revision = r.id`
	oneInvite   = ` WHERE i.invite_id = ? AND i.address = ?`
	wholeInvite = ` WHERE i.invite_id = ?`
	inOrder     = ` ORDER BY i.invite_id, i.address, r.id DESC`
)

var (
	lookup     = &statement{`SELECT ` + inviteColumns + `, ` + revisionColumns + revisions + oneInvite + inOrder}
	load       = &statement{`SELECT ` + inviteColumns + `, ` + revisionColumns + `, ` + contentColumns + revisions + contents + oneInvite + inOrder}
	members    = &statement{`SELECT ` + inviteColumns + `, ` + revisionColumns + revisions + wholeInvite + inOrder}
	tombstoned = &statement{`SELECT 1 FROM tombstone WHERE hash = ?`}
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
		return c.query(members, s.row, inviteID)
	})
	if err != nil {
		return nil, err
	}
	return s.entries, nil
}

func (l *Ledger) entries(ctx context.Context, from *statement, contents bool, keys []ledger.Key) ([]ledger.Entry, error) {
	s := scanner{contents: contents, entries: make([]ledger.Entry, 0, len(keys))}
	err := l.read(ctx, "looking up an invite", func(c *conn) error {
		for i, key := range keys {
			if err := ctx.Err(); err != nil {
				return err
			}
			s.invite = 0
			if err := c.query(from, s.row, key.InviteID, key.Address); err != nil {
				return err
			}
			if len(s.entries) > i {
				continue
			}
			e := ledger.Entry{Key: key}
			if err := c.query(tombstoned, func(*record) error {
				e.Known, e.Forgotten = true, true
				return nil
			}, l.hash(key)); err != nil {
				return err
			}
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
	b := make([]byte, 0, len(l.salt)+8+len(key.InviteID)+len(key.Address))
	b = append(b, l.salt...)
	b = binary.BigEndian.AppendUint64(b, uint64(len(key.InviteID)))
	b = append(b, key.InviteID...)
	b = append(b, key.Address...)
	sum := sha256.Sum256(b)
	return sum[:]
}

// scanner makes entries of rows, those of one invite standing together.
type scanner struct {
	contents bool
	invite   int64 // of the last row
	entries  []ledger.Entry
}

func (s *scanner) row(r *record) error {
	invite, latest, lastSent := r.int64(), r.int64(), r.int64()
	key := ledger.Key{InviteID: r.text(), Address: r.text()}
	if invite != s.invite {
		s.invite = invite
		s.entries = append(s.entries, ledger.Entry{
			Key: key, Known: true, Grouped: r.bool(), Recipient: r.text(),
			UID: r.text(), FirstMessageID: r.text(), EndsAt: r.time(),
		})
	} else {
		r.next += 5
	}
	e := &s.entries[len(s.entries)-1]
	id := r.int64()
	rev := s.revision(r)
	if id == latest {
		e.Latest = rev
		// The submission that a crash cut short has yet to be finished.
		if e.FirstMessageID == "" && rev.State == ledger.Submitting {
			e.FirstMessageID = rev.MessageID
		}
	}
	if id == lastSent {
		e.LastSent = rev
	}
	return nil
}

func (s *scanner) revision(r *record) *ledger.Revision {
	rev := &ledger.Revision{
		Number: r.int64(), Kind: r.text(), Method: r.text(), Fingerprint: r.text(), Resend: r.int(),
		UID: r.text(), Sequence: r.int(), DTStamp: r.time(),
		OrganizerName: r.text(), OrganizerEmail: r.text(), OrganizerDefault: r.bool(),
		State: ledger.State(r.text()), Permanent: r.bool(), Unusable: r.bool(),
		Stage: r.text(), Code: r.text(), Detail: r.text(),
		MessageID: r.text(), FromName: r.text(), FromEmail: r.text(),
		Reply: r.text(), Attempts: r.int(), At: r.time(), CreatedAt: r.time(), SubmittedAt: r.time(),
	}
	if s.contents {
		rev.Calendar = r.bytes()
		message := &ledger.Message{From: r.text(), To: r.text(), SMTPUTF8: r.bool(), Bytes: r.bytes()}
		if len(message.Bytes) > 0 {
			rev.Message = message
		}
	}
	return rev
}
