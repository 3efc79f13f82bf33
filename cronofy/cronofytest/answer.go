package cronofytest

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"time"
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
	// At is when it was written, for [ReplyMail]; the zero time is now.
	At time.Time
}

// Answer records an answer and, if it changes anything, posts the callback. It does not wait for the callback to arrive: [Server.Wait] does.
// It fails for an unknown invite or recipient, a cancelled invite, and anything else that cannot be an answer.
func (s *Server) Answer(ctx context.Context, a Answer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := recipient{Email: a.Recipient, Status: a.Status, Comment: a.Comment}
	if a.By != "" {
		by, err := mail.ParseAddress(a.By)
		if err != nil {
			return errors.New("answer: By is no mail address: give one such as ada@example.com, or leave it empty")
		}
		r.Email = by.Address
	}
	if !slices.Contains([]string{statusPending, statusAccepted, statusTentative, statusDeclined}, a.Status) {
		return fmt.Errorf("status %q is unknown: use pending, accepted, tentative or declined", a.Status)
	}
	if p := a.Proposal; p != nil {
		if p.TZID != "" && s.zones.load(p.TZID) == nil {
			return fmt.Errorf("proposal: time zone %q is unknown: use an IANA identifier", p.TZID)
		}
		if !p.End.After(p.Start) {
			return fmt.Errorf("proposal: end %s is not after start %s: give a later end", p.End, p.Start)
		}
		proposal := *p
		r.Proposal = &proposal
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.invites[inviteKey{id: a.InviteID, email: fold(a.Recipient)}]
	if i == nil {
		i = s.invites[inviteKey{id: a.InviteID}]
	}
	switch {
	case i == nil || i.find(a.Recipient) < 0:
		return fmt.Errorf("smart invite %q has no such recipient at %s: create it first", a.InviteID, domain(a.Recipient))
	case i.cancelled:
		return fmt.Errorf("smart invite %q is cancelled: invite again before answering", a.InviteID)
	}
	return s.settle(i, a.Recipient, r)
}

// SetStatus is [Server.Answer] for a recipient's own answer, with at most one proposal of another time.
func (s *Server) SetStatus(id, recipientEmail, status, comment string, proposal ...Proposal) error {
	a := Answer{InviteID: id, Recipient: recipientEmail, Status: status, Comment: comment}
	switch len(proposal) {
	case 0:
	case 1:
		a.Proposal = &proposal[0]
	default:
		return fmt.Errorf("%d proposals given: one answer has at most one", len(proposal))
	}
	return s.Answer(context.Background(), a)
}

// settle stores, under the lock, the answer r of an invited person or of another who answers the invitation of invited. An answer that
// says nothing new changes nothing and tells nobody.
func (s *Server) settle(old *invite, invited string, r recipient) error {
	next := *old
	next.recipients, next.replies = slices.Clone(old.recipients), slices.Clone(old.replies)
	own := old.find(r.Email)
	was := recipient{Status: statusPending}
	if before := old.reply(r.Email); before != nil {
		was = *before
	}
	if own >= 0 {
		was = old.recipients[own]
		r.Email, invited = was.Email, was.Email
		next.recipients[own] = r
	}
	if was.replied.After(r.replied) {
		r.replied = was.replied
		if own >= 0 {
			next.recipients[own] = r
		}
	}
	next.replies = slices.DeleteFunc(next.replies, func(x recipient) bool { return fold(x.Email) == fold(r.Email) })
	reply := &r
	if r.Status == statusPending {
		reply = nil
	} else {
		next.replies = append(next.replies, r)
	}
	s.invites[next.key()] = &next
	if was.says(r) {
		return nil
	}
	return s.notify(&next, next.recipients[max(0, next.find(invited))], reply)
}

// reply returns the last answer of a person, nil if there is none.
func (i *invite) reply(email string) *recipient {
	at := slices.IndexFunc(i.replies, func(r recipient) bool { return fold(r.Email) == fold(email) })
	if at < 0 {
		return nil
	}
	return &i.replies[at]
}

// says tells whether both answers are the same.
func (r recipient) says(o recipient) bool {
	same := r.Proposal == o.Proposal
	if p, q := r.Proposal, o.Proposal; p != nil && q != nil {
		same = p.Start.Equal(q.Start) && p.End.Equal(q.End) && p.TZID == q.TZID
	}
	return same && r.Status == o.Status && r.Comment == o.Comment
}
