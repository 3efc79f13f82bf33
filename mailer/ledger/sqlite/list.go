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
	// Since and Before bound the time of that state: at or after Since, and
	// before Before.
	Since, Before time.Time
}

// page is how many invites are read at a time.
const page = 200

var listPage = &statement{`SELECT ` + entryColumns + revisions + `
	WHERE (i.invite_id, i.address) > (?1, ?2)
		AND (?3 = '' OR i.invite_id = ?3)
		AND (?4 = '' OR i.address = ?4)
		AND (?5 = '' OR r.state = ?5)
		AND (?6 IS NULL OR r.at >= ?6)
		AND (?7 IS NULL OR r.at < ?7)
	ORDER BY i.invite_id, i.address LIMIT ?8`}

// List yields what is known of the invites that f lets through, ordered by id and
// address, without calendars and messages. It reads a few at a time and holds
// nothing in between: the ledger may be used meanwhile, and what is written
// meanwhile may be among what follows. It ends at the first error.
func (l *Ledger) List(ctx context.Context, f Filter) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		var after ledger.Key
		for {
			s := scanner{entries: make([]ledger.Entry, 0, page)}
			if err := l.read(ctx, "listing invites", func(c *conn) error {
				return c.query(listPage, s.row, after.InviteID, after.Address,
					f.InviteID, f.Address, string(f.State), f.Since, f.Before, page)
			}); err != nil {
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
			after = s.entries[page-1].Key
		}
	}
}
