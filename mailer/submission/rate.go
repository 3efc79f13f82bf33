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

// wait returns when one more message is allowed, first come, first served, or the context's cause.
func (r *rate) wait(ctx context.Context) error {
	select {
	case r.first <- struct{}{}:
		defer func() { <-r.first }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for {
		delay := r.window.Wait(time.Now())
		if delay <= 0 {
			r.window.Add(time.Now())
			return nil
		}
		if err := sleep(ctx, delay); err != nil {
			return err
		}
	}
}

// sleep returns after d, or with the context's cause.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
