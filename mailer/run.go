package mailer

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/waiting"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// RunOptions shape one call of [Mailer.SendAll]. The zero value is one invite at a time, without a
// second try.
type RunOptions struct {
	// Concurrency is how many requests to the API are under way at once. With 1, the default, the
	// next invite is begun when the one before has ended; with more, waits for the API, for the
	// ledger and for the mail server overlap.
	Concurrency int
	// Mails is how many mails may, at any moment, have left without their outcome being on record:
	// what a crash can leave in doubt. Defaults to Concurrency. Twice as many as the Submitter has
	// connections keep these busy.
	Mails int
	// MaxMails stops the run before one more mail than this. 0 is no limit.
	MaxMails int
	// RetryFor is how long a temporary failure is tried again: an invite, from its first failure
	// on; all of them, from the first failure since the latest success. A server that asks for a
	// longer wait is left alone.
	RetryFor time.Duration
	// Stop, when closed, ends the run softly: the requests and the mails that are under way are
	// finished, and the rest is deferred, also what waits for a connection or a limit. To end it
	// at once, end the context.
	Stop <-chan struct{}
	// Jitter returns a number in [0, 1). Defaults to math/rand/v2.
	Jitter func() float64
}

func (o RunOptions) withDefaults() RunOptions {
	o.Concurrency = max(1, o.Concurrency)
	if o.Mails < 1 {
		o.Mails = o.Concurrency
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	return o
}

// workers is how many invites are in hand at once: those at both gates, and as many again that the
// ledger has or that are composed, so that both gates always have one to let through.
func (o RunOptions) workers() int {
	if o.Concurrency == 1 {
		return 1
	}
	return 2 * (o.Concurrency + o.Mails)
}

// ErrStopped is returned by SendAll when Stop ended the run.
var ErrStopped = errors.New("the run was stopped; what was not begun is deferred, run again")

// run is what the invites of one call of SendAll share.
type run struct {
	single   bool // Send or SendGroup: nothing is limited, and nothing stops it
	maxMails int  // 0 is no limit
	requests gate // to the API; nil if not limited
	mails    gate // to the Submitter; nil if not limited

	// The Mailer's own, except that they begin nothing once the run is stopped.
	api       SmartInvites
	submitter Submitter
	going     context.Context // ends when no other request or mail is to be begun
	stop      context.CancelCauseFunc

	unknown sync.Map // has each key of which a mail of this run may have left

	accepted atomic.Bool // any mail was
	probing  atomic.Bool // the server is asked about the sender, or its answer stops the run

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced whenever the counts change
	reserved int           // mails that may still be begun by those who reserved them
	spent    int           // mails begun
	refusals refusals
}

func (m *Mailer) singleRun() *run {
	return &run{single: true, api: m.cfg.API, submitter: m.cfg.Submitter,
		going: context.Background(), stop: func(error) {}}
}

func (m *Mailer) newRun(o RunOptions) *run {
	r := &run{maxMails: o.MaxMails, requests: make(gate, o.Concurrency), mails: make(gate, o.Mails),
		api: m.cfg.API, submitter: m.cfg.Submitter, changed: make(chan struct{})}
	r.going, r.stop = context.WithCancelCause(context.Background())
	if c, ok := r.api.(*cronofy.Client); ok {
		r.api = c.Until(r.going.Done())
	}
	if s, ok := r.submitter.(*submission.Submitter); ok {
		r.submitter = s.Until(r.going.Done())
	}
	return r
}

type gate chan struct{} // as wide as it lets through at once

// pass waits at a gate of the run, and returns how to leave it again. It fails when the context ends
// or the run was stopped meanwhile: those who waited do not try a refused login again.
func (j *job) pass(ctx context.Context, s Stage, g gate) (leave func(), problem *Error) {
	if g == nil {
		return func() {}, nil
	}
	ended := j.observe(ctx, Event{Stage: s, Wait: true})
	defer func() { ended(problem) }()
	select {
	case g <- struct{}{}:
	case <-ctx.Done():
		return nil, interrupted(ctx, s)
	}
	if stopped := j.run.cause(); stopped != nil {
		<-g
		return nil, notBegun(s, stopped)
	}
	return func() { <-g }, nil
}

// cause is why the run was stopped, nil if it was not.
func (r *run) cause() error { return context.Cause(r.going) }

// until returns a context for what comes before a request or a mail and may take long: it ends with
// ctx or when the run is stopped. Call done after it.
func (r *run) until(ctx context.Context) (waitCtx context.Context, done func()) {
	return waiting.Until(ctx, r.going.Done(), ErrStopped)
}

// exhausted reports whether no other mail may be begun.
func (r *run) exhausted() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.maxMails > 0 && r.spent >= r.maxMails
}

// reserve reserves up to want mails and returns how many it got. It waits while others have reserved
// the rest of the limit, since they may give it back, and returns 0 when the limit is spent or the
// context has ended.
func (r *run) reserve(ctx context.Context, want int) int {
	if r.maxMails == 0 || want == 0 {
		return want
	}
	for {
		r.mu.Lock()
		got := min(want, r.maxMails-r.spent-r.reserved)
		r.reserved += got
		spent, changed := r.spent >= r.maxMails, r.changed
		r.mu.Unlock()
		if got > 0 || spent {
			return got
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0
		}
	}
}

// release gives back mails that were reserved, of which that many were begun.
func (r *run) release(reserved, begun int) {
	if r.maxMails == 0 || reserved == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reserved -= reserved
	r.spent += begun
	close(r.changed)
	r.changed = make(chan struct{})
}
