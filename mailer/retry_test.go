package mailer_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// TestRetryForCountsFromTheFirstFailureOfAll: while nothing succeeds, who comes
// later gets what is left of the time and no more; a success starts it anew.
func TestRetryForCountsFromTheFirstFailureOfAll(t *testing.T) {
	t.Parallel()
	const retryFor = 2 * time.Minute
	for name, tc := range map[string]struct {
		firstLeaves bool // at its second try
		from, to    time.Duration
	}{
		"nothing leaves":     {from: time.Minute, to: retryFor},
		"another one leaves": {firstLeaves: true, from: retryFor, to: time.Minute + retryFor},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newFixture(t, nil)
				tries := 0
				h.cfg.Submitter = smtpFunc(func(_ context.Context, env submission.Envelope) submission.Result {
					if tries++; tc.firstLeaves && tries == 2 {
						return accepted()
					}
					return busy()
				})
				h.cfg.Now, h.cfg.AllowPast = time.Now, true
				start, items := time.Now(), invites(2)
				var gaveUp time.Duration // on the second, which comes after a minute
				err := h.mailer(t).SendAll(t.Context(), func(yield func(mailer.Item) bool) {
					if yield(items[0]) {
						time.Sleep(time.Minute)
						yield(items[1])
					}
				}, mailer.RunOptions{Concurrency: 2, RetryFor: retryFor, Jitter: func() float64 { return 1 }}, func(
					r mailer.Result) {
					if r.Item.Tag == 1 {
						assert.Equal(t, mailer.Deferred, r.Receipts[0].Outcome)
						gaveUp = time.Since(start)
					}
				})
				require.NoError(t, err)
				assert.Greater(t, gaveUp, tc.from)
				assert.LessOrEqual(t, gaveUp, tc.to)
			})
		})
	}
}

// refusingLedger refuses every claim and counts them.
type refusingLedger struct {
	mailer.Ledger
	err    error
	claims int
}

func (l *refusingLedger) Claim(context.Context, ...ledger.Key) (ledger.Claim, error) {
	l.claims++
	return ledger.Claim{}, l.err
}

// TestWhatIsNotTriedAgainWithinARun: somebody else may be at it, so that only a
// later run can know how it ended.
func TestWhatIsNotTriedAgainWithinARun(t *testing.T) {
	t.Parallel()
	for code, refusal := range map[mailer.Code]error{
		mailer.CodeInProgress: ledger.ErrInProgress,
		mailer.CodeClaimLost:  ledger.ErrClaimLost,
	} {
		t.Run(string(code), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				memory := memoryLedger(t)
				l := &refusingLedger{Ledger: memory, err: refusal}
				start := time.Now()
				results, err := runAll(t, mailer.Config{Ledger: l,
					Submitter: smtpFunc(func(context.Context, submission.Envelope) submission.Result {
						return submission.Result{Outcome: submission.Refused, Err: errors.New("nothing is to be sent")}
					})}, invites(1), mailer.RunOptions{RetryFor: time.Hour})
				require.NoError(t, err)
				assert.Equal(t, map[mailer.Outcome]int{mailer.Deferred: 1}, outcomes(results))
				assert.Equal(t, code, results[0].Receipts[0].Error.Code)
				assert.True(t, results[0].Receipts[0].Error.Temporary)
				assert.Equal(t, 1, l.claims)
				assert.Zero(t, time.Since(start))
			})
		})
	}
}
