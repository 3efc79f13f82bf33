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
	"github.com/invitemailer/invitemailer/mailer/ledger/ledgertest"
)

// today is before the event of the invites that benchMade makes.
var today = ledgertest.NewClock().Now()

func onThatDay() time.Time { return today }

// keep records an invite that ends at a time.
func keep(t *testing.T, l *Ledger, key ledger.Key, endsAt time.Time, state ledger.State) {
	t.Helper()
	claim, err := l.Claim(t.Context(), key)
	require.NoError(t, err)
	made := benchMade(key)
	made.EndsAt, made.Revision.State = endsAt, state
	require.NoError(t, l.Create(t.Context(), claim, made))
	require.NoError(t, l.Release(t.Context(), claim))
}

func TestForgetRemovesWhatIsPastAndNothingElse(t *testing.T) {
	t.Parallel()
	clock := ledgertest.NewClock()
	l := openWith(t, Options{Memory: true, Now: clock.Now})
	key := func(id string) ledger.Key { return ledger.Key{InviteID: id, Address: "anna@example.com"} }
	keep(t, l, key("no end, long ago"), time.Time{}, ledger.Sent)
	clock.Move(48 * time.Hour)
	now := clock.Now()
	keep(t, l, key("no end, today"), time.Time{}, ledger.Sent)
	keep(t, l, key("past and sent"), now.Add(-25*time.Hour), ledger.Sent)
	keep(t, l, key("past and unknown"), now.Add(-25*time.Hour), ledger.Unknown)
	keep(t, l, key("past and never sent"), now.Add(-25*time.Hour), ledger.Created)
	keep(t, l, key("at that moment"), now.Add(-24*time.Hour), ledger.Sent)
	keep(t, l, key("yesterday"), now.Add(-23*time.Hour), ledger.Sent)
	keep(t, l, key("tomorrow"), now.Add(24*time.Hour), ledger.Sent)
	keep(t, l, key("past and in hand"), now.Add(-25*time.Hour), ledger.Sent)
	claim, err := l.Claim(t.Context(), key("past and in hand"))
	require.NoError(t, err)

	n, err := l.Forget(t.Context(), now.Add(-24*time.Hour))
	require.NoError(t, err)
	assert.Equal(t, 4, n)
	assert.Equal(t, []ledger.Key{
		key("at that moment"), key("no end, today"), key("past and in hand"), key("tomorrow"), key("yesterday"),
	}, listed(t, l, Filter{}))
	for _, table := range []string{"revision", "calendar"} {
		assert.EqualValues(t, 5, number(t, l, "SELECT count(*) FROM "+table))
	}

	require.NoError(t, l.Release(t.Context(), claim))
	clock.Move(time.Second)
	n, err = l.Forget(t.Context(), now.Add(1000*time.Hour))
	require.NoError(t, err)
	assert.Equal(t, 4, n)
	assert.Equal(t, []ledger.Key{key("tomorrow")}, listed(t, l, Filter{}), "what is not over is never forgotten")
}

// An old file must not invite anybody anew.
func TestForgottenKeyIsToldApart(t *testing.T) {
	t.Parallel()
	l := openWith(t, Options{Memory: true, Now: onThatDay})
	keep(t, l, anna, today.Add(-time.Hour), ledger.Sent)
	_, err := l.Forget(t.Context(), today)
	require.NoError(t, err)

	joined := ledger.Key{InviteID: anna.InviteID + "a", Address: anna.Address[1:]}
	found, err := l.Lookup(t.Context(), anna, ben, joined)
	require.NoError(t, err)
	assert.Equal(t, []ledger.Entry{{Key: anna, Known: true, Forgotten: true}, {Key: ben}, {Key: joined}}, found)
	found, err = l.Load(t.Context(), anna)
	require.NoError(t, err)
	assert.True(t, found[0].Forgotten)

	keep(t, l, anna, today.Add(time.Hour), ledger.Sent)
	found, err = l.Lookup(t.Context(), anna)
	require.NoError(t, err)
	assert.False(t, found[0].Forgotten, "it was invited anew, on purpose")
	assert.EqualValues(t, 1, found[0].Latest.Number)
	assert.Zero(t, number(t, l, "SELECT count(*) FROM tombstone"))
}

// Whoever asks to be forgotten is forgotten: not a byte of the address stays in
// the file, in its log or in pages that are free.
func TestForgottenAddressIsGoneFromTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, other := openWith(t, Options{Path: path, Now: onThatDay}), openWith(t, Options{Path: path, Now: onThatDay})
	secret := ledger.Key{InviteID: "exit-interview", Address: "zoe.quux@secret.example"}
	runSQL(t, l, "PRAGMA synchronous = OFF") // of no matter here, and a thousand invites are quicker
	for i := range 2*forgetAtOnce + 10 {
		keep(t, l, benchKey(i), today.Add(-time.Hour), ledger.Sent)
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
			MessageID: "1@example.com", Message: ledger.Message{To: secret.Address, Bytes: bytes.Repeat([]byte(secret.Address+"\r\n"), 900)},
		}))
		require.NoError(t, l.Finish(t.Context(), claim, secret, ledger.Result{State: ledger.Sent, Reply: "250 <" + secret.Address + ">"}))
	}
	require.NoError(t, l.Release(t.Context(), claim))
	require.True(t, onDisk(t, path, secret.Address), "so that its absence means something")
	_, err = other.Lookup(t.Context(), secret)
	require.NoError(t, err)

	n, err := l.Forget(t.Context(), today)
	require.NoError(t, err)
	assert.Equal(t, 2*forgetAtOnce+11, n)
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
		content, err := os.ReadFile(name) //nolint:gosec // a file of this test; no other connection of it is locking now
		require.NoError(t, err)
		found = found || bytes.Contains(content, []byte(text))
	}
	return found
}

// Whoever reads keeps the log from being emptied: that must not pass for done.
func TestForgetSaysWhenTheLogCouldNotBeEmptied(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openWith(t, Options{Path: path, Now: onThatDay})
	keep(t, l, anna, today.Add(-time.Hour), ledger.Sent)
	impatient := openWith(t, Options{Path: path, BusyTimeout: 1, Now: onThatDay})
	reader := openFile(t, path)
	runSQL(t, reader, "BEGIN")
	require.EqualValues(t, 1, number(t, reader, "SELECT count(*) FROM invite"))
	n, err := impatient.Forget(t.Context(), today)
	assert.Equal(t, 1, n)
	require.ErrorIs(t, err, ledger.ErrBusy)
	assert.ErrorContains(t, err, "forget again")
	runSQL(t, reader, "ROLLBACK")

	n, err = impatient.Forget(t.Context(), today)
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.False(t, onDisk(t, path, anna.Address))
}
