package main

import "sync"

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
