package submission

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// pool keeps the connections and says who may use or open one. Whoever enters
// gets a place, with a kept connection or the right to open one, and leaves it.
// Idle connections and places in use never add up to more than the limit, so
// nor do connections.
//
// The limit is Config.Connections, or less while the server wants less: see
// ceiling. Places are given first come, first served.
type pool struct {
	idleFor  time.Duration // longer than this, and an idle connection is closed
	messages int           // on one connection; 0 is no limit

	mu      sync.Mutex
	closed  bool
	ceiling ceiling
	backoff connectBackoff
	empty   chan struct{} // closed when closed is set and no place is in use
	places  int           // in use
	opening int           // places whose connection is being opened
	up      int           // connections that stand, in use or idle
	idle    []*session    // the latest used last
	queue   []*waiter     // for a place, the first come first
	reaper  *time.Timer
	armed   bool
	leaving sync.WaitGroup // connections that are saying QUIT
	parting int            // as many as leaving has
}

// waiter is somebody in the queue.
type waiter struct {
	turn chan *session // gets what take returns, or is closed with the pool
}

func newPool(cfg Config) *pool {
	p := &pool{idleFor: cfg.IdleLimit, messages: cfg.MessagesPerConnection, empty: make(chan struct{}),
		ceiling: ceiling{most: cfg.Connections, now: cfg.Connections}}
	return p
}

// enter waits for a place. What comes with it is nil when a connection is to be
// opened. Whoever had a place and was turned away by the server comes first.
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
	w := &waiter{turn: make(chan *session, 1)}
	if again {
		p.queue = slices.Insert(p.queue, 0, w)
	} else {
		p.queue = append(p.queue, w)
	}
	p.mu.Unlock()
	select {
	case c, ok := <-w.turn:
		if !ok {
			return nil, closedError()
		}
		return c, nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	if i := slices.Index(p.queue, w); i >= 0 {
		p.queue = slices.Delete(p.queue, i, i+1)
		p.mu.Unlock()
	} else {
		p.mu.Unlock()
		if c, ok := <-w.turn; ok { // it came in the same moment
			p.leave(c)
		}
	}
	return nil, &Error{Step: StepDial, Err: context.Cause(ctx)}
}

// closedError is temporary: nobody refused the message, and another Submitter
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
		p.idle = append(p.idle, c)
		p.arm()
	}
	p.places--
	if p.closed && p.places == 0 {
		close(p.empty)
	}
	for len(p.queue) > 0 && p.free() {
		w := p.queue[0]
		p.queue = p.queue[1:]
		w.turn <- p.take()
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

// part lets a connection say QUIT, while others go on. The pool is not closed.
func (p *pool) part(c *session) {
	p.up--
	p.parting++
	p.leaving.Go(func() {
		c.quit()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.parting--
	})
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

// arm sees to it that idle connections are closed in time.
func (p *pool) arm() {
	if p.armed {
		return
	}
	p.armed = true
	if p.reaper == nil {
		p.reaper = time.AfterFunc(p.idleFor, p.reap)
		return
	}
	p.reaper.Reset(p.idleFor)
}

// reap closes the connections that have been idle for too long. The rest come
// later.
func (p *pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = false
	if p.closed {
		return
	}
	now := time.Now()
	for len(p.idle) > 0 && now.Sub(p.idle[0].lastUsed) >= p.idleFor {
		p.part(p.idle[0])
		p.idle = slices.Delete(p.idle, 0, 1)
	}
	if len(p.idle) > 0 {
		p.armed = true
		p.reaper.Reset(p.idle[0].lastUsed.Add(p.idleFor).Sub(now))
	}
}

// shutdown ends what is idle and whoever waits, and waits for the places in use
// and for whoever is saying QUIT, or the end of ctx.
func (p *pool) shutdown(ctx context.Context) error {
	p.mu.Lock()
	if !p.closed {
		for _, c := range p.idle {
			p.part(c)
		}
		for _, w := range p.queue {
			close(w.turn)
		}
		if p.reaper != nil {
			p.reaper.Stop()
		}
		p.idle, p.queue, p.closed = nil, nil, true
		if p.places == 0 {
			close(p.empty)
		}
	}
	p.mu.Unlock()
	gone := make(chan struct{})
	go func() {
		<-p.empty
		p.leaving.Wait()
		close(gone)
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.places == 0 && p.parting == 0 {
			return nil
		}
		return fmt.Errorf("%d messages are still in hand, and %d connections say QUIT; wait for longer, or end the contexts of the messages: %w", p.places, p.parting, context.Cause(ctx))
	}
}
