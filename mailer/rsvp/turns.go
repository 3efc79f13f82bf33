package rsvp

import (
	"context"
	"sync"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// turns lets one goroutine at a time work on an invite. It remembers only the
// invites that somebody works on or waits for.
type turns struct {
	mu   sync.Mutex
	busy map[ledger.Key]*turn
}

type turn struct {
	taken chan struct{} // of one
	users int           // who work or wait
}

// take waits for the turn, as long as ctx allows. Call done when the work is done.
func (t *turns) take(ctx context.Context, key ledger.Key) (done func(), err error) {
	t.mu.Lock()
	if t.busy == nil {
		t.busy = make(map[ledger.Key]*turn)
	}
	mine := t.busy[key]
	if mine == nil {
		mine = &turn{taken: make(chan struct{}, 1)}
		t.busy[key] = mine
	}
	mine.users++
	t.mu.Unlock()

	select {
	case mine.taken <- struct{}{}:
		return func() {
			<-mine.taken
			t.leave(key, mine)
		}, nil
	case <-ctx.Done():
		t.leave(key, mine)
		return nil, ctx.Err()
	}
}

func (t *turns) leave(key ledger.Key, mine *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine.users--; mine.users == 0 {
		delete(t.busy, key)
	}
}
