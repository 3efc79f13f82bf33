package ledgertest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// eraser is a ledger that forgets what is past.
type eraser interface {
	Ledger
	Forget(ctx context.Context, before time.Time) (n int, err error)
}

// Erasing checks that a ledger with the method Forget(context.Context, time.Time) (int, error)
// removes the invites whose event was over before that time, and nothing else, and keeps of them
// only that they are forgotten. That no copy of an address is left is for the store to prove.
func Erasing(t *testing.T, factory Factory) {
	check(t, factory, erasing)
}

// past records an invite that was over, or is, at a time.
func (t *trial) past(l Ledger, id string, endsAt time.Time, state ledger.State) ledger.Key {
	t.Helper()
	m := made(ledger.Key{InviteID: id, Address: anna.Address})
	m.EndsAt, m.Revision.State = endsAt, state
	c := t.claim(l, m.Key)
	t.create(l, c, m)
	t.release(l, c)
	return m.Key
}

// forget forgets, and returns what of keys is forgotten. No other may be, and each counts.
func (t *trial) forget(l eraser, before time.Time, keys ...ledger.Key) (forgotten []ledger.Key) {
	t.Helper()
	n, err := l.Forget(t.Context(), before)
	require.NoError(t, err)
	found, err := l.Lookup(t.Context(), keys...)
	require.NoError(t, err)
	for i, e := range found {
		require.True(t, e.Known)
		if e.Forgotten {
			forgotten = append(forgotten, e.Key)
			assert.Equal(t, ledger.Entry{Key: keys[i], Known: true, Forgotten: true}, e)
		}
	}
	assert.Len(t, forgotten, n)
	return forgotten
}

var erasing = []law{
	{"what was over before that time is forgotten, however it ended, and nothing else", func(t *trial) {
		l := t.open().(eraser)
		longAgo := t.past(l, "no end, long ago", time.Time{}, ledger.Sent)
		t.clock.Move(48 * time.Hour)
		now := t.clock.Now()
		keys := []ledger.Key{
			longAgo,
			t.past(l, "past and sent", now.Add(-25*time.Hour), ledger.Sent),
			t.past(l, "past and unknown", now.Add(-25*time.Hour), ledger.Unknown),
			t.past(l, "past and never sent", now.Add(-25*time.Hour), ledger.Created),
			t.past(l, "at that moment", now.Add(-24*time.Hour), ledger.Sent),
			t.past(l, "no end, today", time.Time{}, ledger.Sent),
			t.past(l, "yesterday", now.Add(-23*time.Hour), ledger.Sent),
			t.past(l, "past and in hand", now.Add(-25*time.Hour), ledger.Sent),
			t.past(l, "tomorrow", now.Add(24*time.Hour), ledger.Sent),
		}
		c := t.claim(l, keys[7])
		assert.Equal(t, keys[:4], t.forget(l, now.Add(-24*time.Hour), keys...))
		t.release(l, c)
		t.clock.Move(time.Second)
		n, err := l.Forget(t.Context(), now.Add(1000*time.Hour))
		require.NoError(t, err)
		assert.Equal(t, 4, n, "what is not over is never forgotten")
		assert.False(t, t.lookup(l, keys[8]).Forgotten)
	}},
	{"a forgotten key is told apart from others, until it is invited anew on purpose", func(t *trial) {
		l := t.open().(eraser)
		t.past(l, anna.InviteID, t.clock.Now().Add(-time.Hour), ledger.Sent)
		assert.Equal(t, []ledger.Key{anna}, t.forget(l, t.clock.Now(), anna))
		joined := ledger.Key{InviteID: anna.InviteID + "a", Address: anna.Address[1:]}
		for _, key := range []ledger.Key{ben, joined} {
			assert.Equal(t, ledger.Entry{Key: key}, t.lookup(l, key))
		}
		assert.True(t, t.load(l, anna).Forgotten)
		members, err := l.Members(t.Context(), anna.InviteID)
		require.NoError(t, err)
		assert.Empty(t, members)

		t.past(l, anna.InviteID, t.clock.Now().Add(time.Hour), ledger.Sent)
		e := t.lookup(l, anna)
		assert.False(t, e.Forgotten)
		assert.EqualValues(t, 1, e.Latest.Number)
	}},
}
