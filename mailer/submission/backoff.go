package submission

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/invitemailer/invitemailer/internal/backoff"
)

// How a server that cannot be connected to is spared.
const (
	firstBackoff   = time.Second      // after one connection failed
	maxBackoff     = 30 * time.Second // doubled with each round of failures up to this
	maxConnectWait = 5 * time.Second  // what one Submit waits for the backoff at most
)

// connectBackoff spares a server to which connections fail.
type connectBackoff struct {
	rounds int // of failures, without a success between
	since  time.Time
	until  time.Time
	last   *Error
}

// failed is for a connection that was begun at begun and failed with e. Those
// that were begun together are one round.
func (b *connectBackoff) failed(e *Error, begun, now time.Time) {
	b.last = e
	if b.rounds > 0 && !begun.After(b.since) {
		return
	}
	b.rounds++
	b.since = now
	b.until = now.Add(backoff.Backoff{First: firstBackoff, Max: maxBackoff}.Half(b.rounds, rand.Float64()))
}

// wait is how long no connection may be begun.
func (b *connectBackoff) wait(now time.Time) time.Duration {
	if b.rounds == 0 {
		return 0
	}
	return b.until.Sub(now)
}

// backingOff is for a message that would have to wait for longer than
// maxConnectWait. Its caller decides whether to come back.
func backingOff(last *Error, wait time.Duration) *Error {
	return &Error{Step: last.Step, config: last.config,
		Err: fmt.Errorf("the last connections failed, and the next is tried in %s: %w", wait.Round(time.Second), last)}
}
