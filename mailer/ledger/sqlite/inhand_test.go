package sqlite

import (
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// ahead leaves a claim of a run that died while the clock was a day ahead.
func ahead(t *testing.T, path string, now time.Time, keys ...ledger.Key) {
	t.Helper()
	dead := openWith(t, Options{Path: path, Now: func() time.Time { return now.Add(24 * time.Hour) }})
	_, err := dead.Claim(t.Context(), keys...)
	require.NoError(t, err)
	require.NoError(t, kill(dead))
}

func TestDeadClaimOfAClockThatWasAheadIsFreeAfterALease(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	synctest.Test(t, func(t *testing.T) {
		ahead(t, path, time.Now(), anna)
		l := openFile(t, path)
		_, err := l.Claim(t.Context(), anna)
		require.ErrorIs(t, err, ledger.ErrInProgress)
		time.Sleep(lease - time.Second)
		_, err = l.Claim(t.Context(), anna)
		require.ErrorIs(t, err, ledger.ErrInProgress)
		time.Sleep(time.Second)
		_, err = l.Claim(t.Context(), anna)
		require.NoError(t, err)
	})
}

// A clock that is set back while a run works must not make two work on the same.
func TestLiveClaimSurvivesAClockThatIsSetBack(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	synctest.Test(t, func(t *testing.T) {
		var back atomic.Int64
		l := openWith(t, Options{Path: path,
			Now: func() time.Time { return time.Now().Add(24*time.Hour - time.Duration(back.Load())) }})
		other := openFile(t, path)
		claim, err := l.Claim(t.Context(), anna)
		require.NoError(t, err)
		back.Store(int64(24 * time.Hour))
		for range 2 * 60 {
			_, err = other.Claim(t.Context(), anna)
			require.ErrorIs(t, err, ledger.ErrInProgress)
			time.Sleep(time.Second)
		}
		require.NoError(t, l.Create(t.Context(), claim, benchMade(anna)))
	})
}

func TestForgetWaitsForAClaimOfAClockThatWasAhead(t *testing.T) {
	t.Parallel()
	clock := newClock()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openWith(t, Options{Path: path, Now: clock.Now})
	keep(t, l, anna, clock.Now().Add(-time.Hour))
	ahead(t, path, clock.Now(), anna)
	for i, want := range []int{0, 1} {
		n, err := l.Forget(t.Context(), clock.Now())
		require.NoError(t, err)
		assert.Equal(t, want, n, "%d", i)
		clock.Move(lease)
	}
}

func TestWhatIsInHandIsListed(t *testing.T) {
	t.Parallel()
	clock := newClock()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, other := openWith(t, Options{Path: path, Application: "one", Now: clock.Now}), openWith(t, Options{Path: path,
		Application: "other", Now: clock.Now})
	keep(t, l, anna, time.Time{})
	keep(t, other, anna, time.Time{})
	_, err := other.Claim(t.Context(), anna)
	require.NoError(t, err)
	_, err = l.Claim(t.Context(), ben, anna)
	require.NoError(t, err)
	all, err := l.InHand(t.Context())
	require.NoError(t, err)
	until := clock.Now().Add(lease)
	assert.Equal(t, []Claimed{{anna, until, true}, {ben, until, false}}, all)
	clock.Move(lease)
	all, err = l.InHand(t.Context())
	require.NoError(t, err)
	assert.Empty(t, all, "that claim ran out")
}

// Only what ends too late is shortened, and only what is of the same application.
func TestOtherClaimsAreLeftAlone(t *testing.T) {
	t.Parallel()
	clock := newClock()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openWith(t, Options{Path: path, Application: "one", Now: clock.Now})
	other := openWith(t, Options{Path: path, Application: "two",
		Now: func() time.Time { return clock.Now().Add(24 * time.Hour) }})
	_, err := other.Claim(t.Context(), ben)
	require.NoError(t, err)
	_, err = l.Claim(t.Context(), ben)
	require.NoError(t, err)
	want := number(t, l, "SELECT sum(expires) FROM claim")
	clock.Move(time.Second)
	runSQL(t, l,
		`INSERT INTO claim SELECT application, invite_id, 'anna@example.com', token, owner, expires + 3600000000
		FROM claim WHERE application = 1`)
	_, err = l.Claim(t.Context(), anna)
	require.ErrorIs(t, err, ledger.ErrInProgress)
	assert.Equal(t, clock.Now().Add(lease).UnixMicro(), number(t, l,
		"SELECT expires FROM claim WHERE address = 'anna@example.com'"))
	assert.Equal(t, want, number(t, l, "SELECT sum(expires) FROM claim WHERE address = 'ben@example.com'"))
}
