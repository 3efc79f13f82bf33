package mailer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// A refusal that turned out to be the recipient's is recorded at the end of the
// run, if nothing else was recorded since.
func TestWhatAnotherRunRecordedSinceStands(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		summary string // of what the other run sends
		line    string // the server's answer to that
		then    mailer.Outcome
	}{
		"sent":                 {"Board meeting", "", mailer.Unchanged},
		"changed, and refused": {"Another meeting", "550 No", mailer.Sent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &answers{point: smtptest.AtRcpt, lines: []string{"550 No", "", tc.line, ""}}
			h := newRecordedFixture(t, server.script)
			invites := all(threeDomains[:2])
			event := *invites[0].Event
			event.Summary = tc.summary
			changed := invites[0]
			changed.Event = &event
			other := h.mailer(t)
			err := h.mailer(t).SendAll(context.Background(), items(invites), mailer.RunOptions{},
				func(r mailer.Result) {
					if r.Receipts[0].Outcome == mailer.Sent { // the refusal is the recipient's, and not recorded yet
						_, err := other.Send(context.Background(), changed)
						assert.Equal(t, tc.line == "", err == nil)
					}
				})
			require.NoError(t, err)
			assert.Equal(t, tc.then, h.send(t, changed).Outcome)
		})
	}
}

// A ledger that cannot record it costs nothing but another try.
func TestARefusalThatCannotBeRememberedIsTriedAgain(t *testing.T) {
	t.Parallel()
	server := &answers{point: smtptest.AtRcpt, lines: []string{"550 No", ""}}
	h := newRecordedFixture(t, server.script)
	good := h.cfg.Ledger
	claims := 0
	h.cfg.Ledger = claimless{good, func() bool { claims++; return claims > 2 }}
	receipts, err := h.sendAll(t, all(threeDomains[:2])...)
	require.NoError(t, err)
	assert.Equal(t, "failed sent", outcomesOf(receipts))
	assert.Equal(t, 3, claims)
	h.cfg.Ledger = good
	server.beGood()
	assert.Equal(t, mailer.Sent, h.send(t, to(threeDomains[0])).Outcome)
}

// claimless is a ledger that gives no claim when it is told to.
type claimless struct {
	mailer.Ledger
	refuse func() bool
}

func (l claimless) Claim(ctx context.Context, k ...ledger.Key) (ledger.Claim, error) {
	if l.refuse() {
		return ledger.Claim{}, ledger.ErrBusy
	}
	return l.Ledger.Claim(ctx, k...)
}

// Many at once: one asks about the sender, and nobody is remembered wrongly.
func TestRefusalsOfManyAtOnce(t *testing.T) {
	t.Parallel()
	var addresses []string
	for i := range 40 {
		addresses = append(addresses, fmt.Sprintf("p%d@d%d.example", i, i))
	}
	server := &answers{point: smtptest.AtRcpt, lines: []string{"554 5.7.1 Access denied"}}
	h := newRecordedFixture(t, server.script)
	var receipts []mailer.Receipt
	invites := all(addresses)
	err := h.mailer(t).SendAll(context.Background(), items(invites), mailer.RunOptions{Concurrency: 8},
		func(r mailer.Result) { receipts = append(receipts, r.Receipts...) })
	var e *mailer.Error
	require.ErrorAs(t, err, &e)
	assert.Len(t, receipts, 40)
	asked := slices.DeleteFunc(h.smtp.Commands(), func(l string) bool { return l != "RCPT TO:<jane@example.com>" })
	assert.Len(t, asked, 1)
	assert.Less(t, len(h.smtp.Transactions()), 40)
	server.beGood()
	receipts, err = h.sendAll(t, invites...)
	require.NoError(t, err)
	assert.Equal(t, strings.TrimSpace(strings.Repeat("sent ", 40)), outcomesOf(receipts))
}
