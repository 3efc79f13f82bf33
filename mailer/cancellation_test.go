package mailer_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer"
)

func TestCancellations(t *testing.T) {
	t.Parallel()
	t.Run("of what was sent", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		one := h.send(t, boardMeeting())
		two := h.send(t, cancellation())
		require.Equal(t, mailer.Sent, two.Outcome, "%+v", two.Error)
		assert.Equal(t, mailer.Cancellation, two.Kind)
		m := h.accepted(t)[1]
		assert.Equal(t, "Cancelled: Board meeting", m.Header.Get("Subject"))
		assert.Equal(t, "<"+one.MessageID+">", strings.TrimSpace(m.Header.Get("In-Reply-To")))
		assert.Equal(t, mailer.Unchanged, h.send(t, cancellation()).Outcome)
		assert.Equal(t, 2, h.api.Count())

		again := h.send(t, boardMeeting())
		assert.Equal(t, mailer.Sent, again.Outcome, "inviting again works")
		assert.Equal(t, mailer.Invitation, again.Kind)
	})
	t.Run("needs no organizer if the ledger knows one", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		h.send(t, boardMeeting())
		bare := cancellation()
		bare.Organizer = nil
		h.cfg.Organizer = mailer.Organizer{Name: "Somebody else", Email: "else@example.com"}
		r := h.send(t, bare)
		require.Equal(t, mailer.Sent, r.Outcome, "%+v", r.Error)
		assert.Equal(t, `"Jane Doe" <jane@example.com>`, h.accepted(t)[1].Header.Get("From"))
		assert.Empty(t, h.accepted(t)[1].Header.Get("Reply-To"))
		text := readMail(t, string(h.smtp.Accepted()[1].Data)).parts[0].body
		assert.Contains(t, text, "Jane Doe <jane@example.com>")
		assert.NotContains(t, text, "Somebody else")
	})
	t.Run("of what may have left", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, first(1, smtptest.AtDot, smtptest.HangUp()))
		require.Equal(t, mailer.Unknown, h.send(t, boardMeeting()).Outcome)
		r := h.send(t, cancellation())
		assert.Equal(t, mailer.Sent, r.Outcome)
		assert.Equal(t, mailer.Cancellation, r.Kind)
	})
	t.Run("of what never left", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, first(1, smtptest.AtRcpt, smtptest.Say("550 5.1.1 no such user")))
		require.Equal(t, mailer.Failed, h.send(t, boardMeeting()).Outcome)
		r := h.send(t, cancellation())
		assert.Equal(t, mailer.Unchanged, r.Outcome)
		assert.Equal(t, mailer.None, r.Kind)
		assert.Equal(t, "cancel", h.api.Requests()[1].Action, "the API is told")
		assert.Empty(t, h.smtp.Accepted(), "nobody is mailed")
		h.send(t, cancellation())
		assert.Equal(t, 2, h.api.Count())
	})
	t.Run("of what the API never knew", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		h.setFault(func(r *cronofytest.Request) *cronofytest.Fault {
			if r.N == 1 {
				return cronofytest.FaultStatus(422, 0)
			}
			return nil
		})
		require.Equal(t, mailer.Failed, h.send(t, boardMeeting()).Outcome)
		r := h.send(t, cancellation())
		assert.Equal(t, mailer.Unchanged, r.Outcome, "%+v", r.Error)
	})
	t.Run("of an invite that the ledger does not know", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		known := h.cfg.Ledger
		h.cfg.Ledger = nil
		h.send(t, boardMeeting())
		h.cfg.Ledger = known
		r := h.send(t, cancellation())
		assert.Equal(t, mailer.Sent, r.Outcome)
		assert.Equal(t, mailer.Cancellation, r.Kind)
	})
	t.Run("whose SEQUENCE did not grow", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		h.setFault(func(r *cronofytest.Request) *cronofytest.Fault {
			if r.Action != "cancel" {
				return nil
			}
			return cronofytest.FaultCalendar(func(ics string) string {
				return strings.Replace(ics, "SEQUENCE:1",
					"SEQUENCE:0", 1)
			})
		})
		h.send(t, boardMeeting())
		r := h.send(t, cancellation())
		assert.Equal(t, mailer.Sent, r.Outcome)
		require.Len(t, r.Findings, 1)
		assert.Equal(t, "IM38", r.Findings[0].Rule)
	})
	t.Run("with a temporary refusal", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, func(e smtptest.Event) smtptest.Fault {
			if e.Transaction == 2 && e.Point == smtptest.AtRcpt {
				return smtptest.Say("451 later")
			}
			return smtptest.Fault{}
		})
		h.send(t, boardMeeting())
		require.Equal(t, mailer.Deferred, h.send(t, cancellation()).Outcome)
		assert.Equal(t, mailer.Sent, h.send(t, cancellation()).Outcome)
		assert.Equal(t, 2, h.api.Count())
	})
}

// What the API documents no calendar for cannot be mailed, and the receipt says so.
func TestAWithdrawalWithoutACalendarFails(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, nil)
	g := group(2)
	_, err := h.mailer(t).SendGroup(t.Context(), g)
	require.NoError(t, err)
	r := h.send(t, mailer.Invite{ID: g.ID, Method: mailer.Remove, Recipient: g.Recipients[1], Organizer: g.Organizer})
	assert.Equal(t, mailer.Failed, r.Outcome)
	require.NotNil(t, r.Error)
	assert.Equal(t, mailer.Code("no_calendar"), r.Error.Code)
	assert.Equal(t, mailer.Withdrawal, r.Kind)
	assert.Equal(t, "remove", h.api.Requests()[1].Action)
	assert.Len(t, h.smtp.Accepted(), 2)
}
