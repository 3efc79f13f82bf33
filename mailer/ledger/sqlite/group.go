package sqlite

import (
	"context"
	"errors"
	"slices"
	"sync"

	modernc "modernc.org/sqlite"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

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
	do     func(*conn) error
	synced bool // to the disk, before it is done
	err    error
	done   chan struct{}
}

func isSynced(w *grouped) bool { return w.synced }

func (g *group) add(w *grouped) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, w)
}

// wantsSync tells whether a write that waits is to be synced.
func (g *group) wantsSync() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.waiting, isSynced)
}

// take takes all that wait, for a transaction that is not synced up to the first that is to be.
func (g *group) take(synced bool) []*grouped {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := len(g.waiting)
	if i := slices.IndexFunc(g.waiting, isSynced); i >= 0 && !synced {
		n = i
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
func (l *Ledger) write(ctx context.Context, doing string, synced bool, do func(*conn) error) error {
	if err := l.calls.begin(); err != nil {
		return l.explain(doing, err)
	}
	defer l.calls.end()
	return l.commit(ctx, doing, synced, do)
}

// commit runs do in a transaction that it shares with the other writes that wait at that moment.
// A write that finds the connection free goes at once, and those that come meanwhile go next, all
// together. What do has written is undone if it fails.
//
// If ctx ends while the write waits, commit returns ctx's error and nothing was done. What is under
// way is brought to its end, and commit returns how it ended. Each caller waits for the connection
// itself, and the one that gets it does all writes that wait.
func (l *Ledger) commit(ctx context.Context, doing string, synced bool, do func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return l.explain(doing, err)
	}
	w := &grouped{do: do, synced: synced, done: make(chan struct{})}
	l.group.add(w)
	for {
		err := l.writer.withUnless(ctx, w.done, func(c *conn) error { return l.serve(ctx, c) })
		if err != nil {
			if l.group.leave(w) {
				return l.explain(doing, err)
			}
			<-w.done
		}
		select {
		case <-w.done:
			return l.explain(doing, w.err)
		default: // a transaction that is not synced did not take it
		}
	}
}

// serve does the writes that wait once it has the lock for writing. None is taken before, so that
// a caller that gives up waiting for the lock fails alone.
func (l *Ledger) serve(ctx context.Context, c *conn) error {
	synced := l.group.wantsSync()
	if err := l.sync(c, synced); err != nil {
		return err
	}
	var taken []*grouped
	err := transact(ctx, c, func() error {
		taken = l.group.take(synced)
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

// sync says whether the transactions that follow are synced to the disk as they end: in a log, FULL
// does that, and NORMAL leaves it to a later one
// (https://www.sqlite.org/pragma.html#pragma_synchronous).
func (l *Ledger) sync(c *conn, synced bool) error {
	if l.unsynced || l.synced == synced {
		return nil
	}
	level := "NORMAL"
	if synced {
		level = "FULL"
	}
	err := c.script("PRAGMA synchronous = " + level)
	if err == nil {
		l.synced = synced
	}
	return err
}

// saved does one write so that it leaves nothing if it fails, and the others are done
// (https://www.sqlite.org/lang_savepoint.html). It returns an error that they would all meet. A
// claim that is refused has written nothing but what inHand must keep.
func (w *grouped) saved(c *conn) error {
	if err := c.exec(savepoint); err != nil {
		return err
	}
	switch w.err = w.do(c); {
	case w.err == nil || errors.Is(w.err, ledger.ErrInProgress):
	case concernsFile(w.err):
		return w.err
	default:
		if err := c.exec(rollbackTo); err != nil { // SQLite has undone everything by itself
			return errors.Join(w.err, err)
		}
	}
	return c.exec(release)
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
