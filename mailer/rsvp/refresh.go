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

// RefreshStore is what [Refresh] needs of a store. A *sqlite.Ledger is one. Its methods
// are called by many goroutines.
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

// API is what answers are asked of. A *cronofy.Client is one. It is called by many goroutines.
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
	// Progress is told of each invite that was asked about, one call at a time; it may be nil.
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

// giveUpAfter failures in a row, the API is taken to be down.
const giveUpAfter = 20

// Refresh asks the API about each invite that left and whose event is not over, and records and
// delivers what is new. An invite for several recipients takes one request.
//
// It asks first about what it asked the longest ago, so that the next run goes on where a run
// stopped that its context or a crash cut short: run it from cron as it is. An invite about which a
// request failed is counted, logged and left for the next run. The error says why it stopped before
// its end: the context, the store, a key that the API refuses, an API that is not there, or one
// that fails all the time; the summary is right in any case.
func Refresh(ctx context.Context, api API, store RefreshStore, o RefreshOptions) (Summary, error) {
	if o.Concurrency <= 0 {
		o.Concurrency = 8
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Progress == nil {
		o.Progress = func(Summary) {}
	}
	r := &refresh{RefreshOptions: o, api: api, store: store, recorder: newRecorder(store, o.OnChange, o.Logger)}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var workers sync.WaitGroup
	slots := make(chan struct{}, o.Concurrency)
	start := o.Now()
	groups := make(map[string]bool) // an invite for several recipients is asked about once
	for e, err := range store.Upcoming(ctx, start, start.Add(-o.MinAge)) {
		if err != nil {
			stop(err)
			break
		}
		if e.Grouped && groups[e.Key.InviteID] {
			continue
		}
		groups[e.Key.InviteID] = e.Grouped
		if slots <- struct{}{}; ctx.Err() != nil {
			break
		}
		workers.Go(func() {
			defer func() { <-slots }()
			if err := r.refreshInvite(ctx, e); err != nil {
				stop(err)
			}
		})
	}
	workers.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return r.summary, fmt.Errorf("asking how invites stand stopped; run it again to go on: %w", cause)
	}
	return r.summary, nil
}

// refresh is one run.
type refresh struct {
	RefreshOptions
	api      API
	store    RefreshStore
	recorder recorder

	mu      sync.Mutex
	summary Summary
	inARow  int // failures
}

// refreshInvite asks about one invite and records the answer. An error ends the run.
func (r *refresh) refreshInvite(ctx context.Context, e ledger.Entry) error {
	at := r.Now() // what is recorded from here on is newer
	log := r.recorder.log.With("smart_invite_id", e.Key.InviteID)
	all, err := statusOf(ctx, r.api, e, at)
	done := Summary{Asked: 1}
	switch {
	case cronofy.StatusOf(err) == http.StatusNotFound:
		log.WarnContext(ctx, "the API does not know an invite")
		done.NotFound = 1
	case err != nil && ctx.Err() != nil:
		return nil // the run is stopped, which is the reason
	case err != nil:
		log.WarnContext(ctx, "asking how an invite stands failed", "error", err)
		if down := r.count(Summary{Failed: 1}); down || refused(err) {
			return err
		}
		return nil
	}
	defer func() { r.count(done) }()
	for _, s := range all {
		got, err := r.recorder.record(ctx, e.Key.InviteID, s)
		if got.changed {
			done.Changed++
		}
		switch {
		case got.outcome == undelivered:
			log.ErrorContext(ctx, "an answer is recorded, but the application did not take it", "error", err)
			done.Undelivered = 1
		case err != nil:
			return err
		}
	}
	// What was not delivered is to be asked about again, whatever MinAge says.
	if done.Undelivered > 0 {
		return nil
	}
	key := e.Key
	if e.Grouped {
		key.Address = ""
	}
	return r.store.Asked(ctx, key, at)
}

// count adds what was done with one invite. The API is down if too many requests failed in a row.
func (r *refresh) count(done Summary) (down bool) {
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
	r.Progress(r.summary)
	return r.inARow >= giveUpAfter
}

// refused tells whether the API refuses the key, whatever it is asked, or does not exist.
func refused(err error) bool {
	switch cronofy.StatusOf(err) {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden:
		return true
	}
	var failure *cronofy.Error
	return errors.As(err, &failure) && failure.NoHost
}

// statusOf asks the API how an invite stands, at that time, or all those of a group.
func statusOf(ctx context.Context, api API, e ledger.Entry, at time.Time) ([]standing, error) {
	ref := cronofy.Ref{SmartInviteID: e.Key.InviteID, Recipient: e.Recipient}
	if e.Grouped {
		ref.Recipient = ""
	}
	invite, err := api.Status(ctx, ref, false)
	if err != nil {
		return nil, err
	}
	all := standingsInStatus(e, invite)
	for i := range all {
		all[i].rsvp.Source, all[i].rsvp.At = ledger.SourceStatus, at
	}
	return all, nil
}

// standingsInStatus is what the API says of each person that was invited. `replies` holds
// all answers, also of those to whom the invitation was forwarded.
func standingsInStatus(e ledger.Entry, invite *cronofy.SmartInvite) []standing {
	if e.Grouped {
		return standingsIn(&cronofy.CallbackInvite{SmartInviteID: e.Key.InviteID, Recipient: invite.Recipient,
			Recipients: invite.Recipients})
	}
	recipient, err := address.Parse(e.Recipient)
	if err != nil || invite.Recipient == nil || invite.Recipient.Status == "" {
		return nil
	}
	own := standing{address: recipient, rsvp: newRSVP(*invite.Recipient)}
	all := []standing{own}
	for _, reply := range invite.Replies {
		other := standing{address: recipient, rsvp: withReply(own.rsvp, reply)}
		if other.rsvp.By != "" && !address.Equal(reply.Email, e.Recipient) {
			all = append(all, other)
		}
	}
	return all
}
