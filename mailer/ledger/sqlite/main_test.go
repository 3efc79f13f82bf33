package sqlite

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(child(role))
	}
	goleak.VerifyTestMain(m)
}

var (
	anna = ledger.Key{InviteID: "board-meeting", Address: "anna@example.com"}
	ben  = ledger.Key{InviteID: "board-meeting", Address: "ben@example.com"}
)

// clock is a time that moves only when told to.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2027, 4, 1, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) Move(d time.Duration) { c.now = c.now.Add(d) }

func openFile(t testing.TB, path string) *Ledger {
	t.Helper()
	return openWith(t, Options{Path: path})
}

func openWith(t testing.TB, o Options) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Shutdown(context.Background())) })
	return l
}

func newFile(t testing.TB) (l *Ledger, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "ledger.db")
	return openFile(t, path), path
}

// lock holds the file's lock for writing while fn runs.
func lock(t testing.TB, l *Ledger, fn func()) {
	t.Helper()
	require.NoError(t, l.writer.with(t.Context(), func(c *conn) error {
		return transact(t.Context(), c, func() error {
			fn()
			return nil
		})
	}))
}

// runSQL runs SQL on the ledger's connection for writing.
func runSQL(t testing.TB, l *Ledger, text string) {
	t.Helper()
	require.NoError(t, l.writer.with(t.Context(), func(c *conn) error { return c.script(text) }))
}

// connect opens a file as another program would, until done is called.
func connect(t testing.TB, path, mode string) (c *conn, done func()) {
	t.Helper()
	dsn, err := (&Ledger{name: path}).file(mode)
	require.NoError(t, err)
	w, err := openWriter(t.Context(), dsn)
	require.NoError(t, err)
	return &conn{t.Context(), &w.statements}, func() { require.NoError(t, w.close()) }
}

// number asks for one.
func number(t testing.TB, l *Ledger, query string) (n int64) {
	t.Helper()
	require.NoError(t, l.writer.with(t.Context(), func(c *conn) error {
		return c.query(query, func(rows *sql.Rows) error { return rows.Scan(&n) })
	}))
	return n
}
