package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/ledgertest"
)

var _ mailer.Ledger = (*Ledger)(nil)

func TestConformance(t *testing.T) {
	t.Parallel()
	ledgertest.Conformance(t, newStorage)
}

func TestRenewal(t *testing.T) {
	t.Parallel()
	ledgertest.Renewal(t, newStorage)
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	ledgertest.Answers(t, newStorage)
}

func TestErasing(t *testing.T) {
	t.Parallel()
	ledgertest.Erasing(t, newStorage)
}

func TestAgreement(t *testing.T) {
	t.Parallel()
	ledgertest.Agreement(t, func(t testing.TB, now func() time.Time) ledgertest.Storage {
		s := newStorage(t, now).(*storage)
		s.unsynced = true // so that the time goes into histories
		return s
	})
}

// storage is one file and the ledgers that have it open.
type storage struct {
	options  Options
	unsynced bool

	mu    sync.Mutex
	alive []*Ledger
}

func newStorage(t testing.TB, now func() time.Time) ledgertest.Storage {
	return &storage{options: Options{Path: filepath.Join(t.TempDir(), "ledger.db"), Now: now}}
}

func (s *storage) Open() (ledgertest.Ledger, error) {
	l, err := Open(context.Background(), s.options)
	if err != nil {
		return nil, err
	}
	l.unsynced = s.unsynced
	if s.unsynced {
		if err := l.writer.with(context.Background(), func(c *conn) error {
			return c.script("PRAGMA synchronous = OFF")
		}); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alive = append(s.alive, l)
	return l, nil
}

func (s *storage) Kill(l ledgertest.Ledger) error {
	return kill(l.(*Ledger))
}

func (s *storage) Beat() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alive = slices.DeleteFunc(s.alive, isShutDown)
	var errs []error
	for _, l := range s.alive {
		errs = append(errs, l.beat(context.Background()))
	}
	return errors.Join(errs...)
}

func isShutDown(l *Ledger) bool {
	if err := l.calls.begin(); err != nil {
		return true
	}
	l.calls.end()
	return false
}

// kill ends a ledger that believes to hold nothing, so that it releases nothing.
func kill(l *Ledger) error {
	l.stopBeating()
	l.beats.Wait()
	l.owner = "killed"
	return l.Shutdown(context.Background())
}

// A claim must outlive any work, without being asked for, and not its owner.
func TestHeartbeatKeepsClaimsWhileTheirOwnerLives(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	synctest.Test(t, func(t *testing.T) {
		l, other := openFile(t, path), openFile(t, path)
		claim, err := l.Claim(t.Context(), anna)
		require.NoError(t, err)
		time.Sleep(10*time.Minute + time.Second)
		_, err = other.Claim(t.Context(), anna)
		require.ErrorIs(t, err, ledger.ErrInProgress)

		require.NoError(t, l.Release(t.Context(), claim))
		theirs, err := other.Claim(t.Context(), anna)
		require.NoError(t, err)
		require.NoError(t, other.Release(t.Context(), theirs))

		_, err = l.Claim(t.Context(), anna, ben)
		require.NoError(t, err)
		time.Sleep(time.Minute)
		require.NoError(t, kill(l))
		time.Sleep(ledgertest.Expiry)
		_, err = other.Claim(t.Context(), ben, anna)
		require.NoError(t, err)
	})
}

// A heartbeat that fails must be made up for before the claim is lost.
func TestHeartbeatSurvivesAFileThatIsLockedForAMoment(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	synctest.Test(t, func(t *testing.T) {
		l, err := Open(t.Context(), Options{Path: path, BusyTimeout: time.Second})
		require.NoError(t, err)
		defer func() { require.NoError(t, l.Shutdown(t.Context())) }()
		other := openFile(t, path)
		_, err = l.Claim(t.Context(), anna)
		require.NoError(t, err)
		lock(t, other, func() { time.Sleep(3*heartbeat + time.Second) })
		time.Sleep(heartbeat)
		_, err = other.Claim(t.Context(), anna)
		require.ErrorIs(t, err, ledger.ErrInProgress)
	})
}
