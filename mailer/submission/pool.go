package submission

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/internal/backoff"
)

const (
	idleLimit   = 4 * time.Minute // for an unused connection: RFC 5321 section 4.5.3.2.7 lets servers end it after 5
	maxMessages = 100             // on one connection; many servers close it then
	fewerFor    = 5 * time.Minute // how long a server that wants fewer connections has fewer

	maxConnectWait = 5 * time.Second // what one Submit waits for the backoff at most
)

// connectBackoff spares a server to which connections fail.
var connectBackoff = backoff.Backoff{First: time.Second, Max: 30 * time.Second}

// pool keeps the connections. A message that enters gets a place, with a kept connection or the
// right to open one, and leaves it. Places are given first come, first served, and a message that the
// server turned away was first. Idle connections and places in use never add up to more than the
// limit, so nor do connections.
type pool struct {
	most int // Config.Connections

	mu      sync.Mutex
	closed  bool
	empty   chan struct{}   // closed when the pool is, and no place is in use
	places  int             // in use, by messages and by connections that say QUIT
	opening int             // places whose connection is being opened
	count   int             // of all connections so far
	up      int             // connections that stand, in use or idle
	idle    []*session      // the latest used last
	queue   []chan *session // for a place; gets a connection, or nil to open one

	fewer      int // the limit until fewerUntil
	fewerUntil time.Time

	failures int // to connect, in a row
	failed   *Error
	retryAt  time.Time // no connection is begun before
}

// enter waits for a place; again is for a message that had its turn. What comes with it is nil
// when a connection is to be opened.
func (p *pool) enter(ctx context.Context, again bool) (*session, *Error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, closedError()
	}
	turn := make(chan *session, 1)
	if again {
		p.queue = slices.Insert(p.queue, 0, turn)
	} else {
		p.queue = append(p.queue, turn)
	}
	p.serve()
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

// closedError is temporary: the server did not refuse the message, and another Submitter can carry
// it.
func closedError() *Error { return &Error{Step: StepDial, Err: ErrClosed} }

// limit is how many connections there may be.
func (p *pool) limit() int {
	if time.Now().Before(p.fewerUntil) {
		return p.fewer
	}
	return p.most
}

// lower is for a server that wants no more than n connections.
func (p *pool) lower(n int) {
	p.fewer, p.fewerUntil = min(n, p.limit()), time.Now().Add(fewerFor)
}

// serve gives the places that are free, each with a connection when one is idle.
func (p *pool) serve() {
	for len(p.queue) > 0 && p.places < p.limit() {
		var c *session
		if last := len(p.idle) - 1; last >= 0 {
			c, p.idle = p.idle[last], p.idle[:last]
			c.idle.Stop()
			c.kept = true
		}
		p.places++
		p.queue[0] <- c
		p.queue = p.queue[1:]
	}
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
	case p.closed, c.sent >= maxMessages, p.places+len(p.idle) > p.limit():
		go p.retire(c)
		return
	default:
		c.lastUsed = time.Now()
		c.idle = time.AfterFunc(idleLimit, func() { p.expire(c) })
		p.idle = append(p.idle, c)
	}
	p.places--
	p.serve()
	p.closeEmpty()
}

// replace ends a connection, with QUIT if it stands, without giving up the place: a server that
// counts connections must not find one too many.
func (p *pool) replace(c *session) {
	c.quit()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.up--
}

// retire ends a connection, and then gives its place back.
func (p *pool) retire(c *session) {
	p.replace(c)
	p.leave(nil)
}

// expire ends a connection that has been idle for too long, unless it is in use again.
func (p *pool) expire(c *session) {
	p.mu.Lock()
	i := slices.Index(p.idle, c)
	expired := i >= 0 && time.Since(c.lastUsed) >= idleLimit
	if expired {
		p.idle = slices.Delete(p.idle, i, i+1)
		p.places++
	}
	p.mu.Unlock()
	if expired {
		p.retire(c)
	}
}

// closeEmpty tells shutdown when it has nothing more to wait for.
func (p *pool) closeEmpty() {
	if p.closed && p.places == 0 {
		close(p.empty)
	}
}

// begin lets the holder of a place open a connection, after the backoff. met is how the server
// turned this message away before, nil if it did not: then another connection must stand.
func (p *pool) begin(ctx context.Context, met *Error) *Error {
	for {
		p.mu.Lock()
		wait, failed := time.Until(p.retryAt), p.failed
		var e *Error
		switch {
		case p.closed:
			e = closedError()
		case met != nil && p.up == 0 && p.opening == 0:
			e = met
		case wait > maxConnectWait:
			e = &Error{Step: failed.Step, config: failed.config, Err: fmt.Errorf(
				"the last connections failed, and the next is tried in %s: %w", wait.Round(time.Second), failed)}
		case wait <= 0:
			p.opening++
		}
		p.mu.Unlock()
		if e != nil || wait <= 0 {
			return e
		}
		if err := sleep(ctx, wait); err != nil {
			return &Error{Step: StepDial, Err: err}
		}
	}
}

// opened takes note of what came of begin: c or e. It reports whether e means that the server wants
// no more connections than the others, one of which can carry the message.
func (p *pool) opened(ctx context.Context, c *session, e *Error) (elsewhere bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opening--
	others := p.up + p.opening
	switch {
	case e == nil:
		p.up++
		p.count++
		c.via.number = p.count
		p.failures, p.retryAt = 0, time.Time{}
	case ctx.Err() != nil: // it is not the server's fault
	case others > 0 && !e.config && !e.permanent:
		p.lower(others)
		return true
	default:
		p.fewerUntil = time.Time{} // the server is away, not full
		p.failures++
		p.failed = e
		p.retryAt = time.Now().Add(connectBackoff.Half(p.failures, rand.Float64()))
	}
	return false
}

// turnedAway is for a connection that stood, and on which the server then said 421. It reports
// whether there are others.
func (p *pool) turnedAway() (elsewhere bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	others := p.up - 1 + p.opening
	if others > 0 {
		p.lower(others)
	}
	return others > 0
}

// shutdown ends what is idle and what waits for a place, and waits until no place is in use, or for
// the end of ctx.
func (p *pool) shutdown(ctx context.Context) error {
	p.mu.Lock()
	if !p.closed {
		for _, c := range p.idle {
			c.idle.Stop()
			p.places++
			go p.retire(c)
		}
		for _, turn := range p.queue {
			close(turn)
		}
		p.idle, p.queue, p.closed = nil, nil, true
		p.closeEmpty()
	}
	p.mu.Unlock()
	select {
	case <-p.empty:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.places == 0 {
		return nil
	}
	return fmt.Errorf("%d messages are still in hand, or connections say QUIT; "+
		"wait for longer, or end the contexts of the messages: %w", p.places, context.Cause(ctx))
}
