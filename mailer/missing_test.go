package mailer_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer"
)

// fewer is the group without its last member, who was invited before.
func fewer(t *testing.T, h *fixture) mailer.Group {
	t.Helper()
	_, err := h.mailer(t).SendGroup(t.Context(), group(3))
	require.NoError(t, err)
	return group(2)
}

// TestARemovalEnds: the API knows a member no more once that was removed, and
// says so for ever. The ledger knows that they were invited, so it is done.
func TestARemovalEnds(t *testing.T) {
	t.Parallel()
	gone := mailer.Recipient{Email: "person2@example.org"}
	remove := func(id string) mailer.Invite {
		return mailer.Invite{ID: id, Method: mailer.Remove, Recipient: gone, Organizer: boardMeeting().Organizer}
	}
	t.Run("asked for", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		fewer(t, h)
		assert.Equal(t, mailer.Code("no_calendar"), h.send(t, remove("board-meeting")).Error.Code)
		for range 3 {
			r := h.send(t, remove("board-meeting"))
			assert.Equal(t, mailer.Unchanged, r.Outcome, "%+v", r.Error)
			assert.Equal(t, mailer.None, r.Kind)
		}
		assert.Equal(t, 3, h.api.Count(), "it is settled once the API said that it knows nobody")
		assert.Len(t, h.smtp.Accepted(), 3)
	})
	t.Run("of whom the list misses", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		g := fewer(t, h)
		h.cfg.WithdrawMissing = true
		receipts, err := h.mailer(t).SendGroup(t.Context(), g)
		require.Error(t, err)
		require.Len(t, receipts, 3)
		assert.Equal(t, mailer.Code("no_calendar"), receipts[2].Error.Code)
		receipts, err = h.mailer(t).SendGroup(t.Context(), g)
		require.NoError(t, err)
		require.Len(t, receipts, 3)
		assert.Equal(t, mailer.Unchanged, receipts[2].Outcome)
		requests := h.api.Count()
		for _, withdraw := range []bool{true, false} {
			h.cfg.WithdrawMissing = withdraw
			receipts, err = h.mailer(t).SendGroup(t.Context(), g)
			require.NoError(t, err)
			assert.Len(t, receipts, 2, "nobody is missing any more")
		}
		assert.Equal(t, requests, h.api.Count())

		receipts, err = h.mailer(t).SendGroup(t.Context(), group(3))
		require.NoError(t, err)
		assert.Equal(t, mailer.Sent, receipts[2].Outcome, "and may be invited again")
	})
	t.Run("of somebody unknown", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		for range 2 {
			r := h.send(t, remove("another-meeting"))
			assert.Equal(t, mailer.Failed, r.Outcome)
			assert.Equal(t, mailer.Code("not_found"), r.Error.Code)
			assert.False(t, r.Known, "it was tried")
		}
	})
	t.Run("of somebody who was refused", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, func(e smtptest.Event) smtptest.Fault {
			if e.Transaction == 3 && e.Point == smtptest.AtRcpt {
				return smtptest.Say("550 5.1.1 no such user")
			}
			return smtptest.Fault{}
		})
		_, err := h.mailer(t).SendGroup(t.Context(), group(3))
		require.Error(t, err)
		assert.Equal(t, mailer.Unchanged, h.send(t, remove("board-meeting")).Outcome,
			"the API is told, and nobody is mailed")
	})
}

// TestAGroupIsRemovedOneByOne: the API takes one recipient out of an event at a
// time; a list of them is as many requests, each with its own outcome.
func TestAGroupIsRemovedOneByOne(t *testing.T) {
	t.Parallel()
	removal := func(n int) mailer.Group {
		g := group(n)
		return mailer.Group{ID: g.ID, Method: mailer.Remove, Recipients: g.Recipients, Organizer: g.Organizer}
	}
	t.Run("with a ledger", func(t *testing.T) {
		t.Parallel()
		h := newRecordedFixture(t, nil)
		_, err := h.mailer(t).SendGroup(t.Context(), group(3))
		require.NoError(t, err)
		receipts, err := h.mailer(t).SendGroup(t.Context(), removal(2))
		require.Error(t, err)
		require.Len(t, receipts, 2)
		for _, r := range receipts {
			assert.Equal(t, mailer.Code("no_calendar"), r.Error.Code)
		}
		requests := h.api.Requests()
		require.Len(t, requests, 3)
		assert.Equal(t, "remove", requests[1].Action)
		assert.Equal(t, "remove", requests[2].Action)
		receipts, err = h.mailer(t).SendGroup(t.Context(), removal(2))
		require.NoError(t, err)
		for _, r := range receipts {
			assert.Equal(t, mailer.Unchanged, r.Outcome)
		}
	})
	t.Run("with a calendar for each, and no ledger", func(t *testing.T) {
		t.Parallel()
		h := newFixture(t, func(e smtptest.Event) smtptest.Fault {
			if e.Transaction == 3 && e.Point == smtptest.AtRcpt {
				return smtptest.Say("450 later")
			}
			return smtptest.Fault{}
		})
		h.cfg.API = withdrawing{h.cfg.API}
		for _, to := range people(2) {
			i := boardMeeting()
			i.Recipient = to
			require.Equal(t, mailer.Sent, h.send(t, i).Outcome)
		}
		receipts, err := h.mailer(t).SendGroup(t.Context(), removal(2))
		require.Error(t, err)
		require.Len(t, receipts, 2)
		assert.Equal(t, mailer.Deferred, receipts[0].Outcome)
		assert.Equal(t, mailer.Sent, receipts[1].Outcome, "%+v", receipts[1].Error)
		for _, tx := range h.smtp.Accepted()[2:] {
			assert.Contains(t, readMail(t, string(tx.Data)).parts[3].body, "mailto:"+tx.To)
		}
	})
	t.Run("as an item, with a refused key", func(t *testing.T) {
		t.Parallel()
		for _, one := range []bool{true, false} {
			h := newRecordedFixture(t, nil)
			h.setFault(func(*cronofytest.Request) *cronofytest.Fault { return cronofytest.FaultStatus(401, 0) })
			g := removal(3)
			var receipts []mailer.Receipt
			if one {
				receipts, _ = h.mailer(t).SendGroup(t.Context(), g)
			} else {
				require.Error(t, h.mailer(t).SendAll(t.Context(),
					func(yield func(mailer.Item) bool) { yield(mailer.Item{Group: &g}) },
					mailer.RunOptions{}, func(r mailer.Result) { receipts = r.Receipts }))
			}
			require.Len(t, receipts, 3)
			for _, r := range receipts {
				assert.Equal(t, mailer.Deferred, r.Outcome)
			}
			assert.Equal(t, 1, h.api.Count(), "one refused key is enough")
		}
	})
}

// TestWhoWasInvitedAloneIsNoMissingMember: an id may be used for one recipient
// and for a group of others; the group's list says nothing of the one.
func TestWhoWasInvitedAloneIsNoMissingMember(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, nil)
	require.Equal(t, mailer.Sent, h.send(t, boardMeeting()).Outcome)
	h.cfg.WithdrawMissing = true
	receipts, err := h.mailer(t).SendGroup(context.Background(), group(2))
	require.NoError(t, err)
	assert.Len(t, receipts, 2)
	for _, r := range h.api.Requests() {
		assert.NotEqual(t, "remove", r.Action)
	}
}

// TestOthersOfAGroupGetTheNewCalendar: a newcomer is a new revision of the event;
// those whose mail is still to leave are mailed that one, not the one on record.
func TestOthersOfAGroupGetTheNewCalendar(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, func(e smtptest.Event) smtptest.Fault {
		if e.Transaction == 2 && e.Point == smtptest.AtRcpt {
			return smtptest.Say("450 later")
		}
		return smtptest.Fault{}
	})
	first, err := h.mailer(t).SendGroup(t.Context(), group(2))
	require.Error(t, err)
	require.Equal(t, mailer.Deferred, first[1].Outcome)
	second, err := h.mailer(t).SendGroup(t.Context(), group(3))
	require.NoError(t, err)
	assert.Equal(t, mailer.Unchanged, second[0].Outcome)
	assert.Equal(t, mailer.Sent, second[1].Outcome)
	assert.Equal(t, *second[2].Sequence, *second[1].Sequence)
	assert.Greater(t, *second[1].Sequence, *first[1].Sequence)
	taken := h.smtp.Accepted()
	require.Len(t, taken, 3)
	for _, tx := range taken[1:] {
		assert.Contains(t, readMail(t, string(tx.Data)).parts[3].body, "person2@example.org",
			"in the mail to %s", tx.To)
	}
}

// TestMailedAgainInAGroup: who is mailed again on purpose gets the calendar that was
// sent, though a newcomer of the same group brings a newer one.
func TestMailedAgainInAGroup(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, nil)
	first, err := h.mailer(t).SendGroup(t.Context(), group(1))
	require.NoError(t, err)
	h.cfg.Resend = true
	second, err := h.mailer(t).SendGroup(t.Context(), group(2))
	require.NoError(t, err)
	require.Len(t, second, 2)
	assert.Equal(t, mailer.Sent, second[0].Outcome)
	assert.Equal(t, *first[0].Sequence, *second[0].Sequence)
	assert.NotEqual(t, first[0].MessageID, second[0].MessageID)
	taken := h.smtp.Accepted()
	require.Len(t, taken, 3)
	assert.NotContains(t, readMail(t, string(taken[1].Data)).parts[3].body, "person1@example.org")
}
