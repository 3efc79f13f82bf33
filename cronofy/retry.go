package cronofy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/invitemailer/invitemailer/internal/backoff"
	"github.com/invitemailer/invitemailer/internal/limitwait"
	"github.com/invitemailer/invitemailer/internal/waiting"
)

// The wait before the next attempt is a random part of the backoff, on top of what the API
// asks for.
const (
	firstBackoff = 500 * time.Millisecond // after the first attempt; doubles
	maxBackoff   = 8 * time.Second
)

// call is one call of the API, which may take several exchanges.
type call struct {
	name      string // for errors and logs
	id        string
	method    string
	query     string
	body      []byte
	addresses []string // kept out of errors
}

// do makes exchanges until one succeeds or a repeat makes no sense.
func (c *Client) do(ctx context.Context, call call) (*SmartInvite, error) {
	waitCtx, done := waiting.Until(ctx, c.stop, ErrStopped)
	defer done()
	for attempt := 1; ; attempt++ {
		waited := limitwait.Begin(ctx)
		err := c.limiter.begin(waitCtx, c.config.MaxWait)
		waited(err)
		if err != nil {
			if cause := context.Cause(waitCtx); errors.Is(cause, ErrStopped) {
				err = cause
			}
			return nil, c.fail(call, notSent(err))
		}
		invite, wait, failure := c.attempt(ctx, waitCtx, call, attempt)
		if failure == nil {
			return invite, nil
		}
		repeat, reason := c.shouldRepeat(waitCtx, failure, attempt, wait)
		c.config.Logger.LogAttrs(ctx, slog.LevelDebug, "cronofy: request failed",
			slog.String("call", call.name),
			slog.String("smart_invite_id", c.clean(call.id, call.addresses)),
			slog.Int("attempt", attempt), slog.Bool("repeat", repeat), slog.String("reason", reason),
			slog.Duration("wait", wait), slog.String("error", failure.Error()))
		if !repeat {
			return nil, c.fail(call, failure)
		}
		if stopped := sleep(waitCtx, wait); stopped != nil {
			return nil, c.fail(call, fmt.Errorf("%w (while waiting to try again: %w)", failure, stopped))
		}
	}
}

// attempt makes one exchange that the limiter let begin. After a failure it returns how long
// to wait before the next. A 429 makes all requests wait, before the end of this one can let
// another begin.
func (c *Client) attempt(
	ctx, waitCtx context.Context, call call, attempt int,
) (*SmartInvite, time.Duration, *Error) {
	defer c.limiter.end()
	invite, err := c.exchange(ctx, waitCtx, call)
	if err == nil {
		return invite, 0, nil
	}
	wait := c.backoff(err, attempt)
	if err.Status == http.StatusTooManyRequests {
		hold := err.RetryAfter
		if hold == 0 {
			// Other programs use up the application's limit, and the API does not say for
			// how long: asking again at once would be refused again.
			hold = min(wait, c.config.MaxWait)
		}
		c.limiter.hold(hold)
	}
	return nil, wait, err
}

// backoff is the wait before the next attempt.
func (c *Client) backoff(err *Error, attempt int) time.Duration {
	waits := backoff.Backoff{First: firstBackoff, Max: maxBackoff}
	return err.RetryAfter + waits.Full(attempt, c.config.Rand())
}

// fail says what was being done. People make ids out of addresses, so the id is cleaned like
// any other text.
func (c *Client) fail(call call, err error) error {
	if call.id == "" {
		return fmt.Errorf("cronofy: %s: %w", call.name, err)
	}
	return fmt.Errorf("cronofy: %s %q: %w", call.name, c.clean(call.id, call.addresses), err)
}

// notSent is the error for a request that the limiter did not let go.
func notSent(err error) *Error {
	if held, ok := errors.AsType[*Error](err); ok {
		return held
	}
	return &Error{Reason: "the request was not sent", Err: err}
}

// shouldRepeat decides whether the request is made again after wait, and says why. Repeating
// is harmless: an invite is known by its id and recipient.
func (c *Client) shouldRepeat(
	ctx context.Context, err *Error, attempt int, wait time.Duration,
) (bool, string) {
	later, reason := err.Retryable()
	switch {
	case ctx.Err() != nil:
		return false, "the caller's context has ended"
	case !later:
		return false, reason
	case errors.Is(err.Err, context.DeadlineExceeded):
		return false, "no answer came within Timeout, and another attempt may take as long"
	case !err.passesSoon():
		return false, "this may pass, but hardly in seconds"
	case attempt >= c.config.MaxAttempts:
		return false, "no attempts are left"
	case err.RetryAfter > c.config.MaxWait:
		return false, "the API asks for a longer wait than MaxWait"
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
		return false, "the wait would run beyond the caller's deadline"
	}
	return true, reason
}
