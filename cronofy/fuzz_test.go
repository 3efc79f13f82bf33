package cronofy

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whatever the API or something before it sends, decoding ends with an invite
// or a problem, and an invite can be stored and read again.
func FuzzAnswer(f *testing.F) {
	for _, name := range []string{"create_response.json", "status_response.json"} {
		f.Add(readTestdata(f, name))
	}
	for _, body := range []string{"", "null", "[]", "{}", `{"attachments":[]}`,
		`{"attachments":{"removed":{"email":"a"}}}`, `{"event":{"start":5,"x":1}}`, "<html>",
		`{"errors":{"a":[{"key":"k","description":"d"}],"b":"c"}}`} {
		f.Add([]byte(body))
	}
	clean := func(s string) string { return s }
	f.Fuzz(func(t *testing.T, body []byte) {
		assert.NotEmpty(t, (&Error{Status: 422, Problems: readProblems(body, clean)}).Error())
		invite, failure := readInvite(&http.Response{Body: io.NopCloser(bytes.NewReader(body))})
		require.Equal(t, invite == nil, failure != nil)
		if invite == nil {
			return
		}
		stored, err := json.Marshal(invite)
		if err != nil {
			// The one thing that can be read and not be written.
			require.ErrorContains(t, err, "set twice")
			return
		}
		var again SmartInvite
		require.NoError(t, json.Unmarshal(stored, &again))
		assert.Equal(t, invite.Attachments, again.Attachments)
		assert.Equal(t, invite.Event == nil, again.Event == nil)
	})
}

// A time that can be read can be written, and means the same then.
func FuzzEventTime(f *testing.F) {
	for _, text := range []string{`"2026-04-29T09:30:00Z"`, `"2026-04-29"`, `"2021-01-29T23:00:00+02:00"`,
		`{"time":"2026-04-29T09:30:00Z","tzid":"Europe/London"}`, `"2014-08-05 15:30:00Z"`,
		`"0001-01-01T00:00:00Z"`, `null`, `5`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var first, second EventTime
		if err := json.Unmarshal(text, &first); err != nil {
			assert.Equal(t, EventTime{}, first)
			return
		}
		written, err := json.Marshal(first)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(written, &second), string(written))
		if first.IsZero() {
			assert.True(t, second.IsZero())
			return
		}
		first.Time = first.Time.Truncate(time.Second)
		if first.Time.IsZero() {
			return // the first second of the year 1 counts as no time
		}
		assert.Equal(t, first, second)
	})
}

// Only what was signed with the secret passes, and what passes can be parsed
// or refused, never more.
func FuzzCallback(f *testing.F) {
	body := readTestdata(f, "callback.json")
	f.Add(body, SignCallback(body, "secret"))
	f.Add(wellKnown, "5DxentQi5YSXODEzTVv06sRwJ3pULIz1KrYv20qxEK0=, ,")
	f.Add([]byte(nil), ",")
	f.Fuzz(func(t *testing.T, body []byte, header string) {
		signature := SignCallback(body, "secret")
		require.NoError(t, VerifyCallback(body, header+","+signature, "other", "secret"))
		if VerifyCallback(body, header, "secret") == nil {
			bare := strings.NewReplacer("\r", "", "\n", "").Replace(header)
			assert.Contains(t, bare, signature)
		}
		if callback, err := ParseCallback(body); err == nil {
			_, err := json.Marshal(callback)
			assert.NoError(t, err)
		}
	})
}
