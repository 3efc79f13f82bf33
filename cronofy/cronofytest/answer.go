package cronofytest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/zone"
)

// Answer is what a person answers to an invitation.
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
	// By is the address of the person who answers if that is not the recipient, whose status then
	// stays as it is: the answer is among the replies.
	By string
	// At is when it was written, for [ReplyMail]; the zero time is now.
	At time.Time
}

// Answer records an answer and, if it changes anything, posts the callback, for which
// [Server.Wait] waits. It fails for an unknown invite or recipient, a cancelled invite, and anything
// else that cannot be an answer.
func (s *Server) Answer(ctx context.Context, a Answer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p := Participant{Email: a.Recipient, Status: a.Status, Comment: a.Comment}
	if a.By != "" {
		by, err := mail.ParseAddress(a.By)
		if err != nil {
			return errors.New("answer: By is no mail address: " +
				"give one such as ada@example.com, or leave it empty")
		}
		p.Email = by.Address
	}
	statuses := []string{statusPending, statusAccepted, statusTentative, statusDeclined}
	if !slices.Contains(statuses, a.Status) {
		return fmt.Errorf("status %q is unknown: use pending, accepted, tentative or declined", a.Status)
	}
	if q := a.Proposal; q != nil {
		if _, ok := zone.Load(cmp.Or(q.TZID, "UTC")); !ok {
			return fmt.Errorf("proposal: time zone %q is unknown: use an IANA identifier", q.TZID)
		}
		if !q.End.After(q.Start) {
			return fmt.Errorf("proposal: end %s is not after start %s: give a later end", q.End, q.Start)
		}
		proposal := *q
		p.Proposal = &proposal
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.invites[inviteKey{id: a.InviteID, email: fold(a.Recipient)}]
	if i == nil {
		i = s.invites[inviteKey{id: a.InviteID}]
	}
	switch {
	case i == nil || index(i.Recipients, a.Recipient) < 0:
		return fmt.Errorf("smart invite %q has no such recipient at %s: create it first",
			a.InviteID, domain(a.Recipient))
	case i.Cancelled:
		return fmt.Errorf("smart invite %q is cancelled: invite again before answering", a.InviteID)
	}
	return s.settle(i, a.Recipient, p, time.Time{})
}

// domain is as much of an address as an error may tell.
func domain(email string) string { return email[strings.LastIndexByte(email, '@')+1:] }

// settle stores, under the lock, the answer p of an invited person or of another who answers the
// invitation of invited. mailed is the DTSTAMP of an answer by mail. An answer that says nothing
// new changes nothing, and no callback is posted.
func (s *Server) settle(old *invite, invited string, p Participant, mailed time.Time) error {
	next := *old
	next.Recipients, next.Replies = slices.Clone(old.Recipients), slices.Clone(old.Replies)
	was := Participant{Status: statusPending}
	if at := index(old.Replies, p.Email); at >= 0 {
		was = old.Replies[at]
	}
	if own := index(old.Recipients, p.Email); own >= 0 {
		was = old.Recipients[own]
		p.Email, invited = was.Email, was.Email
		next.Recipients[own] = p
	}
	if mailed.After(old.mailed[fold(p.Email)]) {
		next.mailed = maps.Clone(old.mailed)
		next.mailed[fold(p.Email)] = mailed
	}
	if at := index(next.Replies, p.Email); at >= 0 {
		next.Replies = slices.Delete(next.Replies, at, at+1)
	}
	reply := &p
	if p.Status == statusPending {
		reply = nil
	} else {
		next.Replies = append(next.Replies, p)
	}
	s.invites[next.key()] = &next
	if was.says(p) {
		return nil
	}
	return s.notify(&next, next.Recipients[max(0, index(next.Recipients, invited))], reply)
}

// says tells whether both answers are the same.
func (p Participant) says(o Participant) bool {
	same := p.Proposal == o.Proposal
	if a, b := p.Proposal, o.Proposal; a != nil && b != nil {
		same = a.Start.Equal(b.Start) && a.End.Equal(b.End) && a.TZID == b.TZID
	}
	return same && p.Status == o.Status && p.Comment == o.Comment
}
