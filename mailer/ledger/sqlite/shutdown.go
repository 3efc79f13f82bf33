package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

var errClosed = errors.New("the ledger was shut down")

// calls counts the calls in hand, so that a shutdown can wait for them.
type calls struct {
	mu     sync.Mutex // no call may begin while a shutdown begins to wait
	closed bool
	inHand sync.WaitGroup

	ended chan struct{} // closed when the shutdown has ended, after err is set
	err   error
}

func (c *calls) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	c.inHand.Add(1)
	return nil
}

func (c *calls) end() { c.inHand.Done() }

// Shutdown refuses new calls, waits for those in hand, stops the heartbeat and releases what this
// ledger still holds. The last one to shut down on a file takes the write-ahead log into it. The
// mailer's package comment says what is shut down before.
//
// If ctx ends first, Shutdown returns an error that wraps its cause, and the rest ends by itself:
// the calls in hand go on, and what is held is released after them. It may be called again, and
// waits again.
func (l *Ledger) Shutdown(ctx context.Context) error {
	l.calls.mu.Lock()
	first := !l.calls.closed
	l.calls.closed = true
	l.calls.mu.Unlock()
	if first {
		go func() {
			l.calls.inHand.Wait()
			l.calls.err = l.end()
			close(l.calls.ended)
		}()
	}
	select {
	case <-l.calls.ended:
		return l.calls.err
	default: // a shutdown that has ended goes before a context that has
	}
	select {
	case <-l.calls.ended:
		return l.calls.err
	case <-ctx.Done():
		return l.explain("shutting it down",
			fmt.Errorf("calls are still in hand; wait for longer, or end their contexts: %w", context.Cause(ctx)))
	}
}

// end ends everything once no call is in hand.
func (l *Ledger) end() error {
	l.stopBeating()
	l.beats.Wait()
	return errors.Join(l.releaseAll(), l.close())
}

func (l *Ledger) close() (err error) {
	if l.reading != nil {
		err = errors.Join(err, l.readers.close(), l.reading.Close())
	}
	return errors.Join(err, l.writer.close())
}
