package sqlite

import (
	"context"
	"database/sql"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// eventEnd is indexed: events whose end is not known come last.
const eventEnd = `coalesce(i.ends_at, 9223372036854775807)`

const (
	ending = ` WHERE i.application = ?1
		AND ` + eventEnd + ` > coalesce(?2, -9223372036854775808)
		AND ` + eventEnd + ` <= coalesce(?3, 9223372036854775807)`
	// The time that is proposed is that of the person invited or of who replied.
	proposes = `coalesce(a.proposal_start, a.proposal_end, a.reply_start, a.reply_end) IS NOT NULL`

	agendaFilter = ending + `
		AND (?4 = '' OR coalesce(a.status, 'pending') = ?4) AND (NOT ?5 OR ` + proposes + `)`
)

var (
	agendaUp = `SELECT ` + entryColumns + revisions + agendaFilter + `
		ORDER BY ` + eventEnd + `, i.id LIMIT ?6 OFFSET ?7`
	agendaDown = `SELECT ` + entryColumns + revisions + agendaFilter + `
		ORDER BY ` + eventEnd + ` DESC, i.id DESC LIMIT ?6 OFFSET ?7`
	tally = `SELECT coalesce(a.status, 'pending') AS status, count(*), sum(` + proposes + `)
		FROM invite AS i LEFT JOIN rsvp AS a ON a.id = i.rsvp` + ending + ` GROUP BY 1`
)

// Agenda reads a page of invites, without calendars and messages, and none of those
// that are not on it but for what it skips.
func (l *Ledger) Agenda(ctx context.Context, a ledger.Agenda) ([]ledger.Entry, error) {
	s := scanner{entries: make([]ledger.Entry, 0, max(0, min(a.Limit, page)))}
	from := agendaUp
	if a.LastFirst {
		from = agendaDown
	}
	err := l.read(ctx, "listing invites", func(c *conn) error {
		return c.query(from, s.row, l.application, a.EndsAfter, a.EndsBy, a.Status, a.Proposed, max(0, a.Limit),
			max(0, a.Skip))
	})
	if err != nil {
		return nil, err
	}
	return s.entries, nil
}

// Tally counts the invites of an agenda's time, whatever its other fields. It is
// one query, which hands out the counts and no invite.
func (l *Ledger) Tally(ctx context.Context, a ledger.Agenda) (ledger.Tally, error) {
	t := ledger.Tally{Status: make(map[string]int)}
	err := l.read(ctx, "counting invites", func(c *conn) error {
		return c.query(tally, func(rows *sql.Rows) error {
			var status string
			var n, proposed int
			err := rows.Scan(&status, &n, &proposed)
			t.Status[status] = n
			t.Proposed += proposed
			return err
		}, l.application, a.EndsAfter, a.EndsBy)
	})
	if err != nil {
		return ledger.Tally{}, err
	}
	return t, nil
}
