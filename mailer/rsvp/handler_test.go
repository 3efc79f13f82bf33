package rsvp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
)

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	l := inMemory(t)
	for name, test := range map[string]struct {
		config Config
		says   string
	}{
		"no secret":    {Config{Store: l}, "Secrets: one is missing"},
		"empty secret": {Config{Store: l, Secrets: []string{secret, ""}}, "Secrets: one is missing or empty"},
		"no store":     {Config{Secrets: []string{secret}}, "Store: is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := NewHandler(test.config)
			require.ErrorContains(t, err, test.says)
			assert.NotContains(t, err.Error(), secret)
		})
	}
}

// No way in: whatever is wrong is refused or ignored, changes nothing, tells the
// application nothing, and puts neither address nor secret into the log.
func TestBadCallbackChangesNothing(t *testing.T) {
	t.Parallel()
	good := answer(anna, "accepted", "")
	with := func(body string, change func(*http.Request)) func(context.Context) *http.Request {
		return func(ctx context.Context) *http.Request {
			r := signed(ctx, body)
			change(r)
			return r
		}
	}
	plain := func(body string) func(context.Context) *http.Request {
		return with(body, func(*http.Request) {})
	}
	header := func(value string) func(context.Context) *http.Request {
		return with(good, func(r *http.Request) { r.Header.Set(cronofy.CallbackHeader, value) })
	}
	nobody := ledger.Key{InviteID: "board-meeting", Address: "nobody@example.com"}
	for name, test := range map[string]struct {
		request func(context.Context) *http.Request
		code    int
		outcome string
	}{
		"GET": {with(good, func(r *http.Request) { r.Method = http.MethodGet }), 405,
			string(badMethod)},
		"PUT": {with(good, func(r *http.Request) { r.Method = http.MethodPut }), 405,
			string(badMethod)},
		"no signature": {with(good, func(r *http.Request) { r.Header.Del(cronofy.CallbackHeader) }), 403,
			string(unsigned)},
		"empty signature":   {header(""), 403, string(unsigned)},
		"rubbish":           {header("%%%"), 403, string(unsigned)},
		"another secret":    {header(cronofy.SignCallback([]byte(good), "another")), 403, string(unsigned)},
		"an empty secret":   {header(cronofy.SignCallback([]byte(good), "")), 403, string(unsigned)},
		"another body":      {header(cronofy.SignCallback([]byte(good+" "), secret)), 403, string(unsigned)},
		"the secret itself": {header(secret), 403, string(unsigned)},
		"10 MiB":            {plain(good + strings.Repeat(" ", 10<<20)), 413, string(tooLarge)},
		"10 MiB of no length": {with(good+strings.Repeat(" ", 10<<20),
			func(r *http.Request) { r.ContentLength = -1 }), 413, string(tooLarge)},
		"one byte too many": {plain(good + strings.Repeat(" ", maxBody+1-len(good))), 413, string(tooLarge)},
		"a body that is cut": {with(good, func(r *http.Request) { r.Body = io.NopCloser(cutBody{}) }), 400,
			string(malformed)},
		"empty":       {plain(""), 400, string(malformed)},
		"broken JSON": {plain(good[:len(good)-1]), 400, string(malformed)},
		"two values":  {plain(good + good), 400, string(malformed)},
		"an array":    {plain("[" + good + "]"), 400, string(malformed)},
		"a wrong type": {plain(`{"notification":{"type":"smart_invite"},"smart_invite":[]}`), 400,
			string(malformed)},
		"another type": {plain(strings.Replace(good, `"smart_invite"`, `"verification"`, 1)), 200,
			string(ignored)},
		"no type":   {plain(`{}`), 200, string(ignored)},
		"no invite": {plain(`{"notification":{"type":"smart_invite"}}`), 200, string(ignored)},
		"no id": {plain(answer(ledger.Key{Address: anna.Address}, "accepted", "")), 200,
			string(ignored)},
		"no status": {plain(answer(anna, "", "")), 200, string(ignored)},
		"no address": {plain(answer(ledger.Key{InviteID: anna.InviteID, Address: "anna"}, "accepted", "")),
			200, string(ignored)},
		"another invite": {plain(answer(ledger.Key{InviteID: "' OR 1=1 --", Address: anna.Address}, "accepted",
			"")), 200, string(unknown)},
		"another recipient":     {plain(answer(nobody, "accepted", "")), 200, string(unknown)},
		"pending, as it was":    {plain(answer(anna, "pending", "")), 200, string(repeated)},
		"a null for the person": {plain(`{"notification":{"type":"smart_invite"},"smart_invite":{"smart_invite_id":"board-meeting","recipient":null}}`), 200, string(ignored)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := inMemory(t)
			var (
				told     changes
				log      bytes.Buffer
				outcomes []string
			)
			h := newHandler(t, Config{
				Store: l, OnChange: told.take, Logger: slog.New(slog.NewTextHandler(&log,
					&slog.HandlerOptions{Level: slog.LevelDebug})),
				Observe: func(o string, _ time.Duration) { outcomes = append(outcomes, o) },
			})
			w := httptest.NewRecorder()
			h.ServeHTTP(w, test.request(t.Context()))
			assert.Equal(t, test.code, w.Code)
			assert.Equal(t, []string{test.outcome}, outcomes)
			assert.Empty(t, told.all)
			assert.Empty(t, history(t, l, anna))
			for _, private := range []string{secret, "anna@", "nobody@"} {
				assert.NotContains(t, log.String()+w.Body.String(), private)
			}
			assert.Equal(t, test.code == 405, w.Header().Get("Allow") == "POST")
		})
	}
}

// cutBody is the body of somebody who hangs up.
type cutBody struct{}

func (cutBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestSecretsCanBeReplaced(t *testing.T) {
	t.Parallel()
	const next = "CRN_next"
	body := answer(anna, "accepted", "")
	old, fresh := cronofy.SignCallback([]byte(body), secret), cronofy.SignCallback([]byte(body), next)
	for name, headers := range map[string][]string{
		"old": {old}, "new": {fresh}, "both": {old + ", " + fresh}, "two headers": {"rubbish", fresh},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := inMemory(t)
			r := signed(t.Context(), body)
			r.Header[http.CanonicalHeaderKey(cronofy.CallbackHeader)] = headers
			w := httptest.NewRecorder()
			newHandler(t, Config{Store: l, Secrets: []string{secret, next}}).ServeHTTP(w, r)
			assert.Equal(t, 200, w.Code)
			assert.Len(t, history(t, l, anna), 1)
		})
	}
}

func TestChangeSaysWhoAnsweredWhat(t *testing.T) {
	t.Parallel()
	l := inMemory(t)
	var told changes
	h := newHandler(t, Config{Store: l, OnChange: told.take, Now: func() time.Time { return now }})
	start := now.Add(time.Hour)
	body, err := os.ReadFile(filepath.Join("..", "..", "cronofy", "testdata", "callback.json"))
	require.NoError(t, err)
	documented := strings.NewReplacer("example_id", anna.InviteID, "\"example@example.com",
		"\"ANNA@Example.COM").Replace(string(body))
	require.Equal(t, 200, post(t, h, documented))
	person := cronofy.Participant{Email: anna.Address, Status: "accepted",
		Proposal: &cronofy.Proposal{Start: cronofy.EventTime{Time: start},
			End: cronofy.EventTime{Time: start.Add(time.Hour), TZID: "Asia/Tokyo"}}}
	require.Equal(t, 200, post(t, h, encode(cronofy.CallbackInvite{SmartInviteID: anna.InviteID, Recipient: &person,
		Reply: &person})))

	paris := func(minute int) time.Time { return time.Date(2018, 10, 1, 21, minute, 0, 0, time.UTC) }
	first := ledger.RSVP{
		Number: 1, Revision: 1, Status: "tentative", Comment: "example comment",
		Proposal: &ledger.Proposal{Start: paris(0), End: paris(30), TZID: "Europe/Paris"},
		By:       "colleague@example.com", Reply: &ledger.Reply{Status: "accepted"},
		At: now, Source: ledger.SourceCallback,
	}
	second := ledger.RSVP{
		Number: 2, Revision: 1, Status: "accepted", Proposal: &ledger.Proposal{Start: start,
			End: start.Add(time.Hour), TZID: "Asia/Tokyo"},
		At: now, Source: ledger.SourceCallback,
	}
	told.all[1].Before.Delivered = false // which it is since
	assert.Equal(t, []Change{
		{InviteID: anna.InviteID, Recipient: "ANNA@example.com", By: "colleague@example.com",
			Before: ledger.RSVP{Status: "pending"}, After: first},
		{InviteID: anna.InviteID, Recipient: anna.Address, By: anna.Address, Before: first, After: second},
	}, told.all)
	first.Delivered, second.Delivered = true, true
	assert.Equal(t, []ledger.RSVP{first, second}, history(t, l, anna))
}

// The form for several recipients is not documented: what it may be is understood.
func TestSeveralRecipients(t *testing.T) {
	t.Parallel()
	l := inMemory(t)
	ben, zoe := ledger.Key{InviteID: "group", Address: "ben@example.com"}, ledger.Key{InviteID: "group",
		Address: "zoe@example.com"}
	invite(t, l, true, ben, zoe)
	var told changes
	h := newHandler(t, Config{Store: l, OnChange: told.take})
	body := encode(cronofy.CallbackInvite{
		SmartInviteID: "group",
		Recipients: []cronofy.Participant{
			{Email: ben.Address, Status: "pending"}, {Email: zoe.Address,
				Status: "declined"}, {Email: "new@example.com", Status: "accepted"},
		},
		Reply: &cronofy.Participant{Email: zoe.Address, Status: "declined"},
	})
	require.Equal(t, 200, post(t, h, body))
	require.Equal(t, 200, post(t, h, body))
	require.Equal(t, 200, post(t, h, encode(cronofy.CallbackInvite{SmartInviteID: "group",
		Reply: &cronofy.Participant{Email: ben.Address, Status: "accepted"}})))
	assert.Equal(t, []string{"pending>declined", "pending>accepted"}, told.steps())
	assert.Empty(t, history(t, l, zoe)[0].By)
}

// A change that the application does not take is offered again, in order, until it
// is, and the repeat of an older callback does not bring its state back.
func TestChangesAreDeliveredUntilTaken(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(Change) error{
		"an error": func(Change) error { return errors.New("the database is down") },
		"a panic":  func(Change) error { panic("nil map") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := inMemory(t)
			told := changes{fail: fail}
			h := newHandler(t, Config{Store: l, OnChange: told.take})
			accepted, declined := answer(anna, "accepted", ""), answer(anna, "declined", "")
			require.Equal(t, 503, post(t, h, accepted))
			require.Equal(t, 503, post(t, h, accepted))
			require.Equal(t, 503, post(t, h, declined))
			require.Len(t, history(t, l, anna), 2, "it is recorded")
			assert.Empty(t, told.all)

			told.fail = nil
			require.Equal(t, 200, post(t, h, accepted), "the repeat of the older one")
			want := []string{"pending>accepted", "accepted>declined"}
			assert.Equal(t, want, told.steps())
			require.Equal(t, 200, post(t, h, declined), "the repeat of the newer one")
			require.Equal(t, 200, post(t, h, declined))
			assert.Equal(t, want, told.steps(), "once each")

			require.Equal(t, 200, post(t, h, accepted), "a change of mind")
			assert.Equal(t, append(want, "declined>accepted"), told.steps())
		})
	}
}

// slowStore answers when its context ends.
type slowStore struct{ *sqlite.Ledger }

func (slowStore) RecordRSVP(ctx context.Context, _ ledger.Key, _ ledger.RSVP) (ledger.Recorded, error) {
	<-ctx.Done()
	return ledger.Recorded{}, ctx.Err()
}

// The API waits five seconds: by then it must know that it has to repeat.
func TestAnswersInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := inMemory(t)
		start := time.Now()
		assert.Equal(t, 503, post(t, newHandler(t, Config{Store: slowStore{l}}), answer(anna, "accepted", "")))
		assert.Equal(t, answerWithin, time.Since(start))
	})
}

// An application that takes its time keeps the next answer to that invite waiting,
// and no other. What it took in the end is delivered, though it was late.
func TestSlowApplicationKeepsTheOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := inMemory(t)
		other := ledger.Key{InviteID: "other", Address: anna.Address}
		invite(t, l, false, other)
		h := newHandler(t, Config{Store: l, OnChange: func(_ context.Context, c Change) error {
			if c.InviteID == anna.InviteID && c.After.Number == 1 {
				time.Sleep(time.Minute)
			}
			return nil
		}})
		first := make(chan int)
		go func() { first <- post(t, h, answer(anna, "accepted", "")) }()
		synctest.Wait()
		assert.Equal(t, 200, post(t, h, answer(other, "accepted", "")))
		assert.Equal(t, 503, post(t, h, answer(anna, "declined", "")))
		assert.Len(t, history(t, l, anna), 1)
		<-first
		assert.True(t, history(t, l, anna)[0].Delivered)
		assert.Equal(t, 200, post(t, h, answer(anna, "declined", "")))
		assert.Empty(t, h.(*Handler).recorder.locks.keys)
	})
}

func TestStoreThatFailsIsToldApart(t *testing.T) {
	t.Parallel()
	l, err := sqlite.Open(t.Context(), sqlite.Options{Memory: true})
	require.NoError(t, err)
	invite(t, l, false, anna)
	require.NoError(t, l.Shutdown(t.Context()))
	assert.Equal(t, 503, post(t, newHandler(t, Config{Store: l}), answer(anna, "accepted", "")))
}

// Nothing that comes from outside makes it panic, answer outside its contract, or
// change an invite that is not named.
func FuzzHandler(f *testing.F) {
	body, err := os.ReadFile(filepath.Join("..", "..", "cronofy", "testdata", "callback.json"))
	require.NoError(f, err)
	for _, seed := range []string{
		string(body), answer(anna, "accepted", "x"), "", "{}", `{"notification":{"type":"smart_invite"}}`,
		strings.Replace(string(body), "example_id", anna.InviteID, 1),
		encode(cronofy.CallbackInvite{SmartInviteID: anna.InviteID,
			Recipients: []cronofy.Participant{{Email: anna.Address, Status: "x\x00"}}}),
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	l := inMemory(f)
	invite(f, l, false, ledger.Key{InviteID: "untouched", Address: "zoe@example.net"})
	var told changes
	h := newHandler(f, Config{Store: l, OnChange: told.take})
	f.Fuzz(func(t *testing.T, body []byte, sign bool) {
		told.all = nil
		before := history(t, l, anna)
		r := signed(t.Context(), string(body))
		if !sign {
			r.Header.Set(cronofy.CallbackHeader, string(body))
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		assert.Contains(t, []int{200, 400, 403, 413}, w.Code)
		if w.Code != 200 {
			assert.Equal(t, before, history(t, l, anna))
		}
		for _, c := range told.all {
			assert.Equal(t, anna.InviteID, c.InviteID)
		}
		if !sign {
			assert.Contains(t, []int{403, 413}, w.Code)
			return
		}
		told.all = nil
		assert.Equal(t, w.Code, post(t, h, string(body)))
		assert.Empty(t, told.all, "the same again is no news")
	})
}

func BenchmarkHandler(b *testing.B) {
	for _, mode := range []struct {
		name string
		body func(i int) string
	}{
		{"change", func(i int) string { return answer(anna, "accepted", fmt.Sprint(i)) }},
		{"repeat", func(int) string { return answer(anna, "accepted", "") }},
		{"forged", func(int) string { return answer(anna, "accepted", "") }},
	} {
		b.Run(mode.name, func(b *testing.B) {
			l := inMemory(b)
			h := newHandler(b, Config{Store: l, OnChange: func(context.Context, Change) error { return nil }})
			want := 200
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				r := signed(b.Context(), mode.body(i))
				if mode.name == "forged" {
					want = 403
					r.Header.Set(cronofy.CallbackHeader, "forged")
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != want {
					b.Fatal(w.Code)
				}
				i++
			}
		})
	}
}
