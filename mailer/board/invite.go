package board

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/invitemailer/invitemailer/mailer/calendar"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Store is what [Answers] reads.
type Store interface {
	// All yields every invite, without calendars.
	All(ctx context.Context) iter.Seq2[ledger.Entry, error]
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

	key  ledger.Key
	ends time.Time // zero if not known
}

func newInvite(e *ledger.Entry) Invite {
	v := Invite{ID: e.Key.InviteID, Recipient: e.Recipient, End: instant(e.EndsAt), Answer: Standing(e), key: e.Key, ends: e.EndsAt}
	if r := e.Latest; r != nil {
		v.Kind, v.State = r.Kind, string(r.State)
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
// last. Only the calendars of that page are read.
func list(ctx context.Context, store Store, f Filter, now time.Time) (*List, error) {
	l := &List{Counts: map[string]int{Always: 0}, Page: f.Page}
	for e, err := range store.All(ctx) {
		if err != nil {
			return nil, err
		}
		v := newInvite(&e)
		over := !v.ends.IsZero() && !v.ends.After(now)
		if f.When == Past && !over || f.When == Upcoming && over {
			continue
		}
		l.Counts[Always]++
		l.Counts[v.Answer.Status]++
		if v.Answer.Proposes() {
			l.Counts[Proposed]++
		}
		if f.Status == "" || f.Status == v.Answer.Status || f.Status == Proposed && v.Answer.Proposes() {
			l.Invites = append(l.Invites, v)
		}
	}
	slices.SortStableFunc(l.Invites, func(a, b Invite) int {
		order := byTime(a.ends, b.ends)
		if f.When == Past {
			order = -order // the last one first
		}
		return cmp.Or(order, cmp.Compare(a.ID, b.ID), cmp.Compare(a.Recipient, b.Recipient))
	})
	l.Pages = max(1, (len(l.Invites)+pageSize-1)/pageSize)
	l.Page = min(max(1, l.Page), l.Pages)
	from := (l.Page - 1) * pageSize
	l.Invites = slices.Clone(l.Invites[from:min(len(l.Invites), from+pageSize)])
	keys := make([]ledger.Key, len(l.Invites))
	for i := range l.Invites {
		keys[i] = l.Invites[i].key
	}
	entries, err := store.Load(ctx, keys...)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		l.Invites[i].describe(&entries[i])
	}
	if l.Invites == nil {
		l.Invites = []Invite{} // null is no list
	}
	return l, nil
}

// byTime puts times that are not known last.
func byTime(a, b time.Time) int {
	if a.IsZero() != b.IsZero() {
		if a.IsZero() {
			return 1
		}
		return -1
	}
	return a.Compare(b)
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
