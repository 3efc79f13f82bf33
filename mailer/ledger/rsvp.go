package ledger

import "time"

// StatusPending is the status of a recipient who has not answered. The others are words of the API
// (https://docs.cronofy.com/developers/api/smart-invites/invite-status/): accepted, tentative,
// declined, and what it may add.
const StatusPending = "pending"

// The sources of an RSVP.
const (
	SourceCallback = "callback" // the API told of it
	SourceStatus   = "status"   // the API was asked
	SourceUpdate   = "update"   // a mail left that asks anew, and the API said: not answered
)

// RSVP is an answer to an invite. To have none means the same as the status pending.
type RSVP struct {
	// The ledger gives Number, which counts from 1 within the invite, and Revision, the number of
	// the revision that it answers: the latest whose mail had left; 0 if that is not known.
	Number   int64
	Revision int64
	Status   string    // of the person invited: see StatusPending
	Comment  string    // what that person wrote with the answer
	Proposal *Proposal // the other time that person proposes, nil if none
	// By is who replied, if that is not the person invited: invitations are forwarded. Such a reply
	// need not change the status of the person invited.
	By    string
	Reply *Reply // what By answered; nil if By is empty
	// At is when a callback came or the API was asked; zero means now to a ledger that records it.
	At     time.Time
	Source string // SourceCallback, SourceStatus or SourceUpdate
	// Stale: it may be an answer to an earlier revision, delivered late. It is kept to be seen, is
	// never the latest answer, and the application is not told of it.
	Stale     bool
	Delivered bool // the application has taken the change, or is not to be told
}

// Reply is the answer of a person who was not invited.
type Reply struct {
	Status   string
	Comment  string
	Proposal *Proposal
}

// Proposal is another time for the event.
type Proposal struct {
	Start, End time.Time
	TZID       string // IANA name of the zone it was proposed in; may be empty
}

// Outdated tells whether RSVP is an answer to something that the latest revision no longer says: the
// event was moved since, or cancelled and asked for again.
func (e *Entry) Outdated() bool {
	return e.RSVP != nil && e.Latest != nil && e.RSVP.Revision < e.Latest.Asks && e.RSVP.answered()
}

// answered tells whether there is an answer at all.
func (r *RSVP) answered() bool { return r.Status != StatusPending || r.By != "" }

// SameState tells whether both say the same of the person invited: status, comment and proposed time.
func (r RSVP) SameState(other RSVP) bool {
	return r.Status == other.Status && r.Comment == other.Comment && r.Proposal.Equal(other.Proposal)
}

// SameReply tells whether the same person replied the same.
func (r RSVP) SameReply(other RSVP) bool {
	a, b := r.Reply, other.Reply
	if a == nil || b == nil {
		return r.By == other.By && a == b
	}
	return r.By == other.By && a.Status == b.Status && a.Comment == b.Comment && a.Proposal.Equal(b.Proposal)
}

// Equal compares instants to the microsecond, and zones by their names.
func (p *Proposal) Equal(other *Proposal) bool {
	if p == nil || other == nil {
		return p == other
	}
	return p.Start.UnixMicro() == other.Start.UnixMicro() && p.End.UnixMicro() == other.End.UnixMicro() &&
		p.TZID == other.TZID
}
