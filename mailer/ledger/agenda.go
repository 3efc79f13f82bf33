package ledger

import "time"

// Agenda says which invites stand on a page of them that is ordered by when their
// events are over.
type Agenda struct {
	// EndsAfter and EndsBy bound that time: after the first, and no later than the
	// second. The zero time is no bound. An end that is not known is after all others.
	EndsAfter, EndsBy time.Time
	// Status is that of the latest RSVP; empty is any. Pending is that of an invite
	// that has none, too.
	Status string
	// Proposed: of those only the ones in which another time is asked for.
	Proposed bool
	// LastFirst turns the order around.
	LastFirst bool
	// Skip is how many to leave out before, and Limit how many to read at most.
	Skip, Limit int
}

// Tally counts invites by the status of their latest RSVP.
type Tally struct {
	Status   map[string]int // none is counted as 0; no RSVP as pending
	Proposed int            // those in which another time is asked for
}

// All is how many were counted.
func (t Tally) All() (n int) {
	for _, count := range t.Status {
		n += count
	}
	return n
}
