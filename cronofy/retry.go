package cronofy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/backoff"
	"github.com/invitemailer/invitemailer/internal/limitwait"
	"github.com/invitemailer/invitemailer/internal/waiting"
)

// The wait before the next attempt is a random part of the backoff, on top of
// what the API asks for.
const (
	firstBackoff = 500 * time.Millisecond // after the first attempt; doubles
	maxBackoff   = 8 * time.Second
)

// post sends a request for one or many recipients.
func (c *Client) post(ctx context.Context, name string, request wireRequest) (*SmartInvite, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("cronofy: %s %q: %w", name, request.SmartInviteID,
			&RequestError{Problems: []string{encodingProblem(err)}})
	}
	var addresses []string
	if request.Recipient != nil {
		addresses = append(addresses, request.Recipient.Email)
	}
	for _, recipient := range request.Recipients {
		addresses = append(addresses, recipient.Email)
	}
	return c.do(ctx, call{
		name: name, id: request.SmartInviteID, method: http.MethodPost,
		body: body, addresses: addresses,
	})
}

// encodingProblem is the innermost cause: encoding/json puts Go types before it.
func encodingProblem(err error) string {
	var marshaler *json.MarshalerError
	for errors.As(err, &marshaler) {
		err = marshaler.Err
	}
	return err.Error()
}

// do makes exchanges until one succeeds or a repeat makes no sense.
func (c *Client) do(ctx context.Context, call call) (*SmartInvite, error) {
	waitCtx, done := waiting.Until(ctx, c.stop, ErrStopped)
	defer done()
	for attempt := 1; ; attempt++ {
		waited := limitwait.Begin(ctx)
		err := c.limiter.begin(waitCtx, c.maxWait)
		waited(err)
		if err != nil {
			if cause := context.Cause(waitCtx); errors.Is(cause, ErrStopped) {
				err = cause
			}
			return nil, c.fail(call, notSent(err))
		}
		invite, wait, err := c.attempt(ctx, waitCtx, call, attempt)
		if err == nil {
			return invite, nil
		}
		repeat, reason := c.shouldRepeat(waitCtx, err, attempt, wait)
		c.log.LogAttrs(ctx, slog.LevelDebug, "cronofy: request failed",
			slog.String("call", call.name), slog.String("smart_invite_id", c.clean(call.id, call.addresses)),
			slog.Int("attempt", attempt), slog.Bool("repeat", repeat), slog.String("reason", reason),
			slog.Duration("wait", wait), slog.String("error", err.Error()))
		if !repeat {
			return nil, c.fail(call, err)
		}
		if stopped := sleep(waitCtx, wait); stopped != nil {
			return nil, c.fail(call, fmt.Errorf("%w (while waiting to try again: %w)", err, stopped))
		}
	}
}

// attempt makes one exchange that the limiter let begin. After a failure it
// tells how long to wait before the next, and after a 429 it makes everybody
// wait, before its end can let anybody else begin.
func (c *Client) attempt(ctx, waitCtx context.Context, call call, attempt int) (*SmartInvite, time.Duration, error) {
	defer c.limiter.end()
	invite, err := c.exchange(ctx, waitCtx, call)
	if err == nil {
		return invite, 0, nil
	}
	wait := c.backoff(err, attempt)
	var limited *RateLimitError
	switch {
	case !errors.As(err, &limited):
	case limited.RetryAfter > 0:
		c.limiter.hold(limited.RetryAfter)
	default:
		// Somebody else uses up the application's limit, and the API does not
		// say for how long: asking again at once would be refused again.
		c.limiter.hold(min(wait, c.maxWait))
	}
	return nil, wait, err
}

// fail says what was being done. People make ids out of addresses, so the id
// is cleaned like any other text.
func (c *Client) fail(call call, err error) error {
	if call.id == "" {
		return fmt.Errorf("cronofy: %s: %w", call.name, err)
	}
	return fmt.Errorf("cronofy: %s %q: %w", call.name, c.clean(call.id, call.addresses), err)
}

// notSent is the error for a request that the limiter did not let go.
func notSent(err error) error {
	var held *heldError
	if errors.As(err, &held) {
		return &RateLimitError{RetryAfter: held.wait, Local: true}
	}
	return &TransportError{Problem: "the request was not sent", Err: err}
}

// shouldRepeat decides whether the request is made again after wait, and says
// why. Repeating is harmless: an invite is known by its id and recipient.
func (c *Client) shouldRepeat(ctx context.Context, err error, attempt int, wait time.Duration) (bool, string) {
	var known Error
	if !errors.As(err, &known) {
		return false, "the failure is not of a known kind"
	}
	later, reason := known.Retryable()
	switch {
	case ctx.Err() != nil:
		return false, "the caller's context has ended"
	case !later:
		return false, reason
	case timedOut(known):
		return false, "no answer came within Timeout, and another attempt may take as long"
	case !passesSoon(known):
		return false, "this may pass, but hardly in seconds"
	case attempt >= c.maxAttempts:
		return false, "no attempts are left"
	case askedFor(err) > c.maxWait:
		return false, "the API asks for a longer wait than MaxWait"
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
		return false, "the wait would run beyond the caller's deadline"
	}
	return true, reason
}

// timedOut tells an attempt that took all its time.
func timedOut(err Error) bool {
	var transport *TransportError
	return errors.As(err, &transport) && errors.Is(transport.Err, context.DeadlineExceeded)
}

// passesSoon tells the failures that are worth another attempt within this
// call from those that the caller should come back to later.
func passesSoon(err Error) bool {
	switch err := err.(type) {
	case *TransportError, *RateLimitError:
		return true
	case *ServerError:
		switch err.StatusCode {
		case http.StatusInternalServerError, http.StatusBadGateway,
			http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
	}
	return false
}

// askedFor is the wait that the API asked for with this error.
func askedFor(err error) time.Duration {
	var (
		limited *RateLimitError
		server  *ServerError
	)
	switch {
	case errors.As(err, &limited):
		return limited.RetryAfter
	case errors.As(err, &server):
		return server.RetryAfter
	}
	return 0
}

// backoff is the wait before the next attempt.
func (c *Client) backoff(err error, attempt int) time.Duration {
	waits := backoff.Backoff{First: firstBackoff, Max: maxBackoff}
	return askedFor(err) + waits.Full(attempt, c.random())
}

// maxRetryAfter keeps arithmetic on Retry-After from overflowing.
const maxRetryAfter = 366 * 24 * time.Hour

// retryAfter reads the header of that name: seconds or a date (RFC 9110
// section 10.2.3). What cannot be read counts as not said.
func retryAfter(header http.Header) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 64); err == nil {
		if seconds > uint64(math.MaxInt64/time.Second) {
			return maxRetryAfter
		}
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if when, err := http.ParseTime(text); err == nil {
		return min(max(time.Until(when), 0), maxRetryAfter)
	}
	return 0
}
