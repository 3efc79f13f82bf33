package mailer

import (
	"errors"
	"math/rand/v2"
	"time"
)

// RunOptions shape one call of [Mailer.SendAll]. The zero value is one invite
// at a time, without a second try.
type RunOptions struct {
	// Concurrency is how many requests to the API are under way at once. With 1,
	// the default, the next invite is begun when the one before has ended; with
	// more, invites that wait for the API, for the ledger and for the mail server
	// overlap, so that neither of the two servers waits for the other.
	Concurrency int
	// Mails is how many mails may, at any moment, have left without their outcome
	// being on record: what a crash can leave in doubt. Defaults to Concurrency.
	// Twice as many as the Submitter has connections keep these busy while the
	// ledger records the mails before and after.
	Mails int
	// MaxMails stops the run before one more mail than this. 0 is no limit.
	MaxMails int
	// RetryFor is how long a temporary failure is tried again: an invite, from
	// its first failure on; all of them, from the first failure since the
	// latest success. A server that asks for a longer wait is left alone.
	RetryFor time.Duration
	// Stop, when closed, ends the run softly: the requests and the mails that are
	// under way are finished, and the rest is deferred, whatever waits for a
	// connection or a limit included. To end it at once, end the context.
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

// workers is how many invites are in hand at once: those at both gates, and as
// many again that are read from the ledger, composed, written to it or wait for
// the faster of the two, so that both gates always have somebody to let through.
// What it bounds is memory, and how much a stop leaves to be finished.
func (o RunOptions) workers() int {
	if o.Concurrency == 1 {
		return 1
	}
	return 2 * (o.Concurrency + o.Mails)
}

// ErrStopped is returned by SendAll when Stop ended the run.
var ErrStopped = errors.New("the run was stopped; what was not begun is deferred, run again")
