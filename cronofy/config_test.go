package cronofy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBaseURL(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		config Config
		want   string
	}{
		"default":       {Config{}, "https://api.cronofy.com"},
		"us":            {Config{DataCenter: "us"}, "https://api.cronofy.com"},
		"au":            {Config{DataCenter: "au"}, "https://api-au.cronofy.com"},
		"ca":            {Config{DataCenter: "ca"}, "https://api-ca.cronofy.com"},
		"de":            {Config{DataCenter: "de"}, "https://api-de.cronofy.com"},
		"sg":            {Config{DataCenter: "sg"}, "https://api-sg.cronofy.com"},
		"uk":            {Config{DataCenter: "uk"}, "https://api-uk.cronofy.com"},
		"overrides":     {Config{DataCenter: "uk", BaseURL: "https://proxy.example.com"}, "https://proxy.example.com"},
		"canonical":     {Config{BaseURL: "HTTPS://API.Example.COM:443/a//"}, "https://api.example.com/a"},
		"port":          {Config{BaseURL: "https://example.com:8443"}, "https://example.com:8443"},
		"localhost":     {Config{BaseURL: "http://localhost:8080/x"}, "http://localhost:8080/x"},
		"IPv4":          {Config{BaseURL: "http://127.0.0.1:80"}, "http://127.0.0.1"},
		"IPv6":          {Config{BaseURL: "http://[::1]:80/"}, "http://[::1]"},
		"IPv6 and port": {Config{BaseURL: "http://[::1]:81/"}, "http://[::1]:81"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.config.APIKey = testKey
			client, err := New(test.config)
			require.NoError(t, err)
			t.Cleanup(client.Close)
			assert.Equal(t, test.want, client.BaseURL())
		})
	}
}

// Settings are fixed in one go: every problem is named, and no secret is.
func TestNewReportsEveryProblem(t *testing.T) {
	t.Parallel()
	_, err := New(Config{
		APIKey: "secret\n", DataCenter: "mars", BaseURL: "https://user:secret@example.com", Timeout: -1,
		MaxAttempts: -1,
		MaxWait:     -1, RatePerSecond: 1e6, RatePerMinute: 1e6, UserAgent: "a\r\nb",
	})
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	assert.Len(t, lines, 9)
	for i, name := range []string{"APIKey", "DataCenter", "BaseURL", "MaxAttempts", "MaxWait", "Timeout",
		"RatePerSecond", "RatePerMinute", "UserAgent"} {
		assert.True(t, strings.HasPrefix(lines[i], "cronofy: "+name+" "), lines[i])
	}
	assert.NotContains(t, err.Error(), "secret")
	assert.Contains(t, err.Error(), "au, ca, de, sg, uk, us")
}

func TestBadBaseURL(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"http://api.cronofy.com":           "plain http",
		"http://localhost.example.com":     "plain http",
		"ftp://example.com":                "neither",
		"api.cronofy.com":                  "no host",
		"https://":                         "no host",
		"https:example.com":                "no host",
		"https://example.com?secret=1":     "query",
		"https://example.com#secret":       "fragment",
		"https://secret:pa/ss@example.com": "cannot be read",
		"https://secret@example.com":       "user name",
		"%zz":                              "cannot be read",
	} {
		_, err := New(Config{APIKey: testKey, BaseURL: base})
		require.Error(t, err, base)
		assert.Contains(t, err.Error(), want, base)
		assert.NotContains(t, err.Error(), "secret", base)
	}
	_, err := New(Config{})
	require.ErrorContains(t, err, "APIKey is missing")
}

// The key must not show, whichever way a Config or a Client is printed.
func TestKeyIsNeverPrinted(t *testing.T) {
	t.Parallel()
	config := Config{APIKey: testKey, BaseURL: "https://example.com", Timeout: time.Second}
	client, err := New(config)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	type holder struct {
		hidden *Client
		Shown  *Client
		Config Config
	}
	values := []any{
		config, &config, client, *client.http, []any{config, client}, map[string]any{"a": config, "b": client},
		holder{hidden: client, Shown: client, Config: config},
	}
	for _, value := range values {
		var text strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&text, verb+"\n", value)
		}
		var logged bytes.Buffer
		slog.New(slog.NewTextHandler(&logged, nil)).Info("m", "v", value)
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("m", "v", value)
		text.Write(logged.Bytes())
		if encoded, err := json.Marshal(value); err == nil {
			text.Write(encoded)
		}
		assert.NotContains(t, text.String(), testKey)
		assert.NotContains(t, text.String(), fmt.Sprintf("%x", testKey))
		assert.NotContains(t, text.String(), strings.Trim(fmt.Sprintf("%v", []byte(testKey)), "[]"))
	}
	// What is printed is of use.
	assert.Contains(t, fmt.Sprint(config), "https://example.com")
	assert.Contains(t, fmt.Sprint(Config{BaseURL: "https://u:p@example.com"}), "not usable")
}

// A transport that was given belongs to the caller.
func TestCloseLeavesAGivenTransportAlone(t *testing.T) {
	t.Parallel()
	transport := &closing{}
	client, err := New(Config{APIKey: testKey, Transport: transport})
	require.NoError(t, err)
	client.Close()
	assert.False(t, transport.closed)
}

type closing struct {
	http.RoundTripper
	closed bool
}

func (c *closing) CloseIdleConnections() { c.closed = true }

func TestDefaultTransportKeepsConnections(t *testing.T) {
	t.Parallel()
	transport, ok := defaultTransport().(*http.Transport)
	require.True(t, ok)
	assert.Equal(t, DefaultRatePerSecond, transport.MaxIdleConnsPerHost)
	assert.NotSame(t, http.DefaultTransport, transport)
}
