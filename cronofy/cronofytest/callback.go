package cronofytest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/loopback"
)

const (
	// callbackTimeout is what the API's documentation of push notifications gives a program to
	// answer in.
	callbackTimeout = 5 * time.Second
	// The wait before a callback is repeated grows from the first to the longest.
	firstBackoff, longestBackoff = time.Second, time.Minute
)

// errCallbackHost says that no [Options].CallbackClient was given to leave this machine with.
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

// Wait returns once the callbacks of all answers so far are over, or with the error of the context.
func (s *Server) Wait(ctx context.Context) error {
	s.calls.mu.Lock()
	under := slices.Collect(maps.Values(s.calls.last))
	s.calls.mu.Unlock()
	for _, over := range under {
		select {
		case <-over:
		case <-ctx.Done():
			return fmt.Errorf("waiting for callbacks: %w", ctx.Err())
		}
	}
	return ctx.Err()
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

// callbacks posts those of one invite one after the other, in the order of the answers.
type callbacks struct {
	client  *http.Client
	retries int
	now     func() time.Time
	over    history[Callback]

	life    context.Context //nolint:containedctx // of the server, which has no context of its own
	stop    context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	closed bool
	last   map[inviteKey]chan struct{} // closed when the last callback of the invite is over
}

// loopbackClient keeps no connections, so that none has to be closed, and uses no proxy. It goes
// by the address that is dialled: a name under .localhost is whatever a resolver says.
var loopbackClient = &http.Client{
	Transport: &http.Transport{
		DisableKeepAlives: true, DialContext: (&net.Dialer{ControlContext: loopback.Control}).DialContext,
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func newCallbacks(o Options) *callbacks {
	c := &callbacks{
		client: cmp.Or(o.CallbackClient, loopbackClient), retries: max(0, cmp.Or(o.CallbackRetries, 5)),
		now: o.Now, last: make(map[inviteKey]chan struct{}),
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
	smartInvite := map[string]any{
		"smart_invite_id": i.ID, "callback_url": i.CallbackURL, "recipient": invited,
	}
	if i.Multi {
		smartInvite["recipients"] = i.Recipients
	}
	if reply != nil {
		smartInvite["reply"] = reply
	}
	raw, err := json.Marshal(map[string]any{
		"notification": cronofy.Notification{Type: cronofy.CallbackSmartInvite},
		"smart_invite": smartInvite,
	})
	if err != nil {
		return fmt.Errorf("writing the callback: %w", err)
	}
	callback := Callback{InviteID: i.ID, URL: i.CallbackURL, Body: raw}
	s.calls.add(i.key(), callback, cronofy.SignCallback(raw, cmp.Or(s.options.APIKey, i.secret)))
	return nil
}

// add posts a callback once those before it of the same invite are over.
func (c *callbacks) add(key inviteKey, callback Callback, signature string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	if c.client == loopbackClient && !isLoopbackURL(callback.URL) {
		callback.Err = errCallbackHost
		c.end(callback)
		return
	}
	before, over := c.last[key], make(chan struct{})
	c.last[key] = over
	c.running.Go(func() {
		if before != nil {
			<-before
		}
		c.end(c.deliver(callback, signature))
		close(over)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.last[key] == over {
			delete(c.last, key)
		}
	})
}

// end notes how a callback ended.
func (c *callbacks) end(callback Callback) {
	callback.At = c.now()
	c.over.add(callback)
}

// deliver posts until the answer is 2xx or the tries are used up.
func (c *callbacks) deliver(callback Callback, signature string) Callback {
	for wait := firstBackoff; ; wait = min(2*wait, longestBackoff) {
		if callback.Err = c.life.Err(); callback.Err != nil {
			return callback
		}
		callback.Attempts++
		callback.Status, callback.Err = c.postOnce(callback, signature)
		if callback.Err == nil || callback.Attempts > c.retries || !pause(c.life, wait) {
			return callback
		}
	}
}

func (c *callbacks) postOnce(callback Callback, signature string) (status int, err error) {
	ctx, cancel := context.WithTimeout(c.life, callbackTimeout)
	defer cancel()
	body := bytes.NewReader(callback.Body)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, callback.URL, body)
	if err != nil {
		return 0, fmt.Errorf("callback: %w", err)
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("User-Agent", "cronofytest")
	request.Header.Set(cronofy.CallbackHeader, signature)
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
