package mailer

import (
	"errors"
	"fmt"

	"github.com/invitemailer/invitemailer/internal/address"
)

// checkGuards says what is wrong with the lists that keep mail back. One that
// came out empty, as of a setting that was not found, must not allow everybody.
func (c *Config) checkGuards(bad func(field string, err error)) {
	const empty = "is not nil and has no entry; leave it nil to allow all, or name what is allowed"
	if c.OnlyTo != nil && len(c.OnlyTo) == 0 {
		bad("OnlyTo", errors.New(empty))
	}
	for _, p := range c.OnlyTo {
		bad("OnlyTo", checkPattern(p))
	}
	if c.FromDomains != nil && len(c.FromDomains) == 0 {
		bad("FromDomains", errors.New(empty))
	}
	for _, d := range c.FromDomains {
		_, err := address.Parse("x@" + d)
		bad("FromDomains", err)
	}
}

// holdSender ends recipient i if the mail that the step asks for would be from a
// domain that is not allowed: the sender may be that of an earlier mail, or stand
// in the very bytes that are to be repeated. It does so before the API is asked,
// which would otherwise know of what the recipient never hears of.
func (w *work) holdSender(i int) {
	var from address.Address
	switch e := &w.entries[i]; w.steps[i].action {
	case nothing, tell, note:
		return
	case repeat:
		from, _ = address.Parse(e.Latest.FromEmail) // what cannot be read is not on record
	default:
		sender, _ := w.from(i) // nobody at all is told when the mail is composed
		from = sender.Address
	}
	if !from.IsZero() && !w.m.fromAllowed(from) {
		w.end(i, Failed, senderNotAllowed(from))
	}
}

func senderNotAllowed(from address.Address) *Error {
	return &Error{Stage: StagePolicy, Code: CodeInvalid, Field: "organizer.email",
		Message: fmt.Sprintf("mail from %s is not allowed here; use a domain of MAIL_FROM_DOMAINS", from.Domain())}
}
