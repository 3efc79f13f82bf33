package cronofy

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// NotConnected tells "nothing can have reached the server" from "it is not known".
func TestDial(t *testing.T) {
	t.Parallel()
	closed, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	refused := "http://" + closed.Addr().String()
	require.NoError(t, closed.Close())

	strangers := httptest.NewUnstartedServer(http.NotFoundHandler())
	strangers.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	strangers.StartTLS()
	t.Cleanup(strangers.Close)

	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)

	hangsUp := httptest.NewServer(
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
	)
	t.Cleanup(hangsUp.Close)

	gibberish := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if assert.NoError(t, err) {
			_, _ = io.WriteString(conn, r.URL.Query().Get("recipient_email")+"\r\n\r\n")
			_ = conn.Close()
		}
	}))
	t.Cleanup(gibberish.Close)

	tests := map[string]struct {
		base string
		dial bool
		text string
	}{
		"refused":             {refused, true, "refused"},
		"foreign certificate": {strangers.URL, true, "certificate"},
		"no TLS": {
			strings.Replace(plain.URL, "http:", "https:", 1),
			true,
			"HTTP response to HTTPS client",
		},
		"hangs up": {hangsUp.URL, false, "EOF"},
		"not HTTP": {gibberish.URL, false, "not HTTP"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := New(Config{APIKey: testKey, BaseURL: test.base, MaxAttempts: 1})
			require.NoError(t, err)
			t.Cleanup(client.Close)
			_, err = client.Status(t.Context(), Ref{SmartInviteID: testID, Recipient: testRecipient}, false)
			var failure *Error
			require.ErrorAs(t, err, &failure)
			assert.Equal(t, test.dial, failure.NotConnected, err)
			assert.Contains(t, err.Error(), test.text)
			assertNoSecret(t, err)
		})
	}
}

// The caller's own context must be told from the time-out of one attempt.
func TestContextErrorsAreFound(t *testing.T) {
	t.Parallel()
	slow := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a server sees the client leave only after the body
		<-r.Context().Done()
	}

	t.Run("cancelled under way", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		client := setup(t, func(w http.ResponseWriter, r *http.Request) { cancel(); slow(w, r) },
			func(c *Config) { c.MaxAttempts = 4 })
		_, err := client.Create(ctx, documentedRequest())
		require.ErrorIs(t, err, context.Canceled)
		var failure *Error
		require.ErrorAs(t, err, &failure)
		assert.False(t, failure.NotConnected)
	})
	t.Run("cancelled before", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		client := setup(t, func(http.ResponseWriter, *http.Request) { assert.Fail(t, "asked with a dead context") })
		_, err := client.Create(ctx, documentedRequest())
		require.ErrorIs(t, err, context.Canceled)
		assert.Contains(t, err.Error(), "not sent")
	})
	t.Run("time-out of one attempt", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int64
		client := setup(t, func(w http.ResponseWriter, r *http.Request) { asked.Add(1); slow(w, r) },
			func(c *Config) { c.Timeout, c.MaxAttempts = 100*time.Millisecond, 4 })
		_, err := client.Create(t.Context(), documentedRequest())
		assert.LessOrEqual(t, asked.Load(), int64(1), "the caller decides whether to wait as long again")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, t.Context().Err())
		assert.Contains(t, err.Error(), "within 100ms")
	})
}
