package cronofy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync/atomic"
)

// ErrStopped is why a Client of [Client.Until] did not make a request.
var ErrStopped = errors.New("stopped before the request was begun")

// Client asks the Smart Invites API. It is safe for concurrent use; all that share one Client
// share its rate limits. Make one for each application.
type Client struct {
	config   Config        // without the key
	key      func() string // a function, so that no way of printing a Client shows the key
	answered *atomic.Bool  // by the host, with any answer
	http     *http.Client
	limiter  *limiter
	stop     <-chan struct{} // see Until
}

// New checks the configuration and returns a Client. It asks nothing of the API. The error
// joins a [*ConfigError] for each problem.
func New(config Config) (*Client, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Client{answered: new(atomic.Bool), limiter: newLimiter(config.RatePerSecond, config.RatePerMinute)}
	c.http = &http.Client{
		Transport:     cmp.Or(config.Transport, defaultTransport()),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	key := config.APIKey
	c.key = func() string { return key }
	config.APIKey = ""
	c.config = config
	return c, nil
}

// BaseURL is the canonical address that requests go to, without the path of the resource. It
// holds no secret.
func (c *Client) BaseURL() string { return c.config.BaseURL }

// Close closes idle connections. A Transport that was given in [Config] is left alone. The
// Client can still be used.
func (c *Client) Close() {
	if c.config.Transport == nil {
		c.http.CloseIdleConnections()
	}
}

// Until returns a Client that shares everything with c, the rate limits included, and begins
// no request once stop is closed: a call that waits for the limit, for a connection or for
// another attempt then ends. What is under way is finished. The error wraps [ErrStopped] if
// the call has made no request. A stop that c has from before does not count.
func (c *Client) Until(stop <-chan struct{}) *Client {
	bound := *c
	bound.stop = stop
	return &bound
}

// Create creates a Smart Invite, or updates the one with the same id and recipient, and
// returns the calendar to mail. It may be repeated without harm; of several calendars mail
// the last.
func (c *Client) Create(ctx context.Context, request *InviteRequest) (*SmartInvite, error) {
	return c.post(ctx, "create", "request", request, request.check())
}

// Cancel cancels a Smart Invite. The calendar it returns must be mailed, or the event stays
// where it is.
func (c *Client) Cancel(ctx context.Context, ref Ref) (*SmartInvite, error) {
	return c.post(ctx, "cancel", "cancel", ref.request(), ref.check())
}

// Remove takes one recipient off a Smart Invite that has many. Give the address as Recipient.
// This call is known from an official SDK and not documented in full.
func (c *Client) Remove(ctx context.Context, ref Ref) (*SmartInvite, error) {
	problems := ref.check()
	if len(problems) == 0 && len(ref.Recipients) > 0 {
		problems = append(problems, "remove takes one recipient at a time: set recipient")
	}
	return c.post(ctx, "remove", "remove", ref.request(), problems)
}

// post sends a request about one or many recipients, unless there are problems with it.
func (c *Client) post(
	ctx context.Context, name, method string, request *InviteRequest, problems []string,
) (*SmartInvite, error) {
	if len(problems) > 0 {
		return nil, c.fail(call{name: name}, incomplete(problems...))
	}
	call := call{name: name, id: request.SmartInviteID, method: http.MethodPost}
	if request.Recipient != nil {
		call.addresses = append(call.addresses, request.Recipient.Email)
	}
	for _, recipient := range request.Recipients {
		call.addresses = append(call.addresses, recipient.Email)
	}
	body, err := json.Marshal(wireRequest{Method: method, InviteRequest: request})
	if err != nil {
		return nil, c.fail(call, incomplete(encodingProblem(err)))
	}
	call.body = body
	return c.do(ctx, call)
}

// encodingProblem is the innermost cause: encoding/json puts Go types before it.
func encodingProblem(err error) string {
	var marshaler *json.MarshalerError
	for errors.As(err, &marshaler) {
		err = marshaler.Err
	}
	return err.Error()
}

// Status returns what is known of a Smart Invite, with the iCalendar text if includeICS is
// set. An invite with many recipients is named by its id alone.
func (c *Client) Status(ctx context.Context, ref Ref, includeICS bool) (*SmartInvite, error) {
	problems := checkID(ref.SmartInviteID)
	if ref.Recipient != "" && len(ref.Recipients) > 0 {
		problems = append(problems, bothRecipients)
	}
	call := call{name: "status", method: http.MethodGet, addresses: []string{ref.Recipient}}
	if len(problems) > 0 {
		return nil, c.fail(call, incomplete(problems...))
	}
	query := url.Values{"smart_invite_id": {ref.SmartInviteID}}
	if ref.Recipient != "" {
		query.Set("recipient_email", ref.Recipient)
	}
	if includeICS {
		query.Set("include_ics", "true")
	}
	call.id, call.query = ref.SmartInviteID, query.Encode()
	return c.do(ctx, call)
}

// CheckKey finds out whether the API accepts the key, by asking for an invite that does not
// exist. It changes nothing.
func (c *Client) CheckKey(ctx context.Context) error {
	query := url.Values{
		"smart_invite_id": {"check-of-the-api-key"}, "recipient_email": {"nobody@example.invalid"},
	}
	_, err := c.do(ctx, call{name: "check of the key", method: http.MethodGet, query: query.Encode()})
	// Any answer about the invite means that the key was accepted.
	switch StatusOf(err) {
	case http.StatusNotFound, http.StatusUnprocessableEntity:
		return nil
	}
	return err
}
