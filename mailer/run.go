package mailer

import (
	"context"
	"sync"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/waiting"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// run is what the invites of one call of SendAll share. A nil run is a single
// call of Send: it has no limits and remembers nothing.
type run struct {
	maxMails int  // 0 is no limit
	requests gate // to the API
	mails    gate // to the Submitter

	// The Mailer's own, except that they begin nothing once the run is stopped.
	api       SmartInvites
	submitter Submitter
	halted    chan struct{} // closed when stopped is set

	mu       sync.Mutex
	stopped  error         // why no other request or mail is to be begun
	changed  chan struct{} // closed and replaced whenever the counts change
	reserved int           // mails that may still be begun by somebody
	spent    int           // mails begun
	unknown  map[ledger.Key]bool
	refusals refusals
}

func (m *Mailer) newRun(o RunOptions) *run {
	r := &run{maxMails: o.MaxMails, requests: make(gate, o.Concurrency), mails: make(gate, o.Mails),
		api: m.cfg.API, submitter: m.cfg.Submitter, halted: make(chan struct{}),
		changed: make(chan struct{}), unknown: make(map[ledger.Key]bool)}
	if c, ok := r.api.(*cronofy.Client); ok {
		r.api = c.Until(r.halted)
	}
	if s, ok := r.submitter.(*submission.Submitter); ok {
		r.submitter = s.Until(r.halted)
	}
	return r
}

// gate lets through as many at once as it is wide. An invite that waits at one
// is on its way; it lets those before it be followed without a pause.
type gate chan struct{}

// pass waits at the gate of the run that is chosen, and returns how to leave it
// again. It fails when the context ends, or the run was stopped meanwhile: a
// refused login is not tried again by those who were waiting.
func (r *run) pass(ctx context.Context, s Stage, choose func(*run) gate) (leave func(), _ *Error) {
	g := choose(r)
	select {
	case g <- struct{}{}:
	case <-ctx.Done():
		return nil, interrupted(ctx, s)
	}
	if stopped := r.cause(); stopped != nil {
		<-g
		return nil, notBegun(s, stopped)
	}
	return func() { <-g }, nil
}

// stop shuts the gates. What is past them goes on if it has begun.
func (r *run) stop(cause error) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped == nil {
		r.stopped = cause
		close(r.halted)
	}
}

// until returns a context for what comes before a request or a mail and may take
// long: it ends with ctx or when the run is stopped. Call done after it.
func (r *run) until(ctx context.Context) (waitCtx context.Context, done func()) {
	if r == nil {
		return ctx, func() {}
	}
	return waiting.Until(ctx, r.halted, ErrStopped)
}

// cause is why the run was stopped.
func (r *run) cause() error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopped
}

// exhausted reports whether no other mail may be begun.
func (r *run) exhausted() bool {
	if r == nil || r.maxMails == 0 {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.spent >= r.maxMails
}

// take reserves up to want mails and returns how many it got. It waits while
// the rest of the limit is reserved by others, since they may give it back, and
// returns 0 when the limit is spent or the context has ended.
func (r *run) take(ctx context.Context, want int) int {
	if r == nil || r.maxMails == 0 || want == 0 {
		return want
	}
	for {
		r.mu.Lock()
		if free := r.maxMails - r.spent - r.reserved; free > 0 {
			got := min(free, want)
			r.reserved += got
			r.mu.Unlock()
			return got
		}
		spent, changed := r.spent >= r.maxMails, r.changed
		r.mu.Unlock()
		if spent {
			return 0
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0
		}
	}
}

// give returns mails that were reserved and not begun.
func (r *run) give(n int) { r.count(n, 0) }

// spend turns reserved mails into begun ones.
func (r *run) spend(n int) { r.count(n, n) }

func (r *run) count(release, spend int) {
	if r == nil || r.maxMails == 0 || release == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reserved -= release
	r.spent += spend
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *run) setUnknown(k ledger.Key) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unknown[k] = true
}

func (r *run) isUnknown(k ledger.Key) bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.unknown[k]
}
