package ledgertest

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

var _ AnswerLedger = (*memoryLedger)(nil)

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

// lastAsks is what the last revision asks that may have left.
func (i *invite) lastAsks() int64 {
	for _, r := range slices.Backward(i.revisions) {
		if r.mayHaveLeft() {
			return r.Asks
		}
	}
	return 0
}

// askAnew: what asks anew has left, and was not answered.
func (i *invite) askAnew(now time.Time) {
	if r, ok := i.history().Update(now); ok {
		i.add(r)
		i.askedAt = time.Time{}
	}
}

func (i *invite) add(r ledger.RSVP) {
	r.Number = 1
	if n := len(i.rsvps); n > 0 {
		r.Number = i.rsvps[n-1].Number + 1
	}
	heard := ledger.StoredRSVP{RSVP: *ownRSVP(&r), Awaited: r.Source == ledger.SourceCallback && !r.Delivered && !r.Stale}
	heard.Delivered = r.Delivered || r.Stale
	i.rsvps = append(i.rsvps, heard)
	if len(i.rsvps) > 100 {
		i.rsvps = slices.Clone(i.rsvps[1:])
	}
}

func ownRSVP(r *ledger.RSVP) *ledger.RSVP {
	own := *r
	own.Proposal = ownProposal(r.Proposal)
	if r.Reply != nil {
		reply := *r.Reply
		reply.Proposal = ownProposal(reply.Proposal)
		own.Reply = &reply
	}
	return &own
}

func ownProposal(p *ledger.Proposal) *ledger.Proposal {
	if p == nil {
		return nil
	}
	own := *p
	return &own
}

func (l *memoryLedger) RecordRSVP(ctx context.Context, key ledger.Key, r ledger.RSVP) (ledger.Recorded, error) {
	if err := ctx.Err(); err != nil {
		return ledger.Recorded{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	i, ok := l.invites[key]
	if !ok {
		return ledger.Recorded{}, nil
	}
	if r.At.IsZero() {
		r.At = l.now()
	}
	h := i.history()
	judged := h.Judge(r)
	done := ledger.Recorded{Known: true, Verdict: judged.Verdict}
	if before := h.Latest(); before != nil {
		done.Before = ownRSVP(before)
	}
	for n := range i.rsvps {
		if i.rsvps[n].Number == judged.Repeats {
			i.rsvps[n].Awaited = false
		}
	}
	if judged.Records() {
		r.Revision, r.Stale = judged.Revision, judged.Verdict == ledger.PossiblyStale
		i.add(r)
		if r.Stale {
			i.askedAt = time.Time{}
		}
	}
	return done, nil
}

func (l *memoryLedger) RSVPs(ctx context.Context, key ledger.Key) ([]ledger.RSVP, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []ledger.RSVP
	if i, ok := l.invites[key]; ok {
		for n := range i.rsvps {
			all = append(all, *ownRSVP(&i.rsvps[n].RSVP))
		}
	}
	return all, nil
}

func (l *memoryLedger) RSVPDelivered(ctx context.Context, key ledger.Key, number int64, answered bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i, ok := l.invites[key]; ok {
		for n := range i.rsvps {
			if r := &i.rsvps[n]; r.Number == number {
				r.Delivered, r.Awaited = true, r.Awaited && !answered
			}
		}
	}
	return nil
}

func (l *memoryLedger) Undelivered(ctx context.Context) iter.Seq2[ledger.Entry, error] {
	return l.some(ctx, func(i *invite) bool {
		return slices.ContainsFunc(i.rsvps, func(r ledger.StoredRSVP) bool { return !r.Delivered })
	})
}

func (l *memoryLedger) Upcoming(ctx context.Context, now, askedBefore time.Time) iter.Seq2[ledger.Entry, error] {
	return l.some(ctx, func(i *invite) bool {
		e := i.read(false)
		return e.LastSent != nil && (e.LastSent.Kind == "invitation" || e.LastSent.Kind == "update") &&
			(e.EndsAt.IsZero() || e.EndsAt.After(now)) && i.askedAt.Before(askedBefore)
	})
}

func (l *memoryLedger) Asked(ctx context.Context, key ledger.Key, at time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, i := range l.invites {
		if k.InviteID == key.InviteID && (k.Address == key.Address || key.Address == "" && i.entry.Grouped) && i.askedAt.Before(at) {
			i.askedAt = at
		}
	}
	return nil
}

// some yields invites, those first that the API was asked about the longest ago.
func (l *memoryLedger) some(ctx context.Context, match func(*invite) bool) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		l.mu.Lock()
		var found []*invite
		for _, i := range l.invites {
			if match(i) {
				found = append(found, i)
			}
		}
		slices.SortFunc(found, func(a, b *invite) int {
			return cmp.Or(a.askedAt.Compare(b.askedAt), cmp.Compare(a.number, b.number))
		})
		entries := make([]ledger.Entry, len(found))
		for n, i := range found {
			entries[n] = i.read(false)
		}
		l.mu.Unlock()
		for _, e := range entries {
			if err := ctx.Err(); err != nil {
				yield(ledger.Entry{}, err)
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}
