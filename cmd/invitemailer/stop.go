package main

import (
	"context"
	"sync"
)

// stopper is a wish to stop that several may have.
type stopper struct {
	once sync.Once
	c    chan struct{}
}

func newStopper() *stopper { return &stopper{c: make(chan struct{})} }

func (s *stopper) stop() { s.once.Do(func() { close(s.c) }) }

func (s *stopper) stopped() bool {
	select {
	case <-s.c:
		return true
	default:
		return false
	}
}

// untilStopped is for subcommands that have nothing to finish: its context ends
// at the first signal.
func (inv *invocation) untilStopped(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-inv.stop.c:
			cancel(errInterrupted)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}
