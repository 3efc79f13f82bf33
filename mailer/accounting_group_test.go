package mailer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer"
)

func TestGroups(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, nil)
	send := func(g mailer.Group) []mailer.Receipt {
		receipts, err := h.mailer(t).SendGroup(t.Context(), g)
		if err != nil {
			var e *mailer.Error
			require.ErrorAs(t, err, &e)
		}
		return receipts
	}
	outcome := func(receipts []mailer.Receipt) string {
		var s []string
		for _, r := range receipts {
			s = append(s, fmt.Sprint(r.Outcome, "/", r.Kind))
		}
		return strings.Join(s, " ")
	}
	assert.Equal(t, "sent/invitation sent/invitation", outcome(send(group(2))))
	assert.Equal(t, 1, h.api.Count(), "one request for all")
	calendar := readMail(t, string(h.smtp.Accepted()[0].Data)).parts[3].body
	assert.Contains(t, calendar, "person0@example.org")
	assert.Contains(t, calendar, "person1@example.org")

	assert.Equal(t, "unchanged/none unchanged/none", outcome(send(group(2))))
	assert.Equal(t, 1, h.api.Count())

	assert.Equal(t, "unchanged/none unchanged/none sent/invitation", outcome(send(group(3))),
		"a newcomer is invited, the rest hear nothing")
	assert.Equal(t, 2, h.api.Count())

	moved := group(3)
	moved.Event.Summary = "Board dinner"
	assert.Equal(t, "sent/update sent/update sent/update", outcome(send(moved)))

	fewer := moved
	fewer.Recipients = people(2)
	receipts := send(fewer)
	assert.Equal(t, "unchanged/none unchanged/none unchanged/none", outcome(receipts))
	require.Len(t, receipts[2].Findings, 1)
	assert.Equal(t, "missing_recipient", receipts[2].Findings[0].Rule)
	assert.Equal(t, "person2@example.org", receipts[2].Recipient)

	h.cfg.WithdrawMissing = true
	receipts = send(fewer)
	require.Len(t, receipts, 3)
	assert.Equal(t, mailer.Withdrawal, receipts[2].Kind)
	assert.Equal(t, mailer.Code("no_calendar"), receipts[2].Error.Code, "the API documents no calendar for it")

	single := boardMeeting()
	single.Recipient = group(1).Recipients[0]
	r := h.send(t, single)
	assert.Equal(t, mailer.Invalid, r.Outcome)
	assert.Equal(t, mailer.CodeFormChanged, r.Error.Code)
}

// One refused recipient of a group does not keep the others from their mail, and
// the next run mails that one alone.
func TestAGroupIsRecordedOneByOne(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, func(e smtptest.Event) smtptest.Fault {
		if e.Transaction == 2 && e.Point == smtptest.AtRcpt {
			return smtptest.Say("450 later")
		}
		return smtptest.Fault{}
	})
	receipts, err := h.mailer(t).SendGroup(t.Context(), group(3))
	require.Error(t, err)
	assert.Equal(t, []mailer.Outcome{mailer.Sent, mailer.Deferred, mailer.Sent},
		[]mailer.Outcome{receipts[0].Outcome, receipts[1].Outcome, receipts[2].Outcome})
	receipts, err = h.mailer(t).SendGroup(t.Context(), group(3))
	require.NoError(t, err)
	assert.Equal(t, []mailer.Outcome{mailer.Unchanged, mailer.Sent, mailer.Unchanged},
		[]mailer.Outcome{receipts[0].Outcome, receipts[1].Outcome, receipts[2].Outcome})
	assert.Equal(t, 1, h.api.Count())
	assert.Len(t, h.smtp.Accepted(), 3)
}
