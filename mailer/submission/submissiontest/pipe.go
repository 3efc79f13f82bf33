package submissiontest

import (
	"context"
	"net"
	"sync"
)

// pipeListener is a listener without a port: what its Dial returns is the
// other end of what Accept returns.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

// Dial connects, whatever the address.
func (l *pipeListener) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, pipe := net.Pipe()
	server := newPatient(pipe)
	select {
	case l.conns <- server:
		return client, nil
	case <-l.done:
		server.abort()
		return nil, net.ErrClosed
	case <-ctx.Done():
		server.abort()
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr implements net.Listener.
func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "memory" }

// tracker is a listener that remembers its open connections, so that a server
// can be stopped without leaving goroutines behind.
type tracker struct {
	net.Listener
	open *openConns
}

// Accept implements net.Listener.
func (t tracker) Accept() (net.Conn, error) {
	c, err := t.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return t.open.add(c), nil
}

// openConns is the set of connections that are open.
type openConns struct {
	mu     sync.Mutex
	set    map[*trackedConn]struct{}
	closed bool
}

func (o *openConns) add(c net.Conn) net.Conn {
	t := &trackedConn{Conn: c, open: o}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		_ = c.Close()
	}
	if o.set == nil {
		o.set = map[*trackedConn]struct{}{}
	}
	o.set[t] = struct{}{}
	return t
}

func (o *openConns) closeAll() {
	o.mu.Lock()
	o.closed = true
	conns := make([]*trackedConn, 0, len(o.set))
	for c := range o.set {
		conns = append(conns, c)
	}
	o.mu.Unlock()
	for _, c := range conns {
		if p, ok := c.Conn.(*patient); ok {
			p.abort()
		}
		_ = c.Close()
	}
}

type trackedConn struct {
	net.Conn
	open *openConns
}

// Close implements net.Conn.
func (c *trackedConn) Close() error {
	c.open.mu.Lock()
	delete(c.open.set, c)
	c.open.mu.Unlock()
	return c.Conn.Close()
}
