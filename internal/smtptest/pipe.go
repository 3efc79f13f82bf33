package smtptest

import (
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// pipe is a server's end of a net.Pipe that writes as a network does: Write and Close do not
// wait until the client reads. Without it, a server that speaks out of turn and a client that
// writes would wait for each other.
type pipe struct {
	net.Conn

	queue chan []byte // what is to be written; nil closes
	once  sync.Once
}

// pipeQueue is more writes than any test leaves unread.
const pipeQueue = 4096

func newPipe(conn net.Conn) *pipe {
	p := &pipe{Conn: conn, queue: make(chan []byte, pipeQueue)}
	go func() {
		defer conn.Close()
		for b := <-p.queue; b != nil; b = <-p.queue {
			if _, err := conn.Write(b); err != nil {
				return
			}
		}
	}()
	return p
}

// Write implements net.Conn.
func (p *pipe) Write(b []byte) (int, error) {
	p.queue <- slices.Clone(b)
	return len(b), nil
}

// Close implements net.Conn. What was written arrives first, if the client reads it; what
// the client still writes meanwhile is lost, as on a network.
func (p *pipe) Close() error {
	p.once.Do(func() {
		p.queue <- nil
		go func() { _, _ = io.Copy(io.Discard, p.Conn) }()
	})
	return nil
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
