package board

import (
	"context"
	"maps"
	"time"

	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Store is what [Answers] reads. A *sqlite.Ledger is one.
type Store interface {
	// Agenda reads a page of invites, without calendars.
	Agenda(ctx context.Context, a ledger.Agenda) ([]ledger.Entry, error)
	// Tally counts the invites of an agenda's time, whatever its other fields.
	Tally(ctx context.Context, a ledger.Agenda) (ledger.Tally, error)
	// Load returns invites with their calendars, in the order of the keys.
	Load(ctx context.Context, keys ...ledger.Key) ([]ledger.Entry, error)
	// RSVPs is what was heard of an invite, oldest first.
	RSVPs(ctx context.Context, key ledger.Key) ([]ledger.RSVP, error)
}

// Invite is one event for one recipient, as JSON. The names are fixed.
type Invite struct {
	ID        string `json:"smart_invite_id"`
	Recipient string `json:"recipient"`
	// Summary and Start are those of the last calendar; empty if there is none.
	Summary string     `json:"summary,omitempty"`
	Start   *time.Time `json:"event_start,omitempty"`
	End     *time.Time `json:"event_end,omitempty"`
	AllDay  bool       `json:"all_day,omitempty"`
	TZID    string     `json:"tzid,omitempty"`
	// Kind and State are those of the last mail, such as invitation and sent.
	Kind  string `json:"kind,omitempty"`
	State string `json:"state,omitempty"`
	// Answer is the latest that was heard.
	Answer Answer `json:"rsvp"`
	// History is all that was heard, oldest first; of one invite only.
	History []Answer `json:"history,omitempty"`
}

func newInvite(e *ledger.Entry) Invite {
	v := Invite{ID: e.Key.InviteID, Recipient: e.Recipient, End: instant(e.EndsAt), Answer: Standing(e)}
	if r := e.Latest; r != nil {
		v.Kind, v.State = string(r.Kind), string(r.State)
	}
	return v
}

// Cancelled tells whether the event is off, or will go on without the recipient.
func (v *Invite) Cancelled() bool { return v.Kind == "cancellation" || v.Kind == "withdrawal" }

// describe adds what the calendar says. One that cannot be read says nothing.
func (v *Invite) describe(e *ledger.Entry) {
	for _, r := range []*ledger.Revision{e.Latest, e.LastSent} {
		if r == nil || len(r.Calendar) == 0 {
			continue
		}
		c, err := calendar.Read(string(r.Calendar))
		if err != nil || c.Start.IsZero() {
			continue
		}
		v.Summary, v.Start, v.AllDay, v.TZID = c.Summary, instant(c.Start), c.AllDay, c.TZID
		if c.RecurrenceRule == "" { // of a series, the ledger knows the end
			v.End = instant(c.End)
		}
		return
	}
}

// Filter says which invites to show.
type Filter struct {
	// Status is a status, [Proposed], or empty for all.
	Status string
	// When is [Upcoming], [Past] or [Always]. An event whose end is not known is
	// upcoming.
	When string
	// Page counts from 1.
	Page int
}

// The words of a [Filter] that are no status.
const (
	Proposed = "proposed" // another time is asked for
	Upcoming = "upcoming" // not over yet
	Past     = "past"
	Always   = "all"
)

// pageSize is how many invites stand on one page.
const pageSize = 100

// List is a page of invites, as JSON.
type List struct {
	Invites []Invite `json:"invites"`
	// Counts are of all invites of that time, by status; Proposed is among them.
	Counts map[string]int `json:"counts"`
	Page   int            `json:"page"`
	Pages  int            `json:"pages"`
}

// list reads a page, by the time of the events; those whose time is not known come
// last. The page and its calendars are all that is read; the rest is counted.
func list(ctx context.Context, store Store, f Filter, now time.Time) (*List, error) {
	agenda := ledger.Agenda{Limit: pageSize, Status: f.Status}
	switch f.When {
	case Upcoming:
		agenda.EndsAfter = now
	case Past:
		agenda.EndsBy, agenda.LastFirst = now, true
	}
	tally, err := store.Tally(ctx, agenda)
	if err != nil {
		return nil, err
	}
	l := &List{Counts: maps.Clone(tally.Status)}
	if l.Counts == nil {
		l.Counts = make(map[string]int)
	}
	l.Counts[Always] = tally.All()
	if tally.Proposed > 0 {
		l.Counts[Proposed] = tally.Proposed
	}
	found := tally.Status[f.Status]
	switch f.Status {
	case "":
		found = tally.All()
	case Proposed:
		found = tally.Proposed
		agenda.Status, agenda.Proposed = "", true
	}
	l.Pages = max(1, (found+pageSize-1)/pageSize)
	l.Page = min(max(1, f.Page), l.Pages)
	agenda.Skip = (l.Page - 1) * pageSize
	page, err := store.Agenda(ctx, agenda)
	if err != nil {
		return nil, err
	}
	l.Invites = make([]Invite, 0, len(page)) // null is no list
	keys := make([]ledger.Key, 0, len(page))
	for i := range page {
		l.Invites = append(l.Invites, newInvite(&page[i]))
		keys = append(keys, page[i].Key)
	}
	entries, err := store.Load(ctx, keys...)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		l.Invites[i].describe(&entries[i])
	}
	return l, nil
}

// one reads an invite with its history; nil if there is none.
func one(ctx context.Context, store Store, key ledger.Key) (*Invite, error) {
	entries, err := store.Load(ctx, key)
	if err != nil {
		return nil, err
	}
	if len(entries) != 1 || !entries[0].Known || entries[0].Forgotten {
		return nil, nil
	}
	v := newInvite(&entries[0])
	v.describe(&entries[0])
	heard, err := store.RSVPs(ctx, key)
	if err != nil {
		return nil, err
	}
	for i := range heard {
		v.History = append(v.History, NewAnswer(&heard[i]))
	}
	return &v, nil
}
