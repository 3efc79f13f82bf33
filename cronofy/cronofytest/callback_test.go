package cronofytest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/loopback"
)

// application is a program with a callback handler that is reached without a network.
type application struct {
	mu      sync.Mutex
	answers []func(*http.Request) (int, error) // what to do with each call; after the last, 200
	at      []time.Time
	header  []string
	bodies  [][]byte
}

func (a *application) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	a.at, a.header, a.bodies = append(
		a.at,
		time.Now(),
	), append(
		a.header,
		r.Header.Get(cronofy.CallbackHeader),
	), append(
		a.bodies,
		body,
	)
	answer := func(*http.Request) (int, error) { return http.StatusOK, nil }
	if n := len(a.at); n <= len(a.answers) {
		answer = a.answers[n-1]
	}
	a.mu.Unlock()
	code, err := answer(r)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: code, Body: http.NoBody, Request: r}, nil
}

func code(c int) func(*http.Request) (int, error) {
	return func(*http.Request) (int, error) { return c, nil }
}

func (a *application) client() *http.Client {
	return &http.Client{
		Transport:     a,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (a *application) callbacks(t *testing.T, secret string) []*cronofy.Callback {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []*cronofy.Callback
	for n, body := range a.bodies {
		require.NoError(t, cronofy.VerifyCallback(body, a.header[n], secret))
		c, err := cronofy.ParseCallback(body)
		require.NoError(t, err)
		list = append(list, c)
	}
	return list
}

// A program gets each change, in its order, signed, in the documented form; what changes nothing
// is not told.
func TestCallback(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		app := new(application)
		s := cronofytest.New(cronofytest.Options{CallbackClient: app.client()})
		_, text := create(t, s, documented)
		proposal := cronofytest.Proposal{Start: noon(), End: noon().Add(time.Hour), TZID: "Europe/Paris"}
		require.NoError(t, setStatus(s, id, email, "tentative", "perhaps", proposal))
		require.NoError(t, setStatus(s, id, email, "tentative", "perhaps", proposal))
		require.NoError(
			t,
			s.Answer(
				t.Context(),
				cronofytest.Answer{InviteID: id, Recipient: email, By: "Bob <bob@example.net>", Status: "accepted"},
			),
		)
		mail, err := cronofytest.ReplyMail(
			invitation(text),
			cronofytest.Answer{Status: "declined", Comment: "no"})
		require.NoError(t, err)
		require.NoError(t, s.Reply(t.Context(), mail))
		require.NoError(t, setStatus(s, id, email, "pending", ""))
		require.NoError(t, s.Wait(t.Context()))

		got := app.callbacks(t, "key") // harness requests carry it
		require.Len(t, got, 4)
		first := got[0].SmartInvite
		assert.Equal(t, cronofy.CallbackSmartInvite, got[0].Notification.Type)
		assert.Equal(t, id, first.SmartInviteID)
		assert.NotEmpty(t, first.CallbackURL)
		assert.Equal(t, first.Recipient, first.Reply)
		assert.Equal(t, "perhaps", first.Reply.Comment)
		require.NotNil(t, first.Reply.Proposal)
		assert.True(t, noon().Equal(first.Reply.Proposal.Start.Time))
		assert.Equal(t, "tentative", string(got[1].SmartInvite.Recipient.Status))
		assert.Equal(t, "bob@example.net", got[1].SmartInvite.Reply.Email)
		assert.Equal(t, "declined", string(got[2].SmartInvite.Recipient.Status))
		assert.Equal(t, "pending", string(got[3].SmartInvite.Recipient.Status))
		assert.Nil(t, got[3].SmartInvite.Reply)
		over := s.Callbacks()
		require.Len(t, over, 4)
		assert.Equal(t, 1, over[0].Attempts)
		assert.Equal(t, http.StatusOK, over[0].Status)
		require.NoError(t, s.Close())
	})
}

// A program that fails is called again, later each time, with the same bytes, and not for ever;
// later answers wait for it.
func TestCallbackRetries(t *testing.T) {
	t.Parallel()
	silence := func(r *http.Request) (int, error) { <-r.Context().Done(); return 0, r.Context().Err() }
	refuse := func(*http.Request) (int, error) { return 0, errors.New("connection refused") }
	table := map[string]struct {
		retries  int
		answers  []func(*http.Request) (int, error)
		waits    []time.Duration
		status   int
		attempts int
		fails    bool
	}{
		"once": {
			0,
			[]func(*http.Request) (int, error){code(500)},
			[]time.Duration{time.Second},
			200,
			2,
			false,
		},
		"every kind": {
			0,
			[]func(*http.Request) (int, error){code(500), code(302), refuse, code(404), silence},
			[]time.Duration{1, 2, 4, 8, 21},
			200,
			6,
			false,
		},
		"for good": {
			0,
			[]func(*http.Request) (int, error){code(500), code(500), code(500), code(500), code(500), code(503)},
			[]time.Duration{1, 2, 4, 8, 16},
			503,
			6,
			true,
		},
		"not repeated": {-1, []func(*http.Request) (int, error){code(500)}, nil, 500, 1, true},
		"repeated twice": {
			2,
			[]func(*http.Request) (int, error){code(500), code(500), refuse},
			[]time.Duration{1, 2},
			0,
			3,
			true,
		},
	}
	for name, row := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				app := &application{answers: row.answers}
				s := cronofytest.New(cronofytest.Options{CallbackClient: app.client(), CallbackRetries: row.retries})
				create(t, s, documented)
				require.NoError(t, setStatus(s, id, email, "accepted", ""))
				require.NoError(t, setStatus(s, id, email, "declined", ""))
				require.NoError(t, s.Wait(t.Context()))
				over := s.Callbacks()
				require.Len(t, over, 2)
				assert.Equal(t, row.attempts, over[0].Attempts)
				assert.Equal(t, row.status, over[0].Status)
				assert.Equal(t, row.fails, over[0].Err != nil, "%v", over[0].Err)
				assert.NoError(t, over[1].Err)
				for n, wait := range row.waits {
					if wait < time.Second {
						wait *= time.Second
					}
					assert.Equal(t, wait, app.at[n+1].Sub(app.at[n]), n)
				}
				all := app.callbacks(t, "key")
				require.Len(t, all, row.attempts+1)
				for _, c := range all[:row.attempts] {
					assert.Equal(t, "accepted", string(c.SmartInvite.Recipient.Status))
				}
				assert.Equal(t, "declined", string(all[row.attempts].SmartInvite.Recipient.Status))
				require.NoError(t, s.Close())
			})
		})
	}
}

// Close ends what would go on for long, and nothing is posted afterwards.
func TestCallbackClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		app := &application{answers: []func(*http.Request) (int, error){code(500)}}
		s := cronofytest.New(cronofytest.Options{CallbackClient: app.client()})
		create(t, s, documented)
		require.NoError(t, setStatus(s, id, email, "accepted", ""))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		require.ErrorIs(t, s.Wait(ctx), context.DeadlineExceeded)
		require.NoError(t, s.Close())
		require.Len(t, s.Callbacks(), 1)
		assert.Error(t, s.Callbacks()[0].Err)
		require.NoError(t, setStatus(s, id, email, "declined", ""))
		require.NoError(t, s.Wait(t.Context()))
		assert.Len(t, app.bodies, 1)
	})
}

// A test must not call a program in production because its URL stands in a request.
func TestCallbackStaysHere(t *testing.T) {
	t.Parallel()
	s := cronofytest.New(cronofytest.Options{})
	create(t, s, documented)
	require.NoError(t, setStatus(s, id, email, "accepted", ""))
	require.Len(t, s.Callbacks(), 1)
	assert.ErrorIs(t, s.Callbacks()[0].Err, cronofytest.ErrCallbackHost)
	assert.Zero(t, s.Callbacks()[0].Attempts)
}

// Nor because a name that should stay here does not: what counts is the address that is dialled.
func TestCallbackDialsThisMachineOnly(t *testing.T) {
	t.Parallel()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://192.0.2.1/", nil)
	require.NoError(t, err)
	response, err := cronofytest.LoopbackClient.Do(r) //nolint:bodyclose // there is none
	require.ErrorIs(t, err, loopback.ErrElsewhere)
	assert.Nil(t, response)
}

// Many answers at once over a real server: each is told once, and the last word of each invite is
// the last one told.
func TestCallbackLoad(t *testing.T) {
	t.Parallel()
	const invites = 40
	var mu sync.Mutex
	last := map[string]string{}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || cronofy.VerifyCallback(body, r.Header.Get(cronofy.CallbackHeader), "key") != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		c, err := cronofy.ParseCallback(body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		last[c.SmartInvite.SmartInviteID] = string(c.SmartInvite.Recipient.Status)
	})
	program := httptest.NewServer(handler)
	defer program.Close()
	s := cronofytest.New(cronofytest.Options{})
	var wg sync.WaitGroup
	for n := range invites {
		wg.Go(func() {
			o := documentedObject(t)
			name := strconv.Itoa(n)
			o["smart_invite_id"], o["callback_url"] = name, program.URL+"/callback"
			create(t, s, o)
			for _, status := range []string{"accepted", "tentative", "declined"} {
				assert.NoError(t, setStatus(s, name, email, status, ""))
			}
		})
	}
	wg.Wait()
	require.NoError(t, s.Wait(t.Context()))
	require.NoError(t, s.Close())
	require.Len(t, last, invites)
	for name, status := range last {
		assert.Equal(t, "declined", status, name)
	}
	require.Len(t, s.Callbacks(), 3*invites)
	for _, c := range s.Callbacks() {
		assert.NoError(t, c.Err)
	}
}
