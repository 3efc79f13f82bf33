package cronofytest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What a recipient can have answered.
const (
	statusPending   = "pending"
	statusAccepted  = "accepted"
	statusTentative = "tentative"
	statusDeclined  = "declined"
)

// recipient is somebody with an answer.
type recipient struct {
	Email    string    `json:"email"`
	Status   string    `json:"status"`
	Comment  string    `json:"comment,omitempty"`
	Proposal *Proposal `json:"proposal,omitempty"`
}

// Proposal is another time that a recipient asks for.
type Proposal struct {
	Start, End time.Time
	// TZID is an IANA time zone; empty means Etc/UTC.
	TZID string
}

// MarshalJSON writes the documented {"start": {"time", "tzid"}, "end": …}, times with the offset of their zone.
func (p *Proposal) MarshalJSON() ([]byte, error) {
	tzid := p.TZID
	if tzid == "" {
		tzid = "Etc/UTC"
	}
	loc, err := time.LoadLocation(tzid)
	if err != nil {
		return nil, fmt.Errorf("time zone of a proposal: %w", err)
	}
	type local struct {
		Time string `json:"time"`
		TZID string `json:"tzid"`
	}
	at := func(t time.Time) local { return local{t.In(loc).Format("2006-01-02T15:04:05-07:00"), tzid} }
	return json.Marshal(map[string]local{"start": at(p.Start), "end": at(p.End)})
}

// SetStatus records that a recipient has answered: status is pending, accepted, tentative or declined. At most one proposal of another
// time can come with it. It fails for an unknown invite or recipient, a cancelled invite, and anything else that cannot be an answer.
func (s *Server) SetStatus(id, recipientEmail, status, comment string, proposal ...Proposal) error {
	if !slices.Contains([]string{statusPending, statusAccepted, statusTentative, statusDeclined}, status) {
		return fmt.Errorf("status %q is unknown: use pending, accepted, tentative or declined", status)
	}
	now := recipient{Email: recipientEmail, Status: status, Comment: comment}
	switch len(proposal) {
	case 0:
	case 1:
		p := proposal[0]
		if p.TZID != "" && s.zones.load(p.TZID) == nil {
			return fmt.Errorf("proposal: time zone %q is unknown: use an IANA identifier", p.TZID)
		}
		if !p.End.After(p.Start) {
			return fmt.Errorf("proposal: end %s is not after start %s: give a later end", p.End, p.Start)
		}
		now.Proposal = &p
	default:
		return fmt.Errorf("%d proposals given: one answer has at most one", len(proposal))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.invites[inviteKey{id: id, email: fold(recipientEmail)}]
	if old == nil {
		old = s.invites[inviteKey{id: id}]
	}
	at := -1
	if old != nil {
		at = old.find(recipientEmail)
	}
	switch {
	case at < 0:
		return fmt.Errorf("smart invite %q has no such recipient at %s: create it first", id, domain(recipientEmail))
	case old.cancelled:
		return fmt.Errorf("smart invite %q is cancelled: invite again before answering", id)
	}
	next := *old
	next.recipients = slices.Clone(old.recipients)
	now.Email = old.recipients[at].Email
	next.recipients[at] = now
	if !next.multi {
		next.replies = slices.DeleteFunc(slices.Clone(old.replies), func(r recipient) bool { return fold(r.Email) == fold(now.Email) })
		if status != statusPending {
			next.replies = append(next.replies, now)
		}
	}
	s.invites[next.key()] = &next
	return nil
}

// domain is as much of an address as an error may tell.
func domain(email string) string { return email[strings.LastIndexByte(email, '@')+1:] }
