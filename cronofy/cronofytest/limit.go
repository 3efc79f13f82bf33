package cronofytest

import (
	"sync"
	"time"
)

// limiter admits requests over sliding windows: no span of a second or a minute, wherever it begins, holds more than allowed.
type limiter struct {
	mu      sync.Mutex
	windows []window
}

// window remembers when the last requests were admitted, in a ring as long as the limit.
type window struct {
	span     time.Duration
	admitted []time.Time
	next     int
}

func newLimiter(perSecond, perMinute int) *limiter {
	l := &limiter{}
	if perSecond > 0 {
		l.windows = append(l.windows, window{span: time.Second, admitted: make([]time.Time, perSecond)})
	}
	if perMinute > 0 {
		l.windows = append(l.windows, window{span: time.Minute, admitted: make([]time.Time, perMinute)})
	}
	return l
}

// admit counts a request at now and returns zero, or returns how long it is until one can be admitted.
func (l *limiter) admit(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var wait time.Duration
	for _, w := range l.windows {
		if oldest := w.admitted[w.next]; !oldest.IsZero() {
			wait = max(wait, w.span-now.Sub(oldest))
		}
	}
	if wait > 0 {
		return wait
	}
	for i := range l.windows {
		w := &l.windows[i]
		w.admitted[w.next] = now
		w.next = (w.next + 1) % len(w.admitted)
	}
	return 0
}
