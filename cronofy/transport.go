package cronofy

import (
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"
)

// How a kept HTTP/2 connection is watched: when nothing has come over it for
// pingAfter, it is asked for a sign of life, and given up when none comes
// within pingTimeout. One connection carries all requests, so that a dead one
// would cost each of them its time-out; this leaves time to ask again within
// one [DefaultTimeout].
const (
	pingAfter   = 10 * time.Second
	pingTimeout = 5 * time.Second
)

// defaultTransport keeps connections for as many requests as may be under
// way: the standard one keeps two for each host and opens the rest anew.
func defaultTransport() http.RoundTripper {
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok { // a program put something of its own there
		return http.DefaultTransport
	}
	transport := standard.Clone()
	transport.MaxIdleConnsPerHost = DefaultRatePerSecond
	transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout}
	return &pioneer{transport: transport, open: make(chan struct{})}
}

// pioneer is a transport that lets the first request go ahead alone until it
// has a connection. An [http.Transport] that has none yet opens one for each
// request, fifty at once for a burst, only to send all of them over the first
// that speaks HTTP/2. With HTTP/1.1 it costs the others one handshake, once.
type pioneer struct {
	transport *http.Transport
	gone      atomic.Bool // the first request has set out
	once      sync.Once
	open      chan struct{} // closed when the others may follow
}

// RoundTrip makes the request.
func (p *pioneer) RoundTrip(request *http.Request) (*http.Response, error) {
	select {
	case <-p.open:
		return p.transport.RoundTrip(request)
	default:
	}
	follow := func() { p.once.Do(func() { close(p.open) }) }
	if p.gone.CompareAndSwap(false, true) {
		defer follow() // also when it came to nothing: then each tries for itself
		// When the request is on its way, its connection is known to all.
		trace := &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { follow() }}
		return p.transport.RoundTrip(request.WithContext(httptrace.WithClientTrace(request.Context(), trace)))
	}
	if trace := httptrace.ContextClientTrace(request.Context()); trace != nil && trace.GetConn != nil {
		trace.GetConn(request.URL.Host) // waiting for a connection has begun
	}
	select {
	case <-p.open:
		return p.transport.RoundTrip(request)
	case <-request.Context().Done():
		if request.Body != nil {
			_ = request.Body.Close()
		}
		return nil, request.Context().Err()
	}
}

// CloseIdleConnections is what [http.Client] of that name calls.
func (p *pioneer) CloseIdleConnections() { p.transport.CloseIdleConnections() }
