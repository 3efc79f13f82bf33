package mailer_test

import (
	"context"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
	"github.com/invitemailer/invitemailer/mailer/rsvp"
)

// answered is a fixture whose invites are answered: callbacks go to a handler on the
// ledger that the invites are sent with.
type answered struct {
	*fixture
	ledger  *sqlite.Ledger
	client  *cronofy.Client
	handler *rsvp.Handler
	url     string // of the handler

	mu   sync.Mutex
	now  time.Time
	told []string // changes: before>status source revision
}

func newAnswered(t *testing.T, script smtptest.Script) *answered {
	t.Helper()
	a := &answered{fixture: newFixture(t, script), now: today}
	var err error
	a.ledger, err = sqlite.Open(t.Context(), sqlite.Options{Memory: true, Now: a.clock})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.ledger.Shutdown(context.Background())) })
	a.client = a.cfg.API.(*cronofy.Client)
	a.handler, err = rsvp.NewHandler(rsvp.Config{Secrets: []string{"CRN_secret"}, Store: a.ledger,
		API: a.client, OnChange: a.take, Now: a.clock})
	require.NoError(t, err)
	server := httptest.NewServer(a.handler)
	t.Cleanup(server.Close)
	t.Cleanup(func() { require.NoError(t, a.api.Close()) })
	a.url = server.URL
	a.cfg.Ledger, a.cfg.CallbackURL, a.cfg.Now = a.ledger, a.url, a.clock
	return a
}

func (a *answered) clock() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now
}

// later lets time pass.
func (a *answered) later(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = a.now.Add(d)
}

func (a *answered) take(_ context.Context, c rsvp.Change) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told = append(a.told, c.Before.Status+">"+c.After.Status+" "+c.After.Source)
	return nil
}

// news is what the application was told since it was asked for last.
func (a *answered) news(t *testing.T) (told []string) {
	t.Helper()
	require.NoError(t, a.handler.Deliver(t.Context()))
	a.mu.Lock()
	defer a.mu.Unlock()
	told, a.told = a.told, nil
	return told
}

// answer answers as the recipient, and waits for the callback.
func (a *answered) answer(t *testing.T, status string) {
	t.Helper()
	require.NoError(t, a.api.Answer(t.Context(), cronofytest.Answer{InviteID: "board-meeting",
		Recipient: "ann@example.org", Status: status}))
	require.NoError(t, a.api.Wait(t.Context()))
}

func (a *answered) refresh(t *testing.T) {
	t.Helper()
	_, err := rsvp.Refresh(t.Context(), a.cfg.API.(rsvp.API), a.ledger,
		rsvp.RefreshOptions{OnChange: a.take, Now: a.clock})
	require.NoError(t, err)
}

func (a *answered) entry(t *testing.T) ledger.Entry {
	t.Helper()
	found, err := a.ledger.Lookup(t.Context(), ledger.Key{InviteID: "board-meeting", Address: "ann@example.org"})
	require.NoError(t, err)
	return found[0]
}

// sends sends the meeting, as it is changed, and minds that it left.
func (a *answered) sends(t *testing.T, change func(*cronofy.Event)) {
	t.Helper()
	i := boardMeeting()
	if change != nil {
		change(i.Event)
	}
	require.Equal(t, mailer.Sent, a.send(t, i).Outcome)
}

func byAWeek(e *cronofy.Event) {
	e.Start.Time, e.End.Time = e.Start.Time.AddDate(0, 0, 7), e.End.Time.AddDate(0, 0, 7)
}

// Nobody has accepted a time that they were not asked about. An acceptance of the new
// time is told, though it says what was said of the old one.
func TestMoveAsksAnew(t *testing.T) {
	t.Parallel()
	a := newAnswered(t, nil)
	a.sends(t, nil)
	a.later(time.Hour)
	a.answer(t, "accepted")
	assert.Equal(t, []string{"pending>accepted callback"}, a.news(t))

	a.later(24 * time.Hour)
	a.sends(t, byAWeek)
	e := a.entry(t)
	assert.Equal(t, &ledger.RSVP{Number: 2, Revision: 2, Status: "pending", Source: ledger.SourceUpdate,
		At: a.clock()}, e.RSVP)
	assert.False(t, e.Outdated())
	assert.Equal(t, []string{"accepted>pending update"}, a.news(t))
	a.refresh(t)
	assert.Empty(t, a.news(t), "the API says what it said in its answer to the update")

	// Within a day it may be the old callback: the API says that it is not.
	a.later(time.Hour)
	a.answer(t, "accepted")
	assert.Equal(t, []string{"pending>accepted status"}, a.news(t))
	assert.EqualValues(t, 2, a.entry(t).RSVP.Revision)
	a.refresh(t)
	assert.Empty(t, a.news(t))

	i := boardMeeting()
	byAWeek(i.Event)
	assert.Equal(t, mailer.Unchanged, a.send(t, i).Outcome)
	assert.Empty(t, a.news(t))
	assert.Equal(t, "accepted", a.entry(t).RSVP.Status)
}

// keepsWord is an API that leaves the answer as it is when an event is moved: what
// the real one does is not documented.
type keepsWord struct {
	*cronofy.Client
	word *cronofy.Status // what the recipient answered last
}

func (k keepsWord) Create(ctx context.Context, r *cronofy.InviteRequest) (*cronofy.SmartInvite, error) {
	return k.keep(k.Client.Create(ctx, r))
}

func (k keepsWord) Status(ctx context.Context, ref cronofy.Ref, includeICS bool) (*cronofy.SmartInvite, error) {
	return k.keep(k.Client.Status(ctx, ref, includeICS))
}

func (k keepsWord) keep(s *cronofy.SmartInvite, err error) (*cronofy.SmartInvite, error) {
	if err == nil {
		s.Recipient.Status = *k.word
	}
	return s, err
}

// Where the API keeps the old word, the record says what it was an answer to, and the
// same word again is one to the new time.
func TestMoveThatKeepsTheWord(t *testing.T) {
	t.Parallel()
	a := newAnswered(t, nil)
	word := cronofy.StatusPending
	a.cfg.API = keepsWord{a.client, &word}
	a.sends(t, nil)
	word = "accepted"
	a.answer(t, "accepted")
	assert.Equal(t, []string{"pending>accepted callback"}, a.news(t))

	a.later(time.Hour)
	a.sends(t, byAWeek)
	assert.Empty(t, a.news(t), "nobody answered")
	e := a.entry(t)
	assert.Equal(t, "accepted", e.RSVP.Status)
	assert.EqualValues(t, 1, e.RSVP.Revision)
	assert.True(t, e.Outdated())
	a.refresh(t)
	assert.Empty(t, a.news(t), "the API says what it said in its answer to the update")
	assert.True(t, func() bool { e := a.entry(t); return e.Outdated() }())

	a.later(25 * time.Hour)
	a.answer(t, "accepted")
	assert.Equal(t, []string{"accepted>accepted callback"}, a.news(t))
	e = a.entry(t)
	assert.EqualValues(t, 2, e.RSVP.Revision)
	assert.False(t, e.Outdated())
}

// What asks anew, and what does not.
func TestWhatAsksAnew(t *testing.T) {
	t.Parallel()
	start, end := boardMeeting().Event.Start.Time, boardMeeting().Event.End.Time
	for name, test := range map[string]struct {
		change func(*cronofy.Event)
		anew   bool
	}{
		"summary":     {func(e *cronofy.Event) { e.Summary = "Meeting of the board" }, false},
		"place":       {func(e *cronofy.Event) { e.Location.Description = "Roof" }, false},
		"description": {func(e *cronofy.Event) { e.Description = "Bring cake." }, false},
		"zone, of the same instants": {func(e *cronofy.Event) {
			e.TZID, e.Start.Time, e.End.Time = "Europe/Paris", start, end
		}, false},
		"start": {func(e *cronofy.Event) { e.Start.Time = start.Add(-time.Minute) }, true},
		"end":   {func(e *cronofy.Event) { e.End.Time = end.Add(time.Minute) }, true},
		"all day": {func(e *cronofy.Event) {
			e.Start.DateOnly, e.End.DateOnly = true, true
			e.End.Time = end.AddDate(0, 0, 1)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAnswered(t, nil)
			a.sends(t, nil)
			a.answer(t, "declined")
			a.later(time.Hour)
			a.sends(t, test.change)
			want, asks := []string{"pending>declined callback"}, int64(1)
			if test.anew {
				want, asks = append(want, "declined>pending update"), 2
			}
			assert.Equal(t, want, a.news(t))
			assert.Equal(t, asks, a.entry(t).Latest.Asks)
		})
	}
}

// What follows a cancellation asks anew, at the same time too.
func TestInvitationAfterCancellationAsksAnew(t *testing.T) {
	t.Parallel()
	a := newAnswered(t, nil)
	a.sends(t, nil)
	a.answer(t, "accepted")
	a.later(time.Hour)
	require.Equal(t, mailer.Sent, a.send(t, cancellation()).Outcome)
	assert.Equal(t, []string{"pending>accepted callback"}, a.news(t), "a cancellation asks nothing")
	assert.Empty(t, a.entry(t).Latest.Answer)
	assert.EqualValues(t, 1, a.entry(t).Latest.Asks)
	a.later(time.Hour)
	a.sends(t, nil)
	assert.Equal(t, []string{"accepted>pending update"}, a.news(t))
	a.later(25 * time.Hour)
	a.answer(t, "accepted")
	assert.Equal(t, []string{"pending>accepted callback"}, a.news(t))
}

// As long as the mail with the new time has not left, answers are to the old one; but
// nobody has accepted the new one.
func TestMoveThatHasNotLeft(t *testing.T) {
	t.Parallel()
	a := newAnswered(t, func(e smtptest.Event) smtptest.Fault {
		if e.Point == smtptest.AtRcpt && e.Transaction == 2 {
			return smtptest.Say("450 4.2.0 later")
		}
		return smtptest.Fault{}
	})
	a.sends(t, nil)
	a.answer(t, "accepted")
	a.later(time.Hour)
	moved := boardMeeting()
	byAWeek(moved.Event)
	require.Equal(t, mailer.Deferred, a.send(t, moved).Outcome)
	a.refresh(t)
	assert.Equal(t, []string{"pending>accepted callback"}, a.news(t))
	e := a.entry(t)
	assert.True(t, e.Outdated())
	require.Equal(t, mailer.Sent, a.send(t, moved).Outcome)
	assert.Equal(t, []string{"accepted>pending update"}, a.news(t))
}

// A mail whose end is not known asks too.
func TestMoveWhoseEndIsUnknown(t *testing.T) {
	t.Parallel()
	a := newAnswered(t, func(e smtptest.Event) smtptest.Fault {
		if e.Point == smtptest.AtDot && e.Transaction == 2 {
			return smtptest.HangUp()
		}
		return smtptest.Fault{}
	})
	a.sends(t, nil)
	a.answer(t, "accepted")
	a.later(time.Hour)
	moved := boardMeeting()
	byAWeek(moved.Event)
	require.Equal(t, mailer.Unknown, a.send(t, moved).Outcome)
	assert.Equal(t, []string{"pending>accepted callback", "accepted>pending update"}, a.news(t))
}

// Of a group everybody is asked anew, each by the word of their own.
func TestGroupAsksAnew(t *testing.T) {
	t.Parallel()
	a := newAnswered(t, nil)
	g := group(3)
	send := func() {
		receipts, err := a.mailer(t).SendGroup(t.Context(), g)
		require.NoError(t, err)
		for _, r := range receipts {
			require.Equal(t, mailer.Sent, r.Outcome)
		}
	}
	send()
	for i, status := range []string{"accepted", "declined"} {
		require.NoError(t, a.api.Answer(t.Context(), cronofytest.Answer{InviteID: g.ID,
			Recipient: g.Recipients[i].Email, Status: status}))
		require.NoError(t, a.api.Wait(t.Context()))
	}
	assert.Equal(t, []string{"pending>accepted callback", "pending>declined callback"}, a.news(t))
	a.later(time.Hour)
	byAWeek(g.Event)
	send()
	assert.Equal(t, []string{"accepted>pending update", "declined>pending update"}, a.news(t))
	require.NoError(t, a.api.Answer(t.Context(), cronofytest.Answer{InviteID: g.ID,
		Recipient: g.Recipients[0].Email, Status: "accepted"}))
	require.NoError(t, a.api.Wait(t.Context()))
	assert.Equal(t, []string{"pending>accepted status"}, a.news(t))
}
