package mailer

import (
	"errors"
	"sync"
)

// errClosed is the cause of an invite that came after Close.
var errClosed = errors.New("the mailer is closed")

// inHand counts the invites being worked on, so that Close can wait for them.
type inHand struct {
	mu     sync.Mutex
	n      int
	closed bool
	idle   chan struct{} // closed when closed is set and n is 0
}

// begin reports whether an invite may be taken in hand.
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

// close refuses new invites and waits for those in hand. It may be called again.
func (h *inHand) close() {
	h.mu.Lock()
	if !h.closed {
		h.closed = true
		h.idle = make(chan struct{})
		if h.n == 0 {
			close(h.idle)
		}
	}
	idle := h.idle
	h.mu.Unlock()
	<-idle
}
