package smtptest

import (
	"context"
	"net"
	"sync"
)

// Listener accepts the connections that Dial makes in memory, and those of a port once Start
// is called. The zero value is ready.
type Listener struct {
	once    sync.Once
	conns   chan net.Conn
	open    context.Context // until Close
	end     context.CancelFunc
	running sync.WaitGroup

	mu   sync.Mutex
	port net.Listener
}

func (l *Listener) setup() {
	l.once.Do(func() {
		l.conns = make(chan net.Conn)
		l.open, l.end = context.WithCancel(context.Background())
	})
}

// Dial connects in memory, whatever the address.
func (l *Listener) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	l.setup()
	client, end := net.Pipe()
	server := newPipe(end)
	select {
	case l.conns <- server:
		return client, nil
	case <-l.open.Done():
		server.abort()
		return nil, net.ErrClosed
	case <-ctx.Done():
		server.abort()
		return nil, ctx.Err()
	}
}

// Start listens on a free port of 127.0.0.1.
func (l *Listener) Start() error {
	port, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	return l.StartOn(port)
}

// StartOn takes the connections of port, one for each Listener, and closes it in the end.
func (l *Listener) StartOn(port net.Listener) error {
	l.setup()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open.Err() != nil {
		_ = port.Close()
		return net.ErrClosed
	}
	l.port = port
	l.running.Go(func() {
		for {
			c, err := port.Accept()
			if err != nil {
				return
			}
			select {
			case l.conns <- c:
			case <-l.open.Done():
				_ = c.Close()
			}
		}
	})
	return nil
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	l.setup()
	select {
	case raw := <-l.conns:
		c := &conn{Conn: raw}
		c.stop = context.AfterFunc(l.open, c.abort)
		return c, nil
	case <-l.open.Done():
		return nil, net.ErrClosed
	}
}

// Serve calls handle for each connection, in a goroutine of its own, until Close.
func (l *Listener) Serve(handle func(net.Conn)) {
	l.running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			l.running.Go(func() { handle(c) })
		}
	})
}

// Addr implements net.Listener: the port's address, or one that says "memory".
func (l *Listener) Addr() net.Addr {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.port == nil {
		return &net.UnixAddr{Name: "memory", Net: "pipe"}
	}
	return l.port.Addr()
}

// Port is the number of the port; 0 before Start.
func (l *Listener) Port() int {
	if addr, ok := l.Addr().(*net.TCPAddr); ok {
		return addr.Port
	}
	return 0
}

// Close ends all connections, and waits for what Serve has begun. It may be called again.
func (l *Listener) Close() error {
	l.setup()
	l.mu.Lock()
	l.end()
	if l.port != nil {
		_ = l.port.Close() // it accepts nothing more, either way
	}
	l.mu.Unlock()
	l.running.Wait()
	return nil
}

// conn is a connection that its listener can close.
type conn struct {
	net.Conn
	stop func() bool // the listener need not close it any more
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.stop()
	return c.Conn.Close()
}

// reset closes with a TCP reset where there is TCP.
func (c *conn) reset() {
	if t, ok := c.Conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // fails on a closed connection only
	}
	_ = c.Close()
}

// abort closes without waiting for what was written.
func (c *conn) abort() {
	if p, ok := c.Conn.(*pipe); ok {
		p.abort()
	}
	_ = c.Conn.Close()
}
