package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// refusesAll holds that no call gets through.
func refusesAll(t *testing.T, l *Ledger) {
	t.Helper()
	for name, call := range map[string]func() error{
		"Claim": func() error {
			_, err := l.Claim(t.Context(), ben)
			return err
		},
		"Create": func() error { return l.Create(t.Context(), ledger.Claim{}, benchMade(ben)) },
		"Lookup": func() error {
			_, err := l.Lookup(t.Context(), ben)
			return err
		},
		"RecordRSVP": func() error {
			_, err := l.RecordRSVP(t.Context(), ben, called("accepted"))
			return err
		},
		"Forget": func() error {
			_, err := l.Forget(t.Context(), time.Now())
			return err
		},
	} {
		err := call()
		require.ErrorIs(t, err, errClosed, name)
		assert.ErrorContains(t, err, "ledger "+l.name, name)
	}
}

// A shutdown obeys its context; what is in hand comes to its end all the same, and
// then what is held is released, whichever call waits for that.
func TestShutdownWaitsForWhatIsInHand(t *testing.T) {
	t.Parallel()
	l, path := newFile(t)
	other := openFile(t, path)
	claimed := make(chan error)
	lock(t, other, func() {
		go func() {
			_, err := l.Claim(t.Context(), anna)
			claimed <- err
		}()
		waiting(t, l, 1)
		tooLate := errors.New("too late")
		ended, end := context.WithCancelCause(t.Context())
		end(tooLate)
		for range 2 {
			err := l.Shutdown(ended)
			require.ErrorIs(t, err, tooLate)
			assert.ErrorContains(t, err, "calls are still in hand")
		}
		refusesAll(t, l)
	})
	require.NoError(t, <-claimed)
	require.Eventually(t, func() bool { return number(t, other, "SELECT count(*) FROM claim") == 0 }, time.Minute,
		time.Millisecond)
	require.NoError(t, l.Shutdown(t.Context()))
	refusesAll(t, l)
	ended, end := context.WithCancel(t.Context())
	end()
	require.NoError(t, l.Shutdown(ended), "it had ended before its context did")
}

// What a call in hand holds is kept alive while a shutdown waits for it.
func TestShutdownKeepsClaimsUntilItEnds(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	synctest.Test(t, func(t *testing.T) {
		l, other := openFile(t, path), openFile(t, path)
		_, err := l.Claim(t.Context(), anna)
		require.NoError(t, err)
		require.NoError(t, l.calls.begin())
		ended := make(chan error)
		go func() { ended <- l.Shutdown(t.Context()) }()
		time.Sleep(time.Minute)
		_, err = other.Claim(t.Context(), anna)
		require.ErrorIs(t, err, ledger.ErrInProgress)
		l.calls.end()
		require.NoError(t, <-ended)
		_, err = other.Claim(t.Context(), anna)
		require.NoError(t, err)
	})
}
