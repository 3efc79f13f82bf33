package cronofytest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// object is a JSON object.
type object = map[string]any

// documented is the example request of the API page.
const documented = `{
  "method": "request",
  "recipient": { "email": "cronofy@example.com" },
  "smart_invite_id": "your-unique-identifier-for-invite",
  "callback_url": "https://yourapp.example.com/cronofy/smart_invite/notifications",
  "event": {
    "summary": "Board meeting",
    "description": "Discuss plans for the next quarter.",
    "start": "2026-04-29T09:30:00Z",
    "end": "2026-04-29T10:00:00Z",
    "tzid": "Europe/London",
    "location": { "description": "Board room" }
  },
  "organizer": { "name": "Smart invite application", "email": "organizer@myapplication.com" }
}`

// documentedObject returns the example, for a test to change.
func documentedObject(t testing.TB) object {
	t.Helper()
	var o object
	require.NoError(t, json.Unmarshal([]byte(documented), &o))
	return o
}

// noon is a clock that stands still.
func noon() time.Time { return time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC) }

// reply is the head of an answer.
type reply struct {
	StatusCode int
	Header     http.Header
}

// call sends a request past the network and returns the status and the body.
func call(t testing.TB, s *cronofytest.Server, method, target string, body any) (reply, []byte) {
	t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		require.NoError(t, err)
		reader = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, "https://api.cronofy.example"+target, reader)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer key")
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	response, err := s.Transport().RoundTrip(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return reply{response.StatusCode, response.Header}, raw
}

func post(t testing.TB, s *cronofytest.Server, body any) (int, object) {
	t.Helper()
	response, raw := call(t, s, http.MethodPost, "/v1/smart_invites", body)
	var o object
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		require.NoError(t, json.Unmarshal(raw, &o), "%s", raw)
	}
	return response.StatusCode, o
}

// create posts and expects it to work; it returns the answer and its calendar.
func create(t testing.TB, s *cronofytest.Server, body any) (object, string) {
	t.Helper()
	status, o := post(t, s, body)
	require.Equal(t, http.StatusOK, status, "%v", o)
	text, _ := o["attachments"].(object)["icalendar"].(string)
	return o, text
}

func status(t testing.TB, s *cronofytest.Server, query url.Values) (int, object) {
	t.Helper()
	response, raw := call(t, s, http.MethodGet, "/v1/smart_invites?"+query.Encode(), nil)
	var o object
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		require.NoError(t, json.Unmarshal(raw, &o), "%s", raw)
	}
	return response.StatusCode, o
}

// vevent reads the only event of a calendar.
func vevent(t testing.TB, text string) *ics.VEvent {
	t.Helper()
	c, err := ics.ParseCalendar(strings.NewReader(text))
	require.NoError(t, err)
	require.Len(t, c.Events(), 1)
	return c.Events()[0]
}

// property returns the value of a property of the event, "" if it is not there.
func property(t testing.TB, text string, name ics.ComponentProperty) string {
	t.Helper()
	if p := vevent(t, text).GetProperty(name); p != nil {
		return p.Value
	}
	return ""
}

// lines undoes the folding.
func lines(text string) []string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "\n ", ""), "\n"), "\n")
}

// setStatus is a recipient's own answer, with at most one proposal of another time.
func setStatus(s *cronofytest.Server, id, recipient, status, comment string, proposal ...cronofytest.Proposal) error {
	a := cronofytest.Answer{InviteID: id, Recipient: recipient, Status: status, Comment: comment}
	if len(proposal) > 0 {
		a.Proposal = &proposal[0]
	}
	return s.Answer(context.Background(), a)
}
