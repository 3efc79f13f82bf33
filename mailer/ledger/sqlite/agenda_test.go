package sqlite

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// A page has what its agenda says, in order, and the counts are of all of that time.
func TestAgenda(t *testing.T) {
	t.Parallel()
	l := openWith(t, Options{Memory: true, Now: onThatDay})
	const invites = 40
	key := func(i int) ledger.Key {
		return ledger.Key{InviteID: fmt.Sprintf("%02d", i), Address: "anna@example.com"}
	}
	for i := range invites { // two end at the same time, the first ones last
		keep(t, l, key(i), today.Add(time.Duration(10-i/2)*time.Hour))
		r := called([]string{"accepted", "declined"}[i%2])
		switch i % 4 {
		case 2:
			r.Proposal = &ledger.Proposal{Start: today, End: today.Add(time.Hour)}
		case 3:
			r.By, r.Reply = "ben@example.com", &ledger.Reply{Status: "tentative",
				Proposal: &ledger.Proposal{End: today}}
		case 0:
			continue
		}
		_, err := l.RecordRSVP(t.Context(), key(i), r)
		require.NoError(t, err)
	}
	keep(t, l, key(invites), time.Time{})
	ids := func(a ledger.Agenda) (ids []string) {
		entries, err := l.Agenda(t.Context(), a)
		require.NoError(t, err)
		for _, e := range entries {
			ids = append(ids, e.Key.InviteID)
			assert.True(t, e.Known)
			assert.NotNil(t, e.Latest)
		}
		return ids
	}
	assert.Equal(t, []string{"38", "39", "36"}, ids(ledger.Agenda{Limit: 3}))
	assert.Equal(t, []string{"39", "36"}, ids(ledger.Agenda{Limit: 2, Skip: 1}))
	assert.Equal(t, []string{"40", "01", "00"}, ids(ledger.Agenda{Limit: 3, LastFirst: true}))
	assert.Equal(t, []string{"18", "19"}, ids(ledger.Agenda{Limit: 2, EndsAfter: today}))
	assert.Equal(t, []string{"21", "20", "23"}, ids(ledger.Agenda{Limit: 3, EndsBy: today, LastFirst: true}))
	assert.Equal(t, []string{"40"}, ids(ledger.Agenda{Limit: 9, EndsAfter: today.Add(10 * time.Hour)}),
		"whose end is not known")
	assert.Equal(t, []string{"36", "32"}, ids(ledger.Agenda{Limit: 2, Status: "pending"}))
	assert.Equal(t, []string{"38", "39"}, ids(ledger.Agenda{Limit: 2, Proposed: true}))
	assert.Equal(t, []string{"38", "34"}, ids(ledger.Agenda{Limit: 2, Proposed: true, Status: "accepted"}))
	assert.Empty(t, ids(ledger.Agenda{Limit: 2, Status: "tentative"}))
	assert.Empty(t, ids(ledger.Agenda{Limit: 2, Skip: 100}))
	assert.Empty(t, ids(ledger.Agenda{}))
	assert.Len(t, ids(ledger.Agenda{Limit: 1000}), invites+1)

	counts := func(a ledger.Agenda) ledger.Tally {
		counted, err := l.Tally(t.Context(), a)
		require.NoError(t, err)
		return counted
	}
	all := counts(ledger.Agenda{Limit: 1, Status: "pending", Skip: 7})
	assert.Equal(t, ledger.Tally{Status: map[string]int{"pending": 11, "accepted": 10, "declined": 20}, Proposed: 20},
		all)
	assert.Equal(t, invites+1, all.All())
	assert.Equal(t, ledger.Tally{Status: map[string]int{"pending": 6, "accepted": 5, "declined": 10}, Proposed: 10},
		counts(ledger.Agenda{EndsAfter: today}))
	assert.Equal(t, ledger.Tally{Status: map[string]int{"pending": 5, "accepted": 5, "declined": 10}, Proposed: 10},
		counts(ledger.Agenda{EndsBy: today}))
	assert.Equal(t, ledger.Tally{Status: map[string]int{}}, counts(ledger.Agenda{EndsBy: today.AddDate(-1, 0, 0)}))
}

// A step of each list goes through an index, whatever the number of invites.
func TestListsUseTheirIndexes(t *testing.T) {
	t.Parallel()
	l := openWith(t, Options{Memory: true})
	for name, test := range map[string]struct {
		plan string
		list string
		args []any
		sort bool
	}{
		"upcoming": {"SEARCH i USING INDEX invite_by_asked (application=? AND <expr>>? AND <expr><?)",
			upcomingPage, []any{0, 0, today, today, page, 1}, false},
		"agenda": {"SEARCH i USING INDEX invite_by_end", agendaUp, []any{1, today, nil, "", false, 100, 0}, false},
		"last first": {"SEARCH i USING INDEX invite_by_end", agendaDown, []any{1, nil, today, "accepted", true, 100,
			0}, false},
		"counts": {"SEARCH i USING INDEX invite_by_end", tally, []any{1, today, nil}, true}, // of the few statuses
		"list": {"SEARCH i USING INDEX sqlite_autoindex_invite_1 (application=? AND (invite_id,address)>(?,?))",
			listPage, []any{"", "", "", "", "", nil, nil, "", page, 1}, false},
		"lookup": {"SEARCH i USING INDEX sqlite_autoindex_invite_1 (application=? AND invite_id=? AND address=?)",
			lookup, []any{1, "", ""}, false},
		"undelivered": {"SEARCH u USING INDEX rsvp_undelivered", undeliveredPage, []any{0, page, 1}, false},
	} {
		var plan strings.Builder
		require.NoError(t, l.writer.with(t.Context(), func(c *conn) error {
			return c.query("EXPLAIN QUERY PLAN "+test.list, func(rows *sql.Rows) error {
				var detail string
				err := rows.Scan(new(int), new(int), new(int), &detail)
				plan.WriteString(detail + "\n")
				return err
			}, test.args...)
		}))
		assert.Contains(t, plan.String(), test.plan, name)
		assert.NotContains(t, plan.String(), "SCAN i", name)
		if !test.sort {
			assert.NotContains(t, plan.String(), "TEMP B-TREE", name+": it need not sort")
		}
	}
}
