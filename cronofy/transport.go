package cronofy

import (
	"net/http"
	"time"
)

// A kept HTTP/2 connection, which carries all requests, is asked for a sign of life when nothing has
// come over it for pingAfter, and given up when none comes within pingTimeout.
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
	return transport
}
