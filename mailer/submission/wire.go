package submission

import (
	"net"
	"sync"
	"time"
)

// wire is the network connection below everything, TLS included. It alone
// decides about deadlines: those that crypto/tls sets on closing are ignored, so
// that none of them undercuts a time-out of ours.
type wire struct {
	net.Conn

	mu          sync.Mutex
	interrupted bool
	latest      time.Time // no deadline lies behind it; zero is no bound
	failure     error     // the first I/O error
}

// within gives everything that follows d, until it is called again. It returns
// how long that is, as the limit may be nearer.
func (w *wire) within(d time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.latest.IsZero() {
		d = min(d, time.Until(w.latest))
	}
	if !w.interrupted {
		_ = w.Conn.SetDeadline(time.Now().Add(d)) // fails on a closed connection only, and so will the read
	}
	return d
}

// limit bounds what within gives from now on. The zero time lifts that.
func (w *wire) limit(latest time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.latest = latest
}

// interrupt makes what waits return, and everything later fail.
func (w *wire) interrupt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.interrupted = true
	_ = w.Conn.SetDeadline(time.Unix(1, 0)) // as in within
}

// Read implements net.Conn.
func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.note(err)
	return n, err
}

// Write implements net.Conn.
func (w *wire) Write(b []byte) (int, error) {
	n, err := w.Conn.Write(b)
	w.note(err)
	return n, err
}

func (w *wire) note(err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failure == nil {
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
