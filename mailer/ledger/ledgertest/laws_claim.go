package ledgertest

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

func (t *trial) inProgress(l Ledger, keys ...ledger.Key) {
	t.Helper()
	c, err := l.Claim(t.Context(), keys...)
	require.ErrorIs(t, err, ledger.ErrInProgress)
	require.Zero(t, c)
}

var claiming = []law{
	{"what is held is in progress for everybody, its holder included, until it is released", func(t *trial) {
		l, other := t.open(), t.open()
		c := t.claim(l, anna)
		assert.Equal(t, []ledger.Key{anna}, c.Keys)
		t.inProgress(other, anna)
		t.inProgress(l, anna)
		t.release(l, c)
		t.release(other, t.claim(other, anna))
		t.claim(l, anna)
	}},
	{"all of the keys are claimed or none", func(t *trial) {
		l, other := t.open(), t.open()
		c := t.claim(l, ben)
		t.inProgress(other, anna, ben, carl)
		t.release(other, t.claim(other, anna, carl))
		t.release(l, c)
		all := t.claim(other, anna, ben, carl)
		for _, key := range all.Keys {
			t.inProgress(l, key)
		}
		t.release(other, all)
		t.claim(l, anna, ben, carl)
	}},
	{"tokens grow, whichever ledger claims and whatever", func(t *trial) {
		l, other := t.open(), t.open()
		last := int64(0)
		for i := range 6 {
			by := []Ledger{l, other}[i%2]
			key := []ledger.Key{anna, ben, carl}[i%3]
			c := t.claim(by, key)
			require.Greater(t, c.Token, last)
			last = c.Token
			t.release(by, c)
		}
		require.NoError(t, l.Shutdown(t.Context()))
		assert.Greater(t, t.claim(t.open(), anna).Token, last)
	}},
	{"of many that reach for the same keys at once exactly one has them", func(t *trial) {
		ledgers := []Ledger{t.open(), t.open(), t.open()}
		for range 5 {
			var won atomic.Int64
			var winner atomic.Pointer[func()]
			var group sync.WaitGroup
			for _, l := range ledgers {
				for _, keys := range [][]ledger.Key{{anna, ben}, {ben, anna}, {ben}} {
					group.Go(func() {
						c, err := l.Claim(t.Context(), keys...)
						switch {
						case err == nil:
							won.Add(1)
							release := func() { t.release(l, c) }
							winner.Store(&release)
						case !errors.Is(err, ledger.ErrInProgress):
							t.Errorf("claim: %v", err)
						}
					})
				}
			}
			group.Wait()
			require.EqualValues(t, 1, won.Load())
			(*winner.Load())()
		}
	}},
	{"a claim lives as long as its owner, however long that works", func(t *trial) {
		l, other := t.open(), t.open()
		c := t.claim(l, anna)
		t.pass(3 * time.Minute)
		t.inProgress(other, anna)
		t.create(l, c, made(anna))
	}},
	{"the claim of a dead owner is not free at once, and free within half a minute", func(t *trial) {
		l, other := t.open(), t.open()
		t.claim(l, anna, ben)
		t.pass(time.Minute)
		t.kill(l)
		t.pass(Alive)
		t.inProgress(other, ben)
		t.pass(Expiry - Alive)
		t.claim(other, ben)
		t.claim(other, anna)
	}},
	{
		"the claim of a run that died while the clock was ahead is in hand, and free within half a minute of a claim",
		func(t *trial) {
			t.clock.Move(24 * time.Hour)
			l := t.open()
			t.claim(l, anna, ben)
			t.claim(l, carl)
			t.kill(l)
			t.clock.Move(-24 * time.Hour)
			short, long := t.open(), t.open() // the one that asks need not be there for as long
			t.inProgress(short, carl)
			require.NoError(t, short.Shutdown(t.Context()))
			t.inProgress(long, ben, anna)
			t.pass(Alive)
			t.inProgress(long, anna)
			t.inProgress(t.open(), carl)
			t.pass(Expiry - Alive)
			t.claim(long, anna, ben)
			t.claim(t.open(), carl)
		},
	},
	{"a clock that is set back takes nothing from who is alive, however long that works", func(t *trial) {
		t.clock.Move(24 * time.Hour)
		l, other := t.open(), t.open()
		c := t.claim(l, anna)
		t.clock.Move(-24 * time.Hour)
		t.inProgress(other, anna)
		for range 12 {
			t.pass(Alive)
			t.inProgress(other, anna)
			t.clock.Move(-time.Hour)
			t.inProgress(t.open(), anna)
		}
		t.create(l, c, made(anna))
		t.release(l, c)
		t.claim(other, anna)
	}},
}

// fenced is a claim that ran out, with one that took its place.
func (t *trial) fenced(before func(l Ledger, c ledger.Claim)) (l Ledger, stale, fresh ledger.Claim) {
	t.Helper()
	dead := t.open()
	stale = t.claim(dead, anna, ben)
	if before != nil {
		before(dead, stale)
	}
	t.kill(dead)
	t.pass(Expiry)
	l = t.open()
	return l, stale, t.claim(l, anna)
}

var fencing = []law{
	{"a claim that was taken over writes nothing", func(t *trial) {
		l, stale, fresh := t.fenced(func(l Ledger, c ledger.Claim) { t.create(l, c, made(anna)) })
		t.submit(l, fresh, anna, "fresh@example.com")
		want := t.load(l, anna)
		require.ErrorIs(t, l.Create(t.Context(), stale, made(anna)), ledger.ErrClaimLost)
		require.ErrorIs(t, l.Submitting(t.Context(), stale, anna, submission("stale@example.com")), ledger.ErrClaimLost)
		require.ErrorIs(t, l.Finish(t.Context(), stale, anna, sent), ledger.ErrClaimLost)
		require.NoError(t, l.Release(t.Context(), stale))
		assert.Equal(t, want, t.load(l, anna))
		t.inProgress(t.open(), anna)
		t.finish(l, fresh, anna, sent)
	}},
	{"a group of which one claim was taken over is not created at all", func(t *trial) {
		l, stale, _ := t.fenced(nil)
		require.ErrorIs(t, l.Create(t.Context(), stale, made(ben), made(anna)), ledger.ErrClaimLost)
		assert.False(t, t.lookup(l, ben).Known)
		assert.False(t, t.lookup(l, anna).Known)
	}},
	{"a claim writes nothing of an invite that it does not hold", func(t *trial) {
		l := t.open()
		c := t.claim(l, anna)
		require.ErrorIs(t, l.Create(t.Context(), c, made(carl)), ledger.ErrClaimLost)
		require.ErrorIs(t, l.Create(t.Context(), c, made(anna), made(carl)), ledger.ErrClaimLost)
		require.ErrorIs(t, l.Create(t.Context(), ledger.Claim{Keys: []ledger.Key{ben}}, made(ben)), ledger.ErrClaimLost)
		for _, key := range []ledger.Key{anna, ben, carl} {
			assert.False(t, t.lookup(l, key).Known)
		}
	}},
}
