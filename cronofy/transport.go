package cronofy

import (
	"net/http"
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
	return transport
}
