package mailer_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer"
)

// TestEmptyGuardsAreErrors: a list that came out empty must not allow everybody.
func TestEmptyGuardsAreErrors(t *testing.T) {
	t.Parallel()
	_, err := mailer.New(mailer.Config{DryRun: true, OnlyTo: []string{}, FromDomains: []string{}})
	require.ErrorContains(t, err, "OnlyTo: ")
	require.ErrorContains(t, err, "FromDomains: ")
	_, err = mailer.New(mailer.Config{DryRun: true})
	require.NoError(t, err, "nil is the way to allow all")
}

// TestFromDomainsHoldsTheSenderOfAnEarlierMail: the From of a cancellation comes
// from what was sent before, and is held to the list like any other.
func TestFromDomainsHoldsTheSenderOfAnEarlierMail(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, nil)
	require.Equal(t, mailer.Sent, h.send(t, boardMeeting()).Outcome)
	h.cfg.FromDomains = []string{"example.net"}
	c := cancellation()
	c.Organizer = nil
	r := h.send(t, c)
	assert.Equal(t, mailer.Failed, r.Outcome)
	require.NotNil(t, r.Error)
	assert.Equal(t, mailer.StagePolicy, r.Error.Stage)
	assert.Contains(t, r.Error.Message, "example.com")
	assert.Len(t, h.accepted(t), 1)
	assert.Equal(t, 1, h.api.Count(), "the API is not told of what the reader will not hear of")

	h.cfg.FromDomains = []string{"example.com"}
	assert.Equal(t, mailer.Sent, h.send(t, c).Outcome)
}

// TestFromDomainsHoldsBytesThatAreRepeated: a mail whose end is unknown is
// repeated as it was, and its From may not be allowed any more.
func TestFromDomainsHoldsBytesThatAreRepeated(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, first(1, smtptest.AtDot, smtptest.HangUp()))
	require.Equal(t, mailer.Unknown, h.send(t, boardMeeting()).Outcome)
	h.cfg.Now = func() time.Time { return today.Add(2 * time.Hour) }
	h.cfg.From, h.cfg.FromDomains = "hr@example.net", []string{"example.net"}
	r := h.send(t, boardMeeting())
	assert.Equal(t, mailer.Failed, r.Outcome)
	require.NotNil(t, r.Error)
	assert.Equal(t, mailer.StagePolicy, r.Error.Stage)
	assert.Contains(t, r.Error.Message, "example.com")
	assert.Len(t, h.smtp.Transactions(), 1)

	h.cfg.FromDomains = append(h.cfg.FromDomains, "example.com")
	assert.Equal(t, mailer.Sent, h.send(t, boardMeeting()).Outcome)
}

// TestOnlyToComparesDomainsAsAddressesDo: a domain beyond ASCII is the same one
// in letters and as A-labels, in a pattern and in a record.
func TestOnlyToComparesDomainsAsAddressesDo(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"*@bücher.example", "*@BÜCHER.example", "*@xn--bcher-kva.example",
		"ann@bücher.example", "ANN@xn--bcher-kva.example"} {
		for _, to := range []string{"ann@bücher.example", "ann@xn--bcher-kva.example"} {
			h := newRecordedFixture(t, nil)
			h.cfg.OnlyTo = []string{pattern}
			inv := boardMeeting()
			inv.Recipient.Email = to
			assert.Equal(t, mailer.Sent, h.send(t, inv).Outcome, "%s allows %s", pattern, to)
			inv.Recipient.Email = "ann@buecher.example"
			assert.Equal(t, mailer.Failed, h.send(t, inv).Outcome, "%s does not allow another domain", pattern)
		}
	}
}
