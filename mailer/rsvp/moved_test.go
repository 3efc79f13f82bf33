package rsvp

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
)

// move records that anna's event was moved and the mail about it left.
func move(t testing.TB, l *sqlite.Ledger, grouped bool, keys ...ledger.Key) {
	t.Helper()
	claim, err := l.Claim(t.Context(), keys...)
	require.NoError(t, err)
	for _, key := range keys {
		require.NoError(t, l.Create(t.Context(), claim, ledger.NewRevision{
			Key: key, Recipient: key.Address, Grouped: grouped, EndsAt: time.Now().AddDate(0, 1, 0), AsksAnew: true,
			Revision: ledger.Revision{Kind: "update", Method: "request", State: ledger.Created, UID: "1",
				Answer: "pending"},
		}))
		require.NoError(t, l.Submitting(t.Context(), claim, key,
			ledger.Submission{MessageID: "2@example.com", Message: ledger.Message{Bytes: []byte("x")}}))
		require.NoError(t, l.Finish(t.Context(), claim, key, ledger.Result{State: ledger.Sent}))
	}
	require.NoError(t, l.Release(t.Context(), claim))
}

// A callback that may be an old one is told only once the API confirms it.
func TestPossiblyStaleCallback(t *testing.T) {
	t.Parallel()
	down := errors.New("bad gateway")
	fails := func(err error) func(context.Context, cronofy.Ref) (*cronofy.SmartInvite, error) {
		return func(context.Context, cronofy.Ref) (*cronofy.SmartInvite, error) { return nil, err }
	}
	for name, test := range map[string]struct {
		api     *fakeAPI
		code    int
		outcome string
		told    []string
		kept    []string
	}{
		"confirmed": {&fakeAPI{answer: says("accepted")}, 200, string(recorded),
			[]string{"accepted>pending", "pending>accepted"}, []string{"accepted", "pending", "accepted?", "accepted"}},
		"not confirmed": {&fakeAPI{answer: says("pending")}, 200, string(stale),
			[]string{"accepted>pending"}, []string{"accepted", "pending", "accepted?"}},
		"another answer": {&fakeAPI{answer: says("declined")}, 200, string(recorded),
			[]string{"accepted>pending", "pending>declined"}, []string{"accepted", "pending", "accepted?", "declined"}},
		"the API is down": {&fakeAPI{answer: fails(down)}, 503, string(unavailable),
			[]string{"accepted>pending"}, []string{"accepted", "pending", "accepted?"}},
		"the API knows it not": {&fakeAPI{answer: fails(&cronofy.Error{Status: 404})}, 200, string(stale),
			[]string{"accepted>pending"}, []string{"accepted", "pending", "accepted?"}},
		"the API refuses the key": {&fakeAPI{answer: fails(&cronofy.Error{Status: 401})}, 200, string(stale),
			[]string{"accepted>pending"}, []string{"accepted", "pending", "accepted?"}},
		"nobody to ask": {nil, 200, string(stale), []string{"accepted>pending"},
			[]string{"accepted", "pending", "accepted?"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := inMemory(t)
			var (
				told     changes
				outcomes []string
			)
			c := Config{Store: l, OnChange: told.take, Observe: func(o string,
				_ time.Duration) {
				outcomes = append(outcomes, o)
			}}
			if test.api != nil {
				c.API = test.api
			}
			h := newHandler(t, c)
			require.Equal(t, 200, post(t, h, answer(anna, "accepted", "")))
			move(t, l, false, anna)
			told.all, outcomes = nil, nil
			require.Equal(t, test.code, post(t, h, answer(anna, "accepted", "")))
			assert.Equal(t, []string{test.outcome}, outcomes)
			assert.Equal(t, test.told, told.steps())
			var kept []string
			for _, r := range history(t, l, anna) {
				status := r.Status
				if r.Stale {
					status += "?"
				}
				kept = append(kept, status)
			}
			assert.Equal(t, test.kept, kept)
			if test.api != nil {
				assert.Equal(t, []cronofy.Ref{{SmartInviteID: anna.InviteID, Recipient: anna.Address}}, test.api.asked)
			}

			// What is left open the next run asks about, however lately it was asked.
			later := time.Now().Add(time.Minute)
			api := &fakeAPI{answer: says("tentative")}
			_, err := Refresh(t.Context(), api, l, RefreshOptions{OnChange: told.take, MinAge: time.Hour,
				Now: func() time.Time { return later }})
			require.NoError(t, err)
			assert.Len(t, api.asked, 1)
			assert.Equal(t, "tentative", told.all[len(told.all)-1].After.Status)
		})
	}
}

// Of a group the API is asked by the id alone.
func TestPossiblyStaleCallbackOfAGroup(t *testing.T) {
	t.Parallel()
	l := inMemory(t)
	ben := ledger.Key{InviteID: "group", Address: "ben@example.com"}
	invite(t, l, true, ben)
	var told changes
	people := []cronofy.Participant{{Email: ben.Address, Status: "accepted"}}
	api := &fakeAPI{answer: func(context.Context, cronofy.Ref) (*cronofy.SmartInvite, error) {
		return &cronofy.SmartInvite{Recipients: people}, nil
	}}
	h := newHandler(t, Config{Store: l, OnChange: told.take, API: api})
	body := encode(cronofy.CallbackInvite{SmartInviteID: "group", Recipients: people})
	require.Equal(t, 200, post(t, h, body))
	move(t, l, true, ben)
	require.Equal(t, 200, post(t, h, body))
	assert.Equal(t, []string{"pending>accepted", "accepted>pending", "pending>accepted"}, told.steps())
	assert.Equal(t, []cronofy.Ref{{SmartInviteID: "group"}}, api.asked)
}

// What a sender recorded, and what was refused, is delivered without a callback.
func TestDeliver(t *testing.T) {
	t.Parallel()
	l := inMemory(t)
	other := ledger.Key{InviteID: "other", Address: "ben@example.com"}
	invite(t, l, false, other)
	var told changes
	handler := newHandler(t, Config{Store: l, OnChange: told.take}).(*Handler)
	require.NoError(t, handler.Deliver(t.Context()))
	for _, key := range []ledger.Key{anna, other} {
		require.Equal(t, 200, post(t, handler, answer(key, "declined", "")))
		move(t, l, false, key)
	}
	told.all = nil
	told.fail = func(c Change) error {
		if c.InviteID == anna.InviteID {
			return errors.New("the database is down")
		}
		return nil
	}
	require.ErrorContains(t, handler.Deliver(t.Context()), "the database is down")
	require.Len(t, told.all, 1, "one that is refused keeps no other waiting")
	assert.Equal(t, other.InviteID, told.all[0].InviteID)
	assert.Equal(t, other.Address, told.all[0].Recipient)
	assert.Equal(t, ledger.SourceUpdate, told.all[0].After.Source)
	told.fail = nil
	require.NoError(t, handler.Deliver(t.Context()))
	require.NoError(t, handler.Deliver(t.Context()))
	assert.Equal(t, []string{"declined>pending", "declined>pending"}, told.steps())

	require.NoError(t, newHandler(t, Config{Store: l}).(*Handler).Deliver(t.Context()), "nobody is to be told")
	over, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, handler.Deliver(over), context.Canceled)
}

// What was not delivered is not done: it is asked about again, however lately it was.
func TestUndeliveredIsAskedAboutAgain(t *testing.T) {
	t.Parallel()
	l := inMemory(t)
	told := changes{fail: func(Change) error { return errors.New("down") }}
	api := &fakeAPI{answer: says("accepted")}
	run := func(after time.Duration) Summary {
		summary, err := Refresh(t.Context(), api, l, RefreshOptions{OnChange: told.take, MinAge: time.Hour,
			Now: func() time.Time { return now.Add(after) }})
		require.NoError(t, err)
		return summary
	}
	assert.Equal(t, Summary{Asked: 1, Changed: 1, Undelivered: 1}, run(0))
	assert.Equal(t, Summary{Asked: 1, Undelivered: 1}, run(time.Minute))
	told.fail = nil
	assert.Equal(t, Summary{Asked: 1}, run(2*time.Minute))
	assert.Equal(t, []string{"pending>accepted"}, told.steps())
	assert.Zero(t, run(3*time.Minute))
}
