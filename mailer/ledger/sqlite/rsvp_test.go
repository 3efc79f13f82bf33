package sqlite

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

func called(status string) ledger.RSVP {
	return ledger.RSVP{Status: status, Source: ledger.SourceCallback}
}

func asked(status string, at time.Time) ledger.RSVP {
	return ledger.RSVP{Status: status, Source: ledger.SourceStatus, At: at}
}

// hear records an answer to anna's invite and tells whether it was news.
func hear(t *testing.T, l *Ledger, r ledger.RSVP) (changed bool) {
	t.Helper()
	done, err := l.RecordRSVP(t.Context(), anna, r)
	require.NoError(t, err)
	require.True(t, done.Known)
	return done.Verdict == ledger.News
}

func latest(t *testing.T, l *Ledger) *ledger.RSVP {
	t.Helper()
	found, err := l.Lookup(t.Context(), anna)
	require.NoError(t, err)
	return found[0].RSVP
}

func TestAnswerIsKeptWhole(t *testing.T) {
	t.Parallel()
	clock := newClock()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openWith(t, Options{Path: path, Now: clock.Now})
	live(t, l, anna)
	assert.Nil(t, latest(t, l))
	day := time.Date(2027, 5, 1, 9, 0, 0, 0, time.UTC)
	first := ledger.RSVP{
		Status:   "tentative",
		Comment:  "späť \x00 \"'; --",
		Proposal: &ledger.Proposal{Start: day, End: day.Add(time.Hour), TZID: "Europe/Bratislava"},
		By:       "colleague@example.com",
		Reply:    &ledger.Reply{Status: "declined", Comment: "no", Proposal: &ledger.Proposal{Start: day}},
		Source:   ledger.SourceCallback,
	}
	done, err := l.RecordRSVP(t.Context(), anna, first)
	require.NoError(t, err)
	assert.Equal(t, ledger.Recorded{Known: true, Verdict: ledger.News}, done)
	first.Number, first.Revision, first.At = 1, 1, clock.Now()
	assert.Equal(t, &first, latest(t, l))

	second := ledger.RSVP{Status: "accepted", Source: ledger.SourceStatus,
		At: clock.Now().Add(time.Second), Delivered: true}
	done, err = l.RecordRSVP(t.Context(), anna, second)
	require.NoError(t, err)
	assert.Equal(t, ledger.Recorded{Known: true, Verdict: ledger.News, Before: &first}, done)
	second.Number, second.Revision = 2, 1
	require.NoError(t, l.Shutdown(t.Context()))

	again := openFile(t, path)
	history, err := again.RSVPs(t.Context(), anna)
	require.NoError(t, err)
	assert.Equal(t, []ledger.RSVP{first, second}, history)
	assert.Equal(t, &second, latest(t, again))
	for _, f := range []func() ([]ledger.Entry, error){
		func() ([]ledger.Entry, error) { return again.Load(t.Context(), anna) },
		func() ([]ledger.Entry, error) { return again.Members(t.Context(), anna.InviteID) },
	} {
		found, err := f()
		require.NoError(t, err)
		assert.Equal(t, &second, found[0].RSVP)
	}
}

func delivered(r ledger.RSVP) ledger.RSVP {
	r.Delivered = true
	return r
}

// Once its callback is answered, nothing is awaited: the same again is a change of mind.
func TestAnsweredCallbackIsNotAwaited(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(*testing.T, *Ledger){
		"delivered by it": func(t *testing.T, l *Ledger) {
			require.NoError(t, l.RSVPDelivered(t.Context(), anna, 1, true))
		},
		"delivered before it was repeated": func(t *testing.T, l *Ledger) {
			require.NoError(t, l.RSVPDelivered(t.Context(), anna, 1, false))
			assert.False(t, hear(t, l, called("accepted")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := openWith(t, Options{Memory: true})
			live(t, l, anna)
			assert.True(t, hear(t, l, called("accepted")))
			assert.False(t, latest(t, l).Delivered)
			answer(t, l)
			assert.True(t, latest(t, l).Delivered)
			assert.True(t, hear(t, l, called("declined")))
			assert.True(t, hear(t, l, called("accepted")))
		})
	}
}

func TestAnswerToAnUnknownInviteIsNotKept(t *testing.T) {
	t.Parallel()
	l := openWith(t, Options{Memory: true, Now: onThatDay})
	keep(t, l, anna, today.Add(-time.Hour))
	assert.True(t, hear(t, l, called("accepted")))
	_, err := l.Forget(t.Context(), today)
	require.NoError(t, err)
	for _, key := range []ledger.Key{anna, ben} {
		done, err := l.RecordRSVP(t.Context(), key, called("accepted"))
		require.NoError(t, err)
		assert.Zero(t, done)
		history, err := l.RSVPs(t.Context(), key)
		require.NoError(t, err)
		assert.Empty(t, history)
	}
	assert.Zero(t, number(t, l, "SELECT count(*) FROM rsvp"))
}

// Comments and other people's addresses are forgotten like the rest.
func TestForgottenAnswerIsGoneFromTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openWith(t, Options{Path: path, Now: onThatDay})
	keep(t, l, anna, today.Add(-time.Hour))
	r := called("declined")
	r.Comment, r.By, r.Reply = strings.Repeat("quuxcomment ", 500), "zoe.quux@secret.example",
		&ledger.Reply{Status: "accepted"}
	assert.True(t, hear(t, l, r))
	require.True(t, onDisk(t, path, "quux"), "so that its absence means something")
	_, err := l.Forget(t.Context(), today)
	require.NoError(t, err)
	assert.False(t, onDisk(t, path, "quux"))
}

// Callbacks that are replayed in turn must not fill the file.
func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	l := openWith(t, Options{Memory: true})
	live(t, l, anna)
	for i := range rsvpHistory + 20 {
		assert.True(t, hear(t, l, delivered(called([]string{"accepted", "declined"}[i%2]))))
	}
	history, err := l.RSVPs(t.Context(), anna)
	require.NoError(t, err)
	require.Len(t, history, rsvpHistory)
	assert.EqualValues(t, 21, history[0].Number)
	assert.EqualValues(t, rsvpHistory+20, latest(t, l).Number)
}

// Whatever is recorded, to record the last again changes nothing, the latest is what
// was recorded last, and each change is one row.
func TestRecordingIsIdempotent(t *testing.T) {
	t.Parallel()
	l := openWith(t, Options{Memory: true, Now: onThatDay})
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		key := benchKey(n)
		live(t, l, key)
		changes := 0
		text := rapid.StringOf(rapid.RuneFrom([]rune("aé\x00 '😀")))
		for range rapid.IntRange(1, 8).Draw(rt, "answers") {
			r := ledger.RSVP{
				Status:    rapid.SampledFrom([]string{"pending", "accepted", "declined"}).Draw(rt, "status"),
				Comment:   text.Draw(rt, "comment"),
				Source:    rapid.SampledFrom([]string{ledger.SourceCallback, ledger.SourceStatus}).Draw(rt, "source"),
				Delivered: true,
			}
			if rapid.Bool().Draw(rt, "proposed") {
				r.Proposal = &ledger.Proposal{Start: today.Add(time.Duration(rapid.Int16().Draw(rt,
					"start")) * time.Minute), TZID: text.Draw(rt, "tzid")}
			}
			if rapid.Bool().Draw(rt, "forwarded") {
				r.By = rapid.SampledFrom([]string{"ben@example.com", "zoe@example.com"}).Draw(rt, "by")
				r.Reply = &ledger.Reply{Status: "accepted", Comment: text.Draw(rt, "reply")}
			}
			done, err := l.RecordRSVP(t.Context(), key, r)
			require.NoError(rt, err)
			require.True(rt, done.Known)
			if done.Verdict == ledger.News {
				changes++
			}
			done, err = l.RecordRSVP(t.Context(), key, r)
			require.NoError(rt, err)
			require.Equal(rt, ledger.Repeated, done.Verdict)
			if done.Before != nil {
				require.True(rt, done.Before.SameState(r))
			}
		}
		history, err := l.RSVPs(t.Context(), key)
		require.NoError(rt, err)
		require.Len(rt, history, changes)
		found, err := l.Lookup(t.Context(), key)
		require.NoError(rt, err)
		if changes == 0 {
			require.Nil(rt, found[0].RSVP)
		} else {
			require.Equal(rt, history[changes-1], *found[0].RSVP)
		}
	})
}

func TestListByAnswer(t *testing.T) {
	t.Parallel()
	l := openWith(t, Options{Memory: true, Now: onThatDay})
	var keys []ledger.Key
	for i := range page + 10 {
		key := ledger.Key{InviteID: fmt.Sprintf("%03d", i), Address: "anna@example.com"}
		keys = append(keys, key)
		keep(t, l, key, today.Add(time.Duration(-i/2)*time.Hour)) // two end at the same time
		if i%5 == 0 {
			_, err := l.RecordRSVP(t.Context(), key, called("accepted"))
			require.NoError(t, err)
		}
	}
	assert.Len(t, listed(t, l, Filter{RSVP: "accepted"}), len(keys)/5)
	assert.Len(t, listed(t, l, Filter{RSVP: "pending"}), len(keys)-len(keys)/5)
	assert.Empty(t, listed(t, l, Filter{RSVP: "declined"}))
}

func TestUpcomingIsWhatCanStillBeAnswered(t *testing.T) {
	t.Parallel()
	l := openWith(t, Options{Memory: true, Now: onThatDay})
	key := func(id string) ledger.Key { return ledger.Key{InviteID: id, Address: "anna@example.com"} }
	ended := func(id string, kind ledger.Kind, endsAt time.Time, state ledger.State) {
		claim, err := l.Claim(t.Context(), key(id))
		require.NoError(t, err)
		made := benchMade(key(id))
		made.EndsAt, made.Grouped, made.Revision.Kind = endsAt, strings.HasPrefix(id, "group"), kind
		require.NoError(t, l.Create(t.Context(), claim, made))
		if state != ledger.Created {
			require.NoError(t, l.Submitting(t.Context(), claim, key(id), ledger.Submission{MessageID: id, Kind: kind,
				Message: ledger.Message{Bytes: benchMessage}}))
			require.NoError(t, l.Finish(t.Context(), claim, key(id), ledger.Result{State: state}))
		}
		require.NoError(t, l.Release(t.Context(), claim))
	}
	tomorrow := today.Add(24 * time.Hour)
	ended("sent", "invitation", tomorrow, ledger.Sent)
	ended("unknown", "invitation", tomorrow, ledger.Unknown)
	ended("recurs", "invitation", time.Time{}, ledger.Sent)
	ended("over", "invitation", today, ledger.Sent)
	ended("never left", "invitation", tomorrow, ledger.Created)
	ended("refused", "invitation", tomorrow, ledger.Failed)
	ended("cancelled", "invitation", tomorrow, ledger.Sent)
	ended("cancelled", "cancellation", tomorrow, ledger.Sent)
	ended("cancellation refused", "invitation", tomorrow, ledger.Sent)
	ended("cancellation refused", "cancellation", tomorrow, ledger.Failed)
	ended("group", "update", tomorrow, ledger.Sent)
	upcoming := func(askedBefore time.Time) (ids []string) {
		for e, err := range l.Upcoming(t.Context(), today, askedBefore) {
			require.NoError(t, err)
			ids = append(ids, e.Key.InviteID)
		}
		return ids
	}
	assert.Equal(t, []string{"sent", "unknown", "recurs", "cancellation refused", "group"}, upcoming(today))

	require.NoError(t, l.Asked(t.Context(), ledger.Key{InviteID: "group"}, today.Add(-2*time.Minute)))
	require.NoError(t, l.Asked(t.Context(), key("sent"), today.Add(-time.Minute)))
	require.NoError(t, l.Asked(t.Context(), key("recurs"), today))
	require.NoError(t, l.Asked(t.Context(), ledger.Key{InviteID: "unknown"}, today),
		"it is of one recipient, so that none is meant")
	assert.Equal(t, []string{"unknown", "cancellation refused", "group", "sent"}, upcoming(today),
		"the longest ago first")
	assert.Equal(t, []string{"unknown", "cancellation refused", "group"}, upcoming(today.Add(-time.Minute)))
}

func BenchmarkRecordRSVP(b *testing.B) {
	statuses := []string{"accepted", "declined"}
	for _, callers := range []int{1, 200} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			l := benchLedger(b, Options{Path: filepath.Join(b.TempDir(), "ledger.db")})
			for i := range callers {
				live(b, l, benchKey(i))
			}
			b.ReportAllocs()
			round := 0
			for b.Loop() {
				var group sync.WaitGroup
				for i := range callers {
					group.Go(func() {
						if done, err := l.RecordRSVP(b.Context(), benchKey(i),
							delivered(called(statuses[round%2]))); err != nil ||
							done.Verdict != ledger.News {
							b.Error(done.Verdict, err)
						}
					})
				}
				group.Wait()
				round++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(callers*round), "ns/answer")
		})
	}
}
