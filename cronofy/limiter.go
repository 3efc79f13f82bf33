package cronofy

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// windowGuard is added to both windows. What the API counts is when requests
// arrive, and the way there takes longer for one (a new connection, TLS) than
// for the next, so that starts a second apart can arrive less than a second
// apart. A tenth of a second covers a handshake across an ocean; it costs 0.2 % of
// the sustained rate, which the window of a minute sets.
const windowGuard = 100 * time.Millisecond

// limiter lets requests start so that no window of time sees more of them
// than it may, and lets nobody start while the API asks everybody to wait. A
// token bucket does not do: it lets a burst and the refill into one window.
//
// Whoever holds the turn is first in line: it alone waits for time to pass,
// the others wait for the turn. Blocked receivers of a channel are served in
// the order they came, and one that gives up takes nothing with it.
type limiter struct {
	turn    chan struct{} // holds one token
	base    time.Time     // what the offsets below count from
	windows []window      // only the holder of the turn touches them
	held    atomic.Int64  // nobody starts before this offset
}

// window remembers the last starts, as many as may fall into one length.
type window struct {
	length time.Duration
	starts []time.Duration // a ring, as offsets
	next   int             // the oldest start, to be overwritten
	full   bool            // the ring has gone round
}

// heldError says that the API asked for a longer wait than the caller allows.
type heldError struct{ wait time.Duration }

func (e *heldError) Error() string { return "held for " + e.wait.String() }

// newLimiter makes a limiter; a limit of 0 or less is no limit.
func newLimiter(perSecond, perMinute int) *limiter {
	l := &limiter{turn: make(chan struct{}, 1), base: time.Now()}
	l.turn <- struct{}{}
	if perSecond > 0 {
		l.windows = append(l.windows, window{length: time.Second + windowGuard, starts: make([]time.Duration, perSecond)})
	}
	if perMinute > 0 {
		l.windows = append(l.windows, window{length: time.Minute + windowGuard, starts: make([]time.Duration, perMinute)})
	}
	return l
}

// wait returns when a request may start, and counts it. It returns early
// with an error, and counts nothing, when ctx ends or would end first, or
// with a *heldError when the API asks for more than maxHold.
func (l *limiter) wait(ctx context.Context, maxHold time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-l.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { l.turn <- struct{}{} }()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		now := time.Since(l.base)
		hold := time.Duration(l.held.Load()) - now
		if hold > maxHold {
			return &heldError{wait: hold}
		}
		wait := hold
		for i := range l.windows {
			wait = max(wait, l.windows[i].free()-now)
		}
		if wait <= 0 {
			for i := range l.windows {
				l.windows[i].add(now)
			}
			return nil
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// hold keeps everybody from starting for that long from now.
func (l *limiter) hold(wait time.Duration) {
	until := int64(time.Since(l.base) + wait)
	for {
		old := l.held.Load()
		if until <= old || l.held.CompareAndSwap(old, until) {
			return
		}
	}
}

// free is when the window takes its next start.
func (w *window) free() time.Duration {
	if !w.full {
		return 0
	}
	return w.starts[w.next] + w.length
}

func (w *window) add(now time.Duration) {
	w.starts[w.next] = now
	w.next++
	if w.next == len(w.starts) {
		w.next, w.full = 0, true
	}
}

// sleep waits, unless ctx ends first or is known to.
func sleep(ctx context.Context, wait time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
		return fmt.Errorf("a wait of %v runs beyond the deadline: %w", wait.Round(time.Millisecond), context.DeadlineExceeded)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
