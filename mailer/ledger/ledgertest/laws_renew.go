package ledgertest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Renewal checks that a ledger renews its claims by itself, which the other tests
// cannot tell: they have Storage.Beat do it. It runs in a bubble of package
// testing/synctest, whose time is that of the ledgers, and calls no Beat. What the
// factory makes must work there: it must not wait for goroutines of outside.
func Renewal(t *testing.T, factory Factory) {
	for _, law := range renewing {
		t.Run(law.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				law.check(&trial{T: t, storage: factory(t, time.Now)})
			})
		})
	}
}

var renewing = []law{
	{"a claim outlives any work of its owner", func(t *trial) {
		l, other := t.open(), t.open()
		c := t.claim(l, anna)
		for range 20 {
			time.Sleep(Expiry + time.Second)
			t.inProgress(other, anna)
		}
		t.create(l, c, made(anna))
		t.release(l, c)
		t.claim(other, anna)
	}},
	{"what is claimed later is renewed too", func(t *trial) {
		l, other := t.open(), t.open()
		t.release(l, t.claim(l, anna))
		time.Sleep(2 * Expiry)
		t.claim(l, ben)
		time.Sleep(2 * Expiry)
		t.claim(l, carl)
		time.Sleep(2 * Expiry)
		t.inProgress(other, ben)
		t.inProgress(other, carl)
		t.claim(other, anna)
	}},
	{"and no longer than its owner lives", func(t *trial) {
		l, other := t.open(), t.open()
		t.claim(l, anna)
		time.Sleep(Expiry)
		require.NoError(t, t.storage.Kill(l))
		time.Sleep(Expiry)
		t.claim(other, anna)
	}},
}
