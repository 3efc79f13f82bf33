package mailer

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// A Mailer lives long: what it keeps of the mails that were accepted does not
// grow with them.
func TestAcceptancesAreForgotten(t *testing.T) {
	t.Parallel()
	var c acceptances
	now := time.Date(2027, 4, 1, 12, 0, 0, 0, time.UTC)
	for i := range 10_000 {
		a := attempt{key: ledger.Key{Address: fmt.Sprintf("p%d@example.org", i)}, sender: sender{"hr@acme.example", "hr@acme.example"}, connection: i / 10}
		c.add(a, now)
		now = now.Add(6 * time.Second)
		assert.LessOrEqual(t, len(c.latest), maxAcceptances)
	}
	last := attempt{key: ledger.Key{Address: "p9999@example.org"}, sender: sender{"hr@acme.example", "hr@acme.example"}, connection: 999}
	assert.True(t, c.sameConnection(last), "the one before, on the same connection")
	assert.True(t, c.sameSender(last, now.Add(-time.Minute)))
	last.connection = 0
	assert.False(t, c.sameConnection(last), "no connection is known")
}

// Nor does what a run keeps of refusals.
func TestDoubtfulRefusalsAreBounded(t *testing.T) {
	t.Parallel()
	r := new(Mailer).newRun(RunOptions{}.withDefaults())
	for i := range maxDoubtful + 10 {
		r.doubt(refusal{attempt: attempt{key: ledger.Key{Address: fmt.Sprintf("p%d@example.org", i)}}, said: "550 "})
	}
	r.accept(attempt{key: ledger.Key{Address: "other@example.org"}})
	assert.Len(t, r.refusals.proven, maxDoubtful)
}
