package submission

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// pool keeps the connections, and decides which message may use or open one. A message that
// enters gets a place, with a kept connection or the right to open one, and leaves it. Idle
// connections and places in use never add up to more than the limit, so nor do connections.
//
// The limit is Config.Connections, or less while the server wants less: see
// ceiling. Places are given first come, first served.
type pool struct {
	idleFor  time.Duration // longer than this, and an idle connection is closed
	messages int           // on one connection; 0 is no limit

	mu      sync.Mutex
	closed  bool
	empty   chan struct{} // closed when the pool is, and nothing is in use or parting
	ceiling ceiling
	backoff connectBackoff
	places  int             // in use
	opening int             // places whose connection is being opened
	up      int             // connections that stand, in use or idle
	parting int             // connections that are saying QUIT, while others go on
	idle    []*session      // the latest used last
	queue   []chan *session // for a place, the first come first; gets what take returns
}

func newPool(cfg Config) *pool {
	return &pool{
		idleFor: cfg.IdleLimit, messages: cfg.MessagesPerConnection, empty: make(chan struct{}),
		ceiling: ceiling{most: cfg.Connections, now: cfg.Connections},
	}
}

// enter waits for a place. What comes with it is nil when a connection is to be opened. A
// message that had a place and was turned away by the server comes first.
func (p *pool) enter(ctx context.Context, again bool) (*session, *Error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, closedError()
	}
	if (again || len(p.queue) == 0) && p.free() {
		c := p.take()
		p.mu.Unlock()
		return c, nil
	}
	turn := make(chan *session, 1)
	if again {
		p.queue = slices.Insert(p.queue, 0, turn)
	} else {
		p.queue = append(p.queue, turn)
	}
	p.mu.Unlock()
	select {
	case c, ok := <-turn:
		if !ok {
			return nil, closedError()
		}
		return c, nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	i := slices.Index(p.queue, turn)
	if i >= 0 {
		p.queue = slices.Delete(p.queue, i, i+1)
	}
	p.mu.Unlock()
	if i < 0 {
		if c, ok := <-turn; ok { // it came together with the end of the context
			p.leave(c)
		}
	}
	return nil, &Error{Step: StepDial, Err: context.Cause(ctx)}
}

// closedError is temporary: the server did not refuse the message, and another Submitter
// can carry it.
func closedError() *Error { return &Error{Step: StepDial, Err: ErrClosed} }

// free reports whether there is a place, if need be by growing.
func (p *pool) free() bool {
	return p.places < p.ceiling.now || p.ceiling.grow(time.Now()) && p.places < p.ceiling.now
}

// take takes a place that is free, with a connection when one is idle.
func (p *pool) take() *session {
	p.places++
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	c := p.idle[n-1]
	p.idle = p.idle[:n-1]
	c.idle.Stop()
	c.kept = true
	return c
}

// spent reports whether c is not to be used any more.
func (p *pool) spent(c *session) bool {
	return p.messages > 0 && c.sent >= p.messages || time.Since(c.lastUsed) > p.idleFor
}

// leave gives a place back, and c, which may be nil or broken, for the next.
func (p *pool) leave(c *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case c == nil:
	case c.broken || c.ahead():
		p.up--
		_ = c.wire.Close()
	case p.closed:
		p.up--
		p.mu.Unlock()
		c.quit()
		p.mu.Lock()
	case p.places+len(p.idle) > p.ceiling.now: // it became lower
		p.part(c)
	default:
		c.lastUsed = time.Now()
		c.idle = time.AfterFunc(p.idleFor, func() { p.expire(c) })
		p.idle = append(p.idle, c)
	}
	p.places--
	p.ended()
	for len(p.queue) > 0 && p.free() {
		turn := p.queue[0]
		p.queue = p.queue[1:]
		turn <- p.take()
	}
}

// replace ends a connection, with QUIT if it stands, without giving up the
// place: a server that counts connections must not find one too many.
func (p *pool) replace(c *session) {
	c.quit()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.up--
}

// part lets a connection say QUIT, while others go on.
func (p *pool) part(c *session) {
	p.up--
	p.parting++
	go func() {
		c.quit()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.parting--
		p.ended()
	}()
}

// expire ends a connection that has been idle for too long, unless it is in use again.
func (p *pool) expire(c *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.idle, c); i >= 0 && time.Since(c.lastUsed) >= p.idleFor {
		p.idle = slices.Delete(p.idle, i, i+1)
		p.part(c)
	}
}

// ended tells shutdown when it has nothing more to wait for.
func (p *pool) ended() {
	if p.closed && p.places == 0 && p.parting == 0 {
		close(p.empty)
	}
}

// begin lets the holder of a place open a connection, after the backoff. It
// does not when there is no hope: met is how the server turned this message
// away before, nil if it did not, and then only another connection, that
// stands, is a reason to try again.
func (p *pool) begin(ctx context.Context, met *Error) *Error {
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return closedError()
		}
		if met != nil && p.up == 0 && p.opening == 0 {
			p.mu.Unlock()
			return met
		}
		wait := p.backoff.wait(time.Now())
		if wait <= 0 {
			p.opening++
			p.mu.Unlock()
			return nil
		}
		last := p.backoff.last
		p.mu.Unlock()
		if wait > maxConnectWait {
			return backingOff(last, wait)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return &Error{Step: StepDial, Err: context.Cause(ctx)}
		}
	}
}

// opened takes note of what came of begin. It reports whether e means that the
// server wants no more connections than it has: one of the others can carry the
// message.
func (p *pool) opened(ctx context.Context, begun time.Time, e *Error) (elsewhere bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opening--
	others := p.up + p.opening
	switch {
	case e == nil:
		p.up++
		p.ceiling.stood()
		p.backoff = connectBackoff{}
	case ctx.Err() != nil: // it is not the server's fault
	case others > 0 && !e.config && !e.permanent:
		p.ceiling.lower(others, time.Now())
		return true
	default:
		p.ceiling.forget() // the server is away, not full
		p.backoff.failed(e, begun, time.Now())
	}
	return false
}

// turnedAway is for a connection that stood, and on which the server then said
// 421. It reports whether there are others.
func (p *pool) turnedAway() (elsewhere bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	others := p.up - 1 + p.opening
	if others > 0 {
		p.ceiling.lower(others, time.Now())
	}
	return others > 0
}

// shutdown ends what is idle and what waits for a place, and waits for the places in use and for
// the connections that say QUIT, or the end of ctx.
func (p *pool) shutdown(ctx context.Context) error {
	p.mu.Lock()
	if !p.closed {
		for _, c := range p.idle {
			c.idle.Stop()
			p.part(c)
		}
		for _, turn := range p.queue {
			close(turn)
		}
		p.idle, p.queue, p.closed = nil, nil, true
		p.ended()
	}
	p.mu.Unlock()
	select {
	case <-p.empty:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.places == 0 && p.parting == 0 {
		return nil
	}
	return fmt.Errorf("%d messages are still in hand, and %d connections say QUIT; "+
		"wait for longer, or end the contexts of the messages: %w", p.places, p.parting, context.Cause(ctx))
}
