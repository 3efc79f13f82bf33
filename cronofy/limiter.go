package cronofy

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"
)

// windowGuard is added to both windows, for clocks that do not run at the same
// speed: a minute of a clock that is 100 ppm fast is 6 ms short. It costs a
// fiftieth of a percent of the sustained rate.
const windowGuard = 10 * time.Millisecond

// limiter lets requests begin so that no window of time sees more of them
// than it may, and lets nobody begin while the API asks everybody to wait. A
// token bucket does not do: it lets a burst and the refill into one window.
//
// What the API counts is when requests arrive. When that is, nobody knows
// here: the way there may take a handshake across an ocean for one and nothing
// for the next. But it is before the answer. So a request has its place in a
// window until the window's length after it ended, and then no window of
// arrivals holds more than it may, however long the ways take. The price is
// the time of one answer for each window: nothing next to a minute.
//
// Whoever holds the turn is first in line: it alone waits for room, the others
// wait for the turn. Blocked receivers of a channel are served in the order
// they came, and one that gives up takes nothing with it.
type limiter struct {
	turn  chan struct{} // holds one token
	ended chan struct{} // tells the first in line that a request ended
	base  time.Time     // what the offsets below count from

	mu      sync.Mutex
	windows []window
	held    time.Duration // nobody begins before this offset
}

// window counts the requests that may have arrived within its length.
type window struct {
	length time.Duration
	ends   []time.Duration // a ring as long as the limit: when requests ended, as offsets
	oldest int
	count  int // of ends
	open   int // requests begun and not ended
}

// heldError says that the API asked for a longer wait than the caller allows.
type heldError struct{ wait time.Duration }

func (e *heldError) Error() string { return "held for " + e.wait.String() }

// newLimiter makes a limiter; a limit of 0 or less is no limit.
func newLimiter(perSecond, perMinute int) *limiter {
	l := &limiter{turn: make(chan struct{}, 1), ended: make(chan struct{}, 1), base: time.Now()}
	l.turn <- struct{}{}
	if perSecond > 0 {
		l.windows = append(l.windows, window{length: time.Second + windowGuard, ends: make([]time.Duration, perSecond)})
	}
	if perMinute > 0 {
		l.windows = append(l.windows, window{length: time.Minute + windowGuard, ends: make([]time.Duration, perMinute)})
	}
	return l
}

// begin returns when a request may begin, and counts it until after its
// [limiter.end]. It returns early with an error, and counts nothing, when ctx
// ends or would end first, or with a *heldError when the API asks for more
// than maxHold.
func (l *limiter) begin(ctx context.Context, maxHold time.Duration) error {
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
		hold, wait := l.take()
		switch {
		case hold > maxHold:
			return &heldError{wait: hold}
		case wait <= 0:
			return nil
		case wait < untilEnd:
			if err := sleep(ctx, wait); err != nil {
				return err
			}
		default:
			select {
			case <-l.ended:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// untilEnd is the wait when only the end of a request can make room.
const untilEnd time.Duration = math.MaxInt64

// take counts a request if it may begin now, else it tells how long to wait,
// and how much of that the API asked for.
func (l *limiter) take() (hold, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Since(l.base)
	hold = l.held - now
	wait = hold
	for i := range l.windows {
		wait = max(wait, l.windows[i].wait(now))
	}
	if wait <= 0 {
		for i := range l.windows {
			l.windows[i].open++
		}
	}
	return hold, wait
}

// end is called once for each begin that returned nil, when the request can
// no longer arrive: after its answer, or when it was given up.
func (l *limiter) end() {
	if len(l.windows) == 0 {
		return
	}
	l.mu.Lock()
	now := time.Since(l.base)
	for i := range l.windows {
		l.windows[i].end(now)
	}
	l.mu.Unlock()
	select {
	case l.ended <- struct{}{}:
	default: // told already
	}
}

// hold keeps everybody from beginning for that long from now.
func (l *limiter) hold(wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = max(l.held, time.Since(l.base)+wait)
}

// wait is how long the window has no room for another request.
func (w *window) wait(now time.Duration) time.Duration {
	for w.count > 0 && w.ends[w.oldest]+w.length <= now {
		w.oldest = (w.oldest + 1) % len(w.ends)
		w.count--
	}
	switch {
	case w.open+w.count < len(w.ends):
		return 0
	case w.count == 0:
		return untilEnd
	}
	return w.ends[w.oldest] + w.length - now
}

func (w *window) end(now time.Duration) {
	w.open--
	w.ends[(w.oldest+w.count)%len(w.ends)] = now
	w.count++
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
