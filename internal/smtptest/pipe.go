package smtptest

import (
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// pipe is a server's end of a net.Pipe that writes as a network does: a Write does not wait
// until it is read. Without it, a server that speaks out of turn and a client that writes
// would wait for each other.
type pipe struct {
	net.Conn

	mu      sync.Mutex
	closing bool
	unsent  atomic.Int64  // writes that have not arrived yet
	queue   chan []byte   // what is to be written
	written chan struct{} // closed when the queue has been, or cannot be, written
}

// pipeQueue is more writes than any test leaves unread.
const pipeQueue = 4096

func newPipe(conn net.Conn) *pipe {
	p := &pipe{Conn: conn, queue: make(chan []byte, pipeQueue), written: make(chan struct{})}
	go func() {
		defer close(p.written)
		for b := range p.queue {
			if _, err := conn.Write(b); err != nil {
				return
			}
			p.unsent.Add(-1)
		}
	}()
	return p
}

// Write implements net.Conn.
func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return 0, net.ErrClosed
	}
	p.unsent.Add(1)
	select {
	case p.queue <- slices.Clone(b):
		return len(b), nil
	case <-p.written:
		return 0, io.ErrClosedPipe
	}
}

// Close implements net.Conn. What was written arrives first, if the client reads it; what
// the client still writes meanwhile is lost, as on a network.
func (p *pipe) Close() error {
	p.mu.Lock()
	first := !p.closing
	if first {
		p.closing = true
		close(p.queue)
	}
	p.mu.Unlock()
	if first && p.unsent.Load() > 0 {
		go func() { _, _ = io.Copy(io.Discard, p.Conn) }()
		<-p.written
	}
	err := p.Conn.Close()
	<-p.written
	return err
}

// abort closes without waiting for what was written to arrive.
func (p *pipe) abort() {
	_ = p.Conn.Close()
	_ = p.Close()
}

// SetDeadline implements net.Conn.
func (p *pipe) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }

// SetWriteDeadline implements net.Conn. Writes do not wait, so there is nothing to limit;
// crypto/tls sets a past one on closing, which must not stop what is still on its way.
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }
