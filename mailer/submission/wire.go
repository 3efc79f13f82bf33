package submission

import (
	"errors"
	"net"
	"sync"
	"time"
)

// maxSetupBytes bounds what a server may send before the first MAIL. go-mail
// reads lines of any length there, and a TLS handshake needs some kilobytes.
const maxSetupBytes = 1 << 20

var errTooTalkative = errors.New("server sent more than 1 MiB before the first message")

// wire is the network connection below everything, TLS included. It alone
// decides about deadlines: the one that go-mail sets for a whole session and
// the one that crypto/tls sets on closing are ignored, so that none of them
// undercuts a time-out of ours.
type wire struct {
	net.Conn

	mu          sync.Mutex
	interrupted bool
	turn        time.Duration // when set, each command renews the deadline by itself
	written     bool          // the last thing done was a write
	received    int           // bytes read while turn is set
	failure     error         // the first I/O error
}

// newWire starts in the state for setting up a session: each thing we say has
// turn to be said and answered.
func newWire(conn net.Conn, turn time.Duration) *wire {
	w := &wire{Conn: conn, turn: turn}
	w.setDeadline(turn)
	return w
}

// within gives everything that follows d, until it is called again. It also
// ends the state for setting up.
func (w *wire) within(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn = 0
	w.setDeadline(d)
}

// setDeadline is called by whoever holds the lock.
func (w *wire) setDeadline(d time.Duration) {
	if !w.interrupted {
		_ = w.Conn.SetDeadline(time.Now().Add(d)) // fails on a closed connection only, and so will the read
	}
}

// interrupt makes what waits return, and everything later fail.
func (w *wire) interrupt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.interrupted = true
	_ = w.Conn.SetDeadline(time.Unix(1, 0)) // as in setDeadline
}

// Read implements net.Conn.
func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written = false
	if w.turn > 0 {
		if w.received += n; w.received > maxSetupBytes && err == nil {
			err = errTooTalkative
		}
	}
	w.note(err)
	return n, err
}

// Write implements net.Conn.
func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	if !w.written && w.turn > 0 {
		w.setDeadline(w.turn)
	}
	w.written = true
	w.mu.Unlock()
	n, err := w.Conn.Write(b)
	if err != nil {
		w.mu.Lock()
		w.note(err)
		w.mu.Unlock()
	}
	return n, err
}

func (w *wire) note(err error) {
	if err != nil && w.failure == nil {
		w.failure = err
	}
}

// failed returns the first error that the network gave, or nil.
func (w *wire) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failure
}

// SetDeadline does nothing: see wire.
func (w *wire) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing: see wire.
func (w *wire) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing: see wire.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
