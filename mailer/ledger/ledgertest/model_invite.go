package ledgertest

import (
	"cmp"
	"slices"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// invite is what a model keeps of one.
type invite struct {
	entry     ledger.Entry // but for its revisions and RSVPs
	revisions []*revision
	rsvps     []ledger.StoredRSVP
	askedAt   time.Time // when the API was asked about it last
}

type revision struct {
	ledger.Revision
	left bool // one of its submissions did, or may have
}

func (r *revision) mayHaveLeft() bool {
	return (r.left || r.State.MayHaveLeft()) && r.MessageID != ""
}

func (i *invite) latest() *revision { return i.revisions[len(i.revisions)-1] }

// lastSent is the latest revision that may have left, nil if none did.
func (i *invite) lastSent() *revision {
	for _, r := range slices.Backward(i.revisions) {
		if r.mayHaveLeft() {
			return r
		}
	}
	return nil
}

// read says what a ledger knows of the invite, with calendars and messages or without.
func (i *invite) read(contents bool) ledger.Entry {
	e := i.entry
	latest, lastSent := i.latest(), i.lastSent()
	if e.FirstMessageID == "" && latest.State == ledger.Submitting {
		e.FirstMessageID = latest.MessageID
	}
	e.Latest = latest.copied(contents)
	switch lastSent {
	case nil:
	case latest:
		e.LastSent = e.Latest
	default:
		e.LastSent = lastSent.copied(contents)
	}
	e.RSVP = i.history().Latest()
	return e
}

func (r *revision) copied(contents bool) *ledger.Revision {
	c := r.Revision
	if !contents {
		c.Calendar, c.Message = nil, nil
	}
	return &c
}

// add adds a revision. The latest one gives way to it if it brought neither a calendar nor a mail.
func (i *invite) add(m ledger.NewRevision, now time.Time) {
	asks := int64(0)
	if lastSent := i.lastSent(); lastSent != nil {
		asks = lastSent.Asks
	}
	if len(i.revisions) > 0 {
		i.settle()
		barren := i.latest().UID == "" && i.latest().MessageID == ""
		if state := i.latest().State; barren &&
			(state == ledger.Deferred || state == ledger.Failed || state == ledger.Expired) {
			i.revisions = i.revisions[:len(i.revisions)-1]
		}
	}
	i.entry.Recipient, i.entry.Grouped = m.Recipient, m.Grouped
	i.entry.UID = cmp.Or(m.Revision.UID, i.entry.UID)
	if !m.EndsAt.IsZero() {
		i.entry.EndsAt = m.EndsAt
	}
	r := &revision{Revision: m.Revision, left: m.Revision.State == ledger.Sent || m.Revision.State == ledger.Unknown}
	r.Number = int64(len(i.revisions)) + 1
	r.At, r.CreatedAt = now, now
	r.Asks = asks
	if m.AsksAnew {
		r.Asks = r.Number
	}
	i.revisions = append(i.revisions, r)
}

// settle: what a crash cut short may have left.
func (i *invite) settle() {
	if r := i.latest(); r.State == ledger.Submitting {
		r.left = true
		i.settleFirst()
	}
}

func (i *invite) settleFirst() {
	if r := i.latest(); i.entry.FirstMessageID == "" && r.left {
		i.entry.FirstMessageID = r.MessageID
	}
}

// conclude keeps the contents of the latest revision and of the last that may have left, and
// messages only of those that are submitting or unknown. If a mail has left that asks anew, it
// records that this was not answered.
func (i *invite) conclude(now time.Time) {
	i.settleFirst()
	latest, lastSent := i.latest(), i.lastSent()
	for _, r := range i.revisions {
		if r != latest && r != lastSent {
			r.Calendar, r.Message = nil, nil
		}
		if r.State != ledger.Submitting && r.State != ledger.Unknown {
			r.Message = nil
		}
	}
	if r, ok := i.history().Update(now); ok {
		i.hear(r)
	}
}

// history is what the rules of package ledger need to know.
func (i *invite) history() ledger.History {
	h := ledger.History{RSVPs: i.rsvps}
	for _, r := range i.revisions {
		if r.Method == "request" {
			left := r.mayHaveLeft()
			h.Questions = append(h.Questions, ledger.Question{Number: r.Number, Asks: r.Asks, Answer: r.Answer,
				Left: left, Leaving: left && r.State == ledger.Submitting && !r.left, LeftAt: r.SubmittedAt})
		}
	}
	return h
}

// hear adds an RSVP. What asks anew or may be stale is to be asked about next.
func (i *invite) hear(r ledger.RSVP) {
	r.Number = 1
	if n := len(i.rsvps); n > 0 {
		r.Number = i.rsvps[n-1].Number + 1
	}
	awaited := r.Source == ledger.SourceCallback && !r.Delivered && !r.Stale
	r.Delivered = r.Delivered || r.Stale
	i.rsvps = append(i.rsvps, ledger.StoredRSVP{RSVP: r, Awaited: awaited})
	if r.Stale || r.Source == ledger.SourceUpdate {
		i.askedAt = time.Time{}
	}
}

// undelivered tells whether the application has yet to take an answer.
func (i *invite) undelivered() bool {
	return slices.ContainsFunc(i.rsvps, func(r ledger.StoredRSVP) bool { return !r.Delivered })
}

// upcoming tells whether the API is to be asked about the invite, if it was not at now.
func (i *invite) upcoming(now time.Time) bool {
	lastSent, endsAt := i.lastSent(), i.entry.EndsAt
	return lastSent != nil && (lastSent.Kind == "invitation" || lastSent.Kind == "update") &&
		(endsAt.IsZero() || endsAt.After(now)) && i.askedAt.Before(now)
}
