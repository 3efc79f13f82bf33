package pages

import (
	"time"

	"github.com/invitemailer/invitemailer/internal/zone"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Answer is an RSVP as JSON. The names are fixed.
type Answer struct {
	Response // of the person invited
	// By is who replied in that person's place, to whom the invitation was
	// forwarded, and Reply the answer of that one.
	By     string    `json:"by,omitempty"`
	Reply  *Response `json:"reply,omitempty"`
	At     time.Time `json:"at,omitzero"` // zero if there is no answer
	Source string    `json:"source,omitempty"`
	// Revision is the number of the one that it answers; 0 if that is not known.
	Revision int64 `json:"revision,omitempty"`
	// Outdated: the event has had another time since, or was cancelled and asked for
	// again, and that has no answer.
	Outdated bool `json:"outdated,omitempty"`
	// Stale: it may be an older answer that came late. It changed nothing.
	Stale bool `json:"stale,omitempty"`
}

// Response is what one person says.
type Response struct {
	Status   string    `json:"status"`
	Comment  string    `json:"comment,omitempty"`
	Proposal *Proposal `json:"proposal,omitempty"`
}

// Proposal is another time for the event.
type Proposal struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	TZID  string    `json:"tzid,omitempty"`
}

// NewAnswer is an RSVP for JSON; nil is the status pending.
func NewAnswer(r *ledger.RSVP) Answer {
	if r == nil {
		return Answer{Response: Response{Status: ledger.StatusPending}}
	}
	a := Answer{
		Response: Response{r.Status, r.Comment, newProposal(r.Proposal)}, By: r.By,
		At: instant(r.At), Source: r.Source, Revision: r.Revision, Stale: r.Stale,
	}
	if r.Reply != nil {
		a.Reply = &Response{r.Reply.Status, r.Reply.Comment, newProposal(r.Reply.Proposal)}
	}
	return a
}

// Latest is how an invite stands, for JSON.
func Latest(e *ledger.Entry) Answer {
	a := NewAnswer(e.RSVP)
	a.Outdated = e.Outdated()
	return a
}

// Proposed is the other time that is asked for, nil if none is: that of the person
// invited goes before that of another.
func (a Answer) Proposed() *Proposal {
	if a.Proposal == nil && a.Reply != nil {
		return a.Reply.Proposal
	}
	return a.Proposal
}

func newProposal(p *ledger.Proposal) *Proposal {
	if p == nil {
		return nil
	}
	return &Proposal{Start: in(p.Start, p.TZID), End: in(p.End, p.TZID), TZID: p.TZID}
}

// in is an instant by the clocks of a zone, and by those of UTC where the zone is not known.
func in(t time.Time, tzid string) time.Time {
	if location, ok := zone.Load(tzid); ok && !t.IsZero() {
		return t.In(location)
	}
	return t.UTC()
}

// instant is a time for JSON.
func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
