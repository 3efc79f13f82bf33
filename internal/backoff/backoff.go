// Package backoff says how long to wait before the next try of what failed.
package backoff

import "time"

// Backoff is how far waits grow. Each bound is twice the one before, so that a server in trouble is
// asked ever more rarely.
type Backoff struct {
	First time.Duration // the bound of the wait after the first failure
	Max   time.Duration // no bound is longer
}

// bound is the longest wait after so many failures in a row, of which there is one at least.
func (b Backoff) bound(failures int) time.Duration {
	bound := b.First
	for ; failures > 1 && bound < b.Max; failures-- {
		bound *= 2
	}
	return min(bound, b.Max)
}

// Full is a wait between nothing and the bound. What it is there is up to random, between 0 and 1,
// so that many who failed together do not come back together.
func (b Backoff) Full(failures int, random float64) time.Duration {
	return time.Duration(min(max(random, 0), 1) * float64(b.bound(failures)))
}

// Half is a wait between half the bound and the bound, for what must not be tried again at once.
func (b Backoff) Half(failures int, random float64) time.Duration {
	return (b.bound(failures) + b.Full(failures, random)) / 2
}
