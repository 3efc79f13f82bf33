package cronofy

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The documented example must leave and arrive as it is printed.
func TestCreateIsTheDocumentedExchange(t *testing.T) {
	t.Parallel()
	client := setup(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, http.MethodPost, r.Method)
		assert.Equal(t, "Bearer "+testKey, r.Header.Get("Authorization"))
		assert.Equal(t, "application/json; charset=utf-8", r.Header.Get("Content-Type"))
		assert.Equal(t, defaultUserAgent, r.Header.Get("User-Agent"))
		assert.Empty(t, r.URL.RawQuery)
		assert.JSONEq(t, string(readTestdata(t, "create_request.json")), string(body))
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(readTestdata(t, "create_response.json"))
	})

	invite, err := client.Create(t.Context(), documentedRequest())

	require.NoError(t, err)
	assert.Equal(t, &SmartInvite{
		SmartInviteID: testID,
		CallbackURL:   "https://yourapp.example.com/cronofy/smart_invite/notifications",
		Recipient:     &Participant{Email: testRecipient, Status: StatusPending},
		Event: &Event{
			Summary:     "Board meeting",
			Description: "Discuss plans for the next quarter.",
			Start:       EventTime{Time: time.Date(2026, 4, 29, 9, 30, 0, 0, time.UTC), TZID: "Europe/London"},
			End:         EventTime{Time: time.Date(2026, 4, 29, 10, 0, 0, 0, time.UTC), TZID: "Europe/London"},
			Location:    &Location{Description: "Board room"},
		},
		Attachments: Attachments{ICalendar: "BEGIN:VCALENDAR\nVERSION:2.0..."},
	}, invite)
}

// What leaves for each call, and nothing else with it: a cancellation with an
// event or an organizer is not what the API documents.
func TestRequests(t *testing.T) {
	t.Parallel()
	many := []string{"a@example.com", "b@example.com"}
	tests := map[string]struct {
		call        func(*testing.T, *Client) (*SmartInvite, error)
		method      string
		query, body string
	}{
		"create for many": {
			call: func(t *testing.T, c *Client) (*SmartInvite, error) {
				return c.Create(t.Context(), &InviteRequest{
					SmartInviteID: "1", Recipients: []Recipient{{Email: "a@example.com"}, {Email: "b@example.com"}},
					Event: &Event{Summary: "S"},
				})
			},
			method: http.MethodPost,
			body: `{"method":"request","recipients":[{"email":"a@example.com"},{"email":"b@example.com"}],` +
				`"smart_invite_id":"1","event":{"summary":"S"}}`,
		},
		"cancel for one": {
			call: func(t *testing.T, c *Client) (*SmartInvite, error) {
				return c.Cancel(t.Context(), Ref{SmartInviteID: "1", Recipient: "a@example.com"})
			},
			method: http.MethodPost,
			body:   `{"method":"cancel","recipient":{"email":"a@example.com"},"smart_invite_id":"1"}`,
		},
		"cancel for many": {
			call: func(t *testing.T, c *Client) (*SmartInvite, error) {
				return c.Cancel(t.Context(), Ref{SmartInviteID: "1", Recipients: many})
			},
			method: http.MethodPost,
			body: `{"method":"cancel","recipients":[{"email":"a@example.com"},{"email":"b@example.com"}],` +
				`"smart_invite_id":"1"}`,
		},
		"remove": {
			call: func(t *testing.T, c *Client) (*SmartInvite, error) {
				return c.Remove(t.Context(), Ref{SmartInviteID: "1", Recipient: "a@example.com"})
			},
			method: http.MethodPost,
			body:   `{"method":"remove","recipient":{"email":"a@example.com"},"smart_invite_id":"1"}`,
		},
		"status escapes the address": {
			call: func(t *testing.T, c *Client) (*SmartInvite, error) {
				return c.Status(t.Context(), Ref{SmartInviteID: "1&2", Recipient: "a+b@example.com"}, false)
			},
			method: http.MethodGet,
			query:  "recipient_email=a%2Bb%40example.com&smart_invite_id=1%262",
		},
		"status with the calendar": {
			call: func(t *testing.T, c *Client) (*SmartInvite, error) {
				return c.Status(t.Context(), Ref{SmartInviteID: "1", Recipient: "a@example.com"}, true)
			},
			method: http.MethodGet,
			query:  "include_ics=true&recipient_email=a%40example.com&smart_invite_id=1",
		},
		"status for many names the id alone": {
			call: func(t *testing.T, c *Client) (*SmartInvite, error) {
				return c.Status(t.Context(), Ref{SmartInviteID: "1", Recipients: many}, false)
			},
			method: http.MethodGet,
			query:  "smart_invite_id=1",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := setup(t, func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				assert.NoError(t, err)
				assert.Equal(t, test.method, r.Method)
				assert.Equal(t, test.query, r.URL.RawQuery)
				assert.Equal(t, test.body, string(body))
				_, _ = io.WriteString(w, `{"smart_invite_id":"1"}`)
			})
			invite, err := test.call(t, client)
			require.NoError(t, err)
			assert.Equal(t, "1", invite.SmartInviteID)
		})
	}
}

// An incomplete request is stopped before anything is asked of anyone.
func TestIncompleteRequestsAreNotSent(t *testing.T) {
	t.Parallel()
	client := offline(t, func(*http.Request) (*http.Response, error) {
		assert.Fail(t, "an incomplete request was sent")
		return answer(http.StatusOK, "{}"), nil
	})
	create := func(adapt func(*InviteRequest)) func() error {
		return func() error {
			request := documentedRequest()
			adapt(request)
			_, err := client.Create(t.Context(), request)
			return err
		}
	}
	cancel := func(ref Ref) func() error {
		return func() error { _, err := client.Cancel(t.Context(), ref); return err }
	}
	tests := map[string]struct {
		call func() error
		want []string
	}{
		"nil": {
			func() error { _, err := client.Create(t.Context(), nil); return err },
			[]string{"the request is nil"},
		},
		"everything at once": {
			func() error { _, err := client.Create(t.Context(), &InviteRequest{}); return err },
			[]string{"smart_invite_id is missing", "recipient is missing", "event is missing"},
		},
		"both": {
			create(func(r *InviteRequest) { r.Recipients = []Recipient{{Email: "a@example.com"}} }),
			[]string{"recipient and recipients are both set: use one of them"},
		},
		"no address": {
			create(func(r *InviteRequest) { r.Recipient.Email = "" }),
			[]string{"recipient.email is missing"},
		},
		"one of many": {
			cancel(Ref{SmartInviteID: "1", Recipients: []string{"a@example.com", ""}}),
			[]string{"an entry of recipients has no address"},
		},
		"cancel without id":        {cancel(Ref{Recipient: "a@example.com"}), []string{"smart_invite_id is missing"}},
		"cancel without recipient": {cancel(Ref{SmartInviteID: "1"}), []string{"recipient is missing"}},
		"remove many": {func() error {
			_, err := client.Remove(t.Context(), Ref{SmartInviteID: "1", Recipients: []string{"a@example.com"}})
			return err
		}, []string{"remove takes one recipient at a time: set recipient"}},
		"status of both": {func() error {
			_, err := client.Status(t.Context(), Ref{Recipient: "a", Recipients: []string{"b"}}, false)
			return err
		}, []string{"smart_invite_id is missing", "recipient and recipients are both set: use one of them"}},
		"year": {
			create(func(r *InviteRequest) { r.Event.Start.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }),
			[]string{"the year must be between 0 and 9999"},
		},
		"set twice": {create(func(r *InviteRequest) {
			r.Event.Extra = map[string]json.RawMessage{"summary": json.RawMessage(`"x"`)}
		}), []string{"event.summary is set twice: as a field and in Extra"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var incomplete *Error
			require.ErrorAs(t, test.call(), &incomplete)
			assert.True(t, incomplete.Local)
			var got []string
			for _, problem := range incomplete.Problems {
				got = append(got, problem.Description)
			}
			assert.Equal(t, test.want, got)
			assert.ErrorContains(t, incomplete, strings.Join(test.want, "; "))
			again, _ := incomplete.Retryable()
			assert.False(t, again)
		})
	}
}

// Answers as the documentation and the fixtures of official SDKs have them.
func TestAnswers(t *testing.T) {
	t.Parallel()
	paris := func(minute int) EventTime {
		return EventTime{Time: time.Date(2021, 1, 29, 21, minute, 0, 0, time.UTC), TZID: "Europe/Paris"}
	}
	tests := map[string]struct {
		body string
		want SmartInvite
	}{
		"status": {
			string(readTestdata(t, "status_response.json")),
			SmartInvite{
				SmartInviteID: testID,
				CallbackURL:   "https://yourapp.example.com/cronofy/smart_invite/notifications",
				Recipient: &Participant{
					Email: testRecipient, Status: StatusTentative, Comment: "example comment",
					Proposal: &Proposal{Start: paris(0), End: paris(30)},
				},
				Replies: []Participant{
					{Email: "person1@example.com", Status: StatusAccepted},
					{Email: "person2@example.com", Status: StatusDeclined},
				},
				Event: &Event{
					Summary: "Board meeting",
					Start:   EventTime{Time: time.Date(2026, 4, 29, 9, 30, 0, 0, time.UTC), TZID: "Europe/London"},
					End:     EventTime{Time: time.Date(2026, 4, 29, 10, 0, 0, 0, time.UTC), TZID: "Europe/London"},
				},
				Attachments: Attachments{ICalendar: "BEGIN:VCALENDAR\nVERSION:2.0..."},
			},
		},
		"attachments is an array": {`{"smart_invite_id":"1","attachments":[]}`, SmartInvite{SmartInviteID: "1"}},
		"attachments is null":     {`{"smart_invite_id":"1","attachments":null}`, SmartInvite{SmartInviteID: "1"}},
		"removed": {
			`{"attachments":{"icalendar":"BEGIN","removed":{"email":"example@example.com"}}}`,
			SmartInvite{Attachments: Attachments{ICalendar: "BEGIN", Removed: &Removed{Email: "example@example.com"}}},
		},
		"removed with a calendar": {
			`{"attachments":{"removed":{"email":"a@example.com","icalendar":"X"}}}`,
			SmartInvite{Attachments: Attachments{Removed: &Removed{Email: "a@example.com", ICalendar: "X"}}},
		},
		"removed is something else": {
			`{"attachments":{"icalendar":"X","removed":[]}}`,
			SmartInvite{Attachments: Attachments{ICalendar: "X"}},
		},
		"unknown fields and values": {
			`{"new":{"a":[1]},"recipient":{"email":"a@example.com","status":"delegated","new":1}}`,
			SmartInvite{Recipient: &Participant{Email: "a@example.com", Status: "delegated"}},
		},
		"an event in another form does not cost the calendar": {
			`{"event":{"summary":"S","start":"soon","new":1},"attachments":{"icalendar":"X"}}`,
			SmartInvite{
				Event: &Event{
					Summary: "S",
					Extra: map[string]json.RawMessage{
						"start": json.RawMessage(`"soon"`),
						"new":   json.RawMessage(`1`),
					},
				},
				Attachments: Attachments{ICalendar: "X"},
			},
		},
		"many": {
			`{"method":"cancel","recipients":[{"email":"a@example.com","status":"pending"},` +
				`{"email":"b@example.com","status":"accepted"}]}`,
			SmartInvite{
				Method: "cancel",
				Recipients: []Participant{
					{Email: "a@example.com", Status: StatusPending},
					{Email: "b@example.com", Status: StatusAccepted},
				},
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := setup(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusAccepted)
				_, _ = io.WriteString(w, test.body)
			})
			invite, err := client.Status(t.Context(), Ref{SmartInviteID: testID, Recipient: testRecipient}, true)
			require.NoError(t, err)
			assert.Equal(t, test.want, *invite)

			// A program that stores the answer as JSON gets the same back.
			stored, err := json.Marshal(invite)
			require.NoError(t, err)
			var again SmartInvite
			require.NoError(t, json.Unmarshal(stored, &again))
			assert.Equal(t, test.want, again)
		})
	}
}

// Any answer about the invite means that the key was let in.
func TestCheckKey(t *testing.T) {
	t.Parallel()
	for status, accepted := range map[int]bool{200: true, 202: true, 404: true, 422: true, 401: false,
		402: false, 403: false, 429: false, 500: false, 302: false} {
		client := setup(t, func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, http.MethodGet, r.Method)
			assert.NotEmpty(t, r.URL.Query().Get("smart_invite_id"))
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{}`)
		})
		err := client.CheckKey(t.Context())
		if accepted {
			require.NoError(t, err, status)
			continue
		}
		require.Error(t, err, status)
		assert.Equal(t, 1, strings.Count(err.Error(), "cronofy: "), "one prefix: %v", err)
	}
}
