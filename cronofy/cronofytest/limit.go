package cronofytest

import (
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/internal/window"
)

// limiter admits requests over sliding windows: no span of a second or a minute, wherever it
// begins, holds more than allowed.
type limiter struct {
	mu      sync.Mutex
	windows []*window.Window
}

func newLimiter(perSecond, perMinute int) *limiter {
	l := &limiter{}
	if perSecond > 0 {
		l.windows = append(l.windows, window.New(perSecond, time.Second))
	}
	if perMinute > 0 {
		l.windows = append(l.windows, window.New(perMinute, time.Minute))
	}
	return l
}

// admit counts a request at now and returns zero, or returns how long it is until one can be
// admitted.
func (l *limiter) admit(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var wait time.Duration
	for _, w := range l.windows {
		wait = max(wait, w.Wait(now))
	}
	if wait > 0 {
		return wait
	}
	for _, w := range l.windows {
		w.Add(now)
	}
	return 0
}
