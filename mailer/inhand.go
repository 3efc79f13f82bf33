package mailer

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrClosed is the cause of what a Mailer refuses after [Mailer.Shutdown], and
// what SendAll returns then.
var ErrClosed = errors.New("the mailer is shut down; send the invite again with a new one")

// inHand counts the calls being worked on, so that a shutdown can wait for them.
type inHand struct {
	closing chan struct{} // closed when a shutdown begins

	mu     sync.Mutex
	n      int
	closed bool
	idle   chan struct{} // closed when closed is set and n is 0
}

func newInHand() *inHand {
	return &inHand{closing: make(chan struct{}), idle: make(chan struct{})}
}

// begin reports whether another call may be taken in hand.
func (h *inHand) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.n++
	return true
}

func (h *inHand) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.n--
	if h.closed && h.n == 0 {
		close(h.idle)
	}
}

// shutdown refuses new calls and waits for those in hand, or the end of ctx. It
// may be called again.
func (h *inHand) shutdown(ctx context.Context) error {
	h.mu.Lock()
	if !h.closed {
		h.closed = true
		close(h.closing)
		if h.n == 0 {
			close(h.idle)
		}
	}
	h.mu.Unlock()
	select {
	case <-h.idle:
		return nil
	default:
	}
	select {
	case <-h.idle:
		return nil
	case <-ctx.Done():
		h.mu.Lock()
		defer h.mu.Unlock()
		return fmt.Errorf("%d calls of Send, SendGroup or SendAll are still in hand; wait for longer, or end their contexts: %w", h.n, context.Cause(ctx))
	}
}
