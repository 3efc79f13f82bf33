package cronofy

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testKey       = "CRN_NggYusqPGLxwjw5FHOJYOqSrTPNXy8WQf14OID"
	testRecipient = "cronofy@example.com"
	testID        = "your-unique-identifier-for-invite"
	// testBase is not empty, so that a client that builds a URL from the host
	// alone is caught.
	testBase = "/base/path"
)

// setup starts a server with that handler and returns a client of it that
// does not repeat. Change the configuration with adapt.
func setup(t *testing.T, handler http.HandlerFunc, adapt ...func(*Config)) *Client {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc(testBase+"/v1/smart_invites", handler)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		assert.Fail(t, "request outside the base URL", "%s: is the path built without %s?", r.URL.Path, testBase)
		w.WriteHeader(http.StatusTeapot)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	config := Config{APIKey: testKey, BaseURL: server.URL + testBase + "/", MaxAttempts: 1}
	for _, f := range adapt {
		f(&config)
	}
	client, err := New(config)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// roundTripper answers without a network, for tests in virtual time.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	return f(r)
}

func answer(status int, body string, header ...string) *http.Response {
	recorder := httptest.NewRecorder()
	recorder.Header().Set("Content-Type", "application/json; charset=utf-8")
	for i := 0; i+1 < len(header); i += 2 {
		recorder.Header().Set(header[i], header[i+1])
	}
	recorder.WriteHeader(status)
	_, _ = io.Copy(recorder, strings.NewReader(body))
	return recorder.Result()
}

// offline returns a client that asks f and takes all of every jitter.
func offline(t *testing.T, f roundTripper, adapt ...func(*Config)) *Client {
	t.Helper()
	config := Config{APIKey: testKey, Transport: f, Rand: func() float64 { return 1 }}
	for _, f := range adapt {
		f(&config)
	}
	client, err := New(config)
	require.NoError(t, err)
	return client
}

func readTestdata(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return data
}

// documentedRequest is the example of the API's documentation.
func documentedRequest() *InviteRequest {
	return &InviteRequest{
		SmartInviteID: testID,
		Recipient:     &Recipient{Email: testRecipient},
		CallbackURL:   "https://yourapp.example.com/cronofy/smart_invite/notifications",
		Event: &Event{
			Summary:     "Board meeting",
			Description: "Discuss plans for the next quarter.",
			Start:       EventTime{Time: time.Date(2026, 4, 29, 9, 30, 0, 0, time.UTC)},
			End:         EventTime{Time: time.Date(2026, 4, 29, 10, 0, 0, 0, time.UTC)},
			TZID:        "Europe/London",
			Location:    &Location{Description: "Board room"},
		},
		Organizer: &Organizer{Name: "Smart invite application", Email: "organizer@myapplication.com"},
	}
}
