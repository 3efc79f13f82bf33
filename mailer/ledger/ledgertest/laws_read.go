package ledgertest

import (
	"context"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

var reading = []law{
	{"a key that was not written is unknown, and asking does not make it known", func(t *trial) {
		l := t.open()
		for range 2 {
			assert.Equal(t, ledger.Entry{Key: anna}, t.lookup(l, anna))
		}
		members, err := l.Members(t.Context(), anna.InviteID)
		require.NoError(t, err)
		assert.Empty(t, members)
	}},
	{"no keys are no entries", func(t *trial) {
		found, err := t.open().Lookup(t.Context())
		require.NoError(t, err)
		assert.Empty(t, found)
	}},
	{"entries come in the order of the keys, each as often as it is asked for", func(t *trial) {
		l := t.open()
		t.mail(l, made(anna), "1@example.com", sent)
		t.mail(l, made(carl), "2@example.com", sent)
		found, err := l.Lookup(t.Context(), carl, ben, anna, carl)
		require.NoError(t, err)
		require.Len(t, found, 4)
		for i, want := range []ledger.Key{carl, ben, anna, carl} {
			assert.Equal(t, want, found[i].Key)
			assert.Equal(t, want != ben, found[i].Known)
		}
	}},
	{"every fact that was recorded is read back", func(t *trial) {
		l := t.open()
		c := t.claim(l, anna)
		t.create(l, c, made(anna))
		want := made(anna).Revision
		want.Number, want.At, want.CreatedAt = 1, t.clock.Now(), t.clock.Now()
		e := t.load(l, anna)
		assert.Equal(t, ledger.Entry{
			Key: anna, Known: true, Grouped: true, Recipient: "Wire.anna@example.com",
			UID: "uid-of-board-meeting", EndsAt: made(anna).EndsAt, Latest: &want,
		}, e)

		t.pass(time.Minute)
		s := submission("1@example.com")
		s.Kind, s.Resend = "update", 7
		require.NoError(t, l.Submitting(t.Context(), c, anna, s))
		want.State, want.Kind, want.Resend, want.Attempts = ledger.Submitting, "update", 7, 1
		want.MessageID, want.FromName, want.FromEmail, want.Message = s.MessageID, s.FromName, s.FromEmail, &s.Message
		want.At, want.SubmittedAt = t.clock.Now(), t.clock.Now()
		want.Copies, want.FirstSubmittedAt = 1, t.clock.Now()
		assert.Equal(t, &want, t.latest(l, anna))

		t.pass(time.Minute)
		t.finish(l, c, anna, ledger.Result{
			State: ledger.Failed, Permanent: true, Unusable: true,
			Stage: "submit", Code: "rejected", Detail: "no such “user”", Reply: "550 5.1.1 no such user",
		})
		want.State, want.Permanent, want.Unusable = ledger.Failed, true, true
		want.Stage, want.Code, want.Detail, want.Reply = "submit", "rejected", "no such “user”",
			"550 5.1.1 no such user"
		want.At, want.Message = t.clock.Now(), nil
		assert.Equal(t, &want, t.latest(l, anna))
	}},
	{"Lookup is Load without calendars and messages", func(t *trial) {
		l := t.open()
		c := t.claim(l, anna)
		t.create(l, c, made(anna))
		t.submit(l, c, anna, "1@example.com")
		want := t.load(l, anna)
		require.NotNil(t, want.Latest)
		assert.NotEmpty(t, want.Latest.Calendar)
		assert.NotNil(t, want.Latest.Message)
		want.Latest.Calendar, want.Latest.Message = nil, nil
		assert.Equal(t, want.Latest, t.lookup(l, anna).Latest)
		assert.Equal(t, want.Key, t.lookup(l, anna).Key)
	}},
	{"the members of an invite id are all of its recipients and no others, ordered by address", func(t *trial) {
		l := t.open()
		for _, key := range []ledger.Key{carl, ben, anna} {
			t.mail(l, made(key), key.Address, sent)
		}
		members, err := l.Members(t.Context(), anna.InviteID)
		require.NoError(t, err)
		assert.Equal(t, []ledger.Entry{t.lookup(l, anna), t.lookup(l, ben)}, members)
	}},
	{"what is handed out is the caller's own", func(t *trial) {
		l := t.open()
		m := made(anna)
		c := t.claim(l, anna)
		t.create(l, c, m)
		want := t.load(l, anna)
		clear(m.Revision.Calendar)
		got := t.load(l, anna)
		require.Equal(t, want, got)
		clear(got.Latest.Calendar)
		got.Latest.State = ledger.Failed
		assert.Equal(t, want, t.load(l, anna))
	}},
	{"a context that is over reads and writes nothing", func(t *trial) {
		l := t.open()
		c := t.claim(l, anna)
		over, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := l.Lookup(over, anna)
		require.ErrorIs(t, err, context.Canceled)
		_, err = l.Claim(over, ben)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, l.Create(over, c, made(anna)), context.Canceled)
		assert.False(t, t.lookup(l, anna).Known)
	}},
	{"what was written is read by another ledger and after a reopening", func(t *trial) {
		l := t.open()
		other := t.open()
		t.mail(l, made(anna), "1@example.com", ledger.Result{State: ledger.Unknown, Detail: "no answer"})
		want := t.load(l, anna)
		require.NotNil(t, want.Latest)
		require.NotNil(t, want.Latest.Message)
		assert.Equal(t, want, t.load(other, anna))
		require.NoError(t, l.Shutdown(t.Context()))
		require.NoError(t, other.Shutdown(t.Context()))
		assert.Equal(t, want, t.load(t.open(), anna))
	}},
}
