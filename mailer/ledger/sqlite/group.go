package sqlite

import (
	"context"
	"errors"
	"slices"
	"sync"

	modernc "modernc.org/sqlite"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// groupMost is how many writes share a transaction at most, so that none of them
// waits long.
const groupMost = 256

const (
	savepoint  = `SAVEPOINT member`
	rollbackTo = `ROLLBACK TO member`
	release    = `RELEASE member`
)

// group is the writes that wait to share a transaction: a sync to the disk costs
// as much for two hundred of them as for one.
type group struct {
	mu      sync.Mutex
	waiting []*grouped
}

// grouped is one write. done is closed once it is done, after err is set.
type grouped struct {
	do func(*conn) error
	durability
	urgent bool // it goes before all that waits
	err    error
	done   chan struct{}
}

func (g *group) add(w *grouped) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if w.urgent {
		g.waiting = slices.Insert(g.waiting, 0, w)
	} else {
		g.waiting = append(g.waiting, w)
	}
}

// most is the most that a write which waits asks for.
func (g *group) most() (most durability) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range g.waiting {
		most = max(most, w.durability)
	}
	return most
}

// take takes those that have waited longest, up to the first that asks for more
// than the transaction gives.
func (g *group) take(given durability) []*grouped {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for n < min(len(g.waiting), groupMost) && g.waiting[n].durability <= given {
		n++
	}
	taken := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	return taken
}

// leave tells whether w was still waiting.
func (g *group) leave(w *grouped) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, w)
	if i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	return i >= 0
}

// write is commit for a call of a method.
func (l *Ledger) write(ctx context.Context, doing string, asked durability, fn func(*conn) error) error {
	if err := l.calls.begin(); err != nil {
		return l.explain(doing, err)
	}
	defer l.calls.end()
	return l.commit(ctx, doing, &grouped{do: fn, durability: asked})
}

// commit does w in a transaction that it shares with the other writes that wait at
// that moment. It does not wait for a group to fill: a write that finds the connection free goes
// at once, and those that come meanwhile go next, all together.
//
// What w has written is undone if it fails, unless it refuses (see refused).
//
// If ctx ends while the write waits, commit returns ctx's error and nothing was
// done. What is under way is brought to its end, and that is what commit returns: the caller
// always knows. Each caller waits for the connection itself, and the one that gets it does all
// writes that wait, so that none depends on how long another can wait.
func (l *Ledger) commit(ctx context.Context, doing string, w *grouped) error {
	if err := ctx.Err(); err != nil {
		return l.explain(doing, err)
	}
	w.done = make(chan struct{})
	l.group.add(w)
	for {
		err := l.writer.withUnless(ctx, w.done, func(c *conn) error { return l.serve(ctx, c) })
		if err != nil {
			if l.group.leave(w) {
				return l.explain(doing, err)
			}
			<-w.done // another caller is doing it
		}
		select {
		case <-w.done:
			return l.explain(doing, w.err)
		default: // too many waited for one transaction
		}
	}
}

// serve does the writes that wait once it has the lock for writing. None is taken before, so that
// a caller that gives up waiting for the lock fails alone.
func (l *Ledger) serve(ctx context.Context, c *conn) error {
	given := l.group.most()
	if err := l.sync(c, given); err != nil {
		return err
	}
	var taken []*grouped
	err := transact(ctx, c, func() error {
		taken = l.group.take(given)
		for _, w := range taken {
			if err := w.saved(c); err != nil {
				return err
			}
		}
		return nil
	})
	for _, w := range taken {
		if err != nil {
			w.err = err // a refusal may have been for what another one did not write after all
		}
		close(w.done)
	}
	if taken != nil {
		return nil // each has its own error
	}
	return err
}

// saved does one write so that it leaves nothing if it fails, and the others are
// done (https://www.sqlite.org/lang_savepoint.html). It returns an error that they
// would all meet.
func (w *grouped) saved(c *conn) error {
	if err := c.exec(savepoint); err != nil {
		return err
	}
	switch w.err = w.do(c); {
	case w.err == nil || refused(w.err):
	case concernsFile(w.err):
		return w.err
	default:
		if err := c.exec(rollbackTo); err != nil { // SQLite has undone everything by itself
			return errors.Join(w.err, err)
		}
	}
	return c.exec(release)
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
