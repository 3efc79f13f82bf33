package cronofytest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
)

// ask posts the documented example over a client; the error is of the request or of reading the
// answer.
func ask(ctx context.Context, client *http.Client, base string) (head *reply, body []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/smart_invites", strings.NewReader(documented))
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Authorization", "Bearer key")
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	response, err := client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	body, err = io.ReadAll(response.Body)
	return &reply{response.StatusCode, response.Header}, body, err
}

// The faults must look the same over a network and past it, and must or must not have carried out
// the request.
func TestFaults(t *testing.T) {
	t.Parallel()
	table := []struct {
		name    string
		fault   *cronofytest.Fault
		applied bool
		check   func(t *testing.T, response *reply, body []byte, err error)
	}{
		{
			"status",
			cronofytest.FaultStatus(http.StatusServiceUnavailable, 1500*time.Millisecond),
			false,
			func(t *testing.T, response *reply, _ []byte, err error) {
				require.NoError(t, err)
				assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
				assert.Equal(t, "2", response.Header.Get("Retry-After"))
			},
		},
		{
			"status without wait",
			cronofytest.FaultStatus(http.StatusTooManyRequests, 0),
			false,
			func(t *testing.T, response *reply, _ []byte, err error) {
				require.NoError(t, err)
				assert.Equal(t, http.StatusTooManyRequests, response.StatusCode)
				assert.NotContains(t, response.Header, "Retry-After")
			},
		},
		{
			"validation",
			cronofytest.FaultStatus(http.StatusUnprocessableEntity, 0),
			false,
			func(t *testing.T, response *reply, body []byte, err error) {
				require.NoError(t, err)
				assert.Equal(t, http.StatusUnprocessableEntity, response.StatusCode)
				assert.JSONEq(
					t,
					`{"errors":{"event":[{"key":"errors.invalid","description":"invalid"}]}}`,
					string(body),
				)
			},
		},
		{
			"answer",
			cronofytest.FaultAnswer(http.StatusFound, http.Header{"location": {"https://example.com/"}}, "moved"),
			false,
			func(t *testing.T, response *reply, body []byte, err error) {
				require.NoError(t, err)
				assert.Equal(t, http.StatusFound, response.StatusCode)
				assert.Equal(t, "https://example.com/", response.Header.Get("Location"))
				assert.Equal(t, "moved", string(body))
			},
		},
		{"html", cronofytest.FaultHTML(), false, func(t *testing.T, response *reply, body []byte, err error) {
			require.NoError(t, err)
			assert.Equal(t, http.StatusOK, response.StatusCode)
			assert.Equal(t, "text/html; charset=utf-8", response.Header.Get("Content-Type"))
			assert.Contains(t, string(body), "<html>")
		}},
		{"empty", cronofytest.FaultEmpty(), true, func(t *testing.T, response *reply, body []byte, err error) {
			require.NoError(t, err)
			assert.Equal(t, http.StatusOK, response.StatusCode)
			assert.Empty(t, body)
		}},
		{"truncated", cronofytest.FaultTruncated(), true, func(t *testing.T, response *reply, body []byte, err error) {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			assert.Equal(t, http.StatusOK, response.StatusCode)
			assert.NotEmpty(t, body)
		}},
		{"oversized", cronofytest.FaultOversized(), true, func(t *testing.T, _ *reply, body []byte, err error) {
			require.NoError(t, err)
			assert.Greater(t, len(body), 8<<20)
			assert.True(t, json.Valid(body))
		}},
		{
			"broken JSON",
			cronofytest.FaultBrokenJSON(),
			true,
			func(t *testing.T, response *reply, body []byte, err error) {
				require.NoError(t, err)
				assert.Equal(t, http.StatusOK, response.StatusCode)
				assert.False(t, json.Valid(body))
				assert.Contains(t, string(body), "BEGIN:VCALENDAR")
			},
		},
		{"drop", cronofytest.FaultDrop(), true, func(t *testing.T, response *reply, _ []byte, err error) {
			require.Error(t, err)
			assert.Nil(t, response)
		}},
		{
			"calendar",
			cronofytest.FaultCalendar(
				func(text string) string { return strings.Replace(text, "METHOD:REQUEST", "METHOD:REPLY", 1) },
			),
			true,
			func(t *testing.T, _ *reply, body []byte, err error) {
				require.NoError(t, err)
				assert.Contains(t, string(body), `METHOD:REPLY\n`)
			},
		},
	}
	ways := map[string]func(t *testing.T, s *cronofytest.Server) (*http.Client, string){
		"network": func(t *testing.T, s *cronofytest.Server) (*http.Client, string) {
			server := httptest.NewServer(s)
			t.Cleanup(server.Close)
			return server.Client(), server.URL
		},
		"transport": func(_ *testing.T, s *cronofytest.Server) (*http.Client, string) {
			return &http.Client{Transport: s.Transport()}, "https://api.cronofy.example"
		},
	}
	for way, open := range ways {
		for _, row := range table {
			t.Run(row.name+" over "+way, func(t *testing.T) {
				t.Parallel()
				s := cronofytest.New(cronofytest.Options{Fault: cronofytest.FaultFirst(1, row.fault)})
				client, base := open(t, s)
				client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
				response, body, err := ask(t.Context(), client, base)
				row.check(t, response, body, err)
				err = setStatus(s, id, email, "accepted", "")
				assert.Equal(t, row.applied, err == nil, "carried out or not: %v", err)

				response, body, err = ask(t.Context(), client, base)
				require.NoError(t, err)
				assert.Equal(t, http.StatusOK, response.StatusCode, "the fault was for the first request only")
				assert.True(t, json.Valid(body))
			})
		}
	}
}

// Each broken calendar is wrong in its own way and, where text is left, in that way only.
func TestBrokenCalendars(t *testing.T) {
	t.Parallel()
	has := func(line string) func(t *testing.T, text string) {
		return func(t *testing.T, text string) { assert.Contains(t, text, line) }
	}
	lacks := func(name ics.ComponentProperty) func(t *testing.T, text string) {
		return func(t *testing.T, text string) { assert.Nil(t, vevent(t, text).GetProperty(name)) }
	}
	table := map[string]func(t *testing.T, text string){
		"missing":   nil,
		"list":      nil,
		"empty":     func(t *testing.T, text string) { assert.Empty(t, text) },
		"nonsense":  has("no calendar"),
		"truncated": func(t *testing.T, text string) { assert.NotContains(t, text, "END:VCALENDAR") },
		"no event":  func(t *testing.T, text string) { assert.NotContains(t, text, "VEVENT") },
		"no method": func(t *testing.T, text string) { assert.NotContains(t, text, "METHOD") },

		"other method":       has("METHOD:PUBLISH\n"),
		"no uid":             lacks(ics.ComponentPropertyUniqueId),
		"no sequence":        lacks(ics.ComponentPropertySequence),
		"no dtstamp":         lacks(ics.ComponentPropertyDtstamp),
		"no organizer":       lacks(ics.ComponentPropertyOrganizer),
		"no attendee":        lacks(ics.ComponentPropertyAttendee),
		"other attendee":     has("mailto:somebody.else@example.net"),
		"huge":               func(t *testing.T, text string) { assert.Greater(t, len(text), 512<<10) },
		"a kind of tomorrow": has("no calendar"),
	}
	for kind, check := range table {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := cronofytest.New(
				cronofytest.Options{
					Fault: cronofytest.FaultFirst(1, cronofytest.FaultBrokenCalendar(kind)),
				},
			)
			code, answer := post(t, s, documented)
			require.Equal(t, http.StatusOK, code)
			if check != nil {
				check(t, answer["attachments"].(object)["icalendar"].(string))
				return
			}
			require.Contains(t, answer, "attachments")
			assert.Empty(t, answer["attachments"])
		})
	}
}

// A list in place of attachments must hold for a removal too, which adds to them.
func TestBrokenCalendarOfRemoval(t *testing.T) {
	t.Parallel()
	s := cronofytest.New(cronofytest.Options{Fault: func(r *cronofytest.Request) *cronofytest.Fault {
		if r.Action == "remove" {
			return cronofytest.FaultBrokenCalendar("list")
		}
		return nil
	}})
	o := documentedObject(t)
	delete(o, "recipient")
	o["recipients"] = several("a@example.com", "b@example.com")
	create(t, s, o)
	code, answer := post(
		t,
		s,
		object{"method": "remove", "recipient": object{"email": "a@example.com"}, "smart_invite_id": id},
	)
	require.Equal(t, http.StatusOK, code)
	assert.Equal(t, []any{}, answer["attachments"])
}

// Latency passes before the answer and ends with the context; in virtual time it is exact.
func TestLatency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := cronofytest.New(
			cronofytest.Options{
				Latency: 3 * time.Second,
			},
		)
		client := &http.Client{Transport: s.Transport()}
		for _, want := range []time.Duration{3 * time.Second, 3 * time.Second} {
			begin := time.Now()
			_, _, err := ask(t.Context(), client, "https://api.cronofy.example")
			require.NoError(t, err)
			assert.Equal(t, want, time.Since(begin))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		begin := time.Now()
		_, _, err := ask(ctx, client, "https://api.cronofy.example")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 2*time.Second, time.Since(begin))
		_, _, err = ask(ctx, client, "https://api.cronofy.example")
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// The limits hold over any second and any minute, not over those of the clock, and Retry-After
// says when a request is admitted.
func TestRateLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := cronofytest.New(cronofytest.Options{RatePerSecond: 5, RatePerMinute: 12})
		client := &http.Client{Transport: s.Transport()}
		admitted := func() (bool, string) {
			response, _, err := ask(t.Context(), client, "https://api.cronofy.example")
			require.NoError(t, err)
			if response.StatusCode != http.StatusOK {
				require.Equal(t, http.StatusTooManyRequests, response.StatusCode)
			}
			return response.StatusCode == http.StatusOK, response.Header.Get("Retry-After")
		}
		burst := func() (n int, wait string) {
			for {
				ok, retryAfter := admitted()
				if !ok {
					return n, retryAfter
				}
				n++
			}
		}
		time.Sleep(900 * time.Millisecond) // off the clock's seconds
		for _, step := range []struct {
			pause time.Duration
			want  int
			wait  string
		}{
			{0, 5, "1"},
			{999 * time.Millisecond, 0, "1"},
			{time.Millisecond, 5, "1"},
			{time.Second, 2, "58"}, // the minute is full
			{57*time.Second + 999*time.Millisecond, 0, "1"},
			{time.Millisecond, 5, "1"},
			{time.Second, 5, "1"},
		} {
			time.Sleep(step.pause)
			n, wait := burst()
			assert.Equal(t, step.want, n)
			assert.Equal(t, step.wait, wait)
		}
	})
}
