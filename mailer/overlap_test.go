package mailer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// level counts how many are inside at once, and the most there ever were.
type level struct{ now, most atomic.Int64 }

func (l *level) enter() (leave func()) {
	n := l.now.Add(1)
	for most := l.most.Load(); n > most && !l.most.CompareAndSwap(most, n); most = l.most.Load() {
	}
	return func() { l.now.Add(-1) }
}

// slowAPI takes its time for each request.
type slowAPI struct {
	mailer.SmartInvites
	took  time.Duration
	level level
}

func (a *slowAPI) Create(ctx context.Context, r *cronofy.InviteRequest) (*cronofy.SmartInvite, error) {
	defer a.level.enter()()
	time.Sleep(a.took)
	return a.SmartInvites.Create(ctx, r)
}

// slowSMTP has that many connections, each of which takes its time.
type slowSMTP struct {
	took  time.Duration
	slots chan struct{}
	level level
}

func (s *slowSMTP) Submit(context.Context, submission.Envelope, []byte) submission.Result {
	defer s.level.enter()()
	s.slots <- struct{}{}
	defer func() { <-s.slots }()
	time.Sleep(s.took)
	return accepted()
}

// slowLedger takes its time for each durable write.
type slowLedger struct {
	mailer.Ledger
	took time.Duration
}

func newSlowLedger(t *testing.T, took time.Duration) slowLedger {
	t.Helper()
	l := memoryLedger(t)
	return slowLedger{l, took}
}

func (l slowLedger) Submitting(ctx context.Context, c ledger.Claim, k ledger.Key, s ledger.Submission) error {
	time.Sleep(l.took)
	return l.Ledger.Submitting(ctx, c, k, s)
}

func (l slowLedger) Finish(ctx context.Context, c ledger.Claim, k ledger.Key, o ledger.Result) error {
	time.Sleep(l.took)
	return l.Ledger.Finish(ctx, c, k, o)
}

// TestStagesOverlap: the whole way is as fast as the slower of API and mail
// server, whichever that is, and no stage waits for a batch to fill. No more
// requests and mails are under way than was allowed.
func TestStagesOverlap(t *testing.T) {
	t.Parallel()
	const invitesEach = 1000
	for name, tc := range map[string]struct{ api, smtp, disk time.Duration }{
		"API is slower":         {50 * time.Millisecond, 40 * time.Millisecond, 3 * time.Millisecond},
		"mail server is slower": {20 * time.Millisecond, 60 * time.Millisecond, 3 * time.Millisecond},
		"both alike":            {50 * time.Millisecond, 50 * time.Millisecond, 3 * time.Millisecond},
		"slow disk":             {50 * time.Millisecond, 40 * time.Millisecond, 10 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const atOnce = 10
				api := &slowAPI{SmartInvites: newFixture(t, nil).cfg.API, took: tc.api}
				smtp := &slowSMTP{took: tc.smtp, slots: make(chan struct{}, atOnce)}
				cfg := mailer.Config{API: api, Submitter: smtp, Ledger: newSlowLedger(t, tc.disk)}
				start := time.Now()
				results, err := runAll(t, cfg, invites(invitesEach),
					mailer.RunOptions{Concurrency: atOnce, Mails: 2 * atOnce})
				took := time.Since(start)
				require.NoError(t, err)
				assert.Equal(t, map[mailer.Outcome]int{mailer.Sent: invitesEach}, outcomes(results))
				alone := max(tc.api, tc.smtp) * invitesEach / atOnce
				share := float64(alone) / float64(took)
				t.Logf("%v, and the slower stage alone %v: %.1f %%", took, alone, 100*share)
				assert.GreaterOrEqual(t, share, 0.95, "of the rate of the slower stage")
				assert.EqualValues(t, atOnce, api.level.most.Load(), "requests at once")
				assert.LessOrEqual(t, smtp.level.most.Load(), int64(2*atOnce), "mails at once")

				// One alone waits for nobody.
				start = time.Now()
				one := boardMeeting()
				one.ID = "alone"
				_, err = runAll(t, cfg, []mailer.Item{{Invite: &one}}, mailer.RunOptions{Concurrency: atOnce})
				require.NoError(t, err)
				assert.Equal(t, tc.api+tc.smtp+2*tc.disk, time.Since(start))
			})
		})
	}
}

// TestOneAtATime: with a concurrency of 1 the next invite is begun when the one
// before has ended, so the results come in the order of the input.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		api := &slowAPI{SmartInvites: newFixture(t, nil).cfg.API, took: time.Second}
		smtp := &slowSMTP{took: time.Second, slots: make(chan struct{}, 9)}
		start := time.Now()
		results, err := runAll(t, mailer.Config{API: api, Submitter: smtp}, invites(20), mailer.RunOptions{Mails: 9})
		require.NoError(t, err)
		assert.Equal(t, 40*time.Second, time.Since(start))
		assert.True(t, slices.IsSortedFunc(results, func(a,
			b mailer.Result) int {
			return a.Item.Tag.(int) - b.Item.Tag.(int)
		}))
	})
}

// TestRefusedLoginIsNotTriedByAllWhoWait: what would fail for everybody is tried
// by those who were under way, and by nobody after; an account is locked soon.
func TestRefusedLoginIsNotTriedByAllWhoWait(t *testing.T) {
	t.Parallel()
	t.Run("SMTP", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var tries level
			results, err := runAll(t, mailer.Config{Submitter: smtpFunc(func(context.Context,
				submission.Envelope) submission.Result {
				tries.enter()
				time.Sleep(time.Second)
				return submission.Result{Outcome: submission.Refused, Step: submission.StepLogin, Code: 535,
					Config: true, Err: errors.New("535 5.7.8 no")}
			})}, invites(50), mailer.RunOptions{Concurrency: 10, Mails: 2, RetryFor: time.Hour})
			var e *mailer.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, mailer.CodeSMTPConfig, e.Code)
			assert.EqualValues(t, 2, tries.most.Load())
			assert.Equal(t, map[mailer.Outcome]int{mailer.Deferred: 50}, outcomes(results))
		})
	})
	t.Run("API", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			h := newFixture(t, nil)
			h.setFault(func(*cronofytest.Request) *cronofytest.Fault { return cronofytest.FaultStatus(401, 0) })
			api := &slowAPI{SmartInvites: h.cfg.API, took: time.Second}
			results, err := runAll(t, mailer.Config{API: api, Submitter: smtpFunc(nil)}, invites(50),
				mailer.RunOptions{Concurrency: 3})
			var e *mailer.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, mailer.CodeUnauthorized, e.Code)
			assert.Equal(t, 3, h.api.Count())
			assert.Equal(t, map[mailer.Outcome]int{mailer.Deferred: 50}, outcomes(results))
		})
	})
}

// TestMailsInDoubt: however many are in hand, no more than Mails are, at any
// moment, recorded as about to leave and not ended.
func TestMailsInDoubt(t *testing.T) {
	t.Parallel()
	for _, mails := range []int{1, 4} {
		t.Run(fmt.Sprint(mails), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var doubt level
				smtp := &slowSMTP{took: 20 * time.Millisecond, slots: make(chan struct{}, 1)}
				cfg := mailer.Config{Submitter: smtp, Ledger: doubtLedger{newSlowLedger(t, 50*time.Millisecond),
					&doubt}}
				results, err := runAll(t, cfg, invites(60), mailer.RunOptions{Concurrency: 8, Mails: mails})
				require.NoError(t, err)
				assert.Equal(t, map[mailer.Outcome]int{mailer.Sent: 60}, outcomes(results))
				assert.LessOrEqual(t, doubt.most.Load(), int64(mails))
				assert.Zero(t, doubt.now.Load())
			})
		})
	}
}

// doubtLedger counts the mails that are on record as about to leave.
type doubtLedger struct {
	mailer.Ledger
	doubt *level
}

func (l doubtLedger) Submitting(ctx context.Context, c ledger.Claim, k ledger.Key, s ledger.Submission) error {
	err := l.Ledger.Submitting(ctx, c, k, s)
	l.doubt.enter()
	return err
}

func (l doubtLedger) Finish(ctx context.Context, c ledger.Claim, k ledger.Key, r ledger.Result) error {
	defer l.doubt.now.Add(-1)
	return l.Ledger.Finish(ctx, c, k, r)
}
