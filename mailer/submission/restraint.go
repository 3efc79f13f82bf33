package submission

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// How a server that wants less is spared.
const (
	firstBackoff = time.Second      // after one connection failed
	maxBackoff   = 30 * time.Second // doubled with each round of failures up to this
	patience     = 5 * time.Second  // what one Submit waits for the backoff at most

	firstGrowth = time.Minute      // after the server wanted fewer connections, one more is tried
	maxGrowth   = 15 * time.Minute // doubled with each one that it refuses up to this
)

// ceiling is how many connections there may be. It is lowered when the server
// turns one away while others stand, and grows by one at a time, when there is
// work for one more.
type ceiling struct {
	most  int // Config.Connections
	now   int
	after time.Time     // when it may grow
	every time.Duration // how long that takes
	grew  bool          // and it is not known whether the server likes it
}

// lower is for a server that wants no more than n connections.
func (c *ceiling) lower(n int, now time.Time) {
	c.now = max(1, min(c.now, n))
	switch {
	case c.every == 0:
		c.every = firstGrowth
	case c.grew:
		c.every = min(maxGrowth, 2*c.every)
	}
	c.grew = false
	c.after = now.Add(c.every)
}

// grow raises the ceiling by one if it is time.
func (c *ceiling) grow(now time.Time) bool {
	if c.now >= c.most || now.Before(c.after) {
		return false
	}
	c.now++
	c.grew = true
	c.after = now.Add(c.every)
	return true
}

// stood is for a connection that the server took.
func (c *ceiling) stood() {
	c.grew = false
	if c.now == c.most {
		c.every = 0
	}
}

// forget is for a server that is not there at all: how many connections it
// will want is not known.
func (c *ceiling) forget() { *c = ceiling{most: c.most, now: c.most} }

// backoff spares a server to which connections fail.
type backoff struct {
	rounds int // of failures, without a success between
	since  time.Time
	until  time.Time
	last   *Error
}

// failed is for a connection that was begun at begun and failed with e. Those
// that were begun together are one round.
func (b *backoff) failed(e *Error, begun, now time.Time) {
	b.last = e
	if b.rounds > 0 && !begun.After(b.since) {
		return
	}
	bound := maxBackoff
	if b.rounds < 5 {
		bound = min(bound, firstBackoff<<b.rounds)
	}
	b.rounds++
	b.since = now
	b.until = now.Add(bound/2 + rand.N(bound/2+1)) // so that many senders do not come back at once
}

// wait is how long no connection may be begun.
func (b *backoff) wait(now time.Time) time.Duration {
	if b.rounds == 0 {
		return 0
	}
	return b.until.Sub(now)
}

// backingOff is for a message that would have to wait for too long: whoever
// submits it has more patience, or has none.
func backingOff(last *Error, wait time.Duration) *Error {
	return &Error{Step: last.Step, config: last.config,
		Err: fmt.Errorf("the last connections failed, and the next is tried in %s: %w", wait.Round(time.Second), last)}
}
