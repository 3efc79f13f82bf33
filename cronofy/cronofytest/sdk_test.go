package cronofytest_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
)

// sdkRequest is one request of an official SDK, byte for byte but for Host and Content-Length.
type sdkRequest struct {
	name  string
	lines []string // request line and header
	body  string
	want  int
	says  string // in the body of the answer
}

// The official SDKs of other languages each write their requests in their own way; all of them
// must be understood. The shapes follow github.com/cronofy: cronofy-ruby, cronofy-node,
// pycronofy, cronofy-php, cronofy-csharp.
func TestOfficialSDKs(t *testing.T) {
	t.Parallel()
	const event = `"event":{"summary":"Board meeting","start":"2026-04-29T09:30:00Z",` +
		`"end":"2026-04-29T10:00:00Z","tzid":"Europe/London","location":{"description":"Board room"}}`
	sdks := map[string][]sdkRequest{
		"ruby": {
			{
				"create",
				[]string{
					"POST /v1/smart_invites HTTP/1.1",
					"User-Agent: Cronofy Ruby 0.37.6",
					"Content-Type: application/json; charset=utf-8",
					"Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
					"Accept: */*",
					"Authorization: Bearer key",
				},
				`{"method":"request","recipient":{"email":"a+b@example.com"},"smart_invite_id":"1",` +
					`"callback_url":"https://example.com/cb",` + event + `}`,
				200,
				"METHOD:REQUEST",
			},
			{
				"status",
				[]string{
					"GET /v1/smart_invites?recipient_email=plain@example.com&smart_invite_id=1 HTTP/1.1",
					"User-Agent: Cronofy Ruby 0.37.6",
					"Authorization: Bearer key",
				},
				"",
				404,
				"no such smart invite",
			},
			{
				"cancel",
				[]string{
					"POST /v1/smart_invites HTTP/1.1",
					"Content-Type: application/json; charset=utf-8",
					"Authorization: Bearer key",
				},
				`{"recipient":{"email":"a+b@example.com"},"smart_invite_id":"1","method":"cancel"}`,
				200,
				"METHOD:CANCEL",
			},
			{
				"wrong key",
				[]string{
					"POST /v1/smart_invites HTTP/1.1",
					"Content-Type: application/json; charset=utf-8",
					"Authorization: Bearer other",
				},
				`{}`,
				401,
				"credentials",
			},
		},
		"node": {
			{
				"create",
				[]string{
					"POST /v1/smart_invites HTTP/1.1",
					"accept: application/json, text/plain, */*",
					"content-type: application/json",
					"authorization: Bearer key",
					"user-agent: Cronofy Node - 7.0.3",
					"accept-encoding: gzip, deflate",
					"connection: keep-alive",
				},
				`{"smart_invite_id":"1","callback_url":"https://example.com/cb",` +
					`"recipient":{"email":"ada@example.com"},` + event + `}`,
				200,
				"METHOD:REQUEST",
			},
			{
				"status",
				[]string{
					"GET /v1/smart_invites?smart_invite_id=1&recipient_email=ada%40example.com&include_ics=true " +
						"HTTP/1.1",
					"authorization: Bearer key",
					"content-type: application/json",
					"accept-encoding: gzip, deflate",
				},
				"",
				200,
				"BEGIN:VCALENDAR",
			},
			{
				"cancel",
				[]string{
					"POST /v1/smart_invites HTTP/1.1",
					"content-type: application/json",
					"authorization: Bearer key",
				},
				`{"method":"cancel","recipient":{"email":"ada@example.com"},"smart_invite_id":"1"}`,
				200,
				"METHOD:CANCEL",
			},
			{
				"error",
				[]string{
					"POST /v1/smart_invites HTTP/1.1",
					"content-type: application/json",
					"authorization: Bearer key",
				},
				`{"smart_invite_id":"1"}`,
				422,
				`"key":"errors.required"`,
			},
		},
		"python": { // sends an empty JSON object with a GET, too
			{
				"create",
				[]string{
					"POST /v1/smart_invites HTTP/1.1",
					"User-Agent: pycronofy 2.0.7",
					"Accept-Encoding: gzip, deflate",
					"Accept: */*",
					"Connection: keep-alive",
					"Authorization: Bearer key",
					"Content-Type: application/json",
				},
				`{"method": "request", "smart_invite_id": "1", "callback_url": null,` +
					` "event": {"summary": "B\u00f6ard", "start": {"time": "2026-04-29T09:30:00Z",` +
					` "tzid": "Europe/London"}, "end": {"time": "2026-04-29T10:00:00Z",` +
					` "tzid": "Europe/London"}}, "recipients": [{"email": "ada@example.com"},` +
					` {"email": "bob@example.com"}], "organizer": {"name": "Smart"}}`,
				200,
				"METHOD:REQUEST",
			},
			{
				"one",
				[]string{
					"POST /v1/smart_invites HTTP/1.1",
					"Authorization: Bearer key",
					"Content-Type: application/json",
				},
				`{"method": "request", "smart_invite_id": "2", "callback_url": null, ` + event + `,` +
					` "recipient": {"email": "ada@example.com"}}`,
				200,
				"METHOD:REQUEST",
			},
			{
				"status",
				[]string{
					"GET /v1/smart_invites?smart_invite_id=2&recipient_email=ada%40example.com HTTP/1.1",
					"Authorization: Bearer key",
					"Content-Type: application/json",
				},
				"{}",
				200,
				`"replies":[]`,
			},
			{
				"cancel",
				[]string{
					"POST /v1/smart_invites HTTP/1.1",
					"Authorization: Bearer key",
					"Content-Type: application/json",
				},
				`{"method": "cancel", "smart_invite_id": "1", "recipients": [{"email": "ada@example.com"},` +
					` {"email": "bob@example.com"}]}`,
				200,
				"METHOD:CANCEL",
			},
		},
		"php": { // no method on create; slashes and letters escaped
			{
				"create",
				[]string{
					"POST /v1/smart_invites HTTP/1.1",
					"User-Agent: Cronofy PHP 1.0.0",
					"Accept: */*",
					"Accept-Encoding: deflate, gzip, br, zstd",
					"Authorization: Bearer key",
					"Content-Type: application/json; charset=utf-8",
				},
				`{"event":{"summary":"Caf\u00e9","start":"2026-04-29T09:30:00Z","end":"2026-04-29T10:00:00Z",` +
					`"tzid":"Europe\/London"},"smart_invite_id":"1","callback_url":"https:\/\/example.com\/cb",` +
					`"recipient":{"email":"ada@example.com"}}`,
				200,
				"METHOD:REQUEST",
			},
			{
				"status",
				[]string{
					"GET /v1/smart_invites?smart_invite_id=1&recipient_email=ada%40example.com HTTP/1.1",
					"Authorization: Bearer key",
				},
				"",
				200,
				`"status":"pending"`,
			},
			{
				"cancel",
				[]string{
					"POST /v1/smart_invites HTTP/1.1",
					"Authorization: Bearer key",
					"Content-Type: application/json; charset=utf-8",
				},
				`{"smart_invite_id":"1","method":"cancel","recipient":{"email":"ada@example.com"}}`,
				200,
				"METHOD:CANCEL",
			},
		},
		"csharp": { // a space for the T, null for nothing, and an encoding of the content that is none
			{
				"create",
				[]string{
					"POST /v1/smart_invites HTTP/1.1",
					"User-Agent: Cronofy .NET",
					"Content-Encoding: gzip",
					"Expect: 100-continue",
					"Authorization: Bearer key",
					"Content-Type: application/json; charset=utf-8",
				},
				`{"method":"request","recipient":{"email":"ada@example.com"},"smart_invite_id":"1",` +
					`"callback_url":"https://example.com/cb","event":{"summary":"Board",` +
					`"start":{"time":"2026-04-29 09:30:00Z","tzid":"Europe/London"},` +
					`"end":{"time":"2026-04-29 10:00:00Z","tzid":"Europe/London"},"url":null,` +
					`"transparency":"opaque","reminders":[{"minutes":60}]},` +
					`"organizer":{"name":"App","email":"o@example.com"}}`,
				200,
				"METHOD:REQUEST",
			},
			{
				"status",
				[]string{
					"GET /v1/smart_invites?recipient_email=ada%40example.com&smart_invite_id=1 HTTP/1.1",
					"Authorization: Bearer key",
				},
				"",
				200,
				`"time":"2026-04-29T09:30:00Z"`,
			},
			{
				"cancel",
				[]string{
					"POST /v1/smart_invites HTTP/1.1",
					"Authorization: Bearer key",
					"Content-Type: application/json; charset=utf-8",
				},
				`{"method":"cancel","recipient":{"email":"ada@example.com"},"smart_invite_id":"1"}`,
				200,
				"METHOD:CANCEL",
			},
		},
	}
	for name, requests := range sdks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(cronofytest.New(cronofytest.Options{APIKey: "key"}))
			defer server.Close()
			for _, r := range requests {
				got, body := raw(t, server.Listener.Addr().String(), r)
				assert.Equal(t, r.want, got, "%s: %s", r.name, body)
				assert.Contains(t, body, r.says, r.name)
			}
		})
	}
}

// raw speaks HTTP by hand and returns the status and body of the answer.
func raw(t *testing.T, addr string, r sdkRequest) (int, string) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	head := strings.Join(r.lines, "\r\n") + "\r\nHost: " + addr + "\r\n"
	if r.body != "" {
		head += fmt.Sprintf("Content-Length: %d\r\n", len(r.body))
	}
	_, err = io.WriteString(conn, head+"\r\n"+r.body)
	require.NoError(t, err)
	reader := bufio.NewReader(conn)
	for {
		response, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		if response.StatusCode != http.StatusContinue {
			return response.StatusCode, string(body)
		}
	}
}
