package submission

import (
	"context"
	"time"

	"github.com/invitemailer/invitemailer/internal/window"
)

// rate lets messages begin so that no window of time sees more of them than it may.
type rate struct {
	first  chan struct{} // holds the message that is next, which alone uses window
	window *window.Window
}

func newRate(messages int, length time.Duration) *rate {
	return &rate{first: make(chan struct{}, 1), window: window.New(messages, length)}
}

// wait returns when one more message is allowed, first come, first served, or the
// context's cause. waited says whether that took long enough for a connection
// to have died meanwhile.
func (r *rate) wait(ctx context.Context) (waited bool, err error) {
	begun := time.Now()
	select {
	case r.first <- struct{}{}:
		defer func() { <-r.first }()
	case <-ctx.Done():
		return true, context.Cause(ctx)
	}
	for {
		delay := r.window.Wait(time.Now())
		if delay <= 0 {
			r.window.Add(time.Now())
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
