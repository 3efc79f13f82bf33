package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Writes that wait at the same time share transactions, and each is answered right.
func TestWritesShareTransactions(t *testing.T) {
	t.Parallel()
	l, path := newFile(t)
	const writers = 300
	for i := range writers {
		keep(t, l, benchKey(i), time.Time{})
	}
	runSQL(t, l, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint = 0")
	var group sync.WaitGroup
	lock(t, l, func() {
		for i := range writers {
			group.Go(func() {
				done, err := l.RecordRSVP(t.Context(), benchKey(i), called("accepted"))
				assert.NoError(t, err)
				assert.Equal(t, ledger.Recorded{Known: true, Verdict: ledger.News}, done)
			})
		}
		waiting(t, l, writers)
	})
	group.Wait()
	log, err := os.Stat(path + "-wal")
	require.NoError(t, err)
	assert.Less(t, log.Size(), int64(writers*4096), "each of their own would have written several pages")
	assert.EqualValues(t, writers, number(t, l, "SELECT count(*) FROM rsvp"))
	assert.Empty(t, l.group.waiting)
}

// A caller that gives up waiting fails alone, and what it wanted to write is not written.
func TestGivingUpHarmsNoOther(t *testing.T) {
	t.Parallel()
	l, path := newFile(t)
	live(t, l, anna)
	live(t, l, ben)
	blocker := openFile(t, path)
	result := make(chan error, 2)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lock(t, blocker, func() {
		go func() {
			_, err := l.RecordRSVP(ctx, anna, called("accepted"))
			result <- err
		}()
		require.Eventually(t, func() bool { return len(l.writer.lent) == 1 }, time.Minute, time.Millisecond)
		go func() {
			_, err := l.RecordRSVP(t.Context(), ben, called("accepted"))
			result <- err
		}()
		cancel()
		require.Error(t, <-result)
	})
	require.NoError(t, <-result)
	assert.Nil(t, latest(t, l))
	history, err := l.RSVPs(t.Context(), ben)
	require.NoError(t, err)
	assert.Len(t, history, 1)
}

// A write that breaks, and one that refuses, fail alone: what shares their
// transaction is done.
func TestWritesThatFailFailAlone(t *testing.T) {
	t.Parallel()
	l, _ := newFile(t)
	live(t, l, anna)
	unmade := ledger.Key{InviteID: "never-asked-for", Address: ben.Address}
	claim, err := l.Claim(t.Context(), ben, unmade)
	require.NoError(t, err)
	broken := errors.New("broken")
	var group sync.WaitGroup
	lock(t, l, func() {
		group.Go(func() {
			done, err := l.RecordRSVP(t.Context(), anna, called("accepted"))
			assert.NoError(t, err)
			assert.Equal(t, ledger.Recorded{Known: true, Verdict: ledger.News}, done)
		})
		group.Go(func() {
			assert.ErrorIs(t, l.write(t.Context(), "breaking", true, func(c *conn) error {
				return errors.Join(c.exec("DELETE FROM rsvp"), broken)
			}), broken)
		})
		group.Go(func() {
			_, err := l.Claim(t.Context(), anna, ben)
			assert.ErrorIs(t, err, ledger.ErrInProgress)
		})
		group.Go(func() {
			assert.ErrorIs(t, l.Finish(t.Context(), claim, unmade, ledger.Result{State: ledger.Sent}), errNoRevision)
		})
		group.Go(func() { assert.NoError(t, l.Create(t.Context(), claim, benchMade(ben))) })
		waiting(t, l, 5)
	})
	group.Wait()
	assert.NotNil(t, latest(t, l))
	assert.EqualValues(t, 2, number(t, l, "SELECT count(*) FROM claim"), "a claim that was refused holds nothing")
	require.NoError(t, l.Shutdown(t.Context()))
	_, err = l.RecordRSVP(t.Context(), anna, called("declined"))
	require.ErrorIs(t, err, errClosed)
}

// What a write did before it broke is undone, once it has run once, and the one
// transaction of all is kept.
func TestWriteThatBreaksIsUndoneInsideTheTransaction(t *testing.T) {
	t.Parallel()
	l, _ := newFile(t)
	live(t, l, anna)
	broken := errors.New("broken")
	var group sync.WaitGroup
	var runs int
	record := func(r ledger.RSVP) {
		_, err := l.RecordRSVP(t.Context(), anna, r)
		assert.NoError(t, err)
	}
	lock(t, l, func() {
		group.Go(func() { record(called("accepted")) })
		waiting(t, l, 1)
		group.Go(func() {
			assert.ErrorIs(t, l.write(t.Context(), "breaking", true, func(c *conn) error {
				runs++
				return errors.Join(c.exec("DELETE FROM rsvp"), c.exec("DELETE FROM invite"), broken)
			}), broken)
		})
		waiting(t, l, 2)
		group.Go(func() { record(called("declined")) })
		waiting(t, l, 3)
	})
	group.Wait()
	assert.Equal(t, 1, runs)
	history, err := l.RSVPs(t.Context(), anna)
	require.NoError(t, err)
	require.Len(t, history, 2)
	assert.Equal(t, "declined", history[1].Status)
}

// A disk that fails fails everybody, those that were refused included, and
// nothing of the transaction stays.
func TestDiskThatFailsFailsTheWholeGroup(t *testing.T) {
	t.Parallel()
	l, _ := newFile(t)
	live(t, l, anna)
	live(t, l, ben)
	held, err := l.Claim(t.Context(), anna)
	require.NoError(t, err)
	runSQL(t, l, "PRAGMA wal_checkpoint(TRUNCATE)")
	pages := number(t, l, "PRAGMA page_count")
	runSQL(t, l, fmt.Sprintf("PRAGMA max_page_count = %d", pages))
	large := called("accepted")
	large.Comment = strings.Repeat("x", 1<<20)
	var group sync.WaitGroup
	lock(t, l, func() {
		group.Go(func() {
			_, err := l.RecordRSVP(t.Context(), anna, called("accepted"))
			assert.ErrorIs(t, err, ledger.ErrBusy)
		})
		group.Go(func() {
			_, err := l.Claim(t.Context(), anna) // in progress, by what is not known to hold any more
			assert.ErrorIs(t, err, ledger.ErrBusy)
		})
		waiting(t, l, 2)
		group.Go(func() {
			_, err := l.RecordRSVP(t.Context(), ben, large)
			assert.ErrorIs(t, err, ledger.ErrBusy)
			assert.ErrorContains(t, err, "make room on the disk")
		})
		waiting(t, l, 3)
	})
	group.Wait()
	assert.Nil(t, latest(t, l))
	require.NoError(t, l.Release(t.Context(), held))
	assert.True(t, hear(t, l, called("accepted")), "and the next one may fit")
}

// A context that ends ends the waiting of one; what is under way is brought to
// its end, and its caller hears of that.
func TestCancelledContextAmongOthers(t *testing.T) {
	t.Parallel()
	l, _ := newFile(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var group sync.WaitGroup
	lock(t, l, func() {
		given := make(chan error)
		go func() {
			_, err := l.Claim(ctx, anna)
			given <- err
		}()
		group.Go(func() {
			_, err := l.Claim(t.Context(), ben)
			assert.NoError(t, err)
		})
		waiting(t, l, 2)
		cancel()
		require.ErrorIs(t, <-given, context.Canceled)
		waiting(t, l, 1)
	})
	group.Wait()

	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	require.NoError(t, l.write(ctx, "writing", true, func(c *conn) error {
		cancel()
		return c.exec(nameAPI, "https://api.example.com")
	}))
	assert.EqualValues(t, 1, number(t, l, "SELECT count(*) FROM meta WHERE api_url <> ''"))
	assert.EqualValues(t, 1, number(t, l, "SELECT count(*) FROM claim"))
}

// A ledger that is shut down leaves no claim behind that was made in that moment.
func TestShuttingDownWhileClaimsAreMade(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	other := openFile(t, path)
	for range 20 {
		l := openFile(t, path)
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				if _, err := l.Claim(t.Context(), benchKey(i)); err != nil {
					assert.ErrorIs(t, err, errClosed)
				}
			})
		}
		require.NoError(t, l.Shutdown(t.Context()))
		group.Wait()
		require.Zero(t, number(t, other, "SELECT count(*) FROM claim"))
	}
}

// waiting waits until that many writes do.
func waiting(t testing.TB, l *Ledger, writes int) {
	t.Helper()
	require.Eventually(t, func() bool {
		l.group.mu.Lock()
		defer l.group.mu.Unlock()
		return len(l.group.waiting) == writes
	}, time.Minute, time.Millisecond)
}
