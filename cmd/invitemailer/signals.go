package main

import (
	"context"
	"errors"
	"time"
)

// stopGrace is how long a command may take to end by itself once it was told to break off. It is
// longer than a write that is not read may take.
const stopGrace = 2 * time.Second

// errInterrupted is why a context ended: a signal said so.
var errInterrupted = errors.New("interrupted")

// finishing does what must not be broken off by the first signal, since mails, requests or
// callbacks are under way: it stops by itself when inv.stop ends.
func (inv *invocation) finishing(do func() error) error {
	inv.finishes.Store(true)
	defer inv.finishes.Store(false)
	return do()
}

// obey stops the command as signals say. The first ends softly what is under way, and breaks
// off everything else; the next breaks off that too. A command that does not end by itself then is
// ended with its process.
func (inv *invocation) obey(ended <-chan struct{}, cancel context.CancelCauseFunc) {
	var over <-chan time.Time
	for first := true; ; first = false {
		select {
		case <-inv.Signals:
		case <-over:
			inv.exit(inv.fail(exitTempfail, "the command was stopped in the middle of what it did"))
			return
		case <-ended:
			return
		}
		if over != nil {
			inv.exit(exitTempfail)
			return
		}
		if inv.halt(); !first || !inv.finishes.Load() {
			cancel(errInterrupted)
			over = time.After(stopGrace)
		}
	}
}

func (inv *invocation) exit(code exitCode) {
	if inv.Exit != nil {
		inv.Exit(int(code))
	}
}
