package cronofytest

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Invite is a Smart Invite as it stands, for pages and tests.
type Invite struct {
	ID string
	// UID identifies the event in its calendars.
	UID string
	// Multi is set for an invite made with recipients, in the plural.
	Multi      bool
	Recipients []Participant
	// Replies are the last answers, one for each person, also of people who were not invited themselves.
	Replies     []Participant
	CallbackURL string
	Summary     string
	// Start and End are instants; with AllDay, midnights in UTC. TZID is the zone to show them in.
	Start, End time.Time
	AllDay     bool
	TZID       string
	Organizer  Organizer
	Sequence   int
	Cancelled  bool
	// ChangedAt is the DTSTAMP of the last calendar.
	ChangedAt time.Time
}

// Participant is somebody with an answer.
type Participant struct {
	Email    string
	Status   string
	Comment  string
	Proposal *Proposal
}

// Invites returns all invites, sorted by the start of the event, then by id and address.
func (s *Server) Invites() []Invite {
	s.mu.RLock()
	out := make([]Invite, 0, len(s.invites))
	for _, i := range s.invites {
		out = append(out, i.public())
	}
	s.mu.RUnlock()
	slices.SortFunc(out, func(a, b Invite) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID), cmp.Compare(a.UID, b.UID))
	})
	return out
}

// Organizers returns the addresses that invites have had as their organizer, as they
// were given, each once, sorted. Mail to them may be an answer, see [Server.Reply].
func (s *Server) Organizers() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.organizers))
}

func (i *invite) public() Invite {
	return Invite{
		ID: i.id, UID: i.uid, Multi: i.multi, Recipients: participants(i.recipients), Replies: participants(i.replies),
		CallbackURL: i.callbackURL, Summary: i.event.Summary, Start: i.event.Start.instant, End: i.event.End.instant,
		AllDay: i.event.Start.day, TZID: i.event.Start.tzid, Organizer: i.organizer, Sequence: i.sequence, Cancelled: i.cancelled,
		ChangedAt: i.stamp,
	}
}

func participants(list []recipient) []Participant {
	out := make([]Participant, 0, len(list))
	for _, r := range list {
		p := Participant{Email: r.Email, Status: r.Status, Comment: r.Comment}
		if r.Proposal != nil {
			proposal := *r.Proposal
			p.Proposal = &proposal
		}
		out = append(out, p)
	}
	return out
}
