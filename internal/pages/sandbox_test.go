package pages_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/pages"
	"github.com/invitemailer/invitemailer/mailer/sandbox"
)

// played is a sandbox with one invite, and its page.
func played(t *testing.T) (*sandbox.Sandbox, http.Handler) {
	t.Helper()
	s, err := sandbox.Start(t.Context(), sandbox.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	client, err := cronofy.New(cronofy.Config{APIKey: sandbox.DefaultAPIKey, BaseURL: s.APIURL()})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	start := time.Date(2087, 4, 29, 9, 30, 0, 0, time.UTC)
	_, err = client.Create(t.Context(), &cronofy.InviteRequest{SmartInviteID: "one",
		Recipient: &cronofy.Recipient{Email: "ann@example.org"},
		Event: &cronofy.Event{Summary: "Interview", TZID: "Europe/Berlin", Start: cronofy.EventTime{Time: start},
			End: cronofy.EventTime{Time: start.Add(30 * time.Minute)}}})
	require.NoError(t, err)
	return s, pages.Sandbox(s, slog.New(slog.DiscardHandler))
}

// Buttons answer; a page from elsewhere, a GET and a bad form change nothing.
func TestButtons(t *testing.T) {
	t.Parallel()
	form := func(pairs ...string) url.Values {
		v := url.Values{"id": {"one"}, "recipient": {"ann@example.org"}}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	for _, tc := range []struct {
		name, method string
		header       [2]string
		form         url.Values
		code         int
		want         string // status after it
	}{
		{"accept", "POST", [2]string{"Sec-Fetch-Site", "same-origin"}, form("status", "accepted"), 303, "accepted"},
		{"by the script", "POST", [2]string{"Accept", "text/plain"}, form("status", "declined", "comment", "no"), 200,
			"declined"},
		{"propose", "POST", [2]string{}, form("status", "propose", "start", "2087-05-01T14:00"), 303, "tentative"},
		{"propose nothing", "POST", [2]string{}, form("status", "propose"), 422, "pending"},
		{"from another page", "POST", [2]string{"Sec-Fetch-Site", "cross-site"}, form("status", "accepted"), 403,
			"pending"},
		{"from another origin", "POST", [2]string{"Origin", "http://evil.example"}, form("status", "accepted"), 403,
			"pending"},
		{"by GET", "GET", [2]string{}, form("status", "accepted"), 405, "pending"},
		{"unknown status", "POST", [2]string{}, form("status", "perhaps"), 422, "pending"},
		{"unknown invite", "POST", [2]string{}, form("id", "two", "status", "accepted"), 422, "pending"},
		{"somebody else", "POST", [2]string{}, form("status", "accepted", "by", "bob@example.org"), 303, "pending"},
		{"too long", "POST", [2]string{}, form("status", "accepted", "comment", strings.Repeat("a", 32<<10)), 400,
			"pending"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, h := played(t)
			target, body := "/answer", tc.form.Encode()
			if tc.method == "GET" {
				target, body = target+"?"+body, ""
			}
			r := httptest.NewRequestWithContext(t.Context(), tc.method, target, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if tc.header[0] != "" {
				r.Header.Set(tc.header[0], tc.header[1])
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			assert.Equal(t, tc.code, w.Code, w.Body.String())
			assert.Equal(t, tc.want, s.API().Invites()[0].Recipients[0].Status)
			if tc.name == "propose" {
				p := s.API().Invites()[0].Recipients[0].Proposal
				require.NotNil(t, p)
				assert.Equal(t, "2087-05-01T12:00:00Z", p.Start.UTC().Format(time.RFC3339),
					"by the clocks of the event")
				assert.Equal(t, 30*time.Minute, p.End.Sub(p.Start))
			}
		})
	}
}

// A mail that is not there is not, whatever its name looks like.
func TestMailNames(t *testing.T) {
	t.Parallel()
	_, h := played(t)
	for _, name := range []string{"1", "1.eml", "..%2f..%2fetc%2fpasswd", ".eml", "%00"} {
		assert.Equal(t, http.StatusNotFound, get(t, h, "/mails/"+name).Code, name)
	}
}
