package mailer_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// TestPanicOfTheIterator reaches the caller of SendAll, once what is in hand has
// ended: a goroutine of ours must not end the program in the middle of its mails.
func TestPanicOfTheIterator(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log runLog
		h := newFixture(t, nil)
		h.cfg.Submitter = aMinuteEach(&log)
		m := h.mailer(t)
		var results []mailer.Result
		assert.PanicsWithValue(t, "the database went away", func() {
			_ = m.SendAll(t.Context(), func(yield func(mailer.Item) bool) {
				for _, item := range invites(3) {
					yield(item)
				}
				time.Sleep(time.Second) // the first mail is under way
				panic("the database went away")
			}, mailer.RunOptions{}, func(r mailer.Result) { results = append(results, r) })
		})
		assert.Equal(t, map[mailer.Outcome]int{mailer.Sent: 1, mailer.Deferred: 2}, outcomes(results))
		assert.Len(t, log.to, 1)
		require.NoError(t, m.Shutdown(t.Context()), "nothing is in hand any more")
	})
}

// TestPanicOfEmit: nothing more is begun, and what is in hand still counts as
// such, so that a shutdown waits for it.
func TestPanicOfEmit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log runLog
		h := newFixture(t, nil)
		h.cfg.Submitter = aMinuteEach(&log)
		m := h.mailer(t)
		invalid := invites(1)[0]
		invalid.Err = &mailer.Error{Message: "broken"}
		begun := 0
		go func() {
			defer func() { assert.Equal(t, "no listener", recover()) }()
			_ = m.SendAll(t.Context(), func(yield func(mailer.Item) bool) {
				for _, item := range invites(2) {
					yield(item)
				}
				time.Sleep(time.Second) // mails are under way
				begun = 1
				yield(invalid)
			}, mailer.RunOptions{Concurrency: 2}, func(mailer.Result) { panic("no listener") })
		}()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Equal(t, 1, begun)
		require.NoError(t, m.Shutdown(t.Context()))
		assert.Len(t, log.to, 2, "both have left")
		time.Sleep(time.Hour)
		assert.Len(t, log.to, 2)
	})
}

// TestStopEndsTheWaitForTheLedger, which another process may have locked: no
// request and no mail is under way.
func TestStopEndsTheWaitForTheLedger(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"claim", "submitting"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log runLog
				h := newFixture(t, nil)
				h.cfg.Submitter = aMinuteEach(&log)
				memory := memoryLedger(t)
				h.cfg.Ledger = lockedLedger{memory, at}
				m := h.mailer(t)
				stop := make(chan struct{})
				time.AfterFunc(time.Second, func() { close(stop) })
				begin := time.Now()
				var results []mailer.Result
				err := m.SendAll(t.Context(), slices.Values(invites(2)), mailer.RunOptions{Stop: stop},
					func(r mailer.Result) { results = append(results, r) })
				require.ErrorIs(t, err, mailer.ErrStopped)
				assert.Equal(t, time.Second, time.Since(begin))
				require.Len(t, results, 2)
				for _, r := range results {
					assert.Equal(t, mailer.Deferred, r.Receipts[0].Outcome)
					assert.Equal(t, mailer.CodeNotBegun, r.Receipts[0].Error.Code)
				}
				assert.Empty(t, log.to)
			})
		})
	}
}

// lockedLedger is one that another process has locked for ten seconds.
type lockedLedger struct {
	mailer.Ledger
	at string
}

func (l lockedLedger) wait(ctx context.Context, at string) error {
	if at != l.at {
		return nil
	}
	select {
	case <-time.After(10 * time.Second):
		return ledger.ErrBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l lockedLedger) Claim(ctx context.Context, keys ...ledger.Key) (ledger.Claim, error) {
	if err := l.wait(ctx, "claim"); err != nil {
		return ledger.Claim{}, err
	}
	return l.Ledger.Claim(ctx, keys...)
}

func (l lockedLedger) Submitting(ctx context.Context, c ledger.Claim, key ledger.Key, s ledger.Submission) error {
	if err := l.wait(ctx, "submitting"); err != nil {
		return err
	}
	return l.Ledger.Submitting(ctx, c, key, s)
}
