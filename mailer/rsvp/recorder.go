package rsvp

import (
	"cmp"
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

// recorder takes answers into the store and from there to the application.
type recorder struct {
	store    Store
	onChange OnChange // may be nil
	log      *slog.Logger
	locks    *locks // so that the changes of one invite are delivered in order
}

func newRecorder(store Store, onChange OnChange, log *slog.Logger) recorder {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return recorder{store: store, onChange: onChange, log: log, locks: &locks{keys: make(map[ledger.Key]*keyLock)}}
}

// result is what became of an answer.
type result struct {
	outcome outcome // recorded, repeated, late, stale, unknown; undelivered or unavailable come with an error
	changed bool
}

var verdicts = map[ledger.Verdict]outcome{
	ledger.News: recorded, ledger.Repeated: repeated, ledger.Late: late, ledger.PossiblyStale: stale,
}

func (r *recorder) record(ctx context.Context, id string, s standing) (result, error) {
	key := ledger.Key{InviteID: id, Address: s.address.Key()}
	unlock, err := r.locks.lock(ctx, key)
	if err != nil {
		return result{outcome: unavailable}, fmt.Errorf("waiting for another answer to the same invite: %w", err)
	}
	defer unlock()
	s.rsvp.Delivered = r.onChange == nil
	stored, err := r.store.RecordRSVP(ctx, key, s.rsvp)
	switch {
	case err != nil:
		return result{outcome: unavailable}, err
	case !stored.Known:
		return result{outcome: unknown}, nil
	}
	got := result{outcome: verdicts[stored.Verdict], changed: stored.Verdict == ledger.News}
	if r.onChange == nil || !got.changed && (stored.Before == nil || stored.Before.Delivered) {
		return got, nil
	}
	failed, err := r.deliver(ctx, key, s.address.String(), &s.rsvp)
	got.outcome = cmp.Or(failed, got.outcome)
	return got, err
}

// deliver offers what the application has not taken yet, oldest first. If it takes
// all, the callback that brought the answer, if there is one, is answered with success.
func (r *recorder) deliver(
	ctx context.Context, key ledger.Key, recipient string, answer *ledger.RSVP,
) (outcome, error) {
	history, err := r.store.RSVPs(ctx, key)
	if err != nil {
		return unavailable, err
	}
	history = slices.DeleteFunc(history, func(old ledger.RSVP) bool { return old.Stale })
	before := ledger.RSVP{Status: ledger.StatusPending}
	for i, after := range history {
		if after.Delivered {
			before = after
			continue
		}
		change := Change{InviteID: key.InviteID, Recipient: recipient, Before: before, After: after,
			By: cmp.Or(after.By, recipient)}
		if err := r.callOnChange(ctx, change); err != nil {
			return undelivered, err
		}
		answered := i == len(history)-1 && answer != nil && answer.Source == ledger.SourceCallback &&
			after.SameState(*answer) && after.SameReply(*answer)
		if err := r.markDelivered(ctx, key, after.Number, answered); err != nil {
			return unavailable, err
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
		unlock, err := r.locks.lock(ctx, e.Key)
		if err != nil {
			return err
		}
		failed, err := r.deliver(ctx, e.Key, e.Recipient, nil)
		unlock()
		if failed == unavailable {
			return err
		}
		refused = cmp.Or(refused, err)
	}
	return refused
}

// markDelivered is not stopped by a caller who has gone: the application has taken it.
func (r *recorder) markDelivered(ctx context.Context, key ledger.Key, number int64, answered bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), markWithin)
	defer cancel()
	return r.store.RSVPDelivered(ctx, key, number, answered)
}

// callOnChange calls the application, whose panics must not take down more than this call.
func (r *recorder) callOnChange(ctx context.Context, change Change) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the application's OnChange panicked: %v: fix it; the change is offered again", p)
			r.log.ErrorContext(ctx, "the application's OnChange panicked", "smart_invite_id", change.InviteID,
				"stack", string(debug.Stack()))
		}
	}()
	if err := r.onChange(ctx, change); err != nil {
		return fmt.Errorf("the application's OnChange refused a change: %w", err)
	}
	return nil
}
