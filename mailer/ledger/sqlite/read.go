package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// A row is an entry: an invite i with its latest revision r and, if that is
// another one, the revision s that was last sent, and its latest RSVP a, if any.
const (
	inviteColumns = `i.invite_id text, i.address text, i.grouped int, i.recipient text,
		i.uid text, i.first_message_id text, i.ends_at time`
	revisionColumns = `r.number int, r.kind text, r.method text, r.fingerprint text, r.resend int,
		r.uid text, r.sequence int, r.dtstamp time,
		r.organizer_name text, r.organizer_email text, r.organizer_default int,
		r.state text, r.permanent int, r.unusable int, r.stage text, r.code text, r.detail text,
		r.message_id text, r.from_name text, r.from_email text,
		r.reply text, r.attempts int, r.copies int, r.first_submitted_at time, r.at time, r.created_at time, r.submitted_at time,
		r.asks int, r.answer text`

	revisions = ` FROM invite AS i JOIN revision AS r ON r.id = i.latest
		LEFT JOIN revision AS s ON s.id = nullif(i.last_sent, i.latest)
		LEFT JOIN rsvp AS a ON a.id = i.rsvp`
	contents = `
		LEFT JOIN calendar AS rc ON rc.revision = r.id LEFT JOIN message AS rm ON rm.revision = r.id
		LEFT JOIN calendar AS sc ON sc.revision = s.id LEFT JOIN message AS sm ON sm.revision = s.id`
	contentColumns = `
		rc.bytes, rm.reverse_path, rm.forward_path, rm.smtputf8, rm.bytes,
		sc.bytes, sm.reverse_path, sm.forward_path, sm.smtputf8, sm.bytes`
	oneInvite = ` WHERE i.application = ?1 AND i.invite_id = ?2 AND i.address = ?3`
)

var (
	entryColumns = pack(columns{list: inviteColumns}, columns{list: revisionColumns + ", r.id IS i.last_sent int"},
		columns{"s.id IS NOT NULL", strings.ReplaceAll(revisionColumns, "r.", "s.")},
		columns{"a.id IS NOT NULL", rsvpColumns})

	// The row of what is not known says that there are tombstones, so that the hash
	// of its key need be made and looked for in a ledger only that has forgotten
	// something. To ask for that apart would cost another lock for reading, which is
	// a third of a lookup.
	lookup = &statement{`SELECT ` + entryColumns + revisions + oneInvite + `
		UNION ALL SELECT '' FROM tombstone WHERE application = ?1 LIMIT 1`}
	load = &statement{`SELECT ` + entryColumns + `, ` + contentColumns + revisions + contents + oneInvite + `
		UNION ALL SELECT '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM tombstone WHERE application = ?1 LIMIT 1`}
	tombstoned = &statement{`SELECT 1 FROM tombstone WHERE application = ? AND hash = ?`}
	members    = &statement{`SELECT ` + entryColumns + revisions + ` WHERE i.application = ? AND i.invite_id = ? ORDER BY i.address`}
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

func (l *Ledger) entries(ctx context.Context, from *statement, contents bool, keys []ledger.Key) ([]ledger.Entry, error) {
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
			if s.forgets {
				forgotten, err := c.exists(tombstoned, l.application, l.hash(key))
				if err != nil {
					return err
				}
				e.Known, e.Forgotten = forgotten, forgotten
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

// scanner makes entries of rows.
type scanner struct {
	contents bool
	forgets  bool // there are tombstones
	entries  []ledger.Entry
}

func (s *scanner) row(r *record) error {
	column := r.text()
	if column == "" {
		s.forgets = true
		return nil
	}
	p := unpack(column)
	e := ledger.Entry{
		Key: ledger.Key{InviteID: p.text(), Address: p.text()}, Known: true, Grouped: p.bool(), Recipient: p.text(),
		UID: p.text(), FirstMessageID: p.text(), EndsAt: p.time(),
	}
	e.Latest = unpackRevision(&p)
	if latestWasSent := p.bool(); latestWasSent {
		e.LastSent = e.Latest
	}
	if anotherWasSent := p.bool(); anotherWasSent {
		e.LastSent = unpackRevision(&p)
	}
	if answered := p.bool(); answered {
		heard := unpackHeard(&p)
		e.RSVP = &heard.RSVP
	}
	if s.contents {
		addContents(r, e.Latest)
		if e.LastSent != e.Latest {
			addContents(r, e.LastSent)
		}
	}
	// The submission that a crash cut short has yet to be finished.
	if e.FirstMessageID == "" && e.Latest.State == ledger.Submitting {
		e.FirstMessageID = e.Latest.MessageID
	}
	s.entries = append(s.entries, e)
	return nil
}

func unpackRevision(p *packed) *ledger.Revision {
	return &ledger.Revision{
		Number: p.int64(), Kind: p.text(), Method: p.text(), Fingerprint: p.text(), Resend: p.int(),
		UID: p.text(), Sequence: p.int(), DTStamp: p.time(),
		OrganizerName: p.text(), OrganizerEmail: p.text(), OrganizerDefault: p.bool(),
		State: ledger.State(p.text()), Permanent: p.bool(), Unusable: p.bool(),
		Stage: p.text(), Code: p.text(), Detail: p.text(),
		MessageID: p.text(), FromName: p.text(), FromEmail: p.text(),
		Reply: p.text(), Attempts: p.int(), Copies: p.int(), FirstSubmittedAt: p.time(), At: p.time(), CreatedAt: p.time(), SubmittedAt: p.time(),
		Asks: p.int64(), Answer: p.text(),
	}
}

func addContents(r *record, to *ledger.Revision) {
	calendar := r.bytes()
	message := &ledger.Message{From: r.text(), To: r.text(), SMTPUTF8: r.bool(), Bytes: r.bytes()}
	if to == nil {
		return
	}
	to.Calendar = calendar
	if len(message.Bytes) > 0 {
		to.Message = message
	}
}
