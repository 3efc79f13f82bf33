package main

import (
	"time"

	"github.com/invitemailer/invitemailer/internal/pages"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/rsvp"
)

// changeLine is one change of an answer. Its names and their order are fixed.
type changeLine struct {
	InviteID  string       `json:"smart_invite_id"`
	Recipient string       `json:"recipient"`
	Before    string       `json:"before"` // the status until then
	Status    string       `json:"status"`
	RSVP      pages.Answer `json:"rsvp"`
	// RepliedBy is who really replied.
	RepliedBy string    `json:"replied_by"`
	At        time.Time `json:"at"`
}

func newChangeLine(c *rsvp.Change) *changeLine {
	before := c.Before.Status
	if before == "" {
		before = ledger.StatusPending
	}
	return &changeLine{
		InviteID: c.InviteID, Recipient: c.Recipient, Before: before, Status: c.After.Status,
		RSVP: pages.NewAnswer(&c.After), RepliedBy: c.By, At: c.After.At.UTC().Truncate(time.Millisecond),
	}
}
