package cronofy

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/internal/window"
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

	mu      sync.Mutex
	windows []*window.Window // of the requests that may have arrived within each
	held    time.Time        // nobody begins before
}

// heldError says that the API asked for a longer wait than the caller allows.
type heldError struct{ wait time.Duration }

func (e *heldError) Error() string { return "held for " + e.wait.String() }

// newLimiter makes a limiter; a limit of 0 or less is no limit.
func newLimiter(perSecond, perMinute int) *limiter {
	l := &limiter{turn: make(chan struct{}, 1), ended: make(chan struct{}, 1)}
	l.turn <- struct{}{}
	if perSecond > 0 {
		l.windows = append(l.windows, window.New(perSecond, time.Second+windowGuard))
	}
	if perMinute > 0 {
		l.windows = append(l.windows, window.New(perMinute, time.Minute+windowGuard))
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
		case wait < window.UntilEnd:
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

// take counts a request if it may begin now, else it tells how long to wait,
// and how much of that the API asked for.
func (l *limiter) take() (hold, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	hold = l.held.Sub(now)
	wait = hold
	for _, w := range l.windows {
		wait = max(wait, w.Wait(now))
	}
	if wait <= 0 {
		for _, w := range l.windows {
			w.Begin()
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
	now := time.Now()
	for _, w := range l.windows {
		w.End(now)
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
	if until := time.Now().Add(wait); until.After(l.held) {
		l.held = until
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
