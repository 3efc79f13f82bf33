package sqlite

import (
	"context"
	"errors"
	"sync"
)

// pool lends up to a number of connections, the one used last first, since its
// pages are still in memory.
type pool struct {
	open   func(context.Context) (*conn, error)
	lent   chan struct{} // one element a connection that is lent
	closed chan struct{}

	mu   sync.Mutex
	free []*conn
}

func newPool(size int, open func(context.Context) (*conn, error)) *pool {
	return &pool{open: open, lent: make(chan struct{}, size), closed: make(chan struct{})}
}

// with lends a connection to fn, waiting for one as long as ctx allows.
func (p *pool) with(ctx context.Context, fn func(*conn) error) error {
	return p.withUnless(ctx, nil, fn)
}

// withUnless is with, but for the end of the waiting without an error once
// somebody else has done it.
func (p *pool) withUnless(ctx context.Context, done <-chan struct{}, fn func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case p.lent <- struct{}{}:
	case <-done:
		return nil
	case <-p.closed:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.lent }()
	c, err := p.take(ctx)
	if err != nil {
		return err
	}
	defer p.give(c)
	return fn(c)
}

func (p *pool) take(ctx context.Context) (*conn, error) {
	p.mu.Lock()
	if n := len(p.free); n > 0 {
		c := p.free[n-1]
		p.free = p.free[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	return p.open(ctx)
}

func (p *pool) give(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, c)
}

// close waits for what is lent. It must be called once only.
func (p *pool) close() error {
	close(p.closed)
	for range cap(p.lent) {
		p.lent <- struct{}{}
	}
	var errs []error
	for _, c := range p.free {
		errs = append(errs, c.close())
	}
	return errors.Join(errs...)
}
