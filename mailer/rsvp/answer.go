package rsvp

import (
	"cmp"
	"strings"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// maxName bounds what is kept of a replier whose address is none.
const maxName = 320

// standing is how the invite of one person stands.
type standing struct {
	address address.Address
	rsvp    ledger.RSVP
}

// standingsIn is what a callback says of each person that was invited. `recipient`
// is how that person's invite stands, `reply` the answer that caused the callback:
// of the same person, or of one to whom the invitation was forwarded. The form
// for several recipients is not documented; `recipients` is read if it is there,
// and who replied is then attributed only to a recipient who did.
func standingsIn(invite *cronofy.CallbackInvite) []standing {
	if invite.SmartInviteID == "" {
		return nil
	}
	var people []cronofy.Participant
	if invite.Recipient != nil {
		people = append(people, *invite.Recipient)
	}
	people = append(people, invite.Recipients...)
	if len(people) == 0 && invite.Reply != nil {
		people = append(people, *invite.Reply)
	}
	all := make([]standing, 0, len(people))
	for _, p := range people {
		own := invite.Reply != nil && address.Equal(invite.Reply.Email, p.Email)
		if own && p.Status == "" {
			p = *invite.Reply
		}
		a, err := address.Parse(p.Email)
		if err != nil || p.Status == "" {
			continue
		}
		one := standing{address: a, rsvp: newRSVP(p)}
		if invite.Reply != nil && !own && len(people) == 1 {
			one.rsvp = withReply(one.rsvp, *invite.Reply)
		}
		all = append(all, one)
	}
	return all
}

func newRSVP(p cronofy.Participant) ledger.RSVP {
	return ledger.RSVP{Status: string(p.Status), Comment: p.Comment, Proposal: proposal(p.Proposal)}
}

// withReply adds the reply of another person.
func withReply(r ledger.RSVP, reply cronofy.Participant) ledger.RSVP {
	by := strings.TrimSpace(reply.Email)
	if by == "" || reply.Status == "" {
		return r
	}
	if a, err := address.Parse(by); err == nil {
		r.By = a.String()
	} else {
		runes := []rune(address.CleanText(by))
		r.By = string(runes[:min(len(runes), maxName)])
	}
	r.Reply = &ledger.Reply{Status: string(reply.Status), Comment: reply.Comment, Proposal: proposal(reply.Proposal)}
	return r
}

func proposal(p *cronofy.Proposal) *ledger.Proposal {
	if p == nil || p.Start.IsZero() && p.End.IsZero() {
		return nil
	}
	return &ledger.Proposal{Start: p.Start.Time.UTC(), End: p.End.Time.UTC(), TZID: cmp.Or(p.Start.TZID, p.End.TZID)}
}
