package cronofy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// endpoint is a server over TLS that counts what it sees of its clients.
type endpoint struct {
	*httptest.Server
	opened    atomic.Int32 // connections
	requests  atomic.Int32
	protocols sync.Map
}

// newEndpoint starts a server that lets handler answer.
func newEndpoint(t *testing.T, http2 bool, handler http.HandlerFunc) *endpoint {
	t.Helper()
	e := &endpoint{}
	e.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.requests.Add(1)
		e.protocols.Store(r.Proto, true)
		_, _ = io.Copy(io.Discard, r.Body)
		handler(w, r)
	}))
	e.EnableHTTP2 = http2
	e.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			e.opened.Add(1)
		}
	}
	e.StartTLS()
	t.Cleanup(e.Close)
	return e
}

// client is a client with the transport that it comes with, which trusts e.
func (e *endpoint) client(t *testing.T, adapt ...func(*Config)) *Client {
	t.Helper()
	config := Config{APIKey: testKey, BaseURL: e.URL, MaxAttempts: 1, RatePerSecond: -1, RatePerMinute: -1}
	for _, f := range adapt {
		f(&config)
	}
	client, err := New(config)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	trust(t, client, e.Certificate())
	return client
}

func trust(t *testing.T, client *Client, certificate *x509.Certificate) *http.Transport {
	t.Helper()
	own, ok := client.http.Transport.(*http.Transport)
	require.True(t, ok)
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	own.TLSClientConfig = &tls.Config{
		RootCAs: roots,
	} //nolint:gosec // the version is left to the default, as outside of tests
	return own
}

func created(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"attachments":{"icalendar":"BEGIN:VCALENDAR"}}`)
}

// createAll makes that many requests, at most so many at once, and none may fail.
func createAll(t *testing.T, client *Client, requests, atOnce int) {
	t.Helper()
	var (
		group sync.WaitGroup
		next  atomic.Int32
	)
	for range atOnce {
		group.Go(func() {
			for int(next.Add(1)) <= requests {
				_, err := client.Create(t.Context(), documentedRequest())
				assert.NoError(t, err)
			}
		})
	}
	group.Wait()
}

// Connections are what a burst costs: HTTP/2 is spoken where the server can, and then one
// connection carries everything; with HTTP/1.1 there are as many as requests were under way at
// once.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	const requests = 200
	for _, atOnce := range []int{10, 50} {
		// together answers when so many wait for it.
		together := func() http.HandlerFunc {
			var mu sync.Mutex
			waiting, release := 0, make(chan struct{})
			return func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				mine := release
				if waiting++; waiting == atOnce {
					close(release)
					waiting, release = 0, make(chan struct{})
				}
				mu.Unlock()
				<-mine
				created(w, r)
			}
		}
		t.Run("HTTP/2", func(t *testing.T) {
			t.Parallel()
			server := newEndpoint(t, true, together())
			client := server.client(t)
			createAll(t, client, atOnce, atOnce)
			createAll(t, client, requests, atOnce)
			_, spoken := server.protocols.Load("HTTP/2.0")
			assert.True(t, spoken)
			// A burst at the very start may dial for each, and those dials may end
			// after it; from then on there is always one connection that is kept.
			assert.LessOrEqual(t, server.opened.Load(), int32(atOnce))
		})
		t.Run("HTTP/1.1", func(t *testing.T) {
			t.Parallel()
			server := newEndpoint(t, false, together())
			client := server.client(t)
			for range requests / atOnce {
				createAll(t, client, atOnce, atOnce)
			}
			_, spoken := server.protocols.Load("HTTP/1.1")
			assert.True(t, spoken)
			// On a machine so busy that the transport is late to learn that a
			// request was written, it gives up a connection now and then; without
			// keeping any, there would be one for each request.
			assert.LessOrEqual(t, server.opened.Load(), int32(max(requests/2, 2*atOnce)))
		})
	}
}

// Whatever the API answers, the connection is kept, unless the rest of the
// answer would cost more than a new one.
func TestConnectionSurvivesEveryAnswer(t *testing.T) {
	t.Parallel()
	type reply struct {
		status       int
		media, body  string
		dropped, bad bool
	}
	page := "<html>" + strings.Repeat("x", 4<<10)
	replies := map[string]reply{
		"created":      {status: 200, media: "application/json", body: `{}`},
		"web page":     {status: 200, media: "text/html", body: page, bad: true},
		"broken JSON":  {status: 200, media: "application/json", body: `{"a":`, bad: true},
		"empty":        {status: 200, media: "application/json", bad: true},
		"redirect":     {status: 302, media: "text/html", body: page, bad: true},
		"unauthorized": {status: 401, media: "text/html", body: page, bad: true},
		"not found":    {status: 404, media: "text/html", body: page, bad: true},
		"invalid": {
			status: 422,
			media:  "application/json",
			body:   `{"errors":{}}` + strings.Repeat(" ", 100<<10),
			bad:    true,
		},
		"too many":     {status: 429, media: "text/plain", body: "slowly", bad: true},
		"server error": {status: 500, media: "text/html", body: page, bad: true},
		"unavailable":  {status: 503, media: "text/html", bad: true},
		"oversized": {
			status:  200,
			media:   "application/json",
			body:    strings.Repeat(" ", 4<<20),
			dropped: true,
			bad:     true,
		},
		"oversized page": {
			status:  200,
			media:   "text/html",
			body:    strings.Repeat(" ", 4<<20),
			dropped: true,
			bad:     true,
		},
		"oversized error": {
			status:  500,
			media:   "text/html",
			body:    strings.Repeat(" ", 4<<20),
			dropped: true,
			bad:     true,
		},
	}
	for name, reply := range replies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newEndpoint(t, false, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", reply.media)
				w.WriteHeader(reply.status)
				_, _ = io.WriteString(w, reply.body)
			})
			// A 429 makes the others wait, but hardly so with this jitter.
			client := server.client(t, func(c *Config) { c.Rand = func() float64 { return 0 } })
			const requests = 20
			for range requests {
				_, err := client.Create(t.Context(), documentedRequest())
				assert.Equal(t, reply.bad, err != nil, err)
			}
			if reply.dropped {
				assert.Equal(t, int32(requests), server.opened.Load())
			} else { // a busy machine may cost some more than one
				assert.LessOrEqual(t, server.opened.Load(), int32(requests/2))
			}
		})
	}
}

// Servers end connections when they like. Where that meets a request, it is
// made again, and the caller, who allows a single attempt here, sees nothing.
func TestServerEndsConnections(t *testing.T) {
	t.Parallel()
	// With HTTP/2 this header sends GOAWAY; others are under way then.
	t.Run("GOAWAY under load", func(t *testing.T) {
		t.Parallel()
		var n atomic.Int32
		server := newEndpoint(t, true, func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1)%20 == 0 {
				w.Header().Set("Connection", "close")
			}
			created(w, r)
		})
		createAll(t, server.client(t), 200, 10)
		assert.Greater(t, server.opened.Load(), int32(1))
		assert.Equal(t, int32(200), server.requests.Load())
	})
	t.Run("HTTP/1.1 under load", func(t *testing.T) {
		t.Parallel()
		var n atomic.Int32
		server := newEndpoint(t, false, func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1)%20 == 0 {
				w.Header().Set("Connection", "close")
			}
			created(w, r)
		})
		createAll(t, server.client(t), 200, 10)
		assert.Equal(t, int32(200), server.requests.Load())
	})
	for name, http2 := range map[string]bool{"HTTP/2 idle": true, "HTTP/1.1 idle": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newEndpoint(t, http2, created)
			// The end of an HTTP/2 connection may meet a request that is
			// already on it; that is repeated as any lost request is.
			client := server.client(t, func(c *Config) { c.MaxAttempts = 2; c.Rand = func() float64 { return 0 } })
			for range 10 {
				_, err := client.Create(t.Context(), documentedRequest())
				require.NoError(t, err)
				server.CloseClientConnections()
			}
		})
	}
	// The server takes a request on a kept connection and closes it without a
	// word, as one does whose idle time-out ends just then.
	t.Run("HTTP/1.1 closed at a request", func(t *testing.T) {
		t.Parallel()
		var n atomic.Int32
		server := newEndpoint(t, false, func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) == 2 {
				panic(http.ErrAbortHandler)
			}
			created(w, r)
		})
		createAll(t, server.client(t), 2, 1)
		assert.Equal(t, int32(3), server.requests.Load())
		assert.Equal(t, int32(2), server.opened.Load())
	})
}

// A connection over which nothing comes any more, such as through a firewall
// that forgot it, is found out by pings: the requests on it are repeated on
// another, long before their time-outs, and none fails.
func TestDeadConnectionIsLeft(t *testing.T) {
	t.Parallel()
	certificate := httptest.NewUnstartedServer(nil)
	certificate.StartTLS()
	defer certificate.Close()
	synctest.Test(t, func(t *testing.T) {
		listener := &pipes{made: make(chan net.Conn)}
		server := &http.Server{
			Handler: http.HandlerFunc(created), ReadHeaderTimeout: time.Minute,
			TLSConfig: &tls.Config{
				Certificates: certificate.TLS.Certificates,
				NextProtos:   []string{"h2"},
			}, //nolint:gosec // as outside of tests
		}
		var group sync.WaitGroup
		group.Go(func() { assert.ErrorIs(t, server.ServeTLS(listener, "", ""), http.ErrServerClosed) })

		client, err := New(Config{APIKey: testKey, BaseURL: "https://example.com", MaxAttempts: 2})
		require.NoError(t, err)
		trust(t, client, certificate.Certificate()).DialContext = listener.DialContext
		createAll(t, client, 1, 1)
		createAll(t, client, 10, 5)
		require.Len(t, listener.dialed, 1)

		listener.dialed[0].silent.Store(true)
		begin := time.Now()
		createAll(t, client, 10, 5)
		assert.LessOrEqual(t, time.Since(begin), pingAfter+pingTimeout+firstBackoff+time.Second)
		assert.LessOrEqual(t, len(listener.dialed), 1+5)

		client.Close()
		assert.NoError(t, server.Close())
		group.Wait()
		for _, conn := range listener.dialed {
			_ = conn.Close()
		}
	})
}

// pipes is a network within the process.
type pipes struct {
	made   chan net.Conn
	mu     sync.Mutex
	dialed []*pipe
	once   sync.Once
}

// pipe is a connection that can fall silent: what is written gets lost.
type pipe struct {
	net.Conn
	silent atomic.Bool
}

func (p *pipe) Write(b []byte) (int, error) {
	if p.silent.Load() {
		return len(b), nil
	}
	return p.Conn.Write(b)
}

func (p *pipes) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.made <- theirs:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dialed = append(p.dialed, &pipe{Conn: ours})
	return p.dialed[len(p.dialed)-1], nil
}

func (p *pipes) Accept() (net.Conn, error) {
	conn, ok := <-p.made
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.made) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }
