package sqlite

import (
	"database/sql"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a method has written when it returns outlives a power cut.
func TestWritesAreSyncedToTheDisk(t *testing.T) {
	t.Parallel()
	l, _ := newFile(t)
	assert.EqualValues(t, 2, number(t, l, "PRAGMA synchronous"), "FULL")
	_, err := l.Forget(t.Context(), time.Now())
	require.NoError(t, err)
	assert.EqualValues(t, 2, number(t, l, "PRAGMA synchronous"), "FULL")
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
