package sqlite

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// today is before the event of the invites that benchMade makes.
var today = newClock().Now()

func onThatDay() time.Time { return today }

// keep records an invite that ends at a time.
func keep(t *testing.T, l *Ledger, key ledger.Key, endsAt time.Time) {
	t.Helper()
	claim, err := l.Claim(t.Context(), key)
	require.NoError(t, err)
	made := benchMade(key)
	made.EndsAt, made.Revision.State = endsAt, ledger.Sent
	require.NoError(t, l.Create(t.Context(), claim, made))
	require.NoError(t, l.Release(t.Context(), claim))
}

func TestForgetRemovesAllRows(t *testing.T) {
	t.Parallel()
	l := openWith(t, Options{Memory: true, Now: onThatDay})
	keep(t, l, anna, today.Add(-time.Hour))
	keep(t, l, ben, today.Add(time.Hour))
	n, err := l.Forget(t.Context(), today)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.Equal(t, []ledger.Key{ben}, listed(t, l, Filter{}))
	for _, table := range []string{"invite", "revision", "calendar", "tombstone"} {
		assert.EqualValues(t, 1, number(t, l, "SELECT count(*) FROM "+table), table)
	}
	keep(t, l, anna, today.Add(time.Hour))
	assert.Zero(t, number(t, l, "SELECT count(*) FROM tombstone"))
}

// A person who asks to be forgotten is forgotten: not a byte of the address stays in
// the file, in its log or in pages that are free.
func TestForgottenAddressIsGoneFromTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, other := openWith(t, Options{Path: path, Now: onThatDay}), openWith(t, Options{Path: path, Now: onThatDay})
	secret := ledger.Key{InviteID: "exit-interview", Address: "zoe.quux@secret.example"}
	runSQL(t, l, "PRAGMA synchronous = OFF") // of no matter here, and a thousand invites are quicker
	l.unsynced = true
	for i := range 1010 {
		keep(t, l, benchKey(i), today.Add(-time.Hour))
	}
	live(t, l, anna) // whose event is yet to come
	claim, err := l.Claim(t.Context(), secret)
	require.NoError(t, err)
	for range 5 {
		made := benchMade(secret)
		made.EndsAt = today.Add(-time.Hour)
		made.Revision.Calendar = bytes.Repeat([]byte(secret.Address+"\r\n"), 500)
		require.NoError(t, l.Create(t.Context(), claim, made))
		require.NoError(t, l.Submitting(t.Context(), claim, secret, ledger.Submission{
			MessageID: "1@example.com",
			Message:   ledger.Message{To: secret.Address, Bytes: bytes.Repeat([]byte(secret.Address+"\r\n"), 900)},
		}))
		require.NoError(t, l.Finish(t.Context(), claim, secret, ledger.Result{State: ledger.Sent, Reply: "250 <" +
			secret.Address + ">"}))
	}
	require.NoError(t, l.Release(t.Context(), claim))
	require.True(t, onDisk(t, path, secret.Address), "so that its absence means something")
	_, err = other.Lookup(t.Context(), secret)
	require.NoError(t, err)

	n, err := l.Forget(t.Context(), today)
	require.NoError(t, err)
	assert.Equal(t, 1011, n)
	for _, gone := range []string{secret.Address, secret.InviteID, "quux", benchKey(7).Address} {
		assert.False(t, onDisk(t, path, gone), gone)
	}
	assert.True(t, onDisk(t, path, anna.Address))
	for _, reader := range []*Ledger{l, other} {
		found, err := reader.Lookup(t.Context(), secret, anna)
		require.NoError(t, err)
		assert.True(t, found[0].Forgotten)
		assert.NotNil(t, found[1].LastSent)
	}
}

func onDisk(t *testing.T, path, text string) bool {
	t.Helper()
	found := false
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		content, err := os.ReadFile(name) //nolint:gosec // a file of this test, which none locks now
		require.NoError(t, err)
		found = found || bytes.Contains(content, []byte(text))
	}
	return found
}

// A reader keeps the log from being emptied: that must not pass for done.
func TestForgetSaysWhenTheLogCouldNotBeEmptied(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openWith(t, Options{Path: path, Now: onThatDay})
	keep(t, l, anna, today.Add(-time.Hour))
	quick := openWith(t, Options{Path: path, BusyTimeout: 1, Now: onThatDay})
	reader := openFile(t, path)
	runSQL(t, reader, "BEGIN")
	require.EqualValues(t, 1, number(t, reader, "SELECT count(*) FROM invite"))
	n, err := quick.Forget(t.Context(), today)
	assert.Equal(t, 1, n)
	require.ErrorIs(t, err, ledger.ErrBusy)
	assert.ErrorContains(t, err, "forget again")
	runSQL(t, reader, "ROLLBACK")

	n, err = quick.Forget(t.Context(), today)
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.False(t, onDisk(t, path, anna.Address))
}
