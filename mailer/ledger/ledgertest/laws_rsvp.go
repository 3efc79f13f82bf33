package ledgertest

import (
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/rsvp"
)

// answerLedger is a ledger that keeps RSVPs as well.
type answerLedger interface {
	Ledger
	rsvp.RefreshStore
}

// Answers checks that a ledger keeps the promises of rsvp.RefreshStore: it records
// what is news by the rules of ledger.History and nothing else, and asks anew when a
// mail has left that does. The storage's ledgers must have its methods.
func Answers(t *testing.T, factory Factory) {
	check(t, factory, answering)
}

// answerer opens a ledger that keeps RSVPs.
func (t *trial) answerer() answerLedger {
	t.Helper()
	l, ok := t.open().(answerLedger)
	require.True(t, ok, "the ledger keeps no RSVPs")
	return l
}

// request mails a request that asks anew or not; word is the API's.
func (t *trial) request(l Ledger, key ledger.Key, anew bool, word string, messageID string, o ledger.Result) {
	t.Helper()
	m := made(key)
	m.AsksAnew, m.Revision.Answer = anew, word
	m.EndsAt = t.clock.Now().AddDate(0, 1, 0)
	t.mail(l, m, messageID, o)
}

func callback(status string) ledger.RSVP {
	return ledger.RSVP{Status: status, Source: ledger.SourceCallback}
}

func (t *trial) hear(l answerLedger, r ledger.RSVP) ledger.Recorded {
	t.Helper()
	done, err := l.RecordRSVP(t.Context(), anna, r)
	require.NoError(t, err)
	require.True(t, done.Known)
	return done
}

func (t *trial) rsvps(l answerLedger) []ledger.RSVP {
	t.Helper()
	all, err := l.RSVPs(t.Context(), anna)
	require.NoError(t, err)
	return all
}

func (t *trial) keys(entries iter.Seq2[ledger.Entry, error]) (keys []ledger.Key) {
	t.Helper()
	for e, err := range entries {
		require.NoError(t, err)
		keys = append(keys, e.Key)
	}
	return keys
}

var answering = []law{
	{"every fact of an answer is read back, by any ledger", func(t *trial) {
		l := t.answerer()
		t.request(l, anna, true, "pending", "1@example.com", sent)
		assert.Nil(t, t.lookup(l, anna).RSVP)
		assert.Empty(t, t.rsvps(l))
		day := t.clock.Now().AddDate(0, 0, 9)
		first := ledger.RSVP{
			Status:   "tentative",
			Comment:  "späť \x00 \"'; --",
			Proposal: &ledger.Proposal{Start: day, End: day.Add(time.Hour), TZID: "Europe/Bratislava"},
			By:       "colleague@example.com",
			Reply:    &ledger.Reply{Status: "declined", Comment: "no", Proposal: &ledger.Proposal{Start: day}},
			Source:   ledger.SourceCallback,
		}
		assert.Equal(t, ledger.Recorded{Known: true, Verdict: ledger.News}, t.hear(l, first))
		first.Number, first.Revision, first.At = 1, 1, t.clock.Now()
		second := ledger.RSVP{Status: "accepted", Source: ledger.SourceStatus,
			At: t.clock.Now().Add(time.Second), Delivered: true}
		assert.Equal(t, ledger.Recorded{Known: true, Verdict: ledger.News, Before: &first}, t.hear(l, second))
		second.Number, second.Revision = 2, 1
		other := t.answerer()
		assert.Equal(t, []ledger.RSVP{first, second}, t.rsvps(other))
		for _, e := range []ledger.Entry{t.lookup(other, anna), t.load(other, anna)} {
			assert.Equal(t, &second, e.RSVP)
		}
	}},
	{"an answer to what is not known is not kept", func(t *trial) {
		l := t.answerer()
		done, err := l.RecordRSVP(t.Context(), anna, callback("accepted"))
		require.NoError(t, err)
		assert.Zero(t, done)
		assert.Empty(t, t.rsvps(l))
		assert.Equal(t, ledger.Entry{Key: anna}, t.lookup(l, anna))
	}},
	{"a revision says what it asks: its own, or what the last mail did", func(t *trial) {
		l := t.answerer()
		asks := func() (asks []int64) {
			e := t.lookup(l, anna)
			return []int64{e.Latest.Number, e.Latest.Asks}
		}
		t.request(l, anna, true, "pending", "1@example.com", sent)
		assert.Equal(t, []int64{1, 1}, asks())
		t.request(l, anna, false, "accepted", "2@example.com", sent)
		assert.Equal(t, []int64{2, 1}, asks())
		assert.Equal(t, "accepted", t.lookup(l, anna).Latest.Answer)
		t.request(l, anna, true, "pending", "3@example.com", ledger.Result{State: ledger.Deferred})
		assert.Equal(t, []int64{3, 3}, asks())
		t.request(l, anna, false, "pending", "4@example.com", sent)
		assert.Equal(t, []int64{4, 1}, asks(), "the third was not mailed")
		t.request(l, anna, true, "pending", "5@example.com", ledger.Result{State: ledger.Unknown})
		t.request(l, anna, false, "pending", "6@example.com", sent)
		assert.Equal(t, []int64{6, 5}, asks())
	}},
	{
		"when a mail has left that asks anew, and the API says pending, that is recorded and not yet delivered",
		func(t *trial) {
			for _, o := range []ledger.Result{sent, {State: ledger.Unknown}, {State: ledger.Deferred},
				{State: ledger.Failed}} {
				t.clock.Move(time.Hour)
				key := anna
				key.InviteID += string(o.State)
				l := t.answerer()
				t.request(l, key, true, "pending", "1@example.com", sent)
				done, err := l.RecordRSVP(t.Context(), key, ledger.RSVP{Status: "accepted",
					Source: ledger.SourceCallback, Delivered: true})
				require.NoError(t, err)
				require.Equal(t, ledger.News, done.Verdict)
				t.request(l, key, true, "pending", "2@example.com", o)
				all, err := l.RSVPs(t.Context(), key)
				require.NoError(t, err)
				if !o.State.MayHaveLeft() {
					assert.Len(t, all, 1, o.State)
					assert.Equal(t, &all[0], t.lookup(l, key).RSVP)
					continue
				}
				require.Len(t, all, 2, o.State)
				assert.Equal(t, ledger.RSVP{Number: 2, Revision: 2, Status: "pending",
					Source: ledger.SourceUpdate, At: t.clock.Now()}, all[1])
				assert.Equal(t, &all[1], t.lookup(l, key).RSVP)
				assert.Contains(t, t.keys(l.Undelivered(t.Context())), key)
			}
		},
	},
	{"so it is when a crash left open whether the mail did", func(t *trial) {
		dead := t.answerer()
		t.request(dead, anna, true, "pending", "1@example.com", sent)
		t.hear(dead, callback("accepted"))
		c := t.claim(dead, anna)
		m := made(anna)
		m.AsksAnew, m.Revision.Answer = true, "pending"
		t.create(dead, c, m)
		t.submit(dead, c, anna, "2@example.com")
		t.kill(dead)
		t.pass(Expiry)
		l := t.answerer()
		assert.Len(t, t.rsvps(l), 1)
		c = t.claim(l, anna)
		t.submit(l, c, anna, "2@example.com")
		t.finish(l, c, anna, ledger.Result{State: ledger.Failed})
		require.Len(t, t.rsvps(l), 2, "the first time it may have left")
		assert.Equal(t, ledger.SourceUpdate, t.rsvps(l)[1].Source)
	}},
	{"nothing is recorded by a mail that asks the same, or of which the API keeps its word", func(t *trial) {
		l := t.answerer()
		t.request(l, anna, true, "pending", "1@example.com", sent)
		t.hear(l, callback("accepted"))
		t.request(l, anna, false, "pending", "2@example.com", sent)
		assert.Len(t, t.rsvps(l), 1)
		t.request(l, anna, true, "accepted", "3@example.com", sent)
		assert.Len(t, t.rsvps(l), 1)
		e := t.lookup(l, anna)
		assert.True(t, e.Outdated())
		t.clock.Move(25 * time.Hour)
		assert.Equal(t, ledger.News, t.hear(l, callback("accepted")).Verdict)
		e = t.lookup(l, anna)
		assert.False(t, e.Outdated())
		assert.EqualValues(t, 3, e.RSVP.Revision)
	}},
	{"what may be stale is kept, once, and is not the latest answer and not to be told", func(t *trial) {
		l := t.answerer()
		t.request(l, anna, true, "pending", "1@example.com", sent)
		t.hear(l, ledger.RSVP{Status: "accepted", Source: ledger.SourceCallback, Delivered: true})
		t.clock.Move(time.Hour)
		t.request(l, anna, true, "pending", "2@example.com", sent)
		require.NoError(t, l.RSVPDelivered(t.Context(), anna, 2, false))
		before := t.lookup(l, anna).RSVP
		for range 2 {
			assert.Equal(t, ledger.Recorded{Known: true, Verdict: ledger.PossiblyStale, Before: before}, t.hear(l,
				callback("accepted")))
		}
		all := t.rsvps(l)
		require.Len(t, all, 3)
		assert.True(t, all[2].Stale)
		assert.True(t, all[2].Delivered)
		assert.Equal(t, before, t.lookup(l, anna).RSVP)
		assert.Empty(t, t.keys(l.Undelivered(t.Context())))
		assert.Equal(t, ledger.News, t.hear(l, ledger.RSVP{Status: "accepted", Source: ledger.SourceStatus}).Verdict)
		assert.EqualValues(t, 4, t.lookup(l, anna).RSVP.Number)
	}},
	{"a callback that was not answered is awaited until it is", func(t *trial) {
		l := t.answerer()
		t.request(l, anna, true, "pending", "1@example.com", sent)
		t.hear(l, callback("accepted"))
		require.NoError(t, l.RSVPDelivered(t.Context(), anna, 1, false))
		assert.Equal(t, ledger.News, t.hear(l, callback("declined")).Verdict)
		assert.Equal(t, ledger.Late, t.hear(l, callback("accepted")).Verdict)
		require.NoError(t, l.RSVPDelivered(t.Context(), anna, 2, true))
		assert.Equal(t, ledger.News, t.hear(l, callback("accepted")).Verdict)
		assert.Equal(t, ledger.News, t.hear(l, callback("declined")).Verdict)
		require.NoError(t, l.RSVPDelivered(t.Context(), anna, 4, false))
		assert.Equal(t, ledger.Repeated, t.hear(l, callback("declined")).Verdict)
		assert.Equal(t, ledger.News, t.hear(l, callback("tentative")).Verdict)
		assert.Equal(t, ledger.News, t.hear(l, callback("declined")).Verdict, "its repeat has come")
	}},
	{"what is delivered is not undelivered", func(t *trial) {
		l := t.answerer()
		for _, key := range []ledger.Key{anna, ben} {
			t.request(l, key, true, "pending", key.Address, sent)
		}
		assert.Empty(t, t.keys(l.Undelivered(t.Context())))
		t.hear(l, callback("accepted"))
		t.hear(l, callback("declined"))
		assert.Equal(t, []ledger.Key{anna}, t.keys(l.Undelivered(t.Context())))
		require.NoError(t, l.RSVPDelivered(t.Context(), anna, 2, true))
		assert.Equal(t, []ledger.Key{anna}, t.keys(l.Undelivered(t.Context())))
		require.NoError(t, l.RSVPDelivered(t.Context(), anna, 1, true))
		require.NoError(t, l.RSVPDelivered(t.Context(), anna, 1, true))
		require.NoError(t, l.RSVPDelivered(t.Context(), anna, 99, true))
		assert.Empty(t, t.keys(l.Undelivered(t.Context())))
	}},
	{
		"the API is asked about the longest ago first, and at once about what asks anew or may be stale",
		func(t *trial) {
			l := t.answerer()
			now := t.clock.Now()
			for _, key := range []ledger.Key{anna, ben, carl} {
				t.request(l, key, true, "pending", key.Address, sent)
			}
			upcoming := func() []ledger.Key { return t.keys(l.Upcoming(t.Context(), now, now)) }
			assert.Equal(t, []ledger.Key{anna, ben, carl}, upcoming())
			require.NoError(t, l.Asked(t.Context(), anna, now.Add(-time.Minute)))
			require.NoError(t, l.Asked(t.Context(), ben, now.Add(-time.Hour)))
			require.NoError(t, l.Asked(t.Context(), carl, now))
			assert.Equal(t, []ledger.Key{ben, anna}, upcoming())
			require.NoError(t, l.Asked(t.Context(), ledger.Key{InviteID: anna.InviteID}, now), "all of a group")
			assert.Empty(t, upcoming())
			t.hear(l, callback("accepted"))
			assert.Empty(t, upcoming())
			t.request(l, anna, true, "pending", "2@example.com", sent)
			assert.Equal(t, []ledger.Key{anna}, upcoming())
			require.NoError(t, l.Asked(t.Context(), anna, now))
			t.hear(l, callback("accepted"))
			assert.Equal(t, []ledger.Key{anna}, upcoming())
			assert.Empty(t, t.keys(l.Upcoming(t.Context(), now.AddDate(1, 0, 0), now)), "it is over")
		},
	},
	{"of an invite the last hundred answers are kept", func(t *trial) {
		l := t.answerer()
		t.request(l, anna, true, "pending", "1@example.com", sent)
		for i := range 120 {
			r := callback([]string{"accepted", "declined"}[i%2])
			r.Delivered = true
			assert.Equal(t, ledger.News, t.hear(l, r).Verdict)
		}
		all := t.rsvps(l)
		require.Len(t, all, 100)
		assert.EqualValues(t, 21, all[0].Number)
		assert.EqualValues(t, 120, t.lookup(l, anna).RSVP.Number)
	}},
}
