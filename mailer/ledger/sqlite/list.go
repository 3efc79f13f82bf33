package sqlite

import (
	"context"
	"iter"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Filter says which invites to list; what is zero does not matter.
type Filter struct {
	InviteID string
	Address  string       // in its key form, as in ledger.Key
	State    ledger.State // of the latest revision
	RSVP     string       // status of the latest RSVP; pending is that of an invite that has none, too
	// Since and Before bound the time of that state: at or after Since, and before Before.
	Since, Before time.Time
}

// page is how many invites are read at a time.
const page = 200

const filtered = `
		AND (?3 = '' OR i.invite_id = ?3)
		AND (?4 = '' OR i.address = ?4)
		AND (?5 = '' OR r.state = ?5)
		AND (?6 IS NULL OR r.at >= ?6)
		AND (?7 IS NULL OR r.at < ?7)
		AND (?8 = '' OR coalesce(a.status, 'pending') = ?8)`

var (
	listPage = `SELECT ` + entryColumns + revisions + `
	WHERE i.application = ?10 AND (i.invite_id, i.address) > (?1, ?2)` + filtered + `
	ORDER BY i.invite_id, i.address LIMIT ?9`
	findID = `SELECT id FROM invite WHERE application = ? AND invite_id = ? AND address = ?`
)

// List yields what is known of the invites that f lets through, ordered by id and
// address, without calendars and messages. It reads a few at a time and holds
// nothing in between: the ledger may be used meanwhile, and what is written
// meanwhile may be among what follows. It ends at the first error.
func (l *Ledger) List(ctx context.Context, f Filter) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		var after ledger.Key
		l.pages(ctx, "listing invites", yield, func(c *conn, s *scanner) error {
			err := c.query(listPage, s.row, after.InviteID, after.Address,
				f.InviteID, f.Address, string(f.State), f.Since, f.Before, f.RSVP, page, l.application)
			if n := len(s.entries); n > 0 {
				after = s.entries[n-1].Key
			}
			return err
		})
	}
}

// pages yields the entries that next reads, a page at a time, until one is not
// full. It ends at the first error.
func (l *Ledger) pages(ctx context.Context, doing string, yield func(ledger.Entry, error) bool,
	next func(*conn, *scanner) error,
) {
	for {
		s := scanner{entries: make([]ledger.Entry, 0, page)}
		if err := l.read(ctx, doing, func(c *conn) error { return next(c, &s) }); err != nil {
			yield(ledger.Entry{}, err)
			return
		}
		for _, e := range s.entries {
			if !yield(e, nil) {
				return
			}
		}
		if len(s.entries) < page {
			return
		}
	}
}
