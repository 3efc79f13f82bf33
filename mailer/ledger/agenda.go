package ledger

import "time"

// Agenda says which invites stand on a page of them that is ordered by when their events are over.
type Agenda struct {
	// EndsAfter and EndsBy bound that time: after the first, and no later than the second. The zero
	// time is no bound. An end that is not known is after all others.
	EndsAfter, EndsBy time.Time
	Status            string // of the latest RSVP, none is pending; empty is any
	Proposed          bool   // only those in which another time is asked for
	LastFirst         bool   // turns the order around
	Skip, Limit       int    // how many to leave out before, and to read at most
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
