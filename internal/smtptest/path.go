package smtptest

import (
	"context"
	"net"
	"sync/atomic"
	"time"
)

// Path connects to a server, makes the way there longer, and counts how often it was gone.
//
// A round trip is a run of writes that no read interrupts: it is counted with the first of
// these writes, and takes RoundTrip more until the client reads the first of the answer. A
// client that waits for each reply needs one round trip for each command; commands in one
// group (RFC 2920) need one together, and a message content one with its final dot. The
// greeting needs none: the server speaks first.
type Path struct {
	RoundTrip time.Duration // what is added to each round trip; 0 adds none, and still counts
	// Server connects to the server, such as the Dial of a [Server]. Default: over the network.
	Server func(ctx context.Context, network, addr string) (net.Conn, error)

	conns, trips atomic.Int64
}

// Dial connects.
func (p *Path) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	dial := p.Server
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	c, err := dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	p.conns.Add(1)
	return &farConn{Conn: c, path: p}, nil
}

// Conns is how many connections there were.
func (p *Path) Conns() int { return int(p.conns.Load()) }

// RoundTrips is how many there were so far, on all connections.
func (p *Path) RoundTrips() int { return int(p.trips.Load()) }

type farConn struct {
	net.Conn
	path  *Path
	asked atomic.Bool // since the server spoke last
}

// Write implements net.Conn.
func (c *farConn) Write(b []byte) (int, error) {
	if !c.asked.Swap(true) {
		c.path.trips.Add(1)
	}
	return c.Conn.Write(b)
}

// Read implements net.Conn.
func (c *farConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.asked.Swap(false) {
		time.Sleep(c.path.RoundTrip)
	}
	return n, err
}
