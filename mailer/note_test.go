package mailer_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// nextYear is when the event of boardMeeting is over.
func (h *fixture) nextYear() { h.cfg.Now = func() time.Time { return today.AddDate(1, 0, 0) } }

func (h *fixture) recorded(t *testing.T) ledger.Entry {
	t.Helper()
	found, err := h.cfg.Ledger.Load(t.Context(), ledger.Key{InviteID: "board-meeting", Address: "ann@example.org"})
	require.NoError(t, err)
	return found[0]
}

// told sends an invite three times and says what each run told.
func (h *fixture) told(t *testing.T, i mailer.Invite) string {
	t.Helper()
	var words string
	for range 3 {
		r := h.send(t, i)
		words += string(r.Outcome)
		if r.Known {
			words += ", known"
		}
		words += "; "
	}
	return words
}

// TestWhatIsOverIsToldOnce: an export keeps its old rows for months, and a cron
// job must not fail because of them in every run.
func TestWhatIsOverIsToldOnce(t *testing.T) {
	t.Parallel()
	const once, forEver = "expired; expired, known; expired, known; ", "unchanged; unchanged; unchanged; "
	other := func(summary string) mailer.Invite {
		i := boardMeeting()
		i.Event.Summary = summary
		return i
	}
	t.Run("sent", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		h.send(t, boardMeeting())
		h.nextYear()
		assert.Equal(t, forEver, h.told(t, boardMeeting()))
		assert.Equal(t, 1, h.api.Count())
	})
	t.Run("sent and changed", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		one := h.send(t, boardMeeting())
		h.nextYear()
		for _, change := range []string{"Dinner", "Breakfast", "Dinner"} {
			assert.Equal(t, once, h.told(t, other(change)))
			e := h.recorded(t)
			assert.EqualValues(t, 2, e.Latest.Number, "what comes too late does not fill the ledger")
			assert.EqualValues(t, 1, e.LastSent.Number)
		}
		r := h.send(t, boardMeeting())
		assert.Equal(t, mailer.Unchanged, r.Outcome, "the change was taken back, and nobody was ever told of it")
		assert.Equal(t, one.MessageID, r.MessageID)
		assert.Equal(t, 1, h.api.Count())
		assert.Len(t, h.smtp.Accepted(), 1)

		later := other("Dinner")
		later.Event.Start.Time, later.Event.End.Time = later.Event.Start.Time.AddDate(2, 0,
			0), later.Event.End.Time.AddDate(2, 0, 0)
		r = h.send(t, later)
		assert.Equal(t, mailer.Sent, r.Outcome, "%+v", r.Error)
		assert.Equal(t, mailer.Update, r.Kind)
	})
	t.Run("sent, and moved into the past by mistake", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		one := h.send(t, boardMeeting())
		ends := h.recorded(t).EndsAt
		mistaken := boardMeeting()
		mistaken.Event.Start.Time, mistaken.Event.End.Time = mistaken.Event.Start.Time.AddDate(-1, 0,
			0), mistaken.Event.End.Time.AddDate(-1, 0, 0)
		assert.Equal(t, once, h.told(t, mistaken))
		assert.Equal(t, ends, h.recorded(t).EndsAt, "the event that people have is not over")
		assert.Equal(t, forEver, h.told(t, boardMeeting()),
			"the mistake was taken back, and nobody was ever told of it")
		assert.Equal(t, one.MessageID, h.send(t, boardMeeting()).MessageID)
		assert.Equal(t, 1, h.api.Count())
		assert.Len(t, h.smtp.Accepted(), 1)
		h.nextYear()
		assert.Equal(t, forEver, h.told(t, boardMeeting()))
	})
	t.Run("never sent", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		h.nextYear()
		assert.Equal(t, once, h.told(t, boardMeeting()))
		assert.Zero(t, h.api.Count(), "nobody is asked")
		r := h.recorded(t).Latest
		assert.Equal(t, ledger.Expired, r.State)
		assert.Equal(t, mailer.Invitation, r.Kind)
		assert.Equal(t, mailer.CodeExpired, r.Code)
		assert.Empty(t, r.UID)
		assert.Zero(t, r.Attempts)

		h.cfg.AllowPast = true
		sent := h.send(t, boardMeeting())
		assert.Equal(t, mailer.Sent, sent.Outcome, "%+v", sent.Error)
		assert.Equal(t, mailer.Invitation, sent.Kind)
	})
	t.Run("never sent, and cancelled", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		h.nextYear()
		h.send(t, boardMeeting())
		assert.Equal(t, forEver, h.told(t, cancellation()))
		assert.Empty(t, h.smtp.Accepted())
	})
	t.Run("deferred", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, always(smtptest.AtRcpt, smtptest.Say("450 later")))
		require.Equal(t, mailer.Deferred, h.send(t, boardMeeting()).Outcome)
		h.nextYear()
		assert.Equal(t, once, h.told(t, boardMeeting()))
		assert.Len(t, h.smtp.Transactions(), 1)
	})
	t.Run("deferred by the API", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		h.setFault(func(*cronofytest.Request) *cronofytest.Fault { return cronofytest.FaultStatus(503, 0) })
		require.Equal(t, mailer.Deferred, h.send(t, boardMeeting()).Outcome)
		h.nextYear()
		assert.Equal(t, once, h.told(t, boardMeeting()))
	})
	t.Run("no calendar could be used", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		h.setFault(func(r *cronofytest.Request) *cronofytest.Fault {
			if r.N > 1 {
				return nil
			}
			return broken("no method")
		})
		require.Equal(t, mailer.Failed, h.send(t, boardMeeting()).Outcome)
		h.nextYear()
		assert.Equal(t, once, h.told(t, boardMeeting()))
		h.cfg.AllowPast = true
		assert.Equal(t, mailer.Sent, h.send(t, boardMeeting()).Outcome, "the API is asked for another one")
	})
	t.Run("by the calendar alone", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		h.setFault(func(*cronofytest.Request) *cronofytest.Fault {
			return cronofytest.FaultCalendar(func(s string) string {
				return strings.ReplaceAll(s, "20270429T",
					"20270329T")
			})
		})
		assert.Equal(t, once, h.told(t, boardMeeting()))
		assert.Equal(t, 1, h.api.Count())
		assert.Empty(t, h.smtp.Accepted())
	})
	t.Run("by a calendar without a zone, nowhere in particular", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		h.setFault(func(*cronofytest.Request) *cronofytest.Fault {
			return cronofytest.FaultCalendar(func(s string) string {
				return regexp.MustCompile(`(?m)^(DTSTART|DTEND)[^:\n]*:20270429(T\d{6})Z?`).ReplaceAllString(s,
					"$1:20270401$2")
			})
		})
		i := boardMeeting()
		r := h.send(t, i) // at 12:00Z, and an event from 9:30 to 10:00 by the clock of whoever reads it
		assert.Equal(t, mailer.Sent, r.Outcome, "it may be to come where the reader is: %+v", r.Error)
	})
	t.Run("mailed again on purpose", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		h.send(t, boardMeeting())
		h.nextYear()
		h.cfg.Resend = true
		assert.Equal(t, "expired; expired; expired; ", h.told(t, boardMeeting()), "who asks is answered")
		h.cfg.Resend = false
		assert.Equal(t, forEver, h.told(t, boardMeeting()), "what was sent stays sent")
	})
	t.Run("without a ledger", func(t *testing.T) {
		t.Parallel()
		h := newFixture(t, nil)
		h.nextYear()
		assert.Equal(t, "expired; expired; expired; ", h.told(t, boardMeeting()))
	})
	t.Run("of a group", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		send := func() (words []string) {
			receipts, err := h.mailer(t).SendGroup(t.Context(), group(3))
			require.Error(t, err)
			for _, r := range receipts {
				words = append(words, fmt.Sprint(r.Outcome, " ", r.Known))
			}
			return words
		}
		_, err := h.mailer(t).SendGroup(t.Context(), group(2))
		require.NoError(t, err)
		h.nextYear()
		assert.Equal(t, []string{"unchanged false", "unchanged false", "expired false"}, send())
		assert.Equal(t, []string{"unchanged false", "unchanged false", "expired true"}, send())
		assert.Equal(t, 1, h.api.Count())
	})
	t.Run("while another run has it in hand", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		h.nextYear()
		c, err := h.cfg.Ledger.Claim(t.Context(), ledger.Key{InviteID: "board-meeting", Address: "ann@example.org"})
		require.NoError(t, err)
		assert.Equal(t, mailer.CodeInProgress, h.send(t, boardMeeting()).Error.Code)
		require.NoError(t, h.cfg.Ledger.Release(t.Context(), c))
		assert.Equal(t, once, h.told(t, boardMeeting()))
	})
	t.Run("that could not be recorded", func(t *testing.T) {
		t.Parallel()
		for _, at := range []string{"create", "finish"} {
			h := newRecordedFixture(t, always(smtptest.AtRcpt, smtptest.Say("450 later")))
			if at == "finish" {
				h.send(t, boardMeeting())
			}
			h.nextYear()
			good := h.cfg.Ledger
			h.cfg.Ledger = failingLedger{good, at, ledger.ErrClaimLost}
			r := h.send(t, boardMeeting())
			assert.Equal(t, mailer.Deferred, r.Outcome)
			assert.Equal(t, mailer.CodeClaimLost, r.Error.Code)
			h.cfg.Ledger = good
			assert.Equal(t, once, h.told(t, boardMeeting()))
		}
	})
	t.Run("for a trial", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		h.send(t, boardMeeting())
		h.nextYear()
		h.cfg.DryRun = true
		assert.Empty(t, h.send(t, boardMeeting()).Findings, "nothing would be refused")
		r := h.send(t, other("Dinner"))
		assert.Equal(t, mailer.Valid, r.Outcome)
		require.Len(t, r.Findings, 1)
		assert.Equal(t, "past_event", r.Findings[0].Rule)
		assert.EqualValues(t, 1, h.recorded(t).Latest.Number, "nothing is recorded")
	})
}

// TestWhatIsKnownIsNotLogged: nobody is warned twice.
func TestWhatIsKnownIsNotLogged(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, nil)
	h.nextYear()
	var log bytes.Buffer
	h.cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	h.send(t, boardMeeting())
	assert.Contains(t, log.String(), "code=expired")
	log.Reset()
	h.send(t, boardMeeting())
	assert.Empty(t, log.String())
}

// TestARememberedRefusalIsKnown: the run that was refused tells it, and no later
// one.
func TestARememberedRefusalIsKnown(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, always(smtptest.AtRcpt, smtptest.Say("550 5.1.1 no such user")))
	assert.Equal(t, "failed; failed, known; failed, known; ", h.told(t, boardMeeting()))
	h.cfg.RetryFailed = true
	assert.Equal(t, "failed; failed; failed; ", h.told(t, boardMeeting()), "each was tried")
}

// overtakenLedger is one on which another process is quicker, between the look
// and the claim.
type overtakenLedger struct {
	mailer.Ledger
	by func()
}

func (l *overtakenLedger) Claim(ctx context.Context, keys ...ledger.Key) (ledger.Claim, error) {
	if by := l.by; by != nil {
		l.by = nil
		by()
	}
	return l.Ledger.Claim(ctx, keys...)
}

// TestMailsAreCountedAfterTheClaim: what has to be mailed may change until then.
func TestMailsAreCountedAfterTheClaim(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]int{"without a limit": 0, "with one": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newRecordedFixture(t, at(smtptest.AtRcpt, smtptest.Say("450 later")))
			require.Equal(t, mailer.Deferred, h.send(t, boardMeeting()).Outcome)
			cfg := h.cfg
			cfg.Ledger = &overtakenLedger{Ledger: h.cfg.Ledger, by: func() {
				require.Equal(t, mailer.Sent, h.send(t, boardMeeting()).Outcome)
			}}
			m, err := mailer.New(cfg)
			require.NoError(t, err)
			// Nobody was invited when this run looked, so that nobody was to be mailed.
			off := cancellation()
			var r mailer.Receipt
			require.NoError(t, m.SendAll(t.Context(),
				func(yield func(mailer.Item) bool) { yield(mailer.Item{Invite: &off}) },
				mailer.RunOptions{MaxMails: limit}, func(result mailer.Result) { r = result.Receipts[0] }))
			assert.Equal(t, mailer.Sent, r.Outcome, "%+v", r.Error)
			assert.Equal(t, mailer.Cancellation, r.Kind)
			assert.Len(t, h.smtp.Accepted(), 2)
		})
	}
	t.Run("Send", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, at(smtptest.AtRcpt, smtptest.Say("450 later")))
		require.Equal(t, mailer.Deferred, h.send(t, boardMeeting()).Outcome)
		cfg := h.cfg
		cfg.Ledger = &overtakenLedger{Ledger: h.cfg.Ledger, by: func() { h.send(t, boardMeeting()) }}
		m, err := mailer.New(cfg)
		require.NoError(t, err)
		r, err := m.Send(t.Context(), cancellation())
		require.NoError(t, err)
		assert.Equal(t, mailer.Sent, r.Outcome)
	})
}

// TestASpentLimitClaimsNothing: the rest of a long input costs a run that has
// sent all it may no more than a look.
func TestASpentLimitClaimsNothing(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, nil)
	claims := countedClaims{Ledger: h.cfg.Ledger}
	h.cfg.Ledger = &claims
	over := boardMeeting()
	over.Event.Start.Time, over.Event.End.Time = today.Add(-2*time.Hour), today.Add(-time.Hour)
	items := append(invites(10), mailer.Item{Invite: &over})
	var limited, expired int
	require.NoError(t, h.mailer(t).SendAll(t.Context(), func(yield func(mailer.Item) bool) {
		for _, i := range items {
			if !yield(i) {
				return
			}
		}
	}, mailer.RunOptions{MaxMails: 3}, func(r mailer.Result) {
		if e := r.Receipts[0].Error; e != nil && e.Code == mailer.CodeMaxMails {
			limited++
		} else if r.Receipts[0].Outcome == mailer.Expired {
			expired++
		}
	}))
	assert.Equal(t, 7, limited)
	assert.Equal(t, 1, expired, "it needs no mail")
	assert.Equal(t, 4, claims.n)
}

type countedClaims struct {
	mailer.Ledger
	n int
}

func (c *countedClaims) Claim(ctx context.Context, keys ...ledger.Key) (ledger.Claim, error) {
	c.n++
	return c.Ledger.Claim(ctx, keys...)
}
