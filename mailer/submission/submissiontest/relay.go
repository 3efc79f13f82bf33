package submissiontest

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Relay stands between a client and a server, makes the way between them
// longer, and counts how often it was gone. The zero value needs Target or
// Server; set the fields before the first connection.
//
// # Delay
//
// Whatever arrives at one end leaves at the other half a RoundTrip later, in
// its order, with the pieces that the network made of it. What follows does not
// wait for it, so that a long way is no narrow one: up to 1,024 pieces are on
// their way in each direction, and who sends more is held up. A half-closed
// connection and a reset travel as the bytes do. Over TCP, the connection to
// the relay itself is there at once. A busy machine makes the way longer still,
// never shorter.
//
// # Round trips
//
// A round trip is a run of bytes from the client that no byte from the server
// interrupts. It is counted when the first of these bytes reaches the relay, and
// over when the relay begins to hand a byte from the server to the client. A client
// that waits for each reply needs one round trip for each command; commands
// in one group (RFC 2920) need one together, and a message content one with its
// final dot, in however many pieces they come. The greeting needs none: the
// server speaks first. Bytes that cross on the way count as an answer, so that
// the count is exact for who waits for whole replies, and too high at most for
// who does not.
type Relay struct {
	// RoundTrip is the time that is added to each round trip, half of it each
	// way, to the millisecond. 0 adds none, and still counts.
	RoundTrip time.Duration
	// Server connects to the server, such as the Dial of an [Inbox].
	// Default: to Target by TCP.
	Server func(ctx context.Context, network, addr string) (net.Conn, error)
	// Target is the server's host:port.
	Target string

	running sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	listener net.Listener
	stop     context.CancelFunc // ends what Start began
	links    []*link
}

var errRelayClosed = errors.New("submissiontest: the relay is closed")

// Start listens on a free port of 127.0.0.1; Addr tells which.
func (r *Relay) Start() error {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.listener != nil {
		_ = l.Close()
		return errors.New("submissiontest: the relay was started before")
	}
	ctx, stop := context.WithCancel(context.Background())
	r.listener, r.stop = l, stop
	r.running.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			r.running.Go(func() { r.accept(ctx, client) })
		}
	})
	return nil
}

// accept connects one client of the port to the server. If there is no server,
// the client sees its connection reset.
func (r *Relay) accept(ctx context.Context, client net.Conn) {
	server, err := r.dialServer(ctx)
	if err != nil {
		reset(client)
		return
	}
	_ = r.join(client, server)
}

func (r *Relay) dialServer(ctx context.Context) (net.Conn, error) {
	dial := r.Server
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	return dial(ctx, "tcp", r.Target)
}

// Dial connects through the relay without a port, whatever the address: it
// fits Config.Dial of package submission. With an in-memory Server it fits
// testing/synctest too, where the delay passes in virtual time.
func (r *Relay) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	server, err := r.dialServer(ctx)
	if err != nil {
		return nil, err
	}
	client, inner := net.Pipe()
	if err := r.join(inner, server); err != nil {
		return nil, err
	}
	return client, nil
}

// join makes a link of two connections and returns.
func (r *Relay) join(client, server net.Conn) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		reset(client)
		reset(server)
		return errRelayClosed
	}
	l := newLink(client, server, r.RoundTrip)
	r.links = append(r.links, l)
	l.run(&r.running)
	return nil
}

// Addr is host:port of the started relay; empty before Start.
func (r *Relay) Addr() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listener == nil {
		return ""
	}
	return r.listener.Addr().String()
}

// Port is the port of the started relay; 0 before Start.
func (r *Relay) Port() int { return portOf(r.Addr()) }

// RoundTrips is how many there were so far, on all connections.
func (r *Relay) RoundTrips() int {
	total := 0
	for _, n := range r.RoundTripsByConnection() {
		total += n
	}
	return total
}

// RoundTripsByConnection is how many there were so far on each connection, in
// the order in which the connections were made.
func (r *Relay) RoundTripsByConnection() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := make([]int, len(r.links))
	for i, l := range r.links {
		counts[i] = l.trips.count()
	}
	return counts
}

// Close ends all connections at once, with whatever is on its way in them, and
// waits until all goroutines have ended. The counts stay.
func (r *Relay) Close() error {
	r.mu.Lock()
	first := !r.closed
	r.closed = true
	var err error
	if first && r.listener != nil {
		r.stop()
		err = r.listener.Close()
	}
	for _, l := range r.links {
		l.abort()
	}
	r.mu.Unlock()
	r.running.Wait()
	return err
}
