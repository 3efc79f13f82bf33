package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// crowd is how many write at the same time: enough that a ledger which lets writes
// share a transaction has something to share.
const crowd = 24

func seat(i int) ledger.Key {
	return ledger.Key{InviteID: "general-assembly", Address: fmt.Sprintf("member-%02d@example.com", i)}
}

// atOnce runs do for each of the crowd at the same time.
func atOnce(do func(i int)) {
	var group sync.WaitGroup
	for i := range crowd {
		group.Go(func() { do(i) })
	}
	group.Wait()
}

var together = []law{
	{"many that write at the same time write their own, each in its order", func(t *trial) {
		ledgers := []Ledger{t.open(), t.open()}
		atOnce(func(i int) {
			l, key, ctx := ledgers[i%len(ledgers)], seat(i), t.Context()
			id := fmt.Sprintf("%d@example.com", i)
			for try := 1; try <= 2; try++ {
				c, err := l.Claim(ctx, key)
				if !assert.NoError(t, err) {
					return
				}
				assert.NoError(t, l.Create(ctx, c, changed(key, fmt.Sprintf("v1:%d/%d", i, try))))
				assert.NoError(t, l.Submitting(ctx, c, key, submission(id)))
				now, err := l.Load(ctx, key)
				if assert.NoError(t, err) {
					assert.Equal(t, ledger.Submitting, now[0].Latest.State, "what returned is read")
					assert.EqualValues(t, try, now[0].Latest.Number)
				}
				assert.NoError(t, l.Finish(ctx, c, key, sent))
				assert.NoError(t, l.Release(ctx, c))
			}
		})
		for i := range crowd {
			e := t.load(ledgers[0], seat(i))
			require.NotNil(t, e.Latest)
			assert.EqualValues(t, 2, e.Latest.Number)
			assert.Equal(t, fmt.Sprintf("v1:%d/2", i), e.Latest.Fingerprint)
			assert.Equal(t, ledger.Sent, e.Latest.State)
			assert.Equal(t, fmt.Sprintf("%d@example.com", i), e.Latest.MessageID)
			assert.Nil(t, e.Latest.Message)
			t.claim(ledgers[1], seat(i))
		}
	}},
	{"tokens are given once, however many claim at the same time", func(t *trial) {
		ledgers := []Ledger{t.open(), t.open()}
		var tokens sync.Map
		atOnce(func(i int) {
			c, err := ledgers[i%len(ledgers)].Claim(t.Context(), seat(i))
			assert.NoError(t, err)
			_, twice := tokens.LoadOrStore(c.Token, i)
			assert.False(t, twice, "token %d", c.Token)
		})
	}},
	{"what is refused takes nothing with it, and leaves nothing behind", func(t *trial) {
		l := t.open()
		stale := t.claim(l, seat(0))
		t.release(l, stale)
		held := t.claim(l, anna)
		atOnce(func(i int) {
			ctx, key := t.Context(), seat(i)
			switch i % 4 {
			case 0: // nothing is wrong with these
				c, err := l.Claim(ctx, key)
				assert.NoError(t, err)
				assert.NoError(t, l.Create(ctx, c, made(key)))
			case 1: // the first key is free
				_, err := l.Claim(ctx, key, anna)
				assert.ErrorIs(t, err, ledger.ErrInProgress)
			case 2: // the first is held
				assert.ErrorIs(t, l.Create(ctx, held, made(anna), made(key)), ledger.ErrClaimLost)
			case 3:
				assert.Error(t, l.Finish(ctx, held, anna, sent), "it has no revision")
				assert.ErrorIs(t, l.Submitting(ctx, stale, key, submission("1@example.com")), ledger.ErrClaimLost)
			}
		})
		for i := range crowd {
			e := t.lookup(l, seat(i))
			assert.Equal(t, i%4 == 0, e.Known, "%d", i)
			if i%4 != 0 {
				t.claim(l, seat(i))
			}
		}
		assert.False(t, t.lookup(l, anna).Known)
		t.create(l, held, made(anna))
	}},
	{"of many writes for one invite each one counts", func(t *trial) {
		l := t.open()
		c := t.claim(l, anna)
		t.create(l, c, made(anna))
		atOnce(func(int) { assert.NoError(t, l.Submitting(t.Context(), c, anna, submission("1@example.com"))) })
		assert.Equal(t, crowd, t.latest(l, anna).Attempts)
		atOnce(func(i int) { assert.NoError(t, l.Create(t.Context(), c, changed(anna, fmt.Sprint("v1:", i)))) })
		assert.EqualValues(t, 1+crowd, t.latest(l, anna).Number)
		assert.EqualValues(t, 1, t.lookup(l, anna).LastSent.Number)
	}},
	{"a context that ended writes nothing, and one that ends writes all or nothing", func(t *trial) {
		l := t.open()
		over, end := context.WithCancel(t.Context())
		end()
		ending, end := context.WithCancel(t.Context())
		defer end()
		var claimed [crowd]ledger.Claim
		atOnce(func(i int) {
			switch i % 3 {
			case 0:
				_, err := l.Claim(over, seat(i))
				assert.ErrorIs(t, err, context.Canceled)
			case 1:
				c, err := l.Claim(ending, seat(i))
				if claimed[i] = c; err != nil {
					assert.ErrorIs(t, err, context.Canceled)
				}
			case 2:
				c, err := l.Claim(t.Context(), seat(i))
				assert.NoError(t, err, "others gave up")
				claimed[i] = c
				end()
			}
		})
		for i, c := range claimed {
			if c.Token == 0 { // none has it, so that an error means that nothing was written
				t.claim(l, seat(i))
				continue
			}
			t.inProgress(l, seat(i))
			t.create(l, c, made(seat(i)))
		}
	}},
	{"closing in the middle of claims leaves none", func(t *trial) {
		l, other := t.open(), t.open()
		var begun sync.WaitGroup
		begun.Add(crowd)
		var group sync.WaitGroup
		for i := range crowd {
			group.Go(func() {
				begun.Done()
				// Refused or not, it is not alive any more.
				if _, err := l.Claim(t.Context(), seat(i)); errors.Is(err, ledger.ErrInProgress) {
					t.Errorf("claim %d: %v", i, err)
				}
			})
		}
		begun.Wait()
		require.NoError(t, l.Shutdown(t.Context()))
		group.Wait()
		for i := range crowd {
			t.claim(other, seat(i))
		}
	}},
}
