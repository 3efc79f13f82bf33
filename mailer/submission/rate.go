package submission

import (
	"context"
	"sync"
	"time"
)

// window lets at most len(times) events through in any stretch of length. A
// token bucket would let twice as many through in its first one.
type window struct {
	length time.Duration
	first  chan struct{} // holds whoever is next

	mu    sync.Mutex
	times []time.Time // of the latest events, a ring
	next  int         // the oldest
}

func newWindow(events int, length time.Duration) *window {
	return &window{length: length, first: make(chan struct{}, 1), times: make([]time.Time, events)}
}

// wait returns when one more event is allowed, first come, first served, or the
// context's cause. waited says whether that took long enough for a connection
// to have died meanwhile.
func (w *window) wait(ctx context.Context) (waited bool, err error) {
	begun := time.Now()
	select {
	case w.first <- struct{}{}:
		defer func() { <-w.first }()
	case <-ctx.Done():
		return true, context.Cause(ctx)
	}
	for {
		delay := w.take(time.Now())
		if delay <= 0 {
			return time.Since(begun) > time.Second, nil
		}
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return true, context.Cause(ctx)
		}
	}
}

// take counts an event at now, or returns how long it must wait.
func (w *window) take(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if oldest := w.times[w.next]; !oldest.IsZero() {
		if delay := oldest.Add(w.length).Sub(now); delay > 0 {
			return delay
		}
	}
	w.times[w.next] = now
	w.next = (w.next + 1) % len(w.times)
	return 0
}
