package pages

import (
	"cmp"
	"context"
	"maps"
	"time"

	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Store is what [Invites] reads. A *sqlite.Ledger is one. It is called by many goroutines.
type Store interface {
	// Agenda reads a page of invites, without calendars.
	Agenda(ctx context.Context, a ledger.Agenda) ([]ledger.Entry, error)
	// Tally counts the invites of an agenda's time, whatever its other fields.
	Tally(ctx context.Context, a ledger.Agenda) (ledger.Tally, error)
	// Load returns invites with their calendars, in the order of the keys.
	Load(ctx context.Context, keys ...ledger.Key) ([]ledger.Entry, error)
	// RSVPs is the history of the answers to an invite, oldest first.
	RSVPs(ctx context.Context, key ledger.Key) ([]ledger.RSVP, error)
}

// Invite is one event for one recipient, as JSON. The names are fixed.
type Invite struct {
	ID        string `json:"smart_invite_id"`
	Recipient string `json:"recipient"`
	// Summary and Start are those of the last calendar; empty if there is none.
	Summary string    `json:"summary,omitempty"`
	Start   time.Time `json:"event_start,omitzero"`
	End     time.Time `json:"event_end,omitzero"`
	AllDay  bool      `json:"all_day,omitempty"`
	TZID    string    `json:"tzid,omitempty"`
	// Kind and State are those of the last mail, such as invitation and sent.
	Kind  string `json:"kind,omitempty"`
	State string `json:"state,omitempty"`
	// Answer is the latest.
	Answer Answer `json:"rsvp"`
	// History is all answers, oldest first; of one invite only.
	History []Answer `json:"history,omitempty"`
}

// newInvite shows an entry. A calendar that cannot be read says nothing.
func newInvite(e *ledger.Entry) Invite {
	v := Invite{ID: e.Key.InviteID, Recipient: e.Recipient, End: instant(e.EndsAt), Answer: Latest(e)}
	if r := e.Latest; r != nil {
		v.Kind, v.State = string(r.Kind), string(r.State)
	}
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
		break
	}
	return v
}

// Cancelled tells whether the event is off, or will go on without the recipient.
func (v *Invite) Cancelled() bool { return v.Kind == "cancellation" || v.Kind == "withdrawal" }

// filter says which invites to show.
type filter struct {
	status string // proposedTime, or empty for all
	when   string // upcoming, past or always; an end that is not known is upcoming
	page   int    // from 1
}

// The values of a filter that are no status.
const (
	proposedTime = "proposed" // another time is asked for
	upcoming     = "upcoming" // not over yet
	past         = "past"
	always       = "all"
)

// pageSize is how many invites stand on one page.
const pageSize = 100

// List is a page of invites, as JSON.
type List struct {
	Invites []Invite `json:"invites"`
	// Counts are of all invites of that time, by status; "proposed" is among them.
	Counts map[string]int `json:"counts"`
	Page   int            `json:"page"`
	Pages  int            `json:"pages"`
}

// list reads a page, by the time of the events; those whose time is not known come
// last. The page and its calendars are all that is read; the rest is counted.
func list(ctx context.Context, store Store, f filter, now time.Time) (*List, error) {
	agenda := ledger.Agenda{Limit: pageSize, Status: f.status}
	switch f.when {
	case upcoming:
		agenda.EndsAfter = now
	case past:
		agenda.EndsBy, agenda.LastFirst = now, true
	}
	tally, err := store.Tally(ctx, agenda)
	if err != nil {
		return nil, err
	}
	l := &List{Counts: map[string]int{}, Invites: []Invite{}} // null is no list
	maps.Copy(l.Counts, tally.Status)
	l.Counts[always] = tally.All()
	if tally.Proposed > 0 {
		l.Counts[proposedTime] = tally.Proposed
	}
	if f.status == proposedTime {
		agenda.Status, agenda.Proposed = "", true
	}
	found := l.Counts[cmp.Or(f.status, always)]
	l.Pages = max(1, (found+pageSize-1)/pageSize)
	l.Page = min(max(1, f.page), l.Pages)
	agenda.Skip = (l.Page - 1) * pageSize
	page, err := store.Agenda(ctx, agenda)
	if err != nil {
		return nil, err
	}
	var keys []ledger.Key
	for i := range page {
		keys = append(keys, page[i].Key)
	}
	entries, err := store.Load(ctx, keys...)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		if entries[i].Known { // it was not forgotten meanwhile
			l.Invites = append(l.Invites, newInvite(&entries[i]))
		}
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
	answers, err := store.RSVPs(ctx, key)
	if err != nil {
		return nil, err
	}
	for i := range answers {
		v.History = append(v.History, NewAnswer(&answers[i]))
	}
	return &v, nil
}
