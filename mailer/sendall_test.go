package mailer_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
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

// smtpFunc is a Submitter that is a function.
type smtpFunc func(ctx context.Context, env submission.Envelope) submission.Result

func (f smtpFunc) Submit(ctx context.Context, env submission.Envelope, _ []byte) submission.Result {
	return f(ctx, env)
}

// record of a run: what was submitted, to whom, when.
type runLog struct {
	mu   sync.Mutex
	to   []string
	when []time.Duration
}

func (l *runLog) add(to string, since time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = append(l.to, to)
	l.when = append(l.when, time.Since(since).Round(time.Second))
	return len(l.to)
}

func accepted() submission.Result {
	return submission.Result{Outcome: submission.Accepted, Reply: "250 2.0.0 Ok"}
}

func busy() submission.Result {
	return submission.Result{Outcome: submission.Refused, Step: submission.StepRcpt, Code: 451, Temporary: true,
		Err: errors.New("451 4.3.0 busy")}
}

func invites(n int) []mailer.Item {
	var items []mailer.Item
	for i := range n {
		invite := boardMeeting()
		invite.ID = fmt.Sprintf("event-%d", i)
		invite.Recipient.Email = fmt.Sprintf("person%d@example.org", i)
		items = append(items, mailer.Item{Invite: &invite, Tag: i})
	}
	return items
}

// runAll sends items and returns the outcomes by recipient, in the order of
// their results.
func runAll(t *testing.T, cfg mailer.Config, items []mailer.Item, o mailer.RunOptions) ([]mailer.Result, error) {
	t.Helper()
	h := newFixture(t, nil)
	if cfg.API == nil {
		cfg.API = h.cfg.API
	}
	cfg.Now = time.Now
	cfg.AllowPast = true
	m, err := mailer.New(cfg)
	require.NoError(t, err)
	defer func() { assert.NoError(t, m.Shutdown(context.Background())) }()
	var results []mailer.Result
	err = m.SendAll(t.Context(), slices.Values(items), o, func(r mailer.Result) { results = append(results, r) })
	return results, err
}

func outcomes(results []mailer.Result) map[mailer.Outcome]int {
	n := make(map[mailer.Outcome]int)
	for _, r := range results {
		for _, receipt := range r.Receipts {
			n[receipt.Outcome]++
		}
	}
	return n
}

func TestSendAllSendsEverythingOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log runLog
		start := time.Now()
		items := invites(50)
		results, err := runAll(t, mailer.Config{Submitter: smtpFunc(func(_ context.Context,
			env submission.Envelope) submission.Result {
			time.Sleep(time.Second)
			log.add(env.To, start)
			return accepted()
		})}, items, mailer.RunOptions{Concurrency: 5})
		require.NoError(t, err)
		assert.Equal(t, map[mailer.Outcome]int{mailer.Sent: 50}, outcomes(results))
		assert.Len(t, log.to, 50)
		assert.Equal(t, 10*time.Second, time.Since(start), "five at once, each a second")
		slices.Sort(log.to)
		assert.Len(t, slices.Compact(log.to), 50, "nobody twice")
	})
}

func TestSendAllKeepsTheOrderWithinOneID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var items []mailer.Item
		for i := range 6 {
			invite := boardMeeting()
			invite.Recipient.Email = fmt.Sprintf("person%d@example.org", i)
			items = append(items, mailer.Item{Invite: &invite})
		}
		var log runLog
		results, err := runAll(t, mailer.Config{Submitter: smtpFunc(func(_ context.Context,
			env submission.Envelope) submission.Result {
			// The first is the slowest: without the promise it would be last.
			time.Sleep(time.Duration(100-len(log.to)) * time.Second)
			log.add(env.To, time.Now())
			return accepted()
		})}, items, mailer.RunOptions{Concurrency: 6})
		require.NoError(t, err)
		assert.Len(t, results, 6)
		assert.True(t, slices.IsSorted(log.to), "%v", log.to)
	})
}

func TestSendAllRetriesForATime(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		failures int // before the server takes the mail
		retryFor time.Duration
		want     mailer.Outcome
		tries    int
	}{
		"no retries":             {failures: 1, want: mailer.Deferred, tries: 1},
		"one failure":            {failures: 1, retryFor: 2 * time.Minute, want: mailer.Sent, tries: 2},
		"four failures":          {failures: 4, retryFor: 2 * time.Minute, want: mailer.Sent, tries: 5},
		"until the time is used": {failures: 1000, retryFor: 2 * time.Minute, want: mailer.Deferred, tries: 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log runLog
				start := time.Now()
				results, err := runAll(t, mailer.Config{Submitter: smtpFunc(func(_ context.Context,
					env submission.Envelope) submission.Result {
					if log.add(env.To, start) <= tc.failures {
						return busy()
					}
					return accepted()
				})}, invites(1), mailer.RunOptions{RetryFor: tc.retryFor, Jitter: func() float64 { return 1 }})
				require.NoError(t, err)
				assert.Equal(t, map[mailer.Outcome]int{tc.want: 1}, outcomes(results))
				assert.Len(t, log.to, tc.tries, "%v", log.when)
				assert.Equal(t, tc.tries, results[0].Receipts[0].Attempts)
				assert.LessOrEqual(t, time.Since(start), tc.retryFor)
			})
		})
	}
}

// What a run waits for is told when it begins to wait, once for all invites
// that meet the same, and again after a success.
func TestSendAllSaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fails    func(n int) bool // the n-th submission
		retryFor time.Duration
		told     int
	}{
		"all are well":       {fails: func(int) bool { return false }, retryFor: time.Minute},
		"nothing is retried": {fails: func(int) bool { return true }},
		"the server is away": {fails: func(int) bool { return true }, retryFor: time.Minute, told: 1},
		"it comes and goes": {fails: func(n int) bool { return n == 1 || n == 2 || n == 15 },
			retryFor: time.Minute, told: 2},
		"one single hindrance": {fails: func(n int) bool { return n == 5 }, retryFor: time.Minute, told: 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			var logged strings.Builder
			n := 0
			_, err := runAll(t, mailer.Config{Logger: slog.New(slog.NewTextHandler(&logged, nil)),
				Submitter: smtpFunc(func(context.Context, submission.Envelope) submission.Result {
					if n++; tc.fails(n) {
						return busy()
					}
					return accepted()
				})}, invites(15), mailer.RunOptions{RetryFor: tc.retryFor})
			require.NoError(t, err)
			assert.Equal(t, tc.told, strings.Count(logged.String(), "is tried again"), "%s:\n%s", name, &logged)
			assert.NotContains(t, logged.String(), "person")
		})
	}
}

// Waiting for a second try must not keep others from their first.
func TestSendAllGoesOnWhileSomeWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log runLog
		start := time.Now()
		results, err := runAll(t, mailer.Config{Submitter: smtpFunc(func(_ context.Context,
			env submission.Envelope) submission.Result {
			n := log.add(env.To, start)
			if strings.HasPrefix(env.To, "person0@") && n < 5 {
				return busy()
			}
			return accepted()
		})}, invites(10), mailer.RunOptions{Concurrency: 1, RetryFor: time.Minute})
		require.NoError(t, err)
		assert.Equal(t, map[mailer.Outcome]int{mailer.Sent: 10}, outcomes(results))
		assert.Equal(t, "person0@example.org", results[9].Receipts[0].Recipient, "the refused one came last")
	})
}

// A server that asks for a longer wait than the run has is left alone.
func TestSendAllLeavesAServerAloneThatAsksForLonger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newFixture(t, nil)
		h.setFault(func(*cronofytest.Request) *cronofytest.Fault { return cronofytest.FaultStatus(429, time.Hour) })
		results, err := runAll(t, mailer.Config{API: h.cfg.API, Submitter: smtpFunc(nil)}, invites(1),
			mailer.RunOptions{RetryFor: 2 * time.Minute})
		require.NoError(t, err)
		require.Equal(t, map[mailer.Outcome]int{mailer.Deferred: 1}, outcomes(results))
		assert.Equal(t, mailer.Code("rate_limited"), results[0].Receipts[0].Error.Code)
		assert.Equal(t, 1, h.api.Count())
	})
}

func TestSendAllNeverRepeatsAnUnknownOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log runLog
		items := append(invites(1), invites(1)...)
		results, err := runAll(t, mailer.Config{Submitter: smtpFunc(func(_ context.Context,
			env submission.Envelope) submission.Result {
			log.add(env.To, time.Now())
			return submission.Result{Outcome: submission.Unknown, Step: submission.StepDot,
				Err: errors.New("connection reset")}
		})}, items, mailer.RunOptions{RetryFor: time.Hour})
		require.NoError(t, err)
		assert.Equal(t, map[mailer.Outcome]int{mailer.Unknown: 2}, outcomes(results))
		assert.Equal(t, mailer.Code("unknown_this_run"), results[1].Receipts[0].Error.Code)
		assert.Len(t, log.to, 1)
	})
}

// A second try of a group reaches those who were refused at first, and nobody
// else, with or without a ledger.
func TestSendAllRetriesTheRestOfAGroup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := group(4)
		var log runLog
		h := newFixture(t, nil)
		results, err := runAll(t, mailer.Config{API: h.cfg.API,
			Submitter: smtpFunc(func(_ context.Context, env submission.Envelope) submission.Result {
				if log.add(env.To, time.Now()) == 2 {
					return busy()
				}
				return accepted()
			})}, []mailer.Item{{Group: &g}}, mailer.RunOptions{RetryFor: time.Minute})
		require.NoError(t, err)
		assert.Equal(t, map[mailer.Outcome]int{mailer.Sent: 4}, outcomes(results))
		assert.Equal(t, []string{"person0@example.org", "person1@example.org", "person2@example.org",
			"person3@example.org", "person1@example.org"}, log.to)
		assert.Equal(t, 1, h.api.Count(), "the calendar that came is used")
	})
}

// apiFunc is an API of which only Create is called.
type apiFunc func(context.Context, *cronofy.InviteRequest) (*cronofy.SmartInvite, error)

func (f apiFunc) Create(ctx context.Context, r *cronofy.InviteRequest) (*cronofy.SmartInvite, error) {
	return f(ctx, r)
}

func (apiFunc) Cancel(context.Context, cronofy.Ref) (*cronofy.SmartInvite, error) {
	return nil, errors.New("unexpected cancel")
}

func (apiFunc) Remove(context.Context, cronofy.Ref) (*cronofy.SmartInvite, error) {
	return nil, errors.New("unexpected remove")
}
