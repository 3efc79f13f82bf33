package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Addresses of people stand in the file and in its log.
func TestFileIsPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state", "invite mailer?#%", "ledger.db")
	l := openFile(t, path)
	live(t, l, anna)
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode(), name)
	}
	for _, name := range []string{filepath.Dir(path), filepath.Dir(filepath.Dir(path))} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o700), info.Mode().Perm(), name)
	}
}

func TestWritesAreSyncedAndForeignKeysHold(t *testing.T) {
	t.Parallel()
	l, _ := newFile(t)
	assert.EqualValues(t, 2, number(t, l, "PRAGMA synchronous"), "FULL")
	assert.EqualValues(t, 1, number(t, l, "PRAGMA foreign_keys"))
	assert.EqualValues(t, applicationID, number(t, l, "PRAGMA application_id"))
	assert.EqualValues(t, 10_000, number(t, l, "PRAGMA busy_timeout"))
}

// SQLite ignores a pragma that it does not know: a misspelt one would not be noticed.
func TestReadersCannotWrite(t *testing.T) {
	t.Parallel()
	l, _ := newFile(t)
	for pragma, want := range map[string]int64{"query_only": 1, "busy_timeout": 10_000} {
		var got int64
		require.NoError(t, l.read(t.Context(), "asking", func(c *conn) error {
			_, err := c.get([]any{&got}, "PRAGMA "+pragma)
			return err
		}))
		assert.Equal(t, want, got, pragma)
	}
}

// To open what is up to date, and to find that nothing is to be done, writes nothing.
func TestReadingAgainWritesNothing(t *testing.T) {
	t.Parallel()
	l, path := newFile(t)
	live(t, l, anna)
	require.NoError(t, l.Shutdown(t.Context()))
	before, err := os.ReadFile(path)
	require.NoError(t, err)

	again := openWith(t, Options{Path: path})
	found, err := again.Lookup(t.Context(), anna, ben)
	require.NoError(t, err)
	require.True(t, found[0].Known)
	if wal, err := os.Stat(path + "-wal"); err == nil {
		assert.Zero(t, wal.Size())
	}
	require.NoError(t, again.Shutdown(t.Context()))
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestUnusableFilesAreRefused(t *testing.T) {
	t.Parallel()
	ledgerFile := func(t *testing.T, path string) {
		l := openWith(t, Options{Path: path, APIURL: "https://api.example.com"})
		for i := range 20 {
			live(t, l, benchKey(i))
		}
		require.NoError(t, l.Shutdown(t.Context()))
	}
	for _, test := range []struct {
		name   string
		make   func(t *testing.T, path string)
		advice string
	}{
		{"a text file", func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path,
				[]byte("smart_invite_id,recipient.email\nboard-meeting,anna@example.com\n"), 0o600))
		}, "name another"},
		{"a directory", func(t *testing.T, path string) {
			require.NoError(t, os.Mkdir(path, 0o700))
		}, "check the path"},
		{"a database of another program", func(t *testing.T, path string) {
			c, done := connect(t, path, "rwc")
			defer done()
			require.NoError(t, c.script("CREATE TABLE invite (id INTEGER)"))
		}, "name another file"},
		{"a newer version", func(t *testing.T, path string) {
			l, err := open(t.Context(), Options{Path: path}, append(known(t),
				"UPDATE compatibility SET oldest_reader = 5"), "rw")
			require.NoError(t, err)
			require.NoError(t, l.Shutdown(t.Context()))
		}, "use the newer program"},
		{"a truncated file", func(t *testing.T, path string) {
			ledgerFile(t, path)
			require.NoError(t, os.Truncate(path, 10_000))
		}, "restore it from a backup"},
		{"another API", ledgerFile, "name another file for another API"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "ledger.db")
			test.make(t, path)
			before, _ := os.ReadFile(path)
			_, err := Open(t.Context(), Options{Path: path, APIURL: "https://api-de.example.com"})
			require.ErrorIs(t, err, ledger.ErrUnusable)
			require.NotErrorIs(t, err, ledger.ErrBusy)
			assert.ErrorContains(t, err, path)
			assert.ErrorContains(t, err, test.advice)
			after, _ := os.ReadFile(path)
			assert.Equal(t, before, after, "what is refused is left alone")
		})
	}
}

func TestNoPathIsRefused(t *testing.T) {
	t.Parallel()
	_, err := Open(t.Context(), Options{})
	require.ErrorIs(t, err, ledger.ErrUnusable)
}

// The mode of the connection stands for a file system that is mounted read-only.
func TestReadOnlyFileIsRefused(t *testing.T) {
	t.Parallel()
	l, path := newFile(t)
	live(t, l, anna)
	require.NoError(t, l.Shutdown(t.Context()))
	_, err := open(t.Context(), Options{Path: path}, known(t), "ro")
	require.ErrorIs(t, err, ledger.ErrUnusable)
	assert.ErrorContains(t, err, "let this user write")
}

func TestFileRemembersItsAPI(t *testing.T) {
	t.Parallel()
	l, path := newFile(t) // of no API yet
	require.NoError(t, l.Shutdown(t.Context()))
	for _, api := range []string{"https://api.example.com/", "https://api.example.com", ""} {
		require.NoError(t, openWith(t, Options{Path: path, APIURL: api}).Shutdown(t.Context()))
	}
	_, err := Open(t.Context(), Options{Path: path, APIURL: "https://api-de.example.com"})
	require.ErrorIs(t, err, ledger.ErrUnusable)
	assert.ErrorContains(t, err, "https://api.example.com")
}

func TestManyOpenANewFileAtOnce(t *testing.T) {
	t.Parallel()
	for range 3 {
		path := filepath.Join(t.TempDir(), "ledger.db")
		ledgers := make([]*Ledger, 8)
		var group sync.WaitGroup
		for i := range ledgers {
			group.Go(func() {
				var err error
				ledgers[i], err = Open(t.Context(), Options{Path: path, APIURL: "https://api.example.com"})
				assert.NoError(t, err)
			})
		}
		group.Wait()
		for i, l := range ledgers {
			require.NotNil(t, l)
			live(t, l, benchKey(i))
			assert.Equal(t, ledgers[0].salt, l.salt)
		}
		for _, l := range ledgers {
			require.NoError(t, l.Shutdown(t.Context()))
		}
	}
}

// Another program creates the file and is in the middle of that: one that opens it
// waits, as long as it is ready to. SQLite refuses the switch to a log at once if
// another connection is about to write, and waits for one that writes.
func TestOpeningWaitsForWhoCreatesTheFile(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]string{"about to write": "BEGIN IMMEDIATE", "writing": "BEGIN EXCLUSIVE"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "ledger.db")
			other, done := connect(t, path, "rwc")
			require.NoError(t, other.script(begin))

			_, err := Open(t.Context(), Options{Path: path, BusyTimeout: time.Millisecond})
			require.ErrorIs(t, err, ledger.ErrBusy)
			require.ErrorContains(t, err, "run again")
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err = Open(ctx, Options{Path: path, BusyTimeout: time.Hour})
			require.ErrorIs(t, err, context.DeadlineExceeded)

			opened := make(chan error)
			go func() {
				l, err := Open(t.Context(), Options{Path: path, BusyTimeout: time.Hour})
				if err == nil {
					err = l.Shutdown(t.Context())
				}
				opened <- err
			}()
			time.Sleep(10 * time.Millisecond) // for it to come to the lock
			require.NoError(t, other.script("ROLLBACK"))
			require.NoError(t, <-opened)
			done()
		})
	}
}

func TestLockedFileIsBusy(t *testing.T) {
	t.Parallel()
	l, path := newFile(t)
	quick := openWith(t, Options{Path: path, BusyTimeout: time.Millisecond})
	lock(t, l, func() {
		_, err := quick.Claim(t.Context(), anna)
		require.ErrorIs(t, err, ledger.ErrBusy)
		assert.ErrorContains(t, err, "run again")
		found, err := quick.Lookup(t.Context(), anna)
		require.NoError(t, err, "reading waits for none")
		assert.False(t, found[0].Known)
	})
	_, err := quick.Claim(t.Context(), anna)
	require.NoError(t, err)
}

// A caller that gives up waiting must not have begun anything.
func TestWaitingForALockObeysTheContext(t *testing.T) {
	t.Parallel()
	l, path := newFile(t)
	slow := openWith(t, Options{Path: path, BusyTimeout: time.Hour})
	lock(t, l, func() {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := slow.Claim(ctx, anna)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
	_, err := slow.Claim(t.Context(), anna)
	require.NoError(t, err)
}

func TestFullDiskIsBusyAndChangesNothing(t *testing.T) {
	t.Parallel()
	l, _ := newFile(t)
	claim, err := l.Claim(t.Context(), anna, ben)
	require.NoError(t, err)
	require.NoError(t, l.Create(t.Context(), claim, benchMade(anna)))
	before, err := l.Load(t.Context(), anna)
	require.NoError(t, err)

	pages := number(t, l, "PRAGMA page_count")
	require.Equal(t, pages, number(t, l, "PRAGMA max_page_count = 1"), "as few as there are")
	err = l.Submitting(t.Context(), claim, anna, ledger.Submission{MessageID: "1@example.com",
		Message: ledger.Message{Bytes: make([]byte, 1<<20)}})
	require.ErrorIs(t, err, ledger.ErrBusy)
	assert.ErrorContains(t, err, "make room")
	big := benchMade(ben)
	big.Revision.Calendar = make([]byte, 1<<20)
	require.ErrorIs(t, l.Create(t.Context(), claim, benchMade(anna), big), ledger.ErrBusy)
	after, err := l.Load(t.Context(), anna)
	require.NoError(t, err)
	assert.Equal(t, before, after)

	runSQL(t, l, "PRAGMA max_page_count = 4294967294")
	require.NoError(t, l.Create(t.Context(), claim, big), "room was made")
}

func TestMemoryLeavesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openWith(t, Options{Path: path, Memory: true, APIURL: "https://api.example.com"})
	live(t, l, anna)
	found, err := l.Lookup(t.Context(), anna)
	require.NoError(t, err)
	assert.True(t, found[0].Known)
	assert.NoFileExists(t, path)
	again := openWith(t, Options{Memory: true})
	found, err = again.Lookup(t.Context(), anna)
	require.NoError(t, err)
	assert.False(t, found[0].Known)
}
