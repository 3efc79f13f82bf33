package cronofy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each status is told, and each says whether a later try makes sense.
func TestStatusToError(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status    int
		want      *Error
		retryable bool
	}{
		{301, &Error{Status: 301}, false},
		{302, &Error{Status: 302}, false},
		{307, &Error{Status: 307}, false},
		{400, &Error{Status: 400}, false},
		{401, &Error{Status: 401}, false},
		{402, &Error{Status: 402}, false},
		{403, &Error{Status: 403}, false},
		{404, &Error{Status: 404}, false},
		{408, &Error{Status: 408}, true},
		{410, &Error{Status: 410}, false},
		{422, &Error{Status: 422}, false},
		{423, &Error{Status: 423}, true},
		{429, &Error{Status: 429, RetryAfter: 7 * time.Second}, true},
		{500, &Error{Status: 500, RetryAfter: 7 * time.Second}, true},
		{501, &Error{Status: 501, RetryAfter: 7 * time.Second}, false},
		{502, &Error{Status: 502, RetryAfter: 7 * time.Second}, true},
		{503, &Error{Status: 503, RetryAfter: 7 * time.Second}, true},
		{504, &Error{Status: 504, RetryAfter: 7 * time.Second}, true},
		{520, &Error{Status: 520, RetryAfter: 7 * time.Second}, true},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.status), func(t *testing.T) {
			t.Parallel()
			client := setup(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere") // setup fails the test if it is followed
				w.Header().Set("Retry-After", "7")
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, "<html>"+testRecipient+testKey)
			})
			_, err := client.Create(t.Context(), documentedRequest())
			var known *Error
			require.ErrorAs(t, err, &known)
			assert.Equal(t, test.want, known)
			again, reason := known.Retryable()
			assert.Equal(t, test.retryable, again)
			assert.NotEmpty(t, reason)
			assert.True(t, strings.HasPrefix(err.Error(), `cronofy: create "`+testID+`": `), err)
		})
	}
}

// The status is found through every wrapping.
func TestStatusOf(t *testing.T) {
	t.Parallel()
	assert.Zero(t, StatusOf(nil))
	assert.Zero(t, StatusOf(errors.New("something else")))
	for status, want := range map[int]int{
		200: 0, 400: 400, 401: 401, 402: 402, 403: 403, 404: 404, 422: 422, 429: 429, 500: 500,
	} {
		client := setup(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		_, err := client.Create(t.Context(), documentedRequest())
		require.Error(t, err)
		assert.Equal(t, want, StatusOf(err), "status %d: %v", status, err)
	}
}

// A success that cannot be used is a failure of the transport.
func TestUnusableAnswers(t *testing.T) {
	t.Parallel()
	write := func(body string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			_, _ = io.WriteString(w, body)
		}
	}
	tests := map[string]struct {
		handler http.HandlerFunc
		text    string
	}{
		"HTML":              {write("<html>"+testRecipient, "Content-Type", "text/html; charset=utf-8"), "web page"},
		"JSON sold as HTML": {write("{}", "Content-Type", "text/html"), "web page"},
		"empty":             {write(""), "empty"},
		"blank":             {write(" \n"), "empty"},
		"truncated":         {write(`{"smart_invite_id":"1"`, "Content-Length", "100"), "broke off"},
		"half JSON":         {write(`{"smart_invite_id":"1"`), "broken JSON"},
		"trailing":          {write(`{} {}`), "broken JSON"},
		"array":             {write(`[]`), "not a JSON object"},
		"null":              {write(`null`), "not a JSON object"},
		"other":             {write(`{"attachments":"` + testRecipient + `"}`), "documented form"},
		"too long":          {write(`{"a":"` + strings.Repeat("x", maxBody) + `"}`), "1 MiB"},
		"no content": {
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
			"empty",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := setup(t, test.handler)
			_, err := client.Create(t.Context(), documentedRequest())
			var failure *Error
			require.ErrorAs(t, err, &failure)
			assert.Contains(t, err.Error(), test.text)
			assert.False(t, failure.NotConnected)
			assert.Zero(t, failure.Status)
			assert.Contains(t, err.Error(), "(status 20")
			assert.NotContains(t, err.Error(), testRecipient)
			again, _ := failure.Retryable()
			assert.True(t, again)
		})
	}
}

// An answer of exactly the limit is still read.
func TestLongestAnswer(t *testing.T) {
	t.Parallel()
	const frame = len(`{"attachments":{"icalendar":""}}`)
	calendar := strings.Repeat("x", maxBody-frame)
	client := setup(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"attachments":{"icalendar":"`+calendar+`"}}`)
	})
	invite, err := client.Create(t.Context(), documentedRequest())
	require.NoError(t, err)
	assert.Len(t, invite.Attachments.ICalendar, len(calendar))
}

// assertNoSecret looks at an error and all that it wraps, printed in every way.
func assertNoSecret(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
			assertClean(t, fmt.Sprintf(verb, err))
		}
	}
}

func assertClean(t *testing.T, text string) {
	t.Helper()
	local, _, _ := strings.Cut(testRecipient, "@example.com")
	assert.NotContains(t, text, testKey)
	assert.NotContains(t, strings.ToLower(text), testRecipient)
	assert.NotContains(t, text, local+"%40")
}

// Neither the key nor an address shows, however a server echoes them and
// whatever is printed or logged.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 301, 400, 401, 402, 403, 404, 410, 422, 423, 429, 500, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			var logged bytes.Buffer
			client := setup(t, func(w http.ResponseWriter, r *http.Request) {
				echo := r.Header.Get("Authorization") + " " + testRecipient + " " + strings.ToUpper(testRecipient)
				w.Header().Set("Location", "/?"+echo)
				w.Header().Set("Retry-After", echo)
				w.WriteHeader(status)
				_, _ = fmt.Fprintf(
					w,
					`{"errors":{%q:[{"key":%q,"description":%q}]},"attachments":%q}`,
					echo,
					echo,
					echo,
					echo,
				)
			}, func(c *Config) {
				c.Logger = slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
			})
			request := documentedRequest()
			request.SmartInviteID = "booking for " + testRecipient
			_, err := client.Create(t.Context(), request)
			require.Error(t, err)
			assertNoSecret(t, err)
			_, err = client.Status(t.Context(), Ref{SmartInviteID: testID, Recipient: testRecipient}, false)
			require.Error(t, err)
			assertNoSecret(t, err)
			assert.Contains(t, logged.String(), `"repeat":false`)
			assertClean(t, logged.String())
		})
	}
}

// TestSlowAnswersAreLogged: the reader of the log need not guess what a program that
// goes on with nothing is waiting for.
func TestSlowAnswersAreLogged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		client := offline(t, func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, context.Cause(r.Context())
		}, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&logged, nil)) })
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(20*time.Second, func() { cancel(errors.New("the caller's own reason")) })
		_, err := client.Create(ctx, documentedRequest())
		require.ErrorIs(t, err, context.Canceled, "whatever the cause is")
		synctest.Wait() // until the log is written
		assert.Equal(t, 1, strings.Count(logged.String(), `msg="still waiting for the API"`), "%s", &logged)
	})
}
