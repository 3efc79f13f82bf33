package cronofytest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/loopback"
)

const (
	// callbackTimeout is what the API's documentation of push notifications gives a program to
	// answer in.
	callbackTimeout = 5 * time.Second
	// longestBackoff bounds the wait between two posts.
	longestBackoff = time.Minute
)

// errCallbackHost says that a callback was not posted because its URL leads away from this
// machine and no [Options].CallbackClient was given to go there.
var errCallbackHost = errors.New("callback_url is not on a loopback address: " +
	"set CallbackClient to post there all the same")

// Callback is one notification, delivered or given up.
type Callback struct {
	InviteID string
	URL      string
	Body     []byte
	// Attempts is how often it was posted.
	Attempts int
	// Status is the last HTTP status that came back; 0 for none.
	Status int
	// Err is why it was given up; nil once it is delivered.
	Err error
	// At is when it was delivered or given up.
	At time.Time
}

// Callbacks returns the callbacks that are over, in the order in which they ended; of very many,
// the last 1,000. What it returns is shared: do not change it.
func (s *Server) Callbacks() []Callback { return s.calls.over.last() }

// Wait returns once no callback is on its way, or with the error of the context.
func (s *Server) Wait(ctx context.Context) error {
	for {
		s.calls.mu.Lock()
		idle := s.calls.idle
		s.calls.mu.Unlock()
		if idle == nil {
			return ctx.Err()
		}
		select {
		case <-idle:
		case <-ctx.Done():
			return fmt.Errorf("waiting for callbacks: %w", ctx.Err())
		}
	}
}

// Close breaks off the callbacks that are on their way, those that wait to be repeated among them,
// and returns once all goroutines have ended; [Server.Wait] first lets them arrive. The server
// answers requests as before, and posts no more callbacks.
func (s *Server) Close() error {
	s.calls.mu.Lock()
	s.calls.closed = true
	s.calls.mu.Unlock()
	s.calls.stop()
	s.calls.running.Wait()
	return nil
}

// callbacks posts notifications: those of one invite one after the other, in the order of the
// answers.
type callbacks struct {
	client  *http.Client
	retries int
	backoff time.Duration
	now     func() time.Time
	over    history[Callback]

	life    context.Context //nolint:containedctx // of the server, which has no context of its own
	stop    context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	closed bool
	queues map[inviteKey][]notification // the first of each is being posted
	idle   chan struct{}                // closed when the last queue is empty; nil while there is none
}

type notification struct {
	id, url, signature string
	body               []byte
}

// loopbackClient keeps no connections, so that none has to be closed, and uses no proxy. It goes
// by the address that is dialled: a name under .localhost is whatever a resolver says.
var loopbackClient = &http.Client{
	Transport: &http.Transport{
		DisableKeepAlives: true, DialContext: (&net.Dialer{ControlContext: onlyLoopback}).DialContext,
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func onlyLoopback(ctx context.Context, network, address string, c syscall.RawConn) error {
	if err := loopback.Control(ctx, network, address, c); err != nil {
		return fmt.Errorf("%w (%w)", errCallbackHost, err)
	}
	return nil
}

func newCallbacks(o Options) *callbacks {
	c := &callbacks{
		client: cmp.Or(o.CallbackClient, loopbackClient), retries: max(0, cmp.Or(o.CallbackRetries, 5)),
		backoff: cmp.Or(max(0, o.CallbackBackoff), time.Second), now: o.Now,
		queues: map[inviteKey][]notification{},
	}
	c.life, c.stop = context.WithCancel(context.Background())
	return c
}

// notify posts a callback about an answer, if the invite has a URL for it; a nil reply means that
// the answer was taken back. It does not wait.
func (s *Server) notify(i *invite, invited Participant, reply *Participant) error {
	if i.CallbackURL == "" {
		return nil
	}
	type smartInvite struct {
		SmartInviteID string        `json:"smart_invite_id"`
		CallbackURL   string        `json:"callback_url"`
		Recipient     *Participant  `json:"recipient,omitempty"`
		Recipients    []Participant `json:"recipients,omitempty"`
		Reply         *Participant  `json:"reply,omitempty"`
	}
	var body struct {
		Notification cronofy.Notification `json:"notification"`
		SmartInvite  smartInvite          `json:"smart_invite"`
	}
	body.Notification.Type = cronofy.CallbackSmartInvite
	body.SmartInvite = smartInvite{
		SmartInviteID: i.ID, CallbackURL: i.CallbackURL, Recipient: &invited, Reply: reply,
	}
	if i.Multi {
		body.SmartInvite.Recipients = i.Recipients
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("writing the callback: %w", err)
	}
	var signatures []string // one for each secret, as while a secret is being replaced
	for secret := range strings.SplitSeq(cmp.Or(s.callbackSecret(), i.secret()), ",") {
		signatures = append(signatures, cronofy.SignCallback(raw, strings.TrimSpace(secret)))
	}
	s.calls.add(i.key(), notification{
		id: i.ID, url: i.CallbackURL, signature: strings.Join(signatures, ","), body: raw,
	})
	return nil
}

func (c *callbacks) add(key inviteKey, n notification) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return
	case c.client == loopbackClient && !isLoopbackURL(n.url):
		c.end(Callback{InviteID: n.id, URL: n.url, Body: n.body, Err: errCallbackHost})
		return
	}
	c.queues[key] = append(c.queues[key], n)
	if len(c.queues[key]) > 1 {
		return
	}
	if c.idle == nil {
		c.idle = make(chan struct{})
	}
	c.running.Go(func() { c.postAll(key) })
}

// postAll posts what is in a queue, until it is empty.
func (c *callbacks) postAll(key inviteKey) {
	for {
		c.mu.Lock()
		n := c.queues[key][0]
		c.mu.Unlock()
		over := c.deliver(n)
		c.mu.Lock()
		c.end(over)
		c.queues[key] = c.queues[key][1:]
		if len(c.queues[key]) > 0 {
			c.mu.Unlock()
			continue
		}
		delete(c.queues, key)
		if len(c.queues) == 0 {
			close(c.idle)
			c.idle = nil
		}
		c.mu.Unlock()
		return
	}
}

// end notes how a callback ended.
func (c *callbacks) end(over Callback) {
	over.At = c.now()
	c.over.add(func(int) Callback { return over })
}

// deliver posts until the answer is 2xx or the tries are used up.
func (c *callbacks) deliver(n notification) Callback {
	over := Callback{InviteID: n.id, URL: n.url, Body: n.body}
	wait := c.backoff
	for {
		if over.Err = c.life.Err(); over.Err != nil {
			return over
		}
		over.Attempts++
		over.Status, over.Err = c.postOnce(n)
		if over.Err == nil || over.Attempts > c.retries || !pause(c.life, wait) {
			return over
		}
		wait = min(2*wait, longestBackoff)
	}
}

func (c *callbacks) postOnce(n notification) (status int, err error) {
	ctx, cancel := context.WithTimeout(c.life, callbackTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url, bytes.NewReader(n.body))
	if err != nil {
		return 0, fmt.Errorf("callback: %w", err)
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("User-Agent", "cronofytest")
	request.Header.Set(cronofy.CallbackHeader, n.signature)
	response, err := c.client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("callback: %w", err)
	}
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10) // what it says does not matter
	_ = response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return response.StatusCode, fmt.Errorf("callback: answered %d, which is not 2xx", response.StatusCode)
	}
	return response.StatusCode, nil
}

// isLoopbackURL tells whether a URL leads to this machine, as far as its name tells (RFC 6761
// section 6.3).
func isLoopbackURL(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := u.Hostname()
	return loopback.Host(host) || strings.HasSuffix(strings.ToLower(host), ".localhost")
}
