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

	mu    sync.Mutex
	times []time.Time // of the latest events, a ring
	next  int         // the oldest
}

func newWindow(events int, length time.Duration) *window {
	return &window{length: length, times: make([]time.Time, events)}
}

// wait returns when one more event is allowed, or the context's cause. waited
// says whether it was not at once.
func (w *window) wait(ctx context.Context) (waited bool, err error) {
	for {
		delay := w.take(time.Now())
		if delay <= 0 {
			return waited, nil
		}
		waited = true
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return waited, context.Cause(ctx)
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
