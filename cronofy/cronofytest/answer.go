package cronofytest

import (
	"context"
	"errors"
)

// Answer is what somebody answers to an invitation.
type Answer struct {
	// InviteID is the smart_invite_id.
	InviteID string
	// Recipient is the address of the person invited.
	Recipient string
	// Status is pending, accepted, tentative or declined.
	Status string
	// Comment is text that comes with it; empty for none.
	Comment string
	// Proposal is another time asked for; nil for none.
	Proposal *Proposal
	// By is the address of who answers if that is not the recipient, as when an invitation was forwarded. The status of the
	// recipient then stays as it is, and the answer is among the replies.
	By string
}

// Answer records an answer and posts the callback.
func (s *Server) Answer(ctx context.Context, a Answer) error {
	return errors.Join(ctx.Err(), s.SetStatus(a.InviteID, a.Recipient, a.Status, a.Comment))
}
