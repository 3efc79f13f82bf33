package sqlite

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

func listed(t *testing.T, l *Ledger, f Filter) (keys []ledger.Key) {
	t.Helper()
	for e, err := range l.List(t.Context(), f) {
		require.NoError(t, err)
		keys = append(keys, e.Key)
	}
	return keys
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	clock := newClock()
	l := openWith(t, Options{Memory: true, Now: clock.Now})
	start := clock.Now()
	later := ledger.Key{InviteID: "all-hands", Address: "anna@example.com"}
	live(t, l, ben)
	clock.Move(time.Hour)
	live(t, l, anna)
	clock.Move(time.Hour)
	claim, err := l.Claim(t.Context(), later, anna)
	require.NoError(t, err)
	require.NoError(t, l.Create(t.Context(), claim, benchMade(later)))

	for _, test := range []struct {
		name   string
		filter Filter
		want   []ledger.Key
	}{
		{"everything, by id and address", Filter{}, []ledger.Key{later, anna, ben}},
		{"by id", Filter{InviteID: "board-meeting"}, []ledger.Key{anna, ben}},
		{"by recipient", Filter{Address: "anna@example.com"}, []ledger.Key{later, anna}},
		{"by both", Filter{InviteID: "board-meeting", Address: "anna@example.com"}, []ledger.Key{anna}},
		{"by outcome", Filter{State: ledger.Sent}, []ledger.Key{anna, ben}},
		{"since, inclusive", Filter{Since: start.Add(time.Hour)}, []ledger.Key{later, anna}},
		{"before, exclusive", Filter{Before: start.Add(time.Hour)}, []ledger.Key{ben}},
		{"nobody", Filter{InviteID: "board-meeting", State: ledger.Failed}, nil},
		{"what is not SQL", Filter{InviteID: "' OR 1 = 1 --"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, listed(t, l, test.filter))
		})
	}
}

// The list must not stop at the end of a page, nor name an invite twice because
// it has two revisions to show, nor hold what its reader needs.
func TestListOfManyPagesLeavesTheLedgerUsable(t *testing.T) {
	t.Parallel()
	l := openWith(t, Options{Memory: true})
	for i := range 2*page + 1 {
		live(t, l, benchKey(i))
	}
	for i := page - 3; i < page+3; i++ {
		claim, err := l.Claim(t.Context(), benchKey(i))
		require.NoError(t, err)
		require.NoError(t, l.Create(t.Context(), claim, benchMade(benchKey(i))))
	}
	n := 0
	for e, err := range l.List(t.Context(), Filter{}) {
		require.NoError(t, err)
		require.Equal(t, benchKey(n), e.Key)
		found, err := l.Lookup(t.Context(), e.Key)
		require.NoError(t, err)
		require.Equal(t, found[0], e)
		n++
	}
	assert.Equal(t, 2*page+1, n)
	for _, err := range l.List(t.Context(), Filter{}) {
		require.NoError(t, err)
		break // and the rest is not asked for
	}
	require.NoError(t, l.Shutdown(t.Context()))
	for _, err := range l.List(t.Context(), Filter{}) {
		require.ErrorIs(t, err, errClosed)
	}
}
