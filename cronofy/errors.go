package cronofy

import (
	"fmt"
	"net/http"
	"time"
)

// Error is what every error that comes of a request implements. Find it, or
// one of the types behind it, with [errors.As].
type Error interface {
	error
	// Retryable reports whether the same request may succeed later, and
	// why, or why not.
	Retryable() (bool, string)
}

// ValidationError (422) says that the API refused the content of the request.
type ValidationError struct {
	// Fields are sorted by name. There are none when the API did not say.
	Fields []FieldError
}

// FieldError is what the API says about one field of a request.
type FieldError struct {
	Field    string // empty for what is said of no field
	Problems []Problem
}

// Problem is one reason why a field was refused.
type Problem struct {
	Key         string `json:"key"`         // for programs, such as "errors.required"
	Description string `json:"description"` // for people, such as "required"
}

// String is the description with the key behind it.
func (p Problem) String() string {
	switch {
	case p.Key == "":
		return p.Description
	case p.Description == "":
		return p.Key
	}
	return p.Description + " (" + p.Key + ")"
}

// Retryable says no.
func (e *ValidationError) Retryable() (bool, string) {
	return false, "the same request would be refused again: its content has to be fixed"
}

// AuthenticationError (401) says that the key was not accepted.
type AuthenticationError struct{}

// Error says what to check.
func (e *AuthenticationError) Error() string {
	return "the API did not accept the key (401): check the key, and that it belongs to this data center"
}

// Retryable says no.
func (e *AuthenticationError) Retryable() (bool, string) {
	return false, "the key would be refused again: it has to be changed"
}

// PlanError (402) says that the account's plan does not include what was
// asked for.
type PlanError struct{}

// Error says what to check.
func (e *PlanError) Error() string {
	return "the plan of this account does not include Smart Invites (402): change the plan at Cronofy"
}

// Retryable says no.
func (e *PlanError) Retryable() (bool, string) {
	return false, "the plan has to be changed first"
}

// PermissionError (403) says that the key is known but may not do this.
type PermissionError struct{}

// Error says what to check.
func (e *PermissionError) Error() string {
	return "the key is accepted but is not allowed to do this (403): check the application's settings at Cronofy"
}

// Retryable says no.
func (e *PermissionError) Retryable() (bool, string) {
	return false, "the key's permissions have to be changed first"
}

// NotFoundError (404) says that there is no such Smart Invite.
type NotFoundError struct{}

// Error says what to check.
func (e *NotFoundError) Error() string {
	return "the API has no such Smart Invite (404): check its id, its recipient and the data center"
}

// Retryable says no.
func (e *NotFoundError) Retryable() (bool, string) {
	return false, "what is not there will not be found by asking again"
}

// RateLimitError (429) says that too many requests were made.
type RateLimitError struct {
	// RetryAfter is the wait that the API asked for, 0 if it did not say.
	RetryAfter time.Duration
	// Local is set when the request was not sent because the wait asked for
	// by an earlier answer is longer than [Config.MaxWait].
	Local bool
}

// Error says how long to wait.
func (e *RateLimitError) Error() string {
	text := "the API's rate limit is reached (429)"
	if e.Local {
		text = "the request was not sent, because the API's rate limit is reached (429)"
	}
	return text + retryAfterText(e.RetryAfter)
}

// Retryable says yes.
func (e *RateLimitError) Retryable() (bool, string) {
	return true, "the rate limit passes" + retryAfterText(e.RetryAfter)
}

// ServerError (5xx) says that the API, or a gateway before it, failed.
type ServerError struct {
	StatusCode int
	// RetryAfter is the wait that the API asked for, 0 if it did not say.
	RetryAfter time.Duration
}

// Error names the status.
func (e *ServerError) Error() string {
	return "the API failed (" + statusText(e.StatusCode) + ")" + retryAfterText(e.RetryAfter)
}

// Retryable says yes, but for the two statuses that say "never".
func (e *ServerError) Retryable() (bool, string) {
	switch e.StatusCode {
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false, "the server says that it cannot do this at all"
	}
	return true, "a failure of the server is usually temporary"
}

// StatusError is an answer with a status that has no type of its own.
type StatusError struct {
	StatusCode int
}

// Error names the status and what it may come from.
func (e *StatusError) Error() string {
	text := "the API answered with an unexpected status (" + statusText(e.StatusCode) + "): "
	_, reason := e.Retryable()
	return text + reason
}

// Retryable says yes for the statuses that mean "not now".
func (e *StatusError) Retryable() (bool, string) {
	switch {
	case e.StatusCode == http.StatusLocked:
		return true, "the account is locked for now: try later"
	case e.StatusCode == http.StatusRequestTimeout, e.StatusCode == http.StatusTooEarly:
		return true, "the server did not wait for the request: try later"
	case e.StatusCode >= 300 && e.StatusCode < 400:
		return false, "redirects are not followed: check the data center or the base URL"
	}
	return false, "the same request would be answered alike: check the base URL and the request"
}

// TransportError says that no usable answer came: the network failed, time
// ran out, or what came was HTML, empty, cut off, too long or broken JSON.
// The API may have done what it was asked, unless Dial is set.
type TransportError struct {
	// Problem says what went wrong.
	Problem string
	// Dial is set when no connection could be made at all, so that nothing
	// can have reached the server. It is not set when it was the caller's own
	// context that ended.
	Dial bool
	// NoHost is set when [Config.BaseURL] was given, its host does not exist in
	// the DNS, and the Client has had no answer from it: the URL is wrong. The
	// host of a data center exists: when it is not found, the DNS fails.
	NoHost bool
	// StatusCode is the status of the answer that could not be used, 0 if
	// there was none.
	StatusCode int
	// Err is the cause, where it can be shown. It holds neither the URL nor
	// anything of the answer.
	Err error
}

// Error says what went wrong.
func (e *TransportError) Error() string {
	text := "no usable answer from the API: " + e.Problem
	if e.StatusCode != 0 {
		text += " (status " + statusText(e.StatusCode) + ")"
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause, such as [context.DeadlineExceeded].
func (e *TransportError) Unwrap() error { return e.Err }

// Retryable says yes, unless NoHost is set: creating and cancelling can be repeated
// without harm, because the API knows an invite by its id and recipient.
func (e *TransportError) Retryable() (bool, string) {
	switch {
	case e.NoHost:
		return false, "a host that does not exist will not answer: BaseURL has to be changed"
	case e.Dial:
		return true, "nothing reached the API, and the network may come back"
	}
	return true, "an invite is known by its id and recipient, so that asking twice changes nothing"
}

func statusText(code int) string {
	if text := http.StatusText(code); text != "" {
		return fmt.Sprintf("%d %s", code, text)
	}
	return fmt.Sprint(code)
}

func retryAfterText(wait time.Duration) string {
	if wait <= 0 {
		return ": try later"
	}
	return ": try again in " + wait.Round(time.Millisecond).String()
}
