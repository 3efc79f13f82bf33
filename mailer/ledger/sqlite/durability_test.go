package sqlite

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// What says that a mail leaves, or left, is synced to the disk before its method
// returns; what the next run can do again is not waited for.
func TestWhatIsSyncedToTheDisk(t *testing.T) {
	t.Parallel()
	l, _ := newFile(t)
	var claim ledger.Claim
	made := func(change func(r *ledger.Revision)) ledger.NewRevision {
		m := benchMade(anna)
		change(&m.Revision)
		return m
	}
	for _, write := range []struct {
		name string
		want durability
		do   func() error
	}{
		{"Claim", process, func() (err error) {
			claim, err = l.Claim(t.Context(), anna)
			return err
		}},
		{"Create", process, func() error { return l.Create(t.Context(), claim, benchMade(anna)) }},
		{"Submitting", power, func() error {
			return l.Submitting(t.Context(), claim, anna, ledger.Submission{MessageID: "1@example.com",
				Message: ledger.Message{Bytes: benchMessage}})
		}},
		{"heartbeat", process, func() error { return l.beat(t.Context()) }},
		{"Finish", power, func() error {
			return l.Finish(t.Context(), claim, anna,
				ledger.Result{State: ledger.Sent})
		}},
		{"Create of what failed", process, func() error {
			return l.Create(t.Context(), claim, made(func(r *ledger.Revision) { r.State = ledger.Failed }))
		}},
		{"Create of what was sent", power, func() error {
			return l.Create(t.Context(), claim, made(func(r *ledger.Revision) {
				r.State, r.MessageID = ledger.Sent,
					"2@example.com"
			}))
		}},
		{"Release", process, func() error { return l.Release(t.Context(), claim) }},
		{"RecordRSVP", power, func() error {
			_, err := l.RecordRSVP(t.Context(), anna, called("accepted"))
			return err
		}},
		{"Claim again", process, func() (err error) {
			claim, err = l.Claim(t.Context(), anna)
			return err
		}},
		{"RSVPDelivered", power, func() error { return l.RSVPDelivered(t.Context(), anna, 1, true) }},
		{"Release again", process, func() error { return l.Release(t.Context(), claim) }},
		{"Asked", power, func() error { return l.Asked(t.Context(), anna, time.Now()) }},
		{"Claim before forgetting", process, func() error {
			_, err := l.Claim(t.Context(), ben)
			return err
		}},
		{"Forget", power, func() error {
			_, err := l.Forget(t.Context(), time.Now())
			return err
		}},
	} {
		require.NoError(t, write.do(), write.name)
		// It stays in force until the next transaction.
		assert.EqualValues(t, inForce[write.want], number(t, l, "PRAGMA synchronous"), write.name)
	}
}

// inForce is how SQLite reads its pragma back.
var inForce = map[durability]int{process: 1, power: 2}

// A group lasts as long as the one of its writes that asks for the most.
func TestGroupIsSyncedIfOneOfItMustBe(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		asks []durability
		want durability
	}{
		{"none", []durability{process, process}, process},
		{"the first", []durability{power, process}, power},
		{"the last", []durability{process, process, power}, power},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := openFile(t, filepath.Join(t.TempDir(), "ledger.db"))
			var seen []int64
			done := make(chan error)
			lock(t, l, func() {
				for i, asked := range test.asks {
					go func() {
						done <- l.write(t.Context(), "writing", asked, func(c *conn) error {
							return c.query("PRAGMA synchronous", func(rows *sql.Rows) error {
								var n int64
								err := rows.Scan(&n)
								seen = append(seen, n)
								return err
							})
						})
					}()
					waiting(t, l, i+1)
				}
			})
			for range test.asks {
				require.NoError(t, <-done)
			}
			require.Len(t, seen, len(test.asks))
			for _, got := range seen {
				assert.EqualValues(t, inForce[test.want], got)
			}
		})
	}
}

// What comes between the choice and the begin of a transaction must not be given
// less than it asks for.
func TestGroupTakesNoMoreThanItGives(t *testing.T) {
	t.Parallel()
	var g group
	for _, asked := range []durability{process, process, power, process} {
		g.add(&grouped{durability: asked})
	}
	assert.Equal(t, power, g.most())
	assert.Len(t, g.take(process), 2, "in their order, and none that asks for more")
	assert.Empty(t, g.take(process))
	assert.Len(t, g.take(power), 2)
	assert.Equal(t, process, g.most())
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
