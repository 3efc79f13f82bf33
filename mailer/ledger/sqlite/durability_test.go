package sqlite

import (
	"database/sql"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// What says that a mail leaves, or left, is synced to the disk before its method returns; what the
// next run can do again is not waited for.
func TestWhatIsSyncedToTheDisk(t *testing.T) {
	t.Parallel()
	l, _ := newFile(t)
	var claim ledger.Claim
	take := func(key ledger.Key) func() error {
		return func() (err error) {
			claim, err = l.Claim(t.Context(), key)
			return err
		}
	}
	create := func(change func(r *ledger.Revision)) func() error {
		return func() error {
			made := benchMade(anna)
			change(&made.Revision)
			return l.Create(t.Context(), claim, made)
		}
	}
	for _, write := range []struct {
		name   string
		synced bool
		do     func() error
	}{
		{"Claim", false, take(anna)},
		{"Create", false, create(func(*ledger.Revision) {})},
		{"Submitting", true, func() error {
			return l.Submitting(t.Context(), claim, anna, ledger.Submission{MessageID: "1@example.com",
				Message: ledger.Message{Bytes: benchMessage}})
		}},
		{"heartbeat", false, func() error { return l.beat(t.Context()) }},
		{"Finish", true, func() error {
			return l.Finish(t.Context(), claim, anna, ledger.Result{State: ledger.Sent})
		}},
		{"Create of what failed", false, create(func(r *ledger.Revision) { r.State = ledger.Failed })},
		{"Create of what was sent", true, create(func(r *ledger.Revision) {
			r.State, r.MessageID = ledger.Sent, "2@example.com"
		})},
		{"Release", false, func() error { return l.Release(t.Context(), claim) }},
		{"RecordRSVP", true, func() error {
			_, err := l.RecordRSVP(t.Context(), anna, called("accepted"))
			return err
		}},
		{"Claim again", false, take(anna)},
		{"RSVPDelivered", true, func() error { return l.RSVPDelivered(t.Context(), anna, 1, true) }},
		{"Release again", false, func() error { return l.Release(t.Context(), claim) }},
		{"Asked", true, func() error { return l.Asked(t.Context(), anna, time.Now()) }},
		{"Claim before forgetting", false, take(ben)},
		{"Forget", true, func() error {
			_, err := l.Forget(t.Context(), time.Now())
			return err
		}},
	} {
		require.NoError(t, write.do(), write.name)
		level := map[bool]int64{false: 1, true: 2}[write.synced] // NORMAL and FULL
		// It stays in force until the next transaction.
		assert.Equal(t, level, number(t, l, "PRAGMA synchronous"), write.name)
	}
}

// A transaction is synced if one of its writes must be, and one that began without takes none of
// those that must.
func TestATransactionIsSyncedIfOneOfItMustBe(t *testing.T) {
	t.Parallel()
	var g group
	assert.False(t, g.wantsSync())
	for _, synced := range []bool{false, false, true, false} {
		g.add(&grouped{synced: synced})
	}
	assert.True(t, g.wantsSync())
	assert.Len(t, g.take(false), 2, "in their order, up to the first that must be synced")
	assert.Empty(t, g.take(false))
	assert.Len(t, g.take(true), 2)
	assert.False(t, g.wantsSync())
}

// A log that grew while a program was reading gives its space back.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	l, path := newFile(t)
	size := func() int64 {
		log, err := os.Stat(path + "-wal")
		require.NoError(t, err)
		return log.Size()
	}
	// A reader keeps the log from being taken into the file.
	require.NoError(t, l.read(t.Context(), "reading", func(c *conn) error {
		return c.query("SELECT salt FROM meta", func(*sql.Rows) error {
			for i := 0; size() < 20<<20; i++ {
				made := benchMade(benchKey(i))
				made.Revision.Calendar = make([]byte, 1<<20)
				claim, err := l.Claim(t.Context(), made.Key)
				require.NoError(t, err)
				require.NoError(t, l.Create(t.Context(), claim, made))
			}
			return nil
		})
	}))
	live(t, l, anna)
	live(t, l, ben)
	assert.LessOrEqual(t, size(), int64(16<<20))
}

// Calendars and messages are most of the file: only those that are asked for stay.
func TestContentsThatAreSupersededGo(t *testing.T) {
	t.Parallel()
	l, _ := newFile(t)
	claim, err := l.Claim(t.Context(), anna)
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, l.Create(t.Context(), claim, benchMade(anna)))
		require.EqualValues(t, 1, number(t, l, "SELECT count(*) FROM calendar"))
	}
	require.NoError(t, l.Release(t.Context(), claim))
	for range 2 {
		live(t, l, anna)
		require.EqualValues(t, 1, number(t, l, "SELECT count(*) FROM calendar"))
		require.Zero(t, number(t, l, "SELECT count(*) FROM message"))
	}
}
