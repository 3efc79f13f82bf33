package cronofy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

const invitesPath = "/v1/smart_invites"

// ErrStopped is why a Client of [Client.Until] did not make a request.
var ErrStopped = errors.New("stopped before the request was begun")

// Client asks the Smart Invites API. It is safe for concurrent use; all that
// share one Client share its rate limits. Make one for each application.
type Client struct {
	baseURL     string
	givenHost   string       // of Config.BaseURL; empty if the data center says it
	answered    *atomic.Bool // by the host, whatever it said
	http        *http.Client
	ownsHTTP    bool
	limiter     *limiter
	log         *slog.Logger
	random      func() float64
	maxAttempts int
	maxWait     time.Duration
	timeout     time.Duration
	stop        <-chan struct{} // see Until

	// header makes the header of a request, with the Authorization in it, and
	// redact takes the key out of a text. The key lives in these functions
	// only, so that no way of printing a Client can show it.
	header func(withBody bool) http.Header
	redact func(text string) string
}

// New checks the configuration and returns a Client. It asks nobody. The
// error names every problem at once.
func New(config Config) (*Client, error) {
	given := config.BaseURL != ""
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	c := newClient(config)
	if given {
		u, err := url.Parse(config.BaseURL)
		if err != nil {
			return nil, fmt.Errorf("cronofy: BaseURL: %w", err)
		}
		c.givenHost = u.Hostname()
	}
	return c, nil
}

// BaseURL is the canonical address that requests go to, without the path of
// the resource. It holds no secret.
func (c *Client) BaseURL() string { return c.baseURL }

// Close closes idle connections. A Transport that was given in [Config] is
// left alone. The Client can still be used.
func (c *Client) Close() {
	if c.ownsHTTP {
		c.http.CloseIdleConnections()
	}
}

// Until returns a Client that shares everything with c, the rate limits included,
// and begins no request once stop is closed: whatever waits for its turn, for a
// connection or for another attempt then ends. What is under way is finished. The
// error wraps [ErrStopped] if the call has made no request. A stop that c has from
// before does not count.
func (c *Client) Until(stop <-chan struct{}) *Client {
	bound := *c
	bound.stop = stop
	return &bound
}

// String names the Client without its key.
func (c *Client) String() string { return "cronofy.Client{" + c.baseURL + "}" }

// GoString is String: also %#v does not show the inside.
func (c *Client) GoString() string { return c.String() }

// Create creates a Smart Invite, or updates the one with the same id and
// recipient, and returns the calendar to mail. It may be repeated without
// harm; of several calendars mail the last.
func (c *Client) Create(ctx context.Context, request *InviteRequest) (*SmartInvite, error) {
	if err := request.check(); err != nil {
		return nil, fmt.Errorf("cronofy: create: %w", err)
	}
	return c.post(ctx, "create", wireRequest{Method: methodRequest, InviteRequest: request})
}

// Cancel cancels a Smart Invite. The calendar it returns must be mailed, or
// the event stays where it is.
func (c *Client) Cancel(ctx context.Context, ref Ref) (*SmartInvite, error) {
	if err := ref.check(); err != nil {
		return nil, fmt.Errorf("cronofy: cancel: %w", err)
	}
	return c.post(ctx, "cancel", wireRequest{Method: methodCancel, InviteRequest: ref.request()})
}

// Remove takes one recipient off a Smart Invite that has many. Give the
// address as Recipient. This call is known from an official SDK and not
// documented in full.
func (c *Client) Remove(ctx context.Context, ref Ref) (*SmartInvite, error) {
	err := ref.check()
	if err == nil && len(ref.Recipients) > 0 {
		err = &RequestError{Problems: []string{"remove takes one recipient at a time: set recipient"}}
	}
	if err != nil {
		return nil, fmt.Errorf("cronofy: remove: %w", err)
	}
	return c.post(ctx, "remove", wireRequest{Method: methodRemove, InviteRequest: ref.request()})
}

// Status returns what is known of a Smart Invite, with the iCalendar text if
// includeICS is set. An invite with many recipients is named by its id alone.
func (c *Client) Status(ctx context.Context, ref Ref, includeICS bool) (*SmartInvite, error) {
	var problems []string
	if ref.SmartInviteID == "" {
		problems = append(problems, "smart_invite_id is missing")
	}
	if ref.Recipient != "" && len(ref.Recipients) > 0 {
		problems = append(problems, "recipient and recipients are both set: use one of them")
	}
	if err := requestError(problems); err != nil {
		return nil, fmt.Errorf("cronofy: status: %w", err)
	}
	query := url.Values{"smart_invite_id": {ref.SmartInviteID}}
	if ref.Recipient != "" {
		query.Set("recipient_email", ref.Recipient)
	}
	if includeICS {
		query.Set("include_ics", "true")
	}
	return c.do(ctx, call{
		name: "status", id: ref.SmartInviteID, method: http.MethodGet,
		query: query.Encode(), addresses: []string{ref.Recipient},
	})
}

// CheckKey finds out whether the API accepts the key, by asking for an
// invite that nobody has. It changes nothing.
func (c *Client) CheckKey(ctx context.Context) error {
	// An answer about the invite, whatever it says, means that the key was let in.
	query := url.Values{"smart_invite_id": {"check-of-the-api-key"}, "recipient_email": {"nobody@example.invalid"}}
	_, err := c.do(ctx, call{name: "check of the key", method: http.MethodGet, query: query.Encode()})
	var (
		notFound   *NotFoundError
		validation *ValidationError
	)
	if errors.As(err, &notFound) || errors.As(err, &validation) {
		return nil
	}
	return err
}

// check lists what keeps a cancellation from being sent.
func (r Ref) check() error {
	var problems []string
	if r.SmartInviteID == "" {
		problems = append(problems, "smart_invite_id is missing")
	}
	return requestError(append(problems, checkRecipients(r.Recipient != "", r.Recipients)...))
}

func (r Ref) request() *InviteRequest {
	request := &InviteRequest{SmartInviteID: r.SmartInviteID}
	if r.Recipient != "" {
		request.Recipient = &Recipient{Email: r.Recipient}
	}
	for _, address := range r.Recipients {
		request.Recipients = append(request.Recipients, Recipient{Email: address})
	}
	return request
}
