package ledgertest

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

var _ AnswerLedger = (*modelLedger)(nil)

func (l *modelLedger) RecordRSVP(ctx context.Context, key ledger.Key, r ledger.RSVP) (done ledger.Recorded, err error) {
	err = l.call(ctx, func() error {
		i, ok := l.invites[key]
		if !ok {
			return nil
		}
		if r.At.IsZero() {
			r.At = l.now()
		}
		h := i.history()
		judged := h.Judge(r)
		done = ledger.Recorded{Known: true, Verdict: judged.Verdict}
		if before := h.Latest(); before != nil {
			done.Before = ownRSVP(before)
		}
		for n := range i.rsvps {
			i.rsvps[n].Awaited = i.rsvps[n].Awaited && i.rsvps[n].Number != judged.Repeats
		}
		if judged.Records() {
			r.Revision, r.Stale = judged.Revision, judged.Verdict == ledger.PossiblyStale
			i.hear(r)
		}
		return nil
	})
	return done, err
}

func (l *modelLedger) RSVPs(ctx context.Context, key ledger.Key) (all []ledger.RSVP, err error) {
	err = l.call(ctx, func() error {
		if i, ok := l.invites[key]; ok {
			for n := range i.rsvps {
				all = append(all, *ownRSVP(&i.rsvps[n].RSVP))
			}
		}
		return nil
	})
	return all, err
}

func (l *modelLedger) RSVPDelivered(ctx context.Context, key ledger.Key, number int64, answered bool) error {
	return l.call(ctx, func() error {
		if i, ok := l.invites[key]; ok {
			for n := range i.rsvps {
				if r := &i.rsvps[n]; r.Number == number {
					r.Delivered, r.Awaited = true, r.Awaited && !answered
				}
			}
		}
		return nil
	})
}

func (l *modelLedger) Undelivered(ctx context.Context) iter.Seq2[ledger.Entry, error] {
	return l.some(ctx, func(i *invite) bool {
		return slices.ContainsFunc(i.rsvps, func(r ledger.StoredRSVP) bool { return !r.Delivered })
	})
}

func (l *modelLedger) Upcoming(ctx context.Context, now, askedBefore time.Time) iter.Seq2[ledger.Entry, error] {
	return l.some(ctx, func(i *invite) bool {
		lastSent, endsAt := i.lastSent(), i.entry.EndsAt
		return lastSent != nil && (lastSent.Kind == "invitation" || lastSent.Kind == "update") &&
			(endsAt.IsZero() || endsAt.After(now)) && i.askedAt.Before(askedBefore)
	})
}

func (l *modelLedger) Asked(ctx context.Context, key ledger.Key, at time.Time) error {
	return l.call(ctx, func() error {
		for k, i := range l.invites {
			matches := k.Address == key.Address || key.Address == "" && i.entry.Grouped
			if k.InviteID == key.InviteID && matches && i.askedAt.Before(at) {
				i.askedAt = at
			}
		}
		return nil
	})
}

// some yields invites, those first that the API was asked about the longest ago.
func (l *modelLedger) some(ctx context.Context, match func(*invite) bool) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		var entries []ledger.Entry
		if err := l.call(ctx, func() error {
			var found []*invite
			for _, i := range l.invites {
				if match(i) {
					found = append(found, i)
				}
			}
			slices.SortFunc(found, func(a, b *invite) int {
				return cmp.Or(a.askedAt.Compare(b.askedAt), cmp.Compare(a.number, b.number))
			})
			for _, i := range found {
				entries = append(entries, i.read(false))
			}
			return nil
		}); err != nil {
			yield(ledger.Entry{}, err)
			return
		}
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}
