// Package window counts events over a sliding length of time. A token bucket would let a burst and
// its refill into one length; a window never holds more than its limit, wherever it begins.
package window

import (
	"math"
	"time"
)

// UntilEnd is what [Window.Wait] returns when time alone allows no other event, only one that ends.
const UntilEnd time.Duration = math.MaxInt64

// Window holds the events that count within its length: those that go on, and those that ended less
// than the length ago. The caller locks it, and gives the time, which does not go back.
type Window struct {
	length time.Duration
	ends   []time.Time // a ring as long as the limit
	oldest int
	count  int // of ends
	open   int // events that have not ended
}

// New makes a window of at most limit events, which is more than 0.
func New(limit int, length time.Duration) *Window {
	return &Window{length: length, ends: make([]time.Time, limit)}
}

// Wait returns how long until one more event may begin: 0 or less is now.
func (w *Window) Wait(now time.Time) time.Duration {
	for w.count > 0 && now.Sub(w.ends[w.oldest]) >= w.length {
		w.oldest = (w.oldest + 1) % len(w.ends)
		w.count--
	}
	switch {
	case w.open+w.count < len(w.ends):
		return 0
	case w.count == 0:
		return UntilEnd
	}
	return w.length - now.Sub(w.ends[w.oldest])
}

// Begin counts an event that has no end yet. The caller has waited.
func (w *Window) Begin() { w.open++ }

// End says that one of the events that began is over.
func (w *Window) End(now time.Time) {
	w.open--
	w.ends[(w.oldest+w.count)%len(w.ends)] = now
	w.count++
}

// Add counts an event that takes no time. The caller has waited.
func (w *Window) Add(now time.Time) {
	w.Begin()
	w.End(now)
}
