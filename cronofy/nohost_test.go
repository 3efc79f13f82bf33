package cronofy

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNoHost: only a URL that was given can be wrong, and only until it answered.
func TestNoHost(t *testing.T) {
	t.Parallel()
	lookup := func(host string, err net.DNSError) error {
		err.Name = host
		return &net.OpError{Op: "dial", Net: "tcp", Err: &err}
	}
	notFound := net.DNSError{Err: "no such host", IsNotFound: true}

	const given, center = "https://api.example.com/base", "api-de.cronofy.com"
	for name, tc := range map[string]struct {
		base    string
		answers []error // nil: 503
		want    bool    // of the last
	}{
		"given and not there":       {given, []error{lookup("api.example.com", notFound)}, true},
		"as the resolver writes it": {given, []error{lookup("API.example.com.", notFound)}, true},
		"a data center":             {"", []error{lookup(center, notFound)}, false},
		"the DNS does not answer": {given, []error{lookup("api.example.com",
			net.DNSError{Err: "i/o timeout", IsTimeout: true})}, false},
		"the DNS fails": {given, []error{lookup("api.example.com",
			net.DNSError{Err: "server misbehaving", IsTemporary: true})}, false},
		"a proxy that is not there": {given, []error{lookup("proxy.example.com", notFound)}, false},
		"not there after an answer": {given, []error{nil, lookup("api.example.com", notFound)}, false},
		"not there after the network": {given, []error{&net.OpError{Op: "dial",
			Err: errors.New("network is unreachable")}, lookup("api.example.com", notFound)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			client, err := New(
				Config{
					APIKey:      testKey,
					BaseURL:     tc.base,
					DataCenter:  "de",
					MaxAttempts: len(tc.answers),
					Rand:        func() float64 { return 0 },
					Transport: roundTripper(func(*http.Request) (*http.Response, error) {
						asked++
						if err := tc.answers[asked-1]; err != nil {
							return nil, err
						}
						return &http.Response{
							StatusCode: http.StatusServiceUnavailable,
							Body:       io.NopCloser(strings.NewReader("")),
						}, nil
					}),
				},
			)
			require.NoError(t, err)
			_, err = client.Create(t.Context(), documentedRequest())
			var failure *Error
			require.ErrorAs(t, err, &failure)
			assert.Equal(t, len(tc.answers), asked)
			assert.Equal(t, tc.want, failure.NoHost)
			again, _ := failure.Retryable()
			assert.Equal(t, !tc.want, again)
			if tc.want {
				assert.ErrorContains(t, err, "check BaseURL")
			}
		})
	}
}

// TestNoHostIsNotAskedTwice within one call.
func TestNoHostIsNotAskedTwice(t *testing.T) {
	t.Parallel()
	asked := 0
	client, err := New(
		Config{
			APIKey:  testKey,
			BaseURL: "https://api.example.com",
			Transport: roundTripper(func(*http.Request) (*http.Response, error) {
				asked++
				return nil, &net.DNSError{Name: "api.example.com", Err: "no such host", IsNotFound: true}
			}),
		},
	)
	require.NoError(t, err)
	require.Error(t, client.CheckKey(t.Context()))
	assert.Equal(t, 1, asked)
}
