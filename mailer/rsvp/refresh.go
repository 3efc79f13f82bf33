package rsvp

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// RefreshStore is what [Refresh] needs of a store. A *sqlite.Ledger is one.
type RefreshStore interface {
	Store
	// Upcoming yields the invites whose event is not over at now, whose invitation
	// left, and about which the API was not asked at or after askedBefore; first
	// those that it was never asked about, then by the time it was.
	Upcoming(ctx context.Context, now, askedBefore time.Time) iter.Seq2[ledger.Entry, error]
	// Asked records when the API was asked about an invite. An empty address stands
	// for all the recipients of an invite that was made for several.
	Asked(ctx context.Context, key ledger.Key, at time.Time) error
}

// API is what [Refresh] asks. A *cronofy.Client is one.
type API interface {
	Status(ctx context.Context, ref cronofy.Ref, includeICS bool) (*cronofy.SmartInvite, error)
}

// RefreshOptions say how [Refresh] asks.
type RefreshOptions struct {
	// Concurrency is how many invites are asked about at the same time; 0 means 8.
	// The rate is for the API to limit, as a *cronofy.Client does.
	Concurrency int
	// MinAge leaves alone what was asked about less than this long ago.
	MinAge time.Duration
	// OnChange, Logger and Now are as in [Config].
	OnChange OnChange
	Logger   *slog.Logger
	Now      func() time.Time
	// Progress is told of each invite that was asked about, one call at a time; nil
	// means that nobody is.
	Progress func(Summary)
}

// Summary counts what [Refresh] did.
type Summary struct {
	Asked       int // requests that were answered
	Changed     int // changes that were recorded
	NotFound    int // of those asked, the invites that the API does not know
	Failed      int // requests that failed: ask again later
	Undelivered int // invites with changes that are recorded but were not taken by OnChange
}

const (
	refreshConcurrency = 8
	// giveUpAfter failures in a row, the API is taken to be down.
	giveUpAfter = 20
)

// Refresh asks the API about each invite that left and whose event is not over,
// and records and delivers what is new. An invite for several recipients takes one
// request.
//
// It asks first about what it asked the longest ago, so that a run that was cut
// short, by its context or a crash, is taken up by the next: run it from cron as it
// is. An invite about which a request failed is counted, logged and left for the
// next run. The error says why it stopped before its end: the context, the store, a
// key that the API refuses, an API that is not there, or one that fails all the time; the summary is right
// in any case.
func Refresh(ctx context.Context, api API, store RefreshStore, o RefreshOptions) (Summary, error) {
	if o.Concurrency <= 0 {
		o.Concurrency = refreshConcurrency
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Progress == nil {
		o.Progress = func(Summary) {}
	}
	log := orSilence(o.Logger)
	r := &refresh{
		api: api, store: store, now: o.Now, progress: o.Progress, log: log,
		recorder: recorder{store: store, onChange: o.OnChange, log: log},
	}
	ctx, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)

	entries := make(chan ledger.Entry)
	var workers sync.WaitGroup
	for range o.Concurrency {
		workers.Go(func() {
			for e := range entries {
				if ctx.Err() == nil {
					r.ask(ctx, e)
				}
			}
		})
	}
	r.list(ctx, o.MinAge, entries)
	close(entries)
	workers.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return r.summary, fmt.Errorf("asking how invites stand stopped; run it again to go on: %w", cause)
	}
	return r.summary, nil
}

// refresh is one run.
type refresh struct {
	api      API
	store    RefreshStore
	recorder recorder
	log      *slog.Logger
	now      func() time.Time
	stop     context.CancelCauseFunc

	mu       sync.Mutex
	summary  Summary
	inARow   int // failures
	progress func(Summary)
}

// list hands out what is to be asked about, an invite for several recipients once.
func (r *refresh) list(ctx context.Context, minAge time.Duration, to chan<- ledger.Entry) {
	start := r.now()
	groups := make(map[string]struct{})
	for e, err := range r.store.Upcoming(ctx, start, start.Add(-minAge)) {
		if err != nil {
			r.stop(err)
			return
		}
		if e.Grouped {
			if _, ok := groups[e.Key.InviteID]; ok {
				continue
			}
			groups[e.Key.InviteID] = struct{}{}
		}
		select {
		case to <- e:
		case <-ctx.Done():
			return
		}
	}
}

// ask asks about one invite and records the answer.
func (r *refresh) ask(ctx context.Context, e ledger.Entry) {
	key := e.Key
	if e.Grouped {
		key.Address = ""
	}
	at := r.now() // what is recorded from here on is newer
	all, err := statusOf(ctx, r.api, e, at)
	notFound := cronofy.StatusOf(err) == http.StatusNotFound
	switch {
	case notFound:
		r.log.LogAttrs(ctx, slog.LevelWarn, "the API does not know an invite", slog.String("smart_invite_id", e.Key.InviteID))
	case err != nil:
		r.failed(ctx, e.Key.InviteID, err)
		return
	}
	done := Summary{Asked: 1}
	if notFound {
		done.NotFound = 1
	} else {
		for _, heard := range all {
			got, err := r.recorder.record(ctx, ledger.Key{InviteID: e.Key.InviteID, Address: heard.address.Key()}, heard.address.String(), heard.rsvp)
			if got.changed {
				done.Changed++
			}
			switch {
			case got.outcome == Undelivered:
				r.log.LogAttrs(ctx, slog.LevelError, "an answer is recorded, but the application did not take it",
					slog.String("smart_invite_id", e.Key.InviteID), slog.Any("error", err))
				done.Undelivered = 1
			case err != nil:
				r.count(done)
				r.stop(err)
				return
			}
		}
	}
	// What was not delivered is to be asked about again, whatever MinAge says.
	if done.Undelivered == 0 {
		if err := r.store.Asked(ctx, key, at); err != nil {
			r.stop(err)
		}
	}
	r.count(done)
}

// failed counts a request that failed, and stops the run if no other can succeed.
func (r *refresh) failed(ctx context.Context, id string, err error) {
	if ctx.Err() != nil {
		return // the run is stopped, which is the reason
	}
	r.log.LogAttrs(ctx, slog.LevelWarn, "asking how an invite stands failed", slog.String("smart_invite_id", id), slog.Any("error", err))
	r.count(Summary{Failed: 1})
	r.mu.Lock()
	down := r.inARow >= giveUpAfter
	r.mu.Unlock()
	if down || refused(err) {
		r.stop(err)
	}
}

// refused tells whether the API refuses the key, whatever it is asked, or does not
// exist.
func refused(err error) bool {
	switch cronofy.StatusOf(err) {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden:
		return true
	}
	var failure *cronofy.Error
	return errors.As(err, &failure) && failure.NoHost
}

func (r *refresh) count(done Summary) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inARow += done.Failed
	if done.Asked > 0 {
		r.inARow = 0
	}
	r.summary.Asked += done.Asked
	r.summary.Changed += done.Changed
	r.summary.NotFound += done.NotFound
	r.summary.Failed += done.Failed
	r.summary.Undelivered += done.Undelivered
	r.progress(r.summary)
}

// statusOf asks the API how an invite stands, at that time, or all those of a group.
func statusOf(ctx context.Context, api API, e ledger.Entry, at time.Time) ([]heard, error) {
	ref := cronofy.Ref{SmartInviteID: e.Key.InviteID, Recipient: e.Recipient}
	if e.Grouped {
		ref.Recipient = ""
	}
	invite, err := api.Status(ctx, ref, false)
	if err != nil {
		return nil, err
	}
	all := inStatus(e, invite)
	for i := range all {
		all[i].rsvp.Source, all[i].rsvp.At = ledger.SourceStatus, at
	}
	return all, nil
}

// inStatus is what the API says of each person that was invited. `replies` holds
// the answers of everybody, those to whom the invitation was forwarded among them.
func inStatus(e ledger.Entry, invite *cronofy.SmartInvite) []heard {
	if e.Grouped {
		return inCallback(&cronofy.CallbackInvite{SmartInviteID: e.Key.InviteID, Recipient: invite.Recipient, Recipients: invite.Recipients})
	}
	recipient, err := address.Parse(e.Recipient)
	if err != nil || invite.Recipient == nil || invite.Recipient.Status == "" {
		return nil
	}
	own := heard{address: recipient, rsvp: standing(*invite.Recipient)}
	all := []heard{own}
	for _, reply := range invite.Replies {
		other := heard{address: recipient, rsvp: instead(own.rsvp, reply)}
		if other.rsvp.By != "" && !address.Equal(reply.Email, e.Recipient) {
			all = append(all, other)
		}
	}
	return all
}
