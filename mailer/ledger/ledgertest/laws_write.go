package ledgertest

import (
	"bytes"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// changed is the invite with another calendar.
func changed(key ledger.Key, fingerprint string) ledger.NewRevision {
	m := made(key)
	m.Revision.Fingerprint = fingerprint
	m.Revision.Kind = "update"
	m.Revision.Calendar = []byte("BEGIN:VCALENDAR\r\nX-IS:" + fingerprint + "\r\nEND:VCALENDAR\r\n")
	m.Revision.Sequence++
	return m
}

var deferred = ledger.Result{State: ledger.Deferred, Stage: "submit", Code: "temporary", Reply: "451 4.3.0 later"}

var writing = []law{
	{"finishing one of a group leaves the others claimed and as they are", func(t *trial) {
		l := t.open()
		c := t.claim(l, anna, ben)
		t.create(l, c, made(anna), made(ben))
		t.submit(l, c, anna, "1@example.com")
		t.finish(l, c, anna, sent)
		t.inProgress(t.open(), anna)
		t.inProgress(t.open(), ben)
		assert.Equal(t, ledger.Created, t.latest(l, ben).State)
		t.submit(l, c, ben, "2@example.com")
		t.finish(l, c, ben, sent)
		assert.Equal(t, ledger.Sent, t.latest(l, ben).State)
	}},
	{"a try that brought neither a calendar nor a mail gives way to the next", func(t *trial) {
		l := t.open()
		c := t.claim(l, anna)
		for _, state := range []ledger.State{ledger.Deferred, ledger.Failed, ledger.Expired, ledger.Deferred} {
			barren := made(anna)
			barren.Revision.Calendar, barren.Revision.UID, barren.Revision.State = nil, "", state
			t.create(l, c, barren)
			assert.EqualValues(t, 1, t.latest(l, anna).Number)
		}
		t.create(l, c, made(anna))
		assert.EqualValues(t, 1, t.latest(l, anna).Number)
		t.create(l, c, made(anna))
		assert.EqualValues(t, 2, t.latest(l, anna).Number, "a calendar stays")
	}},
	{"nothing is submitted or finished of an invite without a revision", func(t *trial) {
		l := t.open()
		c := t.claim(l, anna)
		require.Error(t, l.Submitting(t.Context(), c, anna, submission("1@example.com")))
		require.Error(t, l.Finish(t.Context(), c, anna, sent))
		assert.False(t, t.lookup(l, anna).Known)
	}},
	{"created and submitting are no outcomes", func(t *trial) {
		l := t.open()
		c := t.claim(l, anna)
		t.create(l, c, made(anna))
		want := t.load(l, anna)
		for _, state := range []ledger.State{"", ledger.Created, ledger.Submitting, "thrown away"} {
			require.Error(t, l.Finish(t.Context(), c, anna, ledger.Result{State: state}))
		}
		assert.Equal(t, want, t.load(l, anna))
	}},
	{"the bytes are kept while submitting or unknown only", func(t *trial) {
		l := t.open()
		for _, end := range []ledger.State{ledger.Sent, ledger.Deferred, ledger.Failed, ledger.Expired,
			ledger.Settled, ledger.Unknown} {
			c := t.claim(l, anna)
			t.create(l, c, made(anna))
			assert.Nil(t, t.latest(l, anna).Message)
			t.submit(l, c, anna, "1@example.com")
			require.NotNil(t, t.latest(l, anna).Message)
			assert.Equal(t, submission("1@example.com").Message, *t.latest(l, anna).Message)
			t.finish(l, c, anna, ledger.Result{State: end})
			assert.Equal(t, end == ledger.Unknown, t.latest(l, anna).Message != nil, "after %s", end)
			t.release(l, c)
		}
	}},
	{"the copies that may have left are counted from the first, whose time is kept", func(t *trial) {
		l := t.open()
		c := t.claim(l, anna)
		t.create(l, c, made(anna))
		var first time.Time
		copies := func(want int) {
			t.Helper()
			r := t.latest(l, anna)
			assert.Equal(t, want, r.Copies)
			assert.Equal(t, first, r.FirstSubmittedAt)
			assert.Equal(t, r.Copies, t.lookup(l, anna).Latest.Copies)
		}
		submit := func() {
			t.pass(time.Minute)
			t.submit(l, c, anna, "1@example.com")
		}
		unknown := ledger.Result{State: ledger.Unknown}
		stayed := ledger.Result{State: ledger.Unknown, NotLeft: true}
		submit()
		t.finish(l, c, anna, deferred)
		submit()
		first = t.clock.Now()
		copies(1) // what was deferred did not leave
		t.finish(l, c, anna, unknown)
		copies(1)
		submit()
		copies(2)
		t.finish(l, c, anna, stayed)
		copies(1)
		submit()
		submit() // and that one was cut short by a crash
		copies(3)
		t.finish(l, c, anna, unknown)
		t.finish(l, c, anna, unknown)
		copies(3) // saying so once more is no submission
		submit()
		t.finish(l, c, anna, sent)
		submit() // again, on purpose
		first = t.clock.Now()
		copies(1)
	}},
	{"what a new revision leaves empty stays known of the invite", func(t *trial) {
		l := t.open()
		c := t.claim(l, anna)
		t.create(l, c, made(anna))
		cancelled := made(anna)
		cancelled.Revision.UID, cancelled.Revision.Calendar, cancelled.EndsAt = "", nil, time.Time{}
		t.create(l, c, cancelled)
		e := t.load(l, anna)
		assert.Equal(t, "uid-of-board-meeting", e.UID)
		assert.Equal(t, made(anna).EndsAt, e.EndsAt)
		assert.Empty(t, e.Latest.UID)
		assert.Empty(t, e.Latest.Calendar)

		other := made(anna)
		other.Revision.UID, other.EndsAt = "another-uid", made(anna).EndsAt.Add(time.Hour)
		other.Grouped, other.Recipient = false, "anna@example.com"
		t.create(l, c, other)
		e = t.load(l, anna)
		assert.Equal(t, "another-uid", e.UID)
		assert.Equal(t, other.EndsAt, e.EndsAt)
		assert.Equal(t, "anna@example.com", e.Recipient)
		assert.False(t, e.Grouped)
	}},
	{"the last sent revision stays while a newer one has not left", func(t *trial) {
		l := t.open()
		t.mail(l, made(anna), "1@example.com", sent)
		first := t.load(l, anna)
		require.NotNil(t, first.LastSent)
		assert.Equal(t, first.Latest, first.LastSent)

		t.mail(l, changed(anna, "v1:2"), "2@example.com", deferred)
		e := t.load(l, anna)
		assert.EqualValues(t, 2, e.Latest.Number)
		assert.Equal(t, first.Latest, e.LastSent, "with its calendar")
		assert.Equal(t, changed(anna, "v1:2").Revision.Calendar, e.Latest.Calendar)
		assert.Equal(t, first.Latest.Number, t.lookup(l, anna).LastSent.Number)

		t.mail(l, changed(anna, "v1:3"), "3@example.com", ledger.Result{State: ledger.Unknown})
		e = t.load(l, anna)
		assert.EqualValues(t, 3, e.Latest.Number)
		assert.Equal(t, e.Latest, e.LastSent)
		assert.Equal(t, "1@example.com", e.FirstMessageID)
	}},
	{"a calendar is as it was received, byte for byte", func(t *trial) {
		l := t.open()
		c := t.claim(l, anna)
		m := made(anna)
		m.Revision.Calendar = bytes.Repeat([]byte{0, '\r', '\n', 0xff, 'é' & 0xff, '\''}, 20_000)
		t.create(l, c, m)
		assert.Equal(t, m.Revision.Calendar, t.latest(l, anna).Calendar)
	}},
}

// crashed leaves an invite submitting, its owner dead, and opens another ledger.
func (t *trial) crashed() (Ledger, ledger.Claim) {
	t.Helper()
	dead := t.open()
	c := t.claim(dead, anna)
	t.create(dead, c, made(anna))
	t.submit(dead, c, anna, "1@example.com")
	t.kill(dead)
	t.pass(Expiry)
	l := t.open()
	return l, t.claim(l, anna)
}

var crashing = []law{
	{"a crash between the calendar and the mail keeps the calendar", func(t *trial) {
		dead := t.open()
		t.create(dead, t.claim(dead, anna), made(anna))
		t.kill(dead)
		l := t.open()
		assert.Equal(t, ledger.Created, t.latest(l, anna).State)
		assert.Equal(t, made(anna).Revision.Calendar, t.latest(l, anna).Calendar)
		assert.Nil(t, t.lookup(l, anna).LastSent)
	}},
	{"a crash while submitting keeps the bytes, and counts as sent perhaps", func(t *trial) {
		l, _ := t.crashed()
		e := t.load(l, anna)
		assert.Equal(t, ledger.Submitting, e.Latest.State)
		assert.Equal(t, submission("1@example.com").Message, *e.Latest.Message)
		assert.Equal(t, e.Latest, e.LastSent)
		assert.Equal(t, "1@example.com", e.FirstMessageID)
	}},
	{"what a crash cut short stays first, whatever comes of its repeat", func(t *trial) {
		l, c := t.crashed()
		t.submit(l, c, anna, "2@example.com")
		t.finish(l, c, anna, deferred)
		e := t.lookup(l, anna)
		assert.Equal(t, "1@example.com", e.FirstMessageID)
		assert.Equal(t, e.Latest, e.LastSent)
	}},
	{"what a crash cut short stays last sent while a newer revision has not left", func(t *trial) {
		l, c := t.crashed()
		t.create(l, c, changed(anna, "v1:2"))
		e := t.load(l, anna)
		require.NotNil(t, e.LastSent)
		assert.EqualValues(t, 1, e.LastSent.Number)
		assert.Equal(t, made(anna).Revision.Calendar, e.LastSent.Calendar)
		assert.Equal(t, "1@example.com", e.FirstMessageID)
	}},
}
