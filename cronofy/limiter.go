package cronofy

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/internal/window"
)

// windowGuard is added to both windows, for clocks that do not run at the same speed: a minute
// of a clock that is 100 ppm fast is 6 ms short. It costs 0.02 % of the sustained rate.
const windowGuard = 10 * time.Millisecond

// limiter lets requests begin so that no window of time sees more of them than it may, and
// lets none begin while the API asks all to wait. A token bucket does not do: it lets a burst
// and the refill into one window.
//
// The API counts when requests arrive, which is known here only to be before the answer. So a
// request has its place in a window until the window's length after it ended.
//
// The caller that holds the token is first in line: it alone waits for its place, the others
// wait for the token. Receivers on a channel are served in the order they came.
type limiter struct {
	first chan struct{} // holds one token, which the caller first in line takes
	ended chan struct{} // tells the caller first in line that a request ended

	mu      sync.Mutex
	windows []*window.Window // of the requests that may have arrived within each
	held    time.Time        // no request begins before
}

// newLimiter makes a limiter; a limit of 0 or less is no limit.
func newLimiter(perSecond, perMinute int) *limiter {
	l := &limiter{first: make(chan struct{}, 1), ended: make(chan struct{}, 1)}
	l.first <- struct{}{}
	if perSecond > 0 {
		l.windows = append(l.windows, window.New(perSecond, time.Second+windowGuard))
	}
	if perMinute > 0 {
		l.windows = append(l.windows, window.New(perMinute, time.Minute+windowGuard))
	}
	return l
}

// begin returns when a request may begin, and counts it until after its [limiter.end]. It
// returns early with an error, and counts nothing, when ctx ends or would end first, or with
// an [*Error] of status 429 when the API asks for more than maxHold.
func (l *limiter) begin(ctx context.Context, maxHold time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-l.first:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { l.first <- struct{}{} }()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		hold, wait := l.beginOrWait()
		switch {
		case hold > maxHold:
			return &Error{Status: http.StatusTooManyRequests, Local: true, RetryAfter: hold}
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

// beginOrWait counts a request if it may begin now, else it returns how long to wait, and how
// much of that the API asked for.
func (l *limiter) beginOrWait() (hold, wait time.Duration) {
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

// end is called once for each begin that returned nil, when the request can no longer arrive:
// after its answer, or when it was given up.
func (l *limiter) end() {
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

// hold keeps all requests from beginning for that long from now.
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
		return fmt.Errorf("a wait of %v runs beyond the deadline: %w",
			wait.Round(time.Millisecond), context.DeadlineExceeded)
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
