package rsvp

import (
	"context"
	"sync"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// locks has a lock for each invite that is worked on, taken in the order of coming.
type locks struct {
	mu   sync.Mutex
	keys map[ledger.Key]*keyLock
}

type keyLock struct {
	held  chan struct{} // of one
	users int           // that hold it or wait
}

// lock waits for the lock of an invite, as long as ctx allows.
func (l *locks) lock(ctx context.Context, key ledger.Key) (unlock func(), err error) {
	l.mu.Lock()
	k := l.keys[key]
	if k == nil {
		k = &keyLock{held: make(chan struct{}, 1)}
		l.keys[key] = k
	}
	k.users++
	l.mu.Unlock()

	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if k.users--; k.users == 0 {
			delete(l.keys, key)
		}
	}
	select {
	case k.held <- struct{}{}:
		return func() {
			<-k.held
			leave()
		}, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
