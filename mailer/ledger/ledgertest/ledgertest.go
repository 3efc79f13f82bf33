// Package ledgertest proves that a ledger keeps the promises written at mailer.Ledger.
//
// [Conformance] checks each promise by an example that says what it protects; [Renewal] that
// claims are kept alive; [Answers], of a ledger that keeps RSVPs, what package rsvp needs of it;
// [Erasing], of one that forgets, that it does. A store runs the suites of what it implements.
// [Agreement] plays random histories, of several runs that claim, write, die and come back, to the
// ledger and to a model of the promises. A ledger of your own passes them with one [Factory]:
//
//	func TestLedger(t *testing.T) {
//		factory := func(t testing.TB, now func() time.Time) ledgertest.Storage { … }
//		t.Run("Conformance", func(t *testing.T) { ledgertest.Conformance(t, factory) })
//		t.Run("Renewal", func(t *testing.T) { ledgertest.Renewal(t, factory) })
//		t.Run("Answers", func(t *testing.T) { ledgertest.Answers(t, factory) })
//		t.Run("Erasing", func(t *testing.T) { ledgertest.Erasing(t, factory) })
//		t.Run("Agreement", func(t *testing.T) { ledgertest.Agreement(t, factory) })
//	}
//
// For tests of other things a ledger of package sqlite in memory is quick enough.
package ledgertest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer"
)

// Ledger is what is put to the test.
type Ledger interface {
	mailer.Ledger
	// Shutdown refuses new calls, waits for those in hand, and releases what the
	// ledger holds. If ctx ends first, it returns an error that wraps its cause, and
	// the rest ends by itself. It may be called again.
	Shutdown(ctx context.Context) error
}

// Storage is the place where ledgers keep their record: a file, a database. What one of them
// wrote the others read. Its methods are called by one goroutine at a time.
type Storage interface {
	// Open opens one more ledger on the storage, with an owner of its own, as another process
	// would.
	Open() (Ledger, error)
	// Kill ends a ledger as kill -9 does: nothing is released, no heartbeat follows. To shut it
	// down afterwards does nothing.
	Kill(Ledger) error
	// Beat makes the heartbeat of each ledger that is alive come now. The time was moved by
	// [Alive] at most since the last call.
	Beat() error
}

// Factory makes an empty storage whose ledgers go by the time that now tells, which moves only
// when a test moves it. What the storage needs is cleaned up with t.
type Factory func(t testing.TB, now func() time.Time) Storage

// Expiry is within which time the claims of a dead owner are free, and Alive how long a claim
// lasts at least without any heartbeat.
const (
	Expiry = 30 * time.Second
	Alive  = 5 * time.Second
)

// clock is a time that moves only when told to. It is safe for concurrent use.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

// newClock returns a clock that stands at a time without fractions of a second.
func newClock() *clock {
	return &clock{now: time.Date(2027, 4, 1, 9, 0, 0, 0, time.UTC)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Move moves the time on or, if d is negative, sets it back.
func (c *clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Conformance checks that a ledger keeps each promise of mailer.Ledger.
func Conformance(t *testing.T, factory Factory) {
	for _, group := range []struct {
		name string
		laws []law
	}{
		{"Read", reading},
		{"Claim", claiming},
		{"Fence", fencing},
		{"Write", writing},
		{"Crash", crashing},
		{"Together", together},
	} {
		t.Run(group.name, func(t *testing.T) { check(t, factory, group.laws) })
	}
}

func check(t *testing.T, factory Factory, laws []law) {
	for _, law := range laws {
		t.Run(law.name, func(t *testing.T) {
			t.Parallel()
			clock := newClock()
			law.check(&trial{T: t, clock: clock, storage: factory(t, clock.Now)})
		})
	}
}

// law is one promise.
type law struct {
	name  string
	check func(t *trial)
}

// trial is a storage with one promise on it.
type trial struct {
	*testing.T
	clock   *clock
	storage Storage
}

// open opens a ledger that is shut down at the end of the test.
func (t *trial) open() Ledger {
	t.Helper()
	l, err := t.storage.Open()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Shutdown(context.Background())) })
	return l
}

func (t *trial) kill(l Ledger) {
	t.Helper()
	require.NoError(t, t.storage.Kill(l))
}

// pass lets time pass, with its heartbeats.
func (t *trial) pass(d time.Duration) {
	t.Helper()
	require.NoError(t, pass(t.clock, t.storage, d))
}

func pass(clock *clock, storage Storage, d time.Duration) error {
	for ; d > 0; d -= Alive {
		clock.Move(min(d, Alive))
		if err := storage.Beat(); err != nil {
			return err
		}
	}
	return nil
}
