package mailer_test

import (
	"context"
	"fmt"
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

// removals is an API that takes a second to remove somebody, and answers with the
// calendar that its documentation does not promise.
type removals struct {
	mailer.SmartInvites
	level level
	fails func(n int) error // of the n-th removal

	mu    sync.Mutex
	made  map[string]string // the latest calendar of each invite
	asked []string          // who was removed
}

func (r *removals) Create(ctx context.Context, request *cronofy.InviteRequest) (*cronofy.SmartInvite, error) {
	answer, err := r.SmartInvites.Create(ctx, request)
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.made[request.SmartInviteID] = answer.Attachments.ICalendar
	}
	return answer, err
}

func (r *removals) Remove(_ context.Context, ref cronofy.Ref) (*cronofy.SmartInvite, error) {
	defer r.level.enter()()
	time.Sleep(time.Second)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, ref.SmartInviteID+" "+ref.Recipient)
	if r.fails != nil {
		if err := r.fails(len(r.asked)); err != nil {
			return nil, err
		}
	}
	ics := strings.Replace(r.made[ref.SmartInviteID], "METHOD:REQUEST", "METHOD:CANCEL", 1)
	ics = strings.Replace(ics, "SEQUENCE:", "SEQUENCE:9", 1)
	return &cronofy.SmartInvite{Attachments: cronofy.Attachments{Removed: &cronofy.Removed{Email: ref.Recipient,
		ICalendar: ics}}}, nil
}

// invited sends n groups of five, and returns the items that leave four of each
// out, with what withdraws those.
func invited(t *testing.T, n int) (mailer.Config, *removals, []mailer.Item) {
	t.Helper()
	l := memoryLedger(t)
	api := &removals{SmartInvites: newFixture(t, nil).cfg.API, made: make(map[string]string)}
	cfg := mailer.Config{API: api, Ledger: l, Lint: mailer.LintOff,
		Submitter: smtpFunc(func(context.Context, submission.Envelope) submission.Result { return accepted() })}
	var before, after []mailer.Item
	for i := range n {
		all, one := group(5), group(1)
		all.ID = fmt.Sprintf("event-%d", i)
		one.ID = all.ID
		before, after = append(before, mailer.Item{Group: &all}), append(after, mailer.Item{Group: &one})
	}
	results, err := runAll(t, cfg, before, mailer.RunOptions{})
	require.NoError(t, err)
	require.Equal(t, map[mailer.Outcome]int{mailer.Sent: 5 * n}, outcomes(results))
	cfg.WithdrawMissing = true
	return cfg, api, after
}

// TestWithdrawalsAreItems: those of several groups go at once, as many as may,
// those of one group in their order, and their receipts belong to its result.
func TestWithdrawalsAreItems(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg, api, items := invited(t, 8)
		start := time.Now()
		results, err := runAll(t, cfg, items, mailer.RunOptions{Concurrency: 8})
		require.NoError(t, err)
		assert.Equal(t, 4*time.Second, time.Since(start), "eight at once")
		assert.EqualValues(t, 8, api.level.most.Load())
		require.Len(t, results, 8)
		for _, r := range results {
			require.Len(t, r.Receipts, 5)
			assert.Equal(t, mailer.Unchanged, r.Receipts[0].Outcome)
			for i, gone := range r.Receipts[1:] {
				assert.Equal(t, mailer.Sent, gone.Outcome, "%v", gone.Error)
				assert.Equal(t, mailer.Withdrawal, gone.Kind)
				assert.Equal(t, fmt.Sprintf("person%d@example.org", i+1), gone.Recipient)
				assert.False(t, gone.At.IsZero())
			}
		}
		byID := slices.Clone(api.asked)
		slices.SortStableFunc(byID, func(a, b string) int {
			return strings.Compare(strings.Fields(a)[0], strings.Fields(b)[0])
		})
		assert.True(t, slices.IsSorted(byID), "one after the other within an id: %v", api.asked)
	})
}

// TestWithdrawalsCount: they are mails like others to the limit of a run, and to
// what waits for its turn behind them.
func TestWithdrawalsCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg, api, items := invited(t, 2)
		all := group(5) // an update of the first event, after its withdrawals
		all.ID = "event-0"
		all.Event.Summary = "Board dinner"
		results, err := runAll(t, cfg, append(items, mailer.Item{Group: &all, Tag: "again"}),
			mailer.RunOptions{Concurrency: 3, MaxMails: 7})
		require.NoError(t, err)
		got := outcomes(results)
		assert.Equal(t, 7, got[mailer.Sent])
		assert.Equal(t, 2, got[mailer.Unchanged])
		assert.Equal(t, 6, got[mailer.Deferred], "of thirteen mails")
		require.Len(t, results, 3)
		again := slices.IndexFunc(results, func(r mailer.Result) bool { return r.Item.Tag == "again" })
		first := slices.IndexFunc(results, func(r mailer.Result) bool { return r.Item.Group == items[0].Group })
		assert.Less(t, first, again, "what is of one id keeps its order")
		assert.LessOrEqual(t, len(api.asked), 8)
	})
}

// TestWithdrawalsAreTriedAgain, like anything else, and nobody else with them.
func TestWithdrawalsAreTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg, api, items := invited(t, 1)
		api.fails = func(n int) error {
			if n == 2 {
				return &cronofy.Error{Status: 503}
			}
			return nil
		}
		results, err := runAll(t, cfg, items, mailer.RunOptions{RetryFor: time.Minute})
		require.NoError(t, err)
		assert.Equal(t, map[mailer.Outcome]int{mailer.Unchanged: 1, mailer.Sent: 4}, outcomes(results))
		assert.Len(t, api.asked, 5)
		assert.Equal(t, api.asked[1], api.asked[2])
	})
}

// TestStopBeforeWithdrawals: those that were not begun are deferred, each with a
// receipt in the result of its group.
func TestStopBeforeWithdrawals(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err  error
		want map[mailer.Outcome]int
		stop bool
	}{
		"by the caller": {stop: true, want: map[mailer.Outcome]int{mailer.Unchanged: 1, mailer.Sent: 2,
			mailer.Deferred: 2}},
		"by a refused key": {err: &cronofy.Error{Status: 401},
			want: map[mailer.Outcome]int{mailer.Unchanged: 1, mailer.Sent: 1, mailer.Deferred: 3}},
		"while one retries": {stop: true, err: &cronofy.Error{Status: 503},
			want: map[mailer.Outcome]int{mailer.Unchanged: 1, mailer.Sent: 1, mailer.Deferred: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg, api, items := invited(t, 1)
				stop := make(chan struct{})
				api.fails = func(n int) error {
					if n < 2 {
						return nil
					}
					if tc.stop {
						time.AfterFunc(time.Millisecond, func() { close(stop) })
					}
					return tc.err
				}
				cfg.Submitter = smtpFunc(func(context.Context, submission.Envelope) submission.Result {
					time.Sleep(time.Second)
					return accepted()
				})
				results, err := runAll(t, cfg, items, mailer.RunOptions{RetryFor: time.Hour, Stop: stop})
				require.Error(t, err)
				require.Len(t, results, 1)
				assert.Equal(t, tc.want, outcomes(results))
				for _, r := range results[0].Receipts {
					assert.False(t, r.At.IsZero())
				}
				assert.Equal(t, mailer.CodeNotBegun, results[0].Receipts[4].Error.Code)
				assert.Len(t, api.asked, 2)
			})
		})
	}
}

// TestWithoutWithdrawals: without being asked to, the run only tells who is
// missing.
func TestWithoutWithdrawals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg, api, items := invited(t, 2)
		cfg.WithdrawMissing = false
		results, err := runAll(t, cfg, items, mailer.RunOptions{Concurrency: 2})
		require.NoError(t, err)
		assert.Equal(t, map[mailer.Outcome]int{mailer.Unchanged: 10}, outcomes(results))
		assert.Empty(t, api.asked)
		for _, r := range results {
			for _, missing := range r.Receipts[1:] {
				require.Len(t, missing.Findings, 1)
				assert.Equal(t, "missing_recipient", missing.Findings[0].Rule)
				assert.False(t, missing.At.IsZero())
			}
		}
	})
}

// TestMissingIsToldOnceAfterRetries: a group that is tried again reports those who
// are missing once.
func TestMissingIsToldOnceAfterRetries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg, api, _ := invited(t, 1)
		cfg.WithdrawMissing = false
		moved := group(1)
		moved.ID = "event-0"
		moved.Event.Summary = "Board dinner"
		h := newFixture(t, nil)
		h.setFault(func(r *cronofytest.Request) *cronofytest.Fault {
			if r.N < 3 {
				return cronofytest.FaultStatus(503, 0)
			}
			return nil
		})
		faulty := h.cfg.API
		cfg.API = apiFunc(func(ctx context.Context, r *cronofy.InviteRequest) (*cronofy.SmartInvite, error) {
			if _, err := faulty.Create(ctx, r); err != nil {
				return nil, err
			}
			return api.Create(ctx, r)
		})
		results, err := runAll(t, cfg, []mailer.Item{{Group: &moved}}, mailer.RunOptions{RetryFor: time.Hour})
		require.NoError(t, err)
		assert.Equal(t, map[mailer.Outcome]int{mailer.Sent: 1, mailer.Unchanged: 4}, outcomes(results))
		assert.Equal(t, 3, h.api.Count())
	})
}
