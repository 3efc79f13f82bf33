package sqlite

import (
	"context"
	"errors"
	"os"
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
	const writers = groupMost + 50
	for i := range writers {
		keep(t, l, benchKey(i), time.Time{}, ledger.Sent)
	}
	sql(t, l, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint = 0")
	var group sync.WaitGroup
	lock(t, l, func() {
		for i := range writers {
			group.Go(func() {
				_, changed, known, err := l.RecordRSVP(t.Context(), benchKey(i), called("accepted"))
				assert.NoError(t, err)
				assert.True(t, changed && known)
			})
		}
		require.Eventually(t, func() bool {
			l.group.mu.Lock()
			defer l.group.mu.Unlock()
			return len(l.group.waiting) == writers
		}, time.Minute, time.Millisecond)
	})
	group.Wait()
	log, err := os.Stat(path + "-wal")
	require.NoError(t, err)
	assert.Less(t, log.Size(), int64(writers*4096), "each of their own would have written several pages")
	assert.EqualValues(t, writers, number(t, l, "SELECT count(*) FROM rsvp"))
	assert.Empty(t, l.group.waiting)
}

// Who gives up waiting fails alone, and what it wanted to write is not written.
func TestGivingUpHarmsNobody(t *testing.T) {
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
			_, _, _, err := l.RecordRSVP(ctx, anna, called("accepted"))
			result <- err
		}()
		require.Eventually(t, func() bool { return len(l.writer.lent) == 1 }, time.Minute, time.Millisecond)
		go func() {
			_, _, _, err := l.RecordRSVP(t.Context(), ben, called("accepted"))
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

// A transaction that fails fails for all who share it, and nothing of it stays.
func TestSharedTransactionFailsAsAWhole(t *testing.T) {
	t.Parallel()
	l, _ := newFile(t)
	live(t, l, anna)
	broken := errors.New("broken")
	var group sync.WaitGroup
	lock(t, l, func() {
		group.Go(func() {
			_, _, _, err := l.RecordRSVP(t.Context(), anna, called("accepted"))
			assert.ErrorIs(t, err, broken)
		})
		group.Go(func() {
			assert.ErrorIs(t, l.writeGrouped(t.Context(), "breaking", func(*conn) error { return broken }), broken)
		})
		require.Eventually(t, func() bool {
			l.group.mu.Lock()
			defer l.group.mu.Unlock()
			return len(l.group.waiting) == 2
		}, time.Minute, time.Millisecond)
	})
	group.Wait()
	assert.Nil(t, latest(t, l))
	assert.True(t, hear(t, l, called("accepted")))
	require.NoError(t, l.Close())
	_, _, _, err := l.RecordRSVP(t.Context(), anna, called("declined"))
	require.ErrorIs(t, err, errClosed)
}
