package rsvp

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// fakeAPI answers by a function and remembers what it was asked.
type fakeAPI struct {
	answer func(ctx context.Context, ref cronofy.Ref) (*cronofy.SmartInvite, error)

	mu         sync.Mutex
	asked      []cronofy.Ref
	busy, most int
}

func (a *fakeAPI) Status(ctx context.Context, ref cronofy.Ref, includeICS bool) (*cronofy.SmartInvite, error) {
	if includeICS {
		return nil, errors.New("nobody needs the calendar")
	}
	a.mu.Lock()
	a.asked = append(a.asked, ref)
	a.busy++
	a.most = max(a.most, a.busy)
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		a.busy--
		a.mu.Unlock()
	}()
	return a.answer(ctx, ref)
}

func says(status cronofy.Status, replies ...cronofy.Participant) func(context.Context,
	cronofy.Ref) (*cronofy.SmartInvite, error) {
	return func(_ context.Context, ref cronofy.Ref) (*cronofy.SmartInvite, error) {
		return &cronofy.SmartInvite{SmartInviteID: ref.SmartInviteID,
			Recipient: &cronofy.Participant{Email: ref.Recipient, Status: status}, Replies: replies}, nil
	}
}

func atNow() time.Time { return now }

func TestRefreshRecordsAndDeliversWhatIsNew(t *testing.T) {
	t.Parallel()
	l := inMemory(t)
	var told changes
	api := &fakeAPI{answer: says("pending")}
	clock := now
	run := func() Summary {
		clock = clock.Add(time.Minute)
		summary, err := Refresh(t.Context(), api, l, RefreshOptions{OnChange: told.take,
			Now: func() time.Time { return clock }})
		require.NoError(t, err)
		return summary
	}
	assert.Equal(t, Summary{Asked: 1}, run())
	assert.Empty(t, history(t, l, anna), "no answer is no news")

	api.answer = says("accepted",
		cronofy.Participant{Email: "Anna@example.com", Status: "accepted"},
		cronofy.Participant{Email: "ben@example.com", Status: "declined", Comment: "not me"})
	assert.Equal(t, Summary{Asked: 1, Changed: 2}, run())
	assert.Equal(t, Summary{Asked: 1}, run())
	all := history(t, l, anna)
	require.Len(t, all, 2)
	assert.Empty(t, all[0].By)
	assert.Equal(t, "ben@example.com", all[1].By)
	assert.Equal(t, &ledger.Reply{Status: "declined", Comment: "not me"}, all[1].Reply)
	assert.Equal(t, ledger.SourceStatus, all[1].Source)
	assert.Equal(t, []string{"pending>accepted", "accepted>accepted"}, told.steps())

	told.fail = func(Change) error { return errors.New("down") }
	api.answer = says("declined")
	assert.Equal(t, Summary{Asked: 1, Changed: 1, Undelivered: 1}, run())
	told.fail = nil
	assert.Equal(t, Summary{Asked: 1}, run())
	assert.Equal(t, []string{"pending>accepted", "accepted>accepted", "accepted>declined"}, told.steps(),
		"it was offered again")
	assert.Equal(t, []cronofy.Ref{{SmartInviteID: anna.InviteID, Recipient: anna.Address}}, api.asked[:1])
}

func TestRefreshAsksOnceForAGroup(t *testing.T) {
	t.Parallel()
	l := inMemory(t)
	ben, zoe := ledger.Key{InviteID: "group", Address: "ben@example.com"}, ledger.Key{InviteID: "group",
		Address: "zoe@example.com"}
	invite(t, l, true, ben, zoe)
	api := &fakeAPI{answer: func(_ context.Context, ref cronofy.Ref) (*cronofy.SmartInvite, error) {
		if ref.SmartInviteID != "group" {
			return nil, &cronofy.Error{Status: 404}
		}
		return &cronofy.SmartInvite{Recipients: []cronofy.Participant{{Email: "Ben@example.com", Status: "accepted"},
			{Email: zoe.Address, Status: "declined"}}}, nil
	}}
	summary, err := Refresh(t.Context(), api, l, RefreshOptions{Now: atNow})
	require.NoError(t, err)
	assert.Equal(t, Summary{Asked: 2, Changed: 2, NotFound: 1}, summary)
	assert.Contains(t, api.asked, cronofy.Ref{SmartInviteID: "group"})
	assert.Equal(t, "accepted", history(t, l, ben)[0].Status)
	assert.Equal(t, "declined", history(t, l, zoe)[0].Status)

	summary, err = Refresh(t.Context(), api, l, RefreshOptions{Now: func() time.Time { return now.Add(time.Minute) },
		MinAge: time.Hour})
	require.NoError(t, err)
	assert.Zero(t, summary, "all were asked about a minute ago")
	summary, err = Refresh(t.Context(), api, l,
		RefreshOptions{Now: func() time.Time { return now.Add(48 * time.Hour) }})
	require.NoError(t, err)
	assert.Zero(t, summary, "the events are over")
}

// A callback that comes while the API is being asked is newer than its answer.
func TestRefreshDoesNotOverrideANewerCallback(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := inMemory(t)
		var told changes
		h := newHandler(t, Config{Store: l, OnChange: told.take})
		api := &fakeAPI{answer: func(ctx context.Context, ref cronofy.Ref) (*cronofy.SmartInvite, error) {
			time.Sleep(time.Second)
			assert.Equal(t, 200, post(t, h, answer(anna, "accepted", "")))
			time.Sleep(time.Second)
			return says("declined")(ctx, ref)
		}}
		o := RefreshOptions{OnChange: told.take}
		summary, err := Refresh(t.Context(), api, l, o)
		require.NoError(t, err)
		assert.Equal(t, Summary{Asked: 1}, summary)
		assert.Equal(t, []string{"pending>accepted"}, told.steps())

		api.answer = says("declined")
		summary, err = Refresh(t.Context(), api, l, o)
		require.NoError(t, err)
		assert.Equal(t, Summary{Asked: 1, Changed: 1}, summary)
	})
}

// What a run that was cut short did not come to is what the next one begins with.
func TestRefreshGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := inMemory(t)
		const invites = 50
		for i := range invites {
			invite(t, l, false, loadKey(i))
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		api := &fakeAPI{}
		api.answer = func(ctx context.Context, ref cronofy.Ref) (*cronofy.SmartInvite, error) {
			select {
			case <-time.After(time.Second):
				return says("accepted")(ctx, ref)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		progress := 0
		o := RefreshOptions{Concurrency: 4, Progress: func(s Summary) {
			progress++
			if s.Asked == 20 {
				cancel()
			}
		}}
		start := time.Now()
		first, err := Refresh(ctx, api, l, o)
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, 5*time.Second, time.Since(start), "four at a time")
		assert.Equal(t, 4, api.most)
		assert.Equal(t, first.Asked, progress)
		assert.Zero(t, first.Failed)

		second, err := Refresh(t.Context(), api, l, RefreshOptions{MinAge: time.Minute})
		require.NoError(t, err)
		assert.Equal(t, invites+1, first.Asked+second.Asked)
		assert.Equal(t, invites+1, first.Changed+second.Changed)
	})
}

func TestRefreshStopsWhereNothingCanSucceed(t *testing.T) {
	t.Parallel()
	down := errors.New("bad gateway")
	for name, test := range map[string]struct {
		answer func(id string) error
		stops  error
		failed int
	}{
		"a key that is refused": {func(string) error { return &cronofy.Error{Status: 401} },
			&cronofy.Error{Status: 401}, 1},
		"a plan that has it not": {func(string) error { return &cronofy.Error{Status: 402} },
			&cronofy.Error{Status: 402}, 1},
		"a service that is down": {func(string) error { return down }, down, giveUpAfter},
		"some that fail": {func(id string) error { return map[bool]error{true: down}[id[len(id)-1] != '0'] },
			nil, 27},
		"one that asked for less": {func(id string) error { return map[bool]error{true: down}[id == anna.InviteID] },
			nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := inMemory(t)
			for i := range 29 {
				invite(t, l, false, loadKey(i))
			}
			api := &fakeAPI{answer: func(ctx context.Context, ref cronofy.Ref) (*cronofy.SmartInvite, error) {
				if err := test.answer(ref.SmartInviteID); err != nil {
					return nil, err
				}
				return says("accepted")(ctx, ref)
			}}
			summary, err := Refresh(t.Context(), api, l, RefreshOptions{Concurrency: 1})
			assert.Equal(t, test.failed, summary.Failed)
			if test.stops == nil {
				require.NoError(t, err)
				assert.Equal(t, 30, summary.Asked+summary.Failed)
				return
			}
			require.ErrorContains(t, err, test.stops.Error())
			require.ErrorContains(t, err, "run it again")
		})
	}
}

func BenchmarkRefresh(b *testing.B) {
	l := inFile(b, b.TempDir()+"/ledger.db", 500)
	b.ReportAllocs()
	round := 0
	for b.Loop() {
		api := &fakeAPI{answer: says(cronofy.Status(fmt.Sprint("status ", round)))}
		if s, err := Refresh(b.Context(), api, l, RefreshOptions{Concurrency: 64,
			Now: func() time.Time { return now.Add(time.Duration(round) * time.Second) }}); err != nil ||
			s.Changed != 500 {
			b.Fatal(s, err)
		}
		round++
	}
}
