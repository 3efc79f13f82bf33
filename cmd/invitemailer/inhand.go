package main

import (
	"cmp"
	"time"

	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
)

// inHand is what runs have in hand, in the order in which status lists invites.
type inHand []sqlite.Claimed

// upTo takes off what comes before key, and what is on key, of which until says
// how long.
func (h *inHand) upTo(key ledger.Key) (before []sqlite.Claimed, until *time.Time) {
	for i, c := range *h {
		switch order := cmp.Or(cmp.Compare(c.Key.InviteID, key.InviteID), cmp.Compare(c.Key.Address, key.Address)); {
		case order == 0:
			before, *h = (*h)[:i], (*h)[i+1:]
			return before, &c.Until
		case order > 0:
			before, *h = (*h)[:i], (*h)[i:]
			return before, nil
		}
	}
	before, *h = *h, nil
	return before, nil
}

// newClaimLine is the line of an invite that a run has in hand before anything of
// it is on record.
func newClaimLine(c sqlite.Claimed, now time.Time) *entryLine {
	return &entryLine{InHandUntil: &c.Until, line: line{
		InviteID: c.Key.InviteID, Recipient: c.Key.Address, Outcome: mailer.Deferred, At: now.UTC().Truncate(time.Millisecond),
		Error: &mailer.Error{Stage: mailer.StageLedger, Code: mailer.CodeInProgress,
			Message: "a run has the invite in hand, or died with it a moment ago; nothing of it is on record yet"},
	}}
}
