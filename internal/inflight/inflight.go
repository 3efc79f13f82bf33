// Package inflight counts the calls that are being worked on, so that a shutdown can
// refuse new ones and wait for these.
package inflight

import (
	"context"
	"sync"
)

// Calls are the calls that are being worked on. Its methods are called by many
// goroutines.
type Calls struct {
	mu      sync.Mutex
	n       int
	closing chan struct{} // closed by Close
	idle    chan struct{} // closed when Close was called and n is 0
}

// New returns Calls of which there are none yet.
func New() *Calls {
	return &Calls{closing: make(chan struct{}), idle: make(chan struct{})}
}

// Begin counts another call, or returns false after Close. Call End after it.
func (c *Calls) Begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed() {
		return false
	}
	c.n++
	return true
}

// End ends what Begin began.
func (c *Calls) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n--
	if c.n == 0 && c.closed() {
		close(c.idle)
	}
}

// Close refuses new calls, and tells whether it is the first to do so.
func (c *Calls) Close() (first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed() {
		return false
	}
	close(c.closing)
	if c.n == 0 {
		close(c.idle)
	}
	return true
}

// Closing is closed by Close.
func (c *Calls) Closing() <-chan struct{} { return c.closing }

// Idle is closed once Close was called and no call is left.
func (c *Calls) Idle() <-chan struct{} { return c.idle }

// Wait waits until Idle, and returns how many calls are left if ctx ends before.
func (c *Calls) Wait(ctx context.Context) (left int) {
	select {
	case <-c.idle:
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

func (c *Calls) closed() bool {
	select {
	case <-c.closing:
		return true
	default:
		return false
	}
}
