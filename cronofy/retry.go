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
)

// The wait before attempt n+1 is random between nothing and the smaller of
// backoffCap and backoffBase doubled n-1 times ("full jitter"), on top of what
// the API asks for.
const (
	backoffBase = 500 * time.Millisecond
	backoffCap  = 8 * time.Second
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
	for attempt := 1; ; attempt++ {
		if err := c.limiter.wait(ctx, c.maxWait); err != nil {
			return nil, call.fail(notSent(err))
		}
		invite, err := c.exchange(ctx, call)
		if err == nil {
			return invite, nil
		}
		var limited *RateLimitError
		if errors.As(err, &limited) {
			c.limiter.hold(limited.RetryAfter)
		}
		wait := c.backoff(err, attempt)
		repeat, reason := c.shouldRepeat(ctx, err, attempt, wait)
		c.log.LogAttrs(ctx, slog.LevelDebug, "cronofy: request failed",
			slog.String("call", call.name), slog.String("smart_invite_id", call.id),
			slog.Int("attempt", attempt), slog.Bool("repeat", repeat), slog.String("reason", reason),
			slog.Duration("wait", wait), slog.String("error", err.Error()))
		if !repeat {
			return nil, call.fail(err)
		}
		if stopped := sleep(ctx, wait); stopped != nil {
			return nil, call.fail(fmt.Errorf("%w (waiting to try again: %w)", err, stopped))
		}
	}
}

// fail says what was being done.
func (c call) fail(err error) error { return fmt.Errorf("cronofy: %s %q: %w", c.name, c.id, err) }

// notSent is the error for a request that the limiter did not let go.
func notSent(err error) error {
	var held *heldError
	if errors.As(err, &held) {
		return &RateLimitError{RetryAfter: held.wait, Local: true}
	}
	return fmt.Errorf("the request was not sent: %w", err)
}

// shouldRepeat decides whether the request is made again after wait, and says
// why. Repeating is harmless: an invite is known by its id and recipient.
func (c *Client) shouldRepeat(ctx context.Context, err error, attempt int, wait time.Duration) (bool, string) {
	var (
		transport *TransportError
		limited   *RateLimitError
		server    *ServerError
		known     Error
	)
	switch {
	case ctx.Err() != nil:
		return false, "the caller's context has ended"
	case errors.As(err, &transport), errors.As(err, &limited):
	case errors.As(err, &server):
		switch server.StatusCode {
		case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		default:
			return false, "this status is not known to pass in seconds"
		}
	case errors.As(err, &known):
		if later, reason := known.Retryable(); !later {
			return false, reason
		}
		return false, "this passes, but hardly in seconds"
	default:
		return false, "the failure is not of a known kind"
	}
	if attempt >= c.maxAttempts {
		return false, "no attempts are left"
	}
	if asked := askedFor(err); asked > c.maxWait {
		return false, fmt.Sprintf("the API asks to wait %v, which is longer than MaxWait", asked)
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
		return false, "the wait would run beyond the caller's deadline"
	}
	_, reason := retryable(err)
	return true, reason
}

func retryable(err error) (bool, string) {
	var known Error
	if errors.As(err, &known) {
		return known.Retryable()
	}
	return false, "the failure is not of a known kind"
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
	ceiling := backoffCap
	if shift := attempt - 1; shift < 10 {
		ceiling = min(backoffCap, backoffBase<<shift)
	}
	jitter := time.Duration(min(max(c.random(), 0), 1) * float64(ceiling))
	return askedFor(err) + jitter
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
