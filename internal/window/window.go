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
	limit  int
	length time.Duration
	ends   []time.Time // oldest first
	open   int         // events that have not ended
}

// New makes a window of at most limit events, which is more than 0.
func New(limit int, length time.Duration) *Window {
	return &Window{limit: limit, length: length}
}

// Wait returns how long until one more event may begin: 0 or less is now.
func (w *Window) Wait(now time.Time) time.Duration {
	for len(w.ends) > 0 && now.Sub(w.ends[0]) >= w.length {
		w.ends = w.ends[1:]
	}
	switch {
	case w.open+len(w.ends) < w.limit:
		return 0
	case len(w.ends) == 0:
		return UntilEnd
	}
	return w.length - now.Sub(w.ends[0])
}

// Begin counts an event that has no end yet. The caller has waited.
func (w *Window) Begin() { w.open++ }

// End says that one of the events that began is over.
func (w *Window) End(now time.Time) {
	w.open--
	w.ends = append(w.ends, now)
}

// Add counts an event that takes no time. The caller has waited.
func (w *Window) Add(now time.Time) { w.ends = append(w.ends, now) }
