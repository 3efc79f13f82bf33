package cronofy

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Error is why a call failed. Find it with [errors.As]; [StatusOf] is enough to
// tell the refusals apart.
type Error struct {
	// Status is the HTTP status by which the API refused the request: 422 if the content is invalid,
	// 401 for the key, 402 for the account's plan, 403 for the key's permissions, 404 for an invite
	// that does not exist, 429 for the rate limit, 5xx for a failure of the server. It is 0 if no
	// usable answer came; the API may then have done what it was asked, unless NotConnected is set.
	Status int

	// Local is set if the request was not sent, and Status is what the API would have answered: 422,
	// or 429 when an earlier answer asked for a longer wait than [Config.MaxWait].
	Local bool

	// Problems are the reasons for a 422, sorted by field, if the API gave any.
	Problems []Problem

	// RetryAfter is the wait that the API asked for with a 429 or 5xx, 0 if it did not say.
	RetryAfter time.Duration

	// Reason says why there is no usable answer.
	Reason string

	// NotConnected is set when no connection could be made, so that nothing can have reached the
	// server. It is not set when the caller's own context ended.
	NotConnected bool

	// NoHost is set when the host of [Config.BaseURL] does not exist in the DNS, and the Client has
	// had no answer from it. That of a data center exists: when it is not found, the DNS fails.
	NoHost bool

	// Err is the cause, where it can be shown without the URL and the answer.
	Err error
}

// Problem is one reason why a request is invalid.
type Problem struct {
	Field       string // empty for what is said of no field
	Key         string // for programs, such as "errors.required"
	Description string // for people, such as "required"
}

// StatusOf returns the Status of the [Error] in err, 0 if there is none.
func StatusOf(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return 0
}

// refusals are the statuses that end a call whenever they come: what the error says,
// and why the same request would not succeed later.
var refusals = map[int]struct{ text, reason string }{
	http.StatusUnauthorized: {
		"the API did not accept the key (401): check the key, and that it belongs to this data center",
		"the key would be refused again: it has to be changed",
	},
	http.StatusPaymentRequired: {
		"the plan of this account does not include Smart Invites (402): change the plan at Cronofy",
		"the plan has to be changed first",
	},
	http.StatusForbidden: {
		"the key is accepted but is not allowed to do this (403): " +
			"check the application's settings at Cronofy",
		"the key's permissions have to be changed first",
	},
	http.StatusNotFound: {
		"the API has no such Smart Invite (404): check its id, its recipient and the data center",
		"what is not there will not be found by asking again",
	},
}

// Error says what went wrong and, where that is known, what to check.
func (e *Error) Error() string {
	refusal, refused := refusals[e.Status]
	switch {
	case e.Status == 0:
		text := "no usable answer from the API: " + e.Reason
		if e.Err != nil {
			text += ": " + e.Err.Error()
		}
		return text
	case refused:
		return refusal.text
	case e.Status == http.StatusUnprocessableEntity && e.Local:
		var texts []string
		for _, problem := range e.Problems {
			texts = append(texts, problem.Description)
		}
		return "the request was not sent: " + strings.Join(texts, "; ")
	case e.Status == http.StatusUnprocessableEntity && len(e.Problems) == 0:
		return "the API refused the request as invalid (422) without naming a field: check the request"
	case e.Status == http.StatusUnprocessableEntity:
		return "the API refused the request as invalid (422): " + problemsText(e.Problems)
	case e.Status == http.StatusTooManyRequests && e.Local:
		return "the request was not sent, because the API's rate limit is reached (429)" + e.whenToRetry()
	case e.Status == http.StatusTooManyRequests:
		return "the API's rate limit is reached (429)" + e.whenToRetry()
	case e.Status >= 500:
		return "the API failed (" + statusText(e.Status) + ")" + e.whenToRetry()
	}
	_, reason := e.Retryable()
	return "the API answered with an unexpected status (" + statusText(e.Status) + "): " + reason
}

// Unwrap returns the cause, such as [context.DeadlineExceeded].
func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether the same request may succeed later, and why or why not.
func (e *Error) Retryable() (bool, string) {
	if refusal, refused := refusals[e.Status]; refused {
		return false, refusal.reason
	}
	switch {
	case e.NoHost:
		return false, "a host that does not exist will not answer: BaseURL has to be changed"
	case e.NotConnected:
		return true, "nothing reached the API, and the network may come back"
	case e.Status == 0:
		return true, "an invite is known by its id and recipient, so that asking twice changes nothing"
	case e.Status == http.StatusUnprocessableEntity && e.Local:
		return false, "the request is incomplete and would be stopped again"
	case e.Status == http.StatusUnprocessableEntity:
		return false, "the same request would be refused again: its content has to be fixed"
	case e.Status == http.StatusTooManyRequests:
		return true, "the rate limit passes" + e.whenToRetry()
	case e.Status == http.StatusNotImplemented, e.Status == http.StatusHTTPVersionNotSupported:
		return false, "the server says that it cannot do this at all"
	case e.Status >= 500:
		return true, "a failure of the server is usually temporary"
	case e.Status == http.StatusLocked:
		return true, "the account is locked for now: try later"
	case e.Status == http.StatusRequestTimeout, e.Status == http.StatusTooEarly:
		return true, "the server did not wait for the request: try later"
	case e.Status < 400:
		return false, "redirects are not followed: check the data center or the base URL"
	}
	return false, "the same request would be answered alike: check the base URL and the request"
}

// passesSoon tells which failures are worth another attempt within the same call.
func (e *Error) passesSoon() bool {
	switch e.Status {
	case 0, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

func (e *Error) whenToRetry() string {
	if e.RetryAfter <= 0 {
		return ": try later"
	}
	return ": try again in " + e.RetryAfter.Round(time.Millisecond).String()
}

func statusText(code int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
}
