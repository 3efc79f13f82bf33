package mailer_test

import (
	"context"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// aMinuteEach takes a minute for each mail and notes it when it has left.
func aMinuteEach(log *runLog) smtpFunc {
	return func(_ context.Context, env submission.Envelope) submission.Result {
		time.Sleep(time.Minute)
		log.add(env.To, time.Now())
		return accepted()
	}
}

// TestShutdown: it waits for what is in hand, whichever way that came in, and
// refuses what is new by every way.
func TestShutdown(t *testing.T) {
	t.Parallel()
	one, pair := boardMeeting(), group(2)
	ways := map[string]func(context.Context, *mailer.Mailer) ([]mailer.Receipt, error){
		"Send": func(ctx context.Context, m *mailer.Mailer) ([]mailer.Receipt, error) {
			r, err := m.Send(ctx, one)
			return []mailer.Receipt{r}, err
		},
		"SendGroup": func(ctx context.Context, m *mailer.Mailer) ([]mailer.Receipt,
			error) {
			return m.SendGroup(ctx, pair)
		},
		"SendAll": func(ctx context.Context, m *mailer.Mailer) ([]mailer.Receipt, error) {
			var receipts []mailer.Receipt
			err := m.SendAll(ctx, slices.Values([]mailer.Item{{Invite: &one}}), mailer.RunOptions{},
				func(r mailer.Result) { receipts = append(receipts, r.Receipts...) })
			return receipts, err
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log runLog
				h := newFixture(t, nil)
				h.cfg.Submitter = aMinuteEach(&log)
				m := h.mailer(t)
				ended := false
				go func() {
					receipts, _ := way(t.Context(), m)
					for _, r := range receipts {
						assert.Equal(t, mailer.Sent, r.Outcome, "%v", r.Error)
					}
					ended = true
				}()
				synctest.Wait()
				soon, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				err := m.Shutdown(soon)
				require.ErrorIs(t, err, context.DeadlineExceeded, "it obeys its context")
				assert.ErrorContains(t, err, "1 calls of Send, SendGroup or SendAll are still in hand")
				require.NoError(t, m.Shutdown(t.Context()))
				synctest.Wait()
				assert.True(t, ended, "it waits for the call")
				left := len(log.to)
				assert.NotZero(t, left)

				receipts, err := way(t.Context(), m)
				require.ErrorIs(t, err, mailer.ErrClosed)
				require.NotEmpty(t, receipts)
				for _, r := range receipts {
					assert.Equal(t, mailer.Deferred, r.Outcome)
					assert.Equal(t, mailer.CodeNotBegun, r.Error.Code)
					require.ErrorIs(t, r.Error, mailer.ErrClosed)
				}
				assert.Len(t, log.to, left, "nothing leaves from a Mailer that was shut down")
			})
		})
	}
}

// TestShutdownStopsARun: a run of many ends like one that was stopped.
func TestShutdownStopsARun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log runLog
		h := newFixture(t, nil)
		h.cfg.Submitter = aMinuteEach(&log)
		m := h.mailer(t)
		var results []mailer.Result
		ended := make(chan error, 1)
		go func() {
			ended <- m.SendAll(t.Context(), slices.Values(invites(20)), mailer.RunOptions{Concurrency: 2},
				func(r mailer.Result) { results = append(results, r) })
		}()
		synctest.Wait()
		require.NoError(t, m.Shutdown(t.Context()))
		left := len(log.to)
		require.ErrorIs(t, <-ended, mailer.ErrClosed)
		assert.Equal(t, map[mailer.Outcome]int{mailer.Sent: left, mailer.Deferred: 20 - left}, outcomes(results))
		assert.LessOrEqual(t, left, 2)
		assert.Len(t, log.to, left)
	})
}

// TestWhatIsNoItem: what a program got wrong is told as one result, in words, and
// does not end the program.
func TestWhatIsNoItem(t *testing.T) {
	t.Parallel()
	one, pair := boardMeeting(), group(2)
	for name, tc := range map[string]struct {
		items   iter.Seq[mailer.Item]
		message string
	}{
		"a zero item": {slices.Values([]mailer.Item{{}}), "neither an invite nor a group"},
		"an invite and group": {slices.Values([]mailer.Item{{Invite: &one, Group: &pair}}),
			"both an invite and a group"},
		"a nil iterator":       {nil, "there is no iterator"},
		"an invite of nothing": {slices.Values([]mailer.Item{{Invite: new(mailer.Invite)}}), "is missing"},
		"a group of nobody": {slices.Values([]mailer.Item{{Group: new(mailer.Group)}}),
			"name at least one recipient"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log runLog
			h := newFixture(t, nil)
			h.cfg.Submitter = aMinuteEach(&log)
			m := h.mailer(t)
			var results []mailer.Result
			require.NoError(t, m.SendAll(t.Context(), tc.items, mailer.RunOptions{},
				func(r mailer.Result) { results = append(results, r) }))
			require.Len(t, results, 1)
			for _, r := range results[0].Receipts {
				assert.Equal(t, mailer.Invalid, r.Outcome)
				assert.Equal(t, mailer.CodeInvalid, r.Error.Code)
				assert.Contains(t, r.Error.Message, tc.message)
			}
			assert.NotEmpty(t, results[0].Receipts)
			assert.Empty(t, log.to)
			require.NoError(t, m.SendAll(t.Context(), tc.items, mailer.RunOptions{}, nil), "nobody has to listen")
		})
	}
}
