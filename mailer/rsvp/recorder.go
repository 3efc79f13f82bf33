package rsvp

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// markWithin is how long it may take to record that a change was delivered. To
// record it is worth more than to be in time: otherwise it is delivered again.
const markWithin = 10 * time.Second

// recorder takes what was heard into the store and from there to the application.
type recorder struct {
	store    Store
	onChange OnChange // nil if nobody is to be told
	log      *slog.Logger
	turns    turns
}

// result is what became of something heard.
type result struct {
	outcome Outcome // Recorded, Repeated, Late, Stale, Unknown; Undelivered or Unavailable come with an error
	changed bool
}

// record gives each invite its turn, so that its changes are delivered in order.
func (r *recorder) record(ctx context.Context, key ledger.Key, recipient string, rsvp ledger.RSVP) (result, error) {
	done, err := r.turns.take(ctx, key)
	if err != nil {
		return result{outcome: Unavailable}, fmt.Errorf("waiting for another answer to the same invite: %w", err)
	}
	defer done()
	rsvp.Delivered = r.onChange == nil
	recorded, err := r.store.RecordRSVP(ctx, key, rsvp)
	switch {
	case err != nil:
		return result{outcome: Unavailable}, err
	case !recorded.Known:
		return result{outcome: Unknown}, nil
	}
	got := result{outcome: Repeated, changed: recorded.Verdict == ledger.News}
	switch recorded.Verdict {
	case ledger.News:
		got.outcome = Recorded
	case ledger.Late:
		got.outcome = Late
	case ledger.PossiblyStale:
		got.outcome = Stale
	case ledger.Repeated:
	}
	if r.onChange == nil || !got.changed && (recorded.Before == nil || recorded.Before.Delivered) {
		return got, nil
	}
	if outcome, err := r.deliver(ctx, key, recipient, &rsvp); err != nil {
		got.outcome = outcome
		return got, err
	}
	return got, nil
}

// deliver offers what the application has not taken yet, oldest first. The callback
// that says what heard does, if that is not nil, will be answered with success if it
// takes all.
func (r *recorder) deliver(ctx context.Context, key ledger.Key, recipient string, heard *ledger.RSVP) (Outcome, error) {
	history, err := r.store.RSVPs(ctx, key)
	if err != nil {
		return Unavailable, err
	}
	history = slices.DeleteFunc(history, func(old ledger.RSVP) bool { return old.Stale })
	before := ledger.RSVP{Status: ledger.StatusPending}
	for i, after := range history {
		if after.Delivered {
			before = after
			continue
		}
		change := Change{InviteID: key.InviteID, Recipient: recipient, Before: before, After: after, By: after.By}
		if change.By == "" {
			change.By = recipient
		}
		if err := r.offer(ctx, change); err != nil {
			return Undelivered, err
		}
		answered := i == len(history)-1 && heard != nil && heard.Source == ledger.SourceCallback && after.SameState(*heard) && after.SameReply(*heard)
		if err := r.mark(ctx, key, after.Number, answered); err != nil {
			return Unavailable, err
		}
		before = after
	}
	return "", nil
}

// deliverAll offers what the application has not taken yet of any invite. One that it
// does not take keeps no other waiting.
func (r *recorder) deliverAll(ctx context.Context) error {
	if r.onChange == nil {
		return nil
	}
	var refused error
	for e, err := range r.store.Undelivered(ctx) {
		if err != nil {
			return err
		}
		done, err := r.turns.take(ctx, e.Key)
		if err != nil {
			return err
		}
		outcome, err := r.deliver(ctx, e.Key, e.Recipient, nil)
		done()
		if outcome == Unavailable {
			return err
		}
		if refused == nil {
			refused = err
		}
	}
	return refused
}

// mark must not be stopped by a caller who has gone: the application has taken it.
func (r *recorder) mark(ctx context.Context, key ledger.Key, number int64, answered bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), markWithin)
	defer cancel()
	return r.store.RSVPDelivered(ctx, key, number, answered)
}

// offer calls the application, whose panics must not take down more than this call.
func (r *recorder) offer(ctx context.Context, change Change) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the application's OnChange panicked: %v: fix it; the change is offered again", p)
			r.log.LogAttrs(ctx, slog.LevelError, "the application's OnChange panicked",
				slog.String("smart_invite_id", change.InviteID), slog.String("stack", string(debug.Stack())))
		}
	}()
	if err := r.onChange(ctx, change); err != nil {
		return fmt.Errorf("the application's OnChange refused a change: %w", err)
	}
	return nil
}
