package sqlite

import (
	"context"
	"sync"
)

// groupMost is how many writes share a transaction at most, so that none of them
// waits long.
const groupMost = 256

// group is the writes that wait to share a transaction: a sync to the disk costs
// as much for two hundred of them as for one.
type group struct {
	mu      sync.Mutex
	waiting []*grouped
}

// grouped is one write. Whoever does it closes done after err is set.
type grouped struct {
	do   func(*conn) error
	err  error
	done chan struct{}
	// served wakes the one who waits.
	served context.CancelFunc
}

func (g *group) add(w *grouped) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, w)
}

// take takes those that have waited longest.
func (g *group) take() []*grouped {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.waiting), groupMost)
	taken := append([]*grouped(nil), g.waiting[:n]...)
	rest := copy(g.waiting, g.waiting[n:])
	clear(g.waiting[rest:])
	g.waiting = g.waiting[:rest]
	return taken
}

// leave tells whether w was still waiting.
func (g *group) leave(w *grouped) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, other := range g.waiting {
		if other == w {
			g.waiting = append(g.waiting[:i], g.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// writeGrouped runs fn in a transaction that it may share with other writes that
// wait at the same time, durable when it returns without an error. They stand and
// fall together, so fn must be one that its caller can repeat. If ctx ends while
// the transaction is under way, the write may still be done.
//
// Each waits for the connection itself, and the one who gets it does all that
// wait: nobody depends on another one's patience.
func (l *Ledger) writeGrouped(ctx context.Context, doing string, fn func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return l.explain(doing, err)
	}
	waiting, served := context.WithCancel(ctx)
	defer served()
	w := &grouped{do: fn, done: make(chan struct{}), served: served}
	l.group.add(w)
	for {
		err := l.writer.with(waiting, func(c *conn) error { return l.serve(waiting, c) })
		if err != nil && l.group.leave(w) {
			return l.explain(doing, err)
		}
		select {
		case <-w.done:
			return l.explain(doing, w.err)
		default:
		}
		if err == nil {
			continue // it was not among those that were done: there are too many
		}
		// Somebody is about to do it.
		select {
		case <-w.done:
			return l.explain(doing, w.err)
		case <-ctx.Done():
			return l.explain(doing, ctx.Err())
		}
	}
}

// serve does what waits once it has the lock for writing. Nobody's write is
// taken before: whoever gives up waiting for the lock fails alone.
func (l *Ledger) serve(ctx context.Context, c *conn) error {
	var taken []*grouped
	err := transact(ctx, c, func() error {
		taken = l.group.take()
		for _, w := range taken {
			if err := w.do(c); err != nil {
				return err
			}
		}
		return nil
	})
	for _, w := range taken {
		w.err = err
		close(w.done)
		w.served()
	}
	if taken != nil {
		return nil // each has its own error
	}
	return err
}
