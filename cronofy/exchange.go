package cronofy

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const invitesPath = "/v1/smart_invites"

// maxBody bounds an answer, uncompressed.
const maxBody = 1 << 20

// logWaitAfter is how long an answer may take before the log says what is waited for.
const logWaitAfter = 10 * time.Second

// exchange makes one request and reads the answer. The end of waitCtx ends it as long as it
// has no connection.
func (c *Client) exchange(parent, waitCtx context.Context, call call) (*SmartInvite, *Error) {
	ctx, cancel := context.WithTimeout(parent, c.config.Timeout)
	defer cancel()
	var dialed, connected, stopped atomic.Bool
	defer context.AfterFunc(waitCtx, func() {
		if dialed.Load() && !connected.Load() { // no request is under way yet
			stopped.Store(true)
			cancel()
		}
	})()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { dialed.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	request, err := c.newRequest(ctx, call)
	if err != nil {
		return nil, incomplete("the request cannot be written as HTTP")
	}
	waiting := time.AfterFunc(logWaitAfter, func() {
		c.config.Logger.Info("still waiting for the API",
			"api", c.config.BaseURL, "so_far", logWaitAfter.String())
	})
	defer waiting.Stop()
	response, err := c.http.Do(request)
	if err != nil {
		if parent.Err() != nil {
			err = parent.Err() // not its cause, which may say anything
		}
		if stopped.Load() && parent.Err() == nil && !connected.Load() {
			return nil, notSent(context.Cause(waitCtx))
		}
		reason := "the request failed"
		if ctx.Err() != nil && parent.Err() == nil {
			reason = "no answer came within " + c.config.Timeout.String()
		}
		failure := noAnswer(reason, err)
		failure.NotConnected = dialed.Load() && !connected.Load() && parent.Err() == nil
		if c.isNoHost(failure.Err) {
			failure.NoHost = true
			failure.Reason = "the host of the API does not exist: check Config.BaseURL"
		}
		return nil, failure
	}
	c.answered.Store(true)
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return nil, c.refusal(response, call.addresses)
	}
	return readInvite(response)
}

func (c *Client) newRequest(ctx context.Context, call call) (*http.Request, error) {
	address := c.config.BaseURL + invitesPath
	if call.query != "" {
		address += "?" + call.query
	}
	var body io.Reader
	if call.body != nil {
		body = bytes.NewReader(call.body)
	}
	request, err := http.NewRequestWithContext(ctx, call.method, address, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Authorization", "Bearer "+c.key())
	request.Header.Set("User-Agent", c.config.UserAgent)
	if call.body != nil {
		request.Header.Set("Content-Type", "application/json; charset=utf-8")
		// This is not sent. It tells the transport that the request may be made again at
		// once on another connection when a kept one is closed.
		request.Header["Idempotency-Key"] = nil
	}
	return request, nil
}

// isNoHost reports whether err says that the host which the configuration names does not
// exist, although no answer ever came from there. Another name is that of a proxy.
func (c *Client) isNoHost(err error) bool {
	base, _ := url.Parse(c.config.BaseURL) // it was read before
	var name *net.DNSError
	return c.config.BaseURL != dataCenters[c.config.DataCenter] && !c.answered.Load() &&
		errors.As(err, &name) && name.IsNotFound &&
		strings.EqualFold(strings.TrimSuffix(name.Name, "."), strings.TrimSuffix(base.Hostname(), "."))
}

// readInvite reads the answer to a request that succeeded.
func readInvite(response *http.Response) (*SmartInvite, *Error) {
	unusable := func(reason string, err error) (*SmartInvite, *Error) {
		failure := noAnswer(reason, err)
		failure.Reason += " (status " + statusText(response.StatusCode) + ")"
		return nil, failure
	}
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if mediaType == "text/html" || mediaType == "application/xhtml+xml" {
		drain(response)
		return unusable("the answer is a web page, so something stands between here and the API", nil)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case err != nil:
		return unusable("the answer broke off", err)
	case len(body) > maxBody:
		return unusable("the answer is longer than 1 MiB", nil)
	}
	body = bytes.TrimSpace(body)
	invite := new(SmartInvite)
	err = json.Unmarshal(body, invite)
	var broken *json.SyntaxError
	switch { // without err, which may quote the answer
	case len(body) == 0:
		return unusable("the answer is empty", nil)
	case errors.As(err, &broken):
		return unusable("the answer is broken JSON", nil)
	case body[0] != '{':
		return unusable("the answer is not a JSON object", nil)
	case err != nil:
		return unusable("the answer does not have the documented form", nil)
	}
	return invite, nil
}

// noAnswer wraps what a transport returned. Only causes of known kinds are kept: others may
// quote the URL, with an address in it, or the answer.
func noAnswer(reason string, err error) *Error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	failure := &Error{Reason: reason}
	if err == nil {
		return failure
	}
	for _, find := range []func(error) error{
		same(context.Canceled), same(context.DeadlineExceeded),
		ofType[*net.OpError], ofType[*net.DNSError],
		ofType[*tls.CertificateVerificationError], plainHTTP,
		ofType[x509.UnknownAuthorityError], ofType[x509.HostnameError],
		ofType[syscall.Errno], same(io.ErrUnexpectedEOF), same(io.EOF),
	} {
		if failure.Err = find(err); failure.Err != nil {
			return failure
		}
	}
	failure.Reason += " in a way that cannot be shown, such as an answer that is not HTTP"
	return failure
}

// same returns a function that returns target if it is in an error, else nil.
func same(target error) func(error) error {
	return func(err error) error {
		if errors.Is(err, target) {
			return target
		}
		return nil
	}
}

// ofType returns the error of that type within err, nil if there is none.
func ofType[E error](err error) error {
	if found, ok := errors.AsType[E](err); ok {
		return found
	}
	return nil
}

// plainHTTP returns [http.ErrSchemeMismatch] if the server does not speak TLS.
func plainHTTP(err error) error {
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return http.ErrSchemeMismatch
	}
	return same(http.ErrSchemeMismatch)(err)
}

// drain reads a short body to its end, which lets the connection be used again. A long one
// costs more than a new connection.
func drain(response *http.Response) { _, _ = io.CopyN(io.Discard, response.Body, 16<<10) }

// refusal is the error for any status but 2xx.
func (c *Client) refusal(response *http.Response, addresses []string) *Error {
	e := &Error{Status: response.StatusCode}
	if e.Status == http.StatusUnprocessableEntity {
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxBody))
		e.Problems = readProblems(body, func(text string) string { return c.clean(text, addresses) })
		return e
	}
	drain(response)
	if e.Status == http.StatusTooManyRequests || e.Status >= 500 {
		e.RetryAfter = retryAfter(response.Header)
	}
	return e
}

// maxRetryAfter keeps arithmetic on Retry-After from overflowing.
const maxRetryAfter = 366 * 24 * time.Hour

// retryAfter reads the header of that name: seconds or a date (RFC 9110 section 10.2.3).
// What cannot be read counts as not said.
func retryAfter(header http.Header) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	if when, err := http.ParseTime(text); err == nil {
		return min(max(time.Until(when), 0), maxRetryAfter)
	}
	return 0
}
