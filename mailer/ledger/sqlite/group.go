package sqlite

import (
	"context"
	"errors"
	"sync"

	modernc "modernc.org/sqlite"

	"github.com/invitemailer/invitemailer/mailer/ledger"
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
	ctx context.Context // of who waits; ends the waiting, not the write
	do  func(*conn) error
	lasting
	err  error
	done chan struct{}
}

func (g *group) add(w *grouped) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, w)
}

// most is the most that a write which waits asks for.
func (g *group) most() (most lasting) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range g.waiting {
		most = max(most, w.lasting)
	}
	return most
}

// take takes those that have waited longest, up to the first that asks for more
// than the transaction gives.
func (g *group) take(given lasting) []*grouped {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for n < min(len(g.waiting), groupMost) && g.waiting[n].lasting <= given {
		n++
	}
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

// write is commit for a call of a method.
func (l *Ledger) write(ctx context.Context, doing string, asked lasting, fn func(*conn) error) error {
	if err := l.calls.begin(); err != nil {
		return l.explain(doing, err)
	}
	defer l.calls.end()
	return l.commit(ctx, doing, asked, fn)
}

// commit runs fn in a transaction that it shares with the other writes that wait at
// that moment. Nobody waits for a group to fill: who finds the connection free
// goes at once, and who comes meanwhile goes next, all together.
//
// fn may be run more than once, each time as if for the first time. It refuses
// (see refused) before it changes anything, so that it can fail without those
// that share its transaction.
//
// If ctx ends while the write waits, commit returns ctx's error and nothing was
// done. What is under way is brought to its end, and that is what commit returns:
// the caller always knows. Each waits for the connection itself, and the one who
// gets it does all that wait: nobody depends on another one's patience.
func (l *Ledger) commit(ctx context.Context, doing string, asked lasting, fn func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return l.explain(doing, err)
	}
	w := &grouped{ctx: ctx, do: fn, lasting: asked, done: make(chan struct{})}
	l.group.add(w)
	for {
		err := l.writer.withUnless(ctx, w.done, func(c *conn) error { return l.serve(ctx, c) })
		if err != nil {
			if l.group.leave(w) {
				return l.explain(doing, err)
			}
			<-w.done // somebody is doing it
		}
		select {
		case <-w.done:
			return l.explain(doing, w.err)
		default: // too many waited for one transaction
		}
	}
}

// serve does what waits once it has the lock for writing. Nobody's write is
// taken before: whoever gives up waiting for the lock fails alone.
func (l *Ledger) serve(ctx context.Context, c *conn) error {
	given := l.group.most()
	if err := l.sync(context.Background(), c, given); err != nil {
		return err
	}
	var taken []*grouped
	err := transact(ctx, c, func() error {
		taken = l.group.take(given)
		for _, w := range taken {
			if w.err = w.do(c); w.err != nil && !refused(w.err) {
				return w.err
			}
		}
		return nil
	})
	alone := err != nil && len(taken) > 1 && !concernsFile(err)
	for _, w := range taken {
		switch {
		case alone: // one of them is to blame, and is found out like this
			w.err = transact(w.ctx, c, func() error { return w.do(c) })
		case err != nil:
			w.err = err // a refusal may have been for what another one did not write after all
		}
		close(w.done)
	}
	if taken != nil {
		return nil // each has its own error
	}
	return err
}

// refused tells whether err is one with which a write ends before it has changed
// anything, but that claims of another time may have been shortened (see inHand).
func refused(err error) bool {
	return errors.Is(err, ledger.ErrInProgress) || errors.Is(err, ledger.ErrClaimLost) || errors.Is(err, errNoRevision)
}

// concernsFile tells whether err would meet every other write, too.
func concernsFile(err error) bool {
	var e *modernc.Error
	if !errors.As(err, &e) {
		return false
	}
	_, sort := advise(e.Code())
	return sort != nil
}
