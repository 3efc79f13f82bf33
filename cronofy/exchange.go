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
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// maxBody bounds an answer, uncompressed.
const maxBody = 1 << 20

// tellAfter is how long an answer may take before the log says what is being
// waited for.
const tellAfter = 10 * time.Second

// wireRequest is the body of a POST.
type wireRequest struct {
	Method string `json:"method"`
	*InviteRequest
}

// call is one call of the API, which may take several exchanges.
type call struct {
	name      string // for errors and logs
	id        string
	method    string
	query     string
	body      []byte
	addresses []string // whose addresses are kept out of errors
}

func newClient(config Config) *Client {
	transport := config.Transport
	if transport == nil {
		transport = defaultTransport()
	}
	bearer := "Bearer " + config.APIKey
	return &Client{
		baseURL: config.BaseURL,
		http: &http.Client{
			Transport: transport,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		},
		ownsHTTP:    config.Transport == nil,
		limiter:     newLimiter(config.RatePerSecond, config.RatePerMinute),
		log:         config.Logger,
		random:      config.Rand,
		maxAttempts: config.MaxAttempts,
		maxWait:     config.MaxWait,
		timeout:     config.Timeout,
		answered:    new(atomic.Bool),
		header:      headers(bearer, config.UserAgent),
		redact:      func(text string) string { return strings.ReplaceAll(text, bearer[len("Bearer "):], "[key]") },
	}
}

// headers returns a function that makes the header of a request.
func headers(bearer, userAgent string) func(withBody bool) http.Header {
	bare := http.Header{
		"Accept":        {"application/json"},
		"Authorization": {bearer},
		"User-Agent":    {userAgent},
	}
	full := bare.Clone()
	full.Set("Content-Type", "application/json; charset=utf-8")
	// This is not sent. It tells the transport that the request may be made
	// again at once on another connection when a kept one turns out closed.
	full["Idempotency-Key"] = nil
	return func(withBody bool) http.Header {
		if withBody {
			return full.Clone()
		}
		return bare.Clone()
	}
}

// exchange makes one request and reads the answer. The end of waitCtx ends it as
// long as it has no connection.
func (c *Client) exchange(parent, waitCtx context.Context, call call) (*SmartInvite, error) {
	ctx, cancel := context.WithTimeout(parent, c.timeout)
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
	address := c.baseURL + invitesPath
	if call.query != "" {
		address += "?" + call.query
	}
	request, err := http.NewRequestWithContext(ctx, call.method, address, bytes.NewReader(call.body))
	if err != nil {
		return nil, &RequestError{Problems: []string{"the request cannot be written as HTTP"}}
	}
	request.Header = c.header(call.body != nil)
	if call.body == nil {
		request.Body, request.GetBody = nil, nil
	}

	told := time.AfterFunc(tellAfter, func() { c.log.Info("still waiting for the API", "api", c.baseURL, "so_far", tellAfter.String()) })
	defer told.Stop()
	response, err := c.http.Do(request)
	if err != nil {
		if parent.Err() != nil {
			err = parent.Err() // not its cause, which may say anything
		}
		if stopped.Load() && parent.Err() == nil && !connected.Load() {
			return nil, notSent(context.Cause(waitCtx))
		}
		problem := "the request failed"
		if ctx.Err() != nil && parent.Err() == nil {
			problem = "no answer came within " + c.timeout.String()
		}
		failure := transportError(problem, err)
		failure.Dial = dialed.Load() && !connected.Load() && parent.Err() == nil
		if c.noHost(failure.Err) {
			failure.NoHost, failure.Problem = true, "the host of BaseURL does not exist: check BaseURL"
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

// noHost reports whether err says that the host which the configuration names does
// not exist, although no answer ever came from there. Another name is that of a
// proxy.
func (c *Client) noHost(err error) bool {
	var name *net.DNSError
	return c.givenHost != "" && !c.answered.Load() && errors.As(err, &name) && name.IsNotFound &&
		strings.EqualFold(strings.TrimSuffix(name.Name, "."), strings.TrimSuffix(c.givenHost, "."))
}

// readInvite reads the answer to a request that succeeded.
func readInvite(response *http.Response) (*SmartInvite, error) {
	unusable := func(problem string, err error) (*SmartInvite, error) {
		failure := transportError(problem, err)
		failure.StatusCode = response.StatusCode
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
	invite, problem := decodeInvite(body)
	if problem != "" {
		return unusable(problem, nil)
	}
	return invite, nil
}

// decodeInvite reads a body, or says what is wrong with it without quoting it.
func decodeInvite(body []byte) (invite *SmartInvite, problem string) {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return nil, "the answer is empty"
	}
	invite = new(SmartInvite)
	err := json.Unmarshal(body, invite)
	var broken *json.SyntaxError
	switch {
	case errors.As(err, &broken):
		return nil, "the answer is broken JSON"
	case body[0] != '{':
		return nil, "the answer is not a JSON object"
	case err != nil:
		return nil, "the answer does not have the documented form"
	}
	return invite, ""
}

// transportError wraps what a transport returned. Only causes of known kinds
// are kept: others may quote the URL, with an address in it, or the answer.
func transportError(problem string, err error) *TransportError {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var (
		operation   *net.OpError
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		authority   x509.UnknownAuthorityError
		host        x509.HostnameError
		number      syscall.Errno
	)
	switch {
	case err == nil:
	case errors.Is(err, context.Canceled):
		err = context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		err = context.DeadlineExceeded
	case errors.As(err, &operation):
		err = operation
	case errors.As(err, &name):
		err = name
	case errors.As(err, &certificate):
		err = certificate
	case errors.As(err, &record):
		err = http.ErrSchemeMismatch
	case errors.Is(err, http.ErrSchemeMismatch):
		err = http.ErrSchemeMismatch
	case errors.As(err, &authority):
		err = authority
	case errors.As(err, &host):
		err = host
	case errors.As(err, &number):
		err = number
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = io.ErrUnexpectedEOF
	case errors.Is(err, io.EOF):
		err = io.EOF
	default:
		problem += " in a way that cannot be shown, such as an answer that is not HTTP"
		err = nil
	}
	return &TransportError{Problem: problem, Err: err}
}

// drain reads a short body to its end, which lets the connection be used
// again. A long one costs more than a new connection.
func drain(response *http.Response) { _, _ = io.CopyN(io.Discard, response.Body, 16<<10) }

// refusal turns any status but 2xx into its error.
func (c *Client) refusal(response *http.Response, addresses []string) error {
	if response.StatusCode != http.StatusUnprocessableEntity {
		drain(response)
	}
	switch code := response.StatusCode; {
	case code == http.StatusUnauthorized:
		return &AuthenticationError{}
	case code == http.StatusPaymentRequired:
		return &PlanError{}
	case code == http.StatusForbidden:
		return &PermissionError{}
	case code == http.StatusNotFound:
		return &NotFoundError{}
	case code == http.StatusUnprocessableEntity:
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxBody))
		return decodeValidation(body, func(text string) string { return c.clean(text, addresses) })
	case code == http.StatusTooManyRequests:
		return &RateLimitError{RetryAfter: retryAfter(response.Header)}
	case code >= 500 && code <= 599:
		return &ServerError{StatusCode: code, RetryAfter: retryAfter(response.Header)}
	default:
		return &StatusError{StatusCode: code}
	}
}
