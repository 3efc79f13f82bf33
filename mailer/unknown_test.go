package mailer_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// always breaks every transaction at a point.
func always(p smtptest.Point, f smtptest.Fault) smtptest.Script {
	return func(e smtptest.Event) smtptest.Fault {
		if e.Point == p {
			return f
		}
		return smtptest.Fault{}
	}
}

// at moves the clock of the pipeline and of its ledger.
func (h *fixture) at(since time.Duration) { h.cfg.Now = func() time.Time { return today.Add(since) } }

// TestAnUnknownEndIsRepeatedTwiceAtMost: a server that always loses its answer
// gets three copies, however often a cron job runs, and then a person decides.
func TestAnUnknownEndIsRepeatedTwiceAtMost(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, always(smtptest.AtDot, smtptest.HangUp()))
	submitted, told := 0, 0
	var at []int
	for minute := 0; minute < 180; minute += 5 {
		h.at(time.Duration(minute) * time.Minute)
		r := h.send(t, boardMeeting())
		require.Equal(t, mailer.Unknown, r.Outcome)
		n := len(h.smtp.Transactions())
		switch {
		case n > submitted:
			at = append(at, minute)
			assert.False(t, r.Known)
			if n < 3 {
				assert.Equal(t, mailer.CodeNoReply, r.Error.Code)
				assert.True(t, r.Error.Temporary)
			} else {
				assert.Equal(t, mailer.CodeHeld, r.Error.Code)
				assert.False(t, r.Error.Temporary)
				assert.Contains(t, r.Error.Message, "ask the recipient")
				told++
			}
		case n < 3:
			assert.Equal(t, mailer.CodeWaiting, r.Error.Code)
			assert.True(t, r.Error.Temporary)
			assert.False(t, r.Known)
			assert.Equal(t, map[int]time.Duration{1: 20 * time.Minute,
				2: time.Hour}[n]-time.Duration(minute)*time.Minute, r.Error.RetryAfter)
			assert.Equal(t, mailer.None, r.Kind)
		default:
			assert.Equal(t, mailer.CodeHeld, r.Error.Code)
			assert.True(t, r.Known)
		}
		submitted = n
	}
	assert.Equal(t, []int{0, 20, 60}, at)
	assert.Equal(t, 1, told)

	// A person decides.
	h.cfg.Resend = true
	r := h.send(t, boardMeeting())
	assert.Equal(t, mailer.CodeHeld, r.Error.Code)
	assert.False(t, r.Known, "this run did something")
	h.cfg.Resend, h.cfg.OnUnknown = false, mailer.OnUnknownResend
	for range 2 {
		r = h.send(t, boardMeeting())
		assert.Equal(t, mailer.CodeNoReply, r.Error.Code)
		assert.True(t, r.Error.Temporary)
	}
	h.cfg.OnUnknown = ""
	r = h.send(t, boardMeeting())
	assert.Equal(t, mailer.CodeHeld, r.Error.Code)
	assert.False(t, r.Known, "what they were told after it was no final word")
	assert.True(t, h.send(t, boardMeeting()).Known)
	taken := h.smtp.Accepted()
	require.Len(t, taken, 6)
	for _, again := range taken[1:] {
		assert.Equal(t, string(taken[0].Data), string(again.Data))
	}
	assert.Equal(t, 1, h.api.Count())

	// Another content is another mail, which counts anew.
	changed := boardMeeting()
	changed.Event.Summary = "Board dinner"
	r = h.send(t, changed)
	assert.Equal(t, mailer.Update, r.Kind)
	assert.Equal(t, mailer.CodeNoReply, r.Error.Code)
	assert.Contains(t, r.Error.Message, "at or after 2027-04-01T15:15:00Z", "which is in 20 minutes")
}

// TestNeverMeansNever: what is not to be repeated is told once, by the run that
// submitted it or the first that finds it.
func TestNeverMeansNever(t *testing.T) {
	t.Parallel()
	for name, never := range map[string]mailer.OnUnknown{"never": mailer.OnUnknownNever, "by its former name": "hold"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newRecordedFixture(t, always(smtptest.AtDot, smtptest.HangUp()))
			h.cfg.OnUnknown = never
			for i := range 3 {
				h.at(time.Duration(i) * 24 * time.Hour)
				r := h.send(t, boardMeeting())
				assert.Equal(t, mailer.Unknown, r.Outcome)
				assert.Equal(t, mailer.CodeHeld, r.Error.Code)
				assert.False(t, r.Error.Temporary)
				assert.Equal(t, i > 0, r.Known)
			}
			h.cfg.OnUnknown = "" // it may be repeated after all
			assert.Equal(t, mailer.CodeNoReply, h.send(t, boardMeeting()).Error.Code)
			h.cfg.OnUnknown = never
			assert.False(t, h.send(t, boardMeeting()).Known, "it was to be repeated, and now is not")
			assert.True(t, h.send(t, boardMeeting()).Known)
			assert.Len(t, h.smtp.Transactions(), 2)
		})
	}
}

// losingLedger loses the claim as an outcome is recorded: another run took over.
type losingLedger struct{ mailer.Ledger }

func (l losingLedger) Finish(context.Context, ledger.Claim, ledger.Key, ledger.Result) error {
	return ledger.ErrClaimLost
}

// TestAnOutcomeThatCannotBeRecordedIsUnknown: the record says that the mail may
// have left, and so does the receipt, whatever the server answered: in one true
// sentence, and never twice in a run.
func TestAnOutcomeThatCannotBeRecordedIsUnknown(t *testing.T) {
	t.Parallel()
	for answer, tc := range map[string]struct {
		result submission.Result
		said   string
	}{
		"250": {accepted(), "the SMTP server took the mail"},
		"451": {submission.Result{Outcome: submission.Refused, Step: submission.StepDot, Temporary: true,
			Code: 451, Reply: "451 later", Err: errors.New("451 later")}, "451 later"},
		"550": {submission.Result{Outcome: submission.Refused, Step: submission.StepRcpt, Code: 550,
			Reply: "550 5.1.1 no", Err: errors.New("550 5.1.1 no")}, "550 5.1.1 no"},
		"nothing": {submission.Result{Outcome: submission.Unknown, Step: submission.StepDot,
			Err: errors.New("connection reset")}, "connection reset"},
	} {
		for _, policy := range []mailer.OnUnknown{"", mailer.OnUnknownNever, mailer.OnUnknownResend} {
			t.Run(fmt.Sprintf("%s, OnUnknown %q", answer, policy), func(t *testing.T) {
				t.Parallel()
				h := newRecordedFixture(t, nil)
				submitted := 0
				h.cfg.Submitter = smtpBytes(func(context.Context, submission.Envelope, []byte) submission.Result {
					submitted++
					return tc.result
				})
				h.cfg.OnUnknown = policy
				good := h.cfg.Ledger
				h.cfg.Ledger = losingLedger{good}
				items := append(invites(1), invites(1)...)
				items[1].Invite.Mail.Subject = "another mail, and not another event"
				changed := invites(1)[0]
				event := *changed.Invite.Event
				event.Summary = "another event"
				changed.Invite.Event = &event
				var results []mailer.Result
				require.NoError(t, h.mailer(t).SendAll(t.Context(), func(yield func(mailer.Item) bool) {
					for _, item := range append(items, changed) {
						if !yield(item) {
							return
						}
					}
				}, mailer.RunOptions{RetryFor: time.Hour}, func(r mailer.Result) { results = append(results, r) }))
				require.Len(t, results, 3)
				assert.Equal(t, 1, submitted, "never twice in a run")
				first := results[0].Receipts[0]
				assert.Equal(t, mailer.CodeClaimLost, first.Error.Code)
				assert.Contains(t, first.Error.Message, tc.said)
				assert.NotContains(t, first.Error.Message, "nothing was sent")
				for _, r := range results {
					assert.Equal(t, mailer.Unknown, r.Receipts[0].Outcome)
					assert.Equal(t, policy != mailer.OnUnknownNever, r.Receipts[0].Error.Temporary,
						"whether to run again")
				}

				h.cfg.Ledger = good
				next := h.send(t, *invites(1)[0].Invite)
				switch policy {
				case mailer.OnUnknownNever:
					assert.Equal(t, mailer.Unknown, next.Outcome)
					assert.Equal(t, mailer.CodeHeld, next.Error.Code)
					assert.True(t, h.send(t, *invites(1)[0].Invite).Known)
				case mailer.OnUnknownResend:
					assert.Equal(t, 2, submitted)
					return
				default:
					assert.Equal(t, mailer.Unknown, next.Outcome)
					assert.Equal(t, mailer.CodeWaiting, next.Error.Code)
				}
				assert.Equal(t, 1, submitted)
			})
		}
	}
}

// TestACrashWhileAMailLeavesIsNotedOnce: the mail is in doubt from then on, and
// the run that finds it says so in the record, too.
func TestACrashWhileAMailLeavesIsNotedOnce(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, nil)
	good := h.cfg.Ledger
	h.cfg.Ledger = failingLedger{good, "finish", ledger.ErrClaimLost}
	h.send(t, boardMeeting())
	h.cfg.Ledger = good
	state := func() *ledger.Revision {
		e, err := good.Load(t.Context(), ledger.Key{InviteID: "board-meeting", Address: "ann@example.org"})
		require.NoError(t, err)
		return e[0].Latest
	}
	require.Equal(t, ledger.Submitting, state().State)
	assert.Equal(t, mailer.CodeWaiting, h.send(t, boardMeeting()).Error.Code)
	r := state()
	assert.Equal(t, ledger.Unknown, r.State)
	assert.Equal(t, 1, r.Copies)
	assert.NotNil(t, r.Message, "the bytes are kept")
	assert.Equal(t, mailer.CodeWaiting, h.send(t, boardMeeting()).Error.Code)
	assert.Len(t, h.smtp.Accepted(), 1)
}

// TestAnUnknownEndIsNotRepeatedIntoThePast: nobody is sent another copy of an
// invitation to an event that is over, and that is told once.
func TestAnUnknownEndIsNotRepeatedIntoThePast(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, always(smtptest.AtDot, smtptest.HangUp()))
	require.Equal(t, mailer.Unknown, h.send(t, boardMeeting()).Outcome)
	h.cfg.Now = func() time.Time { return today.AddDate(1, 0, 0) }
	for i := range 3 {
		r := h.send(t, boardMeeting())
		assert.Equal(t, mailer.Unknown, r.Outcome, "it may be in somebody's calendar")
		assert.Equal(t, mailer.CodeHeld, r.Error.Code)
		assert.Contains(t, r.Error.Message, "the event is over")
		assert.Equal(t, i > 0, r.Known)
	}
	assert.Len(t, h.smtp.Transactions(), 1)
}
