package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
)

// TestInHandColumns: on a terminal it is told last, so that nothing moves.
func TestInHandColumns(t *testing.T) {
	t.Parallel()
	at := time.Date(2027, 4, 29, 9, 30, 0, 0, time.UTC)
	l := newClaimLine(sqlite.Claimed{Key: ledger.Key{InviteID: "talk", Address: "ada@example.com"}, Until: at.Add(20 * time.Second)}, at)
	assert.Regexp(t, `^deferred +2027-04-29 09:30:00Z +talk +ada@example.com +in hand until 2027-04-29 09:30:20Z  ledger: a run has the invite in hand`, l.columns())
}
