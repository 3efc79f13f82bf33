package mailer_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

func TestSendAllStopsBeforeOneMailTooMany(t *testing.T) {
	t.Parallel()
	for _, concurrency := range []int{1, 3, 8} {
		t.Run(fmt.Sprint(concurrency), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log runLog
				results, err := runAll(t, mailer.Config{Submitter: smtpFunc(func(_ context.Context,
					env submission.Envelope) submission.Result {
					time.Sleep(time.Second)
					if log.add(env.To, time.Now())%3 == 0 {
						return submission.Result{Outcome: submission.NotBegun, Step: submission.StepDial,
							Temporary: true, Err: errors.New("no connection")}
					}
					return accepted()
				})}, invites(20), mailer.RunOptions{Concurrency: concurrency, MaxMails: 7})
				require.NoError(t, err)
				got := outcomes(results)
				assert.Equal(t, 7, got[mailer.Sent], "what did not begin does not count")
				assert.Equal(t, 13, got[mailer.Deferred])
			})
		})
	}
}

func TestSendAllStopsWhenEverythingWouldFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t, nil)
		for status, code := range map[int]mailer.Code{401: mailer.CodeUnauthorized, 402: mailer.Code("plan"),
			403: mailer.Code("forbidden")} {
			before := h.api.Count()
			h.setFault(func(*cronofytest.Request) *cronofytest.Fault { return cronofytest.FaultStatus(status, 0) })
			results, err := runAll(t, mailer.Config{API: h.cfg.API, Submitter: smtpFunc(nil)}, invites(30),
				mailer.RunOptions{RetryFor: time.Hour})
			var e *mailer.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, code, e.Code)
			assert.Equal(t, map[mailer.Outcome]int{mailer.Deferred: 30}, outcomes(results),
				"every record has its result")
			assert.Equal(t, mailer.CodeNotBegun, results[29].Receipts[0].Error.Code)
			assert.Equal(t, 1, h.api.Count()-before, "one refused key is enough")
		}
	})
}

// TestNetworkAway: an API that cannot be reached is tried again, whether it ever
// answered or not. One whose host does not exist stops the run if a URL named it.
func TestNetworkAway(t *testing.T) {
	t.Parallel()
	away := &cronofy.Error{NotConnected: true, Reason: "the request failed",
		Err: errors.New("connect: network is unreachable")}
	for name, tc := range map[string]struct {
		answers []error // of the API, in their order; the last for ever
		asked   int
		want    mailer.Outcome
		code    mailer.Code
		stops   bool
	}{
		"from the start": {answers: []error{away}, asked: 8, want: mailer.Deferred, code: mailer.Code("transport")},
		"for a while":    {answers: []error{away, away, nil}, asked: 3, want: mailer.Sent},
		"after an answer": {answers: []error{&cronofy.Error{Status: 503}, &cronofy.Error{Status: 429}, away,
			nil}, asked: 4, want: mailer.Sent},
		"no such host": {answers: []error{&cronofy.Error{NotConnected: true, NoHost: true,
			Reason: "no such host"}}, asked: 1, want: mailer.Deferred, code: mailer.CodeUnreachable, stops: true},
		"503 for too long": {answers: []error{&cronofy.Error{Status: 503, RetryAfter: time.Hour}}, asked: 1,
			want: mailer.Deferred, code: mailer.Code("server_error")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				api, asked := newFixture(t, nil).cfg.API, 0
				cfg := mailer.Config{Submitter: smtpFunc(func(context.Context,
					submission.Envelope) submission.Result {
					return accepted()
				}),
					API: apiFunc(func(ctx context.Context, r *cronofy.InviteRequest) (*cronofy.SmartInvite, error) {
						asked++
						if err := tc.answers[min(asked, len(tc.answers))-1]; err != nil {
							return nil, err
						}
						return api.Create(ctx, r)
					})}
				results, err := runAll(t, cfg, invites(1),
					mailer.RunOptions{RetryFor: 2 * time.Minute, Jitter: func() float64 { return 1 }})
				assert.Equal(t, tc.stops, err != nil)
				assert.Equal(t, tc.asked, asked)
				r := results[0].Receipts[0]
				assert.Equal(t, tc.want, r.Outcome)
				if tc.want != mailer.Sent {
					assert.Equal(t, tc.code, r.Error.Code)
					assert.Equal(t, tc.stops, r.Error.StopsRun)
					assert.Equal(t, !tc.stops, r.Error.Temporary)
				}
				if tc.code == mailer.Code("server_error") {
					assert.Equal(t, time.Hour, r.Error.RetryAfter)
				}
			})
		})
	}
}

func TestSendAllStopsSoftly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		var log runLog
		results, err := runAll(t, mailer.Config{Submitter: smtpFunc(func(_ context.Context,
			env submission.Envelope) submission.Result {
			if log.add(env.To, time.Now()) == 5 {
				close(stop)
			}
			time.Sleep(time.Second)
			return accepted()
		})}, invites(20), mailer.RunOptions{Concurrency: 2, Stop: stop})
		require.ErrorIs(t, err, mailer.ErrStopped)
		got := outcomes(results)
		assert.Equal(t, len(log.to), got[mailer.Sent], "what was under way is finished")
		assert.LessOrEqual(t, got[mailer.Sent], 6)
		assert.Equal(t, 20-got[mailer.Sent], got[mailer.Deferred])
	})
}

// A pipe that gives nothing more must not hold up a run that was stopped.
func TestSendAllStopsWithoutTheRestOfItsInput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stop, never := make(chan struct{}), make(chan struct{})
		defer close(never)
		h := newFixture(t, nil)
		h.cfg.Submitter = smtpFunc(func(context.Context, submission.Envelope) submission.Result { return accepted() })
		h.cfg.AllowPast = true
		m := h.mailer(t)
		var results []mailer.Result
		err := m.SendAll(t.Context(), func(yield func(mailer.Item) bool) {
			yield(invites(1)[0])
			close(stop)
			<-never
		}, mailer.RunOptions{Stop: stop}, func(r mailer.Result) { results = append(results, r) })
		require.ErrorIs(t, err, mailer.ErrStopped)
		assert.Len(t, results, 1)
	})
}

// Send after Close must say so, and Close must wait for what is in hand.
func TestCloseWaitsForWhatIsInHand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t, nil)
		h.cfg.Submitter = smtpFunc(func(context.Context, submission.Envelope) submission.Result {
			time.Sleep(time.Minute)
			return accepted()
		})
		m, err := mailer.New(h.cfg)
		require.NoError(t, err)
		sent := make(chan mailer.Receipt, 1)
		go func() {
			r, err := m.Send(t.Context(), boardMeeting())
			assert.NoError(t, err)
			sent <- r
		}()
		synctest.Wait()
		require.NoError(t, m.Shutdown(context.Background()))
		assert.Equal(t, mailer.Sent, (<-sent).Outcome)
		r, err := m.Send(t.Context(), boardMeeting())
		require.Error(t, err)
		assert.Equal(t, mailer.Deferred, r.Outcome)
		assert.Equal(t, mailer.CodeNotBegun, r.Error.Code)
	})
}

// An interrupted request is deferred, not failed: the API may be fine.
func TestSendStopsWithItsContext(t *testing.T) {
	t.Parallel()
	h := newFixture(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	h.cfg.API = apiFunc(func(ctx context.Context, r *cronofy.InviteRequest) (*cronofy.SmartInvite, error) {
		cancel()
		return nil, ctx.Err()
	})
	r, err := h.mailer(t).Send(ctx, boardMeeting())
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, mailer.Deferred, r.Outcome)
	assert.Equal(t, mailer.Code("interrupted"), r.Error.Code)
}
